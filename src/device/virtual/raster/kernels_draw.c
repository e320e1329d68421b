/* Triangles into a patch: which face is nearest at each sample, or only which samples are
 * covered. Compiled several times; see kernels.h. */
#include "device/virtual/raster/kernels_vec.h"

/* Where the samples of a block lie: four about each pixel's middle, one in each quarter of its
 * columns and of its rows. */
static const f8 sample_x = {0.375f, 0.875f, 0.125f, 0.625f, 1.375f, 1.875f, 1.125f, 1.625f};
static const f8 sample_y = {0.125f, 0.375f, 0.625f, 0.875f, 0.125f, 0.375f, 0.625f, 0.875f};
#define SAMPLE_REACH 0.375f /* from the middle */
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
    int32_t x0[BLOCK], x1[BLOCK], y0[BLOCK], y1[BLOCK]; /* blocks; rows; inclusive */
    float ex[3][BLOCK], ey[3][BLOCK], ec[3][BLOCK];     /* as in raster_face */
    float at[3][BLOCK];                                 /* 1/z of corners */
    float wide[3][BLOCK];                               /* ec, and a little more: no cracks */
    float inv[3][BLOCK];                                /* 1 / ex, or 0 */
    float zx[BLOCK], zy[BLOCK], zc[BLOCK];
    float area[BLOCK]; /* pixels, doubled */
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

/* Quarters of pixels whose samples lie between two borders, in wholes of 2^shift of them; returns
 * the lanes in which there are any. */
INLINE i8 samples_between(f8 lo, f8 hi, float end, int shift, int32_t *ret_first, int32_t *ret_last)
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
    seen &=
        samples_between(x0, x1, w, 3, s->x0, s->x1) & samples_between(y0, y1, h, 2, s->y0, s->y1);
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
        ex = pick(ex == ALL(0.0f), ALL(0.0f), ex); /* never -0 */
        f8 flat = pick(ex == ALL(0.0f), ALL(1.0f), ALL(0.0f));
        f8 iz = at[i] - ALL(batch->back) * at[i] * at[i];
        zx += ex * iz;
        zy += ey * iz;
        zc += ec * iz;
        STORE(s->ex[i], ex);
        STORE(s->ey[i], ey);
        STORE(s->ec[i], ec);
        STORE(s->at[i], at[i]);
        STORE(s->wide[i], ec + ALL(SLACK) * (size_of(dx) + size_of(dy)) * inv);
        STORE(s->inv[i], (ALL(1.0f) - flat) / (ex + flat));
    }
    STORE(s->zx, zx);
    STORE(s->zy, zy);
    STORE(s->zc, zc);
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
                         const struct shapes *s, int lane, float squeeze)
{
    const int t[3] = {s->id[0][lane], s->id[1][lane], s->id[2][lane]};
    float du1 = v->u[t[1]] - v->u[t[0]], dv1 = v->v[t[1]] - v->v[t[0]];
    float du2 = v->u[t[2]] - v->u[t[0]], dv2 = v->v[t[2]] - v->v[t[0]];
    float texel = fabsf(du1 * dv2 - du2 * dv1) * (float)(1 << (b->log2_w + b->log2_h));
    float ratio = texel / (s->area[lane] * squeeze);
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

/* Where its texture is there. */
INLINE i8 solid(const struct raster_batch *b, const struct raster_face *f, f8 x, f8 y)
{
    f8 u = ALL(0.0f), v = ALL(0.0f), sum = ALL(1e-30f), t[4];
    for (int k = 0; k < 3; k++) {
        f8 w = most(ALL(f->ex[k]) * x + ALL(f->ey[k]) * y + ALL(f->ec[k]), ALL(0.0f));
        sum += w * ALL(f->at[k]);
        u += w * ALL(f->u[k]);
        v += w * ALL(f->v[k]);
    }
    f8 inv = ALL(1.0f) / sum;
    texels(b, f->level, u * inv, v * inv, t);
    return t[3] >= ALL(32640.0f);
}

enum drawn { OPAQUE, HOLED, OUTLINE, MASK };

/* What of a triangle's texture is there, at a level. */
enum { HOLES_UNKNOWN, HOLES_NONE, HOLES_SOME, HOLES_ALL };

INLINE void texels_between(const float at[3], int side, int *ret_first, int *ret_last)
{
    float lo = fminf(fminf(at[0], at[1]), at[2]), hi = fmaxf(fmaxf(at[0], at[1]), at[2]);
    *ret_first = (int)floorf(lo * (float)side) - 1; /* half of one for neighbours, and roundings */
    *ret_last = (int)floorf(hi * (float)side) + 1;
    if (*ret_last - *ret_first >= side) {
        *ret_first = 0;
        *ret_last = side - 1;
    }
}

static uint8_t look_for_holes(const struct raster_vertices *v, const struct raster_batch *b,
                              const struct shapes *s, int lane, int level)
{
    const int w = 1 << (b->log2_w - level), h = 1 << (b->log2_h - level);
    const uint32_t *texel = b->level[level];
    float tu[3], tv[3];
    int x0, x1, y0, y1;
    bool some = false, all = true;
    for (int k = 0; k < 3; k++) {
        tu[k] = v->u[s->id[k][lane]];
        tv[k] = v->v[s->id[k][lane]];
    }
    texels_between(tu, w, &x0, &x1);
    texels_between(tv, h, &y0, &y1);
    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++) {
            bool there = texel[(y & (h - 1)) * w + (x & (w - 1))] >> 24 >= 128; /* as solid() */
            some |= there;
            all &= there;
        }
    return all ? HOLES_NONE : some ? HOLES_SOME : HOLES_ALL;
}

