#include "device/virtual/camera/defocus.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/kernels.h"

#define MOST_STEP RADIANCE_CELL /* of the smaller picture in which large discs are made */
#define MOST_REACH 7            /* of a disc in there, in pixels */
#define SHRINK_FROM 5           /* a radius that is made in a smaller picture still */
#define BOX_ROWS (RADIANCE_CELL + 2 * MOST_REACH)

struct defocus {
    int width, height, across, down; /* the last in cells */
    double radius;                   /* of the last look; below 0: none */
    int step, reach;                 /* pixels to one of the small picture; of the disc in it */
    double r;
    int w, h;
    size_t stride;
    uint16_t *small[3];   /* NULL where step is 1: the picture itself */
    uint16_t *blurred[3]; /* one more pixel at both sides, as its neighbour */
    uint16_t *memory;
    size_t room;
    uint32_t *sums; /* BOX_ROWS rows */
    float *acc;
    uint16_t *row;
    uint8_t *grown, *changed; /* cells */
};

struct defocus *defocus_new(int width, int height)
{
    struct defocus *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->width = width;
    d->height = height;
    d->across = (width + RADIANCE_CELL - 1) / RADIANCE_CELL;
    d->down = (height + RADIANCE_CELL - 1) / RADIANCE_CELL;
    d->radius = -1;
    size_t cells = (size_t)d->across * (size_t)d->down, wide = (size_t)width + 4 * MOST_STEP;
    d->sums = malloc(sizeof(*d->sums) * BOX_ROWS * wide);
    d->acc = malloc(sizeof(*d->acc) * wide);
    d->row = malloc(sizeof(*d->row) * wide);
    d->grown = malloc(cells);
    d->changed = malloc(cells);
    if (!d->sums || !d->acc || !d->row || !d->grown || !d->changed)
        return defocus_free(d);
    return d;
}

struct defocus *defocus_free(struct defocus *d)
{
    if (!d)
        return NULL;
    free(d->memory);
    free(d->sums);
    free(d->acc);
    free(d->row);
    free(d->grown);
    free(d->changed);
    free(d);
    return NULL;
}

static int set_radius(struct defocus *d, double radius)
{
    d->step = 1;
    while (radius / d->step >= SHRINK_FROM && d->step < MOST_STEP)
        d->step *= 2;
    d->radius = radius;
    d->r = fmin(fmax(radius / d->step, 0.01), MOST_REACH);
    d->reach = (int)ceil(d->r);
    d->w = (d->width + d->step - 1) / d->step;
    d->h = (d->height + d->step - 1) / d->step;
    d->stride = (size_t)d->w + 2;
    size_t plane = d->stride * (size_t)d->h, n = plane * (d->step > 1 ? 6 : 3);
    if (n > d->room) {
        free(d->memory);
        d->memory = malloc(n * sizeof(*d->memory));
        d->room = d->memory ? n : 0;
    }
    if (!d->memory) {
        d->radius = -1;
        return -ENOMEM;
    }
    for (size_t k = 0; k < 3; k++) {
        d->blurred[k] = d->memory + k * plane + 1;
        d->small[k] = d->step > 1 ? d->memory + (k + 3) * plane : NULL;
    }
    return 0;
}

/* Each small pixel of a cell the mean of those under it. */
static void shrink_cell(struct defocus *d, int plane, const uint16_t *in, size_t stride, int i,
                        int j)
{
    int x0 = i * RADIANCE_CELL, y0 = j * RADIANCE_CELL, step = d->step;
    int w = d->width - x0 < RADIANCE_CELL ? d->width - x0 : RADIANCE_CELL;
    for (int sy = y0 / step; sy < d->h && sy * step < y0 + RADIANCE_CELL; sy++) {
        uint32_t sum[RADIANCE_CELL] = {0};
        int rows = d->height - sy * step < step ? d->height - sy * step : step;
        for (int y = 0; y < rows; y++) {
            const uint16_t *row = in + (size_t)(sy * step + y) * stride + x0;
            for (int x = 0; x < w; x++)
                sum[x] += row[x];
        }
        uint16_t *to = d->small[plane] + (size_t)sy * d->stride + x0 / step;
        for (int x = 0; x < w; x += step, to++) {
            int columns = w - x < step ? w - x : step;
            uint32_t all = 0;
            for (int k = 0; k < columns; k++)
                all += sum[x + k];
            *to = (uint16_t)(all / (uint32_t)(columns * rows));
        }
    }
}

static int inside(int v, int most)
{
    return v < 0 ? 0 : v > most ? most : v;
}

/* sums[x]: of the row's pixels before x, where 0 is `before` pixels left of x0; beyond its
 * ends a row goes on as it is there. */
static void sum_row(const uint16_t *row, int w, int first, int n, uint32_t *sums)
{
    uint32_t sum = 0;
    for (int t = 0; t < n; t++) {
        sums[t] = sum;
        sum += row[inside(first + t, w - 1)];
    }
}

