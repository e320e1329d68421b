/* Painting of the place: cells of the picture. */
#include "device/virtual/place/backdrop.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/place/backdrop_inside.h"

_Static_assert(CELL == RADIANCE_CELL, "what is painted anew is what has been touched");

#define SLOTS_LEAST 48
#define PATCHWORK 96 /* texels: side of what a cell may take from several tiles */
#define RAD (M_PI / 180)
#define BEAM_STEPS 64.0

/* ---- cells ---- */

/* Texels x0…, y0… of a sheet, gathered from several tiles; what is beyond its borders
 * repeats them, or goes on round the sphere. */
static void patchwork(struct backdrop *b, const struct plan_use *u, const struct sheet *s, int x0,
                      int y0, int w, int h, struct cell *cell)
{
    int width = (int)s->width, height = (int)s->height;
    int around = u->patch->round ? (int)lrint(360 * s->density) : 0;
    around = around > width ? width : around;
    for (int y = y0, rows; y < y0 + h; y += rows) {
        int sy = y < 0 ? 0 : y >= height ? height - 1 : y;
        rows = TILE - sy % TILE < y0 + h - y ? TILE - sy % TILE : y0 + h - y;
        rows = sy != y ? 1 : rows > height - sy ? height - sy : rows;
        for (int x = x0, run; x < x0 + w; x += run) {
            int sx = around ? ((x % around) + around) % around : x;
            bool out = sx < 0 || sx >= width;
            sx = sx < 0 ? 0 : sx >= width ? width - 1 : sx;
            run = TILE - sx % TILE;
            run = around && run > around - sx ? around - sx : run;
            run = run > width - sx ? width - sx : run;
            run = run > x0 + w - x ? x0 + w - x : run;
            run = out ? 1 : run;
            uint32_t index = s->first + (uint32_t)(sy / TILE) * s->across + (uint32_t)(sx / TILE);
            const uint16_t *from = lit_tile(b, u->patch, s, index, cell);
            if (from)
                from += ((size_t)(sy % TILE) * TILE + (size_t)(sx % TILE)) * 4;
            uint64_t *to = (uint64_t *)(void *)b->patchwork + (y - y0) * w + (x - x0);
            for (int j = 0; j < rows; j++, to += w) {
                if (from)
                    memcpy(to, from + (size_t)j * TILE * 4, (size_t)run * sizeof(*to));
                for (int i = 0; i < run && !from; i++)
                    to[i] = UINT64_C(0x8000800080008000);
            }
        }
    }
}

/* One patch's part of a cell. False: nothing of it is there. */
static bool paint_layer(struct backdrop *b, const struct plan_use *u, const struct look at[4],
                        struct cell *cell, uint16_t *to)
{
    const struct sheet *s = u->sheet, *last = &b->tiles->sheet[u->patch->first + u->patch->n - 1];
    double x[4], y[4], x0, x1, y0, y1;
    int ix, iy, w, h;
    for (;; s++) {
        for (int i = 0; i < 4; i++) {
            plan_texel(u->patch, s, &at[i], &x[i], &y[i]);
            if (i && u->patch->projection == PROJECTION_ROUND)
                x[i] = x[0] + pose_wrap_pan(at[i].pan - at[0].pan) * s->density;
        }
        x0 = fmin(fmin(x[0], x[1]), fmin(x[2], x[3])) - 0.5;
        x1 = fmax(fmax(x[0], x[1]), fmax(x[2], x[3])) - 0.5;
        y0 = fmin(fmin(y[0], y[1]), fmin(y[2], y[3])) - 0.5;
        y1 = fmax(fmax(y[0], y[1]), fmax(y[2], y[3])) - 0.5;
        /* A little more than the least, for roundings. */
        ix = (int)floor(x0 - 0.01);
        iy = (int)floor(y0 - 0.01);
        w = (int)floor(x1 + 0.01) - ix + 2;
        h = (int)floor(y1 + 0.01) - iy + 2;
        if (s == last || (w <= PATCHWORK && h <= PATCHWORK))
            break;
    }
    if (w > PATCHWORK || h > PATCHWORK)
        return false;
    /* What moves is painted often: that must be cheap. */
    bool large = !b->quick && !b->beam && !(cell->flags & CELL_SWAY) &&
                 fmax(x1 - x0, y1 - y0) < CELL * 0.7 && MAGNIFY_MOST >= CELL * 0.7 + 6;
    if (large) {
        ix -= 2;
        iy -= 2;
        w += 4;
        h += 4;
    }
    struct remap r;
    int ox, oy;
    if (ix >= 0 && iy >= 0 && ix / TILE == (ix + w - 1) / TILE &&
        iy / TILE == (iy + h - 1) / TILE && ix + w <= (int)s->width && iy + h <= (int)s->height) {
        r.from =
            lit_tile(b, u->patch, s,
                     s->first + (uint32_t)(iy / TILE) * s->across + (uint32_t)(ix / TILE), cell);
        if (!r.from)
            return false;
        r.stride = TILE;
        ox = ix / TILE * TILE;
        oy = iy / TILE * TILE;
        cell->texels = r.from + ((size_t)(iy - oy) * TILE + (size_t)(ix - ox)) * 4;
        cell->texels_w = (uint16_t)w;
        cell->texels_h = (uint16_t)h;
    } else {
        cell->texels = NULL;
        patchwork(b, u, s, ix, iy, w, h, cell);
        r.from = b->patchwork;
        r.stride = w;
        ox = ix;
        oy = iy;
    }
    for (int i = 0; i < 4; i++) {
        r.u[i] = (int32_t)lrint((x[i] - ox) * 65536);
        r.v[i] = (int32_t)lrint((y[i] - oy) * 65536);
    }
    (large ? b->kernels->magnify : b->kernels->remap)(&r, to);
    return true;
}

