#include "media/pipeline.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "media/convert.h"
#include "pipeline_set.h"
#include "unit.h"

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
                  UNIT_ROW(each_codec_gets_its_colours)
                      UNIT_ROW(key_requests_are_shared_and_limited) UNIT_ROW(stills_share)
                          UNIT_ROW(churn))
