/* The light upon the set: how much of each baked light, and what the sky looks like.
 * Radiances are in units of a white card in full noon sun (1.0). Pure functions. */
#ifndef DEVICE_VIRTUAL_LIGHT_H
#define DEVICE_VIRTUAL_LIGHT_H

#include "device/virtual/set.h"
#include "device/virtual/vec.h"

#define LIGHT_SUNS 4 /* baked positions of the sun */
#define LIGHT_SOFT 10

struct light {
    struct vec sun;        /* unit, towards the sun (or moon) at that hour */
    float sun_colour[3];   /* of its direct light on a surface that faces it */
    float sun_share[LIGHT_SUNS]; /* how much each baked sun stands for it; sums to 1 or 0 */
    float soft[LIGHT_SOFT][3];   /* weight and colour of each soft layer, see tiles.h */
    float zenith[3], horizon[3], glow[3]; /* the sky: above, at the horizon, round the sun */
    float cloud;
    float haze[3];         /* radiance of the air itself */
    double extinction;     /* of the air, per metre */
    double lamps;          /* 0…1 */
    double wet;
    double unit;           /* radiance samples per white card: 16384 by day, more at night, so
                            * that 16 bits keep their steps; a power of two */
};

void light_of(const struct set *s, struct light *ret);

#endif