INLINE int holes_of(const struct raster_vertices *v, const struct raster_batch *b,
                    const struct shapes *s, int lane, size_t number, int level)
{
    uint8_t *known = b->holes + number * MODEL_FACTORS + level;
    if (!b->holes)
        return HOLES_SOME;
    if (*known == HOLES_UNKNOWN)
        *known = look_for_holes(v, b, s, lane, level);
    return *known;
}

/* Shares of a triangle's corners at the samples of a block, and 1/z; or how much more they are in
 * another one. */
struct along {
    f8 share[3], z;
};

INLINE struct along further(const struct along *from, const struct shapes *s, int lane, float x,
                            float y)
{
    struct along to;
    for (int k = 0; k < 3; k++)
        to.share[k] = from->share[k] + ALL(s->ex[k][lane] * x + s->ey[k][lane] * y);
    to.z = from->z + ALL(s->zx[lane] * x + s->zy[lane] * y);
    return to;
}

/* Which samples of a block lie in holes; `holes`: a bit for each of its two pixels. */
INLINE i8 hole_lanes(uint32_t holes)
{
    i8 left = ALL_I(-(int32_t)(holes & 1)), right = ALL_I(-(int32_t)(holes >> 1 & 1));
    return __builtin_shufflevector(left, right, 0, 1, 2, 3, 8, 9, 10, 11);
}

/* A block's samples that are neither missed nor nearer already: which, as bits. Without asking
 * whether there are any: in every other block there are, and nobody foresees in which. */
INLINE uint32_t draw_block(const struct raster_patch *p, size_t tile, unsigned block, i8 miss, f8 z,
                           f8 id, enum drawn how)
{
    float *depth = p->depth + (tile * RASTER_BLOCKS + block) * BLOCK;
    f8 was = LOAD(depth);
    miss |= z <= was;
    STORE(depth, by_sign(miss, was, z));
    if (how != OUTLINE) {
        float *who = (float *)p->who + (tile * RASTER_BLOCKS + block) * BLOCK;
        STORE(who, by_sign(miss, LOAD(who), id)); /* as bits */
    }
    uint32_t hit = bits(miss) ^ 0xff;
    p->touched[tile] |= (uint8_t)hit;
    return hit;
}

