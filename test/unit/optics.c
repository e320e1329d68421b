/* Lens, sensor, lamp and gear of the virtual camera, with physics as the judge. */
#include "device/virtual/camera/lens.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "device/virtual/camera/bokeh.h"
#include "device/virtual/camera/clean.h"
#include "device/virtual/camera/head.h"
#include "device/virtual/camera/lamp.h"
#include "device/virtual/camera/led.h"
#include "device/virtual/camera/measure.h"
#include "device/virtual/camera/silicon.h"
#include "device/virtual/place/light.h"
#include "media/picture.h"
#include "media/shot.h"
#include "unit.h"

#define MS INT64_C(1000000)

/* ---- lens ---- */

/* Focused at its hyperfocal distance f²/(N·c) a lens draws infinity and half of that distance
 * as discs of c. */
TEST(depth_of_field_is_as_the_formula)
{
    static const double zooms[] = {1, 4, 10, 30}, stops[] = {1.6, 4, 11};
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++) {
            double f = 0.00557 / 2 / tan(M_PI / 6) * zooms[i], c = 0.00557 / 1920 * 2;
            double hyperfocal = f * f / stops[k] / c;
            struct optics o = {f, stops[k], hyperfocal};
            CHECK_NEAR(optics_disc(&o, INFINITY, 1920), 2, 0.05);
            CHECK_NEAR(optics_disc(&o, hyperfocal / 2, 1920), 2, 0.05);
            CHECK_NEAR(optics_disc(&o, hyperfocal, 1920), 0, 1e-9);
            o.focus_m = INFINITY;
            CHECK_NEAR(optics_disc(&o, hyperfocal, 1920), 2, 1e-9);
            CHECK(optics_disc(&o, INFINITY, 1920) == 0);
        }
    struct optics pinhole = {0.1, 4, 0};
    CHECK(optics_disc(&pinhole, 0.3, 1920) == 0);
}

TEST(focus_is_a_distance)
{
    static const double zooms[] = {1, 5, 30};
    for (int i = 0; i < 3; i++) {
        CHECK(isinf(lens_focus_distance(1, zooms[i])));
        double last = 0;
        for (double f = 0; f < 1; f += 0.01) {
            double m = lens_focus_distance(f, zooms[i]);
            CHECK(m > last);
            CHECK_NEAR(lens_focus_for(m, zooms[i]), f, 1e-9);
            last = m;
        }
    }
    CHECK_NEAR(lens_focus_distance(0, 1), 0.3, 1e-9);
    CHECK(lens_focus_distance(0, 30) > 1.2 && lens_focus_distance(0, 30) < 1.8);
    CHECK(lens_breathe(60, 1) == 60);
    CHECK_NEAR(tan(lens_breathe(60, 0) * M_PI / 360) / tan(M_PI / 6), 0.96, 1e-9);
}

TEST(focus_and_iris_take_their_time)
{
    struct clock *clock = clock_new_sim();
    struct head *head = virtual_head_new(clock);
    struct lens *lens = virtual_lens_new(clock);
    struct lens_state s;
    struct optics o;
    struct pose p;
    virtual_head_carry(head, lens);
    virtual_lens_mount(lens, head);
    lens->ops->state(lens, 0, &s);
    CHECK(s.focus == 1 && !s.moving);
    CHECK_NEAR(s.iris_f, 1.6, 1e-9);
    virtual_lens_optics(lens, 0, 1, &o);
    CHECK(o.focus_m == 0); /* nobody has focused it */
    CHECK_NEAR(o.focal_m, 0.00482, 0.00002);
    lens->ops->focus(lens, 0, 1);
    lens->ops->iris(lens, 16);
    lens->ops->state(lens, 250 * MS, &s);
    CHECK(s.moving);
    CHECK_NEAR(s.focus, 0.5, 1e-6);
    CHECK(s.iris_f > 8 && s.iris_f < 16);
    CHECK(clock_advance(clock, 400 * MS) == 0);
    lens->ops->focus(lens, 1, 0.5); /* half as fast, from where it is */
    lens->ops->state(lens, 250 * MS, &s);
    CHECK_NEAR(s.focus, 0.5, 1e-6); /* the past stays */
    lens->ops->state(lens, 800 * MS, &s);
    CHECK_NEAR(s.focus, 0.6, 1e-6);
    CHECK_NEAR(s.iris_f, 16, 1e-9);
    head->ops->pose(head, 800 * MS, &p);
    CHECK_NEAR(p.focus, 0.6, 1e-6);
    CHECK(p.hfov_deg < head_hfov_deg(1) - 0.1);
    head->ops->pose(head, 3000 * MS, &p);
    CHECK(p.focus == 1 && p.hfov_deg == head_hfov_deg(1));
    lens->ops->iris(lens, 1);
    head->ops->go(head, NAN, NAN, 30, 1);
    lens->ops->state(lens, 9000 * MS, &s);
    CHECK_NEAR(s.iris_f, 4.4, 0.1); /* opens less at tele */
    CHECK(lens->ops->focus(lens, NAN, 1) < 0 && lens->ops->iris(lens, NAN) < 0);
    virtual_lens_free(lens);
    virtual_head_free(head);
    clock_free(clock);
}

