/* Lighting of tiles. Compiled several times, see kernels_place.h; plain loops, which the
 * compiler widens: without contraction every machine adds in the same order. */
#include <string.h>

#include "device/virtual/kernels_inside.h"
#include "device/virtual/place/kernels_mix.h"

#define QUARTERS (TILE_QUARTER * TILE_QUARTER)
#define HALVES (TILE_HALF * TILE_HALF)

INLINE void soft_light(const struct mix *m, const struct mix_tile *t, int first, int end,
                       float *light)
{
    float *const r = light, *const g = light + QUARTERS, *const b = light + 2 * QUARTERS;
    memset(light, 0, 3 * QUARTERS * sizeof(*light));
    for (int s = first; s < end; s++) {
        const uint32_t *from = t->soft[s];
        const float wr = m->soft[s][0], wg = m->soft[s][1], wb = m->soft[s][2];
        if (!from || (wr == 0 && wg == 0 && wb == 0))
            continue;
        for (int i = 0; i < QUARTERS; i++) {
            uint32_t v = from[i], bits = ((v >> 27) + 127 - SOFT_BIAS - 9) << 23;
            float k;
            memcpy(&k, &bits, sizeof(k));
            r[i] += (float)(int32_t)(v & 511) * k * wr;
            g[i] += (float)(int32_t)(v >> 9 & 511) * k * wg;
            b[i] += (float)(int32_t)(v >> 18 & 511) * k * wb;
        }
    }
}

/* Twice as many samples a row: `n` of them, from (n + 2) / 2 + 1 with a border of one. */
INLINE void widen_row(float *to, const float *from, int n)
{
    for (int i = 0; i < n / 2; i++) {
        to[2 * i] = 0.75f * from[i + 1] + 0.25f * from[i];
        to[2 * i + 1] = 0.75f * from[i + 1] + 0.25f * from[i + 2];
    }
}

/* Quarter to half, borders included: half row j lies between quarter rows. */
INLINE void widen_plane(float *half, const float *quarter)
{
    for (int j = 0; j < TILE_HALF; j++) {
        int near = (j + 1) / 2, far = j & 1 ? near - 1 : near + 1;
        float row[TILE_QUARTER], *out = half + j * TILE_HALF;
        const float *a = quarter + near * TILE_QUARTER, *b = quarter + far * TILE_QUARTER;
        for (int i = 0; i < TILE_QUARTER; i++)
            row[i] = 0.75f * a[i] + 0.25f * b[i];
        widen_row(out + 1, row, TILE_HALF - 2);
        out[0] = 0.75f * row[0] + 0.25f * row[1];
        out[TILE_HALF - 1] = 0.75f * row[TILE_QUARTER - 1] + 0.25f * row[TILE_QUARTER - 2];
    }
}

/* The nearer and the farther neighbour of each of n samples. */
INLINE void spread(float *near, float *far, const float *from, int n)
{
    for (int i = 0; i < n / 2; i++) {
        near[2 * i] = from[i + 1];
        near[2 * i + 1] = from[i + 1];
        far[2 * i] = from[i];
        far[2 * i + 1] = from[i + 2];
    }
}

/* ---- light that keeps to the surface it is on ----
 *
 * Light is kept coarser than colour. Of the coarse samples round a texel those count that are
 * of its colour and distance: else light of a window would lie on its frame, and the shade
 * behind a post on the post. */

#define LIKE 0.045f   /* 1 / difference of luma, of 255, that makes another surface */
#define BESIDE 0.014f /* the same of depth codes: 1.2 % */
#define UNLIKE 4e-4f  /* what others count, so that there always are some */

INLINE float alike(float luma, float depth)
{
    float a = luma * LIKE, b = depth * BESIDE;
    float k = 1 - a * a - b * b;
    k = k < 0 ? 0 : k;
    return k * k + UNLIKE;
}

