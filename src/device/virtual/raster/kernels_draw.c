/* Triangles into a patch: which face is nearest at each sample, or only which samples are
 * covered. Compiled several times; see kernels.h. */
#include "device/virtual/raster/kernels_vec.h"

/* Where the four samples lie about a pixel's middle: one in each quarter of its columns and of its
 * rows. */
static const float sample_x[RASTER_SAMPLES] = {-0.125f, 0.375f, -0.375f, 0.125f};
static const float sample_y[RASTER_SAMPLES] = {-0.375f, -0.125f, 0.125f, 0.375f};
#define QUARTERS 4
#define SLACK 0.01f        /* pixels by which a triangle is larger than it is: no cracks */
#define MARGIN (8 * SLACK) /* quarters of a pixel that hold it, and roundings */

/* A side of this many pixels is small enough that colours are straight between its corners: of
 * what is matte but for the perspective, of what mirrors but for the mirrored sky. */
#define STRAIGHT_MATTE 32.0f
#define STRAIGHT_SHINY 5.0f
#define STRAIGHT_DEPTH 1.03f /* … and it is about as far away everywhere */

/* Eight triangles: what drawing asks of them. */
struct shapes {
    uint32_t alive, straight; /* bits: which may be seen; whose colours are straight */
    int32_t id[3][BLOCK];
    int32_t x0[BLOCK], x1[BLOCK], y0[BLOCK], y1[BLOCK]; /* tiles, inclusive */
    float ex[3][BLOCK], ey[3][BLOCK], ec[3][BLOCK];     /* as in raster_face */
    float at[3][BLOCK];                                 /* 1/z of corners */
    float reach[3][BLOCK];                              /* from a tile's middle to its samples */
    float slack[3][BLOCK];
    float zx[BLOCK], zy[BLOCK], zc[BLOCK];
    float area[BLOCK];                   /* pixels, doubled */
    float off[3][RASTER_SAMPLES][BLOCK]; /* shares' steps to the samples, slack included */
    float z_off[RASTER_SAMPLES][BLOCK];
};

INLINE f8 gather_f(const float *from, i8 at)
{
#ifdef __AVX2__
    return (f8)_mm256_i32gather_ps(from, (__m256i)at, 4);
#else
    f8 r;
    for (int i = 0; i < BLOCK; i++)
        r[i] = from[at[i]];
    return r;
#endif
}
INLINE f8 size_of(f8 a)
{
    return most(a, -a);
}
INLINE f8 least3(const f8 a[3])
{
    return least(least(a[0], a[1]), a[2]);
}
INLINE f8 most3(const f8 a[3])
{
    return most(most(a[0], a[1]), a[2]);
}
INLINE void swap_lanes(i8 where, f8 *a, f8 *b)
{
    f8 was = *a;
    *a = pick(where, *b, was);
    *b = pick(where, was, *b);
}

/* Quarters of pixels whose samples lie between two borders, as tiles; returns the lanes in which
 * there are any. */
INLINE i8 tiles_between(f8 lo, f8 hi, float end, int shift, int32_t *ret_first, int32_t *ret_last)
{
    lo = most(lo, ALL(0.0f)) * ALL((float)QUARTERS);
    hi = least(hi, ALL(end)) * ALL((float)QUARTERS);
    i8 first = __builtin_convertvector(lo + ALL(0.5f - MARGIN), i8);
    i8 last = __builtin_convertvector(hi - ALL(0.5f - MARGIN), i8);
    STORE_I(ret_first, first >> shift);
    STORE_I(ret_last, last >> shift);
    return first <= last;
}

