#include "device/rtsp/rtsp.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "device/digital/cut.h"
#include "device/heard.h"
#include "device/rtsp/address.h"
#include "device/waker.h"
#include "media/demux.h"
#include "media/picture.h"

#define TIMEOUT_NS (5 * NSEC_PER_SEC)
#define SIGNAL_NS (2 * NSEC_PER_SEC) /* without a picture: no signal */
#define FIRST_NS (6 * NSEC_PER_SEC)  /* without the first: likewise */
#define FIRST_WAIT_MS 250            /* before the next try; twice as long each time */
#define MAX_WAIT_MS 8000
#define ASK_AT_START_MS 3000
#define MAX_WIDTH 1920 /* of what the camera shows, unless SPEC says more */
#define MAX_HEIGHT 1080
#define OFFSET_JUMP_NS (200 * NSEC_PER_MSEC)
#define PICTURES_OUT 4 /* decoded: being filled, newest, being cut */

struct rtsp_device {
    struct device device;
    struct sensor sensor;
    struct cut *cut;
    struct clock *clock;
    struct sensor_caps caps;
    struct address address;
    pthread_t thread;
    bool has_thread;
    atomic_bool wanted, closing, settled; /* settled: caps stand */
    struct waker wake, told;              /* to the thread; to who waits for `info` */

    pthread_mutex_t lock;
    struct picture *newest;
    int64_t newest_ns;        /* when it came, or when pictures were asked for first */
    bool fresh;               /* newest was not given yet */
    bool had_picture, failed; /* since start() */
    bool has_info;
    struct demux_info info;

    struct heard heard;

    /* the thread */
    bool complained, datagrams;
    int64_t offset_ns; /* from their times to ours */
    bool has_offset;
};

static bool given_up(void *arg)
{
    struct rtsp_device *d = arg;
    return !d->wanted || d->closing;
}

static void keep(struct rtsp_device *d, struct picture *take_picture)
{
    pthread_mutex_lock(&d->lock);
    struct picture *old = d->newest;
    d->newest = take_picture;
    d->newest_ns = clock_now(d->clock);
    d->fresh = true;
    d->had_picture = true;
    pthread_mutex_unlock(&d->lock);
    picture_unref(old);
}

/* Pictures come now sooner, now later: what their times are in ours is the mean. */
static void follow_time(struct rtsp_device *d, int64_t picture_ns)
{
    int64_t offset_ns = clock_now(d->clock) - d->address.latency_ns - picture_ns;
    if (!d->has_offset || llabs(offset_ns - d->offset_ns) > OFFSET_JUMP_NS)
        d->offset_ns = offset_ns;
    else
        d->offset_ns += (offset_ns - d->offset_ns) / 32;
    d->has_offset = true;
}

static void hear(void *arg, const int16_t *sample, int n, int64_t time_ns)
{
    struct rtsp_device *d = arg;
    if (d->has_offset)
        heard_put(&d->heard, sample, (size_t)n, time_ns + d->offset_ns);
}

/* Until it is given up or lost. Returns whether a picture came. */
static bool play(struct rtsp_device *d, struct demux *demux, const struct demux_info *info)
{
    struct picture_pool *pool = picture_pool_new(info->width, info->height, false, PICTURES_OUT);
    bool any = false;
    int r = pool ? 0 : -ENOMEM;
    d->has_offset = false;
    demux_on_sound(demux, &d->heard.wanted, hear, d);
    while (r == 0 && !given_up(d)) {
        int64_t time_ns;
        struct picture *p = picture_get(pool);
        r = p ? demux_next(demux, p, &time_ns) : -ENOMEM;
        if (r < 0) {
            picture_unref(p);
            break;
        }
        if (!any && d->complained)
            log_info("device", "%s gives pictures again", d->address.shown);
        d->complained = false;
        any = true;
        follow_time(d, time_ns);
        keep(d, p);
    }
    picture_pool_unref(pool);
    if (r < 0 && !given_up(d)) {
        log_warn("device", "%s: %s; connecting again", d->address.shown,
                 r == -ENODATA     ? "it ended the stream"
                 : r == -ETIMEDOUT ? "no picture for 5 s"
                                   : strerror(-r));
        d->complained = true;
    }
    return any;
}

