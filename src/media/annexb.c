#include "media/annexb.h"

#include <string.h>

#include "media/capture.h"

#define TEXT_MAX 512
#define SPS_MAX 256 /* bytes */

bool annexb_next(const uint8_t *bytes, size_t len, size_t *at, struct nal *ret)
{
    const uint8_t *end = bytes + len;
    const uint8_t *p = bytes + *at;
    const uint8_t *start = NULL;
    while (p + 3 <= end) {
        /* the 1 of a start code is rare: look for it, not for zeros */
        const uint8_t *one = memchr(p + 2, 1, (size_t)(end - p) - 2);
        if (!one)
            break;
        if (one[-1] || one[-2]) {
            p = one - 1;
            continue;
        }
        if (start) {
            size_t n = (size_t)(one - 2 - start);
            while (n && !start[n - 1]) /* zeros before a start code belong to it */
                n--;
            if (n) {
                *at = (size_t)(one - 2 - bytes);
                *ret = (struct nal){start, n};
                return true;
            }
        }
        start = p = one + 1;
    }
    *at = len;
    if (!start)
        return false;
    size_t n = (size_t)(end - start);
    while (n && !start[n - 1])
        n--;
    *ret = (struct nal){start, n};
    return n > 0;
}

/* With emulation prevention; 0: it does not fit. */
static size_t escape(const uint8_t *raw, size_t n, uint8_t *ret, size_t size)
{
    size_t out = 0;
    unsigned zeros = 0;
    for (size_t i = 0; i < n; i++) {
        if (out + 2 > size)
            return 0;
        if (zeros == 2 && raw[i] <= 3) {
            ret[out++] = 3;
            zeros = 0;
        }
        ret[out++] = raw[i];
        zeros = raw[i] ? 0 : zeros + 1;
    }
    return out;
}

size_t annexb_sei(const struct capture *how, const uint8_t *header, size_t header_len,
                  uint8_t ret[ANNEXB_SEI_MAX])
{
    uint8_t raw[TEXT_MAX + 32];
    char text[TEXT_MAX];
    size_t text_len = (size_t)capture_text(how, text, sizeof(text));
    size_t n = 0, size = 16 + text_len;
    raw[n++] = 5; /* user_data_unregistered */
    size_t left = size;
    for (; left >= 255; left -= 255)
        raw[n++] = 255;
    raw[n++] = (uint8_t)left;
    memcpy(raw + n, capture_sei_uuid, 16);
    n += 16;
    memcpy(raw + n, text, text_len);
    n += text_len;
    raw[n++] = 0x80; /* the stop bit */

    static const uint8_t start[4] = {0, 0, 0, 1};
    memcpy(ret, start, sizeof(start));
    memcpy(ret + sizeof(start), header, header_len);
    size_t out = sizeof(start) + header_len;
    return out + escape(raw, n, ret + out, ANNEXB_SEI_MAX - out);
}

/* ---- sequence parameter sets of H.264 (7.3.2.1.1, E.1.1) ---- */

struct bits { /* of a payload without emulation prevention */
    const uint8_t *bytes;
    size_t n, at; /* bits */
    bool over;
};

static unsigned bits_take(struct bits *b, unsigned n)
{
    unsigned v = 0;
    for (; n; n--) {
        if (b->at >= b->n) {
            b->over = true;
            return 0;
        }
        v = v << 1 | (b->bytes[b->at / 8] >> (7 - b->at % 8) & 1);
        b->at++;
    }
    return v;
}

static unsigned bits_ue(struct bits *b)
{
    unsigned zeros = 0;
    while (!b->over && !bits_take(b, 1))
        zeros++;
    if (zeros > 31) {
        b->over = true;
        return 0;
    }
    return (1u << zeros) - 1 + bits_take(b, zeros);
}

static int bits_se(struct bits *b)
{
    unsigned v = bits_ue(b);
    return v & 1 ? (int)(v / 2 + 1) : -(int)(v / 2);
}

static void skip_scaling_list(struct bits *b, int n)
{
    int last = 8, next = 8;
    for (int i = 0; i < n && !b->over; i++) {
        if (next)
            next = (last + bits_se(b) + 256) & 255;
        last = next ? next : last;
    }
}

static void skip_chroma(struct bits *b, unsigned profile)
{
    static const uint8_t with[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135};
    if (!memchr(with, (int)profile, sizeof(with)))
        return;
    unsigned format = bits_ue(b);
    if (format == 3)
        bits_take(b, 1);
    bits_ue(b);
    bits_ue(b);
    bits_take(b, 1);
    if (!bits_take(b, 1))
        return;
    for (int i = 0; i < (format == 3 ? 12 : 8); i++)
        if (bits_take(b, 1))
            skip_scaling_list(b, i < 6 ? 16 : 64);
}

static void skip_order_count(struct bits *b)
{
    unsigned type = bits_ue(b);
    if (type == 0)
        bits_ue(b);
    if (type != 1)
        return;
    bits_take(b, 1);
    bits_se(b);
    bits_se(b);
    for (unsigned n = bits_ue(b); n && !b->over; n--)
        bits_se(b);
}

/* To the flag; false: there is none. */
static bool find_fixed_rate(struct bits *b)
{
    unsigned profile = bits_take(b, 8);
    bits_take(b, 16);
    bits_ue(b);
    skip_chroma(b, profile);
    bits_ue(b);
    skip_order_count(b);
    bits_ue(b);
    bits_take(b, 1);
    bits_ue(b);
    bits_ue(b);
    if (!bits_take(b, 1)) /* fields */
        bits_take(b, 1);
    bits_take(b, 1);
    for (int i = bits_take(b, 1) ? 4 : 0; i; i--) /* cropping */
        bits_ue(b);
    if (!bits_take(b, 1)) /* usability information */
        return false;
    if (bits_take(b, 1) && bits_take(b, 8) == 255) /* aspect ratio */
        bits_take(b, 32);
    if (bits_take(b, 1)) /* overscan */
        bits_take(b, 1);
    if (bits_take(b, 1)) { /* colours */
        bits_take(b, 4);
        if (bits_take(b, 1))
            bits_take(b, 24);
    }
    if (bits_take(b, 1)) { /* place of chroma samples */
        bits_ue(b);
        bits_ue(b);
    }
    if (!bits_take(b, 1)) /* timing */
        return false;
    bits_take(b, 32);
    bits_take(b, 32);
    return !b->over && b->at < b->n;
}

size_t avc_sps_free_rate(struct nal sps, uint8_t *ret, size_t size)
{
    uint8_t raw[SPS_MAX];
    size_t n = 0;
    unsigned zeros = 0;
    if (sps.len < 4 || sps.len > SPS_MAX || size < 1)
        return 0;
    for (size_t i = 1; i < sps.len; i++) {
        if (zeros == 2 && sps.bytes[i] == 3) {
            zeros = 0;
            continue;
        }
        raw[n++] = sps.bytes[i];
        zeros = sps.bytes[i] ? 0 : zeros + 1;
    }
    struct bits b = {.bytes = raw, .n = n * 8};
    if (!find_fixed_rate(&b) || !(raw[b.at / 8] >> (7 - b.at % 8) & 1))
        return 0;
    raw[b.at / 8] &= (uint8_t) ~(1u << (7 - b.at % 8));
    ret[0] = sps.bytes[0];
    size_t len = escape(raw, n, ret + 1, size - 1);
    return len ? len + 1 : 0;
}
