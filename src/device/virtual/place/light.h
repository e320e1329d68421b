/* The light upon the set: how much of each baked light, and what the sky looks like.
 * Radiances are in units of a white card in full noon sun (1.0 ≈ 100 klx). Pure functions,
 * any thread.
 *
 * The sun of light.sun stands where a baked one does (8, 11, 14 or 17 o'clock of a June day
 * at 50° north; it moves quickly between them), so that shadows of what moves lie as those
 * of the place do. `disc` is where it really stands: for the sky. */
#ifndef DEVICE_VIRTUAL_PLACE_LIGHT_H
#define DEVICE_VIRTUAL_PLACE_LIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "device/virtual/set.h"
#include "device/virtual/vec.h"

#define LIGHT_SUNS 4 /* baked positions of the sun */
#define LIGHT_SOFT 10
/* A night with nothing but lamps: from this unit on, what is faint or moves a little is lost in the
 * noise of any exposure. */
#define LIGHT_DARK_UNIT 33554432.0
/* Electrons that a white card of radiance 1 leaves in a pixel in 1/30 s through an open iris, and
 * the noise of reading them: what a picture of a dark place can tell at best. */
#define LIGHT_DARK_ELECTRONS 2.8e6
#define LIGHT_DARK_READ 1.6
/* Soft layers. Sky and overcast are 1 where all of their dome is seen, bounces belong to a
 * sun of 1, lamps, windows and emit have the power that they have at night, ir is a bare
 * point at the eye that gives 1 at 1 m. */
enum { SOFT_SKY, SOFT_OVERCAST, SOFT_BOUNCE, SOFT_LAMPS = 6, SOFT_WINDOWS, SOFT_IR, SOFT_EMIT };

struct light {
    struct vec sun;              /* unit, towards the sun; casts the shadows */
    struct vec disc;             /* unit, where it is seen */
    float sun_colour[3];         /* of its direct light on a surface that faces it; 0: none */
    float sun_share[LIGHT_SUNS]; /* how much each baked sun stands for it; sums to 1 or 0 */
    float soft[LIGHT_SOFT][3];   /* weight and colour of each soft layer */
    /* Of those and of the sun's: how much infrared the sensor sees; 0: its filter is in. */
    float infrared[LIGHT_SOFT], sun_infrared;
    float zenith[3], horizon[3], glow[3]; /* the sky: above, at the horizon, round the sun */
    float cloud_lit[3], cloud_dark[3];    /* clouds: towards the sun, and their bases */
    float cloud;                          /* 0 none … 1 overcast */
    float haze[3];                        /* radiance of the air itself */
    double extinction;                    /* of the air, per metre */
    double lamps;                         /* 0…1 */
    double ir_edge; /* 1 - cos of half the own infrared lamp's beam; 0: it goes everywhere */
    double wet;
    double lying; /* snow, 0…1 */
    double unit;  /* radiance samples per white card: 16384 by day, more at night, so that 16
                   * bits keep their steps; a power of two, at most 2^27 */
};

/* What light must know of a place. */
struct light_place {
    double sun_pan[LIGHT_SUNS], sun_elevation[LIGHT_SUNS]; /* degrees, where they were baked */
    double lamp_lux;                                       /* on the ground under its lamps */
    bool indoor;                                           /* lamps burn by day, too */
};

/* `p`: NULL for a street under suns of June at 50° north. */
void light_of(const struct set *s, const struct light_place *p, struct light *ret);
/* The same without street lamps and windows. */
void light_without_lamps(struct light *l);
/* Mean light of a lamp on alternating current during an exposure, as a share of what it gives
 * over all. Lamps of a place are in step. */
double light_flicker(double mains_hz, int64_t start_ns, int64_t end_ns);
/* Where the sun stands at that hour. */
void light_sun(double hour, double *ret_pan_deg, double *ret_elevation_deg);
/* Illuminance on open level ground, as a share of full noon sun. */
double light_open(const struct light *l);

#endif
