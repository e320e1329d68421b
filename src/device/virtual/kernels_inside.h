/* For kernels*.c only, which are compiled once for each KERNELS. */
#ifndef DEVICE_VIRTUAL_KERNELS_INSIDE_H
#define DEVICE_VIRTUAL_KERNELS_INSIDE_H

#include "device/virtual/kernels.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

#define STRIP 64 /* samples in a loop of known length */
#define INLINE static inline __attribute__((always_inline))

#ifdef __AVX2__
INLINE __m256i load16(const uint16_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}
#endif

/* The same function in each set has its own name. */
#define KERNELS_JOIN_(a, b) a##_##b
#define KERNELS_JOIN(a, b) KERNELS_JOIN_(a, b)
#define KERNELS_OWN(name) KERNELS_JOIN(KERNELS, name)

void KERNELS_OWN(tabulate)(const struct sensor_curve *c, struct sensor_table *to);
void KERNELS_OWN(develop2)(const struct sensor_curve *c, const uint16_t *const in[6],
                           const float *const gain[2], int width, uint16_t *y0, uint16_t *y1,
                           uint16_t *cb, uint16_t *cr);
void KERNELS_OWN(develop)(const struct sensor_curve *c, const struct sensor_table *t,
                          const uint16_t *const in[3], size_t stride, int w, int h,
                          const struct developed_at *to);
void KERNELS_OWN(noise)(const struct sensor_noise *s, const struct developed_at of[2],
                        const uint8_t *which, const int8_t *const grain[4], int n,
                        uint8_t *const to[4]);
void KERNELS_OWN(expose)(const struct exposing *s, const uint16_t *const of[3], const float *gain,
                         const int8_t *const noise[3], int n, float *const to[3], uint8_t *bin,
                         uint8_t *clipped);
void KERNELS_OWN(cover)(uint16_t *row, const uint8_t *alpha, const uint8_t *shade, uint32_t colour,
                        int n);
void KERNELS_OWN(disc)(float *acc, const uint32_t *a, const uint32_t *b, float rest, int n);
void KERNELS_OWN(spread)(uint16_t *to, const uint16_t *a, const uint16_t *b, int n, int step,
                         uint32_t fy, uint32_t veil);
uint32_t KERNELS_OWN(sum8)(const uint16_t *from, size_t stride);
void KERNELS_OWN(drop)(const struct drop *d, int y0, int y1, int x0, int x1, struct radiance *to);
unsigned KERNELS_OWN(places)(const struct fall_window *w, uint64_t key, const double corner[3],
                             struct fall_found *ret);
size_t KERNELS_OWN(capsules)(const struct capsule *c, size_t n, struct radiance *into,
                             struct capsule_aside *aside);

void KERNELS_OWN(disc21)(const uint16_t *const from[4], size_t stride, uint16_t *const to[3],
                         int n);
void KERNELS_OWN(disc21_plain)(const uint16_t *from, size_t stride, uint16_t *to, int n);
void KERNELS_OWN(between)(uint16_t *lower, const uint16_t *upper, const uint16_t *part, int base);
void KERNELS_OWN(shrink)(uint16_t *to, const uint16_t *const row[4], int n);
void KERNELS_OWN(stretch)(uint16_t *to, const uint16_t *a, const uint16_t *b, int n, int step,
                          uint32_t fy);

#endif
