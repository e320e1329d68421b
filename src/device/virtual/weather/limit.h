/* Bounds of how bright what falls may be, before it is looked at one by one: most of it is too
 * faint to be drawn at night. Inside the weather. Pure functions. */
#ifndef DEVICE_VIRTUAL_WEATHER_LIMIT_H
#define DEVICE_VIRTUAL_WEATHER_LIMIT_H

#include <stdbool.h>

#include "device/virtual/view.h"
#include "device/virtual/weather/fall.h"

/* How large something is, by 16 bits of its chance, and how fast rain of that size falls. */
static inline double limit_size(double smallest_m, double slope_m, bool snow, double minus_log)
{
    return fmin(smallest_m + minus_log * slope_m, snow ? 14e-3 : 5.5e-3);
}
static inline double limit_fall(double size_m)
{
    return 9.65 - 10.3 * exp(-600 * size_m);
}

#define LIMIT_GAIN_RAIN 3.4 /* as much light as from a disc so many times as large */
#define LIMIT_GAIN_SNOW 1.2
#define LIMIT_OPACITY 0.85
#define LIMIT_JITTER 0.35 /* m/s, east and north, of a drop */

struct limit {
    const struct view *v;
    bool snow;
    double exposure_s;
    struct vec speed;           /* of the wind; z is not looked at */
    double smallest_m, slope_m; /* sizes: smallest + exponential */
    double near_m, margin_m; /* all are at least so deep, and so far beyond the picture at most */
    double needed;           /* opacity × radiance of what is drawn, white card = 1 */
    double ambient;          /* radiance without the lamp, at most */
    double lamp, reach_m;    /* … and 1 m before it; where its light ends. 0, 0: no lamp */
};

/* For each class of sizes (FALL_SIZES): radiance below which they are too faint; square of how far
 * from the lamp they may be brighter, as in struct fall. Returns the greatest of those. */
double limit_find(const struct limit *l, double ret_dimmest[FALL_SIZES],
                  double ret_reach2[FALL_SIZES]);

#endif
