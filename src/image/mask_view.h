/* From where a shot was seen: both poses of its exposure, the optical axis, and the part that is
 * meant, in pixels of the picture. Pure; any thread. */
#ifndef IMAGE_MASK_VIEW_H
#define IMAGE_MASK_VIEW_H

#include <stdbool.h>

#include "image/mask_shape.h"
#include "media/shot.h"

/* How a shot was seen, and which part of it is meant: all, or what a stabiliser shows. */
struct mask_view {
    struct pose start, end;
    double focal_px[2];  /* at both poses */
    double cx, cy;       /* of the optical axis, pixels */
    double scaled_px;    /* what scaling spread, pixels of the shot */
    double spread_scale; /* pixels of this picture for one of the shot */
    int width, height;
    const struct shot_spread *spread; /* borrowed; or NULL */
    double part[4];                   /* of the shot, 0…1: x, y, width, height */
};
/* crop: as in struct capture; crop_width 0: all. False: the pose is not known well enough. */
bool mask_view_init(struct mask_view *v, const struct shot *shot, const double crop[4]);
/* How far a point of the picture goes at most between both poses, pixels. */
double mask_view_travel(const struct mask_view *v);

/* The axes of the camera in the world at one pose, and what is visible. */
struct mask_axes {
    struct vec3 right, ahead, up;
    double focal;
    double left, right_edge, top, bottom; /* tangents of the widened field of view's sides */
    double cx, cy;
};
/* outside_px: so much beyond the picture's edges is visible, too. */
void mask_view_axes(const struct mask_view *v, double pan_deg, double tilt_deg, double focal_px,
                    double outside_px, struct mask_axes *ret);
/* How much farther from the axis a place goes in the corners than in the middle, for one angle. */
double mask_view_corner(const struct mask_view *v);

#endif
