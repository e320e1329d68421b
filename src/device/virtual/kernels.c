/* Painting. Compiled several times with different KERNELS and -march; see kernels.h. */
#include "device/virtual/kernels_inside.h"

#include <math.h>
#include <string.h>

#include "device/virtual/texture.h"

static void row_begin(struct row *row, int x0, int x1)
{
    row->x0 = x0 & ~(CHUNK - 1);
    row->x1 = (x1 + CHUNK - 1) & ~(CHUNK - 1);
    size_t n = (size_t)(row->x1 - row->x0);
    for (int k = 0; k < 3; k++)
        memset(row->rgb[k] + row->x0, 0, n * sizeof(float));
    memset(row->shadow + row->x0, 0, n * sizeof(float));
    for (int x = row->x0; x < row->x1; x++)
        row->through[x] = 1;
    memset(row->state + row->x0 / CHUNK, CHUNK_OPEN, n / CHUNK);
    row->open = (int)(n / CHUNK);
    row->shadowed = false;
}

/* Coverage of a convex shape from its distances to the edges. Opposite edges count as
 * pairs, so that what is thinner than a pixel keeps its true share. */
INLINE void cover_edges(const struct drawn *d, int x, int y, float *cover)
{
    float inside[MAX_EDGES][CHUNK];
    for (int e = 0; e < d->n_edges; e++) {
        float at = (float)(d->ex[e] * x + d->ey[e] * y + d->ec[e]) + 0.5f + d->slack[e];
        float step = (float)d->ex[e];
        for (int i = 0; i < CHUNK; i++) {
            float c = at + step * (float)i;
            c = c < 0 ? 0 : c;
            inside[e][i] = c > 1 ? 1 : c;
        }
    }
    if (d->n_edges == 4) {
        for (int i = 0; i < CHUNK; i++) {
            float p = inside[0][i] + inside[2][i] - 1, q = inside[1][i] + inside[3][i] - 1;
            p = p < 0 ? 0 : p;
            q = q < 0 ? 0 : q;
            cover[i] = p * q;
        }
        return;
    }
    for (int i = 0; i < CHUNK; i++)
        cover[i] = 1;
    for (int e = 0; e < d->n_edges; e++)
        for (int i = 0; i < CHUNK; i++)
            cover[i] += inside[e][i] - 1;
    for (int i = 0; i < CHUNK; i++)
        cover[i] = cover[i] < 0 ? 0 : cover[i];
}

/* Bilinear taps of a level at u[i], v[i] (level texels): channels 0…65280. */
#ifdef __AVX2__
/* Two neighbours in one load: faster than gathering, and the same integers as below. */
INLINE __m256i pairs(const uint32_t *texels, const int32_t *at, int a, int b, int c, int d)
{
    __m128d lo = _mm_castsi128_pd(_mm_loadl_epi64((const __m128i *)(texels + at[a])));
    lo = _mm_loadh_pd(lo, (const double *)(const void *)(texels + at[b]));
    __m128d hi = _mm_castsi128_pd(_mm_loadl_epi64((const __m128i *)(texels + at[c])));
    hi = _mm_loadh_pd(hi, (const double *)(const void *)(texels + at[d]));
    return _mm256_set_m128i(_mm_castpd_si128(hi), _mm_castpd_si128(lo));
}

INLINE __m256i even(__m256i a, __m256i b)
{
    return _mm256_castps_si256(
        _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88));
}

INLINE __m256i odd(__m256i a, __m256i b)
{
    return _mm256_castps_si256(
        _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0xdd));
}

