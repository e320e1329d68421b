/* Discs are made in smaller and smaller pictures, each of half the size of the one before and
 * each blurred by the same small disc of 21 pixels; what a pixel gets lies between two of them,
 * so that its spread (the second moment) is that of the disc that it should be. Where one thing
 * hides another, what is sharp counts little in the discs of what is not. */
#include "device/virtual/camera/bokeh.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/camera/discs.h"
#include "device/virtual/kernels.h"

#define LEVELS DISCS_LEVELS
#define CELLWISE 3        /* of which so many are made cell by cell, the others whole */
#define PARTS BOKEH_PARTS /* from one to the next */
#define SHRUNK_AT_ONCE 64
#define LIGHT 26 /* of 256: what counts that is sharp */
struct level {   /* 1 … : in 1/2^level of the size */
    int width, height;
    size_t stride;        /* two more at both sides */
    uint16_t *sum[4];     /* r, g, b times weight, weight; behind their borders */
    uint16_t *blurred[3]; /* likewise */
};

struct bokeh {
    int width, height, across, down; /* the last in cells */
    struct discs *discs;
    bool valid; /* what follows is of the last call */
    const struct radiance *of;
    int deepest;                /* level in use */
    uint16_t *first[3];         /* level 0: the picture itself, blurred */
    struct level level[LEVELS]; /* [0] is not used */
    struct radiance out;
    uint8_t *cells, *grown;
    uint8_t *ready; /* bits: levels that are blurred in a cell */
};

static size_t pixels(const struct bokeh *b)
{
    return (size_t)b->width * (size_t)b->height;
}

static bool level_init(struct level *l, int width, int height)
{
    l->width = width;
    l->height = height;
    l->stride = (size_t)width + 4;
    size_t plane = l->stride * (size_t)(height + 4);
    uint16_t *p = calloc(plane * 7, sizeof(*p));
    if (!p)
        return false;
    for (size_t k = 0; k < 7; k++) {
        uint16_t *first = p + k * plane + 2 * l->stride + 2;
        if (k < 4)
            l->sum[k] = first;
        else
            l->blurred[k - 4] = first;
    }
    return true;
}

struct bokeh *bokeh_new(int width, int height)
{
    struct bokeh *b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    b->width = width;
    b->height = height;
    struct radiance size = {.width = width, .height = height};
    b->across = radiance_across(&size);
    b->down = radiance_down(&size);
    size_t n = pixels(b), cells = (size_t)b->across * (size_t)b->down;
    uint16_t *planes = malloc(n * 6 * sizeof(*planes));
    b->discs = discs_new(width, height);
    b->cells = calloc(cells, 4);
    b->out =
        (struct radiance){.width = width, .height = height, .stride = (size_t)width, .r = planes};
    bool ok = planes && b->discs && b->cells;
    for (int i = 1, w = width, h = height; i < LEVELS && ok; i++) {
        w = (w + 1) / 2;
        h = (h + 1) / 2;
        ok = level_init(&b->level[i], w, h);
    }
    if (!ok)
        return bokeh_free(b);
    b->out.g = planes + n;
    b->out.b = planes + 2 * n;
    for (size_t k = 0; k < 3; k++)
        b->first[k] = planes + (3 + k) * n;
    b->out.touched = b->cells + cells;
    b->grown = b->cells + 2 * cells;
    b->ready = b->cells + 3 * cells;
    return b;
}

struct bokeh *bokeh_free(struct bokeh *b)
{
    if (!b)
        return NULL;
    for (int i = 1; i < LEVELS; i++)
        if (b->level[i].sum[0])
            free(b->level[i].sum[0] - 2 * b->level[i].stride - 2);
    free(b->out.r);
    discs_free(b->discs);
    free(b->cells);
    free(b);
    return NULL;
}

/* ---- smaller pictures ---- */

