/* Where something happens: seen in pictures that are drawn, with noise of a known strength; and
 * what the smart codec makes of it. */
#include "media/activity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "media/smart.h"
#include "unit.h"

#define W 640
#define H 360

static struct picture_pool *pool;
static struct activity_watch *watch;
static struct capture how;
static struct activity *seen;
static uint32_t rnd;

static void begin(bool plain)
{
    pool = picture_pool_new(W, H, false, 2);
    watch = activity_watch_new(W, H, plain);
    how = (struct capture){.pose_start = {.known = true, .zoom = 1},
                           .pose_end = {.known = true, .zoom = 1}};
    seen = NULL;
    rnd = 1;
}

static void end(void)
{
    seen = activity_unref(seen);
    watch = activity_watch_free(watch);
    picture_pool_unref(pool);
}

static double normal(void) /* about: a sum of four */
{
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += (double)((rnd = rnd * 1664525 + 1013904223) >> 8) / (1 << 24) - 0.5;
    return sum * sqrt(3);
}

struct scene {
    double noise, brighter;
    int square_x;  /* left side of a square of 40 at y = 160; -1: none */
    bool restless; /* a patch at the top left changes all the time */
};

static void look(const struct scene *s)
{
    struct picture *p = picture_get(pool);
    double flutter = s->restless ? 14 * normal() : 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            double v = 60 + x / 8 + (((x >> 4) ^ (y >> 4)) & 1) * 30 + s->brighter;
            if (s->square_x >= 0 && x >= s->square_x && x < s->square_x + 40 && y >= 160 && y < 200)
                v = 200;
            if (x < 96 && y < 96)
                v += flutter * (x & 4 ? 1 : -1);
            v += s->noise > 0 ? s->noise * normal() : 0;
            p->plane[0][y * p->stride[0] + x] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
    activity_unref(seen);
    seen = activity_look(watch, p, &how);
    picture_unref(p);
}

static bool active_at(int x, int y)
{
    return seen->last[y / ACTIVITY_CELL * seen->across + x / ACTIVITY_CELL] == seen->look;
}

static void looks(int n, const struct scene *s)
{
    for (int i = 0; i < n; i++)
        look(s);
}

TEST(noise_is_nothing)
{
    static const double levels[] = {0, 1, 3, 8};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        begin(false);
        struct scene s = {.noise = levels[i], .square_x = -1};
        looks(20, &s);
        uint32_t before = seen->last_any;
        looks(60, &s);
        CHECK_INT(seen->last_any, before);
        CHECK(fabs(seen->noise - levels[i]) < 0.6 + 0.3 * levels[i]);
        end();
    }
}

TEST(what_moves_is_seen_at_once)
{
    begin(false);
    struct scene s = {.noise = 3, .square_x = -1};
    looks(40, &s);
    uint32_t before = seen->last_any;
    s.square_x = 300;
    look(&s);
    CHECK(active_at(310, 170) && active_at(335, 195));
    CHECK(active_at(295, 155)); /* around it too: there it goes next */
    CHECK(!active_at(100, 170) && !active_at(310, 40));
    CHECK_INT(seen->last_any, before + (seen->look - before));
    for (int i = 0; i < 30; i++) { /* slowly */
        s.square_x++;
        look(&s);
    }
    CHECK(active_at(s.square_x, 170) || seen->look - seen->last_any < 4);
    looks(20, &s); /* it stands: that is the picture now */
    CHECK(seen->look - seen->last_any > 10);
    s.square_x = -1; /* it goes, and what it hid is new */
    look(&s);
    CHECK(active_at(345, 180));
    end();
}

TEST(light_is_no_movement)
{
    begin(false);
    struct scene s = {.noise = 2, .square_x = -1};
    looks(40, &s);
    uint32_t before = seen->last_any;
    for (int i = 0; i < 30; i++) { /* a cloud, a second */
        s.brighter += 1;
        look(&s);
    }
    CHECK(seen->light > 0.4);
    CHECK_INT(seen->last_any, before);
    s.brighter += 60; /* a lamp is switched on */
    look(&s);
    looks(10, &s);
    CHECK(seen->look - seen->last_any > 3);
    end();
}

TEST(noise_is_learnt_anew)
{
    begin(false);
    struct scene s = {.noise = 1, .square_x = -1};
    looks(60, &s);
    s.noise = 6; /* gain went up */
    looks(60, &s);
    uint32_t before = seen->last_any;
    looks(30, &s);
    CHECK_INT(seen->last_any, before);
    s.square_x = 100;
    look(&s);
    CHECK(active_at(120, 180));
    end();
}

