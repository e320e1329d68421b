/* For tests of privacy masks: a polygon of directions painted over all that the world shows there,
 * in one colour, before the head's move smears it. Pure values. */
#ifndef DEVICE_VIRTUAL_DECAL_H
#define DEVICE_VIRTUAL_DECAL_H

#include "device/virtual/radiance.h"
#include "device/virtual/view.h"

#define DECAL_POINTS 16
struct decal {
    unsigned n; /* 0: there is none */
    struct {
        double pan_deg, tilt_deg;
    } point[DECAL_POINTS]; /* within 85 degrees of their middle; may be concave */
    double colour[3];      /* red, green, blue; 1: a white card in full sun */
};

/* Every pixel that a corner of it touches. How many. */
unsigned decal_paint(const struct decal *p, const struct view *v, struct radiance *into);

#endif
