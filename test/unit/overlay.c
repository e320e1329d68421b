#include "image/overlay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/loop.h"
#include "conf/param.h"
#include "image/kernels.h"
#include "image/overlay_names.h"
#include "image/overlay_sprite.h"
#include "system/time.h"
#include "unit.h"

static struct clock *clk;
static struct loop *loop;
static struct conf *conf;
static struct room *room;
static struct overlays *ov;

static int repaints;

static long tz(int64_t utc_ns, char *ret_zone, size_t size, void *arg)
{
    snprintf(ret_zone, size, "CEST");
    return 7200;
}

static void changed(void *arg)
{
    repaints++;
}

static void set_up(void)
{
    struct fault why;
    clk = clock_new_real();
    loop = loop_new(clk, "test");
    conf = conf_new(loop, NULL, NULL);
    CHECK_INT(conf_add_room(conf, &overlay_room_desc, &room, &why), 0);
    CHECK_INT(conf_load(conf, &why), 0);
    const struct overlays_hooks hooks = {.local_time = tz, .changed = changed};
    ov = overlays_new(loop, room, NULL, &hooks);
    CHECK(ov);
}
static void tear_down(void)
{
    overlays_free(ov);
    conf_free(conf);
    loop_free(loop);
    clock_free(clk);
}

static int committed;
static void done(int err, const struct fault *why, void *arg)
{
    committed = err;
    loop_stop(loop);
}
static int set(const char *name, const char *value)
{
    struct fault why = {0};
    char full[80];
    unsigned i;
    snprintf(full, sizeof(full), strchr(name, '.') ? "%s" : "Image.I0.Text.%s", name);
    struct txn *t = txn_new(conf, ~0u);
    int r = !strcmp(name, "+.") ? txn_add(t, value, &i, &why) : txn_set(t, full, value, &why);
    if (r < 0) {
        txn_abort(t);
        return r;
    }
    committed = 1;
    txn_commit(t, done, NULL);
    if (committed == 1)
        loop_run(loop);
    return committed;
}

static struct capture how = {
    .serial = 4711,
    .utc_ns = CLOCK_SIM_UTC_NS,
    .gain_db = 6,
    .iris_f = 2.8,
    .end_ns = 4000000,
    .pose_start =
        {.pan_deg = -12.345, .tilt_deg = -0.001, .zoom = 2.5, .hfov_deg = 60, .known = true},
    .pose_end = {
        .pan_deg = -12.345, .tilt_deg = -0.001, .zoom = 2.5, .hfov_deg = 60, .known = true}};
static const struct overlay_facts facts = {.ip = "192.0.2.7",
                                           .mac = "02:AB:34:CD:56:EF",
                                           .host = "gate",
                                           .temperature_c = 21.5,
                                           .most_zoom = 30,
                                           .widest_f = 1.6,
                                           .narrowest_f = 22,
                                           .most_gain_db = 48,
                                           .shortest_ns = 15000,
                                           .longest_ns = 2000000000,
                                           .frame_aspect = 16 / 9.0,
                                           .preset = 3,
                                           .preset_name = "Dock"};

static const char *expand(const char *text, const struct stream_stats *st)
{
    static char ret[256];
    const struct overlay_speech s = {.how = &how,
                                     .stats = st,
                                     .facts = &facts,
                                     .tz_offset_s = 3600,
                                     .zone = "CET",
                                     .source = 1,
                                     .slot = {"door %F", "one", [16] = "last"}};
    overlay_expand(text, &s, ret, sizeof(ret));
    return ret;
}

TEST(names_of_months_and_days)
{
    static const struct {
        const char *code, *text;
    } said[] = {{"en", "Sun Sunday Jun June"},
                {"de", "So Sonntag Jun Juni"},
                {"fr", "dim. dimanche juin juin"},
                {"pl", "nie niedziela cze czerwca"},
                {"xx", "Sun Sunday Jun June"}};
    char text[128];
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        const struct overlay_speech s = {.how = &how, .facts = &facts, .language = said[i].code};
        overlay_expand("%a %A %b %B", &s, text, sizeof text);
        CHECK_STR(text, said[i].text);
    }
    for (size_t i = 0; time_languages[i]; i++)
        CHECK_STR(overlay_names_of(time_languages[i])->code, time_languages[i]);
    CHECK_STR(overlay_names_of(NULL)->code, "en");
}