/* ---- what is out of focus ---- */

enum { BW = 640, BH = 480, BM = (BW / BOKEH_STEP) * (BH / BOKEH_STEP) };

static struct radiance dots;
static float metres[BM];

static void begin_dots(void)
{
    size_t cells = (size_t)BW * BH / RADIANCE_CELL / RADIANCE_CELL;
    uint16_t *p = calloc(3 * BW * BH + cells, sizeof(*p));
    CHECK(p);
    dots = (struct radiance){.width = BW,
                             .height = BH,
                             .stride = BW,
                             .r = p,
                             .g = p + BW * BH,
                             .b = p + 2 * BW * BH,
                             .unit = 16384};
    dots.touched = (uint8_t *)(p + 3 * BW * BH);
    memset(dots.touched, 1, cells);
}

/* A lens that makes discs of that radius of what is at 10 m. */
static struct optics focused(double radius)
{
    struct optics o = {0.1, 4, INFINITY};
    o.f_number = o.focal_m * o.focal_m / 10 * BW / (LENS_SENSOR_MM / 1000) / (2 * radius);
    return o;
}

/* A disc of radius r has a second moment of r²/4 along each axis, and no light is lost. */
TEST(a_point_becomes_its_disc)
{
    struct bokeh *b = bokeh_new(BW, BH);
    struct radiance *out;
    begin_dots();
    for (int i = 0; i < BM; i++)
        metres[i] = 10;
    const int cx = BW / 2 + 3, cy = BH / 2 - 5;
    for (int y = cy - 3; y <= cy + 3; y++)
        for (int x = cx - 3; x <= cx + 3; x++)
            dots.g[y * BW + x] = 65535;
    for (double r = 1.2; r < 80; r *= 1.45) {
        struct optics o = focused(r);
        CHECK_NEAR(optics_disc(&o, 10, BW) / 2, r, 1e-6);
        memset(dots.touched, 1, (size_t)BW * BH / RADIANCE_CELL / RADIANCE_CELL);
        CHECK(bokeh_look(b, kernels_best(), &o, metres, &dots, &out) == 0 && out != &dots);
        double sum = 0, mx = 0, my = 0, xx = 0, yy = 0;
        for (int y = 0; y < BH; y++)
            for (int x = 0; x < BW; x++) {
                double v = out->g[y * BW + x];
                sum += v;
                mx += v * x;
                my += v * y;
                xx += v * x * x;
                yy += v * y * y;
            }
        mx /= sum;
        my /= sum;
        double wide = xx / sum - mx * mx - 4, high = yy / sum - my * my - 4; /* of the square */
        CHECK_NEAR(sum / (49 * 65535.0), 1, 0.02);
        CHECK_NEAR(mx, cx, 0.5);
        CHECK_NEAR(my, cy, 0.5);
        CHECK_NEAR(sqrt(wide) / (r / 2), 1, 0.06);
        CHECK_NEAR(sqrt(high) / (r / 2), 1, 0.06);
    }
    free(dots.r);
    bokeh_free(b);
}

