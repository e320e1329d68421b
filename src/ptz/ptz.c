#include "ptz/ptz.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/loop.h"
#include "conf/param.h"
#include "event/event.h"
#include "media/frame.h"
#include "ptz/fit.h"

/* Never at the moment of a picture, which would have to guess whether it comes first. */
#define POLL_NS (50 * NSEC_PER_MSEC - 1)
#define AHEAD_NS (300 * NSEC_PER_MSEC) /* a head that knows no limits is stopped so early */
#define AHEAD_STEPS 6

#define TOPIC(n)                                                                                   \
    {                                                                                              \
        .name = "PTZController/Move/Channel_" #n, .title = "PTZ movement", .is_state = true,       \
        .state_key = "is_moving"                                                                   \
    }
static const struct event_topic moving_topics[VIEWS_MOST] = {
    TOPIC(1), TOPIC(2), TOPIC(3), TOPIC(4), TOPIC(5), TOPIC(6), TOPIC(7), TOPIC(8), TOPIC(9)};

static const struct param_row param_rows[] = {
    {.name = "PTZ.Various.V1.MoveTimeout",
     .type = PARAM_INT,
     PARAM_FIELD(struct ptz_settings, move_timeout_s),
     .min = 0,
     .max = 3600,
     .standard = "0",
     .read = ROLE_VIEWER,
     .write = ROLE_ADMIN,
     .unit = "s",
     .doc = "Continuous moves stop by themselves after this time; 0: they go on until told"},
    {.name = "PTZ.Various.V1.ReturnToOverview",
     PARAM_FIELD(struct ptz_settings, return_s),
     .type = PARAM_INT,
     .min = 0,
     .max = 300,
     .standard = "0",
     .read = ROLE_VIEWER,
     .write = ROLE_ADMIN,
     .unit = "s",
     .doc = "The camera goes home after this time without a move; 0: it stays"},
};
const struct room_desc ptz_room_desc = {
    .name = "ptz",
    .size = sizeof(struct ptz_settings),
    .rows = param_rows,
    .n_rows = sizeof param_rows / sizeof *param_rows,
};

enum motion { AT_REST, MOTION_ABSOLUTE, MOTION_RELATIVE, MOTION_CONTINUOUS };

struct ptz {
    struct loop *loop;
    struct head *head;
    struct events *events; /* NULL: nobody is told of moves */
    int channel;           /* of those events */
    struct head_caps caps;
    struct head_limits limits;
    struct ptz_listener *listeners, *telling;
    ptz_order_fn *record;
    void *record_arg;
    double aspect, speed;
    bool proportional, turned;
    enum motion motion;
    double target_pan, target_tilt, target_zoom; /* NAN: this axis goes nowhere known */
    double want_pan, want_tilt;                  /* of a continuous move, -1…+1 */
    double after_pan, after_speed; /* where to once a way around what is forbidden is half done */
    struct loop_timer dead_man, poll;
    bool told_moving;
};

static void on_dead_man(struct loop_timer *t);
static void on_poll(struct loop_timer *t);

struct ptz *ptz_new(struct loop *loop, struct head *head, struct events *events, double aspect)
{
    struct ptz *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->loop = loop;
    p->head = head;
    p->aspect = aspect;
    p->speed = 1;
    p->proportional = true;
    p->target_pan = p->target_tilt = p->target_zoom = p->after_pan = NAN;
    p->dead_man = (struct loop_timer){.name = "ptz-dead-man", .fire = on_dead_man};
    p->poll = (struct loop_timer){.name = "ptz-poll", .fire = on_poll};
    if (head)
        head->ops->caps(head, &p->caps);
    p->limits = (struct head_limits){
        p->caps.min_pan_deg, p->caps.max_pan_deg, p->caps.min_tilt_deg, p->caps.max_tilt_deg, 1,
        p->caps.max_zoom};
    if (events)
        ptz_use_events(p, events, 1);
    return p;
}

void ptz_use_events(struct ptz *p, struct events *events, int channel)
{
    p->events = events;
    p->channel = channel;
    events_declare(events, &moving_topics[channel - 1]);
}

struct ptz *ptz_free(struct ptz *p)
{
    if (!p)
        return NULL;
    loop_timer_cancel(&p->dead_man);
    loop_timer_cancel(&p->poll);
    free(p);
    return NULL;
}

bool ptz_exists(const struct ptz *p)
{
    return p->head != NULL;
}

void ptz_caps(struct ptz *p, struct head_caps *ret)
{
    *ret = p->caps;
}

