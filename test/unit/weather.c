/* Rain and snow upon a picture. */
#include "device/virtual/weather/weather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/kernels.h"
#include "unit.h"

#define W 480
#define H 270
#define SECOND INT64_C(1000000000)

struct scene {
    struct weather *weather;
    struct view view;
    struct light light;
    struct set set;
    struct radiance into;
};

/* A dark picture under an overcast sky. */
static void scene_init(struct scene *s, double pan, double tilt, double hfov, double background)
{
    memset(s, 0, sizeof(*s));
    s->weather = weather_new(7);
    CHECK(s->weather);
    struct pose pose = {.pan_deg = pan, .tilt_deg = tilt, .hfov_deg = hfov, .known = true};
    view_init(&s->view, &pose, W, H);
    s->light.unit = 16384;
    for (int k = 0; k < 3; k++)
        s->light.zenith[k] = s->light.horizon[k] = 0.3f;
    s->light.cloud = 1;
    s->set = (struct set){
        .hour = 12, .cloud = 1, .visibility_m = INFINITY, .wind_m_s = 3, .wind_deg = 100};
    size_t n = (size_t)W * H;
    uint16_t *planes = malloc(n * 3 * sizeof(*planes));
    CHECK(planes);
    s->into = (struct radiance){.width = W,
                                .height = H,
                                .stride = W,
                                .r = planes,
                                .g = planes + n,
                                .b = planes + 2 * n,
                                .unit = 16384};
    for (size_t i = 0; i < 3 * n; i++)
        planes[i] = (uint16_t)(background * 16384);
}

static void scene_done(struct scene *s)
{
    free(s->into.r);
    weather_free(s->weather);
}

static bool paint(struct scene *s, int64_t time_ns, bool keep)
{
    return weather_paint(s->weather, &s->view, &s->light, &s->set, time_ns, SECOND / 125, &s->into,
                         keep);
}

static double mean(const struct radiance *r)
{
    double sum = 0;
    for (size_t i = 0; i < (size_t)W * H; i++)
        sum += r->g[i];
    return sum / W / H / 16384;
}

/* Samples of green that differ from the background. */
static size_t touched(const struct radiance *r, double background)
{
    size_t n = 0;
    for (size_t i = 0; i < (size_t)W * H; i++)
        n += r->g[i] != (uint16_t)(background * 16384);
    return n;
}

static size_t differing(const struct radiance *a, const struct radiance *b)
{
    size_t n = 0;
    for (size_t i = 0; i < (size_t)W * H * 3; i++)
        n += a->r[i] != b->r[i];
    return n;
}

TEST(nothing_falls_when_dry)
{
    struct scene s;
    scene_init(&s, 0, -5, 60, 0.05);
    CHECK(!paint(&s, SECOND, true));
    CHECK_INT(touched(&s.into, 0.05), 0);
    weather_restore(s.weather, &s.into);
    CHECK_INT(touched(&s.into, 0.05), 0);
    scene_done(&s);
}

TEST(same_arguments_same_picture)
{
    for (int snow = 0; snow < 2; snow++) {
        struct scene a, b;
        scene_init(&a, 30, -5, 40, 0.05);
        scene_init(&b, 30, -5, 40, 0.05);
        a.set.rain_mm_h = b.set.rain_mm_h = snow ? 0 : 10;
        a.set.snow_mm_h = b.set.snow_mm_h = snow ? 2 : 0;
        CHECK(paint(&a, 5 * SECOND, false));
        /* Another history, and kept aside. */
        CHECK(paint(&b, 77 * SECOND, true));
        weather_restore(b.weather, &b.into);
        CHECK(paint(&b, 5 * SECOND, true));
        CHECK_INT(differing(&a.into, &b.into), 0);
        /* Another moment, another picture. */
        weather_restore(b.weather, &b.into);
        CHECK(paint(&b, 6 * SECOND, true));
        CHECK(differing(&a.into, &b.into) > 1000);
        scene_done(&a);
        scene_done(&b);
    }
}

TEST(another_seed_other_drops)
{
    struct scene a, b;
    scene_init(&a, 0, -5, 60, 0.05);
    scene_init(&b, 0, -5, 60, 0.05);
    weather_free(b.weather);
    b.weather = weather_new(8);
    a.set.rain_mm_h = b.set.rain_mm_h = 10;
    CHECK(paint(&a, SECOND, false) && paint(&b, SECOND, false));
    CHECK(differing(&a.into, &b.into) > 1000);
    scene_done(&a);
    scene_done(&b);
}

