/* Wide dynamic range on a chart: steps of a third of a stop in a dark doorway and in the bright
 * front beside it, through the virtual sensor's own silicon and the eye's loops. A step is shown
 * where the picture tells it from the one before. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/loop.h"
#include "conf/param.h"
#include "device/ports.h"
#include "device/virtual/camera/clean.h"
#include "device/virtual/camera/measure.h"
#include "device/virtual/camera/silicon.h"
#include "image/eye.h"
#include "image/settings.h"
#include "media/shot.h"
#include "unit.h"

#define W 640
#define H 360
#define ACROSS 4 /* patches of one chart */
#define DOWN 3
#define STEPS (ACROSS * DOWN)
#define STEP 0.5  /* stops */
#define PIXELS 40 /* of a patch's side */
#define PICTURES 150
#define GREYS 2.0 /* that neighbouring steps must differ by */

static struct chart {
    struct sensor port;
    struct sensor_settings set;
    struct radiance light;
    struct clean *clean;
    struct picture_pool *pool;
} chart;

static void sensor_caps(struct sensor *s, struct sensor_caps *ret)
{
    (void)s;
    *ret = (struct sensor_caps){.width = W,
                                .height = H,
                                .fps = 30,
                                .can = SENSOR_EXPOSURE | SENSOR_GAIN | SENSOR_TONE | SENSOR_RANGE,
                                .shortest_ns = SILICON_SHORTEST_NS,
                                .longest_ns = 33333333,
                                .most_gain_db = SILICON_MOST_GAIN_DB,
                                .most_range = SILICON_MOST_RANGE};
}

static void sensor_set(struct sensor *s, const struct sensor_settings *settings)
{
    (void)s;
    chart.set = *settings;
}

static int sensor_take(struct sensor *s, uint64_t serial, int64_t start_ns, struct shot **ret_shot)
{
    (void)s;
    const struct sensor_settings *p = &chart.set;
    struct picture *to = picture_get(chart.pool);
    struct silicon silicon;
    struct sensor_curve curve;
    static struct sensor_noise grain[GRAINS];
    struct capture how = {.serial = serial,
                          .start_ns = start_ns,
                          .end_ns = start_ns + p->exposure_ns,
                          .gain_db = p->gain_db,
                          .iris_f = 2.8,
                          .range = p->range,
                          .ir_cut = true};
    CHECK(to != NULL);
    silicon_expose(p->exposure_ns, how.iris_f, p->gain_db, &silicon);
    silicon.range = p->range;
    silicon_curve(&silicon, &p->tone, chart.light.unit, &curve);
    silicon_grains(&silicon, &p->tone, grain);
    clean_develop(chart.clean, kernels_best(), &curve, &p->tone, false, &chart.light);
    clean_print(chart.clean, kernels_best(), grain, serial * 7919 + 3, false, to);
    *ret_shot = shot_new(to, &how);
    CHECK(*ret_shot != NULL);
    static struct measured seen;
    measure_take(&seen, &chart.light, true);
    (*ret_shot)->light =
        measure_light(&seen, kernels_best(), chart.light.unit, &silicon, NULL, serial * 31 + 1);
    return 0;
}

static const struct sensor_ops ops = {.caps = sensor_caps, .take = sensor_take, .set = sensor_set};

static void fill(int x0, int y0, int w, int h, double light)
{
    for (int y = y0; y < y0 + h; y++)
        for (int x = x0; x < x0 + w; x++)
            chart.light.r[(size_t)y * W + (size_t)x] = chart.light.g[(size_t)y * W + (size_t)x] =
                chart.light.b[(size_t)y * W + (size_t)x] = (uint16_t)lrint(light);
}

/* Where a chart's patches lie: the doorway on the left, the front on the right. */
static void place_of(int side, int step, int *ret_x, int *ret_y)
{
    *ret_x = side * W / 2 + 80 + step % ACROSS * PIXELS;
    *ret_y = 80 + step / ACROSS * PIXELS;
}

/* The doorway's light ends `apart` stops below where that of the front begins. */
static void set_up(double apart)
{
    uint16_t *p = calloc(3 * (size_t)W * H, sizeof(*p));
    CHECK(p != NULL);
    chart.light = (struct radiance){.width = W,
                                    .height = H,
                                    .stride = W,
                                    .r = p,
                                    .g = p + W * H,
                                    .b = p + 2 * W * H,
                                    .unit = 16384};
    chart.clean = clean_new(W, H);
    chart.pool = picture_pool_new(W, H, false, 4);
    chart.port.ops = &ops;
    double brightest = 65000, front = brightest * exp2(-(STEPS - 1) * STEP);
    double darkest = front * exp2(-apart - (STEPS - 1) * STEP);
    for (int side = 0; side < 2; side++) {
        double first = side ? front : darkest;
        fill(side * W / 2, 0, W / 2, H, first * exp2(STEPS * STEP / 2));
        for (int i = 0; i < STEPS; i++) {
            int x, y;
            place_of(side, i, &x, &y);
            fill(x, y, PIXELS, PIXELS, first * exp2(i * STEP));
        }
    }
}

