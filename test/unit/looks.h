/* Looking at the virtual world without a camera: poses, and planes of light to paint. */
#ifndef TEST_UNIT_LOOKS_H
#define TEST_UNIT_LOOKS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/radiance.h"
#include "media/pose.h"
#include "unit.h"

/* As the virtual lens sees: 60 degrees across at magnification 1. Degrees. */
static inline struct pose looking(double pan, double tilt, double zoom)
{
    return (struct pose){.pan_deg = pan,
                         .tilt_deg = tilt,
                         .zoom = zoom,
                         .hfov_deg = 2 * atan(tan(M_PI / 6) / zoom) * 180 / M_PI,
                         .known = true};
}

/* Dark; free(planes.r). */
static inline struct radiance planes(int width, int height)
{
    size_t n = (size_t)width * (size_t)height;
    uint16_t *p = calloc(n * 3, sizeof(*p));
    CHECK(p);
    return (struct radiance){.width = width,
                             .height = height,
                             .stride = (size_t)width,
                             .r = p,
                             .g = p + n,
                             .b = p + 2 * n};
}

/* Each bit of each sample. */
static inline bool same(const struct radiance *a, const struct radiance *b)
{
    return a->unit == b->unit &&
           !memcmp(a->r, b->r, sizeof(uint16_t) * 3 * a->stride * (size_t)a->height);
}

#endif
