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

UNIT_MAIN(UNIT_ROW(absolute) UNIT_ROW(nonsense_leaves_the_head_still) UNIT_ROW(relative_and_home)
              UNIT_ROW(center_puts_the_point_in_the_middle)
                  UNIT_ROW(speed_follows_the_field_of_view)
                      UNIT_ROW(speed_follows_the_zoom_while_it_moves) UNIT_ROW(dead_man)
                          UNIT_ROW(movement_is_an_event) UNIT_ROW(no_head))