INLINE void sample(const struct texture *t, int level, const float *u, const float *v, uint32_t *rb,
                   uint32_t *ga)
{
    const uint32_t *texels = t->level[level];
    const int wmask = (1 << (t->log2_w - level)) - 1, hmask = (1 << (t->log2_h - level)) - 1;
    const int stride = wmask + 2;
    const __m256i m = _mm256_set1_epi32(0xff00ff), frac = _mm256_set1_epi32(255);
    const __m256 size = _mm256_set1_ps(256), half = _mm256_set1_ps(128);
    int32_t at[CHUNK] __attribute__((aligned(32)));
    __m256i fu[CHUNK / 8], fv[CHUNK / 8];
    for (int k = 0; k < CHUNK / 8; k++) {
        __m256i iu = _mm256_cvttps_epi32(
            _mm256_sub_ps(_mm256_mul_ps(_mm256_loadu_ps(u + 8 * k), size), half));
        __m256i iv = _mm256_cvttps_epi32(
            _mm256_sub_ps(_mm256_mul_ps(_mm256_loadu_ps(v + 8 * k), size), half));
        fu[k] = _mm256_and_si256(iu, frac);
        fv[k] = _mm256_and_si256(iv, frac);
        iu = _mm256_and_si256(_mm256_srai_epi32(iu, 8), _mm256_set1_epi32(wmask));
        iv = _mm256_and_si256(_mm256_srai_epi32(iv, 8), _mm256_set1_epi32(hmask));
        _mm256_store_si256((__m256i *)(at + 8 * k),
                           _mm256_add_epi32(_mm256_mullo_epi32(iv, _mm256_set1_epi32(stride)), iu));
    }
    for (int k = 0; k < CHUNK / 8; k++) {
        const int32_t *p = at + 8 * k;
        __m256i a = pairs(texels, p, 0, 1, 4, 5), b = pairs(texels, p, 2, 3, 6, 7);
        __m256i t00 = even(a, b), t01 = odd(a, b);
        a = pairs(texels + stride, p, 0, 1, 4, 5);
        b = pairs(texels + stride, p, 2, 3, 6, 7);
        __m256i t10 = even(a, b), t11 = odd(a, b);
        __m256i w11 = _mm256_srli_epi32(_mm256_mullo_epi32(fu[k], fv[k]), 8);
        __m256i w10 = _mm256_sub_epi32(fv[k], w11), w01 = _mm256_sub_epi32(fu[k], w11);
        __m256i w00 = _mm256_sub_epi32(_mm256_sub_epi32(_mm256_set1_epi32(256), fu[k]), w10);
        /* 16-bit lanes: a weight for each of the two channels; sums stay below 65536. */
        w00 = _mm256_or_si256(w00, _mm256_slli_epi32(w00, 16));
        w01 = _mm256_or_si256(w01, _mm256_slli_epi32(w01, 16));
        w10 = _mm256_or_si256(w10, _mm256_slli_epi32(w10, 16));
        w11 = _mm256_or_si256(w11, _mm256_slli_epi32(w11, 16));
#define WEIGH(shift)                                                                               \
    _mm256_add_epi16(                                                                              \
        _mm256_add_epi16(                                                                          \
            _mm256_mullo_epi16(_mm256_and_si256(_mm256_srli_epi32(t00, shift), m), w00),           \
            _mm256_mullo_epi16(_mm256_and_si256(_mm256_srli_epi32(t01, shift), m), w01)),          \
        _mm256_add_epi16(                                                                          \
            _mm256_mullo_epi16(_mm256_and_si256(_mm256_srli_epi32(t10, shift), m), w10),           \
            _mm256_mullo_epi16(_mm256_and_si256(_mm256_srli_epi32(t11, shift), m), w11)))
        _mm256_storeu_si256((__m256i *)(rb + 8 * k), WEIGH(0));
        _mm256_storeu_si256((__m256i *)(ga + 8 * k), WEIGH(8));
#undef WEIGH
    }
}
#else
INLINE void sample(const struct texture *t, int level, const float *u, const float *v, uint32_t *rb,
                   uint32_t *ga)
{
    const uint32_t *texels = t->level[level];
    const int wmask = (1 << (t->log2_w - level)) - 1, hmask = (1 << (t->log2_h - level)) - 1;
    const int stride = wmask + 2;
    int32_t at[CHUNK];
    uint32_t fu[CHUNK], fv[CHUNK];
    for (int i = 0; i < CHUNK; i++) {
        int32_t iu = (int32_t)(u[i] * 256 - 128), iv = (int32_t)(v[i] * 256 - 128);
        fu[i] = (uint32_t)iu & 255;
        fv[i] = (uint32_t)iv & 255;
        at[i] = (iv >> 8 & hmask) * stride + (iu >> 8 & wmask);
    }
    uint32_t t00[CHUNK], t01[CHUNK], t10[CHUNK], t11[CHUNK];
    for (int i = 0; i < CHUNK; i++) {
        t00[i] = texels[at[i]];
        t01[i] = texels[at[i] + 1];
        t10[i] = texels[at[i] + stride];
        t11[i] = texels[at[i] + stride + 1];
    }
    for (int i = 0; i < CHUNK; i++) {
        uint32_t w11 = fu[i] * fv[i] >> 8, w10 = fv[i] - w11, w01 = fu[i] - w11;
        uint32_t w00 = 256 - fu[i] - w10;
        const uint32_t m = 0xff00ff;
        rb[i] = (t00[i] & m) * w00 + (t01[i] & m) * w01 + (t10[i] & m) * w10 + (t11[i] & m) * w11;
        ga[i] = (t00[i] >> 8 & m) * w00 + (t01[i] >> 8 & m) * w01 + (t10[i] >> 8 & m) * w10 +
                (t11[i] >> 8 & m) * w11;
    }
}
#endif

