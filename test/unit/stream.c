#include "media/stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "unit.h"

static struct clock *clk;
static struct stream *make(size_t max_bytes, int64_t max_ns)
{
    if (!clk)
        clk = clock_new_sim();
    struct stream_format f = {.codec = CODEC_JPEG, .width = 16, .height = 16, .fps = 25};
    struct stream_window w = {max_bytes, max_ns};
    return stream_new(clk, &f, &w);
}

static void add(struct stream *s, int64_t time_ns, size_t len, bool key)
{
    struct packet *p = packet_new(NULL, len, NULL, NULL);
    p->time_ns = time_ns;
    p->flags = key ? PACKET_KEY : 0;
    stream_append(s, p);
}

static int64_t next(struct cursor *c, uint64_t *lost)
{
    struct packet *p;
    int r = cursor_next(c, &p, lost);
    if (r < 0)
        return r;
    r = (int)p->serial;
    packet_unref(p);
    return r;
}

TEST(starts_at_the_newest_key)
{
    struct stream *s = make(1 << 20, 10 * NSEC_PER_SEC);
    struct cursor *early = stream_cursor(s);
    uint64_t lost;
    CHECK_INT(next(early, &lost), -EAGAIN);
    for (int i = 0; i < 10; i++)
        add(s, i * 40 * NSEC_PER_MSEC, 100, i % 4 == 0);
    struct cursor *c = stream_cursor(s);
    CHECK_INT(next(c, &lost), 8);
    CHECK_INT(next(c, &lost), 9);
    CHECK_INT(next(c, &lost), -EAGAIN);
    CHECK_INT(next(early, &lost), 0);
    CHECK_INT(lost, 0);
    CHECK_INT(next(early, &lost), 1);
    CHECK_INT(cursor_skip_to_key(early), 6);
    CHECK_INT(next(early, &lost), 8);
    CHECK_INT(cursor_skip_to_key(early), 0);
    CHECK_INT(early->ops->seek_time(early, 5 * 40 * NSEC_PER_MSEC), 0);
    CHECK_INT(next(early, &lost), 4);
    stream_end(s);
    CHECK_INT(next(c, &lost), -EPIPE);
    CHECK_INT(next(early, &lost), 5); /* what was there is still read */
    struct stream_stats st;
    stream_stats(s, &st);
    CHECK_INT(st.readers, 2);
    CHECK_INT(st.keys, 3);
    early->ops->close(early);
    c->ops->close(c);
    stream_unref(s);
    clock_free(clk);
}

TEST(falls_off_the_tail_to_a_key)
{
    struct stream *s = make(1000, 10 * NSEC_PER_SEC);
    struct cursor *c = stream_cursor(s);
    uint64_t lost;
    add(s, 0, 100, true);
    CHECK_INT(next(c, &lost), 0);
    for (int i = 1; i < 30; i++)
        add(s, i, 100, i % 4 == 0);
    CHECK_INT(next(c, &lost), 20); /* 20…29 are left */
    CHECK_INT(lost, 19);
    CHECK_INT(next(c, &lost), 21);
    CHECK_INT(lost, 0);
    /* a group longer than the window: nothing to start from */
    for (int i = 30; i < 60; i++)
        add(s, i, 100, false);
    struct cursor *late = stream_cursor(s);
    CHECK_INT(next(late, &lost), -EAGAIN);
    CHECK_INT(next(c, &lost), -EAGAIN);
    add(s, 60, 100, true);
    CHECK_INT(next(late, &lost), 60);
    CHECK_INT(lost, 0);
    CHECK_INT(next(c, &lost), 60);
    CHECK_INT(lost, 38);
    late->ops->close(late);
    c->ops->close(c);
    stream_unref(s);
    clock_free(clk);
}

TEST(window_keeps_seconds_and_the_newest_group)
{
    struct stream *s = make(1 << 20, NSEC_PER_SEC);
    for (int i = 0; i < 500; i++) /* a key every 4 s: the group stays though too old */
        add(s, i * 40 * NSEC_PER_MSEC, 10, i % 100 == 0);
    struct cursor *c = stream_cursor(s);
    uint64_t lost;
    CHECK_INT(next(c, &lost), 400);
    c->ops->seek_time(c, 0);
    CHECK_INT(next(c, &lost), 400);
    c->ops->close(c);
    stream_unref(s);
    clock_free(clk);
}

static int three(const struct packet *p, enum codec codec)
{
    return 3;
}

