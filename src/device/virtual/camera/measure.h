/* What a sensor measures on the way: the light of zones, and how it is spread. */
#ifndef DEVICE_VIRTUAL_CAMERA_MEASURE_H
#define DEVICE_VIRTUAL_CAMERA_MEASURE_H

#include <stdint.h>

#include "device/virtual/camera/silicon.h"
#include "device/virtual/radiance.h"

struct shot_light;

/* Of twenty pixels of each zone, as they were exposed: with noise (a function of `key`) and
 * clipping. lit: how many times as much light each zone got (NULL: once). malloc'd; NULL: out of
 * memory. */
struct shot_light *measure_light(const struct radiance *l, const struct silicon *s,
                                 const float (*lit)[TONE_ACROSS], uint64_t key);

#endif
