/* What the machine manages to code: measured, kept, told, and what follows from it. */
#include "media/capacity.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "pipeline_set.h"
#include "unit.h"

/* A machine that is thought to manage ten pictures a second gives so many from the first on, at an
 * even step; one that would not manage one a second refuses. */
TEST(slow_machines_say_so_before)
{
    serial = 0;
    set_up(true);
    CHECK(pipeline_caps(pipe_, CODEC_H265, W, H) == 30); /* simulated time waits */
    double one = capacity_fps(CODEC_H264, W, H, 1);
    CHECK(one > 1 && capacity_fps(CODEC_H264, W * 2, H, 1) < one);
    CHECK(capacity_fps(CODEC_H265, W, H, 1) < one && capacity_fps(CODEC_H265, W, H, 0.5) > 0);
    struct pipeline_limits l = {.encoders = 8, .cores = 10 / one};
    pipeline_set_limits(pipe_, &l);
    CHECK_NEAR(pipeline_caps(pipe_, CODEC_H264, W, H), 10, 1e-6);
    struct opening a = {.e = h264()}, b = {.e = h264()}, c = {.e = h264()}, d = {.e = h264()};
    b.e.fps = 5;
    on_loop(loop, open_feed, &a);
    on_loop(loop, open_feed, &b);
    struct cursor *ca = stream_cursor(feed_stream(a.feed)),
                  *cb = stream_cursor(feed_stream(b.feed));
    tick(30);
    unsigned keys = 0;
    CHECK_INT(count_packets(ca, &keys), 10);
    CHECK_INT(count_packets(cb, &keys), 5);
    struct feed_stats st;
    feed_stats(a.feed, &st);
    CHECK_NEAR(st.limit_fps, 10, 1e-6);
    feed_stats(b.feed, &st);
    CHECK(st.limit_fps == 0); /* it has what it asked for */
    l.cores = 0.5 / one;
    pipeline_set_limits(pipe_, &l);
    c.e.compression = 50;
    on_loop(loop, open_feed, &c);
    CHECK_INT(c.r, -ENOSPC);
    CHECK_INT(c.why.kind, FAULT_LIMIT);
    CHECK_STR(c.why.name, "resolution");
    on_loop(loop, open_feed, &d); /* what runs is shared as ever */
    CHECK_INT(d.r, 0);
    on_loop(loop, close_feed, &d);
    /* It proves better: after half a minute without loss it gets more. */
    tick(40 * 30);
    feed_stats(a.feed, &st);
    CHECK(st.limit_fps == 15 || st.limit_fps == 0);
    ca->ops->close(ca);
    cb->ops->close(cb);
    on_loop(loop, close_feed, &a);
    on_loop(loop, close_feed, &b);
    tear_down();
}

/* H.265 has as much effort as this machine keeps up with, or as it is told; what is offered is what
 * is kept up with then. */
TEST(effort_follows_the_machine)
{
    static const struct {
        enum effort effort;
        double share; /* of what low effort takes at all pictures */
        bool thorough;
    } cases[] = {{EFFORT_AUTO, 0, true}, /* simulated time waits */
                 {EFFORT_AUTO, 2, true},
                 {EFFORT_AUTO, 1.2, false},
                 {EFFORT_LOW, 2, false},
                 {EFFORT_HIGH, 1.2, true}};
    set_up(true);
    double one = capacity_fps(CODEC_H265, W, H, 1e-6) * 1e6;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct pipeline_limits l = {
            .effort = cases[i].effort, .encoders = 8, .cores = cases[i].share * 30 / one};
        pipeline_set_limits(pipe_, &l);
        struct opening a = {.e = h264()}, b = {.e = h264()};
        a.e.codec = CODEC_H265;
        a.e.compression = b.e.compression = 10 + (int)i;
        on_loop(loop, open_feed, &a);
        on_loop(loop, open_feed, &b);
        CHECK(feed_encoding(a.feed)->thorough == cases[i].thorough);
        CHECK(!feed_encoding(b.feed)->thorough);
        double most = cases[i].effort == EFFORT_HIGH ? 1.2 / CAPACITY_THOROUGH : 1;
        CHECK_NEAR(pipeline_caps(pipe_, CODEC_H265, W, H), 30 * most, 1e-6);
        on_loop(loop, close_feed, &a);
        on_loop(loop, close_feed, &b);
    }
    tear_down();
}

/* What clients are told stays from start to start: what was measured is kept, and believed only of
 * this processor. */
TEST(what_the_machine_codes_is_kept)
{
    struct file_port *files = file_port_lossy(1);
    BUF(kept, 1024);
    bool old;
    capacity_keep(files);
    CHECK_INT(file_load_small(files, CAPACITY_FILE, kept.max, &kept, &old), -ENOENT);
    double fps = capacity_fps(CODEC_H264, W, H, 1);
    CHECK_INT(file_load_small(files, CAPACITY_FILE, kept.max, &kept, &old), 0);
    /* a start later: as it was measured to the last bit, and nothing is measured */
    capacity_keep(files);
    CHECK(capacity_fps(CODEC_H264, W, H, 1) == fps);
    JSON_AUTO *j = json_parse(kept.data, kept.len, NULL);
    json_object_set_new(j, "jpeg_ns_per_pixel", json_real(1000));
    buf_reset(&kept);
    json_write(&kept, j);
    file_save_small(files, CAPACITY_FILE, kept.data, kept.len);
    capacity_keep(files);
    double slow = capacity_fps(CODEC_H264, W, H, 1);
    CHECK(slow < fps / 2);
    static const char *const useless[] = {"", "{}", "[1]",
                                          "{\"processor\":\"abacus\",\"jpeg_ns_per_pixel\":1000.0}",
                                          "{\"processor\":7,\"jpeg_ns_per_pixel\":1000.0}"};
    for (size_t i = 0; i < sizeof useless / sizeof *useless; i++) {
        file_save_small(files, CAPACITY_FILE, useless[i], strlen(useless[i]));
        capacity_keep(files);
        CHECK(capacity_fps(CODEC_H264, W, H, 1) > slow * 2); /* measured anew */
    }
    json_object_set_new(j, "jpeg_ns_per_pixel", json_real(-1));
    buf_reset(&kept);
    json_write(&kept, j);
    file_save_small(files, CAPACITY_FILE, kept.data, kept.len);
    capacity_keep(files);
    CHECK(capacity_fps(CODEC_H264, W, H, 1) > slow * 2);
    capacity_keep(NULL);
    file_port_free(files);
}

UNIT_MAIN(UNIT_ROW(slow_machines_say_so_before) UNIT_ROW(effort_follows_the_machine)
              UNIT_ROW(what_the_machine_codes_is_kept))
