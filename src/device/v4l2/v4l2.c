#include "device/v4l2/v4l2.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "device/digital/cut.h"
#include "device/v4l2/controls.h"
#include "device/v4l2/formats.h"
#include "device/v4l2/node.h"
#include "device/v4l2/stream.h"
#include "media/shot.h"
#include "media/unpack.h"
#include "net/message.h"

#define RETRY_NS NSEC_PER_SEC
#define SIGNAL_NS (2 * NSEC_PER_SEC)   /* without a picture: no signal */
#define SETTLED 3                      /* pictures until what was set is seen for sure */
#define APART 6                        /* pictures between settings */
#define FOCUS_NS (400 * NSEC_PER_MSEC) /* a lens is there by then */
#define WAIT_SHARE 0.5                 /* of a picture's time that one more is waited for */

struct v4l2_device {
    struct device device;
    struct sensor sensor;
    struct lens lens;
    struct cut *cut;
    struct clock *clock;
    struct sensor_caps caps;
    char path[256];
    struct format wanted, chosen;
    bool use_controls;

    pthread_mutex_t lock;
    double focus;     /* wanted; NAN: the device's own */
    int64_t focus_ns; /* when that was said */

    /* source thread */
    int fd;
    struct v4l2_stream stream;
    struct controls controls;
    struct sensor_settings settings;
    bool has_settings, told;
    int pictures;                    /* since settings were given to the device */
    struct sensor_settings reported; /* that the pictures now are taken with */
    struct unpacker *unpacker;
    struct picture_pool *pool; /* of the stream's size */
    int64_t last_ns, retry_ns;
};