static void clear(uint16_t *cell)
{
    for (int i = 0; i < CELL_SAMPLES; i++)
        cell[i] = 0x8000;
}

/* Detail that nobody has baked, where texels have become large. */
static void add_grain(struct backdrop *b, const struct plan_use *u, const struct look at[4],
                      uint16_t *cell)
{
    double wide = b->view.f * RAD / u->sheet->density; /* pixels per texel */
    if (u->patch->projection == PROJECTION_DOWN || wide < 2)
        return;
    /* The table is smooth over two of its samples, which are finer than a pixel. */
    double k = exp2(ceil(log2(wide / 1.4))), x0 = 0, y0 = 0;
    struct grain g = {.table = b->grain};
    g.amount = (int)(1 + fmin((wide - 2) / 4, 1) * 3);
    for (int i = 0; i < 4; i++) {
        double x, y;
        plan_texel(u->patch, u->sheet, &at[i], &x, &y);
        x *= k;
        y *= k;
        if (i == 0) {
            x0 = floor(x / GRAIN) * GRAIN;
            y0 = floor(y / GRAIN) * GRAIN;
        }
        if (fabs(x - x0) > 3 * GRAIN || fabs(y - y0) > 3 * GRAIN)
            return; /* the seam of the sphere */
        g.u[i] = (int32_t)lrint((x - x0) * 65536);
        g.v[i] = (int32_t)lrint((y - y0) * 65536);
    }
    b->kernels->grain(cell, &g);
}

