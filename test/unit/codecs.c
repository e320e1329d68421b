/* Every video codec as live viewers need it: one picture in, one packet out, keys when due and
 * when asked for, decodable by a decoder nobody here wrote, in the right colours, stamped. */
#include <libavcodec/avcodec.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "media/annexb.h"
#include "media/encode.h"
#include "media/encode_hardware.h"
#include "media/obu.h"
#include "unit.h"

#define W 320
#define H 180
#define PICTURES 20
#define GOP 8

static const struct kind {
    enum codec codec;
    enum AVCodecID id;
} kinds[] = {
    {CODEC_H264, AV_CODEC_ID_H264}, {CODEC_H265, AV_CODEC_ID_HEVC}, {CODEC_AV1, AV_CODEC_ID_AV1}};

static struct encoder *open_encoder(enum codec codec, const struct encoding *e)
{
    struct fault why = {0};
    for (int i = 0; encoder_table[i]; i++)
        if (encoder_table[i]->codec == codec) {
            struct encoder *enc = encoder_table[i]->open(e, 30, &why);
            if (!enc)
                unit_fail(__FILE__, __LINE__, "%s: %s", codec_name(codec), why.text);
            return enc;
        }
    return NULL;
}

static struct encoding wish(enum codec codec)
{
    return (struct encoding){.codec = codec,
                             .key = {.view = 1, .width = W, .height = H},
                             .compression = 20,
                             .gop = GOP,
                             .profile = 2,
                             .stamp = true};
}

/* A grey step wedge with a coloured square that wanders. */
static struct picture *draw(struct picture_pool *pool, int k)
{
    struct picture *p = picture_get(pool);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            p->plane[0][y * p->stride[0] + x] = (uint8_t)(40 + x / 40 * 22);
    for (int i = 1; i < 3; i++)
        for (int y = 0; y < H / 2; y++)
            for (int x = 0; x < W / 2; x++) {
                bool in = x > 20 + 3 * k && x < 50 + 3 * k && y > 30 && y < 60;
                p->plane[i][y * p->stride[i] + x] = in ? (i == 1 ? 90 : 180) : 128;
            }
    return p;
}

static bool says(const struct packet *p, const char *text)
{
    return memmem(p->bytes, p->len, text, strlen(text)) != NULL;
}

static void decode_one(AVCodecContext *dec, const struct packet *p, AVFrame *pic)
{
    AVPacket *av = av_packet_alloc();
    CHECK_INT(av_new_packet(av, (int)p->len), 0);
    memcpy(av->data, p->bytes, p->len);
    CHECK_INT(avcodec_send_packet(dec, av), 0);
    av_packet_free(&av);
    CHECK_INT(avcodec_receive_frame(dec, pic), 0);
}

static double likeness(const AVFrame *a, const struct picture *b) /* PSNR of all planes, dB */
{
    double sum = 0;
    for (int i = 0; i < 3; i++)
        for (int y = 0; y < H >> (i > 0); y++)
            for (int x = 0; x < W >> (i > 0); x++) {
                double d =
                    a->data[i][y * a->linesize[i] + x] - (double)b->plane[i][y * b->stride[i] + x];
                sum += d * d;
            }
    return 10 * log10(255 * 255 / (sum / (W * H * 1.5) + 1e-9));
}

