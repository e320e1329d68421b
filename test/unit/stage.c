#include "device/virtual/stage/stage.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "unit.h"

#define S NSEC_PER_SEC

static struct stage *stage;

static void begin(void)
{
    stage = stage_new(7);
    CHECK(stage);
}

static void done(void)
{
    stage = stage_free(stage);
}

static void tell(int64_t at_ns, const char *text)
{
    struct fault why = {0};
    if (stage_command_text(stage, at_ns, text, &why))
        unit_fail(__FILE__, __LINE__, "%s: %s", text, why.text);
}

static struct set set_at(int64_t at_ns)
{
    struct set s;
    stage_at(stage, at_ns, &s, NULL);
    return s;
}

static struct mess mess_at(int64_t at_ns)
{
    struct mess m;
    stage_at(stage, at_ns, NULL, &m);
    return m;
}

static struct stage_body body_at(int64_t at_ns)
{
    struct stage_body b;
    stage_body_at(stage, at_ns, &b);
    return b;
}

TEST(noon_on_a_clear_day_that_stands_still)
{
    begin();
    struct set a = set_at(0), b = set_at(5 * 86400 * S);
    CHECK(a.hour == 12 && b.hour == 12);
    CHECK(isinf(a.visibility_m) && a.rain_mm_h == 0 && a.wet == 0 && a.lamps < 0 && a.ir < 0);
    struct mess m = mess_at(0);
    CHECK(m.spray == 0 && m.cover == 0 && m.blur == 0 && m.turn_pan_deg == 0);
    struct stage_body body = body_at(0);
    CHECK(body.housing && body.card && !body.button && !body.input[0]);
    CHECK(stage_next(stage, 0) == TIME_NEVER);
    double x[3];
    stage_accel(stage, 3 * S, x);
    CHECK(x[0] == 0 && x[1] == 0 && x[2] == 1);
    done();
}

TEST(the_sun_moves_at_its_speed)
{
    begin();
    tell(10 * S, "hour 23");
    tell(20 * S, "speed 60"); /* an hour a minute */
    CHECK_NEAR(set_at(9 * S).hour, 12, 1e-9);
    CHECK_NEAR(set_at(20 * S).hour, 23, 1e-9);
    CHECK_NEAR(set_at(50 * S).hour, 23.5, 1e-9);
    CHECK_NEAR(set_at(110 * S).hour, 0.5, 1e-9);
    tell(110 * S, "speed 0");
    CHECK_NEAR(set_at(9999 * S).hour, 0.5, 1e-9);
    done();
}

TEST(snow_stays_and_thaws_late)
{
    begin();
    tell(10 * S, "weather snow 5s");
    CHECK(set_at(10 * S).lying == 0 && set_at(20 * S).lying < 0.5);
    CHECK_NEAR(set_at(50 * S).lying, 1, 1e-9);
    tell(60 * S, "snow 1 5s"); /* too little to keep all of it */
    CHECK_NEAR(set_at(360 * S).lying, 0.5, 1e-9);
    tell(400 * S, "weather clear 5s");
    CHECK(set_at(410 * S).snow_mm_h == 0 && set_at(410 * S).lying > 0.49);
    CHECK_NEAR(set_at(700 * S).lying, 0, 1e-9);
    done();
}

TEST(weather_comes_over_its_time_and_the_ground_dries_late)
{
    begin();
    tell(10 * S, "weather rain 4s");
    CHECK(set_at(10 * S).rain_mm_h == 0);
    CHECK_NEAR(set_at(12 * S).rain_mm_h, 2.5, 1e-9);
    CHECK_NEAR(set_at(14 * S).rain_mm_h, 5, 1e-9);
    CHECK(set_at(14 * S).wet < 0.5 && set_at(26 * S).wet > 0.89);
    tell(40 * S, "weather clear");
    CHECK(set_at(46 * S).rain_mm_h == 0 && isinf(set_at(46 * S).visibility_m));
    CHECK(set_at(60 * S).wet > 0.8);
    CHECK_NEAR(set_at(341 * S).wet, 0, 1e-9);
    CHECK(set_at(341 * S).lying == 0);
    tell(400 * S, "weather fog 0s");
    CHECK_NEAR(set_at(400 * S).visibility_m, 120, 1e-9);
    done();
}

