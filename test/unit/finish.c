/* Finishing judged by what it is for: a known scene, shaken, hazy or noisy in a known way. */
#include "image/finish.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/kernels.h"
#include "media/shot.h"
#include "unit.h"

#define W 640
#define H 360

static uint32_t seed = 1;
static double uniform(void)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) / 16777216.0;
}
static double gauss(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += uniform();
    return sum;
}

/* Walls, windows, a gradient and a fine pattern, as a function of any position. */
static double scene(double x, double y)
{
    double v = 90 + 40 * sin(x / 37) * cos(y / 29) + 25 * sin(x / 7 + 2 * sin(y / 50));
    v += sin(x / 61 + 1) * sin(y / 43) > 0.3 ? 50 : 0;
    return fmin(fmax(v, 20), 230);
}

static struct picture_pool *pool;

static struct picture *picture_of(double dx, double dy, double noise)
{
    if (!pool)
        pool = picture_pool_new(W, H, false, 8);
    struct picture *p = picture_get(pool);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            double v = scene(x - dx, y - dy) + (noise > 0 ? noise * gauss() : 0);
            p->plane[0][y * p->stride[0] + x] = (uint8_t)lrint(fmin(fmax(v, 16), 235));
        }
    for (int i = 1; i < 3; i++)
        for (int y = 0; y < H / 2; y++)
            for (int x = 0; x < W / 2; x++)
                p->plane[i][y * p->stride[i] + x] =
                    (uint8_t)lrint(128 + 40 * sin((2 * x - dx) / 30 + i) + noise * gauss() / 2);
    p->matrix = COLOUR_BT709;
    p->range = RANGE_LIMITED;
    return p;
}

static struct capture how_at(int k)
{
    struct pose pose = {.zoom = 1, .hfov_deg = 60, .known = true};
    return (struct capture){.serial = (uint64_t)k,
                            .start_ns = k * INT64_C(33333333),
                            .pose_start = pose,
                            .pose_end = pose};
}

static double mean(const struct picture *p)
{
    double sum = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            sum += p->plane[0][y * p->stride[0] + x];
    return sum / W / H;
}

/* Root mean square of luma, about its mean or about another picture. */
static double spread(const struct picture *p, const struct picture *q)
{
    double sum = 0, m = q ? 0 : mean(p);
    for (int y = 8; y < H - 8; y++)
        for (int x = 8; x < W - 8; x++) {
            double d = p->plane[0][y * p->stride[0] + x] -
                       (q ? (double)q->plane[0][y * q->stride[0] + x] : m);
            sum += d * d;
        }
    return sqrt(sum / (W - 16) / (H - 16));
}

static bool same(const struct picture *p, const struct picture *q)
{
    for (int i = 0; i < 3; i++)
        for (int y = 0; y < H >> (i > 0); y++)
            if (memcmp(p->plane[i] + y * p->stride[i], q->plane[i] + y * q->stride[i],
                       (size_t)W >> (i > 0)))
                return false;
    return true;
}

static void finish_one(struct finish *f, struct picture *p, int k, struct capture *ret)
{
    struct capture how = how_at(k);
    struct shot *shot = shot_new(picture_ref(p), &how);
    finish_picture(f, shot, p, &how);
    shot_unref(shot);
    if (ret)
        *ret = how;
}

static struct picture *finished(const struct finish_settings *s, bool plain)
{
    struct finish *f = finish_new();
    seed = 7;
    struct picture *p = picture_of(0, 0, 3);
    finish_use_plain_kernels(f, plain);
    finish_set(f, s);
    for (int k = 0; k < 3; k++)
        finish_one(f, p, k, NULL);
    finish_free(f);
    return p;
}

TEST(neutral_touches_nothing)
{
    const struct finish_settings s = {.defog_effect = 0.5, .margin = 0.05};
    seed = 7;
    struct picture *p = finished(&s, false), *q;
    seed = 7;
    q = picture_of(0, 0, 3);
    CHECK(same(p, q));
    picture_unref(p);
    picture_unref(q);
}

