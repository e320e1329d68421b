/* The virtual world as a whole, on a small place (small_place.h) with the real models. */
#include "device/virtual/world.h"
#include "device/virtual/radiance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "device/device.h"
#include "device/virtual/cast/cast.h"
#include "device/virtual/place/tiles.h"
#include "device/virtual/raster/models.h"
#include "device/virtual/stage/stage.h"
#include "looks.h"
#include "media/picture.h"
#include "media/shot.h"
#include "small_place.h"
#include "unit.h"

#define SECOND INT64_C(1000000000)

/* One stands in the sun, one walks past behind, a car drives behind both. */
static const char scenario[] = "scenario test\n"
                               "length 60 loop\n"
                               "actor stands man at 3 16 facing 180\n"
                               "actor walks woman walk (-9 19 9 19) from 0 every 20\n"
                               "actor drives car-hatch drive (-20 24 20 24) from 2 every 12\n";

static struct {
    struct tiles *tiles;
    struct models *models;
    struct stage *stage;
    struct cast *cast;
    struct world *world, *other;
} set;

static struct models *models(void)
{
    struct fault why = {0};
    struct models *m = models_find(&why);
    if (!m)
        unit_fail(__FILE__, __LINE__, "%s", why.text);
    return m;
}

static void command(const char *text, int64_t at)
{
    struct fault why = {0};
    if (stage_command_text(set.stage, at, text, &why) < 0)
        unit_fail(__FILE__, __LINE__, "%s: %s", text, why.text);
}

/* Opens two equal worlds; commands, separated by ';', hold from the start. */
static void open_set(const char *commands)
{
    char path[256], text[256];
    struct fault why = {0};
    small_place(path);
    set.tiles = tiles_open(path, &why);
    unlink(path);
    set.models = models();
    set.stage = stage_new(0);
    set.cast = cast_new(0);
    CHECK(set.tiles && set.stage && set.cast);
    CHECK(cast_load(set.cast, 0, scenario, sizeof(scenario) - 1, &why) == 0);
    snprintf(text, sizeof(text), "%s", commands ? commands : "");
    for (char *rest = text, *one; (one = strsep(&rest, ";"));)
        if (*one)
            command(one, 0);
    const struct world_parts parts = {set.tiles, set.models, set.stage, set.cast, NULL};
    set.world = world_new(&parts, 0);
    set.other = world_new(&parts, 0);
    CHECK(set.world && set.other);
}

static void close_set(void)
{
    world_free(set.world);
    world_free(set.other);
    cast_free(set.cast);
    stage_free(set.stage);
    models_close(set.models);
    tiles_close(set.tiles);
}

static void render(struct world *w, const struct pose *a, const struct pose *b, int64_t t,
                   struct radiance *into)
{
    CHECK(world_render(w, a, b, t, t + 20000000, into) == 0);
}

/* Plain C and AVX2, by day and night, at rest and in motion, with all that may fall. */
TEST(twins_agree)
{
    const struct pose poses[][2] = {
        {looking(10, -10, 1), looking(10, -10, 1)},   {looking(91, -3, 4), looking(91, -3, 4)},
        {looking(180, 20, 1), looking(180, 20, 1)},   {looking(-90, -88, 1), looking(-90, -88, 1)},
        {looking(10, -15, 15), looking(10, -15, 15)}, {looking(10, -8, 1), looking(10.2, -8.1, 1)},
        {looking(10, -8, 1), looking(13, -7, 1.02)}};
    static const char *const weathers[] = {
        "hour 12;wind 6;cloud 0.4", "hour 22;rain 8;wet 1;wind 9", "hour 9;snow 4;visibility 200"};
    for (int k = 0; k < 3; k++) {
        open_set(weathers[k]);
        struct radiance a = planes(640, 360), b = planes(640, 360);
        world_use_plain_kernels(set.other, true);
        for (size_t i = 0; i < sizeof(poses) / sizeof(*poses); i++) {
            render(set.world, &poses[i][0], &poses[i][1], 5 * SECOND, &a);
            render(set.other, &poses[i][0], &poses[i][1], 5 * SECOND, &b);
            CHECK(same(&a, &b));
        }
        free(a.r);
        free(b.r);
        close_set();
    }
}

