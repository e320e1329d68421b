/* The cast: who is where. People, vehicles, animals and things of the scenario and those
 * whom the stage sent, as a pure function of (seed, scenario, commands, world time).
 *
 * Written on the loop (commands carry the world time from which they hold, and come in
 * its order); read from any thread: a leaf mutex guards it. A look costs tens of
 * microseconds; the first one far ahead of all before may cost tens of milliseconds, for
 * the traffic up to there. */
#ifndef DEVICE_VIRTUAL_CAST_CAST_H
#define DEVICE_VIRTUAL_CAST_CAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/virtual/vec.h"

struct fault;
struct cast;

#define CAST_MOST 128 /* members at one time */

enum member_gait { GAIT_STAND, GAIT_WALK, GAIT_RUN, GAIT_CARRY, GAIT_RIDE };

struct member {
    char id[32];       /* "person-1": unique for the whole run */
    const char *model; /* name in models.h: "man", "woman", "car-hatch", "bus", "barrier" … */
    const char
        *class_name;    /* truth: person, car, van, bus, truck, motorcycle, bicycle, dog,
                         * parcel; NULL: part of the set (barrier arm, cone), not in the truth */
    struct vec at;      /* on the ground below its middle, world metres; barrier: the pivot */
    double heading_deg; /* where it faces, as pan: 0 north, 90 east; barrier: where the arm
                         * points when it is down */
    double speed_m_s;   /* along its heading */
    double phase;       /* gait cycle, 0…1; wheels: revolutions; barrier: 0 down … 1 up */
    enum member_gait gait;
    uint32_t look;   /* picks colours and clothes */
    double scale;    /* of body height, 1 = the model's own */
    bool headlights; /* somebody drives: they burn when it is dark */
    bool brake_lights;
    char plate[12]; /* vehicles; else empty */
};

struct cast *cast_new(uint64_t seed); /* empty; NULL: out of memory */
struct cast *cast_free(struct cast *c);

/* From this time on the scenario of this text is played, from its beginning; whoever was
 * there is gone. A fault names the line. */
int cast_load(struct cast *c, int64_t at_ns, const char *text, size_t len, struct fault *why);

/* Members present at that time, in a stable order; returns how many (≤ most). */
size_t cast_at(struct cast *c, int64_t time_ns, struct member *ret, size_t most);

/* ---- commands ---- */

/* One more, in the words of an actor's line (docs/scenarios.md): "woman at 3 30 facing 180",
 * "car-suv drive westbound", "dog walk (0 20 10 20 10 24) speed 1.5". */
int cast_spawn(struct cast *c, int64_t at_ns, const char *words, char ret_id[32],
               struct fault *why);
/* An actor of the scenario that is on call: "" the first one. */
int cast_call(struct cast *c, int64_t at_ns, const char *actor, char ret_id[32], struct fault *why);
/* id: of a member that is there; "all": all that were sent with cast_spawn and cast_call. */
int cast_remove(struct cast *c, int64_t at_ns, const char *id, struct fault *why);
/* "open", "close", "auto" (as a car asks), "car": one is sent through it. */
int cast_gate(struct cast *c, int64_t at_ns, const char *what, struct fault *why);

/* ---- the scenario ---- */

struct cast_facts {
    char name[32], title[80], about[400], place[32];
    int64_t start_ns;
    double length_s;
    bool loop;
};
/* What is played at that time; false: nothing. */
bool cast_facts(struct cast *c, int64_t time_ns, struct cast_facts *ret);

/* What the scenario tells the stage, in the stage's words ("weather rain"): commands with
 * after_ns < at_ns ≤ until_ns, in order of time. Those of its header come at its start, so
 * that after a load at T one asks from T - 1. Returns how many (≤ most). */
struct cast_cue {
    int64_t at_ns;
    char text[160];
};
size_t cast_cues(struct cast *c, int64_t after_ns, int64_t until_ns, struct cast_cue *ret,
                 size_t most);
/* Those up to this time that were not taken yet: for whoever hands them to the stage. */
size_t cast_take_cues(struct cast *c, int64_t until_ns, struct cast_cue *ret, size_t most);
/* When the next one comes; INT64_MAX: never. */
int64_t cast_next_cue(struct cast *c, int64_t after_ns);

/* Where it wants crossings and stays to be told (cast_story.h), and since when who is there
 * is alike in every round: from `regular_ns` on, unless commands follow; INT64_MAX: not known,
 * or it does not repeat. commands_ns: when the last command came; INT64_MIN: none. */
#define CAST_LINES 16
#define CAST_AREAS 16
#define CAST_CORNERS 16
struct cast_line {
    char name[32];
    double a[2], b[2];
    char only[64]; /* classes, blanks between; "" all */
};
struct cast_area {
    char name[32];
    size_t n;
    double at[CAST_CORNERS][2];
    char only[64];
};
struct cast_watch {
    int64_t start_ns, round_ns; /* round_ns 0: it is played once */
    int64_t regular_ns, commands_ns;
    size_t n_lines, n_areas;
    struct cast_line line[CAST_LINES];
    struct cast_area area[CAST_AREAS];
};
bool cast_watch(struct cast *c, int64_t time_ns, struct cast_watch *ret);

/* Is this a scenario? Read only; whether all ways in it can be gone is found when it is loaded. */
int cast_read(const char *text, size_t len, struct cast_facts *ret, struct fault *why);
/* … and can it be played? That plans all ways: milliseconds. */
int cast_check(const char *text, size_t len, struct cast_facts *ret, struct fault *why);

#endif
