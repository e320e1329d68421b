/* Bitrate control against a scene that is known: how many bits a picture takes at which
 * quantizer. */
#include "media/rate.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "media/pace.h"
#include "unit.h"

#define FPS 30
#define GOP 30

/* Plays that many seconds; the scene takes `busy_kbps` at the asked quality. Mean kbit/s. */
static double play(struct rate *r, int64_t *now_ns, double seconds, double busy_kbps)
{
    double bits = 0;
    for (int64_t k = 0; k < (int64_t)(seconds * FPS); k++) {
        bool key = k % GOP == 0;
        double picture =
            busy_kbps * 1000 / FPS * exp2(-rate_coarser(r) / 6) * (key ? 5 : 26 / 29.0);
        rate_count(r, *now_ns, (size_t)(picture / 8), key);
        bits += picture;
        *now_ns += INT64_C(1000000000) / FPS;
    }
    return bits / seconds / 1000;
}

TEST(average_is_kept_and_quiet_times_pay_for_busy_ones)
{
    const struct rate_plan plan = {.mode = RATE_ABR, .target_kbps = 1000, .retention_days = 1};
    struct rate r;
    int64_t now = 0;
    rate_init(&r, &plan);
    /* A busy scene: the average comes down to the target. */
    play(&r, &now, 600, 4000);
    double steady = play(&r, &now, 600, 4000);
    CHECK_NEAR(steady, 1000, 60);
    CHECK_NEAR(rate_coarser(&r), 12, 2);
    /* A quiet one: never better than what was asked for. */
    double quiet = play(&r, &now, 3600, 300);
    CHECK_NEAR(quiet, 300, 10);
    CHECK_NEAR(rate_coarser(&r), 0, 0.01);
    /* Then a busy one may have more than the target for a while … */
    double after = play(&r, &now, 300, 4000);
    CHECK(after > 1500);
    /* … and in the end all of it has kept the budget. */
    for (int i = 0; i < 20; i++)
        play(&r, &now, 600, 4000);
    double mean = r.used_bits / ((double)now / 1e9) / 1000;
    CHECK_NEAR(mean, 1000, 50);
}

TEST(a_change_of_the_scene_does_not_swing)
{
    const struct rate_plan plan = {.mode = RATE_ABR, .target_kbps = 2000, .retention_days = 7};
    struct rate r;
    int64_t now = 0;
    rate_init(&r, &plan);
    play(&r, &now, 120, 8000);
    double least = 99, most = 0;
    for (int i = 0; i < 120; i++) {
        play(&r, &now, 1, 8000);
        least = fmin(least, rate_coarser(&r));
        most = fmax(most, rate_coarser(&r));
    }
    CHECK(most - least < 2);
}

/* Pictures of 60 kbit each, 30 a second, under a limit of 900 kbit/s. */
static int left_out(enum rate_priority priority)
{
    const struct rate_plan plan = {.mode = RATE_MBR, .priority = priority, .max_kbps = 900};
    struct rate r;
    int skipped = 0;
    rate_init(&r, &plan);
    for (int k = 0; k < 300; k++) {
        int64_t t = k * INT64_C(1000000000) / FPS;
        if (rate_skip(&r, t))
            skipped++;
        else
            rate_count(&r, t, 60000 / 8, k == 0);
    }
    return skipped;
}

TEST(quality_before_frame_rate_leaves_pictures_out)
{
    CHECK_INT(left_out(PRIORITY_FRAMERATE), 0);
    int skipped = left_out(PRIORITY_QUALITY);
    CHECK(skipped > 140 && skipped < 160); /* half of them */
    CHECK(left_out(PRIORITY_NONE) > 0);
    const struct rate_plan none = {.mode = RATE_VBR};
    struct rate r;
    rate_init(&r, &none);
    rate_count(&r, 0, 1 << 30, true);
    CHECK(!rate_skip(&r, 1));
}

/* A second of pictures of which the encoder manages so many. */
static int second(struct pace *p, int64_t *now_ns, uint64_t *lost, double manages)
{
    double given = 30.0 / (p->step ? p->step : 1), coded = fmin(given, manages);
    int step = 0;
    for (int i = 0; i < (int)coded; i++)
        step = pace_picture(p, *now_ns + (int64_t)(i * 1e9 / coded), *lost, 30);
    *now_ns += NSEC_PER_SEC;
    *lost += (uint64_t)(given - coded);
    return step;
}

TEST(who_is_too_slow_gets_an_even_step)
{
    struct pace p = {0};
    int64_t now_ns = NSEC_PER_SEC;
    uint64_t lost = 0;
    int step = 1;
    for (int i = 0; i < 20; i++)
        step = second(&p, &now_ns, &lost, 30);
    CHECK_INT(step, 1);
    for (int i = 0; i < 12; i++)
        step = second(&p, &now_ns, &lost, 11);
    CHECK_INT(step, 3);
    for (int i = 0; i < 25; i++) /* it keeps up with ten */
        step = second(&p, &now_ns, &lost, 11);
    CHECK_INT(step, 3);
    for (int i = 0; i < 120; i++) /* and, the machine being idle again, with all */
        step = second(&p, &now_ns, &lost, 40);
    CHECK_INT(step, 1);
}

/* One that is thought to be too slow begins with a step, and is tried with more later. */
TEST(a_first_step_holds_until_it_proves_better)
{
    struct pace p = {.step = 3};
    int64_t now_ns = NSEC_PER_SEC;
    uint64_t lost = 0;
    int step = 0;
    for (int i = 0; i < 20; i++)
        step = second(&p, &now_ns, &lost, 30);
    CHECK_INT(step, 3);
    for (int i = 0; i < 120; i++)
        step = second(&p, &now_ns, &lost, 30);
    CHECK_INT(step, 1);
}

UNIT_MAIN(UNIT_ROW(average_is_kept_and_quiet_times_pay_for_busy_ones)
              UNIT_ROW(a_change_of_the_scene_does_not_swing)
                  UNIT_ROW(quality_before_frame_rate_leaves_pictures_out)
                      UNIT_ROW(who_is_too_slow_gets_an_even_step)
                          UNIT_ROW(a_first_step_holds_until_it_proves_better))