static void paint_cell(struct backdrop *b, int i, int j, struct radiance *into)
{
    struct knot *row = b->knot + (size_t)j * (size_t)b->across + i;
    struct knot *const k[4] = {row, row + 1, row + b->across, row + b->across + 1};
    struct cell *cell = &b->cell[(size_t)j * (size_t)(b->across - 1) + (size_t)i];
    struct look at[4];
    cell->flags = 0;
    cell->phases = 0;
    for (int c = 0; c < 4; c++) {
        at[c] = k[c]->look;
        if (!cell->rhythm)
            continue;
        sway_move(b, k[c], b->sway_time[cell->rhythm]);
        at[c].pan += k[c]->aside;
        at[c].tilt += k[c]->lift;
    }
    if (cell->rhythm)
        cell->flags |= CELL_SWAY;
    /* What lies on top first, until something hides the rest. */
    int weight[PLAN_MOST][4], order[PLAN_MOST], n = 0;
    uint64_t some = k[0]->patches | k[1]->patches | k[2]->patches | k[3]->patches;
    for (; some; some &= some - 1) {
        int p = __builtin_ctzll(some), sum = 0;
        for (int c = 0; c < 4; c++)
            sum += weight[n][c] = plan_weight(&b->plan, &b->plan.use[p], &k[c]->look);
        if (!sum)
            continue;
        order[n++] = p;
        if (sum == 4 * PLAN_FULL)
            break;
    }
    uint16_t *out = b->buffer[0];
    bool whole = false;
    for (int p = n - 1; p >= 0; p--) {
        const struct plan_use *u = &b->plan.use[order[p]];
        const int *w = weight[p];
        bool all = w[0] + w[1] + w[2] + w[3] == 4 * PLAN_FULL;
        uint16_t *to = all ? out : b->buffer[1];
        if (!all && p == n - 1)
            clear(out);
        if (!paint_layer(b, u, at, cell, to))
            clear(to);
        if (!all)
            b->kernels->over(out, to, w);
        whole = whole || all;
    }
    if (!n)
        clear(out);
    else
        add_grain(b, &b->plan.use[order[0]], at, out);
    if (b->beam)
        b->kernels->dim(out, (const int[]){k[0]->beam, k[1]->beam, k[2]->beam, k[3]->beam});
    if ((cell->flags & CELL_SKY || !whole) && !b->kernels->covered(out)) {
        cell->flags |= CELL_SKY;
        sky_add(b, (const struct knot *const *)k, j, cell, out);
    } else {
        cell->flags &= (uint8_t)~CELL_SKY;
    }
    if (b->n_lettered)
        cell->phases |= lettering_paint(b, i * CELL, j * CELL, out);
    if (into->touched)
        into->touched[(size_t)j * (size_t)(b->across - 1) + (size_t)i] = 1;
    size_t at_sample = (size_t)j * CELL * into->stride + (size_t)i * CELL;
    int w = into->width - i * CELL, h = into->height - j * CELL;
    b->kernels->store(out, w < CELL ? w : CELL, h < CELL ? h : CELL, into->r + at_sample,
                      into->g + at_sample, into->b + at_sample, into->stride);
}

/* ---- pictures ---- */

static int make_room(struct backdrop *b, int width, int height)
{
    int across = (width + CELL - 1) / CELL + 1, down = (height + CELL - 1) / CELL + 1;
    size_t knots = (size_t)across * (size_t)down;
    if (knots > b->room) {
        free(b->knot);
        free(b->cell);
        free(b->sky);
        b->room = 0;
        b->knot = malloc(knots * sizeof(*b->knot));
        b->cell = calloc(knots, sizeof(*b->cell));
        b->sky = malloc(knots * sizeof(*b->sky));
        if (!b->knot || !b->cell || !b->sky)
            return -ENOMEM;
        b->room = knots;
    }
    /* A picture takes at most 1.6² texels for each of its pixels, in whole tiles. */
    int most = (int)((double)width * height * 2.6 / (TILE * TILE)) + SLOTS_LEAST;
    if (most > b->most_slots) {
        struct slot *bigger = realloc(b->slot, (size_t)most * sizeof(*bigger));
        if (!bigger)
            return -ENOMEM;
        b->slot = bigger;
        memset(bigger + b->most_slots, 0, (size_t)(most - b->most_slots) * sizeof(*bigger));
        b->most_slots = most;
    }
    if (!b->work) {
        /* Scratch floats, two cells, the patchwork: one block. */
        size_t floats = MIX_SCRATCH * sizeof(float), cells = 2 * CELL_SAMPLES * sizeof(uint16_t);
        b->work = aligned_alloc(64, (floats + cells + PATCHWORK * PATCHWORK * 8 + 127) / 64 * 64);
        if (!b->work)
            return -ENOMEM;
        b->scratch = (float *)(void *)b->work;
        b->buffer[0] = (uint16_t *)(void *)(b->work + floats);
        b->buffer[1] = b->buffer[0] + CELL_SAMPLES;
        b->patchwork = b->buffer[1] + CELL_SAMPLES;
    }
    b->across = across;
    b->down = down;
    return 0;
}

_Static_assert(PLAN_MOST <= 64, "a bit for each patch of a plan");

/* All for which plan_weight() may be more than 0 there. */
static uint64_t patches_at(const struct backdrop *b, const struct look *at)
{
    uint64_t some = 0;
    for (int p = 0; p < b->plan.n; p++) {
        const struct plan_use *u = &b->plan.use[p];
        bool part = u->patch->projection == PROJECTION_ROUND && !u->patch->round;
        if (!part || vec_dot(at->to, u->cone->middle) >= u->cone->cosine)
            some |= UINT64_C(1) << p;
    }
    return some;
}

