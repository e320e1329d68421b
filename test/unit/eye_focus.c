/* Autofocus on a synthetic lens and contrast curve; sharpness from pixels; recall areas; and the
 * whole eye with a synthetic camera. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/loop.h"
#include "conf/param.h"
#include "device/ports.h"
#include "image/eye.h"
#include "image/focus.h"
#include "image/measure.h"
#include "image/recall.h"
#include "media/shot.h"
#include "unit.h"

#define FPS 30

static unsigned dice = 7;
static double even(void)
{
    dice = dice * 1103515245u + 12345u;
    return (dice >> 8 & 0xffff) / 65536.0;
}

/* ---- the loop alone ---- */

static double lens_at, lens_to, lens_speed; /* of its range, a picture */
static double peak, blur_px;                /* where it is sharp; pixels of blur a unit away */

/* Structure of all sizes: what is finer than the blur is gone, but for noise. */
static double sharp_at(double at)
{
    static const double share[] = {0.6, 0.25, 0.15};
    double blur = blur_px * fabs(at - peak), product = 1, size = 2;
    for (int i = 0; i < 3; i++, size *= 4)
        product *= pow(1 / (1 + pow(blur / size, 2)) + 0.002, share[i]);
    return product * (1 + 0.02 * (even() - 0.5));
}

/* Pictures until it rests, or −1. */
static int focus_run(struct focus *f, int pictures, int *ret_moves)
{
    int moves = 0;
    for (int k = 0; k < pictures; k++) {
        double step = lens_to - lens_at;
        lens_at += fabs(step) > lens_speed ? copysign(lens_speed, step) : step;
        struct focus_seen seen = {.at_ns = k * NSEC_PER_SEC / FPS + 1,
                                  .focus = lens_at,
                                  .ready = true,
                                  .measured = focus_wants(f),
                                  .sharp = sharp_at(lens_at),
                                  .itself = true};
        struct focus_order o;
        bool busy = focus_busy(f) || f->wanted;
        focus_step(f, 0, &seen, &o);
        if (o.go) {
            lens_to = o.to;
            lens_speed = 1.0 / FPS / 0.5 * o.speed;
            moves++;
        }
        if (busy && !focus_busy(f) && !ret_moves)
            return k;
    }
    if (ret_moves)
        *ret_moves = moves;
    return -1;
}

TEST(autofocus_is_sharp_within_a_second)
{
    int worst = 0, total = 0, runs = 0;
    for (blur_px = 4; blur_px <= 500; blur_px *= 2.3)
        for (peak = 0; peak <= 1; peak += 0.083)
            for (double from = 0; from <= 1; from += 0.125) {
                struct focus f = {0};
                lens_at = lens_to = from;
                lens_speed = 0;
                focus_begin(&f);
                int took = focus_run(&f, 120, NULL);
                double blur = blur_px * fabs(lens_at - peak);
                double quality = 1 / (1 + pow(blur / 2, 2));
                worst = took > worst ? took : worst;
                total += took, runs++;
                if (took < 0 || took > 32 || quality < 0.95)
                    unit_fail(__FILE__, __LINE__,
                              "blur %g, peak %g, from %g: took %d pictures, stands at %g, %.3f",
                              blur_px, peak, from, took, lens_at, quality);
            }
    CHECK(worst > 5 && total < 24 * runs);
}

TEST(autofocus_rests_until_something_changes)
{
    struct focus f = {0};
    int moves;
    blur_px = 200;
    peak = 0.6;
    lens_at = lens_to = 0.9;
    focus_begin(&f);
    CHECK(focus_run(&f, 60, NULL) > 0);
    focus_run(&f, 900, &moves);
    CHECK_INT(moves, 0);
    peak = 0.4; /* somebody stands in front of it */
    focus_run(&f, 200, &moves);
    CHECK(moves > 3);
    CHECK_NEAR(lens_at, 0.4, 0.003);
    focus_run(&f, 300, &moves);
    CHECK_INT(moves, 0);
}

TEST(autofocus_leaves_what_is_crisp)
{
    struct focus f = {0};
    struct focus_order o;
    struct focus_seen seen = {.at_ns = 1,
                              .focus = 0.5,
                              .ready = true,
                              .measured = true,
                              .sharp = 1,
                              .itself = true,
                              .crisp = true};
    focus_begin(&f);
    focus_step(&f, 0, &seen, &o);
    CHECK(!o.go && !focus_busy(&f) && !f.wanted);
    focus_begin(&f);
    seen.asked = true; /* by a person */
    focus_step(&f, 0, &seen, &o);
    CHECK(o.go && focus_busy(&f));
}

TEST(autofocus_waits_for_the_head)
{
    struct focus f = {0};
    struct focus_order o;
    focus_begin(&f);
    for (int k = 0; k < 50; k++) {
        struct focus_seen seen = {.at_ns = k, .focus = 0.5, .measured = true, .sharp = even() + 1};
        focus_step(&f, 0, &seen, &o);
        CHECK(!o.go && !focus_busy(&f));
    }
    CHECK(f.wanted);
}

