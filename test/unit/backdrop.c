/* The backdrop, on a small place that tells where each of its texels belongs. */
#include "device/virtual/place/backdrop.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "device/virtual/place/backdrop_inside.h"
#include "device/virtual/place/tiles.h"
#include "looks.h"
#include "small_place.h"
#include "unit.h"

#define SECOND INT64_C(1000000000)
#define W 640
#define H 360

static const struct set noon = {
    .hour = 11, .visibility_m = INFINITY, .lamps = -1, .ir_beam_deg = 60};

static struct tiles *place(void)
{
    char path[256];
    small_place(path);
    struct fault why = {0};
    struct tiles *t = tiles_open(path, &why);
    unlink(path);
    CHECK(t);
    return t;
}

static void paint(struct backdrop *b, const struct pose *p, const struct set *s, int64_t t,
                  struct radiance *into)
{
    struct view v;
    struct light l;
    view_init(&v, p, into->width, into->height);
    light_of(s, NULL, &l);
    CHECK(backdrop_paint(b, &v, &l, s, t, into) == 0);
}

static const double poses[][3] = {{0, -8, 1},  {91, -3, 4},  {180, 20, 1}, {-90, -88, 1},
                                  {4, -5, 30}, {-179, 0, 2}, {60, 0, 5},   {30, -46, 1},
                                  {0, -3, 12}, {-60, 30, 1}, {2.3, 0, 5},  {10, -60, 3}};

TEST(twins_agree)
{
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t);
    struct radiance x = planes(W, H - 4), y = planes(W, H - 4);
    struct set s = noon;
    s.wind_m_s = 5;
    s.cloud = 0.4;
    s.wet = 0.7;
    for (size_t i = 0; i < sizeof(poses) / sizeof(*poses); i++) {
        struct pose p = looking(poses[i][0], poses[i][1], poses[i][2]);
        s.visibility_m = i & 1 ? 300 : INFINITY;
        s.lying = i % 3 ? 0.8 : 0;
        s.ir = i % 3 == 1; /* in the beam of the own lamp */
        s.hour = s.ir > 0 ? 23 : 11;
        s.bare = s.ir > 0 || i % 4 == 0;
        backdrop_use_plain_kernels(b, true);
        x.held = 0;
        paint(b, &p, &s, 3 * SECOND, &x);
        backdrop_use_plain_kernels(b, false);
        y.held = 0;
        paint(b, &p, &s, 3 * SECOND, &y);
        CHECK(same(&x, &y));
    }
    free(x.r);
    free(y.r);
    backdrop_free(b);
    tiles_close(t);
}

/* Edges of the chequers stand where their directions are projected, in all patches. */
TEST(painted_where_projected)
{
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t);
    struct radiance r = planes(1920, 1080);
    static const struct {
        double pan, tilt, zoom, edge;
    } at[] = {
        {-3, 1, 6, -4}, {41, 1.5, 1, 44}, {-178, 1, 8, -176}, {5, -2, 20, 4}, {-79, -1, 3, -84}};
    for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
        struct pose p = looking(at[i].pan, at[i].tilt, at[i].zoom);
        double x, y;
        paint(b, &p, &noon, 0, &r);
        /* A row through the wall, below its upper border. */
        CHECK(pose_project(&p, 16.0 / 9, at[i].edge, -2, &x, &y));
        x *= r.width;
        int width = (int)(0.4 * at[i].zoom * 29), row = (int)(y * r.height), ix = (int)x;
        const uint16_t *g = r.g + (size_t)row * r.stride;
        double out = g[ix - width], in = g[ix + width], covered = 0;
        CHECK(fabs(in - out) > 1000);
        for (int k = ix - width; k < ix + width; k++)
            covered += (g[k] - out) / (in - out);
        /* Texels are 0.04 to 0.35 degrees wide: a tenth of that, and of a pixel. */
        double texel = fabs(at[i].pan) < 10 ? 1 / 24.0 : 1 / 5.7;
        CHECK_NEAR(ix + width - covered, x, 0.1 + 0.1 * texel * 29 * at[i].zoom);
    }
    free(r.r);
    backdrop_free(b);
    tiles_close(t);
}

static void light_then(void *ctx, int64_t time_ns, struct light *ret)
{
    struct set s = noon;
    s.hour = 19 + (double)time_ns / 3600e9 * *(double *)ctx;
    light_of(&s, NULL, ret);
}