static void live(const struct kind *kind, bool thorough)
{
    struct picture_pool *pool = picture_pool_new(W, H, false, 4);
    struct encoding e = wish(kind->codec);
    e.thorough = thorough;
    struct encoder *enc = open_encoder(kind->codec, &e);
    AVCodecContext *dec = avcodec_alloc_context3(avcodec_find_decoder(kind->id));
    dec->flags |= AV_CODEC_FLAG_LOW_DELAY;
    dec->thread_count = 1;
    CHECK_INT(avcodec_open2(dec, NULL, NULL), 0);
    AVFrame *pic = av_frame_alloc();
    struct stream_format f = {0};
    int since = 0, held = kind->codec == CODEC_AV1; /* pictures that it holds back */
    for (int k = 0; k < PICTURES; k++) {
        struct picture *p = draw(pool, k);
        struct capture how = {.serial = (uint64_t)k, .utc_ns = CLOCK_SIM_UTC_NS};
        struct rendition *r = rendition_new(p, &how);
        struct packet *out = NULL;
        CHECK_INT(enc->ops->encode(enc, r, k == 11, &out, &f), 0);
        rendition_unref(r);
        CHECK_INT(!out, k < held);
        if (!out)
            continue;
        int i = k - held;
        bool asked = i == 11;
        CHECK_INT(out->how.serial, i);
        p = draw(pool, i);
        bool key = out->flags & PACKET_KEY;
        if (i == 0 || asked)
            CHECK(key);
        since = key ? 0 : since + 1;
        CHECK(since < GOP);
        char text[40];
        snprintf(text, sizeof(text), "{\"serial\":%d,", i);
        CHECK(says(out, text));
        decode_one(dec, out, pic);
        double db = likeness(pic, p);
        if (db < 34)
            unit_fail(__FILE__, __LINE__, "%s, picture %d: %.1f dB", codec_name(kind->codec), i,
                      db);
        CHECK_INT(pic->color_range, AVCOL_RANGE_MPEG);
        CHECK_INT(pic->colorspace, AVCOL_SPC_BT709);
        packet_unref(out);
        picture_unref(p);
    }
    CHECK(f.sps_len);
    av_frame_free(&pic);
    avcodec_free_context(&dec);
    enc->ops->close(enc);
    picture_pool_unref(pool);
}

TEST(h264_is_live)
{
    live(&kinds[0], false);
}
TEST(h265_is_live)
{
    live(&kinds[1], false);
    live(&kinds[1], true);
}
TEST(av1_is_live)
{
    live(&kinds[2], false);
}

/* Bytes of GOPs, the first of each quality left out. */
static size_t bytes_of(struct encoder *enc, struct picture_pool *pool, int *k, int pictures)
{
    size_t sum = 0;
    struct stream_format f = {0};
    for (int i = 0; i < pictures; i++, ++*k) {
        struct picture *p = draw(pool, *k % 60);
        uint32_t x = (uint32_t)*k;
        for (int n = 0; n < p->stride[0] * H; n++)
            p->plane[0][n] = (uint8_t)(p->plane[0][n] + ((x = x * 1664525 + 1013904223) >> 28));
        struct capture how = {.serial = (uint64_t)*k, .utc_ns = CLOCK_SIM_UTC_NS};
        struct rendition *r = rendition_new(p, &how);
        struct packet *out = NULL;
        CHECK_INT(enc->ops->encode(enc, r, false, &out, &f), 0);
        rendition_unref(r);
        sum += out && i >= 2 * GOP ? out->len : 0;
        packet_unref(out);
    }
    return sum;
}

TEST(coarser_is_heard_within_two_keys)
{
    struct picture_pool *pool = picture_pool_new(W, H, false, 4);
    for (int i = 0; i < 3; i++) {
        struct encoding e = wish(kinds[i].codec);
        struct encoder *enc = open_encoder(e.codec, &e);
        int k = 0;
        size_t fine = bytes_of(enc, pool, &k, 4 * GOP);
        enc->ops->coarser(enc, 12);
        size_t coarse = bytes_of(enc, pool, &k, 4 * GOP);
        enc->ops->coarser(enc, 0);
        size_t again = bytes_of(enc, pool, &k, 4 * GOP);
        if (coarse > fine * 7 / 10 || again < fine * 8 / 10 || again > fine * 12 / 10)
            unit_fail(__FILE__, __LINE__, "%s: %zu, %zu, %zu bytes", codec_name(e.codec), fine,
                      coarse, again);
        enc->ops->close(enc);
    }
    picture_pool_unref(pool);
}

