/* What tests of the pipeline stand on: one with a source that ticks, on a real or a simulated
 * clock. */
#ifndef TEST_PIPELINE_SET_H
#define TEST_PIPELINE_SET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/loop.h"
#include "media/frame.h"
#include "media/pipeline.h"
#include "on_loop.h"
#include "unit.h"

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

static inline void demand(bool w, void *arg)
{
    wanted = w;
}
static inline int paint(struct picture *canvas, const struct rendition_key *key,
                        const struct frame_part *part, const struct capture *how,
                        const struct stream_stats *stats, void *arg)
{
    painted++;
    CHECK(!stats || key->stream_tag);
    memset(canvas->plane[0], 235, (size_t)canvas->width);
    return true;
}
static inline unsigned paints(const struct rendition_key *key, bool *ret_per_stream, void *arg)
{
    *ret_per_stream = per_stream;
    return key->overlays;
}

static inline void *run_loop(void *arg)
{
    loop_run(loop);
    return NULL;
}

static inline void set_up(bool sim)
{
    clk = sim ? clock_new_sim() : clock_new_real();
    loop = loop_new(clk, "test");
    struct pipeline_hooks hooks = {.demand = demand, .paint = paint, .paints = paints};
    pipe_ = pipeline_new(loop, &hooks, W, H, 30);
    pool = picture_pool_new(W, H, true, 16);
    pthread_create(&loop_thread, NULL, run_loop, NULL);
}

static inline void free_pipe(void *arg)
{
    pipe_ = pipeline_free(pipe_);
}
static inline void tear_down(void)
{
    on_loop(loop, free_pipe, NULL);
    loop_stop(loop);
    pthread_join(loop_thread, NULL);
    loop_free(loop);
    picture_pool_unref(pool);
    clock_free(clk);
}

static inline void offer(int64_t time_ns)
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

static inline struct encoding h264(void)
{
    return (struct encoding){.codec = CODEC_H264,
                             .key = {1, W, H},
                             .compression = 30,
                             .gop = 32,
                             .profile = 2,
                             .stamp = true};
}
static inline struct encoding jpeg(void)
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
static inline void open_feed(void *arg)
{
    struct opening *o = arg;
    o->r = pipeline_open(pipe_, &o->e, &o->feed, &o->why);
}
static inline void close_feed(void *arg)
{
    struct opening *o = arg;
    o->feed = feed_close(o->feed);
}
static inline void ask_key(void *arg)
{
    struct opening *o = arg;
    feed_request_key(o->feed);
}
static inline void get_stats(void *arg)
{
    pipeline_stats(pipe_, arg);
}

static inline unsigned count_packets(struct cursor *c, unsigned *keys)
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
static inline void tick(int n)
{
    for (int i = 0; i < n; i++) {
        clock_work_begin(clk);
        offer(clock_now(clk));
        clock_work_end(clk);
        clock_wait_idle(clk);
        clock_advance(clk, (int64_t)(serial * NSEC_PER_SEC / 30) - clock_now(clk));
    }
}

#endif
