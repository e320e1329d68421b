/* Wide dynamic range: how far apart the two exposures of the sensor are, and the tone curve
 * that brings dark and bright parts of the picture together.
 *
 * The range follows from how much of the picture is white; the curve from the range; the grid
 * of local gains from the light of the zones, smooth, by the level low, medium or high. All
 * stands still inside of a dead band. A plain value and pure functions; source thread. */
#ifndef IMAGE_TONE_MAP_H
#define IMAGE_TONE_MAP_H

#include "image/measure.h"
#include "media/tone.h"

struct tone_map {
    double range;   /* asked for: 1 without WDR; 2, which the plain curve's shoulder takes; 4 … */
    int wait;       /* pictures until it may change again */
    int patience;   /* pictures until it may shrink again */
    int since_less; /* pictures since it shrank */
    double dark;    /* stops that the exposure is longer by for what is dark; the level high */
    float seen[ZONES]; /* stops of the zones about the middle, as they are on their way */
    bool moving;
    struct tone tone;
    /* what the curve was made for */
    double made_range, made_bias, made_pull;
    int made_brightness, made_contrast;
    bool made;
};

struct tone_limits {
    bool tone, range; /* what the sensor can */
    double most_range;
};

/* Stops by which the exposure may be longer because of the range. */
double tone_map_bias(const struct tone_map *t, const struct eye_settings *s);
/* One picture more; `target`: linear light that the exposure aims at, without bias. */
void tone_map_step(struct tone_map *t, const struct eye_settings *s, const struct tone_limits *l,
                   const struct measured *m, double range, double target, bool jump);
/* The global curve: light up to `range` in one picture that was exposed 2^bias times too long;
 * then the sliders. With a range of 2, which its shoulder takes, and no more it is tone_plain;
 * with 1 all above white is white. */
void tone_map_curve(double range, double bias, int brightness, int contrast, struct tone *ret);

#endif
