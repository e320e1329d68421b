/* SRTP against known packets, and its roll-over counter. */
#include "deliver/srtp.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static const struct srtp_key key = {.bytes = {0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0,
                                              0xd6, 0x4f, 0xa3, 0x2c, 0x06, 0xde, 0x41, 0x39,
                                              0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb,
                                              0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6}};

/* One RTP packet of 16 bytes 0xab, as it stands interleaved. */
static struct rtp_form *form_of(uint16_t seq)
{
    static const uint8_t head[] = {'$',  0,    0,    28,   0x80, 0x0f, 0,    0,
                                   0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe, 0xba, 0xbe};
    struct rtp_form *f = rtp_form_new(1, 32);
    memcpy(f->bytes, head, sizeof(head));
    memset(f->bytes + 16, 0xab, 16);
    f->bytes[6] = (uint8_t)(seq >> 8);
    f->bytes[7] = (uint8_t)seq;
    f->offset[0] = 0;
    f->offset[1] = 32;
    return f;
}

static void done(struct rtp_form *f)
{
    f->base.free(&f->base);
}

TEST(a_packet_is_as_others_make_it)
{
    /* a packet that SRTP libraries check themselves with */
    static const uint8_t expected[] = {0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe,
                                       0xba, 0xbe, 0x4e, 0x55, 0xdc, 0x4c, 0xe7, 0x99, 0x78, 0xd8,
                                       0x8c, 0xa4, 0xd2, 0x15, 0x94, 0x9d, 0x24, 0x02, 0xb7, 0x8d,
                                       0x6a, 0xcc, 0x99, 0xea, 0x17, 0x9b, 0x8d, 0xbb};
    struct srtp *s = srtp_new(&key);
    struct rtp_form *plain = form_of(0x1234);
    const struct packet p = {.rtp_seq = 0x1234, .rtp_wraps = 7};
    struct rtp_form *f = srtp_form(s, plain, &p, 4);
    CHECK_INT(f->len, 4 + sizeof(expected));
    CHECK_INT(f->bytes[1], 4);
    CHECK_INT(f->bytes[2] << 8 | f->bytes[3], sizeof(expected));
    CHECK(!memcmp(f->bytes + 4, expected, sizeof(expected)));
    struct rtp_form *again = srtp_form(s, plain, &p, 4); /* the same number, the same packet */
    CHECK(!memcmp(f->bytes, again->bytes, f->len));
    done(again);
    done(f);
    done(plain);
    srtp_unref(s);
}

TEST(the_counter_rolls_over)
{
    struct srtp *s = srtp_new(&key), *fresh = srtp_new(&key);
    struct rtp_form *low = form_of(3);
    /* 65535 was the picture's first packet: its later ones, and later pictures, count one more */
    const struct packet first = {.rtp_seq = 65535, .rtp_wraps = 9},
                        next = {.rtp_seq = 3, .rtp_wraps = 10},
                        begins = {.rtp_seq = 3, .rtp_wraps = 10};
    struct rtp_form *a = srtp_form(s, low, &first, 0), *b = srtp_form(s, low, &next, 0),
                    *c = srtp_form(fresh, low, &begins, 0);
    CHECK(!memcmp(a->bytes, b->bytes, a->len));
    CHECK(memcmp(a->bytes, c->bytes, a->len)); /* who joins there begins with zero */
    CHECK(!memcmp(a->bytes, c->bytes, 4 + RTP_HEADER));
    done(a);
    done(b);
    done(c);
    done(low);
    srtp_unref(s);
    srtp_unref(fresh);
}

TEST(reports_are_numbered)
{
    uint8_t one[64], two[64];
    struct srtp *s = srtp_new(&key);
    for (int i = 0; i < 28; i++)
        one[i] = two[i] = (uint8_t)i;
    CHECK_INT(srtp_report(s, one, 28), 28 + 4 + SRTP_TAG);
    CHECK_INT(srtp_report(s, two, 28), 28 + 4 + SRTP_TAG);
    CHECK(one[0] == 0 && one[7] == 7); /* header and SSRC stay readable */
    static const uint8_t index[] = {0x80, 0, 0, 1};
    CHECK(!memcmp(two + 28, index, 4));
    CHECK(memcmp(one + 8, two + 8, 20));
    uint8_t little[32] = {0};
    CHECK_INT(srtp_report(s, little, 4), 0);
    srtp_unref(s);
    CHECK(!srtp_unref(NULL));
}

