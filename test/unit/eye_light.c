/* The eye's other loops of light against a synthetic sensor: white balance, day and night, tone;
 * and how pixels are measured. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "eye_light_set.h"
#include "image/balance.h"
#include "image/measure.h"
#include "image/night.h"
#include "image/tone_map.h"
#include "unit.h"

/* ---- white balance ---- */

static void coloured_scene(double kelvin)
{
    double red, blue;
    balance_gains(kelvin, 0, &red, &blue);
    for (int i = 0; i < ZONES; i++) {
        double grey = 20 + i % 7 * 6;
        float tint[3] = {1, 1, 1};
        if (i % 5 == 0) { /* grass, bricks, blue cars */
            tint[0] = 0.5f;
            tint[2] = 0.35f;
        } else if (i % 5 == 1 && i % 2) {
            tint[1] = tint[2] = 0.4f;
        }
        scene[i][0] = (float)(grey / red * tint[0]);
        scene[i][1] = (float)grey * tint[1];
        scene[i][2] = (float)(grey / blue * tint[2]);
    }
}

TEST(white_balance_finds_the_light)
{
    struct eye_settings s = plain();
    static const double lights[] = {2800, 3500, 4200, 5500, 6500, 9000};
    for (size_t i = 0; i < sizeof lights / sizeof *lights; i++) {
        struct balance b = {0};
        struct measured m;
        double red, blue;
        coloured_scene(lights[i]);
        begin(&s);
        run(&s, 60, NULL);
        take(&e.choice, 0, &m);
        balance_step(&b, &s, &m, 4, true);
        balance_gains(lights[i], 0, &red, &blue);
        CHECK_NEAR(log2(b.red / red), 0, 0.12);
        CHECK_NEAR(log2(b.blue / blue), 0, 0.2);
        CHECK_NEAR(1e6 / balance_kelvin(b.red, b.blue), 1e6 / lights[i], 35);
    }
    double red, blue;
    balance_gains(6504, 0, &red, &blue);
    CHECK_NEAR(red, 1, 0.002);
    CHECK_NEAR(blue, 1, 0.002);
}

TEST(white_balance_is_slow_and_then_stands)
{
    struct eye_settings s = plain();
    struct balance b = {0};
    struct measured m;
    coloured_scene(6000);
    begin(&s);
    run(&s, 60, NULL);
    take(&e.choice, 0, &m);
    balance_step(&b, &s, &m, 4, true);
    double was = b.red;
    coloured_scene(3000);
    run(&s, 30, NULL);
    for (int k = 0; k < 15; k++) {
        take(&e.choice, k, &m);
        balance_step(&b, &s, &m, 4, false);
    }
    CHECK(fabs(log2(b.red / was)) < 0.25); /* not a jump */
    for (int k = 0; k < 600; k++) {
        take(&e.choice, k, &m);
        balance_step(&b, &s, &m, 4, false);
    }
    double red, blue, stands = b.red;
    balance_gains(3000, 0, &red, &blue);
    CHECK_NEAR(log2(b.red / red), 0, 0.12);
    for (int k = 0; k < 300; k++) {
        take(&e.choice, k, &m);
        balance_step(&b, &s, &m, 4, false);
        CHECK(b.red == stands);
    }
    s.balance = BALANCE_HOLD;
    coloured_scene(6500);
    for (int k = 0; k < 60; k++) {
        take(&e.choice, k, &m);
        balance_step(&b, &s, &m, 4, false);
    }
    CHECK(b.red == stands);
    s.balance = BALANCE_INDOOR;
    balance_step(&b, &s, &m, 4, false);
    CHECK_NEAR(balance_kelvin(b.red, b.blue), 2800, 60);
    s.balance = BALANCE_MANUAL;
    s.red = 75;
    balance_step(&b, &s, &m, 4, false);
    CHECK_NEAR(b.red, 2, 1e-9);
    CHECK_NEAR(b.blue, 1, 1e-9);
}

/* Outdoors a lawn must not become grey. */
TEST(white_balance_expects_daylight_outdoors)
{
    struct eye_settings s = plain();
    struct balance b = {0};
    struct measured m;
    even_scene(40);
    for (int i = 0; i < ZONES; i++) {
        scene[i][0] *= 0.8f;
        scene[i][2] *= 0.45f;
    }
    begin(&s);
    run(&s, 60, NULL);
    take(&e.choice, 0, &m);
    balance_step(&b, &s, &m, 14, true);
    double k = balance_kelvin(b.red, b.blue);
    CHECK(k > 4500 && k < 8500);
    CHECK(b.blue < 1.6);
}

/* ---- day and night ---- */

static struct night n;
static const struct night_limits night_limits = {
    .least_ev = -1, .gain_stops = 7, .filter = true, .lamp = true, .least_deg = 5, .most_deg = 70};

/* A minute of a dusk: ev of the visible light; infrared of others is `more` stops above; its
 * own lamp lights up to ev `own`. Returns how often it became day or night. */