/* Equal arguments, equal bytes, whatever was painted before; also while the light changes,
 * slowly or fast, and with only the changed cells painted anew. */
TEST(repeats)
{
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t), *fresh = backdrop_new(t);
    struct radiance x = planes(W, H), y = planes(W, H);
    static double speed[] = {1, 60, 3600};
    struct set s = noon;
    s.wind_m_s = 6;
    s.cloud = 0.5;
    for (int k = 0; k < 3; k++) {
        backdrop_follow(b, light_then, &speed[k]);
        backdrop_follow(fresh, light_then, &speed[k]);
        for (int i = 0; i < 24; i++) {
            int64_t time = 20 * SECOND + i * SECOND / 9;
            struct pose p = i < 14 ? looking(50, 2, 1) : looking(50 + i, 0, 3);
            struct view v;
            struct light l;
            light_then(&speed[k], time, &l);
            view_init(&v, &p, W, H);
            CHECK(backdrop_paint(b, &v, &l, &s, time, &x) == 0);
            if (i % 3)
                continue;
            backdrop_rest(fresh);
            y.held = 0;
            CHECK(backdrop_paint(fresh, &v, &l, &s, time, &y) == 0);
            CHECK(same(&x, &y));
        }
    }
    free(x.r);
    free(y.r);
    backdrop_free(b);
    backdrop_free(fresh);
    tiles_close(t);
}

/* A camera at rest paints only what moves: leaves and clouds. */
TEST(rest_paints_little)
{
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t);
    struct radiance r = planes(W, H);
    struct set s = noon;
    struct pose p = looking(60, 0, 1);
    s.wind_m_s = 5;
    paint(b, &p, &s, 0, &r);
    uint64_t mixed = b->n_mixed;
    CHECK(mixed > 0);
    uint16_t *before = malloc(sizeof(*before) * W * H);
    memcpy(before, r.g, sizeof(*before) * W * H);
    paint(b, &p, &s, SECOND, &r);
    CHECK(b->n_mixed == mixed);
    int inside = 0, outside = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            bool tree = abs(x - W / 2) < 72 && abs(y - H / 2) < 72;
            bool moved = before[y * W + x] != r.g[y * W + x];
            inside += moved && tree;
            outside += moved && !tree;
        }
    CHECK(inside > 50);
    CHECK(outside == 0);
    free(before);
    free(r.r);
    backdrop_free(b);
    tiles_close(t);
}

/* By night leaves that are lost in the noise move every 16 ticks, what lamps show oftener; and what
 * was painted before makes no difference. */
TEST(faint_leaves)
{
    enum { PICTURES = 48, AROUND = 1 }; /* cells of the tree's middle, each way */
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t), *fresh = backdrop_new(t);
    struct radiance x = planes(W, H), y = planes(W, H);
    struct pose p = looking(SMALL_TREE_PAN, 0, 1);
    struct set s = noon;
    s.hour = 0;
    s.wind_m_s = 5;
    const int across = radiance_across(&x), down = radiance_down(&x);
    x.touched = calloc((size_t)across * (size_t)down, 1);
    CHECK(x.touched);
    int touched = 0;
    for (int i = 0; i < PICTURES + 9; i++) {
        int64_t time = 20 * SECOND + i * SECOND / 30;
        s.lamps = i < PICTURES ? 0.02 : 0.02 + (i - PICTURES) * 0.1;
        memset(x.touched, 0, (size_t)across * (size_t)down);
        paint(b, &p, &s, time, &x);
        for (int j = -AROUND; i > 0 && i < PICTURES && j < AROUND; j++)
            for (int k = -AROUND; k < AROUND; k++)
                touched += x.touched[(down / 2 + j) * across + across / 2 + k] != 0;
        if (i % 8)
            continue;
        backdrop_rest(fresh);
        y.held = 0;
        paint(fresh, &p, &s, time, &y);
        CHECK(same(&x, &y));
    }
    CHECK(b->dark);
    CHECK(touched > 0 && touched <= 3 * 4 * AROUND * AROUND);
    free(x.touched);
    free(x.r);
    free(y.r);
    backdrop_free(b);
    backdrop_free(fresh);
    tiles_close(t);
}