static void drop(struct v4l2_device *d)
{
    stream_stop(&d->stream);
    d->pool = picture_pool_unref(d->pool);
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

static void complain(struct v4l2_device *d, const char *what)
{
    if (!d->told)
        log_warn("device", "%s: %s; looking for it every second", d->path, what);
    d->told = true;
}

/* Opens the node and chooses what it shall do. */
static int open_node(struct v4l2_device *d, struct fault *why)
{
    struct format list[FORMATS_MOST];
    d->fd = node_open(d->path);
    if (d->fd < 0)
        return fault_set(why, FAULT_IO, "source", "%s: %s", d->path,
                         d->fd == -ENOTTY ? "is no V4L2 device" : strerror(-d->fd));
    size_t n = formats_ask(d->fd, list);
    const struct format *best = formats_choose(list, n, &d->wanted);
    if (!best) {
        drop(d);
        return fault_set(why, FAULT_UNSUPPORTED, "source", "%s has no format that %s", d->path,
                         n ? "fits what stands after #" : "can be used (or is no camera)");
    }
    d->chosen = *best;
    controls_ask(d->fd, &d->controls);
    return 0;
}

static int start_stream(struct v4l2_device *d)
{
    struct fault why = {0};
    if (d->fd < 0 && open_node(d, &why)) {
        complain(d, why.text);
        return -ENODATA;
    }
    int err = stream_start(&d->stream, d->fd, &d->chosen);
    if (!err) {
        const struct format *f = &d->stream.format;
        d->pool = picture_pool_new(f->width, f->height, false, 3);
        err = d->pool ? 0 : -ENOMEM;
    }
    if (err) {
        complain(d, err == -EBUSY ? "is used by another program" : strerror(-err));
        drop(d);
        return -ENODATA;
    }
    d->last_ns = clock_now(d->clock);
    return 0;
}

/* A device takes what it is told some pictures later, and does not say when. So it is told
 * only now and then, and what it was told is said of pictures when it has surely come about:
 * who decides by those pictures sees the old and the new, and does not swing. */
static void apply_settings(struct v4l2_device *d)
{
    if (d->pictures == SETTLED)
        d->reported = d->controls.given;
    if (d->has_settings && (d->pictures >= APART || !d->controls.ours)) {
        controls_apply(d->fd, &d->controls, &d->settings);
        d->pictures = 0;
    }
    pthread_mutex_lock(&d->lock);
    double focus = d->focus;
    pthread_mutex_unlock(&d->lock);
    if (!isnan(focus) && focus != d->controls.focus_given)
        controls_focus(d->fd, &d->controls, focus);
}

/* The newest picture, unpacked. */
static int next_picture(struct v4l2_device *d, struct picture **ret)
{
    struct v4l2_stream *s = &d->stream;
    size_t len = 0;
    int b = stream_take(s, &len);
    if (b == -EAGAIN) {
        struct pollfd p = {.fd = d->fd, .events = POLLIN};
        poll(&p, 1, (int)(1000 / d->caps.fps * WAIT_SHARE));
        b = stream_take(s, &len);
    }
    if (b < 0)
        return b;
    struct picture *p = picture_get(d->pool);
    int err = p ? 0 : -ENOMEM;
    if (p) {
        p->matrix = s->matrix;
        p->range = s->range;
        err = unpack_picture(d->unpacker, (enum raw_layout)raw_layout_of(s->format.fourcc),
                             s->format.width, s->format.height, s->stride, s->buffer[b].at, len, p);
    }
    int back = stream_give(s, b);
    if (err || back) {
        picture_unref(p);
        return back ? back : err == -EBADMSG ? -EAGAIN : err; /* the next may be whole */
    }
    *ret = p;
    return 0;
}

static void report_settings(struct v4l2_device *d, struct capture *how)
{
    const struct sensor_settings *r = &d->reported;
    if (d->caps.can & SENSOR_EXPOSURE && r->exposure_ns > 0)
        how->end_ns = how->start_ns + r->exposure_ns;
    if (d->caps.can & SENSOR_GAIN)
        how->gain_db = r->gain_db;
    if (d->caps.can & SENSOR_BALANCE) {
        how->red = r->red;
        how->blue = r->blue;
    }
    pthread_mutex_lock(&d->lock);
    how->focus = isnan(d->focus) ? 1 : d->focus;
    pthread_mutex_unlock(&d->lock);
}

static int v4l2_take(struct sensor *sensor, uint64_t serial, int64_t start_ns,
                     struct shot **ret_shot)
{
    struct v4l2_device *d = container_of(sensor, struct v4l2_device, sensor);
    if (!d->stream.on) {
        if (start_ns < d->retry_ns)
            return -ENODATA;
        d->retry_ns = start_ns + RETRY_NS;
        if (start_stream(d))
            return -ENODATA;
    }
    apply_settings(d);
    struct picture *p = NULL;
    int err = next_picture(d, &p);
    int64_t now_ns = clock_now(d->clock);
    if (err == -EAGAIN && now_ns - d->last_ns < SIGNAL_NS)
        return -EAGAIN;
    if (err) {
        complain(d, err == -ENODEV   ? "was unplugged"
                    : err == -EAGAIN ? "gives no pictures"
                                     : strerror(-err));
        drop(d);
        d->retry_ns = start_ns + RETRY_NS;
        return -ENODATA;
    }
    if (d->told)
        log_info("device", "%s gives pictures again", d->path);
    d->told = false;
    d->last_ns = now_ns;
    int64_t frame_ns = (int64_t)((double)NSEC_PER_SEC / d->caps.fps);
    err = cut_shot(d->cut, p, serial, start_ns, now_ns - 2 * frame_ns, now_ns, ret_shot);
    picture_unref(p);
    d->pictures++;
    if (!err)
        report_settings(d, &(*ret_shot)->how);
    return err;
}

static void v4l2_start(struct sensor *sensor)
{
    container_of(sensor, struct v4l2_device, sensor)->retry_ns = 0;
}

/* The node stays open: who dropped privileges may not open it again. */
static void v4l2_stop(struct sensor *sensor)
{
    struct v4l2_device *d = container_of(sensor, struct v4l2_device, sensor);
    stream_stop(&d->stream);
    d->pool = picture_pool_unref(d->pool);
}

static void v4l2_caps(struct sensor *sensor, struct sensor_caps *ret)
{
    *ret = container_of(sensor, struct v4l2_device, sensor)->caps;
}

static void v4l2_set(struct sensor *sensor, const struct sensor_settings *settings)
{
    struct v4l2_device *d = container_of(sensor, struct v4l2_device, sensor);
    d->settings = *settings;
    d->has_settings = d->caps.can != 0;
}

static const struct sensor_ops sensor_ops = {
    .caps = v4l2_caps, .take = v4l2_take, .start = v4l2_start, .stop = v4l2_stop, .set = v4l2_set};

/* ---- lens ---- */

static void lens_caps(struct lens *l, struct lens_caps *ret)
{
    *ret = (struct lens_caps){.focus = true, .nearest_m = 0.1};
}

static int lens_focus(struct lens *l, double focus, double speed)
{
    struct v4l2_device *d = container_of(l, struct v4l2_device, lens);
    pthread_mutex_lock(&d->lock);
    d->focus = focus;
    d->focus_ns = clock_now(d->clock);
    pthread_mutex_unlock(&d->lock);
    return 0;
}

static int lens_iris(struct lens *l, double iris_f)
{
    return -ENOTSUP;
}

static void lens_state(struct lens *l, int64_t time_ns, struct lens_state *ret)
{
    struct v4l2_device *d = container_of(l, struct v4l2_device, lens);
    pthread_mutex_lock(&d->lock);
    *ret = (struct lens_state){.focus = isnan(d->focus) ? 1 : d->focus,
                               .moving = !isnan(d->focus) && time_ns - d->focus_ns < FOCUS_NS};
    pthread_mutex_unlock(&d->lock);
}

static const struct lens_ops lens_ops = {
    .caps = lens_caps, .focus = lens_focus, .iris = lens_iris, .state = lens_state};

/* ---- the device ---- */

static void v4l2_set_head(struct device *device, struct head *head)
{
    struct v4l2_device *d = container_of(device, struct v4l2_device, device);
    cut_set_head(d->cut, head);
    device->head = head;
}

static void v4l2_close(struct device *device)
{
    struct v4l2_device *d = container_of(device, struct v4l2_device, device);
    drop(d);
    unpacker_free(d->unpacker);
    cut_free(d->cut);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

static int bad(struct fault *why, const char *what)
{
    return fault_set(why, FAULT_INVALID, "source", "%s; see docs/sources.md", what);
}

static int take_option(struct v4l2_device *d, const struct arg *o, struct fault *why)
{
    if (!strcmp(o->name, "size")) {
        int w = 0, h = 0, end = 0;
        if (strlen(o->value) > 10 || sscanf(o->value, "%dx%d%n", &w, &h, &end) != 2 ||
            o->value[end] || w < 64 || h < 64 || w > 4096 || h > 4096)
            return bad(why, "size is WIDTHxHEIGHT, 64 to 4096 each");
        d->wanted.width = w;
        d->wanted.height = h;
        return 0;
    }
    if (!strcmp(o->name, "fps"))
        return text_double(o->value, 1, 60, &d->wanted.fps)
                   ? bad(why, "fps is a number from 1 to 60")
                   : 0;
    if (!strcmp(o->name, "format")) {
        const char *f = o->value;
        d->wanted.fourcc = strlen(f) == 4 ? v4l2_fourcc(f[0], f[1], f[2], f[3]) : 0;
        return raw_layout_of(d->wanted.fourcc) < 0
                   ? bad(why, "format is MJPG, YUYV, UYVY, NV12, NV21, YU12, GREY or RGB3")
                   : 0;
    }
    if (!strcmp(o->name, "controls"))
        return text_bool(o->value, &d->use_controls) ? bad(why, "controls is yes or no") : 0;
    return bad(why, "after # may stand size, fps, format and controls");
}

static int parse_spec(struct v4l2_device *d, const char *rest, struct fault *why)
{
    size_t len = strcspn(rest, "#");
    if (!len || len >= sizeof(d->path) || *rest != '/')
        return bad(why, "a V4L2 device is written v4l2:/dev/videoN");
    memcpy(d->path, rest, len);
    if (!rest[len])
        return 0;
    struct arg options[LIMIT_ARGS];
    size_t n = 0;
    struct arena *arena = arena_new(16384);
    if (!arena)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    const char *text = rest + len + 1;
    int err = strlen(text) > 200 || args_parse(options, &n, arena, text, strlen(text))
                  ? bad(why, "what stands after # cannot be read")
                  : 0;
    for (size_t i = 0; !err && i < n; i++)
        err = take_option(d, &options[i], why);
    arena_free(arena);
    return err;
}

static struct device *failed(struct v4l2_device *d)
{
    v4l2_close(&d->device);
    return NULL;
}

static struct device *v4l2_open(const char *rest, uint64_t seed, struct clock *clock,
                                struct events *events, struct fault *why)
{
    struct v4l2_device *d = calloc(1, sizeof(*d));
    if (!d) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&d->lock, NULL);
    d->fd = -1;
    d->clock = clock;
    d->use_controls = true;
    d->focus = NAN;
    d->sensor.ops = &sensor_ops;
    d->lens.ops = &lens_ops;
    d->device.sensor = &d->sensor;
    d->device.close = v4l2_close;
    d->device.set_head = v4l2_set_head;
    if (parse_spec(d, rest, why))
        return failed(d);
    if (clock_is_sim(clock)) {
        fault_set(why, FAULT_UNSUPPORTED, "source",
                  "a V4L2 device lives in real time: leave --clock sim out");
        return failed(d);
    }
    d->chosen = (struct format){.width = d->wanted.width ? d->wanted.width : 1280,
                                .height = d->wanted.width ? d->wanted.height : 720,
                                .fps = d->wanted.fps != 0 ? d->wanted.fps : 30};
    struct fault missing = {0};
    if (open_node(d, &missing)) {
        if (missing.kind == FAULT_UNSUPPORTED) { /* it will not be another one tomorrow */
            *why = missing;
            return failed(d);
        }
        complain(d, missing.text);
    }
    d->caps = (struct sensor_caps){.width = d->chosen.width,
                                   .height = d->chosen.height,
                                   .fps = d->wanted.fps != 0 ? fmin(d->wanted.fps, d->chosen.fps)
                                                             : d->chosen.fps};
    if (d->use_controls)
        controls_caps(&d->controls, &d->caps);
    d->unpacker = unpacker_new();
    d->cut = cut_new(clock, d->caps.width, d->caps.height);
    if (!d->unpacker || !d->cut) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return failed(d);
    }
    d->device.head = cut_head(d->cut);
    if (d->use_controls && d->controls.focus.there)
        d->device.lens = &d->lens;
    return &d->device;
}

const struct device_backend v4l2_backend = {.scheme = "v4l2", .open = v4l2_open};