/* A picture in bands is the picture. */
TEST(bands_agree)
{
    static const char *const weathers[] = {"hour 12;wind 6", "hour 22;rain 8;wet 1;wind 4",
                                           "hour 9;snow 4;visibility 200"};
    enum { W = 648, H = 364 }; /* cells at both borders are parts */
    static uint16_t room[3][W * RADIANCE_CELL];
    const struct pose p = looking(10, -10, 1);
    for (int k = 0; k < 3; k++) {
        open_set(weathers[k]);
        struct radiance whole = planes(W, H), place = planes(W, H);
        for (int64_t t = 5 * SECOND; t < 6 * SECOND; t += SECOND / 5) {
            struct radiance band = {
                .width = W, .stride = W, .r = room[0], .g = room[1], .b = room[2]};
            uint64_t drawn = 0, wrong = 0;
            render(set.other, &p, &p, t, &whole);
            if (t == 5 * SECOND + SECOND / 5) { /* between them one that is whole */
                render(set.world, &p, &p, t, &place);
                CHECK(same(&place, &whole));
                continue;
            }
            CHECK_INT(world_place_only(set.world, &p, &p, t, t + 20000000, &place), 1);
            CHECK(world_people(set.world, &place, NULL));
            if (t == 5 * SECOND + 3 * SECOND / 5) { /* and one that is to be whole after all */
                world_whole(set.world, &place);
                CHECK(same(&place, &whole));
                continue;
            }
            for (band.top = 0; band.top < H; band.top += RADIANCE_CELL) {
                uint8_t cells[(W + RADIANCE_CELL - 1) / RADIANCE_CELL] = {0};
                const size_t at = (size_t)band.top * W;
                band.height = H - band.top < RADIANCE_CELL ? H - band.top : RADIANCE_CELL;
                for (size_t i = 0; i < (size_t)band.height * W; i++) {
                    band.r[i] = place.r[at + i];
                    band.g[i] = place.g[at + i];
                    band.b[i] = place.b[at + i];
                }
                world_mark(set.world, band.top, cells);
                world_lay(set.world, &band);
                for (size_t i = 0; i < (size_t)band.height * W; i++) {
                    bool over = cells[i % W / RADIANCE_CELL] != 0;
                    wrong += (over ? band.r : place.r + at)[i] != whole.r[at + i] ||
                             (over ? band.g : place.g + at)[i] != whole.g[at + i] ||
                             (over ? band.b : place.b + at)[i] != whole.b[at + i];
                    drawn += over;
                }
            }
            CHECK_INT(wrong, 0);
            CHECK(drawn < W * H);
        }
        free(whole.r);
        free(place.r);
        close_set();
    }
}

/* What differs from how it was has been touched. */
static void check_touched(struct radiance *l, const uint16_t *was)
{
    size_t n = l->stride * (size_t)l->height;
    int across = radiance_across(l);
    for (size_t i = 0; i < 3 * n; i++)
        if (l->r[i] != was[i]) {
            int x = (int)(i % n % l->stride), y = (int)(i % n / l->stride);
            CHECK(l->touched[y / RADIANCE_CELL * across + x / RADIANCE_CELL]);
        }
    memset(l->touched, 0, (size_t)across * (size_t)radiance_down(l));
}

/* A picture at rest reuses the one before; it must be the same as one made anew. Also
 * while hours fly, rain falls, and after a light has been switched. */
TEST(rest_is_exact)
{
    static const char *const weathers[] = {"hour 12;wind 6;cloud 0.4", "hour 21;rain 8;wet 1",
                                           "hour 19.5;speed 600",      "hour 13;shake 0.05",
                                           "hour 23;ir 1;speed 90",    "hour 12;wind 0"};
    for (int k = 0; k < 6; k++) {
        open_set(weathers[k]);
        if (k == 1)
            command("lamps 0.2", 6 * SECOND);
        if (k == 4)
            command("ir beam 30", 6 * SECOND);
        if (k == 5)
            command("wind 9 1s", 5 * SECOND);
        struct radiance a = planes(640, 360), b = planes(640, 360);
        uint8_t touched[40 * 23];
        uint16_t *was = malloc(3 * 640 * 360 * sizeof(*was));
        CHECK(was);
        a.touched = touched;
        memset(touched, 1, sizeof(touched));
        struct pose p = k & 1 ? looking(12, -14, 3) : looking(10, -8, 1);
        for (int i = 0; i < 30; i++) {
            int64_t t = 4 * SECOND + i * SECOND / 10;
            memcpy(was, a.r, 3 * 640 * 360 * sizeof(*was));
            render(set.world, &p, &p, t, &a);
            check_touched(&a, was);
            if (i % 4)
                continue;
            world_rest(set.other);
            b.held = 0;
            render(set.other, &p, &p, t, &b);
            CHECK(same(&a, &b));
        }
        free(was);
        free(a.r);
        free(b.r);
        close_set();
    }
}