TEST(wind_follows_the_weather_until_it_is_set)
{
    begin();
    tell(1 * S, "weather storm 0s");
    CHECK(set_at(1 * S).wind_m_s > 14);
    tell(2 * S, "wind 3 0s");
    CHECK(set_at(2 * S).wind_m_s == 3);
    tell(3 * S, "weather clear 0s");
    tell(4 * S, "weather storm 0s");
    CHECK(set_at(4 * S).wind_m_s == 3);
    tell(5 * S, "wind auto 0s");
    CHECK(set_at(5 * S).wind_m_s > 14);
    tell(6 * S, "wind to -90");
    CHECK(set_at(6 * S).wind_deg == -90);
    done();
}

/* Whatever the order in which it was told, a time has one state. */
TEST(a_state_depends_on_times_alone)
{
    static const struct {
        int at;
        const char *text;
    } log[] = {{1, "weather rain 10s"},  {4, "speed 3600"},  {5, "weather snow 2s"},
               {6, "lens spray 0.5 4s"}, {8, "hour 3"},      {8, "shake 1 5s"},
               {9, "lens clean"},        {11, "turn pan 40"}};
    struct stage *other = stage_new(7);
    begin();
    for (int i = 0; i < 8; i++)
        tell(log[i].at * S, log[i].text);
    static const int order[] = {7, 2, 0, 6, 4, 5, 1, 3}; /* 4 and 5 are of one time */
    for (int i = 0; i < 8; i++)
        CHECK(!stage_command_text(other, log[order[i]].at * S, log[order[i]].text, NULL));
    for (int64_t t = 0; t < 20 * S; t += S / 7) {
        struct set a, b;
        struct mess m, n;
        stage_at(stage, t, &a, &m);
        stage_at(other, t, &b, &n);
        CHECK(!memcmp(&a, &b, sizeof a) && !memcmp(&m, &n, sizeof m));
    }
    stage_free(other);
    done();
}

TEST(a_scenario_that_ends_takes_its_future_along)
{
    begin();
    tell(5 * S, "lens cover 1 0s");
    tell(50 * S, "weather fog 0s");
    CHECK(stage_next(stage, 6 * S) == 50 * S);
    stage_forget_after(stage, 10 * S);
    CHECK(isinf(set_at(60 * S).visibility_m) && mess_at(60 * S).cover == 1);
    CHECK(stage_next(stage, 6 * S) == TIME_NEVER);
    done();
}

TEST(the_lens_is_soiled_and_cleaned)
{
    begin();
    tell(1 * S, "lens spray 0.5");
    tell(1 * S, "lens cover 0.25 0s");
    tell(1 * S, "lens blur 1 2s");
    CHECK(mess_at(1 * S).spray == 0 && mess_at(1 * S).cover == 0.25);
    CHECK(mess_at(2 * S).spray == 0.5 && mess_at(2 * S).blur == 0.5 && mess_at(3 * S).blur == 1);
    tell(4 * S, "lens clean");
    struct mess m = mess_at(4 * S);
    CHECK(m.spray == 0 && m.cover == 0 && m.blur == 0 && m.cleaned_ns == 4 * S);
    done();
}

/* Calm: the mount is still to the bit. In a storm it sways, more in gusts, and the accelerometer
 * feels it: what it tells is the second derivative of where the camera looks. */