TEST(expands)
{
    struct stream_stats st = {.fps = 29.97, .kbps = 1234.4, .gop = 32};
    CHECK_STR(expand("%F %T 100%%", NULL), "2026-06-21 13:00:00 100%");
    CHECK_STR(expand("%D %x %R %r %p %H %I %k %l %M %S %f %s", NULL),
              "06/21/26 06/21/26 13:00 01:00:00 PM PM 13 01 13  1 00 00 00 1782043200");
    CHECK_STR(expand("%z %Z %Y %y %C %G %g %b %h %B %m", NULL),
              "+0100 CET 2026 26 20 2026 26 Jun Jun June 06");
    CHECK_STR(expand("%a %A %d %e %j %u %w %U %V %W", NULL), "Sun Sunday 21 21 172 7 0 25 25 24");
    CHECK_STR(expand("%c|%X", NULL), "Sun Jun 21 13:00:00 2026|13:00:00");
    CHECK_STR(expand("#r #R #b #B #k", &st), "29.97 30 1234 1.23 32");
    CHECK_STR(expand("#r|#b|#k", NULL), "-|-|-");
    CHECK_STR(expand("#x #y #z #Z #s #v", NULL), "-12.35 +0.00 518 2.5 04711 1");
    CHECK_STR(expand("#i #m #M #n", NULL), "192.0.2.7 CD:56:EF 02:AB:34:CD:56:EF gate");
    CHECK_STR(expand("#TC1 #TF1 #TC2|#TC", NULL), "21.5 70.7 |21.5");
    CHECK_STR(expand("#av #al #ah|#gv #gl #gh|#Gv #Gl #Gh", NULL),
              "F2.8 F1.6 F22.0|6.0 0.0 48.0|200 100 25119");
    CHECK_STR(expand("#hv #hl #hh", NULL), "1/250.0 1/66666.7 1/0.5");
    CHECK_STR(expand("#p #P|#L|#U1|#XMP1#XMD2|#ATN#ATP#ATS#ATC#ATD#ATV", NULL), "3 Dock||||");
    /* event text stands as it is: it is not looked through for modifiers */
    CHECK_STR(expand("#D|#D1|#D16|#D2|#D17", NULL), "door %F|one|last||one7");
    CHECK_STR(expand("#q %J % ## #", NULL), "#q %J % # #");
    char small[6];
    const struct overlay_speech s = {.how = &how, .facts = &facts};
    overlay_expand("abc\xc3\xa9\xc3\xa9", &s, small, sizeof(small));
    CHECK_STR(small, "abc"); /* rather a character less than half of one */
    overlay_expand("abcd\xc3\xa9", &s, small, sizeof(small));
    CHECK_STR(small, "abcd");
    CHECK_INT(overlay_expand("abc", &s, small, 1), 0);
}

TEST(every_modifier_of_the_table_is_one)
{
    struct overlay_modifier m;
    size_t n = 0;
    for (; overlay_modifier_at(n, &m); n++) {
        char text[16];
        snprintf(text, sizeof(text), "%s%s", m.name, m.has_index ? "1" : "");
        CHECK(strcmp(expand(text, NULL), text));
        struct overlay_needs needs = overlay_text_needs(text);
        CHECK(needs.stream ==
              (m.name[0] == '#' && !m.name[2] && strchr("rRbBk", m.name[1]) != NULL));
    }
    CHECK(n > 70);
}

TEST(what_a_text_needs)
{
    CHECK(overlay_text_needs("100% #").slot_only == false);
    CHECK(overlay_text_needs(" #D16 #D").slot_only);
    CHECK_INT((int)overlay_text_needs("#D16 #D").slots, 1 << 16 | 1);
    CHECK(!overlay_text_needs("x #D").slot_only);
    CHECK(overlay_text_needs("a#b").stream);
    CHECK(!overlay_text_needs("a##b").stream);
}

static struct rendition_key key = {
    .view = 1, .width = 640, .height = 360, .overlays = OVERLAYS_ALL};

