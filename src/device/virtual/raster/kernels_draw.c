/* Triangles into a patch: which face is nearest at each sample, or only which samples are
 * covered. Compiled several times; see kernels.h. */
#include "device/virtual/raster/kernels_vec.h"

/* What only drawing asks of a triangle; the rest is its face. */
struct shape {
    int id[3];
    int x0, x1, y0, y1; /* tiles, inclusive */
    float slack[3];     /* a hundredth of a pixel: no cracks */
    float inv[3];       /* 1 / face.ex */
    float zx, zy, zc;
    float area;                   /* pixels, doubled */
    float off[3][RASTER_SAMPLES]; /* shares' steps to the samples, slack included */
    float z_off[RASTER_SAMPLES];
};

/* Where the four samples lie about a pixel's middle. */
static const float sample_x[RASTER_SAMPLES] = {-0.125f, 0.375f, -0.375f, 0.125f};
static const float sample_y[RASTER_SAMPLES] = {-0.375f, -0.125f, 0.125f, 0.375f};

INLINE float least3(float a, float b, float c)
{
    a = a < b ? a : b;
    return a < c ? a : c;
}
INLINE float most3(float a, float b, float c)
{
    a = a > b ? a : b;
    return a > c ? a : c;
}

INLINE bool shape_of(const struct raster_vertices *v, const struct raster_batch *batch,
                     size_t which, const struct raster_patch *p, struct raster_face *f,
                     struct shape *s)
{
    const uint16_t *t = batch->triangle + 3 * which;
    bool two_sided = batch->two_sided;
    int a = t[0], b = t[1], c = t[2];
    float xa = v->x[a], ya = v->y[a], xb = v->x[b], yb = v->y[b], xc = v->x[c], yc = v->y[c];
    if (!(v->iz[a] > 0) || !(v->iz[b] > 0) || !(v->iz[c] > 0))
        return false;
    /* Counter-clockwise in the world is clockwise with y down: positive here. */
    float area = (xc - xa) * (yb - ya) - (xb - xa) * (yc - ya);
    if (area < 0 && two_sided) {
        int k = b;
        b = c;
        c = k;
        float was = xb;
        xb = xc;
        xc = was;
        was = yb;
        yb = yc;
        yc = was;
        area = -area;
    }
    if (!(area > 1e-7f))
        return false;
    float px = (float)p->x0, py = (float)p->y0;
    float x0 = least3(xa, xb, xc) - px, x1 = most3(xa, xb, xc) - px;
    float y0 = least3(ya, yb, yc) - py, y1 = most3(ya, yb, yc) - py;
    float w = (float)(p->across * RASTER_TILE_W), h = (float)(p->down * RASTER_TILE_H);
    if (!(x1 > 0 && y1 > 0 && x0 < w && y0 < h))
        return false;
    s->x0 = x0 > 0 ? (int)x0 / RASTER_TILE_W : 0;
    s->y0 = y0 > 0 ? (int)y0 / RASTER_TILE_H : 0;
    s->x1 = x1 < w ? (int)x1 / RASTER_TILE_W : p->across - 1;
    s->y1 = y1 < h ? (int)y1 / RASTER_TILE_H : p->down - 1;
    s->id[0] = a;
    s->id[1] = b;
    s->id[2] = c;
    s->area = area;
    float k = 1 / area;
    /* Share of a corner: distance from the opposite side over its height. */
    const float cx[3] = {xa - px, xb - px, xc - px}, cy[3] = {ya - py, yb - py, yc - py};
    for (int i = 0; i < 3; i++) {
        int m = (i + 1) % 3, n = (i + 2) % 3;
        float dx = cx[n] - cx[m], dy = cy[n] - cy[m];
        f->ex[i] = -dy * -k;
        f->ey[i] = dx * -k;
        f->ec[i] = -(f->ex[i] * cx[m] + f->ey[i] * cy[m]);
        s->slack[i] = 0.01f * (fabsf(dx) + fabsf(dy)) * k;
        s->inv[i] = f->ex[i] != 0 ? 1 / f->ex[i] : 0;
        f->at[i] = v->iz[s->id[i]];
    }
    for (int i = 0; i < 3; i++)
        for (int q = 0; q < RASTER_SAMPLES; q++)
            s->off[i][q] = f->ex[i] * sample_x[q] + f->ey[i] * sample_y[q] + s->slack[i];
    float iz[3];
    for (int i = 0; i < 3; i++)
        iz[i] = f->at[i] - batch->back * f->at[i] * f->at[i];
    s->zx = f->ex[0] * iz[0] + f->ex[1] * iz[1] + f->ex[2] * iz[2];
    s->zy = f->ey[0] * iz[0] + f->ey[1] * iz[1] + f->ey[2] * iz[2];
    s->zc = f->ec[0] * iz[0] + f->ec[1] * iz[1] + f->ec[2] * iz[2];
    for (int q = 0; q < RASTER_SAMPLES; q++)
        s->z_off[q] = s->zx * sample_x[q] + s->zy * sample_y[q];
    return true;
}