TEST(a_storm_moves_the_mount)
{
    begin();
    double pan, tilt, roll, g[3], most = 0, strength[20] = {0};
    tell(0, "wind 6 0s");
    stage_mount(stage, S, &pan, &tilt, &roll);
    stage_accel(stage, S, g);
    CHECK(pan == 0 && tilt == 0 && roll == 0 && g[0] == 0 && g[1] == 0 && g[2] == 1);
    tell(2 * S, "wind 17 0s");
    for (int i = 0; i < 20; i++)
        for (int k = 0; k < 100; k++) {
            stage_mount(stage, 3 * S + i * S + k * S / 100, &pan, &tilt, &roll);
            most = fmax(most, fabs(pan));
            strength[i] += pan * pan;
        }
    CHECK(most > 0.02 && most < 0.2);
    double lo = INFINITY, hi = 0;
    for (int i = 0; i < 20; i++) {
        lo = fmin(lo, strength[i]);
        hi = fmax(hi, strength[i]);
    }
    CHECK(hi > 2 * lo);
    for (int i = 0; i < 50; i++) { /* to the right, 10 cm from where the mount bends */
        int64_t t = 5 * S + i * S / 17, h = S / 2000;
        double a[3];
        for (int k = 0; k < 3; k++)
            stage_mount(stage, t + (k - 1) * h, &a[k], &tilt, &roll);
        double accel = (a[0] - 2 * a[1] + a[2]) / 0.0005 / 0.0005 * M_PI / 180 * 0.1 / 9.81;
        stage_accel(stage, t, g);
        CHECK_NEAR(g[0], accel, 0.15 * fabs(accel) + 2e-4);
    }
    done();
}

TEST(the_mount_is_turned_shaken_and_knocked)
{
    begin();
    double pan, tilt, roll, most = 0, g[3];
    tell(1 * S, "turn pan 30 0s");
    tell(1 * S, "turn tilt -5 0s");
    stage_mount(stage, 2 * S, &pan, &tilt, &roll);
    CHECK(pan == 30 && tilt == -5 && roll == 0);
    tell(3 * S, "shake 0.5 2s");
    for (int64_t t = 3 * S; t < 5 * S; t += S / 100) {
        stage_mount(stage, t, &pan, &tilt, &roll);
        most = fmax(most, fabs(pan - 30));
        CHECK(fabs(pan - 30) <= 0.5 && fabs(tilt + 5) <= 0.5);
    }
    CHECK(most > 0.3);
    stage_mount(stage, 5 * S, &pan, &tilt, &roll);
    CHECK(pan == 30 && tilt == -5);
    tell(6 * S, "knock 4");
    stage_accel(stage, 6 * S, g);
    CHECK(sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]) > 3.5);
    most = 0;
    for (int64_t t = 6 * S; t < 7 * S; t += S / 200) {
        stage_mount(stage, t, &pan, &tilt, &roll);
        most = fmax(most, hypot(pan - 30, tilt + 5));
    }
    CHECK(most > 0.2 && most < 2);
    stage_mount(stage, 8 * S, &pan, &tilt, &roll);
    CHECK(pan == 30 && tilt == -5 && roll == 0);
    done();
}

TEST(the_device_is_handled)
{
    begin();
    tell(1 * S, "input 2 on 3s");
    tell(1 * S, "input 4 on");
    tell(2 * S, "button 10");
    tell(3 * S, "housing removed");
    tell(3 * S, "card out");
    tell(4 * S, "power cycle");
    tell(5 * S, "temperature 75 10s");
    struct stage_body b = body_at(3 * S);
    CHECK(b.input[1] && b.input[3] && b.button && !b.housing && !b.card && b.power_cycles == 0);
    b = body_at(4 * S);
    CHECK(!b.input[1] && b.input[3] && b.button && b.power_cycles == 1);
    CHECK_NEAR(body_at(10 * S).temperature_c, 55, 1e-9);
    b = body_at(12 * S);
    CHECK(!b.button && b.input[3]);
    /* Whoever wakes at stage_next() misses nothing. */
    CHECK(stage_next(stage, 0) == 1 * S);
    CHECK(stage_next(stage, 4 * S) == 5 * S);
    CHECK(stage_next(stage, 5 * S) == 6 * S);
    CHECK(stage_next(stage, 14500000000) == 15 * S);
    CHECK(stage_next(stage, 15 * S) == TIME_NEVER);
    tell(20 * S, "input 4 off 2s");
    CHECK(!body_at(21 * S).input[3] && body_at(22 * S).input[3]);
    tell(23 * S, "button 60");
    tell(24 * S, "button 0");
    CHECK(!body_at(24 * S).button);
    done();
}