TEST(a_camera_that_moves_changes_all)
{
    begin(false);
    struct scene s = {.noise = 1, .square_x = -1};
    looks(10, &s);
    uint32_t before = seen->last_whole;
    CHECK(before < 5);
    how.pose_end.pan_deg = 0.5;
    look(&s);
    CHECK_INT(seen->last_whole, seen->look);
    CHECK(active_at(0, 0) && active_at(W - 1, H - 1));
    how.pose_start.pan_deg = 0.5;
    look(&s);
    looks(20, &s);
    CHECK(seen->look - seen->last_any > 15);
    end();
}

TEST(leaves_become_usual)
{
    begin(false);
    struct scene s = {.noise = 1, .square_x = -1, .restless = true};
    looks(10, &s);
    CHECK(seen->look - seen->last_any < 3);
    looks(500, &s);
    int n = 0;
    for (int i = 0; i < 60; i++) {
        look(&s);
        n += seen->last_any == seen->look;
    }
    CHECK(n < 6);
    s.square_x = 300; /* but not what comes elsewhere */
    look(&s);
    CHECK(active_at(310, 170));
    end();
}

TEST(twins_agree)
{
    struct picture_pool *own = picture_pool_new(854, 482, false, 2);
    struct activity_watch *a = activity_watch_new(854, 482, true),
                          *b = activity_watch_new(854, 482, false);
    rnd = 7;
    how = (struct capture){0};
    for (int k = 0; k < 12; k++) {
        struct picture *p = picture_get(own);
        for (int y = 0; y < 482; y++)
            for (int x = 0; x < 854; x++)
                p->plane[0][y * p->stride[0] + x] =
                    (uint8_t)((rnd = rnd * 1664525 + 1013904223) >> (y > 200 && k > 3 ? 24 : 29));
        struct activity *from_a = activity_look(a, p, &how), *from_b = activity_look(b, p, &how);
        size_t n = (size_t)(from_a->across * from_a->down);
        CHECK(!memcmp(from_a->last, from_b->last, n * sizeof(*from_a->last)));
        CHECK(!memcmp(from_a->detail, from_b->detail, n));
        CHECK(from_a->moving == from_b->moving && from_a->noise == from_b->noise &&
              from_a->light == from_b->light);
        activity_unref(from_a);
        activity_unref(from_b);
        picture_unref(p);
    }
    activity_watch_free(a);
    activity_watch_free(b);
    picture_pool_unref(own);
}

/* ---- what is made of it ---- */

TEST(blocks_lie_where_their_cells_are)
{
    static const int turns[] = {0, 90, 180, 270};
    for (int t = 0; t < 8; t++) {
        begin(false);
        struct scene s = {.noise = 1, .square_x = -1};
        looks(20, &s);
        struct rendition_key k = {.view = 1, .rotation_deg = turns[t % 4], .mirror = t > 3};
        k.width = t % 2 ? H / 2 : W / 2;
        k.height = t % 2 ? W / 2 : H / 2;
        struct smart_blocks b;
        smart_blocks_init(&b, 30);
        CHECK(!smart_blocks_set(&b, &k, &FRAME_WHOLE, seen, 0));
        CHECK(smart_blocks_set(&b, &k, &FRAME_WHOLE, seen, seen->look - 1));
        CHECK_INT(b.still, b.across * b.down);
        CHECK(b.offset[0] >= 5);
        s.square_x = 40;
        look(&s);
        CHECK(smart_blocks_set(&b, &k, &FRAME_WHOLE, seen, seen->look - 1));
        CHECK(b.still < b.across * b.down && b.still > b.across * b.down / 2);
        /* the middle of the square, (60, 180), in the finished picture */
        double x = 60.0 / W, y = 0.5, at_x = x, at_y = y;
        if (turns[t % 4] == 90)
            at_x = 1 - y, at_y = x;
        else if (turns[t % 4] == 180)
            at_x = 1 - x, at_y = 1 - y;
        else if (turns[t % 4] == 270)
            at_x = y, at_y = 1 - x;
        if (t > 3)
            at_x = 1 - at_x;
        int bx = (int)(at_x * k.width / SMART_BLOCK), by = (int)(at_y * k.height / SMART_BLOCK);
        CHECK_INT(b.offset[by * b.across + bx], 0);
        CHECK(b.offset[(b.down - 1 - by) * b.across + (b.across - 1 - bx)] > 0 || t % 2 == 0);
        smart_blocks_done(&b);
        end();
    }
}

