/* Cells of a picture where texels have become larger than pixels. Compiled several times, see
 * kernels.h.
 *
 * Each pixel is a weighted mean of 4 × 4 texels. The weights fall with the distance, slowly
 * along an edge and fast across it, where they go a little below zero as those of a lens with
 * sharpening do: slanted edges become straight, not stairs. Which way edges run is taken from
 * the squares of the gradients, smoothed. */
#include <math.h>
#include <string.h>

#include "device/virtual/kernels_inside.h"
#include "device/virtual/place/kernels_mix.h"

#define SIDE MAGNIFY_MOST
#define ALONG 0.29f  /* 1 / (reach along an edge)², in texels */
#define ACROSS 0.62f /* across */
#define LOBE 1.30f   /* how far below zero */

/* The texels round a cell, as numbers. */
struct texels {
    int w, h, x0, y0;
    float value[SIDE * SIDE * 4] __attribute__((aligned(32)));
    float form[SIDE * SIDE * 4] __attribute__((aligned(32))); /* xx, 2·xy, yy of the weights */
};

static void take_texels(const struct remap *r, struct texels *t)
{
    int32_t u0 = r->u[0], u1 = u0, v0 = r->v[0], v1 = v0;
    for (int i = 1; i < 4; i++) {
        u0 = r->u[i] < u0 ? r->u[i] : u0;
        u1 = r->u[i] > u1 ? r->u[i] : u1;
        v0 = r->v[i] < v0 ? r->v[i] : v0;
        v1 = r->v[i] > v1 ? r->v[i] : v1;
    }
    t->x0 = ((u0 - 0x8000) >> 16) - 2;
    t->y0 = ((v0 - 0x8000) >> 16) - 2;
    t->w = ((u1 - 0x8000) >> 16) + 4 - t->x0;
    t->h = ((v1 - 0x8000) >> 16) + 4 - t->y0;
    t->w = t->w > SIDE ? SIDE : t->w;
    t->h = t->h > SIDE ? SIDE : t->h;
    for (int y = 0; y < t->h; y++) {
        const int16_t *from = (const int16_t *)(const void *)r->from +
                              4 * ((ptrdiff_t)(t->y0 + y) * r->stride + t->x0);
        float *to = t->value + (size_t)y * SIDE * 4;
        for (int i = 0; i < 4 * t->w; i++)
            to[i] = (float)(from[i] + 32768);
    }
}

static void find_edges(struct texels *t)
{
    float bright[SIDE * SIDE], xx[SIDE * SIDE], xy[SIDE * SIDE], yy[SIDE * SIDE];
    for (int y = 0; y < t->h; y++)
        for (int x = 0; x < t->w; x++) {
            const float *c = t->value + (y * SIDE + x) * 4;
            bright[y * SIDE + x] = sqrtf(c[0] + 2 * c[1] + c[2] + 0.25f * c[3]);
        }
    for (int y = 1; y < t->h - 1; y++)
        for (int x = 1; x < t->w - 1; x++) {
            const float *b = bright + y * SIDE + x;
            float gx = (b[1] - b[-1]) * 2 + b[1 - SIDE] - b[-1 - SIDE] + b[1 + SIDE] - b[SIDE - 1];
            float gy =
                (b[SIDE] - b[-SIDE]) * 2 + b[SIDE - 1] - b[-1 - SIDE] + b[SIDE + 1] - b[1 - SIDE];
            xx[y * SIDE + x] = gx * gx;
            xy[y * SIDE + x] = gx * gy;
            yy[y * SIDE + x] = gy * gy;
        }
    for (int y = 2; y < t->h - 2; y++)
        for (int x = 2; x < t->w - 2; x++) {
            float a = 0, b = 0, c = 0;
            for (int j = -1; j <= 1; j++)
                for (int i = -1; i <= 1; i++) {
                    int at = (y + j) * SIDE + x + i;
                    float k = (float)((2 - j * j) * (2 - i * i));
                    a += xx[at] * k;
                    b += xy[at] * k;
                    c += yy[at] * k;
                }
            float all = a + c + 60, flat = (ACROSS - ALONG) / all;
            float *to = t->form + (y * SIDE + x) * 4;
            to[0] = ALONG + (a + 30) * flat;
            to[1] = 2 * b * flat;
            to[2] = ALONG + (c + 30) * flat;
            to[3] = 0;
        }
}

/* Which way the weights fall at a pixel, between four texels. */
INLINE void form_at(const float *form, float fx, float fy, float ret[4])
{
    for (int k = 0; k < 4; k++) {
        float a = form[k] + (form[k + 4] - form[k]) * fx;
        float b = form[k + 4 * SIDE] + (form[k + 4 * SIDE + 4] - form[k + 4 * SIDE]) * fx;
        ret[k] = a + (b - a) * fy;
    }
}

#ifdef __AVX2__

