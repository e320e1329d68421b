#include "device/virtual/camera/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/camera/clean.h"
#include "media/shot.h"

#define ACROSS (MEASURE_ACROSS / SHOT_ACROSS) /* pixels of a zone */
#define DOWN (MEASURE_DOWN / SHOT_DOWN)
#define LEAST_LOG2 (-16)

/* Quarter of a stop that a light is in. */
static int bin_of(float light)
{
    static const uint32_t quarter[3] = {0x183800, 0x3504f3, 0x5744fd}; /* 2^¼, 2^½, 2^¾ */
    uint32_t bits, rest;
    if (!(light > 0))
        return 0;
    memcpy(&bits, &light, sizeof(bits));
    rest = bits & 0x7fffff;
    int bin = ((int)(bits >> 23) - 127 - LEAST_LOG2) * 4;
    for (int i = 0; i < 3; i++)
        bin += rest >= quarter[i];
    return bin < 0 ? 0 : bin >= SHOT_BINS ? SHOT_BINS - 1 : bin;
}

static void add(struct shot_light *to, int i, int j, const float c[3], float white)
{
    const float share = 1.0f / (ACROSS * DOWN);
    for (int k = 0; k < 3; k++)
        to->mean[j][i][k] += c[k] * share;
    if (c[0] >= white || c[1] >= white || c[2] >= white)
        to->clipped[j][i] += share;
    to->bin[bin_of(c[1])]++;
}

static void find_columns(int width, int ret[MEASURE_ACROSS])
{
    for (int x = 0; x < MEASURE_ACROSS; x++)
        ret[x] = (2 * x + 1) * width / (2 * MEASURE_ACROSS);
}

static int row(int height, int y)
{
    return (2 * y + 1) * height / (2 * MEASURE_DOWN);
}

static void take(const struct radiance *l, int x, int y, uint16_t to[3])
{
    const uint16_t *const plane[3] = {l->r, l->g, l->b};
    for (int k = 0; k < 3; k++)
        to[k] = plane[k][(size_t)(y - l->top) * l->stride + (size_t)x];
}

void measure_take(struct measured *m, const struct radiance *l, bool all)
{
    int column[MEASURE_ACROSS];
    find_columns(l->width, column);
    for (int j = 0; j < MEASURE_DOWN; j++) {
        int y = row(l->height, j);
        const uint8_t *touched = all || !l->touched ? NULL
                                                    : l->touched + (size_t)(y / RADIANCE_CELL) *
                                                                       (size_t)radiance_across(l);
        for (int i = 0; i < MEASURE_ACROSS; i++)
            if (!touched || touched[column[i] / RADIANCE_CELL])
                take(l, column[i], y, m->place[j][i]);
    }
    memcpy(m->now, m->place, sizeof(m->now));
}

void measure_band(struct measured *m, const struct radiance *band, int height, const uint8_t *drawn)
{
    int column[MEASURE_ACROSS], j = 0;
    find_columns(band->width, column);
    while (j < MEASURE_DOWN && row(height, j) < band->top)
        j++;
    for (; j < MEASURE_DOWN && row(height, j) < band->top + band->height; j++)
        for (int i = 0; i < MEASURE_ACROSS; i++)
            if (drawn[column[i] / RADIANCE_CELL])
                take(band, column[i], row(height, j), m->now[j][i]);
}

struct shot_light *measure_light(const struct measured *m, double unit, const struct silicon *s,
                                 const float (*lit)[TONE_ACROSS], uint64_t key)
{
    struct shot_light *ret = calloc(1, sizeof(*ret));
    if (!ret)
        return NULL;
    const float per = (float)(s->light / unit), range = (float)s->range;
    const float white = range * 0.999f, well = (float)(SILICON_FULL_WELL / s->amplify);
    const float read = (float)silicon_noise(s, 0) * well;
    for (int y = 0; y < MEASURE_DOWN; y++) {
        const int8_t *sample = clean_samples(key + (uint64_t)y);
        for (int x = 0; x < MEASURE_ACROSS; x++) {
            const uint16_t *at = m->now[y][x];
            const float here = lit ? per * lit[y / DOWN][x / ACROSS] : per;
            /* The noise of green is near enough for all. */
            float green = (float)at[1] * here, w = green < 1 ? well : well / range, c[3];
            float sigma = sqrtf(green * w + read * read) / (32 * w);
            for (int k = 0; k < 3; k++) {
                c[k] = (float)at[k] * here + sigma * (float)*sample++;
                c[k] = c[k] < 0 ? 0 : c[k] > range ? range : c[k];
            }
            add(ret, x / ACROSS, y / DOWN, c, white);
        }
    }
    return ret;
}
