/* Drawing of triangles. Compiled several times; see kernels_raster.h. Vectors of eight
 * floats are the compiler's own: the plain build makes two halves of them. */
#include "device/virtual/raster/kernels.h"

#include <math.h>
#include <string.h>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#pragma GCC diagnostic ignored "-Wpsabi" /* all are inlined */

#define INLINE static inline __attribute__((always_inline))
#define BLOCK MODEL_BLOCK

typedef float f8 __attribute__((vector_size(32)));
typedef int32_t i8 __attribute__((vector_size(32)));
typedef uint32_t u8 __attribute__((vector_size(32)));
typedef float f8u __attribute__((vector_size(32), aligned(4)));
typedef int16_t h8u __attribute__((vector_size(16), aligned(2)));
typedef uint16_t w8u __attribute__((vector_size(16), aligned(2)));
typedef int8_t b8u __attribute__((vector_size(8), aligned(1)));
typedef uint8_t c8u __attribute__((vector_size(8), aligned(1)));

#define LOAD(p) ((f8) * (const f8u *)(p))
#define STORE(p, v) (*(f8u *)(p) = (v))
#define ALL(x) ((f8){x, x, x, x, x, x, x, x})
#define TO_F8(v) __builtin_convertvector(v, f8)

INLINE f8 pick(i8 mask, f8 a, f8 b)
{
#ifdef __AVX2__
    return (f8)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)mask);
#else
    return (f8)(((i8)a & mask) | ((i8)b & ~mask));
#endif
}
/* a > b ? a : b, also of what is no number */
INLINE f8 most(f8 a, f8 b)
{
#ifdef __AVX2__
    return (f8)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return pick(a > b, a, b);
#endif
}
INLINE f8 least(f8 a, f8 b)
{
#ifdef __AVX2__
    return (f8)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return pick(a < b, a, b);
#endif
}
INLINE f8 clamp01(f8 a)
{
    return least(most(a, ALL(0.0f)), ALL(1.0f));
}
INLINE bool any(i8 m)
{
#ifdef __AVX2__
    return _mm256_movemask_ps((__m256)m) != 0;
#else
    typedef int64_t q4 __attribute__((vector_size(32)));
    q4 q = (q4)m;
    return (q[0] | q[1] | q[2] | q[3]) != 0;
#endif
}
INLINE float root(float x)
{
    return __builtin_sqrtf(x);
}
INLINE f8 root8(f8 a)
{
    f8 r;
    for (int i = 0; i < BLOCK; i++)
        r[i] = root(a[i]);
    return r;
}

INLINE f8 row3(const float m[4], f8 x, f8 y, f8 z)
{
    return ALL(m[0]) * x + ALL(m[1]) * y + ALL(m[2]) * z + ALL(m[3]);
}