static void look_round(struct backdrop *b, const struct view *v)
{
    b->view = *v;
    plan_init(&b->plan, b->tiles, v, CELL, b->quick ? PLAN_QUICK : PLAN_SHARP);
    struct knot *k = b->knot;
    for (int j = 0; j < b->down; j++)
        for (int i = 0; i < b->across; i++, k++) {
            look_at(&k->look, view_ray(v, i * CELL, j * CELL));
            k->patches = patches_at(b, &k->look);
            sway_find(b, k);
        }
    for (int j = 0; j < b->down - 1; j++)
        for (int i = 0; i < b->across - 1; i++) {
            struct cell *c = &b->cell[(size_t)j * (size_t)(b->across - 1) + (size_t)i];
            c->sky_id = c->air_id = 0;
        }
    lettering_find(b);
}

/* Which leaves move at which times: that depends on the view and on the wind. */
static void share_rhythms(struct backdrop *b)
{
    for (int j = 0; j < b->down - 1; j++)
        for (int i = 0; i < b->across - 1; i++) {
            const struct knot *row = b->knot + (size_t)j * (size_t)b->across + i;
            const struct knot *const k[4] = {row, row + 1, row + b->across, row + b->across + 1};
            b->cell[(size_t)j * (size_t)(b->across - 1) + (size_t)i].rhythm =
                sway_rhythm(b, k, i, j);
        }
}

/* The own infrared lamp has a beam. Its light has been mixed as if it went everywhere; here
 * its share of all light is taken away beside the beam. Right where it is the only light,
 * and near enough elsewhere. Returns whether that is another share than before. */
static bool shine(struct backdrop *b, const struct light *l, const struct set *s, bool again)
{
    double most = (double)l->soft[SOFT_IR][1], half = s->ir_beam_deg / 2 * RAD;
    bool before = b->beam;
    b->beam = most > 0 && half > 0.01 && half < 1.5;
    if (!b->beam)
        return before;
    struct light dark = *l;
    memset(dark.soft[SOFT_IR], 0, sizeof(dark.soft[SOFT_IR]));
    double all = ask_meter(b->tiles, l, &b->view), rest = ask_meter(b->tiles, &dark, &b->view);
    /* In steps: light that creeps must not change the whole picture. */
    double share = all > 0 ? rint((1 - rest / all) * BEAM_STEPS) / BEAM_STEPS : 0;
    if (again && before && share == b->beam_share && half == b->beam_deg)
        return false;
    b->beam_share = share;
    b->beam_deg = half;
    for (struct knot *k = b->knot; k < b->knot + b->across * b->down; k++) {
        double away = 1 - vec_dot(k->look.to, b->view.ahead), edge = 1 - cos(half);
        k->beam = (int)(256 * (1 - share * (1 - exp2(-away / edge))));
    }
    return true;
}

/* What a cell will want is on its way while the one before it is painted: it is made of about the
 * texels that it was made of before, and goes where it belongs. */
RADIANCE_FETCHES void expect_cell(const struct cell *c, int x, int y, const struct radiance *into)
{
    uint16_t *const to[3] = {into->r, into->g, into->b};
    for (int k = 0; k < 3; k++)
        for (int j = y; j < y + CELL && j < into->height; j++)
            __builtin_prefetch(to[k] + (size_t)j * into->stride + x, 1);
    const uint16_t *row = c->texels;
    for (int j = 0; row && j < c->texels_h; j++, row += (size_t)TILE * 4)
        for (int k = 0; k < c->texels_w * 4; k += 32)
            __builtin_prefetch(row + k);
}

