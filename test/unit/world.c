#include "device/virtual/world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "device/device.h"
#include "device/virtual/kernels.h"
#include "media/picture.h"
#include "media/shot.h"
#include "unit.h"

#define SECOND INT64_C(1000000000)

static struct radiance planes(int width, int height)
{
    size_t n = (size_t)width * (size_t)height;
    uint16_t *p = calloc(n * 3, sizeof(*p));
    CHECK(p);
    return (struct radiance){width, height, (size_t)width, p, p + n, p + 2 * n, 0};
}

static bool same(const struct radiance *a, const struct radiance *b)
{
    return !memcmp(a->r, b->r, sizeof(uint16_t) * 3 * a->stride * (size_t)a->height);
}

static struct pose looking(double pan, double tilt, double zoom)
{
    return (struct pose){.pan_deg = pan,
                         .tilt_deg = tilt,
                         .zoom = zoom,
                         .hfov_deg = 2 * atan(tan(M_PI / 6) / zoom) * 180 / M_PI,
                         .known = true};
}

static void direction(double x, double y, double z, double *ret_pan, double *ret_tilt)
{
    *ret_pan = atan2(x, y) * 180 / M_PI;
    *ret_tilt = atan2(z - 6, hypot(x, y)) * 180 / M_PI;
}

TEST(twins_agree)
{
    struct world *w = world_new(7);
    struct radiance a = planes(640, 360), b = planes(640, 360);
    const struct pose poses[][2] = {
        {looking(0, -8, 1), looking(0, -8, 1)},     {looking(91, -3, 4), looking(91, -3, 4)},
        {looking(180, 20, 1), looking(180, 20, 1)}, {looking(-90, -88, 1), looking(-90, -88, 1)},
        {looking(4, -5, 30), looking(4, -5, 30)},   {looking(10, -8, 1), looking(10.2, -8.1, 1)},
        {looking(10, -8, 1), looking(13, -7, 1.02)}};
    for (size_t i = 0; i < sizeof(poses) / sizeof(*poses); i++) {
        world_use_plain_kernels(w, true);
        CHECK(world_render(w, &poses[i][0], &poses[i][1], 3 * SECOND, 3 * SECOND, &a) == 0);
        world_use_plain_kernels(w, false);
        CHECK(world_render(w, &poses[i][0], &poses[i][1], 3 * SECOND, 3 * SECOND, &b) == 0);
        CHECK(same(&a, &b));
    }
    free(a.r);
    free(b.r);
    world_free(w);
}

TEST(twins_develop_alike)
{
    enum { N = 200 };
    static uint16_t rows[6][N];
    static int8_t noise[6][N];
    uint8_t y[2][2][N], c[2][2][N / 2];
    const struct sensor_curve curve = {
        1 / 20000.0f, 0.0002f, 0.0003f, {-0.08f, 1.29f, -0.4f, 0.28f, -0.09f}};
    const uint16_t *in[6];
    const int8_t *grain[6];
    uint32_t x = 1;
    for (int k = 0; k < 6; k++)
        for (int i = 0; i < N; i++) {
            x = x * 1664525 + 1013904223;
            rows[k][i] = (uint16_t)(x >> 16 >> (x & 7));
            noise[k][i] = (int8_t)(x >> 8);
            in[k] = rows[k];
            grain[k] = noise[k];
        }
    const struct kernels *twin[2] = {&kernels_plain, kernels_best()};
    memset(y, 0, sizeof(y));
    memset(c, 0, sizeof(c));
    for (int k = 0; k < 2; k++)
        twin[k]->develop2(&curve, in, grain, N, y[k][0], y[k][1], c[k][0], c[k][1]);
    CHECK(!memcmp(y[0], y[1], sizeof(y[0])) && !memcmp(c[0], c[1], sizeof(c[0])));
    CHECK(y[0][0][0] >= 16 && y[0][0][0] <= 235);
}

/* A picture at rest reuses the one before; it must be the same as one made anew. */
TEST(rest_is_exact)
{
    struct world *w = world_new(0), *fresh = world_new(0);
    struct radiance a = planes(640, 360), b = planes(640, 360);
    const struct pose poses[] = {looking(0, -8, 1), looking(-12, -10, 6)};
    for (int p = 0; p < 2; p++)
        for (int i = 0; i < 12; i++) {
            int64_t t = i * SECOND / 3;
            CHECK(world_render(w, &poses[p], &poses[p], t, t, &a) == 0);
            b.held = 0;
            CHECK(world_render(fresh, &poses[p], &poses[p], t, t, &b) == 0);
            CHECK(same(&a, &b));
        }
    free(a.r);
    free(b.r);
    world_free(w);
    world_free(fresh);
}

