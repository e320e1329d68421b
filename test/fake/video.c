/* A V4L2 camera that is not there, for LD_PRELOAD: nodes named /dev/video-fake*.
 *
 * VEDETTE_FAKE_VIDEO names a folder. Files in it, when they exist, do things to the camera:
 * unplugged, frozen (no pictures come), damaged (they are cut short), busy (another program
 * streams). `log` gets a line for every format and control that is set. VEDETTE_FAKE_FORMATS
 * lists what it offers ("MJPG,YUYV,NV12,YU12"; all at 640x360, MJPG also at 1280x720, YUYV there
 * only slowly). The picture: a ramp from dark to bright, bluish left and reddish right, and a
 * bright bar that pan moves; with exposure by hand as bright as that says. */
/* open() is to be open() here, not another name for open64() */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <turbojpeg.h>
#include <unistd.h>

#define MOST 64 /* open nodes */
#define BUFFERS 4
#define BUFFER_BYTES (1280 * 720 * 2)
#define STANDARD_EXPOSURE 156

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct node {
    bool open, dead, streams;
    int fd, memory;
    struct v4l2_pix_format format;
    double fps;
    uint8_t *pixels; /* all buffers */
    bool queued[BUFFERS];
    unsigned count, sequence;
} nodes[MOST];

/* ---- controls ---- */

static struct control {
    uint32_t id;
    const char *name;
    int32_t min, max, step, standard;
    int32_t value;
    double speed; /* of value, a second, towards `value` from `from` since `when` */
    double from;
    struct timespec when;
} controls[] = {
    {V4L2_CID_EXPOSURE_AUTO, "exposure_auto", 0, 3, 1, 3, 3},
    {V4L2_CID_EXPOSURE_ABSOLUTE, "exposure", 3, 2047, 1, STANDARD_EXPOSURE, STANDARD_EXPOSURE},
    {V4L2_CID_GAIN, "gain", 0, 255, 1, 0, 0},
    {V4L2_CID_AUTO_WHITE_BALANCE, "balance_auto", 0, 1, 1, 1, 1},
    {V4L2_CID_RED_BALANCE, "red", 0, 255, 1, 128, 128},
    {V4L2_CID_BLUE_BALANCE, "blue", 0, 255, 1, 128, 128},
    {V4L2_CID_FOCUS_AUTO, "focus_auto", 0, 1, 1, 1, 1},
    {V4L2_CID_FOCUS_ABSOLUTE, "focus", 0, 250, 5, 0, 0},
    {V4L2_CID_PAN_ABSOLUTE, "pan", -36000 * 4, 36000 * 4, 3600, 0, 0, 3600 * 30},
    {V4L2_CID_TILT_ABSOLUTE, "tilt", -36000 * 2, 36000 * 2, 3600, 0, 0, 3600 * 30},
    {V4L2_CID_ZOOM_ABSOLUTE, "zoom", 100, 500, 1, 100, 100, 200},
};
#define CONTROLS (sizeof(controls) / sizeof(*controls))

static double seconds_since(const struct timespec *t)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - t->tv_sec) + (double)(now.tv_nsec - t->tv_nsec) / 1e9;
}

static int32_t control_now(const struct control *c)
{
    double way = c->value - c->from;
    if (c->speed == 0 || (!c->when.tv_sec && !c->when.tv_nsec))
        return c->value;
    double gone = c->speed * seconds_since(&c->when);
    return gone >= fabs(way) ? c->value : (int32_t)lround(c->from + (way < 0 ? -gone : gone));
}

static struct control *control_of(uint32_t id)
{
    for (size_t i = 0; i < CONTROLS; i++)
        if (controls[i].id == id)
            return &controls[i];
    return NULL;
}

/* ---- the folder ---- */

static bool is_set(const char *name)
{
    char path[512];
    const char *dir = getenv("VEDETTE_FAKE_VIDEO");
    snprintf(path, sizeof(path), "%s/%s", dir ? dir : "/nowhere", name);
    return !access(path, F_OK);
}

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    char path[512];
    const char *dir = getenv("VEDETTE_FAKE_VIDEO");
    snprintf(path, sizeof(path), "%s/log", dir ? dir : "/nowhere");
    FILE *f = fopen(path, "a");
    if (!f)
        return;
    va_list ap;
    va_start(ap, format);
    vfprintf(f, format, ap);
    va_end(ap);
    fputc('\n', f);
    fclose(f);
}

/* ---- formats ---- */

static const uint32_t all_formats[] = {V4L2_PIX_FMT_MJPEG, V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_NV12,
                                       V4L2_PIX_FMT_YUV420};

