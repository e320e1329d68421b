/* Painting of the place: pictures. */
#include "device/virtual/place/backdrop.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/place/backdrop_inside.h"

_Static_assert(CELL == RADIANCE_CELL, "what is painted anew is what has been touched");

#define SLOTS_LEAST                                                                                \
    48 /* more than two cells have: those of a cell found stay until it is painted */
#define RAD (M_PI / 180)
#define BEAM_STEPS 64.0

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
    lettering_find(b);
}

/* The own infrared lamp has a beam. Its light has been mixed as if it went everywhere; here
 * its share of all light is taken away beside the beam. Right where it is the only light,
 * and near enough elsewhere. */
static void shine_on(const struct backdrop *b, struct knot *k)
{
    double away = 1 - vec_dot(k->look.to, b->view.ahead), edge = 1 - cos(b->beam_deg);
    k->beam = (int)(256 * (1 - b->beam_share * (1 - exp2(-away / edge))));
}

/* Returns whether that is another share than before. */
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
    for (struct knot *k = b->knot; again && k < b->knot + b->across * b->down; k++)
        shine_on(b, k);
    return true;
}

/* A row of corners in another view. */
static void look_row(struct backdrop *b, int j)
{
    struct knot *k = b->knot + (size_t)j * (size_t)b->across;
    for (int i = 0; i < b->across; i++, k++) {
        look_at(&k->look, view_ray(&b->view, i * CELL, j * CELL));
        k->patches = patches_at(b, &k->look);
        sway_find(b, k);
        if (b->beam)
            shine_on(b, k);
    }
}

/* Which leaves of a row of cells move at which times: that depends on the view, on the wind and, by
 * night, on the light. `anew`: for all of them. */
static void share_rhythms(struct backdrop *b, int j, bool anew, uint16_t stale)
{
    const struct knot *row = b->knot + (size_t)j * (size_t)b->across;
    struct cell *c = b->cell + (size_t)j * (size_t)(b->across - 1);
    bool asked = b->dark && !b->quick; /* in a smeared picture all moves anyway */
    for (int i = 0; i < b->across - 1; i++, row++, c++) {
        const struct knot *const k[4] = {row, row + 1, row + b->across, row + b->across + 1};
        uint8_t before = c->rhythm;
        if (!anew && !(c->faint_phases & stale))
            continue;
        c->faint_phases = 0;
        c->faint = false;
        c->rhythm = sway_rhythm(b, k, i, j, false);
        if (asked && c->rhythm && (c->faint = cell_faint(b, k, &c->faint_phases)))
            c->rhythm = sway_rhythm(b, k, i, j, true);
        if (c->rhythm != before)
            c->phases |= stale; /* it is painted at another time now */
    }
}

/* The row of cells j in another view: one after the other, so that all that painting it asks for
 * has just been worked out. */
static void look_cells(struct backdrop *b, int j)
{
    struct cell *c = b->cell + (size_t)j * (size_t)(b->across - 1);
    if (j == 0)
        look_row(b, 0);
    look_row(b, j + 1);
    for (int i = 0; i < b->across - 1; i++)
        c[i].sky_id = c[i].air_id = 0;
}

int backdrop_paint(struct backdrop *b, const struct view *v, const struct light *l,
                   const struct set *s, int64_t time_ns, struct radiance *into)
{
    const bool same = into->held && into->held == b->held && view_same(v, &b->view);
    bool again = same;
    if (!same) {
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
    bool share = !same || wind || dusk;
    if (shine(b, l, s, again) || calm || dusk)
        again = false;
    uint16_t stale = again ? b->stale : 0xffff;
    sky_choose(b, time_ns, b->stale);
    if (stale)
        lettering_light(b);
    struct cell_job job[2], *found = &job[0], *last = NULL; /* which is to be painted yet */
    for (int j = 0; j < b->down - 1; j++) {
        if (!same)
            look_cells(b, j);
        if (share || stale) {
            if (last)
                cell_paint(b, last, into);
            last = NULL;
            share_rhythms(b, j, share || !again, stale);
        }
        /* The sky of a row has the light of one phase. */
        bool sky = b->sky_moved >> j % PHASES & 1 || stale >> j % PHASES & 1;
        for (int i = 0; i < b->across - 1; i++) {
            const struct cell *c = &b->cell[(size_t)j * (size_t)(b->across - 1) + (size_t)i];
            if (!again || c->phases & stale || b->sway_moved >> c->rhythm & 1 ||
                (sky && c->flags & CELL_SKY)) {
                cell_find(b, i, j, into, found);
                if (last)
                    cell_paint(b, last, into);
                last = found;
                found = found == &job[0] ? &job[1] : &job[0];
            }
        }
    }
    if (last)
        cell_paint(b, last, into);
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