/* The next triangles of a batch, at most eight. */
INLINE void shapes_of(const struct raster_vertices *v, const struct raster_batch *batch,
                      size_t first, const struct raster_patch *p, struct shapes *s)
{
    size_t n = batch->n - first < BLOCK ? batch->n - first : BLOCK;
    for (size_t i = 0; i < BLOCK; i++) {
        const uint16_t *t = batch->triangle + 3 * (first + (i < n ? i : 0));
        for (int k = 0; k < 3; k++)
            s->id[k][i] = t[k];
    }
    f8 x[3], y[3], at[3];
    i8 seen = ALL_I(-1);
    for (int k = 0; k < 3; k++) {
        i8 id = LOAD_I(s->id[k]);
        x[k] = gather_f(v->x, id) - ALL((float)p->x0);
        y[k] = gather_f(v->y, id) - ALL((float)p->y0);
        at[k] = gather_f(v->iz, id);
        seen &= at[k] > ALL(0.0f);
    }
    /* Counter-clockwise in the world is clockwise with y down: positive here. */
    f8 area = (x[2] - x[0]) * (y[1] - y[0]) - (x[1] - x[0]) * (y[2] - y[0]);
    if (batch->two_sided) {
        i8 rear = area < ALL(0.0f);
        swap_lanes(rear, &x[1], &x[2]);
        swap_lanes(rear, &y[1], &y[2]);
        swap_lanes(rear, &at[1], &at[2]);
        i8 b = LOAD_I(s->id[1]), c = LOAD_I(s->id[2]);
        STORE_I(s->id[1], (c & rear) | (b & ~rear));
        STORE_I(s->id[2], (b & rear) | (c & ~rear));
        area = size_of(area);
    }
    float w = (float)(p->across * RASTER_TILE_W), h = (float)(p->down * RASTER_TILE_H);
    f8 x0 = least3(x), x1 = most3(x), y0 = least3(y), y1 = most3(y);
    seen &=
        (area > ALL(1e-7f)) & (x1 > ALL(0.0f)) & (y1 > ALL(0.0f)) & (x0 < ALL(w)) & (y0 < ALL(h));
    s->alive = bits(seen) & ((1u << n) - 1);
    if (!s->alive)
        return;
    /* No sample lies within many of those that are narrow. */
    seen &= tiles_between(x0, x1, w, 4, s->x0, s->x1) & tiles_between(y0, y1, h, 3, s->y0, s->y1);
    s->alive &= bits(seen);
    if (!s->alive)
        return;
    f8 side = most(x1 - x0, y1 - y0);
    s->straight = 0;
    if (!batch->levels)
        s->straight = bits((side < ALL(batch->shiny ? STRAIGHT_SHINY : STRAIGHT_MATTE)) &
                           (most3(at) < least3(at) * ALL(STRAIGHT_DEPTH)));
    STORE(s->area, area);
    f8 inv = ALL(1.0f) / area, zx = ALL(0.0f), zy = zx, zc = zx;
    /* Share of a corner: distance from the opposite side over its height. */
    for (int i = 0; i < 3; i++) {
        int m = (i + 1) % 3, k = (i + 2) % 3;
        f8 dx = x[k] - x[m], dy = y[k] - y[m];
        f8 ex = dy * inv, ey = -dx * inv, ec = -(ex * x[m] + ey * y[m]);
        f8 slack = ALL(SLACK) * (size_of(dx) + size_of(dy)) * inv;
        f8 iz = at[i] - ALL(batch->back) * at[i] * at[i];
        zx += ex * iz;
        zy += ey * iz;
        zc += ec * iz;
        STORE(s->ex[i], ex);
        STORE(s->ey[i], ey);
        STORE(s->ec[i], ec);
        STORE(s->at[i], at[i]);
        STORE(s->slack[i], slack);
        STORE(s->reach[i], size_of(ex) * ALL(RASTER_TILE_W * 0.5f - 0.125f) +
                               size_of(ey) * ALL(RASTER_TILE_H * 0.5f - 0.125f) + slack);
        for (int q = 0; q < RASTER_SAMPLES; q++)
            STORE(s->off[i][q], ex * ALL(sample_x[q]) + ey * ALL(sample_y[q]) + slack);
    }
    STORE(s->zx, zx);
    STORE(s->zy, zy);
    STORE(s->zc, zc);
    for (int q = 0; q < RASTER_SAMPLES; q++)
        STORE(s->z_off[q], zx * ALL(sample_x[q]) + zy * ALL(sample_y[q]));
}

/* What shading wants of the corners. */
INLINE void corners(const struct raster_vertices *v, const struct raster_batch *b,
                    const struct shapes *s, int lane, struct raster_face *f)
{
    for (int i = 0; i < 3; i++) {
        int id = s->id[i][lane];
        float iz = s->at[i][lane];
        f->ex[i] = s->ex[i][lane];
        f->ey[i] = s->ey[i][lane];
        f->ec[i] = s->ec[i][lane];
        f->at[i] = iz;
        for (int k = 0; k < 3; k++)
            f->light[k][i] = v->light[k][id] * b->tint[k] * iz;
        if (b->levels) {
            f->u[i] = v->u[id] * iz;
            f->v[i] = v->v[id] * iz;
        }
        if (b->shiny) {
            f->up[i] = v->up[id] * iz;
            f->glint[i] = v->glint[id] * iz;
            f->facing[i] = v->facing[id] * iz;
        }
    }
}

