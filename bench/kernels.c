/* The kernels that the table of docs/performance.md is measured in, and the camera's
 * own steps beside them, on one core, medians:
 *
 *   C  copy of a 1080p 4:2:0 picture        R  plain bilinear remap of 1080p (the least)
 *   J  bare libjpeg-turbo encode            X  bare x264, the camera's settings
 *
 * Prints "name milliseconds" lines for bench/run.py.
 * usage: kernels [pictures [scenarios [row]]]: one picture means C and the overlays alone; with the
 * scenarios' folder also what the source costs (source.h), with a row's name or a part of it
 * nothing but that, and R */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "base/clock.h"
#include "base/fault.h"
#include "device/device.h"
#include "event/event.h"
#include "image/develop.h"
#include "media/convert.h"
#include "media/encode.h"
#include "media/shot.h"
#include "overlays.h"
#include "source.h"

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

static void report_least(const char *name, int n)
{
    qsort(samples, (size_t)n, sizeof *samples, by_value);
    printf("%s %.4f\n", name, samples[0]);
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
    report_least("R", n); /* as those that are told in it (source.h) */
}

static struct device *device;

static struct shot *take(uint64_t serial)
{
    struct shot *s = NULL;
    device->sensor->ops->take(device->sensor, serial, (int64_t)(serial * NSEC_PER_SEC / 30), &s);
    return s;
}

static double shares[MOST];
static uint64_t serial;

static void keep(double *list, int i, double ms)
{
    list[i] = ms;
}

static void report_list(const char *name, bool moving, const double *list, int n)
{
    char full[64];
    snprintf(full, sizeof full, "%s_%s", name, moving ? "moving" : "still");
    memcpy(samples, list, sizeof *samples * (size_t)n);
    report(full, n);
}

static struct encoder *open_encoder(enum codec codec, const struct encoding *e)
{
    struct fault why = {0};
    for (int i = 0; encoder_table[i]; i++)
        if (encoder_table[i]->codec == codec)
            return encoder_table[i]->open(e, 30, &why);
    return NULL;
}

static double coded(struct encoder *e, struct rendition *r, struct stream_format *format)
{
    struct packet *p = NULL;
    double t = now_ms();
    e->ops->encode(e, r, false, &p, format);
    t = now_ms() - t;
    packet_unref(p);
    return t;
}

enum { SHOTS = 24 };

/* Over a quarter of what this shot shows. */
static void eight_masks(struct mask_set *ret, const struct shot *s, enum mask_look look)
{
    *ret = (struct mask_set){.n = 8, .look = look, .colour = {16, 128, 128}, .blocks = 8};
    for (int i = 0; i < 8; i++) {
        double x = 0.05 + 0.24 * (i % 4), y = 0.1 + 0.45 * (i / 4);
        const double at[5][2] = {{0, 0}, {0.2, 0.02}, {0.14, 0.15}, {0.18, 0.3}, {0.02, 0.32}};
        ret->mask[i].n = 5;
        for (int k = 0; k < 5; k++)
            pose_unproject(&s->how.pose_start, (double)W / H, x + at[k][0], y + at[k][1],
                           &ret->mask[i].point[k].pan_deg, &ret->mask[i].point[k].tilt_deg);
    }
}

/* What eight masks, four overlays and the compass add to a picture, all together: each picture is
 * another one, as in life. */
static void report_together(struct clock *clock, bool moving)
{
    static double more[MOST];
    static struct mask_set set;
    struct picture_pool *pool = picture_pool_new(W, H, true, 4);
    struct masks *masks = masks_new();
    struct four *four = four_new(clock);
    for (int i = -2; i < SHOTS; i++) { /* the first ones lay things out */
        clock_advance(clock, NSEC_PER_SEC / 30);
        struct shot *s = take(++serial);
        eight_masks(&set, s, MASK_SOLID);
        double t[3];
        for (int on = 0; on < 2; on++) {
            masks_set(masks, on ? &set : NULL);
            t[0] = now_ms();
            struct frame *f = frame_develop(masks, pool, s, NULL);
            t[1 + on] = now_ms() - t[0];
            if (on) {
                t[0] = now_ms();
                four_paint(four, f->pixels, &f->how);
                t[2] += now_ms() - t[0];
            }
            frame_unref(f);
        }
        if (i >= 0)
            more[i] = t[2] - t[1];
        shot_unref(s);
    }
    report_list("masks8_overlays4_compass", moving, more, SHOTS);
    four_free(four);
    masks_free(masks);
    picture_pool_unref(pool);
}

