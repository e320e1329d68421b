#include "image/overlay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/loop.h"
#include "conf/param.h"
#include "unit.h"

static struct clock *clk;
static struct loop *loop;
static struct conf *conf;
static struct room *room;
static struct overlays *ov;

static long tz(int64_t utc_ns, void *arg)
{
    return 7200;
}

static void set_up(void)
{
    struct fault why;
    clk = clock_new_real();
    loop = loop_new(clk, "test");
    conf = conf_new(loop, NULL, NULL);
    CHECK_INT(conf_add_room(conf, &overlay_room_desc, &room, &why), 0);
    CHECK_INT(conf_load(conf, &why), 0);
    ov = overlays_new(room, tz, NULL);
}
static void tear_down(void)
{
    overlays_free(ov);
    conf_free(conf);
    loop_free(loop);
    clock_free(clk);
}

static void done(int err, const struct fault *why, void *arg)
{
    CHECK_INT(err, 0);
    loop_stop(loop);
}
static int set(const char *name, const char *value)
{
    struct fault why = {0};
    char full[64];
    snprintf(full, sizeof(full), "Image.I0.Text.%s", name);
    struct txn *t = txn_new(conf, ~0u);
    int r = txn_set(t, full, value, &why);
    if (r < 0) {
        txn_abort(t);
        return r;
    }
    txn_commit(t, done, NULL);
    loop_run(loop);
    return 0;
}

static struct capture how = {.serial = 4711,
                             .utc_ns = CLOCK_SIM_UTC_NS,
                             .pose_start = {.pan_deg = -12.345, .tilt_deg = -0.001, .zoom = 2.5}};
static const char *expand(const char *text, const struct stream_stats *st)
{
    static char ret[128];
    overlay_expand(text, &how, st, 3600, ret, sizeof(ret));
    return ret;
}

TEST(expands)
{
    struct stream_stats st = {.fps = 29.97, .kbps = 1234.4};
    CHECK_STR(expand("%F %T 100%%", NULL), "2026-06-21 13:00:00 100%");
    CHECK_STR(expand("#r #R #b #B", &st), "29.97 30 1234 1.23");
    CHECK_STR(expand("#r|#b", NULL), "-|-");
    CHECK_STR(expand("#x #y #Z #s", NULL), "-12.35 0.00 2.5 4711");
    CHECK_STR(expand("#q %J %", NULL), "#q %J %");
    CHECK_STR(expand("#", NULL), "#");
    char small[6];
    overlay_expand("abc\xc3\xa9\xc3\xa9", &how, NULL, 0, small, sizeof(small));
    CHECK_STR(small, "abc");
}

static struct rendition_key key = {.view = 1, .width = 640, .height = 360, .overlays = true};

TEST(defaults_show_date_and_time)
{
    set_up();
    bool per_stream = true;
    CHECK(overlays_paints(&key, &per_stream, ov));
    CHECK(!per_stream);
    struct picture_pool *pool = picture_pool_new(640, 360, false, 2);
    struct picture *p = picture_get(pool), *q = picture_get(pool);
    picture_fill(p, 120, 80, 170);
    CHECK(overlays_paint(p, &key, &how, NULL, ov));
    int black = 0, white = 0, untouched = 0, cb = 0;
    for (int y = 0; y < 12; y++)
        for (int x = 0; x < 640; x++) {
            int v = p->plane[0][y * p->stride[0] + x];
            black += v == 16;
            white += v > 180;
            untouched += v == 120;
            cb += p->plane[1][y / 2 * p->stride[1] + x / 2] == 128;
        }
    CHECK(black > 500 && white > 20 && untouched > 1000 && cb > 1000);
    CHECK_INT(p->plane[0][200 * p->stride[0] + 3], 120);
    /* full range: black is 0, white 255 */
    q->range = RANGE_FULL;
    picture_fill(q, 120, 80, 170);
    CHECK(overlays_paint(q, &key, &how, NULL, ov));
    CHECK_INT(q->plane[0][1], 0);
    /* turned off: nothing to paint */
    set("ClockEnabled", "no");
    set("DateEnabled", "no");
    CHECK(!overlays_paints(&key, &per_stream, ov));
    CHECK(!overlays_paint(p, &key, &how, NULL, ov));
    set("TextEnabled", "yes");
    set("String", "#b kbit/s");
    set("Position", "bottom");
    set("BGColor", "semitransparent");
    CHECK(overlays_paints(&key, &per_stream, ov));
    CHECK(per_stream);
    struct stream_stats st = {.kbps = 1000};
    picture_fill(p, 120, 80, 170);
    CHECK(overlays_paint(p, &key, &how, &st, ov));
    CHECK_INT(p->plane[0][1], 120);
    CHECK_NEAR(p->plane[0][359 * p->stride[0] + 1], 68, 1);
    struct rendition_key off = key;
    off.overlays = false;
    CHECK(!overlays_paints(&off, &per_stream, ov));
    CHECK(set("Color", "pink") < 0);
    picture_unref(p);
    picture_unref(q);
    picture_pool_unref(pool);
    tear_down();
}

UNIT_MAIN(UNIT_ROW(expands) UNIT_ROW(defaults_show_date_and_time))