TEST(memory_is_bounded)
{
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t);
    struct radiance r = planes(W, H);
    for (int i = 0; i < 120; i++) {
        struct pose p = looking(i * 37.0, -20 + i % 7 * 6, 1 + i % 5);
        paint(b, &p, &noon, 0, &r);
        CHECK(b->n_slots <= b->most_slots && b->most_slots <= 48 + W * H * 2.6 / (TILE * TILE));
    }
    backdrop_rest(b);
    CHECK(b->n_slots == 0 && !b->slot && !b->work);
    struct pose p = looking(0, 0, 1);
    paint(b, &p, &noon, 0, &r);
    free(r.r);
    backdrop_free(b);
    tiles_close(t);
}

TEST(distances)
{
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t);
    CHECK_NEAR(backdrop_distance(b, vec(0, 1, 0)), SMALL_WALL_M, 0.5);
    CHECK_NEAR(backdrop_distance(b, vec(0.01, 0.02, -6)), SMALL_EYE_Z, 0.2);
    CHECK(isinf(backdrop_distance(b, vec(0, 1, 0.3))));
    float row[300], colour[900];
    for (size_t i = 0; i < sizeof(poses) / sizeof(*poses); i++) {
        struct pose p = looking(poses[i][0], poses[i][1], poses[i][2]);
        struct view v;
        view_init(&v, &p, W, H);
        int wrong = 0;
        backdrop_distance_row(b, &v, 200, 17, 317, row);
        backdrop_albedo_row(b, &v, 200, 17, 317, colour);
        for (int x = 17; x < 317; x++) {
            double here = backdrop_distance(b, view_ray(&v, x + 0.5, 200.5));
            wrong += isinf(here) != isinf(row[x - 17]) ||
                     (!isinf(here) && fabs(here - (double)row[x - 17]) > 0.06 * here);
            wrong += isinf(row[x - 17]) != (colour[3 * (x - 17)] == 0);
        }
        CHECK(wrong < 40); /* at borders, sheets of other densities differ */
    }
    backdrop_free(b);
    tiles_close(t);
}

TEST(light_on_the_ground)
{
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t);
    struct light l;
    struct lit east, west;
    light_of(&noon, NULL, &l);
    backdrop_lit(b, &l, vec(8, 12, 0), &east);
    backdrop_lit(b, &l, vec(-8, 12, 0), &west);
    CHECK(east.sun[1] > 0.7f && west.sun[1] < 0.02f);
    CHECK(west.ambient[2] > 0.05f && west.ambient[2] < 0.4f);
    CHECK(east.lamp[1] < 1e-6f);
    struct set night = noon;
    night.hour = 1;
    light_of(&night, NULL, &l);
    backdrop_lit(b, &l, vec(8, 12, 0), &east);
    CHECK(east.sun[1] == 0 && east.lamp[1] > 5e-5f && east.ambient[1] >= east.lamp[1]);
    backdrop_free(b);
    tiles_close(t);
}

/* What is metered is what is painted. */
TEST(meter_tells_the_mean)
{
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t);
    struct radiance r = planes(W, H);
    static const double hours[] = {12, 19.5, 21, 1};
    for (size_t i = 0; i < sizeof(hours) / sizeof(*hours); i++) {
        struct set s = noon;
        struct light l;
        s.hour = hours[i];
        light_of(&s, NULL, &l);
        struct pose p = looking(20, -6, 1);
        paint(b, &p, &s, 0, &r);
        double sum = 0;
        for (int k = 0; k < W * H; k++)
            sum += 0.2126 * r.r[k] + 0.7152 * r.g[k] + 0.0722 * r.b[k];
        double mean = sum / (W * H) / r.unit, told = backdrop_meter(b, &l, &p, 16.0 / 9);
        CHECK(told > 0.6 * mean && told < 1.6 * mean);
        CHECK(mean * r.unit > 300); /* steps enough */
    }
    free(r.r);
    backdrop_free(b);
    tiles_close(t);
}

/* Fog takes contrast with the distance; 5 % are left where it says. */
TEST(fog)
{
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t);
    struct radiance r = planes(W, H);
    struct set s = noon;
    double contrast[2];
    struct pose p = looking(-2, 0, 4);
    s.cloud = 1;
    for (int i = 0; i < 2; i++) {
        s.visibility_m = i ? SMALL_WALL_M : 4000;
        paint(b, &p, &s, 0, &r);
        const uint16_t *row = r.g + (size_t)(H / 2 - 20) * r.stride;
        double x, y;
        pose_project(&p, 16.0 / 9, -2, 1, &x, &y);
        double a = row[(int)(x * W)];
        pose_project(&p, 16.0 / 9, -6, 1, &x, &y);
        double c = row[(int)(x * W)];
        contrast[i] = fabs(a - c) / r.unit;
    }
    CHECK(contrast[0] > 0.005);
    CHECK(contrast[1] < 0.12 * contrast[0]);
    free(r.r);
    backdrop_free(b);
    tiles_close(t);
}

