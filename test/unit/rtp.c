/* RTP forms read back by a depacketizer of its own, RTCP by its bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "deliver/rtcp.h"
#include "deliver/rtp.h"
#include "unit.h"

struct bytes {
    uint8_t data[200000];
    size_t len;
};

static void add(struct bytes *b, const void *data, size_t len)
{
    CHECK(b->len + len <= sizeof(b->data));
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

/* A NAL unit with a start code; filled with bytes that hold none. */
static void add_nal(struct bytes *b, int head, size_t len, bool long_code)
{
    static const uint8_t code[4] = {0, 0, 0, 1};
    add(b, code + !long_code, 3 + long_code);
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = i ? (uint8_t)(2 + (i * 7 + len) % 250) : (uint8_t)head;
        add(b, &byte, 1);
    }
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct seen {
    struct bytes annex_b; /* what a receiver makes of it */
    unsigned packets, markers;
    bool last_has_marker;
    uint8_t last_type;
    uint16_t first_seq;
    uint32_t time, ssrc;
};

static void depacketize(const struct rtp_form *f, const uint8_t *bytes, int channel, struct seen *s)
{
    static const uint8_t code[3] = {0, 0, 1};
    bool in_fragment = false;
    for (size_t at = 0; at < f->len;) {
        const uint8_t *p = bytes + at;
        CHECK_INT(p[0], '$');
        CHECK_INT(p[1], channel);
        size_t len = (size_t)(p[2] << 8 | p[3]);
        CHECK_INT(f->offset[s->packets], at);
        CHECK(len <= RTP_MTU && len > 12);
        p += 4;
        CHECK_INT(p[0], 0x80);
        CHECK_INT(p[1] & 0x7f, RTP_PT_DYNAMIC);
        uint16_t seq = (uint16_t)(p[2] << 8 | p[3]);
        if (!s->packets) {
            s->first_seq = seq;
            s->time = get32(p + 4);
            s->ssrc = get32(p + 8);
        }
        CHECK_INT(seq, (uint16_t)(s->first_seq + s->packets));
        CHECK_INT(get32(p + 4), s->time);
        CHECK_INT(get32(p + 8), s->ssrc);
        s->last_has_marker = p[1] & 0x80;
        s->markers += s->last_has_marker;
        const uint8_t *pay = p + 12;
        size_t n = len - 12;
        int type = pay[0] & 31;
        if (type == 28) {
            bool start = pay[1] & 0x80, end = pay[1] & 0x40;
            CHECK(!(start && end));
            CHECK(start == !in_fragment);
            if (start) {
                uint8_t head = (uint8_t)((pay[0] & 0xe0) | (pay[1] & 31));
                add(&s->annex_b, code, 3);
                add(&s->annex_b, &head, 1);
            }
            add(&s->annex_b, pay + 2, n - 2);
            in_fragment = !end;
            s->last_type = pay[1] & 31;
        } else {
            CHECK(!in_fragment && type > 0 && type < 24);
            add(&s->annex_b, code, 3);
            add(&s->annex_b, pay, n);
            s->last_type = (uint8_t)type;
        }
        s->packets++;
        at += 4 + len;
    }
    CHECK(!in_fragment);
    CHECK_INT(s->packets, f->n);
    CHECK_INT(f->offset[f->n], f->len);
}

static struct stream *new_stream(struct clock *clock, enum codec codec)
{
    const struct stream_format format = {.codec = codec, .width = 1920, .height = 1080, .fps = 30};
    const struct stream_window window = {8 << 20, 4 * NSEC_PER_SEC};
    stream_set_rtp_count(rtp_count);
    struct stream *s = stream_new(clock, &format, &window);
    CHECK(s);
    return s;
}

static struct packet *new_packet(const struct bytes *b, int64_t time_ns)
{
    struct packet *p = packet_new(b->data, b->len, NULL, NULL);
    CHECK(p);
    p->time_ns = time_ns;
    p->flags = PACKET_KEY;
    return p;
}

static struct packet *append(struct stream *s, struct packet *p)
{
    packet_ref(p);
    stream_append(s, p);
    return p;
}