static bool offered(uint32_t fourcc)
{
    const char *list = getenv("VEDETTE_FAKE_FORMATS");
    char name[5] = {(char)fourcc, (char)(fourcc >> 8), (char)(fourcc >> 16), (char)(fourcc >> 24)};
    return !list || strstr(list, name);
}

static int enum_format(struct v4l2_fmtdesc *d)
{
    uint32_t n = 0;
    for (size_t i = 0; i < sizeof(all_formats) / sizeof(*all_formats); i++)
        if (offered(all_formats[i]) && n++ == d->index) {
            d->pixelformat = all_formats[i];
            return 0;
        }
    return EINVAL;
}

static int enum_size(struct v4l2_frmsizeenum *s)
{
    bool large = s->pixel_format == V4L2_PIX_FMT_MJPEG || s->pixel_format == V4L2_PIX_FMT_YUYV;
    if (!offered(s->pixel_format) || s->index > (large ? 1 : 0))
        return EINVAL;
    s->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    s->discrete.width = s->index ? 1280 : 640;
    s->discrete.height = s->index ? 720 : 360;
    return 0;
}

static int enum_interval(struct v4l2_frmivalenum *v)
{
    if (v->index > 1)
        return EINVAL;
    bool slow = v->pixel_format == V4L2_PIX_FMT_YUYV && v->width == 1280;
    v->type = V4L2_FRMIVAL_TYPE_DISCRETE;
    v->discrete.numerator = 1;
    v->discrete.denominator = slow ? (v->index ? 5 : 10) : (v->index ? 15 : 30);
    return 0;
}