/* Luma and depth, as dense as light is. */
struct guide {
    float luma[HALVES], depth[HALVES];
    float coarse_luma[QUARTERS], coarse_depth[QUARTERS];
    float aside[QUARTERS], up[QUARTERS]; /* how depth goes on */
};

INLINE float least_slope(float a, float b)
{
    float x = a < 0 ? -a : a, y = b < 0 ? -b : b;
    return a * b <= 0 ? 0 : x < y ? a : b;
}

INLINE void make_guide(const struct mix_tile *t, struct guide *g)
{
    for (int j = 0; j < TILE_HALF; j++) {
        int y = 2 * j - 2;
        y = y < 0 ? 0 : y > TILE - 2 ? TILE - 2 : y;
        const uint8_t *a = t->y + y * TILE, *b = a + TILE;
        float *to = g->luma + j * TILE_HALF;
        for (int i = 0; i < TILE / 2; i++)
            to[i + 1] = (float)(a[2 * i] + a[2 * i + 1] + b[2 * i] + b[2 * i + 1]) * 0.25f;
        to[0] = to[1];
        to[TILE_HALF - 1] = to[TILE_HALF - 2];
    }
    for (int i = 0; i < HALVES; i++)
        g->depth[i] = (float)t->depth[i];
    for (int j = 0; j < TILE_QUARTER; j++) {
        int y0 = j ? 2 * j - 1 : 0, y1 = 2 * j < TILE_HALF ? 2 * j : TILE_HALF - 1;
        for (int i = 0; i < TILE_QUARTER; i++) {
            int x0 = i ? 2 * i - 1 : 0, x1 = 2 * i < TILE_HALF ? 2 * i : TILE_HALF - 1;
            int p = y0 * TILE_HALF + x0, q = y0 * TILE_HALF + x1, r = y1 * TILE_HALF + x0;
            int s = y1 * TILE_HALF + x1, at = j * TILE_QUARTER + i;
            g->coarse_luma[at] = (g->luma[p] + g->luma[q] + g->luma[r] + g->luma[s]) * 0.25f;
            g->coarse_depth[at] = (g->depth[p] + g->depth[q] + g->depth[r] + g->depth[s]) * 0.25f;
        }
    }
    const float *d = g->coarse_depth;
    memset(g->aside, 0, sizeof(g->aside));
    memset(g->up, 0, sizeof(g->up));
    for (int j = 1; j < TILE_QUARTER - 1; j++)
        for (int i = j * TILE_QUARTER + 1; i < (j + 1) * TILE_QUARTER - 1; i++) {
            g->aside[i] = least_slope(d[i] - d[i - 1], d[i + 1] - d[i]);
            g->up[i] = least_slope(d[i] - d[i - TILE_QUARTER], d[i + TILE_QUARTER] - d[i]);
        }
}

/* A coarse row, as wide as a finer one: the nearer [0] and the farther [1] neighbour. */
struct coarse_row {
    float luma[2][TILE_HALF], depth[2][TILE_HALF], up[2][TILE_HALF], light[3][2][TILE_HALF];
};

INLINE void spread_half(float to[2][TILE_HALF], const float *from)
{
    spread(to[0] + 1, to[1] + 1, from, TILE_HALF - 2);
    to[0][0] = from[0];
    to[1][0] = from[1];
    to[0][TILE_HALF - 1] = from[TILE_QUARTER - 1];
    to[1][TILE_HALF - 1] = from[TILE_QUARTER - 2];
}

INLINE void take_row(struct coarse_row *r, const struct guide *g, const float *light, int row,
                     int planes)
{
    float aside[2][TILE_HALF];
    int at = row * TILE_QUARTER;
    spread_half(r->luma, g->coarse_luma + at);
    spread_half(r->depth, g->coarse_depth + at);
    spread_half(r->up, g->up + at);
    spread_half(aside, g->aside + at);
    for (int k = 0; k < planes; k++)
        spread_half(r->light[k], light + k * QUARTERS + at);
    for (int i = 0; i < TILE_HALF; i += 2) {
        r->depth[0][i] += 0.25f * aside[0][i];
        r->depth[0][i + 1] -= 0.25f * aside[0][i + 1];
        r->depth[1][i] -= 0.75f * aside[1][i];
        r->depth[1][i + 1] += 0.75f * aside[1][i + 1];
    }
}

