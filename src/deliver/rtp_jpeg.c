/* JPEG in RTP by RFC 2435: quantization tables in the first packet of each picture. */
#include <string.h>

#include "deliver/rtp_split.h"

struct jpeg {
    int width, height, type, restart;
    const uint8_t *tables[2];
    const uint8_t *scan;
    size_t scan_len;
};

static int be16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

/* False: not a picture that RFC 2435 can carry. */
static bool parse_jpeg(const uint8_t *b, size_t len, struct jpeg *ret)
{
    const uint8_t *quant[4] = {NULL};
    struct jpeg j = {.type = -1};
    int table_of[3] = {0};
    if (len < 4 || b[0] != 0xff || b[1] != 0xd8)
        return false;
    for (size_t at = 2; at + 4 <= len;) {
        if (b[at] != 0xff)
            return false;
        int marker = b[at + 1];
        if (marker == 0xff) { /* fill byte */
            at++;
            continue;
        }
        size_t seg = (size_t)be16(b + at + 2);
        const uint8_t *p = b + at + 4;
        if (seg < 2 || at + 2 + seg > len)
            return false;
        size_t n = seg - 2;
        switch (marker) {
        case 0xdb: /* DQT, perhaps several tables */
            for (; n >= 65; p += 65, n -= 65) {
                if (p[0] > 3)
                    return false; /* 16-bit tables, or nonsense */
                quant[p[0]] = p + 1;
            }
            if (n)
                return false;
            break;
        case 0xc0: /* SOF0: baseline, 8 bits, three components */
            if (n != 15 || p[0] != 8 || p[5] != 3 || p[10] != 0x11 || p[13] != 0x11)
                return false;
            j.height = be16(p + 1);
            j.width = be16(p + 3);
            if (p[7] == 0x22)
                j.type = 1;
            else if (p[7] == 0x21)
                j.type = 0;
            else
                return false;
            for (int i = 0; i < 3; i++)
                table_of[i] = p[8 + 3 * i] & 3;
            if (table_of[1] != table_of[2])
                return false;
            break;
        case 0xdd: /* DRI */
            if (n != 2)
                return false;
            j.restart = be16(p);
            break;
        case 0xda: /* SOS */
            j.tables[0] = quant[table_of[0]];
            j.tables[1] = quant[table_of[1]];
            if (j.type < 0 || !j.width || !j.height || !j.tables[0] || !j.tables[1])
                return false;
            j.scan = b + at + 2 + seg;
            j.scan_len = len - (at + 2 + seg);
            if (j.scan_len >= 2 && b[len - 2] == 0xff && b[len - 1] == 0xd9)
                j.scan_len -= 2;
            if (!j.scan_len || j.scan_len >= 1 << 24)
                return false;
            *ret = j;
            return true;
        default:
            if (marker > 0xc0 && marker < 0xd0 && marker != 0xc4 && marker != 0xcc)
                return false; /* progressive, lossless, arithmetic */
            break;
        }
        at += 2 + seg;
    }
    return false;
}

static uint8_t blocks(int size)
{
    int n = (size + 7) / 8;
    return n > 255 ? 0 : (uint8_t)n; /* 0: told by x-dimensions in the SDP */
}

int rtp_split_jpeg(struct rtp_sink *s, const uint8_t *bytes, size_t len)
{
    struct jpeg j;
    if (!parse_jpeg(bytes, len, &j))
        return 0;
    uint8_t wide = blocks(j.width), high = blocks(j.height);
    if (!wide || !high)
        wide = high = 0;
    for (size_t at = 0; at < j.scan_len;) {
        uint8_t head[8 + 4 + 4 + 128] = {
            0,    (uint8_t)(at >> 16), (uint8_t)(at >> 8), (uint8_t)at, (uint8_t)j.type, 0xff, wide,
            high,
        };
        size_t h = 8;
        if (j.restart) {
            head[4] |= 64;
            head[h++] = (uint8_t)(j.restart >> 8);
            head[h++] = (uint8_t)j.restart;
            head[h++] = 0xff; /* first and last of its interval, count unknown: */
            head[h++] = 0xff; /* packets are not cut at intervals */
        }
        if (!at) {
            const uint8_t quant_head[4] = {0, 0, 0, 128};
            memcpy(head + h, quant_head, 4);
            memcpy(head + h + 4, j.tables[0], 64);
            memcpy(head + h + 68, j.tables[1], 64);
            h += 132;
        }
        size_t part = j.scan_len - at;
        if (part > PAYLOAD_MAX - h)
            part = PAYLOAD_MAX - h;
        rtp_emit(s, head, h, j.scan + at, part, at + part == j.scan_len);
        at += part;
    }
    return s->n;
}