static int64_t now(struct ptz *p)
{
    return clock_now(loop_clock(p->loop));
}

static int need_head(struct ptz *p, struct fault *why)
{
    return p->head
               ? 0
               : fault_set(why, FAULT_UNSUPPORTED, NULL, "this camera has no pan, tilt and zoom");
}

void ptz_set_turned(struct ptz *p, bool turned)
{
    p->turned = turned;
}

void ptz_pose(struct ptz *p, struct pose *ret)
{
    if (p->head)
        p->head->ops->pose(p->head, now(p), ret);
    else
        *ret = (struct pose){.zoom = 1, .hfov_deg = p->caps.wide_hfov_deg, .known = true};
}

bool ptz_moving(struct ptz *p)
{
    return p->head && p->head->ops->moving(p->head, now(p));
}

void ptz_listen(struct ptz *p, struct ptz_listener *l)
{
    struct ptz_listener **at = &p->listeners;
    while (*at)
        at = &(*at)->next;
    l->next = NULL;
    *at = l;
}

void ptz_unlisten(struct ptz *p, struct ptz_listener *l)
{
    if (p->telling == l)
        p->telling = l->next;
    for (struct ptz_listener **at = &p->listeners; *at; at = &(*at)->next) {
        if (*at == l) {
            *at = l->next;
            break;
        }
    }
}

/* A listener may order in turn: then the rest hear of the new order only. */
static void tell(struct ptz *p, enum ptz_news what)
{
    for (struct ptz_listener *l = p->listeners; l; l = p->telling) {
        p->telling = l->next;
        l->heard(l, what);
    }
}

static void tell_moving(struct ptz *p, bool moving)
{
    if (p->told_moving == moving || !p->events)
        return;
    p->told_moving = moving;
    const char channel[] = {(char)('0' + p->channel), '\0'};
    const struct event_item source = {"PTZConfigurationToken", channel};
    const struct event_item data = {"is_moving", moving ? "1" : "0"};
    event_publish(p->events, moving_topics[p->channel - 1].name, &source, 1, &data, 1);
}

/* Full deflection shows the same picture speed at every zoom: the share of the view
 * that passes in a second stays, so that 30× can be steered by hand. */
static double speed_scale(struct ptz *p)
{
    struct pose pose;
    ptz_pose(p, &pose);
    if (!p->proportional || p->caps.wide_hfov_deg <= 0 || pose.hfov_deg <= 0)
        return 1;
    double scale = pose.hfov_deg / p->caps.wide_hfov_deg;
    return scale < 1 ? scale : 1;
}

/* A stick is fine near the middle, all of it at the end; who wants no proportional speed means
 * what he says: a machine, such as another camera whose head this one is. */
static double curve(const struct ptz *p, double v)
{
    return p->proportional ? v * (0.25 + 0.75 * fabs(v)) : v;
}

void ptz_record(struct ptz *p, ptz_order_fn *fn, void *arg)
{
    p->record = fn;
    p->record_arg = arg;
}

static int order_go(struct ptz *p, double pan, double tilt, double zoom, double speed)
{
    const struct ptz_order o = {true, pan, tilt, zoom, speed};
    if (p->record)
        p->record(&o, p->record_arg);
    return p->head->ops->go(p->head, pan, tilt, zoom, speed);
}

static int order_move(struct ptz *p, double pan, double tilt, double zoom)
{
    const struct ptz_order o = {false, pan, tilt, zoom, 1};
    if (p->record)
        p->record(&o, p->record_arg);
    return p->head->ops->move(p->head, pan, tilt, zoom);
}

/* Which axes will lie outside soon if the head goes on so, each where it belongs; NAN: inside. In
 * steps, so that nothing is jumped over. speed NULL: as the head itself expects. */
static bool outside_soon(const struct ptz *p, const double speed[3], double ret[3])
{
    struct pose at, soon;
    bool any = false;
    p->head->ops->pose(p->head, clock_now(loop_clock(p->loop)), &at);
    ret[0] = ret[1] = ret[2] = NAN;
    for (int i = 1; i <= AHEAD_STEPS && !any; i++) {
        double s = (double)AHEAD_NS / NSEC_PER_SEC * i / AHEAD_STEPS;
        soon = at;
        if (speed) {
            soon.pan_deg = pose_wrap_pan(at.pan_deg + (isnan(speed[0]) ? 0 : speed[0] * s));
            soon.tilt_deg += isnan(speed[1]) ? 0 : speed[1] * s;
            soon.zoom *= isnan(speed[2]) ? 1 : exp(speed[2] * s);
        } else {
            p->head->ops->pose(p->head, clock_now(loop_clock(p->loop)) + AHEAD_NS * i / AHEAD_STEPS,
                               &soon);
        }
        any = fit_outside(&p->caps, &p->limits, &soon, ret);
    }
    return any;
}

