#include "device/virtual/camera/clean.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/camera/silicon.h"
#include "media/picture.h"

#define NOISE (1 << 16) /* Gaussian samples; every row starts somewhere in them */
#define WIDEST 4096     /* row */
#define EXPECTED 40     /* cells of a band that are fetched before they are developed */
#define SEGMENT 64      /* pixels of a row whose noise has one local gain */

/* Developed rows of a picture, of which `top` is the first. */
struct developed {
    uint16_t *luma, *chroma[2];
    int top;
};

struct clean {
    int width, height;
    struct developed kept, band; /* one block: of the picture; of what is drawn over one band */
    uint8_t *old;                /* cells of which `kept` is not what is to be seen now */
    struct sensor_curve curve;   /* … and the picture that it was made with and of */
    const struct radiance *of;
    double unit;
    int across, down;          /* cells */
    struct sensor_table table; /* of the curve, unless gains are local */
    bool tabulated, grey;
    bool local;                          /* gains differ from place to place, or all are 1 */
    float stops[TONE_DOWN][TONE_ACROSS]; /* of them */
    float *knot; /* local: gains at the corners of cells of radiance, a row after the other */
    float *gain; /* … and of two rows of pixels */
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
    size_t n = (size_t)width * (size_t)height, rows = (size_t)width * RADIANCE_CELL;
    if (!c)
        return NULL;
    c->width = width;
    c->height = height;
    c->across = (width + RADIANCE_CELL - 1) / RADIANCE_CELL;
    c->down = (height + RADIANCE_CELL - 1) / RADIANCE_CELL;
    uint16_t *room = radiance_room((n + n / 2 + rows + rows / 2) * sizeof(*room));
    c->kept.luma = room;
    c->old = calloc((size_t)c->across, (size_t)c->down);
    size_t knots = (size_t)(width / RADIANCE_CELL + 2) * (size_t)(height / RADIANCE_CELL + 2);
    c->knot = malloc((knots + 2 * (size_t)width) * sizeof(*c->knot));
    if (!room || !c->old || !c->knot)
        return clean_free(c);
    c->gain = c->knot + knots;
    pthread_once(&once, make_noise);
    c->band.luma = c->kept.luma + n;
    c->kept.chroma[0] = c->band.luma + rows;
    c->kept.chroma[1] = c->kept.chroma[0] + n / 4;
    c->band.chroma[0] = c->kept.chroma[1] + n / 4;
    c->band.chroma[1] = c->band.chroma[0] + rows / 4;
    return c;
}

struct clean *clean_free(struct clean *c)
{
    if (c) {
        free(c->kept.luma);
        free(c->old);
        free(c->knot);
    }
    free(c);
    return NULL;
}

/* ---- light becomes luma and chroma ---- */

/* log2 of the gain at a place, 0…1. */
static double stops_at(const struct clean *c, double x, double y)
{
    x = fmin(fmax(x * TONE_ACROSS - 0.5, 0), TONE_ACROSS - 1.001);
    y = fmin(fmax(y * TONE_DOWN - 0.5, 0), TONE_DOWN - 1.001);
    int i = (int)x, j = (int)y;
    double fx = x - i, fy = y - j;
    const float *a = &c->stops[j][i], *b = &c->stops[j + 1][i];
    return ((double)a[0] * (1 - fx) + (double)a[1] * fx) * (1 - fy) +
           ((double)b[0] * (1 - fx) + (double)b[1] * fx) * fy;
}

static void make_knots(struct clean *c)
{
    int across = c->width / RADIANCE_CELL + 2, down = c->height / RADIANCE_CELL + 2;
    for (int j = 0; j < down; j++)
        for (int i = 0; i < across; i++)
            c->knot[j * across + i] =
                (float)exp2(stops_at(c, (double)(i * RADIANCE_CELL) / c->width,
                                     (double)(j * RADIANCE_CELL) / c->height));
}

/* Straight from knot to knot. */
static void gain_row(const struct clean *c, int y, int x, int w, float *to)
{
    int across = c->width / RADIANCE_CELL + 2;
    const float *a = c->knot + y / RADIANCE_CELL * across + x / RADIANCE_CELL, *b = a + across;
    float fy = (float)(y % RADIANCE_CELL) / RADIANCE_CELL;
    for (int i = 0; i < w; a++, b++) {
        float from = a[0] + (b[0] - a[0]) * fy, till = a[1] + (b[1] - a[1]) * fy;
        for (int k = 0; k < RADIANCE_CELL && i < w; k++, i++)
            to[i] = from + (till - from) * ((float)k / RADIANCE_CELL);
    }
}

