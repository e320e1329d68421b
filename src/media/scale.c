#include "media/scale.h"

#include <errno.h>
#include <libswscale/swscale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "media/convert.h"

#define MAX_SIDE 16384

struct axis { /* bilinear taps of one direction */
    int n;
    int *at;
    uint16_t *weight; /* of at + 1, in 1/128 */
};

struct scaler {
    struct SwsContext *sws;    /* cached by sws itself */
    struct picture_pool *pool; /* for what is scaled and then turned */
    int pool_width, pool_height;
    struct axis x, y;
    uint8_t *row;
    int row_cap;
};

struct scaler *scaler_new(void)
{
    return calloc(1, sizeof(struct scaler));
}

struct scaler *scaler_free(struct scaler *s)
{
    if (!s)
        return NULL;
    sws_freeContext(s->sws);
    picture_pool_unref(s->pool);
    free(s->x.at);
    free(s->x.weight);
    free(s->y.at);
    free(s->y.weight);
    free(s->row);
    free(s);
    return NULL;
}

/* ---- turning ---- */

/* to(x, y) = from(turned); plain loops over tiles that fit the first cache. */
static void turn_plane(uint8_t *to, int to_stride, int w, int h, const uint8_t *from,
                       int from_stride, int fw, int fh, int rotation_deg, bool mirror)
{
    enum { TILE = 32 };
    ptrdiff_t step_x, step_y;
    const uint8_t *origin;
    switch (rotation_deg) {
    case 90: /* clockwise: the left column becomes the top row, read upwards */
        origin = from + (ptrdiff_t)(fh - 1) * from_stride;
        step_x = -from_stride;
        step_y = 1;
        break;
    case 180:
        origin = from + (ptrdiff_t)(fh - 1) * from_stride + fw - 1;
        step_x = -1;
        step_y = -from_stride;
        break;
    case 270:
        origin = from + fw - 1;
        step_x = from_stride;
        step_y = -1;
        break;
    default:
        origin = from;
        step_x = 1;
        step_y = from_stride;
        break;
    }
    if (mirror) {
        origin += (w - 1) * step_x;
        step_x = -step_x;
    }
    for (int ty = 0; ty < h; ty += TILE) {
        int y_end = ty + TILE < h ? ty + TILE : h;
        for (int tx = 0; tx < w; tx += TILE) {
            int x_end = tx + TILE < w ? tx + TILE : w;
            for (int y = ty; y < y_end; y++) {
                const uint8_t *s = origin + y * step_y + tx * step_x;
                uint8_t *d = to + (ptrdiff_t)y * to_stride;
                for (int x = tx; x < x_end; x++, s += step_x)
                    d[x] = *s;
            }
        }
    }
}

static void turn(struct picture *to, const struct picture *from, int rotation_deg, bool mirror)
{
    for (int i = 0; i < 3; i++) {
        int shift = i ? 1 : 0;
        turn_plane(to->plane[i], to->stride[i], to->width >> shift, to->height >> shift,
                   from->plane[i], from->stride[i], from->width >> shift, from->height >> shift,
                   rotation_deg, mirror);
    }
}

/* ---- scaling ---- */

static int axis_set(struct axis *a, int n, int n_from, double start, double length)
{
    if (n > a->n) {
        int *at = realloc(a->at, (size_t)n * sizeof(*at));
        if (at)
            a->at = at;
        uint16_t *weight = realloc(a->weight, (size_t)n * sizeof(*weight));
        if (weight)
            a->weight = weight;
        if (!at || !weight)
            return -ENOMEM;
        a->n = n;
    }
    for (int i = 0; i < n; i++) {
        double pos = start + (i + 0.5) * length / n - 0.5;
        if (pos < 0)
            pos = 0;
        if (pos > n_from - 1)
            pos = n_from - 1;
        int at = (int)pos;
        int w = (int)lrint((pos - at) * 128);
        if (at >= n_from - 1) {
            at = n_from >= 2 ? n_from - 2 : 0;
            w = n_from >= 2 ? 128 : 0;
        }
        a->at[i] = at;
        a->weight[i] = (uint16_t)w;
    }
    return 0;
}

static void blend_rows(uint8_t *restrict to, const uint8_t *restrict a, const uint8_t *restrict b,
                       int weight, int n)
{
    for (int i = 0; i < n; i++)
        to[i] = (uint8_t)((a[i] * (128 - weight) + b[i] * weight + 64) >> 7);
}

static int bilinear_plane(struct scaler *s, uint8_t *to, int to_stride, int w, int h,
                          const uint8_t *from, int from_stride, int fw, int fh, double cx,
                          double cy, double cw, double ch)
{
    int r = axis_set(&s->x, w, fw, cx, cw);
    if (r == 0)
        r = axis_set(&s->y, h, fh, cy, ch);
    if (r < 0)
        return r;
    if (s->row_cap < fw + 1) {
        uint8_t *row = realloc(s->row, (size_t)fw + 1);
        if (!row)
            return -ENOMEM;
        s->row = row;
        s->row_cap = fw + 1;
    }
    int first = s->x.at[0], last = s->x.at[w - 1] + 1;
    if (last > fw - 1)
        last = fw - 1;
    for (int y = 0; y < h; y++) {
        const uint8_t *a = from + (ptrdiff_t)s->y.at[y] * from_stride;
        const uint8_t *b = fh > 1 ? a + from_stride : a;
        blend_rows(s->row + first, a + first, b + first, s->y.weight[y], last - first + 1);
        s->row[last + 1] = s->row[last];
        uint8_t *d = to + (ptrdiff_t)y * to_stride;
        const int *at = s->x.at;
        const uint16_t *weight = s->x.weight;
        for (int x = 0; x < w; x++) {
            const uint8_t *p = s->row + at[x];
            d[x] = (uint8_t)((p[0] * (128 - weight[x]) + p[1] * weight[x] + 64) >> 7);
        }
    }
    return 0;
}

