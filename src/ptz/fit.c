#include "ptz/fit.h"

#include <math.h>

#define TOLERANCE_DEG 0.005
#define TOLERANCE_ZOOM 0.0005

double fit_clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

bool fit_endless(const struct head_limits *l)
{
    return l->max_pan_deg - l->min_pan_deg >= 360;
}

double fit_pan(const struct head_caps *c, const struct head_limits *l, double pan_deg)
{
    if (isnan(pan_deg) || !c->pan)
        return NAN;
    pan_deg = pose_wrap_pan(pan_deg);
    if (fit_endless(l))
        return pan_deg;
    double middle = (l->min_pan_deg + l->max_pan_deg) / 2;
    double half = (l->max_pan_deg - l->min_pan_deg) / 2;
    double off = fit_clamp(pose_wrap_pan(pan_deg - middle), -half, half);
    return fabs(middle + off) <= 180 ? middle + off : pose_wrap_pan(middle + off);
}

double fit_tilt(const struct head_caps *c, const struct head_limits *l, double tilt_deg)
{
    return isnan(tilt_deg) || !c->tilt ? NAN
                                       : fit_clamp(tilt_deg, l->min_tilt_deg, l->max_tilt_deg);
}

double fit_zoom(const struct head_caps *c, const struct head_limits *l, double zoom)
{
    return isnan(zoom) || !c->zoom ? NAN : fit_clamp(zoom, l->min_zoom, l->max_zoom);
}

bool fit_outside(const struct head_caps *c, const struct head_limits *l, const struct pose *at,
                 double ret[3])
{
    const double now[3] = {at->pan_deg, at->tilt_deg, at->zoom};
    const double fit[3] = {fit_pan(c, l, now[0]), fit_tilt(c, l, now[1]), fit_zoom(c, l, now[2])};
    bool any = false;
    for (int i = 0; i < 3; i++) {
        double off = i ? now[i] - fit[i] : pose_wrap_pan(now[0] - fit[0]);
        ret[i] = fabs(off) > TOLERANCE_ZOOM ? fit[i] : NAN;
        any |= !isnan(ret[i]);
    }
    return any;
}

unsigned fit_touched(const struct head_limits *l, const struct pose *at)
{
    unsigned touched = 0;
    if (!fit_endless(l)) {
        double middle = (l->min_pan_deg + l->max_pan_deg) / 2;
        double half = (l->max_pan_deg - l->min_pan_deg) / 2;
        double off = pose_wrap_pan(at->pan_deg - middle);
        touched |= (off <= -half + TOLERANCE_DEG) << 0;
        touched |= (off >= half - TOLERANCE_DEG) << 1;
    }
    touched |= (at->tilt_deg <= l->min_tilt_deg + TOLERANCE_DEG) << 2;
    touched |= (at->tilt_deg >= l->max_tilt_deg - TOLERANCE_DEG) << 3;
    touched |= (at->zoom <= l->min_zoom + TOLERANCE_ZOOM) << 4;
    touched |= (at->zoom >= l->max_zoom - TOLERANCE_ZOOM) << 5;
    return touched;
}
