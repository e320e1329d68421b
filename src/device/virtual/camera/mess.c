#include "device/virtual/camera/mess.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define FIELD 4  /* pixels a step of the paint's pattern */
#define COARSE 8 /* pixels a step of the small picture */
#define LEVELS 4096
#define DROPS 48
#define DISC_MOST 8      /* radius in the small picture */
#define PAINT_LIGHT 0.10 /* mean radiance of paint, cloth: shares of the picture's */
#define CLOTH_LIGHT 0.022
#define UNIT_SHADE 64 /* 1.0 of shade[] */

/* A thing on the dome: where, how bright; and whose state it shows. */
struct layer {
    uint8_t *alpha, *shade; /* width × height; shade in 64ths */
    double amount;          /* of the mess for which alpha was made */
};

struct pane {
    uint64_t seed;
    int width, height; /* of what follows */
    uint16_t *planes;
    struct radiance out;
    uint16_t *field;      /* pattern of the paint */
    double level[LEVELS]; /* below which so many of its values lie, 0…1 */
    struct layer paint, cloth;
    uint16_t *coarse; /* three planes */
    int coarse_width, coarse_height;
    uint16_t *small; /* for the blur: two times three planes */
    uint32_t *sums;  /* of a row of it */
    float *acc;
    size_t small_room;
};

struct pane *pane_new(uint64_t seed)
{
    struct pane *p = calloc(1, sizeof(*p));
    if (p)
        p->seed = seed;
    return p;
}

void pane_rest(struct pane *p)
{
    uint64_t seed = p->seed;
    free(p->planes);
    free(p->field);
    free(p->paint.alpha);
    free(p->paint.shade);
    free(p->cloth.alpha);
    free(p->cloth.shade);
    free(p->coarse);
    free(p->small);
    free(p->sums);
    free(p->acc);
    *p = (struct pane){.seed = seed};
}

struct pane *pane_free(struct pane *p)
{
    if (!p)
        return NULL;
    pane_rest(p);
    free(p);
    return NULL;
}

double mess_light(const struct mess *m)
{
    double open = 1 - m->spray * (1 - PAINT_LIGHT);
    return open * (1 - m->cover) + CLOTH_LIGHT * m->cover;
}

/* ---- patterns ---- */