/* floor(log2(v)) for v ≥ 1. */
INLINE int log2_floor(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof(bits));
    return (int)(bits >> 23) - 127;
}

/* How a plane's texture lies under a chunk: which level, how many taps along the longer
 * side of a pixel's footprint, and the linear functions for u/w and v/w. */
struct mapping {
    bool valid; /* may be used for the next chunk of the row as well */
    int x;      /* of the chunk it was made for */
    int level, taps;
    float step_u, step_v; /* from tap to tap */
    float un, us, vn, vs; /* u·w and v·w at x, and per pixel */
    float wn, ws, rs;     /* w at x and per pixel, both relative; 1/w in level texels */
    float clear;          /* what haze leaves */
    float fade;           /* of coverage */
};

/* False when the chunk reaches over the plane's horizon. */
INLINE bool map_plane(const struct drawn *d, int x, int y, struct mapping *m)
{
    const struct texture *t = d->tex;
    double w0 = d->wx * x + d->wy * y + d->wc;
    double u0 = d->ux * x + d->uy * y + d->uc, v0 = d->vx * x + d->vy * y + d->vc;
    const double half = CHUNK / 2 - 0.5;
    double wm = w0 + d->wx * half;
    if (!(wm > 1e-12) || !(w0 > 1e-12) || !(w0 + d->wx * (CHUNK - 1) > 1e-12))
        return false;
    double rm = 1 / wm, um = (u0 + d->ux * half) * rm, vm = (v0 + d->vx * half) * rm;
    float dux = (float)((d->ux - um * d->wx) * rm), dvx = (float)((d->vx - vm * d->wx) * rm);
    float duy = (float)((d->uy - um * d->wy) * rm), dvy = (float)((d->vy - vm * d->wy) * rm);
    float lx = dux * dux + dvx * dvx, ly = duy * duy + dvy * dvy;
    bool along_y = ly > lx;
    float major = along_y ? ly : lx, minor = along_y ? lx : ly;
    int taps = 1;
    if (major > 2) {
        /* Up to twice as wide as it needs to be across: half as many taps. */
        float ratio = major / (minor > 1 ? minor : 1);
        taps = ratio > 64 ? 4 : ratio > 6 ? 2 : 1;
    }
    float print = major / (float)(taps * taps) * 1.5f; /* squared footprint of one tap */
    int level = print > 1 ? log2_floor(print) / 2 : 0;
    if (level >= t->levels)
        level = t->levels - 1;
    float scale = 1.0f / (float)(1 << level);
    /* Whole periods are taken off, to keep the floats small and exact. */
    double uo = floor(um / texture_w(t)) * texture_w(t);
    double vo = floor(vm / texture_h(t)) * texture_h(t);
    m->valid = d->wx == 0; /* ground and clouds: all of a row is equally far */
    m->x = x;
    m->level = level;
    m->taps = taps;
    m->step_u = (along_y ? duy : dux) * scale / (float)taps;
    m->step_v = (along_y ? dvy : dvx) * scale / (float)taps;
    m->un = (float)(u0 - uo * w0);
    m->us = (float)(d->ux - uo * d->wx);
    m->vn = (float)(v0 - vo * w0);
    m->vs = (float)(d->vx - vo * d->wx);
    m->wn = (float)(w0 * rm);
    m->ws = (float)(d->wx * rm);
    m->rs = (float)rm * scale;
    float far = (float)(d->depth * rm), q = far / d->haze_at;
    m->clear = 1 / (1 + q + q * q * 0.5f);
    m->fade = 1;
    if (d->fade_at > 0) {
        float over = far / d->fade_at;
        m->fade = 1 / (1 + over * over);
    }
    return true;
}

/* Means of packed 16-bit channels; `to` may be one of them. */
INLINE void mean_channels(uint32_t *to, const uint32_t *a, const uint32_t *b)
{
    for (int i = 0; i < CHUNK; i++) {
        uint32_t lo = ((a[i] & 0xffff) + (b[i] & 0xffff) + 1) >> 1;
        uint32_t hi = ((a[i] >> 16) + (b[i] >> 16) + 1) >> 1;
        to[i] = lo | hi << 16;
    }
}