/* The own lamp lights the middle of the picture, and what is near. */
static double mean(const struct radiance *r)
{
    double sum = 0;
    for (size_t i = 0; i < r->stride * (size_t)r->height; i++)
        sum += r->g[i];
    return sum / r->unit;
}

/* Ground turns white; what is vertical does not. */
TEST(snow_lies_on_the_ground)
{
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t);
    struct radiance bare = planes(64, 64), snowy = planes(64, 64);
    struct set s = noon;
    s.cloud = 1;
    for (int wall = 0; wall < 2; wall++) {
        struct pose p = looking(30, wall ? -3 : -30, 20);
        s.lying = 0;
        bare.held = 0;
        paint(b, &p, &s, 0, &bare);
        s.lying = 1;
        snowy.held = 0;
        paint(b, &p, &s, 0, &snowy);
        double before = mean(&bare), after = mean(&snowy);
        if (wall)
            CHECK(after < before * 1.1);
        else
            CHECK(after > before * 1.5);
    }
    free(bare.r);
    free(snowy.r);
    backdrop_free(b);
    tiles_close(t);
}

TEST(infrared)
{
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t);
    struct radiance r = planes(W, H);
    struct set s = noon;
    struct pose p = looking(10, -25, 1);
    s.hour = 0;
    s.lamps = 0;
    double mean[2][2];
    for (int i = 0; i < 2; i++) {
        s.ir = 1;
        s.bare = true;
        s.ir_beam_deg = i ? 20 : 150;
        r.held = 0;
        paint(b, &p, &s, 0, &r);
        for (int k = 0; k < 2; k++) { /* beside, and in the middle */
            double sum = 0;
            for (int y = H / 2 - 10; y < H / 2 + 10; y++)
                for (int x = 0; x < 40; x++)
                    sum += r.g[(size_t)y * r.stride + (size_t)(k ? W / 2 - 20 + x : 20 + x)];
            mean[i][k] = sum / r.unit;
        }
    }
    CHECK(mean[1][1] > 0.8 * mean[0][1]);
    CHECK(mean[1][0] < 0.4 * mean[0][0]);
    free(r.r);
    backdrop_free(b);
    tiles_close(t);
}

static double middle_of(struct backdrop *b, double pan, double tilt, const struct set *s,
                        struct radiance *r)
{
    struct pose p = looking(pan, tilt, 8);
    double sum = 0;
    r->held = 0;
    paint(b, &p, s, 0, r);
    for (int y = H / 2 - 10; y < H / 2 + 10; y++)
        for (int x = W / 2 - 20; x < W / 2 + 20; x++)
            sum += r->g[(size_t)y * r->stride + (size_t)x];
    return sum / 800 / r->unit;
}

/* Without the filter leaves are brighter than what is as dark for our eyes; by night, in the own
 * lamp's light alone, nearly white. */
TEST(leaves_throw_infrared_back)
{
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t);
    struct radiance r = planes(W, H);
    double tree[2], ground[2];
    for (int bare = 0; bare < 2; bare++) {
        struct set s = noon;
        s.bare = bare;
        tree[bare] = middle_of(b, SMALL_TREE_PAN, 0, &s, &r);
        ground[bare] = middle_of(b, SMALL_TREE_PAN, -30, &s, &r);
    }
    CHECK(tree[1] > 2 * tree[0]);
    CHECK(ground[1] < 1.6 * ground[0]);
    struct set night = noon;
    night.hour = night.lamps = 0;
    night.bare = true;
    night.ir = 1;
    night.ir_beam_deg = 150;
    /* 20 m away, with an albedo of 0.09 in green light; the ground below it 12 m, of 0.21. */
    double as_near = middle_of(b, SMALL_TREE_PAN, 0, &night, &r) * 20 * 20;
    double as_far = middle_of(b, SMALL_TREE_PAN, -30, &night, &r) * 12 * 12;
    CHECK_NEAR(as_near / as_far, (0.12 + 4.5 * 0.09) / 0.21, 0.3);
    free(r.r);
    backdrop_free(b);
    tiles_close(t);
}