/* One connection, from its start to its end. */
static bool connect_and_play(struct rtsp_device *d)
{
    const struct demux_network how = {
        .url = d->address.url,
        .datagrams = d->datagrams,
        .quick = d->settled,
        .clock = d->clock,
        .timeout_ns = TIMEOUT_NS,
        .given_up = given_up,
        .arg = d,
    };
    struct demux *demux;
    struct demux_info info;
    struct fault why = {0};
    int r = demux_open_network(&how, &demux, &info, &why);
    pthread_mutex_lock(&d->lock);
    d->failed = r < 0;
    if (r == 0) {
        d->info = info;
        d->has_info = true;
    }
    pthread_mutex_unlock(&d->lock);
    waker_wake(&d->told);
    if (r == 0) {
        bool any = play(d, demux, &info);
        demux_close(demux);
        return any;
    }
    if (!given_up(d)) {
        if (!d->complained)
            log_warn("device", "%s %s; trying on", d->address.shown, why.text);
        d->complained = true;
        if (d->address.transport == TRANSPORT_EITHER)
            d->datagrams = !d->datagrams; /* some speak only the other */
    }
    return false;
}

static void *run(void *arg)
{
    struct rtsp_device *d = arg;
    int wait_ms = FIRST_WAIT_MS;
    d->datagrams = d->address.transport == TRANSPORT_UDP;
    while (!d->closing) {
        if (!d->wanted) {
            wait_ms = FIRST_WAIT_MS;
            waker_wait(&d->wake, -1, 0, -1);
            continue;
        }
        if (connect_and_play(d))
            wait_ms = FIRST_WAIT_MS;
        if (given_up(d))
            continue;
        waker_wait(&d->wake, -1, 0, wait_ms);
        wait_ms = wait_ms * 2 > MAX_WAIT_MS ? MAX_WAIT_MS : wait_ms * 2;
    }
    return NULL;
}

/* ---- the port ---- */

static void want(struct rtsp_device *d, bool wanted)
{
    pthread_mutex_lock(&d->lock);
    struct picture *old = d->newest;
    d->newest = NULL;
    d->fresh = d->had_picture = d->failed = false;
    d->newest_ns = clock_now(d->clock);
    pthread_mutex_unlock(&d->lock);
    picture_unref(old);
    d->wanted = wanted;
    waker_wake(&d->wake);
}

static void rtsp_start(struct sensor *s)
{
    want(container_of(s, struct rtsp_device, sensor), true);
}

static void rtsp_stop(struct sensor *s)
{
    want(container_of(s, struct rtsp_device, sensor), false);
}

static int rtsp_take(struct sensor *s, uint64_t serial, int64_t start_ns, struct shot **ret_shot)
{
    struct rtsp_device *d = container_of(s, struct rtsp_device, sensor);
    pthread_mutex_lock(&d->lock);
    struct picture *p = d->fresh ? picture_ref(d->newest) : NULL;
    int64_t came_ns = d->newest_ns;
    bool none = d->failed && !d->had_picture;
    int64_t patience_ns = d->had_picture ? SIGNAL_NS : FIRST_NS;
    d->fresh = false;
    pthread_mutex_unlock(&d->lock);
    if (!p)
        return none || clock_now(d->clock) - came_ns > patience_ns ? -ENODATA : -EAGAIN;
    int r =
        cut_shot(d->cut, p, serial, start_ns, came_ns - d->address.latency_ns, came_ns, ret_shot);
    picture_unref(p);
    return r;
}

static void rtsp_caps(struct sensor *s, struct sensor_caps *ret)
{
    *ret = container_of(s, struct rtsp_device, sensor)->caps;
}

static const struct sensor_ops sensor_ops = {
    .caps = rtsp_caps, .take = rtsp_take, .start = rtsp_start, .stop = rtsp_stop};