int backdrop_paint(struct backdrop *b, const struct view *v, const struct light *l,
                   const struct set *s, int64_t time_ns, struct radiance *into)
{
    bool again = into->held && into->held == b->held && view_same(v, &b->view);
    if (!again) {
        int rc = make_room(b, v->width, v->height);
        if (rc < 0)
            return rc;
        look_round(b, v);
    }
    b->failed = false;
    b->sky_moved = 0;
    lit_choose(b, l, time_ns);
    bool dark = l->unit >= LIGHT_DARK_UNIT, dusk = dark != b->dark; /* then all is painted anew */
    b->dark = dark;
    bool wind = s->wind_m_s != b->wind_m_s;
    bool calm = wind && !(s->wind_m_s > 0 && b->wind_m_s > 0); /* leaves come to rest, or begin */
    b->sway_moved = sway_times(b, s, time_ns);
    if (!again || wind || dusk)
        share_rhythms(b);
    if (shine(b, l, s, again) || calm || dusk)
        again = false;
    uint16_t stale = again ? b->stale : 0xffff;
    sky_choose(b, time_ns, b->stale);
    if (stale)
        lettering_light(b);
    int painted_i = -1, painted_j = 0; /* which is to be painted before the next; -1: none */
    for (int j = 0; j < b->down - 1; j++) {
        /* The sky of a row has the light of one phase. */
        bool sky = b->sky_moved >> j % PHASES & 1 || stale >> j % PHASES & 1;
        for (int i = 0; i < b->across - 1; i++) {
            const struct cell *c = &b->cell[(size_t)j * (size_t)(b->across - 1) + (size_t)i];
            if (!again || c->phases & stale || b->sway_moved >> c->rhythm & 1 ||
                (sky && c->flags & CELL_SKY)) {
                expect_cell(c, i * CELL, j * CELL, into);
                if (painted_i >= 0)
                    paint_cell(b, painted_i, painted_j, into);
                painted_i = i;
                painted_j = j;
            }
        }
    }
    if (painted_i >= 0)
        paint_cell(b, painted_i, painted_j, into);
    into->unit = l->unit;
    into->held = b->failed ? 0 : ++b->held;
    return b->failed ? -ENOMEM : 0;
}

void backdrop_told(struct backdrop *b, int64_t since_ns, uint64_t revision)
{
    if (revision != b->revision)
        memset(b->past, 0, sizeof(b->past));
    b->revision = revision;
    b->since_ns = since_ns;
}

/* ---- life ---- */

/* Noise, smooth from sample to sample, that wraps. */
static void make_grain(int8_t *to)
{
    static const int kernel[3] = {1, 2, 1};
    for (int y = 0; y < GRAIN; y++)
        for (int x = 0; x < GRAIN; x++) {
            int sum = 0;
            for (int k = 0; k < 9; k++) {
                uint32_t px = (uint32_t)(x + k % 3) % GRAIN, py = (uint32_t)(y + k / 3) % GRAIN;
                uint32_t h = (px * 0x8da6b343u ^ py * 0xd8163841u) * 0x2c1b3c6du;
                h = (h ^ h >> 15) * 0x297a2d39u;
                sum += ((int)(h >> 24) - 128) * kernel[k % 3] * kernel[k / 3];
            }
            sum /= 8;
            to[y * GRAIN + x] = (int8_t)(sum > 127 ? 127 : sum < -127 ? -127 : sum);
        }
}

struct backdrop *backdrop_new(const struct tiles *t)
{
    struct backdrop *b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    b->tiles = t;
    plan_finest(&b->finest, t);
    b->kernels = place_kernels_best();
    b->where = calloc(t->head->n_tiles, sizeof(*b->where));
    b->lettered = calloc(t->head->n_signs + 1, sizeof(*b->lettered));
    if (!b->where || !b->lettered)
        return backdrop_free(b);
    make_grain(b->grain);
    return b;
}

void backdrop_rest(struct backdrop *b)
{
    for (int i = 0; i < b->n_slots; i++)
        free(b->slot[i].slab);
    free(b->slot);
    free(b->knot);
    free(b->cell);
    free(b->sky);
    free(b->work);
    b->slot = NULL;
    b->knot = NULL;
    b->cell = NULL;
    b->sky = NULL;
    b->work = NULL;
    b->n_slots = b->most_slots = 0;
    b->room = 0;
    b->held++;
    memset(b->where, 0, b->tiles->head->n_tiles * sizeof(*b->where));
}

struct backdrop *backdrop_free(struct backdrop *b)
{
    if (!b)
        return NULL;
    if (b->where)
        backdrop_rest(b);
    free(b->where);
    free(b->lettered);
    free(b);
    return NULL;
}

void backdrop_quick(struct backdrop *b, bool quick)
{
    b->held += b->quick != quick;
    b->quick = quick;
}

void backdrop_use_plain_kernels(struct backdrop *b, bool plain)
{
    b->kernels = plain ? &kernels_plain_place : place_kernels_best();
    backdrop_rest(b);
}

void backdrop_follow(struct backdrop *b, void (*light_at)(void *, int64_t, struct light *),
                     void *ctx)
{
    b->light_at = light_at;
    b->ctx = ctx;
    memset(b->past, 0, sizeof(b->past));
}
