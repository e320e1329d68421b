/* One scenario being played since a world time: all that moves in it. One thread at a
 * time (the cast locks). */
#ifndef DEVICE_VIRTUAL_CAST_ACT_H
#define DEVICE_VIRTUAL_CAST_ACT_H

#include "device/virtual/cast/cast.h"
#include "device/virtual/scenario/scenario.h"

struct act;

/* Takes s whether it succeeds or not. */
int act_new(struct scenario *take_s, uint64_t seed, int64_t start_ns, struct act **ret,
            struct fault *why);
struct act *act_free(struct act *a);

int64_t act_start(const struct act *a);
const struct scenario *act_scenario(const struct act *a);
size_t act_at(struct act *a, int64_t time_ns, struct member *ret, size_t most);
/* The first round of the scenario from which on all are alike; false: not known yet. */
bool act_repeats(const struct act *a, int64_t *ret_round);
/* When the last command came; INT64_MIN: none. */
int64_t act_commands(const struct act *a);

int act_spawn(struct act *a, int64_t at_ns, const char *words, char ret_id[32], struct fault *why);
int act_call(struct act *a, int64_t at_ns, const char *actor, char ret_id[32], struct fault *why);
int act_remove(struct act *a, int64_t at_ns, const char *id, struct fault *why);
int act_hold(struct act *a, int64_t at_ns, size_t gate, enum gate_hold hold, struct fault *why);

#endif
