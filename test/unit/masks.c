/* Privacy masks against the truth of the virtual world: what lies beneath a mask is painted, in
 * one colour and in another, and the developed pictures of both must be the same to the last bit,
 * however the head moves, the mount shakes and the lens is focused. */
#include "image/develop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "device/device.h"
#include "device/digital/cut.h"
#include "device/virtual/cast/cast.h"
#include "device/virtual/decal.h"
#include "device/virtual/stage/stage.h"
#include "device/virtual/world.h"
#include "image/finish.h"
#include "image/mask_cover.h"
#include "image/mask_settings.h"
#include "media/scale.h"
#include "unit.h"

#define MS INT64_C(1000000)
#define SECOND INT64_C(1000000000)
#define RAD (M_PI / 180)

static struct clock *timer;
static struct device *device;
static struct picture_pool *frames;
static struct masks *masks;
static struct sensor_settings settings;
static struct decal decal;
static uint64_t serial;

static void command(const char *text)
{
    struct fault why = {0};
    if (stage_command_text(device->stage, clock_now(timer), text, &why) < 0)
        unit_fail(__FILE__, __LINE__, "%s: %s", text, why.text);
}

static void begin(const char *spec, int width, int height)
{
    static const char nobody[] = "scenario nobody\nlength 600 loop\n";
    struct fault why = {0};
    timer = clock_new_sim();
    device = device_open(spec, 1, timer, NULL, &why);
    if (!device)
        unit_fail(__FILE__, __LINE__, "%s", why.text);
    CHECK(cast_load(device->cast, 0, nobody, sizeof(nobody) - 1, &why) == 0);
    device->sensor->wants_spread = true;
    settings = (struct sensor_settings){
        .exposure_ns = 5 * MS, .red = 1, .blue = 1, .ir_cut = true, .range = 1};
    tone_plain(&settings.tone);
    frames = picture_pool_new(width, height, true, 4);
    masks = masks_new();
    serial = 0;
}

static void done(void)
{
    masks_free(masks);
    picture_pool_unref(frames);
    device->close(device);
    clock_free(timer);
}

static void use_mask(const double (*point)[2], unsigned n, enum mask_look look)
{
    static struct mask_set set;
    struct fault why = {0};
    set = (struct mask_set){.n = 1, .look = look, .colour = {16, 128, 128}, .blocks = 8};
    decal = (struct decal){.n = n};
    set.mask[0].n = n;
    for (unsigned i = 0; i < n; i++) {
        set.mask[0].point[i].pan_deg = decal.point[i].pan_deg = point[i][0];
        set.mask[0].point[i].tilt_deg = decal.point[i].tilt_deg = point[i][1];
    }
    if (mask_check(&set.mask[0], &why) < 0)
        unit_fail(__FILE__, __LINE__, "%s", why.text);
    masks_set(masks, &set);
}

static struct shot *take(const double colour[3])
{
    struct shot *s = NULL;
    memcpy(decal.colour, colour, sizeof(decal.colour));
    world_decal(device->world, &decal);
    device->sensor->ops->set(device->sensor, &settings);
    CHECK(device->sensor->ops->take(device->sensor, serial, clock_now(timer), &s) == 0);
    return s;
}

/* How many samples of two pictures differ, and where the first one is. */
static unsigned differing(const struct picture *a, const struct picture *b, int *ret_x, int *ret_y)
{
    unsigned n = 0;
    for (int p = 0; p < 3; p++)
        for (int y = 0; y < a->height >> (p > 0); y++) {
            const uint8_t *ra = a->plane[p] + (ptrdiff_t)y * a->stride[p];
            const uint8_t *rb = b->plane[p] + (ptrdiff_t)y * b->stride[p];
            if (!memcmp(ra, rb, (size_t)a->width >> (p > 0)))
                continue;
            for (int x = 0; x < a->width >> (p > 0); x++)
                if (ra[x] != rb[x] && !n++) {
                    *ret_x = x << (p > 0);
                    *ret_y = y << (p > 0);
                }
        }
    return n;
}

