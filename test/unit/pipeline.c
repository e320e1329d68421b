#include "media/pipeline.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/json.h"
#include "base/loop.h"
#include "media/capacity.h"
#include "media/convert.h"
#include "media/frame.h"
#include "on_loop.h"
#include "unit.h"

/* A pipeline with a source that ticks, on a real or a simulated clock. */
#define W 320
#define H 180

static struct clock *clk;
static struct loop *loop;
static struct pipeline *pipe_;
static struct picture_pool *pool;
static pthread_t loop_thread;
static atomic_bool wanted;
static atomic_int painted;
static atomic_bool per_stream;
static uint64_t serial;
static bool still_scene;  /* pictures are alike … */
static int square_x = -1; /* … but for a square at this place */
static bool source_is_jfif;

static void demand(bool w, void *arg)
{
    wanted = w;
}
static int paint(struct picture *canvas, const struct rendition_key *key,
                 const struct frame_part *part, const struct capture *how,
                 const struct stream_stats *stats, void *arg)
{
    painted++;
    CHECK(!stats || key->stream_tag);
    memset(canvas->plane[0], 235, (size_t)canvas->width);
    return true;
}
static unsigned paints(const struct rendition_key *key, bool *ret_per_stream, void *arg)
{
    *ret_per_stream = per_stream;
    return key->overlays;
}

static void *run_loop(void *arg)
{
    loop_run(loop);
    return NULL;
}

static void set_up(bool sim)
{
    clk = sim ? clock_new_sim() : clock_new_real();
    loop = loop_new(clk, "test");
    struct pipeline_hooks hooks = {.demand = demand, .paint = paint, .paints = paints};
    pipe_ = pipeline_new(loop, &hooks, W, H, 30);
    pool = picture_pool_new(W, H, true, 16);
    pthread_create(&loop_thread, NULL, run_loop, NULL);
}

static void free_pipe(void *arg)
{
    pipe_ = pipeline_free(pipe_);
}
static void tear_down(void)
{
    on_loop(loop, free_pipe, NULL);
    loop_stop(loop);
    pthread_join(loop_thread, NULL);
    loop_free(loop);
    picture_pool_unref(pool);
    clock_free(clk);
}

static void offer(int64_t time_ns)
{
    struct picture *p = picture_get(pool);
    if (!p)
        return;
    if (source_is_jfif) {
        p->matrix = COLOUR_BT601;
        p->range = RANGE_FULL;
    }
    picture_fill(p, still_scene ? 90 : (uint8_t)(16 + serial % 200), 100, 150);
    for (int y = 60; square_x >= 0 && y < 100; y++)
        memset(p->plane[0] + y * p->stride[0] + square_x, 220, 40);
    struct capture how = {.serial = serial++,
                          .start_ns = time_ns,
                          .end_ns = time_ns,
                          .utc_ns = clock_utc_of(clk, time_ns)};
    how.pose_start.known = how.pose_end.known = true;
    pipeline_offer(pipe_, frame_new(p, &how));
}

static struct encoding h264(void)
{
    return (struct encoding){.codec = CODEC_H264,
                             .key = {1, W, H},
                             .compression = 30,
                             .gop = 32,
                             .profile = 2,
                             .stamp = true};
}
static struct encoding jpeg(void)
{
    return (struct encoding){
        .codec = CODEC_JPEG, .key = {1, W, H}, .compression = 30, .stamp = true};
}

struct opening {
    struct encoding e;
    struct feed *feed;
    struct fault why;
    int r;
};
static void open_feed(void *arg)
{
    struct opening *o = arg;
    o->r = pipeline_open(pipe_, &o->e, &o->feed, &o->why);
}
static void close_feed(void *arg)
{
    struct opening *o = arg;
    o->feed = feed_close(o->feed);
}
static void ask_key(void *arg)
{
    struct opening *o = arg;
    feed_request_key(o->feed);
}
static void get_stats(void *arg)
{
    pipeline_stats(pipe_, arg);
}

