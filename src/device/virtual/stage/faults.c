#include "device/virtual/stage/faults.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "device/device.h"
#include "device/virtual/world.h"
#include "media/picture.h"
#include "media/shot.h"

#define MOST 32     /* at a time */
#define PICTURES 12 /* torn ones that may be out at a time */

struct faults {
    struct sensor sensor;
    struct head head;
    struct device *device;
    struct sensor *inner_sensor;
    struct head *inner_head;
    void (*inner_close)(struct device *d);
    struct clock *clock;
    struct world *world;
    uint64_t seed;
    double fps;

    pthread_mutex_t lock;
    struct device_fault fault[MOST]; /* lock */
    int number[MOST];                /* lock; 0: free */
    int last;

    /* the source thread */
    struct shot *frozen;
    struct picture *whole;  /* the picture before, for the lower part of the next */
    struct pose whole_pose; /* when its exposure began */
    struct picture_pool *pool;
    uint64_t given; /* the newest serial */
    bool has_given;
};

/* ---- which ---- */

/* The strongest of that kind that holds now; false: none does. */
static bool holds(struct faults *f, enum device_fault_kind kind, int64_t now_ns, double *ret_value)
{
    bool any = false;
    pthread_mutex_lock(&f->lock);
    for (int i = 0; i < MOST; i++) {
        const struct device_fault *it = &f->fault[i];
        if (!f->number[i] || it->kind != kind || now_ns < it->from_ns || now_ns >= it->until_ns)
            continue;
        bool stronger = kind == HEAD_SLOW ? it->value < *ret_value : it->value > *ret_value;
        if (!any || stronger)
            *ret_value = it->value;
        any = true;
    }
    pthread_mutex_unlock(&f->lock);
    return any;
}

/* 0…1, the same for the same seed, picture and purpose. */
static double chance(const struct faults *f, uint64_t serial, uint64_t purpose)
{
    uint64_t x = f->seed ^ serial * UINT64_C(0x9e3779b97f4a7c15) ^ purpose << 56;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((x ^ x >> 31) >> 11) / 0x1p53;
}

int faults_add(struct faults *f, const struct device_fault *fault)
{
    int number = -ENOSPC;
    pthread_mutex_lock(&f->lock);
    for (int i = 0; i < MOST && number < 0; i++) {
        if (f->number[i])
            continue;
        f->fault[i] = *fault;
        f->number[i] = number = ++f->last;
    }
    pthread_mutex_unlock(&f->lock);
    if (number > 0 && (fault->kind == HEAD_STUCK || fault->kind == HEAD_FAILS))
        f->inner_head->ops->stop(f->inner_head, true, true);
    return number;
}

void faults_remove(struct faults *f, int number)
{
    pthread_mutex_lock(&f->lock);
    for (int i = 0; i < MOST && number > 0; i++)
        if (f->number[i] == number)
            f->number[i] = 0;
    pthread_mutex_unlock(&f->lock);
}

/* ---- the sensor ---- */

static struct faults *of_sensor(struct sensor *s)
{
    return container_of(s, struct faults, sensor);
}

static void forget_whole(struct faults *f)
{
    f->whole = picture_unref(f->whole);
    f->pool = picture_pool_unref(f->pool);
}

static void sensor_caps(struct sensor *s, struct sensor_caps *ret)
{
    struct sensor *inner = of_sensor(s)->inner_sensor;
    inner->ops->caps(inner, ret);
}

static void sensor_start(struct sensor *s)
{
    struct sensor *inner = of_sensor(s)->inner_sensor;
    if (inner->ops->start)
        inner->ops->start(inner);
}

static void sensor_stop(struct sensor *s)
{
    struct faults *f = of_sensor(s);
    forget_whole(f); /* but not the frozen one, whoever comes and goes */
    f->has_given = false;
    if (f->inner_sensor->ops->stop)
        f->inner_sensor->ops->stop(f->inner_sensor);
}

/* What the sensor measured goes with a copy, else the eye has to guess it from the pixels. */
static struct shot *with_light(struct shot *to, const struct shot *from)
{
    if (to && from->light && (to->light = malloc(sizeof(*to->light))))
        *to->light = *from->light;
    if (to && from->spread && (to->spread = malloc(sizeof(*to->spread))))
        *to->spread = *from->spread;
    if (to)
        to->axis = from->axis;
    return to;
}

