#include "device/virtual/raster/inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct raster *raster_new(const struct models *m, struct vec eye)
{
    struct raster *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->models = m;
    r->eye = eye;
    r->k = kernels_raster_best();
    return r;
}

void raster_rest(struct raster *r)
{
    void **const all[] = {
        (void **)&r->v_memory,    (void **)&r->patch.touched, (void **)&r->patch.mask,
        (void **)&r->patch.depth, (void **)&r->patch.who,     (void **)&r->row_memory,
        (void **)&r->far,         (void **)&r->far_known,     (void **)&r->dark,
        (void **)&r->far_least,   (void **)&r->dark_parts,    (void **)&r->kept,
        (void **)&r->aside,       (void **)&r->plate,         (void **)&r->patch.face,
        (void **)&r->half,        (void **)&r->ground,        (void **)&r->ground_known,
        (void **)&r->paved,       (void **)&r->energy,        (void **)&r->smear,
        (void **)&r->lay.row,     (void **)&r->lay.data,      (void **)&r->lay.first,
        (void **)&r->holes};
    for (size_t i = 0; i < r->n_holes; i++)
        free(r->holes[i].known);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        free(*all[i]);
        *all[i] = NULL;
    }
    still_rest(r);
    struct raster rest = {.models = r->models, .eye = r->eye, .k = r->k, .open_s = r->open_s};
    memcpy(rest.hidden, r->hidden, sizeof(rest.hidden));
    *r = rest;
}

struct raster *raster_free(struct raster *r)
{
    if (r) {
        raster_rest(r);
        free(r);
    }
    return NULL;
}

void raster_use_plain_kernels(struct raster *r, bool plain)
{
    still_rest(r);
    r->k = plain ? &kernels_raster_plain : kernels_raster_best();
}

void raster_watch(struct raster *r, const struct raster_watch *w)
{
    r->watch = *w;
}

void raster_open(struct raster *r, double seconds)
{
    r->open_s = seconds;
}

void raster_hide(struct raster *r, const char *id)
{
    snprintf(r->hidden, sizeof(r->hidden), "%s", id ? id : "");
}

/* ---- the backdrop's distance ---- */

static bool far_begin(struct raster *r, const struct backdrop *b, const struct view *v)
{
    size_t across = ((size_t)v->width + FAR_STEP - 1) / FAR_STEP, n = across * (size_t)v->height;
    if (n > r->far_room) {
        free(r->far);
        free(r->far_known);
        free(r->far_least);
        r->far_room = 0;
        r->far = malloc((n * FAR_STEP + 8) * sizeof(float));
        r->far_known = malloc(n);
        r->far_least = malloc(n * sizeof(float));
        if (!r->far || !r->far_known || !r->far_least)
            return false;
        r->far_room = n;
        r->far_of = NULL;
    }
    bool same = r->far_of == b && view_same(&r->far_view, v);
    if (!same)
        memset(r->far_known, 0, n);
    still_begin(r, same);
    r->far_view = *v;
    r->far_of = b;
    return true;
}

const float *far_row(struct raster *r, const struct backdrop *b, const struct view *v, int y,
                     int x0, int x1)
{
    size_t across = ((size_t)v->width + FAR_STEP - 1) / FAR_STEP;
    float *row = r->far + (size_t)y * across * FAR_STEP;
    uint8_t *known = r->far_known + (size_t)y * across;
    double dy = (y + 0.5 - v->height / 2.0) / v->f;
    for (int c = x0 / FAR_STEP; c <= (x1 - 1) / FAR_STEP; c++) {
        if (known[c])
            continue;
        known[c] = 1;
        int a = c * FAR_STEP, e = a + FAR_STEP < v->width ? a + FAR_STEP : v->width;
        backdrop_distance_row(b, v, y, a, e, row + a);
        float base = (float)(1 + dy * dy), step = (float)(1 / v->f), least = INFINITY;
        for (int x = a; x < e; x++) {
            float dx = ((float)x + 0.5f - (float)v->width / 2) * step;
            row[x] = row[x] / sqrtf(base + dx * dx);
            least = row[x] < least ? row[x] : least;
        }
        r->far_least[(size_t)y * across + (size_t)c] = least;
    }
    return row;
}

