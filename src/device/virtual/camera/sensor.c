#include "device/virtual/camera/sensor.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "device/virtual/camera/clean.h"
#include "device/virtual/camera/mess.h"
#include "device/virtual/kernels.h"
#include "device/virtual/set.h"
#include "device/virtual/world.h"
#include "media/picture.h"
#include "media/shot.h"

#define PICTURES 12                      /* that may be out at a time */
#define METERED 15                       /* pictures' times whose light decides the exposure */
#define LIGHT_STEP_NS INT64_C(200000000) /* the light is looked at so often */
#define STOPS_STEPS 64.0                 /* exposures apart by a factor of two: so many steps */
#define MIDDLE_GREY 0.25                 /* linear; what the mean of the picture is exposed for */
#define SHORTEST_NS INT64_C(50000)
#define CRISP_NS INT64_C(8000000) /* longer only when the iris is open */
#define LONGEST_NS INT64_C(33333333)
#define NARROW_F 4.0
#define WIDE_F 1.4
#define MOST_GAIN_DB 42.0
/* Linear value of the white card in full sun after 1 ms without gain at f/4. */
#define SENSITIVITY 0.45
#define NIGHT_IR 0.02 /* with that much of its own lamp the camera sees in black and white */

struct virtual_sensor {
    struct sensor sensor;
    struct world *world;
    struct head *head;
    struct clock *clock;
    uint64_t seed;
    int width, height;
    double fps;
    const struct kernels *kernels;
    struct picture_pool *pool;
    struct radiance light; /* planes NULL while nobody wants pictures */
    struct pane *pane;
    struct clean *clean; /* NULL while nobody wants pictures */
};

static struct virtual_sensor *of(struct sensor *s)
{
    return (struct virtual_sensor *)((char *)s - offsetof(struct virtual_sensor, sensor));
}

