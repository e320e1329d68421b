#include "device/head/estimate.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"

#define RAD (M_PI / 180)
#define STALE_NS (3 * NSEC_PER_SEC)
#define START_NS (700 * NSEC_PER_MSEC) /* a head that was told to move does so by then */
#define CONFIRMED 0.2                  /* of the speed: what may change until the next answer */
#define IDLE_DEG 0.02                  /* a second: somebody leans on it */
#define IDLE_ZOOM 0.001

void estimate_init(struct estimate *e, const struct head_caps *caps, const double resolution[AXES])
{
    *e = (struct estimate){.caps = *caps};
    memcpy(e->resolution, resolution, sizeof(e->resolution));
}

static bool has_axis(const struct estimate *e, int axis)
{
    return axis == AXIS_PAN ? e->caps.pan : axis == AXIS_TILT ? e->caps.tilt : e->caps.zoom;
}

static double max_speed(const struct estimate *e, int axis)
{
    return axis == AXIS_PAN    ? e->caps.max_pan_speed
           : axis == AXIS_TILT ? e->caps.max_tilt_speed
                               : e->caps.max_zoom_speed;
}

static bool endless(const struct estimate *e)
{
    return e->caps.max_pan_deg - e->caps.min_pan_deg >= 360;
}

static void limits(const struct estimate *e, int axis, double *ret_low, double *ret_high)
{
    *ret_low = axis == AXIS_PAN    ? e->caps.min_pan_deg
               : axis == AXIS_TILT ? e->caps.min_tilt_deg
                                   : 0;
    *ret_high = axis == AXIS_PAN    ? e->caps.max_pan_deg
                : axis == AXIS_TILT ? e->caps.max_tilt_deg
                                    : log(fmax(1, e->caps.max_zoom));
    if (axis == AXIS_PAN && endless(e)) {
        *ret_low = -INFINITY;
        *ret_high = INFINITY;
    }
}

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

static double error_at(const struct estimate_doubt *d, int axis, int64_t time_ns)
{
    double s = fmax(0, (double)(time_ns - d->since_ns) / (double)NSEC_PER_SEC);
    return d->error[axis] + d->growth[axis] * s;
}

static double idle(int axis)
{
    return axis == AXIS_ZOOM ? IDLE_ZOOM : IDLE_DEG;
}

static struct estimate_doubt *doubt_of(struct estimate *e, const struct leg *l)
{
    return &e->doubt[l - e->way.leg];
}

/* A new leg, with what is open of the old one. */
static struct leg *begin(struct estimate *e, int64_t now_ns)
{
    const struct estimate_doubt old = *doubt_of(e, trajectory_at(&e->way, now_ns));
    struct leg *l = trajectory_begin(&e->way, now_ns);
    struct estimate_doubt *d = doubt_of(e, l);
    d->since_ns = now_ns;
    for (int a = 0; a < AXES; a++) {
        d->error[a] = error_at(&old, a, now_ns);
        d->growth[a] = old.growth[a];
    }
    return l;
}

/* Told, not yet seen: it may still do what it did before, or do it at once. */
static void doubt_order(struct estimate *e, struct leg *l, int axis, double old_speed)
{
    doubt_of(e, l)->growth[axis] = idle(axis) + fabs(l->speed[axis] - old_speed);
}

void estimate_go(struct estimate *e, int64_t now_ns, const double to[AXES], double share)
{
    struct leg *l = begin(e, now_ns);
    for (int a = 0; a < AXES; a++) {
        if (isnan(to[a]) || !has_axis(e, a))
            continue;
        double low, high, old = l->speed[a], target = to[a];
        limits(e, a, &low, &high);
        if (a == AXIS_PAN && endless(e)) /* the shorter way */
            target = l->from[a] + remainder(target - l->from[a], 360);
        leg_aim(l, a, clamp(target, low, high), max_speed(e, a) * share);
        doubt_order(e, l, a, old);
    }
    e->told_ns = now_ns;
}

void estimate_move(struct estimate *e, int64_t now_ns, const double speed[AXES])
{
    struct leg *l = begin(e, now_ns);
    for (int a = 0; a < AXES; a++) {
        if (isnan(speed[a]) || !has_axis(e, a))
            continue;
        double low, high, old = l->speed[a];
        limits(e, a, &low, &high);
        l->to[a] = speed[a] > 0 ? high : speed[a] < 0 ? low : l->from[a];
        l->speed[a] = l->to[a] == l->from[a] ? 0 : speed[a];
        doubt_order(e, l, a, old);
    }
    e->told_ns = now_ns;
}