/* What eight masks add to developing a picture: a colour, and a mosaic. */
static void report_masks(bool moving)
{
    static double without[MOST], with[MOST];
    struct picture_pool *pool = picture_pool_new(W, H, true, 4);
    struct masks *masks = masks_new();
    device->sensor->wants_spread = true;
    struct shot *s = take(++serial);
    for (int look = MASK_SOLID; look <= MASK_MOSAIC; look++) {
        struct mask_set *set = calloc(1, sizeof(*set));
        eight_masks(set, s, (enum mask_look)look);
        for (int i = 0; i < SHOTS; i++)
            for (int on = 0; on < 2; on++) {
                masks_set(masks, on ? set : NULL);
                frame_unref(frame_develop(masks, pool, s, NULL)); /* a new set learns */
                double t = now_ms();
                struct frame *f = frame_develop(masks, pool, s, NULL);
                keep(on ? with : without, i, now_ms() - t);
                frame_unref(f);
            }
        for (int i = 0; i < SHOTS; i++)
            with[i] -= without[i];
        report_list(look == MASK_SOLID ? "masks8_colour" : "masks8_mosaic", moving, with, SHOTS);
        free(set);
    }
    shot_unref(s);
    masks_free(masks);
    picture_pool_unref(pool);
}

/* Takes n pictures; develops and codes each, beside the bare libraries on the very same
 * pictures, all steps timed apart. */
static void camera_steps(struct clock *clock, int n, bool moving)
{
    static double source[MOST], develop[MOST], x[MOST], j[MOST], h264[MOST], jpeg[MOST];
    struct picture_pool *pool = picture_pool_new(W, H, true, 4);
    struct picture_pool *full_pool = picture_pool_new(W, H, false, 2);
    struct masks *masks = masks_new();
    struct encoding video = {.codec = CODEC_H264,
                             .compression = 30,
                             .gop = 32,
                             .profile = 2,
                             .stamp = true,
                             .key = {.view = 1, .width = W, .height = H}};
    struct encoding still = video;
    still.codec = CODEC_JPEG;
    struct encoder *our_h264 = open_encoder(CODEC_H264, &video);
    struct encoder *our_jpeg = open_encoder(CODEC_JPEG, &still);
    struct bare_h264 *bare_h264 = bare_h264_new(W, H, 25, 32); /* compression 30 is CRF 25 … */
    struct bare_jpeg *bare_jpeg = bare_jpeg_new(W, H, 70);     /* … and quality 70 */
    struct stream_format format = {.codec = CODEC_H264, .width = W, .height = H, .fps = 30};
    if (moving)
        device->head->ops->move(device->head, 60, 0, NAN);
    for (int i = 0; i < n; i++) {
        clock_advance(clock, NSEC_PER_SEC / 30);
        double t0 = now_ms();
        struct shot *s = take(++serial);
        double t1 = now_ms();
        struct frame *f = frame_develop(masks, pool, s, NULL);
        double t2 = now_ms();
        keep(source, i, t1 - t0);
        keep(develop, i, t2 - t1);
        struct rendition *r = rendition_new(picture_ref(f->pixels), &f->how);
        struct picture *full = picture_get(full_pool);
        full->matrix = COLOUR_BT601;
        full->range = RANGE_FULL;
        picture_convert(full, f->pixels);
        /* in turn, so that neither always finds the warm cache */
        if (i % 2)
            keep(jpeg, i, coded(our_jpeg, r, &format));
        double t4 = now_ms();
        bare_jpeg_encode(bare_jpeg, full);
        keep(j, i, now_ms() - t4);
        if (i % 2 == 0)
            keep(jpeg, i, coded(our_jpeg, r, &format));
        if (i % 2)
            keep(h264, i, coded(our_h264, r, &format));
        t4 = now_ms();
        bare_h264_encode(bare_h264, f->pixels);
        keep(x, i, now_ms() - t4);
        if (i % 2 == 0)
            keep(h264, i, coded(our_h264, r, &format));
        keep(shares, i, h264[i] - x[i]);
        picture_unref(full);
        rendition_unref(r);
        frame_unref(f);
        shot_unref(s);
    }
    report_list("source", moving, source, n);
    report_list("develop", moving, develop, n);
    report_masks(moving);
    report_together(clock, moving);
    report_list("X", moving, x, n);
    report_list("h264", moving, h264, n);
    report_list("h264_less_X", moving, shares, n);
    report_list("J", moving, j, n);
    report_list("jpeg", moving, jpeg, n);
    if (moving)
        device->head->ops->stop(device->head, true, true);
    our_h264->ops->close(our_h264);
    our_jpeg->ops->close(our_jpeg);
    bare_h264_free(bare_h264);
    bare_jpeg_free(bare_jpeg);
    masks_free(masks);
    picture_pool_unref(pool);
    picture_pool_unref(full_pool);
}

static void tell_source(const char *row, double median_ms, double mean_ms)
{
    printf("%s %.4f\n%s_mean %.4f\n", row, median_ms, row, mean_ms);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 120;
    if (n < 1 || n > MOST)
        return 2;
    if (argc == 2 && n == 1) { /* the overlays alone */
        struct clock *still = clock_new_sim();
        kernel_copy(120);
        overlay_rows(still, 240, tell_source);
        clock_free(still);
        return 0;
    }
    if (argc > 3) {
        kernel_remap(n / 4 + 1);
        return source_rows(n, argv[2], argv[3], tell_source) < 0;
    }
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
    overlay_rows(clock, n, tell_source);
    device->sensor->ops->stop(device->sensor);
    device->close(device);
    clock_free(clock);
    return argc > 2 && source_rows(n < 60 ? n : 60, argv[2], NULL, tell_source) < 0;
}