static void develop_box(struct clean *c, const struct kernels *k, const struct radiance *l, int x,
                        int y, int w, int h, const struct developed *to)
{
    const float *const gain[2] = {c->gain, c->gain + c->width};
    const size_t at = (size_t)(y - l->top) * l->stride + (size_t)x, wide = (size_t)c->width;
    const size_t row = (size_t)(y - to->top), half = row / 2 * (wide / 2) + (size_t)x / 2;
    const uint16_t *const in[3] = {l->r + at, l->g + at, l->b + at};
    const struct developed_at out = {
        .luma = to->luma + row * wide + x,
        .chroma = {c->grey ? NULL : to->chroma[0] + half, to->chroma[1] + half},
        .stride = wide};
    if (!c->local) {
        k->develop(&c->curve, &c->table, in, l->stride, w, h, &out);
        return;
    }
    for (int i = 0; i < h; i += 2) {
        const uint16_t *two[6];
        for (int q = 0; q < 6; q++)
            two[q] = in[q % 3] + (size_t)(i + q / 3) * l->stride;
        for (int q = 0; q < 2; q++)
            gain_row(c, y + i + q, x, w, c->gain + q * c->width);
        uint16_t *luma = out.luma + (size_t)i * wide;
        const size_t below = (size_t)i / 2 * (wide / 2);
        k->develop2(&c->curve, two, gain, w, luma, luma + wide,
                    c->grey ? NULL : out.chroma[0] + below, out.chroma[1] + below);
    }
}

/* Whether gains are others than before. */
static bool take_gains(struct clean *c, const struct tone *t, bool lines)
{
    float none[TONE_DOWN][TONE_ACROSS] = {0};
    if (lines) {
        bool was = c->local;
        c->local = false;
        return was;
    }
    const void *stops = t->local ? t->stops : none;
    if (c->local && !memcmp(c->stops, stops, sizeof(c->stops)))
        return false;
    memcpy(c->stops, stops, sizeof(c->stops));
    make_knots(c);
    return c->local = true;
}

/* The planes' rows are far apart in memory: those of a band's cells are all on their way before the
 * first is developed. */
RADIANCE_FETCHES void expect_cell(const struct clean *c, const struct radiance *l, int x, int y)
{
    const uint16_t *const plane[3] = {l->r, l->g, l->b};
    for (int i = y; i < y + RADIANCE_CELL && i < l->height; i++)
        for (int k = 0; k < 3; k++)
            __builtin_prefetch(plane[k] + (size_t)i * l->stride + x);
}

void clean_begin(struct clean *c, const struct kernels *k, const struct sensor_curve *curve,
                 const struct tone *tone, bool grey, struct radiance *l)
{
    bool other = memcmp(curve, &c->curve, sizeof(*curve)) != 0;
    bool all = take_gains(c, tone, curve->lines) || other || c->of != l || c->unit != l->unit ||
               !l->touched || c->grey != grey;
    size_t cells = (size_t)c->across * (size_t)c->down;
    c->of = l;
    c->unit = l->unit;
    c->grey = grey;
    if (other) {
        c->curve = *curve;
        c->tabulated = false;
    }
    if (!c->local && !c->tabulated && k->tabulate) {
        k->tabulate(curve, &c->table);
        c->tabulated = true;
    }
    for (size_t i = 0; i < cells; i++)
        c->old[i] = all ? 1 : c->old[i] | l->touched[i];
    if (l->touched)
        memset(l->touched, 0, cells);
}

/* Which of n cells of a band are to be developed (1): from what is drawn over it (drawn: not 0), or
 * into what is kept. */
static void find_wanted(const uint8_t *old, const uint8_t *drawn, bool band, int n, uint8_t *to)
{
    for (int i = 0; i < n && band; i++)
        to[i] = drawn[i] != 0;
    for (int i = 0; i < n && !band && !drawn; i++)
        to[i] = old[i] != 0;
    for (int i = 0; i < n && !band && drawn; i++)
        to[i] = (old[i] != 0) & (drawn[i] == 0);
}

static void develop_wanted(struct clean *c, const struct kernels *k, int y,
                           const struct radiance *from, const uint8_t *want,
                           const struct developed *to)
{
    const int h = c->height - y < RADIANCE_CELL ? c->height - y : RADIANCE_CELL;
    const uint8_t *end = want + c->across;
    for (const uint8_t *p = want; (p = memchr(p, 1, (size_t)(end - p)));) {
        const uint8_t *till = memchr(p, 0, (size_t)(end + 1 - p));
        int x = (int)(p - want) * RADIANCE_CELL, x1 = (int)(till - want) * RADIANCE_CELL;
        develop_box(c, k, from, x, y, (x1 < c->width ? x1 : c->width) - x, h, to);
        p = till;
    }
}