INLINE __m256 weights(const float f[4], __m256 dx, __m256 dy)
{
    const __m256 one = _mm256_set1_ps(1);
    __m256 q = _mm256_add_ps(_mm256_mul_ps(_mm256_add_ps(_mm256_mul_ps(_mm256_set1_ps(f[0]), dx),
                                                         _mm256_mul_ps(_mm256_set1_ps(f[1]), dy)),
                                           dx),
                             _mm256_mul_ps(_mm256_mul_ps(_mm256_set1_ps(f[2]), dy), dy));
    __m256 k = _mm256_max_ps(_mm256_sub_ps(one, q), _mm256_setzero_ps());
    return _mm256_mul_ps(_mm256_mul_ps(k, k),
                         _mm256_sub_ps(one, _mm256_mul_ps(q, _mm256_set1_ps(LOBE))));
}

INLINE void pixel(const float *value, const float f[4], float fx, float fy, uint16_t *to)
{
    const __m256 column = _mm256_setr_ps(-1, 0, 1, 2, -1, 0, 1, 2);
    const __m256 row = _mm256_setr_ps(-1, -1, -1, -1, 0, 0, 0, 0);
    __m256 dx = _mm256_sub_ps(column, _mm256_set1_ps(fx));
    __m256 dy = _mm256_sub_ps(row, _mm256_set1_ps(fy));
    __m256 high = weights(f, dx, dy), low = weights(f, dx, _mm256_add_ps(dy, _mm256_set1_ps(2)));
    __m256 sum = _mm256_setzero_ps();
    const __m256i left = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    for (int j = 0; j < 4; j++) {
        __m256 w = j < 2 ? high : low;
        const float *at = value + j * SIDE * 4;
        __m256i pick = _mm256_add_epi32(left, _mm256_set1_epi32(j % 2 * 4));
        sum = _mm256_add_ps(sum,
                            _mm256_mul_ps(_mm256_permutevar8x32_ps(w, pick), _mm256_loadu_ps(at)));
        pick = _mm256_add_epi32(pick, _mm256_set1_epi32(2));
        sum = _mm256_add_ps(
            sum, _mm256_mul_ps(_mm256_permutevar8x32_ps(w, pick), _mm256_loadu_ps(at + 8)));
    }
    __m128 v = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1));
    __m256 both = _mm256_add_ps(high, low);
    __m128 all = _mm_add_ps(_mm256_castps256_ps128(both), _mm256_extractf128_ps(both, 1));
    all = _mm_add_ps(all, _mm_movehl_ps(all, all));
    all = _mm_add_ss(all, _mm_shuffle_ps(all, all, 1));
    v = _mm_add_ps(_mm_div_ps(v, _mm_shuffle_ps(all, all, 0)), _mm_set1_ps(0.5f));
    v = _mm_min_ps(_mm_max_ps(v, _mm_setzero_ps()), _mm_set1_ps(65535));
    __m128i n = _mm_sub_epi32(_mm_cvttps_epi32(v), _mm_set1_epi32(32768));
    _mm_storel_epi64((__m128i *)(void *)to, _mm_packs_epi32(n, n));
}

#else

INLINE void pixel(const float *value, const float f[4], float fx, float fy, uint16_t *to)
{
    float w[16], sum[2][4] = {{0}};
    for (int j = 0; j < 4; j++)
        for (int i = 0; i < 4; i++) {
            float dx = (float)(i - 1) - fx, dy = (float)(j % 2 - 1) - fy;
            dy = j < 2 ? dy : dy + 2;
            float q = (f[0] * dx + f[1] * dy) * dx + f[2] * dy * dy, k = 1 - q;
            k = k > 0 ? k : 0;
            w[4 * j + i] = k * k * (1 - q * LOBE);
        }
    for (int i = 0; i < 16; i++)
        for (int k = 0; k < 4; k++)
            sum[i % 2][k] += w[i] * value[(i / 4 * SIDE + i % 4) * 4 + k];
    float part[4];
    for (int i = 0; i < 4; i++)
        part[i] = (w[i] + w[i + 8]) + (w[i + 4] + w[i + 12]);
    float all = (part[0] + part[2]) + (part[1] + part[3]);
    for (int k = 0; k < 4; k++) {
        float v = (sum[0][k] + sum[1][k]) / all + 0.5f;
        v = v > 0 ? v : 0;
        v = v < 65535 ? v : 65535;
        to[k] = (uint16_t)((int32_t)v - 32768);
    }
}

#endif

void KERNELS_OWN(magnify)(const struct remap *r, uint16_t *cell)
{
    struct texels t;
    take_texels(r, &t);
    find_edges(&t);
    for (int y = 0; y < CELL; y++) {
        struct along s = along_row(r->u, r->v, y);
        for (int x = 0; x < CELL; x++, cell += 4) {
            int32_t u = s.u - 0x8000 + ((s.du * (2 * x + 1)) >> 5);
            int32_t v = s.v - 0x8000 + ((s.dv * (2 * x + 1)) >> 5);
            float fx = (float)(u & 0xffff) * (1 / 65536.0f);
            float fy = (float)(v & 0xffff) * (1 / 65536.0f), form[4];
            int at = ((v >> 16) - t.y0) * SIDE + (u >> 16) - t.x0;
            form_at(t.form + 4 * at, fx, fy, form);
            pixel(t.value + 4 * (at - SIDE - 1), form, fx, fy, cell);
        }
    }
}