static const double magenta[3] = {1.5, 0, 1.5}, green[3] = {0, 1.5, 0};
static unsigned seen; /* pictures in which something lay beneath the mask */

/* One picture of now, with either colour; `moves` for messages. */
static void compare(struct finish *finish, struct finish *other)
{
    serial++;
    struct shot *s[2] = {take(magenta), take(green)};
    int x = 0, y = 0;
    seen += differing(s[0]->pixels, s[1]->pixels, &x, &y) > 0;
    struct frame *f[2] = {frame_develop(masks, frames, s[0], finish),
                          frame_develop(masks, frames, s[1], other)};
    unsigned n = differing(f[0]->pixels, f[1]->pixels, &x, &y);
    const struct pose *a = &s[0]->how.pose_start, *b = &s[0]->how.pose_end;
    if (n)
        unit_fail(__FILE__, __LINE__,
                  "picture %llu: %u samples show what is beneath, first at %d,%d: pan %.3f→%.3f "
                  "tilt %.3f→%.3f fov %.3f→%.3f unsure %.4f, exposure %lld µs",
                  (unsigned long long)serial, n, x, y, a->pan_deg, b->pan_deg, a->tilt_deg,
                  b->tilt_deg, a->hfov_deg, b->hfov_deg, a->uncertainty_deg,
                  (long long)settings.exposure_ns / 1000);
    for (int i = 0; i < 2; i++) {
        frame_unref(f[i]);
        shot_unref(s[i]);
    }
}

static uint64_t seed = 88172645463325252ull;
static double rnd(double from, double to)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return from + (to - from) * (double)(seed >> 11) / (double)(1ull << 53);
}

static const double house[6][2] = {{-12, 8}, {1, 8}, {-2, 1}, {1, -5}, {-6, -8}, {-12, -5}};
static const double behind[4][2] = {{172, 4}, {-172, 5}, {-175, -9}, {170, -6}};
static const double below[5][2] = {{0, -70}, {72, -78}, {144, -70}, {-144, -76}, {-72, -80}};
static const double small[3][2] = {{20, -2}, {21.5, -2.2}, {20.8, -3}};

/* Fastest moves to and fro about a mask, with all exposures. */
static void race(const double (*point)[2], unsigned n, int pictures)
{
    double pan = point[0][0], tilt = point[0][1];
    use_mask(point, n, MASK_SOLID);
    for (int i = 0; i < pictures; i++) {
        if (i % 12 == 0) {
            double zoom = i % 36 ? rnd(1, 4) : exp(rnd(0, log(30)));
            device->head->ops->go(device->head, pan + rnd(-25, 25), tilt + rnd(-15, 15), zoom, 1);
            settings.exposure_ns = (int64_t)exp(rnd(log(0.2e6), log(33e6)));
        }
        compare(NULL, NULL);
        CHECK(clock_advance(timer, SECOND / 30) == 0);
    }
}

#define MASK_PICTURES 240
/* More for a thorough run: VEDETTE_MASK_PICTURES. */
static int pictures(void)
{
    const char *most = getenv("VEDETTE_MASK_PICTURES");
    return most ? atoi(most) : MASK_PICTURES;
}

TEST(test_C1_fastest_moves_show_nothing)
{
    begin("virtual:street,320x180@30", 320, 180);
    seen = 0;
    race(house, 6, pictures());
    race(behind, 4, pictures() / 2);
    race(below, 5, pictures() / 2);
    race(small, 3, pictures() / 2);
    CHECK(seen > (unsigned)pictures() / 2);
    done();
}

TEST(test_C1_full_size_shows_nothing)
{
    begin("virtual:street,1920x1080@30", 1920, 1080);
    seen = 0;
    race(house, 6, 14);
    CHECK(seen > 3);
    done();
}

