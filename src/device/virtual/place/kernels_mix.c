/* Lighting of tiles. Compiled several times, see kernels_place.h; plain loops, which the
 * compiler widens: without contraction every machine adds in the same order. */
#include <string.h>

#include "device/virtual/kernels_inside.h"
#include "device/virtual/place/kernels_mix.h"

#define QUARTERS (TILE_QUARTER * TILE_QUARTER)
#define HALVES (TILE_HALF * TILE_HALF)

INLINE void soft_light(const struct mix *m, const struct mix_tile *t, float *light)
{
    float *const r = light, *const g = light + QUARTERS, *const b = light + 2 * QUARTERS;
    memset(light, 0, 3 * QUARTERS * sizeof(*light));
    for (int s = 0; s < LIGHT_SOFT; s++) {
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
INLINE void widen_light(float *half, const float *quarter)
{
    for (int j = 0; j < TILE_HALF; j++) {
        /* Half sample j - 1 without the border; its quarter neighbours, with theirs. */
        int near = (j - 1 + 2) / 2, far = j & 1 ? near - 1 : near + 1;
        float row[TILE_QUARTER], out[TILE_HALF + 2];
        near = near > TILE_QUARTER - 1 ? TILE_QUARTER - 1 : near;
        far = far < 0 ? 0 : far > TILE_QUARTER - 1 ? TILE_QUARTER - 1 : far;
        const float *a = quarter + near * TILE_QUARTER, *b = quarter + far * TILE_QUARTER;
        for (int i = 0; i < TILE_QUARTER; i++)
            row[i] = 0.75f * a[i] + 0.25f * b[i];
        widen_row(out + 1, row, TILE_HALF - 2);
        out[0] = 0.75f * row[0] + 0.25f * row[1];
        out[TILE_HALF - 1] = 0.75f * row[TILE_QUARTER - 1] + 0.25f * row[TILE_QUARTER - 2];
        memcpy(half + j * TILE_HALF, out, TILE_HALF * sizeof(*half));
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

INLINE void wet_ground(const struct mix_tile *t, float *keep, float *mirror)
{
    for (int j = 0; j < TILE_HALF; j++)
        for (int i = 0; i < TILE_HALF; i++) {
            uint16_t d = t->depth[j * TILE_HALF + i];
            bool on = d >= t->ground_lo[j] && d <= t->ground_hi[j];
            keep[j * TILE_HALF + i] = on ? t->dry[j] : 1;
            mirror[j * TILE_HALF + i] = on ? t->gloss[j] : 0;
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

INLINE uint64_t sample16(float v)
{
    v += 0.5f;
    v = v > 65535 ? 65535 : v;
    return (uint64_t)(uint32_t)(int32_t)v;
}

void KERNELS_OWN(mix)(const struct mix *m, const struct mix_tile *t, uint16_t *to, float *scratch)
{
    float *light = scratch, *veil = scratch + 3 * HALVES, *keep = veil + HALVES;
    float *mirror = keep + HALVES, *quarter = scratch + 8 * HALVES;
    const bool foggy = m->extinction > 0, wet = m->wet > 0;
    soft_light(m, t, quarter);
    for (int k = 0; k < 3; k++)
        widen_light(light + k * HALVES, quarter + k * QUARTERS);
    if (t->suns)
        sun_light(m, t->suns, light);
    if (foggy)
        fog(m, t->depth, light, veil);
    if (wet)
        wet_ground(t, keep, mirror);
    for (int y = 0; y < TILE; y++) {
        float e[3][TILE], cb[TILE], cr[TILE], v[TILE], c[3][TILE], cover[TILE];
        int near = y / 2 + 1, far = y & 1 ? near + 1 : near - 1;
        for (int k = 0; k < 3; k++)
            full_row(e[k], light + k * HALVES, near, far);
        full_bytes(cb, t->cb, near, far);
        full_bytes(cr, t->cr, near, far);
        for (int i = 0; i < TILE; i++) {
            float luma = (float)t->y[y * TILE + i] * (1 / 255.0f);
            float b = (cb[i] - 128) * (1 / 255.0f), r = (cr[i] - 128) * (1 / 255.0f);
            c[0][i] = linear(luma + 1.5748f * r);
            c[1][i] = linear(luma - 0.187324f * b - 0.468124f * r);
            c[2][i] = linear(luma + 1.8556f * b);
        }
        if (wet) {
            float k[TILE], g[TILE];
            full_row(k, keep, near, far);
            full_row(g, mirror, near, far);
            for (int q = 0; q < 3; q++)
                for (int i = 0; i < TILE; i++)
                    c[q][i] = c[q][i] * k[i] + g[i];
        }
        for (int q = 0; q < 3; q++)
            for (int i = 0; i < TILE; i++)
                c[q][i] *= e[q][i];
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
