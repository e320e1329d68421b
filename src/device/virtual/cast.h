/* The cast: who is where. People, vehicles, animals and things of the scenario and those
 * whom the stage sent, as a pure function of (seed, scenario, commands, world time).
 *
 * Written on the loop (commands carry the world time from which they hold); read from any
 * thread: cast_at() locks a leaf mutex. */
#ifndef DEVICE_VIRTUAL_CAST_H
#define DEVICE_VIRTUAL_CAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/virtual/vec.h"

struct fault;
struct cast;

#define CAST_MOST 128 /* members at one time */

enum member_gait { GAIT_STAND, GAIT_WALK, GAIT_RUN, GAIT_CARRY, GAIT_RIDE };

struct member {
    char id[32];            /* "person-1": unique for the whole run */
    const char *model;      /* name in models.h: "man", "woman-2", "car-hatch", "bus", "barrier" … */
    const char *class_name; /* truth: person, car, van, bus, truck, motorcycle, bicycle, dog,
                             * parcel; NULL: part of the set (barrier arm), not in the truth */
    struct vec at;          /* on the ground below its middle, world metres */
    double heading_deg;     /* where it faces, as pan: 0 north, 90 east */
    double speed_m_s;       /* along its heading */
    double phase;           /* gait cycle, 0…1; wheels: revolutions; barrier: 0 down … 1 up */
    enum member_gait gait;
    uint32_t look;          /* picks colours and clothes */
    double scale;           /* of body height, 1 = the model's own */
    bool headlights, brake_lights;
    char plate[12];         /* vehicles; else empty */
};

/* Members present at that time, in a stable order; returns how many (≤ most). */
size_t cast_at(struct cast *c, int64_t time_ns, struct member *ret, size_t most);

#endif