static unsigned count_packets(struct cursor *c, unsigned *keys)
{
    struct packet *p;
    uint64_t lost;
    unsigned n = 0;
    while (cursor_next(c, &p, &lost) == 0) {
        n++;
        *keys += p->flags & PACKET_KEY ? 1 : 0;
        packet_unref(p);
    }
    return n;
}

/* Simulated time; ticks are made by hand between advances. */
static void tick(int n)
{
    for (int i = 0; i < n; i++) {
        clock_work_begin(clk);
        offer(clock_now(clk));
        clock_work_end(clk);
        clock_wait_idle(clk);
        clock_advance(clk, (int64_t)(serial * NSEC_PER_SEC / 30) - clock_now(clk));
    }
}

TEST(shares_and_lingers)
{
    set_up(true);
    struct opening a = {.e = h264()}, b = {.e = h264()}, c = {.e = h264()};
    b.e.fps = 30; /* the source's rate is no other wish */
    c.e.fps = 10;
    CHECK(!wanted);
    on_loop(loop, open_feed, &a);
    CHECK(wanted);
    on_loop(loop, open_feed, &b);
    on_loop(loop, open_feed, &c);
    CHECK(feed_stream(a.feed) == feed_stream(b.feed));
    CHECK(feed_stream(a.feed) != feed_stream(c.feed));
    struct cursor *ca = stream_cursor(feed_stream(a.feed)),
                  *cc = stream_cursor(feed_stream(c.feed));
    tick(60);
    unsigned keys = 0, n = count_packets(ca, &keys);
    CHECK_INT(n, 60);
    CHECK_INT(keys, 2);
    CHECK_INT(count_packets(cc, &keys), 20);
    struct pipeline_stats st;
    on_loop(loop, get_stats, &st);
    CHECK_INT(st.encoders, 2);
    CHECK_INT(st.feeds, 3);
    CHECK_INT(st.renditions, 1);
    CHECK_INT(st.renditions_painted, 0); /* the frame itself served */
    struct stream_format f;
    CHECK(stream_get_format(feed_stream(a.feed), &f));
    CHECK_INT(f.sps[0] & 31, 7);

    ca->ops->close(ca);
    cc->ops->close(cc);
    on_loop(loop, close_feed, &a);
    on_loop(loop, close_feed, &b);
    on_loop(loop, close_feed, &c);
    clock_advance(clk, 4 * NSEC_PER_SEC);
    CHECK(wanted);
    on_loop(loop, open_feed, &a); /* still warm */
    on_loop(loop, get_stats, &st);
    CHECK_INT(st.encoders, 2);
    clock_advance(clk, 2 * NSEC_PER_SEC);
    on_loop(loop, get_stats, &st);
    CHECK_INT(st.encoders, 1);
    on_loop(loop, close_feed, &a);
    clock_advance(clk, 6 * NSEC_PER_SEC);
    CHECK(!wanted);
    tear_down();
}

/* Whenever it begins, the first picture comes at once and the others keep their step. */
TEST(lower_rate_keeps_its_step)
{
    for (int late = 0; late < 3; late++) {
        serial = 0;
        set_up(true);
        struct opening all = {.e = h264()}, some = {.e = h264()};
        some.e.fps = 10;
        on_loop(loop, open_feed, &all);
        tick(3 + late);
        on_loop(loop, open_feed, &some);
        int64_t last_ns = clock_now(clk) - NSEC_PER_SEC / 10;
        struct cursor *c = stream_cursor(feed_stream(some.feed));
        tick(30);
        struct packet *p;
        uint64_t lost;
        int n = 0;
        for (; cursor_next(c, &p, &lost) == 0; n++) {
            CHECK_NEAR((double)(p->time_ns - last_ns), (double)NSEC_PER_SEC / 10, 2);
            last_ns = p->time_ns;
            packet_unref(p);
        }
        CHECK_INT(n, 10);
        c->ops->close(c);
        on_loop(loop, close_feed, &all);
        on_loop(loop, close_feed, &some);
        tear_down();
    }
}

