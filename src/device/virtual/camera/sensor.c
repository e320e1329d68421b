#include "device/virtual/camera/sensor.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "device/virtual/camera/bokeh.h"
#include "device/virtual/camera/clean.h"
#include "device/virtual/camera/head.h"
#include "device/virtual/camera/lens.h"
#include "device/virtual/camera/measure.h"
#include "device/virtual/camera/mess.h"
#include "device/virtual/camera/silicon.h"
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
#define CRISP_NS INT64_C(8000000)        /* longer only when the iris is open */
#define LONGEST_NS INT64_C(33333333)
#define NARROW_F 4.0
#define WIDE_F 1.4
#define NIGHT_IR 0.02 /* with that much of its own lamp the camera sees in black and white */
/* Whites of a plain camera end softly, above what it exposes for. */
#define HEADROOM 2.0

struct virtual_sensor {
    struct sensor sensor;
    struct world *world;
    struct head *head;
    struct lens *lens;
    struct clock *clock;
    uint64_t seed;
    int width, height;
    double fps;
    const struct kernels *kernels;
    struct picture_pool *pool;
    struct radiance light; /* planes NULL while nobody wants pictures */
    struct pane *pane;
    struct clean *clean; /* NULL while nobody wants pictures */
    struct bokeh *bokeh; /* NULL until the lens is focused; with that: */
    float *metres;       /* how far all is */
    bool any_mode;       /* caps().mode are offered */
    bool told;           /* somebody sets how pictures are taken; else the sensor does */
    struct sensor_settings settings;
    struct sensor_noise grain[GRAINS]; /* of what follows */
    struct silicon grain_of;
    struct tone grain_tone;
};

/* Rates that go with mains of 60 and of 50 Hz, best first. */
static const struct sensor_mode modes[] = {{1920, 1080, 60}, {1920, 1080, 50}, {1920, 1080, 30},
                                           {1920, 1080, 25}, {1280, 720, 60},  {1280, 720, 50},
                                           {1280, 720, 30},  {1280, 720, 25}};
#define MODES (sizeof(modes) / sizeof(*modes))

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

static int64_t longest_ns(const struct virtual_sensor *v)
{
    return (int64_t)(1e9 / v->fps);
}

static void caps(struct sensor *s, struct sensor_caps *ret)
{
    struct virtual_sensor *v = of(s);
    *ret = (struct sensor_caps){.width = v->width,
                                .height = v->height,
                                .fps = v->fps,
                                .can = SENSOR_EXPOSURE | SENSOR_GAIN | SENSOR_BALANCE |
                                       SENSOR_FILTER | SENSOR_TONE | SENSOR_RANGE,
                                .shortest_ns = SILICON_SHORTEST_NS,
                                .longest_ns = longest_ns(v),
                                .most_gain_db = SILICON_MOST_GAIN_DB,
                                .most_range = SILICON_MOST_RANGE,
                                .mode = modes,
                                .n_modes = v->any_mode ? MODES : 0};
}

/* The lamps do not ask what the camera takes their mains for. */
static int use_mode(struct sensor *s, unsigned mode, double mains_hz)
{
    struct virtual_sensor *v = of(s);
    if (!v->any_mode || mode >= MODES || !(mains_hz == 50 || mains_hz == 60))
        return -EINVAL;
    v->width = modes[mode].width;
    v->height = modes[mode].height;
    v->fps = modes[mode].fps;
    return 0;
}

static double within(double v, double lo, double hi)
{
    return v >= lo ? v < hi ? v : hi : lo; /* also for what is no number */
}

static void set(struct sensor *s, const struct sensor_settings *settings)
{
    struct virtual_sensor *v = of(s);
    struct sensor_settings *to = &v->settings;
    *to = *settings;
    to->exposure_ns = settings->exposure_ns < SILICON_SHORTEST_NS ? SILICON_SHORTEST_NS
                      : settings->exposure_ns > longest_ns(v)     ? longest_ns(v)
                                                                  : settings->exposure_ns;
    to->gain_db = within(settings->gain_db, 0, SILICON_MOST_GAIN_DB);
    to->red = within(settings->red, 0.1, 10);
    to->blue = within(settings->blue, 0.1, 10);
    to->range = within(settings->range, 1, SILICON_MOST_RANGE);
    v->told = true;
}