/* 2^n taps centred on u, v. */
INLINE void sample_taps(const struct texture *t, const struct mapping *m, const float *u,
                        const float *v, uint32_t *rb, uint32_t *ga)
{
    uint32_t sum_rb[2][CHUNK], sum_ga[2][CHUNK]; /* log2(most taps) */
    for (int n = 0; n < m->taps; n++) {
        float off = (float)n - (float)(m->taps - 1) * 0.5f;
        float ou = m->step_u * off, ov = m->step_v * off;
        float tu[CHUNK], tv[CHUNK];
        for (int i = 0; i < CHUNK; i++) {
            tu[i] = u[i] + ou;
            tv[i] = v[i] + ov;
        }
        sample(t, m->level, tu, tv, rb, ga);
        /* Pairs of equal weight are put together as they come, like a binary counter. */
        int bit = 0;
        for (; n >> bit & 1; bit++) {
            mean_channels(rb, rb, sum_rb[bit]);
            mean_channels(ga, ga, sum_ga[bit]);
        }
        if (n + 1 < m->taps) {
            memcpy(sum_rb[bit], rb, sizeof(sum_rb[0]));
            memcpy(sum_ga[bit], ga, sizeof(sum_ga[0]));
        }
    }
}

INLINE void shade_texture(const struct drawn *d, const struct lens *lens, int x, int y,
                          struct mapping *m, float colour[3][CHUNK], float *cover)
{
    const struct texture *t = d->tex;
    if (!m->valid && !map_plane(d, x, y, m)) {
        /* Nothing to see but haze. */
        for (int k = 0; k < 3; k++)
            for (int i = 0; i < CHUNK; i++)
                colour[k][i] = lens->haze[k];
        if (t->alpha)
            for (int i = 0; i < CHUNK; i++)
                cover[i] = 0;
        return;
    }
    float u[CHUNK], v[CHUNK];
    float ahead = (float)(x - m->x);
    float un = m->un + m->us * ahead, vn = m->vn + m->vs * ahead, us = m->us, vs = m->vs;
    float rs = m->rs, wn = m->wn, ws = m->ws;
    if (m->valid) {
        for (int i = 0; i < CHUNK; i++) {
            u[i] = (un + us * (float)i) * rs;
            v[i] = (vn + vs * (float)i) * rs;
        }
    } else {
        for (int i = 0; i < CHUNK; i++) {
            float r = rs / (wn + ws * (float)i);
            u[i] = (un + us * (float)i) * r;
            v[i] = (vn + vs * (float)i) * r;
        }
    }
    uint32_t rb[CHUNK], ga[CHUNK];
    if (m->taps == 1)
        sample(t, m->level, u, v, rb, ga);
    else
        sample_taps(t, m, u, v, rb, ga);
    const float unit = 1.0f / (65280.0f * 65280.0f), clear = m->clear;
    float k0 = d->light[0] * unit * clear, k1 = d->light[1] * unit * clear;
    float k2 = d->light[2] * unit * clear;
    float h0 = lens->haze[0] * (1 - clear), h1 = lens->haze[1] * (1 - clear);
    float h2 = lens->haze[2] * (1 - clear);
    for (int i = 0; i < CHUNK; i++) {
        float r = (float)(int32_t)(rb[i] & 0xffff), g = (float)(int32_t)(ga[i] & 0xffff);
        float b = (float)(int32_t)(rb[i] >> 16);
        colour[0][i] = r * r * k0 + h0;
        colour[1][i] = g * g * k1 + h1;
        colour[2][i] = b * b * k2 + h2;
    }
    if (t->alpha) {
        float fade = m->fade / 65280.0f;
        for (int i = 0; i < CHUNK; i++)
            cover[i] *= (float)(int32_t)(ga[i] >> 16) * fade;
    }
}

INLINE void shade_sky(const struct lens *lens, int x, int y, float colour[3][CHUNK])
{
    float z0 = (float)(lens->sky_x * x + lens->sky_y * y + lens->sky_c), dz = (float)lens->sky_x;
    float py = (float)(y - lens->cy), px = (float)(x - lens->cx), ff = (float)(lens->f * lens->f);
    for (int i = 0; i < CHUNK; i++) {
        float xx = px + (float)i;
        float e = (z0 + dz * (float)i) / sqrtf(ff + py * py + xx * xx);
        e = e < 0 ? 0 : e;
        float t = e / (e + 0.28f) * 1.28f; /* fast at the horizon, slow above */
        for (int k = 0; k < 3; k++)
            colour[k][i] = lens->haze[k] + (lens->zenith[k] - lens->haze[k]) * t;
    }
}

