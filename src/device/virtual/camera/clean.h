/* The developed picture before its noise, kept from one picture to the next: only what has
 * been touched is developed anew. One thread. */
#ifndef DEVICE_VIRTUAL_CAMERA_CLEAN_H
#define DEVICE_VIRTUAL_CAMERA_CLEAN_H

#include <stdbool.h>
#include <stdint.h>

#include "device/virtual/kernels.h"
#include "device/virtual/radiance.h"

struct clean;
struct picture;
struct tone;

/* Width and height even. NULL: out of memory. */
struct clean *clean_new(int width, int height);
struct clean *clean_free(struct clean *c);
/* Develops what of `l` has been touched, or all of it when it is another picture, another curve
 * or other local gains of the tone than before; then none of it is touched. Without l->touched:
 * all. grey: its colours are not wanted. */
void clean_develop(struct clean *c, const struct kernels *k, const struct sensor_curve *curve,
                   const struct tone *tone, bool grey, struct radiance *l);
/* The picture that was developed, with its noise: a pure function of that, `key` and `n`, which
 * are GRAINS (silicon.h), one for each local gain. grey: without colour. Sets all of `to`, also
 * its colour matrix and range. */
void clean_print(const struct clean *c, const struct kernels *k, const struct sensor_noise *n,
                 uint64_t key, bool grey, struct picture *to);
/* The same in bands of RADIANCE_CELL rows, which begin at y = 0, RADIANCE_CELL …: after
 * clean_begin() each band is developed, then printed, two rows at a time; `to` has its matrix and
 * range from elsewhere. What is `drawn` (of each cell of the band, 1 or 0; NULL: nothing) is taken
 * from `over`, the band with all that is drawn over it, and is not kept; the rest is l's. A cell of
 * l that has been touched is developed when nothing is drawn over it. */
void clean_begin(struct clean *c, const struct kernels *k, const struct sensor_curve *curve,
                 const struct tone *tone, bool grey, struct radiance *l);
void clean_band(struct clean *c, const struct kernels *k, int y, const struct radiance *over,
                const uint8_t *drawn);
void clean_print_rows(const struct clean *c, const struct kernels *k, const struct sensor_noise *n,
                      uint64_t key, bool grey, int y, const uint8_t *drawn, struct picture *to);
/* Gaussian samples of sigma 32 that it is made of: 4096 from a place that key tells. */
const int8_t *clean_samples(uint64_t key);

#endif
