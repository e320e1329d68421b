/* The kernels that the table of docs/performance.md is measured in, and the camera's
 * own steps beside them, on one core, medians:
 *
 *   C  copy of a 1080p 4:2:0 picture        R  plain bilinear remap of 1080p
 *   J  bare libjpeg-turbo encode            X  bare x264, the camera's settings
 *
 * Prints "name milliseconds" lines for bench/run.py. usage: kernels [pictures] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "device/device.h"
#include "event/event.h"
#include "image/develop.h"
#include "media/encode.h"
#include "media/shot.h"

#define W 1920
#define H 1080
#define MOST 400

static double samples[MOST];

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *name, int n)
{
    qsort(samples, (size_t)n, sizeof *samples, by_value);
    printf("%s %.4f\n", name, samples[n / 2]);
}

static double now_ms(void)
{
    return (double)clock_thread_cpu_ns() / 1e6;
}

static void kernel_copy(int n)
{
    struct picture_pool *pool = picture_pool_new(W, H, false, 2);
    struct picture *a = picture_get(pool), *b = picture_get(pool);
    picture_fill(a, 100, 128, 128);
    for (int i = 0; i < n; i++) {
        double t = now_ms();
        picture_copy_rows(b, a, 0, H);
        samples[i] = now_ms() - t;
    }
    report("C", n);
    picture_unref(a);
    picture_unref(b);
    picture_pool_unref(pool);
}

/* A remap as anybody would write it first: a table of source positions, four taps. */
static void kernel_remap(int n)
{
    static uint8_t from[H + 2][W + 2], to[H][W];
    static float map_x[H][W], map_y[H][W];
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            from[y][x] = (uint8_t)(x * 7 + y * 13);
            map_x[y][x] = (float)(x * 0.99 + 3.3 + 2 * sin(y / 50.0));
            map_y[y][x] = (float)(y * 0.99 + 2.7 + 2 * cos(x / 50.0));
        }
    for (int i = 0; i < n; i++) {
        double t = now_ms();
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                float fx = map_x[y][x], fy = map_y[y][x];
                int ix = (int)fx, iy = (int)fy;
                float ax = fx - (float)ix, ay = fy - (float)iy;
                ix = ix < 0 ? 0 : ix > W ? W : ix;
                iy = iy < 0 ? 0 : iy > H ? H : iy;
                float top = from[iy][ix] * (1 - ax) + from[iy][ix + 1] * ax;
                float low = from[iy + 1][ix] * (1 - ax) + from[iy + 1][ix + 1] * ax;
                to[y][x] = (uint8_t)(top * (1 - ay) + low * ay + 0.5f);
            }
        samples[i] = now_ms() - t;
    }
    volatile uint8_t keep = to[n % H][n % W];
    (void)keep;
    report("R", n);
}

static struct device *device;

static struct shot *take(uint64_t serial)
{
    struct shot *s = NULL;
    device->sensor->ops->take(device->sensor, serial, (int64_t)(serial * NSEC_PER_SEC / 30), &s);
    return s;
}

/* Takes n pictures; develops and codes each, timing all steps apart. */
static void camera_steps(struct clock *clock, int n, bool moving)
{
    static double develop_ms[MOST], code_ms[MOST], jpeg_ms[MOST];
    struct fault why = {0};
    struct picture_pool *pool = picture_pool_new(W, H, true, 4);
    struct masks *masks = masks_new();
    struct encoding video = {.codec = CODEC_H264, .compression = 30, .gop = 32, .profile = 2, .stamp = true,
                             .key = {.view = 1, .width = W, .height = H}};
    struct encoding still = {.codec = CODEC_JPEG, .compression = 30, .stamp = true,
                             .key = {.view = 1, .width = W, .height = H, .range = RANGE_FULL}};
    struct encoder *h264 = NULL, *jpeg = NULL;
    for (int i = 0; encoder_table[i]; i++) {
        if (encoder_table[i]->codec == CODEC_H264)
            h264 = encoder_table[i]->open(&video, 30, &why);
        else if (encoder_table[i]->codec == CODEC_JPEG)
            jpeg = encoder_table[i]->open(&still, 30, &why);
    }
    if (moving)
        device->head->ops->move(device->head, 60, 0, NAN);
    struct stream_format format = {.codec = CODEC_H264, .width = W, .height = H, .fps = 30};
    for (int i = 0; i < n; i++) {
        clock_advance(clock, NSEC_PER_SEC / 30);
        double t0 = now_ms();
        struct shot *s = take((uint64_t)i + 1);
        double t1 = now_ms();
        struct frame *f = frame_develop(masks, pool, s);
        double t2 = now_ms();
        samples[i] = t1 - t0;
        develop_ms[i] = t2 - t1;
        struct rendition *r = rendition_new(picture_ref(f->pixels), &f->how);
        struct packet *p = NULL;
        h264->ops->encode(h264, r, false, &p, &format);
        double t3 = now_ms();
        packet_unref(p);
        p = NULL;
        jpeg->ops->encode(jpeg, r, false, &p, &format);
        jpeg_ms[i] = now_ms() - t3;
        code_ms[i] = t3 - t2;
        packet_unref(p);
        rendition_unref(r);
        frame_unref(f);
        shot_unref(s);
    }
    report(moving ? "source_moving" : "source_still", n);
    memcpy(samples, develop_ms, sizeof *samples * (size_t)n);
    report(moving ? "develop_moving" : "develop", n);
    memcpy(samples, code_ms, sizeof *samples * (size_t)n);
    report(moving ? "h264_moving" : "h264", n);
    memcpy(samples, jpeg_ms, sizeof *samples * (size_t)n);
    report(moving ? "jpeg_moving" : "jpeg", n);
    if (moving)
        device->head->ops->stop(device->head, true, true);
    h264->ops->close(h264);
    jpeg->ops->close(jpeg);
    masks_free(masks);
    picture_pool_unref(pool);
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 120;
    if (n < 1 || n > MOST)
        return 2;
    struct fault why = {0};
    struct clock *clock = clock_new_sim();
    device = device_open("virtual", 1, clock, NULL, &why);
    if (!device) {
        fprintf(stderr, "kernels: %s\n", why.text);
        return 1;
    }
    device->sensor->ops->start(device->sensor);
    kernel_copy(n);
    kernel_remap(n / 4 + 1);
    camera_steps(clock, n, false);
    camera_steps(clock, n, true);
    device->sensor->ops->stop(device->sensor);
    device->close(device);
    clock_free(clock);
    return 0;
}
