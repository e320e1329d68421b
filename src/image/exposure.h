/* Exposure: how long, with how much gain, through how wide an iris, so that the picture is as
 * bright as wanted.
 *
 * From each picture follows directly what exposure it should have had, whatever it was taken
 * with (so nothing swings, however late a setting takes effect); that is averaged over the beat
 * of lamps with the picture rate. What is asked for stands in steps of 1/24 stop, and stands
 * still inside of a dead band. A plain value and pure functions; source thread. */
#ifndef IMAGE_EXPOSURE_H
#define IMAGE_EXPOSURE_H

#include "image/measure.h"

struct exposure_choice {
    int64_t ns;
    double gain_db, iris_f;
};

/* What there is to choose from. */
struct exposure_limits {
    double shortest_ns, longest_ns; /* the camera may use */
    double sensor_shortest_ns, sensor_longest_ns;
    double least_db, most_db; /* the camera may use */
    double sensor_db;         /* the most that the sensor has */
    double open_f, closed_f;  /* equal: no iris */
    double fps;
};

#define EXPOSURE_RESTING_F 4.0 /* the iris while there is light enough */
#define EXPOSURE_MEAN 6        /* pictures */
struct exposure {
    double stops;               /* asked for, exposure_stops */
    double seen[EXPOSURE_MEAN]; /* stops that the newest pictures should have had; newest first */
    unsigned n_seen;
    double bias; /* of what is asked for */
    int away;    /* pictures in a row that were far too bright or (negative) far too dark */
    bool settled;
    double error; /* stops that the newest picture was too bright */
    struct exposure_choice choice;
};

/* Weights of the zones, by the settings. */
void exposure_weights(const struct eye_settings *s, float ret[ZONES]);
/* Stops between the picture and one that is as bright as wanted: positive, it needs more. */
double exposure_error(const struct measured *m, const float weight[ZONES], double target);
/* Linear light that the exposure aims at. */
double exposure_target(const struct eye_settings *s);

/* One picture more. `jump`: at once to what it says, nobody has seen a picture yet. `bias`:
 * stops more than right, for what will be brought down by the tone curve. */
void exposure_step(struct exposure *e, const struct eye_settings *s,
                   const struct exposure_limits *l, const struct measured *m,
                   const float weight[ZONES], double bias, bool jump);
/* Shares an amount of light out among time, gain and iris. */
void exposure_share(const struct eye_settings *s, const struct exposure_limits *l, double stops,
                    struct exposure_choice *ret);

/* The iris is elsewhere (on its way, or at tele): time and gain make up for it. */
void exposure_correct(const struct eye_settings *s, const struct exposure_limits *l, double iris_f,
                      struct exposure_choice *c);

/* f-number of a slider that is 100 where the iris is open, and back. */
double exposure_iris(const struct exposure_limits *l, int aperture);
int exposure_aperture(const struct exposure_limits *l, double iris_f);

#endif
