/* What paint and a cloth look like, for how much of the picture they cover. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/camera/mess_inside.h"

#define FIELD 4 /* pixels a step of the paint's pattern */

uint64_t pane_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

double pane_chance(uint64_t key, int x, int y)
{
    uint64_t h = pane_mix(key ^ pane_mix((uint64_t)(uint32_t)x << 32 | (uint32_t)y));
    return (double)(h >> 11) / (double)(UINT64_C(1) << 53);
}

static double smooth(double x)
{
    x = x < 0 ? 0 : x > 1 ? 1 : x;
    return x * x * (3 - 2 * x);
}

/* Even noise, 0…1, of one step a unit. */
static double noise(uint64_t key, double x, double y)
{
    int ix = (int)floor(x), iy = (int)floor(y);
    double fx = smooth(x - ix), fy = smooth(y - iy);
    double a = pane_chance(key, ix, iy), b = pane_chance(key, ix + 1, iy);
    double c = pane_chance(key, ix, iy + 1), d = pane_chance(key, ix + 1, iy + 1);
    return (a + (b - a) * fx) * (1 - fy) + (c + (d - c) * fx) * fy;
}

/* Blots with ragged edges: the paint covers where the field is low, so that more of it
 * grows what is there. */
static double field_at(uint64_t seed, double u, double v)
{
    double a = 0.8 * u - 0.6 * v, b = 0.6 * u + 0.8 * v; /* no edges along the lattice */
    return 0.52 * noise(seed, a * 2.7, b * 2.7) + 0.26 * noise(seed + 1, v * 6.3, u * 6.3) +
           0.13 * noise(seed + 2, b * 15, a * 15) + 0.09 * noise(seed + 3, a * 41, b * 41);
}

/* The field for each pixel in 16 bits, from points FIELD pixels apart; and its levels. */
static int make_field(struct pane *p)
{
    int w = (p->width + FIELD - 1) / FIELD + 1, h = (p->height + FIELD - 1) / FIELD + 1;
    uint32_t *count = calloc(LEVELS, sizeof(*count));
    double *point = malloc(sizeof(*point) * (size_t)w * (size_t)h);
    p->field = malloc(sizeof(*p->field) * (size_t)p->width * (size_t)p->height);
    if (!p->field || !count || !point) {
        free(count);
        free(point);
        free(p->field);
        p->field = NULL;
        return -ENOMEM;
    }
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            point[(size_t)y * (size_t)w + (size_t)x] =
                field_at(p->seed, (double)x * FIELD / p->height, (double)y * FIELD / p->height);
    for (int y = 0; y < p->height; y++) {
        double fy = (double)(y % FIELD) / FIELD;
        for (int x = 0; x < p->width; x++) {
            const double *g = point + (size_t)(y / FIELD) * (size_t)w + x / FIELD;
            double fx = (double)(x % FIELD) / FIELD;
            double top = g[0] + (g[1] - g[0]) * fx, low = g[w] + (g[w + 1] - g[w]) * fx;
            int v = (int)((top + (low - top) * fy) * 65536);
            v = v < 0 ? 0 : v > 65535 ? 65535 : v;
            p->field[(size_t)y * (size_t)p->width + (size_t)x] = (uint16_t)v;
            count[v / (65536 / LEVELS)]++;
        }
    }
    double total = (double)p->width * p->height, below = 0;
    int bin = 0;
    for (int i = 0; i < LEVELS; i++) {
        while (bin < LEVELS && below + count[bin] <= total * i / (LEVELS - 1))
            below += count[bin++];
        p->level[i] = (double)bin / LEVELS;
    }
    free(count);
    free(point);
    return 0;
}

static int layer_room(const struct pane *p, struct layer *l)
{
    size_t n = (size_t)p->width * (size_t)p->height;
    if (!l->alpha)
        l->alpha = malloc(n);
    if (!l->shade)
        l->shade = malloc(n);
    return l->alpha && l->shade ? 0 : -ENOMEM;
}

static uint8_t byte_of(double v)
{
    return (uint8_t)(v <= 0 ? 0 : v >= 255 ? 255 : lrint(v));
}

int make_paint(struct pane *p, double amount)
{
    struct layer *l = &p->paint;
    if (l->alpha && l->shade && l->amount == amount)
        return 0;
    int err = layer_room(p, l);
    if (!err && !p->field)
        err = make_field(p);
    if (err)
        return err;
    double limit = p->level[(int)(amount * (LEVELS - 1))], edge = 0.02;
    double all = amount > 0.995 ? 255 : 0, thin = fmin(amount * 60, 1);
    uint8_t alpha[LEVELS], shade[LEVELS];
    for (int i = 0; i < LEVELS; i++) {
        double v = (i + 0.5) / LEVELS, deep = (limit + edge - v) / (2 * edge);
        alpha[i] = byte_of(fmax(all, 252 * smooth(deep) * thin));
        /* thin at the rim, where some light comes through; else as thick as it ran */
        shade[i] = byte_of(UNIT_SHADE * (0.7 + 0.9 * fmax(0, 1.2 - deep / 4) + 0.5 * (v - 0.4)));
    }
    size_t n = (size_t)p->width * (size_t)p->height;
    for (size_t i = 0; i < n; i++) {
        l->alpha[i] = alpha[p->field[i] / (65536 / LEVELS)];
        l->shade[i] = shade[p->field[i] / (65536 / LEVELS)];
    }
    l->amount = amount;
    return 0;
}

/* Hangs down from above; folds, a coarse weave, and light that leaks in from below. */
int make_cloth(struct pane *p, double amount)
{
    struct layer *l = &p->cloth;
    if (l->alpha && l->shade && l->amount == amount)
        return 0;
    bool is_new = !l->alpha || !l->shade;
    int err = layer_room(p, l);
    if (err)
        return err;
    double soft = 0.02 * p->height, pitch = 2 * M_PI * 240 / p->width;
    uint64_t key = p->seed ^ UINT64_C(0xc107);
    for (int x = 0; x < p->width; x++) {
        double u = (double)x / p->height, fold = 0.55 + 0.9 * noise(key + 1, u * 5, 0.3);
        double leaks = 0.86 + 0.1 * noise(key + 2, u * 4, 1.5), wave = sin(pitch * x);
        for (int y = 0; is_new && y < p->height; y++) {
            double v = (double)y / p->height, leak = 2.2 * smooth((v - leaks) / 0.14);
            double weave = 1 + 0.13 * wave * sin(pitch * y);
            double bend = 0.8 + 0.4 * noise(key + 3, u * 5 + v, v * 1.7);
            l->shade[(size_t)y * (size_t)p->width + (size_t)x] =
                byte_of(UNIT_SHADE * (fold * bend * weave + leak));
        }
        double hem = p->height * (amount * 1.12 - 0.06 + 0.07 * (noise(key, u * 3, 0.5) - 0.5));
        for (int y = 0; y < p->height; y++)
            l->alpha[(size_t)y * (size_t)p->width + (size_t)x] =
                (hem - y) / soft >= 0.5    ? 255
                : (hem - y) / soft <= -0.5 ? 0
                                           : byte_of(255 * smooth((hem - y) / soft + 0.5));
    }
    l->amount = amount;
    return 0;
}
