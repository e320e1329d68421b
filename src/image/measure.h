/* What a picture tells about its light and its sharpness. Pure functions on the shot's own
 * numbers or pixels; any thread.
 *
 * The picture as it came from the sensor is meant, not turned. */
#ifndef IMAGE_MEASURE_H
#define IMAGE_MEASURE_H

#include <stdbool.h>

#include "image/settings.h"
#include "media/shot.h"

#define ZONES_ACROSS SHOT_ACROSS
#define ZONES_DOWN SHOT_DOWN
#define ZONES (ZONES_ACROSS * ZONES_DOWN)

/* How much light the sensor was given, in stops: log2(seconds * gain / f²). */
double exposure_stops(double exposure_ns, double gain_db, double iris_f);

struct measured {
    double stops;           /* exposure_stops of the picture */
    float light[ZONES];     /* luminance, 1 clips the long exposure; row by row */
    float rgb[ZONES][3];    /* before white balance */
    float clipped[ZONES];   /* share that is white */
    double bins[SHOT_BINS]; /* share of the samples with that light, as in shot_light */
};
/* From the sensor's own measurement, else from the pixels as if their tone curve were plain.
 * `fixed` tells time, gain and iris where the shot does not know them. */
void measure_shot(const struct shot *s, const struct capture *fixed, struct measured *ret);

/* Weight of each zone inside of a box, by the share of it that is covered; `turned`: the box
 * is of the picture upside down. */
void measure_box(const struct picture_box *box, bool turned, float ret_weight[ZONES]);

/* How much fine, middling and coarse structure there is, in fields of the picture; relative to
 * the light, so that exposure does not count. */
#define SHARP_ACROSS 8
#define SHARP_DOWN 6
#define SHARP_FIELDS (SHARP_ACROSS * SHARP_DOWN)
#define SHARP_SCALES 3
struct sharpness {
    float field[SHARP_FIELDS][SHARP_SCALES]; /* fine, middle, coarse */
};
void measure_sharpness(const struct picture *p, struct sharpness *ret);
/* Of all fields together, with weights. The coarse scales tell from afar where it gets
 * sharper, the fine one where it is sharpest. */
double sharpness_sum(const struct sharpness *s, const float weight[SHARP_FIELDS]);
/* So much fine structure, beside what is coarser, is in what is in focus only (or in noise:
 * not where there is much gain). False tells nothing: smooth things have none. */
bool sharpness_crisp(const struct sharpness *s, const float weight[SHARP_FIELDS]);
void sharpness_weights(const struct picture_box *box, bool turned, float ret[SHARP_FIELDS]);

#endif
