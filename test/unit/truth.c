/* The truth about the street, from end to end: the box that is told of somebody is where
 * the picture with him differs from the one without, by day and by night, in every weather,
 * at every zoom. On the real place, with the scenarios that ship. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "device/device.h"
#include "device/virtual/cast/cast.h"
#include "device/virtual/cast/library.h"
#include "device/virtual/radiance.h"
#include "device/virtual/stage/stage.h"
#include "device/virtual/world.h"
#include "unit.h"

#define SECOND INT64_C(1000000000)
#define WIDTH 1920
#define HEIGHT 1080
#define ASPECT ((double)WIDTH / HEIGHT)
#define MOST 64
#define LEAST_PX 12 /* smaller ones: a pixel's border is more than a tenth of the box */
#define LEAST_IOU 0.9
#define LEAST_OF_ALL 0.6 /* one of twenty may be as bad */
#define LEAST_VISIBLE 0.5

struct tally {
    size_t n;
    double iou[4096];
};

static struct pose looking(double pan, double tilt, double zoom)
{
    return (struct pose){.pan_deg = pan,
                         .tilt_deg = tilt,
                         .zoom = zoom,
                         .hfov_deg = 2 * atan(tan(M_PI / 6) / zoom) * 180 / M_PI,
                         .known = true};
}

/* The pose at that zoom with the middle of a box of `p` in its middle, nearly. */
static struct pose aimed(const struct pose *p, const double *box, double zoom)
{
    double half = tan(p->hfov_deg * M_PI / 360);
    double x = (2 * (box[0] + box[2] / 2) - 1) * half;
    double y = (2 * (box[1] + box[3] / 2) - 1) * half / ASPECT;
    return looking(p->pan_deg + atan(x) * 180 / M_PI, p->tilt_deg - atan(y) * 180 / M_PI, zoom);
}

static struct radiance planes(void)
{
    size_t n = (size_t)WIDTH * HEIGHT;
    uint16_t *p = calloc(n * 3, sizeof(*p));
    CHECK(p);
    return (struct radiance){
        .width = WIDTH, .height = HEIGHT, .stride = WIDTH, .r = p, .g = p + n, .b = p + 2 * n};
}

static bool differs(uint16_t a, uint16_t b)
{
    return abs(a - b) > 2 + b / 24;
}

/* What differs, as x0 y0 x1 y1 in pixels; false: nothing does. */
static bool difference(const struct radiance *a, const struct radiance *b, double ret[4])
{
    ret[0] = ret[1] = 1e9;
    ret[2] = ret[3] = -1;
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++) {
        if (!differs(a->r[i], b->r[i]) && !differs(a->g[i], b->g[i]) && !differs(a->b[i], b->b[i]))
            continue;
        double x = (double)(i % WIDTH), y = (double)(i / WIDTH);
        ret[0] = fmin(ret[0], x);
        ret[1] = fmin(ret[1], y);
        ret[2] = fmax(ret[2], x + 1);
        ret[3] = fmax(ret[3], y + 1);
    }
    return ret[2] > ret[0];
}

static double iou(const double *box, const double shown[4])
{
    double x0 = box[0] * WIDTH, y0 = box[1] * HEIGHT;
    double x1 = x0 + box[2] * WIDTH, y1 = y0 + box[3] * HEIGHT;
    double w = fmin(x1, shown[2]) - fmax(x0, shown[0]);
    double h = fmin(y1, shown[3]) - fmax(y0, shown[1]);
    double all = (x1 - x0) * (y1 - y0) + (shown[2] - shown[0]) * (shown[3] - shown[1]);
    return w > 0 && h > 0 ? w * h / (all - w * h) : 0;
}