static void scatter(uint32_t seed, int x0, int y0, int x1, int y1)
{
    uint16_t *const plane[3] = {dots.r, dots.g, dots.b};
    for (int k = 0; k < 3; k++)
        for (int y = y0; y < y1; y++)
            for (int x = x0; x < x1; x++) {
                seed = seed * 1664525 + 1013904223;
                plane[k][y * BW + x] = (uint16_t)(seed >> 16 >> (seed & 3));
            }
    radiance_touch(&dots, x0, y0, x1, y1);
}

static bool same_light(const struct radiance *a, const struct radiance *b)
{
    size_t n = (size_t)BW * BH * sizeof(*a->r);
    return !memcmp(a->r, b->r, n) && !memcmp(a->g, b->g, n) && !memcmp(a->b, b->b, n);
}

/* The same from plain C, and from what was kept; what is sharp stays to the last bit. */
TEST(out_of_focus_is_exact)
{
    static const double radii[] = {0.4, 3, 3, 3, 25, 25, 60, 0.2, 9, 9};
    struct bokeh *kept = bokeh_new(BW, BH);
    size_t cells = (size_t)BW * BH / RADIANCE_CELL / RADIANCE_CELL;
    uint8_t *touched = malloc(cells);
    begin_dots();
    scatter(1, 0, 0, BW, BH);
    for (int i = 0; i < BM; i++) /* a wall at the left, then farther and farther, then the sky */
        metres[i] = i % (BW / 4) < 40 ? 10 : i % (BW / 4) < 120 ? (float)(i % 160) : INFINITY;
    for (size_t i = 0; i < sizeof(radii) / sizeof(*radii); i++) {
        struct optics o = focused(radii[i]);
        struct radiance *a, *b;
        if (i % 3 == 1)
            scatter((uint32_t)i, 100 + (int)i * 30, 200, 130 + (int)i * 30, 222);
        if (i % 4 == 2)
            metres[50 * (BW / 4) + 60] = 8;
        memcpy(touched, dots.touched, cells);
        CHECK(bokeh_look(kept, kernels_best(), &o, metres, &dots, &a) == 0);
        memcpy(dots.touched, touched, cells);
        struct bokeh *fresh = bokeh_new(BW, BH);
        CHECK(bokeh_look(fresh, &kernels_plain, &o, metres, &dots, &b) == 0);
        CHECK((a == &dots) == (radii[i] < 0.45) && (b == &dots) == (a == &dots));
        CHECK(same_light(a, b));
        if (a != &dots) /* the sky, where no disc reaches */
            CHECK(!memcmp(a->g + 7 * BW + BW - 40, dots.g + 7 * BW + BW - 40, 80));
        bokeh_free(fresh);
    }
    free(touched);
    free(dots.r);
    bokeh_free(kept);
}

/* ---- gear ---- */

static double play_at(struct head *h, int64_t ns)
{
    double pan, tilt;
    virtual_head_play(h, ns, &pan, &tilt);
    CHECK(tilt == 0);
    return pan;
}

