#include "device/virtual/sensor.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "device/virtual/kernels.h"
#include "device/virtual/world.h"
#include "media/picture.h"
#include "media/shot.h"

#define PICTURES 12      /* that may be out at a time */
#define NOISE (1 << 16)  /* Gaussian samples; every row starts somewhere in them */
#define METERED 15       /* pictures' times whose light decides the exposure */
#define UNIT 16384.0     /* radiance of a white card in full sun */
#define MIDDLE_GREY 0.25 /* linear; what the mean of the picture is exposed for */
#define SHORTEST_NS INT64_C(50000)
#define LONGEST_NS INT64_C(16000000)
#define MOST_GAIN_DB 36.0
/* Linear value of the white card after 1 ms without gain at f/4. */
#define SENSITIVITY 0.25

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
    int8_t *noise;         /* NOISE + width */
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
        uint16_t *planes = malloc(n * 3 * sizeof(*planes));
        if (!planes)
            return -ENOMEM;
        v->light = (struct radiance){
            v->width, v->height, (size_t)v->width, planes, planes + n, planes + 2 * n, 0};
        /* cppcheck-suppress memleak */
    }
    if (!v->pool)
        v->pool = picture_pool_new(v->width, v->height, false, PICTURES);
    return v->pool ? 0 : -ENOMEM;
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
    v->pool = picture_pool_unref(v->pool);
}

/* Exposure for the picture that starts then: the light of the place along the head's way
 * during the last half second, the newest weighing most. A function of the head's
 * trajectory alone, hence the same whoever began to watch when. */
static void expose(struct virtual_sensor *v, int64_t start_ns, int64_t *ret_exposure_ns,
                   double *ret_gain_db)
{
    double sum = 0, weight = 0, aspect = (double)v->width / v->height, k = 1, level = 0;
    struct pose last = {0};
    for (int i = 0; i < METERED; i++, k *= 0.72) {
        struct pose p;
        v->head->ops->pose(v->head, start_ns - (i + 1) * INT64_C(33333333), &p);
        if (i == 0 || p.pan_deg != last.pan_deg || p.tilt_deg != last.tilt_deg ||
            p.hfov_deg != last.hfov_deg)
            level = log(fmax(world_meter(v->world, &p, aspect), 1e-4));
        last = p;
        sum += level * k;
        weight += k;
    }
    double wanted_ms = MIDDLE_GREY / exp(sum / weight) / SENSITIVITY;
    double ns = wanted_ms * 1e6;
    double used = fmin(fmax(ns, (double)SHORTEST_NS), (double)LONGEST_NS);
    *ret_exposure_ns = (int64_t)used;
    *ret_gain_db = fmin(fmax(20 * log10(ns / used), 0), MOST_GAIN_DB);
}

static void develop(struct virtual_sensor *v, uint64_t serial, int64_t exposure_ns, double gain_db,
                    struct picture *to)
{
    double amplify = pow(10, gain_db / 20);
    const struct sensor_curve curve = {
        .gain = (float)(SENSITIVITY * (double)exposure_ns / 1e6 * amplify / UNIT),
        .shot_noise = (float)(0.0042 / 32 * sqrt(amplify)),
        .read_noise = (float)(0.0035 / 32 * amplify),
        .slope = {-0.0851341f, 1.2899163f, -0.3982510f, 0.2822550f, -0.0888705f},
    };
    const struct radiance *l = &v->light;
    uint64_t key = mix64(v->seed ^ mix64(serial));
    for (int y = 0; y < v->height; y += 2) {
        const uint16_t *in[6];
        const int8_t *noise[6];
        for (int k = 0; k < 6; k++) {
            size_t row = (size_t)(y + k / 3) * l->stride;
            in[k] = (k % 3 == 0 ? l->r : k % 3 == 1 ? l->g : l->b) + row;
            noise[k] = v->noise + (mix64(key + (uint64_t)(y * 8 + k)) & (NOISE - 1));
        }
        v->kernels->develop2(&curve, in, noise, v->width, to->plane[0] + (long)y * to->stride[0],
                             to->plane[0] + (long)(y + 1) * to->stride[0],
                             to->plane[1] + (long)(y / 2) * to->stride[1],
                             to->plane[2] + (long)(y / 2) * to->stride[2]);
    }
    to->matrix = COLOUR_BT709;
    to->range = RANGE_LIMITED;
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
    struct capture how = {.serial = serial, .start_ns = start_ns, .iris_f = 4.0};
    int64_t exposure_ns;
    expose(v, start_ns, &exposure_ns, &how.gain_db);
    how.end_ns = start_ns + exposure_ns;
    how.utc_ns = clock_utc_of(v->clock, start_ns);
    v->head->ops->pose(v->head, how.start_ns, &how.pose_start);
    v->head->ops->pose(v->head, how.end_ns, &how.pose_end);
    rc =
        world_render(v->world, &how.pose_start, &how.pose_end, how.start_ns, how.end_ns, &v->light);
    if (rc < 0) {
        picture_unref(pixels);
        return rc;
    }
    develop(v, serial, exposure_ns, how.gain_db, pixels);
    how.mean_luma = mean_luma(pixels);
    struct shot *shot = shot_new(pixels, &how); /* takes pixels, also when it fails */
    if (!shot)
        return -ENOMEM;
    struct truth_shot truth = {.serial = serial,
                               .start_ns = start_ns,
                               .utc_ns = how.utc_ns,
                               .exposure_ns = exposure_ns,
                               .pose = how.pose_start};
    v->head->ops->pose(v->head, start_ns + exposure_ns / 2, &truth.middle);
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
    v->noise = malloc((size_t)(NOISE + width));
    if (!v->noise)
        return virtual_sensor_free(&v->sensor);
    /* Sums of twelve uniform numbers are close enough to Gaussian, and the same on any
     * machine. */
    for (int i = 0; i < NOISE; i++) {
        uint64_t a = mix64((uint64_t)i * 3), b = mix64((uint64_t)i * 3 + 1), sum = 0;
        for (int k = 0; k < 6; k++)
            sum += (a >> (10 * k) & 1023) + (b >> (10 * k) & 1023);
        double g = ((double)sum - 6138) / 1024 * 32;
        v->noise[i] = (int8_t)lrint(fmin(fmax(g, -127), 127));
    }
    for (int i = 0; i < width; i++)
        v->noise[NOISE + i] = v->noise[i % NOISE];
    return &v->sensor;
}

struct sensor *virtual_sensor_free(struct sensor *s)
{
    if (!s)
        return NULL;
    stop(s);
    free(of(s)->noise);
    free(of(s));
    return NULL;
}
