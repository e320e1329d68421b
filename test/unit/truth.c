/* The truth about the places, from end to end: the box that is told of somebody is where
 * the picture with him differs from the one without, by day and by night, in every weather,
 * at every zoom. On the real places, with the scenarios that ship. With
 * COUNT_TRUTH=NAME in the environment (part of a name; empty: all of them) and -n, J4_everywhere
 * counts over those. */
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
#include "looks.h"
#include "unit.h"

#define SECOND INT64_C(1000000000)
#define WIDTH 1920
#define HEIGHT 1080
#define ASPECT ((double)WIDTH / HEIGHT)
#define MOST 64
#define LEAST_PX 12 /* smaller ones: a pixel's border is more than a tenth of the box */
#define LEAST_IOU 0.9
#define LEAST_VISIBLE 0.5

struct tally {
    size_t n;
    size_t bad; /* below LEAST_IOU */
    double iou[8192];
};

/* The pose at that zoom with the middle of a box of `p` in its middle, nearly. */
static struct pose aimed(const struct pose *p, const double *box, double zoom)
{
    double half = tan(p->hfov_deg * M_PI / 360);
    double x = (2 * (box[0] + box[2] / 2) - 1) * half;
    double y = (2 * (box[1] + box[3] / 2) - 1) * half / ASPECT;
    return looking(p->pan_deg + atan(x) * 180 / M_PI, p->tilt_deg - atan(y) * 180 / M_PI, zoom);
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

/* Judges all that this pose sees, around t. */
static void judge(struct world *w, const struct pose *p, int64_t t, int64_t open, const char *scene,
                  struct radiance *with, struct radiance *without, struct tally *tally)
{
    struct truth_object o[MOST];
    size_t n = world_truth(w, p, ASPECT, t, open, o, MOST);
    world_hide(w, NULL);
    CHECK(world_render(w, p, p, t - open / 2, t + open / 2, with) == 0);
    with->held = 0;
    for (size_t i = 0; i < n && tally->n < sizeof(tally->iou) / sizeof(*tally->iou); i++) {
        double shown[4];
        if (o[i].visible < LEAST_VISIBLE || o[i].box[2] * WIDTH < LEAST_PX ||
            o[i].box[3] * HEIGHT < LEAST_PX)
            continue;
        world_hide(w, o[i].id);
        CHECK(world_render(w, p, p, t - open / 2, t + open / 2, without) == 0);
        double same = difference(with, without, shown) ? iou(o[i].box, shown) : 0;
        if (same < LEAST_IOU)
            printf("%s %.0f s, pan %.2f tilt %.2f zoom %.0f: %s %.2f visible, told %.1f,%.1f "
                   "%.1f,%.1f, shown %.0f,%.0f %.0f,%.0f: IoU %.3f\n",
                   scene, (double)t / 1e9, p->pan_deg, p->tilt_deg, p->zoom, o[i].id, o[i].visible,
                   o[i].box[0] * WIDTH, o[i].box[1] * HEIGHT, (o[i].box[0] + o[i].box[2]) * WIDTH,
                   (o[i].box[1] + o[i].box[3]) * HEIGHT, shown[0], shown[1], shown[2], shown[3],
                   same);
        tally->iou[tally->n++] = same;
        tally->bad += same < LEAST_IOU;
    }
    world_hide(w, NULL);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct scene {
    const char *place, *scenario, *commands;
    int times;
    int open_ms; /* how long the shutter is */
};

static struct device *open_scene(struct clock *c, const struct scene *scene)
{
    struct fault why = {0};
    char text[256];
    snprintf(text, sizeof(text), "virtual:%s", scene->place);
    struct device *d = device_open(text, 3, c, NULL, &why);
    if (!d)
        unit_fail(__FILE__, __LINE__, "%s", why.text);
    const struct scenario_text *s = library_find(d->library, scene->scenario);
    CHECK(s && cast_load(d->cast, 0, s->text, s->len, &why) == 0);
    snprintf(text, sizeof(text), "%s", scene->commands);
    for (char *rest = text, *one; (one = strsep(&rest, ";"));)
        if (*one && stage_command_text(d->stage, 0, one, &why) < 0)
            unit_fail(__FILE__, __LINE__, "%s: %s", one, why.text);
    return d;
}

/* Adds the scene to the tally. */
static void count(const struct scene *s, struct tally *tally)
{
    static const double pans[] = {-35, 10, 55}, zooms[] = {3, 8, 20};
    const int64_t open = s->open_ms * (SECOND / 1000);
    char name[96];
    snprintf(name, sizeof(name), "%s %s", s->scenario, s->commands);
    struct radiance with = planes(WIDTH, HEIGHT), without = planes(WIDTH, HEIGHT);
    struct clock *c = clock_new_sim();
    struct device *d = open_scene(c, s);
    for (int k = 0; k < s->times; k++) {
        int64_t t = (40 + 37 * k) * SECOND;
        struct pose wide = looking(pans[k % 3], -10, 1);
        struct truth_object o[MOST];
        size_t n = world_truth(d->world, &wide, ASPECT, t, open, o, MOST);
        judge(d->world, &wide, t, open, name, &with, &without, tally);
        for (size_t i = 0; i < n; i += 1 + n / 3) { /* a few of them, near by */
            struct pose p = aimed(&wide, o[i].box, zooms[(i + (size_t)k) % 3]);
            judge(d->world, &p, t, open, name, &with, &without, tally);
        }
    }
    free(with.r);
    free(without.r);
    d->close(d);
    clock_free(c);
}

static void tell(const char *name, struct tally *t)
{
    qsort(t->iou, t->n, sizeof(*t->iou), by_size);
    if (t->n)
        printf("%-16s n %4zu, IoU least %.3f, one of twenty below %.3f, median %.3f; %zu below "
               "0.9\n",
               name, t->n, t->iou[0], t->iou[t->n / 20], t->iou[t->n / 2], t->bad);
    fflush(stdout);
}

static void play(const struct scene *s)
{
    static struct tally tally;
    tally.n = tally.bad = 0;
    count(s, &tally);
    tell(s->scenario, &tally);
    CHECK(tally.n >= 8);
    CHECK_INT(tally.bad, 0);
}

TEST(J4_by_day)
{
    play(&(struct scene){"street", "busy-noon", "hour 12", 4, 4});
}

TEST(J4_under_clouds_in_a_crowd)
{
    play(&(struct scene){"street", "crowd", "hour 15;weather overcast 0s", 1, 0});
}

TEST(J4_at_dusk_in_rain)
{
    play(&(struct scene){"street", "rain-headlights", "hour 20.5", 6, 0});
}

TEST(J4_at_night)
{
    play(&(struct scene){"street", "default", "hour 23", 4, 33});
}

TEST(J4_in_snow_and_fog)
{
    play(&(struct scene){"street", "default", "hour 9;weather snow 0s;visibility 300 0s", 3, 0});
}

TEST(J4_behind_things)
{
    play(&(struct scene){"street", "tracking-walk", "hour 17", 7, 0});
}

TEST(J4_everywhere)
{
    static const char *const street[] = {
        "default",       "busy-noon",   "crowd",        "gatekeeper",      "line-crossers",
        "loiterer",      "parcel-left", "quiet-night",  "rain-headlights", "tamper-series",
        "tracking-walk", "windy-trees", "wrong-way-car"};
    static const char *const hall[] = {"hall-day", "hall-rush"};
    static const char *const when[] = {"", "hour 12", "hour 20.5", "hour 23"};
    static struct tally one, all;
    if (!getenv("COUNT_TRUTH")) {
        play(&(struct scene){"hall", "hall-rush", "hour 20.5", 2, 20});
        return;
    }
    for (size_t i = 0; i < 15; i++) {
        bool in = i >= 13;
        if (!strstr(in ? hall[i - 13] : street[i], getenv("COUNT_TRUTH")))
            continue;
        one.n = one.bad = 0;
        for (size_t k = 0; k < 4; k++)
            count(&(struct scene){in ? "hall" : "street", in ? hall[i - 13] : street[i], when[k], 3,
                                  k ? 33 : 0},
                  &one);
        for (size_t k = 0; k < one.n && all.n < sizeof(all.iou) / sizeof(*all.iou); k++)
            all.iou[all.n++] = one.iou[k];
        all.bad += one.bad;
        tell(in ? hall[i - 13] : street[i], &one);
    }
    tell("all", &all);
    CHECK_INT(all.bad, 0);
}

UNIT_MAIN(UNIT_ROW(J4_by_day) UNIT_ROW(J4_under_clouds_in_a_crowd) UNIT_ROW(J4_at_dusk_in_rain)
              UNIT_ROW(J4_at_night) UNIT_ROW(J4_in_snow_and_fog) UNIT_ROW(J4_behind_things)
                  UNIT_ROW(J4_everywhere))
