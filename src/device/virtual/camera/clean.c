#include "device/virtual/camera/clean.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "media/picture.h"

#define NOISE (1 << 16) /* Gaussian samples; every row starts somewhere in them */
#define WIDEST 4096     /* row */

struct clean {
    int width, height;
    uint16_t *luma, *chroma[2]; /* one block */
    struct sensor_curve curve;  /* … and the picture that it was made with and of */
    const struct radiance *of;
    double unit;
};

static int8_t noise[NOISE + WIDEST];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint64_t mix64(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Sums of twelve uniform numbers are close enough to Gaussian, and the same on any machine. */
static void make_noise(void)
{
    for (int i = 0; i < NOISE; i++) {
        uint64_t a = mix64((uint64_t)i * 3), b = mix64((uint64_t)i * 3 + 1), sum = 0;
        for (int k = 0; k < 6; k++)
            sum += (a >> (10 * k) & 1023) + (b >> (10 * k) & 1023);
        double g = ((double)sum - 6138) / 1024 * 32;
        noise[i] = (int8_t)lrint(fmin(fmax(g, -127), 127));
    }
    memcpy(noise + NOISE, noise, WIDEST);
}

struct clean *clean_new(int width, int height)
{
    struct clean *c = width <= WIDEST ? calloc(1, sizeof(*c)) : NULL;
    size_t n = (size_t)width * (size_t)height;
    if (!c || !(c->luma = malloc((n + n / 2) * sizeof(*c->luma))))
        return clean_free(c);
    pthread_once(&once, make_noise);
    c->width = width;
    c->height = height;
    c->chroma[0] = c->luma + n;
    c->chroma[1] = c->chroma[0] + n / 4;
    return c;
}

struct clean *clean_free(struct clean *c)
{
    if (c)
        free(c->luma);
    free(c);
    return NULL;
}

/* ---- light becomes luma and chroma ---- */

static void develop_box(struct clean *c, const struct kernels *k, const struct radiance *l, int x,
                        int y, int w, int h)
{
    for (int y1 = y + h; y < y1; y += 2) {
        const uint16_t *in[6];
        for (int i = 0; i < 6; i++) {
            size_t at = (size_t)(y + i / 3) * l->stride + (size_t)x;
            in[i] = (i % 3 == 0 ? l->r : i % 3 == 1 ? l->g : l->b) + at;
        }
        uint16_t *luma = c->luma + (size_t)y * (size_t)c->width + x;
        size_t half = (size_t)(y / 2) * (size_t)(c->width / 2) + (size_t)x / 2;
        k->develop2(&c->curve, in, w, luma, luma + c->width, c->chroma[0] + half,
                    c->chroma[1] + half);
    }
}

void clean_develop(struct clean *c, const struct kernels *k, const struct sensor_curve *curve,
                   struct radiance *l)
{
    bool all = c->of != l || c->unit != l->unit || !l->touched ||
               memcmp(curve, &c->curve, sizeof(*curve)) != 0;
    c->of = l;
    c->unit = l->unit;
    c->curve = *curve;
    int across = radiance_across(l), down = radiance_down(l);
    for (int j = 0; j < down; j++) {
        uint8_t *row = l->touched ? l->touched + (size_t)j * (size_t)across : NULL;
        int y = j * RADIANCE_CELL;
        int h = c->height - y < RADIANCE_CELL ? c->height - y : RADIANCE_CELL;
        for (int i = 0, end; i < across; i = end) {
            for (end = i; end < across && (all || row[end]); end++) {
            }
            if (end == i) {
                end++;
                continue;
            }
            int x = i * RADIANCE_CELL, x1 = end * RADIANCE_CELL;
            develop_box(c, k, l, x, y, (x1 < c->width ? x1 : c->width) - x, h);
        }
        if (row)
            memset(row, 0, (size_t)across);
    }
}

/* ---- noise ---- */

/* Where v is the value behind the curve, √light is nearly FOOT + RISE · v. */
#define FOOT 0.0577
#define RISE 0.9423
/* What noise of a sigma of 1 in each colour gives in luma and chroma: lengths of the rows of
 * the colour matrix; four pixels share a sample of chroma. */
#define LUMA_OF_ALL (219 * 0.7496)
#define CB_OF_ALL (224 / 1.8556 * 1.1906 / 2)
#define CR_OF_ALL (224 / 1.5748 * 1.0662 / 2)

void clean_noise_of(const struct clean_noise *n, struct sensor_noise *ret)
{
    double k = 256 * DEVELOPED_STEPS * LUMA_OF_ALL / 32, dark = 16 * DEVELOPED_STEPS;
    double slope = k * n->read * RISE / (219 * DEVELOPED_STEPS);
    *ret = (struct sensor_noise){
        .most = (int16_t)lrint(k * (n->shot + n->read * (1 - FOOT)) + slope * dark),
        .slope = (int16_t)lrint(slope * 32768),
        .chroma = {(int16_t)lrint(32768 * CB_OF_ALL / LUMA_OF_ALL),
                   (int16_t)lrint(32768 * CR_OF_ALL / LUMA_OF_ALL)}};
}

void clean_print(const struct clean *c, const struct kernels *k, const struct clean_noise *n,
                 uint64_t key, bool grey, struct picture *to)
{
    struct sensor_noise s;
    clean_noise_of(n, &s);
    for (int y = 0; y < c->height; y++) {
        const uint16_t *luma = c->luma + (size_t)y * (size_t)c->width;
        k->noise_luma(&s, luma, noise + (mix64(key + (uint64_t)(y * 4)) & (NOISE - 1)), c->width,
                      to->plane[0] + (long)y * to->stride[0]);
        if (y % 2)
            continue;
        const uint16_t *chroma[2];
        const int8_t *from[2];
        uint8_t *out[2];
        for (int i = 0; i < 2; i++) {
            chroma[i] = c->chroma[i] + (size_t)(y / 2) * (size_t)(c->width / 2);
            from[i] = noise + (mix64(key + (uint64_t)(y * 4 + 1 + i)) & (NOISE - 1));
            out[i] = to->plane[i + 1] + (long)(y / 2) * to->stride[i + 1];
            if (grey)
                memset(out[i], 128, (size_t)c->width / 2);
        }
        if (!grey)
            k->noise_chroma(&s, luma, chroma, from, c->width / 2, out);
    }
    to->matrix = COLOUR_BT709;
    to->range = RANGE_LIMITED;
}
