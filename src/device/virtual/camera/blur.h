/* What a move of the head during the exposure does to a picture. One thread. */
#ifndef DEVICE_VIRTUAL_CAMERA_BLUR_H
#define DEVICE_VIRTUAL_CAMERA_BLUR_H

#include "device/virtual/radiance.h"
#include "device/virtual/view.h"

struct blur;
struct kernels;

struct blur *blur_new(void); /* NULL: out of memory */
struct blur *blur_free(struct blur *c);
void blur_rest(struct blur *c); /* nobody watches: gives its memory back */
void blur_use(struct blur *c, const struct kernels *k);
/* The longest way that a place of the picture takes, in pixels. */
double blur_length(const struct view *start, const struct view *middle, const struct view *end);
/* Smears the picture along the way that each place of it took. 0 or -ENOMEM. */
int blur_move(struct blur *c, const struct view *start, const struct view *middle,
              const struct view *end, struct radiance *into);
/* A picture of half the size (even width and height of `into`) to paint first, and its
 * enlargement, which takes its unit along. NULL: out of memory. */
struct radiance *blur_half(struct blur *c, const struct radiance *into);
void blur_widen(struct blur *c, struct radiance *into);

#endif