/* The middle of a stream's first picture: its samples as they are coded. */
static void first_samples(enum AVCodecID codec, struct cursor *c, uint8_t ret[3])
{
    struct packet *p;
    uint64_t lost;
    CHECK_INT(cursor_next(c, &p, &lost), 0);
    AVCodecContext *decoder = avcodec_alloc_context3(avcodec_find_decoder(codec));
    AVPacket *coded = av_packet_alloc();
    AVFrame *f = av_frame_alloc();
    CHECK_INT(avcodec_open2(decoder, NULL, NULL), 0);
    CHECK_INT(av_new_packet(coded, (int)p->len), 0);
    memcpy(coded->data, p->bytes, p->len);
    CHECK_INT(avcodec_send_packet(decoder, coded), 0);
    avcodec_send_packet(decoder, NULL);
    CHECK_INT(avcodec_receive_frame(decoder, f), 0);
    for (int i = 0; i < 3; i++)
        ret[i] = f->data[i][(i ? H / 4 : H / 2) * f->linesize[i] + (i ? W / 4 : W / 2)];
    av_frame_free(&f);
    av_packet_free(&coded);
    avcodec_free_context(&decoder);
    packet_unref(p);
    c->ops->close(c);
}

/* A camera at USB has JFIF's colours: they stay in JPEG, video gets its own. */
TEST(each_codec_gets_its_colours)
{
    set_up(true);
    still_scene = source_is_jfif = true;
    struct opening video = {.e = h264()}, still = {.e = jpeg()};
    on_loop(loop, open_feed, &video);
    on_loop(loop, open_feed, &still);
    struct cursor *of_video = stream_cursor(feed_stream(video.feed)),
                  *of_still = stream_cursor(feed_stream(still.feed));
    tick(3);
    struct pipeline_stats st;
    on_loop(loop, get_stats, &st);
    CHECK_INT(st.renditions, 1);
    const uint8_t as_it_is[3] = {90, 100, 150};
    uint8_t seen[3];
    first_samples(AV_CODEC_ID_MJPEG, of_still, seen);
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(seen[i], as_it_is[i], 3);
    struct picture *want = picture_get(pool), *from = picture_get(pool);
    from->matrix = COLOUR_BT601;
    from->range = RANGE_FULL;
    picture_fill(from, as_it_is[0], as_it_is[1], as_it_is[2]);
    picture_convert(want, from);
    CHECK(want->plane[1][0] > as_it_is[1] + 3); /* can be told apart */
    first_samples(AV_CODEC_ID_H264, of_video, seen);
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(seen[i], want->plane[i][0], 2);
    picture_unref(want);
    picture_unref(from);
    on_loop(loop, close_feed, &video);
    on_loop(loop, close_feed, &still);
    still_scene = source_is_jfif = false;
    tear_down();
}

TEST(paints_once_for_all)
{
    set_up(true);
    struct opening a = {.e = h264()}, b = {.e = h264()}, j = {.e = jpeg()};
    a.e.key.overlays = b.e.key.overlays = true;
    a.e.key.width = b.e.key.width = 160;
    a.e.key.height = b.e.key.height = 90;
    b.e.compression = 50;
    on_loop(loop, open_feed, &a);
    on_loop(loop, open_feed, &b);
    on_loop(loop, open_feed, &j);
    tick(5);
    struct pipeline_stats st;
    on_loop(loop, get_stats, &st);
    CHECK_INT(st.renditions, 2);
    CHECK_INT(painted, 5);
    CHECK_INT(st.renditions_painted, 5); /* JPEG is coded from the frame itself */
    CHECK_INT(st.pictures_coded, 15);
    /* text that names figures of a stream splits what was shared, and back */
    per_stream = true;
    on_loop(loop, (void (*)(void *))pipeline_repaint, pipe_);
    tick(3);
    on_loop(loop, get_stats, &st);
    CHECK_INT(st.renditions, 3);
    CHECK_INT(painted, 11);
    per_stream = false;
    on_loop(loop, (void (*)(void *))pipeline_repaint, pipe_);
    tick(2);
    on_loop(loop, get_stats, &st);
    CHECK_INT(st.renditions, 2);
    CHECK_INT(painted, 13);
    CHECK_INT(st.pictures_coded, 30);
    on_loop(loop, close_feed, &a);
    on_loop(loop, close_feed, &b);
    on_loop(loop, close_feed, &j);
    tear_down();
}

