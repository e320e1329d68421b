#include "device/virtual/camera/mess.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "device/virtual/camera/defocus.h"
#include "device/virtual/kernels.h"

#define FIELD 4  /* pixels a step of the paint's pattern */
#define COARSE 8 /* pixels a step of the small picture */
#define LEVELS 4096
#define DROPS 48
#define PAINT_LIGHT 0.10 /* mean radiance of paint, cloth: shares of the picture's */
#define CLOTH_LIGHT 0.022
#define STEPS 32.0 /* to a factor of two, of means: light that creeps changes no pixel */

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
    uint16_t *coarse; /* the picture in little: four numbers a point */
    int coarse_width, coarse_height;
    struct defocus *defocus;
    struct drop drop[DROPS]; /* strength 0: is not there */
    uint8_t *cells;          /* of `out` that may differ from the picture before */
    const struct kernels *kernels;
    /* what is in `out`: of which picture, and how it came there */
    bool valid;
    const struct radiance *of;
    struct mess mess;
    double grey, veil[3];
};

struct pane *pane_new(uint64_t seed)
{
    struct pane *p = calloc(1, sizeof(*p));
    if (p) {
        p->seed = seed;
        p->kernels = kernels_best();
    }
    return p;
}

void pane_use(struct pane *p, const struct kernels *k)
{
    p->kernels = k;
    p->valid = false;
}

void pane_rest(struct pane *p)
{
    uint64_t seed = p->seed;
    const struct kernels *k = p->kernels;
    free(p->planes);
    free(p->field);
    free(p->paint.alpha);
    free(p->paint.shade);
    free(p->cloth.alpha);
    free(p->cloth.shade);
    free(p->coarse);
    defocus_free(p->defocus);
    *p = (struct pane){.seed = seed, .kernels = k};
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

/* Mean colour of each point of the coarse picture under a cell. */
static void shrink_cell(struct pane *p, const struct radiance *in, int i, int j)
{
    const uint16_t *plane[3] = {in->r, in->g, in->b};
    for (int y0 = j * RADIANCE_CELL; y0 < (j + 1) * RADIANCE_CELL && y0 < p->height; y0 += COARSE)
        for (int x0 = i * RADIANCE_CELL; x0 < (i + 1) * RADIANCE_CELL && x0 < p->width;
             x0 += COARSE) {
            int w = p->width - x0 < COARSE ? p->width - x0 : COARSE;
            int h = p->height - y0 < COARSE ? p->height - y0 : COARSE;
            uint16_t *to = p->coarse + 4 * ((size_t)(y0 / COARSE) * (size_t)p->coarse_width +
                                            (size_t)(x0 / COARSE));
            for (int k = 0; k < 3; k++) {
                uint32_t sum = 0;
                for (int y = 0; y < h; y++)
                    for (int x = 0; x < w; x++)
                        sum += plane[k][(size_t)(y0 + y) * in->stride + (size_t)(x0 + x)];
                to[k] = (uint16_t)(sum / (uint32_t)(w * h));
            }
            to[3] = 0;
        }
}

static void coarse_mean(const struct pane *p, double ret[3])
{
    size_t n = (size_t)p->coarse_width * (size_t)p->coarse_height;
    uint64_t sum[3] = {0};
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 3; k++)
            sum[k] += p->coarse[4 * i + (size_t)k];
    for (int k = 0; k < 3; k++)
        ret[k] = (double)sum[k] / (double)n;
}

static double in_steps(double v)
{
    return v > 0 ? exp2(round(log2(v) * STEPS) / STEPS) : 0;
}

struct box {
    int x0, y0, x1, y1;
};

