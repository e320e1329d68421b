#include "device/virtual/camera/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/camera/clean.h"
#include "media/shot.h"

#define ACROSS 5 /* pixels of a zone */
#define DOWN 4
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

struct shot_light *measure_light(const struct radiance *l, const struct silicon *s,
                                 const float (*lit)[TONE_ACROSS], uint64_t key)
{
    struct shot_light *ret = calloc(1, sizeof(*ret));
    if (!ret)
        return NULL;
    const uint16_t *const plane[3] = {l->r, l->g, l->b};
    const float per = (float)(s->light / l->unit), range = (float)s->range;
    const float white = range * 0.999f, well = (float)(SILICON_FULL_WELL / s->amplify);
    const float read = (float)silicon_noise(s, 0) * well;
    size_t column[SHOT_ACROSS * ACROSS];
    for (int x = 0; x < SHOT_ACROSS * ACROSS; x++)
        column[x] = (size_t)((2 * x + 1) * l->width / (2 * SHOT_ACROSS * ACROSS));
    for (int y = 0; y < SHOT_DOWN * DOWN; y++) {
        size_t row = (size_t)((2 * y + 1) * l->height / (2 * SHOT_DOWN * DOWN)) * l->stride;
        const int8_t *sample = clean_samples(key + (uint64_t)y);
        for (int x = 0; x < SHOT_ACROSS * ACROSS; x++) {
            size_t at = row + column[x];
            const float here = lit ? per * lit[y / DOWN][x / ACROSS] : per;
            /* The noise of green is near enough for all. */
            float green = (float)plane[1][at] * here, w = green < 1 ? well : well / range, c[3];
            float sigma = sqrtf(green * w + read * read) / (32 * w);
            for (int k = 0; k < 3; k++) {
                c[k] = (float)plane[k][at] * here + sigma * (float)*sample++;
                c[k] = c[k] < 0 ? 0 : c[k] > range ? range : c[k];
            }
            add(ret, x / ACROSS, y / DOWN, c, white);
        }
    }
    return ret;
}