TEST(sign_is_read)
{
    struct tiles *t = place();
    struct backdrop *b = backdrop_new(t);
    struct radiance r = planes(1920, 1080);
    struct pose p = looking(0, atan2(0.5, 29.5) * 180 / M_PI, 8);
    paint(b, &p, &noon, 0, &r);
    /* Black strokes on the wall, within the sign only. */
    double x0, y0, x1, y1;
    CHECK(pose_project(&p, 16.0 / 9, atan2(-2, 29.5) * 180 / M_PI,
                       atan2(1, hypot(2, 29.5)) * 180 / M_PI, &x0, &y0));
    CHECK(pose_project(&p, 16.0 / 9, atan2(2, 29.5) * 180 / M_PI,
                       atan2(0, hypot(2, 29.5)) * 180 / M_PI, &x1, &y1));
    int inside = 0, outside = 0;
    for (int y = 0; y < 1080; y++)
        for (int x = 0; x < 1920; x++) {
            bool in = x >= x0 * 1920 && x <= x1 * 1920 && y >= y0 * 1080 && y <= y1 * 1080;
            bool black = r.g[(size_t)y * r.stride + (size_t)x] < 0.006 * r.unit;
            inside += in && black;
            outside += !in && black;
        }
    double area = (x1 - x0) * 1920 * (y1 - y0) * 1080;
    CHECK(outside == 0);
    CHECK(inside > 0.08 * area && inside < 0.4 * area);
    free(r.r);
    backdrop_free(b);
    tiles_close(t);
}

static void write_file(const char *path, const uint8_t *data, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    close(fd);
}

/* Whatever has happened to the file: an error with a hint, or a place that can be painted. */
TEST(damaged_files)
{
    char path[256];
    small_place(path);
    struct fault why = {0};
    struct tiles *t = tiles_open(path, &why);
    CHECK(t);
    size_t size = t->size;
    uint8_t *copy = malloc(size);
    memcpy(copy, t->base, size);
    struct tiles_head *h = (struct tiles_head *)(void *)copy;
    uint64_t tables[] = {h->patches, h->sheets, h->tiles, h->signs, h->ground};
    tiles_close(t);
    for (size_t n = 0; n < size; n += size / 7) {
        write_file(path, copy, n);
        why = (struct fault){0};
        CHECK(!tiles_open(path, &why));
        CHECK(strstr(why.text, "make build"));
    }
    uint32_t x = 1;
    int refused = 0;
    for (int i = 0; i < 200; i++) {
        uint64_t at = i % 6 == 5 ? 0 : tables[i % 6];
        x = x * 1664525 + 1013904223;
        at += (x >> 8) % (i % 6 == 5 ? sizeof(*h) : 400);
        if (at >= size)
            continue;
        uint8_t was = copy[at];
        copy[at] ^= (uint8_t)(1 << (i & 7) | 0x80);
        write_file(path, copy, size);
        t = tiles_open(path, &why);
        refused += !t;
        if (t && t->head->n_patches < 60) {
            struct backdrop *b = backdrop_new(t);
            struct radiance r = planes(160, 90);
            struct pose p = looking(i * 13.0, -10, 1);
            CHECK(b);
            paint(b, &p, &noon, 0, &r);
            free(r.r);
            backdrop_free(b);
        }
        tiles_close(t);
        copy[at] = was;
    }
    CHECK(refused > 50);
    free(copy);
    unlink(path);
    CHECK(!tiles_open(path, &why) && !tiles_find("no-such-place", &why));
    CHECK(strstr(why.text, "make build"));
}

UNIT_MAIN(UNIT_ROW(twins_agree) UNIT_ROW(painted_where_projected) UNIT_ROW(repeats)
              UNIT_ROW(rest_paints_little) UNIT_ROW(faint_leaves) UNIT_ROW(memory_is_bounded)
                  UNIT_ROW(distances) UNIT_ROW(light_on_the_ground) UNIT_ROW(meter_tells_the_mean)
                      UNIT_ROW(fog) UNIT_ROW(snow_lies_on_the_ground) UNIT_ROW(infrared)
                          UNIT_ROW(leaves_throw_infrared_back) UNIT_ROW(sign_is_read)
                              UNIT_ROW(damaged_files))