TEST(h264_comes_back)
{
    struct clock *clock = clock_new_real();
    struct stream *s = new_stream(clock, CODEC_H264);
    static struct bytes in, want;
    add_nal(&in, 0x09, 2, true); /* delimiter: not carried */
    add_nal(&in, 0x67, 20, true);
    add_nal(&in, 0x68, 6, true);
    add_nal(&in, 0x06, 100, false);
    add_nal(&in, 0x65, 5000, false);
    add_nal(&in, 0x65, 1388, false); /* fits exactly */
    add_nal(&in, 0x0c, 50, false);   /* filler: not carried */
    add_nal(&in, 0x65, 1389, false); /* one too many */
    add_nal(&in, 0x67, 20, false);
    add_nal(&want, 0x67, 20, false);
    add_nal(&want, 0x68, 6, false);
    add_nal(&want, 0x06, 100, false);
    add_nal(&want, 0x67, 20, false); /* before the slices */
    add_nal(&want, 0x65, 5000, false);
    add_nal(&want, 0x65, 1388, false);
    add_nal(&want, 0x65, 1389, false);
    struct packet *p = append(s, new_packet(&in, 2 * NSEC_PER_SEC));
    const struct rtp_form *f = rtp_form_of(s, p);
    CHECK(f);
    CHECK(rtp_form_of(s, p) == f);
    CHECK_INT(f->n, rtp_count(p, CODEC_H264));
    CHECK_INT(p->rtp_count, f->n);
    static struct seen seen;
    depacketize(f, f->bytes, 0, &seen);
    CHECK_INT(seen.packets, 4 + 4 + 1 + 2);
    CHECK_INT(seen.markers, 1);
    CHECK(seen.last_has_marker);
    CHECK_INT(seen.last_type, 5);
    CHECK_INT(seen.first_seq, p->rtp_seq);
    CHECK_INT(seen.first_seq, stream_first_seq(s));
    CHECK_INT(seen.time, stream_rtp_time(s, 2 * NSEC_PER_SEC, 90000));
    CHECK_INT(seen.ssrc, stream_ssrc(s));
    CHECK_INT(seen.annex_b.len, want.len);
    CHECK(!memcmp(seen.annex_b.data, want.data, want.len));

    /* the next picture's numbers go on */
    struct packet *q = append(s, new_packet(&in, 3 * NSEC_PER_SEC));
    CHECK_INT(q->rtp_seq, (uint16_t)(p->rtp_seq + f->n));
    packet_unref(q);
    packet_unref(p);
    stream_unref(s);
    clock_free(clock);
}

TEST(other_channels_are_shared_copies)
{
    struct clock *clock = clock_new_real();
    struct stream *s = new_stream(clock, CODEC_H264);
    static struct bytes in;
    add_nal(&in, 0x06, 100, true);
    add_nal(&in, 0x65, 90000, true);
    add_nal(&in, 0x65, 1000, true);
    struct packet *p = append(s, new_packet(&in, 0));
    const struct rtp_form *f = rtp_form_of(s, p);
    void *own = NULL;
    const uint8_t *two = rtp_form_bytes(f, 2, &own);
    CHECK(two && !own && two != f->bytes);
    static struct seen seen;
    depacketize(f, two, 2, &seen);
    CHECK(rtp_form_bytes(f, 2, &own) == two);
    CHECK(rtp_form_bytes(f, 0, &own) == f->bytes);
    const struct rtp_udp *udp = rtp_udp_of(f);
    CHECK(udp && rtp_udp_of(f) == udp);
    unsigned packet = 0;
    for (unsigned t = 0; t < udp->n; t++) {
        const struct udp_train *train = &udp->train[t];
        CHECK(train->packets <= RTP_TRAIN_PACKETS && (uintptr_t)train->bytes % 64 == 0);
        size_t at = 0;
        for (unsigned i = 0; i < train->packets; i++, packet++) {
            size_t len = f->offset[packet + 1] - f->offset[packet] - 4;
            CHECK(i + 1 == train->packets ? len <= train->segment : len == train->segment);
            CHECK(!memcmp(train->bytes + at, f->bytes + f->offset[packet] + 4, len));
            at += len;
        }
        CHECK_INT(at, train->len);
    }
    CHECK_INT(packet, f->n);
    /* who asks for ever more channels gets copies of his own */
    for (int channel = 4; channel < 40; channel += 2) {
        own = NULL;
        const uint8_t *bytes = rtp_form_bytes(f, channel, &own);
        memset(&seen, 0, sizeof(seen));
        depacketize(f, bytes, channel, &seen);
        CHECK(!own == (channel < 4 + 2 * (RTP_MAX_COPIES - 1)));
        free(own);
    }
    packet_unref(p);
    stream_unref(s);
    clock_free(clock);
}

