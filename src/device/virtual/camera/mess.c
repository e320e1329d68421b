#include "device/virtual/camera/mess.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "device/virtual/camera/defocus.h"
#include "device/virtual/camera/mess_inside.h"

#define COARSE RASTER_SMALL /* pixels a step of the small picture */
#define PAINT_LIGHT 0.10    /* mean radiance of paint, cloth: shares of the picture's */
#define CLOTH_LIGHT 0.022
#define UNSURE_PX 0.02f /* of where a drop ends, as it is rounded */
#define STEPS 32.0      /* to a factor of two, of means: light that creeps changes no pixel */

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
    free(p->small);
    free(p->old);
    free(p->aside);
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
            bool whole = w == COARSE && h == COARSE;
            uint16_t *to = p->coarse + 4 * ((size_t)(y0 / COARSE) * (size_t)p->coarse_width +
                                            (size_t)(x0 / COARSE));
            for (int k = 0; k < 3; k++) {
                size_t at = (size_t)y0 * in->stride + (size_t)x0;
                uint32_t sum = whole ? p->kernels->sum8(plane[k] + at, in->stride) : 0;
                for (int y = 0; y < h && !whole; y++)
                    for (int x = 0; x < w; x++)
                        sum += plane[k][(size_t)(y0 + y) * in->stride + (size_t)(x0 + x)];
                to[k] = (uint16_t)(sum / (uint32_t)(w * h));
            }
            to[3] = 0;
        }
}

/* Brings the coarse picture along where cells are old, in a box of pixels. */
static void bring_coarse(struct pane *p, const struct radiance *in, int x0, int y0, int x1, int y1)
{
    int across = radiance_across(in), down = radiance_down(in);
    int i0 = x0 < 0 ? 0 : x0 / RADIANCE_CELL, j0 = y0 < 0 ? 0 : y0 / RADIANCE_CELL;
    for (int j = j0; j <= y1 / RADIANCE_CELL && j < down; j++)
        for (int i = i0; i <= x1 / RADIANCE_CELL && i < across; i++) {
            uint8_t *old = &p->old[(size_t)j * (size_t)across + (size_t)i];
            if (*old)
                shrink_cell(p, in, i, j);
            *old = 0;
        }
}

