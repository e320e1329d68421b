/* Coded pictures: their structure, and that both codecs show the same colours. */
#include "media/encode.h"

#include <libavcodec/avcodec.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "base/clock.h"
#include "base/fault.h"
#include "media/convert.h"
#include "media/scale.h"
#include "unit.h"

static const struct encoder_ops *find(enum codec c)
{
    for (int i = 0; encoder_table[i]; i++)
        if (encoder_table[i]->codec == c)
            return encoder_table[i];
    return NULL;
}

static struct encoding wish(enum codec codec, int w, int h)
{
    return (struct encoding){
        .codec = codec, .key = {1, w, h}, .compression = 10, .gop = 8, .profile = 2, .stamp = true};
}

static struct rendition *render(struct picture *p, uint64_t serial)
{
    struct capture how = {.serial = serial, .utc_ns = CLOCK_SIM_UTC_NS};
    return rendition_new(p, &how);
}

struct units {
    int n, type[32];
    const uint8_t *at[32];
};
static struct units split(const struct packet *p)
{
    struct units u = {0};
    for (size_t i = 0; i + 4 < p->len && u.n < 32; i++) {
        if (memcmp(p->bytes + i, "\0\0\0\1", 4))
            continue;
        u.at[u.n] = p->bytes + i + 4;
        u.type[u.n++] = p->bytes[i + 4] & 31;
    }
    return u;
}

TEST(h264_access_units)
{
    struct picture_pool *pool = picture_pool_new(320, 180, false, 2);
    struct encoding e = wish(CODEC_H264, 320, 180);
    struct encoder *enc = find(CODEC_H264)->open(&e, 30, NULL);
    CHECK(enc);
    struct stream_format f = {0};
    for (int i = 0; i < 20; i++) {
        struct picture *pic = picture_get(pool);
        picture_fill(pic, (uint8_t)(50 + i * 5), (uint8_t)(100 + i), 140);
        struct rendition *r = render(pic, (uint64_t)i);
        struct packet *p = NULL;
        CHECK_INT(enc->ops->encode(enc, r, i == 11, &p, &f), 0);
        rendition_unref(r);
        CHECK(p);
        bool key = i == 0 || i == 8 || i == 11 || i == 19;
        CHECK_INT(!!(p->flags & PACKET_KEY), key);
        CHECK_INT(!!(p->flags & PACKET_CONFIG), i == 0);
        struct units u = split(p);
        int at = 0;
        if (key) {
            CHECK_INT(u.type[at++], 7);
            CHECK_INT(u.type[at++], 8);
        }
        CHECK_INT(u.type[at], 6);
        CHECK_INT(u.at[at][1], 5);
        char text[64];
        snprintf(text, sizeof(text), "{\"serial\":%d,", i);
        CHECK(!memcmp(u.at[at] + 3, capture_sei_uuid, 16));
        CHECK(!memcmp(u.at[at] + 19, text, strlen(text)));
        at++;
        CHECK_INT(u.type[at++], key ? 5 : 1);
        CHECK_INT(u.n, at);
        packet_unref(p);
    }
    CHECK(f.sps_len > 8 && (f.sps[0] & 31) == 7 && (f.pps[0] & 31) == 8);
    CHECK_INT(f.sps[1], 100);
    enc->ops->close(enc);
    picture_pool_unref(pool);
}

TEST(profiles_and_rates)
{
    static const int idc[] = {66, 77, 100};
    struct picture_pool *pool = picture_pool_new(320, 180, false, 2);
    for (int profile = 0; profile < 3; profile++) {
        struct encoding e = wish(CODEC_H264, 320, 180);
        e.profile = profile;
        e.rate.mode = RATE_MBR;
        e.rate.max_kbps = 200;
        e.compression = 0;
        e.gop = 30;
        struct encoder *enc = find(CODEC_H264)->open(&e, 30, NULL);
        struct stream_format f = {0};
        size_t bytes = 0;
        unsigned rnd = 1;
        for (int i = 0; i < 90; i++) {
            struct picture *pic = picture_get(pool);
            picture_fill(pic, 128, 128, 128);
            for (int k = 0; k < pic->stride[0] * 180; k++)
                pic->plane[0][k] = (uint8_t)(100 + ((rnd = rnd * 1103515245 + 12345) >> 26));
            struct rendition *r = render(pic, (uint64_t)i);
            struct packet *p = NULL;
            enc->ops->encode(enc, r, false, &p, &f);
            rendition_unref(r);
            bytes += p->len;
            packet_unref(p);
        }
        CHECK_INT(f.sps[1], idc[profile]);
        CHECK(bytes * 8 / 3 < 300000); /* three seconds, a second of buffer */
        enc->ops->close(enc);
    }
    picture_pool_unref(pool);
}

