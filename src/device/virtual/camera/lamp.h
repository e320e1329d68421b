/* The virtual camera's own infrared lamp: a beam whose width can be set, of a power that it
 * shares out over it. Its light is in the set (set.h), unless the stage has a lamp of its own
 * there; what it set is kept for a while, for times in the past. Any thread; one leaf mutex. */
#ifndef DEVICE_VIRTUAL_CAMERA_LAMP_H
#define DEVICE_VIRTUAL_CAMERA_LAMP_H

#include "device/ports.h"

struct clock;

#define LAMP_LEAST_DEG 5.0
#define LAMP_MOST_DEG 90.0

struct light_source *virtual_lamp_new(struct clock *clock); /* NULL: out of memory */
struct light_source *virtual_lamp_free(struct light_source *l);

#endif
