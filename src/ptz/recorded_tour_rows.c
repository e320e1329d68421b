/* The parameters of recorded tours. */
#include <stddef.h>

#include "base/fault.h"
#include "conf/param.h"
#include "ptz/recorded_tour.h"

#define ARRAY                                                                                      \
    .read = ROLE_VIEWER, .write = ROLE_OPERATOR, .stride = sizeof(struct recorded_tour),           \
    .used_offset = offsetof(struct recorded_settings, tour[0].used), .count = RECORDED_TOURS,      \
    .template_name = "recordedtour"

static const struct param_row rows[] = {
    {.name = "RecordedTour.Running",
     PARAM_FIELD(struct recorded_settings, running),
     .type = PARAM_INT,
     .min = -1,
     .max = RECORDED_TOURS - 1,
     .standard = "-1",
     .read = ROLE_VIEWER,
     .write = ROLE_OPERATOR,
     .doc = "Which recorded tour plays; -1: none"},
    {.name = "RecordedTour.Loop",
     PARAM_FIELD(struct recorded_settings, loop),
     .type = PARAM_BOOL,
     .standard = "yes",
     .read = ROLE_VIEWER,
     .write = ROLE_OPERATOR,
     .doc = "It begins again when it is over"},
    {.name = "RecordedTour.LoopDelay",
     PARAM_FIELD(struct recorded_settings, delay_s),
     .type = PARAM_INT,
     .min = 0,
     .max = 86400,
     .standard = "60",
     .read = ROLE_VIEWER,
     .write = ROLE_OPERATOR,
     .unit = "s",
     .doc = "Pause before it begins again"},
    {.name = "RecordedTour.R#.Name",
     PARAM_FIELD(struct recorded_settings, tour[0].name),
     .type = PARAM_STRING,
     .standard = "",
     ARRAY,
     .doc = "Name of a recorded tour"},
    {.name = "RecordedTour.R#.LoopDelay",
     PARAM_FIELD(struct recorded_settings, tour[0].delay_s),
     .type = PARAM_INT,
     .min = 0,
     .max = 86400,
     .standard = "60",
     .unit = "s",
     ARRAY,
     .doc = "Pause before it begins again, where play does not say"},
};

static int check(const void *candidate, void *arg, struct fault *why)
{
    const struct recorded_settings *s = candidate;
    return s->running < 0 || s->tour[s->running].used
               ? 0
               : fault_set(why, FAULT_UNKNOWN, "RecordedTour.Running",
                           "There is no recorded tour %d.", s->running);
}

/* What plays and is removed plays no longer. */
static void follow(void *candidate, const bool *was_set)
{
    struct recorded_settings *s = candidate;
    if (s->running >= 0 && !was_set[0] && !s->tour[s->running].used)
        s->running = -1;
}

const struct room_desc recorded_tours_room_desc = {
    .name = "recordedtours",
    .size = sizeof(struct recorded_settings),
    .rows = rows,
    .n_rows = sizeof rows / sizeof *rows,
    .check = check,
    .follow = follow,
};