/* Moves on, as far as is allowed: a head without limits of its own is sent to the limit of an
 * axis that it is about to pass. */
static int order_within(struct ptz *p, double pan, double tilt, double zoom)
{
    const double most[3] = {p->caps.max_pan_speed, p->caps.max_tilt_speed, p->caps.max_zoom_speed};
    double speed[3] = {pan, tilt, zoom}, to[3], share = 0;
    if (p->head->ops->limit || !outside_soon(p, speed, to))
        return order_move(p, pan, tilt, zoom);
    for (int i = 0; i < 3; i++) {
        if (isnan(to[i]) || isnan(speed[i]) || fabs(speed[i]) <= 0) {
            to[i] = NAN;
            continue;
        }
        if (most[i] > 0)
            share = fmax(share, fabs(speed[i]) / most[i]);
        speed[i] = NAN;
        p->want_pan = i == 0 ? NAN : p->want_pan; /* not to be renewed */
        p->want_tilt = i == 1 ? NAN : p->want_tilt;
    }
    int err = order_move(p, speed[0], speed[1], speed[2]);
    if (!err && !(isnan(to[0]) && isnan(to[1]) && isnan(to[2])))
        err = order_go(p, to[0], to[1], to[2], fit_clamp(share, 0.001, 1));
    return err;
}

static int head_move(struct ptz *p, double zoom_speed)
{
    double scale = speed_scale(p);
    return order_within(
        p, isnan(p->want_pan) ? NAN : curve(p, p->want_pan) * p->caps.max_pan_speed * scale,
        isnan(p->want_tilt) ? NAN : curve(p, p->want_tilt) * p->caps.max_tilt_speed * scale,
        zoom_speed);
}

/* On its way it is turned back before it gets there. */
static void watch_limits(struct ptz *p)
{
    double to[3];
    if (p->head->ops->limit || p->motion != MOTION_CONTINUOUS || !outside_soon(p, NULL, to))
        return;
    p->want_pan = isnan(to[0]) ? p->want_pan : NAN; /* not to be renewed */
    p->want_tilt = isnan(to[1]) ? p->want_tilt : NAN;
    order_go(p, to[0], to[1], to[2], p->speed);
}

/* The rest of a way that goes round by the other side. */
static void go_on(struct ptz *p)
{
    struct pose at;
    if (isnan(p->after_pan))
        return;
    ptz_pose(p, &at);
    double middle = (p->limits.min_pan_deg + p->limits.max_pan_deg) / 2;
    double from = pose_wrap_pan(at.pan_deg - middle), to = pose_wrap_pan(p->after_pan - middle);
    if (fabs(from - to) >= 170)
        return;
    order_go(p, p->after_pan, NAN, NAN, p->after_speed);
    p->after_pan = NAN;
}

static void on_poll(struct loop_timer *t)
{
    struct ptz *p = container_of(t, struct ptz, poll);
    go_on(p);
    watch_limits(p);
    if (ptz_moving(p)) {
        /* The zoom may have changed since: keep the picture speed. */
        if (p->motion == MOTION_CONTINUOUS && (fabs(p->want_pan) > 0 || fabs(p->want_tilt) > 0))
            head_move(p, NAN);
        tell_moving(p, true);
        loop_timer_in(p->loop, &p->poll, POLL_NS);
        return;
    }
    p->motion = AT_REST;
    p->target_pan = p->target_tilt = p->target_zoom = NAN;
    tell_moving(p, false);
    tell(p, PTZ_RESTS);
}

static void started(struct ptz *p)
{
    tell_moving(p, ptz_moving(p));
    loop_timer_in(p->loop, &p->poll, POLL_NS);
    tell(p, PTZ_BEGAN);
}

/* The shorter way of an endless head without limits of its own may pass what is forbidden: then
 * it first goes to the middle of what is allowed. */
static double first_pan(struct ptz *p, double pan, double speed)
{
    struct pose at;
    double middle = (p->limits.min_pan_deg + p->limits.max_pan_deg) / 2;
    p->after_pan = NAN;
    if (isnan(pan) || p->head->ops->limit || fit_endless(&p->limits) ||
        p->caps.max_pan_deg - p->caps.min_pan_deg < 360)
        return pan;
    ptz_pose(p, &at);
    double from = pose_wrap_pan(at.pan_deg - middle), to = pose_wrap_pan(pan - middle);
    if (fabs(from - to) < 180)
        return pan;
    p->after_pan = pan;
    p->after_speed = speed;
    return pose_wrap_pan(middle);
}