/* Blocks x0…x1 of a row. Where is it seen? */
INLINE uint32_t draw_row(const struct raster_batch *b, const struct raster_patch *p,
                         const struct raster_face *f, struct along at, const struct along *step,
                         unsigned y, unsigned x0, unsigned x1, enum drawn how)
{
    const f8 column = {0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f, 7.5f};
    const size_t row = (size_t)(y / RASTER_TILE_H) * (size_t)p->across;
    const unsigned below = y % RASTER_TILE_H * (RASTER_TILE_W / RASTER_BLOCK_W);
    const f8 id = (f8)ALL_I(p->n_faces);
    uint32_t holes = 0;
    unsigned known = x0; /* where holes have been looked for */
    uint32_t shown = 0;
    for (unsigned x = x0; x <= x1; x++) {
        i8 miss = (i8)at.share[0] | (i8)at.share[1] | (i8)at.share[2]; /* the sign tells */
        f8 z = at.z;
        for (int k = 0; k < 3; k++)
            at.share[k] += step->share[k];
        at.z += step->z;
        size_t tile = row + x / (RASTER_TILE_W / RASTER_BLOCK_W);
        unsigned block = below + x % (RASTER_TILE_W / RASTER_BLOCK_W);
        if (how == MASK) {
            p->mask[tile] |= (bits(miss) ^ 0xff) << (BLOCK * block);
            continue;
        }
        if (how == HOLED) {
            miss |= z <= LOAD(p->depth + (tile * RASTER_BLOCKS + block) * BLOCK);
            if (bits(miss) == 0xff)
                continue;
            if (x >= known) { /* eight pixels at once */
                holes = ~bits(
                    solid(b, f, ALL((float)(x * RASTER_BLOCK_W)) + column, ALL((float)y + 0.5f)));
                known = x + BLOCK / RASTER_BLOCK_W;
                x0 = x;
            }
            miss |= hole_lanes(holes >> (x - x0) * RASTER_BLOCK_W);
        }
        shown |= draw_block(p, tile, block, miss, z, id, how);
    }
    return shown;
}

/* One that is so few blocks wide that all are tried. */
INLINE uint32_t draw_narrow(const struct raster_patch *p, const struct along *first,
                            const struct along *step, const struct shapes *s, int lane,
                            const unsigned width, enum drawn how)
{
    const unsigned left = (unsigned)s->x0[lane], top = (unsigned)s->y0[lane];
    const unsigned low = (unsigned)s->y1[lane];
    const f8 id = (f8)ALL_I(p->n_faces);
    uint32_t shown = 0;
    struct along row = *first;
    for (unsigned y = top; y <= low; y++) {
        if ((y - top) % BLOCK == 0) /* before roundings add up */
            row = further(first, s, lane, (float)(left * RASTER_BLOCK_W), (float)y);
        const size_t tiles = (size_t)(y / RASTER_TILE_H) * (size_t)p->across;
        const unsigned below = y % RASTER_TILE_H * (RASTER_TILE_W / RASTER_BLOCK_W);
        struct along at = row;
        for (unsigned x = left; x < left + width; x++) {
            i8 miss = (i8)at.share[0] | (i8)at.share[1] | (i8)at.share[2]; /* the sign tells */
            size_t tile = tiles + x / (RASTER_TILE_W / RASTER_BLOCK_W);
            unsigned block = below + x % (RASTER_TILE_W / RASTER_BLOCK_W);
            if (how == MASK)
                p->mask[tile] |= (bits(miss) ^ 0xff) << (BLOCK * block);
            else
                shown |= draw_block(p, tile, block, miss, at.z, id, how);
            for (int k = 0; k < 3; k++)
                at.share[k] += step->share[k];
            at.z += step->z;
        }
        for (int k = 0; k < 3; k++)
            row.share[k] += ALL(s->ey[k][lane]);
        row.z += ALL(s->zy[lane]);
    }
    return shown;
}

