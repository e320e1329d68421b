#include "device/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "device/digital/cut.h"
#include "device/heard.h"
#include "media/demux.h"
#include "media/shot.h"

#define MAX_WIDTH 1920 /* of what the camera shows; the file may be larger */
#define MAX_HEIGHT 1080
#define CATCH_UP 30 /* pictures that are skipped by decoding; after more it has paused */
#define CHECK_NS NSEC_PER_SEC

struct file_device {
    struct device device;
    struct sensor sensor;
    struct cut *cut;
    struct clock *clock;
    struct sensor_caps caps;
    int dir_fd;
    char name[256];

    /* source thread */
    struct demux *demux;
    struct demux_info info;
    struct stat identity;
    int64_t checked_ns, retry_ns;
    struct picture_pool *file_pool;
    struct picture *current; /* decoded, in the file's colours */
    int64_t current_tick;
    bool told;
    /* sound that came past and waits for the picture that tells its time */
    struct heard heard;
    int16_t *kept;
    size_t n_kept;
    int64_t kept_ns; /* in the file */
};

static void drop_file(struct file_device *d)
{
    d->demux = demux_close(d->demux);
    d->current = picture_unref(d->current);
    d->file_pool = picture_pool_unref(d->file_pool);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void keep_sound(void *arg, const int16_t *sample, int n, int64_t time_ns)
{
    struct file_device *d = arg;
    if (!d->n_kept)
        d->kept_ns = time_ns;
    if (d->n_kept + (size_t)n > HEARD_MOST)
        return;
    memcpy(d->kept + d->n_kept, sample, (size_t)n * sizeof(*sample));
    d->n_kept += (size_t)n;
}

static int open_file(struct file_device *d, struct fault *why)
{
    int fd = openat(d->dir_fd, d->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        int err = errno;
        fault_set(why, FAULT_UNKNOWN, "source", "%s: %s", d->name, strerror(err));
        return -err;
    }
    if (fstat(fd, &d->identity) < 0 || !S_ISREG(d->identity.st_mode)) {
        close(fd);
        fault_set(why, FAULT_INVALID, "source", "%s is not a file", d->name);
        return -EINVAL;
    }
    struct demux *demux;
    int r = demux_open(fd, &demux, &d->info, why);
    if (r < 0)
        return r;
    d->file_pool = picture_pool_new(d->info.width, d->info.height, false, 4);
    if (!d->file_pool) {
        demux_close(demux);
        return -ENOMEM;
    }
    d->demux = demux;
    d->n_kept = 0;
    if (demux_on_sound(demux, &d->heard.wanted, keep_sound, d)) {
        d->device.mic = &d->heard.mic;
        d->device.heard_in_pictures = true;
    }
    d->current_tick = -1;
    return 0;
}

/* Notices that the file has gone or is another one now. */
static void check_file(struct file_device *d, int64_t now_ns)
{
    struct stat st;
    if (!d->demux || now_ns - d->checked_ns < CHECK_NS)
        return;
    d->checked_ns = now_ns;
    if (fstatat(d->dir_fd, d->name, &st, 0) < 0) {
        log_warn("device", "%s: %s", d->name, strerror(errno));
        drop_file(d);
    } else if (!same_file(&st, &d->identity)) {
        log_info("device", "%s has changed: playing it from its start", d->name);
        drop_file(d);
        d->retry_ns = now_ns;
    }
}

/* The picture of that time in the file is shown at that time of ours. */
static void pass_sound(struct file_device *d, int64_t file_ns, int64_t shown_ns)
{
    if (d->n_kept)
        heard_put(&d->heard, d->kept, d->n_kept, d->kept_ns - file_ns + shown_ns);
    d->n_kept = 0;
}

static int decode_next(struct file_device *d, int64_t shown_ns)
{
    int64_t time_ns;
    struct picture *p = picture_get(d->file_pool);
    if (!p)
        return -ENOMEM;
    int r = demux_next(d->demux, p, &time_ns);
    if (r == -ENODATA) { /* round again */
        d->n_kept = 0;
        r = demux_rewind(d->demux);
        if (r == 0)
            r = demux_next(d->demux, p, &time_ns);
        if (r == -ENODATA)
            r = -EBADMSG; /* no picture in all of it */
    }
    if (r < 0) {
        picture_unref(p);
        return r;
    }
    picture_unref(d->current);
    d->current = p;
    pass_sound(d, time_ns, shown_ns);
    return 0;
}

static int decode_for(struct file_device *d, int64_t tick)
{
    int64_t behind = d->current && d->current_tick >= 0 ? tick - d->current_tick : 1;
    if (behind < 0 || behind > CATCH_UP)
        behind = 1; /* it paused while nobody watched */
    for (; behind > 0; behind--) {
        int r = decode_next(
            d, (int64_t)((double)(tick - behind + 1) * (double)NSEC_PER_SEC / d->caps.fps));
        if (r < 0)
            return r;
    }
    d->current_tick = tick;
    return 0;
}

static int file_take(struct sensor *s, uint64_t serial, int64_t start_ns, struct shot **ret_shot)
{
    struct file_device *d = container_of(s, struct file_device, sensor);
    check_file(d, start_ns);
    if (!d->demux) {
        if (start_ns < d->retry_ns)
            return -ENODATA;
        struct fault why = {0};
        int r = open_file(d, &why);
        if (r < 0) {
            if (!d->told)
                log_warn("device", "%s", why.text);
            d->told = true;
            d->retry_ns = start_ns + CHECK_NS;
            return -ENODATA;
        }
        d->told = false;
        d->checked_ns = start_ns;
    }
    int r = decode_for(d, llround((double)start_ns * d->caps.fps / (double)NSEC_PER_SEC));
    if (r < 0) {
        log_warn("device", "%s cannot be played on: %s", d->name, strerror(-r));
        drop_file(d);
        d->told = true;
        d->retry_ns = start_ns + CHECK_NS;
        return -ENODATA;
    }
    return cut_shot(d->cut, d->current, serial, start_ns, start_ns, start_ns, ret_shot);
}

static void file_caps(struct sensor *s, struct sensor_caps *ret)
{
    *ret = container_of(s, struct file_device, sensor)->caps;
}

static const struct sensor_ops sensor_ops = {.caps = file_caps, .take = file_take};

static void file_set_head(struct device *device, struct head *head)
{
    struct file_device *d = container_of(device, struct file_device, device);
    cut_set_head(d->cut, head);
    device->head = head;
}

static void file_close(struct device *device)
{
    struct file_device *d = container_of(device, struct file_device, device);
    drop_file(d);
    cut_free(d->cut);
    if (d->dir_fd >= 0)
        close(d->dir_fd);
    heard_done(&d->heard);
    free(d->kept);
    free(d);
}

static int open_folder(struct file_device *d, const char *path)
{
    const char *slash = strrchr(path, '/');
    char dir[4096] = ".";
    if (!text_copy(d->name, sizeof(d->name), slash ? slash + 1 : path) || !d->name[0])
        return -EINVAL;
    if (slash) {
        size_t len = slash == path ? 1 : (size_t)(slash - path);
        if (len >= sizeof(dir))
            return -ENAMETOOLONG;
        memcpy(dir, path, len);
        dir[len] = 0;
    }
    d->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return d->dir_fd < 0 ? -errno : 0;
}

/* What the file is now decides what the camera is until it is started again. */
static void settle_caps(struct file_device *d)
{
    if (!d->demux) {
        d->caps = (struct sensor_caps){1280, 720, 25};
        return;
    }
    double shrink =
        fmin(1, fmin((double)MAX_WIDTH / d->info.width, (double)MAX_HEIGHT / d->info.height));
    d->caps.width = (int)(d->info.width * shrink) & ~1;
    d->caps.height = (int)(d->info.height * shrink) & ~1;
    d->caps.fps = fmin(60, fmax(1, d->info.fps));
}

static struct device *file_open_device(const char *rest, uint64_t seed, struct clock *clock,
                                       struct events *events, struct fault *why)
{
    struct file_device *d = calloc(1, sizeof(*d));
    if (!d) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    d->dir_fd = -1;
    d->clock = clock;
    heard_init(&d->heard);
    d->kept = malloc(HEARD_MOST * sizeof(*d->kept));
    if (!d->kept) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        file_close(&d->device);
        return NULL;
    }
    d->sensor.ops = &sensor_ops;
    d->device.close = file_close;
    int r = open_folder(d, rest);
    if (r < 0) {
        fault_set(why, FAULT_UNKNOWN, "source", "file:%.128s: %s", rest, strerror(-r));
        file_close(&d->device);
        return NULL;
    }
    struct fault missing = {0};
    if (open_file(d, &missing) < 0) {
        log_warn("device", "%s; shown as soon as it can be played", missing.text);
        d->told = true;
    }
    settle_caps(d);
    d->cut = cut_new(clock, d->caps.width, d->caps.height);
    if (!d->cut) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        file_close(&d->device);
        return NULL;
    }
    d->device.sensor = &d->sensor;
    d->device.head = cut_head(d->cut);
    d->device.set_head = file_set_head;
    return &d->device;
}

const struct device_backend file_backend = {.scheme = "file", .open = file_open_device};