static uint64_t mix64(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void caps(struct sensor *s, struct sensor_caps *ret)
{
    struct virtual_sensor *v = of(s);
    *ret = (struct sensor_caps){v->width, v->height, v->fps};
}

static int prepare(struct virtual_sensor *v)
{
    size_t n = (size_t)v->width * (size_t)v->height;
    if (!v->light.r) {
        v->light = (struct radiance){.width = v->width, .height = v->height};
        size_t cells = (size_t)radiance_across(&v->light) * (size_t)radiance_down(&v->light);
        uint16_t *planes = malloc(n * 3 * sizeof(*planes) + cells);
        if (!planes)
            return -ENOMEM;
        v->light.stride = (size_t)v->width;
        v->light.r = planes;
        v->light.g = planes + n;
        v->light.b = planes + 2 * n;
        v->light.touched = (uint8_t *)(planes + 3 * n);
        memset(v->light.touched, 1, cells);
        /* cppcheck-suppress memleak */
    }
    if (!v->clean)
        v->clean = clean_new(v->width, v->height);
    if (!v->pool)
        v->pool = picture_pool_new(v->width, v->height, false, PICTURES);
    return v->pool && v->clean ? 0 : -ENOMEM;
}

static void start(struct sensor *s)
{
    (void)s; /* take() prepares what it needs */
}

static void stop(struct sensor *s)
{
    struct virtual_sensor *v = of(s);
    free(v->light.r);
    v->light = (struct radiance){0};
    v->clean = clean_free(v->clean);
    v->pool = picture_pool_unref(v->pool);
    pane_rest(v->pane);
    world_rest(v->world);
}

struct exposure {
    int64_t ns;
    double iris_f, gain_db;
};

/* A given amount of light (milliseconds at f/4 without gain) as time, iris and gain: short
 * times while there is light enough, then the iris opens, then time, and last gain. */
static struct exposure share_out(double wanted_ms, double fps)
{
    double ns = wanted_ms * 1e6, longest = fmin((double)LONGEST_NS, 1e9 / fps);
    struct exposure e = {.iris_f = NARROW_F};
    if (ns > (double)CRISP_NS) {
        e.iris_f = fmax(NARROW_F / sqrt(ns / (double)CRISP_NS), WIDE_F);
        ns *= e.iris_f * e.iris_f / (NARROW_F * NARROW_F);
    }
    double used = fmin(fmax(ns, (double)SHORTEST_NS), longest);
    e.ns = (int64_t)used;
    e.gain_db = fmin(fmax(20 * log10(ns / used), 0), MOST_GAIN_DB);
    return e;
}

/* Exposure for the picture that starts then: the light along the head's way during the last
 * half second, the newest weighing most. A function of the head's trajectory and the stage
 * alone, hence the same whoever began to watch when. */
static struct exposure expose(struct virtual_sensor *v, int64_t start_ns, const struct mess *mess)
{
    double sum = 0, weight = 0, aspect = (double)v->width / v->height, k = 1, seen = 0;
    struct pose last = {0};
    int64_t last_ns = 0;
    for (int i = 0; i < METERED; i++, k *= 0.72) {
        struct pose p;
        int64_t then = start_ns - (i + 1) * INT64_C(33333333);
        v->head->ops->pose(v->head, then, &p);
        then = then / LIGHT_STEP_NS * LIGHT_STEP_NS;
        if (i == 0 || then != last_ns || p.pan_deg != last.pan_deg || p.tilt_deg != last.tilt_deg ||
            p.hfov_deg != last.hfov_deg)
            seen = log(fmax(world_meter(v->world, &p, aspect, then), 1e-7));
        last = p;
        last_ns = then;
        sum += k * seen;
        weight += k;
    }
    /* In steps that are not seen: light that creeps must not change every sample of a picture. */
    double stops = log2(MIDDLE_GREY / fmax(mess_light(mess), 0.02)) - sum / weight / M_LN2;
    return share_out(exp2(round(stops * STOPS_STEPS) / STOPS_STEPS) / SENSITIVITY, v->fps);
}

static void curve_of(const struct exposure *e, double unit, struct sensor_curve *ret)
{
    double amplify = pow(10, e->gain_db / 20), open = NARROW_F / e->iris_f;
    double light = SENSITIVITY * (double)e->ns / 1e6 * open * open;
    *ret = (struct sensor_curve){
        .gain = (float)(light * amplify / unit),
        .slope = {-0.0851341f, 1.2899163f, -0.3982510f, 0.2822550f, -0.0888705f},
    };
}

/* As of a sensor whose camera takes most of it away: less than proportional. */
static void noise_of(const struct exposure *e, struct clean_noise *ret)
{
    double amplify = pow(10, e->gain_db / 20);
    *ret = (struct clean_noise){.shot = 0.0042 * pow(amplify, 0.36),
                                .read = 0.0030 * pow(amplify, 0.40)};
}

static double mean_luma(const struct picture *p)
{
    uint64_t sum = 0, n = 0;
    for (int y = 4; y < p->height; y += 8)
        for (int x = 4; x < p->width; x += 8, n++)
            sum += p->plane[0][(long)y * p->stride[0] + x];
    double mean = n ? ((double)sum / (double)n - 16) / 219 : 0;
    return mean < 0 ? 0 : mean > 1 ? 1 : mean;
}

static int take(struct sensor *s, uint64_t serial, int64_t start_ns, struct shot **ret_shot)
{
    struct virtual_sensor *v = of(s);
    int rc = prepare(v);
    if (rc < 0)
        return rc;
    struct picture *pixels = picture_get(v->pool);
    if (!pixels)
        return -ENOBUFS;
    struct set set;
    struct mess mess;
    world_set(v->world, start_ns, &set, &mess);
    struct exposure e = expose(v, start_ns, &mess);
    struct capture how = {.serial = serial,
                          .start_ns = start_ns,
                          .end_ns = start_ns + e.ns,
                          .utc_ns = clock_utc_of(v->clock, start_ns),
                          .gain_db = e.gain_db,
                          .iris_f = e.iris_f};
    v->head->ops->pose(v->head, how.start_ns, &how.pose_start);
    v->head->ops->pose(v->head, how.end_ns, &how.pose_end);
    struct radiance *seen = NULL;
    rc =
        world_render(v->world, &how.pose_start, &how.pose_end, how.start_ns, how.end_ns, &v->light);
    if (rc == 0)
        rc = pane_look(v->pane, &mess, &set, how.pose_start.zoom, start_ns, &v->light, &seen);
    if (rc < 0) {
        picture_unref(pixels);
        return rc;
    }
    struct sensor_curve curve;
    struct clean_noise noise;
    curve_of(&e, seen->unit, &curve);
    noise_of(&e, &noise);
    clean_develop(v->clean, v->kernels, &curve, seen);
    memset(v->light.touched, 0,
           (size_t)radiance_across(&v->light) * (size_t)radiance_down(&v->light));
    clean_print(v->clean, v->kernels, &noise, mix64(v->seed ^ mix64(serial)), set.ir > NIGHT_IR,
                pixels);
    how.mean_luma = mean_luma(pixels);
    struct shot *shot = shot_new(pixels, &how); /* takes pixels, also when it fails */
    if (!shot)
        return -ENOMEM;
    struct truth_shot truth = {.serial = serial,
                               .start_ns = start_ns,
                               .utc_ns = how.utc_ns,
                               .exposure_ns = e.ns,
                               .pose = how.pose_start};
    v->head->ops->pose(v->head, start_ns + e.ns / 2, &truth.middle);
    world_remember(v->world, &truth);
    *ret_shot = shot;
    return 0;
}

static const struct sensor_ops ops = {.caps = caps, .take = take, .start = start, .stop = stop};

struct sensor *virtual_sensor_new(struct world *w, struct head *head, struct clock *clock,
                                  uint64_t seed, int width, int height, double fps)
{
    struct virtual_sensor *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->sensor.ops = &ops;
    v->world = w;
    v->head = head;
    v->clock = clock;
    v->seed = seed;
    v->width = width;
    v->height = height;
    v->fps = fps;
    v->kernels = kernels_best();
    v->pane = pane_new(seed);
    if (!v->pane)
        return virtual_sensor_free(&v->sensor);
    return &v->sensor;
}

struct sensor *virtual_sensor_free(struct sensor *s)
{
    if (!s)
        return NULL;
    struct virtual_sensor *v = of(s);
    if (v->pane)
        stop(s);
    pane_free(v->pane);
    free(v);
    return NULL;
}