TEST(defaults_show_date_and_time)
{
    set_up();
    bool per_stream = true;
    CHECK_INT((int)overlays_paints(&key, &per_stream, ov), OVERLAYS_TEXT);
    CHECK(!per_stream);
    struct picture_pool *pool = picture_pool_new(640, 360, false, 2);
    struct picture *p = picture_get(pool), *q = picture_get(pool);
    picture_fill(p, 120, 80, 170);
    CHECK(overlays_paint(p, &key, &FRAME_WHOLE, &how, NULL, ov));
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
    CHECK(overlays_paint(q, &key, &FRAME_WHOLE, &how, NULL, ov));
    CHECK_INT(q->plane[0][1], 0);
    /* turned off: nothing to paint */
    CHECK_INT(set("ClockEnabled", "no"), 0);
    CHECK_INT(set("DateEnabled", "no"), 0);
    CHECK(!overlays_paints(&key, &per_stream, ov));
    CHECK(!overlays_paint(p, &key, &FRAME_WHOLE, &how, NULL, ov));
    set("TextEnabled", "yes");
    set("String", "#b kbit/s");
    set("Position", "bottom");
    set("BGColor", "semitransparent");
    CHECK(overlays_paints(&key, &per_stream, ov));
    CHECK(per_stream);
    struct stream_stats st = {.kbps = 1000};
    picture_fill(p, 120, 80, 170);
    CHECK(overlays_paint(p, &key, &FRAME_WHOLE, &how, &st, ov));
    CHECK_INT(p->plane[0][1], 120);
    CHECK_NEAR(p->plane[0][359 * p->stride[0] + 1], 68, 1);
    struct rendition_key off = key;
    off.overlays = 0;
    CHECK(!overlays_paints(&off, &per_stream, ov));
    off.overlays = OVERLAYS_IMAGE | OVERLAYS_APPLICATION;
    CHECK(!overlays_paints(&off, &per_stream, ov));
    CHECK(set("Color", "pink") < 0);
    picture_unref(p);
    picture_unref(q);
    picture_pool_unref(pool);
    tear_down();
}

/* A box of one colour, anchored everywhere: where it must be is arithmetic. */
TEST(places)
{
    set_up();
    set("ClockEnabled", "no");
    set("DateEnabled", "no");
    CHECK_INT(set("+.", "dynamicoverlay"), 0);
    set("DynamicOverlay.O0.Text", "I");
    set("DynamicOverlay.O0.BGColor", "#ff0000");
    for (int place = 0; place < PLACE_FREE; place++) {
        struct overlay_layout l;
        set("DynamicOverlay.O0.Position", overlay_places[place]);
        overlays_layout(ov, &key, &FRAME_WHOLE, &how, &l);
        const struct overlay_box *b = &l.row[0];
        CHECK(b->width > 4 && b->height > 8);
        CHECK_NEAR(b->x, place % 3 * (640 - b->width) / 2, 1);
        CHECK_NEAR(b->y, place / 3 * (360 - b->height) / 2, 1);
    }
    /* free: its middle; kept inside the edges */
    struct overlay_layout l;
    set("DynamicOverlay.O0.Position", "custom");
    set("DynamicOverlay.O0.X", "0.5");
    set("DynamicOverlay.O0.Y", "-0.25");
    overlays_layout(ov, &key, &FRAME_WHOLE, &how, &l);
    CHECK_NEAR(l.row[0].x + l.row[0].width / 2, 480, 2);
    CHECK_NEAR(l.row[0].y + l.row[0].height / 2, 135, 2);
    set("DynamicOverlay.O0.X", "1");
    set("DynamicOverlay.O0.Y", "1");
    overlays_layout(ov, &key, &FRAME_WHOLE, &how, &l);
    CHECK_INT(l.row[0].x + l.row[0].width, 640);
    CHECK_INT(l.row[0].y + l.row[0].height, 360);
    /* its size follows the resolution, or not */
    struct rendition_key large = key;
    struct overlay_layout twice;
    large.width = 1280;
    large.height = 720;
    overlays_layout(ov, &large, &FRAME_WHOLE, &how, &twice);
    CHECK_NEAR(twice.row[0].height, 2 * l.row[0].height, 4);
    set("DynamicOverlay.O0.Scalable", "no");
    overlays_layout(ov, &large, &FRAME_WHOLE, &how, &twice);
    overlays_layout(ov, &key, &FRAME_WHOLE, &how, &l);
    CHECK_INT(twice.row[0].height, l.row[0].height);
    /* on the other channel; hidden */
    set("DynamicOverlay.O0.Camera", "2");
    overlays_layout(ov, &key, &FRAME_WHOLE, &how, &l);
    CHECK_INT(l.row[0].width, 0);
    set("DynamicOverlay.O0.Camera", "0");
    set("DynamicOverlay.O0.Visible", "no");
    overlays_layout(ov, &key, &FRAME_WHOLE, &how, &l);
    CHECK_INT(l.row[0].width, 0);
    tear_down();
}