/* What the stage is told at once is there at once and everywhere: as if it had always been
 * so. Also when a picture of the very same time was made before. */
TEST(a_jump_is_seen_at_once)
{
    static const char *const jumps[][2] = {
        {"hour 20.9", "hour 22.5"}, {"hour 12", "hour 12.02"}, {"hour 23", "lamps 0.99"}};
    for (int k = 0; k < 3; k++) {
        struct radiance a = planes(640, 360), b = planes(640, 360);
        struct pose p = looking(10, -8, 1);
        open_set(jumps[k][0]);
        for (int i = 0; i <= 40; i++)
            render(set.world, &p, &p, i * SECOND / 4, &a);
        command(jumps[k][1], 10 * SECOND);
        render(set.other, &p, &p, 10 * SECOND, &b);
        struct stage *constant = stage_new(0);
        for (int i = 0; i < 2; i++)
            CHECK(stage_command_text(constant, 0, jumps[k][i], NULL) == 0);
        const struct world_parts parts = {
            .tiles = set.tiles, .models = set.models, .stage = constant, .cast = set.cast};
        struct world *w = world_new(&parts, 0);
        CHECK(w);
        for (int i = 0; i < 2; i++) { /* the same moment again, and the next picture */
            int64_t t = 10 * SECOND + i * SECOND / 30;
            render(set.world, &p, &p, t, &a);
            world_rest(w);
            b.held = 0;
            render(w, &p, &p, t, &b);
            CHECK(same(&a, &b));
        }
        world_free(w);
        stage_free(constant);
        close_set();
        free(a.r);
        free(b.r);
    }
}

/* What changes when somebody is left out lies in his box (and his shadow beside it). */
TEST(truth_boxes_hold_the_pixels)
{
    open_set("cloud 1");
    struct radiance with = planes(1280, 720), without = planes(1280, 720);
    struct pose p = looking(8, -12, 2);
    int checked = 0;
    for (int t = 60; t < 100; t += 4) {
        struct truth_object o[8];
        size_t n = world_truth(set.world, &p, 16.0 / 9, t * SECOND, 0, o, 8);
        for (size_t k = 0; k < n; k++) {
            if (o[k].visible < 0.999)
                continue;
            render(set.world, &p, &p, t * SECOND, &with);
            world_hide(set.world, o[k].id);
            render(set.world, &p, &p, t * SECOND, &without);
            world_hide(set.world, NULL);
            int x0 = with.width, y0 = with.height, x1 = -1, y1 = -1;
            for (int y = 0; y < with.height; y++)
                for (int x = 0; x < with.width; x++) {
                    size_t i = (size_t)y * with.stride + (size_t)x;
                    double apart = abs(with.g[i] - without.g[i]) + abs(with.r[i] - without.r[i]);
                    if (apart < 0.006 * with.unit)
                        continue;
                    x0 = x < x0 ? x : x0;
                    x1 = x > x1 ? x : x1;
                    y0 = y < y0 ? y : y0;
                    y1 = y > y1 ? y : y1;
                }
            const double *box = o[k].box;
            double high = box[3] * with.height;
            CHECK_NEAR(y0, box[1] * with.height, 3);
            /* Under an overcast sky there is a soft shadow round the feet. */
            CHECK_NEAR(y1 + 1, (box[1] + box[3]) * with.height, 3 + 0.15 * high);
            CHECK_NEAR(x0, box[0] * with.width, 3 + 0.4 * high);
            CHECK_NEAR(x1 + 1, (box[0] + box[2]) * with.width, 3 + 0.4 * high);
            CHECK(x0 < box[0] * with.width + 3 && x1 > (box[0] + box[2]) * with.width - 4);
            checked++;
        }
    }
    CHECK(checked >= 8);
    free(with.r);
    free(without.r);
    close_set();
}