/* Weights of a place by its disc: 26…256. */
static uint32_t weight_of(uint16_t part)
{
    return part >= PARTS ? 256 : LIGHT + (256u - LIGHT) * part / PARTS;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* A row of a plane from x0 on; what is beyond its borders repeats them. */
static const uint16_t *row_of(const uint16_t *plane, size_t stride, int width, int height, int x0,
                              int y, int n, uint16_t *spare)
{
    y = y < 0 ? 0 : least(y, height - 1);
    const uint16_t *row = plane + (size_t)y * stride;
    if (x0 >= 0 && x0 + n <= width)
        return row + x0;
    for (int i = 0; i < n; i++)
        spare[i] = row[x0 + i < 0 ? 0 : least(x0 + i, width - 1)];
    return spare;
}

/* A box of one plane, half as large. */
static void shrink_plane(const struct kernels *k, const uint16_t *from, size_t stride, int width,
                         int height, uint16_t *to, size_t to_stride, const int box[4])
{
    uint16_t spare[4][2 * SHRUNK_AT_ONCE + 2];
    for (int y = box[1]; y < box[3]; y++)
        for (int x = box[0]; x < box[2]; x += SHRUNK_AT_ONCE) {
            int m = least(box[2] - x, SHRUNK_AT_ONCE);
            const uint16_t *row[4];
            for (int i = 0; i < 4; i++)
                row[i] = row_of(from, stride, width, height, 2 * x - 1, 2 * y - 1 + i, 2 * m + 2,
                                spare[i]) +
                         1;
            k->shrink(to + (size_t)y * to_stride + x, row, m);
        }
}

/* What of a level a cell has to do with. */
static void box_of(const struct level *l, int level, int i, int j, int ret[4])
{
    static const int margin[CELLWISE + 1] = {0, 1, 2, 2};
    int side = RADIANCE_CELL >> level, x0 = i * side - margin[level], y0 = j * side - margin[level];
    ret[0] = x0 < 0 ? 0 : x0;
    ret[1] = y0 < 0 ? 0 : y0;
    ret[2] = least((i + 1) * side + margin[level], l->width);
    ret[3] = least((j + 1) * side + margin[level], l->height);
}

static void shrink_first(struct bokeh *b, const struct kernels *k, const struct radiance *in,
                         const int box[4])
{
    struct level *l = &b->level[1];
    const uint16_t *const plane[3] = {in->r, in->g, in->b};
    for (int q = 0; q < 3; q++)
        shrink_plane(k, plane[q], in->stride, b->width, b->height, l->sum[q], l->stride, box);
    for (int y = box[1]; y < box[3]; y++) {
        const uint16_t *part = b->discs->part + (size_t)(y * 2 / BOKEH_STEP) * b->discs->stride;
        uint16_t *const row[4] = {
            l->sum[0] + (size_t)y * l->stride, l->sum[1] + (size_t)y * l->stride,
            l->sum[2] + (size_t)y * l->stride, l->sum[3] + (size_t)y * l->stride};
        for (int x = box[0]; x < box[2]; x++) {
            uint32_t w = weight_of(part[x * 2 / BOKEH_STEP]);
            for (int q = 0; q < 3; q++)
                row[q][x] = (uint16_t)((row[q][x] * w + 128) >> 8);
            row[3][x] = (uint16_t)(w * (BOKEH_WEIGHT / 256));
        }
    }
}

static void shrink_level(const struct kernels *k, const struct level *from, struct level *to,
                         const int box[4])
{
    for (int q = 0; q < 4; q++)
        shrink_plane(k, from->sum[q], from->stride, from->width, from->height, to->sum[q],
                     to->stride, box);
}

static void border_level(const struct level *l, uint16_t *plane)
{
    discs_border(plane, l->width, l->height, l->stride);
}

/* A box of a level, blurred and without its weights. */
static void blur_level(const struct kernels *k, struct level *l, int x0, int y0, int x1, int y1)
{
    x1 = least(x1, l->width);
    y1 = least(y1, l->height);
    for (int y = y0; y < y1; y++) {
        size_t at = (size_t)y * l->stride + (size_t)x0;
        const uint16_t *const from[4] = {l->sum[0] + at, l->sum[1] + at, l->sum[2] + at,
                                         l->sum[3] + at};
        uint16_t *const to[3] = {l->blurred[0] + at, l->blurred[1] + at, l->blurred[2] + at};
        k->disc21(from, l->stride, to, x1 - x0);
    }
}

/* The picture itself, blurred: a cell of it. */
static void blur_first(struct bokeh *b, const struct kernels *k, const struct radiance *in, int i,
                       int j)
{
    const uint16_t *const plane[3] = {in->r, in->g, in->b};
    int x0 = i * RADIANCE_CELL, y0 = j * RADIANCE_CELL;
    int w = least(RADIANCE_CELL, b->width - x0), h = least(RADIANCE_CELL, b->height - y0);
    uint16_t spare[(RADIANCE_CELL + 4) * (RADIANCE_CELL + 4)];
    for (int q = 0; q < 3; q++) {
        const uint16_t *from = plane[q] + (size_t)y0 * in->stride + (size_t)x0;
        size_t stride = in->stride;
        if (x0 < 2 || y0 < 2 || x0 + w + 2 > b->width || y0 + h + 2 > b->height) {
            for (int y = -2; y < h + 2; y++)
                for (int x = -2; x < w + 2; x++) {
                    int cx = x0 + x < 0 ? 0 : least(x0 + x, b->width - 1);
                    int cy = y0 + y < 0 ? 0 : least(y0 + y, b->height - 1);
                    spare[(y + 2) * (RADIANCE_CELL + 4) + x + 2] =
                        plane[q][(size_t)cy * in->stride + (size_t)cx];
                }
            stride = RADIANCE_CELL + 4;
            from = spare + 2 * stride + 2;
        }
        for (int y = 0; y < h; y++) {
            uint16_t *to = b->first[q] + (size_t)(y0 + y) * (size_t)b->width + x0;
            k->disc21_plain(from + (size_t)y * stride, stride, to, w);
        }
    }
}

/* ---- what each pixel gets ---- */

/* A cell of a blurred picture in full size. */
static void widen_cell(const struct bokeh *b, const struct kernels *k, int level, int plane, int i,
                       int j, uint16_t to[RADIANCE_CELL][RADIANCE_CELL])
{
    int x0 = i * RADIANCE_CELL, y0 = j * RADIANCE_CELL;
    if (level == 0) {
        int w = least(RADIANCE_CELL, b->width - x0), h = least(RADIANCE_CELL, b->height - y0);
        for (int y = 0; y < h; y++)
            memcpy(to[y], b->first[plane] + (size_t)(y0 + y) * (size_t)b->width + x0,
                   sizeof(uint16_t) * (size_t)w);
        return;
    }
    /* A small pixel stands in the middle of its large ones; there is one before the first. */
    const struct level *l = &b->level[level];
    int step = 1 << level, ix = (x0 + step / 2) / step - 1, skip = x0 - step / 2 - ix * step;
    int n = (skip + RADIANCE_CELL + step - 1) / step;
    n = least(n, l->width - ix); /* to the one behind the last */
    uint16_t row[RADIANCE_CELL + 2 * (1 << (LEVELS - 1))];
    for (int y = 0; y < RADIANCE_CELL && y0 + y < b->height; y++) {
        int at = 2 * (y0 + y) + 1 - step, iy = at < 0 ? -1 : at / (2 * step);
        const uint16_t *from = l->blurred[plane] + (long)iy * (long)l->stride + ix;
        k->stretch(row, from, from + l->stride, n, step, (uint32_t)(at - iy * 2 * step));
        memcpy(to[y], row + skip, sizeof(to[y]));
    }
}

/* Levels that a cell takes from. */
struct takes {
    int lowest, highest; /* lowest < 0: the picture itself; both: nothing else */
};

static struct takes takes_of(const struct bokeh *b, int i, int j)
{
    const int side = RADIANCE_CELL / BOKEH_STEP;
    int lo = 255, hi = 0;
    for (int y = j * side - 1; y <= least((j + 1) * side, b->discs->down); y++) {
        const uint16_t *row = b->discs->part + (long)y * (long)b->discs->stride;
        for (int x = i * side - 1; x <= least((i + 1) * side, b->discs->across); x++) {
            lo = row[x] < lo ? row[x] : lo;
            hi = row[x] > hi ? row[x] : hi;
        }
    }
    return (struct takes){lo / PARTS - 1, (hi + PARTS - 1) / PARTS - 1};
}

/* Parts of each pixel of a cell, straight between places. */
static void parts_of(const struct bokeh *b, const struct kernels *k, int i, int j,
                     uint16_t to[RADIANCE_CELL][RADIANCE_CELL])
{
    const int side = RADIANCE_CELL / BOKEH_STEP;
    uint16_t row[RADIANCE_CELL + BOKEH_STEP];
    for (int y = 0; y < RADIANCE_CELL && j * RADIANCE_CELL + y < b->height; y++) {
        int at = 2 * (j * RADIANCE_CELL + y) + 1 - BOKEH_STEP;
        int iy = at < 0 ? -1 : at / (2 * BOKEH_STEP);
        const uint16_t *from = b->discs->part + (long)iy * (long)b->discs->stride + i * side - 1;
        int n = least(side + 1, b->discs->across + 1 - i * side);
        k->stretch(row, from, from + b->discs->stride, n, BOKEH_STEP,
                   (uint32_t)(at - iy * 2 * BOKEH_STEP));
        memcpy(to[y], row + BOKEH_STEP / 2, sizeof(to[y]));
    }
}

static void compose(struct bokeh *b, const struct kernels *k, const struct radiance *in, int i,
                    int j, const struct takes *t)
{
    uint16_t lower[RADIANCE_CELL][RADIANCE_CELL], upper[RADIANCE_CELL][RADIANCE_CELL];
    uint16_t part[RADIANCE_CELL][RADIANCE_CELL];
    const uint16_t *const plane[3] = {in->r, in->g, in->b};
    uint16_t *const to[3] = {b->out.r, b->out.g, b->out.b};
    int x0 = i * RADIANCE_CELL, y0 = j * RADIANCE_CELL;
    int w = least(RADIANCE_CELL, b->width - x0), h = least(RADIANCE_CELL, b->height - y0);
    if (t->highest > t->lowest)
        parts_of(b, k, i, j, part);
    for (int q = 0; q < 3; q++) {
        if (t->lowest < 0)
            for (int y = 0; y < h; y++)
                memcpy(lower[y], plane[q] + (size_t)(y0 + y) * in->stride + x0,
                       sizeof(uint16_t) * (size_t)w);
        else
            widen_cell(b, k, t->lowest, q, i, j, lower);
        for (int level = t->lowest + 1; level <= t->highest; level++) {
            widen_cell(b, k, level, q, i, j, upper);
            k->between(lower[0], upper[0], part[0], level * PARTS);
        }
        for (int y = 0; y < h; y++)
            memcpy(to[q] + (size_t)(y0 + y) * b->out.stride + x0, lower[y],
                   sizeof(uint16_t) * (size_t)w);
    }
}

/* Sees to it that a level is blurred in a cell, and in those that it is widened from. */
static void want(struct bokeh *b, const struct kernels *k, const struct radiance *in, int level,
                 int i, int j)
{
    uint8_t bit = (uint8_t)(1u << level);
    if (level > CELLWISE)
        return;
    if (level == 0) {
        uint8_t *ready = &b->ready[(size_t)j * (size_t)b->across + (size_t)i];
        if (!(*ready & bit))
            blur_first(b, k, in, i, j);
        *ready |= bit;
        return;
    }
    int side = RADIANCE_CELL >> level;
    for (int y = j > 0 ? j - 1 : 0; y <= least(j + 1, b->down - 1); y++)
        for (int x = i > 0 ? i - 1 : 0; x <= least(i + 1, b->across - 1); x++) {
            uint8_t *ready = &b->ready[(size_t)y * (size_t)b->across + (size_t)x];
            if (!(*ready & bit))
                blur_level(k, &b->level[level], x * side, y * side, (x + 1) * side, (y + 1) * side);
            *ready |= bit;
        }
}

/* ---- all of it ---- */

static void grow(const struct bokeh *b, int by)
{
    memset(b->grown, 0, (size_t)b->across * (size_t)b->down);
    for (int j = 0; j < b->down; j++)
        for (int i = 0; i < b->across; i++) {
            if (!b->cells[(size_t)j * (size_t)b->across + (size_t)i])
                continue;
            int a = i > by ? i - by : 0, e = least(i + by + 1, b->across);
            for (int y = j > by ? j - by : 0; y < least(j + by + 1, b->down); y++)
                memset(b->grown + (size_t)y * (size_t)b->across + a, 1, (size_t)(e - a));
        }
}

static void bring_up(struct bokeh *b, const struct kernels *k, const struct radiance *in)
{
    /* Level by level: what is shrunk reads a little of its neighbours. */
    for (int n = 1; n <= b->deepest; n++) {
        struct level *l = &b->level[n];
        int box[4] = {0, 0, l->width, l->height};
        if (n > CELLWISE) {
            shrink_level(k, l - 1, l, box);
            continue;
        }
        for (int j = 0; j < b->down; j++)
            for (int i = 0, end; i < b->across; i = end + 1) {
                const uint8_t *row = b->cells + (size_t)j * (size_t)b->across;
                int last[4];
                for (end = i; end < b->across && row[end]; end++) {
                }
                if (end == i)
                    continue;
                box_of(l, n, i, j, box);
                box_of(l, n, end - 1, j, last);
                box[2] = last[2];
                if (n == 1)
                    shrink_first(b, k, in, box);
                else
                    shrink_level(k, l - 1, l, box);
            }
    }
    for (int n = 1; n <= b->deepest; n++)
        for (int q = 0; q < 4; q++)
            border_level(&b->level[n], b->level[n].sum[q]);
    for (int n = CELLWISE + 1; n <= b->deepest; n++) {
        blur_level(k, &b->level[n], 0, 0, b->level[n].width, b->level[n].height);
        for (int q = 0; q < 3; q++)
            border_level(&b->level[n], b->level[n].blurred[q]);
    }
    for (size_t i = 0; i < (size_t)b->across * (size_t)b->down; i++)
        b->ready[i] &= b->grown[i] ? 0 : 0xff;
}

bool bokeh_sharp(struct bokeh *b, const struct optics *o, const float *metres)
{
    bool sharp = discs_choose(b->discs, o, metres) == 0;
    b->valid = b->valid && !sharp;
    return sharp;
}

int bokeh_look(struct bokeh *b, const struct kernels *k, const struct optics *o,
               const float *metres, struct radiance *in, struct radiance **ret)
{
    int most = discs_choose(b->discs, o, metres);
    if (most == 0) {
        b->valid = false;
        *ret = in;
        return 0;
    }
    size_t cells = (size_t)b->across * (size_t)b->down;
    int deepest = (most - 1) / PARTS;
    bool all = !b->valid || b->of != in || b->out.unit != in->unit || deepest != b->deepest ||
               !in->touched;
    memset(b->cells, 1, cells);
    if (!all) {
        memcpy(b->cells, in->touched, cells);
        discs_changed(b->discs, b->cells, b->across);
    }
    discs_keep(b->discs);
    b->deepest = deepest;
    b->of = in;
    b->out.unit = in->unit;
    b->valid = true;
    if (in->touched)
        memset(in->touched, 0, cells);
    /* The disc, the box and the line reach so far in the smallest picture in use. */
    grow(b, ((5 << deepest) + RADIANCE_CELL - 1) / RADIANCE_CELL);
    bring_up(b, k, in);
    struct takes t;
    for (int pass = 0; pass < 2; pass++) {
        for (int j = 0; j < b->down; j++)
            for (int i = 0; i < b->across; i++) {
                size_t at = (size_t)j * (size_t)b->across + (size_t)i;
                if (!b->grown[at])
                    continue;
                t = takes_of(b, i, j);
                if (t.highest < 0 && !b->cells[at])
                    continue; /* sharp, and as it was */
                for (int n = t.lowest < 0 ? 0 : t.lowest; n <= t.highest && !pass; n++)
                    want(b, k, in, n, i, j);
                if (!pass)
                    continue;
                compose(b, k, in, i, j, &t);
                b->out.touched[at] = 1;
            }
        for (int n = 1; n <= CELLWISE && n <= deepest && !pass; n++)
            for (int q = 0; q < 3; q++)
                border_level(&b->level[n], b->level[n].blurred[q]);
    }
    *ret = &b->out;
    return 0;
}