bool far_beyond(const struct raster *r, const struct view *v, int y, int x0, int x1, float z)
{
    const float *least = r->far_least + (size_t)y * (((size_t)v->width + FAR_STEP - 1) / FAR_STEP);
    for (int c = x0 / FAR_STEP; c <= (x1 - 1) / FAR_STEP; c++)
        if (!(least[c] > z))
            return false;
    return true;
}

void far_fetch(const struct raster *r, const struct view *v, int y, int x0, int x1)
{
    size_t across = ((size_t)v->width + FAR_STEP - 1) / FAR_STEP;
    const float *row = r->far + (size_t)y * across * FAR_STEP;
    for (int x = x0; y < v->height && x < x1; x += 64 / (int)sizeof(*row))
        __builtin_prefetch(row + x);
}

/* ---- drawing ---- */

/* Tells the distances of what a row of pixels from x on shows. */
static void watch_row(struct raster *r, int y, int x, int n, const float *cover, const float *depth)
{
    const struct raster_watch *w = &r->watch;
    if (y % w->step != w->step / 2 || y / w->step >= w->down)
        return;
    float *row = w->metres + (size_t)(y / w->step) * (size_t)w->across;
    for (int i = (w->step + w->step / 2 - x % w->step) % w->step; i < n; i += w->step)
        if (cover[i] * r->seen[i] >= 0.5f && (x + i) / w->step < w->across) {
            row[(x + i) / w->step] = 1 / depth[i];
            still_point(r, (size_t)(&row[(x + i) / w->step] - w->metres), 1 / depth[i]);
        }
}

/* Into r->seen: how surely n pixels of a row from x on stand before the backdrop. most_z: nothing
 * of the member is farther. False: none does, and nobody counts those. */
static bool see_row(const struct scene *c, int y, int x, int n, const float *depth, float most_z)
{
    struct raster *r = c->r;
    const float *far = far_row(r, c->b, c->v, y, x, x + n);
    if (far_beyond(r, c->v, y, x, x + n, most_z)) {
        for (int i = 0; i < n; i++) /* the memory of what is far is not even looked at */
            r->seen[i] = 1;
        return true;
    }
    int hidden = 0;
    far_fetch(r, c->v, y + FAR_AHEAD, x, x + n);
    r->k->seen((size_t)n, far + x, depth, r->seen);
    while (hidden < n && r->seen[hidden] == 0)
        hidden++;
    return hidden < n || c->tally;
}

/* Lays n pixels of a row from x on over the picture, as surely as r->seen says. */
static void show_row(const struct scene *c, int y, int x, int n, const float *const rgb[3],
                     const float *cover, const float *depth, float clear, const float haze[3])
{
    struct raster *r = c->r;
    if (c->tally) {
        tally_row(c->tally, y, x, n, cover, r->seen);
        return;
    }
    size_t step = lay_stride(n);
    uint16_t *to = lay_row(r, LAY_OVER, x, x + n);
    if (!to)
        return;
    uint16_t *const add[3] = {to + step, to + 2 * step, to + 3 * step};
    r->k->blend((size_t)n, rgb, cover, r->seen, clear, haze, to, add);
    lay_put(r, y);
    if (r->watch.metres)
        watch_row(r, y, x, n, cover, depth);
}

static void show_rows(const struct scene *c, float clear, const float haze[3], float most_z)
{
    struct raster *r = c->r;
    struct raster_patch *q = &r->patch;
    for (int t = 0; t < q->down; t++) {
        int within[2];
        if (!r->k->resolve(q, c->tally ? NULL : r->batch, t, r->rgb, r->cover, r->depth, within))
            continue;
        for (int i = 0; i < RASTER_TILE_H; i++) {
            int y = q->y0 + t * RASTER_TILE_H + i, a = within[0], e = within[1];
            if (y < 0 || y >= c->v->height)
                continue;
            if (q->x0 + e > c->v->width)
                e = c->v->width - q->x0;
            const float *cover = r->cover[i], *depth = r->depth[i];
            while (a < e && cover[a] == 0)
                a++;
            while (e > a && cover[e - 1] == 0)
                e--;
            if (a >= e)
                continue;
            const float *const rgb[3] = {r->rgb[i][0] + a, r->rgb[i][1] + a, r->rgb[i][2] + a};
            if (see_row(c, y, q->x0 + a, e - a, depth + a, most_z))
                show_row(c, y, q->x0 + a, e - a, rgb, cover + a, depth + a, clear, haze);
        }
    }
}

