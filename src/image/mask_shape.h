/* A mask made ready for projecting: unit vectors instead of angles, and the plane on which its
 * mosaic's blocks lie. World axes: x east, y north, z up. Pure values; any thread. */
#ifndef IMAGE_MASK_SHAPE_H
#define IMAGE_MASK_SHAPE_H

#include <stdbool.h>

#include "image/mask.h"

struct vec3 {
    double x, y, z;
};

static inline double vec3_dot(struct vec3 a, struct vec3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

struct mask_shape {
    unsigned n;
    struct vec3 dir[MASK_MAX_POINTS];
    double least_zoom;
    int index;
    /* The plane that touches the sphere in the mask's middle: axis[2] points there. A direction
     * d lies at (d·axis[0], d·axis[1]) / d·axis[2] on it. Blocks are squares of side `block`,
     * counted from (u0, v0); the mask's own are 0 … across - 1, 0 … down - 1. */
    struct vec3 axis[3];
    double u0, v0, block;
    int across, down;
};

struct vec3 mask_direction(double pan_deg, double tilt_deg);
/* False: it does not fit into half a sphere, so that nobody knows which side is meant. */
bool mask_shape_init(struct mask_shape *s, const struct mask *m, int blocks);

#endif
