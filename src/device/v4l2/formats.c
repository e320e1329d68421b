#include "device/v4l2/formats.h"

#include <linux/videodev2.h>
#include <math.h>

#include "device/v4l2/node.h"

#define MAX_WIDTH 1920
#define MAX_HEIGHT 1080
#define MIN_SIDE 64
#define MAX_SIDE 4096
#define MAX_FPS 60.0
#define FLUENT_FPS 20.0
#define ENTRIES 64 /* of a list that a device gives */

static const struct {
    uint32_t fourcc;
    enum raw_layout layout;
} layouts[] = {
    {V4L2_PIX_FMT_MJPEG, RAW_JPEG},    {V4L2_PIX_FMT_JPEG, RAW_JPEG},
    {V4L2_PIX_FMT_YUYV, RAW_YUYV},     {V4L2_PIX_FMT_UYVY, RAW_UYVY},
    {V4L2_PIX_FMT_NV12, RAW_NV12},     {V4L2_PIX_FMT_NV21, RAW_NV21},
    {V4L2_PIX_FMT_YUV420, RAW_YUV420}, {V4L2_PIX_FMT_GREY, RAW_GREY},
    {V4L2_PIX_FMT_RGB24, RAW_RGB24},
};

int raw_layout_of(uint32_t fourcc)
{
    for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++)
        if (layouts[i].fourcc == fourcc)
            return (int)layouts[i].layout;
    return -1;
}

static double rate(const struct v4l2_fract *interval)
{
    return interval->numerator ? (double)interval->denominator / interval->numerator : 0;
}

/* The highest rate of this size; 30 where the device does not say. */
static double ask_rate(int fd, const struct format *f)
{
    double best = 0;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct v4l2_frmivalenum v = {.index = i,
                                     .pixel_format = f->fourcc,
                                     .width = (uint32_t)f->width,
                                     .height = (uint32_t)f->height};
        if (node_ioctl(fd, VIDIOC_ENUM_FRAMEINTERVALS, &v))
            break;
        if (v.type != V4L2_FRMIVAL_TYPE_DISCRETE)
            return fmin(MAX_FPS, rate(&v.stepwise.min));
        double fps = rate(&v.discrete);
        if (fps <= MAX_FPS + 0.5 && fps > best)
            best = fps;
    }
    return best > 0 ? fmin(best, MAX_FPS) : 30;
}

static size_t add(int fd, struct format *ret, size_t n, uint32_t fourcc, uint32_t w, uint32_t h)
{
    if (n == FORMATS_MOST || w < MIN_SIDE || h < MIN_SIDE || w > MAX_SIDE || h > MAX_SIDE ||
        (w & 1) || (h & 1))
        return n;
    ret[n] = (struct format){.fourcc = fourcc, .width = (int)w, .height = (int)h};
    ret[n].fps = ask_rate(fd, &ret[n]);
    return n + 1;
}

/* A range of sizes: the usual ones that lie in it. */
static size_t add_usual(int fd, struct format *ret, size_t n, uint32_t fourcc,
                        const struct v4l2_frmsize_stepwise *s)
{
    static const uint32_t usual[][2] = {{1920, 1080}, {1280, 960}, {1280, 720}, {1024, 768},
                                        {800, 600},   {640, 480},  {640, 360},  {320, 240}};
    for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++) {
        uint32_t w = usual[i][0], h = usual[i][1];
        uint32_t step_w = s->step_width ? s->step_width : 1;
        uint32_t step_h = s->step_height ? s->step_height : 1;
        if (w >= s->min_width && w <= s->max_width && h >= s->min_height && h <= s->max_height &&
            (w - s->min_width) % step_w == 0 && (h - s->min_height) % step_h == 0)
            n = add(fd, ret, n, fourcc, w, h);
    }
    return n;
}

static size_t ask_sizes(int fd, struct format *ret, size_t n, uint32_t fourcc)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct v4l2_frmsizeenum s = {.index = i, .pixel_format = fourcc};
        if (node_ioctl(fd, VIDIOC_ENUM_FRAMESIZES, &s)) {
            /* an old driver: what it has now */
            struct v4l2_format f = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
            if (i == 0 && !node_ioctl(fd, VIDIOC_G_FMT, &f))
                n = add(fd, ret, n, fourcc, f.fmt.pix.width, f.fmt.pix.height);
            break;
        }
        if (s.type != V4L2_FRMSIZE_TYPE_DISCRETE)
            return add_usual(fd, ret, n, fourcc, &s.stepwise);
        n = add(fd, ret, n, fourcc, s.discrete.width, s.discrete.height);
    }
    return n;
}

size_t formats_ask(int fd, struct format ret[FORMATS_MOST])
{
    size_t n = 0;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct v4l2_fmtdesc d = {.index = i, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
        if (node_ioctl(fd, VIDIOC_ENUM_FMT, &d))
            break;
        if (raw_layout_of(d.pixelformat) >= 0)
            n = ask_sizes(fd, ret, n, d.pixelformat);
    }
    return n;
}

static bool better(const struct format *a, const struct format *b)
{
    bool a_fluent = a->fps >= FLUENT_FPS, b_fluent = b->fps >= FLUENT_FPS;
    if (a_fluent != b_fluent)
        return a_fluent;
    int64_t a_area = (int64_t)a->width * a->height, b_area = (int64_t)b->width * b->height;
    if (a_area != b_area)
        return a_area > b_area;
    if (fabs(a->fps - b->fps) > 0.5)
        return a->fps > b->fps;
    return raw_layout_of(a->fourcc) != RAW_JPEG && raw_layout_of(b->fourcc) == RAW_JPEG;
}

const struct format *formats_choose(const struct format *list, size_t n,
                                    const struct format *wanted)
{
    const struct format *best = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct format *f = &list[i];
        bool fits = wanted->width ? f->width == wanted->width && f->height == wanted->height
                                  : f->width <= MAX_WIDTH && f->height <= MAX_HEIGHT;
        fits = fits && (!wanted->fourcc || f->fourcc == wanted->fourcc) &&
               (wanted->fps == 0 || f->fps >= wanted->fps - 0.5);
        if (fits && (!best || better(f, best)))
            best = f;
    }
    return best;
}
