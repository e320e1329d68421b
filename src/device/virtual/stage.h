/* The stage: everything that a person could do to the place or the device, as a log of
 * commands with the world time from which each holds. Readers get the state at a time.
 *
 * Commands come from the loop; stage_at() may be called from any thread (leaf mutex). */
#ifndef DEVICE_VIRTUAL_STAGE_H
#define DEVICE_VIRTUAL_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "device/virtual/set.h"

struct fault;
struct stage;

/* What has been done to the lens and the housing. */
struct mess {
    double spray;   /* paint on the dome, 0…1 of the picture */
    double cover;   /* a bag or hand over it, 0…1 */
    double blur;    /* grease: radius, 0…1 of 5 % of the picture's width */
    double turn_pan_deg, turn_tilt_deg; /* the whole camera was turned on its mount; the head
                                         * does not know */
    double shake_deg; /* amplitude of the mount's vibration */
};

struct stage *stage_new(uint64_t seed);
struct stage *stage_free(struct stage *s);
void stage_at(struct stage *s, int64_t time_ns, struct set *ret_set, struct mess *ret_mess);

#endif