/* A row of light between two coarse ones; `on`: its distance below the nearer one's middle. */
INLINE void guided_half(float *to, const struct guide *g, int row, const struct coarse_row *near,
                        const struct coarse_row *far, float on, float beyond, int planes)
{
    const float *luma = g->luma + row * TILE_HALF, *depth = g->depth + row * TILE_HALF;
    to += row * TILE_HALF;
    for (int i = 0; i < TILE_HALF; i++) {
        float n0 = 0.5625f * alike(luma[i] - near->luma[0][i],
                                   depth[i] - near->depth[0][i] - on * near->up[0][i]);
        float n1 = 0.1875f * alike(luma[i] - near->luma[1][i],
                                   depth[i] - near->depth[1][i] - on * near->up[1][i]);
        float f0 = 0.1875f * alike(luma[i] - far->luma[0][i],
                                   depth[i] - far->depth[0][i] - beyond * far->up[0][i]);
        float f1 = 0.0625f * alike(luma[i] - far->luma[1][i],
                                   depth[i] - far->depth[1][i] - beyond * far->up[1][i]);
        float all = 1 / ((n0 + n1) + (f0 + f1));
        for (int k = 0; k < planes; k++)
            to[k * HALVES + i] = ((n0 * near->light[k][0][i] + n1 * near->light[k][1][i]) +
                                  (f0 * far->light[k][0][i] + f1 * far->light[k][1][i])) *
                                 all;
    }
}

INLINE void guided_light(float *half, const struct guide *g, const float *quarter, int planes)
{
    struct coarse_row row[2];
    take_row(&row[0], g, quarter, 0, planes);
    for (int j = 0; j < TILE_QUARTER - 1; j++) {
        struct coarse_row *this = &row[j & 1], *next = &row[1 - (j & 1)];
        take_row(next, g, quarter, j + 1, planes);
        guided_half(half, g, 2 * j, this, next, 0.25f, -0.75f, planes);
        guided_half(half, g, 2 * j + 1, next, this, -0.25f, 0.75f, planes);
    }
}

/* One row of light for texels, out of half rows `near` and `far`. */
INLINE void guided_full(float e[3][TILE], const float *light, const struct guide *g,
                        const uint8_t *luma, int near, int far)
{
    float w[4][TILE], of[2][TILE], all[TILE];
    for (int j = 0; j < 2; j++) {
        spread(of[0], of[1], g->luma + (j ? far : near) * TILE_HALF, TILE);
        for (int k = 0; k < 2; k++)
            for (int i = 0; i < TILE; i++)
                w[2 * j + k][i] =
                    (j ? 0.25f : 0.75f) * (k ? 0.25f : 0.75f) * alike((float)luma[i] - of[k][i], 0);
    }
    for (int i = 0; i < TILE; i++)
        all[i] = 1 / ((w[0][i] + w[1][i]) + (w[2][i] + w[3][i]));
    for (int k = 0; k < 3; k++) {
        float far_of[2][TILE];
        spread(of[0], of[1], light + k * HALVES + near * TILE_HALF, TILE);
        spread(far_of[0], far_of[1], light + k * HALVES + far * TILE_HALF, TILE);
        for (int i = 0; i < TILE; i++)
            e[k][i] = ((w[0][i] * of[0][i] + w[1][i] * of[1][i]) +
                       (w[2][i] * far_of[0][i] + w[3][i] * far_of[1][i])) *
                      all[i];
    }
}