TEST(commands_are_read_strictly)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "hour",
                                      "hour 25",
                                      "hour -1",
                                      "hour nan",
                                      "hour 12 5s",
                                      "hour 0x10",
                                      "hour 1 2",
                                      "weather",
                                      "weather sunny",
                                      "weather rain 5",
                                      "weather rain -5s",
                                      "weather rain 5s 6s",
                                      "weather rain 1e9s",
                                      "weather 4",
                                      "lens",
                                      "lens spray",
                                      "lens spray 1.1",
                                      "lens clean 1",
                                      "lens clean 0s",
                                      "knock 0",
                                      "knock 99",
                                      "knock 3 5s",
                                      "input 5 on",
                                      "input 1",
                                      "input 1 2",
                                      "input on",
                                      "card",
                                      "card lost",
                                      "power",
                                      "power off",
                                      "power cycle 3s",
                                      "speed -1",
                                      "wind to",
                                      "wind to 181",
                                      "Hour 12",
                                      "hour\t12",
                                      "hour 12\n",
                                      "hour 12;speed 1",
                                      "temperature warm",
                                      "button -1",
                                      "button 121",
                                      "ir beam 0",
                                      "shake 6",
                                      "nothing",
                                      "a b c d e f g h i",
                                      "turn 10 20"};
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fault why = {0};
        if (stage_command_text(stage, 0, bad[i], &why) >= 0 || !*why.text)
            unit_fail(__FILE__, __LINE__, "\"%s\" was taken", bad[i]);
    }
    char longer[500];
    memset(longer, ' ', sizeof longer);
    memcpy(longer, "hour 12", 7);
    longer[499] = 0;
    CHECK(stage_command_text(stage, 0, longer, NULL) == -EINVAL);
    tell(0, "  lens   spray  0.5  2s ");
    tell(0, "hour 24");
    CHECK(set_at(0).hour == 0);
    tell(0, "visibility unlimited");
    tell(0, "knock");
    tell(0, "button");
    tell(0, "lamps 0.5");
    tell(0, "lamps auto");
    CHECK(stage_command_text(stage, -1, "knock", NULL) == -EINVAL);
    /* all or nothing */
    const struct stage_change two[] = {{STAGE_CLOUD, 0.7, 0}, {STAGE_RAIN, 99, 0}};
    CHECK(stage_change(stage, 5 * S, two, 2, NULL) == -EINVAL);
    CHECK_NEAR(set_at(5 * S).cloud, 0.05, 1e-9);
    done();
}

TEST(every_row_can_be_told_and_named)
{
    begin();
    for (int i = 0; i < STAGE_KEYS; i++) {
        const struct stage_row *r = &stage_rows[i];
        enum stage_key key = STAGE_KEYS;
        CHECK(r->name && r->words && r->group && r->doc);
        CHECK(!stage_row_by_name(r->name, &key, NULL) && (int)key == i);
        char text[64];
        struct stage_change c;
        for (const struct stage_word *w = r->word; w && w->word; w++) {
            snprintf(text, sizeof text, "%s %s", r->words, w->word);
            CHECK(!stage_parse(text, &c, NULL) && (int)c.key == i && c.value == w->value);
            CHECK_STR(stage_value_word(key, w->value), w->word);
        }
        if (r->numbers) {
            snprintf(text, sizeof text, "%s %.9g", r->words, r->max);
            CHECK(!stage_parse(text, &c, NULL) && (int)c.key == i && c.value == r->max);
            snprintf(text, sizeof text, "%s %.9g", r->words, r->min - 0.01);
            CHECK(stage_parse(text, &c, NULL) == -EINVAL);
        }
    }
    enum stage_key key;
    CHECK(stage_row_by_name("nothing", &key, NULL) == -ENOENT);
    done();
}

