/* Smart streams: pictures are looked at, and left out where nothing happens. */
#include "pipeline_set.h"
#include "unit.h"

/* Pictures are looked at once for all smart streams, and not at all for others. */
TEST(smart_streams_look_once)
{
    set_up(true);
    still_scene = true;
    struct opening plain = {.e = h264()}, a = {.e = h264()}, b = {.e = h264()};
    a.e.smart.strength = 10;
    b.e.smart.strength = 30;
    on_loop(loop, open_feed, &plain);
    tick(5);
    struct pipeline_stats st;
    on_loop(loop, get_stats, &st);
    CHECK_INT(st.pictures_looked_at, 0);
    on_loop(loop, open_feed, &a);
    on_loop(loop, open_feed, &b);
    CHECK(feed_stream(a.feed) != feed_stream(b.feed));
    tick(7);
    on_loop(loop, get_stats, &st);
    CHECK_INT(st.pictures_looked_at, 7);
    CHECK_INT(st.renditions, 1);
    CHECK_INT(st.renditions_painted, 0);
    CHECK_INT(st.pictures_coded, 5 + 3 * 7);
    on_loop(loop, close_feed, &a);
    on_loop(loop, close_feed, &b);
    tick(3 * 30); /* they linger … */
    clock_advance(clk, 3 * NSEC_PER_SEC);
    clock_wait_idle(clk);
    on_loop(loop, get_stats, &st);
    uint64_t before = st.pictures_looked_at;
    serial = (uint64_t)(clock_now(clk) * 30 / NSEC_PER_SEC) + 1;
    tick(5); /* … and then nobody asks any more */
    on_loop(loop, get_stats, &st);
    CHECK_INT(st.pictures_looked_at, before);
    on_loop(loop, close_feed, &plain);
    still_scene = false;
    tear_down();
}

/* Where nothing happens pictures are left out; the first one in which something does is sent. */
TEST(calm_scenes_have_few_pictures)
{
    serial = 0;
    set_up(true);
    still_scene = true;
    struct opening a = {.e = h264()}, b = {.e = h264()}, stored = {.e = h264()};
    a.e.smart = (struct smart_plan){.strength = 10, .dynamic_fps = true, .min_fps = 2};
    a.e.smart.dynamic_gop = true;
    a.e.smart.max_gop = 300;
    b.e = a.e;
    b.e.smart.min_fps = 0;
    stored.e = b.e;
    stored.e.profile = 2;
    stored.e.smart.storage = true;
    on_loop(loop, open_feed, &a);
    on_loop(loop, open_feed, &b);
    on_loop(loop, open_feed, &stored);
    struct cursor *ca = stream_cursor(feed_stream(a.feed)),
                  *cb = stream_cursor(feed_stream(b.feed));
    unsigned keys = 0;
    tick(30);
    count_packets(ca, &keys);
    count_packets(cb, &keys);
    tick(90);
    keys = 0;
    CHECK_INT(count_packets(ca, &keys), 6);
    CHECK_INT(count_packets(cb, &keys), 3);
    CHECK_INT(keys, 0);
    /* that of each second is pushed out by three more: else it would be late by as many seconds */
    struct cursor *cs = stream_cursor(feed_stream(stored.feed));
    uint64_t newest = 0, missed;
    int n = 0;
    for (struct packet *q; cs->ops->next(cs, &q, &missed) == 0; packet_unref(q), n++)
        newest = q->how.serial > newest ? q->how.serial : newest;
    CHECK(newest + 30 + 4 >= serial);
    CHECK(n < 30 + 4 * 4);
    cs->ops->close(cs);
    on_loop(loop, close_feed, &stored);
    struct feed_stats st;
    feed_stats(a.feed, &st);
    CHECK(st.left_out > 80);
    tick(3);
    count_packets(ca, &keys);
    square_x = 100;
    uint64_t first = serial;
    tick(1);
    struct packet *p;
    uint64_t lost;
    CHECK_INT(cursor_next(ca, &p, &lost), 0);
    CHECK_INT(p->how.serial, first);
    CHECK(!(p->flags & PACKET_KEY));
    packet_unref(p);
    for (int i = 0; i < 10; i++) {
        square_x += 3;
        tick(1);
    }
    CHECK_INT(count_packets(ca, &keys), 10);
    /* who joins has a key at once, whatever the scene does */
    tick(60);
    count_packets(ca, &keys);
    on_loop(loop, ask_key, &a);
    keys = 0;
    tick(1);
    CHECK_INT(count_packets(ca, &keys), 1);
    CHECK_INT(keys, 1);
    ca->ops->close(ca);
    cb->ops->close(cb);
    on_loop(loop, close_feed, &a);
    on_loop(loop, close_feed, &b);
    still_scene = false;
    square_x = -1;
    tear_down();
}

UNIT_MAIN(UNIT_ROW(smart_streams_look_once) UNIT_ROW(calm_scenes_have_few_pictures))