INLINE void sun_light(const struct mix *m, const uint8_t *suns, float *light)
{
    float *const r = light, *const g = light + HALVES, *const b = light + 2 * HALVES;
    for (int i = 0; i < HALVES; i++) {
        float s0 = (float)suns[4 * i], s1 = (float)suns[4 * i + 1];
        float s2 = (float)suns[4 * i + 2], s3 = (float)suns[4 * i + 3];
        r[i] += s0 * m->sun[0][0] + s1 * m->sun[1][0] + s2 * m->sun[2][0] + s3 * m->sun[3][0];
        g[i] += s0 * m->sun[0][1] + s1 * m->sun[1][1] + s2 * m->sun[2][1] + s3 * m->sun[3][1];
        b[i] += s0 * m->sun[0][2] + s1 * m->sun[1][2] + s2 * m->sun[2][2] + s3 * m->sun[3][2];
    }
}

/* ---- leaves in infrared ----
 *
 * What is green for our eyes lets infrared through and throws half of it back: in a picture without
 * the filter leaves and grass are bright, at night in the own lamp's light nearly white. */

/* What they throw back of it: by how light they are, at most. */
#define LEAF_LEAST 0.12f
#define LEAF_SLOPE 4.5f
#define LEAF_MOST 0.6f

/* How much infrared falls on each texel of half density. */
INLINE void infrared(const struct mix *m, const struct mix_tile *t, const float *veil,
                     float *quarter, float *half)
{
    memset(quarter, 0, QUARTERS * sizeof(*quarter));
    for (int s = 0; s < LIGHT_SOFT; s++) {
        const uint32_t *from = t->soft[s];
        const float w = m->infrared[s];
        if (!from || w == 0)
            continue;
        for (int i = 0; i < QUARTERS; i++) {
            uint32_t v = from[i], bits = ((v >> 27) + 127 - SOFT_BIAS - 9) << 23;
            float k;
            memcpy(&k, &bits, sizeof(k));
            quarter[i] += (float)(int32_t)(v >> 9 & 511) * k * w;
        }
    }
    widen_plane(half, quarter);
    for (int i = 0; i < HALVES && t->suns; i++)
        for (int s = 0; s < LIGHT_SUNS; s++)
            half[i] += (float)t->suns[LIGHT_SUNS * i + s] * m->sun_infrared[s];
    for (int i = 0; i < HALVES && veil; i++)
        half[i] *= 1 - veil[i];
}

/* What leaves throw back more than their green does, of a row of colours. */
INLINE void leaf_row(const float c[3][TILE], const float *falls, float *more)
{
    for (int i = 0; i < TILE; i++) {
        float r = c[0][i], g = c[1][i], b = c[2][i];
        float leaf = ((g - r) + 0.5f * (g - b)) / (r + g + b + 0.004f);
        leaf = leaf * 6 - 0.1f;
        leaf = leaf < 0 ? 0 : leaf > 1 ? 1 : leaf;
        float bright = LEAF_LEAST + LEAF_SLOPE * g;
        bright = (bright > LEAF_MOST ? LEAF_MOST : bright) - g;
        more[i] = bright < 0 ? 0 : leaf * bright * falls[i];
    }
}

/* 2^x for -126 < x ≤ 0, to a part in 10^4. */
INLINE float power2(float x)
{
    int32_t whole = (int32_t)x;
    whole -= x < (float)whole;
    float f = x - (float)whole;
    float p = 1 + f * (0.6960656421638072f + f * (0.224494337302845f + f * 0.07944023841053369f));
    uint32_t bits = (uint32_t)(whole + 127) << 23;
    float k;
    memcpy(&k, &bits, sizeof(k));
    return p * k;
}