INLINE void shade_capsule(const struct drawn *d, int x, int y, float colour[3][CHUNK], float *cover)
{
    float bx = d->bx - d->ax, by = d->by - d->ay, len2 = bx * bx + by * by;
    float inv = len2 > 1e-6f ? 1 / len2 : 0;
    float py = (float)y - d->ay, px0 = (float)x - d->ax;
    for (int i = 0; i < CHUNK; i++) {
        float px = px0 + (float)i;
        float h = (px * bx + py * by) * inv;
        h = h < 0 ? 0 : h;
        h = h > 1 ? 1 : h;
        float qx = px - bx * h, qy = py - by * h, r = d->ra + (d->rb - d->ra) * h;
        float far = sqrtf(qx * qx + qy * qy);
        float c = r - far + 0.5f;
        c = c < 0 ? 0 : c;
        c = c > 1 ? 1 : c;
        /* A line thinner than a pixel covers its width, not a whole pixel. */
        float thin = 2 * r;
        cover[i] = c * (thin < 1 ? thin : 1);
        float over = 1 / (far > r ? far : r), nx = qx * over, ny = -qy * over;
        float nz2 = 1 - nx * nx - ny * ny, nz = sqrtf(nz2 < 0 ? 0 : nz2);
        float lit = nx * d->sun[0] + ny * d->sun[1] + nz * d->sun[2];
        lit = 0.30f + 0.06f * ny + 0.70f * (lit < 0 ? 0 : lit);
        for (int k = 0; k < 3; k++)
            colour[k][i] = d->light[k] * lit;
    }
}

static void paint_chunk(struct row *row, const struct drawn *d, const struct lens *lens, int x,
                        int y, bool whole, struct mapping *m)
{
    float cover[CHUNK], colour[3][CHUNK];
    if (whole) {
        for (int i = 0; i < CHUNK; i++)
            cover[i] = 1;
    } else if (d->kind != DRAWN_CAPSULE) {
        cover_edges(d, x, y, cover);
        for (int i = 0; i < CHUNK; i++)
            cover[i] = x + i >= d->x0 && x + i <= d->x1 ? cover[i] : 0;
    }
    float *through = row->through + x, *shadow = row->shadow + x;
    if (d->kind == DRAWN_SHADOW) {
        for (int i = 0; i < CHUNK; i++)
            shadow[i] = cover[i] > shadow[i] ? cover[i] : shadow[i];
        row->shadowed = true;
        return;
    }
    bool opaque = whole;
    switch (d->kind) {
    case DRAWN_FLAT:
        for (int k = 0; k < 3; k++)
            for (int i = 0; i < CHUNK; i++)
                colour[k][i] = d->light[k];
        break;
    case DRAWN_TEXTURE:
        shade_texture(d, lens, x, y, m, colour, cover);
        opaque = whole && !d->tex->alpha;
        break;
    case DRAWN_SKY:
        shade_sky(lens, x, y, colour);
        break;
    default:
        shade_capsule(d, x, y, colour, cover);
        opaque = false;
        break;
    }
    uint8_t *state = &row->state[x / CHUNK];
    if (row->shadowed && d->kind != DRAWN_SKY && d->kind != DRAWN_CAPSULE)
        for (int k = 0; k < 3; k++)
            for (int i = 0; i < CHUNK; i++)
                colour[k][i] *= 1 - shadow[i] * lens->shade[k];
    if (opaque && *state == CHUNK_OPEN) {
        for (int k = 0; k < 3; k++)
            memcpy(row->rgb[k] + x, colour[k], sizeof(colour[k]));
        for (int i = 0; i < CHUNK; i++)
            through[i] = 0;
    } else {
        float part[CHUNK], most = 0;
        for (int i = 0; i < CHUNK; i++) {
            part[i] = through[i] * cover[i];
            through[i] -= part[i];
        }
        for (int k = 0; k < 3; k++) {
            float *to = row->rgb[k] + x;
            for (int i = 0; i < CHUNK; i++)
                to[i] += part[i] * colour[k][i];
        }
        for (int i = 0; i < CHUNK; i++)
            most = through[i] > most ? through[i] : most;
        opaque = most < 0.002f;
        *state = CHUNK_MIXED;
    }
    if (opaque) {
        *state = CHUNK_CLOSED;
        row->open--;
    }
}