TEST(a_stage_told_again_is_the_same)
{
    begin();
    tell(1 * S, "weather snow");
    tell(2 * S, "speed 10");
    tell(2 * S, "hour 20");
    tell(3 * S, "lens spray 0.4");
    tell(3 * S, "housing removed");
    tell(3 * S, "input 3 on");
    tell(3 * S, "input 1 on 100s");
    tell(4 * S, "knock");
    tell(5 * S, "wind 9");
    char text[4096], *next;
    size_t len = stage_as_text(stage, 10 * S, text, sizeof text);
    CHECK(len < sizeof text && len == strlen(text));
    CHECK(stage_as_text(stage, 10 * S, text, 10) == len && strlen(text) == 9);
    stage_as_text(stage, 10 * S, text, sizeof text);
    struct stage *other = stage_new(7);
    for (char *line = text; *line; line = next) {
        next = strchr(line, '\n');
        *next++ = '\0';
        if (stage_command_text(other, 0, line, NULL))
            unit_fail(__FILE__, __LINE__, "\"%s\" was refused", line);
    }
    struct set a = set_at(100 * S), b;
    struct mess m = mess_at(100 * S), n;
    struct stage_body bodies[2];
    stage_at(other, 0, &b, &n);
    CHECK_NEAR(set_at(10 * S).hour, b.hour, 1e-6);
    CHECK(a.snow_mm_h == b.snow_mm_h && a.wet == b.wet && a.wind_m_s == b.wind_m_s);
    CHECK(m.spray == n.spray);
    bodies[0] = body_at(10 * S);
    stage_body_at(other, 0, &bodies[1]);
    CHECK(bodies[1].input[2] && !bodies[1].input[0] && !bodies[1].housing && bodies[1].card);
    stage_free(other);
    done();
}

TEST(a_long_life_keeps_what_is_new)
{
    begin();
    char text[64];
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "lens spray %.3f 0s", i % 1000 / 1000.0);
        tell(i * S, text);
    }
    CHECK_NEAR(mess_at(4999 * S).spray, 0.999, 1e-9);
    CHECK_NEAR(mess_at(4500 * S).spray, 0.5, 1e-9);
    CHECK(set_at(4999 * S).hour == 12);
    struct fault why = {0};
    int i = 0; /* what waits for its time is not forgotten for what comes still later */
    while (i < 5000 && !stage_command_text(stage, 4999 * S, "card in", &why))
        i++;
    CHECK(i == 5000);
    for (i = 0; i < 5000; i++)
        if (stage_command_text(stage, (10000 - i) * S, "card in", &why))
            break;
    CHECK(i < 5000 && why.kind == FAULT_LIMIT);
    done();
}

UNIT_MAIN(UNIT_ROW(noon_on_a_clear_day_that_stands_still) UNIT_ROW(the_sun_moves_at_its_speed)
              UNIT_ROW(snow_stays_and_thaws_late)
                  UNIT_ROW(weather_comes_over_its_time_and_the_ground_dries_late)
                      UNIT_ROW(wind_follows_the_weather_until_it_is_set)
                          UNIT_ROW(a_state_depends_on_times_alone)
                              UNIT_ROW(a_scenario_that_ends_takes_its_future_along) UNIT_ROW(
                                  the_lens_is_soiled_and_cleaned) UNIT_ROW(a_storm_moves_the_mount)
                                  UNIT_ROW(the_mount_is_turned_shaken_and_knocked)
                                      UNIT_ROW(the_device_is_handled)
                                          UNIT_ROW(commands_are_read_strictly)
                                              UNIT_ROW(every_row_can_be_told_and_named)
                                                  UNIT_ROW(a_stage_told_again_is_the_same)
                                                      UNIT_ROW(a_long_life_keeps_what_is_new))