static void put_layer(struct pane *p, const struct layer *l, const double colour[3],
                      const struct box *b)
{
    uint16_t *plane[3] = {p->out.r, p->out.g, p->out.b};
    for (int k = 0; k < 3; k++) {
        uint32_t c = (uint32_t)fmin(fmax(colour[k], 0), 65535);
        for (int y = b->y0; y < b->y1; y++) {
            size_t at = (size_t)y * (size_t)p->width + (size_t)b->x0;
            p->kernels->cover(plane[k] + (size_t)y * p->out.stride + b->x0, l->alpha + at,
                              l->shade + at, c, b->x1 - b->x0);
        }
    }
}

/* ---- drops ---- */

static struct box drop_box(const struct pane *p, const struct drop *d)
{
    float r = 1 / d->inv_radius;
    struct box b = {(int)fmaxf(floorf(d->x - r), 0), (int)fmaxf(floorf(d->y - r), 0),
                    (int)fminf(ceilf(d->x + r) + 1, (float)p->width),
                    (int)fminf(ceilf(d->y + r) + 1, (float)p->height)};
    return b;
}

static void put_drop(struct pane *p, const struct drop *d, const struct box *within)
{
    struct box b = drop_box(p, d);
    b.x0 = b.x0 > within->x0 ? b.x0 : within->x0;
    b.x1 = b.x1 < within->x1 ? b.x1 : within->x1;
    b.y0 = b.y0 > within->y0 ? b.y0 : within->y0;
    b.y1 = b.y1 < within->y1 ? b.y1 : within->y1;
    for (int y = b.y0; y < b.y1 && b.x0 < b.x1; y++) {
        size_t row = (size_t)y * p->out.stride;
        uint16_t *const plane[3] = {p->out.r + row, p->out.g + row, p->out.b + row};
        p->kernels->drop(d, y, b.x0, b.x1, plane);
    }
}

static double drops_amount(const struct set *s, double zoom)
{
    double much = sqrt(fmin(s->rain_mm_h / 14 + s->snow_mm_h / 40, 1));
    return zoom > 8 ? 0 : much;
}

/* The i-th place of a drop, as it is then; strength 0: none is there. */
static void find_drop(const struct pane *p, int i, const struct mess *m, double much, double zoom,
                      int64_t time_ns, struct drop *ret)
{
    uint64_t key = mix64(p->seed ^ (UINT64_C(0xd20b) + (uint64_t)i));
    int64_t life = 8 * NSEC_PER_SEC + (int64_t)(key % (uint64_t)(14 * NSEC_PER_SEC));
    int64_t since = time_ns + (int64_t)(key >> 20 & 0x3ffffffff);
    int64_t turn = since / life, born_ns = time_ns - since % life;
    double age = (double)(since % life) / 1e9, left = (double)life / 1e9 - age;
    int t = (int)(turn & 0x3fffffff);
    memset(ret, 0, sizeof(*ret));
    if (chance(key, t, 0) >= much || born_ns <= m->cleaned_ns)
        return;
    double size = chance(key, t, 1), slide = size > 0.6 ? (size - 0.6) * 0.05 * age : 0;
    double r = p->width * (0.006 + 0.015 * size * size) * sqrt(zoom);
    double x = chance(key, t, 2) * p->width, y = (chance(key, t, 3) + slide) * p->height;
    ret->x = (float)x;
    ret->y = (float)y;
    ret->inv_radius = (float)(1 / r);
    ret->strength = (float)(0.62 / sqrt(zoom) * fmin(age / 0.1, 1) * fmin(left / 2, 1));
    ret->small_x = (float)(x / COARSE);
    ret->small_y = (float)(y / COARSE);
    ret->reach = (float)(r * 3.5 / COARSE);
    ret->small = p->coarse;
    ret->width = p->coarse_width;
    ret->height = p->coarse_height;
}

static bool any_cell(const struct pane *p, const uint8_t *cells, int x0, int y0, int x1, int y1)
{
    int across = radiance_across(&p->out), down = radiance_down(&p->out);
    x0 = x0 < 0 ? 0 : x0 / RADIANCE_CELL;
    y0 = y0 < 0 ? 0 : y0 / RADIANCE_CELL;
    for (int y = y0; y <= y1 / RADIANCE_CELL && y < down; y++)
        for (int x = x0; x <= x1 / RADIANCE_CELL && x < across; x++)
            if (cells[(size_t)y * (size_t)across + (size_t)x])
                return true;
    return false;
}

