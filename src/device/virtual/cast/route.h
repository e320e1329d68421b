/* An actor's way laid out: where it is at a distance (vehicles, whose time law the
 * traffic makes) or at a time (all others). Immutable once made; any thread. */
#ifndef DEVICE_VIRTUAL_CAST_ROUTE_H
#define DEVICE_VIRTUAL_CAST_ROUTE_H

#include "device/virtual/scenario/kinds.h"
#include "device/virtual/scenario/scenario.h"

struct leg {
    struct beat beat;
    double from_s, seconds; /* time law; of a walker */
    double from_m;          /* way so far; what is driven in reverse counts backwards */
    double speed_m_s;
    bool rises, falls;      /* begins, ends at rest */
    struct spot stand;      /* standing: where; direction: where it looks */
    double in_deg, out_deg; /* standing: heading before and after */
};

struct route {
    const struct cast_kind *kind;
    size_t n;
    struct leg leg[SCENARIO_BEATS + 1];
    double seconds; /* in all; INFINITY: stands for ever at its end */
    double speed_m_s;
};

struct step {
    struct spot at;
    double speed_m_s; /* along at's direction */
    double way_m;     /* signed, of all so far */
    enum beat_gait gait;
};

void route_make(struct route *ret, const struct actor *a, const struct cast_kind *k);
/* The walker's law: 0 ≤ t ≤ seconds. */
struct step route_at(const struct route *r, double t_s);
/* The middle of a vehicle `s_m` along its leg, both axles on the path. */
struct spot route_drive(const struct route *r, size_t leg, double s_m);
/* A point on the leg's path in the sense of travel; further on the legs that follow
 * without a stop. False: there is no further. */
bool route_ahead(const struct route *r, size_t leg, double s_m, struct spot *ret,
                 double *ret_curve);
/* Must it be at rest at the end of this leg? */
bool route_halts(const struct route *r, size_t leg);

#endif