INLINE int texture_level(const struct raster_vertices *v, const struct raster_batch *b,
                         const struct shapes *s, int lane)
{
    const int t[3] = {s->id[0][lane], s->id[1][lane], s->id[2][lane]};
    float du1 = v->u[t[1]] - v->u[t[0]], dv1 = v->v[t[1]] - v->v[t[0]];
    float du2 = v->u[t[2]] - v->u[t[0]], dv2 = v->v[t[2]] - v->v[t[0]];
    float texel = fabsf(du1 * dv2 - du2 * dv1) * (float)(1 << (b->log2_w + b->log2_h));
    float ratio = texel / s->area[lane];
    int level = 0;
    while (ratio > 2.0f && level < b->levels - 1) {
        ratio *= 0.25f;
        level++;
    }
    return level;
}

/* Faces whose colours are straight between their corners, until there are eight. */
struct straight {
    int n;
    struct raster_face *face[BLOCK];
    int32_t id[3][BLOCK];
    float ex[3][BLOCK], ey[3][BLOCK], ec[3][BLOCK];
};

INLINE void straight_put(struct straight *w, const struct shapes *s, int lane,
                         struct raster_face *f)
{
    for (int i = 0; i < 3; i++) {
        w->id[i][w->n] = s->id[i][lane];
        w->ex[i][w->n] = s->ex[i][lane];
        w->ey[i][w->n] = s->ey[i][lane];
        w->ec[i][w->n] = s->ec[i][lane];
    }
    w->face[w->n++] = f;
}

/* Their colours, as planes over the patch. */
INLINE void straight_light(const struct raster_vertices *v, const struct raster_batch *b,
                           struct straight *w)
{
    f8 rgb[3][3];
    for (int i = 0; i < 3; i++) {
        i8 id = LOAD_I(w->id[i]);
        for (int k = 0; k < 3; k++)
            rgb[i][k] = gather_f(v->light[k], id) * ALL(b->tint[k]);
        if (b->shiny)
            mirror(b, gather_f(v->facing, id), gather_f(v->up, id), gather_f(v->glint, id), rgb[i]);
    }
    float all[3][5][BLOCK];
    for (int k = 0; k < 3; k++) {
        f8 at = ALL(0.0f), x = at, y = at;
        const f8 c[3] = {rgb[0][k], rgb[1][k], rgb[2][k]};
        for (int i = 0; i < 3; i++) {
            at += LOAD(w->ec[i]) * c[i];
            x += LOAD(w->ex[i]) * c[i];
            y += LOAD(w->ey[i]) * c[i];
        }
        STORE(all[k][0], at);
        STORE(all[k][1], x);
        STORE(all[k][2], y);
        STORE(all[k][3], least3(c));
        STORE(all[k][4], most3(c));
    }
    for (int i = 0; i < w->n; i++)
        for (int k = 0; k < 3; k++)
            for (int q = 0; q < 5; q++)
                w->face[i]->plane[k][q] = all[k][q][i];
    w->n = 0;
}

/* Negative: lanes whose i-th sample lies outside the triangle. */
INLINE i8 outside(const struct shapes *s, int lane, const f8 share[3], int i)
{
    return (i8)(share[0] + ALL(s->off[0][i][lane])) | (i8)(share[1] + ALL(s->off[1][i][lane])) |
           (i8)(share[2] + ALL(s->off[2][i][lane]));
}

INLINE void shares(const struct shapes *s, int lane, f8 x, f8 y, f8 share[3])
{
    for (int k = 0; k < 3; k++)
        share[k] = ALL(s->ex[k][lane]) * x + ALL(s->ey[k][lane]) * y + ALL(s->ec[k][lane]);
}

/* Tiles of a row that the triangle may touch; false: none. */
INLINE bool span(const struct shapes *s, int lane, int ty, int *ret_a, int *ret_e)
{
    float top = (float)(ty * RASTER_TILE_H), bottom = top + RASTER_TILE_H;
    float first = (float)(s->x0[lane] * RASTER_TILE_W);
    float end = (float)((s->x1[lane] + 1) * RASTER_TILE_W), lo = first, hi = end;
    for (int k = 0; k < 3; k++) {
        float ex = s->ex[k][lane], a = s->ey[k][lane] * top, b = s->ey[k][lane] * bottom;
        if (ex == 0)
            continue;
        float at = -((a > b ? a : b) + s->ec[k][lane] + s->slack[k][lane]) / ex;
        if (ex > 0)
            lo = at > lo ? at : lo;
        else
            hi = at < hi ? at : hi;
    }
    lo -= 0.1f; /* for roundings */
    hi += 0.1f;
    if (!(lo < hi))
        return false;
    lo = lo < first ? first : lo;
    hi = hi > end - 1 ? end - 1 : hi;
    if (!(lo <= end - 1 && hi >= first))
        return false;
    *ret_a = (int)lo / RASTER_TILE_W;
    *ret_e = (int)hi / RASTER_TILE_W;
    return true;
}