static int go(struct ptz *p, enum motion motion, double pan, double tilt, double zoom, double speed,
              struct fault *why)
{
    int err = need_head(p, why);
    if (err)
        return err;
    if ((!isnan(pan) && !isfinite(pan)) || (!isnan(tilt) && !isfinite(tilt)) ||
        (!isnan(zoom) && !(isfinite(zoom) && zoom > 0)))
        return fault_set(why, FAULT_INVALID, NULL, "a position must be a finite number");
    loop_timer_cancel(&p->dead_man);
    pan = fit_pan(&p->caps, &p->limits, pan);
    tilt = fit_tilt(&p->caps, &p->limits, tilt);
    zoom = fit_zoom(&p->caps, &p->limits, zoom);
    speed = isnan(speed) ? p->speed : fit_clamp(speed, 0.001, 1);
    err = order_go(p, first_pan(p, pan, speed), tilt, zoom, speed);
    if (err)
        return fault_set(why, FAULT_IO, NULL, "the head does not obey");
    if (!isnan(pan) || !isnan(tilt)) {
        p->target_pan = isnan(pan) ? p->target_pan : pan;
        p->target_tilt = isnan(tilt) ? p->target_tilt : tilt;
        p->want_pan = isnan(pan) ? p->want_pan : 0;
        p->want_tilt = isnan(tilt) ? p->want_tilt : 0;
    }
    if (!isnan(zoom))
        p->target_zoom = zoom;
    p->motion = motion;
    started(p);
    return 0;
}

int ptz_absolute(struct ptz *p, double pan_deg, double tilt_deg, double zoom, double speed,
                 struct fault *why)
{
    return go(p, MOTION_ABSOLUTE, pan_deg, tilt_deg, zoom, speed, why);
}

int ptz_relative(struct ptz *p, double pan_deg, double tilt_deg, double zoom_factor, double speed,
                 struct fault *why)
{
    int err = need_head(p, why);
    if (err)
        return err;
    /* Steps that follow each other quickly add up; any other motion is left behind. */
    struct pose from;
    ptz_pose(p, &from);
    if (p->motion == MOTION_RELATIVE)
        ptz_target(p, &from);
    double sign = p->turned ? -1 : 1;
    pan_deg *= sign;
    tilt_deg *= sign;
    return go(p, MOTION_RELATIVE, from.pan_deg + pan_deg, from.tilt_deg + tilt_deg,
              from.zoom * zoom_factor, speed, why);
}

int ptz_continuous(struct ptz *p, double pan, double tilt, double zoom, int64_t timeout_ns,
                   struct fault *why)
{
    int err = need_head(p, why);
    if (err)
        return err;
    if ((!isnan(pan) && !isfinite(pan)) || (!isnan(tilt) && !isfinite(tilt)) ||
        (!isnan(zoom) && !isfinite(zoom)))
        return fault_set(why, FAULT_INVALID, NULL, "a speed must be a finite number");
    if (!isnan(pan) || !isnan(tilt)) {
        double sign = p->turned ? -1 : 1;
        p->want_pan = isnan(pan) || !p->caps.pan ? NAN : sign * fit_clamp(pan, -1, 1);
        p->want_tilt = isnan(tilt) || !p->caps.tilt ? NAN : sign * fit_clamp(tilt, -1, 1);
        p->target_pan = p->target_tilt = NAN;
        p->motion = MOTION_CONTINUOUS;
    } else if (p->motion != MOTION_CONTINUOUS) {
        p->want_pan = p->want_tilt = NAN; /* zoom alone: a move of the head goes on */
    }
    p->after_pan = NAN;
    double zoom_speed = NAN;
    if (!isnan(zoom) && p->caps.zoom) {
        zoom_speed = fit_clamp(zoom, -1, 1) * p->caps.max_zoom_speed;
        p->target_zoom = NAN;
    }
    if (head_move(p, zoom_speed) < 0)
        return fault_set(why, FAULT_IO, NULL, "the head does not obey");
    if (timeout_ns > 0)
        loop_timer_in(p->loop, &p->dead_man, timeout_ns);
    else
        loop_timer_cancel(&p->dead_man);
    started(p);
    return 0;
}