/* Pixels x0 ≤ x < x1 of a row of the picture from a smeared member. */
static void show_smeared(const struct scene *c, const struct smear *s, int y, int x0, int x1,
                         float clear, const float haze[3], float most_z)
{
    size_t row = (size_t)(y - s->y0) * s->stride;
    const float *all = s->plane[SMEAR_COVER] + row - s->x0;
    while (x0 < x1 && all[x0] == 0)
        x0++;
    while (x1 > x0 && all[x1 - 1] == 0)
        x1--;
    if (x0 == x1)
        return;
    row += (size_t)(x0 - s->x0);
    const float *cover = s->plane[SMEAR_COVER] + row, *depth = s->plane[SMEAR_NEAR] + row;
    const float *const rgb[3] = {s->plane[0] + row, s->plane[1] + row, s->plane[2] + row};
    if (see_row(c, y, x0, x1 - x0, depth, most_z))
        show_row(c, y, x0, x1 - x0, rgb, cover, depth, clear, haze);
}

/* What is to be seen of a member in r->patch. */
static void draw_patch(const struct scene *c, const struct placed *p, struct lighting *g)
{
    place_draw(c->r, p, p->lod, c->tally ? DRAW_DEPTH : DRAW_COLOURS,
               c->tally ? lighting_outline : lighting_fill, g);
}

static void draw_in_planes(const struct scene *c, const struct placed *p, struct smear *s,
                           struct lighting *g, float clear, const float haze[3])
{
    struct raster *r = c->r;
    for (int y = s->y0; y < s->y1; y += RASTER_SIDE)
        for (int x = s->x0; x < s->x1; x += RASTER_SIDE) {
            if (!patch_begin(r, x, y, x + RASTER_SIDE < s->x1 ? x + RASTER_SIDE : s->x1,
                             y + RASTER_SIDE < s->y1 ? y + RASTER_SIDE : s->y1))
                return;
            draw_patch(c, p, g);
            smear_take(r, s);
        }
    smear_run(r, s);
    int end = s->x1 < c->v->width ? s->x1 : c->v->width;
    for (int y = s->y0 > 0 ? s->y0 : 0; y < s->y1 && y < c->v->height; y++)
        for (int x = s->x0 > 0 ? s->x0 : 0; x < end; x += RASTER_SIDE)
            show_smeared(c, s, y, x, x + RASTER_SIDE < end ? x + RASTER_SIDE : end, clear, haze,
                         (float)(p->depth + p->reach));
}

/* The same of a row by itself. */
static void show_smeared_row(const struct scene *c, const struct smear_row *row, int y, float clear,
                             const float haze[3], float most_z)
{
    int first = row->x0 < 0 ? -row->x0 : 0, end = row->n;
    if (row->x0 + end > c->v->width)
        end = c->v->width - row->x0;
    while (first < end && row->cover[first] == 0)
        first++;
    while (end > first && row->cover[end - 1] == 0)
        end--;
    for (int a = first, n; a < end; a += n) {
        n = end - a < RASTER_SIDE ? end - a : RASTER_SIDE;
        const float *const rgb[3] = {row->rgb[0] + a, row->rgb[1] + a, row->rgb[2] + a};
        if (see_row(c, y, row->x0 + a, n, row->depth + a, most_z))
            show_row(c, y, row->x0 + a, n, rgb, row->cover + a, row->depth + a, clear, haze);
    }
}

static void draw_in_rows(const struct scene *c, const struct placed *p, const struct smear *s,
                         struct lighting *g, float clear, const float haze[3])
{
    struct raster *r = c->r;
    struct raster_patch *q = &r->patch;
    struct smear_row row;
    for (int y = s->y0, within[2]; y < s->y1; y += RASTER_SIDE) {
        if (!patch_begin(r, s->x0, y, s->x1, y + RASTER_SIDE < s->y1 ? y + RASTER_SIDE : s->y1))
            return;
        q->squeeze = (float)s->squeeze;
        draw_patch(c, p, g);
        for (int t = 0; t < q->down; t++) {
            if (!r->k->resolve(q, r->batch, t, r->rgb, r->cover, r->depth, within))
                continue;
            for (int i = 0, at = q->y0 + t * RASTER_TILE_H; i < RASTER_TILE_H; i++, at++)
                if (at >= 0 && at < c->v->height && smear_row(r, s, i, within, &row))
                    show_smeared_row(c, &row, at, clear, haze, (float)(p->depth + p->reach));
        }
    }
}