/* ---- colours ---- */

#define W 256
#define H 128
struct rgb {
    double r, g, b;
};
static double clamp(double v)
{
    return v < 0 ? 0 : v > 255 ? 255 : v;
}
static struct rgb of_709(const uint8_t *y, int ys, const uint8_t *cb, const uint8_t *cr, int cs,
                         int px, int py)
{
    double l = (y[py * ys + px] - 16) / 219.0;
    double b = (cb[py / 2 * cs + px / 2] - 128) / 224.0,
           r = (cr[py / 2 * cs + px / 2] - 128) / 224.0;
    return (struct rgb){clamp(255 * (l + 1.5748 * r)), clamp(255 * (l - 0.18732 * b - 0.46812 * r)),
                        clamp(255 * (l + 1.8556 * b))};
}

static struct picture *chart(struct picture_pool *pool)
{
    struct picture *p = picture_get(pool);
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            int i = x / 32 + y / 32 * 8; /* 32 colours that R'G'B' has */
            double r = (i & 1) * 0.6 + 0.2 * (i >> 4), g = (i >> 1 & 1) * 0.5 + 0.3 * (i >> 3 & 1),
                   b = (i >> 2 & 1) * 0.7 + 0.1;
            double l = 0.2126 * r + 0.7152 * g + 0.0722 * b;
            p->plane[0][y * p->stride[0] + x] = (uint8_t)lrint(16 + 219 * l);
            p->plane[1][y / 2 * p->stride[1] + x / 2] =
                (uint8_t)lrint(128 + 224 * (b - l) / 1.8556);
            p->plane[2][y / 2 * p->stride[2] + x / 2] =
                (uint8_t)lrint(128 + 224 * (r - l) / 1.5748);
        }
    }
    return p;
}

TEST(codecs_show_the_same_colours)
{
    struct picture_pool *pool = picture_pool_new(W, H, false, 3);
    struct picture *scene = chart(pool);
    struct encoding e = wish(CODEC_JPEG, W, H);
    struct encoder *enc = find(CODEC_JPEG)->open(&e, 30, NULL);
    struct rendition *r = render(picture_ref(scene), 0);
    struct packet *jpeg = NULL, *p = NULL;
    struct stream_format f;
    CHECK_INT(enc->ops->encode(enc, r, true, &jpeg, &f), 0);
    rendition_unref(r);
    enc->ops->close(enc);
    CHECK(!memcmp(jpeg->bytes + 20, "\xff\xfe", 2));
    static uint8_t rgb[W * H * 3];
    tjhandle tj = tjInitDecompress();
    CHECK_INT(tjDecompress2(tj, jpeg->bytes, jpeg->len, rgb, W, 0, H, TJPF_RGB, 0), 0);
    tjDestroy(tj);

    e = wish(CODEC_H264, W, H);
    enc = find(CODEC_H264)->open(&e, 30, NULL);
    r = render(picture_ref(scene), 0);
    CHECK_INT(enc->ops->encode(enc, r, true, &p, &f), 0);
    rendition_unref(r);
    enc->ops->close(enc);
    AVCodecContext *dec = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_H264));
    dec->flags |= AV_CODEC_FLAG_LOW_DELAY;
    CHECK_INT(avcodec_open2(dec, NULL, NULL), 0);
    AVPacket *av = av_packet_alloc();
    CHECK_INT(av_new_packet(av, (int)p->len), 0);
    memcpy(av->data, p->bytes, p->len);
    AVFrame *pic = av_frame_alloc();
    CHECK_INT(avcodec_send_packet(dec, av), 0);
    avcodec_send_packet(dec, NULL);
    CHECK_INT(avcodec_receive_frame(dec, pic), 0);
    CHECK_INT(pic->color_range, AVCOL_RANGE_MPEG);
    CHECK_INT(pic->colorspace, AVCOL_SPC_BT709);
    CHECK_INT(pic->color_primaries, AVCOL_PRI_BT709);

    for (int i = 0; i < 32; i++) {
        int x = i % 8 * 32 + 16, y = i / 8 * 32 + 16;
        struct rgb a = of_709(pic->data[0], pic->linesize[0], pic->data[1], pic->data[2],
                              pic->linesize[1], x, y);
        struct rgb want = of_709(scene->plane[0], scene->stride[0], scene->plane[1],
                                 scene->plane[2], scene->stride[1], x, y);
        const uint8_t *b = &rgb[(y * W + x) * 3];
        CHECK_NEAR(a.r, want.r, 5);
        CHECK_NEAR(a.g, want.g, 5);
        CHECK_NEAR(a.b, want.b, 5);
        CHECK_NEAR(b[0], want.r, 5);
        CHECK_NEAR(b[1], want.g, 5);
        CHECK_NEAR(b[2], want.b, 5);
    }
    av_frame_free(&pic);
    av_packet_free(&av);
    avcodec_free_context(&dec);
    packet_unref(p);
    packet_unref(jpeg);
    picture_unref(scene);
    picture_pool_unref(pool);
}

