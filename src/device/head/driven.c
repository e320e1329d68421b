#include "device/head/driven.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "device/head/driver.h"
#include "device/head/estimate.h"
#include "device/head/table.h"
#include "device/waker.h"

#define ASK_AT_START_MS 3000
#define FIRST_WAIT_MS 500
#define MAX_WAIT_MS 8000
#define SAME_SPEED 0.01 /* of the most */
#define AGAIN_NS (2 * NSEC_PER_SEC)

/* What is wanted of an axis and not told yet. */
enum want { WANT_NOTHING, WANT_GO, WANT_MOVE };

struct driven_head {
    struct head base;
    const struct head_driver *driver;
    struct head_link *link;
    struct head_spec spec;
    struct head_caps caps; /* settled before driven_head_open() is over */
    struct clock *clock;
    struct head_host host;
    struct waker wake, heard, quit;
    pthread_t thread;
    bool has_thread;
    atomic_bool connected;

    pthread_mutex_t lock;
    bool settled;
    struct estimate estimate;
    enum want want[AXES];
    double value[AXES]; /* where to, or how fast */
    double share;

    enum want told[AXES]; /* what the axis does, as far as was wanted */
    double told_value[AXES];
    int64_t told_ns[AXES];

    /* the thread */
    bool runs[AXES];      /* moves on until told otherwise */
    char complained[128]; /* of what; empty: all is well */
};