TEST(test_C1_shaken_and_out_of_focus_shows_nothing)
{
    begin("virtual:street,320x180@30", 320, 180);
    use_mask(house, 6, MASK_SOLID);
    seen = 0;
    command("wind 22");
    command("shake 0.3");
    for (int i = 0; i < 60; i++) {
        if (i % 15 == 0) {
            settings.exposure_ns = (i + 1) % 2 ? 20 * MS : 2 * MS;
            device->lens->ops->focus(device->lens, i % 30 ? 1 : 0.2, 1);
            device->head->ops->go(device->head, NAN, NAN, i < 30 ? 1 : 6, 1);
        }
        compare(NULL, NULL);
        CHECK(clock_advance(timer, SECOND / 30) == 0);
    }
    CHECK(seen > 30);
    done();
}

/* The finished picture too, though it is sharpened, denoised, moved about … */
TEST(test_C1_finish_shows_nothing)
{
    begin("virtual:street,320x180@30", 320, 180);
    struct finish *finish[2] = {finish_new(), finish_new()};
    const struct finish_settings all = {.contrast = 0.4,
                                        .saturation = 0.5,
                                        .sharpness = 0.8,
                                        .local_contrast = 0.5,
                                        .defog = DEFOG_ON,
                                        .defog_effect = 0.8,
                                        .temporal = 0.9,
                                        .spatial = 0.5};
    finish_set(finish[0], &all);
    finish_set(finish[1], &all);
    seen = 0;
    use_mask(house, 6, MASK_SOLID);
    for (int i = 0; i < 40; i++) {
        if (i % 20 == 10)
            device->head->ops->go(device->head, i, -2, 1.5, 0.3);
        compare(finish[0], finish[1]);
        CHECK(clock_advance(timer, SECOND / 30) == 0);
    }
    CHECK(seen > 30);
    finish_free(finish[0]);
    finish_free(finish[1]);
    done();
}

/* … or steadied. The shaking is measured on the scene itself, so that the rest may differ; but
 * the colour must not be anywhere. */
TEST(test_C1_steadied_shows_nothing)
{
    begin("virtual:street,640x360@30", 640, 360);
    struct finish *finish = finish_new();
    const struct finish_settings steady = {.steady = true, .margin = 0.08, .sharpness = 0.5};
    finish_set(finish, &steady);
    use_mask(house, 6, MASK_SOLID);
    command("shake 0.3");
    unsigned moved = 0;
    for (int i = 0; i < 60; i++) {
        serial++;
        struct shot *s = take(magenta);
        struct frame *f = frame_develop(masks, frames, s, finish);
        moved += finish_steadied_px(finish) > 1;
        for (int y = 0; y < 180; y++)
            for (int x = 0; x < 320; x++) {
                int cb = f->pixels->plane[1][y * f->pixels->stride[1] + x];
                int cr = f->pixels->plane[2][y * f->pixels->stride[2] + x];
                if (cb > 150 && cr > 160)
                    unit_fail(__FILE__, __LINE__, "picture %d shows it at %d,%d (%d, %d)", i, x, y,
                              cb, cr);
            }
        CHECK(f->masked && f->masked->n == 1 && f->how.crop_width > 0);
        frame_unref(f);
        shot_unref(s);
        CHECK(clock_advance(timer, SECOND / 30) == 0);
    }
    CHECK(moved > 5);
    finish_free(finish);
    done();
}

/* The chroma of `from` instead of that of `to`. The stabiliser measures luma: two shots that differ
 * in chroma alone are steadied alike, and can be compared to the last bit. */
static void give_chroma(struct picture *to, const struct picture *from)
{
    for (int p = 1; p < 3; p++)
        for (int y = 0; y < to->height / 2; y++)
            memcpy(to->plane[p] + (ptrdiff_t)y * to->stride[p],
                   from->plane[p] + (ptrdiff_t)y * from->stride[p], (size_t)to->width / 2);
}

static void same(const struct picture *a, const struct picture *b, int picture, const char *where)
{
    int x = 0, y = 0;
    unsigned n = differing(a, b, &x, &y);
    if (n)
        unit_fail(__FILE__, __LINE__, "picture %d, %s: %u samples show what is beneath, at %d,%d",
                  picture, where, n, x, y);
}

