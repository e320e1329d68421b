/* What the stage remembers, for its own files. */
#ifndef DEVICE_VIRTUAL_STAGE_STATE_H
#define DEVICE_VIRTUAL_STAGE_STATE_H

#include <pthread.h>

#include "device/virtual/stage/stage.h"

#define KNOCKS 4 /* that may still ring */
#define CLAPS 4  /* likewise */

/* A value on its way: from `from` to `to` within over_ns. Or held: `to` for over_ns, then
 * `from` again. */
struct track {
    double from, to;
    int64_t at_ns, over_ns;
    bool held;
};

struct blow {
    int64_t at_ns;
    double g;
};

/* All that is so from one change to the next. */
struct state {
    struct track track[STAGE_KEYS];
    struct track lying; /* snow on the ground: what has fallen, not what is asked for */
    double hour;        /* at hour_ns */
    int64_t hour_ns;
    bool wind_auto;
    struct blow blow[KNOCKS]; /* the newest is [n_blows - 1], round */
    unsigned n_blows;
    int64_t clap_ns[CLAPS]; /* likewise */
    unsigned n_claps;
    int64_t cleaned_ns;
    uint32_t power_cycles;
};

struct entry {
    int64_t at_ns;
    struct stage_change change;
    struct state after;
};

struct stage {
    uint64_t seed;
    pthread_mutex_t lock; /* leaf: guards what follows */
    struct state first;   /* before the oldest entry */
    struct entry *log;    /* by time */
    size_t n, room;
    uint64_t revision;
};

void stage_get_state(struct stage *s, int64_t time_ns, struct state *ret);
double stage_value_at(const struct state *s, int64_t time_ns, enum stage_key key);

#endif
