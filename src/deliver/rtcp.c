#include "deliver/rtcp.h"

#include <string.h>

#include "base/clock.h"

enum { SR = 200, RR = 201, SDES = 202, BYE = 203, PSFB = 206 };
#define NTP_1970 UINT64_C(2208988800)

static uint8_t *put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
    return p + 4;
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint8_t *put_head(uint8_t *p, int count, int type, size_t body)
{
    return put32(p,
                 0x80000000 | (uint32_t)count << 24 | (uint32_t)type << 16 | (uint32_t)(body / 4));
}

static uint8_t *put_sdes(uint8_t *p, const struct rtcp_source *src)
{
    size_t name = strnlen(src->cname, 63);
    size_t body = (4 + 2 + name + 1 + 3) & ~(size_t)3; /* at least one zero ends the chunk */
    memset(p, 0, 4 + body);
    uint8_t *at = put32(put_head(p, 1, SDES, body), src->ssrc);
    at[0] = 1; /* CNAME */
    at[1] = (uint8_t)name;
    memcpy(at + 2, src->cname, name);
    return p + 4 + body;
}

size_t rtcp_sender_report(uint8_t ret[RTCP_MAX], const struct rtcp_source *src, int64_t utc_ns,
                          uint32_t rtp_time, uint32_t packets, uint32_t octets)
{
    uint64_t s = (uint64_t)(utc_ns / NSEC_PER_SEC), ns = (uint64_t)(utc_ns % NSEC_PER_SEC);
    uint8_t *p = put_head(ret, 0, SR, 24);
    p = put32(p, src->ssrc);
    p = put32(p, (uint32_t)(s + NTP_1970));
    p = put32(p, (uint32_t)((ns << 32) / NSEC_PER_SEC));
    p = put32(p, rtp_time);
    p = put32(p, packets);
    p = put32(p, octets);
    return (size_t)(put_sdes(p, src) - ret);
}

size_t rtcp_bye(uint8_t ret[RTCP_MAX], const struct rtcp_source *src)
{
    uint8_t *p = put32(put_head(ret, 0, RR, 4), src->ssrc);
    p = put_sdes(p, src);
    p = put32(put_head(p, 1, BYE, 4), src->ssrc);
    return (size_t)(p - ret);
}

static void read_block(const uint8_t *b, uint32_t our_ssrc, struct rtcp_news *news)
{
    if (get32(b) != our_ssrc)
        return;
    news->report = true;
    news->loss_fraction = b[4] / 256.0;
}

bool rtcp_read(const uint8_t *bytes, size_t len, uint32_t our_ssrc, struct rtcp_news *ret)
{
    struct rtcp_news news = {0};
    if (len < 8 || len % 4)
        return false;
    for (size_t at = 0; at < len;) {
        const uint8_t *p = bytes + at;
        if (len - at < 4 || p[0] >> 6 != 2)
            return false;
        size_t size = 4 * ((size_t)(p[2] << 8 | p[3]) + 1);
        int count = p[0] & 31, type = p[1];
        if (size > len - at || (!at && type != SR && type != RR))
            return false;
        if (p[0] & 0x20) { /* padding: only in the last one */
            if (size != len - at || !p[size - 1] || p[size - 1] > size - 4)
                return false;
        }
        size_t fixed = type == SR ? 28 : type == RR ? 8 : 0;
        if (fixed) {
            if (size < fixed + 24 * (size_t)count)
                return false;
            for (int i = 0; i < count; i++)
                read_block(p + fixed + 24 * i, our_ssrc, &news);
        } else if (type == PSFB && size >= 12) {
            /* PLI names its source in the header, FIR in its entries */
            if (count == 1 && get32(p + 8) == our_ssrc)
                news.key_wanted = true;
            for (size_t e = 12; count == 4 && e + 8 <= size; e += 8)
                if (get32(p + e) == our_ssrc)
                    news.key_wanted = true;
        }
        at += size;
    }
    *ret = news;
    return true;
}