static void row_paint(struct row *row, const struct drawn *d, const struct lens *lens, int y)
{
    /* Where the coverage is more than 0, and where it is 1. */
    double lo = d->x0 > row->x0 ? d->x0 : row->x0;
    double hi = d->x1 < row->x1 - 1 ? d->x1 : row->x1 - 1, in_lo = lo, in_hi = hi;
    if (d->kind == DRAWN_CAPSULE)
        in_lo = hi + 1;
    for (int e = 0; e < d->n_edges; e++) {
        double a = d->ex[e], r = d->ey[e] * y + d->ec[e] + (double)d->slack[e];
        if (a > 1e-9) {
            double out = (-0.5 - r) / a, in = (0.5 - r) / a;
            lo = out > lo ? out : lo;
            in_lo = in > in_lo ? in : in_lo;
        } else if (a < -1e-9) {
            double out = (-0.5 - r) / a, in = (0.5 - r) / a;
            hi = out < hi ? out : hi;
            in_hi = in < in_hi ? in : in_hi;
        } else if (r <= -0.5) {
            return;
        } else if (r < 0.5) {
            in_hi = -1;
        }
    }
    if (!(lo <= hi))
        return;
    struct mapping m;
    m.valid = false;
    for (int x = (int)lo & ~(CHUNK - 1); x <= (int)hi; x += CHUNK)
        if (row->state[x / CHUNK] != CHUNK_CLOSED)
            paint_chunk(row, d, lens, x, y, x >= in_lo && x + CHUNK - 1 <= in_hi, &m);
}

static void row_store(const struct row *row, int x0, int x1, uint16_t *r, uint16_t *g, uint16_t *b)
{
    uint16_t *const to[3] = {r, g, b};
    for (int k = 0; k < 3; k++) {
        const float *from = row->rgb[k] + x0;
        for (int i = 0; i < x1 - x0; i++) {
            float v = from[i] + 0.5f;
            to[k][i] = (uint16_t)(int32_t)(v > 65535 ? 65535 : v);
        }
    }
}

static void row_over(const struct row *row, const struct lens *lens, const float *mask, int x0,
                     int x1, uint16_t *r, uint16_t *g, uint16_t *b)
{
    uint16_t *const to[3] = {r, g, b};
    for (int k = 0; k < 3; k++) {
        const float *from = row->rgb[k], shade = lens->shade[k];
        uint16_t *out = to[k] - x0;
        for (int x = x0; x < x1; x++) {
            float under = (float)out[x], m = mask[x];
            float t = 1 - m * (1 - row->through[x]);
            float v = under * (1 - m * row->shadow[x] * shade) * t + m * from[x] + 0.5f;
            out[x] = (uint16_t)(int32_t)(v > 65535 ? 65535 : v);
        }
    }
}

INLINE void mean2_n(uint16_t *to, const uint16_t *a, const uint16_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint16_t)((a[i] + b[i] + 1) >> 1);
}

static void mean2(uint16_t *to, const uint16_t *a, const uint16_t *b, size_t n)
{
    if (n == STRIP) /* the usual size, unrolled */
        mean2_n(to, a, b, STRIP);
    else
        mean2_n(to, a, b, n);
}

static void widen(uint16_t *to, const uint16_t *near, const uint16_t *far, size_t n)
{
    uint32_t mixed[STRIP + 2];
    for (size_t x = 0; x < n; x += STRIP) {
        size_t m = n - x < STRIP ? n - x : STRIP;
        const uint16_t *p = near + x - 1, *q = far + x - 1;
        for (size_t i = 0; i < m + 2; i++)
            mixed[i] = 3u * p[i] + q[i];
        for (size_t i = 0; i < m; i++) {
            to[2 * (x + i)] = (uint16_t)((mixed[i] + 3 * mixed[i + 1] + 8) >> 4);
            to[2 * (x + i) + 1] = (uint16_t)((3 * mixed[i + 1] + mixed[i + 2] + 8) >> 4);
        }
    }
}

extern const struct kernels KERNELS;
const struct kernels KERNELS = {
    .name = KERNELS_NAME,
    .row_begin = row_begin,
    .row_paint = row_paint,
    .row_store = row_store,
    .row_over = row_over,
    .mean2 = mean2,
    .widen = widen,
    .develop2 = KERNELS_OWN(develop2),
    .capsules = KERNELS_OWN(capsules),
};