/* The whole way of a picture: fastest moves in a shaken mount, with and without the stabiliser,
 * then cut out as digital zoom and view areas do it, turned and mirrored. */
TEST(test_C1_steadied_cut_turned_and_mirrored_shows_nothing)
{
    begin("virtual:street,320x180@30", 320, 180);
    struct finish *finish = finish_new(), *other = finish_new();
    struct scaler *scaler = scaler_new();
    struct picture_pool *upright = picture_pool_new(180, 320, false, 2);
    struct picture_pool *across = picture_pool_new(320, 180, false, 2);
    use_mask(house, 6, MASK_SOLID);
    command("shake 0.2");
    int steadied = 0, there = 0, beneath = 0;
    for (int i = 0; i < pictures() / 2; i++) {
        if (i % 12 == 0) {
            struct finish_settings s = {.steady = i / 12 % 2, .margin = rnd(0.02, 0.15)};
            finish_set(finish, &s);
            finish_set(other, &s);
            device->head->ops->go(device->head, -6 + rnd(-25, 25), rnd(-15, 15), rnd(1, 3),
                                  i / 12 % 4 == 1 ? 0.005 : 1);
            settings.exposure_ns = (int64_t)exp(rnd(log(0.2e6), log(33e6)));
        }
        serial++;
        struct shot *s = take(magenta), *s2 = take(magenta), *s3 = take(green);
        give_chroma(s2->pixels, s3->pixels);
        int x = 0, y = 0;
        beneath += differing(s->pixels, s2->pixels, &x, &y) > 0;
        struct frame *f = frame_develop(masks, frames, s, finish);
        struct frame *f2 = frame_develop(masks, frames, s2, other);
        same(f->pixels, f2->pixels, i, "developed");
        steadied += finish_steadied_px(finish) > 0.5;
        there += f->masked && f->masked->n;
        int rotation = 90 * (int)rnd(0, 4);
        struct picture *to = picture_get(rotation % 180 ? upright : across);
        struct picture *to2 = picture_get(rotation % 180 ? upright : across);
        double w = rnd(80, 320), h = w * 9 / 16, left = rnd(0, 320 - w), top = rnd(0, 180 - h);
        CHECK(!scale_picture(scaler, to, f->pixels, left, top, w, h, rotation, i % 3 == 0) &&
              !scale_picture(scaler, to2, f2->pixels, left, top, w, h, rotation, i % 3 == 0));
        same(to, to2, i, "cut and turned");
        picture_unref(to);
        picture_unref(to2);
        frame_unref(f);
        frame_unref(f2);
        shot_unref(s);
        shot_unref(s2);
        shot_unref(s3);
        CHECK(clock_advance(timer, SECOND / 30) == 0);
    }
    fprintf(stderr, "# %d steadied, %d with the mask\n", steadied, there);
    CHECK(steadied > pictures() / 20 && there > pictures() / 8 && beneath > pictures() / 8);
    picture_pool_unref(upright);
    picture_pool_unref(across);
    scaler_free(scaler);
    finish_free(finish);
    finish_free(other);
    done();
}

/* How many luma samples are covered, and how many pixels belong to the mask. */
static void cost_of(double *ret_covered, double *ret_area)
{
    serial++;
    struct shot *s = take(magenta), *bare = NULL;
    struct decal none = {0};
    world_decal(device->world, &none);
    CHECK(device->sensor->ops->take(device->sensor, serial, clock_now(timer), &bare) == 0);
    struct frame *f = frame_develop(masks, frames, bare, NULL);
    double covered = 0;
    for (int y = 0; y < f->pixels->height; y += 2)
        for (int x = 0; x < f->pixels->width; x += 2) {
            const uint8_t *p = f->pixels->plane[0] + (ptrdiff_t)y * f->pixels->stride[0] + x;
            int cb = f->pixels->plane[1][y / 2 * f->pixels->stride[1] + x / 2];
            int cr = f->pixels->plane[2][y / 2 * f->pixels->stride[2] + x / 2];
            if (p[0] == 210 && p[1] == 210 && cb == 16 && cr == 146)
                covered += 4;
        }
    /* its area, by what the pose says */
    const struct pose *p = &bare->how.pose_start;
    double x[MASK_MAX_POINTS], y[MASK_MAX_POINTS], area = 0;
    for (unsigned i = 0; i < decal.n; i++) {
        CHECK(pose_project(p, 16.0 / 9, decal.point[i].pan_deg, decal.point[i].tilt_deg, &x[i],
                           &y[i]));
        x[i] *= f->pixels->width;
        y[i] *= f->pixels->height;
    }
    for (unsigned i = 0; i < decal.n; i++) {
        unsigned k = (i + 1) % decal.n;
        area += x[i] * y[k] - y[i] * x[k];
    }
    *ret_covered = covered;
    *ret_area = fabs(area) / 2;
    frame_unref(f);
    shot_unref(s);
    shot_unref(bare);
}