TEST(gear_has_slack_and_swings_when_it_stops)
{
    struct clock *clock = clock_new_sim();
    struct head *head = virtual_head_new(clock);
    CHECK(play_at(head, 0) == 0);
    head->ops->go(head, 40, NAN, NAN, 1);
    CHECK(clock_advance(clock, 3000 * MS) == 0);
    double one = play_at(head, 3000 * MS), most = 0, late = 0;
    CHECK(one == play_at(head, 2900 * MS)); /* at rest */
    for (int64_t t = 0; t < 3000 * MS; t += MS) {
        double away = fabs(play_at(head, t) - one);
        if (!head->ops->moving(head, t) && head->ops->moving(head, t - 300 * MS))
            most = fmax(most, away);
        if (t > 1200 * MS)
            late = fmax(late, away);
        struct pose p; /* who hides something relies on it */
        head->ops->pose(head, t, &p);
        CHECK(fabs(play_at(head, t)) <= p.uncertainty_deg + 1e-12);
    }
    CHECK(most > 0.002 && most < 0.012);
    CHECK(late == 0);
    head->ops->go(head, 80, NAN, NAN, 1);
    CHECK(clock_advance(clock, 3000 * MS) == 0);
    head->ops->go(head, 40, NAN, NAN, 1);
    CHECK(clock_advance(clock, 3000 * MS) == 0);
    struct pose p;
    head->ops->pose(head, clock_now(clock), &p);
    CHECK(p.pan_deg == 40); /* as it believes … */
    CHECK_NEAR(play_at(head, clock_now(clock)) - one, 2 * HEAD_SLACK_DEG, 1e-12); /* … but is not */
    CHECK_NEAR(p.uncertainty_deg, M_SQRT2 * HEAD_SLACK_DEG, 1e-12);               /* of two axes */
    virtual_head_free(head);
    clock_free(clock);
}

/* ---- sensor ---- */

enum { W = 512, H = 128 };

static struct patch {
    struct radiance light;
    struct clean *clean;
    struct picture_pool *pool;
    struct picture *picture;
    struct sensor_curve curve;
    struct sensor_noise grain[GRAINS];
} patch;

static void begin_patch(void)
{
    uint16_t *p = calloc(3 * W * H, sizeof(*p));
    CHECK(p);
    patch.light = (struct radiance){.width = W,
                                    .height = H,
                                    .stride = W,
                                    .r = p,
                                    .g = p + W * H,
                                    .b = p + 2 * W * H,
                                    .unit = 65535};
    patch.clean = clean_new(W, H);
    patch.pool = picture_pool_new(W, H, false, 1);
    patch.picture = picture_get(patch.pool);
    CHECK(patch.clean && patch.picture);
}

static void end_patch(void)
{
    picture_unref(patch.picture);
    picture_pool_unref(patch.pool);
    clean_free(patch.clean);
    free(patch.light.r);
}

/* A colour all over (65535: radiance 1), taken so. */
static void take(const struct silicon *s, const struct tone *t, double r, double g, double b,
                 uint64_t key)
{
    for (size_t i = 0; i < (size_t)W * H; i++) {
        patch.light.r[i] = (uint16_t)lrint(r);
        patch.light.g[i] = (uint16_t)lrint(g);
        patch.light.b[i] = (uint16_t)lrint(b);
    }
    silicon_curve(s, t, patch.light.unit, &patch.curve);
    silicon_grains(s, t, patch.grain);
    clean_develop(patch.clean, kernels_best(), &patch.curve, t, false, &patch.light);
    clean_print(patch.clean, kernels_best(), patch.grain, key, false, patch.picture);
}

static void luma(double *ret_mean, double *ret_variance)
{
    double sum = 0, squares = 0, n = (double)W * H;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            double v = patch.picture->plane[0][y * patch.picture->stride[0] + x];
            sum += v;
            squares += v * v;
        }
    *ret_mean = sum / n;
    *ret_variance = squares / n - (sum / n) * (sum / n);
}

static struct silicon exposed(double light, double gain_db, double range)
{
    double a = pow(10, gain_db / 20);
    return (struct silicon){light * a, a, range, 1, 1};
}

/* Straight, from light to signal. */
static void straight(struct tone *t, double slope)
{
    memset(t, 0, sizeof(*t));
    for (int i = 0; i < TONE_POINTS; i++)
        t->signal[i] = (float)fmin(exp2(i / 4.0 - 12) * slope, 1);
}

/* The plain camera looks as BT.709 says. */
TEST(plain_curve)
{
    struct tone t;
    tone_plain(&t);
    begin_patch();
    struct silicon s = exposed(1, 0, 1);
    memset(patch.grain, 0, sizeof(patch.grain));
    for (double light = 0.0005; light < 0.65; light *= 1.3) {
        double mean, variance, v = light < 0.018 ? 4.5 * light : 1.099 * pow(light, 0.45) - 0.099;
        take(&s, &t, light * 65535, light * 65535, light * 65535, 3);
        luma(&mean, &variance);
        CHECK_NEAR(mean, 16 + 219 * v, 0.45);
    }
    end_patch();
}