TEST(autofocus_keeps_the_near_limit)
{
    struct focus f = {0};
    struct focus_order o;
    double least = 1;
    blur_px = 100;
    peak = 0.1;
    lens_at = 0.9;
    focus_begin(&f);
    for (int k = 0; k < 90; k++) {
        struct focus_seen seen = {.at_ns = k,
                                  .focus = lens_at,
                                  .ready = true,
                                  .measured = true,
                                  .sharp = sharp_at(lens_at)};
        focus_step(&f, 0.3, &seen, &o);
        if (o.go)
            lens_at += fmin(fmax(o.to - lens_at, -0.06), 0.06);
        least = fmin(least, lens_at);
    }
    CHECK(least >= 0.3 - 1e-9);

    /* It stands where it is sharp, and then nothing so near is to be focused on. */
    lens_at = peak;
    for (int k = 0; k < 90; k++) {
        struct focus_seen seen = {.at_ns = 90 + k,
                                  .focus = lens_at,
                                  .ready = true,
                                  .measured = true,
                                  .itself = true,
                                  .crisp = true,
                                  .sharp = sharp_at(lens_at)};
        focus_step(&f, 0.3, &seen, &o);
        if (o.go)
            lens_at += fmin(fmax(o.to - lens_at, -0.06), 0.06);
    }
    CHECK(lens_at >= 0.3 - 1e-9);
    CHECK(!focus_busy(&f));
}

/* ---- sharpness ---- */

static struct picture *stripes(struct picture_pool *pool, int blur, int light)
{
    struct picture *p = picture_get(pool);
    picture_fill(p, 16, 128, 128);
    dice = 3;
    for (int y = 0; y < p->height; y++) {
        uint8_t *row = p->plane[0] + (long)y * p->stride[0];
        double value = 0;
        for (int x = 0; x < p->width; x++) {
            if (x % 3 == 0)
                value = even();
            row[x] = (uint8_t)(16 + light * value);
        }
        for (int x = 0; x + blur < p->width && blur > 1; x++) {
            int sum = 0;
            for (int i = 0; i < blur; i++)
                sum += row[x + i];
            row[x] = (uint8_t)(sum / blur);
        }
        if (blur > 1)
            memset(row + p->width - blur, row[p->width - blur - 1], (size_t)blur);
    }
    return p;
}

TEST(sharpness_falls_with_blur_not_with_light)
{
    struct picture_pool *pool = picture_pool_new(1280, 720, false, 4);
    float weight[SHARP_FIELDS];
    struct picture_box all = {0, 9999, 0, 9999};
    sharpness_weights(&all, false, weight);
    double last = 1e9, bright = 0;
    for (int blur = 1; blur <= 64; blur *= 2) {
        struct picture *p = stripes(pool, blur, 160);
        struct sharpness s;
        measure_sharpness(p, &s);
        double v = sharpness_sum(&s, weight);
        if (!(v < 0.9 * last))
            unit_fail(__FILE__, __LINE__, "%d pixels of blur: %g after %g", blur, v, last);
        last = v;
        if (blur == 1)
            bright = v;
        picture_unref(p);
    }
    struct picture *p = stripes(pool, 1, 120);
    struct sharpness s;
    measure_sharpness(p, &s);
    CHECK(fabs(sharpness_sum(&s, weight) / bright - 1) < 0.35);
    picture_unref(p);
    picture_pool_unref(pool);
}

/* ---- recall areas ---- */

TEST(recall_areas_need_half_of_themselves)
{
    struct eye_settings s = {0};
    s.focus.recall[4] = (struct eye_recall){true, 30, -10, 20, 0.4};
    struct pose p = {.pan_deg = 30, .tilt_deg = -10, .hfov_deg = 20, .zoom = 3, .known = true};
    CHECK_INT(recall_find(&s, &p, 16.0 / 9, -1), 4);
    p.pan_deg = 38;
    CHECK_INT(recall_find(&s, &p, 16.0 / 9, -1), 4);
    p.pan_deg = 42;
    CHECK_INT(recall_find(&s, &p, 16.0 / 9, -1), -1);
    CHECK_INT(recall_find(&s, &p, 16.0 / 9, 4), -1);
    p.pan_deg = 30; /* zoomed in: too little of it */
    p.hfov_deg = 10;
    CHECK_INT(recall_find(&s, &p, 16.0 / 9, -1), -1);
    p.hfov_deg = 60; /* all of it, and more */
    CHECK_INT(recall_find(&s, &p, 16.0 / 9, -1), 4);
    s.focus.recall[2] = (struct eye_recall){true, 60, -10, 20, 0.4};
    p.pan_deg = 52; /* all of the one, part of the other */
    CHECK_INT(recall_find(&s, &p, 16.0 / 9, -1), 2);
    p.pan_deg = 179;
    s.focus.recall[0] = (struct eye_recall){true, -179, -10, 20, 0.4};
    CHECK_INT(recall_find(&s, &p, 16.0 / 9, -1), 0);
}

UNIT_MAIN(UNIT_ROW(autofocus_is_sharp_within_a_second)
              UNIT_ROW(autofocus_rests_until_something_changes)
                  UNIT_ROW(autofocus_leaves_what_is_crisp) UNIT_ROW(autofocus_waits_for_the_head)
                      UNIT_ROW(autofocus_keeps_the_near_limit)
                          UNIT_ROW(sharpness_falls_with_blur_not_with_light)
                              UNIT_ROW(recall_areas_need_half_of_themselves))