static void vertices(const struct raster_stand *s, const struct model_lod *l, const uint8_t *a,
                     const uint8_t *b, const uint8_t *colour, const uint16_t *uv, size_t first,
                     size_t n, const struct raster_vertices *v)
{
    const size_t all = l->n_vertices;
    const int16_t *pa = (const void *)a, *pb = (const void *)b;
    const int8_t *na = (const int8_t *)(pa + all * 3), *nb = (const int8_t *)(pb + all * 3);
    const f8 mix = ALL(s->mix), keep = ALL(1 - s->mix);
    for (size_t i = first; i < first + n; i += BLOCK) {
        f8 q[3], d[3], p[3], nrm[3];
        for (size_t k = 0; k < 3; k++) {
            q[k] = TO_F8(*(const h8u *)(pa + k * all + i)) * keep +
                   TO_F8(*(const h8u *)(pb + k * all + i)) * mix;
            d[k] = TO_F8(*(const b8u *)(na + k * all + i)) * keep +
                   TO_F8(*(const b8u *)(nb + k * all + i)) * mix;
        }
        for (int k = 0; k < 3; k++) {
            p[k] = row3(s->to_model[k], q[0], q[1], q[2]);
            nrm[k] =
                ALL(s->turn[k][0]) * d[0] + ALL(s->turn[k][1]) * d[1] + ALL(s->turn[k][2]) * d[2];
        }
        f8 cx = row3(s->camera[0], p[0], p[1], p[2]), cy = row3(s->camera[1], p[0], p[1], p[2]);
        f8 cz = row3(s->camera[2], p[0], p[1], p[2]);
        i8 front = cz > ALL(s->near);
        f8 iz = ALL(1.0f) / pick(front, cz, ALL(1.0f));
        STORE(v->cx + i, cx);
        STORE(v->cy + i, cy);
        STORE(v->cz + i, cz);
        STORE(v->x + i, ALL(s->cx) + cx * iz);
        STORE(v->y + i, ALL(s->cy) + cy * iz);
        STORE(v->iz + i, pick(front, iz, ALL(-1.0f)));
        /* light */
        f8 ao = TO_F8(*(const c8u *)(colour + i)) * ALL(1 / 255.0f);
        f8 t = clamp01((p[1] + ALL(s->half_length)) * ALL(0.5f / s->half_length));
        f8 low = ALL(s->sun_rear) + t * ALL(s->sun_front - s->sun_rear);
        f8 high = clamp01(p[2] * ALL(1 / s->height));
        f8 sunny = low + high * (ALL(s->sun_high) - low);
        f8 cosine = nrm[0] * ALL(s->sun[0]) + nrm[1] * ALL(s->sun[1]) + nrm[2] * ALL(s->sun[2]);
        sunny *= most(cosine, ALL(0.0f)) * least(ao * ALL(1.7f), ALL(1.0f));
        f8 hemi = (ALL(0.5f) + ALL(0.5f) * nrm[2]);
        f8 open = ao * hemi, shut = ao * (ALL(1.0f) - hemi);
        f8 lamp = (ALL(0.3f) + ALL(0.7f) * most(nrm[2], ALL(0.0f))) * ao;
        f8 view[3], r2 = ALL(1e-6f);
        for (int k = 0; k < 3; k++) {
            view[k] = ALL(s->eye[k]) - p[k];
            r2 += view[k] * view[k];
        }
        f8 ir2 = ALL(1.0f) / r2, ir1 = root8(ir2);
        f8 facing = (nrm[0] * view[0] + nrm[1] * view[1] + nrm[2] * view[2]) * ir1;
        f8 beam = most(facing, ALL(0.0f)) * ir2;
        for (size_t k = 0; k < 3; k++) {
            f8 e = open * ALL(s->sky[k]) + shut * ALL(s->bounce[k]) + lamp * ALL(s->lamp[k]) +
                   sunny * ALL(s->sun_colour[k]) + beam * ALL(s->ir[k]);
            f8 c = TO_F8(*(const c8u *)(colour + (k + 1) * all + i)) * ALL(1 / 255.0f);
            STORE(v->light[k] + i, e * c * c);
        }
        STORE(v->u + i, (TO_F8(*(const w8u *)(uv + i)) - ALL(32768.0f)) * ALL(1 / 4096.0f));
        STORE(v->v + i, (TO_F8(*(const w8u *)(uv + all + i)) - ALL(32768.0f)) * ALL(1 / 4096.0f));
        if (s->shiny) {
            f8 mirror[3];
            for (int k = 0; k < 3; k++)
                mirror[k] = ALL(2.0f) * facing * nrm[k] - view[k] * ir1;
            STORE(v->up + i, mirror[2]);
            STORE(v->glint + i, mirror[0] * ALL(s->sun[0]) + mirror[1] * ALL(s->sun[1]) +
                                    mirror[2] * ALL(s->sun[2]));
            STORE(v->facing + i, facing);
        }
    }
}

