/* The texts of HTTP Live Streaming (RFC 8216bis, protocol version 9). Pure functions. */
#ifndef API_HLS_PLAYLIST_H
#define API_HLS_PLAYLIST_H

#include <stdbool.h>
#include <stdint.h>

struct arg;
struct buf;
struct segments;

/* What opens the media and its pieces, relative to the media playlist:
 * "init.mp4", "s12.m4s" (segment 12), "s12.3.m4s" (its part 3). */
enum hls_file { HLS_NOTHING, HLS_PLAYLIST, HLS_INIT, HLS_SEGMENT, HLS_PART };
enum hls_file hls_file_parse(const char *name, uint64_t *ret_number, int *ret_part);

/* Delivery directives of a playlist's request (6.2.5). */
struct hls_wish {
    bool blocking;
    uint64_t number; /* _HLS_msn */
    int part;        /* _HLS_part; -1: the whole segment */
    bool skip;       /* _HLS_skip: what is long known is left out */
};
/* 0, or -EINVAL. */
int hls_wish_parse(struct hls_wish *ret, const struct arg *args, unsigned long n_args);

void hls_write_media(struct buf *b, const struct segments *s, bool skip);

struct hls_variant {
    const char *uri, *codecs;
    int width, height;
    double fps;
    int kbps;
};
void hls_write_master(struct buf *b, const struct hls_variant *v);

#endif