TEST(visible_share)
{
    open_set(NULL);
    struct pose p = looking(8, -12, 2);
    double least[3] = {1, 1, 1}, most[3] = {0};
    static const char *const classes[] = {"person", "car"};
    for (int t = 0; t < 240; t++) {
        struct truth_object o[8];
        size_t n = world_truth(set.world, &p, 16.0 / 9, t * SECOND / 4, 0, o, 8);
        for (size_t i = 0; i < n; i++) {
            CHECK(o[i].visible > 0 && o[i].visible <= 1);
            CHECK(o[i].box[0] >= 0 && o[i].box[1] >= 0 && o[i].box[2] > 0 && o[i].box[3] > 0);
            CHECK(o[i].box[0] + o[i].box[2] <= 1 + 1e-9 && o[i].box[1] + o[i].box[3] <= 1 + 1e-9);
            for (int k = 0; k < 2; k++)
                if (!strcmp(o[i].class_name, classes[k])) {
                    least[k] = fmin(least[k], o[i].visible);
                    most[k] = fmax(most[k], o[i].visible);
                }
        }
    }
    /* Both come into the picture and pass behind somebody. */
    CHECK(most[0] == 1 && least[0] < 0.7);
    CHECK(most[1] > 0.99 && least[1] < 0.7);
    close_set();
}

/* A camera that was turned on its mount sees something else; the truth knows. */
TEST(turned_mount)
{
    open_set(NULL);
    command("turn pan 10", 10 * SECOND);
    struct pose p = looking(8, -12, 2), q = looking(18, -12, 2);
    struct truth_object a[8], b[8];
    struct radiance x = planes(320, 180), y = planes(320, 180);
    render(set.world, &p, &p, 40 * SECOND, &x);
    size_t n = world_truth(set.world, &p, 16.0 / 9, 40 * SECOND, 0, a, 8);
    struct stage *still = stage_new(0);
    const struct world_parts parts = {set.tiles, set.models, still, set.cast, NULL};
    struct world *w = world_new(&parts, 0);
    render(w, &q, &q, 40 * SECOND, &y);
    CHECK_INT(n, world_truth(w, &q, 16.0 / 9, 40 * SECOND, 0, b, 8));
    CHECK(n > 0 && fabs(a[0].box[0] - b[0].box[0]) < 1e-6);
    CHECK(same(&x, &y));
    free(x.r);
    free(y.r);
    world_free(w);
    stage_free(still);
    close_set();
}

/* How wide an edge of the wall's chequers in the middle is: from a tenth of its height to nine. */
static double edge_width(const struct radiance *r)
{
    double row[160], at[2] = {0};
    for (int x = 0; x < 160; x++) {
        row[x] = 0;
        for (int y = 168; y < 180; y++)
            row[x] += r->g[y * 640 + 240 + x];
    }
    for (int k = 0; k < 2; k++) {
        double level = row[4] + (row[155] - row[4]) * (k ? 0.9 : 0.1);
        for (int x = 4; x < 155 && at[k] == 0; x++)
            if ((row[x] - level) * (row[x + 1] - level) <= 0)
                at[k] = x + (level - row[x]) / (row[x + 1] - row[x]);
    }
    return fabs(at[1] - at[0]);
}

/* A move smears an edge evenly over the way that it makes meanwhile. */
TEST(a_move_smears_by_its_length)
{
    open_set("wind 0");
    struct radiance a = planes(640, 360);
    const double per_deg = 320 / tan(M_PI / 6) * 4 * M_PI / 180; /* pixels, in the middle */
    struct pose still = looking(84, 1.5, 4);                     /* an edge in the middle */
    render(set.world, &still, &still, SECOND, &a);
    double sharp = edge_width(&a) / 0.8;
    for (double length = 12; length < 80; length *= 1.6) {
        struct pose from = looking(84 - length / per_deg / 2, 1.5, 4);
        struct pose till = looking(84 + length / per_deg / 2, 1.5, 4);
        a.held = 0;
        render(set.world, &from, &till, SECOND, &a);
        CHECK_NEAR(edge_width(&a) / 0.8 / hypot(length, sharp), 1, 0.06);
    }
    free(a.r);
    close_set();
}

TEST(remembers_shots)
{
    open_set(NULL);
    struct world *w = set.world;
    struct truth_shot s, got;
    CHECK(!world_shot_newest(w, &got) && !world_shot_by_serial(w, 0, &got));
    for (int i = 0; i < 10000; i++) {
        s = (struct truth_shot){.serial = (uint64_t)i, .start_ns = i, .utc_ns = i * 1000};
        world_remember(w, &s);
    }
    CHECK(world_shot_newest(w, &got) && got.serial == 9999);
    CHECK(world_shot_by_serial(w, 8000, &got) && got.start_ns == 8000);
    CHECK(!world_shot_by_serial(w, 10, &got));
    CHECK(world_shot_by_utc(w, 9000400, &got) && got.serial == 9000);
    CHECK(world_shot_by_utc(w, INT64_MAX, &got) && got.serial == 9999);
    close_set();
}

/* Devices look for places in a folder that the test makes. */
static char folder[64];

