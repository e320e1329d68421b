#include "unit.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/loop.h"
#include "event/event.h"
#include "ptz/ptz.h"

/* A head that is where it was told to be at once, and remembers what it was told. */
static struct fake {
    struct head head;
    struct pose pose;
    double pan_speed, tilt_speed, zoom_speed, go_speed;
    bool moving;
    unsigned stops;
    struct head_caps caps;
} f;

static void set_zoom(double zoom)
{
    f.pose.zoom = zoom;
    f.pose.hfov_deg = 2 * atan(tan(30 * M_PI / 180) / zoom) * 180 / M_PI;
}

static void fake_caps(struct head *h, struct head_caps *ret)
{
    *ret = f.caps;
}

static int fake_go(struct head *h, double pan, double tilt, double zoom, double speed)
{
    if (!isnan(pan))
        f.pose.pan_deg = pan;
    if (!isnan(tilt))
        f.pose.tilt_deg = tilt;
    if (!isnan(zoom))
        set_zoom(zoom);
    f.go_speed = speed;
    return 0;
}

static int fake_move(struct head *h, double pan, double tilt, double zoom)
{
    f.pan_speed = isnan(pan) ? f.pan_speed : pan;
    f.tilt_speed = isnan(tilt) ? f.tilt_speed : tilt;
    f.zoom_speed = isnan(zoom) ? f.zoom_speed : zoom;
    f.moving = f.pan_speed || f.tilt_speed || f.zoom_speed;
    return 0;
}

static int fake_stop(struct head *h, bool pan_tilt, bool zoom)
{
    f.stops++;
    return fake_move(h, pan_tilt ? 0 : NAN, pan_tilt ? 0 : NAN, zoom ? 0 : NAN);
}

static void fake_pose(struct head *h, int64_t time_ns, struct pose *ret)
{
    *ret = f.pose;
}

static bool fake_moving(struct head *h, int64_t time_ns)
{
    return f.moving;
}

static const struct head_ops fake_ops = {fake_caps, fake_go,   fake_move,
                                         fake_stop, fake_pose, fake_moving};

static struct clock *clk;
static struct loop *loop;
static struct ptz *ptz;
static pthread_t thread;

static void begin(void)
{
    f = (struct fake){.head = {&fake_ops}, .pose = {.known = true}};
    f.caps = (struct head_caps){.pan = true,
                                .tilt = true,
                                .zoom = true,
                                .min_pan_deg = -180,
                                .max_pan_deg = 180,
                                .min_tilt_deg = -90,
                                .max_tilt_deg = 20,
                                .max_zoom = 30,
                                .max_pan_speed = 300,
                                .max_tilt_speed = 200,
                                .max_zoom_speed = 2,
                                .wide_hfov_deg = 60,
                                .tele_hfov_deg = 2.2};
    set_zoom(1);
    clk = clock_new_sim();
    loop = loop_new(clk, "test");
    ptz = ptz_new(loop, &f.head, NULL, 16.0 / 9);
}

static void end(void)
{
    ptz_free(ptz);
    loop_free(loop);
    clock_free(clk);
}

static void *advance(void *arg)
{
    clock_advance(clk, *(int64_t *)arg);
    loop_stop(loop);
    return NULL;
}

static void run_for(int64_t ns)
{
    CHECK_INT(pthread_create(&thread, NULL, advance, &ns), 0);
    loop_run(loop);
    pthread_join(thread, NULL);
}

TEST(absolute)
{
    begin();
    CHECK_INT(ptz_absolute(ptz, 190, 45, 99, NAN, NULL), 0);
    CHECK_NEAR(f.pose.pan_deg, -170, 1e-9); /* endless: wrapped */
    CHECK_NEAR(f.pose.tilt_deg, 20, 1e-9);  /* at its stop */
    CHECK_NEAR(f.pose.zoom, 30, 1e-9);
    CHECK_NEAR(f.go_speed, 1, 1e-9);
    CHECK_INT(ptz_set_speed(ptz, 0.25, NULL), 0);
    CHECK_INT(ptz_absolute(ptz, NAN, -10, NAN, NAN, NULL), 0);
    CHECK_NEAR(f.pose.pan_deg, -170, 1e-9);
    CHECK_NEAR(f.pose.tilt_deg, -10, 1e-9);
    CHECK_NEAR(f.go_speed, 0.25, 1e-9);
    f.caps.min_pan_deg = -100;
    f.caps.max_pan_deg = 100;
    ptz_free(ptz);
    ptz = ptz_new(loop, &f.head, NULL, 16.0 / 9);
    CHECK_INT(ptz_absolute(ptz, 170, NAN, NAN, NAN, NULL), 0);
    CHECK_NEAR(f.pose.pan_deg, 100, 1e-9);
    CHECK_INT(ptz_at_limit(ptz), 1 << 1 | 1 << 5);
    end();
}

