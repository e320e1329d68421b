/* One step of the traffic: what every driver does in the next quarter second. */
#ifndef DEVICE_VIRTUAL_CAST_DRIVE_H
#define DEVICE_VIRTUAL_CAST_DRIVE_H

#include "device/virtual/cast/traffic.h"

struct drive;

enum car_flags {
    CAR_BRAKES = 1,
    CAR_PARKED = 2,
    CAR_PENDING = 4, /* waits, unseen, until there is room where it comes in */
    CAR_MAY_PASS = 8 /* the gate before it opened for it */
};

/* Compared byte by byte: no padding. */
struct car_state {
    uint32_t car;
    int32_t round;
    uint16_t leg, flags;
    float s, v;  /* metres along the leg, m/s */
    float timer; /* seconds in this leg's stand */
};
struct gate_state {
    float open;  /* 0…1 */
    float asked; /* seconds somebody has been standing before it */
    float clear; /* seconds since the last car was under it */
    float told;  /* enum gate_hold: what the scenario last said */
};
struct rules {
    enum gate_hold hold[SCENARIO_GATES];
};

struct drive *drive_new(const struct scenario *s, const struct traffic_car *cars, size_t n,
                        int64_t first_step, traffic_people *people, void *arg);
struct drive *drive_free(struct drive *d);
int drive_add(struct drive *d, const struct traffic_car *guest, uint32_t *ret_car);
bool drive_is_guest(const struct drive *d, uint32_t car);

/* From `step` to the next; cars has room for TRAFFIC_MOST. */
void drive_step(struct drive *d, int64_t step, const struct rules *r, struct car_state *cars,
                size_t *n, struct gate_state gate[SCENARIO_GATES]);
void drive_enter(struct drive *d, uint32_t car, int32_t round, struct car_state *cars, size_t *n);

/* All of its way so far, never decreasing; and back. */
double drive_way(const struct drive *d, const struct car_state *c);
struct step drive_at(const struct drive *d, uint32_t car, double way_m, double speed_m_s);

#endif
