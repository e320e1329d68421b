#include "device/virtual/camera/sensor.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "device/virtual/camera/bands.h"
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

#define PICTURES 12                 /* that may be out at a time */
#define LEAST_LIT 0.02f             /* a lamp of the mains is never quite dark */
#define FLICKER_STEPS 64            /* a stop */
#define BETWEEN_TICKS_NS 1000       /* ticks are rounded: so much longer than one is not longer */
#define DAYLIGHT_NS INT64_C(800000) /* until somebody sets it: by day, with the iris open */

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
    struct clean *clean;      /* NULL while nobody wants pictures */
    struct bokeh *bokeh;      /* NULL until the lens is focused; with that: */
    float *metres;            /* how far all is */
    struct bands bands;       /* planes NULL while nobody wants pictures */
    struct measured measured; /* what of the light has been measured … */
    const struct radiance *measured_of;
    bool any_mode; /* caps().mode are offered */
    struct sensor_settings settings;
    struct sensor_noise grain[GRAINS]; /* of what follows */
    struct sensor_curve curve;
    struct silicon made_of;
    struct tone made_tone;
    struct tone flicker; /* of a picture under lamps that flicker */
    float lit[TONE_DOWN][TONE_ACROSS];
    double made_unit;
    int64_t newest_ns, busy_ns; /* the newest exposure: when it began, when it is over */
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

