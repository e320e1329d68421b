/* The planned way of a head, axis by axis: legs that each run evenly to where they end.
 * The last few are kept, since pictures ask for moments that are a little past. Pan and
 * tilt in degrees, zoom as its natural logarithm. A value; the owner locks. */
#ifndef DEVICE_TRAJECTORY_H
#define DEVICE_TRAJECTORY_H

#include <stdbool.h>
#include <stdint.h>

enum { AXIS_PAN, AXIS_TILT, AXIS_ZOOM, AXES };
#define TRAJECTORY_LEGS 16

/* From t0 on each axis runs evenly until it is at `to`. */
struct leg {
    int64_t t0_ns;
    double from[AXES], speed[AXES], to[AXES]; /* speed per second; 0: stays at `from` */
};
struct trajectory {
    struct leg leg[TRAJECTORY_LEGS];
    unsigned newest; /* counts on */
};

double leg_axis(const struct leg *l, int axis, int64_t time_ns);
bool leg_moves(const struct leg *l, int axis, int64_t time_ns);
/* To there with this speed (its amount); there already: stays. */
void leg_aim(struct leg *l, int axis, double to, double speed);

const struct leg *trajectory_at(const struct trajectory *t, int64_t time_ns);
/* A new leg that goes on as before; the caller changes what it wants. */
struct leg *trajectory_begin(struct trajectory *t, int64_t now_ns);

#endif