/* A key identifier stands before the tag, which does not cover it. */
TEST(packets_name_their_key)
{
    struct srtp_key named = key;
    named.mki_len = 4;
    memcpy(named.mki, "\0\0\0\1", 4);
    struct srtp *s = srtp_new(&named), *bare = srtp_new(&key);
    struct rtp_form *plain = form_of(0x1234);
    const struct packet p = {.rtp_seq = 0x1234};
    struct rtp_form *f = srtp_form(s, plain, &p, 0), *g = srtp_form(bare, plain, &p, 0);
    CHECK_INT(f->len, g->len + 4);
    CHECK_INT(f->bytes[3], 28 + 4 + SRTP_TAG);
    CHECK(!memcmp(f->bytes + 4, g->bytes + 4, 28));
    CHECK(!memcmp(f->bytes + 32, named.mki, 4));
    CHECK(!memcmp(f->bytes + 36, g->bytes + 32, SRTP_TAG));
    uint8_t one[64] = {0}, two[64] = {0};
    CHECK_INT(srtp_report(s, one, 28), 28 + 8 + SRTP_TAG);
    CHECK_INT(srtp_report(bare, two, 28), 28 + 4 + SRTP_TAG);
    CHECK(!memcmp(one, two, 32) && !memcmp(one + 32, named.mki, 4));
    CHECK(!memcmp(one + 36, two + 32, SRTP_TAG));
    done(f);
    done(g);
    done(plain);
    srtp_unref(s);
    srtp_unref(bare);
}

/* The other end encrypts its reports with a key of its own. */
TEST(reports_come_back)
{
    struct srtp_key theirs = key;
    theirs.bytes[3] ^= 1;
    theirs.mki_len = 2;
    struct srtp *us = srtp_new(&key), *them = srtp_new(&theirs);
    uint8_t clear[32], sent[80][64], bytes[64];
    size_t len = 0;
    for (int i = 0; i < 32; i++)
        clear[i] = (uint8_t)(i * 7);
    for (int k = 0; k < 80; k++) {
        memcpy(sent[k], clear, 32);
        len = srtp_report(them, sent[k], 32);
    }
    memcpy(bytes, sent[0], len);
    CHECK_INT(srtp_hear_report(us, bytes, len), 0); /* no key has been told */
    CHECK_INT(srtp_hear_with(us, &theirs), 0);
    static const int order[] = {0, 1, 5, 3, 79, 40};
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
        memcpy(bytes, sent[order[i]], len);
        CHECK_INT(srtp_hear_report(us, bytes, len), 32);
        CHECK(!memcmp(bytes, clear, 32));
        memcpy(bytes, sent[order[i]], len);
        CHECK_INT(srtp_hear_report(us, bytes, len), 0); /* repeated */
    }
    memcpy(bytes, sent[2], len);
    CHECK_INT(srtp_hear_report(us, bytes, len), 0); /* too old to tell */
    for (size_t at = 0; at < len; at++) {           /* forged anywhere */
        memcpy(bytes, sent[50], len);
        bytes[at] ^= 4;
        CHECK_INT(srtp_hear_report(us, bytes, len), 0);
    }
    for (size_t cut = 0; cut < len; cut++) {
        memcpy(bytes, sent[50], len);
        CHECK_INT(srtp_hear_report(us, bytes, cut), 0);
    }
    memcpy(bytes, sent[50], len);
    CHECK_INT(srtp_hear_report(us, bytes, len), 32);
    srtp_unref(us);
    srtp_unref(them);
}

UNIT_MAIN(UNIT_ROW(a_packet_is_as_others_make_it) UNIT_ROW(the_counter_rolls_over)
              UNIT_ROW(reports_are_numbered) UNIT_ROW(packets_name_their_key)
                  UNIT_ROW(reports_come_back))
