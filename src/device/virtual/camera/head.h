/* The simulated pan-tilt-zoom head: trapezoid velocity profiles, exact at rest, as far as it
 * knows: its gear has some slack, and it swings a little when it stops (virtual_head_play).
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
#define HEAD_SLACK_DEG 0.002 /* to either side */

double head_hfov_deg(double zoom);
struct head *virtual_head_new(struct clock *clock);
/* The lens whose focus stands in its poses, and changes the angle of view a little. Before
 * anybody asks. */
void virtual_head_carry(struct head *h, struct lens *l);
/* Where it looks apart from where it believes to look, in degrees. 0 until it has moved. */
void virtual_head_play(struct head *h, int64_t time_ns, double *ret_dpan, double *ret_dtilt);
struct head *virtual_head_free(struct head *h);

#endif