/* … and copies that to `small`; the rest of it nobody looks at. */
static void copy_coarse(struct pane *p, int x0, int y0, int x1, int y1)
{
    int i0 = x0 < 0 ? 0 : x0 / COARSE, i1 = x1 / COARSE, j0 = y0 < 0 ? 0 : y0 / COARSE;
    i1 = i1 < p->coarse_width - 1 ? i1 : p->coarse_width - 1;
    for (int j = j0; j <= y1 / COARSE && j < p->coarse_height && i0 <= i1; j++) {
        size_t at = 4 * ((size_t)j * (size_t)p->coarse_width + (size_t)i0);
        memcpy(p->small + at, p->coarse + at, 4 * (size_t)(i1 - i0 + 1) * sizeof(*p->small));
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
    if (!(d->strength > 0))
        return (struct box){0};
    float r = 1 / d->inv_radius;
    struct box b = {(int)fmaxf(floorf(d->x - r), 0), (int)fmaxf(floorf(d->y - r), 0),
                    (int)fminf(ceilf(d->x + r) + 1, (float)p->width),
                    (int)fminf(ceilf(d->y + r) + 1, (float)p->height)};
    return b;
}

static void put_drop(const struct pane *p, struct radiance *to, const struct drop *d,
                     const struct box *within)
{
    struct box b = drop_box(p, d);
    b.y0 = b.y0 > within->y0 ? b.y0 : within->y0;
    b.y1 = b.y1 < within->y1 ? b.y1 : within->y1;
    if (b.y0 < b.y1)
        p->kernels->drop(d, b.y0, b.y1, within->x0, within->x1, to);
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
    uint64_t key = pane_mix(p->seed ^ (UINT64_C(0xd20b) + (uint64_t)i));
    int64_t life = 8 * NSEC_PER_SEC + (int64_t)(key % (uint64_t)(14 * NSEC_PER_SEC));
    int64_t since = time_ns + (int64_t)(key >> 20 & 0x3ffffffff);
    int64_t turn = since / life, born_ns = time_ns - since % life;
    double age = (double)(since % life) / 1e9, left = (double)life / 1e9 - age;
    int t = (int)(turn & 0x3fffffff);
    memset(ret, 0, sizeof(*ret));
    if (pane_chance(key, t, 0) >= much || born_ns <= m->cleaned_ns)
        return;
    double size = pane_chance(key, t, 1), slide = size > 0.6 ? (size - 0.6) * 0.05 * age : 0;
    double r = p->width * (0.006 + 0.015 * size * size) * sqrt(zoom);
    double x = pane_chance(key, t, 2) * p->width, y = (pane_chance(key, t, 3) + slide) * p->height;
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

static bool any_cell(const struct pane *p, const uint8_t *cells, const struct drop *d)
{
    int across = radiance_across(&p->out), down = radiance_down(&p->out);
    int reach = (int)(d->reach + 2) * COARSE, x = (int)d->x, y = (int)d->y;
    int i0 = x < reach ? 0 : (x - reach) / RADIANCE_CELL;
    int j0 = y < reach ? 0 : (y - reach) / RADIANCE_CELL;
    for (int j = j0; j <= (y + reach) / RADIANCE_CELL && j < down; j++)
        for (int i = i0; i <= (x + reach) / RADIANCE_CELL && i < across; i++)
            if (cells[(size_t)j * (size_t)across + (size_t)i])
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
        bool same = !memcmp(d, &now, sizeof(now));
        if (same && (!(now.strength > 0) || !any_cell(p, seen, &now)))
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

/* Copies the part of a picture under a drop to or from where it is put aside; returns how
 * many samples. */
static size_t swap_aside(const struct pane *p, const struct drop *d, uint16_t *aside, bool back)
{
    struct radiance *l = p->under;
    struct box b = drop_box(p, d);
    uint16_t *const plane[3] = {l->r, l->g, l->b};
    size_t n = 0, w = b.x1 > b.x0 ? (size_t)(b.x1 - b.x0) : 0;
    for (int k = 0; k < 3 && w; k++)
        for (int y = b.y0; y < b.y1; y++, n += w) {
            uint16_t *row = plane[k] + (size_t)y * l->stride + b.x0;
            memcpy(back ? row : aside + n, back ? aside + n : row, w * sizeof(*row));
        }
    if (n)
        radiance_touch(l, b.x0, b.y0, b.x1, b.y1);
    return n;
}

void pane_restore(struct pane *p)
{
    size_t at[DROPS], n = 0;
    if (!p->under)
        return;
    for (int i = 0; i < DROPS; i++) {
        struct box b = drop_box(p, &p->drop[i]);
        at[i] = n;
        if (p->drop[i].strength > 0 && b.x1 > b.x0 && b.y1 > b.y0)
            n += 3 * (size_t)(b.x1 - b.x0) * (size_t)(b.y1 - b.y0);
    }
    for (int i = DROPS - 1; i >= 0; i--) /* the last first: they may lie over each other */
        if (p->drop[i].strength > 0)
            swap_aside(p, &p->drop[i], p->aside + at[i], true);
    p->under = NULL;
}

/* Drops and nothing else: they are laid over the picture itself. */
static int lay_drops(struct pane *p, const struct mess *m, double much, double zoom,
                     int64_t time_ns, struct radiance *in)
{
    size_t n = 0;
    for (int i = 0; i < DROPS; i++) {
        struct drop *d = &p->drop[i];
        find_drop(p, i, m, much, zoom, time_ns, d);
        if (!(d->strength > 0))
            continue;
        struct box b = drop_box(p, d);
        int reach = (int)(d->reach + 2) * COARSE, x = (int)d->x, y = (int)d->y;
        if (b.x1 <= b.x0 || b.y1 <= b.y0)
            continue;
        n += 3 * (size_t)(b.x1 - b.x0) * (size_t)(b.y1 - b.y0);
        bring_coarse(p, in, x - reach, y - reach, x + reach, y + reach);
    }
    if (n > p->aside_room) {
        free(p->aside);
        p->aside = malloc((n + n / 4) * sizeof(*p->aside));
        p->aside_room = p->aside ? n + n / 4 : 0;
    }
    if (n && !p->aside)
        return -ENOMEM;
    p->under = in;
    n = 0;
    const struct box whole = {0, 0, p->width, p->height};
    for (int i = 0; i < DROPS; i++)
        if (p->drop[i].strength > 0) {
            n += swap_aside(p, &p->drop[i], p->aside + n, false);
            put_drop(p, in, &p->drop[i], &whole);
        }
    return 0;
}

/* ---- all of it ---- */

/* What all looks need: how large, and the coarse picture; which of it is old. */
static int prepare(struct pane *p, const struct radiance *in, bool bands)
{
    if (p->width != in->width || p->height != in->height)
        pane_rest(p);
    p->width = in->width;
    p->height = in->height;
    size_t cells = (size_t)radiance_across(in) * (size_t)radiance_down(in);
    p->coarse_width = (p->width + COARSE - 1) / COARSE;
    p->coarse_height = (p->height + COARSE - 1) / COARSE;
    if (!p->coarse) /* and one row and point more, which count for nothing */
        p->coarse = calloc((size_t)(p->coarse_width + 1) * (size_t)(p->coarse_height + 1),
                           4 * sizeof(*p->coarse));
    if (!p->old)
        p->old = malloc(cells);
    if (!p->coarse || !p->old)
        return -ENOMEM;
    bool fresh = !p->known || p->of != in || !in->touched || p->bands != bands;
    p->bands = bands;
    for (size_t i = 0; i < cells; i++)
        p->old[i] = fresh ? 1 : p->old[i] | in->touched[i];
    p->of = in;
    p->known = true;
    return 0;
}

/* A picture of the pane's own. */
static int prepare_out(struct pane *p, const struct radiance *in)
{
    size_t n = (size_t)p->width * (size_t)p->height;
    size_t cells = (size_t)radiance_across(in) * (size_t)radiance_down(in);
    if (!p->planes)
        p->planes = radiance_room(sizeof(*p->planes) * 3 * n + 2 * cells);
    if (!p->planes)
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
            put_drop(p, &p->out, &p->drop[i], b);
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
    bool fresh = !p->valid || p->out_of != in || !in->touched || in->unit != p->out.unit;
    bool all = fresh || m->spray != p->mess.spray || m->cover != p->mess.cover ||
               (m->blur > 0) != (p->mess.blur > 0);
    int err = prepare_out(p, in);
    if (err)
        return err;
    if (fresh)
        memset(p->cells, 1, cells);
    else
        memcpy(p->cells, in->touched, cells);
    bring_coarse(p, in, 0, 0, p->width - 1, p->height - 1);
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

bool pane_bare(const struct mess *m)
{
    return m->spray <= 0 && m->cover <= 0 && m->blur <= 0;
}

int pane_look(struct pane *p, const struct mess *m, const struct set *s, double zoom,
              int64_t time_ns, struct radiance *in, struct radiance **ret)
{
    double much = drops_amount(s, zoom);
    bool bare = pane_bare(m);
    if (bare) {
        p->valid = false;
        *ret = in;
        p->known = p->known && much > 0;
        if (much <= 0)
            return 0;
    }
    int err = prepare(p, in, false);
    if (err)
        return err;
    if (bare)
        return lay_drops(p, m, much, zoom, time_ns, in);
    err = bring_up(p, m, much, zoom, time_ns, in);
    p->valid = !err;
    if (err)
        return err;
    p->out_of = in;
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

/* ---- in bands ---- */

int pane_prepare(struct pane *p, const struct set *s, const struct mess *m, double zoom,
                 int64_t time_ns, const struct radiance *place, struct raster_small *ret_small)
{
    double much = drops_amount(s, zoom);
    *ret_small = (struct raster_small){0};
    p->valid = false;
    p->known = p->known && much > 0;
    memset(p->drop, 0, sizeof(p->drop));
    if (much <= 0)
        return 0;
    int err = prepare(p, place, true);
    if (err)
        return err;
    size_t n = 4 * (size_t)(p->coarse_width + 1) * (size_t)(p->coarse_height + 1);
    if (!p->small && !(p->small = calloc(n, sizeof(*p->small))))
        return -ENOMEM;
    for (int i = 0; i < DROPS; i++) {
        struct drop *d = &p->drop[i];
        find_drop(p, i, m, much, zoom, time_ns, d);
        d->small = p->small;
        int reach = (int)(d->reach + 2) * COARSE, x = (int)d->x, y = (int)d->y;
        if (!(d->strength > 0))
            continue;
        bring_coarse(p, place, x - reach, y - reach, x + reach, y + reach);
        copy_coarse(p, x - reach, y - reach, x + reach, y + reach);
    }
    *ret_small = (struct raster_small){p->small, p->coarse_width, p->coarse_height};
    return 0;
}

/* How far a drop's middle is from the nearest row of a band, in its radii. */
static float off_band(const struct drop *d, int y)
{
    float off = fmaxf((float)y - d->y, d->y - (float)(y + RADIANCE_CELL - 1));
    return fmaxf(off, 0) * d->inv_radius;
}

void pane_mark(const struct pane *p, int y, uint8_t *cells)
{
    const float most = (float)(p->width - 1);
    for (int i = 0; i < DROPS; i++) {
        const struct drop *d = &p->drop[i];
        float dy = off_band(d, y);
        if (!(d->strength > 0) || dy >= 1)
            continue;
        float half = sqrtf(1 - dy * dy) / d->inv_radius + UNSURE_PX;
        int first = (int)ceilf(fmaxf(d->x - half, 0)), last = (int)fminf(d->x + half, most);
        if (first <= last)
            memset(cells + first / RADIANCE_CELL, 1,
                   (size_t)(last / RADIANCE_CELL - first / RADIANCE_CELL + 1));
    }
}

void pane_lay(const struct pane *p, struct radiance *band)
{
    const struct box rows = {0, band->top, p->width, band->top + band->height};
    for (int i = 0; i < DROPS; i++)
        if (p->drop[i].strength > 0 && off_band(&p->drop[i], band->top) < 1)
            put_drop(p, band, &p->drop[i], &rows);
}