static int set_format(struct node *n, struct v4l2_format *f)
{
    struct v4l2_pix_format *p = &f->fmt.pix;
    if (f->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
        return EINVAL;
    if (n->count)
        return EBUSY;
    if (!offered(p->pixelformat))
        p->pixelformat = all_formats[1];
    bool large = p->width >= 1280 &&
                 (p->pixelformat == V4L2_PIX_FMT_MJPEG || p->pixelformat == V4L2_PIX_FMT_YUYV);
    p->width = large ? 1280 : 640;
    p->height = large ? 720 : 360;
    p->field = V4L2_FIELD_NONE;
    p->bytesperline = p->pixelformat == V4L2_PIX_FMT_MJPEG  ? 0
                      : p->pixelformat == V4L2_PIX_FMT_YUYV ? 2 * p->width
                                                            : p->width;
    p->sizeimage = p->width * p->height * 2;
    p->colorspace = V4L2_COLORSPACE_SRGB; /* that is, BT.601 limited */
    p->ycbcr_enc = p->quantization = 0;
    n->format = *p;
    return 0;
}

/* ---- pictures ---- */

static void colours(const struct node *n, int x, int *y, int *cb, int *cr)
{
    int w = (int)n->format.width;
    double pan = control_now(control_of(V4L2_CID_PAN_ABSOLUTE)) / 3600.0, light = 1;
    if (control_of(V4L2_CID_EXPOSURE_AUTO)->value == V4L2_EXPOSURE_MANUAL)
        light = control_of(V4L2_CID_EXPOSURE_ABSOLUTE)->value / (double)STANDARD_EXPOSURE;
    double v = (40 + 120.0 * x / w) * light;
    if (fabs(x - w * (0.5 - pan / 60)) < w / 40.0)
        v = 235;
    *y = v < 16 ? 16 : v > 235 ? 235 : (int)v;
    *cb = x < w / 2 ? 160 : 100;
    *cr = x < w / 2 ? 100 : 160;
}

static size_t paint(const struct node *n, uint8_t *to)
{
    int w = (int)n->format.width, h = (int)n->format.height;
    uint8_t y[1280], cb[1280], cr[1280];
    bool jpeg = n->format.pixelformat == V4L2_PIX_FMT_MJPEG;
    for (int x = 0; x < w; x++) {
        int a, b, c;
        colours(n, x, &a, &b, &c);
        y[x] = (uint8_t)(jpeg ? (a - 16) * 255 / 219 : a);
        cb[x] = (uint8_t)(jpeg ? 128 + (b - 128) * 255 / 224 : b);
        cr[x] = (uint8_t)(jpeg ? 128 + (c - 128) * 255 / 224 : c);
    }
    if (n->format.pixelformat == V4L2_PIX_FMT_YUYV) {
        for (int row = 0; row < h; row++)
            for (int x = 0; x < w; x += 2) {
                uint8_t *p = to + ((size_t)row * (size_t)w + (size_t)x) * 2;
                p[0] = y[x], p[1] = cb[x], p[2] = y[x + 1], p[3] = cr[x];
            }
        return (size_t)w * (size_t)h * 2;
    }
    static uint8_t planar[1280 * 720 * 3 / 2];
    uint8_t *at = jpeg ? planar : to;
    size_t area = (size_t)w * (size_t)h;
    for (int row = 0; row < h; row++)
        memcpy(at + (size_t)row * (size_t)w, y, (size_t)w);
    for (int row = 0; row < h / 2; row++)
        for (int x = 0; x < w / 2; x++) {
            size_t i = (size_t)row * (size_t)(w / 2) + (size_t)x;
            if (n->format.pixelformat == V4L2_PIX_FMT_NV12) {
                at[area + 2 * i] = cb[2 * x];
                at[area + 2 * i + 1] = cr[2 * x];
            } else {
                at[area + i] = cb[2 * x];
                at[area + area / 4 + i] = cr[2 * x];
            }
        }
    if (!jpeg)
        return area * 3 / 2;
    tjhandle t = tjInitCompress();
    unsigned long size = BUFFER_BYTES;
    int bad = tjCompressFromYUV(t, planar, w, 1, h, TJSAMP_420, &to, &size, 90, TJFLAG_NOREALLOC);
    tjDestroy(t);
    return bad ? 0 : is_set("damaged") ? size / 3 : size;
}

static void beat(struct node *n, bool on)
{
    long ns = on ? (long)(1e9 / n->fps) : 0;
    struct itimerspec t = {{0, ns}, {0, ns}};
    timerfd_settime(n->fd, 0, &t, NULL);
}

static int dequeue(struct node *n, struct v4l2_buffer *b)
{
    uint64_t beats;
    if (!n->streams)
        return EINVAL;
    if (is_set("frozen") || read(n->fd, &beats, sizeof(beats)) != sizeof(beats))
        return EAGAIN;
    for (unsigned i = 0; i < n->count; i++) {
        unsigned at = (n->sequence + i) % n->count;
        if (!n->queued[at])
            continue;
        n->queued[at] = false;
        n->sequence = at + 1;
        b->index = at;
        b->flags = 0;
        b->bytesused = (uint32_t)paint(n, n->pixels + (size_t)at * BUFFER_BYTES);
        return 0;
    }
    return EAGAIN;
}

/* ---- ioctls ---- */

static int request_buffers(struct node *n, struct v4l2_requestbuffers *r)
{
    if (n->streams)
        return EBUSY;
    n->count = r->count > BUFFERS ? BUFFERS : r->count;
    r->count = n->count;
    memset(n->queued, 0, sizeof(n->queued));
    return 0;
}

static int set_control(struct v4l2_control *v)
{
    struct control *c = control_of(v->id);
    if (!c)
        return EINVAL;
    if (v->value < c->min || v->value > c->max || (v->value - c->min) % c->step)
        return ERANGE;
    c->from = control_now(c);
    clock_gettime(CLOCK_MONOTONIC, &c->when);
    c->value = v->value;
    note("set %s %d", c->name, c->value);
    return 0;
}

static int query_control(struct v4l2_queryctrl *q)
{
    const struct control *c = control_of(q->id);
    if (!c)
        return EINVAL;
    q->minimum = c->min;
    q->maximum = c->max;
    q->step = c->step;
    q->default_value = c->standard;
    q->flags = 0;
    return 0;
}

static int answer(struct node *n, unsigned long request, void *arg)
{
    struct v4l2_buffer *b = arg;
    struct v4l2_streamparm *parm = arg;
    const struct control *c;
    switch (request) {
    case VIDIOC_QUERYCAP:
        *(struct v4l2_capability *)arg =
            (struct v4l2_capability){.driver = "fake",
                                     .card = "fake",
                                     .capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING};
        return 0;
    case VIDIOC_S_INPUT:
        return 0;
    case VIDIOC_ENUM_FMT:
        return enum_format(arg);
    case VIDIOC_ENUM_FRAMESIZES:
        return enum_size(arg);
    case VIDIOC_ENUM_FRAMEINTERVALS:
        return enum_interval(arg);
    case VIDIOC_S_FMT:
        return set_format(n, arg);
    case VIDIOC_S_PARM:
        n->fps = (double)parm->parm.capture.timeperframe.denominator /
                 parm->parm.capture.timeperframe.numerator;
        note("format %.4s %ux%u %g", (const char *)&n->format.pixelformat, n->format.width,
             n->format.height, n->fps);
        return 0;
    case VIDIOC_REQBUFS:
        return request_buffers(n, arg);
    case VIDIOC_QUERYBUF:
        if (b->index >= n->count)
            return EINVAL;
        b->length = BUFFER_BYTES;
        b->m.offset = b->index * BUFFER_BYTES;
        return 0;
    case VIDIOC_QBUF:
        if (b->index >= n->count || n->queued[b->index])
            return EINVAL;
        n->queued[b->index] = true;
        return 0;
    case VIDIOC_DQBUF:
        return dequeue(n, b);
    case VIDIOC_STREAMON:
        if (is_set("busy"))
            return EBUSY;
        n->streams = true;
        beat(n, true);
        return 0;
    case VIDIOC_STREAMOFF:
        n->streams = false;
        beat(n, false);
        memset(n->queued, 0, sizeof(n->queued));
        return 0;
    case VIDIOC_QUERYCTRL:
        return query_control(arg);
    case VIDIOC_QUERYMENU:
        return ((struct v4l2_querymenu *)arg)->id == V4L2_CID_EXPOSURE_AUTO &&
                       (((struct v4l2_querymenu *)arg)->index == V4L2_EXPOSURE_MANUAL ||
                        ((struct v4l2_querymenu *)arg)->index == V4L2_EXPOSURE_APERTURE_PRIORITY)
                   ? 0
                   : EINVAL;
    case VIDIOC_G_CTRL:
        c = control_of(((struct v4l2_control *)arg)->id);
        if (!c)
            return EINVAL;
        ((struct v4l2_control *)arg)->value = control_now(c);
        return 0;
    case VIDIOC_S_CTRL:
        return set_control(arg);
    default:
        return ENOTTY;
    }
}

/* ---- what is put in front of the C library ---- */

static struct node *node_of(int fd)
{
    for (int i = 0; i < MOST; i++)
        if (nodes[i].open && nodes[i].fd == fd)
            return &nodes[i];
    return NULL;
}

static bool is_ours(const char *path)
{
    return path && !strncmp(path, "/dev/video-fake", 15);
}

static int open_fake(void)
{
    if (is_set("unplugged")) {
        errno = ENOENT;
        return -1;
    }
    pthread_mutex_lock(&lock);
    struct node *n = NULL;
    for (int i = 0; i < MOST && !n; i++)
        n = nodes[i].open ? NULL : &nodes[i];
    int fd = -1;
    if (n) {
        *n = (struct node){.open = true, .fps = 30};
        n->memory = memfd_create("fake", MFD_CLOEXEC);
        fd = n->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        if (ftruncate(n->memory, BUFFERS * BUFFER_BYTES))
            abort();
        void *(*real)(void *, size_t, int, int, int, off_t) =
            (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
        n->pixels =
            real(NULL, BUFFERS * BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, n->memory, 0);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (is_ours(path))
        return open_fake();
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    return real(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return open(path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return open(path, flags);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
    return open(path, flags);
}

/* uStreamer looks before it opens. */
int access(const char *path, int mode)
{
    int (*real)(const char *, int) = (int (*)(const char *, int))dlsym(RTLD_NEXT, "access");
    return is_ours(path) ? 0 : real(path, mode);
}

int ioctl(int fd, unsigned long request, ...);
int ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    va_start(ap, request);
    void *arg = va_arg(ap, void *);
    va_end(ap);
    pthread_mutex_lock(&lock);
    struct node *n = node_of(fd);
    int err = 0;
    if (n) {
        n->dead = n->dead || is_set("unplugged");
        err = n->dead ? ENODEV : answer(n, request & 0xffffffff, arg);
    }
    pthread_mutex_unlock(&lock);
    if (n) {
        errno = err;
        return err ? -1 : 0;
    }
    int (*real)(int, unsigned long, ...) =
        (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    return real(fd, request, arg);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
    static void *(*real)(void *, size_t, int, int, int, off_t);
    if (!real)
        real = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
    struct node *n = fd > 0 ? node_of(fd) : NULL;
    return real(at, len, protection, flags, n ? n->memory : fd, offset);
}

void *mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
    return mmap(at, len, protection, flags, fd, offset);
}

int close(int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
    pthread_mutex_lock(&lock);
    struct node *n = node_of(fd);
    if (n) {
        munmap(n->pixels, BUFFERS * BUFFER_BYTES);
        real(n->memory);
        n->open = false;
    }
    pthread_mutex_unlock(&lock);
    return real(fd);
}
