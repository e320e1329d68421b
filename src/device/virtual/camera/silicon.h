/* The image sensor as physics: what an exposure makes of light, how much noise it has, and the
 * tables that the kernels develop with. Pure functions.
 *
 * Radiance is in white cards in full sun, light as in media/tone.h: 1 clips the long exposure. */
#ifndef DEVICE_VIRTUAL_CAMERA_SILICON_H
#define DEVICE_VIRTUAL_CAMERA_SILICON_H

#include <stdint.h>

#include "device/virtual/kernels.h"
#include "media/tone.h"

#define SILICON_SHORTEST_NS INT64_C(50000)
#define SILICON_LONGEST_NS INT64_C(2000000000)
#define SILICON_MOST_GAIN_DB 48.0
#define SILICON_MOST_RANGE 256.0

#define SILICON_FULL_WELL 30000.0 /* electrons that a pixel holds */
/* Noise of reading it, electrons: of the pixel, and of what comes behind the amplifier, which
 * counts less the more there is amplified. Full well over both without gain: 60 dB. */
#define SILICON_READ 1.6
#define SILICON_READ_BEHIND 30.0
/* Noise over what its noise reduction leaves of it, from picture to picture and within one. What
 * is told above is what is left. */
#define SILICON_TEMPORAL 1.7
#define SILICON_SPATIAL 1.3
/* Share of the full well that a white card in full sun fills within 1 ms through f/4. */
#define SILICON_SENSITIVITY 0.45

/* One exposure. */
struct silicon {
    double light;     /* that a radiance of 1 gives, gain included */
    double amplify;   /* factor of the gain */
    double range;     /* 1, or how many times shorter the short exposure is */
    double red, blue; /* white balance */
    double noisier;   /* so much more noise than with its noise reduction at work; 0: as with it */
};

void silicon_expose(int64_t exposure_ns, double f_number, double gain_db, struct silicon *ret);
/* One sigma of a pixel's light, where there is so much of it. */
double silicon_noise(const struct silicon *s, double light);

/* Signal 0…1 of a tone's curve, local gains left out. */
double tone_signal(const struct tone *t, double light);
/* From samples of radiance (`unit` to a white card) to signal. */
void silicon_curve(const struct silicon *s, const struct tone *t, double unit,
                   struct sensor_curve *ret);
/* Noise of the signal where the tone's local gain is 2^((i - GRAIN_PLAIN) / 4); without local
 * gains only that of GRAIN_PLAIN is made. */
#define GRAINS 65
#define GRAIN_PLAIN 32
void silicon_grains(const struct silicon *s, const struct tone *t, struct sensor_noise ret[GRAINS]);

#endif