TEST(pictures_without_slices_are_nothing)
{
    static struct bytes b;
    struct packet p = {.bytes = b.data};
    CHECK_INT(rtp_count(&p, CODEC_H264), 0);
    add_nal(&b, 0x67, 20, true);
    p.len = b.len;
    CHECK_INT(rtp_count(&p, CODEC_H264), 0);
    CHECK_INT(rtp_count(&p, CODEC_JPEG), 0);
    CHECK_INT(rtp_count(&p, CODEC_AV1), 0);
    static const uint8_t zeros[100];
    p.bytes = zeros;
    for (size_t n = 0; n < sizeof(zeros); n++) {
        p.len = n;
        CHECK_INT(rtp_count(&p, CODEC_H264), 0);
    }
}

/* A baseline JPEG as far as RTP looks at it. */
static void add_jpeg(struct bytes *b, int width, int height, int sampling, int restart, size_t scan)
{
    static const uint8_t soi[] = {0xff, 0xd8, 0xff, 0xfe, 0, 4, 'h', 'i'};
    add(b, soi, sizeof(soi));
    for (int table = 0; table < 2; table++) {
        uint8_t dqt[69] = {0xff, 0xdb, 0, 67, (uint8_t)table};
        for (int i = 0; i < 64; i++)
            dqt[5 + i] = (uint8_t)(1 + i + 64 * table);
        add(b, dqt, sizeof(dqt));
    }
    const uint8_t sof[] = {0xff,
                           0xc0,
                           0,
                           17,
                           8,
                           (uint8_t)(height >> 8),
                           (uint8_t)height,
                           (uint8_t)(width >> 8),
                           (uint8_t)width,
                           3,
                           1,
                           (uint8_t)sampling,
                           0,
                           2,
                           0x11,
                           1,
                           3,
                           0x11,
                           1};
    add(b, sof, sizeof(sof));
    const uint8_t dri[] = {0xff, 0xdd, 0, 4, (uint8_t)(restart >> 8), (uint8_t)restart};
    if (restart)
        add(b, dri, sizeof(dri));
    static const uint8_t sos[] = {0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0};
    add(b, sos, sizeof(sos));
    for (size_t i = 0; i < scan; i++) {
        uint8_t byte = (uint8_t)(i * 31 % 251);
        add(b, &byte, 1);
    }
    static const uint8_t eoi[] = {0xff, 0xd9};
    add(b, eoi, 2);
}

static void check_jpeg(int width, int height, int sampling, int restart, size_t scan)
{
    struct clock *clock = clock_new_real();
    struct stream *s = new_stream(clock, CODEC_JPEG);
    static struct bytes in;
    in.len = 0;
    add_jpeg(&in, width, height, sampling, restart, scan);
    struct packet *p = append(s, new_packet(&in, 0));
    const struct rtp_form *f = rtp_form_of(s, p);
    CHECK(f);
    CHECK_INT(f->n, p->rtp_count);
    size_t got = 0;
    for (unsigned i = 0; i < f->n; i++) {
        const uint8_t *r = f->bytes + f->offset[i] + 4;
        size_t len = f->offset[i + 1] - f->offset[i] - 4;
        CHECK(len <= RTP_MTU);
        CHECK_INT(r[1], RTP_PT_JPEG | (i + 1 == f->n ? 0x80 : 0));
        const uint8_t *j = r + 12;
        CHECK_INT(j[0], 0);
        CHECK_INT(j[1] << 16 | j[2] << 8 | j[3], got);
        CHECK_INT(j[4], (sampling == 0x22 ? 1 : 0) + (restart ? 64 : 0));
        CHECK_INT(j[5], 255);
        CHECK_INT(j[6], width > 2040 ? 0 : (width + 7) / 8);
        CHECK_INT(j[7], width > 2040 ? 0 : (height + 7) / 8);
        size_t h = 8;
        if (restart) {
            CHECK_INT(j[8] << 8 | j[9], restart);
            CHECK_INT(j[10] << 8 | j[11], 0xffff);
            h += 4;
        }
        if (!i) {
            CHECK_INT(get32(j + h), 128);
            for (int k = 0; k < 128; k++)
                CHECK_INT(j[h + 4 + (size_t)k], 1 + k);
            h += 132;
        }
        CHECK(!memcmp(j + h, in.data + in.len - 2 - scan + got, len - 12 - h));
        got += len - 12 - h;
    }
    CHECK_INT(got, scan);
    packet_unref(p);
    stream_unref(s);
    clock_free(clock);
}

TEST(jpeg_comes_back)
{
    check_jpeg(1920, 1080, 0x22, 0, 30000);
    check_jpeg(640, 360, 0x21, 0, 10);
    check_jpeg(320, 180, 0x22, 20, 3000);
    check_jpeg(3840, 2160, 0x22, 0, 100000);
}