static void caps(struct sensor *s, struct sensor_caps *ret)
{
    struct virtual_sensor *v = of(s);
    *ret = (struct sensor_caps){.width = v->width,
                                .height = v->height,
                                .fps = v->fps,
                                .can = SENSOR_EXPOSURE | SENSOR_GAIN | SENSOR_BALANCE |
                                       SENSOR_FILTER | SENSOR_TONE | SENSOR_RANGE | SENSOR_CLEAN,
                                .shortest_ns = SILICON_SHORTEST_NS,
                                .longest_ns = SILICON_LONGEST_NS,
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
    to->exposure_ns = settings->exposure_ns < SILICON_SHORTEST_NS  ? SILICON_SHORTEST_NS
                      : settings->exposure_ns > SILICON_LONGEST_NS ? SILICON_LONGEST_NS
                                                                   : settings->exposure_ns;
    to->gain_db = within(settings->gain_db, 0, SILICON_MOST_GAIN_DB);
    to->red = within(settings->red, 0.1, 10);
    to->blue = within(settings->blue, 0.1, 10);
    to->range = within(settings->range, 1, SILICON_MOST_RANGE);
    to->temporal = within(settings->temporal, 0, 1);
    to->spatial = within(settings->spatial, 0, 1);
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
    if (!v->bands.band.r && bands_init(&v->bands, v->width, v->height) < 0)
        return -ENOMEM;
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
    v->busy_ns = 0;
    free(v->light.r);
    v->light = (struct radiance){0};
    bands_done(&v->bands);
    v->measured_of = NULL;
    v->clean = clean_free(v->clean);
    v->bokeh = bokeh_free(v->bokeh);
    world_watch(v->world, NULL);
    free(v->metres);
    v->metres = NULL;
    v->pool = picture_pool_unref(v->pool);
    pane_rest(v->pane);
    world_rest(v->world);
}

/* ---- a picture ---- */

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

/* A smear by shaking is no straight line; and what shakes is measured to a fifth. */
#define SHAKE_UNSURE 1.3

static void add_shake(struct virtual_sensor *v, struct capture *how)
{
    double deg = SHAKE_UNSURE * world_shake(v->world, how->start_ns, how->end_ns);
    how->pose_start.uncertainty_deg += deg;
    how->pose_end.uncertainty_deg += deg;
}

/* Discs are made of blurred pictures (bokeh.h), whose rims are soft: light goes farther. */
#define SPREAD_SHARP_PX 0.2 /* a radius below is none */
#define SPREAD_SHARE 2.5f
#define SPREAD_PX 4.0f

/* How far all that is out of focus is spread. NULL: all is sharp, or out of memory. */
static struct shot_spread *spread_of(struct virtual_sensor *v, const struct optics *o)
{
    if (!(o->focus_m > 0) || !v->metres)
        return NULL;
    struct shot_spread *ret = calloc(1, sizeof(*ret));
    int across = (v->width + WORLD_STEP - 1) / WORLD_STEP;
    int down = (v->height + WORLD_STEP - 1) / WORLD_STEP;
    for (int y = 0; ret && y < down; y++)
        for (int x = 0; x < across; x++) {
            double disc =
                optics_disc(o, (double)v->metres[(size_t)y * (size_t)across + (size_t)x], v->width);
            float *to = &ret->px[y * SHOT_DOWN / down][x * SHOT_ACROSS / across];
            if (disc / 2 > SPREAD_SHARP_PX)
                *to = fmaxf(*to, SPREAD_SHARE * (float)(disc / 2) + SPREAD_PX);
        }
    return ret;
}

/* What a picture is made of; the stage's and the lens's state while it is taken. */
struct moment {
    const struct capture *how;
    struct pose from, till;
    struct set set;
    struct mess mess;
};

/* What lenses that are focused need. 0 or -ENOMEM. */
static int prepare_focus(struct virtual_sensor *v)
{
    size_t across = (size_t)(v->width + WORLD_STEP - 1) / WORLD_STEP;
    size_t down = (size_t)(v->height + WORLD_STEP - 1) / WORLD_STEP;
    if (v->bokeh)
        return 0;
    if (!v->metres)
        v->metres = malloc(across * down * sizeof(*v->metres));
    v->bokeh = bokeh_new(v->width, v->height);
    if (!v->bokeh || !v->metres)
        return -ENOMEM;
    world_watch(v->world, v->metres);
    return 0;
}

/* The place alone into v->light; what is drawn over it is found, and kept for bands. 1: so it is;
 * 0: it cannot be, and v->light is nothing (or, with *drawn, the whole picture). */
static int draw_bands(struct virtual_sensor *v, const struct moment *m, const struct optics *o,
                      bool *drawn)
{
    const struct capture *how = m->how;
    struct raster_small small;
    if (!pane_bare(&m->mess))
        return 0;
    int rc = world_place_only(v->world, &m->from, &m->till, how->start_ns, how->end_ns, &v->light);
    if (rc <= 0)
        return rc;
    rc = pane_prepare(v->pane, &m->set, &m->mess, how->pose_start.zoom, how->start_ns, &v->light,
                      &small);
    if (rc < 0)
        return rc;
    *drawn = !world_people(v->world, &v->light, &small);
    if (!*drawn && o->focus_m > 0 && !bokeh_sharp(v->bokeh, o, v->metres)) {
        world_whole(v->world, &v->light);
        *drawn = true;
    }
    return !*drawn;
}

/* What falls through the lens onto the sensor. 1: *ret_seen is the place alone, the rest of it
 * comes in bands; 0: it is all. *ret_drawn: the picture before the dome, of which cells are
 * touched. */
static int look(struct virtual_sensor *v, const struct moment *m, struct radiance **ret_drawn,
                struct radiance **ret_seen)
{
    const struct capture *how = m->how;
    struct optics o;
    virtual_lens_optics(v->lens, how->start_ns, how->pose_start.zoom, &o);
    o.f_number = how->iris_f;
    bool focused = o.focus_m > 0, drawn = false;
    int rc = focused ? prepare_focus(v) : 0;
    if (rc < 0)
        return rc;
    pane_restore(v->pane);
    *ret_drawn = *ret_seen = &v->light;
    rc = draw_bands(v, m, &o, &drawn);
    if (rc != 0)
        return rc;
    if (!drawn)
        rc = world_render(v->world, &m->from, &m->till, how->start_ns, how->end_ns, &v->light);
    if (rc == 0 && focused)
        rc = bokeh_look(v->bokeh, v->kernels, &o, v->metres, &v->light, ret_drawn);
    return rc < 0 ? rc
                  : pane_look(v->pane, &m->mess, &m->set, how->pose_start.zoom, how->start_ns,
                              *ret_drawn, ret_seen);
}

/* Lamps light some parts of the picture more than others, so that those flicker more: the least
 * lit is how the picture is exposed, the others are brighter by local gains. Those are kept in
 * v->lit and in a tone of its own. */
static bool flicker(struct virtual_sensor *v, const struct pose *pose, const struct capture *how,
                    struct silicon *silicon, const struct tone **tone)
{
    float least = INFINITY;
    if (!world_flicker(v->world, pose, (double)v->width / v->height, how->start_ns, how->end_ns,
                       TONE_ACROSS, TONE_DOWN, &v->lit[0][0]))
        return false;
    for (int i = 0; i < TONE_DOWN * TONE_ACROSS; i++)
        least = fminf(least, (&v->lit[0][0])[i]);
    least = fmaxf(least, LEAST_LIT);
    v->flicker = **tone;
    for (int j = 0; j < TONE_DOWN; j++)
        for (int i = 0; i < TONE_ACROSS; i++) {
            float more = v->lit[j][i] = fmaxf(v->lit[j][i] / least, 1);
            v->flicker.stops[j][i] = (*tone)->local ? (*tone)->stops[j][i] : 0;
            v->flicker.stops[j][i] += roundf(log2f(more) * FLICKER_STEPS) / FLICKER_STEPS;
        }
    v->flicker.local = true;
    silicon->light *= (double)least;
    *tone = &v->flicker;
    return true;
}

#define LUMA_STEP 8 /* of every so many pixels and rows one counts */

/* Of rows from top on that have just been printed, while they are near. */
static uint64_t sum_luma(const struct picture *p, int top, int rows)
{
    uint64_t sum = 0;
    for (int y = top + LUMA_STEP / 2; y < top + rows && y < p->height; y += LUMA_STEP) {
        const uint8_t *row = p->plane[0] + (long)y * p->stride[0];
        for (int x = LUMA_STEP / 2; x < p->width; x += LUMA_STEP)
            sum += row[x];
    }
    return sum;
}

static double mean_luma(const struct picture *p, uint64_t sum)
{
    const int half = LUMA_STEP / 2 - 1;
    uint64_t across = (uint64_t)((p->width + half) / LUMA_STEP);
    uint64_t n = across * (uint64_t)((p->height + half) / LUMA_STEP);
    double mean = n ? ((double)sum / (double)n - 16) / 219 : 0;
    return mean < 0 ? 0 : mean > 1 ? 1 : mean;
}

/* Returns the mean luma, 0…1. */
static double develop(struct virtual_sensor *v, const struct sensor_settings *p,
                      const struct tone *tone, const struct silicon *s, uint64_t serial,
                      bool banded, struct radiance *seen, struct picture *to)
{
    bool other = memcmp(s, &v->made_of, sizeof(*s)) != 0 ||
                 memcmp(tone->signal, v->made_tone.signal, sizeof(tone->signal)) != 0 ||
                 tone->local != v->made_tone.local;
    if (other)
        silicon_grains(s, tone, v->grain);
    if (other || seen->unit != v->made_unit)
        silicon_curve(s, tone, seen->unit, &v->curve);
    if (other) {
        v->made_of = *s;
        v->made_tone = *tone;
    }
    v->made_unit = seen->unit;
    uint64_t key = mix64(v->seed ^ mix64(serial)), luma = 0;
    measure_take(&v->measured, seen, seen != v->measured_of);
    v->measured_of = seen;
    bands_begin(&v->bands, banded ? seen : NULL);
    clean_begin(v->clean, v->kernels, &v->curve, tone, p->mono, seen);
    for (int y = 0; y < v->height; y += RADIANCE_CELL) {
        if (banded)
            bands_draw(&v->bands, y, v->world, v->pane);
        const uint8_t *drawn = banded ? v->bands.drawn : NULL;
        clean_band(v->clean, v->kernels, y, &v->bands.band, drawn);
        for (int i = y; i < y + RADIANCE_CELL && i < v->height; i += 2)
            clean_print_rows(v->clean, v->kernels, v->grain, key, p->mono, i, drawn, to);
        luma += sum_luma(to, y, RADIANCE_CELL);
        if (banded)
            measure_band(&v->measured, &v->bands.band, v->height, drawn);
    }
    to->matrix = COLOUR_BT709;
    to->range = RANGE_LIMITED;
    return mean_luma(to, luma);
}

/* The lamp of the clapperboard (stage.h), at the left edge: text stands above and below. */
static void paint_clap(struct picture *p)
{
    int width = p->width / 8 & ~1, top = p->height * 7 / 16 & ~1, end = p->height * 9 / 16 & ~1;
    for (int y = top; y < end; y++)
        memset(p->plane[0] + (long)y * p->stride[0], 235, (size_t)width);
    for (int k = 1; k < 3; k++)
        for (int y = top / 2; y < end / 2; y++)
            memset(p->plane[k] + (long)y * p->stride[k], 128, (size_t)width / 2);
}

static int take(struct sensor *s, uint64_t serial, int64_t start_ns, struct shot **ret_shot)
{
    struct virtual_sensor *v = of(s);
    const struct sensor_settings *p = &v->settings;
    /* An exposure longer than a tick takes the next ones, too. The same tick may be taken again. */
    if (start_ns < v->busy_ns && start_ns > v->newest_ns)
        return -EAGAIN;
    int rc = prepare(v);
    if (rc < 0)
        return rc;
    struct picture *pixels = picture_get(v->pool);
    if (!pixels)
        return -ENOBUFS;
    struct moment m;
    struct lens_state lens;
    struct silicon silicon;
    world_bare(v->world, !p->ir_cut);
    world_set(v->world, start_ns, &m.set, &m.mess);
    v->lens->ops->state(v->lens, start_ns, &lens);
    struct capture how = {.serial = serial,
                          .start_ns = start_ns,
                          .end_ns = start_ns + p->exposure_ns,
                          .utc_ns = clock_utc_of(v->clock, start_ns),
                          .gain_db = p->gain_db,
                          .iris_f = lens.iris_f,
                          .red = p->red,
                          .blue = p->blue,
                          .range = p->range,
                          .ir_cut = p->ir_cut,
                          .mono = p->mono};
    v->head->ops->pose(v->head, how.start_ns, &how.pose_start);
    v->head->ops->pose(v->head, how.end_ns, &how.pose_end);
    how.focus = how.pose_start.focus;
    add_shake(v, &how);
    m.how = &how;
    m.from = really(v, &how.pose_start, how.start_ns);
    m.till = really(v, &how.pose_end, how.end_ns);
    struct radiance *drawn = NULL, *seen = NULL;
    rc = look(v, &m, &drawn, &seen);
    if (rc < 0) {
        picture_unref(pixels);
        return rc;
    }
    silicon_expose(p->exposure_ns, lens.iris_f, p->gain_db, &silicon);
    const struct tone *tone = &p->tone;
    const bool flickers = flicker(v, &m.from, &how, &silicon, &tone);
    silicon.range = p->range;
    silicon.red = p->red;
    silicon.blue = p->blue;
    silicon.noisier =
        pow(SILICON_TEMPORAL, 1 - p->temporal) * pow(SILICON_SPATIAL, 1 - p->spatial) - 1;
    how.mean_luma = develop(v, p, tone, &silicon, serial, rc > 0, seen, pixels);
    memset(drawn->touched, 0, (size_t)radiance_across(drawn) * (size_t)radiance_down(drawn));
    if (world_clap(v->world, how.start_ns, how.end_ns))
        paint_clap(pixels);
    struct shot *shot = shot_new(pixels, &how); /* takes pixels, also when it fails */
    if (!shot)
        return -ENOMEM;
    if (s->wants_spread) {
        struct optics o;
        virtual_lens_optics(v->lens, how.start_ns, how.pose_start.zoom, &o);
        o.f_number = how.iris_f;
        shot->spread = spread_of(v, &o);
    }
    shot->light = measure_light(&v->measured, v->kernels, seen->unit, &silicon,
                                flickers ? (const float(*)[TONE_ACROSS])v->lit : NULL,
                                mix64(v->seed ^ serial));
    int64_t middle_ns = start_ns + p->exposure_ns / 2;
    struct truth_shot truth = {.serial = serial,
                               .start_ns = start_ns,
                               .utc_ns = how.utc_ns,
                               .exposure_ns = p->exposure_ns,
                               .pose = how.pose_start};
    struct pose middle;
    v->head->ops->pose(v->head, middle_ns, &middle);
    truth.middle = really(v, &middle, middle_ns);
    world_remember(v->world, &truth);
    v->newest_ns = start_ns;
    v->busy_ns = how.end_ns - BETWEEN_TICKS_NS;
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
    v->settings = (struct sensor_settings){.exposure_ns = DAYLIGHT_NS,
                                           .red = 1,
                                           .blue = 1,
                                           .ir_cut = true,
                                           .range = 1,
                                           .temporal = 1,
                                           .spatial = 1};
    tone_plain(&v->settings.tone);
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
