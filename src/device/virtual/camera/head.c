#include "device/virtual/camera/head.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "device/virtual/camera/lens.h"

#define RAD (M_PI / 180)
#define LOWEST_DEG (-90.0)
#define HIGHEST_DEG 20.0
#define PIECES 3
#define HISTORY 64
#define TAKEN_UP_S 0.04 /* that the gear's slack takes to change sides */
#define RINGS_S 0.4     /* after a stop; then it is still */
#define RINGS_HZ 9.0
#define RINGS_DEG 0.012 /* at first, after a full braking */

/* Constant acceleration from `at` on. Zoom is planned in ln(zoom). */
struct piece {
    double at_s; /* since the plan's start */
    double pos, speed, accel;
};

struct plan {
    int64_t start_ns;
    int n;
    struct piece piece[PIECES];
    double end_s; /* INFINITY: goes on */
    double rest;  /* exactly here from end_s on, in the user's unit (zoom as a factor) */
    double rest_pos;
    double slack_from, slack_to; /* the side of the gear's slack before, and once it goes: -1…1 */
    double braking;              /* how hard it stops, 0…1 and its sign */
};

struct axis {
    double min, max; /* planned unit; endless pan: ±INFINITY */
    double speed, accel;
    bool is_zoom;
    struct plan plan[HISTORY]; /* a ring; the newest is n - 1 */
    uint64_t n;
};

enum { PAN, TILT, ZOOM, AXES };

struct virtual_head {
    struct head head;
    struct clock *clock;
    struct lens *lens;    /* NULL: its focus never moves */
    pthread_mutex_t lock; /* leaf: guards axis[] */
    struct axis axis[AXES];
};

static struct virtual_head *of(struct head *h)
{
    return (struct virtual_head *)((char *)h - offsetof(struct virtual_head, head));
}

double head_hfov_deg(double zoom)
{
    return 2 * atan(tan(HEAD_WIDE_HFOV_DEG / 2 * RAD) / zoom) / RAD;
}

static double user_value(const struct axis *a, double pos)
{
    return a->is_zoom ? exp(pos) : pos;
}

/* Position and speed of a plan at a time. */
static void plan_at(const struct plan *p, int64_t time_ns, double *ret_pos, double *ret_speed)
{
    double t = (double)(time_ns - p->start_ns) / 1e9;
    if (t >= p->end_s) {
        *ret_pos = p->rest_pos;
        *ret_speed = 0;
        return;
    }
    int i = p->n - 1;
    while (i > 0 && t < p->piece[i].at_s)
        i--;
    const struct piece *c = &p->piece[i];
    t = fmax(t - c->at_s, 0);
    *ret_pos = c->pos + c->speed * t + c->accel * t * t / 2;
    *ret_speed = c->speed + c->accel * t;
}

static const struct plan *plan_for(const struct axis *a, int64_t time_ns)
{
    uint64_t oldest = a->n > HISTORY ? a->n - HISTORY : 0, i = a->n - 1;
    while (i > oldest && a->plan[i % HISTORY].start_ns > time_ns)
        i--;
    return &a->plan[i % HISTORY];
}

static double axis_user(const struct axis *a, int64_t time_ns)
{
    const struct plan *p = plan_for(a, time_ns);
    double pos, speed;
    if ((double)(time_ns - p->start_ns) / 1e9 >= p->end_s)
        return p->rest;
    plan_at(p, time_ns, &pos, &speed);
    return user_value(a, pos);
}

/* What the gear does to a plan: it drags the head along on one side of its slack. */
static void put(struct axis *a, struct plan *p)
{
    /* Two commands at one instant: the second replaces the first. */
    if (a->n && a->plan[(a->n - 1) % HISTORY].start_ns == p->start_ns)
        a->n--;
    const struct plan *last = a->n ? &a->plan[(a->n - 1) % HISTORY] : NULL;
    const struct piece *end = p->n ? &p->piece[p->n - 1] : NULL;
    double way = end ? end->speed : 0;
    p->slack_from = last ? last->slack_to : 0;
    p->slack_to = way > 1e-9 ? -1 : way < -1e-9 ? 1 : p->slack_from;
    if (end && isfinite(p->end_s))
        p->braking = copysign(fmin((p->end_s - end->at_s) / 0.05, 1), way);
    if (p->end_s <= 0)
        p->braking = 0;
    a->plan[a->n++ % HISTORY] = *p;
}

