#include "device/trajectory.h"

#include <math.h>

#include "base/clock.h"

double leg_axis(const struct leg *l, int axis, int64_t time_ns)
{
    double v = l->speed[axis], to = l->to[axis];
    if (v == 0)
        return l->from[axis];
    double at = l->from[axis] + v * (double)(time_ns - l->t0_ns) / (double)NSEC_PER_SEC;
    return v > 0 ? fmin(at, to) : fmax(at, to);
}

bool leg_moves(const struct leg *l, int axis, int64_t time_ns)
{
    return l->speed[axis] != 0 && leg_axis(l, axis, time_ns) != l->to[axis];
}

void leg_aim(struct leg *l, int axis, double to, double speed)
{
    l->to[axis] = to;
    l->speed[axis] = to > l->from[axis] ? speed : to < l->from[axis] ? -speed : 0;
}

const struct leg *trajectory_at(const struct trajectory *t, int64_t time_ns)
{
    unsigned n = t->newest;
    for (unsigned i = 0; i + 1 < TRAJECTORY_LEGS && i < t->newest; i++, n--)
        if (t->leg[n % TRAJECTORY_LEGS].t0_ns <= time_ns)
            break;
    return &t->leg[n % TRAJECTORY_LEGS];
}

struct leg *trajectory_begin(struct trajectory *t, int64_t now_ns)
{
    struct leg next = t->leg[t->newest % TRAJECTORY_LEGS];
    for (int a = 0; a < AXES; a++)
        next.from[a] = leg_axis(&next, a, now_ns);
    next.t0_ns = now_ns;
    struct leg *l = &t->leg[++t->newest % TRAJECTORY_LEGS];
    *l = next;
    return l;
}
