/* Cutting coded pictures into RTP: the first byte says which codec. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/rtp.h"
#include "fuzz.h"

struct seen {
    int packets, marked;
    volatile uint8_t sum; /* so that the bytes are read */
};

static void put(void *arg, const struct rtp_piece piece[2], bool last)
{
    struct seen *s = arg;
    size_t len = RTP_HEADER + piece[0].len + piece[1].len;
    assert(len > RTP_HEADER && len <= RTP_MTU);
    assert(!s->marked); /* nothing behind the last */
    uint8_t sum = 0;
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < piece[i].len; k++)
            sum = (uint8_t)(sum + piece[i].bytes[k]);
    s->marked += last;
    s->packets++;
    s->sum = sum;
}

static const enum codec codecs[] = {CODEC_H264, CODEC_JPEG, CODEC_H265, CODEC_AV1};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    uint8_t *copy = malloc(size);
    if (!copy)
        abort();
    memcpy(copy, data + 1, size - 1);
    struct seen s = {0};
    int n = rtp_split(copy, size - 1, codecs[data[0] & 3], put, &s);
    assert(n == s.packets && s.marked == (n > 0));
    free(copy);
    return 0;
}
