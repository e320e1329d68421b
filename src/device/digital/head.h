/* A digital head: pan, tilt and zoom choose a part of a larger picture.
 *
 * The picture is taken for that of a rectilinear lens with a horizontal field of
 * 60° that looks straight ahead. The part shown is centred on the direction (pan,
 * tilt) and is 1/zoom as wide; it never leaves the picture, so the more is shown
 * the less there is to turn. Off the centre this is an approximation: a cut of a
 * picture is not quite what a turned lens would show. Any thread. */
#ifndef DEVICE_DIGITAL_HEAD_H
#define DEVICE_DIGITAL_HEAD_H

#include "device/ports.h"

struct clock;
struct digital_head;

struct digital_head *digital_head_new(struct clock *clock, double aspect);
struct digital_head *digital_head_free(struct digital_head *d);
struct head *digital_head_port(struct digital_head *d);
double digital_head_lens_deg(void); /* of all of the picture, horizontally */
/* The part of a picture that this pose shows. */
void digital_head_crop(const struct pose *p, int width, int height, double *ret_x, double *ret_y,
                       double *ret_w, double *ret_h);

#endif