/* Of a patch: its mean, and the grain, from two pictures of it. */
static void measure(struct picture *const p[2], int side, int step, double *ret_mean,
                    double *ret_grain)
{
    int x0, y0;
    double sum = 0, squares = 0, n = 0;
    place_of(side, step, &x0, &y0);
    for (int y = y0 + 4; y < y0 + PIXELS - 4; y++)
        for (int x = x0 + 4; x < x0 + PIXELS - 4; x++, n++) {
            double a = p[0]->plane[0][y * p[0]->stride[0] + x];
            double b = p[1]->plane[0][y * p[1]->stride[0] + x];
            sum += (a + b) / 2;
            squares += (a - b) * (a - b);
        }
    *ret_mean = sum / n;
    *ret_grain = sqrt(squares / n / 2);
}

/* Which steps are told from the one before: by more than the least grey, and than the grain. */
static unsigned look(struct picture *const p[2], int side, bool ret_shown[STEPS])
{
    double before = 0, mean, grain;
    unsigned n = 0;
    for (int i = 0; i < STEPS; i++) {
        measure(p, side, i, &mean, &grain);
        ret_shown[i] = i > 0 && mean - before >= fmax(GREYS, grain);
        n += ret_shown[i];
        before = mean;
    }
    return n;
}

/* The last two pictures. */
static void settle(struct eye *e, struct clock *clock, struct picture *ret[2])
{
    for (int k = 0; k < PICTURES; k++) {
        struct shot *s = NULL;
        eye_prepare(e, clock_now(clock) + k);
        CHECK_INT(sensor_take(&chart.port, (uint64_t)k, k * INT64_C(33333333), &s), 0);
        while (eye_look(e, s)) {
            shot_unref(s);
            eye_prepare(e, clock_now(clock) + k);
            CHECK_INT(sensor_take(&chart.port, (uint64_t)k, k * INT64_C(33333333), &s), 0);
        }
        if (k >= PICTURES - 2)
            ret[k - PICTURES + 2] = picture_ref(s->pixels);
        shot_unref(s);
    }
}

TEST(both_ends_of_a_chart_are_shown)
{
    static const struct {
        const char *wdr, *level;
    } modes[] = {{"off", "50"}, {"on", "20"}, {"on", "50"}, {"on", "100"}};
    struct clock *clock = clock_new_sim();
    struct loop *loop = loop_new(clock, "test");
    struct conf *conf = conf_new(loop, NULL, NULL);
    struct room *room = NULL;
    struct fault why = {0};
    bool off[2][STEPS], shown[STEPS];
    unsigned lost[2] = {0};
    CHECK_INT(conf_add_room(conf, &eye_room_desc, &room, &why), 0);
    set_up(2);
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
        conf_set(conf, "ImageSource.I0.Sensor.WDR", modes[m].wdr);
        conf_set(conf, "ImageSource.I0.Sensor.WDRLevel", modes[m].level);
        const struct eye_ports ports = {.sensor = &chart.port};
        struct eye *e = eye_new(loop, clock, conf, room, NULL, &ports);
        CHECK(e != NULL);
        struct picture *p[2];
        settle(e, clock, p);
        for (int side = 0; side < 2; side++) {
            unsigned n = look(p, side, m ? shown : off[side]), of_lost = 0;
            for (int i = 1; i < STEPS; i++) {
                lost[side] += !m && !off[side][i];
                of_lost += m && !off[side][i] && shown[i];
            }
            printf("# WDR %s %s, %s: %u of %d steps, %u of the %u that off loses\n", modes[m].wdr,
                   modes[m].level, side ? "front" : "doorway", n, STEPS - 1, of_lost, lost[side]);
            if (m == 3)
                CHECK(of_lost >= 0.9 * lost[side]);
        }
        picture_unref(p[0]);
        picture_unref(p[1]);
        eye_free(e);
    }
    CHECK(lost[0] >= 6 && lost[1] >= 2); /* the chart has more than one exposure can show */
    free(chart.light.r);
    clean_free(chart.clean);
    picture_pool_unref(chart.pool);
    conf_free(conf);
    loop_free(loop);
    clock_free(clock);
}

UNIT_MAIN(UNIT_ROW(both_ends_of_a_chart_are_shown))
