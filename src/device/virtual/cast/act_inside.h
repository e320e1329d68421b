/* What the files of an act share; private to them. */
#ifndef DEVICE_VIRTUAL_CAST_ACT_INSIDE_H
#define DEVICE_VIRTUAL_CAST_ACT_INSIDE_H

#include "device/virtual/cast/act.h"
#include "device/virtual/cast/crowd.h"
#include "device/virtual/cast/route.h"
#include "device/virtual/cast/traffic.h"

#define CAST_CLASSES 9
extern const char *const cast_classes[CAST_CLASSES];
unsigned cast_class_of(const struct cast_kind *k);

#define GUESTS_MOST 1024 /* in all */
#define GONE_MOST 256

/* Somebody who appears once in every round; a resident: once and for ever. */
struct part {
    const struct route *route;
    const struct actor *actor;
    double start_s, seconds; /* of being there */
    double pace, aside_m, lap_s, lead_s;
    uint64_t dice;
    unsigned kind_of; /* class */
    unsigned number, early;
    bool resident;
    bool clear; /* goes through nobody else who is */
};

struct guest {
    struct actor actor;
    struct route route;
    char id[32];
    double start_s, gone_s; /* gone_s: INFINITY */
    bool vehicle, on_call;
    uint32_t car;
    uint32_t look;
};

struct gone {
    char id[32];
    double from_s;
};

struct act {
    struct scenario *s;
    uint64_t seed;
    int64_t start_ns;
    struct route **route;
    size_t n_routes;
    struct part *part; /* in order of start */
    size_t n_parts;
    uint32_t *car_part; /* of the traffic's scheduled cars */
    size_t n_cars;
    unsigned residents[CAST_CLASSES], early[CAST_CLASSES], each[CAST_CLASSES], sent[CAST_CLASSES];
    struct traffic *traffic;
    struct crowd *crowd[SCENARIO_CROWDS];
    struct guest **guest;
    size_t n_guests;
    struct gone gone[GONE_MOST];
    size_t n_gone;
    int64_t commands_ns;
};

/* parts.c */
/* Fills in part, route and the numbers of each class. */
int act_make_parts(struct act *a, struct fault *why);
/* How long somebody has been there, and in which round; false: is not. */
bool act_part_there(const struct act *a, const struct part *p, double t, double *ret_for,
                    int64_t *ret_round);
struct step act_part_step(const struct part *p, double since);

/* act.c */
/* Who that is in that round of the scenario. */
void act_part_id(const struct act *a, const struct part *p, int64_t round, char ret[32]);

#endif
