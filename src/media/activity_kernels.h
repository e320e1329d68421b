/* The inner loops of activity.c, compiled once for any machine and once for AVX2; both give
 * the same, which test/unit/activity.c proves. A sample is the sum of 4 × 4 pixels. */
#ifndef MEDIA_ACTIVITY_KERNELS_H
#define MEDIA_ACTIVITY_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define ACTIVITY_KEPT_SHIFT 4 /* what is kept of a sample has so many bits after the point */

/* Sums over a cell's 4 × 4 samples. */
struct activity_sums {
    uint32_t difference; /* |sample - kept| */
    uint32_t now, kept;
    uint32_t detail; /* |sample - the one to its right| */
};

struct activity_kernels {
    const char *name;
    /* to[i]: of pixels 4i … 4i+3 of four rows; n samples, a multiple of 16. */
    void (*reduce)(uint16_t *to, const uint8_t *const row[4], size_t n);
    /* Adds a row of samples to the sums of its cells. Reads one sample beyond the last. */
    void (*compare)(struct activity_sums *sums, const uint16_t *now, const uint16_t *kept,
                    size_t cells);
    /* kept goes to the sample by 1/2^shift of the way, each cell by its own. */
    void (*follow)(uint16_t *kept, const uint16_t *now, const uint8_t *shift, size_t cells);
};

extern const struct activity_kernels activity_kernels_plain, activity_kernels_avx2;

#endif