TEST(what_moved_between_two_pictures_counts)
{
    begin(false);
    struct scene s = {.noise = 1, .square_x = -1};
    looks(30, &s);
    uint32_t sent = seen->look;
    s.square_x = 40;
    looks(2, &s);
    s.square_x = -1;
    looks(13, &s);
    struct rendition_key k = {.view = 1, .width = W, .height = H};
    struct smart_blocks b;
    smart_blocks_init(&b, 50);
    CHECK(smart_blocks_set(&b, &k, &FRAME_WHOLE, seen, sent));
    CHECK_INT(b.offset[180 / 16 * b.across + 60 / 16], 0);
    CHECK(smart_blocks_set(&b, &k, &FRAME_WHOLE, seen, seen->look - 1));
    CHECK(b.offset[180 / 16 * b.across + 60 / 16] > 0);
    smart_blocks_done(&b);
    end();
}

/* What has just begun to move is coded as without the smart codec, with what is around it: each
 * block once, and not what lies far away. */
TEST(a_new_mover_has_its_box_coded_well_once)
{
    begin(false);
    struct scene s = {.noise = 1, .square_x = -1};
    looks(30, &s);
    struct rendition_key k = {.view = 1, .width = W, .height = H};
    struct smart_blocks b;
    smart_blocks_init(&b, 30);
    CHECK(smart_blocks_set(&b, &k, &FRAME_WHOLE, seen, seen->look - 1));
    CHECK_INT(b.fresh, 0);
    s.square_x = 48;
    look(&s);
    CHECK(smart_blocks_set(&b, &k, &FRAME_WHOLE, seen, seen->look - 1));
    for (int y = 160 / 16 - 1; y <= 199 / 16 + 1; y++)
        for (int x = 48 / 16 - 1; x <= 87 / 16 + 1; x++)
            CHECK_INT(b.kind[y * b.across + x], BLOCK_NEW);
    int first = b.fresh;
    CHECK(first < 50);
    CHECK_INT(b.kind[180 / 16 * b.across + 200 / 16], BLOCK_STILL);
    int later = 0;
    for (int i = 0; i < 20; i++) {
        s.square_x += 4;
        look(&s);
        CHECK(smart_blocks_set(&b, &k, &FRAME_WHOLE, seen, seen->look - 1));
        later += b.fresh;
        CHECK(i < 8 || !b.fresh);
    }
    CHECK(later < first / 2);
    smart_blocks_done(&b);
    end();
}

TEST(calm_pictures_are_spared)
{
    struct activity a = {.look = 100, .last_any = 60};
    struct smart_plan p = {.dynamic_fps = true, .min_fps = 5};
    CHECK(smart_spares(&p, &a, 30, NSEC_PER_SEC / 30));
    CHECK(!smart_spares(&p, &a, 30, NSEC_PER_SEC / 5));
    CHECK(!smart_spares(&p, NULL, 30, NSEC_PER_SEC / 30));
    a.last_any = 100; /* at once */
    CHECK(!smart_spares(&p, &a, 30, NSEC_PER_SEC / 30));
    a.last_any = 90; /* and for a while after */
    CHECK(!smart_spares(&p, &a, 30, NSEC_PER_SEC / 30));
    a.last_any = 60;
    p.min_fps = 0; /* not silence */
    CHECK(smart_spares(&p, &a, 30, NSEC_PER_SEC / 2));
    CHECK(!smart_spares(&p, &a, 30, NSEC_PER_SEC));
    p.dynamic_fps = false;
    CHECK(!smart_spares(&p, &a, 30, 0));
}

TEST(a_key_when_all_is_new)
{
    struct activity a = {.look = 100, .last_any = 100, .last_whole = 50};
    struct smart_plan p = {.dynamic_gop = true, .max_gop = 300};
    CHECK(!smart_wants_key(&p, &a, 99, 32, 200));
    a.last_whole = 100;
    CHECK(smart_wants_key(&p, &a, 99, 32, 200));
    CHECK(!smart_wants_key(&p, &a, 99, 32, 10)); /* not more often than is usual */
    p.dynamic_gop = false;
    CHECK(!smart_wants_key(&p, &a, 99, 32, 200));
}

UNIT_MAIN(UNIT_ROW(noise_is_nothing) UNIT_ROW(what_moves_is_seen_at_once)
              UNIT_ROW(light_is_no_movement) UNIT_ROW(noise_is_learnt_anew)
                  UNIT_ROW(a_camera_that_moves_changes_all) UNIT_ROW(leaves_become_usual)
                      UNIT_ROW(twins_agree) UNIT_ROW(blocks_lie_where_their_cells_are)
                          UNIT_ROW(what_moved_between_two_pictures_counts)
                              UNIT_ROW(a_new_mover_has_its_box_coded_well_once)
                                  UNIT_ROW(calm_pictures_are_spared)
                                      UNIT_ROW(a_key_when_all_is_new))
