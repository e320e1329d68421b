/* Where a head of metal is: planned from what it was told, corrected by what it answers.
 *
 * Between two answers the plan runs on with the speed last measured. The uncertainty is
 * what the answer left open (its resolution, the time it took) and grows with time: at
 * once with the speed when something was told, less when answers confirm the plan, most
 * when they did not. Without an answer for three seconds, or before the first, nothing is
 * known. A value; the owner locks. Angles in degrees, zoom as its natural logarithm. */
#ifndef DEVICE_HEAD_ESTIMATE_H
#define DEVICE_HEAD_ESTIMATE_H

#include "device/ports.h"
#include "device/trajectory.h"

struct estimate_doubt {
    int64_t since_ns;
    double error[AXES], growth[AXES]; /* at `since`; per second */
};
struct estimate {
    struct head_caps caps;
    double resolution[AXES]; /* of answers */
    struct trajectory way;
    struct estimate_doubt doubt[TRAJECTORY_LEGS]; /* of each leg */
    bool known;
    int64_t told_ns, measured_ns;
    double measured[AXES]; /* pan unwrapped */
};

void estimate_init(struct estimate *e, const struct head_caps *caps, const double resolution[AXES]);
/* As head_ops.go and .move, zoom as logarithms; NAN: leaves an axis. */
void estimate_go(struct estimate *e, int64_t now_ns, const double to[AXES], double share);
void estimate_move(struct estimate *e, int64_t now_ns, const double speed[AXES]);
/* An answer to a question that was sent at `asked_ns` and came at `now_ns`. */
void estimate_measured(struct estimate *e, int64_t asked_ns, int64_t now_ns, const double at[AXES]);
void estimate_lost(struct estimate *e); /* it does not answer any more */
void estimate_pose(const struct estimate *e, int64_t time_ns, struct pose *ret);
/* Where an axis is going to, or stands. */
double estimate_goal(const struct estimate *e, int axis, int64_t time_ns);
bool estimate_moving(const struct estimate *e, int64_t time_ns);

#endif
