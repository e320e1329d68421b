/* The part of finishing that works on areas: taking haze away and local contrast. Both make a
 * line of each pixel's light (gain and offset), smooth from area to area; so does their
 * combination. Owned by the source thread. */
#ifndef IMAGE_FINISH_LIGHT_H
#define IMAGE_FINISH_LIGHT_H

#include "image/finish.h"
#include "image/kernels.h"

#define AREA 32 /* pixels: side of an area */

struct finish_light;

struct finish_light *finish_light_new(void); /* NULL: out of memory */
struct finish_light *finish_light_free(struct finish_light *l);
/* Forgets the haze of earlier pictures: the view has changed. */
void finish_light_forget(struct finish_light *l);
/* 0 or -ENOMEM (the picture is as it was). */
int finish_light_apply(struct finish_light *l, const struct finish_settings *s,
                       const struct image_kernels *k, struct picture *p);
double finish_light_haze(const struct finish_light *l);

#endif