TEST(twins_agree)
{
    const struct finish_settings all = {.brightness = 0.3,
                                        .contrast = 0.4,
                                        .saturation = 0.5,
                                        .sharpness = 0.7,
                                        .local_contrast = 0.6,
                                        .defog = DEFOG_ON,
                                        .defog_effect = 0.8,
                                        .temporal = 0.7,
                                        .spatial = 0.5,
                                        .steady = true,
                                        .margin = 0.05};
    struct finish_settings less = all;
    less.sharpness = -0.6;
    less.local_contrast = -0.5;
    less.contrast = -0.5;
    less.saturation = -1;
    const struct finish_settings *each[] = {&all, &less};
    for (int i = 0; i < 2; i++) {
        struct picture *p = finished(each[i], false), *q = finished(each[i], true);
        CHECK(same(p, q));
        picture_unref(p);
        picture_unref(q);
    }
}

TEST(sliders_do_what_they_say)
{
    const struct finish_settings none = {0};
    struct picture *plain = finished(&none, false);
    const struct finish_settings bright = {.brightness = 0.5}, dark = {.brightness = -0.5},
                                 hard = {.contrast = 0.6}, flat = {.contrast = -0.6},
                                 grey = {.saturation = -1}, local = {.local_contrast = 0.8};
    struct picture *p = finished(&bright, false), *q = finished(&dark, false);
    CHECK(mean(p) > mean(plain) + 15 && mean(q) < mean(plain) - 15);
    picture_unref(p);
    picture_unref(q);
    p = finished(&hard, false);
    q = finished(&flat, false);
    CHECK(spread(p, NULL) > 1.15 * spread(plain, NULL));
    CHECK(spread(q, NULL) < 0.75 * spread(plain, NULL));
    picture_unref(p);
    picture_unref(q);
    p = finished(&grey, false);
    for (int y = 0; y < H / 2; y++)
        for (int x = 0; x < W / 2; x++)
            CHECK(p->plane[1][y * p->stride[1] + x] == 128);
    picture_unref(p);
    p = finished(&local, false);
    CHECK(spread(p, NULL) > 1.1 * spread(plain, NULL));
    CHECK(fabs(mean(p) - mean(plain)) < 6);
    picture_unref(p);
    picture_unref(plain);
}

/* Energy of what differs from pixel to pixel. */
static double detail(const struct picture *p)
{
    double sum = 0;
    for (int y = 8; y < H - 8; y++)
        for (int x = 8; x < W - 8; x++) {
            double d = p->plane[0][y * p->stride[0] + x + 1] - p->plane[0][y * p->stride[0] + x];
            sum += d * d;
        }
    return sum;
}

TEST(sharpness_raises_and_lowers_detail)
{
    const struct finish_settings none = {0}, more = {.sharpness = 0.6}, less = {.sharpness = -0.8};
    struct picture *a = finished(&none, false), *b = finished(&more, false),
                   *c = finished(&less, false);
    CHECK(detail(b) > 1.3 * detail(a));
    CHECK(detail(c) < 0.7 * detail(a));
    picture_unref(a);
    picture_unref(b);
    picture_unref(c);
}

/* Distance grows upwards; the light of the haze is 190. */
static double through(int y)
{
    return 0.2 + 0.4 * y / H;
}

TEST(haze_is_taken_away)
{
    struct picture *clear = picture_of(0, 0, 0), *hazy = picture_of(0, 0, 0);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            uint8_t *v = &hazy->plane[0][y * hazy->stride[0] + x];
            /* every area has something dark in it */
            uint8_t *c = &clear->plane[0][y * clear->stride[0] + x];
            if (x % 16 < 5 && y % 16 < 5)
                *c = *v = 20;
            *v = (uint8_t)lrint((*v - 16) * through(y) + 190 * (1 - through(y)) + 16);
        }
    for (int i = 1; i < 3; i++)
        for (int y = 0; y < H / 2; y++)
            for (int x = 0; x < W / 2; x++) {
                uint8_t *v = &hazy->plane[i][y * hazy->stride[i] + x];
                *v = (uint8_t)lrint(128 + (*v - 128) * through(2 * y));
            }
    double before = spread(hazy, NULL), scene_spread = spread(clear, NULL);
    struct finish *f = finish_new();
    const struct finish_settings s = {.defog = DEFOG_AUTO, .defog_effect = 0.9};
    finish_set(f, &s);
    finish_one(f, hazy, 0, NULL);
    CHECK(finish_haze(f) > 0.3);
    CHECK(before < 0.85 * scene_spread);
    CHECK(spread(hazy, NULL) > 1.4 * before);
    /* What is clear stays as it is. */
    struct picture *p = picture_of(0, 0, 0);
    picture_copy_rows(p, clear, 0, H);
    finish_rest(f);
    finish_one(f, p, 1, NULL);
    CHECK(finish_haze(f) < 0.2);
    CHECK(spread(p, clear) < 3);
    picture_unref(p);
    picture_unref(clear);
    picture_unref(hazy);
    finish_free(f);
}