static int dusk(const struct eye_settings *s, double from, double to, double more, double own,
                int seconds, int64_t *at_ns)
{
    int toggles = 0, stands = 9;
    double lamp = n.lamp;
    for (int k = 0; k < seconds * (int)FPS; k++) {
        double visible = from + (to - from) * k / (seconds * FPS);
        double ev = visible;
        if (n.on)
            ev = log2(exp2(visible + more) + n.lamp * exp2(own));
        stands = lamp == n.lamp ? stands + 1 : 0;
        lamp = n.lamp;
        struct night_seen seen = {.at_ns = *at_ns,
                                  .ev = ev + noise(0.03),
                                  .gain_db = fmin(fmax((6 - ev) * 6, 0), 42),
                                  .hfov_deg = 60,
                                  .steady = stands >= 2};
        bool was = n.on;
        night_step(&n, s, &night_limits, &seen, false);
        toggles += n.on != was;
        *at_ns += (int64_t)(1e9 / FPS);
    }
    return toggles;
}

TEST(dusk_and_dawn_come_once)
{
    struct eye_settings s = plain();
    for (double more = 0; more <= 3; more += 1.5)
        for (double own = -20; own <= 8; own += 7) { /* no lamp … much light from something near */
            n = (struct night){0};
            int64_t at = 1;
            CHECK_INT(dusk(&s, 5, 5, more, own, 20, &at), 0);
            CHECK(!n.on && n.lamp == 0);
            CHECK_INT(dusk(&s, 5, -9, more, own, 300, &at), 1);
            CHECK(n.on && n.lamp > 0);
            CHECK_INT(dusk(&s, -9, -9, more, own, 200, &at), 0); /* not fooled by its own lamp */
            CHECK(n.on);
            int toggles = dusk(&s, -9, 8, more, own, 400, &at);
            toggles += dusk(&s, 8, 8, more, own, 700, &at); /* the longest rest of a probe */
            CHECK_INT(toggles, 1);
            CHECK(!n.on && n.lamp == 0);
        }
}

TEST(a_short_shadow_is_no_night)
{
    struct eye_settings s = plain();
    n = (struct night){0};
    int64_t at = 1;
    CHECK_INT(dusk(&s, 5, 5, 0, 0, 3, &at), 0);
    CHECK_INT(dusk(&s, -9, -9, 0, 0, 2, &at), 0);
    CHECK_INT(dusk(&s, 5, 5, 0, 0, 3, &at), 0);
    CHECK_INT(dusk(&s, -9, -9, 0, 0, 4, &at), 1);
}

TEST(thresholds_of_the_night)
{
    struct eye_settings s = plain();
    double dark = night_level(&s, &night_limits);
    s.daynight.night_level = 0;
    CHECK(night_level(&s, &night_limits) > dark + 5);
    for (s.daynight.day_level = 0; s.daynight.day_level <= 100; s.daynight.day_level += 10)
        CHECK(day_level(&s, &night_limits) >= night_level(&s, &night_limits) + 1);
}

TEST(filter_and_lamp_by_hand)
{
    struct eye_settings s = plain();
    n = (struct night){0};
    int64_t at = 1;
    s.daynight.filter = CUT_NO;
    CHECK_INT(dusk(&s, 5, 5, 0, -20, 1, &at), 1);
    CHECK(n.on && n.lamp > 0);
    CHECK_NEAR(n.beam_deg, 69, 1);
    s.infrared.angle = 12;
    dusk(&s, 5, 5, 0, -20, 1, &at);
    CHECK_NEAR(n.beam_deg, 12, 0);
    s.infrared.mode = SET_OFF;
    dusk(&s, 5, 5, 0, -20, 1, &at);
    CHECK(n.lamp == 0);
    s.daynight.filter = CUT_YES;
    s.infrared.mode = SET_ON;
    s.infrared.intensity = 40;
    s.infrared.intensity_mode = 1;
    dusk(&s, -9, -9, 0, -20, 20, &at);
    CHECK(!n.on);
    CHECK_NEAR(n.lamp, 0.4, 1e-9);
}

/* ---- tone ---- */

TEST(the_plain_curve_is_plain)
{
    struct tone plain_curve, t;
    tone_plain(&plain_curve);
    tone_map_curve(1, 0, 50, 50, &t);
    CHECK(t.signal[12 * TONE_STEPS] == 1); /* no room above white */
    tone_map_curve(2, 0, 50, 50, &t);
    CHECK(!memcmp(t.signal, plain_curve.signal, sizeof(t.signal)));
    for (double range = 1; range <= 1024; range *= 2)
        for (int slide = 0; slide <= 100; slide += 25) {
            tone_map_curve(range, 0.25 * log2(range), slide, 100 - slide, &t);
            for (int i = 0; i < TONE_POINTS; i++) {
                CHECK(t.signal[i] >= 0 && t.signal[i] <= 1);
                CHECK(i == 0 || t.signal[i] >= t.signal[i - 1]);
            }
        }
    tone_map_curve(256, 2, 50, 50, &t); /* what is bright keeps its differences */
    double top = (8 - TONE_LEAST_LOG2) * TONE_STEPS, middle = (0 - TONE_LEAST_LOG2) * TONE_STEPS;
    CHECK(t.signal[(int)top] - t.signal[(int)middle] > 0.2);
    CHECK_NEAR(t.signal[TONE_POINTS - 1], 1, 1e-6);
}