/* What shading wants of the corners. */
INLINE void corners(const struct raster_vertices *v, const struct raster_batch *b,
                    const struct shape *s, struct raster_face *f)
{
    for (int i = 0; i < 3; i++) {
        int id = s->id[i];
        float iz = f->at[i];
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
                         const struct shape *s)
{
    const int *t = s->id;
    float du1 = v->u[t[1]] - v->u[t[0]], dv1 = v->v[t[1]] - v->v[t[0]];
    float du2 = v->u[t[2]] - v->u[t[0]], dv2 = v->v[t[2]] - v->v[t[0]];
    float texel = fabsf(du1 * dv2 - du2 * dv1) * (float)(1 << (b->log2_w + b->log2_h));
    float ratio = texel / s->area;
    int level = 0;
    while (ratio > 2.0f && level < b->levels - 1) {
        ratio *= 0.25f;
        level++;
    }
    return level;
}

/* Negative: lanes whose i-th sample lies outside the triangle. */
INLINE i8 outside(const struct shape *s, const f8 share[3], int i)
{
    return (i8)(share[0] + ALL(s->off[0][i])) | (i8)(share[1] + ALL(s->off[1][i])) |
           (i8)(share[2] + ALL(s->off[2][i]));
}

INLINE void shares(const struct raster_face *f, f8 x, f8 y, f8 share[3])
{
    for (int k = 0; k < 3; k++)
        share[k] = ALL(f->ex[k]) * x + ALL(f->ey[k]) * y + ALL(f->ec[k]);
}

/* Tiles of a row that the triangle may touch; false: none. */
INLINE bool span(const struct raster_face *f, const struct shape *s, int ty, int *ret_a, int *ret_e)
{
    *ret_a = s->x0;
    *ret_e = s->x1;
    if (s->x1 - s->x0 < 3)
        return true;
    float top = (float)(ty * RASTER_TILE_H), bottom = top + RASTER_TILE_H;
    float first = (float)(s->x0 * RASTER_TILE_W), end = (float)((s->x1 + 1) * RASTER_TILE_W);
    float lo = first, hi = end;
    for (int k = 0; k < 3; k++) {
        float a = f->ey[k] * top, b = f->ey[k] * bottom;
        float at = -((a > b ? a : b) + f->ec[k] + s->slack[k]) * s->inv[k];
        if (f->ex[k] > 0)
            lo = at > lo ? at : lo;
        else if (f->ex[k] < 0)
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

/* Is it seen there? */
INLINE bool draw_tile(const struct raster_batch *b, const struct raster_patch *p,
                      const struct raster_face *f, const struct shape *s, int tx, int ty,
                      bool alpha, bool outline)
{
    f8 x = lane_x(tx), y = lane_y(ty), share[3];
    shares(f, x, y, share);
    size_t tile = (size_t)ty * (size_t)p->across + (size_t)tx;
    float *depth = p->depth + tile * (RASTER_SAMPLES * BLOCK);
    float *who = (float *)p->who + tile * (RASTER_SAMPLES * BLOCK); /* as bits */
    f8 iz = ALL(s->zx) * x + ALL(s->zy) * y + ALL(s->zc), z[RASTER_SAMPLES], was[RASTER_SAMPLES];
    i8 miss[RASTER_SAMPLES], all = ALL_I(-1); /* the sign tells */
    for (int i = 0; i < RASTER_SAMPLES; i++) {
        z[i] = iz + ALL(s->z_off[i]);
        was[i] = LOAD(depth + i * BLOCK);
        miss[i] = outside(s, share, i) | (z[i] <= was[i]);
        all &= miss[i];
    }
    if (bits(all) == 0xff)
        return false;
    if (alpha) {
        i8 hole = ~solid(b, f, share);
        if (bits(all | hole) == 0xff)
            return false;
        for (int i = 0; i < RASTER_SAMPLES; i++)
            miss[i] |= hole;
    }
    p->touched[tile] = 1;
    for (int i = 0; i < RASTER_SAMPLES; i++) {
        STORE(depth + i * BLOCK, by_sign(miss[i], was[i], z[i]));
        if (!outline)
            STORE(who + i * BLOCK, by_sign(miss[i], LOAD(who + i * BLOCK), (f8)ALL_I(p->n_faces)));
    }
    return true;
}

INLINE void draw_all(const struct raster_vertices *v, const struct raster_batch *b, int number,
                     struct raster_patch *p, bool alpha, bool outline)
{
    struct shape s;
    for (size_t i = 0; i < b->n; i++) {
        struct raster_face *f = &p->face[outline ? 0 : p->n_faces];
        if (!shape_of(v, b, i, p, f, &s))
            continue;
        if (alpha) {
            f->level = texture_level(v, b, &s);
            corners(v, b, &s, f);
        }
        bool shown = false;
        for (int ty = s.y0; ty <= s.y1; ty++) {
            int tx, last;
            if (span(f, &s, ty, &tx, &last))
                for (; tx <= last; tx++)
                    shown |= draw_tile(b, p, f, &s, tx, ty, alpha, outline);
        }
        if (!shown || outline)
            continue;
        if (!alpha) {
            f->level = b->levels ? texture_level(v, b, &s) : 0;
            corners(v, b, &s, f);
        }
        f->batch = number;
        if (++p->n_faces == p->faces_room)
            return; /* not with the room that is asked for */
    }
}

void KERNELS_OWN(raster_triangles)(const struct raster_vertices *v, const struct raster_batch *b,
                                   int number, struct raster_patch *p)
{
    if (b->levels && b->alpha)
        draw_all(v, b, number, p, true, false);
    else
        draw_all(v, b, number, p, false, false);
}

void KERNELS_OWN(raster_outline)(const struct raster_vertices *v, const struct raster_batch *b,
                                 int number, struct raster_patch *p)
{
    draw_all(v, b, number, p, false, true);
}

void KERNELS_OWN(raster_mask)(const struct raster_vertices *v, const struct raster_batch *b,
                              int number, struct raster_patch *p)
{
    struct raster_face f;
    struct shape s;
    (void)number;
    for (size_t i = 0; i < b->n; i++) {
        if (!shape_of(v, b, i, p, &f, &s))
            continue;
        for (int ty = s.y0; ty <= s.y1; ty++) {
            uint32_t *row = p->mask + (size_t)ty * (size_t)p->across;
            int tx, last;
            if (!span(&f, &s, ty, &tx, &last))
                continue;
            for (; tx <= last; tx++) {
                if (row[tx] == 0xffffffffu)
                    continue;
                f8 share[3];
                shares(&f, lane_x(tx), lane_y(ty), share);
                for (int q = 0; q < RASTER_SAMPLES; q++)
                    row[tx] |= (bits(outside(&s, share, q)) ^ 0xff) << (BLOCK * q);
            }
        }
    }
}
