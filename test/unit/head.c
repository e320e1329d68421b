#include "device/virtual/camera/head.h"

#include <math.h>

#include "base/clock.h"
#include "unit.h"

static struct clock *clock;
static struct head *head;

static void begin(void)
{
    clock = clock_new_sim();
    head = virtual_head_new(clock);
    CHECK(clock && head);
}

static void done(void)
{
    virtual_head_free(head);
    clock_free(clock);
}

static struct pose at(int64_t ns)
{
    struct pose p;
    head->ops->pose(head, ns, &p);
    return p;
}

static struct pose after(double s)
{
    CHECK(clock_advance(clock, (int64_t)(s * 1e9)) == 0);
    return at(clock_now(clock));
}

TEST(starts_at_home)
{
    begin();
    struct pose p = at(0);
    CHECK(p.pan_deg == 0 && p.zoom == 1 && p.known && p.uncertainty_deg == 0);
    CHECK_NEAR(p.hfov_deg, 60, 1e-12);
    CHECK(!head->ops->moving(head, 0));
    done();
}

TEST(exact_at_rest)
{
    begin();
    const double pans[] = {123.456, -179.99, 179.99, 0.01, -33.3333333, -180};
    for (int i = 0; i < 6; i++) {
        CHECK(head->ops->go(head, pans[i], -12.34567, 7.77, 1) == 0);
        struct pose p = after(5);
        CHECK(p.pan_deg == pans[i]);
        CHECK(p.tilt_deg == -12.34567);
        CHECK(p.zoom == 7.77);
        CHECK(!head->ops->moving(head, clock_now(clock)));
    }
    done();
}

/* Never faster than it can be, no jumps, and no acceleration above the limit. */
static void check_smooth(int64_t from_ns, int64_t to_ns)
{
    const int64_t dt = 2000000;
    struct pose a = at(from_ns), b = at(from_ns + dt);
    for (int64_t t = from_ns + 2 * dt; t < to_ns; t += dt) {
        struct pose c = at(t);
        double v1 = pose_wrap_pan(b.pan_deg - a.pan_deg) / (dt / 1e9);
        double v2 = pose_wrap_pan(c.pan_deg - b.pan_deg) / (dt / 1e9);
        CHECK(fabs(v2) <= 300.01);
        CHECK(fabs(v2 - v1) <= 701 * (dt / 1e9));
        CHECK(fabs(c.tilt_deg - b.tilt_deg) <= 180.01 * (dt / 1e9));
        a = b;
        b = c;
    }
}

TEST(speed_and_acceleration)
{
    begin();
    head->ops->go(head, 170, 20, 30, 1);
    after(0.4);
    head->ops->go(head, -100, -90, 1, 1); /* back in the midst of it */
    after(0.15);
    head->ops->go(head, -90, -45, 10, 0.3);
    struct pose p = after(6);
    check_smooth(0, clock_now(clock));
    CHECK(p.pan_deg == -90 && p.tilt_deg == -45 && p.zoom == 10);
    done();
}

TEST(shortest_way)
{
    begin();
    head->ops->go(head, 170, NAN, NAN, 1);
    after(3);
    int64_t start = clock_now(clock);
    head->ops->go(head, -170, NAN, NAN, 1);
    after(3);
    for (int64_t t = start; t < clock_now(clock); t += 10000000)
        CHECK(fabs(at(t).pan_deg) >= 170 - 1e-9);
    CHECK(at(clock_now(clock)).pan_deg == -170);
    done();
}

TEST(past_stays)
{
    begin();
    head->ops->go(head, 90, -40, 20, 1);
    after(0.2);
    struct pose before = at(150000000);
    head->ops->stop(head, true, true);
    after(0.5);
    head->ops->go(head, -90, 0, 1, 1);
    struct pose now = at(150000000);
    CHECK(before.pan_deg == now.pan_deg && before.tilt_deg == now.tilt_deg &&
          before.zoom == now.zoom);
    done();
}

TEST(moves_on_and_stops)
{
    begin();
    head->ops->move(head, 100, NAN, NAN);
    struct pose p = after(10); /* round and round */
    CHECK(head->ops->moving(head, clock_now(clock)));
    CHECK(p.pan_deg >= -180 && p.pan_deg < 180);
    struct pose q = after(0.1);
    CHECK_NEAR(pose_wrap_pan(q.pan_deg - p.pan_deg), 10, 1e-6);
    head->ops->stop(head, true, false);
    p = after(1);
    CHECK(!head->ops->moving(head, clock_now(clock)));
    CHECK(after(1).pan_deg == p.pan_deg);
    check_smooth(0, clock_now(clock));
    done();
}

TEST(limits)
{
    begin();
    head->ops->move(head, NAN, 180, NAN);
    CHECK(after(3).tilt_deg == 20);
    CHECK(!head->ops->moving(head, clock_now(clock)));
    head->ops->move(head, NAN, -180, NAN);
    after(0.3);
    head->ops->move(head, NAN, -20, NAN);
    CHECK(after(10).tilt_deg == -90);
    head->ops->go(head, NAN, 90, 100, 1);
    struct pose p = after(5);
    CHECK(p.tilt_deg == 20 && p.zoom == 30);
    CHECK_NEAR(p.hfov_deg, 2.2, 0.01);
    for (int64_t t = 0; t < clock_now(clock); t += 5000000)
        CHECK(at(t).tilt_deg <= 20 && at(t).tilt_deg >= -90);
    done();
}

TEST(zoom_time)
{
    begin();
    head->ops->go(head, NAN, NAN, 30, 1);
    CHECK(after(2.6).zoom == 30);
    head->ops->move(head, NAN, NAN, -1.6);
    CHECK_NEAR(after(3).zoom, 1, 1e-9);
    done();
}

TEST(axes_are_independent)
{
    begin();
    head->ops->go(head, 100, -30, NAN, 0.2);
    after(0.1);
    head->ops->go(head, NAN, NAN, 3, 1);
    struct pose p = after(10);
    CHECK(p.pan_deg == 100 && p.tilt_deg == -30 && p.zoom == 3);
    done();
}

TEST(many_replans)
{
    begin();
    for (int i = 0; i < 500; i++) {
        head->ops->move(head, i % 7 * 40 - 120, i % 5 * 30 - 60, i % 3 - 1);
        after(0.011);
    }
    int64_t end = clock_now(clock);
    check_smooth(end - 400000000, end);
    head->ops->go(head, 12, -5, 2, 1);
    struct pose p = after(5);
    CHECK(p.pan_deg == 12 && p.tilt_deg == -5 && p.zoom == 2);
    done();
}

UNIT_MAIN(UNIT_ROW(starts_at_home) UNIT_ROW(exact_at_rest) UNIT_ROW(speed_and_acceleration)
              UNIT_ROW(shortest_way) UNIT_ROW(past_stays) UNIT_ROW(moves_on_and_stops)
                  UNIT_ROW(limits) UNIT_ROW(zoom_time) UNIT_ROW(axes_are_independent)
                      UNIT_ROW(many_replans))
