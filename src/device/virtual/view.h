/* One pose with a picture size: turns surfaces and tubes into what the kernels draw. */
#ifndef DEVICE_VIRTUAL_VIEW_H
#define DEVICE_VIRTUAL_VIEW_H

#include <stdbool.h>

#include "device/virtual/place.h"
#include "media/pose.h"

struct view {
    struct vec right, up, ahead;
    double f; /* pixels */
    int width, height;
    struct lens lens;
};

struct tube {
    struct vec a, b; /* world */
    double ra, rb;
    float colour[3]; /* linear, 0…1 */
};

void view_init(struct view *v, const struct pose *pose, int width, int height);
/* A point relative to the eye, in pixels (0 = left or top border, not a pixel's middle);
 * false when it is behind the picture plane. */
bool view_point(const struct view *v, struct vec relative, double *ret_x, double *ret_y);
/* False when nothing of it can be in the picture. */
bool view_surface(const struct view *v, const struct surface *s, struct drawn *ret);
bool view_tube(const struct view *v, const struct tube *t, struct drawn *ret);
struct vec view_ray(const struct view *v, double x, double y);
/* Whether the shape covers this place of the picture. */
bool drawn_hit(const struct drawn *d, double x, double y);

#endif