/* Draws it as it stands; r->v holds its vertices. */
static void draw_sharp(const struct scene *c, const struct placed *p, struct lighting *g,
                       float clear, const float haze[3])
{
    struct raster *r = c->r;
    int x0 = (int)fmax(0, floor(p->x0)), x1 = (int)fmin(c->v->width, ceil(p->x1) + 1);
    int y0 = (int)fmax(0, floor(p->y0)), y1 = (int)fmin(c->v->height, ceil(p->y1) + 1);
    x0 &= ~(RASTER_TILE_W - 1);
    y0 &= ~(RASTER_TILE_H - 1);
    for (int y = y0; y < y1; y += RASTER_SIDE)
        for (int x = x0; x < x1; x += RASTER_SIDE) {
            if (!patch_begin(r, x, y, x + RASTER_SIDE < x1 ? x + RASTER_SIDE : x1,
                             y + RASTER_SIDE < y1 ? y + RASTER_SIDE : y1)) {
                still_fail(r);
                return;
            }
            draw_patch(c, p, g);
            show_rows(c, clear, haze, p->cut ? INFINITY : (float)(p->depth + p->reach));
        }
}

/* The same for somebody who stands, and may have stood so before. */
static void draw_still(const struct scene *c, const struct placed *p, struct lighting *g,
                       float clear, const float haze[3])
{
    struct still_key key;
    memset(&key, 0, sizeof(key)); /* what lies between its fields is compared as well */
    memcpy(&key.who, p->who, sizeof(key.who));
    memcpy(&key.light, g, sizeof(key.light));
    memcpy(key.haze, haze, sizeof(key.haze));
    key.clear = clear;
    key.watch = c->r->watch;
    if (still_again(c->r, &key))
        return;
    if (!place_vertices(c->r, p, c->v, p->lod, &g->stand))
        return;
    still_record(c->r, &key);
    draw_sharp(c, p, g, clear, haze);
    still_end(c->r);
}

static void draw_member(const struct scene *c, const struct placed *p)
{
    struct lighting g;
    struct smear smear;
    struct placed coarse;
    bool smeared = smear_begin(c->r, c->v, p, !c->tally, &smear);
    if (smeared) {
        coarse = *p;
        coarse.lod = smear_lod(p, &smear);
        coarse.squeeze = smear.squeeze;
        p = &coarse;
    }
    float clear = 1, haze[3] = {0};
    if (c->tally)
        g.stand = (struct raster_stand){.half_length = 1, .height = 1};
    else
        lighting_of(c, p, &g, &clear, haze);
    if (!c->tally && p->who->speed_m_s == 0) {
        draw_still(c, p, &g, clear, haze);
        return;
    }
    if (!place_vertices(c->r, p, c->v, p->lod, &g.stand))
        return;
    if (!smeared)
        draw_sharp(c, p, &g, clear, haze);
    else if (smear.by_rows)
        draw_in_rows(c, p, &smear, &g, clear, haze);
    else
        draw_in_planes(c, p, &smear, &g, clear, haze);
}

/* Whether a line on the ground through one's box keeps the other on its far side: then it
 * is drawn first. 1: a is nearer, -1: b is, 0: no line does. */