static uint64_t mix64(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static double chance(uint64_t key, int x, int y)
{
    uint64_t h = mix64(key ^ mix64((uint64_t)(uint32_t)x << 32 | (uint32_t)y));
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
    double a = chance(key, ix, iy), b = chance(key, ix + 1, iy);
    double c = chance(key, ix, iy + 1), d = chance(key, ix + 1, iy + 1);
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

static int make_paint(struct pane *p, double amount)
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
static int make_cloth(struct pane *p, double amount)
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

/* ---- pictures ---- */

static void cover_row(uint16_t *restrict row, const uint8_t *restrict alpha,
                      const uint8_t *restrict shade, uint32_t colour, int n)
{
    for (int x = 0; x < n; x++) {
        uint32_t a = alpha[x] + (uint32_t)(alpha[x] >> 7); /* 0…256 */
        uint32_t c = colour * shade[x] / UNIT_SHADE;
        c = c > 65535 ? 65535 : c;
        row[x] = (uint16_t)((row[x] * (256 - a) + c * a) >> 8);
    }
}

static void put_layer(struct pane *p, const struct layer *l, const double colour[3])
{
    uint16_t *plane[3] = {p->out.r, p->out.g, p->out.b};
    for (int k = 0; k < 3; k++) {
        uint32_t c = (uint32_t)fmin(fmax(colour[k], 0), 65535);
        for (int y = 0; y < p->height; y++) {
            size_t at = (size_t)y * (size_t)p->width;
            cover_row(plane[k] + (size_t)y * p->out.stride, l->alpha + at, l->shade + at, c,
                      p->width);
        }
    }
}

/* A picture of which each pixel is the mean of step × step of `in`. */
static void shrink_plane(const uint16_t *in, size_t stride, int width, int height, int step,
                         uint16_t *out, int out_width)
{
    int out_height = (height + step - 1) / step;
    for (int y = 0; y < out_height; y++)
        for (int x = 0; x < out_width; x++) {
            int x0 = x * step, x1 = x0 + step < width ? x0 + step : width;
            int y0 = y * step, y1 = y0 + step < height ? y0 + step : height;
            uint32_t sum = 0, n = (uint32_t)((x1 - x0) * (y1 - y0));
            for (int j = y0; j < y1; j++)
                for (int i = x0; i < x1; i++)
                    sum += in[(size_t)j * stride + (size_t)i];
            out[(size_t)y * (size_t)out_width + (size_t)x] = (uint16_t)(sum / n);
        }
}

static int make_coarse(struct pane *p, const struct radiance *in, double ret_mean[3])
{
    int w = (p->width + COARSE - 1) / COARSE, h = (p->height + COARSE - 1) / COARSE;
    size_t n = (size_t)w * (size_t)h;
    if (!p->coarse)
        p->coarse = malloc(sizeof(*p->coarse) * 3 * n);
    if (!p->coarse)
        return -ENOMEM;
    p->coarse_width = w;
    p->coarse_height = h;
    const uint16_t *plane[3] = {in->r, in->g, in->b};
    for (int k = 0; k < 3; k++) {
        uint64_t sum = 0;
        shrink_plane(plane[k], in->stride, p->width, p->height, COARSE, p->coarse + n * (size_t)k,
                     w);
        for (size_t i = 0; i < n; i++)
            sum += p->coarse[n * (size_t)k + i];
        ret_mean[k] = (double)sum / (double)n;
    }
    return 0;
}

static double between(const uint16_t *plane, int w, int h, double x, double y)
{
    x = fmin(fmax(x, 0), w - 1.001);
    y = fmin(fmax(y, 0), h - 1.001);
    int ix = (int)x, iy = (int)y;
    double fx = x - ix, fy = y - iy;
    int right = ix + 1 < w, down = iy + 1 < h ? w : 0;
    const uint16_t *at = plane + (size_t)iy * (size_t)w + (size_t)ix;
    double top = at[0] + (at[right] - at[0]) * fx;
    double low = at[down] + (at[down + right] - at[down]) * fx;
    return top + (low - top) * fy;
}

/* ---- drops ---- */

/* A drop is a small lens: the scene upside down in it, far out of focus. */
static void put_drop(struct pane *p, double cx, double cy, double r, double strength)
{
    uint16_t *plane[3] = {p->out.r, p->out.g, p->out.b};
    size_t n = (size_t)p->coarse_width * (size_t)p->coarse_height;
    int x0 = (int)fmax(floor(cx - r), 0), x1 = (int)fmin(ceil(cx + r), p->width - 1);
    int y0 = (int)fmax(floor(cy - r), 0), y1 = (int)fmin(ceil(cy + r), p->height - 1);
    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++) {
            double dx = (x - cx) / r, dy = (y - cy) / r, d = sqrt(dx * dx + dy * dy);
            double a = strength * smooth((1 - d) / 0.35);
            if (a <= 0)
                continue;
            double light = 1.06 + 0.3 * dy - 0.12 * d * d; /* the sky shines from below */
            for (int k = 0; k < 3; k++) {
                uint16_t *at = plane[k] + (size_t)y * p->out.stride + (size_t)x;
                double v = between(p->coarse + n * (size_t)k, p->coarse_width, p->coarse_height,
                                   (cx - dx * r * 3.5) / COARSE, (cy - dy * r * 3.5) / COARSE);
                *at = (uint16_t)fmin(*at + (v * light - *at) * a, 65535);
            }
        }
}

static double drops_amount(const struct set *s, double zoom)
{
    double much = sqrt(fmin(s->rain_mm_h / 14 + s->snow_mm_h / 40, 1));
    return zoom > 8 ? 0 : much;
}

static void put_drops(struct pane *p, const struct mess *m, double much, double zoom,
                      int64_t time_ns)
{
    double faint = 0.62 / sqrt(zoom);
    for (int i = 0; i < DROPS; i++) {
        uint64_t key = mix64(p->seed ^ (UINT64_C(0xd20b) + (uint64_t)i));
        int64_t life = 8 * NSEC_PER_SEC + (int64_t)(key % (uint64_t)(14 * NSEC_PER_SEC));
        int64_t since = time_ns + (int64_t)(key >> 20 & 0x3ffffffff);
        int64_t turn = since / life, born_ns = time_ns - since % life;
        double age = (double)(since % life) / 1e9, left = (double)life / 1e9 - age;
        int t = (int)(turn & 0x3fffffff);
        if (chance(key, t, 0) >= much || born_ns <= m->cleaned_ns)
            continue;
        double size = chance(key, t, 1), slide = size > 0.6 ? (size - 0.6) * 0.05 * age : 0;
        double r = p->width * (0.006 + 0.015 * size * size) * sqrt(zoom);
        double x = chance(key, t, 2) * p->width, y = (chance(key, t, 3) + slide) * p->height;
        put_drop(p, x, y, r, faint * fmin(age / 0.1, 1) * fmin(left / 2, 1));
    }
}

/* ---- out of focus ---- */

/* Mean over a disc around each pixel: of every row of the disc a difference of sums. Its
 * rim counts for what it covers, so that a radius between two pixels lies between. Rows are
 * padded with their last pixels, so that the inner loop has no edges. */
static void disc_plane(const uint16_t *in, uint16_t *out, uint32_t *sums, float *acc, int w, int h,
                       double r)
{
    int reach = (int)ceil(r);
    size_t stride = (size_t)(w + 2 * DISC_MOST + 2);
    double area = 0;
    for (int j = -reach; j <= reach; j++)
        area += r > abs(j) ? 2 * sqrt(r * r - j * j) + 1 : 0;
    /* sums[y][x]: of the padded row's pixels before x */
    for (int y = 0; y < h; y++) {
        const uint16_t *row = in + (size_t)y * (size_t)w;
        uint32_t *s = sums + (size_t)y * stride, sum = 0;
        for (int x = 0; x < (int)stride; x++) {
            int from = x - DISC_MOST;
            s[x] = sum;
            sum += row[from < 0 ? 0 : from >= w ? w - 1 : from];
        }
    }
    for (int y = 0; y < h; y++) {
        memset(acc, 0, sizeof(*acc) * (size_t)w);
        for (int j = -reach; j <= reach; j++) {
            if (r <= abs(j))
                continue;
            double half = sqrt(r * r - j * j);
            int k = (int)half, yy = y + j < 0 ? 0 : y + j >= h ? h - 1 : y + j;
            float rest = (float)(half - k);
            /* whole pixels k to both sides, then a part of the next ones */
            const uint32_t *a = sums + (size_t)yy * stride + DISC_MOST - k;
            const uint32_t *b = sums + (size_t)yy * stride + DISC_MOST + k + 1;
            for (int x = 0; x < w; x++) {
                uint32_t whole = b[x] - a[x], wider = b[x + 1] - a[x - 1];
                acc[x] += (float)(int32_t)whole + rest * (float)(int32_t)(wider - whole);
            }
        }
        float share = (float)(1 / area);
        for (int x = 0; x < w; x++)
            out[(size_t)y * (size_t)w + (size_t)x] = (uint16_t)(acc[x] * share);
    }
}

/* The small picture in full size again (step: a power of two), with a little of its mean
 * over all: grease veils. */
static void widen_plane(const uint16_t *small, int w, int h, int step, uint16_t *out, size_t stride,
                        int width, int height, double mean)
{
    const uint32_t whole = (uint32_t)(2 * step), veil = (uint32_t)mean;
    const int offset = step / 2; /* a small pixel stands in the middle of its large ones */
    const int bits = 2 * __builtin_ctz(whole);
    for (int y = 0; y < height; y++) {
        int at_y = 2 * (y - offset) + (step > 1), iy = at_y < 0 ? 0 : at_y / (2 * step);
        uint32_t fy = at_y < 0 || iy >= h - 1 ? 0 : (uint32_t)at_y % whole;
        iy = iy >= h ? h - 1 : iy;
        const uint16_t *a = small + (size_t)iy * (size_t)w, *b = a + (iy + 1 < h ? w : 0);
        uint16_t *row = out + (size_t)y * stride;
        for (int x = 0; x < width; x++) {
            int at_x = 2 * (x - offset) + (step > 1), ix = at_x < 0 ? 0 : at_x / (2 * step);
            uint32_t fx = at_x < 0 || ix >= w - 1 ? 0 : (uint32_t)at_x % whole;
            ix = ix >= w ? w - 1 : ix;
            int right = ix + 1 < w;
            uint32_t v = (a[ix] * (whole - fx) + a[ix + right] * fx) * (whole - fy) +
                         (b[ix] * (whole - fx) + b[ix + right] * fx) * fy;
            row[x] = (uint16_t)(((v >> bits) * 15 + veil) / 16);
        }
    }
}

static int put_blur(struct pane *p, double amount, const struct radiance *in)
{
    double r = amount * 0.05 * p->width;
    int step = 1;
    while (r / step >= DISC_MOST - 3 && step < 32) /* the disc is made in a smaller picture */
        step *= 2;
    int w = (p->width + step - 1) / step, h = (p->height + step - 1) / step;
    size_t n = (size_t)w * (size_t)h;
    if (n > p->small_room || !p->sums) {
        free(p->small);
        free(p->sums);
        p->small = malloc(sizeof(*p->small) * 2 * n);
        p->sums = malloc(sizeof(*p->sums) * (n + (size_t)h * (2 * DISC_MOST + 2)));
        p->small_room = p->small && p->sums ? n : 0;
    }
    if (!p->acc)
        p->acc = malloc(sizeof(*p->acc) * (size_t)p->width);
    if (!p->small_room || !p->acc)
        return -ENOMEM;
    const uint16_t *from[3] = {in->r, in->g, in->b};
    uint16_t *to[3] = {p->out.r, p->out.g, p->out.b};
    for (int k = 0; k < 3; k++) {
        uint64_t sum = 0;
        shrink_plane(from[k], in->stride, p->width, p->height, step, p->small, w);
        for (size_t i = 0; i < n; i++)
            sum += p->small[i];
        disc_plane(p->small, p->small + n, p->sums, p->acc, w, h, fmax(r / step, 0.01));
        widen_plane(p->small + n, w, h, step, to[k], p->out.stride, p->width, p->height,
                    (double)sum / (double)n);
    }
    return 0;
}

/* ---- all of it ---- */

static int prepare(struct pane *p, const struct radiance *in)
{
    if (p->width != in->width || p->height != in->height)
        pane_rest(p);
    p->width = in->width;
    p->height = in->height;
    size_t n = (size_t)p->width * (size_t)p->height;
    if (!p->planes)
        p->planes = malloc(sizeof(*p->planes) * 3 * n);
    if (!p->planes)
        return -ENOMEM;
    p->out = (struct radiance){.width = p->width,
                               .height = p->height,
                               .stride = (size_t)p->width,
                               .r = p->planes,
                               .g = p->planes + n,
                               .b = p->planes + 2 * n,
                               .unit = in->unit};
    return 0;
}

static void copy(struct pane *p, const struct radiance *in)
{
    const uint16_t *from[3] = {in->r, in->g, in->b};
    uint16_t *to[3] = {p->out.r, p->out.g, p->out.b};
    for (int k = 0; k < 3; k++)
        for (int y = 0; y < p->height; y++)
            memcpy(to[k] + (size_t)y * p->out.stride, from[k] + (size_t)y * in->stride,
                   sizeof(uint16_t) * (size_t)p->width);
}

int pane_look(struct pane *p, const struct mess *m, const struct set *s, double zoom,
              int64_t time_ns, struct radiance *in, struct radiance **ret)
{
    double much = drops_amount(s, zoom), mean[3];
    if (much <= 0 && m->spray <= 0 && m->cover <= 0 && m->blur <= 0) {
        *ret = in;
        return 0;
    }
    int err = prepare(p, in);
    if (!err)
        err = make_coarse(p, in, mean);
    if (!err && m->blur > 0)
        err = put_blur(p, m->blur, in);
    else if (!err)
        copy(p, in);
    if (!err && m->spray > 0)
        err = make_paint(p, m->spray);
    if (!err && m->cover > 0)
        err = make_cloth(p, m->cover);
    if (err)
        return err;
    if (much > 0)
        put_drops(p, m, much, zoom, time_ns);
    double grey = 0.2126 * mean[0] + 0.7152 * mean[1] + 0.0722 * mean[2];
    if (m->spray > 0) {
        const double red[3] = {grey * PAINT_LIGHT * 2.2, grey * PAINT_LIGHT * 0.7,
                               grey * PAINT_LIGHT * 0.6};
        put_layer(p, &p->paint, red);
    }
    if (m->cover > 0) {
        const double dark[3] = {grey * CLOTH_LIGHT * 0.95, grey * CLOTH_LIGHT,
                                grey * CLOTH_LIGHT * 1.15};
        put_layer(p, &p->cloth, dark);
    }
    *ret = &p->out;
    return 0;
}
