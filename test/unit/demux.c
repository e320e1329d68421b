/* Video files as the sensor: demux, the file device, and the source thread on it. */
#include "media/demux.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/loop.h"
#include "device/device.h"
#include "event/event.h"
#include "image/develop.h"
#include "image/source.h"
#include "media/pipeline.h"
#include "media/shot.h"
#include "on_loop.h"
#include "unit.h"

#define CLIP "/usr/share/doc/opencv-doc/examples/data/vtest.avi"
#define W 64
#define H 48

static char dir[] = "/tmp/vedette-demux-XXXXXX", path[64], spec[80];

/* Raw video: the luma of picture i is 30 + 10 i, brighter on the right half. */
static void write_clip(int pictures, int width)
{
    char tmp[80];
    snprintf(tmp, sizeof(tmp), "%s/new", dir);
    FILE *f = fopen(tmp, "w");
    fprintf(f, "YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n", width, H);
    for (int i = 0; i < pictures; i++) {
        fprintf(f, "FRAME\n");
        for (int p = 0; p < width * H; p++)
            fputc(30 + 10 * i + (p % width >= width / 2 ? 5 : 0), f);
        for (int p = 0; p < width * H / 2; p++)
            fputc(128, f);
    }
    fclose(f);
    rename(tmp, path);
}

