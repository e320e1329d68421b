/* The set: what the stage says about one instant of the virtual world, as plain data.
 * A pure function of the stage's command log and world time (stage_at), so that any
 * picture can be made again. What the camera itself does to the light, its lamp and its filter,
 * world_set() adds. */
#ifndef DEVICE_VIRTUAL_SET_H
#define DEVICE_VIRTUAL_SET_H

#include <stdbool.h>

struct set {
    double hour;         /* local solar time, 0…24: the sun, the sky, whether lamps burn */
    double cloud;        /* 0 clear … 1 overcast */
    double visibility_m; /* fog: where 5 % of the contrast is left; INFINITY: none */
    double rain_mm_h;    /* 0 none, 2 light, 10 heavy, 30 cloudburst */
    double snow_mm_h;    /* of water */
    double wet;          /* the ground, 0 dry … 1 */
    double lying;        /* snow on what lies open to the sky, 0 none … 1 white */
    double wind_m_s;     /* mean; gusts are made of it */
    double wind_deg;     /* where it blows to, as pan */
    double lamps;        /* street lamps and windows, 0…1; negative: as the light asks */
    bool sodium;         /* street lamps are orange, as those of high pressure are; else LED */
    double mains_hz;     /* lamps flicker with it, twice a period; 0: not at all */
    double ir;           /* the camera's own infrared lamp, 0…1; negative: as the camera will */
    double ir_beam_deg;  /* its full width; the power is shared out over it */
    bool bare;           /* the filter that keeps infrared off the sensor is out: it is seen */
};

#endif
