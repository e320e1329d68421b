/* One pose with a picture size: directions and pixels. Pure values. */
#ifndef DEVICE_VIRTUAL_VIEW_H
#define DEVICE_VIRTUAL_VIEW_H

#include <stdbool.h>

#include "device/virtual/vec.h"
#include "media/pose.h"

struct view {
    struct vec right, up, ahead; /* unit */
    double f;                    /* pixels */
    int width, height;
};

void view_init(struct view *v, const struct pose *pose, int width, int height);
/* Turns it about its axis; positive: the picture's content turns to the left. */
void view_roll(struct view *v, double roll_deg);
/* A point relative to the eye, in pixels (0 = left or top border, not a pixel's middle);
 * false when it is behind the picture plane. */
bool view_point(const struct view *v, struct vec relative, double *ret_x, double *ret_y);
/* Where a place of the picture looks; its depth along `ahead` is f. */
struct vec view_ray(const struct view *v, double x, double y);
bool view_same(const struct view *a, const struct view *b);

#endif