/* The photon transfer curve: variance grows as the light does, by one over the electrons that
 * make full scale; what is left in the dark is the noise of reading. From pixels. */
static void transfer(double gain_db, double *ret_full_well, double *ret_read)
{
    struct tone t;
    double mean[2], variance[2], a = pow(10, gain_db / 20), slope = a > 10 ? 2 : 16;
    /* half-way between points of the curve */
    const double levels[2] = {exp2(-2.125) / slope, exp2(-0.625) / slope};
    straight(&t, slope);
    struct silicon s = exposed(1 / a, gain_db, 1);
    for (int i = 0; i < 2; i++) {
        take(&s, &t, levels[i] * 65535, levels[i] * 65535, levels[i] * 65535, (uint64_t)(9 + i));
        luma(&mean[i], &variance[i]);
        double per = 219 * 0.7496 * slope; /* three colours have noise of their own */
        mean[i] = levels[i];
        variance[i] = (variance[i] - 1 / 12.0) / per / per;
    }
    double rise = (variance[1] - variance[0]) / (mean[1] - mean[0]);
    *ret_full_well = 1 / rise * a;
    *ret_read = sqrt(fmax(variance[0] - rise * mean[0], 0)) / rise;
}

TEST(noise_grows_with_gain_as_photons_do)
{
    double well, read;
    begin_patch();
    static const double gains[] = {12, 24, 36, 42};
    for (int i = 0; i < 4; i++) {
        transfer(gains[i], &well, &read);
        CHECK_NEAR(well / SILICON_FULL_WELL, 1, 0.08);
    }
    end_patch();
}

TEST(range_in_decibels)
{
    struct tone t;
    double mean, variance;
    begin_patch();
    straight(&t, 64); /* what is darkest, magnified */
    struct silicon s = exposed(1, 0, 1);
    take(&s, &t, 400, 400, 400, 5);
    luma(&mean, &variance);
    double light = 400 / 65535.0, sigma = sqrt(variance) / 219 / 0.7496 / 64;
    double read = sqrt(sigma * sigma - light / SILICON_FULL_WELL);
    CHECK_NEAR(20 * log10(1 / read), 60, 1.5);
    /* A long and a short exposure: the dark as before, and what is 256 times brighter. */
    s.range = 256;
    take(&s, &t, 400, 400, 400, 5);
    luma(&mean, &variance);
    double now = sqrt(variance) / 219 / 0.7496 / 64;
    CHECK_NEAR(now / sigma, 1, 0.02);
    straight(&t, 1 / 256.0);
    s.light = 256;
    double last = 0;
    for (int i = 0; i < 4; i++) {
        double v = 65535 * (0.25 + 0.2 * i);
        take(&s, &t, v, v, v, 5);
        luma(&mean, &variance);
        CHECK(mean > last + 20);
        last = mean;
    }
    CHECK(20 * log10(256 / read) > 100);
    end_patch();
}

/* Beyond full scale nothing is told apart, nor is there noise; with range there is. */
TEST(whites_clip)
{
    struct tone t;
    double mean[4], variance[4];
    begin_patch();
    straight(&t, 0.125);
    for (int i = 0; i < 4; i++) {
        struct silicon s = exposed(i % 2 ? 7 : 2, 20, i < 2 ? 1 : 8);
        s.light = i % 2 ? 7 : 2;
        take(&s, &t, 65535, 65535, 65535, 1);
        luma(&mean[i], &variance[i]);
    }
    CHECK(mean[0] == mean[1] && variance[0] == 0);
    CHECK_NEAR(mean[0], 16 + 219 / 8.0, 1);
    CHECK_NEAR(mean[2], 16 + 219 / 4.0, 1);
    CHECK_NEAR(mean[3], 16 + 219 * 7 / 8.0, 1);
    CHECK(variance[3] > 1);
    end_patch();
}