bool head_given_up(void *host)
{
    struct pollfd p = {.fd = ((struct head_host *)host)->quit->fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

int head_wait(const struct head_host *host, int fd, int events, int timeout_ms)
{
    struct pollfd p[2] = {{.fd = host->quit->fd, .events = POLLIN},
                          {.fd = fd, .events = (short)events}};
    int n = poll(p, 2, timeout_ms);
    if (n <= 0)
        return 0;
    return p[0].revents ? -ECANCELED : 1;
}

/* What it says first, or what its kind is if it says nothing in time, is what we are until
 * we are started again. */
static void settle(struct driven_head *d, const struct head_caps *heard)
{
    struct head_caps c = *heard;
    pthread_mutex_lock(&d->lock);
    if (!d->settled) {
        if (d->spec.pan_reversed) {
            c.min_pan_deg = -heard->max_pan_deg;
            c.max_pan_deg = -heard->min_pan_deg;
        }
        if (d->spec.tilt_reversed) {
            c.min_tilt_deg = -heard->max_tilt_deg;
            c.max_tilt_deg = -heard->min_tilt_deg;
        }
        head_spec_apply(&d->spec, &c);
        d->caps = c;
        estimate_init(&d->estimate, &c, d->driver->resolution);
        d->settled = true;
    }
    pthread_mutex_unlock(&d->lock);
}

/* Between its directions and ours. */
static void turn_signs(const struct driven_head *d, double v[AXES])
{
    v[AXIS_PAN] *= d->spec.pan_reversed ? -1 : 1;
    v[AXIS_TILT] *= d->spec.tilt_reversed ? -1 : 1;
}

/* ---- the thread ---- */

/* Some heads take pan and tilt by one command: the axis of which nothing new is wanted goes on
 * with what it does. Locked. */
static void fill_pair(struct driven_head *d, double to[AXES], double speed[AXES])
{
    int64_t now_ns = clock_now(d->clock);
    for (int a = AXIS_PAN; a <= AXIS_TILT; a++) {
        int other = a == AXIS_PAN ? AXIS_TILT : AXIS_PAN;
        if (isnan(to[a]) && !isnan(to[other]))
            to[a] = estimate_goal(&d->estimate, a, now_ns);
        if (isnan(speed[a]) && !isnan(speed[other]))
            speed[a] = d->told[a] == WANT_MOVE ? d->told_value[a] : 0;
    }
}

/* Tells what is wanted. */
static int tell(struct driven_head *d)
{
    double to[AXES], speed[AXES], share;
    bool go = false, move = false;
    pthread_mutex_lock(&d->lock);
    for (int a = 0; a < AXES; a++) {
        to[a] = d->want[a] == WANT_GO ? d->value[a] : NAN;
        speed[a] = d->want[a] == WANT_MOVE ? d->value[a] : NAN;
        go |= d->want[a] == WANT_GO;
        move |= d->want[a] == WANT_MOVE;
        if (d->want[a] != WANT_NOTHING)
            d->runs[a] = d->want[a] == WANT_MOVE && d->value[a] != 0;
        d->want[a] = WANT_NOTHING;
    }
    share = d->share;
    if (d->driver->paired)
        fill_pair(d, to, speed);
    pthread_mutex_unlock(&d->lock);
    turn_signs(d, to);
    turn_signs(d, speed);
    int err = move ? d->driver->move(d->link, speed) : 0;
    return !err && go ? d->driver->go(d->link, to, share) : err;
}

static int ask(struct driven_head *d)
{
    double at[AXES] = {NAN, NAN, d->caps.zoom ? NAN : 0};
    int64_t asked_ns = clock_now(d->clock);
    int err = d->driver->poll(d->link, at);
    if (err)
        return err;
    turn_signs(d, at);
    if (at[AXIS_ZOOM] < 0)
        at[AXIS_ZOOM] = 0;
    pthread_mutex_lock(&d->lock);
    estimate_measured(&d->estimate, asked_ns, clock_now(d->clock), at);
    pthread_mutex_unlock(&d->lock);
    return 0;
}

/* Until the link breaks or it is time to end. */
static int serve(struct driven_head *d)
{
    int err = 0;
    while (!err && !head_given_up(&d->host)) {
        if ((err = tell(d)) || (err = ask(d)))
            break;
        pthread_mutex_lock(&d->lock);
        bool moving = estimate_moving(&d->estimate, clock_now(d->clock));
        pthread_mutex_unlock(&d->lock);
        waker_wait(&d->wake, d->quit.fd, POLLIN, moving ? d->driver->move_ms : d->driver->rest_ms);
    }
    return err;
}

static void complain(struct driven_head *d, const char *text)
{
    if (strcmp(d->complained, text))
        log_warn("device", "the head %s: %s; trying on", d->spec.shown, text);
    text_copy(d->complained, sizeof(d->complained), text);
}

static void forget(struct driven_head *d)
{
    pthread_mutex_lock(&d->lock);
    estimate_lost(&d->estimate);
    for (int a = 0; a < AXES; a++)
        d->want[a] = d->told[a] = WANT_NOTHING;
    pthread_mutex_unlock(&d->lock);
}

static void *run(void *arg)
{
    struct driven_head *d = arg;
    int wait_ms = FIRST_WAIT_MS;
    while (!head_given_up(&d->host)) {
        struct fault why = {0};
        struct head_caps heard = d->driver->caps;
        int err = d->driver->connect(d->link, &heard, &why);
        if (!err) {
            settle(d, &heard);
            d->connected = true;
            waker_wake(&d->heard);
            if (*d->complained)
                log_info("device", "the head %s answers again", d->spec.shown);
            *d->complained = 0;
            wait_ms = FIRST_WAIT_MS;
            err = serve(d);
            d->connected = false;
            forget(d);
        }
        if (head_given_up(&d->host))
            break;
        complain(d, *why.text ? why.text : strerror(-err));
        waker_wake(&d->heard);
        waker_wait(&d->wake, d->quit.fd, POLLIN, wait_ms);
        wait_ms = wait_ms * 2 > MAX_WAIT_MS ? MAX_WAIT_MS : wait_ms * 2;
    }
    return NULL;
}

/* ---- the port ---- */

static void caps(struct head *h, struct head_caps *ret)
{
    *ret = container_of(h, struct driven_head, base)->caps;
}

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

/* It moves like that already: those who steer say so many times a second. Now and then it is
 * told again, since some heads stop by themselves when they hear nothing. */
static bool is_same(const struct driven_head *d, int axis, double speed)
{
    if (clock_now(d->clock) - d->told_ns[axis] > AGAIN_NS)
        return false;
    const double most[AXES] = {d->caps.max_pan_speed, d->caps.max_tilt_speed,
                               d->caps.max_zoom_speed};
    double was = d->told_value[axis];
    return d->told[axis] == WANT_MOVE && (speed == 0) == (was == 0) &&
           fabs(speed - was) < SAME_SPEED * most[axis];
}

static int want(struct driven_head *d, enum want what, const double value[AXES], double share)
{
    const bool has[AXES] = {d->caps.pan, d->caps.tilt, d->caps.zoom};
    double now[AXES] = {NAN, NAN, NAN};
    bool any = false;
    if (!d->connected)
        return -EIO;
    pthread_mutex_lock(&d->lock);
    for (int a = 0; a < AXES; a++) {
        if (isnan(value[a]) || !has[a] || (what == WANT_MOVE && is_same(d, a, value[a])))
            continue;
        now[a] = d->value[a] = d->told_value[a] = value[a];
        d->want[a] = d->told[a] = what;
        d->told_ns[a] = clock_now(d->clock);
        any = true;
    }
    if (any && what == WANT_GO) {
        d->share = share;
        estimate_go(&d->estimate, clock_now(d->clock), now, share);
    } else if (any) {
        estimate_move(&d->estimate, clock_now(d->clock), now);
    }
    pthread_mutex_unlock(&d->lock);
    if (any)
        waker_wake(&d->wake);
    return 0;
}

static int go(struct head *h, double pan_deg, double tilt_deg, double zoom, double speed)
{
    struct driven_head *d = container_of(h, struct driven_head, base);
    const struct head_caps *c = &d->caps;
    double pan = isnan(pan_deg) ? NAN
                 : c->max_pan_deg - c->min_pan_deg >= 360
                     ? pose_wrap_pan(pan_deg)
                     : clamp(pan_deg, c->min_pan_deg, c->max_pan_deg);
    const double to[AXES] = {
        pan, isnan(tilt_deg) ? NAN : clamp(tilt_deg, c->min_tilt_deg, c->max_tilt_deg),
        isnan(zoom) ? NAN : log(clamp(zoom, 1, c->max_zoom))};
    return want(d, WANT_GO, to, isnan(speed) ? 1 : clamp(speed, 0.01, 1));
}

static int move(struct head *h, double pan_speed, double tilt_speed, double zoom_speed)
{
    struct driven_head *d = container_of(h, struct driven_head, base);
    const struct head_caps *c = &d->caps;
    const double speed[AXES] = {
        isnan(pan_speed) ? NAN : clamp(pan_speed, -c->max_pan_speed, c->max_pan_speed),
        isnan(tilt_speed) ? NAN : clamp(tilt_speed, -c->max_tilt_speed, c->max_tilt_speed),
        isnan(zoom_speed) ? NAN : clamp(zoom_speed, -c->max_zoom_speed, c->max_zoom_speed)};
    return want(d, WANT_MOVE, speed, 1);
}

static int stop(struct head *h, bool pan_tilt, bool zoom)
{
    return move(h, pan_tilt ? 0 : NAN, pan_tilt ? 0 : NAN, zoom ? 0 : NAN);
}

static void pose(struct head *h, int64_t time_ns, struct pose *ret)
{
    struct driven_head *d = container_of(h, struct driven_head, base);
    pthread_mutex_lock(&d->lock);
    estimate_pose(&d->estimate, time_ns, ret);
    pthread_mutex_unlock(&d->lock);
}

static bool moving(struct head *h, int64_t time_ns)
{
    struct driven_head *d = container_of(h, struct driven_head, base);
    pthread_mutex_lock(&d->lock);
    bool yes = estimate_moving(&d->estimate, time_ns);
    pthread_mutex_unlock(&d->lock);
    return yes;
}

static const struct head_ops ops = {
    .caps = caps, .go = go, .move = move, .stop = stop, .pose = pose, .moving = moving};

struct head *driven_head_port(struct driven_head *d)
{
    return &d->base;
}

struct driven_head *driven_head_free(struct driven_head *d)
{
    if (!d)
        return NULL;
    if (d->has_thread) {
        waker_wake(&d->quit);
        pthread_join(d->thread, NULL);
    }
    if (d->link) {
        double still[AXES] = {d->runs[AXIS_PAN] ? 0 : NAN, d->runs[AXIS_TILT] ? 0 : NAN,
                              d->runs[AXIS_ZOOM] ? 0 : NAN};
        waker_wait(&d->quit, -1, 0, 0); /* it may be spoken to once more */
        if (d->runs[AXIS_PAN] || d->runs[AXIS_TILT] || d->runs[AXIS_ZOOM])
            d->driver->move(d->link, still); /* nobody will be there to stop it */
        d->driver->close(d->link);
    }
    waker_done(&d->wake);
    waker_done(&d->heard);
    waker_done(&d->quit);
    pthread_mutex_destroy(&d->lock);
    free(d);
    return NULL;
}

struct driven_head *driven_head_open(const char *text, struct clock *clock, struct fault *why)
{
    struct head_spec spec;
    if (head_spec_parse(&spec, text, why))
        return NULL;
    const struct head_driver *driver = head_driver_find(spec.scheme);
    if (!driver) {
        fault_set(why, FAULT_UNKNOWN, "head", "there is no head \"%s\"; see docs/sources.md",
                  spec.scheme);
        return NULL;
    }
    if (driver->remote != !strncmp(spec.address, "//", 2) && !driver->either) {
        fault_set(why, FAULT_INVALID, "head", "this head is written %s", driver->form);
        return NULL;
    }
    if (clock_is_sim(clock)) {
        fault_set(why, FAULT_UNSUPPORTED, "head",
                  "a head of metal lives in real time: leave --clock sim out");
        return NULL;
    }
    struct driven_head *d = calloc(1, sizeof(*d));
    if (!d) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    d->base.ops = &ops;
    d->driver = driver;
    d->spec = spec;
    d->clock = clock;
    d->host = (struct head_host){clock, &d->quit};
    pthread_mutex_init(&d->lock, NULL);
    int err = waker_init(&d->wake) | waker_init(&d->heard) | waker_init(&d->quit);
    if (err)
        fault_set(why, FAULT_INTERNAL, NULL, "out of descriptors");
    else if (!(d->link = driver->open(&d->spec, &d->host, why)))
        err = -EIO;
    if (!err) {
        d->has_thread = !pthread_create(&d->thread, NULL, run, d);
        if (!d->has_thread)
            err = fault_set(why, FAULT_INTERNAL, NULL, "out of threads");
    }
    if (!err) {
        pthread_setname_np(d->thread, "head");
        waker_wait(&d->heard, -1, 0, ASK_AT_START_MS);
        settle(d, &driver->caps);
    }
    return err ? driven_head_free(d) : d;
}