static void rtsp_set_head(struct device *device, struct head *head)
{
    struct rtsp_device *d = container_of(device, struct rtsp_device, device);
    cut_set_head(d->cut, head);
    device->head = head;
}

static void rtsp_close(struct device *device)
{
    struct rtsp_device *d = container_of(device, struct rtsp_device, device);
    d->closing = true;
    if (d->has_thread) {
        waker_wake(&d->wake);
        pthread_join(d->thread, NULL);
    }
    picture_unref(d->newest);
    heard_done(&d->heard);
    cut_free(d->cut);
    waker_done(&d->wake);
    waker_done(&d->told);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

/* What the camera says now decides what we are until we are started again. */
static void settle_caps(struct rtsp_device *d)
{
    struct demux_info info = {.width = 1280, .height = 720, .fps = 25};
    if (!d->address.width || d->address.fps == 0) {
        want(d, true);
        waker_wait(&d->told, -1, 0, ASK_AT_START_MS);
        pthread_mutex_lock(&d->lock);
        if (d->has_info)
            info = d->info;
        else
            log_warn("device", "%s cannot be asked yet: taking it for %dx%d at %g a second",
                     d->address.shown, info.width, info.height, info.fps);
        pthread_mutex_unlock(&d->lock);
        want(d, false);
    }
    double shrink = fmin(1, fmin((double)MAX_WIDTH / info.width, (double)MAX_HEIGHT / info.height));
    d->caps.width = d->address.width ? d->address.width : (int)(info.width * shrink) & ~1;
    d->caps.height = d->address.width ? d->address.height : (int)(info.height * shrink) & ~1;
    d->caps.fps = d->address.fps != 0               ? d->address.fps
                  : info.fps >= 1 && info.fps <= 60 ? info.fps
                                                    : 25;
}

static struct device *failed(struct rtsp_device *d, struct fault *why)
{
    fault_set(why, FAULT_INTERNAL, NULL, "out of memory or of threads");
    rtsp_close(&d->device);
    return NULL;
}

static struct device *rtsp_open(const char *spec, uint64_t seed, struct clock *clock,
                                struct events *events, struct fault *why)
{
    struct address address;
    if (address_parse(&address, spec, why))
        return NULL;
    if (clock_is_sim(clock)) {
        fault_set(why, FAULT_UNSUPPORTED, "source",
                  "another camera lives in real time: leave --clock sim out");
        return NULL;
    }
    struct rtsp_device *d = calloc(1, sizeof(*d));
    if (!d) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    d->address = address;
    d->clock = clock;
    d->sensor.ops = &sensor_ops;
    heard_init(&d->heard);
    d->device.mic = &d->heard.mic; /* whether it has sound is known when it plays */
    d->device.heard_in_pictures = true;
    d->device.close = rtsp_close;
    d->device.set_head = rtsp_set_head;
    pthread_mutex_init(&d->lock, NULL);
    if (waker_init(&d->wake) | waker_init(&d->told))
        return failed(d, why);
    d->has_thread = !pthread_create(&d->thread, NULL, run, d);
    if (!d->has_thread)
        return failed(d, why);
    pthread_setname_np(d->thread, "receiver");
    settle_caps(d);
    d->settled = true;
    d->cut = cut_new(clock, d->caps.width, d->caps.height);
    if (!d->cut)
        return failed(d, why);
    d->device.sensor = &d->sensor;
    d->device.head = cut_head(d->cut);
    return &d->device;
}

/* Each is told the whole SPEC. */
const struct device_backend rtsp_backend = {.scheme = "rtsp", .whole = true, .open = rtsp_open};
const struct device_backend rtsps_backend = {.scheme = "rtsps", .whole = true, .open = rtsp_open};
const struct device_backend http_backend = {.scheme = "http", .whole = true, .open = rtsp_open};
const struct device_backend https_backend = {.scheme = "https", .whole = true, .open = rtsp_open};
