/* One coded unit: an access unit of video (Annex B for H.264, a whole JPEG), a
 * frame of audio, a metadata document. Immutable, refcounted. Any thread. */
#ifndef MEDIA_PACKET_H
#define MEDIA_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/capture.h"

enum codec {
    CODEC_H264,
    CODEC_JPEG,
    CODEC_H265,
    CODEC_AV1,
    CODEC_AAC, /* sound from here on: one access unit of AAC-LC, no header */
    CODEC_OPUS,
    CODEC_PCMU, /* G.711 u-law */
    CODEC_PCMA, /* G.711 A-law */
    CODEC_G726, /* packed as RFC 3551 says: the first sample in the lowest bits */
    CODEC_L16,  /* linear, network byte order */
};
const char *codec_name(enum codec c); /* "h264", "jpeg", … "aac", "opus", "pcmu" … */
static inline bool codec_is_sound(enum codec c)
{
    return c >= CODEC_AAC;
}

enum {
    PACKET_KEY = 1 << 0,    /* decoding can start here; H.264: SPS and PPS are inside */
    PACKET_CONFIG = 1 << 1, /* parameter sets changed with this packet */
    PACKET_GAP = 1 << 2,    /* pictures are missing before this one */
};

enum {
    PACKET_FORM_RTP,
    PACKET_FORM_MULTIPART,
    PACKET_FORM_MP4,
    PACKET_FORM_MATROSKA,
    PACKET_FORMS
};

struct packet {
    const uint8_t *bytes;
    size_t len;
    unsigned flags;
    uint64_t serial;    /* position in its stream, from 0 */
    int64_t time_ns;    /* presentation: start of exposure, monotonic */
    int64_t early_ns;   /* decoded so much before it is shown, where pictures are coded in another
                         * order; else 0. time_ns less this rises from packet to packet */
    int64_t utc_ns;     /* of time_ns */
    int64_t coded_ns;   /* when coding ended, monotonic */
    uint16_t rtp_seq;   /* of its first RTP packet; set by stream_append */
    uint32_t rtp_wraps; /* how often sequence numbers had begun anew before that */
    uint16_t rtp_count;
    struct capture how;
    /* Other forms of the same bytes, made lazily by deliver, once, and shared by
     * all viewers. Set with packet_set_form(). */
    struct packet_form *form[PACKET_FORMS]; /* atomic; see below */
    int refs;
    void (*release)(void *owner);
    void *owner;
};

/* First member of what deliver hangs onto a packet. */
struct packet_form {
    void (*free)(struct packet_form *f);
};

/* Copies nothing: release(owner) is called at the last unref. */
struct packet *packet_new(const uint8_t *bytes, size_t len, void (*release)(void *owner),
                          void *owner);
struct packet *packet_ref(struct packet *p);
struct packet *packet_unref(struct packet *p);
/* Publishes `take_f` in a slot (PACKET_FORM_…) unless somebody was faster; returns the one
 * that stands. */
struct packet_form *packet_set_form(struct packet *p, int slot, struct packet_form *take_f);
struct packet_form *packet_get_form(const struct packet *p, int slot); /* NULL: not made yet */

#endif