/* The frozen picture under a new serial and time. Masks lie where its own pose says, and
 * the truth is the one of then. */
static int again(struct faults *f, uint64_t serial, int64_t start_ns, struct shot **ret_shot)
{
    struct capture how = f->frozen->how;
    struct truth_shot truth;
    bool known = world_shot_by_serial(f->world, how.serial, &truth);
    how.end_ns = start_ns + (how.end_ns - how.start_ns);
    how.start_ns = start_ns;
    how.serial = serial;
    how.utc_ns = clock_utc_of(f->clock, start_ns);
    *ret_shot = with_light(shot_new(picture_ref(f->frozen->pixels), &how), f->frozen);
    if (!*ret_shot)
        return -ENOMEM;
    if (known) {
        truth.serial = serial;
        truth.utc_ns = how.utc_ns;
        world_remember(f->world, &truth);
    }
    return 0;
}

/* A copy whose lower part is of the picture before. The masks cover both poses. */
static struct shot *torn(struct faults *f, const struct shot *s)
{
    const struct picture *p = s->pixels;
    if (!f->pool)
        f->pool = picture_pool_new(p->width, p->height, false, PICTURES);
    struct picture *to = f->pool ? picture_get(f->pool) : NULL;
    if (!to)
        return NULL;
    int at = (int)(p->height * (0.2 + 0.6 * chance(f, s->how.serial, 3))) & ~1;
    to->matrix = p->matrix;
    to->range = p->range;
    picture_copy_rows(to, p, 0, at);
    picture_copy_rows(to, f->whole, at, p->height - at);
    struct capture how = s->how;
    how.pose_start = f->whole_pose;
    return with_light(shot_new(to, &how), s);
}

static void tear(struct faults *f, double share, struct shot **shot)
{
    struct shot *s = *shot;
    struct picture *before = f->whole;
    struct pose pose = s->how.pose_start;
    bool fits = before && before->width == s->pixels->width && before->height == s->pixels->height;
    struct picture *keep = picture_ref(s->pixels);
    struct shot *other = fits && chance(f, s->how.serial, 2) < share ? torn(f, s) : NULL;
    if (other) {
        shot_unref(s);
        *shot = other;
    }
    picture_unref(before);
    f->whole = keep;
    f->whole_pose = pose;
}

static int sensor_take(struct sensor *s, uint64_t serial, int64_t start_ns, struct shot **ret_shot)
{
    struct faults *f = of_sensor(s);
    double share = 0, late_s = 0, none = 0;
    int64_t now_ns = start_ns;
    if (holds(f, SOURCE_LOST, now_ns, &none)) {
        forget_whole(f);
        return -ENODATA;
    }
    bool late = holds(f, SOURCE_LATE, now_ns, &late_s);
    if (late) { /* the world of then can be seen again */
        uint64_t by = (uint64_t)llround(late_s * f->fps);
        if (serial < by)
            return -EAGAIN;
        serial -= by;
        start_ns = (int64_t)((double)serial * (double)NSEC_PER_SEC / f->fps);
    }
    if (f->has_given && (late ? serial <= f->given : serial < f->given))
        return -EAGAIN; /* that one came already, when nothing was late */
    f->given = serial;
    f->has_given = true;
    if (holds(f, SOURCE_DROP, now_ns, &share) && chance(f, serial, 1) < share)
        return -EAGAIN;
    bool freeze = holds(f, SOURCE_FREEZE, now_ns, &none);
    if (freeze && f->frozen)
        return again(f, serial, start_ns, ret_shot);
    f->inner_sensor->wants_spread = s->wants_spread;
    int err = f->inner_sensor->ops->take(f->inner_sensor, serial, start_ns, ret_shot);
    f->frozen = shot_unref(f->frozen);
    if (err)
        return err;
    if (freeze)
        f->frozen = shot_ref(*ret_shot);
    if (holds(f, SOURCE_TORN, now_ns, &share))
        tear(f, share, ret_shot);
    else
        f->whole = picture_unref(f->whole);
    return 0;
}

static void sensor_set(struct sensor *s, const struct sensor_settings *settings)
{
    struct sensor *inner = of_sensor(s)->inner_sensor;
    if (inner->ops->set)
        inner->ops->set(inner, settings);
}

