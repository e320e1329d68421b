/* The inner loops of the virtual camera, compiled once for any machine and once
 * for AVX2; both give the same bytes (no contraction, no reassociation), which
 * test/unit/world.c proves. */
#ifndef DEVICE_VIRTUAL_KERNELS_H
#define DEVICE_VIRTUAL_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sensor_curve {
    float gain; /* radiance → 0…1 of full scale */
    float shot_noise, read_noise;
    float slope[5]; /* BT.709 transfer above 0.018: Σ slope[i]·s^i, s = √linear */
};

#define CAPSULE_BLOCK 8 /* pixels covered at a time */

/* A soft-edged stroke with round ends, from (x, y) along (ux, uy), downwards. */
struct capsule {
    float x, y;       /* where it begins, in pixels' indices */
    float ux, uy;     /* unit, uy ≥ 0 */
    float length;     /* in radii */
    float inv_radius; /* 1/pixels */
    float lean, half; /* for uy > 0.01: ux/uy; half its width along a row, in pixels */
    float x0, x1;     /* columns that it may touch */
    int y0, y1;       /* rows, within the picture; y1 not included */
    float opacity;    /* of its middle, 0…65535 */
    uint16_t colour[3];
};
/* What a capsule has covered. */
struct capsule_aside {
    uint32_t at; /* samples from the planes' starts */
    uint16_t was[3][CAPSULE_BLOCK];
};

struct kernels {
    const char *name;
    /* to[i] = mean of a[i] and b[i], rounded up */
    void (*mean2)(uint16_t *to, const uint16_t *a, const uint16_t *b, size_t n);
    /* A row twice as wide from two rows of n samples, of which `near` counts three times
     * as much; near and far may be read at -1 and n. */
    void (*widen)(uint16_t *to, const uint16_t *near, const uint16_t *far, size_t n);
    /* Two rows of radiance become two of luma and one of each chroma. `noise`: six
     * rows of Gaussian samples (sigma 32): r, g, b of the first, then of the second. */
    void (*develop2)(const struct sensor_curve *c, const uint16_t *const in[6],
                     const int8_t *const noise[6], int width, uint8_t *y0, uint8_t *y1, uint8_t *cb,
                     uint8_t *cr);
    /* Lays n capsules over a picture at least CAPSULE_BLOCK wide, in their order. `aside`:
     * NULL, or room for what they cover (see weather.c for how many), to be put back in
     * reverse order. Returns how many blocks. */
    size_t (*capsules)(const struct capsule *c, size_t n, int width, size_t stride,
                       uint16_t *const plane[3], struct capsule_aside *aside);
};

extern const struct kernels kernels_plain;
extern const struct kernels kernels_avx2;
const struct kernels *kernels_best(void); /* what this machine can do */

#endif