/* A triangle in the picture: for each corner, its share as a linear function of the place. */
struct shape {
    int id[3];
    int x0, x1, y0, y1; /* tiles, inclusive */
    float ex[3], ey[3], ec[3];
    float slack[3]; /* a hundredth of a pixel: no cracks */
    float zx, zy, zc;
    float at[3];                  /* iz */
    float area;                   /* pixels, doubled */
    float off[3][RASTER_SAMPLES]; /* shares' steps to the samples, slack included */
    float z_off[RASTER_SAMPLES];
    float light[3][3], u[3], v[3], up[3], glint[3], facing[3]; /* corners', times iz */
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

INLINE bool shape_of(const struct raster_vertices *v, const uint16_t *t, bool two_sided,
                     const struct raster_patch *p, struct shape *s)
{
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
        float f = xb;
        xb = xc;
        xc = f;
        f = yb;
        yb = yc;
        yc = f;
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
        s->ex[i] = -dy * -k;
        s->ey[i] = dx * -k;
        s->ec[i] = -(s->ex[i] * cx[m] + s->ey[i] * cy[m]);
        s->slack[i] = 0.01f * (fabsf(dx) + fabsf(dy)) * k;
        s->at[i] = v->iz[s->id[i]];
    }
    for (int i = 0; i < 3; i++)
        for (int q = 0; q < RASTER_SAMPLES; q++)
            s->off[i][q] = s->ex[i] * sample_x[q] + s->ey[i] * sample_y[q] + s->slack[i];
    s->zx = s->ex[0] * s->at[0] + s->ex[1] * s->at[1] + s->ex[2] * s->at[2];
    s->zy = s->ey[0] * s->at[0] + s->ey[1] * s->at[1] + s->ey[2] * s->at[2];
    s->zc = s->ec[0] * s->at[0] + s->ec[1] * s->at[1] + s->ec[2] * s->at[2];
    for (int q = 0; q < RASTER_SAMPLES; q++)
        s->z_off[q] = s->zx * sample_x[q] + s->zy * sample_y[q];
    return true;
}

/* What shade() wants of the corners. */
INLINE void corners(const struct raster_vertices *v, const struct raster_batch *b, bool textured,
                    bool shiny, struct shape *s)
{
    for (int i = 0; i < 3; i++) {
        int id = s->id[i];
        float iz = s->at[i];
        for (int k = 0; k < 3; k++)
            s->light[k][i] = v->light[k][id] * b->tint[k] * iz;
        if (textured) {
            s->u[i] = v->u[id] * iz;
            s->v[i] = v->v[id] * iz;
        }
        if (shiny) {
            s->up[i] = v->up[id] * iz;
            s->glint[i] = v->glint[id] * iz;
            s->facing[i] = v->facing[id] * iz;
        }
    }
}

INLINE f8 lane_x(void)
{
    return (f8){0.5f, 1.5f, 2.5f, 3.5f, 0.5f, 1.5f, 2.5f, 3.5f};
}
INLINE f8 lane_y(void)
{
    return (f8){0.5f, 0.5f, 0.5f, 0.5f, 1.5f, 1.5f, 1.5f, 1.5f};
}

INLINE u8 gather(const uint32_t *texel, i8 at)
{
#ifdef __AVX2__
    return (u8)_mm256_i32gather_epi32((const int *)texel, (__m256i)at, 4);
#else
    u8 r;
    for (int i = 0; i < BLOCK; i++)
        r[i] = texel[at[i]];
    return r;
#endif
}