TEST(conversion_is_the_same_by_any_path)
{
    enum { CW = 90, CH = 6 }; /* all widths of vectors, and a rest */
    struct picture_pool *pool = picture_pool_new(CW, CH, false, 3);
    struct picture *from = picture_get(pool), *fast = picture_get(pool), *slow = picture_get(pool);
    unsigned rnd = 7;
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < from->memlen; i++)
            from->plane[0][i] = (uint8_t)((rnd = rnd * 1103515245 + 12345) >> 24);
        from->matrix = round & 1 ? COLOUR_BT709 : COLOUR_BT601;
        from->range = round & 2 ? RANGE_FULL : RANGE_LIMITED;
        fast->matrix = slow->matrix = round & 1 ? COLOUR_BT601 : COLOUR_BT709;
        fast->range = slow->range = round & 4 ? RANGE_FULL : RANGE_LIMITED;
        picture_convert(fast, from);
        for (int x = 0; x < CW; x += 2) { /* two columns at a time: plain C */
            struct picture a = picture_part(from, x, 0, 2, CH), b = picture_part(slow, x, 0, 2, CH);
            picture_convert(&b, &a);
        }
        for (int i = 0; i < 3; i++)
            for (int y = 0; y < (i ? CH / 2 : CH); y++)
                CHECK(!memcmp(fast->plane[i] + y * fast->stride[i],
                              slow->plane[i] + y * slow->stride[i], i ? CW / 2 : CW));
    }
    picture_unref(from);
    picture_unref(fast);
    picture_unref(slow);
    picture_pool_unref(pool);
}

static size_t bare_jpeg(const struct picture *p, int quality, unsigned char **ret)
{
    const unsigned char *planes[3] = {p->plane[0], p->plane[1], p->plane[2]};
    unsigned long len = 0;
    tjhandle tj = tjInitCompress();
    CHECK_INT(tjCompressFromYUVPlanes(tj, planes, p->width, p->stride, p->height, TJSAMP_420, ret,
                                      &len, quality, TJFLAG_ACCURATEDCT),
              0);
    tjDestroy(tj);
    return len;
}

TEST(jpeg_is_that_of_the_converted_picture)
{
    for (int round = 0; round < 24; round++) {
        const int w = 16 + 2 * round, h = 52 - 2 * (round & 7);
        struct picture_pool *pool = picture_pool_new(w, h, false, 2);
        struct picture *pic = picture_get(pool), *full = picture_get(pool);
        unsigned rnd = (unsigned)round;
        for (size_t i = 0; i < pic->memlen; i++)
            pic->plane[0][i] = (uint8_t)((rnd = rnd * 1103515245 + 12345) >> 24);
        pic->matrix = round & 1 ? COLOUR_BT601 : COLOUR_BT709;
        pic->range = round & 2 ? RANGE_FULL : RANGE_LIMITED;
        full->matrix = COLOUR_BT601;
        full->range = RANGE_FULL;
        picture_convert(full, pic);
        unsigned char *bare = NULL;
        size_t len = bare_jpeg(full, 87, &bare); /* compression 10 */
        struct encoding e = wish(CODEC_JPEG, w, h);
        e.stamp = false;
        struct encoder *enc = find(CODEC_JPEG)->open(&e, 30, NULL);
        struct rendition *r = render(pic, 0);
        for (int again = 0; again < 2; again++) {
            struct packet *p = NULL;
            struct stream_format f;
            CHECK_INT(enc->ops->encode(enc, r, true, &p, &f), 0);
            CHECK(p->len == len && !memcmp(p->bytes, bare, len));
            packet_unref(p);
        }
        rendition_unref(r);
        enc->ops->close(enc);
        tjFree(bare);
        picture_unref(full);
        picture_pool_unref(pool);
    }
}