TEST(limit_names_the_parameter)
{
    set_up(true);
    struct opening o[10];
    for (int i = 0; i < 9; i++) {
        o[i] = (struct opening){.e = h264()};
        o[i].e.compression = i;
        on_loop(loop, open_feed, &o[i]);
    }
    CHECK_INT(o[8].r, -ENOSPC);
    CHECK_INT(o[8].why.kind, FAULT_LIMIT);
    CHECK_STR(o[8].why.name, "Image.MaxEncoders");
    on_loop(loop, close_feed, &o[3]); /* a lingering one makes room */
    on_loop(loop, open_feed, &o[8]);
    CHECK_INT(o[8].r, 0);
    o[9] = (struct opening){.e = h264()};
    o[9].e.key.width = 321;
    on_loop(loop, open_feed, &o[9]);
    CHECK_INT(o[9].why.kind, FAULT_INVALID);
    for (int i = 0; i < 9; i++)
        on_loop(loop, close_feed, &o[i]);
    tear_down();
}

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

TEST(key_requests_are_shared_and_limited)
{
    set_up(true);
    struct opening a = {.e = h264()};
    a.e.gop = 1000;
    on_loop(loop, open_feed, &a);
    struct cursor *c = stream_cursor(feed_stream(a.feed));
    unsigned keys = 0;
    on_loop(loop, ask_key, &a);
    tick(45);
    count_packets(c, &keys);
    CHECK_INT(keys, 1);
    on_loop(loop, ask_key, &a);
    on_loop(loop, ask_key, &a);
    tick(1);
    on_loop(loop, ask_key, &a);
    on_loop(loop, ask_key, &a);
    keys = 0;
    tick(3);
    count_packets(c, &keys);
    CHECK_INT(keys, 1);
    keys = 0;
    tick(60);
    count_packets(c, &keys);
    CHECK_INT(keys, 1);
    c->ops->close(c);
    on_loop(loop, close_feed, &a);
    tear_down();
}

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

struct asking {
    struct encoding e;
    struct still *still;
    int calls, err;
    const void *bytes;
    uint64_t serial;
    struct fault why;
    int r;
};
static void got(struct packet *p, int err, void *arg)
{
    struct asking *a = arg;
    a->calls++;
    a->err = err;
    a->still = NULL;
    if (p) {
        a->bytes = p->bytes;
        a->serial = p->how.serial;
        CHECK(p->len > 100 && p->bytes[0] == 0xff && p->bytes[1] == 0xd8);
        CHECK(memmem(p->bytes, 200, "{\"serial\":", 10));
    }
}
static void ask_still(void *arg)
{
    struct asking *a = arg;
    a->r = pipeline_still(pipe_, &a->e, got, a, &a->still, &a->why);
}
static void ask_if_free(void *arg)
{
    struct asking *a = arg;
    a->e = jpeg();
    if (!a->still)
        ask_still(a);
}
static void cancel(void *arg)
{
    struct asking *a = arg;
    still_cancel(a->still);
}