TEST(test_C1_covers_little_more_at_rest)
{
    begin("virtual:street,1920x1080@30", 1920, 1080);
    static struct mask_set set;
    use_mask(house, 6, MASK_SOLID);
    set = (struct mask_set){.n = 1, .colour = {210, 16, 146}};
    set.mask[0].n = 6;
    for (int i = 0; i < 6; i++) {
        set.mask[0].point[i].pan_deg = house[i][0];
        set.mask[0].point[i].tilt_deg = house[i][1];
    }
    masks_set(masks, &set);
    for (int i = 0; i < 3; i++) {
        double covered, area;
        if (i) /* and where the head has been elsewhere, so that its gear's slack counts */
            device->head->ops->go(device->head, i == 1 ? -4 : -6, i == 1 ? 1 : 0, i == 1 ? 1 : 2,
                                  1);
        CHECK(clock_advance(timer, 6 * SECOND) == 0);
        cost_of(&covered, &area);
        fprintf(stderr, "# area %.0f px, covered %.0f: %.2f %% more\n", area, covered,
                100 * (covered / area - 1));
        CHECK(covered >= area);
        CHECK(covered <= 1.02 * area + 4);
    }
    done();
}

/* ---- mosaic ---- */

TEST(test_C1_mosaic_is_one_colour_in_each_block)
{
    begin("virtual:street,640x360@30", 640, 360);
    use_mask(house, 6, MASK_MOSAIC);
    struct shot *s = NULL;
    struct decal none = {0};
    world_decal(device->world, &none);
    serial++;
    device->sensor->ops->set(device->sensor, &settings);
    CHECK(device->sensor->ops->take(device->sensor, serial, clock_now(timer), &s) == 0);
    struct frame *f = frame_develop(masks, frames, s, NULL);
    CHECK(f->masked && f->masked->n == 1);
    /* Colours within the mask: as few as it has blocks, though the scene has thousands. */
    static bool is[1 << 24], was[1 << 24];
    unsigned blocks = 0, scene = 0;
    for (int y = 0; y < 360; y += 2)
        for (int x = 0; x < 640; x += 2) {
            if (!masked_at(f->masked, (x + 1.0) / 640, (y + 1.0) / 360))
                continue;
            for (int i = 0; i < 2; i++) {
                const struct picture *p = i ? s->pixels : f->pixels;
                unsigned c = (unsigned)p->plane[0][y * p->stride[0] + x] << 16 |
                             (unsigned)p->plane[1][y / 2 * p->stride[1] + x / 2] << 8 |
                             p->plane[2][y / 2 * p->stride[2] + x / 2];
                bool *seen_colour = i ? &was[c] : &is[c];
                *(i ? &scene : &blocks) += !*seen_colour;
                *seen_colour = true;
            }
        }
    printf("# %u colours of %u\n", blocks, scene);
    CHECK(blocks > 8 && blocks <= 64 && scene > 500);
    /* their mean is that of what is beneath */
    double sum[2] = {0};
    for (int y = 0; y < 360; y++)
        for (int x = 0; x < 640; x++)
            if (masked_at(f->masked, (x + 0.5) / 640, (y + 0.5) / 360)) {
                sum[0] += f->pixels->plane[0][y * f->pixels->stride[0] + x];
                sum[1] += s->pixels->plane[0][y * s->pixels->stride[0] + x];
            }
    CHECK(fabs(sum[0] / sum[1] - 1) < 0.01);
    frame_unref(f);
    shot_unref(s);
    done();
}

