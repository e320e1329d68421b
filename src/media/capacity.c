#include "media/capacity.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <turbojpeg.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "media/encode_hardware.h"
#include "media/picture.h"

#define PROBE_WIDTH 640
#define PROBE_HEIGHT 360
#define PROBE_QUALITY 70
#define PROBES 20          /* the cheapest counts: the others were disturbed */
#define JPEG_LEAST_NS 1e-2 /* a pixel: no machine is as fast … */
#define JPEG_MOST_NS 1e4   /* … or as slow */
#define SHARE 0.9          /* of a core, that an encoder may have */

/* How many times the probe's CPU, a pixel for a pixel, a picture of the busy street costs at the
 * camera's live presets: measured by bench/cost with 1080p pictures (docs/codecs.md, "What a live
 * picture costs"; JPEG is dearer than the probe since its colours are converted and its memory
 * does not fit the caches). And on how many cores at once: x265 codes rows of blocks in up to
 * four threads, which has been tried with two. */
static const struct cost {
    double times, cores;
} costs[] = {
    [CODEC_H264] = {3.7, 1}, [CODEC_JPEG] = {1.3, 1}, [CODEC_H265] = {13, 4}, [CODEC_AV1] = {8, 1}};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all below */
static double jpeg_ns = -1;                              /* CPU a pixel; -1: not known yet */
static struct file_port *kept_in;
static char processor[128];

/* Something between flat and rough, as streets are. */
static void draw(struct picture *p)
{
    uint32_t x = 1;
    picture_fill(p, 128, 120, 136);
    for (int y = 0; y < p->height; y++)
        for (int i = 0; i < p->width; i++) {
            uint32_t noise = (x = x * 1664525 + 1013904223) >> 29;
            bool rough = (i / 64 + y / 64) & 1;
            p->plane[0][y * p->stride[0] + i] =
                (uint8_t)(60 + i / 8 + (rough ? 8 * noise + (i & 8) * 4 : noise / 4));
        }
}

static double probe(void)
{
    struct picture_pool *pool = picture_pool_new(PROBE_WIDTH, PROBE_HEIGHT, false, 1);
    struct picture *p = pool ? picture_get(pool) : NULL;
    tjhandle tj = p ? tjInitCompress() : NULL;
    unsigned char *to = NULL;
    unsigned long len = 0;
    double best = 0;
    if (tj)
        draw(p);
    for (int i = 0; tj && i < PROBES; i++) {
        const unsigned char *planes[3] = {p->plane[0], p->plane[1], p->plane[2]};
        int64_t before = clock_thread_cpu_ns();
        if (tjCompressFromYUVPlanes(tj, planes, p->width, p->stride, p->height, TJSAMP_420, &to,
                                    &len, PROBE_QUALITY, 0) < 0)
            break;
        double ns = (double)(clock_thread_cpu_ns() - before);
        best = !i || ns < best ? ns : best;
    }
    tjFree(to);
    if (tj)
        tjDestroy(tj);
    picture_unref(p);
    picture_pool_unref(pool);
    /* in steps that a file keeps exactly */
    double ns = round(best / (PROBE_WIDTH * PROBE_HEIGHT) * 100) / 100;
    return best > 0 ? fmin(fmax(ns, JPEG_LEAST_NS), JPEG_MOST_NS) : 0;
}

/* -1: not of this processor, or not there. */
static double load(struct file_port *files)
{
    BUF(text, 1024);
    bool old;
    struct fault why;
    if (file_load_small(files, CAPACITY_FILE, text.max, &text, &old))
        return -1;
    JSON_AUTO *j = json_parse(text.data, text.len, &why);
    const char *name = "";
    double ns = 0;
    if (!j || json_get_string(j, "processor", &name, &why) ||
        json_get_double(j, "jpeg_ns_per_pixel", &ns, &why))
        return -1;
    return !strcmp(name, processor) && ns >= JPEG_LEAST_NS && ns <= JPEG_MOST_NS ? ns : -1;
}

static void save(struct file_port *files, double ns)
{
    JSON_AUTO *j = json_pack("{s:s, s:f}", "processor", processor, "jpeg_ns_per_pixel", ns);
    BUF(text, 1024);
    int err = j ? json_write(&text, j) : -ENOMEM;
    if (!err)
        err = file_save_small(files, CAPACITY_FILE, text.data, text.len);
    if (err)
        log_warn("media",
                 "%s cannot be written (%s): what this machine codes is measured anew at "
                 "the next start",
                 CAPACITY_FILE, strerror(-err));
}

void capacity_keep(struct file_port *files)
{
    pthread_mutex_lock(&lock);
    kept_in = files;
    cpu_name(processor, sizeof(processor));
    jpeg_ns = files ? load(files) : -1;
    pthread_mutex_unlock(&lock);
}

double capacity_jpeg_ns(void)
{
    pthread_mutex_lock(&lock);
    if (jpeg_ns < 0) {
        jpeg_ns = probe();
        if (jpeg_ns > 0 && kept_in)
            save(kept_in, jpeg_ns);
    }
    double ns = jpeg_ns;
    pthread_mutex_unlock(&lock);
    return ns;
}

double capacity_fps(enum codec codec, int width, int height, double cores)
{
    if (codec >= sizeof(costs) / sizeof(*costs) || costs[codec].times <= 0 || hardware_codes(codec))
        return INFINITY;
    double ns = capacity_jpeg_ns();
    if (ns <= 0)
        return INFINITY;
    const struct cost *c = &costs[codec];
    double may = cores > 0 ? cores : (double)cpu_cores();
    return 1e9 * SHARE * fmin(c->cores, may) / (c->times * ns * (double)width * (double)height);
}