TEST(tied_to_the_scene)
{
    set_up();
    overlays_set_facts(ov, &facts);
    CHECK_INT(set("+.", "dynamicoverlay"), 0);
    set("DynamicOverlay.O0.Text", "Gate");
    set("DynamicOverlay.O0.Reference", "scene");
    for (int pan = -180; pan < 180; pan += 7) {
        char text[16];
        snprintf(text, sizeof(text), "%d", pan);
        set("DynamicOverlay.O0.Pan", text);
        struct overlay_layout l;
        overlays_layout(ov, &key, &FRAME_WHOLE, &how, &l);
        double off = pose_wrap_pan(pan - how.pose_start.pan_deg);
        CHECK((l.row[0].width > 0) == (fabs(off) < 30));
        if (fabs(off) < 30)
            CHECK_NEAR(l.row[0].x + l.row[0].width / 2,
                       320 + 320 * tan(off * M_PI / 180) / tan(M_PI / 6), 3);
    }
    set("DynamicOverlay.O0.Pan", "-12");
    set("DynamicOverlay.O0.ZoomHigh", "300"); /* 2.5 of 30 times is 518 */
    struct overlay_layout l;
    overlays_layout(ov, &key, &FRAME_WHOLE, &how, &l);
    CHECK_INT(l.row[0].width, 0);
    tear_down();
}

TEST(event_text_comes_and_goes)
{
    set_up();
    struct fault why;
    bool per_stream;
    char text[64];
    set("ClockEnabled", "no");
    set("DateEnabled", "no");
    CHECK_INT(set("+.", "dynamicoverlay"), 0);
    set("DynamicOverlay.O0.Text", "#D3");
    /* nothing said: nothing costs */
    CHECK_INT((int)overlays_paints(&key, &per_stream, ov), 0);
    CHECK_INT(overlays_set_slot(ov, 3, 0, "Alarm", 0, &why), 0);
    CHECK_INT(repaints, 1);
    CHECK_INT((int)overlays_paints(&key, &per_stream, ov), OVERLAYS_TEXT);
    overlays_slot(ov, 3, text, sizeof(text));
    CHECK_STR(text, "Alarm");
    CHECK_INT(overlays_set_slot(ov, 3, 2, "Alarm", 0, &why), 0); /* channel 2 */
    CHECK_INT((int)overlays_paints(&key, &per_stream, ov), 0);
    CHECK_INT(overlays_set_slot(ov, 3, 1, NULL, 0, &why), 0);
    overlays_slot(ov, 3, text, sizeof(text));
    CHECK_STR(text, "");
    /* its time is over in the picture that is taken then, whoever paints it when */
    CHECK_INT(overlays_set_slot(ov, 3, 0, "Alarm", 2, &why), 0);
    struct overlay_layout l;
    struct capture then = how;
    then.start_ns = loop_now(loop) + 1900000000;
    overlays_layout(ov, &key, &FRAME_WHOLE, &then, &l);
    CHECK(l.row[0].width > 0);
    then.start_ns += 200000000;
    overlays_layout(ov, &key, &FRAME_WHOLE, &then, &l);
    CHECK_INT(l.row[0].width, 0);
    CHECK(overlays_set_slot(ov, 17, 0, "x", 0, &why) < 0);
    CHECK(overlays_set_slot(ov, 1, 0, "\xff", 0, &why) < 0);
    CHECK(overlays_set_slot(ov, 1, 0, "x", NAN, &why) < 0);
    tear_down();
}

/* What the indicator's box looks like, in one number. */
static uint64_t look_of(uint64_t serial, struct picture *p)
{
    struct capture c = how;
    struct overlay_layout l;
    uint64_t h = 0;
    c.serial = serial;
    picture_fill(p, 20, 128, 128);
    CHECK(overlays_paint(p, &key, &FRAME_WHOLE, &c, NULL, ov));
    overlays_layout(ov, &key, &FRAME_WHOLE, &c, &l);
    for (int y = l.mark.y; y < l.mark.y + l.mark.height; y++)
        for (int x = l.mark.x; x < l.mark.x + l.mark.width; x++)
            h = h * 31 + (p->plane[0][y * p->stride[0] + x] > 150);
    return h;
}

