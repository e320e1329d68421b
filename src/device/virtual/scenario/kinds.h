/* The models a scenario may name, and what moving them needs to know. Immutable. */
#ifndef DEVICE_VIRTUAL_SCENARIO_KINDS_H
#define DEVICE_VIRTUAL_SCENARIO_KINDS_H

#include <stdint.h>

enum kind_sort { KIND_WALKER, KIND_VEHICLE, KIND_THING };

struct cast_kind {
    const char *name;       /* as in models.h */
    const char *class_name; /* of the truth; NULL: part of the set */
    enum kind_sort sort;
    double length_m, width_m, height_m; /* as the meshes are; vehicles: without their mirrors */
    double axles_m;                     /* between front and rear */
    double cycle_m; /* way of one gait cycle or revolution of a wheel; of a scale of 1 */
    double run_m;   /* of one running */
    double push;    /* m/s²: how it gathers speed */
};

/* NULL: no such model. "person" and "car" stand for any of theirs, picked by `pick`. */
const struct cast_kind *cast_kind_find(const char *name, uint64_t pick);

#endif