static int scale_bilinear(struct scaler *s, struct picture *to, const struct picture *from,
                          double cx, double cy, double cw, double ch)
{
    int r = 0;
    for (int i = 0; i < 3 && r == 0; i++) {
        int d = i ? 2 : 1;
        r = bilinear_plane(s, to->plane[i], to->stride[i], to->width / d, to->height / d,
                           from->plane[i], from->stride[i], from->width / d, from->height / d,
                           cx / d, cy / d, cw / d, ch / d);
    }
    return r;
}

static int scale_sws(struct scaler *s, struct picture *to, const struct picture *from, int cx,
                     int cy, int cw, int ch)
{
    /* area averaging when shrinking, so that small pictures do not flicker */
    int how = to->width < cw || to->height < ch ? SWS_AREA : SWS_BILINEAR;
    s->sws = sws_getCachedContext(s->sws, cw, ch, AV_PIX_FMT_YUV420P, to->width, to->height,
                                  AV_PIX_FMT_YUV420P, how, NULL, NULL, NULL);
    if (!s->sws)
        return -ENOMEM;
    const uint8_t *src[4] = {from->plane[0] + (ptrdiff_t)cy * from->stride[0] + cx,
                             from->plane[1] + (ptrdiff_t)(cy / 2) * from->stride[1] + cx / 2,
                             from->plane[2] + (ptrdiff_t)(cy / 2) * from->stride[2] + cx / 2};
    int src_stride[4] = {from->stride[0], from->stride[1], from->stride[2]};
    uint8_t *dst[4] = {to->plane[0], to->plane[1], to->plane[2]};
    int dst_stride[4] = {to->stride[0], to->stride[1], to->stride[2]};
    return sws_scale(s->sws, src, src_stride, 0, ch, dst, dst_stride) == to->height ? 0 : -EIO;
}

static bool is_even(double v)
{
    return v == 2 * floor(v / 2);
}

/* In the colours of `from`. */
static int scale_only(struct scaler *s, struct picture *to, const struct picture *from, double cx,
                      double cy, double cw, double ch)
{
    bool whole = is_even(cx) && is_even(cy) && is_even(cw) && is_even(ch);
    if (whole && cw == to->width && ch == to->height) {
        struct picture view = picture_part(from, (int)cx, (int)cy, to->width, to->height);
        picture_copy_rows(to, &view, 0, to->height);
        return 0;
    }
    if (!whole && to->width >= cw * 0.7)
        return scale_bilinear(s, to, from, cx, cy, cw, ch);
    int x = (int)cx & ~1, y = (int)cy & ~1;
    int w = (int)lrint(cw / 2) * 2, h = (int)lrint(ch / 2) * 2;
    if (x + w > from->width)
        w = from->width - x;
    if (y + h > from->height)
        h = from->height - y;
    return scale_sws(s, to, from, x, y, w, h);
}

static struct picture *scratch(struct scaler *s, int width, int height)
{
    if (!s->pool || s->pool_width != width || s->pool_height != height) {
        picture_pool_unref(s->pool);
        s->pool = picture_pool_new(width, height, false, 1);
        s->pool_width = width;
        s->pool_height = height;
    }
    return s->pool ? picture_get(s->pool) : NULL;
}

int scale_picture(struct scaler *s, struct picture *to, const struct picture *from, double crop_x,
                  double crop_y, double crop_w, double crop_h, int rotation_deg, bool mirror)
{
    if (rotation_deg % 90 || rotation_deg < 0 || rotation_deg > 270 || to->width > MAX_SIDE ||
        to->height > MAX_SIDE || !(crop_w >= 2) || !(crop_h >= 2) || !(crop_x >= 0) ||
        !(crop_y >= 0) || crop_x + crop_w > from->width + 1e-6 ||
        crop_y + crop_h > from->height + 1e-6)
        return -EINVAL;

    bool whole = crop_x == 0 && crop_y == 0 && crop_w == from->width && crop_h == from->height;
    bool turned = rotation_deg || mirror;
    bool sideways = rotation_deg == 90 || rotation_deg == 270;
    int w = sideways ? to->height : to->width, h = sideways ? to->width : to->height;
    bool same = whole && w == from->width && h == from->height;

    if (!turned && same) {
        picture_convert(to, from);
        return 0;
    }
    int r = 0;
    if (!turned) {
        r = scale_only(s, to, from, crop_x, crop_y, crop_w, crop_h);
    } else if (same) {
        turn(to, from, rotation_deg, mirror);
    } else {
        struct picture *middle = scratch(s, w, h);
        if (!middle)
            return -ENOMEM;
        r = scale_only(s, middle, from, crop_x, crop_y, crop_w, crop_h);
        if (r == 0)
            turn(to, middle, rotation_deg, mirror);
        picture_unref(middle);
    }
    if (r < 0)
        return r;
    /* the pixels are still in the source's colours */
    struct picture view = picture_part(to, 0, 0, to->width, to->height);
    view.matrix = from->matrix;
    view.range = from->range;
    if (view.matrix != to->matrix || view.range != to->range)
        picture_convert(to, &view);
    return 0;
}
