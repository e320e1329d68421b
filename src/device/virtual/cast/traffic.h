/* The traffic: how vehicles get along their ways. They gather speed and brake, slow down
 * in bends, keep their distance, stop for people on crossings, at gates and where they
 * have to give way.
 *
 * It goes in steps of a quarter second, which are worked out once, when somebody first
 * asks for them, and kept. A scenario that repeats gives traffic that repeats: as soon as
 * a round ended as the one before it, all further ones are read from that. A change from
 * outside (a gate is held, a car is sent) begins a new stretch from the state at that
 * time, so that the past stays. One thread at a time. */
#ifndef DEVICE_VIRTUAL_CAST_TRAFFIC_H
#define DEVICE_VIRTUAL_CAST_TRAFFIC_H

#include <stdint.h>

#include "device/virtual/cast/route.h"

#define TRAFFIC_HZ 4 /* steps a second */
#define TRAFFIC_MOST 64
#define TRAFFIC_PEOPLE 256

struct traffic;

/* Who may come. In a round of the scenario each comes once, at start_s; a guest comes
 * once and for all, when traffic_send() says so. */
struct traffic_car {
    const struct route *route; /* borrowed */
    double start_s;
    double pace;    /* of the route's speeds, near 1 */
    double aside_m; /* right of its path */
    bool guest;
};

struct traffic_seen {
    uint32_t car;
    int32_t round; /* of the scenario in which it started; 0 for guests */
    struct step step;
    bool braking, parked;
};

/* Where those on foot (and what lies about) are at a time since the scenario began. */
typedef size_t traffic_people(void *arg, double t_s, double (*ret)[2], size_t most);

/* NULL: no memory. cars: copied, in order of start; s: borrowed. */
struct traffic *traffic_new(const struct scenario *s, const struct traffic_car *cars, size_t n,
                            traffic_people *people, void *arg);
struct traffic *traffic_free(struct traffic *t);

/* Who is there at this time, and how far each gate is open (0…1). */
size_t traffic_at(struct traffic *t, double t_s, struct traffic_seen *ret, size_t most,
                  double ret_gate[SCENARIO_GATES]);

/* Changes from this time on; not before the one before. 0, -ENOMEM or -ENOSPC. */
int traffic_hold(struct traffic *t, double t_s, size_t gate, enum gate_hold hold);
int traffic_send(struct traffic *t, double t_s, const struct traffic_car *guest, uint32_t *ret_car);
int traffic_remove(struct traffic *t, double t_s, uint32_t car, int32_t round);
/* From this time on people walk otherwise than before. */
int traffic_disturb(struct traffic *t, double t_s);

/* The first round from which on all are alike; false: not worked out yet. */
bool traffic_repeats(const struct traffic *t, int64_t *ret_round);

#endif
