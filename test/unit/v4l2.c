/* V4L2 without a device: which format is taken, and what pictures of each layout become. The
 * device itself: test/door/test_D8_v4l2.py. */
#include "device/v4l2/formats.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <stdlib.h>
#include <string.h>

#include "media/unpack.h"
#include "unit.h"

#define W 32
#define H 16

TEST(takes_the_best_that_fits)
{
    static const struct format list[] = {
        {V4L2_PIX_FMT_YUYV, 640, 480, 30},   {V4L2_PIX_FMT_YUYV, 1920, 1080, 5},
        {V4L2_PIX_FMT_MJPEG, 640, 480, 30},  {V4L2_PIX_FMT_MJPEG, 1280, 720, 30},
        {V4L2_PIX_FMT_MJPEG, 1280, 720, 60}, {V4L2_PIX_FMT_MJPEG, 3840, 2160, 30},
        {V4L2_PIX_FMT_NV12, 1280, 720, 60},
    };
    size_t n = sizeof(list) / sizeof(*list);
    CHECK(formats_choose(list, n, &(struct format){0}) == &list[6]);
    CHECK(formats_choose(list, n, &(struct format){.fourcc = V4L2_PIX_FMT_MJPEG}) == &list[4]);
    CHECK(formats_choose(list, n, &(struct format){.width = 640, .height = 480}) == &list[0]);
    CHECK(formats_choose(list, n, &(struct format){.width = 3840, .height = 2160}) == &list[5]);
    CHECK(formats_choose(list, n, &(struct format){.fourcc = V4L2_PIX_FMT_YUYV}) == &list[0]);
    CHECK(formats_choose(list, 2, &(struct format){.width = 1920, .height = 1080}) == &list[1]);
    CHECK(!formats_choose(list, n, &(struct format){.width = 800, .height = 600}));
    CHECK(!formats_choose(list, 3, &(struct format){.fps = 60}));
    CHECK(!formats_choose(list, 0, &(struct format){0}));
    CHECK_INT(raw_layout_of(V4L2_PIX_FMT_H264), -1);
    CHECK_INT(raw_layout_of(V4L2_PIX_FMT_YUV420), RAW_YUV420);
}

/* Luma 100 on the left, 150 on the right; chroma 90 and 170. */
static size_t make(enum raw_layout layout, int stride, uint8_t *to)
{
    uint8_t *chroma = to + stride * H;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            uint8_t luma = x < W / 2 ? 100 : 150;
            switch (layout) {
            case RAW_YUYV:
            case RAW_UYVY:
                to[y * stride + 2 * x + (layout == RAW_UYVY)] = luma;
                to[y * stride + 2 * x + (layout == RAW_YUYV)] = x & 1 ? 170 : 90;
                break;
            case RAW_NV12:
            case RAW_NV21:
                to[y * stride + x] = luma;
                chroma[y / 2 * stride + x] = (x & 1) == (layout == RAW_NV12) ? 170 : 90;
                break;
            default: /* planes */
                to[y * stride + x] = luma;
                chroma[y / 2 * (stride / 2) + x / 2] = 90;
                chroma[stride * H / 4 + y / 2 * (stride / 2) + x / 2] = 170;
            }
        }
    return (size_t)(layout == RAW_YUYV || layout == RAW_UYVY ? stride * H : stride * H * 3 / 2);
}

TEST(every_layout_becomes_the_same_picture)
{
    static const enum raw_layout layouts[] = {RAW_YUYV, RAW_UYVY, RAW_NV12, RAW_NV21, RAW_YUV420};
    struct unpacker *u = unpacker_new();
    struct picture_pool *pool = picture_pool_new(W, H, false, 1);
    for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
        for (int padding = 0; padding <= 32; padding += 32) {
            int stride = W * (i < 2 ? 2 : 1) + padding;
            uint8_t *bytes = calloc(1, (size_t)stride * H * 2);
            size_t len = make(layouts[i], stride, bytes);
            struct picture *p = picture_get(pool);
            p->matrix = COLOUR_BT601;
            p->range = RANGE_LIMITED;
            CHECK_INT(unpack_picture(u, layouts[i], W, H, stride, bytes, len, p), 0);
            for (int y = 0; y < H; y += 5) {
                CHECK_NEAR(p->plane[0][y * p->stride[0] + 4], 100, 1);
                CHECK_NEAR(p->plane[0][y * p->stride[0] + 28], 150, 1);
                CHECK_NEAR(p->plane[1][y / 2 * p->stride[1] + 3], 90, 1);
                CHECK_NEAR(p->plane[2][y / 2 * p->stride[2] + 14], 170, 1);
            }
            CHECK_INT(p->range, RANGE_LIMITED);
            CHECK_INT(unpack_picture(u, layouts[i], W, H, stride, bytes, len - 1, p), -EBADMSG);
            CHECK_INT(unpack_picture(u, layouts[i], W, H, W - 2, bytes, len, p), -EINVAL);
            picture_unref(p);
            free(bytes);
        }
    }
    picture_pool_unref(pool);
    unpacker_free(u);
}

TEST(jpeg_that_is_none)
{
    struct unpacker *u = unpacker_new();
    struct picture_pool *pool = picture_pool_new(W, H, false, 1);
    struct picture *p = picture_get(pool);
    uint8_t bytes[600];
    unsigned seed = 1;
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
        bytes[0] = 0xff;
        bytes[1] = round & 1 ? 0xd8 : 0xd9;
        unpack_picture(u, RAW_JPEG, W, H, 0, bytes, sizeof(bytes), p);
    }
    CHECK_INT(unpack_picture(u, RAW_JPEG, W, H, 0, bytes, 0, p), -EBADMSG);
    picture_unref(p);
    picture_pool_unref(pool);
    unpacker_free(u);
}

UNIT_MAIN(UNIT_ROW(takes_the_best_that_fits) UNIT_ROW(every_layout_becomes_the_same_picture)
              UNIT_ROW(jpeg_that_is_none))