TEST(nonsense_leaves_the_head_still)
{
    begin();
    struct fault why = {0};
    CHECK(ptz_absolute(ptz, INFINITY, 0, 1, NAN, &why) < 0);
    CHECK_INT(why.kind, FAULT_INVALID);
    CHECK(ptz_absolute(ptz, NAN, NAN, -1, NAN, &why) < 0);
    CHECK(ptz_continuous(ptz, 0.5, INFINITY, NAN, 0, &why) < 0);
    CHECK(ptz_center(ptz, 1.5, 0.5, 1, NAN, &why) < 0);
    CHECK(ptz_center(ptz, NAN, 0.5, 1, NAN, &why) < 0);
    CHECK(ptz_center(ptz, 0.5, 0.5, 0, NAN, &why) < 0);
    CHECK(ptz_set_speed(ptz, 0, &why) < 0);
    CHECK(ptz_set_speed(ptz, NAN, &why) < 0);
    CHECK_NEAR(f.pose.pan_deg, 0, 0);
    CHECK_NEAR(f.pose.zoom, 1, 0);
    CHECK(!f.moving);
    end();
}

TEST(relative_and_home)
{
    begin();
    CHECK_INT(ptz_relative(ptz, 10, -5, 2, NAN, NULL), 0);
    CHECK_INT(ptz_relative(ptz, 10, NAN, NAN, NAN, NULL), 0);
    CHECK_NEAR(f.pose.pan_deg, 20, 1e-9);
    CHECK_NEAR(f.pose.tilt_deg, -5, 1e-9);
    CHECK_NEAR(f.pose.zoom, 2, 1e-9);
    CHECK_INT(ptz_absolute(ptz, 0, 0, 1, NAN, NULL), 0);
    CHECK_NEAR(f.pose.pan_deg, 0, 1e-9);
    CHECK_NEAR(f.pose.tilt_deg, 0, 1e-9);
    CHECK_NEAR(f.pose.zoom, 1, 1e-9);
    end();
}

TEST(center_puts_the_point_in_the_middle)
{
    begin();
    CHECK_INT(ptz_absolute(ptz, 30, -20, 3, NAN, NULL), 0);
    double pan, tilt, x, y;
    pose_unproject(&f.pose, 16.0 / 9, 0.9, 0.2, &pan, &tilt);
    CHECK_INT(ptz_center(ptz, 0.9, 0.2, 2, NAN, NULL), 0);
    CHECK(pose_project(&f.pose, 16.0 / 9, pan, tilt, &x, &y));
    CHECK_NEAR(x, 0.5, 1e-6);
    CHECK_NEAR(y, 0.5, 1e-6);
    CHECK_NEAR(f.pose.zoom, 6, 1e-9);
    end();
}

TEST(speed_follows_the_field_of_view)
{
    begin();
    CHECK_INT(ptz_continuous(ptz, 1, -1, 1, 0, NULL), 0);
    CHECK_NEAR(f.pan_speed, 300, 1e-6);
    CHECK_NEAR(f.tilt_speed, -200, 1e-6);
    CHECK_NEAR(f.zoom_speed, 2, 1e-6);
    set_zoom(30);
    CHECK_INT(ptz_continuous(ptz, 1, 0, NAN, 0, NULL), 0);
    CHECK_NEAR(f.pan_speed, 300 * f.pose.hfov_deg / 60, 1e-6);
    CHECK(f.pan_speed < 12);
    CHECK_INT(ptz_continuous(ptz, 0.5, 0, NAN, 0, NULL), 0);
    CHECK(f.pan_speed < 0.5 * 300 * f.pose.hfov_deg / 60); /* fine near the middle */
    ptz_set_proportional(ptz, false);
    CHECK_INT(ptz_continuous(ptz, 5, 0, NAN, 0, NULL), 0);
    CHECK_NEAR(f.pan_speed, 300, 1e-6);
    CHECK_INT(ptz_continuous(ptz, 0.1, -0.2, NAN, 0, NULL), 0);
    CHECK_NEAR(f.pan_speed, 30, 1e-6); /* no finer than told */
    CHECK_NEAR(f.tilt_speed, -40, 1e-6);
    ptz_stop(ptz, true, true);
    CHECK(!f.moving);
    end();
}