static int sensor_use_mode(struct sensor *s, unsigned mode, double mains_hz)
{
    struct faults *f = of_sensor(s);
    struct sensor *inner = f->inner_sensor;
    int err = inner->ops->use_mode ? inner->ops->use_mode(inner, mode, mains_hz) : -ENOTSUP;
    struct sensor_caps caps;
    inner->ops->caps(inner, &caps);
    f->fps = caps.fps;
    return err;
}

static const struct sensor_ops sensor_ops = {.caps = sensor_caps,
                                             .take = sensor_take,
                                             .start = sensor_start,
                                             .stop = sensor_stop,
                                             .set = sensor_set,
                                             .use_mode = sensor_use_mode};

/* ---- the head ---- */

static struct faults *of_head(struct head *h)
{
    return container_of(h, struct faults, head);
}

static void head_caps(struct head *h, struct head_caps *ret)
{
    struct head *inner = of_head(h)->inner_head;
    inner->ops->caps(inner, ret);
}

/* 1: the inner head is to do it, at that share of its speed; else what to answer. */
static int obey(struct faults *f, double *ret_speed)
{
    int64_t now_ns = clock_now(f->clock);
    double none = 0;
    *ret_speed = 1;
    if (holds(f, HEAD_FAILS, now_ns, &none))
        return -EIO;
    if (holds(f, HEAD_STUCK, now_ns, &none))
        return 0;
    holds(f, HEAD_SLOW, now_ns, ret_speed);
    return 1;
}

static int head_go(struct head *h, double pan_deg, double tilt_deg, double zoom, double speed)
{
    struct faults *f = of_head(h);
    double share;
    int r = obey(f, &share);
    return r < 1 ? r
                 : f->inner_head->ops->go(f->inner_head, pan_deg, tilt_deg, zoom, speed * share);
}

static int head_move(struct head *h, double pan_speed, double tilt_speed, double zoom_speed)
{
    struct faults *f = of_head(h);
    double share;
    int r = obey(f, &share);
    return r < 1 ? r
                 : f->inner_head->ops->move(f->inner_head, pan_speed * share, tilt_speed * share,
                                            zoom_speed * share);
}

static int head_stop(struct head *h, bool pan_tilt, bool zoom)
{
    struct faults *f = of_head(h);
    double share;
    int r = obey(f, &share);
    return r < 1 ? r : f->inner_head->ops->stop(f->inner_head, pan_tilt, zoom);
}

static void head_pose(struct head *h, int64_t time_ns, struct pose *ret)
{
    struct head *inner = of_head(h)->inner_head;
    inner->ops->pose(inner, time_ns, ret);
}

static bool head_moving(struct head *h, int64_t time_ns)
{
    struct head *inner = of_head(h)->inner_head;
    return inner->ops->moving(inner, time_ns);
}

static void head_limit(struct head *h, const struct head_limits *l)
{
    struct head *inner = of_head(h)->inner_head;
    if (inner->ops->limit)
        inner->ops->limit(inner, l);
}

static const struct head_ops head_ops = {.caps = head_caps,
                                         .go = head_go,
                                         .move = head_move,
                                         .stop = head_stop,
                                         .pose = head_pose,
                                         .moving = head_moving,
                                         .limit = head_limit};

/* ---- between them and those who use them ---- */

static void close_all(struct device *d)
{
    struct faults *f = d->faults;
    forget_whole(f);
    shot_unref(f->frozen);
    d->sensor = f->inner_sensor;
    d->head = f->inner_head;
    d->faults = NULL;
    f->inner_close(d);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

struct device *faults_wrap(struct device *d, struct clock *clock, uint64_t seed)
{
    struct faults *f = calloc(1, sizeof(*f));
    if (!f)
        return d;
    struct sensor_caps caps;
    d->sensor->ops->caps(d->sensor, &caps);
    f->sensor.ops = &sensor_ops;
    f->head.ops = &head_ops;
    f->device = d;
    f->inner_sensor = d->sensor;
    f->inner_head = d->head;
    f->inner_close = d->close;
    f->clock = clock;
    f->world = d->world;
    f->seed = seed;
    f->fps = caps.fps;
    pthread_mutex_init(&f->lock, NULL);
    d->sensor = &f->sensor;
    d->head = &f->head;
    d->close = close_all;
    d->faults = f;
    return d;
}