TEST(live_mark_moves_with_every_picture)
{
    set_up();
    set("ClockEnabled", "no");
    set("DateEnabled", "no");
    set("Image.I0.StreamingIndicator.Enabled", "yes");
    set("Image.I0.StreamingIndicator.Size", "H3");
    struct picture_pool *pool = picture_pool_new(640, 360, false, 1);
    struct picture *p = picture_get(pool);
    for (uint64_t step = 1; step <= 60; step++)
        for (uint64_t i = 0, was = 0; i < 4; i++) {
            uint64_t now = look_of(500 + i * step, p);
            CHECK(now != was);
            was = now;
        }
    picture_unref(p);
    picture_pool_unref(pool);
    tear_down();
}

/* The strip's red pointer is in the middle; north's letter is where north lies. */
TEST(compass_shows_and_costs_one_strip)
{
    set_up();
    overlays_set_facts(ov, &facts);
    set("ClockEnabled", "no");
    set("DateEnabled", "no");
    set("Image.I0.OrientationAid.Enabled", "yes");
    const struct compass_mark marks[] = {{"Gate", 10}, {"Dock", -170}};
    int before = repaints;
    overlays_set_marks(ov, marks, 2);
    CHECK_INT(repaints, before + 1);
    struct picture_pool *pool = picture_pool_new(1280, 720, false, 2);
    struct picture *p = picture_get(pool), *q = picture_get(pool);
    struct rendition_key k = key;
    k.width = 1280;
    k.height = 720;
    struct overlay_layout l;
    overlays_layout(ov, &k, &FRAME_WHOLE, &how, &l);
    CHECK_NEAR(l.compass.x + l.compass.width / 2, 640, 2);
    CHECK_INT(l.compass.y + l.compass.height, 720);
    /* turned by 6° the scale is where 6° of the strip's 120 are */
    struct capture turned = how;
    turned.pose_start.pan_deg += 6;
    picture_fill(p, 60, 128, 128);
    picture_fill(q, 60, 128, 128);
    overlays_paint(p, &k, &FRAME_WHOLE, &how, NULL, ov);
    overlays_paint(q, &k, &FRAME_WHOLE, &turned, NULL, ov);
    int shift = l.compass.width * 6 / 120, best = 0;
    double least = 1e9;
    for (int by = 0; by < 80; by += 2) {
        double sum = 0;
        for (int y = l.compass.y + l.compass.height * 2 / 3; y < l.compass.y + l.compass.height;
             y++)
            for (int x = l.compass.x + 100; x < l.compass.x + 280; x++)
                sum +=
                    abs(p->plane[0][y * p->stride[0] + x] - q->plane[0][y * q->stride[0] + x - by]);
        if (sum < least) {
            least = sum;
            best = by;
        }
    }
    CHECK_NEAR(best, shift, 2);
    CHECK_INT(set("Image.I0.OrientationAid.Style", "rose"), 0);
    CHECK_INT(set("Image.I0.OrientationAid.Position", "topLeft"), 0);
    overlays_layout(ov, &k, &FRAME_WHOLE, &how, &l);
    CHECK_INT(l.compass.x, 0);
    CHECK_INT(l.compass.width, l.compass.height);
    CHECK(overlays_paint(p, &k, &FRAME_WHOLE, &how, NULL, ov));
    picture_unref(p);
    picture_unref(q);
    picture_pool_unref(pool);
    tear_down();
}

TEST(refuses_what_cannot_be)
{
    set_up();
    CHECK_INT(set("+.", "dynamicoverlay"), 0);
    CHECK(set("DynamicOverlay.O0.TextColor", "pink") < 0);
    CHECK(set("DynamicOverlay.O0.TextColor", "#12345") < 0);
    CHECK_INT(set("DynamicOverlay.O0.TextColor", "#12aBc4"), 0);
    CHECK_INT(set("DynamicOverlay.O0.TextColor", "#12aBc480"), 0);
    CHECK(set("DynamicOverlay.O0.X", "nan") < 0);
    CHECK(set("DynamicOverlay.O0.X", "1.01") < 0);
    CHECK(set("DynamicOverlay.O0.FontSize", "201") < 0);
    CHECK(set("DynamicOverlay.O0.OverlayPath", "../../etc/passwd") < 0);
    CHECK(set("DynamicOverlay.O0.Text", "\xff\xfe") < 0);
    CHECK(set("DynamicOverlay.O0.ZoomLow", "19999") == 0);
    CHECK(set("DynamicOverlay.O0.ZoomHigh", "3") < 0);
    char longest[514];
    memset(longest, 'a', 513);
    longest[513] = 0;
    CHECK(set("DynamicOverlay.O0.Text", longest) < 0);
    longest[512] = 0;
    CHECK_INT(set("DynamicOverlay.O0.Text", longest), 0);
    /* the longest and largest that can be asked for is painted in a small picture */
    set("DynamicOverlay.O0.FontSize", "200");
    set("DynamicOverlay.O0.Scalable", "no");
    set("DynamicOverlay.O0.Rotation", "33");
    set("DynamicOverlay.O0.WrapWidth", "1");
    struct picture_pool *pool = picture_pool_new(64, 48, false, 1);
    struct picture *p = picture_get(pool);
    struct rendition_key k = {.view = 1, .width = 64, .height = 48, .overlays = OVERLAYS_ALL};
    overlays_paint(p, &k, &FRAME_WHOLE, &how, NULL, ov);
    picture_unref(p);
    picture_pool_unref(pool);
    for (int i = 1; i < OVERLAYS_MOST; i++)
        CHECK_INT(set("+.", "dynamicoverlay"), 0);
    CHECK(set("+.", "dynamicoverlay") < 0);
    tear_down();
}