TEST(speed_follows_the_zoom_while_it_moves)
{
    begin();
    CHECK_INT(ptz_continuous(ptz, 1, 0, 1, 0, NULL), 0);
    set_zoom(10);
    run_for(NSEC_PER_SEC / 5);
    CHECK_NEAR(f.pan_speed, 300 * f.pose.hfov_deg / 60, 1e-6);
    end();
}

TEST(dead_man)
{
    begin();
    CHECK_INT(ptz_continuous(ptz, 1, 0, 0, NSEC_PER_SEC, NULL), 0);
    run_for(NSEC_PER_SEC * 9 / 10);
    CHECK(f.moving);
    CHECK_INT(ptz_continuous(ptz, 1, 0, 0, NSEC_PER_SEC, NULL), 0);
    run_for(NSEC_PER_SEC * 9 / 10);
    CHECK(f.moving); /* renewed in time */
    run_for(NSEC_PER_SEC * 2 / 10);
    CHECK(!f.moving);
    CHECK_INT(f.stops, 1);
    /* Without one it goes on. */
    CHECK_INT(ptz_continuous(ptz, 1, 0, 0, 0, NULL), 0);
    run_for(60 * NSEC_PER_SEC);
    CHECK(f.moving);
    end();
}

struct hearing {
    struct event_listener listener;
    unsigned heard;
    char last[8];
};

static void on_event(struct event_listener *l, const struct event *ev)
{
    struct hearing *h = container_of(l, struct hearing, listener);
    h->heard++;
    strncpy(h->last, ev->data[0].value, sizeof h->last - 1);
}

TEST(movement_is_an_event)
{
    begin();
    struct events *events = events_new(loop);
    struct hearing h = {.listener = {.heard = on_event, .filter = "PTZController/*"}};
    ptz_free(ptz);
    ptz = ptz_new(loop, &f.head, events, 16.0 / 9);
    events_listen(events, &h.listener);
    CHECK_INT(ptz_continuous(ptz, 1, 0, 0, 0, NULL), 0);
    run_for(NSEC_PER_SEC);
    CHECK_INT(h.heard, 1);
    CHECK_STR(h.last, "1");
    ptz_stop(ptz, true, true);
    run_for(NSEC_PER_SEC);
    CHECK_INT(h.heard, 2);
    CHECK_STR(h.last, "0");
    events_unlisten(events, &h.listener);
    ptz_free(ptz);
    ptz = NULL;
    events_free(events);
    end();
}

TEST(no_head)
{
    begin();
    struct ptz *none = ptz_new(loop, NULL, NULL, 1.5);
    struct fault why = {0};
    CHECK(!ptz_exists(none));
    CHECK_INT(ptz_absolute(none, 0, 0, 1, NAN, &why), -ENOTSUP);
    CHECK_INT(why.kind, FAULT_UNSUPPORTED);
    CHECK(ptz_continuous(none, 0, 0, 1, 0, &why) < 0);
    CHECK(!ptz_moving(none));
    struct pose pose;
    ptz_pose(none, &pose);
    CHECK_NEAR(pose.zoom, 1, 0);
    ptz_free(none);
    end();
}

/* ---- heads that know no limits of their own ---- */

/* Goes at an even speed, and on, or to where it was told. */
static struct plain_head {
    struct head head;
    double at[3], speed[3], to[3]; /* pan, tilt, ln(zoom); to: NAN: on and on */
    int64_t since_ns;
} plain;

static double plain_at(int axis, int64_t t)
{
    double way = plain.speed[axis] * (double)(t - plain.since_ns) / NSEC_PER_SEC;
    double v = plain.at[axis] + way;
    if (!isnan(plain.to[axis]) && fabs(way) > fabs(plain.to[axis] - plain.at[axis]))
        v = plain.to[axis];
    return v;
}

static void plain_settle(void)
{
    int64_t t = clock_now(clk);
    for (int i = 0; i < 3; i++) {
        plain.at[i] = plain_at(i, t);
        if (!isnan(plain.to[i]) && fabs(plain.at[i] - plain.to[i]) < 1e-9)
            plain.speed[i] = 0;
    }
    plain.since_ns = t;
}

static int plain_go(struct head *h, double pan, double tilt, double zoom, double speed)
{
    static const double most[3] = {300, 200, 2};
    const double to[3] = {pan, tilt, log(zoom)};
    plain_settle();
    for (int i = 0; i < 3; i++)
        if (!isnan(to[i])) {
            plain.to[i] = to[i];
            plain.speed[i] = copysign(most[i] * speed, to[i] - plain.at[i]);
        }
    return 0;
}