static void make_folder(void)
{
    char place[256], to[400];
    snprintf(folder, sizeof(folder), "/tmp/vedette-places-XXXXXX");
    CHECK(mkdtemp(folder));
    small_place(place);
    snprintf(to, sizeof(to), "%s/street.place", folder);
    CHECK(rename(place, to) == 0);
    struct models *m = models();
    snprintf(to, sizeof(to), "%s/models.pack", folder);
    FILE *f = fopen(to, "wb");
    CHECK(f && fwrite(m->base, 1, m->size, f) == m->size && fclose(f) == 0);
    models_close(m);
    CHECK(setenv("VEDETTE_PLACES", folder, 1) == 0);
}

static void remove_folder(void)
{
    char path[400];
    snprintf(path, sizeof(path), "%s/street.place", folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/models.pack", folder);
    unlink(path);
    rmdir(folder);
}

static void check_device(const char *spec, bool ok)
{
    struct fault why = {0};
    struct clock *c = clock_new_sim();
    struct device *d = device_open(spec, 0, c, NULL, &why);
    CHECK(!d == !ok);
    CHECK(d || why.text[0]);
    if (d)
        d->close(d);
    clock_free(c);
}

TEST(specs)
{
    make_folder();
    check_device("virtual", true);
    check_device("virtual:320x180@30", true);
    check_device("virtual:street", true);
    check_device("virtual:street,320x180@30", true);
    check_device("virtual:320x181", false);
    check_device("virtual:99999x180", false);
    check_device("virtual:street,", false);
    check_device("virtual:../street", false);
    check_device("virtual:street,x", false);
    check_device("virtual:x", false);
    check_device("nothing", false);
    check_device("", false);
    remove_folder();
    /* Without its files the camera says how to get them. */
    struct fault why = {0};
    struct clock *c = clock_new_sim();
    CHECK(!device_open("virtual", 0, c, NULL, &why));
    CHECK(strstr(why.text, "make build"));
    clock_free(c);
}

/* The same picture whoever began to watch when, also while the head moves. */
TEST(sensor_repeats)
{
    struct clock *c = clock_new_sim();
    struct device *d[2];
    make_folder();
    for (int i = 0; i < 2; i++) {
        d[i] = device_open("virtual:640x360@30", 5, c, NULL, NULL);
        CHECK(d[i]);
        d[i]->head->ops->go(d[i]->head, 50, -20, 2, 0.3);
    }
    CHECK(clock_advance(c, SECOND) == 0);
    for (uint64_t serial = 0; serial < 40; serial++) {
        int64_t at = (int64_t)serial * SECOND / 30;
        struct shot *a = NULL, *b = NULL;
        CHECK(d[0]->sensor->ops->take(d[0]->sensor, serial, at, &a) == 0);
        CHECK(a->how.mean_luma > 0.2 && a->how.mean_luma < 0.8);
        CHECK(a->how.serial == serial && a->how.start_ns == at && a->how.end_ns > at);
        if (serial >= 10 && serial % 5 == 0) {
            CHECK(d[1]->sensor->ops->take(d[1]->sensor, serial, at, &b) == 0);
            for (int k = 0; k < 3; k++)
                for (int y = 0; y < a->pixels->height >> (k > 0); y++)
                    CHECK(!memcmp(a->pixels->plane[k] + (long)y * a->pixels->stride[k],
                                  b->pixels->plane[k] + (long)y * b->pixels->stride[k],
                                  (size_t)(a->pixels->width >> (k > 0))));
            CHECK(a->how.pose_start.pan_deg == b->how.pose_start.pan_deg);
        }
        if (serial == 20)
            d[1]->sensor->ops->stop(d[1]->sensor);
        shot_unref(a);
        shot_unref(b);
    }
    struct truth_shot newest;
    CHECK(world_shot_newest(d[0]->world, &newest) && newest.serial == 39);
    d[0]->close(d[0]);
    d[1]->close(d[1]);
    clock_free(c);
    remove_folder();
}

UNIT_MAIN(UNIT_ROW(twins_agree) UNIT_ROW(bands_agree) UNIT_ROW(rest_is_exact)
              UNIT_ROW(a_jump_is_seen_at_once) UNIT_ROW(truth_boxes_hold_the_pixels)
                  UNIT_ROW(visible_share) UNIT_ROW(turned_mount)
                      UNIT_ROW(a_move_smears_by_its_length) UNIT_ROW(remembers_shots)
                          UNIT_ROW(specs) UNIT_ROW(sensor_repeats))