static void add_piece(struct plan *p, double at_s, double pos, double speed, double accel)
{
    p->piece[p->n++] = (struct piece){at_s, pos, speed, accel};
}

/* To `target` with at most `most` speed, and stop there. */
static void plan_to(struct axis *a, int64_t now_ns, double target, double rest, double most)
{
    double pos, v, acc = a->accel;
    plan_at(plan_for(a, now_ns), now_ns, &pos, &v);
    struct plan p = {.start_ns = now_ns, .rest = rest, .rest_pos = target};
    double beyond = target - (pos + v * fabs(v) / (2 * acc)); /* of where it can stop */
    double sign = beyond < 0 || (beyond == 0 && v < 0) ? -1 : 1;
    double d = (target - pos) * sign, u = v * sign; /* now the way is forwards */
    double peak = fmin(sqrt(fmax(acc * d + u * u / 2, 0)), most);
    double t1 = fabs(peak - u) / acc, d1 = (u + peak) / 2 * t1, d3 = peak * peak / (2 * acc);
    double t2 = peak > 1e-12 ? fmax((d - d1 - d3) / peak, 0) : 0, t3 = peak / acc;
    add_piece(&p, 0, pos, v, (peak >= u ? acc : -acc) * sign);
    add_piece(&p, t1, pos + d1 * sign, peak * sign, 0);
    add_piece(&p, t1 + t2, target - d3 * sign, peak * sign, -acc * sign);
    p.end_s = t1 + t2 + t3;
    put(a, &p);
}

/* To a speed and on, up to the axis' limit if it has one. */
static void plan_speed(struct axis *a, int64_t now_ns, double speed)
{
    double pos, v;
    plan_at(plan_for(a, now_ns), now_ns, &pos, &v);
    double limit = speed > 0 ? a->max : a->min;
    if (speed == 0) {
        double stop = pos + v * fabs(v) / (2 * a->accel);
        stop = fmin(fmax(stop, a->min), a->max);
        plan_to(a, now_ns, stop, user_value(a, stop), a->speed);
    } else if (isfinite(limit)) {
        plan_to(a, now_ns, limit, user_value(a, limit), fabs(speed));
    } else {
        struct plan p = {.start_ns = now_ns, .end_s = INFINITY};
        double t1 = fabs(speed - v) / a->accel;
        add_piece(&p, 0, pos, v, speed > v ? a->accel : -a->accel);
        add_piece(&p, t1, pos + (v + speed) / 2 * t1, speed, 0);
        put(a, &p);
    }
}

static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static void caps(struct head *h, struct head_caps *ret)
{
    const struct axis *a = of(h)->axis;
    *ret = (struct head_caps){
        .pan = true,
        .tilt = true,
        .zoom = true,
        .min_pan_deg = -180,
        .max_pan_deg = 180,
        .min_tilt_deg = LOWEST_DEG,
        .max_tilt_deg = HIGHEST_DEG,
        .max_zoom = HEAD_MAX_ZOOM,
        .max_pan_speed = a[PAN].speed,
        .max_tilt_speed = a[TILT].speed,
        .max_zoom_speed = a[ZOOM].speed,
        .wide_hfov_deg = HEAD_WIDE_HFOV_DEG,
        .tele_hfov_deg = head_hfov_deg(HEAD_MAX_ZOOM),
    };
}

