/* What limits allow: places brought within them, and which limits are touched. A head that turns
 * endlessly may have a range that passes behind (device/ports.h). Pure; any thread. */
#ifndef PTZ_FIT_H
#define PTZ_FIT_H

#include <stdbool.h>

#include "device/ports.h"

double fit_clamp(double v, double low, double high);
bool fit_endless(const struct head_limits *l); /* pan has no limit */
/* Degrees, magnification. NAN, and what the head does not have, is NAN. */
double fit_pan(const struct head_caps *c, const struct head_limits *l, double pan_deg);
double fit_tilt(const struct head_caps *c, const struct head_limits *l, double tilt_deg);
double fit_zoom(const struct head_caps *c, const struct head_limits *l, double zoom);
/* Which axes (pan, tilt, zoom) of this pose lie outside, and where they belong; NAN: inside. */
bool fit_outside(const struct head_caps *c, const struct head_limits *l, const struct pose *at,
                 double ret[3]);
/* Bit 0 pan min, 1 pan max, 2 tilt min, 3 tilt max, 4 zoom min, 5 zoom max. */
unsigned fit_touched(const struct head_limits *l, const struct pose *at);

#endif
