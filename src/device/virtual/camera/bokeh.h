/* What a lens does to all that is not where it is focused: each point becomes a disc as large as
 * its distance asks (lens.h). What has not changed is not made anew. One thread. */
#ifndef DEVICE_VIRTUAL_CAMERA_BOKEH_H
#define DEVICE_VIRTUAL_CAMERA_BOKEH_H

#include <stdbool.h>

#include "device/virtual/camera/lens.h"
#include "device/virtual/radiance.h"

struct bokeh;
struct kernels;

#define BOKEH_STEP 4 /* pixels: side of what has one distance */

struct bokeh *bokeh_new(int width, int height); /* NULL: out of memory */
struct bokeh *bokeh_free(struct bokeh *b);

/* Whether all that is so far away is sharp; then a picture was taken without bokeh_look(). */
bool bokeh_sharp(struct bokeh *b, const struct optics *o, const float *metres);

/* What the lens draws of `in`: `in` itself where all of it is sharp, else a picture of the
 * bokeh's own, good until the next call. `metres`: distances, a row of (width + 3) / 4 for every
 * four of pixels. What in->touched says differs from the last call's, and is cleared when it was
 * taken over. 0 or -ENOMEM. */
int bokeh_look(struct bokeh *b, const struct kernels *k, const struct optics *o,
               const float *metres, struct radiance *in, struct radiance **ret);

#endif