TEST(restores_exactly)
{
    static const double hfov[] = {60, 12, 2.1};
    for (int i = 0; i < 3; i++) {
        struct scene s;
        scene_init(&s, -120, -12, hfov[i], 0.05);
        for (size_t k = 0; k < (size_t)W * H * 3; k++) /* no two alike */
            s.into.r[k] = (uint16_t)(k * 40503);
        struct radiance before = s.into;
        before.r = malloc((size_t)W * H * 6);
        CHECK(before.r);
        memcpy(before.r, s.into.r, (size_t)W * H * 6);
        s.set.rain_mm_h = 30;
        s.set.snow_mm_h = 3;
        for (int n = 0; n < 5; n++) {
            CHECK(paint(&s, n * SECOND, true));
            CHECK(differing(&s.into, &before) > 500);
            weather_restore(s.weather, &s.into);
            CHECK_INT(differing(&s.into, &before), 0);
        }
        weather_restore(s.weather, &s.into); /* nothing left to undo */
        CHECK_INT(differing(&s.into, &before), 0);
        weather_rest(s.weather);
        CHECK(paint(&s, SECOND, true));
        free(before.r);
        scene_done(&s);
    }
}

TEST(plain_and_fast_kernels_agree)
{
    if (kernels_best() == &kernels_plain)
        return;
    static const double tilt[] = {-5, -75, 19};
    for (int i = 0; i < 3; i++) {
        struct scene a, b;
        scene_init(&a, 0, tilt[i], 50, 0.05);
        scene_init(&b, 0, tilt[i], 50, 0.05);
        a.set.rain_mm_h = b.set.rain_mm_h = 20;
        a.set.snow_mm_h = b.set.snow_mm_h = 3;
        weather_use(a.weather, &kernels_plain);
        weather_use(b.weather, kernels_best());
        CHECK(paint(&a, 3 * SECOND, false) && paint(&b, 3 * SECOND, false));
        CHECK_INT(differing(&a.into, &b.into), 0);
        scene_done(&a);
        scene_done(&b);
    }
}

/* What is seen at one pan is seen a little to the side at another. */
TEST(drops_stay_where_they_are_when_the_camera_pans)
{
    for (int snow = 0; snow < 2; snow++) {
        struct scene a, b;
        scene_init(&a, 0, 0, 40, 0.05);
        scene_init(&b, 3, 0, 40, 0.05);
        a.set.rain_mm_h = b.set.rain_mm_h = snow ? 0 : 10;
        a.set.snow_mm_h = b.set.snow_mm_h = snow ? 2 : 0;
        CHECK(paint(&a, SECOND, false) && paint(&b, SECOND, false));
        int best = 0;
        double most = 0;
        for (int shift = -60; shift <= 60; shift++) {
            double sum = 0;
            for (int y = H / 3; y < 2 * H / 3; y++)
                for (int x = W / 3; x < 2 * W / 3; x++)
                    sum += ((double)a.into.g[y * W + x] - 819) *
                           ((double)b.into.g[y * W + x - shift] - 819);
            if (sum > most) {
                most = sum;
                best = shift;
            }
        }
        /* f·tan(3°) */
        CHECK_NEAR(best, W / 2.0 / tan(20 * M_PI / 180) * tan(3 * M_PI / 180), 1.6);
        scene_done(&a);
        scene_done(&b);
    }
}

TEST(wind_tilts_the_streaks)
{
    struct scene s;
    scene_init(&s, 0, 0, 60, 0.05);
    s.set.rain_mm_h = 20;
    s.set.wind_m_s = 12;
    s.set.wind_deg = 90; /* to the right of the picture */
    CHECK(paint(&s, SECOND, false));
    /* Correlation with itself some rows below: to the right, not to the left. */
    double right = 0, left = 0;
    for (int y = 20; y < H - 20; y++)
        for (int x = 20; x < W - 20; x++) {
            double v = (double)s.into.g[y * W + x] - 819;
            right += v * ((double)s.into.g[(y + 4) * W + x + 4] - 819);
            left += v * ((double)s.into.g[(y + 4) * W + x - 4] - 819);
        }
    CHECK(right > 3 * left);
    scene_done(&s);
}

TEST(brightness_is_sensible)
{
    /* Upon something dark: brighter, more of it brighter still, but a veil, not a wall. */
    double last = 0.05;
    for (double rain = 2; rain <= 32; rain *= 4) {
        struct scene s;
        scene_init(&s, 0, -5, 60, 0.05);
        s.set.rain_mm_h = rain;
        CHECK(paint(&s, SECOND, false));
        double m = mean(&s.into);
        CHECK(m > last && m < 0.05 * 1.15);
        CHECK(touched(&s.into, 0.05) < (size_t)W * H * 7 / 10);
        last = m;
        scene_done(&s);
    }
    /* Snow before an overcast sky is darker than it. */
    struct scene s;
    scene_init(&s, 0, 15, 60, 0.3);
    s.set.snow_mm_h = 3;
    CHECK(paint(&s, SECOND, false));
    CHECK(mean(&s.into) < 0.3 && mean(&s.into) > 0.27);
    scene_done(&s);
}

