#include "device/virtual/camera/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/camera/clean.h"
#include "media/shot.h"

#define ACROSS (MEASURE_ACROSS / SHOT_ACROSS) /* pixels of a zone */
#define DOWN (MEASURE_DOWN / SHOT_DOWN)

_Static_assert(SHOT_BINS == EXPOSED_BINS, "bins are counted as they are");

/* A row of what is measured, as it was exposed. */
struct exposed {
    float c[3][MEASURE_ACROSS];
    uint8_t bin[MEASURE_ACROSS], clipped[MEASURE_ACROSS];
};

static void add(struct shot_light *to, int j, const struct exposed *e)
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
            clipped += e->clipped[x];
        to->clipped[j][i] += (float)clipped * share;
    }
    for (int x = 0; x < MEASURE_ACROSS; x++)
        to->bin[e->bin[x]]++;
}

static int column(int width, int x)
{
    return (2 * x + 1) * width / (2 * MEASURE_ACROSS);
}

static int row(int height, int y)
{
    return (2 * y + 1) * height / (2 * MEASURE_DOWN);
}

/* Those of a row that lie in cells that are not 0 (NULL: all). */
static void take(const struct measured *m, const struct radiance *l, const uint8_t *cells, int y,
                 struct measured_row *to)
{
    const size_t at = (size_t)(y - l->top) * l->stride;
    const uint16_t *const r = l->r + at, *const g = l->g + at, *const b = l->b + at;
    const int across = radiance_across(l);
    for (int cell = 0; cell < across; cell++) {
        uint64_t eight = 1;
        if (cells && cell + 8 <= across)
            memcpy(&eight, cells + cell, sizeof(eight));
        if (!eight)
            cell += 7;
        if (!eight || (cells && !cells[cell]))
            continue;
        for (int i = m->first[cell]; i < m->first[cell + 1]; i++) {
            const int x = m->column[i];
            to->of[0][i] = r[x];
            to->of[1][i] = g[x];
            to->of[2][i] = b[x];
        }
    }
}

static void find_columns(struct measured *m, int width)
{
    if (m->width == width)
        return;
    m->width = width;
    for (int i = 0; i < MEASURE_ACROSS; i++)
        m->column[i] = (uint16_t)column(width, i);
    for (int cell = 0, i = 0; cell <= MEASURE_CELLS; cell++) {
        while (i < MEASURE_ACROSS && m->column[i] < cell * RADIANCE_CELL)
            i++;
        m->first[cell] = (uint8_t)i;
    }
}

void measure_take(struct measured *m, const struct radiance *l, bool all)
{
    find_columns(m, l->width);
    for (int j = 0; j < MEASURE_DOWN; j++) {
        int y = row(l->height, j);
        const uint8_t *touched = all || !l->touched ? NULL
                                                    : l->touched + (size_t)(y / RADIANCE_CELL) *
                                                                       (size_t)radiance_across(l);
        take(m, l, touched, y, &m->place[j]);
    }
    memcpy(m->now, m->place, sizeof(m->now));
}

void measure_band(struct measured *m, const struct radiance *band, int height, const uint8_t *drawn)
{
    int j = band->top * MEASURE_DOWN / height;
    for (j = j > 0 ? j - 1 : 0; j < MEASURE_DOWN && row(height, j) < band->top + band->height; j++)
        if (row(height, j) >= band->top)
            take(m, band, drawn, row(height, j), &m->now[j]);
}

struct shot_light *measure_light(const struct measured *m, const struct kernels *kernels,
                                 double unit, const struct silicon *s,
                                 const float (*lit)[TONE_ACROSS], uint64_t key)
{
    struct shot_light *ret = calloc(1, sizeof(*ret));
    if (!ret)
        return NULL;
    const float per = (float)(s->light / unit), well = (float)(SILICON_FULL_WELL / s->amplify);
    const struct exposing how = {.well = well,
                                 .shorter = well / (float)s->range,
                                 .read = (float)silicon_noise(s, 0) * well,
                                 .range = (float)s->range,
                                 .white = (float)s->range * 0.999f};
    for (int y = 0; y < MEASURE_DOWN; y++) {
        struct exposed e;
        float gain[MEASURE_ACROSS], *const to[3] = {e.c[0], e.c[1], e.c[2]};
        const int8_t *noise = clean_samples(key + (uint64_t)y);
        const int8_t *const grain[3] = {noise, noise + MEASURE_ACROSS, noise + 2 * MEASURE_ACROSS};
        const struct measured_row *row = &m->now[y];
        const uint16_t *const of[3] = {row->of[0], row->of[1], row->of[2]};
        for (int x = 0; x < MEASURE_ACROSS; x++)
            gain[x] = lit ? per * lit[y / DOWN][x / ACROSS] : per;
        kernels->expose(&how, of, gain, grain, MEASURE_ACROSS, to, e.bin, e.clipped);
        add(ret, y / DOWN, &e);
    }
    return ret;
}
