/* The sky: gradient, sun and clouds that drift, as radiance in a direction. Pure functions,
 * any thread. */
#ifndef DEVICE_VIRTUAL_PLACE_SKY_H
#define DEVICE_VIRTUAL_PLACE_SKY_H

#include <stdint.h>

#include "device/virtual/place/light.h"
#include "device/virtual/vec.h"

/* `direction` unit; `time_ns` moves the clouds. White card = 1. */
void sky_radiance(const struct light *l, int64_t time_ns, struct vec direction, float ret[3]);
/* How fast clouds go over the sky, at most where a camera looks: radians per second. */
#define SKY_DRIFT 0.002

#endif