static int nearer(const struct placed *a, const struct placed *b)
{
    const struct placed *const two[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        const struct placed *p = two[i], *q = two[1 - i];
        for (int side = 0; side < 4; side++) {
            struct vec n = side < 2 ? vec(p->cosine, -p->sine, 0) : vec(p->sine, p->cosine, 0);
            double reach = p->scale * (side < 2 ? (side & 1 ? -p->lo[0] : p->hi[0])
                                                : (side & 1 ? -p->lo[1] : p->hi[1]));
            if (side & 1)
                n = vec_mul(n, -1);
            double line = vec_dot(n, vec(p->feet.x, p->feet.y, 0)) + reach;
            bool beyond = true;
            for (int k = 0; k < 4 && beyond; k++) {
                double x = (k & 1 ? q->hi[0] : q->lo[0]) * q->scale,
                       y = (k & 2 ? q->hi[1] : q->lo[1]) * q->scale;
                struct vec corner = vec(q->feet.x + x * q->cosine + y * q->sine,
                                        q->feet.y + y * q->cosine - x * q->sine, 0);
                beyond = vec_dot(n, corner) >= line - 1e-6;
            }
            if (beyond) {
                bool eye_with_p = line > 0; /* the eye is at 0 */
                return (eye_with_p ? p : q) == a ? 1 : -1;
            }
        }
    }
    return 0;
}

/* Far ones first. Few cross each other in the picture, so that a plain insertion by
 * distance, corrected where boxes on the ground say otherwise, is enough. */
void sort_members(struct placed **order, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct placed *p = order[i];
        size_t k = i;
        while (k > 0 && order[k - 1]->depth < p->depth) {
            order[k] = order[k - 1];
            k--;
        }
        order[k] = p;
    }
    size_t moves = 4 * n; /* three may lie in a ring */
    for (size_t i = 0; i + 1 < n; i++)
        for (size_t k = i + 1; k < n && moves; k++) {
            struct placed *a = order[i], *b = order[k]; /* a is drawn before b */
            if (a->x1 < b->x0 || b->x1 < a->x0 || a->y1 < b->y0 || b->y1 < a->y0)
                continue;
            if (nearer(a, b) != 1)
                continue;
            memmove(order + i, order + i + 1, (k - i) * sizeof(*order));
            order[k] = a;
            k = i;
            moves--;
        }
}

void tally_member(struct raster *r, const struct backdrop *b, const struct view *v,
                  const struct placed *p, struct tally *t)
{
    const struct scene c = {.r = r, .b = b, .v = v, .tally = t};
    if (far_begin(r, b, v))
        draw_member(&c, p);
}

/* Draws all of them. False: out of memory. */
static bool draw_all(struct raster *r, const struct backdrop *b, const struct view *v,
                     const struct light *l, const struct member *members, size_t n)
{
    struct placed all[CAST_MOST], *order[CAST_MOST];
    struct scene c = {r, b, v, l, (float)l->unit, NULL};
    size_t n_all = 0, n_seen = 0;
    if (n > CAST_MOST)
        n = CAST_MOST;
    for (size_t i = 0; i < n; i++)
        if (place_member(&all[n_all], r, v, &members[i]))
            n_all++;
    if (!n_all)
        return true;
    if (!far_begin(r, b, v))
        return false;
    ground_shadows(r, b, v, l, all, n_all);
    ground_headlights(r, b, v, l, all, n_all);
    for (size_t i = 0; i < n_all; i++)
        if (all[i].in_view)
            order[n_seen++] = &all[i];
    sort_members(order, n_seen);
    for (size_t i = 0; i < n_seen; i++) {
        if (!r->hidden[0] || strcmp(order[i]->who->id, r->hidden))
            draw_member(&c, order[i]);
        lamp_glare(r, b, v, l, order[i]);
    }
    return true;
}

bool raster_cast(struct raster *r, const struct backdrop *b, const struct view *v,
                 const struct light *l, const struct member *members, size_t n,
                 struct radiance *into, bool keep)
{
    r->n_kept = r->n_aside = 0;
    r->aside_most = (size_t)v->width * (size_t)v->height * 3;
    r->keeping = keep;
    lay_begin(r, into, false, NULL);
    bool drawn = draw_all(r, b, v, l, members, n);
    if (!r->keeping)
        r->n_kept = r->n_aside = 0;
    return drawn && keep && r->keeping;
}

bool raster_cast_bands(struct raster *r, const struct backdrop *b, const struct view *v,
                       const struct light *l, const struct member *members, size_t n,
                       struct radiance *into, const struct raster_small *small)
{
    r->n_kept = r->n_aside = 0;
    r->keeping = false;
    lay_begin(r, into, true, small);
    (void)draw_all(r, b, v, l, members, n);
    return !r->lay.onto;
}