/* A wedge under noise, and a square of another noise that is not to be spared. */
#define SPARED 40 /* pictures */
static size_t smart_bytes(const struct kind *kind, int strength, double *ret_db)
{
    struct picture_pool *pool = picture_pool_new(W, H, false, 4);
    struct encoding e = wish(kind->codec);
    e.gop = 200;
    e.smart.strength = strength;
    struct encoder *enc = open_encoder(e.codec, &e);
    AVCodecContext *dec = avcodec_alloc_context3(avcodec_find_decoder(kind->id));
    dec->flags |= AV_CODEC_FLAG_LOW_DELAY;
    dec->thread_count = 1;
    CHECK_INT(avcodec_open2(dec, NULL, NULL), 0);
    AVFrame *pic = av_frame_alloc();
    struct picture *kept[SPARED];
    struct smart_blocks b = {.across = (W + 15) / 16, .down = (H + 15) / 16, .noise = 3};
    int8_t offset[20 * 12];
    uint8_t block_kinds[20 * 12];
    for (int i = 0; i < b.across * b.down; i++) {
        bool lively =
            i % b.across >= 6 && i % b.across < 10 && i / b.across >= 4 && i / b.across < 8;
        offset[i] = lively ? 0 : 14;
        block_kinds[i] = lively ? BLOCK_LIVELY : BLOCK_STILL;
    }
    b.offset = offset;
    b.kind = block_kinds;
    struct stream_format f = {0};
    size_t bytes = 0;
    double error = 0;
    uint32_t x = 1;
    struct picture_pool *all = picture_pool_new(W, H, false, SPARED);
    for (int k = 0; k < SPARED; k++) {
        struct picture *p = kept[k] = picture_get(all), *from = draw(pool, 0);
        picture_copy_rows(p, from, 0, H);
        picture_unref(from);
        for (int n = 0; n < p->stride[0] * H; n++)
            p->plane[0][n] = (uint8_t)(p->plane[0][n] + ((x = x * 1664525 + 1013904223) >> 29));
        struct capture how = {.serial = (uint64_t)k, .utc_ns = CLOCK_SIM_UTC_NS};
        struct rendition *r = rendition_new(picture_ref(p), &how);
        struct packet *out = NULL;
        if (strength)
            enc->ops->blocks(enc, k ? &b : NULL);
        CHECK_INT(enc->ops->encode(enc, r, false, &out, &f), 0);
        rendition_unref(r);
        if (!out)
            continue;
        decode_one(dec, out, pic);
        if (out->how.serial >= 8) {
            bytes += out->len;
            const struct picture *as = kept[out->how.serial];
            for (int row = 64; row < 128; row++)
                for (int col = 96; col < 160; col++) {
                    double d = pic->data[0][row * pic->linesize[0] + col] -
                               (double)as->plane[0][row * as->stride[0] + col];
                    error += d * d / (64 * 64);
                }
        }
        packet_unref(out);
    }
    *ret_db = 10 * log10(255 * 255 / (error / (SPARED - 8) + 1e-9));
    for (int k = 0; k < SPARED; k++)
        picture_unref(kept[k]);
    av_frame_free(&pic);
    avcodec_free_context(&dec);
    enc->ops->close(enc);
    picture_pool_unref(all);
    picture_pool_unref(pool);
    return bytes;
}

TEST(still_blocks_cost_little)
{
    for (int i = 0; i < 3; i++) {
        double before_db, after_db;
        size_t before = smart_bytes(&kinds[i], 0, &before_db);
        size_t after = smart_bytes(&kinds[i], 30, &after_db);
        if (after * (kinds[i].codec == CODEC_H264 ? 3 : 1.4) > before || after_db < before_db - 0.5)
            unit_fail(__FILE__, __LINE__, "%s: %zu bytes at %.1f dB, spared %zu at %.1f",
                      codec_name(kinds[i].codec), before, before_db, after, after_db);
    }
}

/* Pictures are shown in order, each as it was, and decoded in time. */
TEST(storage_reorders_pictures)
{
    struct picture_pool *pool = picture_pool_new(W, H, false, 32);
    for (int i = 0; i < 2; i++) {
        struct encoding e = wish(kinds[i].codec);
        e.gop = 30;
        e.smart.storage = true;
        struct encoder *enc = open_encoder(e.codec, &e);
        AVCodecContext *dec = avcodec_alloc_context3(avcodec_find_decoder(kinds[i].id));
        dec->thread_count = 1;
        CHECK_INT(avcodec_open2(dec, NULL, NULL), 0);
        AVFrame *pic = av_frame_alloc();
        struct stream_format f = {0};
        int64_t last_ns = INT64_MIN;
        int shown = 0, backwards = 0, n = 0;
        uint64_t last_serial = 0;
        for (int k = 0; k < 90; k++) {
            struct capture how = {.serial = (uint64_t)k,
                                  .start_ns = k * NSEC_PER_SEC / 30,
                                  .utc_ns = CLOCK_SIM_UTC_NS};
            struct rendition *r = rendition_new(draw(pool, k % 60), &how);
            struct packet *out = NULL;
            CHECK_INT(enc->ops->encode(enc, r, false, &out, &f), 0);
            rendition_unref(r);
            if (!out)
                continue;
            backwards += n++ && out->how.serial < last_serial;
            last_serial = out->how.serial;
            CHECK(out->early_ns >= 0);
            CHECK(out->how.start_ns - out->early_ns > last_ns);
            last_ns = out->how.start_ns - out->early_ns;
            AVPacket *av = av_packet_alloc();
            CHECK_INT(av_new_packet(av, (int)out->len), 0);
            memcpy(av->data, out->bytes, out->len);
            dec->reordered_opaque = (int64_t)out->how.serial;
            CHECK_INT(avcodec_send_packet(dec, av), 0);
            av_packet_free(&av);
            while (avcodec_receive_frame(dec, pic) == 0) {
                CHECK_INT(pic->reordered_opaque, shown);
                struct picture *p = draw(pool, shown++ % 60);
                CHECK(likeness(pic, p) > 30);
                picture_unref(p);
            }
            packet_unref(out);
        }
        CHECK(shown > 60);
        if (backwards < 10)
            unit_fail(__FILE__, __LINE__, "%s: %d of %d", codec_name(e.codec), backwards, n);
        av_frame_free(&pic);
        avcodec_free_context(&dec);
        enc->ops->close(enc);
    }
    picture_pool_unref(pool);
}