TEST(a_lamp_lights_what_falls_near_it)
{
    struct scene s;
    scene_init(&s, 0, 0, 30, 0);
    for (int k = 0; k < 3; k++)
        s.light.zenith[k] = s.light.horizon[k] = 0.00001f;
    s.light.lamps = 1;
    s.set.rain_mm_h = 10;
    struct weather_lamp lamp = {.at = vec(0, 20, 6), .colour = {1, 0.6f, 0.3f}};
    struct weather_place place = {.eye = vec(0, 0, 6), .lamps = &lamp, .n_lamps = 1};
    weather_place(s.weather, &place);
    CHECK(paint(&s, SECOND, false));
    double near = 0, far = 0, red = 0, blue = 0;
    for (int y = H / 4; y < 3 * H / 4; y++)
        for (int x = 0; x < W; x++) {
            double v = s.into.g[y * W + x];
            bool middle = abs(x - W / 2) < W / 8;
            near += middle ? v : 0;
            far += abs(x - W / 2) > W * 3 / 8 ? v : 0;
            red += s.into.r[y * W + x];
            blue += s.into.b[y * W + x];
        }
    CHECK(near > 1000 && near > 10 * far);
    CHECK(red > 2 * blue);
    scene_done(&s);
}

/* A wall 4 m ahead, on the right-hand side only. */
static double half_a_wall(const void *of, struct vec direction)
{
    (void)of;
    return direction.x > 0 && direction.y > 0 ? 4 * vec_len(direction) / direction.y : INFINITY;
}

TEST(hidden_things_are_not_seen)
{
    struct scene a, b;
    scene_init(&a, 0, 0, 40, 0.05);
    scene_init(&b, 0, 0, 40, 0.05);
    a.set.snow_mm_h = b.set.snow_mm_h = 3;
    a.set.wind_m_s = b.set.wind_m_s = 0;
    struct weather_place place = {.eye = vec(0, 0, 6), .distance = half_a_wall};
    weather_place(b.weather, &place);
    CHECK(paint(&a, SECOND, false) && paint(&b, SECOND, false));
    size_t left = 0, right = 0, of_right = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            bool same = a.into.g[y * W + x] == b.into.g[y * W + x];
            if (x < W / 2 - 12)
                left += !same;
            else if (x > W / 2 + 12) {
                right += !same;
                of_right += a.into.g[y * W + x] != 819;
            }
        }
    CHECK_INT(left, 0);
    CHECK(right > of_right / 4 && right < of_right);
    scene_done(&a);
    scene_done(&b);
}

TEST(tiny_and_odd_pictures)
{
    struct scene s;
    scene_init(&s, 0, -5, 60, 0.05);
    s.set.rain_mm_h = 20;
    struct pose pose = {.hfov_deg = 60, .known = true};
    s.into.width = 8;
    s.into.height = 4;
    view_init(&s.view, &pose, 8, 4);
    CHECK(!paint(&s, SECOND, true));
    for (int width = 16; width < 48; width++) {
        s.into.width = width;
        s.into.height = 37;
        view_init(&s.view, &pose, width, 37);
        paint(&s, SECOND, true);
        for (int y = 0; y < 37; y++) /* nothing beyond the right border */
            CHECK_INT(s.into.g[y * W + width], (int)(0.05 * 16384));
        weather_restore(s.weather, &s.into);
        CHECK_INT(touched(&s.into, 0.05), 0);
    }
    scene_done(&s);
}

TEST(gusts)
{
    struct set calm = {.wind_m_s = 0}, breeze = {.wind_m_s = 4, .wind_deg = 45};
    struct set storm = {.wind_m_s = 25, .wind_deg = 45};
    double least = 1, most = -1, sum = 0, sum_storm = 0, jump = 0, last = 0;
    for (int i = 0; i < 6000; i++) {
        int64_t t = i * (SECOND / 30);
        CHECK_NEAR(weather_gust(&calm, 1, t, 3, 4), 0, 0);
        double g = weather_gust(&breeze, 1, t, 3, 4);
        CHECK(g >= -1 && g <= 1);
        least = fmin(least, g);
        most = fmax(most, g);
        sum += g;
        sum_storm += weather_gust(&storm, 1, t, 3, 4);
        jump = i ? fmax(jump, fabs(g - last)) : 0;
        last = g;
    }
    CHECK(most - least > 0.15);
    CHECK(sum > 0 && sum_storm > 1.5 * sum);
    CHECK(jump < 0.05); /* smooth at 30 pictures a second */
    CHECK(weather_gust(&breeze, 1, SECOND, 0, 0) != weather_gust(&breeze, 2, SECOND, 0, 0));
    CHECK(weather_gust(&breeze, 1, SECOND, 0, 0) != weather_gust(&breeze, 1, SECOND, 9, 9));
}

#define TESTS(_)                                                                                   \
    _(nothing_falls_when_dry)                                                                      \
    _(same_arguments_same_picture)                                                                 \
    _(another_seed_other_drops)                                                                    \
    _(restores_exactly)                                                                            \
    _(plain_and_fast_kernels_agree)                                                                \
    _(drops_stay_where_they_are_when_the_camera_pans)                                              \
    _(wind_tilts_the_streaks)                                                                      \
    _(brightness_is_sensible)                                                                      \
    _(a_lamp_lights_what_falls_near_it)                                                            \
    _(hidden_things_are_not_seen)                                                                  \
    _(tiny_and_odd_pictures)                                                                       \
    _(gusts)
UNIT_MAIN(TESTS(UNIT_ROW))
