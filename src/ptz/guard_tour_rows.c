/* The parameters of guard tours. A row has one index: the steps of each tour are an array of
 * their own. */
#include <stddef.h>
#include <stdio.h>

#include "base/fault.h"
#include "conf/param.h"
#include "ptz/guard_tour.h"
#include "ptz/presets.h"

#define STEP_ROWS 5
#define TOUR(f) PARAM_FIELD(struct guard_settings, tour[0].f)
#define ARRAY                                                                                      \
    .read = ROLE_VIEWER, .write = ROLE_OPERATOR, .stride = sizeof(struct guard_tour),              \
    .used_offset = offsetof(struct guard_settings, tour[0].used), .count = GUARD_TOURS,            \
    .template_name = "guardtour"

static const char *const views[] = {"Seconds", "Minutes", NULL};

static const struct param_row tour_rows[] = {
    {.name = "GuardTour.G#.Name",
     TOUR(name),
     .type = PARAM_STRING,
     .standard = "",
     ARRAY,
     .doc = "Name of a guard tour"},
    {.name = "GuardTour.G#.CamNbr",
     TOUR(camera),
     .type = PARAM_INT,
     .min = 1,
     .max = 1,
     .standard = "1",
     ARRAY,
     .doc = "Which camera goes on the tour"},
    {.name = "GuardTour.G#.Running",
     TOUR(running),
     .type = PARAM_BOOL,
     .standard = "no",
     ARRAY,
     .doc = "The tour runs; one does at a time"},
    {.name = "GuardTour.G#.RandomEnabled",
     TOUR(random),
     .type = PARAM_BOOL,
     .standard = "no",
     ARRAY,
     .doc = "Each round goes through the presets in an order of its own"},
    {.name = "GuardTour.G#.TimeBetweenSequences",
     TOUR(pause_min),
     .type = PARAM_INT,
     .min = 0,
     .max = 1440,
     .standard = "0",
     .unit = "min",
     ARRAY,
     .doc = "Pause between two rounds"},
};
#define TOUR_ROWS (sizeof tour_rows / sizeof *tour_rows)

static const struct param_row step_rows[STEP_ROWS] = {
    {.name = "PresetNbr",
     TOUR(step[0].preset),
     .type = PARAM_INT,
     .min = 1,
     .max = PRESETS_MOST,
     .standard = "1",
     .doc = "Which preset it looks at"},
    {.name = "Position",
     TOUR(step[0].position),
     .type = PARAM_INT,
     .min = 1,
     .max = 1000,
     .standard = "1",
     .doc = "Where in the tour"},
    {.name = "MoveSpeed",
     TOUR(step[0].speed),
     .type = PARAM_INT,
     .min = 1,
     .max = 100,
     .standard = "70",
     .doc = "How fast it goes there"},
    {.name = "WaitTime",
     TOUR(step[0].wait_s),
     .type = PARAM_INT,
     .min = 1,
     .max = 86400,
     .standard = "10",
     .unit = "s",
     .doc = "How long it looks"},
    {.name = "WaitTimeViewType",
     TOUR(step[0].view),
     .type = PARAM_ENUM,
     .choices = views,
     .standard = "Seconds",
     .doc = "How a page shows that time; it is in seconds always"},
};

static struct param_row rows[TOUR_ROWS + GUARD_TOURS * STEP_ROWS];
static char names[GUARD_TOURS * STEP_ROWS][48];
static char templates[GUARD_TOURS][24];

/* A tour that is gone takes its steps along. */
static void follow(void *candidate, const bool *was_set)
{
    struct guard_settings *s = candidate;
    for (int i = 0; i < GUARD_TOURS; i++)
        for (int k = 0; k < GUARD_STEPS && !s->tour[i].used; k++)
            s->tour[i].step[k].used = false;
}

static int check(const void *candidate, void *arg, struct fault *why)
{
    const struct guard_settings *s = candidate;
    for (int i = 0; i < GUARD_TOURS; i++) {
        const struct guard_tour *t = &s->tour[i];
        bool any = false;
        for (int k = 0; k < GUARD_STEPS; k++)
            any |= t->step[k].used;
        if (t->used && t->running && !any)
            return fault_set(why, FAULT_INVALID, "Running",
                             "Guard tour %d has no step; add presets to it first.", i);
    }
    return 0;
}

const struct room_desc *guard_tours_room(void)
{
    static struct room_desc desc = {.name = "guardtours",
                                    .size = sizeof(struct guard_settings),
                                    .rows = rows,
                                    .n_rows = sizeof rows / sizeof *rows,
                                    .check = check,
                                    .follow = follow};
    size_t n = TOUR_ROWS;
    for (size_t i = 0; i < TOUR_ROWS; i++)
        rows[i] = tour_rows[i];
    for (size_t i = 0; i < GUARD_TOURS; i++) {
        snprintf(templates[i], sizeof templates[i], "tour%zu", i);
        for (size_t k = 0; k < STEP_ROWS; k++, n++) {
            char *name = names[i * STEP_ROWS + k];
            snprintf(name, sizeof names[0], "GuardTour.G%zu.Tour.T#.%s", i, step_rows[k].name);
            rows[n] = step_rows[k];
            rows[n].name = name;
            rows[n].offset += i * sizeof(struct guard_tour);
            rows[n].used_offset = offsetof(struct guard_settings, tour[0].step[0].used) +
                                  i * sizeof(struct guard_tour);
            rows[n].read = ROLE_VIEWER;
            rows[n].write = ROLE_OPERATOR;
            rows[n].stride = sizeof(struct guard_step);
            rows[n].count = GUARD_STEPS;
            rows[n].template_name = templates[i];
        }
    }
    return &desc;
}
