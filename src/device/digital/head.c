#include "device/digital/head.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "device/trajectory.h"

#define RAD (M_PI / 180)
#define WIDE_DEG 60.0
#define MAX_ZOOM 8.0
#define PAN_SPEED 30.0  /* deg/s */
#define TILT_SPEED 20.0 /* deg/s */
#define ZOOM_SPEED 1.2  /* ln(zoom)/s */

struct digital_head {
    struct head base;
    struct clock *clock;
    double aspect;
    pthread_mutex_t lock;
    struct trajectory way;
};

static const double max_speed[AXES] = {PAN_SPEED, TILT_SPEED, ZOOM_SPEED};

static double half_tan(void)
{
    return tan(WIDE_DEG / 2 * RAD);
}

/* How far it can turn at this zoom. */
static double limit_of(const struct digital_head *d, int axis, double zoom)
{
    if (axis == AXIS_ZOOM)
        return log(MAX_ZOOM);
    double edge = axis == AXIS_PAN ? half_tan() : half_tan() / d->aspect;
    return atan(edge * (1 - 1 / zoom)) / RAD;
}

static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static void where(const struct digital_head *d, const struct leg *p, int64_t time_ns,
                  double ret[AXES])
{
    ret[AXIS_ZOOM] = leg_axis(p, AXIS_ZOOM, time_ns);
    for (int a = 0; a < AXIS_ZOOM; a++) {
        double limit = limit_of(d, a, exp(ret[AXIS_ZOOM]));
        ret[a] = clamp(leg_axis(p, a, time_ns), -limit, limit);
    }
}

static void caps(struct head *h, struct head_caps *ret)
{
    struct digital_head *d = container_of(h, struct digital_head, base);
    double pan = limit_of(d, AXIS_PAN, MAX_ZOOM), tilt = limit_of(d, AXIS_TILT, MAX_ZOOM);
    *ret = (struct head_caps){
        .pan = true,
        .tilt = true,
        .zoom = true,
        .digital = true,
        .min_pan_deg = -pan,
        .max_pan_deg = pan,
        .min_tilt_deg = -tilt,
        .max_tilt_deg = tilt,
        .max_zoom = MAX_ZOOM,
        .max_pan_speed = PAN_SPEED,
        .max_tilt_speed = TILT_SPEED,
        .max_zoom_speed = ZOOM_SPEED,
        .wide_hfov_deg = WIDE_DEG,
        .tele_hfov_deg = 2 * atan(half_tan() / MAX_ZOOM) / RAD,
    };
}

/* The caller changes what it wants. Locked. */
static struct leg *begin(struct digital_head *d)
{
    int64_t now_ns = clock_now(d->clock);
    const struct leg *old = trajectory_at(&d->way, now_ns);
    double from[AXES];
    where(d, old, now_ns, from);
    struct leg *l = trajectory_begin(&d->way, now_ns);
    for (int a = 0; a < AXES; a++)
        l->from[a] = from[a];
    return l;
}

static int go(struct head *h, double pan_deg, double tilt_deg, double zoom, double speed)
{
    struct digital_head *d = container_of(h, struct digital_head, base);
    double to[AXES] = {pan_deg, tilt_deg, isnan(zoom) ? NAN : log(clamp(zoom, 1, MAX_ZOOM))};
    double share = isnan(speed) ? 1 : clamp(speed, 0.01, 1);
    pthread_mutex_lock(&d->lock);
    struct leg *p = begin(d);
    if (!isnan(to[AXIS_ZOOM]))
        leg_aim(p, AXIS_ZOOM, to[AXIS_ZOOM], ZOOM_SPEED * share);
    double zoom_then = exp(p->speed[AXIS_ZOOM] != 0 ? p->to[AXIS_ZOOM] : p->from[AXIS_ZOOM]);
    for (int a = 0; a < AXIS_ZOOM; a++) {
        double limit = limit_of(d, a, zoom_then);
        if (!isnan(to[a]))
            leg_aim(p, a, clamp(to[a], -limit, limit), max_speed[a] * share);
    }
    pthread_mutex_unlock(&d->lock);
    return 0;
}

