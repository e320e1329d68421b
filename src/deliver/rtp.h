/* RTP forms of packets (RFC 3550, 6184, 2435), made once per stream and shared.
 *
 * The bytes of all RTP packets of a picture lie in one buffer, each preceded by the
 * 4 bytes '$' 0 length of RTSP interleaving, so that one send carries a picture
 * over TCP; UDP trains skip those 4 bytes by gathering. Channel numbers other than
 * 0 are patched into a copy, shared by all who use that channel. Any thread. */
#ifndef DELIVER_RTP_H
#define DELIVER_RTP_H

#include <stddef.h>
#include <stdint.h>

#include "media/packet.h"
#include "media/stream.h"

#define RTP_MTU 1400 /* RTP header and payload */
#define RTP_PT_H264 96
#define RTP_PT_JPEG 26

struct rtp_form {
    struct packet_form base;
    uint8_t *bytes; /* interleaved form, channel 0 */
    size_t len;
    unsigned n;      /* RTP packets */
    uint32_t *offset; /* n + 1: where each '$' stands; offset[n] == len */
};

/* For stream_set_rtp_count(): how many RTP packets it will be. */
int rtp_count(const struct packet *p, enum codec codec);
/* Borrowed: lives as long as the packet. NULL: out of memory. */
const struct rtp_form *rtp_form_of(struct stream *s, struct packet *p);

#endif