/* Finds the drops of now; their cells differ where a drop or what it shows is another. */
static void find_drops(struct pane *p, const struct mess *m, double much, double zoom,
                       int64_t time_ns, const uint8_t *seen)
{
    struct radiance mark = p->out;
    mark.touched = p->cells;
    for (int i = 0; i < DROPS; i++) {
        struct drop *d = &p->drop[i], now;
        find_drop(p, i, m, much, zoom, time_ns, &now);
        int reach = (int)(now.reach + 2) * COARSE;
        bool same = !memcmp(d, &now, sizeof(now));
        if (same &&
            (!(now.strength > 0) || !any_cell(p, seen, (int)now.x - reach, (int)now.y - reach,
                                              (int)now.x + reach, (int)now.y + reach)))
            continue;
        const struct drop *both[2] = {d, &now};
        for (int k = 0; k < 2; k++)
            if (both[k]->strength > 0) {
                struct box b = drop_box(p, both[k]);
                radiance_touch(&mark, b.x0, b.y0, b.x1, b.y1);
            }
        *d = now;
    }
}

/* ---- all of it ---- */

static int prepare(struct pane *p, const struct radiance *in)
{
    if (p->width != in->width || p->height != in->height)
        pane_rest(p);
    p->width = in->width;
    p->height = in->height;
    size_t n = (size_t)p->width * (size_t)p->height;
    size_t cells = (size_t)radiance_across(in) * (size_t)radiance_down(in);
    p->coarse_width = (p->width + COARSE - 1) / COARSE;
    p->coarse_height = (p->height + COARSE - 1) / COARSE;
    if (!p->planes)
        p->planes = malloc(sizeof(*p->planes) * 3 * n + 2 * cells);
    if (!p->coarse) /* and one row and point more, which count for nothing */
        p->coarse = calloc((size_t)(p->coarse_width + 1) * (size_t)(p->coarse_height + 1),
                           4 * sizeof(*p->coarse));
    if (!p->planes || !p->coarse)
        return -ENOMEM;
    p->cells = (uint8_t *)(p->planes + 3 * n) + cells;
    if (!p->valid)
        memset(p->planes + 3 * n, 1, cells);
    p->out = (struct radiance){.width = p->width,
                               .height = p->height,
                               .stride = (size_t)p->width,
                               .r = p->planes,
                               .g = p->planes + n,
                               .b = p->planes + 2 * n,
                               .unit = in->unit,
                               .touched = p->cells - cells};
    return 0;
}

static void put_base(struct pane *p, const struct radiance *in, const struct box *b)
{
    const uint16_t *from[3] = {in->r, in->g, in->b};
    uint16_t *to[3] = {p->out.r, p->out.g, p->out.b};
    for (int k = 0; k < 3; k++)
        for (int y = b->y0; y < b->y1; y++) {
            uint16_t *row = to[k] + (size_t)y * p->out.stride + b->x0;
            if (p->mess.blur > 0)
                defocus_row(p->defocus, p->kernels, k, y, b->x0, b->x1, (uint16_t)p->veil[k], row);
            else
                memcpy(row, from[k] + (size_t)y * in->stride + b->x0,
                       sizeof(*row) * (size_t)(b->x1 - b->x0));
        }
}

static void put_all(struct pane *p, const struct radiance *in, const struct box *b)
{
    static const double red[3] = {2.2, 0.7, 0.6}, dark[3] = {0.95, 1, 1.15};
    put_base(p, in, b);
    for (int i = 0; i < DROPS; i++)
        if (p->drop[i].strength > 0)
            put_drop(p, &p->drop[i], b);
    double colour[3];
    for (int k = 0; k < 3; k++)
        colour[k] = p->grey * PAINT_LIGHT * red[k];
    if (p->mess.spray > 0)
        put_layer(p, &p->paint, colour, b);
    for (int k = 0; k < 3; k++)
        colour[k] = p->grey * CLOTH_LIGHT * dark[k];
    if (p->mess.cover > 0)
        put_layer(p, &p->cloth, colour, b);
}

