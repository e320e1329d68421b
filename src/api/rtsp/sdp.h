/* The session description of a stream of pictures, of sound, or of both (RFC 4566). Pure. */
#ifndef API_RTSP_SDP_H
#define API_RTSP_SDP_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct encoding;
struct stream_format;

struct sdp_desc {
    uint64_t id, version;
    const char *name, *tool;
    const char *address;                /* ours */
    const char *base;                   /* rtsp://host/path, no slash at the end */
    const char *query;                  /* "" or as asked */
    const struct stream_format *format; /* of pictures; NULL: none */
    const struct encoding *encoding;
    double fps;
    const struct stream_format *sound; /* NULL: none */
    bool back;                         /* a back channel, too */
    int mounting_deg; /* 0 or 180: how the camera hangs turns the picture as well */
    /* multicast: where it goes; group NULL: unicast */
    const char *group, *sound_group;
    int group_port, sound_port, hops;
    const char *source; /* RFC 4570: who alone sends there, or NULL */
    /* SRTP: keys (base64) by SDES (RFC 4568) and MIKEY (RFC 4567), by track; NULL: none */
    const struct sdp_key {
        char sdes[48], mikey[256];
    } * keys;
};
/* -EINVAL: no parameter sets in an H.264 format. */
int sdp_write(struct buf *b, const struct sdp_desc *d);

#endif
