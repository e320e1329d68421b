/* What tests of the eye's loops of light stand on: a synthetic sensor, a function from settings to
 * what is measured, with clipping and noise. */
#ifndef TEST_EYE_LIGHT_SET_H
#define TEST_EYE_LIGHT_SET_H

#include <math.h>
#include <string.h>

#include "image/exposure.h"
#include "image/measure.h"
#include "unit.h"

#define FPS 30.0

static unsigned dice = 1;
static inline double noise(double sigma)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        dice = dice * 1103515245u + 12345u;
        sum += (dice >> 8 & 0xffff) / 65536.0;
    }
    return (sum - 6) * sigma;
}

static inline struct eye_settings plain(void)
{
    struct eye_settings s = {.daynight = {CUT_AUTO, 100, 3, 50, 3},
                             .infrared = {SET_AUTO, 100, 0, 0},
                             .brightness = 50,
                             .contrast = 50,
                             .exposure = {.level = 50,
                                          .priority = 50,
                                          .longest_us = 166667,
                                          .shortest_us = 15,
                                          .most_gain = 100,
                                          .manual_us = 10000,
                                          .aperture = 100},
                             .wdr = 1,
                             .wdr_level = 50,
                             .tone_mapping = 50,
                             .red = 50,
                             .blue = 50};
    for (int i = 0; i < EYE_ZONES; i++)
        s.exposure.zone[i].kind = ZONE_DISABLED;
    return s;
}

static const struct exposure_limits limits = {.shortest_ns = 15e3,
                                              .longest_ns = 1e9 / FPS,
                                              .sensor_shortest_ns = 15e3,
                                              .sensor_longest_ns = 1e9 / FPS,
                                              .most_db = 42,
                                              .sensor_db = 42,
                                              .open_f = 1.6,
                                              .closed_f = 16,
                                              .fps = FPS};

/* Light that a zone gives with no stops at all. */
static float scene[ZONES][3];
static double lamps_hz; /* of the mains; 0: steady light */

static inline void even_scene(double light)
{
    for (int i = 0; i < ZONES; i++)
        for (int k = 0; k < 3; k++)
            scene[i][k] = (float)light;
}

/* Share of the light of lamps that falls into an exposure: |sin| squared, of full depth. */
static inline double lit(double start_s, double long_s)
{
    if (lamps_hz == 0)
        return 1;
    double w = 4 * M_PI * lamps_hz;
    return 1 - (sin(w * (start_s + long_s)) - sin(w * start_s)) / (w * long_s);
}

static inline void take(const struct exposure_choice *c, int k, struct measured *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->stops = exposure_stops((double)c->ns, c->gain_db, c->iris_f);
    double gain = exp2(ret->stops) * lit(k / FPS, (double)c->ns * 1e-9);
    for (int i = 0; i < ZONES; i++) {
        for (int c2 = 0; c2 < 3; c2++) {
            double v = scene[i][c2] * gain;
            ret->clipped[i] = (float)fmin(fmax((v - 0.9) / 0.2, ret->clipped[i]), 1);
            v = fmin(v, 1) + noise(0.002 + 0.01 * sqrt(fmin(v, 1)) / 8);
            ret->rgb[i][c2] = (float)fmax(v, 0);
        }
        ret->clipped[i] = fmaxf(ret->clipped[i], 0);
        ret->light[i] =
            0.2126f * ret->rgb[i][0] + 0.7152f * ret->rgb[i][1] + 0.0722f * ret->rgb[i][2];
        ret->bins[(int)fmin(fmax(4 * (log2(fmax(ret->rgb[i][1], 1e-4)) + 16), 0), SHOT_BINS - 1)] +=
            1.0 / ZONES;
    }
}

static struct exposure e;
static float weight[ZONES];

static inline void begin(const struct eye_settings *s)
{
    e = (struct exposure){.stops = -9};
    exposure_weights(s, weight);
    exposure_share(s, &limits, e.stops, &e.choice);
}

/* Runs; returns after how many pictures it came to rest for good, and counts changes of
 * direction on the way. */
static inline int run(const struct eye_settings *s, int pictures, int *ret_turns)
{
    int last = 0, turns = 0;
    double way = 0;
    for (int k = 0; k < pictures; k++) {
        struct measured m;
        struct exposure_choice before = e.choice;
        double stops = e.stops;
        take(&e.choice, k, &m);
        exposure_step(&e, s, &limits, &m, weight, 0, false);
        if (memcmp(&before, &e.choice, sizeof(before)))
            last = k + 1;
        if ((e.stops - stops) * way < 0)
            turns++;
        if (e.stops != stops)
            way = e.stops - stops;
    }
    if (ret_turns)
        *ret_turns = turns;
    return last;
}

#endif
