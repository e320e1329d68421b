/* A crowd: people who stroll about in an area without running into each other.
 *
 * Half a period is worked out once, step by step; the other half is the way back, so
 * that any time can be looked up and the whole repeats. Immutable once made. */
#ifndef DEVICE_VIRTUAL_CAST_CROWD_H
#define DEVICE_VIRTUAL_CAST_CROWD_H

#include "device/virtual/cast/route.h"

#define CROWD_APART_M 0.5 /* between two middles, at any time */

struct crowd;

/* period_s: at least 5. NULL: no memory. Where there is no room, fewer come. */
struct crowd *crowd_new(const struct crowd_order *o, double period_s, uint64_t seed);
struct crowd *crowd_free(struct crowd *c);
size_t crowd_size(const struct crowd *c);
struct step crowd_at(const struct crowd *c, size_t which, double t_s);

#endif