/* Takes from the light what the air swallows; `veil` is what it adds. */
INLINE void fog(const struct mix *m, const uint16_t *depth, float *light, float *veil)
{
    for (int i = 0; i < HALVES; i++) {
        uint32_t d = depth[i];
        uint32_t bits = (d << 11) + (127u << 23); /* 2^(d/4096), its mantissa linear */
        float far;
        memcpy(&far, &bits, sizeof(far));
        float x = far * m->extinction * -1.442695f;
        x = x < -60 ? -60 : x;
        float clear = power2(x);
        light[i] *= clear;
        light[HALVES + i] *= clear;
        light[2 * HALVES + i] *= clear;
        veil[i] = 1 - clear;
    }
}

/* What water leaves of the colour, and what it mirrors. */
INLINE void wet_ground(const struct mix_tile *t, const float *veil, float *keep, float *mirror)
{
    for (int j = 0; j < TILE_HALF; j++)
        for (int i = j * TILE_HALF; i < (j + 1) * TILE_HALF; i++) {
            bool on = t->depth[i] >= t->ground_lo[j] && t->depth[i] <= t->ground_hi[j];
            float gloss = on ? t->gloss[j] : 0;
            gloss = veil ? gloss * (1 - veil[i]) : gloss;
            keep[i] = on ? t->dry[j] : 1;
            for (int k = 0; k < 3 && t->mirror; k++)
                mirror[k * HALVES + i] *= gloss;
        }
}

/* Where snow lies: on what faces up, open to the sky. */
INLINE void snow(const struct mix *m, const struct mix_tile *t, const struct guide *g,
                 float *quarter, float *lies)
{
    const uint32_t *dome = t->soft[SOFT_OVERCAST];
    if (!dome) {
        memset(lies, 0, HALVES * sizeof(*lies));
        return;
    }
    for (int i = 0; i < QUARTERS; i++) {
        uint32_t bits = ((dome[i] >> 27) + 127 - SOFT_BIAS - 9) << 23;
        float k;
        memcpy(&k, &bits, sizeof(k));
        k = ((float)(int32_t)(dome[i] >> 9 & 511) * k - 0.2f) * 3;
        k = k < 0 ? 0 : k > 1 ? 1 : k;
        quarter[i] = k * m->white;
    }
    guided_light(lies, g, quarter, 1);
    for (int j = 0; j < TILE_HALF; j++) {
        const float *d = g->depth + j * TILE_HALF;
        const float *above = j ? d - TILE_HALF : d, *below = j < TILE_HALF - 1 ? d + TILE_HALF : d;
        const float s = t->sine[j], c = t->cosine[j], steep = t->steep;
        for (int i = 0; i < TILE_HALF; i++) {
            float up = (above[i] - d[i]) * steep, down = (d[i] - below[i]) * steep;
            up = j == 0 ? down : up;
            down = j == TILE_HALF - 1 ? up : down;
            /* At the edge of something, the side that is still on it. */
            float k = up * up < down * down ? up : down;
            float level = k * c + s;
            level = level < 0 ? 0 : level * level / (1 + k * k);
            bool ground = t->depth[j * TILE_HALF + i] >= t->ground_lo[j] &&
                          t->depth[j * TILE_HALF + i] <= t->ground_hi[j];
            level = (level - 0.15f) * 2;
            level = level < 0 ? 0 : level > 1 ? 1 : level;
            bool open = (float)t->depth[j * TILE_HALF + i] >= t->front[i] + t->aslant[j];
            /* What is not ground is not walked on. */
            lies[j * TILE_HALF + i] *= open ? ground ? 1 : level * 1.6f : 0;
        }
    }
}

INLINE float linear(float v)
{
    v = v < 0 ? 0 : v;
    v = v > 1 ? 1 : v;
    return v * (v * (v * 0.305306011f + 0.682171111f) + 0.012522878f);
}

/* One row of a half-dense plane, between its rows `near` and `far`, as dense as texels. */
INLINE void full_row(float *to, const float *plane, int near, int far)
{
    float row[TILE_HALF];
    const float *a = plane + near * TILE_HALF, *b = plane + far * TILE_HALF;
    for (int i = 0; i < TILE_HALF; i++)
        row[i] = 0.75f * a[i] + 0.25f * b[i];
    widen_row(to, row, TILE);
}