/* However seldom pictures come, none is late by more than half a second, and at one a second none
 * is held at all. */
TEST(storage_delays_by_half_a_second)
{
    struct picture_pool *pool = picture_pool_new(W, H, false, 32);
    static const double rates[] = {1, 3, 10, 30};
    for (int i = 0; i < 4 * 4; i++) {
        struct encoding e = wish(kinds[i % 2].codec);
        e.fps = rates[i / 4];
        e.gop = 100;
        e.smart.storage = true;
        if (i & 2)
            e.rate = (struct rate_plan){.mode = RATE_MBR, .max_kbps = 4000};
        struct encoder *enc = open_encoder(e.codec, &e);
        struct stream_format f = {0};
        int held = 0, most = 0;
        for (int k = 0; k < 20; k++) {
            struct capture how = {.serial = (uint64_t)k,
                                  .start_ns = llrint(k * NSEC_PER_SEC / e.fps)};
            struct rendition *r = rendition_new(draw(pool, k), &how);
            struct packet *out = NULL;
            CHECK_INT(enc->ops->encode(enc, r, false, &out, &f), 0);
            held += out ? 0 : 1;
            most = held > most ? held : most;
            packet_unref(out);
            rendition_unref(r);
        }
        if (most > e.fps / 2)
            unit_fail(__FILE__, __LINE__, "%s: %d pictures at %g a second", codec_name(e.codec),
                      most, e.fps);
        enc->ops->close(enc);
    }
    picture_pool_unref(pool);
}

/* What encoders of the machine are given. Here there are none: software serves. */
TEST(hardware_takes_nv12)
{
    struct picture_pool *pool = picture_pool_new(W, H, false, 2);
    struct picture *p = draw(pool, 0);
    static uint8_t luma[H * W], chroma[H / 2 * W];
    hardware_nv12(p, (uint8_t *[]){luma, chroma}, (int[]){W, W});
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            CHECK_INT(luma[y * W + x], p->plane[0][y * p->stride[0] + x]);
            CHECK_INT(chroma[y / 2 * W + x], p->plane[1 + x % 2][y / 2 * p->stride[1] + x / 2]);
        }
    picture_unref(p);
    picture_pool_unref(pool);
}