void clean_band(struct clean *c, const struct kernels *k, int y, const struct radiance *over,
                const uint8_t *drawn)
{
    uint8_t *old = c->old + (size_t)(y / RADIANCE_CELL) * (size_t)c->across;
    uint8_t want[WIDEST / RADIANCE_CELL + 1]; /* the last is 0 */
    const uint8_t *end = want + c->across, *p = want;
    c->band.top = y;
    want[c->across] = 0;
    find_wanted(old, drawn, false, c->across, want);
    for (int n = 0; n < EXPECTED && (p = memchr(p, 1, (size_t)(end - p))); n++, p++)
        expect_cell(c, c->of, (int)(p - want) * RADIANCE_CELL, y);
    develop_wanted(c, k, y, c->of, want, &c->kept);
    for (int i = 0; i < c->across; i++)
        old[i] &= (uint8_t)(want[i] - 1); /* what has been developed is new */
    if (!drawn)
        return;
    find_wanted(old, drawn, true, c->across, want);
    develop_wanted(c, k, y, over, want, &c->band);
}

void clean_develop(struct clean *c, const struct kernels *k, const struct sensor_curve *curve,
                   const struct tone *tone, bool grey, struct radiance *l)
{
    clean_begin(c, k, curve, tone, grey, l);
    for (int y = 0; y < c->height; y += RADIANCE_CELL)
        clean_band(c, k, y, NULL, NULL);
}

/* ---- noise ---- */

const int8_t *clean_samples(uint64_t key)
{
    pthread_once(&once, make_noise);
    return noise + (mix64(key) & (NOISE - 1));
}

static const struct sensor_noise *grain_at(const struct clean *c, const struct sensor_noise *n,
                                           int x, int y)
{
    double stops = stops_at(c, (x + SEGMENT / 2.0) / c->width, (double)y / c->height);
    return &n[(int)lrint(fmin(fmax(stops * 4 + GRAIN_PLAIN, 0), GRAINS - 1))];
}

/* From a pixel of the row on. */
static struct developed_at rows_at(const struct clean *c, const struct developed *d, int x, int y,
                                   bool grey)
{
    const size_t row = (size_t)(y - d->top), wide = (size_t)c->width;
    const size_t half = row / 2 * (wide / 2) + (size_t)x / 2;
    return (struct developed_at){.luma = d->luma + row * wide + x,
                                 .chroma = {grey ? NULL : d->chroma[0] + half, d->chroma[1] + half},
                                 .stride = wide};
}

/* Each row has noise from a place of its own. */
void clean_print_rows(const struct clean *c, const struct kernels *k, const struct sensor_noise *n,
                      uint64_t key, bool grey, int y, const uint8_t *drawn, struct picture *to)
{
    static const uint64_t number[4] = {0, 4, 1, 2};
    const struct developed *const of[2] = {&c->kept, drawn ? &c->band : &c->kept};
    const int8_t *from[4];
    uint8_t *row[4] = {
        to->plane[0] + (long)y * to->stride[0], to->plane[0] + (long)(y + 1) * to->stride[0],
        to->plane[1] + (long)(y / 2) * to->stride[1], to->plane[2] + (long)(y / 2) * to->stride[2]};
    for (int i = 0; i < 4; i++)
        from[i] = noise + (mix64(key + (uint64_t)y * 4 + number[i]) & (NOISE - 1));
    for (int i = 2; i < 4 && grey; i++)
        memset(row[i], 128, (size_t)c->width / 2);
    const int step = c->local ? SEGMENT : c->width;
    for (int x = 0; x < c->width; x += step) {
        const uint8_t *which = drawn ? drawn + x / RADIANCE_CELL : NULL;
        const struct developed_at at[2] = {rows_at(c, of[0], x, y, grey),
                                           rows_at(c, of[1], x, y, grey)};
        const int8_t *const grain[4] = {from[0] + x, from[1] + x, from[2] + x / 2, from[3] + x / 2};
        uint8_t *const out[4] = {row[0] + x, row[1] + x, row[2] + x / 2, row[3] + x / 2};
        k->noise(c->local ? grain_at(c, n, x, y) : &n[GRAIN_PLAIN], at, which, grain,
                 c->width - x < step ? c->width - x : step, out);
    }
}

void clean_print(const struct clean *c, const struct kernels *k, const struct sensor_noise *n,
                 uint64_t key, bool grey, struct picture *to)
{
    for (int y = 0; y < c->height; y += 2)
        clean_print_rows(c, k, n, key, grey, y, NULL, to);
    to->matrix = COLOUR_BT709;
    to->range = RANGE_LIMITED;
}
