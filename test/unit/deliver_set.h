/* What tests of deliver stand on: viewers over real sockets, fed by a stream of the test's own. */
#ifndef TEST_DELIVER_SET_H
#define TEST_DELIVER_SET_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/loop.h"
#include "deliver/deliver.h"
#include "deliver/rtcp.h"
#include "deliver/rtp.h"
#include "media/pipeline.h"
#include "media/stream.h"
#include "net/conn.h"
#include "unit.h"

/* ---- feeds: what deliver needs of the pipeline ---- */

struct flow {
    struct feed feed;
    struct stream *stream;
    int *keys_wanted, *open;
};

static inline struct flow *flow_of(struct feed *f)
{
    return container_of(f, struct flow, feed);
}

static inline struct stream *flow_stream(struct feed *f)
{
    return flow_of(f)->stream;
}

static inline void flow_close(struct feed *f)
{
    --*flow_of(f)->open;
    stream_unref(flow_of(f)->stream);
    free(flow_of(f));
}

static inline void flow_request_key(struct feed *f)
{
    ++*flow_of(f)->keys_wanted;
}

static const struct feed_ops flow_ops = {
    .close = flow_close, .stream = flow_stream, .request_key = flow_request_key};

/* ---- the bench ---- */

static struct clock *clock_;
static struct loop *loop;
static struct deliver *deliver;
static struct stream *stream;
static int keys_wanted, open_feeds;
static struct loop_timer poll_timer;
static bool (*until)(void);
static int64_t until_ns;

static inline void poll_fire(struct loop_timer *t)
{
    if (until() || clock_now(clock_) > until_ns)
        loop_stop(loop);
    else
        loop_timer_in(loop, t, NSEC_PER_MSEC / 2);
}

/* Runs the control loop until it is so, at most 10 s. */
static inline bool wait_for(bool (*so)(void))
{
    until = so;
    until_ns = clock_now(clock_) + 10 * NSEC_PER_SEC;
    poll_timer = (struct loop_timer){.name = "test", .fire = poll_fire};
    loop_timer_in(loop, &poll_timer, 0);
    loop_run(loop);
    return so();
}

static int64_t idle_until;
static inline bool idled(void)
{
    return clock_now(clock_) >= idle_until;
}
static inline void idle_ms(int ms)
{
    idle_until = clock_now(clock_) + ms * NSEC_PER_MSEC;
    wait_for(idled);
}

static inline struct feed *new_feed(void)
{
    struct flow *f = calloc(1, sizeof(*f));
    CHECK(f);
    f->stream = stream_ref(stream);
    f->keys_wanted = &keys_wanted;
    f->feed.ops = &flow_ops;
    f->open = &open_feeds;
    open_feeds++;
    return &f->feed;
}

static inline void set_up(enum codec codec)
{
    clock_ = clock_new_real();
    loop = loop_new(clock_, "test");
    const struct stream_format format = {.codec = codec, .width = 640, .height = 360, .fps = 30};
    const struct stream_window window = {16 << 20, 4 * NSEC_PER_SEC};
    stream_set_rtp_count(rtp_count);
    stream = stream_new(clock_, &format, &window);
    deliver = deliver_new(loop, 2);
    CHECK(deliver);
}

/* Viewers that are left end with it. */
static inline void end_all(void)
{
    deliver_free(deliver);
    CHECK_INT(open_feeds, 0);
    struct stream_stats stats;
    stream_stats(stream, &stats);
    CHECK_INT(stats.readers, 0);
    stream_unref(stream);
    loop_free(loop);
    clock_free(clock_);
}

static inline void tear_down(void)
{
    CHECK_INT(deliver_viewers(deliver), 0);
    end_all();
}

static inline void release(void *owner)
{
    free(owner);
}

static unsigned made;
static inline struct packet *make_picture(size_t len, bool key, int64_t time_ns)
{
    uint8_t *bytes = malloc(len + 5);
    CHECK(bytes);
    static const uint8_t code[4] = {0, 0, 0, 1};
    memcpy(bytes, code, 4);
    bytes[4] = key ? 0x65 : 0x41;
    memset(bytes + 5, 0x55, len);
    memcpy(bytes + 5, &(uint8_t){(uint8_t)(2 + made++ % 200)}, 1);
    struct packet *p = packet_new(bytes, len + 5, release, bytes);
    CHECK(p);
    p->flags = key ? PACKET_KEY : 0;
    p->time_ns = time_ns;
    return p;
}

