/* Finishing: what is done to masked pixels before they become a frame. Saturation, brightness,
 * contrast, sharpness, local contrast, defogging, noise reduction, and steadying. Works for any
 * source, on pixels alone. What is at its neutral value costs nothing; with all neutral the
 * picture is not touched.
 *
 * Owned by the source thread. */
#ifndef IMAGE_FINISH_H
#define IMAGE_FINISH_H

#include <stdbool.h>

#include "media/capture.h"
#include "media/picture.h"

struct eye_settings;
struct finish;
struct shot;

enum defog { DEFOG_OFF, DEFOG_ON, DEFOG_AUTO };
/* −1…+1, 0 neutral, unless said. */
struct finish_settings {
    double brightness, contrast, saturation; /* −1: none (black, flat, grey) … +1: double */
    double sharpness, local_contrast;
    enum defog defog;
    double defog_effect;      /* 0…1: how much of the haze is taken away at most */
    double temporal, spatial; /* noise reduction, 0 none … 1 */
    bool steady;              /* takes the shaking of the mount out of the picture … */
    double margin;            /* … cropping that much of each side, 0.01…0.15 */
};

/* What the user's settings ask of it. toned: brightness and contrast are in the sensor's tone
 * curve already. */
void finish_settings_of(const struct eye_settings *s, bool toned, struct finish_settings *ret);

struct finish *finish_new(void); /* NULL: out of memory */
struct finish *finish_free(struct finish *f);
/* Nobody watches: gives memory back, forgets what was collected. */
void finish_rest(struct finish *f);
/* What was collected of earlier pictures goes into none any more. */
void finish_forget(struct finish *f);
void finish_set(struct finish *f, const struct finish_settings *s); /* from the next picture */
/* Nothing is set that would change a picture. */
bool finish_is_neutral(const struct finish *f);
/* In place, on a masked picture of BT.709 limited range that nobody else has yet. The shake is
 * measured on the shot. `how` (of the picture) is told if it now shows less: crop and field of
 * view. Where memory is short the picture stays as it is. */
void finish_picture(struct finish *f, const struct shot *shot, struct picture *p,
                    struct capture *how);
/* How far the newest picture was moved, in pixels. */
double finish_steadied_px(const struct finish *f);
/* How much the light of distant things is haze, by the newest picture: 0…1; only while
 * defogging is not off. */
double finish_haze(const struct finish *f);
/* For tests: the plain C twin of the inner loops. */
void finish_use_plain_kernels(struct finish *f, bool plain);

#endif