/* Places of up to eight tiles, so many in a row. */
static const int8_t tile_column[BLOCK + 1][BLOCK] = {
    {0},
    {0},
    {0, 1, 0, 1, 0, 1, 0, 1},
    {0, 1, 2, 0, 1, 2, 0, 1},
    {0, 1, 2, 3, 0, 1, 2, 3},
    {0, 1, 2, 3, 4, 0, 1, 2},
    {0, 1, 2, 3, 4, 5, 0, 1},
    {0, 1, 2, 3, 4, 5, 6, 0},
    {0, 1, 2, 3, 4, 5, 6, 7},
};
static const int8_t tile_row[BLOCK + 1][BLOCK] = {
    {0},
    {0, 1, 2, 3, 4, 5, 6, 7},
    {0, 0, 1, 1, 2, 2, 3, 3},
    {0, 0, 0, 1, 1, 1, 2, 2},
    {0, 0, 0, 0, 1, 1, 1, 1},
    {0, 0, 0, 0, 0, 1, 1, 1},
    {0, 0, 0, 0, 0, 0, 1, 1},
    {0, 0, 0, 0, 0, 0, 0, 1},
    {0},
};

/* Which of n tiles may have a sample within the triangle. */
INLINE uint32_t which_tiles(const struct shapes *s, int lane, int across, int n)
{
    f8 x = TO_F8(*(const b8u *)tile_column[across]) * ALL((float)RASTER_TILE_W) +
           ALL((float)(s->x0[lane] * RASTER_TILE_W) + RASTER_TILE_W * 0.5f);
    f8 y = TO_F8(*(const b8u *)tile_row[across]) * ALL((float)RASTER_TILE_H) +
           ALL((float)(s->y0[lane] * RASTER_TILE_H) + RASTER_TILE_H * 0.5f);
    f8 share[3];
    shares(s, lane, x, y, share);
    i8 out = (i8)(share[0] + ALL(s->reach[0][lane])) | (i8)(share[1] + ALL(s->reach[1][lane])) |
             (i8)(share[2] + ALL(s->reach[2][lane]));
    return ~bits(out) & ((1u << n) - 1);
}

/* Where its texture is there. */
INLINE i8 solid(const struct raster_batch *b, const struct raster_face *f, const f8 share[3])
{
    f8 u = ALL(0.0f), v = ALL(0.0f), sum = ALL(1e-30f), t[4];
    for (int k = 0; k < 3; k++) {
        f8 w = most(share[k], ALL(0.0f));
        sum += w * ALL(f->at[k]);
        u += w * ALL(f->u[k]);
        v += w * ALL(f->v[k]);
    }
    f8 inv = ALL(1.0f) / sum;
    texels(b, f->level, u * inv, v * inv, t);
    return t[3] >= ALL(32640.0f);
}

enum drawn { OPAQUE, HOLED, OUTLINE, MASK };