/* What of the picture may differ from the last one, in p->cells; brings along all that it
 * is made of. */
static int bring_up(struct pane *p, const struct mess *m, double much, double zoom, int64_t time_ns,
                    const struct radiance *in)
{
    size_t across = (size_t)radiance_across(in), cells = across * (size_t)radiance_down(in);
    bool fresh = !p->valid || p->of != in || !in->touched || in->unit != p->out.unit;
    bool all = fresh || m->spray != p->mess.spray || m->cover != p->mess.cover ||
               (m->blur > 0) != (p->mess.blur > 0);
    int err = prepare(p, in);
    if (err)
        return err;
    if (fresh)
        memset(p->cells, 1, cells);
    else
        memcpy(p->cells, in->touched, cells);
    for (size_t i = 0; i < cells; i++)
        if (p->cells[i])
            shrink_cell(p, in, (int)(i % across), (int)(i / across));
    double mean[3], grey, veil[3] = {0};
    coarse_mean(p, mean);
    grey = m->spray > 0 || m->cover > 0
               ? in_steps(0.2126 * mean[0] + 0.7152 * mean[1] + 0.0722 * mean[2])
               : 0;
    for (int k = 0; k < 3 && m->blur > 0; k++)
        veil[k] = in_steps(mean[k]);
    all = all || grey != p->grey || memcmp(veil, p->veil, sizeof(veil)) != 0;
    p->grey = grey;
    memcpy(p->veil, veil, sizeof(veil));
    if (m->spray > 0)
        err = make_paint(p, m->spray);
    if (!err && m->cover > 0)
        err = make_cloth(p, m->cover);
    if (err)
        return err;
    const uint8_t *seen = fresh ? p->out.touched : in->touched;
    if (m->blur > 0) {
        bool first = !p->defocus;
        if (first && !(p->defocus = defocus_new(p->width, p->height)))
            return -ENOMEM;
        err = defocus_look(p->defocus, p->kernels, in, m->blur * 0.05 * p->width,
                           fresh || first || !(p->mess.blur > 0), p->cells);
    }
    find_drops(p, m, much, zoom, time_ns, seen);
    if (all)
        memset(p->cells, 1, cells);
    return err;
}

int pane_look(struct pane *p, const struct mess *m, const struct set *s, double zoom,
              int64_t time_ns, struct radiance *in, struct radiance **ret)
{
    double much = drops_amount(s, zoom);
    if (much <= 0 && m->spray <= 0 && m->cover <= 0 && m->blur <= 0) {
        p->valid = false;
        *ret = in;
        return 0;
    }
    int err = bring_up(p, m, much, zoom, time_ns, in);
    p->valid = !err;
    if (err)
        return err;
    p->of = in;
    p->mess = *m;
    int across = radiance_across(in), down = radiance_down(in);
    for (int j = 0; j < down; j++) {
        const uint8_t *row = p->cells + (size_t)j * (size_t)across;
        for (int i = 0, end; i < across; i = end + 1) {
            for (end = i; end < across && row[end]; end++) {
            }
            if (end == i)
                continue;
            int x1 = end * RADIANCE_CELL, y1 = (j + 1) * RADIANCE_CELL;
            struct box b = {i * RADIANCE_CELL, j * RADIANCE_CELL, x1 < p->width ? x1 : p->width,
                            y1 < p->height ? y1 : p->height};
            put_all(p, in, &b);
            memset(p->out.touched + (size_t)j * (size_t)across + i, 1, (size_t)(end - i));
        }
    }
    *ret = &p->out;
    return 0;
}
