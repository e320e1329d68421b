/* The simulated image sensor: radiance becomes a noisy, exposed 4:2:0 picture (silicon.h). */
#ifndef DEVICE_VIRTUAL_CAMERA_SENSOR_H
#define DEVICE_VIRTUAL_CAMERA_SENSOR_H

#include <stdint.h>

#include "device/ports.h"

struct clock;
struct world;

/* `w`, `head` (virtual), `lens` (virtual) and `clock` must outlive it. Width and height even.
 * Until it is told how to take pictures (set) it takes them as by day. */
struct sensor *virtual_sensor_new(struct world *w, struct head *head, struct lens *lens,
                                  struct clock *clock, uint64_t seed, int width, int height,
                                  double fps);
/* It may also take pictures of other sizes and rates (caps().mode). Before anybody asks. */
void virtual_sensor_offer_modes(struct sensor *s);
struct sensor *virtual_sensor_free(struct sensor *s);

#endif