/* What a key packet begins with, by the standard's numbers. */
TEST(keys_carry_their_parameter_sets)
{
    struct picture_pool *pool = picture_pool_new(W, H, false, 2);
    for (int k = 1; k < 3; k++) {
        struct encoding e = wish(kinds[k].codec);
        struct encoder *enc = open_encoder(e.codec, &e);
        struct capture how = {.utc_ns = CLOCK_SIM_UTC_NS};
        struct rendition *r = rendition_new(draw(pool, 0), &how);
        struct packet *p = NULL;
        struct stream_format f = {0};
        CHECK_INT(enc->ops->encode(enc, r, true, &p, &f), 0);
        if (!p) /* it holds one back */
            CHECK_INT(enc->ops->encode(enc, r, false, &p, &f), 0);
        size_t at = 0;
        if (k == 1) {
            static const int order[] = {32, 33, 34, 39}; /* VPS, SPS, PPS, SEI */
            struct nal n;
            for (int i = 0; i < 4; i++) {
                CHECK(annexb_next(p->bytes, p->len, &at, &n));
                CHECK_INT(hevc_type(n), order[i]);
            }
            CHECK(annexb_next(p->bytes, p->len, &at, &n));
            CHECK(hevc_type(n) >= 16 && hevc_type(n) <= 21);
            CHECK(f.vps_len && f.sps_len && f.pps_len);
        } else {
            static const int order[] = {1, 15}; /* sequence header, our stamp */
            struct obu o;
            for (int i = 0; i < 2; i++) {
                CHECK_INT(obu_next(p->bytes, p->len, &at, &o), 0);
                CHECK_INT(o.type, order[i]);
            }
            CHECK_INT(obu_next(p->bytes, p->len, &at, &o), 0);
            CHECK(o.type == 6 || o.type == 3);
        }
        packet_unref(p);
        rendition_unref(r);
        enc->ops->close(enc);
    }
    picture_pool_unref(pool);
}

/* The parameter sets of the first picture, and of one whose pictures may be left out. */
static size_t sps_of(bool dynamic, int profile, uint8_t ret[256])
{
    struct picture_pool *pool = picture_pool_new(W, H, false, 2);
    struct encoding e = wish(CODEC_H264);
    e.profile = profile;
    e.smart.dynamic_fps = dynamic;
    struct encoder *enc = open_encoder(CODEC_H264, &e);
    struct capture how = {.utc_ns = CLOCK_SIM_UTC_NS};
    struct rendition *r = rendition_new(draw(pool, 0), &how);
    struct packet *p = NULL;
    struct stream_format f = {0};
    CHECK_INT(enc->ops->encode(enc, r, true, &p, &f), 0);
    CHECK(memmem(p->bytes, p->len, f.sps, f.sps_len)); /* in the stream, too */
    memcpy(ret, f.sps, f.sps_len);
    packet_unref(p);
    rendition_unref(r);
    enc->ops->close(enc);
    picture_pool_unref(pool);
    return f.sps_len;
}

TEST(a_dynamic_rate_promises_none)
{
    for (int profile = 0; profile < 3; profile++) {
        uint8_t fixed[256], dynamic[256], freed[256];
        size_t n = sps_of(false, profile, fixed), m = sps_of(true, profile, dynamic);
        CHECK_INT(avc_sps_free_rate((struct nal){fixed, n}, freed, sizeof(freed)), m);
        CHECK(!memcmp(freed, dynamic, m));
        int bits = 0; /* one, if no emulation prevention came or went */
        for (size_t i = 0; n == m && i < n; i++)
            bits += __builtin_popcount(fixed[i] ^ dynamic[i]);
        CHECK(n != m || bits == 1);
        CHECK_INT(avc_sps_free_rate((struct nal){dynamic, m}, freed, sizeof(freed)), 0);
        CHECK_INT(avc_sps_free_rate((struct nal){fixed, n}, freed, n - 1), 0);
        for (size_t k = 1; k < n - 4; k++) /* cut off */
            CHECK_INT(avc_sps_free_rate((struct nal){fixed, k}, freed, sizeof(freed)), 0);
    }
}

TEST(broken_obus_are_refused)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {{"\x10\x01", 2},                     /* without size */
               {"\x92\x00", 2},                     /* the forbidden bit */
               {"\x12", 1},                         /* size missing */
               {"\x12\x05\x00", 3},                 /* shorter than it says */
               {"\x12\xff\xff\xff\xff\xff\x0f", 7}, /* a size without end */
               {"\x16\x00", 2}};                    /* extension without size */
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct obu o;
        size_t at = 0;
        CHECK_INT(obu_next((const uint8_t *)bad[i].bytes, bad[i].len, &at, &o), -74);
    }
}

UNIT_MAIN(UNIT_ROW(h264_is_live) UNIT_ROW(h265_is_live) UNIT_ROW(av1_is_live)
              UNIT_ROW(coarser_is_heard_within_two_keys) UNIT_ROW(still_blocks_cost_little)
                  UNIT_ROW(storage_reorders_pictures) UNIT_ROW(storage_delays_by_half_a_second)
                      UNIT_ROW(hardware_takes_nv12) UNIT_ROW(keys_carry_their_parameter_sets)
                          UNIT_ROW(a_dynamic_rate_promises_none) UNIT_ROW(broken_obus_are_refused))