INLINE void full_bytes(float *to, const uint8_t *plane, int near, int far)
{
    float row[TILE_HALF];
    const uint8_t *a = plane + near * TILE_HALF, *b = plane + far * TILE_HALF;
    for (int i = 0; i < TILE_HALF; i++)
        row[i] = 0.75f * (float)a[i] + 0.25f * (float)b[i];
    widen_row(to, row, TILE);
}

/* Snow over colours, as thick as `lies` says, and its light. */
INLINE void cover_row(const struct mix *m, float c[3][TILE], float e[3][TILE], const float *lies,
                      const float *near_luma, const uint8_t *luma)
{
    static const float colour[3] = {0.80f, 0.82f, 0.84f};
    for (int i = 0; i < TILE; i++) {
        /* On grass all of it, on paved ground what feet and wheels have left. */
        float green = (c[1][i] - 1.2f * c[2][i]) * 12;
        green = green < 0 ? 0 : green > 0.4f ? 0.4f : green;
        float rough = ((float)luma[i] - near_luma[i]) * 0.012f;
        rough = rough < -0.15f ? -0.15f : rough > 0.15f ? 0.15f : rough;
        float on = lies[i] * (0.6f + green + rough);
        on = on > 1 ? 1 : on;
        /* Light was baked on another surface, which may have shone; snow does not, and has
         * hardly a colour. */
        float g = e[1][i] < m->most ? e[1][i] : m->most, r = e[0][i], b = e[2][i];
        r = r < 0.8f * g ? 0.8f * g : r > m->warm * g ? m->warm * g : r;
        b = b < 0.6f * g ? 0.6f * g : b > 1.06f * g ? 1.06f * g : b;
        e[0][i] += (r - e[0][i]) * on;
        e[1][i] += (g - e[1][i]) * on;
        e[2][i] += (b - e[2][i]) * on;
        for (int q = 0; q < 3; q++)
            c[q][i] += (colour[q] - c[q][i]) * on;
    }
}

INLINE uint64_t sample16(float v)
{
    v += 0.5f;
    v = v > 65535 ? 65535 : v;
    return (uint64_t)(uint32_t)(int32_t)v;
}

