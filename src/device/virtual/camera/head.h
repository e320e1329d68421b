/* The simulated pan-tilt-zoom head: trapezoid velocity profiles, exact at rest.
 *
 * Every command replans the axes it names from where they are at clock_now(); the
 * plans are kept for a while, so that a pose asked for in the past is still right.
 * Any thread; one leaf mutex. */
#ifndef DEVICE_VIRTUAL_CAMERA_HEAD_H
#define DEVICE_VIRTUAL_CAMERA_HEAD_H

#include "device/ports.h"

struct clock;

#define HEAD_WIDE_HFOV_DEG 60.0
#define HEAD_MAX_ZOOM 30.0

double head_hfov_deg(double zoom);
struct head *virtual_head_new(struct clock *clock);
struct head *virtual_head_free(struct head *h);

#endif