/* Small moves of the camera over a still scene give no other means: what falls into a block is
 * always the same part of the world. */
TEST(test_C1_mosaic_tells_no_more_when_the_camera_creeps)
{
    begin("virtual:street,640x360@30", 640, 360);
    use_mask(house, 6, MASK_MOSAIC);
    struct decal stripes = {
        .n = 4, .point = {{-8, 6}, {-4.2, 6}, {-4.2, -2}, {-8, -2}}, .colour = {1.2, 1.2, 1.2}};
    world_decal(device->world, &stripes);
    double least = 255, most = 0;
    for (int i = 0; i < 24; i++) {
        device->head->ops->go(device->head, 0.05 * i, 0.03 * i, 1, 1);
        CHECK(clock_advance(timer, 2 * SECOND) == 0);
        struct shot *s = NULL;
        CHECK(device->sensor->ops->take(device->sensor, ++serial, clock_now(timer), &s) == 0);
        struct frame *f = frame_develop(masks, frames, s, NULL);
        double x, y;
        CHECK(pose_project(&f->how.pose_start, 16.0 / 9, -5.5, 2.2, &x, &y));
        int v = f->pixels->plane[0][(int)(y * 360) * f->pixels->stride[0] + (int)(x * 640)];
        least = fmin(least, v);
        most = fmax(most, v);
        frame_unref(f);
        shot_unref(s);
    }
    printf("# one block: %.0f to %.0f\n", least, most);
    CHECK(most - least <= 4); /* grain of the sensor, and whole pixels at the block's rim */
    done();
}

/* ---- a part of a larger picture ---- */

TEST(test_C1_digital_head_shows_nothing)
{
    struct clock *clock = clock_new_sim();
    struct cut *cut = cut_new(clock, 640, 360);
    struct picture_pool *large = picture_pool_new(1280, 720, false, 1);
    struct picture *from = picture_get(large);
    struct pose whole = {.zoom = 1, .hfov_deg = 60, .known = true};
    frames = picture_pool_new(640, 360, true, 4);
    masks = masks_new();
    static const double far[4][2] = {{14, 9}, {24, 10}, {22, 3}, {13, 4}};
    use_mask(far, 4, MASK_SOLID);
    picture_fill(from, 90, 128, 128);
    from->matrix = COLOUR_BT709;
    from->range = RANGE_LIMITED;
    for (int y = 0; y < 720; y++)
        for (int x = 0; x < 1280; x++) {
            double pan, tilt;
            bool in = false;
            pose_unproject(&whole, 16.0 / 9, (x + 0.5) / 1280, (y + 0.5) / 720, &pan, &tilt);
            for (int i = 0, k = 3; i < 4; k = i++) { /* angles for planes: near enough inside */
                const double *a = far[i], *b = far[k];
                if ((a[1] > tilt) != (b[1] > tilt) &&
                    pan < (b[0] - a[0]) * (tilt - a[1]) / (b[1] - a[1]) + a[0])
                    in = !in;
            }
            if (in)
                from->plane[0][y * from->stride[0] + x] = 235;
        }
    static const double at[5][3] = {{0, 0, 1}, {15, 6, 2}, {20, 8, 3}, {10, 3, 5}, {19, 6, 8}};
    for (int i = 0; i < 5; i++) {
        struct shot *s = NULL;
        cut_head(cut)->ops->go(cut_head(cut), at[i][0], at[i][1], at[i][2], 1);
        CHECK(clock_advance(clock, 20 * SECOND) == 0);
        CHECK(cut_shot(cut, from, (uint64_t)i, clock_now(clock), clock_now(clock), clock_now(clock),
                       &s) == 0);
        struct frame *f = frame_develop(masks, frames, s, NULL);
        unsigned was = 0;
        for (int y = 0; y < 360; y++)
            for (int x = 0; x < 640; x++) {
                was += s->pixels->plane[0][y * s->pixels->stride[0] + x] > 200;
                int v = f->pixels->plane[0][y * f->pixels->stride[0] + x];
                if (v > 110)
                    unit_fail(__FILE__, __LINE__, "place %d: %d,%d shows %d", i, x, y, v);
            }
        CHECK(was > 1000);
        frame_unref(f);
        shot_unref(s);
    }
    picture_unref(from);
    picture_pool_unref(large);
    masks_free(masks);
    picture_pool_unref(frames);
    cut_free(cut);
    clock_free(clock);
}