TEST(white_balance)
{
    struct tone t;
    begin_patch();
    tone_plain(&t);
    struct silicon s = exposed(0.5, 0, 1);
    take(&s, &t, 40000, 20000, 5000, 2); /* sodium light on a grey wall */
    CHECK(patch.picture->plane[1][7] < 110 && patch.picture->plane[2][7] > 145);
    s.red = 0.5;
    s.blue = 4;
    take(&s, &t, 40000, 20000, 5000, 2);
    double cb = 0, cr = 0;
    for (int y = 0; y < H / 2; y++)
        for (int x = 0; x < W / 2; x++) {
            cb += patch.picture->plane[1][y * patch.picture->stride[1] + x];
            cr += patch.picture->plane[2][y * patch.picture->stride[2] + x];
        }
    CHECK_NEAR(cb / (W * H / 4), 128, 0.3);
    CHECK_NEAR(cr / (W * H / 4), 128, 0.3);
    /* What has clipped before does not come back: whites turn out coloured. */
    s.light = 2;
    take(&s, &t, 65535, 65535, 65535, 2);
    CHECK(patch.picture->plane[1][7] > 135);
    end_patch();
}

/* A local gain of two stops is an exposure four times as long, but for the noise. */
TEST(local_gains)
{
    struct tone t;
    double mean[2], variance[2];
    begin_patch();
    tone_plain(&t);
    struct silicon s = exposed(0.4, 0, 1);
    take(&s, &t, 20000, 20000, 20000, 4);
    luma(&mean[0], &variance[0]);
    s.light = 0.1;
    t.local = true;
    for (int j = 0; j < TONE_DOWN; j++)
        for (int i = 0; i < TONE_ACROSS; i++)
            t.stops[j][i] = 2;
    take(&s, &t, 20000, 20000, 20000, 4);
    luma(&mean[1], &variance[1]);
    CHECK_NEAR(mean[1], mean[0], 0.3);
    CHECK(variance[1] > 1.8 * variance[0]);
    /* From one side to the other, without a step. */
    for (int j = 0; j < TONE_DOWN; j++)
        for (int i = 0; i < TONE_ACROSS; i++)
            t.stops[j][i] = (float)i / TONE_ACROSS * 3;
    take(&s, &t, 20000, 20000, 20000, 4);
    double last = 0;
    for (int x = 8; x < W - 8; x += 8) {
        double sum = 0;
        for (int y = 0; y < H; y++)
            for (int k = 0; k < 8; k++)
                sum += patch.picture->plane[0][y * patch.picture->stride[0] + x + k];
        sum /= 8 * H;
        CHECK(sum > last - 0.5 && (last == 0 || sum < last + 4));
        last = sum;
    }
    /* Full scale is before it. */
    for (int j = 0; j < TONE_DOWN; j++)
        for (int i = 0; i < TONE_ACROSS; i++)
            t.stops[j][i] = -2;
    s.light = 4;
    take(&s, &t, 65535, 65535, 65535, 4);
    luma(&mean[0], &variance[0]);
    CHECK_NEAR(mean[0], 16 + 219 * tone_signal(&t, 0.25), 1.5);
    end_patch();
}