static int go(struct head *h, double pan_deg, double tilt_deg, double zoom, double speed)
{
    struct virtual_head *v = of(h);
    if (isinf(pan_deg) || isnan(speed))
        return -EINVAL;
    speed = clamp(speed, 0.002, 1);
    pthread_mutex_lock(&v->lock);
    int64_t now = clock_now(v->clock);
    if (!isnan(pan_deg)) {
        double to = pose_wrap_pan(pan_deg), pos, unused;
        plan_at(plan_for(&v->axis[PAN], now), now, &pos, &unused);
        /* The way is planned without wrapping; at rest the wished number is told exactly. */
        double way = pos + pose_wrap_pan(to - pos);
        way += way < v->axis[PAN].min ? 360 : way > v->axis[PAN].max ? -360 : 0;
        if (way < v->axis[PAN].min || way > v->axis[PAN].max)
            way = to = clamp(way, v->axis[PAN].min, v->axis[PAN].max);
        plan_to(&v->axis[PAN], now, way, to, v->axis[PAN].speed * speed);
    }
    if (!isnan(tilt_deg)) {
        double to = clamp(tilt_deg, v->axis[TILT].min, v->axis[TILT].max);
        plan_to(&v->axis[TILT], now, to, to, v->axis[TILT].speed * speed);
    }
    if (!isnan(zoom)) {
        double to = clamp(zoom, exp(v->axis[ZOOM].min), exp(v->axis[ZOOM].max));
        plan_to(&v->axis[ZOOM], now, log(to), to, v->axis[ZOOM].speed * speed);
    }
    pthread_mutex_unlock(&v->lock);
    return 0;
}

static int move(struct head *h, double pan_speed, double tilt_speed, double zoom_speed)
{
    struct virtual_head *v = of(h);
    const double wish[AXES] = {pan_speed, tilt_speed, zoom_speed};
    pthread_mutex_lock(&v->lock);
    int64_t now = clock_now(v->clock);
    for (int i = 0; i < AXES; i++)
        if (!isnan(wish[i]))
            plan_speed(&v->axis[i], now, clamp(wish[i], -v->axis[i].speed, v->axis[i].speed));
    pthread_mutex_unlock(&v->lock);
    return 0;
}

static int stop(struct head *h, bool pan_tilt, bool zoom)
{
    return move(h, pan_tilt ? 0 : NAN, pan_tilt ? 0 : NAN, zoom ? 0 : NAN);
}

/* How far an axis may still ring after a stop. Locked. */
static double ringing(const struct axis *a, int64_t time_ns)
{
    const struct plan *p = plan_for(a, time_ns);
    double since = (double)(time_ns - p->start_ns) / 1e9 - p->end_s;
    return since > 0 && since < RINGS_S ? RINGS_DEG * fabs(p->braking) * exp(-since / 0.08) : 0;
}

static void pose(struct head *h, int64_t time_ns, struct pose *ret)
{
    struct virtual_head *v = of(h);
    pthread_mutex_lock(&v->lock);
    double pan = pose_wrap_pan(axis_user(&v->axis[PAN], time_ns));
    double tilt = axis_user(&v->axis[TILT], time_ns);
    double zoom = axis_user(&v->axis[ZOOM], time_ns);
    bool moved = v->axis[PAN].n > 1 || v->axis[TILT].n > 1;
    double doubt = moved ? M_SQRT2 * HEAD_SLACK_DEG + hypot(ringing(&v->axis[PAN], time_ns),
                                                            ringing(&v->axis[TILT], time_ns))
                         : 0;
    pthread_mutex_unlock(&v->lock);
    zoom = clamp(zoom, 1, HEAD_MAX_ZOOM);
    double focus = virtual_lens_focus(v->lens, time_ns);
    *ret = (struct pose){.pan_deg = pan,
                         .tilt_deg = clamp(tilt, LOWEST_DEG, HIGHEST_DEG),
                         .zoom = zoom,
                         .focus = focus,
                         .hfov_deg = lens_breathe(head_hfov_deg(zoom), focus),
                         .uncertainty_deg = doubt,
                         .known = true};
}