static int move(struct head *h, double pan_speed, double tilt_speed, double zoom_speed)
{
    struct digital_head *d = container_of(h, struct digital_head, base);
    double speed[AXES] = {pan_speed, tilt_speed, zoom_speed};
    pthread_mutex_lock(&d->lock);
    struct leg *p = begin(d);
    for (int a = AXES - 1; a >= 0; a--) {
        if (isnan(speed[a]))
            continue;
        double v = clamp(speed[a], -max_speed[a], max_speed[a]);
        double limit =
            limit_of(d, a, exp(p->speed[AXIS_ZOOM] != 0 ? p->to[AXIS_ZOOM] : p->from[AXIS_ZOOM]));
        double low = a == AXIS_ZOOM ? 0 : -limit;
        p->to[a] = v > 0 ? limit : v < 0 ? low : p->from[a];
        p->speed[a] = p->to[a] == p->from[a] ? 0 : v;
    }
    pthread_mutex_unlock(&d->lock);
    return 0;
}

static int stop(struct head *h, bool pan_tilt, bool zoom)
{
    struct digital_head *d = container_of(h, struct digital_head, base);
    pthread_mutex_lock(&d->lock);
    struct leg *p = begin(d);
    if (pan_tilt)
        p->speed[AXIS_PAN] = p->speed[AXIS_TILT] = 0;
    if (zoom)
        p->speed[AXIS_ZOOM] = 0;
    pthread_mutex_unlock(&d->lock);
    return 0;
}

static void pose(struct head *h, int64_t time_ns, struct pose *ret)
{
    struct digital_head *d = container_of(h, struct digital_head, base);
    double at[AXES];
    pthread_mutex_lock(&d->lock);
    where(d, trajectory_at(&d->way, time_ns), time_ns, at);
    pthread_mutex_unlock(&d->lock);
    double z = exp(at[AXIS_ZOOM]);
    *ret = (struct pose){
        .pan_deg = at[AXIS_PAN],
        .tilt_deg = at[AXIS_TILT],
        .zoom = z,
        .focus = 1,
        .hfov_deg = 2 * atan(half_tan() / z) / RAD,
        .known = true,
    };
}

static bool moving(struct head *h, int64_t time_ns)
{
    struct digital_head *d = container_of(h, struct digital_head, base);
    bool yes = false;
    pthread_mutex_lock(&d->lock);
    const struct leg *p = trajectory_at(&d->way, time_ns);
    for (int a = 0; a < AXES; a++)
        yes |= leg_moves(p, a, time_ns);
    pthread_mutex_unlock(&d->lock);
    return yes;
}

static const struct head_ops ops = {
    .caps = caps,
    .go = go,
    .move = move,
    .stop = stop,
    .pose = pose,
    .moving = moving,
};

struct digital_head *digital_head_new(struct clock *clock, double aspect)
{
    struct digital_head *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->base.ops = &ops;
    d->clock = clock;
    d->aspect = aspect;
    pthread_mutex_init(&d->lock, NULL);
    return d;
}

struct digital_head *digital_head_free(struct digital_head *d)
{
    if (!d)
        return NULL;
    pthread_mutex_destroy(&d->lock);
    free(d);
    return NULL;
}

struct head *digital_head_port(struct digital_head *d)
{
    return &d->base;
}

double digital_head_lens_deg(void)
{
    return WIDE_DEG;
}

void digital_head_crop(const struct pose *p, int width, int height, double *ret_x, double *ret_y,
                       double *ret_w, double *ret_h)
{
    double w = width / p->zoom, h = height / p->zoom;
    double edge_x = half_tan(), edge_y = half_tan() * height / width;
    double x = width / 2.0 * (1 + tan(p->pan_deg * RAD) / edge_x) - w / 2;
    double y = height / 2.0 * (1 - tan(p->tilt_deg * RAD) / edge_y) - h / 2;
    *ret_x = clamp(x, 0, width - w);
    *ret_y = clamp(y, 0, height - h);
    *ret_w = w;
    *ret_h = h;
}