/* What the axis does from now on, by the plan, the place and the speed measured. */
static void correct(struct estimate *e, struct leg *l, int axis, double at, double speed,
                    double missed, int64_t age_ns, int64_t now_ns, double step_s)
{
    double resolution = e->resolution[axis], least = 2 * resolution / step_s;
    double age = (double)age_ns / (double)NSEC_PER_SEC;
    bool planned = l->speed[axis] != 0, moves = fabs(speed) > least;
    bool as_planned = moves && planned && speed * l->speed[axis] > 0;
    l->from[axis] = at;
    if (planned && fabs(at - l->to[axis]) <= 2 * resolution) {
        l->speed[axis] = 0; /* there */
    } else if (planned && e->told_ns > e->measured_ns) {
        /* told since the last answer: the measured speed is a mean of before and after */
        if (missed <= 2 * resolution)
            l->from[axis] = at + l->speed[axis] * age;
    } else if (as_planned) {
        l->from[axis] = at + speed * age;
        l->speed[axis] = speed;
        if ((l->to[axis] - l->from[axis]) * speed <= 0)
            l->from[axis] = l->to[axis];
    } else if (planned && now_ns - e->told_ns < START_NS) {
        /* not yet, or still the other way: the plan stands, from here */
    } else if (moves) { /* it rolls out, or somebody else moves it */
        double low, high;
        limits(e, axis, &low, &high);
        l->from[axis] = clamp(at + speed * age, low, high);
        l->to[axis] = clamp(at + speed * (age + 2 * step_s), low, high);
        l->speed[axis] = l->to[axis] == l->from[axis] ? 0 : speed;
    } else {
        l->speed[axis] = 0;
    }
}

void estimate_measured(struct estimate *e, int64_t asked_ns, int64_t now_ns, const double at[AXES])
{
    int64_t middle_ns = asked_ns + (now_ns - asked_ns) / 2;
    double step = (double)(middle_ns - e->measured_ns) / (double)NSEC_PER_SEC;
    double half = (double)(now_ns - asked_ns) / 2 / (double)NSEC_PER_SEC;
    bool first = !e->known || step <= 0 || step > (double)STALE_NS / (double)NSEC_PER_SEC;
    const struct leg *was = trajectory_at(&e->way, middle_ns);
    double predicted[AXES];
    for (int a = 0; a < AXES; a++)
        predicted[a] = leg_axis(was, a, middle_ns);
    struct leg *l = begin(e, now_ns);
    struct estimate_doubt *d = doubt_of(e, l);
    e->known = true;
    for (int a = 0; a < AXES; a++) {
        if (!has_axis(e, a))
            continue;
        if (!isfinite(at[a])) {
            e->known = false; /* masks need all of it */
            continue;
        }
        double place = at[a];
        if (a == AXIS_PAN && !first)
            place = predicted[a] + remainder(place - predicted[a], 360);
        double speed = first ? 0 : (place - e->measured[a]) / step;
        double missed = first ? 0 : fabs(place - predicted[a]);
        double planned = l->speed[a];
        correct(e, l, a, place, speed, missed, now_ns - middle_ns, now_ns, first ? 1 : step);
        /* what it may have changed its speed by, as far as answers can tell */
        double change = fmax(0, fabs(speed - planned) - 2 * e->resolution[a] / step);
        d->error[a] = e->resolution[a] + (fabs(speed) + (first ? 0 : change)) * half;
        d->growth[a] = idle(a) + CONFIRMED * fmax(fabs(l->speed[a]), fabs(speed)) +
                       (first ? 0 : change) +
                       (first || missed <= 2 * e->resolution[a] ? 0 : missed / step);
        e->measured[a] = place;
    }
    e->measured_ns = middle_ns;
}

void estimate_lost(struct estimate *e)
{
    e->known = false;
}

/* The field of view goes with the zoom from the widest to the longest that is known. */
static double hfov_deg(const struct head_caps *c, double zoom_log)
{
    double wide = tan(c->wide_hfov_deg / 2 * RAD), power = 1;
    if (c->max_zoom > 1 && c->tele_hfov_deg > 0 && c->tele_hfov_deg < c->wide_hfov_deg)
        power = log(wide / tan(c->tele_hfov_deg / 2 * RAD)) / log(c->max_zoom);
    return 2 * atan(wide * exp(-zoom_log * power)) / RAD;
}

void estimate_pose(const struct estimate *e, int64_t time_ns, struct pose *ret)
{
    const struct leg *l = trajectory_at(&e->way, time_ns);
    const struct estimate_doubt *d = &e->doubt[l - e->way.leg];
    double zoom = leg_axis(l, AXIS_ZOOM, time_ns);
    double hfov = hfov_deg(&e->caps, zoom);
    *ret = (struct pose){
        .pan_deg = pose_wrap_pan(leg_axis(l, AXIS_PAN, time_ns)),
        .tilt_deg = leg_axis(l, AXIS_TILT, time_ns),
        .zoom = exp(zoom),
        .focus = 1,
        .hfov_deg = hfov,
        /* a wrong zoom moves the edge of the picture */
        .uncertainty_deg = hypot(error_at(d, AXIS_PAN, time_ns), error_at(d, AXIS_TILT, time_ns)) +
                           hfov / 2 * error_at(d, AXIS_ZOOM, time_ns),
        .known = e->known && time_ns - e->measured_ns < STALE_NS,
    };
}

double estimate_goal(const struct estimate *e, int axis, int64_t time_ns)
{
    const struct leg *l = trajectory_at(&e->way, time_ns);
    double goal = leg_moves(l, axis, time_ns) ? l->to[axis] : leg_axis(l, axis, time_ns);
    return axis == AXIS_PAN ? pose_wrap_pan(goal) : goal;
}

bool estimate_moving(const struct estimate *e, int64_t time_ns)
{
    const struct leg *l = trajectory_at(&e->way, time_ns);
    bool yes = false;
    for (int a = 0; a < AXES; a++)
        yes |= leg_moves(l, a, time_ns);
    return yes;
}
