#include "media/ogg.h"

#include <errno.h>
#include <string.h>

#define HEAD_BYTES 27
enum { CONTINUED = 1, BEGINS = 2 };

static uint32_t crc(uint32_t c, const uint8_t *bytes, size_t len)
{
    for (; len; len--) {
        c ^= (uint32_t)*bytes++ << 24;
        for (int i = 0; i < 8; i++)
            c = c & 0x80000000 ? c << 1 ^ 0x04c11db7 : c << 1;
    }
    return c;
}

static void put_le(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

size_t ogg_page_head(const struct ogg_page *page, const uint8_t *bytes, size_t len,
                     uint8_t ret[OGG_HEAD])
{
    size_t segments = len / 255 + 1;
    memset(ret, 0, OGG_HEAD);
    memcpy(ret, "OggS", 4);
    ret[5] = page->first ? BEGINS : 0;
    put_le(ret + 6, (uint64_t)page->granule, 8);
    put_le(ret + 14, page->serial, 4);
    put_le(ret + 18, page->number, 4);
    ret[26] = (uint8_t)segments;
    memset(ret + HEAD_BYTES, 255, segments - 1);
    ret[HEAD_BYTES + segments - 1] = (uint8_t)(len % 255);
    put_le(ret + 22, crc(crc(0, ret, HEAD_BYTES + segments), bytes, len), 4);
    return HEAD_BYTES + segments;
}

static size_t add_page(uint8_t *to, const struct ogg_page *page, const uint8_t *bytes, size_t len)
{
    uint8_t head[OGG_HEAD];
    size_t n = ogg_page_head(page, bytes, len, head);
    memcpy(to, head, n);
    memcpy(to + n, bytes, len);
    return n + len;
}

void opus_head(int rate_hz, int pre_skip, uint8_t ret[OPUS_HEAD])
{
    static const uint8_t start[OPUS_HEAD] = "OpusHead\1\1";
    memcpy(ret, start, OPUS_HEAD);
    put_le(ret + 10, (uint64_t)pre_skip, 2);
    put_le(ret + 12, (uint64_t)rate_hz, 4);
}

size_t ogg_opus_opening(uint32_t serial, int rate_hz, uint8_t ret[OGG_OPENING])
{
    uint8_t head[OPUS_HEAD], tags[23] = "OpusTags\7\0\0\0Vedette";
    opus_head(rate_hz, OPUS_PRE_SKIP, head);
    size_t n = add_page(ret, &(struct ogg_page){serial, 0, 0, true}, head, sizeof(head));
    return n + add_page(ret + n, &(struct ogg_page){serial, 1, 0, false}, tags, sizeof(tags));
}

/* ---- reading ---- */

void ogg_reader_init(struct ogg_reader *r)
{
    r->n = r->packet_len = 0;
    r->packets = 0;
    r->skipping = false;
}

static int packet_done(struct ogg_reader *r,
                       void (*say)(void *arg, const uint8_t *bytes, size_t len), void *arg)
{
    size_t len = r->packet_len;
    bool whole = !r->skipping;
    r->packet_len = 0;
    r->skipping = false;
    if (r->packets < 2) {
        const char *name = r->packets++ ? "OpusTags" : "OpusHead";
        return len >= 8 && !memcmp(r->packet, name, 8) ? 0 : -EBADMSG;
    }
    if (whole && len)
        say(arg, r->packet, len);
    return 0;
}

static int take_page(struct ogg_reader *r, size_t head,
                     void (*say)(void *arg, const uint8_t *bytes, size_t len), void *arg)
{
    const uint8_t *table = r->page + HEAD_BYTES, *at = r->page + head;
    if (!(r->page[5] & CONTINUED))
        r->packet_len = 0;
    else if (!r->packet_len)
        r->skipping = true;
    for (int i = 0; i < r->page[26]; i++) {
        if (r->packet_len + table[i] > sizeof(r->packet)) {
            if (r->packets < 2) /* tags may hold a picture: their beginning is enough */
                r->packet_len = 8;
            else
                r->packet_len = 0;
            r->skipping = true;
        } else if (!r->skipping) {
            memcpy(r->packet + r->packet_len, at, table[i]);
            r->packet_len += table[i];
        }
        at += table[i];
        if (table[i] < 255) {
            int err = packet_done(r, say, arg);
            if (err < 0)
                return err;
        }
    }
    return 0;
}

int ogg_reader_put(struct ogg_reader *r, const uint8_t *bytes, size_t len,
                   void (*say)(void *arg, const uint8_t *bytes, size_t len), void *arg)
{
    while (len) {
        /* the head, its table, the body: as much as is known to be needed */
        size_t need = HEAD_BYTES;
        if (r->n >= HEAD_BYTES) {
            need = HEAD_BYTES + r->page[26];
            size_t head = need;
            for (size_t i = HEAD_BYTES; r->n >= head && i < head; i++)
                need += r->page[i];
        }
        size_t part = need - r->n < len ? need - r->n : len;
        memcpy(r->page + r->n, bytes, part);
        r->n += part;
        bytes += part;
        len -= part;
        if (r->n < HEAD_BYTES)
            continue;
        if (memcmp(r->page, "OggS", 5) != 0)
            return -EBADMSG;
        size_t head = HEAD_BYTES + r->page[26], all = head;
        if (r->n < head)
            continue;
        for (size_t i = HEAD_BYTES; i < head; i++)
            all += r->page[i];
        if (r->n < all)
            continue;
        r->n = 0;
        int err = take_page(r, head, say, arg);
        if (err < 0)
            return err;
    }
    return 0;
}
