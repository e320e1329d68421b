/* Triangles into a patch: which face is nearest at each sample, or only which samples are
 * covered. Compiled several times; see kernels.h. */
#include "device/virtual/raster/kernels_vec.h"

/* A row of a tile is drawn at once, or in parts: as many samples as a register holds. */
#ifdef __AVX512F__
#define WIDE 16
#else
#define WIDE BLOCK
#endif
#define ROW (RASTER_TILE_W * RASTER_SAMPLES)
#define PARTS (ROW / WIDE)
typedef float fw __attribute__((vector_size(4 * WIDE)));
typedef int32_t iw __attribute__((vector_size(4 * WIDE)));
#define WIDE_AT(p) (*(fw *)(p)) /* aligned */
#define ALL_WIDE(x) ((fw){0} + (x))

/* Where those samples lie: four about each pixel's middle, one in each quarter of its columns and
 * of its rows. */
#define COLUMNS(x) (x) + 0.375f, (x) + 0.875f, (x) + 0.125f, (x) + 0.625f
#define LINES 0.125f, 0.375f, 0.625f, 0.875f
static const float sample_x[ROW]
    __attribute__((aligned(64))) = {COLUMNS(0), COLUMNS(1), COLUMNS(2), COLUMNS(3)};
static const float sample_y[ROW] __attribute__((aligned(64))) = {LINES, LINES, LINES, LINES};
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
    int32_t x0[BLOCK], x1[BLOCK], y0[BLOCK], y1[BLOCK]; /* tiles; rows; inclusive */
    float ex[3][BLOCK], ey[3][BLOCK], ec[3][BLOCK];     /* as in raster_face */
    float at[3][BLOCK];                                 /* 1/z of corners */
    /* At the left upper corner of its tiles and rows: shares, and a little more: no cracks; 1/z. */
    float near[3][BLOCK], zc[BLOCK];
    float inv[3][BLOCK]; /* 1 / ex, or 0 */
    float zx[BLOCK], zy[BLOCK];
    float area[BLOCK]; /* pixels, doubled */
};

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
    const uint16_t *t = batch->triangle + 3 * first;
    uint16_t few[3 * BLOCK] = {0};
    if (n < BLOCK)
        t = memcpy(few, t, 3 * n * sizeof(*t));
    const w8u t0 = *(const w8u *)t, t1 = *(const w8u *)(t + 8), t2 = *(const w8u *)(t + 16);
    const w8u ids[3] = {
        __builtin_shufflevector(__builtin_shufflevector(t0, t1, 0, 3, 6, 9, 12, 15, -1, -1), t2, 0,
                                1, 2, 3, 4, 5, 10, 13),
        __builtin_shufflevector(__builtin_shufflevector(t0, t1, 1, 4, 7, 10, 13, -1, -1, -1), t2, 0,
                                1, 2, 3, 4, 8, 11, 14),
        __builtin_shufflevector(__builtin_shufflevector(t0, t1, 2, 5, 8, 11, 14, -1, -1, -1), t2, 0,
                                1, 2, 3, 4, 9, 12, 15)};
    i8 corner[3];
    for (int k = 0; k < 3; k++) {
        corner[k] = __builtin_convertvector(ids[k], i8);
        STORE_I(s->id[k], corner[k]);
    }
    f8 x[3], y[3], at[3];
    i8 seen = ALL_I(-1);
    for (int k = 0; k < 3; k++) {
        x[k] = gather_f(v->x, corner[k]) - ALL((float)p->x0);
        y[k] = gather_f(v->y, corner[k]) - ALL((float)p->y0);
        at[k] = gather_f(v->iz, corner[k]);
        seen &= at[k] > ALL(0.0f);
    }
    /* Counter-clockwise in the world is clockwise with y down: positive here. */
    f8 area = (x[2] - x[0]) * (y[1] - y[0]) - (x[1] - x[0]) * (y[2] - y[0]);
    if (batch->two_sided) {
        i8 rear = area < ALL(0.0f);
        swap_lanes(rear, &x[1], &x[2]);
        swap_lanes(rear, &y[1], &y[2]);
        swap_lanes(rear, &at[1], &at[2]);
        STORE_I(s->id[1], (corner[2] & rear) | (corner[1] & ~rear));
        STORE_I(s->id[2], (corner[1] & rear) | (corner[2] & ~rear));
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
        samples_between(x0, x1, w, 4, s->x0, s->x1) & samples_between(y0, y1, h, 2, s->y0, s->y1);
    s->alive &= bits(seen);
    if (!s->alive)
        return;
    f8 side = most(x1 - x0, y1 - y0);
    s->straight = 0;
    if (!batch->levels)
        s->straight = bits((side < ALL(batch->shiny ? STRAIGHT_SHINY : STRAIGHT_MATTE)) &
                           (most3(at) < least3(at) * ALL(STRAIGHT_DEPTH)));
    STORE(s->area, area);
    const f8 left = TO_F8(LOAD_I(s->x0)) * ALL((float)RASTER_TILE_W), top = TO_F8(LOAD_I(s->y0));
    f8 inv = ALL(1.0f) / area, zx = ALL(0.0f), zy = zx, zc = zx;
    /* Share of a corner: distance from the opposite side over its height. */
    for (int i = 0; i < 3; i++) {
        int m = (i + 1) % 3, k = (i + 2) % 3;
        f8 dx = x[k] - x[m], dy = y[k] - y[m];
        f8 ex = dy * inv, ey = -dx * inv, near = -(ex * (x[m] - left) + ey * (y[m] - top));
        ex = pick(ex == ALL(0.0f), ALL(0.0f), ex); /* never -0 */
        f8 flat = pick(ex == ALL(0.0f), ALL(1.0f), ALL(0.0f));
        f8 iz = at[i] - ALL(batch->back) * at[i] * at[i];
        zx += ex * iz;
        zy += ey * iz;
        zc += near * iz;
        STORE(s->ex[i], ex);
        STORE(s->ey[i], ey);
        STORE(s->ec[i], near - (ex * left + ey * top));
        STORE(s->at[i], at[i]);
        STORE(s->near[i], near + ALL(SLACK) * (size_of(dx) + size_of(dy)) * inv);
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
    f8 all[2 * BLOCK];
    for (int k = 0; k < 3; k++) {
        f8 at = ALL(0.0f), x = at, y = at;
        const f8 c[3] = {rgb[0][k], rgb[1][k], rgb[2][k]};
        for (int i = 0; i < 3; i++) {
            at += LOAD(w->ec[i]) * c[i];
            x += LOAD(w->ex[i]) * c[i];
            y += LOAD(w->ey[i]) * c[i];
        }
        const f8 plane[5] = {at, x, y, least3(c), most3(c)};
        memcpy(all + 5 * k, plane, sizeof(plane));
    }
    all[15] = all[14]; /* anything */
    turn8(all);
    turn8(all + BLOCK);
    for (int i = 0; i < w->n; i++) {
        float *to = w->face[i]->all_plane;
        STORE(to, all[i]);
        STORE(to + BLOCK, all[BLOCK + i]);
    }
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

/* Shares of a triangle's corners at the samples of a part of a tile's row, and 1/z; or how much
 * more they are elsewhere. */
struct along {
    fw share[3], z;
};

INLINE struct along more(const struct along *a, const struct along *b)
{
    struct along sum = {.z = a->z + b->z};
    for (int k = 0; k < 3; k++)
        sum.share[k] = a->share[k] + b->share[k];
    return sum;
}
/* So many rows further down. */
INLINE struct along below(const struct shapes *s, int lane, float rows)
{
    struct along d = {.z = ALL_WIDE(s->zy[lane] * rows)};
    for (int k = 0; k < 3; k++)
        d.share[k] = ALL_WIDE(s->ey[k][lane] * rows);
    return d;
}

/* Which samples of a part are meant. */
#if WIDE == 16
typedef __mmask16 hits;
#define HITS(h) ((uint32_t)(h))

INLINE hits within(const struct along *a)
{
    return _mm512_movepi32_mask(_mm512_ternarylogic_epi32(
        (__m512i)a->share[0], (__m512i)a->share[1], (__m512i)a->share[2], 0x01));
}
INLINE hits nearer(hits h, fw z, fw was)
{
    return _mm512_mask_cmp_ps_mask(h, (__m512)z, (__m512)was, _CMP_NLE_UQ);
}
/* holes: a bit for each pixel */
INLINE hits but_for(hits h, uint32_t holes, int part)
{
    (void)part;
    return h & (hits) ~(_pdep_u32(holes, 0x1111) * 15);
}
INLINE void put(hits h, float *to, fw v)
{
    _mm512_mask_store_ps(to, h, (__m512)v);
}
#else
typedef iw hits; /* those that are negative are not */
#define HITS(h) (bits(h) ^ 0xff)

INLINE hits within(const struct along *a)
{
    return (iw)a->share[0] | (iw)a->share[1] | (iw)a->share[2];
}
INLINE hits nearer(hits h, fw z, fw was)
{
    return h | (z <= was);
}
INLINE hits but_for(hits h, uint32_t holes, int part)
{
    static const iw pixel[2] = {{31, 31, 31, 31, 30, 30, 30, 30}, {29, 29, 29, 29, 28, 28, 28, 28}};
    return h | ALL_I((int32_t)holes) << pixel[part];
}
INLINE void put(hits h, float *to, fw v)
{
    WIDE_AT(to) = by_sign(h, WIDE_AT(to), v);
}
#endif

/* Draws what covers one of a tile's rows, but for holes: bits of pixels. Returns at which samples
 * it is seen. Without asking whether it is at any: in every other row it is, and nobody foresees
 * in which. */
INLINE uint32_t draw_tile(const struct raster_patch *p, const struct along at[PARTS], size_t tile,
                          unsigned y, uint32_t holes, enum drawn how)
{
    const fw id = (fw)((iw){0} + p->n_faces); /* as bits */
    const size_t first = (tile * RASTER_TILE_H + y) * ROW;
    uint32_t shown = 0;
    for (int i = 0; i < PARTS; i++) {
        float *depth = p->depth + first + i * WIDE;
        hits h = within(&at[i]);
        if (how != MASK)
            h = nearer(h, at[i].z, WIDE_AT(depth));
        if (how == HOLED)
            h = but_for(h, holes, i);
        if (how != MASK)
            put(h, depth, at[i].z);
        if (how != MASK && how != OUTLINE)
            put(h, (float *)p->who + first + i * WIDE, id);
        shown |= HITS(h) << (i * WIDE);
    }
    if (how == MASK)
        p->mask[tile] |= shown << (y * ROW);
    else
        p->touched[tile] |= shown != 0;
    return shown;
}

/* Its tiles x0…x1 of its row y. Where is it seen? */
INLINE uint32_t draw_row(const struct raster_batch *b, const struct raster_patch *p,
                         const struct raster_face *f, const struct along first[PARTS],
                         const struct along *step, const struct shapes *s, int lane, int y, int x0,
                         int x1, enum drawn how)
{
    const f8 column = {0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f, 7.5f};
    const float across = (float)(x0 * RASTER_TILE_W);
    struct along at[PARTS], to = below(s, lane, (float)y);
    uint32_t shown = 0, holes = 0;
    for (int k = 0; k < 3; k++)
        to.share[k] += ALL_WIDE(s->ex[k][lane] * across);
    to.z += ALL_WIDE(s->zx[lane] * across);
    for (int i = 0; i < PARTS; i++)
        at[i] = more(&first[i], &to);
    y += s->y0[lane];
    const int row = y / RASTER_TILE_H * p->across;
    for (int x = x0 + s->x0[lane], end = x1 + s->x0[lane], n = 0; x <= end; x++, n++) {
        if (how == HOLED && n % 2 == 0) /* two at once */
            holes =
                ~bits(solid(b, f, ALL((float)(x * RASTER_TILE_W)) + column, ALL((float)y + 0.5f)));
        shown |= draw_tile(p, at, (size_t)(row + x), (unsigned)y % RASTER_TILE_H, holes, how);
        holes >>= RASTER_TILE_W;
        for (int i = 0; i < PARTS; i++)
            at[i] = more(&at[i], step);
    }
    return shown;
}

/* One that is so few tiles wide that all are tried. */
INLINE uint32_t draw_narrow(const struct raster_patch *p, const struct along first[PARTS],
                            const struct along *step, const struct shapes *s, int lane,
                            const unsigned width, enum drawn how)
{
    const unsigned left = (unsigned)s->x0[lane], top = (unsigned)s->y0[lane];
    const unsigned low = (unsigned)s->y1[lane];
    const struct along down = below(s, lane, 1);
    struct along row[PARTS];
    uint32_t shown = 0;
    memcpy(row, first, sizeof(row));
    for (unsigned y = top; y <= low; y++) {
        const size_t tile = (size_t)(y / RASTER_TILE_H) * (size_t)p->across + left;
        struct along at[PARTS];
        memcpy(at, row, sizeof(at));
        for (unsigned x = 0; x < width; x++) {
            shown |= draw_tile(p, at, tile + x, y % RASTER_TILE_H, 0, how);
            for (int i = 0; i < PARTS; i++)
                at[i] = more(&at[i], step);
        }
        for (int i = 0; i < PARTS; i++)
            row[i] = more(&row[i], &down);
    }
    return shown;
}

INLINE uint32_t draw_one(const struct raster_batch *b, const struct raster_patch *p,
                         const struct raster_face *f, const struct shapes *s, int lane,
                         enum drawn how)
{
    const f8 rows = {0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f, 7.5f};
    const int width = s->x1[lane] + 1 - s->x0[lane], height = s->y1[lane] + 1 - s->y0[lane];
    struct along step, first[PARTS];
    uint32_t shown = 0;
    for (int i = 0; i < PARTS; i++) {
        const fw x = WIDE_AT(sample_x + i * WIDE), y = WIDE_AT(sample_y + i * WIDE);
        for (int k = 0; k < 3; k++)
            first[i].share[k] = x * s->ex[k][lane] + y * s->ey[k][lane] + s->near[k][lane];
        first[i].z = x * s->zx[lane] + y * s->zy[lane] + s->zc[lane];
    }
    for (int k = 0; k < 3; k++)
        step.share[k] = ALL_WIDE(s->ex[k][lane] * RASTER_TILE_W);
    step.z = ALL_WIDE(s->zx[lane] * RASTER_TILE_W);
    if (how != HOLED && width == 1)
        return draw_narrow(p, first, &step, s, lane, 1, how);
    if (how != HOLED && width == 2)
        return draw_narrow(p, first, &step, s, lane, 2, how);
    if (how != HOLED && width == 3)
        return draw_narrow(p, first, &step, s, lane, 3, how);
    const f8 till = ALL((float)(width * RASTER_TILE_W) - 0.125f);
    for (int y = 0; y < height; y += BLOCK) {
        /* From where to where samples of eight rows may be within. */
        f8 middle = ALL((float)y) + rows, lo = ALL(0.0f), hi = till;
        for (int k = 0; k < 3; k++) {
            f8 ey = ALL(s->ey[k][lane]), ex = ALL(s->ex[k][lane]);
            f8 at = -(ALL(s->near[k][lane]) + ey * middle + size_of(ey) * ALL(SAMPLE_REACH)) *
                    ALL(s->inv[k][lane]);
            lo = by_sign((i8)ex, lo, most(at - ALL(0.1f), lo)); /* for roundings */
            hi = by_sign((i8)ex, least(at + ALL(0.1f), hi), hi);
        }
        int32_t x0[BLOCK], x1[BLOCK];
        STORE_I(x0, __builtin_convertvector(least(lo, till), i8) >> 2);
        STORE_I(x1, __builtin_convertvector(most(hi, ALL(-(float)RASTER_TILE_W)), i8) >> 2);
        for (int i = 0; i < BLOCK && y + i < height; i++)
            if (x0[i] <= x1[i])
                shown |= draw_row(b, p, f, first, &step, s, lane, y + i, x0[i], x1[i], how);
    }
    return shown;
}

INLINE void draw_all(const struct raster_vertices *v, const struct raster_batch *b, int number,
                     struct raster_patch *p, enum drawn how)
{
    struct shapes s;
    struct straight w = {0};
    for (size_t i = 0; i < b->n && p->n_faces < p->faces_room; i += BLOCK) {
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
