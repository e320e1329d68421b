#include "device/virtual/camera/blur.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/kernels.h"
#include "device/virtual/view.h"

#define BLOCK_W 64
#define BLOCK_H 16
#define MOST_PASSES 6
#define SHORTEST 1.5 /* pixels: a smear of less is none */

struct blur {
    const struct kernels *kernels;
    uint16_t *scratch; /* one plane */
    size_t scratch_room;
    struct radiance half;
    uint16_t *half_planes;
    size_t half_room;
};

struct blur *blur_new(void)
{
    struct blur *c = calloc(1, sizeof(*c));
    if (c)
        c->kernels = kernels_best();
    return c;
}

void blur_rest(struct blur *c)
{
    free(c->scratch);
    free(c->half_planes);
    c->scratch = c->half_planes = NULL;
    c->scratch_room = c->half_room = 0;
}

struct blur *blur_free(struct blur *c)
{
    if (c)
        blur_rest(c);
    free(c);
    return NULL;
}

void blur_use(struct blur *c, const struct kernels *k)
{
    c->kernels = k;
}

/* How far what is seen at a pixel moves during the exposure, in pixels. */
static void smear_at(const struct view *mid, const struct view *start, const struct view *end,
                     double x, double y, double *ret_x, double *ret_y)
{
    struct vec ray = view_ray(mid, x, y);
    double x0, y0, x1, y1;
    *ret_x = *ret_y = 0;
    if (view_point(start, ray, &x0, &y0) && view_point(end, ray, &x1, &y1)) {
        *ret_x = x1 - x0;
        *ret_y = y1 - y0;
    }
}

double blur_length(const struct view *start, const struct view *middle, const struct view *end)
{
    double longest = 0;
    for (int i = 0; i < 9; i++) {
        double x, y;
        smear_at(middle, start, end, middle->width * (i % 3) / 2.0, middle->height * (i / 3) / 2.0,
                 &x, &y);
        longest = fmax(longest, hypot(x, y));
    }
    return longest;
}

/* `n` samples of a row from x on; those beyond the borders repeat the border's. */
static const uint16_t *samples(const uint16_t *plane, const struct radiance *r, int x, int y, int n,
                               uint16_t *spare)
{
    y = y < 0 ? 0 : y >= r->height ? r->height - 1 : y;
    const uint16_t *row = plane + (size_t)y * r->stride;
    if (x >= 0 && x + n <= r->width)
        return row + x;
    for (int i = 0; i < n; i++) {
        int at = x + i;
        spare[i] = row[at < 0 ? 0 : at >= r->width ? r->width - 1 : at];
    }
    return spare;
}

/* Mean of two copies of a plane, moved against each other by share × field. */
static void pass(const struct kernels *k, const struct radiance *r, const float (*field)[2], int nx,
                 float share, const uint16_t *from, uint16_t *to)
{
    for (int y0 = 0; y0 < r->height; y0 += BLOCK_H, field += nx)
        for (int i = 0; i < nx; i++) {
            int dx = (int)lrintf(field[i][0] * share), dy = (int)lrintf(field[i][1] * share);
            int x = i * BLOCK_W, lx = x - dx / 2, ly = dy / 2;
            int n = r->width - x < BLOCK_W ? r->width - x : BLOCK_W;
            for (int y = y0; y < y0 + BLOCK_H && y < r->height; y++) {
                uint16_t spare[2][BLOCK_W];
                k->mean2(to + (size_t)y * r->stride + x, samples(from, r, lx, y - ly, n, spare[0]),
                         samples(from, r, lx + dx, y - ly + dy, n, spare[1]), (size_t)n);
            }
        }
}

int blur_move(struct blur *c, const struct view *start, const struct view *middle,
              const struct view *end, struct radiance *into)
{
    /* Ways are longest in corners, or nearly so. */
    if (blur_length(start, middle, end) < 0.8 * SHORTEST)
        return 0;
    int nx = (into->width + BLOCK_W - 1) / BLOCK_W, ny = (into->height + BLOCK_H - 1) / BLOCK_H;
    size_t planes = into->stride * (size_t)into->height;
    if (c->scratch_room < planes) {
        free(c->scratch);
        c->scratch_room = 0;
        c->scratch = malloc(planes * sizeof(*c->scratch));
        if (!c->scratch)
            return -ENOMEM;
        c->scratch_room = planes;
    }
    float(*field)[2] = malloc(sizeof(*field) * (size_t)nx * (size_t)ny);
    if (!field)
        return -ENOMEM;
    double longest = 0;
    for (int j = 0; j < ny; j++)
        for (int i = 0; i < nx; i++) {
            double x, y;
            smear_at(middle, start, end, (i + 0.5) * BLOCK_W, (j + 0.5) * BLOCK_H, &x, &y);
            double len = hypot(x, y), most = SHORTEST * (1 << MOST_PASSES);
            double k = len > most ? most / len : 1;
            field[j * nx + i][0] = (float)(x * k);
            field[j * nx + i][1] = (float)(y * k);
            longest = fmax(longest, len * k);
        }
    int passes = 0;
    while (passes < MOST_PASSES && longest > SHORTEST * (1 << passes))
        passes++;
    uint16_t *const plane[3] = {into->r, into->g, into->b};
    if (passes)
        radiance_touch(into, 0, 0, into->width, into->height);
    for (int k = 0; k < 3 && passes; k++) {
        uint16_t *a = plane[k], *b = c->scratch;
        for (int n = passes; n >= 1; n--) {
            pass(c->kernels, into, field, nx, 1.0f / (float)(1 << n), a, b);
            uint16_t *swap = a;
            a = b;
            b = swap;
        }
        if (a != plane[k])
            memcpy(plane[k], a, planes * sizeof(*a));
    }
    free(field);
    return 0;
}

struct radiance *blur_half(struct blur *c, const struct radiance *into)
{
    int w = into->width / 2, h = into->height / 2;
    size_t stride = ((size_t)w + 2 + 31) / 32 * 32, n = stride * (size_t)h + 1;
    if (c->half_room < n) {
        free(c->half_planes);
        c->half_room = 0;
        c->half_planes = malloc(3 * n * sizeof(*c->half_planes));
        if (!c->half_planes)
            return NULL;
        c->half_room = n;
    }
    /* One sample before and one behind each row, for blur_widen(). */
    uint16_t *first = c->half_planes + 1;
    c->half = (struct radiance){
        .width = w, .height = h, .stride = stride, .r = first, .g = first + n, .b = first + 2 * n};
    return &c->half;
}

void blur_widen(struct blur *c, struct radiance *into)
{
    const struct radiance *half = &c->half;
    into->unit = half->unit;
    radiance_touch(into, 0, 0, into->width, into->height);
    uint16_t *const from[3] = {half->r, half->g, half->b};
    uint16_t *const to[3] = {into->r, into->g, into->b};
    for (int k = 0; k < 3; k++) {
        for (int y = 0; y < half->height; y++) {
            uint16_t *row = from[k] + (size_t)y * half->stride;
            row[-1] = row[0];
            row[half->width] = row[half->width - 1];
        }
        for (int y = 0; y < into->height; y++) {
            int near = y / 2, far = y & 1 ? near + 1 : near - 1;
            far = far < 0 ? 0 : far >= half->height ? half->height - 1 : far;
            c->kernels->widen(to[k] + (size_t)y * into->stride,
                              from[k] + (size_t)near * half->stride,
                              from[k] + (size_t)far * half->stride, (size_t)half->width);
        }
    }
}
