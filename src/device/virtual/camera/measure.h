/* What a sensor measures on the way: the light of zones, and how it is spread. */
#ifndef DEVICE_VIRTUAL_CAMERA_MEASURE_H
#define DEVICE_VIRTUAL_CAMERA_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "device/virtual/camera/silicon.h"
#include "device/virtual/radiance.h"
#include "media/shot.h"

/* The pixels that are measured, as they are to be seen; those of the place are kept, since they
 * mostly stay. */
#define MEASURE_ACROSS (5 * SHOT_ACROSS)
#define MEASURE_DOWN (4 * SHOT_DOWN)
struct measured_row {
    uint16_t of[3][MEASURE_ACROSS];
};
#define MEASURE_CELLS 256 /* of a row, at most */
struct measured {
    struct measured_row now[MEASURE_DOWN], place[MEASURE_DOWN];
    int width;                        /* of the picture; 0: none yet. For that: */
    uint16_t column[MEASURE_ACROSS];  /* where they stand */
    uint8_t first[MEASURE_CELLS + 1]; /* the first that stands in a cell or behind it */
};
/* Takes those of l that have been touched (or all). */
void measure_take(struct measured *m, const struct radiance *l, bool all);
/* Those of a band (of a picture so high) of which cells that are not 0 have been drawn over, and
 * the others as they were taken. */
void measure_band(struct measured *m, const struct radiance *band, int height,
                  const uint8_t *drawn);

/* Of twenty pixels of each zone, as they were exposed: with noise (a function of `key`) and
 * clipping. unit: of the samples. lit: how many times as much light each zone got (NULL: once).
 * malloc'd; NULL: out of memory. */
struct shot_light *measure_light(const struct measured *m, const struct kernels *k, double unit,
                                 const struct silicon *s, const float (*lit)[TONE_ACROSS],
                                 uint64_t key);

#endif