TEST(stills_share)
{
    set_up(true);
    struct asking a = {.e = jpeg()}, b = {.e = jpeg()}, c = {.e = jpeg()}, d = {.e = jpeg()};
    c.e.compression = 80;
    on_loop(loop, ask_still, &a);
    CHECK(wanted);
    on_loop(loop, ask_still, &b);
    on_loop(loop, ask_still, &c);
    on_loop(loop, ask_still, &d);
    on_loop(loop, cancel, &d);
    CHECK_INT(a.calls, 0);
    offer(clock_now(clk));
    clock_wait_idle(clk);
    CHECK_INT(a.calls, 1);
    CHECK_INT(b.calls, 1);
    CHECK_INT(c.calls, 1);
    CHECK_INT(d.calls, 0);
    CHECK(a.bytes == b.bytes && a.bytes != c.bytes);
    const void *before = a.bytes;
    on_loop(loop, ask_still, &a); /* the same picture: the same bytes */
    clock_wait_idle(clk);
    CHECK_INT(a.calls, 2);
    CHECK(a.bytes == before);
    struct pipeline_stats st;
    on_loop(loop, get_stats, &st);
    CHECK_INT(st.pictures_coded, 2);
    offer(clock_now(clk));
    on_loop(loop, ask_still, &a);
    clock_wait_idle(clk);
    CHECK_INT(a.calls, 3);
    CHECK_INT(a.serial, 1);
    /* a running stream of the same kind has it already */
    struct opening s = {.e = jpeg()};
    on_loop(loop, open_feed, &s);
    clock_advance(clk, NSEC_PER_SEC / 30);
    offer(clock_now(clk));
    clock_wait_idle(clk);
    on_loop(loop, get_stats, &st);
    uint64_t coded = st.pictures_coded;
    on_loop(loop, ask_still, &a);
    clock_wait_idle(clk);
    CHECK_INT(a.serial, 2);
    on_loop(loop, get_stats, &st);
    CHECK_INT(st.pictures_coded, coded);
    on_loop(loop, close_feed, &s);
    clock_advance(clk, 6 * NSEC_PER_SEC);
    CHECK(!wanted);
    on_loop(loop, ask_still, &a);
    CHECK(wanted);
    CHECK_INT(a.calls, 4);
    tear_down();
    CHECK_INT(a.err, -ECANCELED);
}

static atomic_bool over;
static void *source_run(void *arg)
{
    int64_t start = clock_now(clk);
    for (int k = 0; !over; k++) {
        while (clock_now(clk) - start < k * NSEC_PER_SEC / 200)
            usleep(500);
        offer(clock_now(clk));
    }
    return NULL;
}

TEST(churn)
{
    set_up(false);
    pthread_t source;
    pthread_create(&source, NULL, source_run, NULL);
    enum { N = 6 };
    struct opening o[N] = {0};
    struct asking st[N] = {0};
    unsigned rnd = 1;
    for (int i = 0; i < 300; i++) {
        rnd = rnd * 1103515245 + 12345;
        unsigned at = (rnd >> 16) % N;
        if (o[at].feed) {
            on_loop(loop, ask_key, &o[at]);
            on_loop(loop, close_feed, &o[at]);
        } else {
            o[at].e = at % 2 ? jpeg() : h264();
            o[at].e.compression = (int)(at * 10 + (rnd >> 20) % 3);
            o[at].e.key.overlays = at > 2;
            o[at].e.key.width = at == 5 ? 160 : W;
            on_loop(loop, open_feed, &o[at]);
            if (o[at].r == 0) {
                struct cursor *c = stream_cursor(feed_stream(o[at].feed));
                unsigned keys = 0;
                usleep(2000);
                count_packets(c, &keys);
                c->ops->close(c);
            }
        }
        if (i % 5 == 0)
            on_loop(loop, ask_if_free, &st[at]);
        if (i % 20 == 0) {
            per_stream = !per_stream;
            on_loop(loop, (void (*)(void *))pipeline_repaint, pipe_);
        }
        usleep(1000);
    }
    over = true;
    pthread_join(source, NULL);
    for (int i = 0; i < N; i++) {
        if (o[i].feed)
            on_loop(loop, close_feed, &o[i]);
        CHECK(st[i].err == 0);
    }
    tear_down();
}

UNIT_MAIN(UNIT_ROW(shares_and_lingers) UNIT_ROW(lower_rate_keeps_its_step)
              UNIT_ROW(paints_once_for_all) UNIT_ROW(limit_names_the_parameter)
                  UNIT_ROW(each_codec_gets_its_colours) UNIT_ROW(slow_machines_say_so_before)
                      UNIT_ROW(effort_follows_the_machine) UNIT_ROW(what_the_machine_codes_is_kept)
                          UNIT_ROW(key_requests_are_shared_and_limited) UNIT_ROW(stills_share)
                              UNIT_ROW(smart_streams_look_once)
                                  UNIT_ROW(calm_scenes_have_few_pictures) UNIT_ROW(churn))
