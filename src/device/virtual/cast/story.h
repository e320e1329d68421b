/* What happens on the lines and in the areas of a scenario: who crosses, enters, leaves, and
 * how long somebody has been there; found by looking closely at the cast. A pure function of
 * the cast and the time; keeps what it found, so that going on costs little. The first look
 * far ahead costs some tenths of a second: for a job, not for a loop. One thread at a time. */
#ifndef DEVICE_VIRTUAL_CAST_STORY_H
#define DEVICE_VIRTUAL_CAST_STORY_H

#include "device/virtual/cast/cast.h"

#define STORY_INSIDE 64 /* in one area */

struct story;

enum story_sort { STORY_IN, STORY_OUT, STORY_ENTER, STORY_LEAVE };

struct story_event {
    int64_t at_ns;
    enum story_sort sort;
    char id[32];
    const char *class_name;
    char where[32]; /* the line's or area's name */
    double position[2];
    double speed_m_s;
    double seconds; /* STORY_LEAVE: how long it was there */
};

struct story_line {
    char name[32];
    uint64_t in, out; /* since the scenario began; in: from left to right as one goes from its
                       * first point to the second */
};
struct story_area {
    char name[32];
    uint64_t entered;
    size_t n;
    struct {
        char id[32];
        const char *class_name;
        int64_t since_ns;
    } inside[STORY_INSIDE];
};
struct story_tally {
    int64_t start_ns; /* of the scenario */
    size_t n_lines, n_areas;
    struct story_line line[CAST_LINES];
    struct story_area area[CAST_AREAS];
};

struct story *story_new(struct cast *c); /* borrows c; NULL: out of memory */
struct story *story_free(struct story *s);

/* The counts and who is inside at that time; false: nothing is played then. The result
 * stays until the next call. */
const struct story_tally *story_at(struct story *s, int64_t time_ns);
/* What happens with from_ns < at ≤ to_ns, in order of time; each() false: enough. */
void story_between(struct story *s, int64_t from_ns, int64_t to_ns,
                   bool (*each)(const struct story_event *e, void *arg), void *arg);

#endif
