#include "device/virtual/camera/discs.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/camera/bokeh.h"
#include "device/virtual/kernels.h"

#define SHARP_PX 0.5 /* a radius below is none */
#define KERNEL_VARIANCE (34 / 21.0)
#define WIDENED 0.1875 /* of a level's pixel², mean */
/* Radii: 64 to an octave, from half a pixel on. */
#define RADIUS_BITS 17
#define RADIUS_FIRST (126 << 6)

static size_t places(const struct discs *d)
{
    return (size_t)d->across * (size_t)d->down;
}

static uint8_t part_of(const struct discs *d, double radius)
{
    double variance = radius * radius / 4;
    int i = 0;
    while (i < DISCS_LEVELS - 1 && variance >= d->most[i + 1])
        i++;
    double share = (variance - d->most[i]) / (d->most[i + 1] - d->most[i]);
    return (uint8_t)(BOKEH_PARTS * i + (int)lrint(BOKEH_PARTS * fmin(share, 1)));
}

struct discs *discs_new(int width, int height)
{
    struct discs *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->width = width;
    d->across = (width + BOKEH_STEP - 1) / BOKEH_STEP;
    d->down = (height + BOKEH_STEP - 1) / BOKEH_STEP;
    d->stride = (size_t)d->across + 4;
    d->most_part = -1;
    size_t map = d->stride * (size_t)(d->down + 4);
    d->memory = calloc(map, 2 * sizeof(*d->memory));
    d->metres = calloc(places(d) * 3, sizeof(*d->metres));
    if (!d->memory || !d->metres)
        return discs_free(d);
    d->part = d->memory + 2 * d->stride + 2;
    d->next = d->part + map;
    d->radius = d->metres + places(d);
    d->reach = d->radius + places(d);
    /* The disc, what was shrunk, and what is widened between small pixels. */
    for (int i = 0; i < DISCS_LEVELS; i++) {
        double area = (double)(1u << (2 * i));
        d->most[i + 1] = KERNEL_VARIANCE * area + (i ? (area - 1) / 4 + WIDENED * area : 0);
    }
    for (int i = 0; i < DISCS_RADII; i++)
        d->part_for[i] = part_of(d, exp2(i / 64) * (1 + (i % 64 + 0.5) / 64) / 2);
    return d;
}

struct discs *discs_free(struct discs *d)
{
    if (!d)
        return NULL;
    free(d->memory);
    free(d->metres);
    free(d);
    return NULL;
}

/* What is nearer than what is in focus spreads over what lies beside it: each place takes the
 * disc of a nearer one that reaches so far. `reach`: how far it still does. */
static void pass_on(struct discs *d, size_t to, size_t from, float way)
{
    float left = d->reach[from] - way;
    if (left > d->reach[to] && left > 0) {
        d->reach[to] = left;
        d->radius[to] = fmaxf(d->radius[to], d->radius[from]);
    }
}

static void spread_near(struct discs *d)
{
    const float side = BOKEH_STEP, corner = BOKEH_STEP * 1.41421356f;
    size_t w = (size_t)d->across, h = (size_t)d->down;
    for (size_t j = 0; j < h; j++)
        for (size_t i = 0; i < w; i++) {
            size_t at = j * w + i;
            if (i)
                pass_on(d, at, at - 1, side);
            if (j) {
                pass_on(d, at, at - w, side);
                if (i)
                    pass_on(d, at, at - w - 1, corner);
                if (i + 1 < w)
                    pass_on(d, at, at - w + 1, corner);
            }
        }
    for (size_t j = h; j-- > 0;)
        for (size_t i = w; i-- > 0;) {
            size_t at = j * w + i;
            if (i + 1 < w)
                pass_on(d, at, at + 1, side);
            if (j + 1 < h) {
                pass_on(d, at, at + w, side);
                if (i + 1 < w)
                    pass_on(d, at, at + w + 1, corner);
                if (i)
                    pass_on(d, at, at + w - 1, corner);
            }
        }
}

