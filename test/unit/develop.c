/* Masks by brute force: no direction inside a mask may be seen at any moment of the
 * exposure, by any way from one pose to the other. */
#include "image/develop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define W 192
#define H 108
#define RAD (M_PI / 180)
#define SCENE 200
#define COVER 16

struct vec {
    double x, y, z;
};
static struct vec dir(double pan, double tilt)
{
    return (struct vec){sin(pan * RAD) * cos(tilt * RAD), cos(pan * RAD) * cos(tilt * RAD),
                        sin(tilt * RAD)};
}
static struct vec cross(struct vec a, struct vec b)
{
    return (struct vec){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
static double dot(struct vec a, struct vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static uint64_t seed = 88172645463325252ull;
static double rnd(double from, double to)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return from + (to - from) * (double)(seed >> 11) / (double)(1ull << 53);
}

/* Star-shaped around its centre, convex or not. */
struct star {
    struct vec centre;
    struct mask mask;
};
static struct star random_star(double pan, double tilt)
{
    struct star s = {.centre = dir(pan, tilt)};
    s.mask.n = 3 + (unsigned)rnd(0, 7.99);
    double size = rnd(0.5, 25), jitter = s.mask.n == 3 ? 0.3 : 0.7; /* no gap of half a turn */
    struct vec c = s.centre, east = dir(pan + 90, 0), north = cross(c, east);
    for (unsigned i = 0; i < s.mask.n; i++) {
        double a = (i + rnd(0, jitter)) * 2 * M_PI / s.mask.n, r = tan(size * rnd(0.3, 1) * RAD);
        double e = r * cos(a), n = r * sin(a);
        struct vec v = {c.x + e * east.x + n * north.x, c.y + e * east.y + n * north.y,
                        c.z + e * east.z + n * north.z};
        s.mask.point[i].pan_deg = atan2(v.x, v.y) / RAD;
        s.mask.point[i].tilt_deg = atan2(v.z, hypot(v.x, v.y)) / RAD;
    }
    return s;
}
static bool inside(const struct star *s, struct vec d)
{
    if (dot(d, s->centre) <= 0)
        return false;
    for (unsigned i = 0; i < s->mask.n; i++) {
        unsigned k = (i + 1) % s->mask.n;
        struct vec a = dir(s->mask.point[i].pan_deg, s->mask.point[i].tilt_deg);
        struct vec b = dir(s->mask.point[k].pan_deg, s->mask.point[k].tilt_deg);
        double x = dot(d, cross(s->centre, a)), y = dot(d, cross(a, b)),
               z = dot(d, cross(b, s->centre));
        if ((x >= 0 && y >= 0 && z >= 0) || (x <= 0 && y <= 0 && z <= 0))
            return true;
    }
    return false;
}

static struct picture_pool *shots, *frames;
static struct masks *masks;
static struct frame *develop(const struct pose *a, const struct pose *b)
{
    struct picture *p = picture_get(shots);
    picture_fill(p, SCENE, 90, 160);
    struct capture how = {.pose_start = *a, .pose_end = *b};
    struct shot *s = shot_new(p, &how);
    struct frame *f = frame_develop(masks, frames, s, NULL);
    shot_unref(s);
    return f;
}
static void set_up(void)
{
    shots = picture_pool_new(W, H, false, 2);
    frames = picture_pool_new(W, H, true, 2);
    masks = masks_new();
}
static void tear_down(void)
{
    masks_free(masks);
    picture_pool_unref(shots);
    picture_pool_unref(frames);
}
static int luma(const struct frame *f, int x, int y)
{
    return f->pixels->plane[0][y * f->pixels->stride[0] + x];
}

static double between(double a, double b, double t)
{
    return a + (b - a) * t;
}

/* Returns how many pixels are covered. */
static int check_frame(const struct frame *f, const struct star *stars, unsigned n,
                       const struct pose *a, const struct pose *b, int moments)
{
    int covered = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            covered += luma(f, x, y) == COVER;
            int cb = f->pixels->plane[1][y / 2 * f->pixels->stride[1] + x / 2];
            CHECK((luma(f, x, y) == COVER) == (cb == 128));
        }
    for (int m = 0; m < moments; m++) {
        /* any way that goes forward on each axis */
        double u = m < 2 ? m : rnd(0, 1), v = m < 2 ? m : rnd(0, 1), z = m < 2 ? m : rnd(0, 1);
        struct pose p = *a;
        p.pan_deg = a->pan_deg + pose_wrap_pan(b->pan_deg - a->pan_deg) * u;
        p.tilt_deg = between(a->tilt_deg, b->tilt_deg, v);
        p.hfov_deg = between(a->hfov_deg, b->hfov_deg, z);
        for (int y = 0; y < H; y++) {
            for (int x = 0; x < W; x++) {
                if (luma(f, x, y) == COVER)
                    continue;
                double pan, tilt;
                pose_unproject(&p, (double)W / H, (x + rnd(0, 1)) / W, (y + rnd(0, 1)) / H, &pan,
                               &tilt);
                for (unsigned i = 0; i < n; i++)
                    if (inside(&stars[i], dir(pan, tilt)))
                        unit_fail(__FILE__, __LINE__,
                                  "pixel %d,%d shows mask %u at %.2f %.2f (%.2f→%.2f, "
                                  "%.2f→%.2f, fov %.2f→%.2f)",
                                  x, y, i, pan, tilt, a->pan_deg, b->pan_deg, a->tilt_deg,
                                  b->tilt_deg, a->hfov_deg, b->hfov_deg);
            }
        }
    }
    return covered;
}

static struct pose random_pose(void)
{
    return (struct pose){.pan_deg = rnd(-180, 180),
                         .tilt_deg = rnd(-90, 20),
                         .zoom = 1,
                         .hfov_deg = exp(rnd(log(2), log(70))),
                         .known = true};
}

static void random_trial(double sweep_deg, int moments)
{
    struct pose a = random_pose(), b = a;
    if (sweep_deg > 0) {
        b.pan_deg = pose_wrap_pan(a.pan_deg + rnd(-sweep_deg, sweep_deg));
        b.tilt_deg = a.tilt_deg + rnd(-sweep_deg, sweep_deg);
        b.hfov_deg = a.hfov_deg * rnd(0.9, 1.1);
    }
    struct star stars[4];
    struct mask_set set = {.n = 4, .colour = {COVER, 128, 128}};
    for (unsigned i = 0; i < set.n; i++) {
        double far = rnd(0, 1) < 0.7 ? a.hfov_deg : 120;
        stars[i] = random_star(a.pan_deg + rnd(-far, far),
                               fmin(85, fmax(-85, a.tilt_deg + rnd(-far, far))));
        set.mask[i] = stars[i].mask;
    }
    masks_set(masks, &set);
    struct frame *f = develop(&a, &b);
    check_frame(f, stars, set.n, &a, &b, moments);
    frame_unref(f);
}

TEST(still_poses_show_nothing)
{
    set_up();
    for (int i = 0; i < 24; i++)
        random_trial(0, 1);
    tear_down();
}

TEST(sweeps_show_nothing)
{
    set_up();
    for (int i = 0; i < 12; i++)
        random_trial(i % 3 ? 12 : 1, 6);
    tear_down();
}

TEST(covers_little_more_than_the_mask)
{
    set_up();
    struct pose p = {.pan_deg = 30, .tilt_deg = -10, .zoom = 1, .hfov_deg = 60, .known = true};
    struct mask_set set = {.n = 1, .colour = {COVER, 128, 128}};
    set.mask[0].n = 4;
    static const double corner[4][2] = {{0.25, 0.25}, {0.75, 0.25}, {0.75, 0.75}, {0.25, 0.75}};
    for (int i = 0; i < 4; i++)
        pose_unproject(&p, (double)W / H, corner[i][0], corner[i][1], &set.mask[0].point[i].pan_deg,
                       &set.mask[0].point[i].tilt_deg);
    masks_set(masks, &set);
    struct frame *f = develop(&p, &p);
    CHECK_INT(luma(f, W / 2, H / 2), COVER);
    CHECK_INT(luma(f, W / 4, H / 4), COVER);
    CHECK_INT(luma(f, W / 4 - 4, H / 2), SCENE);
    CHECK_INT(luma(f, W / 2, H * 3 / 4 + 4), SCENE);
    frame_unref(f);
    /* unsure by a degree: about three pixels more */
    p.uncertainty_deg = 1;
    f = develop(&p, &p);
    CHECK_INT(luma(f, W / 4 - 3, H / 2), COVER);
    CHECK_INT(luma(f, W / 4 - 12, H / 2), SCENE);
    frame_unref(f);
    /* looking the other way: nothing */
    p.pan_deg = -150;
    f = develop(&p, &p);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            CHECK_INT(luma(f, x, y), SCENE);
    frame_unref(f);
    tear_down();
}

TEST(doubt_covers_everything)
{
    set_up();
    struct pose p = {.pan_deg = 0, .tilt_deg = 0, .zoom = 1, .hfov_deg = 60, .known = true};
    struct mask_set set = {.n = 1, .colour = {COVER, 128, 128}};
    set.mask[0].n = 3;
    set.mask[0].point[0].pan_deg = 170;
    set.mask[0].point[1].pan_deg = 175;
    set.mask[0].point[2].tilt_deg = 5;
    set.mask[0].point[2].pan_deg = 172;
    masks_set(masks, &set);
    struct pose blind = p, far = p, vague = p;
    blind.known = false;
    far.pan_deg = 80;
    vague.uncertainty_deg = 20;
    const struct pose *pairs[][2] = {
        {&p, &p}, {&blind, &p}, {&p, &blind}, {&p, &far}, {&vague, &p}};
    for (int i = 0; i < 5; i++) {
        struct frame *f = develop(pairs[i][0], pairs[i][1]);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++)
                CHECK_INT(luma(f, x, y), i ? COVER : SCENE);
        frame_unref(f);
    }
    /* without masks nobody asks for the pose */
    set.n = 0;
    masks_set(masks, &set);
    struct frame *f = develop(&blind, &blind);
    CHECK_INT(luma(f, 5, 5), SCENE);
    frame_unref(f);
    /* corners all around the horizon: which side is meant? */
    set.n = 1;
    for (int i = 0; i < 3; i++) {
        set.mask[0].point[i].pan_deg = i * 120 - 120;
        set.mask[0].point[i].tilt_deg = 0;
    }
    masks_set(masks, &set);
    f = develop(&p, &p);
    CHECK_INT(luma(f, 5, 5), COVER);
    frame_unref(f);
    tear_down();
}

UNIT_MAIN(UNIT_ROW(still_poses_show_nothing) UNIT_ROW(sweeps_show_nothing)
              UNIT_ROW(covers_little_more_than_the_mask) UNIT_ROW(doubt_covers_everything))
