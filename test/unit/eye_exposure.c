/* The eye's exposure against a synthetic sensor. */
#include "image/exposure.h"

#include <math.h>
#include <string.h>

#include "eye_light_set.h"
#include "image/measure.h"
#include "unit.h"

static double level(void)
{
    struct measured m;
    take(&e.choice, 0, &m);
    double sum = 0;
    for (int i = 0; i < ZONES; i++)
        sum += m.light[i];
    return sum / ZONES;
}

TEST(exposure_settles_and_stands)
{
    struct eye_settings s = plain();
    int turns;
    for (double stops = -6; stops <= 7; stops += 0.37) { /* a lamp goes on, or off */
        even_scene(40);
        begin(&s);
        run(&s, 60, NULL);
        CHECK(e.settled);
        CHECK_NEAR(level(), 0.25, 0.015);
        even_scene(40 * exp2(stops));
        int rest = run(&s, 300, &turns);
        if (rest > 15 || turns > 1)
            unit_fail(__FILE__, __LINE__, "%+.2f stops: rests after %d pictures, %d turns", stops,
                      rest, turns);
        CHECK(e.settled);
        CHECK_NEAR(log2(level() / 0.25), 0, 0.1);
    }
}

TEST(exposure_first_picture_is_right_after_three)
{
    struct eye_settings s = plain();
    for (double stops = -10; stops <= 9; stops += 1.3) {
        even_scene(0.25 * exp2(9 + stops));
        begin(&s);
        struct measured m;
        for (int k = 0; k < 4; k++) {
            take(&e.choice, 0, &m);
            if (k == 3)
                CHECK_NEAR(exposure_error(&m, weight, 0.25), 0, 0.34);
            exposure_step(&e, &s, &limits, &m, weight, 0, true);
        }
    }
}

TEST(exposure_holds_its_limits)
{
    struct eye_settings s = plain();
    struct exposure_choice c;
    exposure_share(&s, &limits, -40, &c);
    CHECK(c.ns == 15000 && c.gain_db == 0 && c.iris_f == 16);
    exposure_share(&s, &limits, 40, &c);
    CHECK(c.ns == 33333333 && c.gain_db == 42 && c.iris_f == 1.6);
    double last = -1e9; /* more light is never less of it */
    for (double x = -25; x < 5; x += 0.05) {
        exposure_share(&s, &limits, x, &c);
        double got = exposure_stops((double)c.ns, c.gain_db, c.iris_f);
        CHECK(got >= last - 1e-6);
        last = got;
        if (x > -23 && x < 0)
            CHECK_NEAR(got, x, 0.01);
    }
    /* priority: low noise takes time first, low blur takes gain first */
    s.exposure.priority = 0;
    exposure_share(&s, &limits, -7.5, &c);
    CHECK(c.gain_db == 0 && c.ns > 8000000);
    s.exposure.priority = 100;
    exposure_share(&s, &limits, -7.5, &c);
    CHECK(c.gain_db > 1 && c.ns <= 8000000);
    /* by hand: iris, time */
    s = plain();
    s.exposure.mode = EXPOSURE_APERTURE;
    s.exposure.aperture = 0;
    exposure_share(&s, &limits, -8, &c);
    CHECK_NEAR(c.iris_f, 16, 1e-9);
    s.exposure.mode = EXPOSURE_SHUTTER;
    s.exposure.manual_us = 2000;
    exposure_share(&s, &limits, -8, &c);
    CHECK_INT(c.ns, 2000000);
    CHECK_INT(exposure_aperture(&limits, exposure_iris(&limits, 37)), 37);
}

TEST(exposure_is_manual_or_held)
{
    struct eye_settings s = plain();
    even_scene(40);
    begin(&s);
    run(&s, 40, NULL);
    struct exposure_choice held = e.choice;
    s.exposure.mode = EXPOSURE_HOLD;
    even_scene(400);
    CHECK_INT(run(&s, 40, NULL), 0);
    CHECK(!memcmp(&held, &e.choice, sizeof(held)));
    s.exposure.mode = EXPOSURE_MANUAL;
    s.exposure.manual_us = 1000;
    s.exposure.manual_gain = 50;
    s.exposure.aperture = 100;
    run(&s, 2, NULL);
    CHECK(e.choice.ns == 1000000 && e.choice.gain_db == 21 && e.choice.iris_f == 1.6);
}