static void make_dir(void)
{
    CHECK(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/clip.y4m", dir);
    snprintf(spec, sizeof(spec), "file:%s", path);
}
static void remove_dir(void)
{
    unlink(path);
    rmdir(dir);
}

TEST(decodes_and_rewinds)
{
    make_dir();
    write_clip(5, W);
    struct demux *d;
    struct demux_info info;
    struct fault why;
    CHECK_INT(demux_open(open(path, O_RDONLY), &d, &info, &why), 0);
    CHECK_INT(info.width, W);
    CHECK_INT(info.height, H);
    CHECK_NEAR(info.fps, 10, 1e-6);
    CHECK_INT(info.matrix, COLOUR_BT601);
    struct picture_pool *pool = picture_pool_new(W, H, false, 1);
    struct picture *p = picture_get(pool);
    for (int round = 0; round < 3; round++) {
        int64_t time_ns;
        for (int i = 0; i < 5; i++) {
            CHECK_INT(demux_next(d, p, &time_ns), 0);
            CHECK_INT(time_ns, i * 100 * NSEC_PER_MSEC);
            CHECK_NEAR(p->plane[0][5], 30 + 10 * i, 6);
        }
        CHECK_INT(demux_next(d, p, &time_ns), -ENODATA);
        CHECK_INT(demux_rewind(d), 0);
    }
    picture_unref(p);
    picture_pool_unref(pool);
    demux_close(d);
    remove_dir();
}

TEST(refuses_what_is_no_video)
{
    make_dir();
    struct demux *d;
    struct demux_info info;
    struct fault why;
    static const char *const bad[] = {"", "hello", "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
                                      "YUV4MPEG2 W1 H1 F10:1\nFRAME\n",
                                      "ffconcat version 1.0\nfile /etc/passwd\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        FILE *f = fopen(path, "w");
        fputs(bad[i], f);
        fclose(f);
        CHECK(demux_open(open(path, O_RDONLY), &d, &info, &why) < 0);
    }
    remove_dir();
}

TEST(the_street_clip)
{
    int fd = open(CLIP, O_RDONLY);
    if (fd < 0) {
        printf("# skipped: no %s (Debian package opencv-doc)\n", CLIP);
        return;
    }
    struct demux *d;
    struct demux_info info;
    CHECK_INT(demux_open(fd, &d, &info, NULL), 0);
    CHECK_INT(info.width, 768);
    CHECK_INT(info.height, 576);
    CHECK_NEAR(info.fps, 10, 0.01);
    struct picture_pool *pool = picture_pool_new(768, 576, false, 1);
    struct picture *p = picture_get(pool);
    int n = 0;
    int64_t time_ns;
    while (n < 60 && demux_next(d, p, &time_ns) == 0)
        n++;
    CHECK_INT(n, 60);
    picture_unref(p);
    picture_pool_unref(pool);
    demux_close(d);
}

/* ---- the device ---- */

static int luma(const struct shot *s, double x, double y)
{
    const struct picture *p = s->pixels;
    return p->plane[0][(int)(y * p->height) * p->stride[0] + (int)(x * p->width)];
}

TEST(loops_without_a_seam)
{
    make_dir();
    write_clip(5, W);
    struct clock *clk = clock_new_sim();
    struct device *dev = device_open(spec, 1, clk, NULL, NULL);
    CHECK(dev && dev->head && !dev->world);
    struct sensor_caps caps;
    dev->sensor->ops->caps(dev->sensor, &caps);
    CHECK_INT(caps.width, W);
    CHECK_NEAR(caps.fps, 10, 1e-6);
    for (int k = 0; k < 23; k++) {
        struct shot *s;
        CHECK_INT(dev->sensor->ops->take(dev->sensor, (uint64_t)k, k * 100 * NSEC_PER_MSEC, &s), 0);
        CHECK_INT(s->how.serial, k);
        CHECK_INT(s->how.start_ns, k * 100 * NSEC_PER_MSEC);
        CHECK(s->how.pose_start.known);
        CHECK_INT(s->pixels->matrix, COLOUR_BT709);
        CHECK_NEAR(luma(s, 0.2, 0.5), 30 + 10 * (k % 5), 8);
        shot_unref(s);
    }
    /* ticks that are left out leave out their pictures */
    struct shot *s;
    CHECK_INT(dev->sensor->ops->take(dev->sensor, 23, 2600 * NSEC_PER_MSEC, &s), 0);
    CHECK_NEAR(luma(s, 0.2, 0.5), 30 + 10 * (26 % 5), 8);
    shot_unref(s);
    dev->close(dev);
    clock_free(clk);
    remove_dir();
}

TEST(turns_and_zooms)
{
    make_dir();
    write_clip(5, W);
    struct clock *clk = clock_new_sim();
    struct device *dev = device_open(spec, 1, clk, NULL, NULL);
    struct head *h = dev->head;
    struct head_caps caps;
    h->ops->caps(h, &caps);
    struct pose p;
    h->ops->pose(h, 0, &p);
    CHECK_NEAR(p.hfov_deg, 60, 1e-9);
    /* at zoom 1 there is nowhere to turn to */
    h->ops->go(h, 20, 0, NAN, 1);
    clock_advance(clk, NSEC_PER_SEC);
    h->ops->pose(h, clock_now(clk), &p);
    CHECK_NEAR(p.pan_deg, 0, 1e-9);
    h->ops->go(h, caps.max_pan_deg, 0, 8, 1);
    CHECK(h->ops->moving(h, clock_now(clk)));
    clock_advance(clk, 4 * NSEC_PER_SEC);
    h->ops->pose(h, clock_now(clk), &p);
    CHECK(!h->ops->moving(h, clock_now(clk)));
    CHECK_NEAR(p.zoom, 8, 1e-9);
    CHECK_NEAR(p.pan_deg, caps.max_pan_deg, 1e-9);
    CHECK_NEAR(p.hfov_deg, caps.tele_hfov_deg, 1e-9);
    struct shot *s;
    CHECK_INT(dev->sensor->ops->take(dev->sensor, 0, clock_now(clk), &s), 0);
    CHECK_NEAR(s->how.pose_start.pan_deg, caps.max_pan_deg, 1e-9);
    int right = luma(s, 0.1, 0.5), base = right;
    CHECK_INT(luma(s, 0.9, 0.5), right); /* all of it lies in the right half */
    shot_unref(s);
    h->ops->move(h, -10, NAN, NAN);
    clock_advance(clk, NSEC_PER_SEC);
    h->ops->stop(h, true, true);
    clock_advance(clk, NSEC_PER_SEC);
    h->ops->pose(h, clock_now(clk), &p);
    CHECK_NEAR(p.pan_deg, caps.max_pan_deg - 10, 1e-6);
    h->ops->pose(h, clock_now(clk) - 3 * NSEC_PER_SEC / 2, &p); /* where it was */
    CHECK_NEAR(p.pan_deg, caps.max_pan_deg - 5, 1e-6);
    /* the border of the halves is straight ahead */
    h->ops->go(h, 0, 0, NAN, 1);
    clock_advance(clk, 3 * NSEC_PER_SEC);
    CHECK_INT(dev->sensor->ops->take(dev->sensor, 1, clock_now(clk), &s), 0);
    double x, y;
    CHECK(pose_project(&s->how.pose_start, (double)W / H, 0, 0, &x, &y));
    CHECK_NEAR(x, 0.5, 1e-9);
    CHECK(luma(s, 0.95, 0.5) - luma(s, 0.05, 0.5) >= 4);
    shot_unref(s);
    CHECK(base > 0);
    dev->close(dev);
    clock_free(clk);
    remove_dir();
}

TEST(gone_broken_and_back)
{
    make_dir();
    struct clock *clk = clock_new_sim();
    struct device *dev = device_open(spec, 1, clk, NULL, NULL);
    CHECK(dev); /* it may come later */
    struct sensor *sensor = dev->sensor;
    struct shot *s;
    int64_t t = 0, second = NSEC_PER_SEC;
    CHECK_INT(sensor->ops->take(sensor, 0, t, &s), -ENODATA);
    write_clip(5, W);
    CHECK_INT(sensor->ops->take(sensor, 1, t + second / 2, &s), -ENODATA); /* once a second */
    CHECK_INT(sensor->ops->take(sensor, 2, t += second, &s), 0);
    CHECK_INT(s->pixels->width, 1280); /* settled at start; shown whole, with bars */
    CHECK_NEAR(luma(s, 0.5, 0.5), 35, 8);
    CHECK_INT(luma(s, 0.02, 0.5), 16);
    shot_unref(s);
    unlink(path);
    CHECK_INT(sensor->ops->take(sensor, 3, t += second, &s), -ENODATA);
    write_clip(3, 2 * W); /* another one */
    CHECK_INT(sensor->ops->take(sensor, 4, t += second, &s), 0);
    CHECK_NEAR(luma(s, 0.05, 0.5), 30, 8);
    shot_unref(s);
    write_clip(0, W); /* replaced by one without pictures */
    CHECK_INT(sensor->ops->take(sensor, 5, t += second, &s), -ENODATA);
    write_clip(2, W);
    CHECK_INT(sensor->ops->take(sensor, 6, t += second, &s), 0);
    shot_unref(s);
    dev->close(dev);
    struct fault why = {0};
    CHECK(!device_open("file:/nowhere/at/all.avi", 1, clk, NULL, &why));
    CHECK_INT(why.kind, FAULT_UNKNOWN);
    clock_free(clk);
    remove_dir();
}

/* ---- the source thread ---- */

static struct clock *clk;
static struct loop *loop;
static struct events *events;
static struct pipeline *pipe_;
static struct source *source;
static pthread_t loop_thread;
static int losses, returns;

static void demand(bool wanted, void *arg)
{
    source_demand(source, wanted);
}
static void heard(struct event_listener *l, const struct event *ev)
{
    if (ev->data[0].value[0] == '1')
        losses++;
    else
        returns++;
}
static void *run_loop(void *arg)
{
    loop_run(loop);
    return NULL;
}

static struct feed *feed;
static void open_feed(void *arg)
{
    struct encoding e = {.codec = CODEC_H264,
                         .key = {1, W, H},
                         .compression = 30,
                         .gop = 20,
                         .profile = 2,
                         .stamp = true};
    CHECK_INT(pipeline_open(pipe_, &e, &feed, NULL), 0);
}
static void close_feed(void *arg)
{
    feed = feed_close(feed);
}
static void free_pipe(void *arg)
{
    pipe_ = pipeline_free(pipe_);
}

TEST(source_ticks_and_survives_loss)
{
    make_dir();
    write_clip(5, W);
    clk = clock_new_sim();
    loop = loop_new(clk, "test");
    events = events_new(loop);
    struct event_listener listener = {.heard = heard, .filter = "VideoSource/SignalLoss"};
    events_listen(events, &listener);
    struct device *dev = device_open(spec, 1, clk, events, NULL);
    struct masks *masks = masks_new();
    source = source_new(clk, dev->sensor, events, masks, NULL);
    struct pipeline_hooks hooks = {.demand = demand};
    pipe_ = pipeline_new(loop, &hooks, W, H, 10);
    source_set_pipeline(source, pipe_);
    pthread_create(&loop_thread, NULL, run_loop, NULL);

    clock_advance(clk, 30 * NSEC_PER_SEC + 30 * NSEC_PER_MSEC);
    struct source_stats st;
    source_stats(source, &st);
    CHECK_INT(st.shots, 0); /* nobody watches */
    on_loop(loop, open_feed, NULL);
    clock_wait_idle(clk);
    struct stream_stats ss;
    stream_stats(feed_stream(feed), &ss);
    CHECK_INT(ss.packets, 1); /* the current tick, at once */
    CHECK_INT(ss.newest_ns, 30 * NSEC_PER_SEC);
    clock_advance(clk, 2 * NSEC_PER_SEC);
    stream_stats(feed_stream(feed), &ss);
    CHECK_INT(ss.packets, 21);
    CHECK_NEAR(ss.fps, 10, 0.01);
    unlink(path);
    clock_advance(clk, 2 * NSEC_PER_SEC);
    CHECK_INT(losses, 1);
    struct capture how;
    CHECK(source_newest(source, &how));
    CHECK(how.no_signal);
    write_clip(5, W);
    clock_advance(clk, 2 * NSEC_PER_SEC);
    CHECK_INT(returns, 2); /* at the start, and now */
    CHECK(source_newest(source, &how));
    CHECK(!how.no_signal);
    stream_stats(feed_stream(feed), &ss);
    CHECK_INT(ss.packets, 61); /* placeholders kept it alive */
    on_loop(loop, close_feed, NULL);
    clock_advance(clk, 10 * NSEC_PER_SEC);
    source_stats(source, &st);
    uint64_t shots = st.shots;
    CHECK_INT(st.late, 0);
    clock_advance(clk, 3600 * NSEC_PER_SEC);
    source_stats(source, &st);
    CHECK_INT(st.shots, shots);

    source = source_free(source);
    on_loop(loop, free_pipe, NULL);
    loop_stop(loop);
    pthread_join(loop_thread, NULL);
    masks_free(masks);
    dev->close(dev);
    events_unlisten(events, &listener);
    events_free(events);
    loop_free(loop);
    clock_free(clk);
    remove_dir();
}

UNIT_MAIN(UNIT_ROW(decodes_and_rewinds) UNIT_ROW(refuses_what_is_no_video) UNIT_ROW(the_street_clip)
              UNIT_ROW(loops_without_a_seam) UNIT_ROW(turns_and_zooms)
                  UNIT_ROW(gone_broken_and_back) UNIT_ROW(source_ticks_and_survives_loss))