/* The discs of a run of cells of one row of cells; tells which of them have changed. */
static void blur_run(struct defocus *d, const struct kernels *k, const struct radiance *in, int i0,
                     int i1, int j)
{
    int side = RADIANCE_CELL / d->step, reach = d->reach, before = reach + 1;
    int x0 = i0 * side, x1 = inside(i1 * side, d->w), y0 = j * side, y1 = inside(y0 + side, d->h);
    int n = x1 - x0, wide = n + 2 * reach + 4;
    const uint16_t *const whole[3] = {in->r, in->g, in->b};
    double area = 0;
    for (int q = -reach; q <= reach; q++)
        area += d->r > abs(q) ? 2 * sqrt(d->r * d->r - q * q) + 1 : 0;
    float share = (float)(1 / area);
    for (int plane = 0; plane < 3; plane++) {
        const uint16_t *from = d->step > 1 ? d->small[plane] : whole[plane];
        size_t stride = d->step > 1 ? d->stride : in->stride;
        for (int y = y0 - reach; y < y1 + reach; y++)
            sum_row(from + (size_t)inside(y, d->h - 1) * stride, d->w, x0 - before, wide,
                    d->sums + (size_t)(y - y0 + reach) * (size_t)wide);
        for (int y = y0; y < y1; y++) {
            memset(d->acc, 0, sizeof(*d->acc) * (size_t)n);
            for (int q = -reach; q <= reach; q++) {
                if (d->r <= abs(q))
                    continue;
                double half = sqrt(d->r * d->r - q * q);
                int full = (int)half;
                /* whole pixels to both sides, then a part of the next ones */
                const uint32_t *s = d->sums + (size_t)(y + q - y0 + reach) * (size_t)wide + before;
                k->disc(d->acc, s - full, s + full + 1, (float)(half - full), n);
            }
            for (int x = 0; x < n; x++)
                d->row[x] = (uint16_t)(d->acc[x] * share);
            uint16_t *to = d->blurred[plane] + (size_t)y * d->stride;
            for (int i = i0; i < i1; i++) {
                int a = i * side, b = inside(a + side, d->w);
                size_t bytes = sizeof(*to) * (size_t)(b - a);
                if (memcmp(to + a, d->row + (a - x0), bytes) != 0)
                    d->changed[(size_t)j * (size_t)d->across + (size_t)i] = 1;
                memcpy(to + a, d->row + (a - x0), bytes);
            }
            to[-1] = to[0];
            to[d->w] = to[d->w - 1];
        }
    }
}

/* Cells that have a set one so near. */
static void grow(const struct defocus *d, const uint8_t *from, int by, uint8_t *to)
{
    size_t across = (size_t)d->across;
    memset(to, 0, across * (size_t)d->down);
    for (int j = 0; j < d->down; j++)
        for (int i = 0; i < d->across; i++) {
            if (!from[(size_t)j * across + (size_t)i])
                continue;
            int i0 = inside(i - by, d->across), i1 = inside(i + by + 1, d->across);
            for (int y = inside(j - by, d->down); y < inside(j + by + 1, d->down); y++)
                memset(to + (size_t)y * across + i0, 1, (size_t)(i1 - i0));
        }
}

int defocus_look(struct defocus *d, const struct kernels *k, const struct radiance *in,
                 double radius, bool all, uint8_t *cells)
{
    size_t across = (size_t)d->across, n = across * (size_t)d->down;
    if (radius != d->radius) {
        int err = set_radius(d, radius);
        if (err)
            return err;
        all = true;
    }
    if (all)
        memset(cells, 1, n);
    const uint16_t *const plane[3] = {in->r, in->g, in->b};
    for (int j = 0; j < d->down && d->step > 1; j++)
        for (int i = 0; i < d->across; i++)
            for (int q = 0; q < 3 && cells[(size_t)j * across + (size_t)i]; q++)
                shrink_cell(d, q, plane[q], in->stride, i, j);
    grow(d, cells, (d->reach * d->step + RADIANCE_CELL - 1) / RADIANCE_CELL, d->grown);
    memset(d->changed, 0, n);
    for (int j = 0; j < d->down; j++) {
        const uint8_t *row = d->grown + (size_t)j * across;
        for (int i = 0, end; i < d->across; i = end + 1) {
            for (end = i; end < d->across && row[end]; end++) {
            }
            if (end > i)
                blur_run(d, k, in, i, end, j);
        }
    }
    if (!all)
        grow(d, d->changed, d->step > 1, cells);
    return 0;
}

void defocus_row(const struct defocus *d, const struct kernels *k, int plane, int y, int x0, int x1,
                 uint16_t veil, uint16_t *to)
{
    int step = d->step, at_y = 2 * (y - step / 2) + 1;
    if (step == 1) {
        const uint16_t *row = d->blurred[plane] + (size_t)y * d->stride;
        for (int x = x0; x < x1; x++)
            to[x - x0] = (uint16_t)((row[x] * 15u + veil) >> 4);
        return;
    }
    /* A small pixel stands in the middle of its large ones. */
    int iy = at_y < 0 ? -1 : at_y / (2 * step), fy = at_y - iy * 2 * step;
    const uint16_t *a = d->blurred[plane] + (size_t)inside(iy, d->h - 1) * d->stride;
    const uint16_t *b = d->blurred[plane] + (size_t)inside(iy + 1, d->h - 1) * d->stride;
    int i0 = (x0 - step / 2 + step) / step - 1, i1 = (x1 - step / 2 + step - 1) / step;
    i1 = i1 > d->w ? d->w : i1;
    k->spread(d->row, a + i0, b + i0, i1 - i0, step, (uint32_t)fy, veil);
    memcpy(to, d->row + (x0 - (step / 2 + i0 * step)), sizeof(*to) * (size_t)(x1 - x0));
}
