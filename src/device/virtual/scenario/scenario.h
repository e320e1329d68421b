/* A scenario: who comes, where they go, what happens when; parsed from a small text
 * (docs/scenarios.md). Plain data, immutable once parsed; any thread.
 *
 * The text comes from strangers: the parser is strict, everything has a limit, and a
 * fault names the line. */
#ifndef DEVICE_VIRTUAL_SCENARIO_SCENARIO_H
#define DEVICE_VIRTUAL_SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/virtual/scenario/path.h"

struct fault;

#define SCENARIO_BYTES 65536
#define SCENARIO_PATHS 96
#define SCENARIO_POINTS 96
#define SCENARIO_ACTORS 128
#define SCENARIO_BEATS 16   /* of one actor */
#define SCENARIO_CORNERS 16 /* of an area */
#define SCENARIO_LINES 16
#define SCENARIO_AREAS 16
#define SCENARIO_CROSSINGS 8
#define SCENARIO_GATES 4
#define YIELD_LEAST_M 5.0 /* of what is narrow */
#define YIELD_MOST_M 60.0
#define SCENARIO_YIELDS 16
#define SCENARIO_CROWDS 4
#define SCENARIO_CROWD_MOST 100
#define SCENARIO_CUES 128
#define SCENARIO_REACH_M 1000.0 /* coordinates */
#define SCENARIO_LONGEST_S 3600.0

enum beat_gait { BEAT_STAND, BEAT_WALK, BEAT_RUN, BEAT_CARRY, BEAT_DRIVE };

/* One stretch of what an actor does: goes along a path, or stands. */
struct beat {
    enum beat_gait gait;
    const struct path *path; /* NULL: stands */
    bool turned;             /* from the path's last point to its first */
    bool backwards;          /* a vehicle in reverse gear */
    double seconds;          /* of standing */
    double facing_deg;       /* of standing, as pan; NAN: as it came */
    double way_m;            /* length of the path, or 0 */
};

struct actor {
    char name[32], model[24];
    struct beat beat[SCENARIO_BEATS];
    size_t n_beats;
    bool has_place; /* begins standing here, for ever if there is no beat */
    double x, y, facing_deg;
    double from_s, every_s, jitter_s, until_s; /* every 0: once a loop; until 0: to the end */
    double speed_m_s, vary;                    /* speed 0: as usual; vary: ± share of it */
    double aside_m, spread_m;                  /* right of the path; ± by chance */
    double scale;
    unsigned group_least, group_most, times; /* times 0: as often as `every` gives */
    uint32_t look;
    bool has_look, repeat, stays, on_call;
    char plate[12];
    struct path *own; /* its paths in parentheses; owned */
    size_t n_own;
    unsigned line; /* of the text */
};

struct polygon {
    size_t n;
    double at[SCENARIO_CORNERS][2];
};
struct truth_line {
    char name[32];
    double a[2], b[2];
    char only[64]; /* "person car", or "" for all classes */
};
struct truth_area {
    char name[32];
    struct polygon shape;
    char only[64];
};
struct gate_arm {
    char name[32];
    double x, y, z; /* pivot */
    double length_m, heading_deg;
    double ask_s; /* how long a car stands before it is let in */
};
/* Who crosses the line gives way: where ways join, or along a narrow part of his own. */
struct yield {
    double line[2][2];
    double narrow_m; /* 0: where ways join */
};
struct crowd_order {
    char name[32], model[24];
    unsigned n;
    const struct truth_area *in;
    double speed_m_s;
};
/* A timed command. Most are the stage's, in its words: "weather rain". The cast's own
 * are "call ACTOR" and "gate NAME open", "close", "auto". */
struct cue {
    double at_s;
    enum cue_sort { CUE_STAGE, CUE_CALL, CUE_GATE } sort;
    size_t which; /* actor or gate */
    enum gate_hold { GATE_AUTO, GATE_OPEN, GATE_CLOSED } hold;
    char text[160];
};

struct scenario {
    char name[32], title[80], about[400], place[32];
    double length_s;
    bool loop, has_ways;
    size_t n_paths, n_actors, n_lines, n_areas, n_crossings, n_gates, n_yields, n_crowds, n_cues;
    struct path path[SCENARIO_PATHS];
    struct actor actor[SCENARIO_ACTORS];
    struct truth_line line[SCENARIO_LINES];
    struct truth_area area[SCENARIO_AREAS];
    struct polygon crossing[SCENARIO_CROSSINGS];
    struct gate_arm gate[SCENARIO_GATES];
    struct yield yield[SCENARIO_YIELDS];
    struct crowd_order crowd[SCENARIO_CROWDS];
    struct cue cue[SCENARIO_CUES]; /* in order of time */
};

/* 0 and *ret to be freed, or a fault: its name is "line 12", its text the reason. */
int scenario_parse(const char *text, size_t len, struct scenario **ret, struct fault *why);
struct scenario *scenario_free(struct scenario *s);

/* One actor for a running scenario, in the words of an actor's line without its name:
 * "woman walk pavement-east speed 1.2". Paths of `s` may be named. */
int scenario_actor(const struct scenario *s, const char *words, struct actor *ret,
                   struct fault *why);
void actor_done(struct actor *a);

/* "auto", "open", "close": false: another word. */
bool gate_hold_of(const char *word, enum gate_hold *ret);
bool polygon_holds(const struct polygon *p, double x, double y);
/* Is the class named in a list "person car"? An empty list names all. */
bool class_listed(const char *list, const char *class_name);

#endif