static uint16_t part_for(const struct discs *d, float radius)
{
    uint32_t bits;
    memcpy(&bits, &radius, sizeof(bits));
    int i = (int)(bits >> RADIUS_BITS) - RADIUS_FIRST;
    return i < 0 ? 0 : d->part_for[i < DISCS_RADII ? i : DISCS_RADII - 1];
}

/* Two samples around a picture repeat its borders. */
void discs_border(uint16_t *p, int width, int height, size_t stride)
{
    for (int y = 0; y < height; y++) {
        uint16_t *row = p + (size_t)y * stride;
        row[-1] = row[-2] = row[0];
        row[width] = row[width + 1] = row[width - 1];
    }
    for (size_t i = 1; i <= 2; i++) {
        memcpy(p - i * stride - 2, p - 2, stride * sizeof(*p));
        memcpy(p + ((size_t)height - 1 + i) * stride - 2, p + ((size_t)height - 1) * stride - 2,
               stride * sizeof(*p));
    }
}

int discs_choose(struct discs *d, const struct optics *o, const float *metres)
{
    if (d->most_part >= 0 && !memcmp(o, &d->optics, sizeof(*o)) &&
        !memcmp(metres, d->metres, sizeof(*metres) * places(d)))
        return d->most_part;
    memcpy(d->metres, metres, sizeof(*metres) * places(d));
    d->optics = *o;
    /* Radius in pixels is per · |1/focus − 1/distance|, as optics_disc() has it. */
    float focus = isinf(o->focus_m) ? 0 : (float)(1 / o->focus_m);
    struct optics unit = *o;
    unit.focus_m = INFINITY;
    double stretch = isinf(o->focus_m) ? 1 : 1 / (1 - o->focal_m / o->focus_m);
    float per = (float)(optics_disc(&unit, 1, d->width) * stretch / 2), nearest = 0;
    for (size_t i = 0; i < places(d); i++) {
        float off = 1 / metres[i] - focus; /* 1/∞ is 0 */
        d->radius[i] = per * fabsf(off);
        d->reach[i] = per * off;
    }
    for (size_t i = 0; i < places(d); i++)
        nearest = d->reach[i] > nearest ? d->reach[i] : nearest;
    if (nearest > BOKEH_STEP)
        spread_near(d);
    int most = 0;
    for (int j = 0; j < d->down; j++) {
        const float *radius = d->radius + (size_t)j * (size_t)d->across;
        uint16_t *to = d->next + (size_t)j * d->stride;
        for (int i = 0; i < d->across; i++) {
            to[i] = part_for(d, radius[i]);
            most = to[i] > most ? to[i] : most;
        }
    }
    discs_border(d->next, d->across, d->down, d->stride);
    return d->most_part = most;
}

void discs_changed(const struct discs *d, uint8_t *cells, int cells_across)
{
    const int side = RADIANCE_CELL / BOKEH_STEP;
    int last = (d->down - 1) / side;
    for (int j = 0; j < d->down; j++) {
        const uint16_t *now = d->next + (size_t)j * d->stride;
        const uint16_t *was = d->part + (size_t)j * d->stride;
        if (!memcmp(now, was, sizeof(*now) * (size_t)d->across))
            continue;
        for (int i = 0; i < d->across; i++) {
            if (now[i] == was[i])
                continue;
            /* Half of the next place is between both. */
            for (int k = 0; k < 9; k++) {
                int x = (i + k % 3 - 1 + side) / side - 1, y = (j + k / 3 - 1 + side) / side - 1;
                if (x >= 0 && y >= 0 && x < cells_across && y <= last)
                    cells[(size_t)y * (size_t)cells_across + (size_t)x] = 1;
            }
        }
    }
}

void discs_keep(struct discs *d)
{
    /* Both are the same afterwards: the next choice may be the same again. */
    size_t map = d->stride * (size_t)(d->down + 4);
    memcpy(d->part - 2 * d->stride - 2, d->next - 2 * d->stride - 2, map * sizeof(*d->part));
}