TEST(rtp_identity_and_rates)
{
    stream_set_rtp_count(three);
    struct stream *s = make(1 << 20, 4 * NSEC_PER_SEC);
    for (int i = 0; i <= 75; i++) {
        add(s, clock_now(clk), 1250, true);
        if (i < 75)
            clock_advance(clk, 40 * NSEC_PER_MSEC);
    }
    struct stream_stats st;
    stream_stats(s, &st);
    CHECK_NEAR(st.fps, 25, 0.01);
    CHECK_NEAR(st.kbps, 250, 0.5);
    struct cursor *c = stream_cursor(s);
    struct packet *p;
    CHECK_INT(cursor_next(c, &p, NULL), 0);
    CHECK_INT((uint16_t)(p->rtp_seq - stream_first_seq(s)), 75 * 3);
    CHECK_INT(p->rtp_count, 3);
    CHECK_INT(stream_rtp_time(s, NSEC_PER_SEC, 90000) - stream_rtp_time(s, 0, 90000), 90000);
    packet_unref(p);
    c->ops->close(c);
    clock_advance(clk, 3 * NSEC_PER_SEC);
    stream_stats(s, &st);
    CHECK_NEAR(st.fps, 0, 0);
    stream_unref(s);
    clock_free(clk);
}

struct counter {
    struct stream_wake wake;
    struct stream *stream;
    atomic_int calls;
    bool leaves;
    atomic_bool gone;
};
static void count_wake(struct stream_wake *w)
{
    struct counter *c = (struct counter *)w;
    if (c->gone)
        unit_fail(__FILE__, __LINE__, "called after removal");
    c->calls++;
    if (c->leaves)
        stream_remove_wake(c->stream, w);
}

TEST(wakes_and_leaves_inside)
{
    struct stream *s = make(1 << 20, NSEC_PER_SEC);
    struct counter a = {{count_wake}, s}, b = {{count_wake}, s, .leaves = true},
                   c = {{count_wake}, s};
    stream_add_wake(s, &a.wake);
    stream_add_wake(s, &b.wake);
    stream_add_wake(s, &c.wake);
    add(s, 0, 1, true);
    add(s, 1, 1, true);
    CHECK_INT(a.calls, 2);
    CHECK_INT(b.calls, 1);
    CHECK_INT(c.calls, 2);
    stream_remove_wake(s, &a.wake);
    stream_remove_wake(s, &c.wake);
    stream_unref(s);
    clock_free(clk);
}

static atomic_bool over;
static void *append_run(void *arg)
{
    struct stream *s = arg;
    for (int i = 0; i < 20000; i++)
        add(s, i * NSEC_PER_MSEC, 100, i % 30 == 0);
    stream_end(s);
    over = true;
    return NULL;
}
static void *read_run(void *arg)
{
    struct stream *s = arg;
    struct cursor *c = stream_cursor(s);
    uint64_t at = 0, lost;
    struct packet *p;
    for (;;) {
        int r = cursor_next(c, &p, &lost);
        if (r == -EPIPE)
            break;
        if (r == -EAGAIN)
            continue;
        if (at && p->serial != at + lost)
            unit_fail(__FILE__, __LINE__, "serial %llu after %llu, %llu lost",
                      (unsigned long long)p->serial, (unsigned long long)at,
                      (unsigned long long)lost);
        at = p->serial + 1;
        packet_unref(p);
    }
    c->ops->close(c);
    return NULL;
}
static void *wake_run(void *arg)
{
    while (!over) {
        struct counter c = {{count_wake}, arg};
        stream_add_wake(arg, &c.wake);
        sched_yield();
        stream_remove_wake(arg, &c.wake);
        c.gone = true;
    }
    return NULL;
}

TEST(many_threads)
{
    struct stream *s = make(100 * 200, NSEC_PER_SEC);
    pthread_t t[5];
    pthread_create(&t[0], NULL, append_run, s);
    for (int i = 1; i < 5; i++)
        pthread_create(&t[i], NULL, i < 3 ? read_run : wake_run, s);
    for (int i = 0; i < 5; i++)
        pthread_join(t[i], NULL);
    stream_unref(s);
    clock_free(clk);
}

UNIT_MAIN(UNIT_ROW(starts_at_the_newest_key) UNIT_ROW(falls_off_the_tail_to_a_key)
              UNIT_ROW(window_keeps_seconds_and_the_newest_group) UNIT_ROW(rtp_identity_and_rates)
                  UNIT_ROW(wakes_and_leaves_inside) UNIT_ROW(many_threads))