TEST(noise_is_collected_away_and_motion_is_not)
{
    struct finish *f = finish_new();
    const struct finish_settings s = {.temporal = 1, .spatial = 0};
    finish_set(f, &s);
    seed = 3;
    struct picture *clean = picture_of(0, 0, 0);
    double first = 0, last = 0, moved = 0;
    for (int k = 0; k < 30; k++) {
        struct picture *p = picture_of(0, 0, 4);
        if (k == 29) /* somebody is there at once */
            for (int y = 100; y < 160; y++)
                memset(p->plane[0] + y * p->stride[0] + 200, 235, 60);
        if (k == 0)
            first = spread(p, clean);
        finish_one(f, p, k, NULL);
        if (k == 28)
            last = spread(p, clean);
        for (int y = 100; y < 160 && k == 29; y++)
            for (int x = 200; x < 260; x++)
                moved += p->plane[0][y * p->stride[0] + x] / 3600.0;
        picture_unref(p);
    }
    CHECK(last < 0.5 * first);
    CHECK(moved > 225);
    picture_unref(clean);
    finish_free(f);
}

/* Where the finished picture shows the scene: the shift of best likeness, by parabolas. */
static double off_by(const struct picture *p, const struct capture *how, bool down, double at)
{
    double e[3], step = how->crop_width;
    for (int k = -1; k <= 1; k++) {
        e[k + 1] = 0;
        for (int y = 40; y < H - 40; y += 3)
            for (int x = 40; x < W - 40; x += 3) {
                double m = (1 - step) / 2;
                double sx = m * W + (x + 0.5) * step - 0.5, sy = m * H + (y + 0.5) * step - 0.5;
                double d = p->plane[0][y * p->stride[0] + x] -
                           scene(sx - (down ? 0 : at + k), sy - (down ? at + k : 0));
                e[k + 1] += d * d;
            }
    }
    double bend = e[0] - 2 * e[1] + e[2];
    return at + (bend > 0 ? fmin(fmax((e[0] - e[2]) / (2 * bend), -1), 1) : 0);
}

TEST(steady_leaves_a_fifth_of_the_shaking_at_most)
{
    struct finish *f = finish_new();
    const struct finish_settings s = {.steady = true, .margin = 0.06};
    finish_set(f, &s);
    seed = 11;
    double shaken = 0, left = 0;
    int n = 0;
    for (int k = 0; k < 60; k++) {
        double dx = 7 * sin(k * 0.9) + 2 * sin(k * 2.3), dy = 5 * sin(k * 1.3 + 1);
        struct picture *p = picture_of(dx, dy, 2);
        for (int y = 120; y < 240; y++) /* somebody walks by */
            memset(p->plane[0] + y * p->stride[0] + 100 + 4 * k, 40, 50);
        struct capture how;
        finish_one(f, p, k, &how);
        CHECK(how.crop_width > 0.87 && how.crop_width < 0.89);
        CHECK(how.pose_start.hfov_deg < 60 && how.pose_start.hfov_deg > 52);
        if (k >= 10) {
            double rx = off_by(p, &how, false, 0), ry = off_by(p, &how, true, 0);
            shaken += dx * dx + dy * dy;
            left += rx * rx + ry * ry;
            n++;
        }
        picture_unref(p);
    }
    double rest = sqrt(left / shaken);
    if (rest > 0.2)
        printf("left %.3f of %.2f px\n", rest, sqrt(shaken / n));
    CHECK(rest <= 0.2);
    finish_free(f);
}

UNIT_MAIN(UNIT_ROW(neutral_touches_nothing) UNIT_ROW(twins_agree) UNIT_ROW(sliders_do_what_they_say)
              UNIT_ROW(sharpness_raises_and_lowers_detail) UNIT_ROW(haze_is_taken_away)
                  UNIT_ROW(noise_is_collected_away_and_motion_is_not)
                      UNIT_ROW(steady_leaves_a_fifth_of_the_shaking_at_most))
