#include "media/capacity.h"

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <turbojpeg.h>
#include <unistd.h>

#include "base/clock.h"
#include "media/encode_hardware.h"
#include "media/picture.h"

#define PROBE_WIDTH 640
#define PROBE_HEIGHT 360
#define PROBE_QUALITY 70
#define PROBES 5           /* the cheapest counts: the others were disturbed */
#define JPEG_LEAST_NS 1e-2 /* a pixel: no machine is as fast */
#define SHARE 0.9          /* of a core, that an encoder may have */

/* How many times a JPEG picture's CPU a picture of the street costs at the camera's live presets,
 * and on how many cores at once. H.264: as `make bench` measures (X against J); the others are
 * estimates that no bench has measured yet. */
static const struct cost {
    double times, cores;
} costs[] = {
    [CODEC_H264] = {2.5, 1}, [CODEC_JPEG] = {1, 1}, [CODEC_H265] = {9, 4}, [CODEC_AV1] = {4, 1}};

static double jpeg_ns; /* CPU a pixel; 0: it cannot be said */
static long machine_cores;
static pthread_once_t once = PTHREAD_ONCE_INIT;

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

static void probe(void)
{
    machine_cores = sysconf(_SC_NPROCESSORS_ONLN);
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
    jpeg_ns = fmax(best / (PROBE_WIDTH * PROBE_HEIGHT), best > 0 ? JPEG_LEAST_NS : 0);
    tjFree(to);
    if (tj)
        tjDestroy(tj);
    picture_unref(p);
    picture_pool_unref(pool);
}

double capacity_fps(enum codec codec, int width, int height, double cores)
{
    pthread_once(&once, probe);
    if (jpeg_ns <= 0 || codec >= sizeof(costs) / sizeof(*costs) || costs[codec].times <= 0 ||
        hardware_codes(codec))
        return INFINITY;
    const struct cost *c = &costs[codec];
    double all = cores > 0 ? cores : (double)(machine_cores > 0 ? machine_cores : 1);
    return 1e9 * SHARE * fmin(c->cores, all) /
           (c->times * jpeg_ns * (double)width * (double)height);
}