TEST(seed_matters)
{
    struct world *w = world_new(1), *v = world_new(2);
    struct truth_object a[4], b[4];
    struct pose p = looking(0, -8, 1);
    size_t n = world_truth(w, &p, 16.0 / 9, 0, a, 4), m = world_truth(v, &p, 16.0 / 9, 0, b, 4);
    CHECK(n != m || n == 0 || a[0].world[0] != b[0].world[0]);
    world_free(w);
    world_free(v);
}

/* Position of the step between two brightnesses in a row, to parts of a pixel. */
static double edge_x(const struct radiance *r, int y, int x, bool rising)
{
    const uint16_t *row = r->g + (size_t)y * r->stride;
    double out = row[rising ? x - 4 : x + 4], in = row[rising ? x + 4 : x - 4], covered = 0;
    for (int i = x - 3; i <= x + 3; i++)
        covered += (row[i] - out) / (in - out);
    return rising ? x + 4 - covered : x - 3 + covered;
}

/* The sign "WALKERS GATE 12": 60 × 30 cm around (3.2, 41, 2.25), facing south. */
TEST(drawn_where_projected)
{
    struct world *w = world_new(0);
    struct radiance r = planes(1920, 1080);
    const struct pose poses[] = {looking(4.46, -5.2, 30), looking(4.0, -5.0, 28.5),
                                 looking(4.7, -5.35, 25)};
    for (int p = 0; p < 3; p++) {
        CHECK(world_render(w, &poses[p], &poses[p], 20 * SECOND, 20 * SECOND, &r) == 0);
        for (int side = 0; side < 2; side++) {
            double pan, tilt, x, y;
            direction(side ? 3.5 : 2.9, 41, 2.25, &pan, &tilt);
            CHECK(pose_project(&poses[p], 16.0 / 9, pan, tilt, &x, &y));
            x *= 1920;
            CHECK_NEAR(edge_x(&r, (int)(y * 1080), (int)x, side == 0), x, 0.1);
        }
    }
    free(r.r);
    world_free(w);
}

static void check_box(struct world *w, const struct pose *p, int64_t t, const char *id,
                      struct radiance *with, struct radiance *without, int *checked)
{
    struct truth_object o[4];
    size_t n = world_truth(w, p, 16.0 / 9, t, o, 4), which = n;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(o[i].id, id))
            which = i;
    if (which == n || o[which].visible < 0.999)
        return;
    with->held = without->held = 0;
    CHECK(world_render(w, p, p, t, t, with) == 0);
    world_hide(w, id);
    CHECK(world_render(w, p, p, t, t, without) == 0);
    world_hide(w, NULL);
    int x0 = with->width, y0 = with->height, x1 = -1, y1 = -1;
    for (int y = 0; y < with->height; y++)
        for (int x = 0; x < with->width; x++) {
            size_t i = (size_t)y * with->stride + (size_t)x;
            if (abs(with->r[i] - without->r[i]) + abs(with->g[i] - without->g[i]) +
                    abs(with->b[i] - without->b[i]) <
                600)
                continue;
            x0 = x < x0 ? x : x0;
            x1 = x > x1 ? x : x1;
            y0 = y < y0 ? y : y0;
            y1 = y > y1 ? y : y1;
        }
    const double *box = o[which].box;
    CHECK_NEAR(x0, box[0] * with->width, 2);
    CHECK_NEAR(y0, box[1] * with->height, 2);
    CHECK_NEAR(x1 + 1, (box[0] + box[2]) * with->width, 2);
    CHECK_NEAR(y1 + 1, (box[1] + box[3]) * with->height, 2);
    ++*checked;
}

TEST(truth_boxes_hold_the_pixels)
{
    static const char *const ids[] = {"person-1", "person-2", "vehicle-1", "vehicle-2"};
    struct world *w = world_new(0);
    struct radiance a = planes(1920, 1080), b = planes(1920, 1080);
    struct pose p = looking(0, -8, 1);
    for (int i = 0; i < 4; i++) {
        int checked = 0;
        for (int t = 0; t < 60 && checked < 2; t += 5)
            check_box(w, &p, t * SECOND, ids[i], &a, &b, &checked);
        CHECK(checked > 0);
    }
    free(a.r);
    free(b.r);
    world_free(w);
}

