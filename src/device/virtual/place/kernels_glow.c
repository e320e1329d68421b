/* What lamps add to hazy air. Compiled several times, see kernels.h. */
#include <math.h>
#include <string.h>

#include "device/virtual/place/kernels_mix.h"

#pragma GCC diagnostic ignored "-Wpsabi" /* all are inlined */

#define LANES 8
typedef float f8 __attribute__((vector_size(32)));
typedef int32_t i8 __attribute__((vector_size(32)));
#define ALL(x) ((f8){x, x, x, x, x, x, x, x})

INLINE f8 pick(i8 mask, f8 a, f8 b)
{
    return (f8)(((i8)a & mask) | ((i8)b & ~mask));
}

/* Of something positive. */
INLINE f8 root8(f8 a)
{
#ifdef __AVX2__
    return (f8)_mm256_sqrt_ps((__m256)a);
#else
    for (int i = 0; i < LANES; i++)
        a[i] = sqrtf(a[i]);
    return a;
#endif
}

/* The arc whose tangent is so much, to 0.3 degrees. */
INLINE f8 arc(f8 x)
{
    f8 a = pick(x < ALL(0.0f), -x, x), a2 = a * a;
    i8 steep = a > ALL(1.0f);
    f8 r = a / pick(steep, a2 + ALL(0.28f), ALL(1.0f) + ALL(0.28f) * a2);
    r = pick(steep, ALL((float)M_PI_2) - r, r);
    return pick(x < ALL(0.0f), -r, r);
}

void KERNELS_OWN(glow)(const struct glow_lamp *lamp, size_t n_lamps, float air,
                       const float *const to[3], const float *metres, int n, float *const ret[3])
{
    for (int i = 0; i < n; i += LANES) {
        const size_t bytes = (size_t)(n - i < LANES ? n - i : LANES) * sizeof(float);
        f8 d[3] = {ALL(0.0f), ALL(0.0f), ALL(0.0f)}, far = ALL(1.0f), sum[3];
        for (int k = 0; k < 3; k++) {
            memcpy(&d[k], to[k] + i, bytes);
            sum[k] = ALL(0.0f);
        }
        memcpy(&far, metres + i, bytes);
        for (size_t q = 0; q < n_lamps; q++) {
            const struct glow_lamp *l = &lamp[q];
            /* Along the ray the lamp's light falls with the square of the distance from it. */
            f8 along = ALL(l->at[0]) * d[0] + ALL(l->at[1]) * d[1] + ALL(l->at[2]) * d[2];
            f8 off = ALL(l->far2) - along * along;
            f8 aside = root8(pick(off > ALL(0.0f), off, ALL(0.0f)) + ALL(0.04f));
            f8 inv = ALL(1.0f) / aside;
            f8 seen = arc((far - along) * inv) + arc(along * inv);
            f8 until = pick(along < far, along, far);
            f8 dim = ALL(air) * pick(until > ALL(0.0f), until, ALL(0.0f));
            f8 v = seen * inv / (ALL(1.0f) + dim + dim * dim * ALL(0.5f));
            for (int k = 0; k < 3; k++)
                sum[k] += v * ALL(l->colour[k]);
        }
        for (int k = 0; k < 3; k++)
            memcpy(ret[k] + i, &sum[k], bytes);
    }
}