/* Judges all that this pose sees. */
static void judge(struct world *w, const struct pose *p, int64_t t, const char *scene,
                  struct radiance *with, struct radiance *without, struct tally *tally)
{
    struct truth_object o[MOST];
    size_t n = world_truth(w, p, ASPECT, t, o, MOST);
    world_hide(w, NULL);
    CHECK(world_render(w, p, p, t, t, with) == 0);
    with->held = 0;
    for (size_t i = 0; i < n && tally->n < sizeof(tally->iou) / sizeof(*tally->iou); i++) {
        double shown[4];
        if (o[i].visible < LEAST_VISIBLE || o[i].box[2] * WIDTH < LEAST_PX ||
            o[i].box[3] * HEIGHT < LEAST_PX)
            continue;
        world_hide(w, o[i].id);
        CHECK(world_render(w, p, p, t, t, without) == 0);
        double same = difference(with, without, shown) ? iou(o[i].box, shown) : 0;
        if (same < LEAST_IOU)
            printf("%s %.0f s, pan %.2f tilt %.2f zoom %.0f: %s %.2f visible, told %.1f,%.1f "
                   "%.1f,%.1f, shown %.0f,%.0f %.0f,%.0f: IoU %.3f\n",
                   scene, (double)t / 1e9, p->pan_deg, p->tilt_deg, p->zoom, o[i].id, o[i].visible,
                   o[i].box[0] * WIDTH, o[i].box[1] * HEIGHT, (o[i].box[0] + o[i].box[2]) * WIDTH,
                   (o[i].box[1] + o[i].box[3]) * HEIGHT, shown[0], shown[1], shown[2], shown[3],
                   same);
        tally->iou[tally->n++] = same;
    }
    world_hide(w, NULL);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct device *open_scene(struct clock *c, const char *scenario, const char *commands)
{
    struct fault why = {0};
    struct device *d = device_open("virtual:street", 3, c, NULL, &why);
    if (!d)
        unit_fail(__FILE__, __LINE__, "%s", why.text);
    const struct scenario_text *s = library_find(d->library, scenario);
    CHECK(s && cast_load(d->cast, 0, s->text, s->len, &why) == 0);
    char text[256];
    snprintf(text, sizeof(text), "%s", commands);
    for (char *rest = text, *one; (one = strsep(&rest, ";"));)
        if (stage_command_text(d->stage, 0, one, &why) < 0)
            unit_fail(__FILE__, __LINE__, "%s: %s", one, why.text);
    return d;
}

static void play(const char *scenario, const char *commands, int times)
{
    static const double pans[] = {-35, 10, 55}, zooms[] = {3, 8, 20};
    static struct tally tally;
    struct radiance with = planes(), without = planes();
    struct clock *c = clock_new_sim();
    struct device *d = open_scene(c, scenario, commands);
    tally.n = 0;
    for (int k = 0; k < times; k++) {
        int64_t t = (40 + 37 * k) * SECOND;
        struct pose wide = looking(pans[k % 3], -10, 1);
        struct truth_object o[MOST];
        size_t n = world_truth(d->world, &wide, ASPECT, t, o, MOST);
        judge(d->world, &wide, t, scenario, &with, &without, &tally);
        for (size_t i = 0; i < n; i += 1 + n / 3) { /* a few of them, near by */
            struct pose p = aimed(&wide, o[i].box, zooms[(i + (size_t)k) % 3]);
            judge(d->world, &p, t, scenario, &with, &without, &tally);
        }
    }
    CHECK(tally.n > 0);
    qsort(tally.iou, tally.n, sizeof(*tally.iou), by_size);
    printf("%-16s n %3zu, IoU least %.3f, one of twenty below %.3f, median %.3f\n", scenario,
           tally.n, tally.iou[0], tally.iou[tally.n / 20], tally.iou[tally.n / 2]);
    fflush(stdout);
    CHECK(tally.n >= 10);
    /* A few pixels of whoever stands behind shine through where the edges of two others meet,
     * and between leaves: no part of the box, but of the difference. */
    CHECK(tally.iou[tally.n / 20 + 1] >= LEAST_IOU);
    CHECK(tally.iou[0] >= LEAST_OF_ALL);
    free(with.r);
    free(without.r);
    d->close(d);
    clock_free(c);
}

TEST(J4_by_day)
{
    play("busy-noon", "hour 12", 4);
}

TEST(J4_under_clouds_in_a_crowd)
{
    play("crowd", "hour 15;weather overcast 0s", 2);
}

TEST(J4_at_dusk_in_rain)
{
    play("rain-headlights", "hour 20.5", 6);
}

TEST(J4_at_night)
{
    play("default", "hour 23", 4);
}

TEST(J4_in_snow_and_fog)
{
    play("default", "hour 9;weather snow 0s;visibility 300 0s", 4);
}

TEST(J4_behind_things)
{
    play("tracking-walk", "hour 17", 9);
}

UNIT_MAIN(UNIT_ROW(J4_by_day) UNIT_ROW(J4_under_clouds_in_a_crowd) UNIT_ROW(J4_at_dusk_in_rain)
              UNIT_ROW(J4_at_night) UNIT_ROW(J4_in_snow_and_fog) UNIT_ROW(J4_behind_things))