static double axis_play(const struct axis *a, int64_t time_ns)
{
    const struct plan *p = plan_for(a, time_ns);
    double t = (double)(time_ns - p->start_ns) / 1e9, k = clamp(t / TAKEN_UP_S, 0, 1);
    double play = HEAD_SLACK_DEG * (p->slack_from + (p->slack_to - p->slack_from) * k);
    double since = t - p->end_s;
    if (since > 0 && since < RINGS_S)
        play += RINGS_DEG * p->braking * exp(-since / 0.08) * (1 - since / RINGS_S) *
                sin(2 * M_PI * RINGS_HZ * since);
    return play;
}

void virtual_head_play(struct head *h, int64_t time_ns, double *ret_dpan, double *ret_dtilt)
{
    struct virtual_head *v = of(h);
    pthread_mutex_lock(&v->lock);
    *ret_dpan = axis_play(&v->axis[PAN], time_ns);
    *ret_dtilt = axis_play(&v->axis[TILT], time_ns);
    pthread_mutex_unlock(&v->lock);
}

void virtual_head_carry(struct head *h, struct lens *l)
{
    of(h)->lens = l;
}

static bool moving(struct head *h, int64_t time_ns)
{
    struct virtual_head *v = of(h);
    bool any = false;
    pthread_mutex_lock(&v->lock);
    for (int i = 0; i < AXES; i++) {
        const struct plan *p = plan_for(&v->axis[i], time_ns);
        any = any || (double)(time_ns - p->start_ns) / 1e9 < p->end_s;
    }
    pthread_mutex_unlock(&v->lock);
    return any;
}

/* The planned way of pan is not wrapped: its limits lie in the turn that it is in. */
static void limit(struct head *h, const struct head_limits *l)
{
    struct virtual_head *v = of(h);
    double pos, unused;
    pthread_mutex_lock(&v->lock);
    int64_t now = clock_now(v->clock);
    struct axis *pan = &v->axis[PAN];
    plan_at(plan_for(pan, now), now, &pos, &unused);
    double middle = (l->min_pan_deg + l->max_pan_deg) / 2,
           turns = round((pos - middle) / 360) * 360;
    bool endless = l->max_pan_deg - l->min_pan_deg >= 360;
    pan->min = endless ? -INFINITY : l->min_pan_deg + turns;
    pan->max = endless ? INFINITY : l->max_pan_deg + turns;
    v->axis[TILT].min = fmax(l->min_tilt_deg, LOWEST_DEG);
    v->axis[TILT].max = fmin(l->max_tilt_deg, HIGHEST_DEG);
    v->axis[ZOOM].min = log(fmax(l->min_zoom, 1));
    v->axis[ZOOM].max = log(fmin(l->max_zoom, HEAD_MAX_ZOOM));
    pthread_mutex_unlock(&v->lock);
}

static const struct head_ops ops = {.caps = caps,
                                    .go = go,
                                    .move = move,
                                    .stop = stop,
                                    .pose = pose,
                                    .moving = moving,
                                    .limit = limit};

struct head *virtual_head_new(struct clock *clock)
{
    struct virtual_head *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->head.ops = &ops;
    v->clock = clock;
    pthread_mutex_init(&v->lock, NULL);
    v->axis[PAN] = (struct axis){.min = -INFINITY, .max = INFINITY, .speed = 300, .accel = 700};
    v->axis[TILT] =
        (struct axis){.min = LOWEST_DEG, .max = HIGHEST_DEG, .speed = 180, .accel = 500};
    v->axis[ZOOM] = (struct axis){
        .min = 0, .max = log(HEAD_MAX_ZOOM), .speed = 1.6, .accel = 5, .is_zoom = true};
    const double start[AXES] = {0, 0, 1}; /* home */
    for (int i = 0; i < AXES; i++) {
        struct plan p = {.start_ns = INT64_MIN / 2,
                         .n = 1,
                         .rest = start[i],
                         .rest_pos = i == ZOOM ? 0 : start[i]};
        put(&v->axis[i], &p);
    }
    return &v->head;
}

struct head *virtual_head_free(struct head *h)
{
    if (!h)
        return NULL;
    pthread_mutex_destroy(&of(h)->lock);
    free(of(h));
    return NULL;
}
