/* RTP that clients send: first byte of each record its length / 8, then the packet. */
#include "deliver/rtp_in.h"

#include <assert.h>
#include <string.h>

#include "fuzz.h"

static void say(void *arg, const uint8_t *bytes, size_t len)
{
    assert(len > 0);
    ++*(int *)arg;
}

static void give(void *arg, const struct rtp_in *p)
{
    assert(p->len <= RTP_IN_BYTES && p->type < 128);
    rtp_in_aac(p->payload, p->len, say, arg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rtp_order order;
    int n = 0;
    memset(&order, 0, sizeof(order));
    for (size_t at = 0; at < size;) {
        size_t len = 8 * (size_t)data[at++];
        if (len > size - at)
            len = size - at;
        struct rtp_in p;
        if (rtp_in_read(data + at, len, &p))
            assert(p.payload >= data + at && p.payload + p.len <= data + at + len);
        rtp_order_put(&order, data + at, len, give, &n);
        assert(order.held < RTP_IN_HELD);
        at += len;
    }
    return 0;
}