/* Texels of a tile's pixels: bilinear, coverage in the fourth. */
INLINE void texels(const struct raster_batch *b, int level, f8 u, f8 v, f8 ret[4])
{
    const uint32_t *texel = b->level[level];
    const int lw = b->log2_w - level, w = 1 << lw, h = 1 << (b->log2_h - level);
    const i8 zero = {0}, wmask = zero + (w - 1), hmask = zero + (h - 1);
    const u8 none = {0}, m = none + 0xff00ff;
    /* The offset is a multiple of every side: what is left of 0 becomes positive. */
    i8 iu = __builtin_convertvector(u * ALL((float)w * 256) + ALL(4194304.0f - 128), i8);
    i8 iv = __builtin_convertvector(v * ALL((float)h * 256) + ALL(4194304.0f - 128), i8);
    i8 x = iu >> 8 & wmask, y = iv >> 8 & hmask, x1 = (x + 1) & wmask, y1 = ((y + 1) & hmask) << lw;
    u8 fu = (u8)(iu & 255), fv = (u8)(iv & 255);
    y <<= lw;
    u8 t00 = gather(texel, y + x), t01 = gather(texel, y + x1);
    u8 t10 = gather(texel, y1 + x), t11 = gather(texel, y1 + x1);
    u8 w11 = fu * fv >> 8, w10 = fv - w11, w01 = fu - w11, w00 = 256 - fu - w10;
    u8 rb = (t00 & m) * w00 + (t01 & m) * w01 + (t10 & m) * w10 + (t11 & m) * w11;
    u8 ga =
        (t00 >> 8 & m) * w00 + (t01 >> 8 & m) * w01 + (t10 >> 8 & m) * w10 + (t11 >> 8 & m) * w11;
    ret[0] = TO_F8((i8)(rb & 0xffff));
    ret[1] = TO_F8((i8)(ga & 0xffff));
    ret[2] = TO_F8((i8)(rb >> 16));
    ret[3] = TO_F8((i8)(ga >> 16));
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

/* What a tile shows of a triangle. */
INLINE void shade(const struct raster_batch *b, const struct shape *s, const f8 share[3], int level,
                  bool textured, bool shiny, f8 rgb[3], i8 *solid)
{
    f8 w[3], sum = ALL(1e-30f);
    for (int k = 0; k < 3; k++) {
        w[k] = most(share[k], ALL(0.0f));
        sum += w[k] * ALL(s->at[k]);
    }
    f8 inv = ALL(1.0f) / sum;
#define AT(array) ((w[0] * ALL(array[0]) + w[1] * ALL(array[1]) + w[2] * ALL(array[2])) * inv)
    for (int k = 0; k < 3; k++)
        rgb[k] = AT(s->light[k]);
    if (textured) {
        f8 t[4];
        texels(b, level, AT(s->u), AT(s->v), t);
        for (int k = 0; k < 3; k++) {
            t[k] *= ALL(1 / 65280.0f);
            rgb[k] *= t[k] * t[k];
        }
        if (b->alpha)
            *solid = t[3] >= ALL(32640.0f);
    }
    if (shiny) {
        f8 miss = clamp01(ALL(1.0f) - AT(s->facing));
        f8 m2 = miss * miss, fresnel = ALL(b->f0) + ALL(1 - b->f0) * m2 * m2 * miss;
        f8 up = AT(s->up);
        f8 h = clamp01((up + ALL(0.03f)) * ALL(1 / 0.28f));
        h = h * h * (ALL(3.0f) - ALL(2.0f) * h);
        f8 high = clamp01(up);
        high = high * (ALL(2.0f) - high);
        f8 spot = clamp01((AT(s->glint) - ALL(0.965f)) * ALL(1 / 0.035f));
        spot *= spot;
        spot *= spot;
        for (int k = 0; k < 3; k++) {
            f8 sky = ALL(b->horizon[k]) + high * ALL(b->zenith[k] - b->horizon[k]);
            f8 env = ALL(b->ground[k]) + h * (sky - ALL(b->ground[k])) + spot * ALL(b->sun[k]);
            rgb[k] = rgb[k] * ALL(b->diffuse) + fresnel * env * ALL(b->mirror_tint[k]);
        }
    }
#undef AT
}

/* Lanes whose i-th sample lies in the triangle. */
INLINE i8 covered(const struct shape *s, const f8 share[3], int i)
{
    f8 least_share = least(share[0] + ALL(s->off[0][i]), share[1] + ALL(s->off[1][i]));
    least_share = least(least_share, share[2] + ALL(s->off[2][i]));
    return least_share >= ALL(0.0f);
}

INLINE void draw_tile(const struct raster_batch *b, const struct raster_patch *p,
                      const struct shape *s, int tx, int ty, int level, bool textured, bool shiny,
                      bool outline)
{
    f8 x = lane_x() + ALL((float)(tx * RASTER_TILE_W)),
       y = lane_y() + ALL((float)(ty * RASTER_TILE_H));
    f8 share[3];
    for (int k = 0; k < 3; k++)
        share[k] = ALL(s->ex[k]) * x + ALL(s->ey[k]) * y + ALL(s->ec[k]);
    i8 hit[RASTER_SAMPLES], some = {0};
    for (int i = 0; i < RASTER_SAMPLES; i++) {
        hit[i] = covered(s, share, i);
        some |= hit[i];
    }
    if (!any(some))
        return;
    size_t tile = (size_t)ty * (size_t)p->across + (size_t)tx;
    float *depth = p->depth + tile * (RASTER_SAMPLES * BLOCK);
    bool fresh = !p->touched[tile]; /* what lies there is old */
    f8 z[RASTER_SAMPLES];
    f8 iz = ALL(s->zx) * x + ALL(s->zy) * y + ALL(s->zc);
    some = (i8){0};
    for (int i = 0; i < RASTER_SAMPLES; i++) {
        z[i] = iz + ALL(s->z_off[i]);
        hit[i] &= z[i] > (fresh ? ALL(0.0f) : LOAD(depth + i * BLOCK));
        some |= hit[i];
    }
    if (!any(some))
        return;
    f8 rgb[3];
    if (!outline) {
        i8 solid = (i8){-1, -1, -1, -1, -1, -1, -1, -1};
        shade(b, s, share, level, textured, shiny, rgb, &solid);
        if (textured && b->alpha) {
            some &= solid;
            if (!any(some))
                return;
            for (int i = 0; i < RASTER_SAMPLES; i++)
                hit[i] &= solid;
        }
    }
    if (fresh) {
        p->touched[tile] = 1;
        memset(depth, 0, RASTER_SAMPLES * BLOCK * sizeof(float));
    }
    float *to = p->rgb + tile * (RASTER_SAMPLES * 3 * BLOCK);
    for (int i = 0; i < RASTER_SAMPLES; i++) {
        STORE(depth + i * BLOCK, pick(hit[i], z[i], LOAD(depth + i * BLOCK)));
        if (!outline)
            for (int k = 0; k < 3; k++) {
                float *at = to + (i * 3 + k) * BLOCK;
                STORE(at, pick(hit[i], rgb[k], LOAD(at)));
            }
    }
}

INLINE void draw_all(const struct raster_vertices *v, const struct raster_batch *b,
                     const struct raster_patch *p, bool textured, bool shiny, bool outline)
{
    struct shape s;
    for (size_t i = 0; i < b->n; i++) {
        if (!shape_of(v, b->triangle + 3 * i, b->two_sided, p, &s))
            continue;
        int level = textured ? texture_level(v, b, &s) : 0;
        if (!outline)
            corners(v, b, textured, shiny, &s);
        for (int ty = s.y0; ty <= s.y1; ty++)
            for (int tx = s.x0; tx <= s.x1; tx++)
                draw_tile(b, p, &s, tx, ty, level, textured, shiny, outline);
    }
}

static void triangles(const struct raster_vertices *v, const struct raster_batch *b,
                      const struct raster_patch *p)
{
    if (b->level && b->shiny)
        draw_all(v, b, p, true, true, false);
    else if (b->level)
        draw_all(v, b, p, true, false, false);
    else if (b->shiny)
        draw_all(v, b, p, false, true, false);
    else
        draw_all(v, b, p, false, false, false);
}

static void outline(const struct raster_vertices *v, const struct raster_batch *b,
                    const struct raster_patch *p)
{
    draw_all(v, b, p, false, false, true);
}

INLINE uint32_t bits(i8 m)
{
#ifdef __AVX2__
    return (uint32_t)_mm256_movemask_ps((__m256)m);
#else
    uint32_t r = 0;
    for (int i = 0; i < BLOCK; i++)
        r |= ((uint32_t)m[i] >> 31) << i;
    return r;
#endif
}

static void mask(const struct raster_vertices *v, const struct raster_batch *b,
                 const struct raster_patch *p)
{
    struct shape s;
    for (size_t i = 0; i < b->n; i++) {
        if (!shape_of(v, b->triangle + 3 * i, b->two_sided, p, &s))
            continue;
        for (int ty = s.y0; ty <= s.y1; ty++) {
            uint32_t *row = p->mask + (size_t)ty * (size_t)p->across;
            for (int tx = s.x0; tx <= s.x1; tx++) {
                if (row[tx] == 0xffffffffu)
                    continue;
                f8 x = lane_x() + ALL((float)(tx * RASTER_TILE_W)),
                   y = lane_y() + ALL((float)(ty * RASTER_TILE_H));
                f8 share[3];
                for (int k = 0; k < 3; k++)
                    share[k] = ALL(s.ex[k]) * x + ALL(s.ey[k]) * y + ALL(s.ec[k]);
                for (int q = 0; q < RASTER_SAMPLES; q++)
                    row[tx] |= bits(covered(&s, share, q)) << (BLOCK * q);
            }
        }
    }
}

static void resolve_mask(const struct raster_patch *p, int tile_row, float *const cover[2])
{
    const uint32_t *row = p->mask + (size_t)tile_row * (size_t)p->across;
    for (int tx = 0; tx < p->across; tx++)
        for (int lane = 0; lane < BLOCK; lane++)
            cover[lane / RASTER_TILE_W][tx * RASTER_TILE_W + lane % RASTER_TILE_W] =
                (float)__builtin_popcount(row[tx] >> lane & 0x01010101u) * (1.0f / RASTER_SAMPLES);
}

static void resolve(const struct raster_patch *p, int tile_row, float *const rgb[2][3],
                    float *const cover[2], float *const depth[2])
{
    for (int tx = 0; tx < p->across; tx++) {
        size_t tile = (size_t)tile_row * (size_t)p->across + (size_t)tx;
        f8 n = ALL(0.0f), z = ALL(0.0f), c[3] = {ALL(0.0f), ALL(0.0f), ALL(0.0f)};
        if (p->touched[tile]) {
            const float *d = p->depth + tile * (RASTER_SAMPLES * BLOCK);
            const float *from = p->rgb ? p->rgb + tile * (RASTER_SAMPLES * 3 * BLOCK) : NULL;
            for (int i = 0; i < RASTER_SAMPLES; i++) {
                f8 at = LOAD(d + i * BLOCK);
                i8 there = at > ALL(0.0f);
                n += pick(there, ALL(1.0f / RASTER_SAMPLES), ALL(0.0f));
                z = most(z, at);
                if (from)
                    for (int k = 0; k < 3; k++)
                        c[k] += pick(there, LOAD(from + (i * 3 + k) * BLOCK), ALL(0.0f));
            }
        }
        for (int r = 0; r < 2; r++)
            for (int i = 0; i < RASTER_TILE_W; i++) {
                int x = tx * RASTER_TILE_W + i, lane = r * RASTER_TILE_W + i;
                cover[r][x] = n[lane];
                depth[r][x] = z[lane];
                if (p->rgb)
                    for (int k = 0; k < 3; k++)
                        rgb[r][k][x] = c[k][lane] * (1.0f / RASTER_SAMPLES);
            }
    }
}

INLINE uint16_t store16(float f)
{
    f += 0.5f;
    f = f < 0 ? 0 : f;
    return (uint16_t)(int32_t)(f > 65535 ? 65535 : f);
}

static void over(size_t n, const float *const rgb[3], const float *cover, const float *seen,
                 float clear, const float haze[3], uint16_t *const to[3])
{
    for (int k = 0; k < 3; k++) {
        const float *from = rgb[k];
        uint16_t *out = to[k];
        float air = haze[k];
        for (size_t i = 0; i < n; i++)
            out[i] = store16((float)out[i] * (1 - cover[i] * seen[i]) +
                             (from[i] * clear + cover[i] * air) * seen[i]);
    }
}

static void darken(size_t n, const float *sun, const float k[3], const float *sky,
                   const float air[3], uint16_t *const to[3])
{
    for (int c = 0; c < 3; c++) {
        uint16_t *out = to[c];
        float share = k[c], a = air[c];
        for (size_t i = 0; i < n; i++) {
            float left = (1 - sun[i] * share) * (1 - sky[i]), was = (float)out[i];
            out[i] = store16(was > a ? a + (was - a) * left : was);
        }
    }
}

/* Where the rays of eight pixels meet the ground, in the member's axes; depth along the optical
 * axis; which of them show it (the backdrop is no nearer and no farther). */
INLINE i8 meet(const struct raster_ground *g, int px, const float *far, f8 *ret_x, f8 *ret_y)
{
    const f8 lane = {0, 1, 2, 3, 4, 5, 6, 7};
    f8 x = ALL((float)px) + lane, z = ALL(g->z[0]) + x * ALL(g->z[1]);
    i8 down = z < ALL(-1e-3f);
    f8 k = ALL(g->height) / -pick(down, z, ALL(-1.0f)), depth = k * ALL(g->f);
    f8 gx = (ALL(g->x[0]) + x * ALL(g->x[1])) * k - ALL(g->at[0]);
    f8 gy = (ALL(g->y[0]) + x * ALL(g->y[1])) * k - ALL(g->at[1]);
    *ret_x = gx * ALL(g->cosine) - gy * ALL(g->sine);
    *ret_y = gx * ALL(g->sine) + gy * ALL(g->cosine);
    f8 off = LOAD(far) - depth, slack = ALL(0.3f) + depth * (ALL(0.03f) + ALL(2e-4f) * depth);
    return down & (off < slack) & (off > -slack);
}

static void seen(size_t n, const float *far, const float *depth, float *ret)
{
    for (size_t i = 0; i < n; i += BLOCK) {
        f8 d = LOAD(depth + i), z = ALL(1.0f) / pick(d > ALL(0.0f), d, ALL(1.0f));
        STORE(ret + i,
              clamp01(ALL(1.0f) + (LOAD(far + i) - z) / (ALL(0.12f) + ALL(1.2e-4f) * z * z)));
    }
}

static void contact(const struct raster_ground *g, int x0, int x1, const float *far, uint8_t *dark)
{
    for (int px = x0; px < x1; px += BLOCK) {
        f8 gx, gy;
        i8 there = meet(g, px, far + px, &gx, &gy);
        f8 mx = most(gx, -gx) - ALL(g->half_w), my = most(gy, -gy) - ALL(g->half_l);
        f8 ox = most(mx, ALL(0.0f)), oy = most(my, ALL(0.0f));
        f8 out2 = (ox * ox + oy * oy) * ALL(g->inv_soft * g->inv_soft);
        /* Past the border it fades to nothing at 2.4 times its softness; inside it deepens. */
        f8 fade = most(ALL(1.0f) - out2 * ALL(1 / 5.76f), ALL(0.0f));
        f8 in = clamp01(-most(mx, my) * ALL(g->inv_soft * 0.7f));
        f8 dim = (fade * fade * fade * ALL(0.7f) + in * ALL(0.3f)) * ALL(g->strength);
        dim = pick(there, dim, ALL(0.0f));
        int n = x1 - px < BLOCK ? x1 - px : BLOCK;
        for (int i = 0; i < n; i++) {
            uint8_t now = (uint8_t)(int32_t)dim[i];
            dark[px + i] = now > dark[px + i] ? now : dark[px + i];
        }
    }
}

static void shadow(const struct raster_ground *g, int x0, int x1, const float *far,
                   const float *cover, uint8_t *dark)
{
    for (int px = x0; px < x1; px += BLOCK) {
        f8 gx, gy;
        i8 there = meet(g, px, far + px, &gx, &gy);
        f8 along = clamp01(gy * ALL(g->inv_soft)) * ALL(2.0f);
        f8 first = least(along, ALL(1.0f)), second = along - first;
        f8 share = ALL(g->share[0]) + first * ALL(g->share[1] - g->share[0]) +
                   second * ALL(g->share[2] - g->share[1]);
        f8 full = share * ALL(255.0f);
        f8 add = pick(there, full * LOAD(cover + px - x0) * ALL(g->strength), ALL(0.0f));
        int n = x1 - px < BLOCK ? x1 - px : BLOCK;
        for (int i = 0; i < n; i++) {
            float was = (float)dark[px + i], now = was + add[i];
            now = now > full[i] ? full[i] : now;
            dark[px + i] = (uint8_t)(int32_t)(now > was ? now + 0.5f : was);
        }
    }
}

const struct kernels_raster KERNELS_RASTER = {
    vertices, triangles, outline, mask, resolve, resolve_mask, over, darken, contact, shadow, seen,
};
