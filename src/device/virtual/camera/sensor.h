/* The simulated image sensor: radiance becomes a noisy, exposed 4:2:0 picture. */
#ifndef DEVICE_VIRTUAL_CAMERA_SENSOR_H
#define DEVICE_VIRTUAL_CAMERA_SENSOR_H

#include <stdint.h>

#include "device/ports.h"

struct clock;
struct world;

/* `w`, `head` and `clock` must outlive it. Width and height even. */
struct sensor *virtual_sensor_new(struct world *w, struct head *head, struct clock *clock,
                                  uint64_t seed, int width, int height, double fps);
struct sensor *virtual_sensor_free(struct sensor *s);

#endif
