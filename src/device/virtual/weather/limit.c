#include "device/virtual/weather/limit.h"

#define SURE 1.0001 /* bounds are more than what is rounded otherwise */

/* Least length of a streak over pixels per metre, at the nearest depth: how fast it goes up or
 * down the picture. The rest of its way is not counted. */
static double least_way(const struct limit *l, double slowest, double fastest)
{
    const struct view *v = l->v;
    const double jitter_u = LIMIT_JITTER * (fabs(v->up.x) + fabs(v->up.y));
    const double jitter_a = LIMIT_JITTER * (fabs(v->ahead.x) + fabs(v->ahead.y));
    double wind_u = l->speed.x * v->up.x + l->speed.y * v->up.y;
    double wind_a = l->speed.x * v->ahead.x + l->speed.y * v->ahead.y;
    double u0 = wind_u - slowest * v->up.z, u1 = wind_u - fastest * v->up.z;
    double a0 = wind_a - slowest * v->ahead.z, a1 = wind_a - fastest * v->ahead.z;
    double up = u0 * u1 > 0 ? fmin(fabs(u0), fabs(u1)) - jitter_u : 0;
    double ahead = fmax(fabs(a0), fabs(a1)) + jitter_a;
    double steep = v->height / 2.0 / v->f + l->margin_m / l->near_m;
    double way = l->exposure_s * fmax(up - steep * ahead, 0);
    return way * l->near_m / (l->near_m + l->exposure_s * ahead);
}

/* Of those of that size or less which go so far at least: the nearest covers most. */
static double most_opacity(const struct limit *l, double size, double way)
{
    double px = l->v->f / l->near_m, radius2 = 0.4 * size * size + 1.25 / (px * px);
    double area = 16.0 / 15 * sqrt(radius2) * way + M_PI / 3 * radius2;
    double gain = l->snow ? LIMIT_GAIN_SNOW : LIMIT_GAIN_RAIN;
    return fmin(gain * M_PI / 4 * size * size / area, LIMIT_OPACITY) * SURE;
}

/* Square of the distance at which the lamp's light is so bright. */
static double distance2(const struct limit *l, double bright)
{
    if (!(l->lamp > 0))
        return -1;
    double r2 = l->reach_m * l->reach_m;
    /* lamp · (1 - t/r²)² = bright · (t + 0.06) */
    double a = l->lamp / (r2 * r2), b = 2 * l->lamp / r2 + bright, c = l->lamp - 0.06 * bright;
    if (c < 0)
        return -1;
    return fmin((b - sqrt(fmax(b * b - 4 * a * c, 0))) / (2 * a), r2) * SURE + 1e-6;
}

double limit_find(const struct limit *l, double ret_dimmest[FALL_SIZES],
                  double ret_reach2[FALL_SIZES])
{
    double most = -1;
    for (int i = 0; i < FALL_SIZES; i++) {
        double least = limit_size(l->smallest_m, l->slope_m, l->snow, M_LN2 * i);
        double size = limit_size(l->smallest_m, l->slope_m, l->snow, M_LN2 * (i + 1)) * SURE;
        /* Flakes swing: one may stand still. */
        double way = l->snow ? 0 : least_way(l, limit_fall(least), limit_fall(size));
        double bright = l->needed / most_opacity(l, size, way);
        double reach2 = bright <= l->ambient ? INFINITY : distance2(l, bright - l->ambient);
        ret_dimmest[i] = bright;
        ret_reach2[i] = most = fmax(most, reach2);
    }
    return most;
}