static void tone_run(struct tone_map *t, const struct eye_settings *s, int pictures, int *ret_last)
{
    const struct tone_limits l = {true, true, 256};
    for (int k = 0; k < pictures; k++) {
        struct measured m;
        struct tone before = t->tone;
        take(&e.choice, k, &m);
        double white = t->range; /* the short exposure sees further */
        for (int i = 0; i < ZONES; i++) {
            double v = scene[i][1] * exp2(m.stops);
            m.light[i] = (float)fmin(v, white);
            m.clipped[i] = v > white;
        }
        memset(m.bins, 0, sizeof(m.bins));
        for (int i = 0; i < ZONES; i++)
            m.bins[(int)fmin(fmax(4 * (log2(fmax(m.light[i], 1e-4)) + 16), 0), SHOT_BINS - 1)] +=
                1.0 / ZONES;
        exposure_step(&e, s, &limits, &m, weight, tone_map_bias(t, s), false);
        double range = t->range;
        tone_map_step(t, s, &l, &m, range, 0.25, false);
        if (memcmp(&before, &t->tone, sizeof(before)) || range != t->range)
            *ret_last = k + 1;
    }
}

TEST(range_follows_the_scene_and_stands)
{
    struct eye_settings s = plain();
    struct tone_map t = {.range = 1};
    int last = 0;
    even_scene(40);
    begin(&s);
    run(&s, 30, NULL);
    tone_run(&t, &s, 100, &last);
    CHECK(t.range == 2 && !t.tone.local);
    for (int i = 0; i < ZONES; i++) /* a window, thirty times as bright */
        if (i % ZONES_ACROSS > 20 && i / ZONES_ACROSS < 8)
            scene[i][0] = scene[i][1] = scene[i][2] = 2400;
    tone_run(&t, &s, 300, &last);
    CHECK(t.range > 4 && t.range <= 16 && t.tone.local);
    CHECK(last < 120);
    CHECK(t.tone.stops[2][28] < -0.5f && t.tone.stops[14][4] > 0);
    s.wdr_level = 20;
    tone_run(&t, &s, 100, &last);
    CHECK(t.range <= 4);
    s.wdr = 0;
    tone_run(&t, &s, 100, &last);
    CHECK(t.range == 1 && !t.tone.local);
    even_scene(40);
    s.wdr = 1;
    s.wdr_level = 90;
    tone_run(&t, &s, 300, &last);
    CHECK(t.range == 2 && !t.tone.local);
}

/* ---- measuring ---- */

TEST(pixels_tell_their_light)
{
    struct picture_pool *pool = picture_pool_new(640, 360, false, 2);
    struct picture *p = picture_get(pool);
    p->matrix = COLOUR_BT709;
    p->range = RANGE_LIMITED;
    picture_fill(p, 16 + 110, 128, 128); /* signal 0.5 */
    struct capture how = {.end_ns = 10000000, .iris_f = 2};
    struct shot *s = shot_new(p, &how);
    static struct measured m;
    measure_shot(s, &how, &m);
    CHECK_NEAR(m.light[100], 0.26, 0.01);
    CHECK_NEAR(m.rgb[7][0], m.rgb[7][2], 0.005);
    CHECK_NEAR(m.clipped[0], 0, 0);
    CHECK_NEAR(m.stops, log2(0.01) - 2, 1e-9);
    memset(p->plane[0], 235, (size_t)p->stride[0] * 20);
    measure_shot(s, &how, &m);
    CHECK_NEAR(m.clipped[3], 1, 0);
    CHECK_NEAR(m.clipped[3 + ZONES_ACROSS * 5], 0, 0);
    shot_unref(s);
    picture_pool_unref(pool);
}

UNIT_MAIN(UNIT_ROW(white_balance_finds_the_light) UNIT_ROW(white_balance_is_slow_and_then_stands)
              UNIT_ROW(white_balance_expects_daylight_outdoors) UNIT_ROW(dusk_and_dawn_come_once)
                  UNIT_ROW(a_short_shadow_is_no_night) UNIT_ROW(thresholds_of_the_night)
                      UNIT_ROW(filter_and_lamp_by_hand) UNIT_ROW(the_plain_curve_is_plain)
                          UNIT_ROW(range_follows_the_scene_and_stands)
                              UNIT_ROW(pixels_tell_their_light))