static int prepare(struct virtual_sensor *v)
{
    size_t n = (size_t)v->width * (size_t)v->height;
    if (!v->light.r) {
        v->light = (struct radiance){.width = v->width, .height = v->height};
        size_t cells = (size_t)radiance_across(&v->light) * (size_t)radiance_down(&v->light);
        uint16_t *planes = radiance_room(n * 3 * sizeof(*planes) + cells);
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
    v->bokeh = bokeh_free(v->bokeh);
    world_watch(v->world, NULL);
    free(v->metres);
    v->metres = NULL;
    v->pool = picture_pool_unref(v->pool);
    pane_rest(v->pane);
    world_rest(v->world);
}

/* ---- what it does by itself, while nobody tells it ---- */

/* A given amount of light (milliseconds at f/4 without gain) as time, iris and gain: short
 * times while there is light enough, then the iris opens, then time, and last gain. */
static void share_out(double wanted_ms, double fps, struct sensor_settings *ret, double *ret_f)
{
    double ns = wanted_ms * 1e6, longest = fmin((double)LONGEST_NS, 1e9 / fps);
    *ret_f = NARROW_F;
    if (ns > (double)CRISP_NS) {
        *ret_f = fmax(NARROW_F / sqrt(ns / (double)CRISP_NS), WIDE_F);
        ns *= *ret_f * *ret_f / (NARROW_F * NARROW_F);
    }
    double used = fmin(fmax(ns, (double)SILICON_SHORTEST_NS), longest);
    ret->exposure_ns = (int64_t)used;
    ret->gain_db = fmin(fmax(20 * log10(ns / used), 0), SILICON_MOST_GAIN_DB);
}

/* Exposure for the picture that starts then: the light along the head's way during the last
 * half second, the newest weighing most. A function of the head's trajectory and the stage
 * alone, hence the same whoever began to watch when. */
static void expose(struct virtual_sensor *v, int64_t start_ns, const struct mess *mess,
                   struct sensor_settings *ret, double *ret_f)
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
    share_out(exp2(round(stops * STOPS_STEPS) / STOPS_STEPS) / SILICON_SENSITIVITY, v->fps, ret,
              ret_f);
}

/* ---- a picture ---- */

/* How one is taken. */
struct plan {
    struct sensor_settings set;
    double iris_f;
    double headroom; /* beyond its range */
};

static void decide(struct virtual_sensor *v, int64_t start_ns, const struct set *set,
                   const struct mess *mess, struct plan *ret)
{
    if (v->told) {
        struct lens_state lens;
        v->lens->ops->state(v->lens, start_ns, &lens);
        *ret = (struct plan){v->settings, lens.iris_f, 1};
        world_bare(v->world, !ret->set.ir_cut);
        return;
    }
    bool night = set->ir > NIGHT_IR;
    *ret = (struct plan){.set = {.red = 1, .blue = 1, .ir_cut = !night, .mono = night, .range = 1},
                         .headroom = HEADROOM};
    tone_plain(&ret->set.tone);
    world_bare(v->world, night);
    expose(v, start_ns, mess, &ret->set, &ret->iris_f);
}

/* A pose as it is, not as the head believes. */
static struct pose really(struct virtual_sensor *v, const struct pose *believed, int64_t time_ns)
{
    struct pose p = *believed;
    double pan, tilt;
    virtual_head_play(v->head, time_ns, &pan, &tilt);
    p.pan_deg += pan;
    p.tilt_deg += tilt;
    return p;
}

/* What the lens draws: light, sharp where it is focused. */
static int draw(struct virtual_sensor *v, const struct capture *how, const struct pose *from,
                const struct pose *till, struct radiance **ret)
{
    struct optics o;
    virtual_lens_optics(v->lens, how->start_ns, how->pose_start.zoom, &o);
    o.f_number = how->iris_f;
    bool focused = o.focus_m > 0;
    if (focused && !v->bokeh) {
        size_t across = (size_t)(v->width + WORLD_STEP - 1) / WORLD_STEP;
        size_t down = (size_t)(v->height + WORLD_STEP - 1) / WORLD_STEP;
        if (!v->metres)
            v->metres = malloc(across * down * sizeof(*v->metres));
        v->bokeh = bokeh_new(v->width, v->height);
        if (!v->bokeh || !v->metres)
            return -ENOMEM;
        world_watch(v->world, v->metres);
    }
    *ret = &v->light;
    int rc = world_render(v->world, from, till, how->start_ns, how->end_ns, &v->light);
    return rc < 0 || !focused ? rc
                              : bokeh_look(v->bokeh, v->kernels, &o, v->metres, &v->light, ret);
}

