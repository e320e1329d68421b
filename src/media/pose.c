#include "media/pose.h"

#include <math.h>

#define RAD (M_PI / 180)

double pose_wrap_pan(double pan_deg)
{
    if (pan_deg >= -180 && pan_deg < 180)
        return pan_deg; /* exact: no rounding for what is in range already */
    double w = fmod(pan_deg + 180, 360);
    if (w < 0)
        w += 360;
    return w >= 360 ? -180 : w - 180;
}

double pose_vfov_deg(const struct pose *p, double aspect)
{
    return 2 * atan(tan(p->hfov_deg / 2 * RAD) / aspect) / RAD;
}

bool pose_project(const struct pose *p, double aspect, double pan_deg, double tilt_deg,
                  double *ret_x, double *ret_y)
{
    double pan = (pan_deg - p->pan_deg) * RAD, tilt = tilt_deg * RAD, at = p->tilt_deg * RAD;
    /* Turned about the vertical so that the camera's pan is 0: x right, y ahead, z up. */
    double x = sin(pan) * cos(tilt), y = cos(pan) * cos(tilt), z = sin(tilt);
    double depth = y * cos(at) + z * sin(at);
    double up = z * cos(at) - y * sin(at);
    if (!(depth > 1e-6))
        return false;
    double half = tan(p->hfov_deg / 2 * RAD);
    *ret_x = 0.5 + x / depth / half / 2;
    *ret_y = 0.5 - up / depth / half * aspect / 2;
    return true;
}

void pose_unproject(const struct pose *p, double aspect, double x, double y, double *ret_pan_deg,
                    double *ret_tilt_deg)
{
    double half = tan(p->hfov_deg / 2 * RAD), at = p->tilt_deg * RAD;
    double right = (x - 0.5) * 2 * half, up = (0.5 - y) * 2 * half / aspect;
    double ahead = cos(at) - up * sin(at), high = sin(at) + up * cos(at);
    *ret_pan_deg = pose_wrap_pan(p->pan_deg + atan2(right, ahead) / RAD);
    *ret_tilt_deg = atan2(high, hypot(right, ahead)) / RAD;
}