static int plain_move(struct head *h, double pan, double tilt, double zoom)
{
    const double speed[3] = {pan, tilt, zoom};
    plain_settle();
    for (int i = 0; i < 3; i++)
        if (!isnan(speed[i])) {
            plain.to[i] = NAN;
            plain.speed[i] = speed[i];
        }
    return 0;
}

static int plain_stop(struct head *h, bool pan_tilt, bool zoom)
{
    return plain_move(h, pan_tilt ? 0 : NAN, pan_tilt ? 0 : NAN, zoom ? 0 : NAN);
}

static void plain_pose(struct head *h, int64_t t, struct pose *ret)
{
    double zoom = exp(plain_at(2, t));
    *ret = (struct pose){.pan_deg = pose_wrap_pan(plain_at(0, t)),
                         .tilt_deg = plain_at(1, t),
                         .zoom = zoom,
                         .hfov_deg = 60 / zoom,
                         .known = true};
}

static bool plain_moving(struct head *h, int64_t t)
{
    for (int i = 0; i < 3; i++)
        if (plain.speed[i] != 0 && !(fabs(plain_at(i, t) - plain.to[i]) < 1e-9))
            return true;
    return false;
}

static const struct head_ops plain_ops = {fake_caps,  plain_go,   plain_move,
                                          plain_stop, plain_pose, plain_moving};

/* How far outside of the limits the head was at worst, in so long. */
static double beyond(const struct head_limits *l, double seconds)
{
    double worst = 0;
    for (int i = 0; i < (int)(seconds * 100); i++) {
        struct pose p;
        run_for(10 * NSEC_PER_MSEC);
        ptz_pose(ptz, &p);
        worst = fmax(worst, fmax(p.pan_deg - l->max_pan_deg, l->min_pan_deg - p.pan_deg));
        worst = fmax(worst, fmax(p.tilt_deg - l->max_tilt_deg, l->min_tilt_deg - p.tilt_deg));
        worst = fmax(worst, fmax(p.zoom - l->max_zoom, l->min_zoom - p.zoom));
    }
    return worst;
}

TEST(test_D2_a_head_without_limits_stays_within_them)
{
    static const struct head_limits limits = {-30, 40, -20, 5, 2, 10};
    struct pose p;
    begin();
    plain = (struct plain_head){.head = {&plain_ops}, .to = {NAN, NAN, NAN}};
    ptz_free(ptz);
    ptz = ptz_new(loop, &plain.head, NULL, 16.0 / 9);
    ptz_set_proportional(ptz, false);
    ptz_limit(ptz, &limits); /* it stands outside: it comes in */
    run_for(2 * NSEC_PER_SEC);
    CHECK_NEAR(exp(plain_at(2, clock_now(clk))), 2, 1e-6);
    static const double ways[][3] = {{1, 1, 1}, {-1, -1, -1}, {1, -0.3, 0.2}, {-0.1, 1, -1}};
    for (int i = 0; i < 4; i++) { /* at full speed into every corner */
        CHECK_INT(ptz_continuous(ptz, ways[i][0], ways[i][1], ways[i][2], 0, NULL), 0);
        CHECK(beyond(&limits, 3) < 0.01);
        ptz_pose(ptz, &p);
        if (fabs(ways[i][0]) > 0.5)
            CHECK_NEAR(p.pan_deg, ways[i][0] > 0 ? 40 : -30, 0.01);
    }
    /* told again and again, as by a stick that is held */
    for (int i = 0; i < 20; i++) {
        CHECK_INT(ptz_continuous(ptz, i < 10 ? 1 : -1, 0.5, 0, 0, NULL), 0);
        CHECK(beyond(&limits, 0.1) < 0.01);
    }
    CHECK_INT(ptz_absolute(ptz, 170, 20, 30, NAN, NULL), 0);
    CHECK(beyond(&limits, 2) < 0.01);
    CHECK_INT(ptz_relative(ptz, -200, -80, 0.01, NAN, NULL), 0);
    CHECK(beyond(&limits, 2) < 0.01);
    CHECK_INT(ptz_drive(ptz, 300, 200, 2, NULL), 0); /* a recorded tour */
    CHECK(beyond(&limits, 2) < 0.01);
    end();
}

UNIT_MAIN(UNIT_ROW(test_D2_a_head_without_limits_stays_within_them) UNIT_ROW(absolute)
              UNIT_ROW(nonsense_leaves_the_head_still) UNIT_ROW(relative_and_home)
                  UNIT_ROW(center_puts_the_point_in_the_middle)
                      UNIT_ROW(speed_follows_the_field_of_view)
                          UNIT_ROW(speed_follows_the_zoom_while_it_moves) UNIT_ROW(dead_man)
                              UNIT_ROW(movement_is_an_event) UNIT_ROW(no_head))
