/* Day and night: the filter against infrared, black and white, the camera's own infrared lamp.
 *
 * Decided by how bright the scene is, whatever the exposure was: the exposure it needs. Two
 * levels with a way between them, and a time that it must have lasted. At night the camera sees
 * infrared, its own lamp's above all: when it seems bright enough for day, the lamp is put out
 * for some pictures (a probe), and only what is left counts. How much of that is infrared of
 * others is learned whenever the filter moves, so that the same light does not make it day and
 * night by turns. A plain value and pure functions; source thread. */
#ifndef IMAGE_NIGHT_H
#define IMAGE_NIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "image/settings.h"

struct night_limits {
    double
        least_ev; /* where the sensor with all the time of a picture, gain and iris is just right */
    double gain_stops;          /* the most that the sensor has */
    bool filter;                /* can be moved */
    bool lamp;                  /* there is one */
    double least_deg, most_deg; /* its beam */
};

struct night {
    bool on;     /* night: the filter is out, black and white */
    double lamp; /* 0 … 1 */
    double beam_deg;
    bool decided;               /* it has seen a picture */
    int64_t since_ns;           /* that it looked like the other one; 0: it does not */
    double infrared;            /* stops that the scene is brighter without the filter */
    double before;              /* ev when the filter was last moved … */
    int learning;               /* … and pictures until that is compared with what is seen now */
    double kept;                /* the lamp before a probe */
    int probing;                /* pictures without the lamp, so far; 0: no probe */
    int64_t probed_ns, rest_ns; /* the last probe that failed, and how long until the next */
    int bright, dark;           /* pictures in a row that were so */
};

/* ev at which it becomes night, and day. */
double night_level(const struct eye_settings *s, const struct night_limits *l);
double day_level(const struct eye_settings *s, const struct night_limits *l);

/* One picture more: `ev` as it would be right, `error` in stops that the picture was too
 * bright, `gain_db` that it was taken with, `hfov_deg` what it shows. `steady`: the filter and
 * the lamp stood for the whole picture as they stand now. `jump`: without waiting; nobody has
 * seen a picture yet. True: it became day or night. */
struct night_seen {
    int64_t at_ns;
    double ev, error, gain_db, hfov_deg;
    bool steady;
};
bool night_step(struct night *n, const struct eye_settings *s, const struct night_limits *l,
                const struct night_seen *seen, bool jump);
/* The exposure waits: what is seen now is a probe. */
bool night_probing(const struct night *n);

#endif