static void develop(struct virtual_sensor *v, const struct plan *p, const struct silicon *s,
                    uint64_t serial, struct radiance *seen, struct picture *to)
{
    struct sensor_curve curve;
    silicon_curve(s, &p->set.tone, seen->unit, &curve);
    if (memcmp(s, &v->grain_of, sizeof(*s)) != 0 ||
        memcmp(p->set.tone.signal, v->grain_tone.signal, sizeof(v->grain_tone.signal)) != 0 ||
        p->set.tone.local != v->grain_tone.local) {
        silicon_grains(s, &p->set.tone, v->grain);
        v->grain_of = *s;
        v->grain_tone = p->set.tone;
    }
    clean_develop(v->clean, v->kernels, &curve, &p->set.tone, seen);
    clean_print(v->clean, v->kernels, v->grain, mix64(v->seed ^ mix64(serial)), p->set.mono, to);
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
    struct plan plan;
    struct silicon silicon;
    world_set(v->world, start_ns, &set, &mess);
    decide(v, start_ns, &set, &mess, &plan);
    struct capture how = {.serial = serial,
                          .start_ns = start_ns,
                          .end_ns = start_ns + plan.set.exposure_ns,
                          .utc_ns = clock_utc_of(v->clock, start_ns),
                          .gain_db = plan.set.gain_db,
                          .iris_f = plan.iris_f,
                          .red = plan.set.red,
                          .blue = plan.set.blue,
                          .range = plan.set.range,
                          .ir_cut = plan.set.ir_cut,
                          .mono = plan.set.mono};
    v->head->ops->pose(v->head, how.start_ns, &how.pose_start);
    v->head->ops->pose(v->head, how.end_ns, &how.pose_end);
    how.focus = how.pose_start.focus;
    struct pose from = really(v, &how.pose_start, how.start_ns);
    struct pose till = really(v, &how.pose_end, how.end_ns);
    struct radiance *drawn = NULL, *seen = NULL;
    pane_restore(v->pane);
    rc = draw(v, &how, &from, &till, &drawn);
    if (rc == 0)
        rc = pane_look(v->pane, &mess, &set, how.pose_start.zoom, start_ns, drawn, &seen);
    if (rc < 0) {
        picture_unref(pixels);
        return rc;
    }
    silicon_expose(plan.set.exposure_ns, plan.iris_f, plan.set.gain_db, &silicon);
    silicon.light *=
        world_flicker(v->world, &from, (double)v->width / v->height, how.start_ns, how.end_ns);
    silicon.range = plan.set.range * plan.headroom;
    silicon.red = plan.set.red;
    silicon.blue = plan.set.blue;
    develop(v, &plan, &silicon, serial, seen, pixels);
    memset(drawn->touched, 0, (size_t)radiance_across(drawn) * (size_t)radiance_down(drawn));
    how.mean_luma = mean_luma(pixels);
    struct shot *shot = shot_new(pixels, &how); /* takes pixels, also when it fails */
    if (!shot)
        return -ENOMEM;
    if (v->told)
        shot->light = measure_light(seen, &silicon, mix64(v->seed ^ serial));
    int64_t middle_ns = start_ns + plan.set.exposure_ns / 2;
    struct truth_shot truth = {.serial = serial,
                               .start_ns = start_ns,
                               .utc_ns = how.utc_ns,
                               .exposure_ns = plan.set.exposure_ns,
                               .pose = how.pose_start};
    struct pose middle;
    v->head->ops->pose(v->head, middle_ns, &middle);
    truth.middle = really(v, &middle, middle_ns);
    world_remember(v->world, &truth);
    *ret_shot = shot;
    return 0;
}

static const struct sensor_ops ops = {
    .caps = caps, .take = take, .start = start, .stop = stop, .set = set, .use_mode = use_mode};

void virtual_sensor_offer_modes(struct sensor *s)
{
    of(s)->any_mode = true;
}

struct sensor *virtual_sensor_new(struct world *w, struct head *head, struct lens *lens,
                                  struct clock *clock, uint64_t seed, int width, int height,
                                  double fps)
{
    struct virtual_sensor *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->sensor.ops = &ops;
    v->world = w;
    v->head = head;
    v->lens = lens;
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
