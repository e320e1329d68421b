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

/* A row of what is measured, as it was exposed. */
struct exposed {
    float c[3][MEASURE_ACROSS];
};

static void add(struct shot_light *to, int j, const struct exposed *e, float white)
{
    const float share = 1.0f / (ACROSS * DOWN);
    for (int i = 0; i < SHOT_ACROSS; i++) {
        int clipped = 0;
        for (int k = 0; k < 3; k++) {
            const float *c = &e->c[k][i * ACROSS];
            float sum = 0;
            for (int x = 0; x < ACROSS; x++)
                sum += c[x];
            to->mean[j][i][k] += sum * share;
        }
        for (int x = i * ACROSS; x < (i + 1) * ACROSS; x++)
            clipped += e->c[0][x] >= white || e->c[1][x] >= white || e->c[2][x] >= white;
        to->clipped[j][i] += (float)clipped * share;
    }
    for (int x = 0; x < MEASURE_ACROSS; x++)
        to->bin[bin_of(e->c[1][x])]++;
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

static void take(const struct radiance *l, int x, int y, struct measured_row *to, int i)
{
    const uint16_t *const plane[3] = {l->r, l->g, l->b};
    for (int k = 0; k < 3; k++)
        to->of[k][i] = plane[k][(size_t)(y - l->top) * l->stride + (size_t)x];
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
                take(l, column[i], y, &m->place[j], i);
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
                take(band, column[i], row(height, j), &m->now[j], i);
}

/* gain: light of a sample, of each. */
static void expose(const struct measured_row *m, const float gain[MEASURE_ACROSS],
                   const struct silicon *s, const int8_t *noise, struct exposed *to)
{
    const float range = (float)s->range, well = (float)(SILICON_FULL_WELL / s->amplify);
    const float read = (float)silicon_noise(s, 0) * well;
    const float shorter = well / range, inv[2] = {1 / (32 * well), 1 / (32 * shorter)};
    float sigma[MEASURE_ACROSS];
    for (int x = 0; x < MEASURE_ACROSS; x++) {
        /* The noise of green is near enough for all. */
        float green = (float)m->of[1][x] * gain[x];
        float w = green < 1 ? well : shorter;
        sigma[x] = sqrtf(green * w + read * read) * (green < 1 ? inv[0] : inv[1]);
    }
    for (int k = 0; k < 3; k++, noise += MEASURE_ACROSS)
        for (int x = 0; x < MEASURE_ACROSS; x++) {
            float c = (float)m->of[k][x] * gain[x] + sigma[x] * (float)noise[x];
            c = c < 0 ? 0 : c;
            to->c[k][x] = c > range ? range : c;
        }
}

struct shot_light *measure_light(const struct measured *m, double unit, const struct silicon *s,
                                 const float (*lit)[TONE_ACROSS], uint64_t key)
{
    struct shot_light *ret = calloc(1, sizeof(*ret));
    if (!ret)
        return NULL;
    const float per = (float)(s->light / unit), white = (float)s->range * 0.999f;
    for (int y = 0; y < MEASURE_DOWN; y++) {
        struct exposed e;
        float gain[MEASURE_ACROSS];
        for (int x = 0; x < MEASURE_ACROSS; x++)
            gain[x] = lit ? per * lit[y / DOWN][x / ACROSS] : per;
        expose(&m->now[y], gain, s, clean_samples(key + (uint64_t)y), &e);
        add(ret, y / DOWN, &e, white);
    }
    return ret;
}
