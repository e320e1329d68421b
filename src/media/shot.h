/* What the sensor gave: unmasked pixels with the truth about how they were taken.
 *
 * Only image makes a frame of it (frame_develop); its memory is of a pool that
 * nothing else uses and no other process can map. LAYERS lets only device and
 * image include this header. Filled by the source thread, then immutable. */
#ifndef MEDIA_SHOT_H
#define MEDIA_SHOT_H

#include "media/capture.h"
#include "media/picture.h"
#include "media/tone.h"

/* What a sensor that knows linear light measures on the way; the pixels' own, with noise and
 * clipping. Light as in tone.h: 1 clips the long exposure; before white balance and tone. */
#define SHOT_ACROSS TONE_ACROSS
#define SHOT_DOWN TONE_DOWN
#define SHOT_BINS 96 /* a quarter of a stop each, from 2^-16 on */
struct shot_light {
    float mean[SHOT_DOWN][SHOT_ACROSS][3]; /* red, green, blue */
    float clipped[SHOT_DOWN][SHOT_ACROSS]; /* share of the zone that is white at its brightest */
    unsigned bin[SHOT_BINS];               /* how many samples have that green */
};

/* How far a lens out of focus spreads a point of the scene about its place: radius in pixels, the
 * largest of each zone. */
struct shot_spread {
    float px[SHOT_DOWN][SHOT_ACROSS];
};

/* How the lens stands to the picture where that is not plain: the picture is a part of a larger
 * one, or has bars beside it. */
struct shot_axis {
    bool used;
    double width_px;   /* what the lens's field of view spans, in pixels of this picture */
    double x_px, y_px; /* where the lens looks; may lie outside */
    double spread_px;  /* how far scaling spread what one pixel of the sensor saw */
    bool fixed;        /* the lens looks there always, whatever the poses say: */
    double pan_deg, tilt_deg, hfov_deg;
};

struct shot {
    struct picture *pixels;
    struct capture how;
    struct shot_light *light;   /* owned; NULL: this sensor gives none */
    struct shot_spread *spread; /* owned; NULL: not known, and taken for sharp */
    struct shot_axis axis;
    int refs; /* atomic */
};

struct shot *shot_new(struct picture *take_pixels, const struct capture *how);
struct shot *shot_ref(struct shot *s);
struct shot *shot_unref(struct shot *s);

#endif
