/* A stream: an append-only window of packets; and cursors, by which everybody
 * who watches, records or sends reads it.
 *
 * The window is limited in bytes and seconds but always holds the newest key
 * packet and what follows (unless that alone passes the byte limit). One encoder
 * appends. A cursor that falls off the tail skips to the next key packet and the
 * packet it then gets counts the loss. Waking: a reader registers a stream_wake
 * and is called after each append, from the appending thread, no lock held; it
 * should only post.
 *
 * RTP identity (one random SSRC, sequence and timestamp base per stream) lives
 * here so that all viewers share packets made once. Any thread. */
#ifndef MEDIA_STREAM_H
#define MEDIA_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/packet.h"

struct clock;
struct stream;

struct stream_format {
    enum codec codec;
    int width, height;
    double fps; /* nominal */
    /* Parameter sets without start codes: H.264 SPS and PPS, H.265 also VPS; AV1: its sequence
     * header OBU stands in sps. Empty until the first key packet. */
    uint8_t vps[256], sps[256], pps[256];
    size_t vps_len, sps_len, pps_len;
    /* Sound: samples a second, channels, bits a second (G.726: 16000 to 40000). AAC: its
     * AudioSpecificConfig stands in sps. */
    int rate_hz, channels, bitrate;
};

struct stream_window {
    size_t max_bytes;
    int64_t max_ns;
};

struct stream *stream_new(struct clock *clock, const struct stream_format *format,
                          const struct stream_window *window);
struct stream *stream_ref(struct stream *s);
struct stream *stream_unref(struct stream *s);

void stream_append(struct stream *s, struct packet *take_p); /* the encoder's thread */
/* Drops all packets of pictures made with an older set of masks than this, now and whenever one
 * still comes (any thread); a cursor then waits for the next key packet. */
void stream_forget(struct stream *s, uint32_t masks);
void stream_set_format(struct stream *s, const struct stream_format *f);
void stream_end(struct stream *s); /* no more packets: cursors get -EPIPE */
/* Format now; false while parameter sets are not known yet. */
bool stream_get_format(struct stream *s, struct stream_format *ret);

uint32_t stream_ssrc(const struct stream *s);
uint16_t stream_first_seq(const struct stream *s);
/* Ticks a second of its RTP timestamps: 90000; of sound its sampling rate, Opus 48000. */
int stream_clock_hz(const struct stream *s);
enum codec stream_codec(const struct stream *s); /* never changes */
uint32_t stream_rtp_time(const struct stream *s, int64_t time_ns, int clock_hz);
/* RTP sequence numbers run through the stream in packet order. deliver asks for the
 * first number of a packet after telling how many RTP packets it makes of each:
 * the appending thread calls count(packet) once, through this hook, for every
 * packet, so that any later reader finds packet->rtp_seq settled. */
typedef int stream_rtp_count_fn(const struct packet *p, enum codec codec);
void stream_set_rtp_count(stream_rtp_count_fn *count); /* once, by main, before any stream */

struct stream_stats {
    uint64_t packets, bytes, keys;
    double fps, kbps; /* over the last two seconds */
    unsigned gop;     /* pictures between the newest two keys; since the newest one if more */
    int64_t newest_ns, newest_key_ns;
    size_t window_bytes;
    unsigned readers;
};
void stream_stats(struct stream *s, struct stream_stats *ret);

struct stream_wake {
    void (*woken)(struct stream_wake *w);
    struct stream_wake *next;
};
void stream_add_wake(struct stream *s, struct stream_wake *w);
void stream_remove_wake(struct stream *s, struct stream_wake *w); /* not called after return */

/* A position in a stream (or, later, in segments on disk): a small table of
 * operations. One thread at a time. */
struct cursor;
struct cursor_ops {
    /* 0 and a new reference; -EAGAIN nothing yet; -EPIPE ended. *ret_lost counts
     * packets skipped right before this one. */
    int (*next)(struct cursor *c, struct packet **ret_p, uint64_t *ret_lost);
    /* Position at the newest key packet in the window (live) or at a time. */
    int (*seek_live)(struct cursor *c);
    int (*seek_time)(struct cursor *c, int64_t time_ns);
    void (*close)(struct cursor *c); /* frees */
};
struct cursor {
    const struct cursor_ops *ops;
};
struct cursor *stream_cursor(struct stream *s); /* starts at the newest key; holds a ref */
static inline int cursor_next(struct cursor *c, struct packet **ret_p, uint64_t *ret_lost)
{
    return c->ops->next(c, ret_p, ret_lost);
}
/* Skips to the newest key if that is ahead of the position: slow viewers. Returns
 * packets skipped, 0 if there was nothing to gain. */
uint64_t cursor_skip_to_key(struct cursor *c);

#endif