int ptz_stop(struct ptz *p, bool pan_tilt, bool zoom)
{
    if (!p->head)
        return -ENOTSUP;
    p->after_pan = NAN;
    if (pan_tilt) {
        p->want_pan = p->want_tilt = 0;
        p->target_pan = p->target_tilt = NAN;
    }
    if (zoom)
        p->target_zoom = NAN;
    if (pan_tilt && zoom)
        loop_timer_cancel(&p->dead_man);
    const struct ptz_order o = {false, pan_tilt ? 0 : NAN, pan_tilt ? 0 : NAN, zoom ? 0 : NAN, 1};
    if (p->record)
        p->record(&o, p->record_arg);
    int err = p->head->ops->stop(p->head, pan_tilt, zoom);
    started(p);
    return err;
}

static void on_dead_man(struct loop_timer *t)
{
    ptz_stop(container_of(t, struct ptz, dead_man), true, true);
}

int ptz_center(struct ptz *p, double x, double y, double zoom_by, double speed, struct fault *why)
{
    int err = need_head(p, why);
    if (err)
        return err;
    if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1))
        return fault_set(why, FAULT_INVALID, NULL, "the point lies outside of the picture");
    if (!(zoom_by > 0 && isfinite(zoom_by)))
        return fault_set(why, FAULT_INVALID, NULL, "the zoom must be a positive number");
    struct pose pose;
    ptz_pose(p, &pose);
    double pan, tilt;
    pose_unproject(&pose, p->aspect, x, y, &pan, &tilt);
    return go(p, MOTION_ABSOLUTE, pan, tilt, pose.zoom * zoom_by, speed, why);
}

int ptz_drive(struct ptz *p, double pan_speed, double tilt_speed, double zoom_speed,
              struct fault *why)
{
    int err = need_head(p, why);
    if (err)
        return err;
    loop_timer_cancel(&p->dead_man);
    p->motion = MOTION_CONTINUOUS;
    p->want_pan = p->want_tilt = 0; /* not the poll's to renew */
    p->target_pan = p->target_tilt = p->target_zoom = p->after_pan = NAN;
    if (order_within(p, p->caps.pan ? pan_speed : NAN, p->caps.tilt ? tilt_speed : NAN,
                     p->caps.zoom ? zoom_speed : NAN) < 0)
        return fault_set(why, FAULT_IO, NULL, "the head does not obey");
    started(p);
    return 0;
}

void ptz_limit(struct ptz *p, const struct head_limits *l)
{
    struct pose at, to;
    double in[3];
    p->limits = *l;
    if (!p->head)
        return;
    if (p->head->ops->limit)
        p->head->ops->limit(p->head, l);
    ptz_pose(p, &at);
    ptz_target(p, &to);
    bool continuous = p->motion == MOTION_CONTINUOUS && ptz_moving(p);
    if (continuous && p->head->ops->limit)
        ptz_stop(p, true, true); /* its way was planned without them */
    if (fit_outside(&p->caps, &p->limits, &to, in) || fit_outside(&p->caps, &p->limits, &at, in)) {
        const double wish[3] = {to.pan_deg, to.tilt_deg, to.zoom};
        go(p, MOTION_ABSOLUTE, isnan(in[0]) ? NAN : wish[0], isnan(in[1]) ? NAN : wish[1],
           isnan(in[2]) ? NAN : wish[2], NAN, NULL);
    }
}

void ptz_limits(struct ptz *p, struct head_limits *ret)
{
    *ret = p->limits;
}

int ptz_set_speed(struct ptz *p, double speed, struct fault *why)
{
    int err = need_head(p, why);
    if (err)
        return err;
    if (!(speed > 0 && speed <= 1))
        return fault_set(why, FAULT_INVALID, "speed", "the speed must lie above 0 and up to 1");
    p->speed = speed;
    return 0;
}

double ptz_speed(const struct ptz *p)
{
    return p->speed;
}

void ptz_set_proportional(struct ptz *p, bool proportional)
{
    p->proportional = proportional;
}

void ptz_target(struct ptz *p, struct pose *ret)
{
    ptz_pose(p, ret);
    if (!ptz_moving(p))
        return;
    if (!isnan(p->target_pan))
        ret->pan_deg = p->target_pan;
    if (!isnan(p->target_tilt))
        ret->tilt_deg = p->target_tilt;
    if (!isnan(p->target_zoom))
        ret->zoom = p->target_zoom;
}

unsigned ptz_at_limit(struct ptz *p)
{
    if (!p->head)
        return 0;
    struct pose pose;
    ptz_pose(p, &pose);
    return fit_touched(&p->limits, &pose);
}
