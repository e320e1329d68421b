/* Where the camera looks. Degrees: pan -180…+180 clockwise seen from above, tilt
 * up positive; zoom as magnification (1 = widest). Pure values; any thread. */
#ifndef MEDIA_POSE_H
#define MEDIA_POSE_H

#include <stdbool.h>
#include <stdint.h>

struct pose {
    double pan_deg, tilt_deg;
    double zoom;            /* magnification, 1… */
    double focus;           /* 0 near … 1 far */
    double hfov_deg;        /* horizontal field of view at this zoom */
    double uncertainty_deg; /* 0: exact (virtual head) */
    bool known;             /* false: unknown or stale; masks then cover everything */
};

double pose_wrap_pan(double pan_deg); /* into [-180, 180) */
double pose_vfov_deg(const struct pose *p, double aspect /* width / height */);

/* Rectilinear lens, no roll. Normalised picture coordinates: x right 0…1, y down
 * 0…1. False when the direction is behind the picture plane. */
bool pose_project(const struct pose *p, double aspect, double pan_deg, double tilt_deg,
                  double *ret_x, double *ret_y);
void pose_unproject(const struct pose *p, double aspect, double x, double y, double *ret_pan_deg,
                    double *ret_tilt_deg);

#endif