TEST(flicker_free_times_are_whole_periods)
{
    struct eye_settings s = plain();
    struct exposure_choice c;
    for (int hz = 50; hz <= 60; hz += 10)
        for (double x = -25; x < 5; x += 0.03) {
            s.exposure.mode = hz == 50 ? EXPOSURE_FREE_50 : EXPOSURE_FREE_60;
            exposure_share(&s, &limits, x, &c);
            double periods = (double)c.ns * 1e-9 * 2 * hz;
            CHECK(periods >= 0.999);
            CHECK_NEAR(periods, round(periods), 1e-4);
            if (x > -14 && x < 0) /* gain and iris fill up */
                CHECK_NEAR(exposure_stops((double)c.ns, c.gain_db, c.iris_f), x, 0.01);
            s.exposure.mode = hz == 50 ? EXPOSURE_REDUCED_50 : EXPOSURE_REDUCED_60;
            exposure_share(&s, &limits, x, &c);
            periods = (double)c.ns * 1e-9 * 2 * hz;
            CHECK(x < exposure_stops(0.5e9 / hz, 0, 16) || fabs(periods - round(periods)) < 1e-4);
            if (x > -20 && x < 0)
                CHECK_NEAR(exposure_stops((double)c.ns, c.gain_db, c.iris_f), x, 0.01);
        }
}

/* Under lamps that go dark a hundred times a second. */
TEST(flicker_free_pictures_do_not_ripple)
{
    struct eye_settings s = plain();
    even_scene(500);
    lamps_hz = 50;
    for (int mode = EXPOSURE_AUTO; mode <= EXPOSURE_FREE_50; mode++) {
        if (mode != EXPOSURE_AUTO && mode != EXPOSURE_FREE_50)
            continue;
        s.exposure.mode = mode;
        begin(&s);
        run(&s, 60, NULL);
        CHECK_INT(run(&s, 300, NULL), 0); /* stands, whatever the lamps do */
        double least = 1e9, most = 0;
        for (int k = 0; k < 90; k++) {
            double v = lit(k / FPS, (double)e.choice.ns * 1e-9);
            least = fmin(least, v);
            most = fmax(most, v);
        }
        double ripple = (most - least) / (most + least);
        if (mode == EXPOSURE_AUTO)
            CHECK(ripple > 0.1); /* else the test shows nothing */
        else
            CHECK(ripple < 0.02);
    }
    lamps_hz = 0;
}

TEST(exposure_is_made_for_a_part)
{
    struct eye_settings s = plain();
    even_scene(20);
    for (int i = 0; i < ZONES; i++) /* the left half is bright */
        if (i % ZONES_ACROSS < ZONES_ACROSS / 2)
            scene[i][0] = scene[i][1] = scene[i][2] = 160;
    double left, right, excluded;
    s.exposure.window = WINDOW_LEFT;
    begin(&s);
    run(&s, 60, NULL);
    left = e.stops;
    s.exposure.window = WINDOW_RIGHT;
    begin(&s);
    run(&s, 60, NULL);
    right = e.stops;
    CHECK_NEAR(right - left, 3, 0.1);
    s.exposure.window = WINDOW_CUSTOM;
    s.exposure.zone[3].box = (struct picture_box){0, 9999, 0, 9999};
    s.exposure.zone[3].kind = ZONE_INCLUDE;
    s.exposure.zone[4].box = (struct picture_box){0, 4999, 0, 9999};
    s.exposure.zone[4].kind = ZONE_EXCLUDE;
    begin(&s);
    run(&s, 60, NULL);
    excluded = e.stops;
    CHECK_NEAR(excluded, right, 0.1);
    s.rotation = 1; /* upside down: what the user calls left is right */
    begin(&s);
    run(&s, 60, NULL);
    CHECK_NEAR(e.stops, left, 0.1);
}

TEST(exposure_level_is_in_stops)
{
    struct eye_settings s = plain();
    even_scene(40);
    begin(&s);
    run(&s, 60, NULL);
    double right = e.stops;
    s.exposure.level = 25;
    run(&s, 60, NULL);
    CHECK_NEAR(e.stops, right - 1, 0.1);
    s.exposure.level = 75;
    run(&s, 60, NULL);
    CHECK_NEAR(e.stops, right + 1, 0.1);
}

TEST(exposure_makes_up_for_the_iris)
{
    struct eye_settings s = plain();
    struct exposure_choice c, was;
    for (double x = -16; x < -2; x += 0.5) {
        exposure_share(&s, &limits, x, &c);
        was = c;
        double f = c.iris_f * 1.5;
        exposure_correct(&s, &limits, f, &c);
        double got = exposure_stops((double)c.ns, c.gain_db, f);
        if (was.gain_db < 36)
            CHECK_NEAR(got, x, 0.01);
        c = was;
        exposure_correct(&s, &limits, was.iris_f * 1.001, &c);
        CHECK(!memcmp(&c, &was, sizeof(c))); /* it stands */
    }
}

UNIT_MAIN(UNIT_ROW(exposure_settles_and_stands)
              UNIT_ROW(exposure_first_picture_is_right_after_three)
                  UNIT_ROW(exposure_holds_its_limits) UNIT_ROW(exposure_is_manual_or_held)
                      UNIT_ROW(flicker_free_times_are_whole_periods)
                          UNIT_ROW(flicker_free_pictures_do_not_ripple)
                              UNIT_ROW(exposure_is_made_for_a_part)
                                  UNIT_ROW(exposure_level_is_in_stops)
                                      UNIT_ROW(exposure_makes_up_for_the_iris))