TEST(sprites_are_laid_over_exactly)
{
    /* alpha 0, half, all: what stays of the picture, and what comes */
    uint32_t argb[32 * 2];
    for (int i = 0; i < 64; i++)
        argb[i] = i % 32 < 16 ? 0 : i % 32 < 24 ? 0x80808080u : 0xffffffffu;
    struct sprite *s = sprite_new(argb, 32 * 4, 32, 2, COLOUR_BT709, RANGE_FULL);
    struct picture_pool *pool = picture_pool_new(64, 16, false, 1);
    struct picture *p = picture_get(pool);
    p->range = RANGE_FULL;
    for (int x = -34; x < 70; x += 2)
        for (int y = -4; y < 20; y += 2) {
            picture_fill(p, 100, 60, 190);
            sprite_blend(s, p, x, y, 10, 60);
            for (int at = 0; at < 64; at++) {
                int in = at - x;
                bool there = y >= 0 && y < 16 && in >= 0 && in < 32 && at >= 10 && at < 60;
                int want = !there || in < 16 ? 100 : in < 24 ? 178 : 255;
                for (int row = y < 0 ? 0 : y; row < y + 2 && row < 16; row++)
                    CHECK_NEAR(p->plane[0][row * p->stride[0] + at], want, 1);
                if (y >= 0 && y < 16)
                    CHECK_NEAR(p->plane[1][y / 2 * p->stride[1] + at / 2],
                               !there || in < 16 ? 60
                               : in < 24         ? 94
                                                 : 128,
                               1);
            }
        }
    sprite_unref(s);
    picture_unref(p);
    picture_pool_unref(pool);
}

#if defined(__x86_64__)
TEST(over_is_the_same_in_both_twins)
{
    const struct image_kernels *best = image_kernels_best();
    uint8_t add[300], keep[300], a[300], b[300];
    unsigned r = 1;
    for (int turn = 0; turn < 200; turn++) {
        for (int i = 0; i < 300; i++) {
            r = r * 1103515245 + 12345;
            keep[i] = (uint8_t)(r >> 16);
            add[i] = (uint8_t)((r >> 8 & 255) * (255u - keep[i]) / 255);
            a[i] = b[i] = (uint8_t)(r >> 24);
        }
        size_t n = (size_t)turn + 1;
        image_kernels_plain.over(a, add, keep, n);
        best->over(b, add, keep, n);
        CHECK(!memcmp(a, b, sizeof(a)));
        for (size_t i = 0; i < n; i++)
            CHECK(a[i] >= add[i]);
    }
}
#else
TEST(over_is_the_same_in_both_twins)
{
}
#endif

UNIT_MAIN(UNIT_ROW(names_of_months_and_days) UNIT_ROW(expands)
              UNIT_ROW(every_modifier_of_the_table_is_one) UNIT_ROW(what_a_text_needs)
                  UNIT_ROW(defaults_show_date_and_time) UNIT_ROW(places) UNIT_ROW(tied_to_the_scene)
                      UNIT_ROW(event_text_comes_and_goes)
                          UNIT_ROW(live_mark_moves_with_every_picture)
                              UNIT_ROW(compass_shows_and_costs_one_strip)
                                  UNIT_ROW(refuses_what_cannot_be)
                                      UNIT_ROW(sprites_are_laid_over_exactly)
                                          UNIT_ROW(over_is_the_same_in_both_twins))