static inline void picture(size_t len, bool key)
{
    stream_append(stream, make_picture(len, key, clock_now(clock_)));
}

static int client = -1;
static inline struct conn *server_side(void)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    CHECK(!bind(listener, (struct sockaddr *)&a, len) && !listen(listener, 1));
    getsockname(listener, (struct sockaddr *)&a, &len);
    client = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(!connect(client, (struct sockaddr *)&a, len));
    int fd = accept(listener, (struct sockaddr *)&a, &len);
    CHECK(fd >= 0);
    close(listener);
    struct conn *c = conn_new(fd, NULL, (struct sockaddr *)&a, len);
    CHECK(c);
    return c;
}

static struct buf got;
static bool client_eof;
static inline void drain(void)
{
    char bytes[65536];
    ssize_t n;
    got.max = 256 << 20;
    while ((n = recv(client, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
        buf_add(&got, bytes, (size_t)n);
    if (!n)
        client_eof = true;
}

static struct viewer_join joined;
static int joins;
static inline void on_ready(struct viewer *v, const struct viewer_join *join, void *arg)
{
    joined = *join;
    joins++;
}
static int ended_err = 1;
static inline void on_ended(struct viewer *v, int err, void *arg)
{
    ended_err = err;
}
static struct buf heard;
static bool left;
static inline void on_received(struct viewer *v, const uint8_t *bytes, size_t len, void *arg)
{
    heard.max = 1 << 20;
    buf_add(&heard, bytes, len);
    left |= !bytes;
}
static int rtcps;
static inline void on_rtcp(struct viewer *v, void *arg)
{
    rtcps++;
}

static inline struct viewer *new_viewer(enum framing framing)
{
    struct viewer_desc desc = {
        .framing = framing,
        .take_conn = framing == FRAMING_UDP ? NULL : server_side(),
        .cname = "camera",
        .user = "me",
        .received = on_received,
        .ended = on_ended,
        .rtcp = on_rtcp,
    };
    struct viewer *v = NULL;
    CHECK_INT(viewer_new(deliver, &desc, &v, NULL), 0);
    CHECK_INT(viewer_add_track(v, 0, new_feed(), 0, NULL), 0);
    return v;
}

/* What interleaved frames hold. */
struct frames {
    unsigned rtp, reports, byes, pictures, replies;
    uint16_t first_seq, last_seq;
    bool gap;
    uint32_t first_time;
};
static inline struct frames parse(const uint8_t *p, size_t len)
{
    struct frames f = {0};
    for (size_t at = 0; at < len;) {
        if (p[at] != '$') {
            CHECK(at + 8 <= len && !memcmp(p + at, "RTSP/1.0", 8));
            const uint8_t *end = memmem(p + at, len - at, "\r\n\r\n", 4);
            CHECK(end);
            at = (size_t)(end - p) + 4;
            f.replies++;
            continue;
        }
        if (at + 4 > len)
            break;
        size_t n = (size_t)(p[at + 2] << 8 | p[at + 3]);
        if (at + 4 + n > len)
            break;
        const uint8_t *q = p + at + 4;
        if (p[at + 1] == 1) {
            struct rtcp_news news;
            CHECK(rtcp_read(q, n, 0, &news));
            f.reports += q[1] == 200;
            f.byes += q[1] == 201 && q[n - 7] == 203;
            CHECK(f.rtp || q[1] == 201 || f.reports == 1); /* the report comes first */
        } else {
            CHECK_INT(p[at + 1], 0);
            uint16_t seq = (uint16_t)(q[2] << 8 | q[3]);
            if (!f.rtp) {
                f.first_seq = seq;
                f.first_time =
                    (uint32_t)q[4] << 24 | (uint32_t)q[5] << 16 | (uint32_t)q[6] << 8 | q[7];
            } else if (seq != (uint16_t)(f.last_seq + 1)) {
                f.gap = true;
            }
            f.last_seq = seq;
            f.rtp++;
            f.pictures += q[1] >> 7;
        }
        at += 4 + n;
    }
    return f;
}
static inline struct frames parse_got(void)
{
    return parse((const uint8_t *)got.data, got.len);
}

static inline void copy_stats(const struct viewer_stats *s, void *arg)
{
    *(struct viewer_stats *)arg = *s;
}

#endif