TEST(jpeg_of_odd_sizes)
{
    for (int w = 16; w < 40; w += 2) {
        struct picture_pool *pool = picture_pool_new(w, w + 6, false, 1);
        struct encoding e = wish(CODEC_JPEG, w, w + 6);
        struct encoder *enc = find(CODEC_JPEG)->open(&e, 30, NULL);
        struct picture *pic = picture_get(pool);
        picture_fill(pic, 90, 128, 128);
        struct rendition *r = render(pic, 0);
        struct packet *p = NULL;
        struct stream_format f;
        CHECK_INT(enc->ops->encode(enc, r, true, &p, &f), 0);
        tjhandle tj = tjInitDecompress();
        int dw, dh, sub, space;
        CHECK_INT(tjDecompressHeader3(tj, p->bytes, p->len, &dw, &dh, &sub, &space), 0);
        CHECK_INT(dw, w);
        CHECK_INT(dh, w + 6);
        CHECK_INT(sub, TJSAMP_420);
        tjDestroy(tj);
        packet_unref(p);
        rendition_unref(r);
        enc->ops->close(enc);
        picture_pool_unref(pool);
    }
}

/* ---- geometry ---- */

TEST(turning)
{
    struct picture_pool *wide = picture_pool_new(64, 32, false, 2),
                        *tall = picture_pool_new(32, 64, false, 2);
    struct picture *from = picture_get(wide);
    for (int y = 0; y < 32; y++)
        for (int x = 0; x < 64; x++)
            from->plane[0][y * from->stride[0] + x] = (uint8_t)(x * 3 + y);
    memset(from->plane[1], 128, (size_t)from->stride[1] * 16);
    memset(from->plane[2], 128, (size_t)from->stride[2] * 16);
    struct scaler *s = scaler_new();
    for (int rot = 0; rot < 360; rot += 90) {
        for (int mirror = 0; mirror < 2; mirror++) {
            struct picture *to = picture_get(rot % 180 ? tall : wide);
            CHECK_INT(scale_picture(s, to, from, 0, 0, 64, 32, rot, mirror), 0);
            for (int y = 0; y < to->height; y++) {
                for (int x = 0; x < to->width; x++) {
                    int mx = mirror ? to->width - 1 - x : x, fx = mx, fy = y;
                    if (rot == 90) {
                        fx = y;
                        fy = 31 - mx;
                    } else if (rot == 180) {
                        fx = 63 - mx;
                        fy = 31 - y;
                    } else if (rot == 270) {
                        fx = 63 - y;
                        fy = mx;
                    }
                    CHECK_INT(to->plane[0][y * to->stride[0] + x], (uint8_t)(fx * 3 + fy));
                }
            }
            picture_unref(to);
        }
    }
    picture_unref(from);
    scaler_free(s);
    picture_pool_unref(wide);
    picture_pool_unref(tall);
}

TEST(cropping)
{
    struct picture_pool *pool = picture_pool_new(200, 100, false, 2);
    struct picture *from = picture_get(pool), *to = picture_get(pool);
    for (int y = 0; y < 100; y++)
        for (int x = 0; x < 200; x++)
            from->plane[0][y * from->stride[0] + x] = (uint8_t)x;
    memset(from->plane[1], 90, (size_t)from->stride[1] * 50);
    memset(from->plane[2], 160, (size_t)from->stride[2] * 50);
    struct scaler *s = scaler_new();
    CHECK_INT(scale_picture(s, to, from, 50.3, 20.7, 25, 12.5, 0, false), 0);
    for (int x = 2; x < 198; x++)
        CHECK_NEAR(to->plane[0][50 * to->stride[0] + x], 50.3 + (x + 0.5) / 8 - 0.5, 1.01);
    CHECK_INT(to->plane[1][30 * to->stride[1] + 40], 90);
    CHECK_INT(scale_picture(s, to, from, 0, 0, 100, 50, 0, false), 0);
    CHECK_NEAR(to->plane[0][50 * to->stride[0] + 100], 50, 1.01);
    CHECK(scale_picture(s, to, from, 150, 0, 100, 50, 0, false) < 0);
    CHECK(scale_picture(s, to, from, 0, 0, 100, 50, 45, false) < 0);
    picture_unref(from);
    picture_unref(to);
    scaler_free(s);
    picture_pool_unref(pool);
}

UNIT_MAIN(UNIT_ROW(h264_access_units) UNIT_ROW(profiles_and_rates)
              UNIT_ROW(codecs_show_the_same_colours) UNIT_ROW(conversion_is_the_same_by_any_path)
                  UNIT_ROW(jpeg_is_that_of_the_converted_picture) UNIT_ROW(jpeg_of_odd_sizes)
                      UNIT_ROW(turning) UNIT_ROW(cropping))
