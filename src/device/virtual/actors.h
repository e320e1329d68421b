/* Those who move: two people and two vehicles on closed paths. What they look like
 * at a time is a pure function of (seed, time). */
#ifndef DEVICE_VIRTUAL_ACTORS_H
#define DEVICE_VIRTUAL_ACTORS_H

#include <stdint.h>

#include "device/virtual/place.h"
#include "device/virtual/view.h"

#define ACTORS 4
#define ACTOR_SURFACES 40
#define ACTOR_TUBES 24
#define ACTOR_SHADOWS 12

struct actor {
    const char *id, *class_name;
    struct vec at;                          /* on the ground below its middle */
    struct surface surface[ACTOR_SURFACES]; /* front to back, only what faces the eye */
    int n_surfaces;
    struct tube tube[ACTOR_TUBES]; /* nearest first */
    int n_tubes;
    struct surface shadow[ACTOR_SHADOWS];
    int n_shadows;
};

void actor_at(const struct place *p, uint64_t seed, int which, int64_t time_ns, struct actor *ret);

#endif