/* Is it seen there? */
INLINE bool draw_tile(const struct raster_batch *b, const struct raster_patch *p,
                      const struct raster_face *f, const struct shapes *s, int lane, int tx, int ty,
                      enum drawn how)
{
    f8 x = lane_x(tx), y = lane_y(ty), share[3];
    shares(s, lane, x, y, share);
    size_t tile = (size_t)ty * (size_t)p->across + (size_t)tx;
    if (how == MASK) {
        if (p->mask[tile] == 0xffffffffu)
            return true;
        for (int i = 0; i < RASTER_SAMPLES; i++)
            p->mask[tile] |= (bits(outside(s, lane, share, i)) ^ 0xff) << (BLOCK * i);
        return true;
    }
    float *depth = p->depth + tile * (RASTER_SAMPLES * BLOCK);
    float *who = (float *)p->who + tile * (RASTER_SAMPLES * BLOCK); /* as bits */
    f8 iz = ALL(s->zx[lane]) * x + ALL(s->zy[lane]) * y + ALL(s->zc[lane]);
    f8 z[RASTER_SAMPLES], was[RASTER_SAMPLES];
    i8 miss[RASTER_SAMPLES], all = ALL_I(-1); /* the sign tells */
    for (int i = 0; i < RASTER_SAMPLES; i++) {
        z[i] = iz + ALL(s->z_off[i][lane]);
        was[i] = LOAD(depth + i * BLOCK);
        miss[i] = outside(s, lane, share, i) | (z[i] <= was[i]);
        all &= miss[i];
    }
    if (bits(all) == 0xff)
        return false;
    if (how == HOLED) {
        i8 hole = ~solid(b, f, share);
        if (bits(all | hole) == 0xff)
            return false;
        for (int i = 0; i < RASTER_SAMPLES; i++)
            miss[i] |= hole;
    }
    p->touched[tile] = 1;
    for (int i = 0; i < RASTER_SAMPLES; i++) {
        STORE(depth + i * BLOCK, by_sign(miss[i], was[i], z[i]));
        if (how != OUTLINE)
            STORE(who + i * BLOCK, by_sign(miss[i], LOAD(who + i * BLOCK), (f8)ALL_I(p->n_faces)));
    }
    return true;
}

INLINE bool draw_one(const struct raster_batch *b, const struct raster_patch *p,
                     const struct raster_face *f, const struct shapes *s, int lane, enum drawn how)
{
    int x0 = s->x0[lane], y0 = s->y0[lane];
    int across = s->x1[lane] + 1 - x0, n = across * (s->y1[lane] + 1 - y0);
    bool shown = false;
    if (n == 1)
        return draw_tile(b, p, f, s, lane, x0, y0, how);
    if (n <= BLOCK) {
        for (uint32_t left = which_tiles(s, lane, across, n); left; left &= left - 1) {
            int at = __builtin_ctz(left);
            shown |= draw_tile(b, p, f, s, lane, x0 + tile_column[across][at],
                               y0 + tile_row[across][at], how);
        }
        return shown;
    }
    for (int ty = y0, tx, last; ty <= s->y1[lane]; ty++)
        if (span(s, lane, ty, &tx, &last))
            for (; tx <= last; tx++)
                shown |= draw_tile(b, p, f, s, lane, tx, ty, how);
    return shown;
}

INLINE void draw_all(const struct raster_vertices *v, const struct raster_batch *b, int number,
                     struct raster_patch *p, enum drawn how)
{
    struct shapes s;
    struct straight w = {0};
    for (size_t i = 0; i < b->n; i += BLOCK) {
        shapes_of(v, b, i, p, &s);
        for (; s.alive; s.alive &= s.alive - 1) {
            int lane = __builtin_ctz(s.alive);
            if (how == OUTLINE || how == MASK) {
                draw_one(b, p, NULL, &s, lane, how);
                continue;
            }
            struct raster_face *f = &p->face[p->n_faces];
            if (how == HOLED) {
                f->level = texture_level(v, b, &s, lane);
                corners(v, b, &s, lane, f);
            }
            if (!draw_one(b, p, f, &s, lane, how))
                continue;
            bool straight = s.straight >> lane & 1;
            f->batch = straight ? -1 : number;
            if (straight) {
                straight_put(&w, &s, lane, f);
            } else if (how != HOLED) {
                f->level = b->levels ? texture_level(v, b, &s, lane) : 0;
                corners(v, b, &s, lane, f);
            }
            if (w.n == BLOCK)
                straight_light(v, b, &w);
            if (++p->n_faces == p->faces_room)
                break; /* not with the room that is asked for */
        }
    }
    if (w.n)
        straight_light(v, b, &w);
}

void KERNELS_OWN(raster_triangles)(const struct raster_vertices *v, const struct raster_batch *b,
                                   int number, struct raster_patch *p)
{
    if (b->levels && b->alpha)
        draw_all(v, b, number, p, HOLED);
    else
        draw_all(v, b, number, p, OPAQUE);
}

void KERNELS_OWN(raster_outline)(const struct raster_vertices *v, const struct raster_batch *b,
                                 int number, struct raster_patch *p)
{
    draw_all(v, b, number, p, OUTLINE);
}

void KERNELS_OWN(raster_mask)(const struct raster_vertices *v, const struct raster_batch *b,
                              int number, struct raster_patch *p)
{
    draw_all(v, b, number, p, MASK);
}