TEST(measures_what_it_exposes)
{
    begin_patch();
    struct silicon s = exposed(0.5, 0, 1);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            size_t i = (size_t)y * W + (size_t)x;
            bool left = x < W / 2;
            patch.light.r[i] = left ? 8000 : 65535;
            patch.light.g[i] = left ? 16000 : 65535;
            patch.light.b[i] = left ? 32000 : 65535;
        }
    static struct measured seen;
    measure_take(&seen, &patch.light, true);
    struct shot_light *l = measure_light(&seen, kernels_best(), patch.light.unit, &s, NULL, 1);
    CHECK(l);
    CHECK_NEAR(l->mean[5][5][0], 8000 / 65535.0 / 2, 0.002);
    CHECK_NEAR(l->mean[5][5][1], 16000 / 65535.0 / 2, 0.003);
    CHECK_NEAR(l->mean[5][5][2], 32000 / 65535.0 / 2, 0.004);
    CHECK_NEAR(l->mean[5][25][1], 0.5, 0.004);
    CHECK(l->clipped[5][25] == 0);
    unsigned all = 0, half = l->bin[15 * 4] + l->bin[15 * 4 - 1];
    for (int i = 0; i < SHOT_BINS; i++)
        all += l->bin[i];
    CHECK_INT(all, SHOT_ACROSS * SHOT_DOWN * 20);
    CHECK_NEAR((double)half / all, 0.5, 0.01); /* 2^-1, and what noise makes of it */
    free(l);
    s.light = 1.5;
    l = measure_light(&seen, kernels_best(), patch.light.unit, &s, NULL, 1);
    CHECK(l && l->clipped[5][25] > 0.99f && l->clipped[5][5] == 0 && l->mean[5][25][1] > 0.999f);
    free(l);
    end_patch();
}

/* ---- lamps ---- */

/* Twice a period of the mains, the exact integral; none over whole half periods. */
TEST(flicker)
{
    for (int hz = 50; hz <= 60; hz += 10)
        for (int k = 0; k < 40; k++) {
            int64_t start = k * 7777777, period = 500000000 / hz;
            CHECK_NEAR(light_flicker(hz, start, start + 3 * period), 1, 1e-6);
            for (int64_t ns = 100000; ns < 40 * MS; ns = ns * 3) {
                double sum = 0;
                for (int i = 0; i < 1000; i++) {
                    double t = ((double)start + ((double)i + 0.5) / 1000 * (double)ns) / 1e9;
                    sum += 2 * pow(sin(2 * M_PI * hz * t), 2) / 1000;
                }
                CHECK_NEAR(light_flicker(hz, start, start + ns), sum, 1e-3);
            }
        }
    CHECK_NEAR(light_flicker(50, 5 * MS, 5 * MS), 2, 1e-9);
}

TEST(own_lamp_and_led)
{
    struct clock *clock = clock_new_sim();
    struct light_source *l = virtual_lamp_new(clock);
    struct light_state s;
    struct light_caps c;
    l->ops->caps(l, &c);
    l->ops->state(l, 0, &s);
    CHECK(s.intensity == 0);
    clock_advance(clock, 100 * MS);
    l->ops->set(l, 0.7, 1);
    clock_advance(clock, 100 * MS);
    l->ops->set(l, 7, 400);
    l->ops->state(l, 99 * MS, &s);
    CHECK(s.intensity == 0);
    l->ops->state(l, 150 * MS, &s);
    CHECK(s.intensity == 0.7 && s.beam_deg == c.least_deg);
    l->ops->state(l, 999 * MS, &s);
    CHECK(s.intensity == 1 && s.beam_deg == c.most_deg);
    CHECK(l->ops->set(l, NAN, 30) < 0);
    virtual_lamp_free(l);
    clock_free(clock);
    double hz = 7;
    struct led *led = virtual_led_new();
    CHECK(led->ops->get(led, &hz) == LED_GREEN && hz == 0);
    led->ops->set(led, LED_AMBER, 2);
    CHECK(led->ops->get(led, &hz) == LED_AMBER && hz == 2);
    virtual_led_free(led);
}

UNIT_MAIN(UNIT_ROW(depth_of_field_is_as_the_formula) UNIT_ROW(focus_is_a_distance)
              UNIT_ROW(focus_and_iris_take_their_time) UNIT_ROW(a_point_becomes_its_disc)
                  UNIT_ROW(out_of_focus_is_exact) UNIT_ROW(gear_has_slack_and_swings_when_it_stops)
                      UNIT_ROW(plain_curve) UNIT_ROW(noise_grows_with_gain_as_photons_do)
                          UNIT_ROW(range_in_decibels) UNIT_ROW(whites_clip) UNIT_ROW(white_balance)
                              UNIT_ROW(local_gains) UNIT_ROW(measures_what_it_exposes)
                                  UNIT_ROW(flicker) UNIT_ROW(own_lamp_and_led))