void KERNELS_OWN(mix)(const struct mix *m, const struct mix_tile *t, uint16_t *to, float *scratch)
{
    float *light = scratch, *veil = scratch + 3 * HALVES, *keep = veil + HALVES;
    float *lies = keep + HALVES, *mirror = lies + HALVES, *glow = mirror + 3 * HALVES;
    float *tubes = glow + 3 * HALVES, *falls = tubes + 3 * HALVES, *quarter = scratch + 16 * HALVES;
    const bool thin = t->tubes && t->soft[SOFT_EMIT] && m->soft[SOFT_EMIT][1] > 0;
    const bool foggy = m->extinction > 0, wet = m->wet > 0, white = m->white > 0;
    if (thin) {
        soft_light(m, t, SOFT_EMIT, SOFT_EMIT + 1, quarter);
        for (int k = 0; k < 3; k++)
            widen_plane(tubes + k * HALVES, quarter + k * QUARTERS);
    }
    soft_light(m, t, 0, thin ? SOFT_EMIT : LIGHT_SOFT, quarter);
    struct guide guide;
    make_guide(t, &guide);
    guided_light(light, &guide, quarter, 3);
    if (white)
        snow(m, t, &guide, quarter, lies);
    if (t->suns)
        sun_light(m, t->suns, light);
    if (foggy)
        fog(m, t->depth, light, veil);
    if (m->leaves)
        infrared(m, t, foggy ? veil : NULL, quarter, falls);
    if (wet && t->mirror)
        guided_light(mirror, &guide, t->mirror, 3);
    if (wet)
        wet_ground(t, foggy ? veil : NULL, keep, mirror);
    if (t->glow)
        guided_light(glow, &guide, t->glow, 3);
    for (int y = 0; y < TILE; y++) {
        float e[3][TILE], cb[TILE], cr[TILE], v[TILE], c[3][TILE], cover[TILE];
        int near = y / 2 + 1, far = y & 1 ? near + 1 : near - 1;
        guided_full(e, light, &guide, t->y + y * TILE, near, far);
        for (int k = 0; k < 3 && thin; k++) {
            full_row(v, tubes + k * HALVES, near, far);
            for (int i = 0; i < TILE; i++)
                e[k][i] += v[i];
        }
        full_bytes(cb, t->cb, near, far);
        full_bytes(cr, t->cr, near, far);
        for (int i = 0; i < TILE; i++) {
            float luma = (float)t->y[y * TILE + i] * (1 / 255.0f);
            float b = (cb[i] - 128) * (1 / 255.0f), r = (cr[i] - 128) * (1 / 255.0f);
            c[0][i] = linear(luma + 1.5748f * r);
            c[1][i] = linear(luma - 0.187324f * b - 0.468124f * r);
            c[2][i] = linear(luma + 1.8556f * b);
        }
        float paved[TILE];
        if (wet) {
            float k[TILE];
            full_row(k, keep, near, far);
            for (int i = 0; i < TILE; i++) {
                /* Grass, sand and leaves have a colour, and take the water in. */
                float most = c[0][i] > c[1][i] ? c[0][i] : c[1][i];
                float soft = (most - c[2][i]) / (c[0][i] + c[1][i] + c[2][i] + 0.01f);
                soft = soft * 12 - 0.5f;
                paved[i] = soft < 0 ? 1 : soft > 1 ? 0 : 1 - soft;
            }
            for (int q = 0; q < 3; q++)
                for (int i = 0; i < TILE; i++)
                    c[q][i] *= k[i];
        }
        if (white) {
            float k[TILE], fine[TILE];
            full_row(k, lies, near, far);
            full_row(fine, guide.luma, near, far);
            cover_row(m, c, e, k, fine, t->y + y * TILE);
        }
        float more[TILE];
        if (m->leaves) {
            full_row(v, falls, near, far);
            leaf_row((const float(*)[TILE])c, v, more);
        }
        for (int q = 0; q < 3; q++)
            for (int i = 0; i < TILE; i++)
                c[q][i] *= e[q][i];
        for (int q = 0; q < 3 && m->leaves; q++)
            for (int i = 0; i < TILE; i++)
                c[q][i] += more[i];
        for (int q = 0; q < 3 && wet && t->mirror; q++) {
            full_row(v, mirror + q * HALVES, near, far);
            for (int i = 0; i < TILE; i++)
                c[q][i] += v[i] * paved[i];
        }
        for (int q = 0; q < 3 && t->glow; q++) {
            full_row(v, glow + q * HALVES, near, far);
            for (int i = 0; i < TILE; i++)
                c[q][i] += v[i];
        }
        if (foggy) {
            full_row(v, veil, near, far);
            for (int q = 0; q < 3; q++)
                for (int i = 0; i < TILE; i++)
                    c[q][i] += v[i] * m->haze[q];
        }
        if (t->cover)
            for (int i = 0; i < TILE; i++)
                cover[i] = (float)t->cover[y * TILE + i] * (1 / 255.0f);
        else
            for (int i = 0; i < TILE; i++)
                cover[i] = 1;
        uint64_t *out = (uint64_t *)(void *)(to + (size_t)y * TILE * 4);
        for (int i = 0; i < TILE; i++) {
            float k = cover[i] * m->unit;
            uint64_t r = sample16(c[0][i] * k), g = sample16(c[1][i] * k);
            uint64_t b = sample16(c[2][i] * k), a = sample16(cover[i] * 65535);
            out[i] = (r | g << 16 | b << 32 | a << 48) ^ UINT64_C(0x8000800080008000);
        }
    }
}
