/* RTP forms of packets (RFC 3550; 6184, 7798, 2435, AV1 1.0; 3640, 7587, 3551), made once per
 * stream and shared.
 *
 * The bytes of all RTP packets of a picture lie in one buffer, each preceded by the
 * 4 bytes '$' channel length of RTSP interleaving, so that one send carries a picture
 * over TCP. Other channel numbers and the UDP form (without those 4 bytes, so that
 * whole trains lie together) are copies made when first asked for, shared by all who
 * ask the same. What the kernel copies for each viewer begins at a cache line: that
 * makes its copying several times faster. Any thread. */
#ifndef DELIVER_RTP_H
#define DELIVER_RTP_H

#include <stddef.h>
#include <stdint.h>

#include "deliver/pages.h"
#include "media/packet.h"
#include "media/stream.h"
#include "net/udp.h"

#define RTP_MTU 1400 /* RTP header and payload */
#define RTP_HEADER 12
#define RTP_PT_DYNAMIC 96 /* all pictures but JPEG: named by the SDP */
#define RTP_PT_JPEG 26
#define RTP_PT_PCMU 0 /* static ones at 8000 samples a second only */
#define RTP_PT_PCMA 8
#define RTP_PT_SOUND 97  /* other sound: named by the SDP */
#define RTP_MAX_COPIES 8 /* shared copies of one picture */

struct rtp_copy {
    struct rtp_copy *next;
    int channel;
    uint8_t *bytes;
};

#define RTP_TRAIN_PACKETS 46 /* of one UDP train: 64 kB */
struct rtp_udp {
    unsigned n;
    struct udp_train train[];
};

struct rtp_form {
    struct packet_form base;
    uint8_t *bytes; /* interleaved form, channel 0 */
    size_t len;
    unsigned n;              /* RTP packets */
    uint32_t *offset;        /* n + 1: where each '$' stands; offset[n] == len */
    struct rtp_copy *copies; /* atomic; only ever grows at its head */
    struct rtp_udp *udp;     /* atomic; NULL: nobody has asked yet */
    struct pages pages;      /* of the bytes, for many viewers */
};

int rtp_payload_type(enum codec codec, int rate_hz /* of sound */);
/* Room for n packets of so many bytes in all, '$' and lengths included; filled in by the
 * caller, and freed by base.free. NULL: out of memory. */
struct rtp_form *rtp_form_new(unsigned n, size_t len);

/* For stream_set_rtp_count(): how many RTP packets it will be; 0: nothing that RTP
 * can carry (an empty picture, a JPEG that RFC 2435 does not know). */
int rtp_count(const struct packet *p, enum codec codec);
/* Borrowed: lives as long as the packet. NULL: out of memory, or rtp_count() is 0. */
const struct rtp_form *rtp_form_of(struct stream *s, struct packet *p);
/* The same bytes on another channel (form->len). Borrowed like the form; when too many
 * different ones are asked for, *ret_own is what the caller has to free. NULL: out of
 * memory. */
const uint8_t *rtp_form_bytes(const struct rtp_form *form, int channel, void **ret_own);
/* The packets as trains, without interleaving. Borrowed like the form. NULL: out of memory. */
const struct rtp_udp *rtp_udp_of(const struct rtp_form *form);

/* The pure part: packets of one coded picture through put(), which gets the payload
 * in two pieces: headers and body. Returns the number of packets or negative errno. */
struct rtp_piece {
    const uint8_t *bytes;
    size_t len;
};
int rtp_split(const uint8_t *bytes, size_t len, enum codec codec,
              void (*put)(void *arg, const struct rtp_piece piece[2], bool last), void *arg);

#endif
