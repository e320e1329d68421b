/* RTP that others send us (RFC 3550): a strict reader, the order of packets, and units of AAC
 * (RFC 3640, AAC-hbr) out of payloads. Pure. */
#ifndef DELIVER_RTP_IN_H
#define DELIVER_RTP_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtp_in {
    uint8_t type;
    bool marker;
    uint16_t seq;
    uint32_t time, ssrc;
    const uint8_t *payload;
    size_t len;
};
/* False: not a well-formed packet of version 2. */
bool rtp_in_read(const uint8_t *bytes, size_t len, struct rtp_in *ret);

/* Whole units of an AAC-hbr payload through say(); units in pieces are left out. -EBADMSG. */
int rtp_in_aac(const uint8_t *payload, size_t len,
               void (*say)(void *arg, const uint8_t *bytes, size_t len), void *arg);

/* Puts packets in their order again: waits for one that is missing until four behind it are there.
 * Late ones and twins are dropped. */
#define RTP_IN_HELD 8
#define RTP_IN_BYTES 1500
struct rtp_order {
    bool begun;
    uint16_t next;
    unsigned held, lost;
    struct {
        bool used;
        uint16_t seq;
        size_t len;
        uint8_t bytes[RTP_IN_BYTES];
    } slot[RTP_IN_HELD];
};
/* Packets larger than RTP_IN_BYTES are dropped. */
void rtp_order_put(struct rtp_order *o, const uint8_t *bytes, size_t len,
                   void (*give)(void *arg, const struct rtp_in *p), void *arg);

#endif