INLINE uint32_t draw_one(const struct raster_batch *b, const struct raster_patch *p,
                         const struct raster_face *f, const struct shapes *s, int lane,
                         enum drawn how)
{
    const f8 rows = {0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f, 7.5f};
    const int left = s->x0[lane], right = s->x1[lane], top = s->y0[lane], low = s->y1[lane];
    struct along first, step;
    uint32_t shown = 0;
    for (int k = 0; k < 3; k++) {
        f8 ex = ALL(s->ex[k][lane]), ey = ALL(s->ey[k][lane]);
        first.share[k] = ex * sample_x + ey * sample_y + ALL(s->wide[k][lane]);
        step.share[k] = ex * ALL((float)RASTER_BLOCK_W);
    }
    first.z = ALL(s->zx[lane]) * sample_x + ALL(s->zy[lane]) * sample_y + ALL(s->zc[lane]);
    step.z = ALL(s->zx[lane] * RASTER_BLOCK_W);
    if (how != HOLED && right == left)
        return draw_narrow(p, &first, &step, s, lane, 1, how);
    if (how != HOLED && right == left + 1)
        return draw_narrow(p, &first, &step, s, lane, 2, how);
    if (how != HOLED && right == left + 2)
        return draw_narrow(p, &first, &step, s, lane, 3, how);
    const f8 from = ALL((float)(left * RASTER_BLOCK_W));
    const f8 till = ALL((float)((right + 1) * RASTER_BLOCK_W) - 0.125f);
    for (int y = top; y <= low; y += BLOCK) {
        /* From where to where samples of eight rows may be within. */
        f8 middle = ALL((float)y) + rows, lo = from, hi = till;
        for (int k = 0; k < 3; k++) {
            f8 ey = ALL(s->ey[k][lane]), ex = ALL(s->ex[k][lane]);
            f8 at = -(ALL(s->wide[k][lane]) + ey * middle + size_of(ey) * ALL(SAMPLE_REACH)) *
                    ALL(s->inv[k][lane]);
            lo = by_sign((i8)ex, lo, most(at - ALL(0.1f), lo)); /* for roundings */
            hi = by_sign((i8)ex, least(at + ALL(0.1f), hi), hi);
        }
        int32_t x0[BLOCK], x1[BLOCK];
        STORE_I(x0, __builtin_convertvector(least(lo, till), i8) >> 1);
        STORE_I(x1, __builtin_convertvector(most(hi, ALL(-2.0f)), i8) >> 1);
        int n = low + 1 - y < BLOCK ? low + 1 - y : BLOCK;
        for (int i = 0; i < n; i++)
            if (x0[i] <= x1[i])
                shown |= draw_row(
                    b, p, f,
                    further(&first, s, lane, (float)(x0[i] * RASTER_BLOCK_W), (float)(y + i)),
                    &step, (unsigned)(y + i), (unsigned)x0[i], (unsigned)x1[i], how);
    }
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
            int level = how == HOLED ? texture_level(v, b, &s, lane, p->squeeze) : 0;
            int holes = how == HOLED ? holes_of(v, b, &s, lane, i + (size_t)lane, level) : 0;
            bool holed = holes == HOLES_SOME;
            if (holes == HOLES_ALL)
                continue;
            if (holed) {
                f->level = level;
                corners(v, b, &s, lane, f);
            }
            if (!(holed ? draw_one(b, p, f, &s, lane, HOLED) : draw_one(b, p, f, &s, lane, OPAQUE)))
                continue;
            bool straight = s.straight >> lane & 1;
            f->batch = straight ? -1 : number;
            if (straight) {
                straight_put(&w, &s, lane, f);
            } else if (!holed) {
                f->level = b->levels ? texture_level(v, b, &s, lane, p->squeeze) : 0;
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
