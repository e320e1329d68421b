#include "deliver/rtp_in.h"

#include <errno.h>
#include <string.h>

#define FIXED 12
#define WAIT_FOR 4 /* packets behind a missing one */
#define AHEAD 100  /* more is another stream */
#define UNITS_MOST 64

bool rtp_in_read(const uint8_t *bytes, size_t len, struct rtp_in *ret)
{
    if (len < FIXED || bytes[0] >> 6 != 2)
        return false;
    size_t head = FIXED + 4 * (size_t)(bytes[0] & 15), end = len;
    if (bytes[0] & 0x10) { /* extension */
        if (len < head + 4)
            return false;
        head += 4 + 4 * (size_t)(bytes[head + 2] << 8 | bytes[head + 3]);
    }
    if (bytes[0] & 0x20) { /* padding */
        if (!bytes[len - 1] || bytes[len - 1] > len)
            return false;
        end -= bytes[len - 1];
    }
    if (head > end)
        return false;
    *ret = (struct rtp_in){
        .type = bytes[1] & 0x7f,
        .marker = bytes[1] >> 7,
        .seq = (uint16_t)(bytes[2] << 8 | bytes[3]),
        .time = (uint32_t)bytes[4] << 24 | (uint32_t)bytes[5] << 16 | (uint32_t)bytes[6] << 8 |
                bytes[7],
        .ssrc = (uint32_t)bytes[8] << 24 | (uint32_t)bytes[9] << 16 | (uint32_t)bytes[10] << 8 |
                bytes[11],
        .payload = bytes + head,
        .len = end - head,
    };
    return true;
}

int rtp_in_aac(const uint8_t *p, size_t len,
               void (*say)(void *arg, const uint8_t *bytes, size_t len), void *arg)
{
    if (len < 4)
        return -EBADMSG;
    size_t bits = (size_t)p[0] << 8 | p[1], units = bits / 16, at = 2 + units * 2;
    if (bits % 16 || !units || units > UNITS_MOST || at > len)
        return -EBADMSG;
    for (size_t i = 0; i < units; i++) {
        size_t n = (size_t)(p[2 + 2 * i] << 8 | p[3 + 2 * i]) >> 3;
        if (n > len - at)
            return units == 1 ? 0 : -EBADMSG; /* a unit in pieces: nobody sends such large ones */
        if (n)
            say(arg, p + at, n);
        at += n;
    }
    return 0;
}

/* ---- order ---- */

static void give_slot(struct rtp_order *o, unsigned i,
                      void (*give)(void *arg, const struct rtp_in *p), void *arg)
{
    struct rtp_in p;
    o->slot[i].used = false;
    o->held--;
    o->next = (uint16_t)(o->slot[i].seq + 1);
    if (rtp_in_read(o->slot[i].bytes, o->slot[i].len, &p))
        give(arg, &p);
}

/* Those that follow; with `skip` the nearest one first, whatever is missing before it. */
static void give_held(struct rtp_order *o, bool skip,
                      void (*give)(void *arg, const struct rtp_in *p), void *arg)
{
    while (o->held) {
        unsigned best = RTP_IN_HELD, far = 0;
        for (unsigned i = 0; i < RTP_IN_HELD; i++) {
            unsigned ahead = (uint16_t)(o->slot[i].seq - o->next);
            if (o->slot[i].used && (best == RTP_IN_HELD || ahead < far)) {
                best = i;
                far = ahead;
            }
        }
        if (far && !skip)
            return;
        o->lost += far;
        skip = false;
        give_slot(o, best, give, arg);
    }
}

void rtp_order_put(struct rtp_order *o, const uint8_t *bytes, size_t len,
                   void (*give)(void *arg, const struct rtp_in *p), void *arg)
{
    struct rtp_in p;
    if (len > RTP_IN_BYTES || !rtp_in_read(bytes, len, &p))
        return;
    unsigned ahead = (uint16_t)(p.seq - o->next);
    if (!o->begun || (ahead > AHEAD && ahead < 0x10000 - AHEAD)) {
        memset(o, 0, sizeof(*o)); /* it begins, or begins anew */
        o->begun = true;
        o->next = p.seq;
        ahead = 0;
    }
    if (ahead > AHEAD)
        return; /* late */
    if (!ahead) {
        o->next = (uint16_t)(p.seq + 1);
        give(arg, &p);
        give_held(o, false, give, arg);
        return;
    }
    unsigned free_slot = RTP_IN_HELD;
    for (unsigned i = 0; i < RTP_IN_HELD; i++) {
        if (o->slot[i].used && o->slot[i].seq == p.seq)
            return; /* a twin */
        if (!o->slot[i].used)
            free_slot = i;
    }
    if (free_slot == RTP_IN_HELD)
        return; /* cannot be: fewer are held */
    o->slot[free_slot].used = true;
    o->slot[free_slot].seq = p.seq;
    o->slot[free_slot].len = len;
    memcpy(o->slot[free_slot].bytes, bytes, len);
    if (++o->held >= WAIT_FOR)
        give_held(o, true, give, arg);
}