TEST(strange_jpegs_are_refused)
{
    static struct bytes good, bad;
    add_jpeg(&good, 640, 480, 0x22, 0, 100);
    struct packet p = {.bytes = bad.data, .len = good.len};
    /* 4:4:4, progressive, cut short anywhere before the scan */
    add_jpeg(&bad, 640, 480, 0x11, 0, 100);
    CHECK_INT(rtp_count(&p, CODEC_JPEG), 0);
    bad = good;
    bad.data[8 + 2 * 69 + 1] = 0xc2;
    CHECK_INT(rtp_count(&p, CODEC_JPEG), 0);
    bad = good;
    CHECK_INT(rtp_count(&p, CODEC_JPEG), 1);
    for (p.len = 0; p.len < 8 + 2 * 69 + 19 + 14; p.len++)
        CHECK_INT(rtp_count(&p, CODEC_JPEG), 0);
}

TEST(sender_report_bytes)
{
    uint8_t b[RTCP_MAX];
    const struct rtcp_source src = {0x01020304, "camera@host"};
    size_t n = rtcp_sender_report(b, &src, INT64_C(1500000000), 0xa0b0c0d0, 7, 700);
    CHECK_INT(n % 4, 0);
    static const uint8_t want[] = {0x80, 200,  0,    6, 1, 2, 3,    4,    0x83, 0xaa,
                                   0x7e, 0x81, 0x80, 0, 0, 0, 0xa0, 0xb0, 0xc0, 0xd0,
                                   0,    0,    0,    7, 0, 0, 2,    0xbc, 0x81, 202};
    CHECK(!memcmp(b, want, sizeof(want)));
    size_t sdes = 4 * ((size_t)(b[30] << 8 | b[31]) + 1);
    CHECK_INT(28 + sdes, n);
    CHECK_INT(b[36], 1);
    CHECK_INT(b[37], 11);
    CHECK(!memcmp(b + 38, "camera@host", 11));
    CHECK_INT(b[n - 1], 0);
    struct rtcp_news news;
    CHECK(rtcp_read(b, n, 1, &news) && !news.report && !news.key_wanted);
    /* lengths stay exact whatever the name's */
    char name[200] = "";
    for (int i = 0; i < 150; i++) {
        name[i] = 'x';
        const struct rtcp_source any = {1, name};
        n = rtcp_sender_report(b, &any, 0, 0, 0, 0);
        CHECK(n <= RTCP_MAX && rtcp_read(b, n, 1, &news));
        n = rtcp_bye(b, &any);
        CHECK(n <= RTCP_MAX && rtcp_read(b, n, 1, &news));
        CHECK_INT(b[n - 7], 203);
    }
}

TEST(receiver_reports)
{
    uint8_t rr[8 + 24 + 12] = {0x81, 201, 0, 7, 9, 9, 9, 9, 1, 2, 3, 4, 64};
    struct rtcp_news news = {0};
    CHECK(rtcp_read(rr, 32, 0x01020304, &news));
    CHECK(news.report);
    CHECK_NEAR(news.loss_fraction, 0.25, 1e-9);
    CHECK(rtcp_read(rr, 32, 0x05020304, &news) && !news.report);
    /* a picture loss indication behind it */
    const uint8_t pli[12] = {0x81, 206, 0, 2, 9, 9, 9, 9, 1, 2, 3, 4};
    memcpy(rr + 32, pli, 12);
    CHECK(rtcp_read(rr, 44, 0x01020304, &news) && news.key_wanted);
    CHECK(rtcp_read(rr, 44, 0x01020305, &news) && !news.key_wanted);
    /* nonsense */
    for (size_t n = 0; n < 32; n++)
        CHECK(!rtcp_read(rr, n, 1, &news));
    CHECK(!rtcp_read(rr, 40, 1, &news));
    rr[0] = 0x82; /* one block more than there is */
    CHECK(!rtcp_read(rr, 32, 1, &news));
    rr[0] = 0x41;
    CHECK(!rtcp_read(rr, 32, 1, &news));
    rr[0] = 0xa1; /* padding of no length */
    CHECK(!rtcp_read(rr, 32, 1, &news));
    rr[0] = 0x81;
    rr[1] = 203; /* begins with a BYE */
    CHECK(!rtcp_read(rr, 32, 1, &news));
}

UNIT_MAIN(UNIT_ROW(h264_comes_back) UNIT_ROW(other_channels_are_shared_copies)
              UNIT_ROW(pictures_without_slices_are_nothing) UNIT_ROW(jpeg_comes_back)
                  UNIT_ROW(strange_jpegs_are_refused) UNIT_ROW(sender_report_bytes)
                      UNIT_ROW(receiver_reports))