/* ---- words ---- */

TEST(polygons_are_judged)
{
    struct fault why = {0};
    struct mask m;
    char text[MASK_TEXT_MAX];
    static const char *const good[] = {
        "0,0:10,0:10,10",
        "-180,0:180,5:175,10",
        "170,5:-170,5:-170,-5:170,-5",
        "0,-80:90,-80:180,-80:-90,-80",
        "0,0:10,0:10,10:5,3:0,10",
        "-12.5,8.25:1,8:-2,1:1,-5:-12,-5.125",
    };
    static const char *const bad[] = {
        "",
        "0,0:1,0",
        "0,0:1,0:2,0",
        "0,0:10,10:10,0:0,10",
        "0,0:nan,0:1,1",
        "0,0:1e3,0:1,1",
        "0,0:inf,0:1,1",
        "0,0:1,0:1,91",
        "181,0:1,0:1,1",
        "0,0:10,0:10,10:",
        "0,0:10,0:10,10,5",
        "0,0 :10,0:10,10",
        "0x1,0:10,0:10,10",
        "0,0:0,0:10,10",
        "0,0:120,0:-120,0",
        "0,0:1,0:2,0:3,0:4,0:5,1:4,1:3,1:2,1:1,1:0,1",
        "0,0:10,0:5,0:5,5",
        "1,1:2,2:3,3:99999999999999999999999999999999,1",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        if (mask_parse(good[i], &m, &why) < 0)
            unit_fail(__FILE__, __LINE__, "%s: %s", good[i], why.text);
        mask_text(&m, text);
        CHECK(mask_parse(text, &m, &why) == 0);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (mask_parse(bad[i], &m, &why) == 0)
            unit_fail(__FILE__, __LINE__, "%s was taken", bad[i]);
}

TEST(unreadable_masks_cover_everything)
{
    static struct mask_settings s;
    static struct mask_set set;
    memset(&s, 0, sizeof(s));
    s.shown = true;
    s.mask[3] = (struct mask_row){.used = true, .enabled = true, .polygon = "1,1:2,2"};
    mask_settings_set(&s, NULL, NULL, &set);
    CHECK(set.everything && set.n == 0);
    s.mask[3].enabled = false;
    mask_settings_set(&s, NULL, NULL, &set);
    CHECK(!set.everything && set.n == 0);
}

UNIT_MAIN(UNIT_ROW(test_C1_fastest_moves_show_nothing) UNIT_ROW(test_C1_full_size_shows_nothing)
              UNIT_ROW(test_C1_shaken_and_out_of_focus_shows_nothing)
                  UNIT_ROW(test_C1_finish_shows_nothing) UNIT_ROW(test_C1_steadied_shows_nothing)
                      UNIT_ROW(test_C1_steadied_cut_turned_and_mirrored_shows_nothing)
                          UNIT_ROW(test_C1_covers_little_more_at_rest)
                              UNIT_ROW(test_C1_mosaic_is_one_colour_in_each_block)
                                  UNIT_ROW(test_C1_mosaic_tells_no_more_when_the_camera_creeps)
                                      UNIT_ROW(test_C1_digital_head_shows_nothing)
                                          UNIT_ROW(polygons_are_judged)
                                              UNIT_ROW(unreadable_masks_cover_everything))