TEST(visible_share)
{
    struct world *w = world_new(0);
    struct pose p = looking(0, -8, 1);
    double least = 1, most = 0, last_x = 0;
    int seen = 0, partly = 0;
    for (int t = 0; t < 300; t++) {
        struct truth_object o[4];
        size_t n = world_truth(w, &p, 16.0 / 9, t * SECOND / 5, o, 4);
        for (size_t i = 0; i < n; i++) {
            CHECK(o[i].visible > 0 && o[i].visible <= 1);
            CHECK(o[i].box[0] >= 0 && o[i].box[1] >= 0 && o[i].box[2] > 0 && o[i].box[3] > 0);
            CHECK(o[i].box[0] + o[i].box[2] <= 1 + 1e-9 && o[i].box[1] + o[i].box[3] <= 1 + 1e-9);
            if (strcmp(o[i].id, "person-1"))
                continue;
            least = fmin(least, o[i].visible);
            most = fmax(most, o[i].visible);
            partly += o[i].visible < 0.9;
            CHECK(!seen || fabs(o[i].world[0] - last_x) < 0.4 || t == 0);
            last_x = o[i].world[0];
        }
        seen = n > 0 && !strcmp(o[0].id, "person-1");
    }
    /* It passes behind the kiosk once a round. */
    CHECK(most == 1 && least < 0.3 && partly > 5);
    world_free(w);
}

TEST(remembers_shots)
{
    struct world *w = world_new(0);
    struct truth_shot s, got;
    CHECK(!world_shot_newest(w, &got) && !world_shot_by_serial(w, 0, &got));
    for (int i = 0; i < 10000; i++) {
        s = (struct truth_shot){.serial = (uint64_t)i, .start_ns = i, .utc_ns = i * 1000};
        world_remember(w, &s);
    }
    CHECK(world_shot_newest(w, &got) && got.serial == 9999);
    CHECK(world_shot_by_serial(w, 8000, &got) && got.start_ns == 8000);
    CHECK(!world_shot_by_serial(w, 10, &got));
    CHECK(world_shot_by_utc(w, 9000400, &got) && got.serial == 9000);
    CHECK(world_shot_by_utc(w, INT64_MAX, &got) && got.serial == 9999);
    world_free(w);
}

static void check_device(const char *spec, bool ok)
{
    struct clock *c = clock_new_sim();
    struct device *d = device_open(spec, 0, c, NULL, NULL);
    CHECK(!d == !ok);
    if (d)
        d->close(d);
    clock_free(c);
}

TEST(specs)
{
    check_device("virtual", true);
    check_device("virtual:320x180@30", true);
    check_device("virtual:320x181", false);
    check_device("virtual:99999x180", false);
    check_device("virtual:x", false);
    check_device("nothing", false);
    check_device("", false);
}

/* The same picture whoever began to watch when, also while the head moves. */
TEST(sensor_repeats)
{
    struct clock *c = clock_new_sim();
    struct device *d[2];
    for (int i = 0; i < 2; i++) {
        d[i] = device_open("virtual:640x360@30", 5, c, NULL, NULL);
        CHECK(d[i]);
        d[i]->head->ops->go(d[i]->head, 50, -20, 2, 0.3);
    }
    CHECK(clock_advance(c, SECOND) == 0);
    for (uint64_t serial = 0; serial < 40; serial++) {
        int64_t at = (int64_t)serial * SECOND / 30;
        struct shot *a = NULL, *b = NULL;
        CHECK(d[0]->sensor->ops->take(d[0]->sensor, serial, at, &a) == 0);
        CHECK(a->how.mean_luma > 0.2 && a->how.mean_luma < 0.8);
        CHECK(a->how.serial == serial && a->how.start_ns == at && a->how.end_ns > at);
        if (serial >= 10 && serial % 5 == 0) {
            CHECK(d[1]->sensor->ops->take(d[1]->sensor, serial, at, &b) == 0);
            for (int k = 0; k < 3; k++)
                for (int y = 0; y < a->pixels->height >> (k > 0); y++)
                    CHECK(!memcmp(a->pixels->plane[k] + (long)y * a->pixels->stride[k],
                                  b->pixels->plane[k] + (long)y * b->pixels->stride[k],
                                  (size_t)(a->pixels->width >> (k > 0))));
            CHECK(a->how.pose_start.pan_deg == b->how.pose_start.pan_deg);
        }
        if (serial == 20)
            d[1]->sensor->ops->stop(d[1]->sensor);
        shot_unref(a);
        shot_unref(b);
    }
    struct truth_shot newest;
    CHECK(world_shot_newest(d[0]->world, &newest) && newest.serial == 39);
    d[0]->close(d[0]);
    d[1]->close(d[1]);
    clock_free(c);
}

UNIT_MAIN(UNIT_ROW(twins_agree) UNIT_ROW(twins_develop_alike) UNIT_ROW(rest_is_exact)
              UNIT_ROW(seed_matters) UNIT_ROW(drawn_where_projected)
                  UNIT_ROW(truth_boxes_hold_the_pixels) UNIT_ROW(visible_share)
                      UNIT_ROW(remembers_shots) UNIT_ROW(specs) UNIT_ROW(sensor_repeats))
