/* Viewers over real sockets; the feeds are the test's own. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/loop.h"
#include "deliver/deliver.h"
#include "deliver/pages.h"
#include "deliver/rtcp.h"
#include "deliver/rtp.h"
#include "media/pipeline.h"
#include "media/stream.h"
#include "net/conn.h"
#include "net/limits.h"
#include "net/udp.h"
#include "unit.h"

/* ---- feeds: what deliver needs of the pipeline ---- */

struct flow {
    struct feed feed;
    struct stream *stream;
    int *keys_wanted, *open;
};

static struct flow *flow_of(struct feed *f)
{
    return container_of(f, struct flow, feed);
}

static struct stream *flow_stream(struct feed *f)
{
    return flow_of(f)->stream;
}

static void flow_close(struct feed *f)
{
    --*flow_of(f)->open;
    stream_unref(flow_of(f)->stream);
    free(flow_of(f));
}

static void flow_request_key(struct feed *f)
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

static void poll_fire(struct loop_timer *t)
{
    if (until() || clock_now(clock_) > until_ns)
        loop_stop(loop);
    else
        loop_timer_in(loop, t, NSEC_PER_MSEC / 2);
}

/* Runs the control loop until it is so, at most 10 s. */
static bool wait_for(bool (*so)(void))
{
    until = so;
    until_ns = clock_now(clock_) + 10 * NSEC_PER_SEC;
    poll_timer = (struct loop_timer){.name = "test", .fire = poll_fire};
    loop_timer_in(loop, &poll_timer, 0);
    loop_run(loop);
    return so();
}

static int64_t idle_until;
static bool idled(void)
{
    return clock_now(clock_) >= idle_until;
}
static void idle_ms(int ms)
{
    idle_until = clock_now(clock_) + ms * NSEC_PER_MSEC;
    wait_for(idled);
}

static struct feed *new_feed(void)
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

static void set_up(enum codec codec)
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

static void tear_down(void)
{
    CHECK_INT(deliver_viewers(deliver), 0);
    deliver_free(deliver);
    CHECK_INT(open_feeds, 0);
    struct stream_stats stats;
    stream_stats(stream, &stats);
    CHECK_INT(stats.readers, 0);
    stream_unref(stream);
    loop_free(loop);
    clock_free(clock_);
}

static void release(void *owner)
{
    free(owner);
}

static unsigned made;
static struct packet *make_picture(size_t len, bool key, int64_t time_ns)
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

static void picture(size_t len, bool key)
{
    stream_append(stream, make_picture(len, key, clock_now(clock_)));
}

static int client = -1;
static struct conn *server_side(void)
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
static void drain(void)
{
    char bytes[65536];
    ssize_t n;
    got.max = 256 << 20;
    while ((n = recv(client, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
        buf_add(&got, bytes, (size_t)n);
    if (!n)
        client_eof = true;
}
static size_t want_bytes;
static bool has_bytes(void)
{
    drain();
    return got.len >= want_bytes;
}
static bool has_eof(void)
{
    drain();
    return client_eof;
}

static struct viewer_join joined;
static int joins;
static void on_ready(struct viewer *v, const struct viewer_join *join, void *arg)
{
    joined = *join;
    joins++;
}
static bool has_joined(void)
{
    return joins > 0;
}
static int ended_err = 1;
static void on_ended(struct viewer *v, int err, void *arg)
{
    ended_err = err;
}
static bool has_ended(void)
{
    return ended_err != 1;
}
static struct buf heard;
static bool left;
static void on_received(struct viewer *v, const uint8_t *bytes, size_t len, void *arg)
{
    heard.max = 1 << 20;
    buf_add(&heard, bytes, len);
    left |= !bytes;
}
static int rtcps;
static void on_rtcp(struct viewer *v, void *arg)
{
    rtcps++;
}

static struct viewer *new_viewer(enum framing framing)
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
static struct frames parse(const uint8_t *p, size_t len)
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
static struct frames parse_got(void)
{
    return parse((const uint8_t *)got.data, got.len);
}

TEST(tcp_viewer_joins_at_the_newest_key)
{
    set_up(CODEC_H264);
    picture(3000, true);
    picture(300, false);
    picture(5000, true);
    picture(300, false);
    struct viewer *v = new_viewer(FRAMING_INTERLEAVED);
    CHECK_INT(viewer_play(v, 0, on_ready, NULL), 0);
    CHECK_INT(joins, 1);
    CHECK(joined.picture_age_ns >= 0 && joined.picture_age_ns < NSEC_PER_SEC);
    CHECK_INT(joined.ssrc, stream_ssrc(stream));
    CHECK_INT(joined.seq, (uint16_t)(stream_first_seq(stream) + 3 + 1));
    idle_ms(20);
    drain();
    CHECK_INT(got.len, 0); /* nothing before go */
    viewer_send(v, "RTSP/1.0 200 OK\r\n\r\n", 19);
    viewer_go(v);
    for (int i = 0; i < 5; i++)
        picture(100, false);
    want_bytes = 19 + 28 + 16 + 5000 + 6 * 100;
    CHECK(wait_for(has_bytes));
    idle_ms(50);
    drain();
    CHECK(!memcmp(got.data, "RTSP", 4)); /* the reply before the first packet */
    struct frames f = parse_got();
    CHECK_INT(f.replies, 1);
    CHECK_INT(f.reports, 1);
    CHECK_INT(f.pictures, 7);
    CHECK_INT(f.first_seq, joined.seq);
    CHECK_INT(f.first_time, joined.rtp_time);
    CHECK(!f.gap);
    CHECK_INT(keys_wanted, 0);
    viewer_close(v, true);
    CHECK(wait_for(has_eof));
    CHECK_INT(parse_got().byes, 1);
    tear_down();
}

TEST(waits_for_the_first_key)
{
    set_up(CODEC_H264);
    struct viewer *v = new_viewer(FRAMING_INTERLEAVED);
    CHECK_INT(viewer_play(v, 0, on_ready, NULL), 0);
    CHECK_INT(joins, 0);
    CHECK_INT(keys_wanted, 1);
    idle_ms(10);
    picture(100, false);
    idle_ms(10);
    CHECK_INT(joins, 0);
    picture(100, true);
    CHECK(wait_for(has_joined));
    CHECK_INT(joined.seq, (uint16_t)(stream_first_seq(stream) + 1));
    viewer_go(v);
    picture(100, false);
    want_bytes = 200;
    CHECK(wait_for(has_bytes));
    idle_ms(20);
    drain();
    CHECK_INT(parse_got().pictures, 2);
    /* pause, and again from a key */
    viewer_pause(v);
    picture(100, false);
    picture(100, true);
    idle_ms(20);
    drain();
    CHECK_INT(parse_got().pictures, 2);
    CHECK_INT(viewer_play(v, 0, on_ready, NULL), 0);
    CHECK_INT(joins, 2);
    viewer_go(v);
    idle_ms(20);
    drain();
    CHECK_INT(parse_got().pictures, 3);
    CHECK_INT(parse_got().last_seq, joined.seq);
    /* the stream ends */
    stream_end(stream);
    CHECK(wait_for(has_ended));
    CHECK_INT(ended_err, -EPIPE);
    viewer_close(v, true);
    CHECK(wait_for(has_eof));
    CHECK_INT(parse_got().byes, 1);
    tear_down();
}

static void copy_stats(const struct viewer_stats *s, void *arg)
{
    *(struct viewer_stats *)arg = *s;
}

static bool has_caught_up(void)
{
    drain();
    return parse_got().gap;
}

TEST(slow_viewer_loses_whole_pictures)
{
    set_up(CODEC_H264);
    picture(1000, true);
    struct viewer *v = new_viewer(FRAMING_INTERLEAVED);
    struct viewer_stats s;
    int small = 256 << 10;
    setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    viewer_play(v, 0, on_ready, NULL);
    viewer_go(v);
    int64_t start = clock_now(clock_);
    for (int i = 1; clock_now(clock_) - start < 2600 * NSEC_PER_MSEC; i++) {
        picture(200000, i % 16 == 0); /* more than the sockets hold */
        idle_ms(30);
    }
    CHECK(wait_for(has_caught_up)); /* the client reads again */
    for (int i = 0; i < 30; i++) {
        drain();
        picture(1000, i == 16);
        idle_ms(5);
    }
    idle_ms(100);
    drain();
    struct frames f = parse_got();
    CHECK(f.gap);
    deliver_each_viewer(deliver, copy_stats, &s);
    CHECK(s.lost_pictures > 16 && s.pictures == f.pictures && f.pictures > 30);
    /* no picture was cut: each that began has its last packet */
    unsigned begun = 0;
    bool open = false;
    const uint8_t *p = (const uint8_t *)got.data;
    for (size_t at = 0; at + 18 <= got.len; at += 4 + (size_t)(p[at + 2] << 8 | p[at + 3])) {
        if (p[at + 1])
            continue;
        begun += !open;
        open = !(p[at + 5] & 0x80);
    }
    CHECK(!open);
    CHECK_INT(begun, f.pictures);
    viewer_close(v, false);
    tear_down();
}

/* The RTP of what one has received: reports differ. */
static void keep_rtp(const struct buf *from, struct buf *to)
{
    const uint8_t *p = (const uint8_t *)from->data;
    to->max = from->len + 1;
    for (size_t at = 0, n; at + 4 <= from->len; at += n) {
        n = 4 + (size_t)(p[at + 2] << 8 | p[at + 3]);
        CHECK(p[at] == '$' && at + n <= from->len);
        if (!p[at + 1])
            buf_add(to, p + at, n);
    }
}

static long blocks_of_pages(void)
{
    struct stat st;
    CHECK(!fstat(pages_file(), &st));
    return (long)st.st_blocks;
}

static void choose(const char *folder, const char *of, const char *text)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/%s", folder, of);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s/shmem_enabled", folder, of);
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0 && !fclose(f));
}

TEST(no_pages_where_large_ones_may_be)
{
    char dir[] = "/tmp/vedette-pages-XXXXXX";
    CHECK(mkdtemp(dir));
    CHECK(pages_are_small("/nowhere")); /* a kernel without large pages */
    CHECK(pages_are_small(dir));
    static const struct {
        const char *all, *some;
        bool small;
    } cases[] = {
        {"always within_size advise [never] deny force\n", "always [inherit] never\n", true},
        {"always within_size [advise] never deny force\n", "always inherit [never]\n", true},
        {"always within_size advise never [deny] force\n", "[advise] never\n", true},
        {"[always] within_size advise never deny force\n", "always [inherit] never\n", false},
        {"always [within_size] advise never deny force\n", "always inherit [never]\n", false},
        {"always within_size advise never deny [force]\n", "always inherit [never]\n", false},
        {"always within_size advise [never] deny force\n", "[always] inherit never\n", false},
        {"always within_size advise [never] deny force\n", "[within_size] never\n", false},
        {"", "always inherit [never]\n", false}, /* what it says is not known */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        choose(dir, ".", cases[i].all);
        choose(dir, "hugepages-64kB", cases[i].some);
        CHECK_INT(pages_are_small(dir), cases[i].small);
    }
    static const char *const entry[] = {"hugepages-64kB/shmem_enabled", "hugepages-64kB",
                                        "shmem_enabled", "."};
    for (size_t i = 0; i < sizeof(entry) / sizeof(*entry); i++) {
        char path[300];
        snprintf(path, sizeof(path), "%s/%s", dir, entry[i]);
        remove(i == 3 ? dir : path);
    }
}

#define MANY 24 /* on two loops, enough for pages on each */

TEST(many_viewers_are_sent_pages)
{
    if (pages_file() < 0) /* large pages for files in memory are on here */
        return;
    set_up(CODEC_H264);
    int clients[MANY];
    struct viewer *v[MANY];
    picture(150000, true);
    for (int i = 0; i < MANY; i++) {
        v[i] = new_viewer(FRAMING_INTERLEAVED);
        clients[i] = client;
        CHECK_INT(viewer_play(v[i], 0, on_ready, NULL), 0);
        viewer_go(v[i]);
    }
    picture(60000, false);
    picture(200, false);
    for (struct viewer_stats s = {0}; s.pictures < 3;) { /* the last one, who reads at the end */
        deliver_each_viewer(deliver, copy_stats, &s);
        idle_ms(1);
    }
    const size_t about = 150000 + 60000 + 200;
    struct buf first = {0}, rtp = {0};
    for (int i = 0; i < MANY; i++) {
        if (i == MANY - 1) { /* what is on its way outlives the pictures and what comes after */
            CHECK(blocks_of_pages() >= (150000 + 60000) / 512);
            for (int k = 0; k < MANY; k++)
                viewer_close(v[k], false);
            idle_ms(5);
            tear_down();
            CHECK_INT(blocks_of_pages(), 0);
            static const uint8_t other[256 << 10] = {1};
            struct pages pages = {0};
            CHECK(pages_of(&pages, other, sizeof(other)) > 0);
        }
        client = clients[i];
        buf_done(&got);
        for (client_eof = false; i == MANY - 1 ? !client_eof : got.len < about;)
            drain();
        if (i != MANY - 1)
            for (int k = 0; k < 50 && parse_got().pictures < 3; k++) {
                idle_ms(2);
                drain();
            }
        CHECK_INT(parse_got().pictures, 3);
        CHECK(!parse_got().gap);
        keep_rtp(&got, i ? &rtp : &first);
        CHECK(!i || (rtp.len == first.len && !memcmp(rtp.data, first.data, rtp.len)));
        buf_done(&rtp);
        close(client);
    }
    CHECK(first.len > about);
    buf_done(&first);
}

TEST(statistics_and_limit)
{
    set_up(CODEC_H264);
    picture(3000, true);
    deliver_set_limits(deliver, 1);
    struct viewer *v = new_viewer(FRAMING_INTERLEAVED);
    int first_client = client;
    struct viewer_desc desc = {.framing = FRAMING_INTERLEAVED, .take_conn = server_side()};
    struct viewer *none = NULL;
    struct fault why = {0};
    CHECK_INT(viewer_new(deliver, &desc, &none, &why), -ENOSPC);
    CHECK_INT(why.kind, FAULT_LIMIT);
    conn_free(desc.take_conn);
    close(client);
    client = first_client;
    viewer_play(v, 0, NULL, NULL);
    viewer_go(v);
    want_bytes = 3000;
    CHECK(wait_for(has_bytes));
    struct viewer_stats s = {0};
    deliver_each_viewer(deliver, copy_stats, &s);
    CHECK_STR(s.user, "me");
    CHECK_STR(s.transport, "TCP");
    CHECK_STR(s.peer, "127.0.0.1");
    CHECK(s.peer_port > 0);
    CHECK_INT(s.pictures, 1);
    CHECK_INT(s.packets, 3);
    /* reports */
    uint8_t rr[32] = {0x81, 201, 0, 7, 0, 0, 0, 1};
    for (int i = 0; i < 4; i++)
        rr[8 + i] = (uint8_t)(stream_ssrc(stream) >> (24 - 8 * i));
    rr[12] = 128;
    CHECK(viewer_rtcp_in(v, 0, rr, 32));
    CHECK(!viewer_rtcp_in(v, 0, rr, 31));
    CHECK(!viewer_rtcp_in(v, 1, rr, 32)); /* there is no such track */
    deliver_each_viewer(deliver, copy_stats, &s);
    CHECK_NEAR(s.loss_fraction, 0.5, 1e-9);
    CHECK_INT(s.reports, 1);
    CHECK(s.feeds[0] && !s.feeds[1] && !s.encrypted && !s.multicast);
    /* what clients say arrives; leaving too */
    CHECK_INT(send(client, "OPTIONS", 7, 0), 7);
    idle_ms(20);
    CHECK_STR(heard.data, "OPTIONS");
    close(client);
    idle_ms(20);
    CHECK(left);
    CHECK_INT(viewer_send(v, "x", 1), 0);
    static char much[LIMIT_QUEUE_BYTES];
    CHECK_INT(viewer_send(v, much, sizeof(much)), -EMSGSIZE);
    viewer_close(v, false);
    tear_down();
}

TEST(websocket_has_one_message_a_picture)
{
    set_up(CODEC_H264);
    picture(100, true);
    struct viewer *v = new_viewer(FRAMING_WEBSOCKET);
    viewer_send(v, "RTSP/1.0 200 OK\r\n\r\n", 19);
    viewer_play(v, 0, NULL, NULL);
    viewer_go(v);
    picture(70000, false);
    picture(1000, false);
    /* a masked binary message from the client, and a ping */
    const uint8_t message[] = {0x82,    0x83, 1,    2, 3, 4, 'a' ^ 1, 'b' ^ 2,
                               'c' ^ 3, 0x89, 0x81, 0, 0, 0, 0,       'p'};
    CHECK_INT(send(client, message, sizeof(message), 0), sizeof(message));
    want_bytes = 71000;
    CHECK(wait_for(has_bytes));
    idle_ms(30);
    drain();
    CHECK_STR(heard.data, "abc");
    const uint8_t *p = (const uint8_t *)got.data;
    unsigned binary = 0, pongs = 0, pictures = 0;
    for (size_t at = 0; at < got.len;) {
        size_t n = p[at + 1], h = 2;
        CHECK(n < 128);
        if (n == 126) {
            n = (size_t)(p[at + 2] << 8 | p[at + 3]);
            h = 4;
        } else if (n == 127) {
            n = (size_t)p[at + 6] << 24 | (size_t)p[at + 7] << 16 | (size_t)p[at + 8] << 8 |
                p[at + 9];
            h = 10;
        }
        if (p[at] == 0x8a) {
            CHECK(n == 1 && p[at + h] == 'p');
            pongs++;
        } else {
            CHECK_INT(p[at], 0x82); /* final, binary */
            if (p[at + h] == '$' && p[at + h + 1] == 0)
                pictures += parse(p + at + h, n).pictures == 1;
            binary++;
        }
        at += h + n;
        CHECK(at <= got.len);
    }
    CHECK_INT(binary, 5); /* reply, report, three pictures */
    CHECK_INT(pictures, 3);
    CHECK_INT(pongs, 1);
    viewer_close(v, false);
    tear_down();
}

TEST(multipart_to_the_letter)
{
    set_up(CODEC_JPEG);
    struct viewer_desc desc = {
        .framing = FRAMING_MULTIPART,
        .take_conn = server_side(),
        .pending = "HTTP/1.0 200 OK\r\n\r\n",
        .pending_len = 19,
        .max_pictures = 2,
        .ended = on_ended,
    };
    struct viewer *v = NULL;
    CHECK_INT(viewer_new(deliver, &desc, &v, NULL), 0);
    CHECK_INT(viewer_add_track(v, 0, new_feed(), 0, NULL), 0);
    CHECK_INT(viewer_play(v, 0, NULL, NULL), 0);
    viewer_go(v);
    for (int i = 0; i < 3; i++) {
        static const char *const texts[] = {"first", "second picture", "third"};
        struct packet *p = packet_new((const uint8_t *)texts[i], strlen(texts[i]), NULL, NULL);
        p->flags = PACKET_KEY;
        p->time_ns = clock_now(clock_);
        stream_append(stream, p);
        idle_ms(20);
    }
    CHECK(wait_for(has_ended));
    CHECK_INT(ended_err, 0);
    viewer_close(v, false);
    CHECK(wait_for(has_eof));
    CHECK_STR(buf_str(&got), "HTTP/1.0 200 OK\r\n\r\n"
                             "--myboundary\r\n"
                             "Content-Type: image/jpeg\r\nContent-Length: 5\r\n\r\nfirst\r\n"
                             "--myboundary\r\n"
                             "Content-Type: image/jpeg\r\nContent-Length: 14\r\n\r\n"
                             "second picture\r\n--myboundary--\r\n");
    tear_down();
}

TEST(multipart_frame_rate)
{
    set_up(CODEC_JPEG);
    struct viewer_desc desc = {
        .framing = FRAMING_MULTIPART, .take_conn = server_side(), .fps_limit = 10};
    struct viewer *v = NULL;
    CHECK_INT(viewer_new(deliver, &desc, &v, NULL), 0);
    CHECK_INT(viewer_add_track(v, 0, new_feed(), 0, NULL), 0);
    CHECK_INT(viewer_play(v, 0, NULL, NULL), 0);
    viewer_go(v);
    int64_t start = clock_now(clock_);
    for (int i = 0; i < 30; i++) { /* a second at 30 pictures a second */
        struct packet *p = packet_new((const uint8_t *)"jpeg", 4, NULL, NULL);
        p->flags = PACKET_KEY;
        p->time_ns = start + i * NSEC_PER_SEC / 30;
        stream_append(stream, p);
        idle_ms(2);
    }
    struct viewer_stats s = {0};
    deliver_each_viewer(deliver, copy_stats, &s);
    CHECK_INT(s.pictures, 10);
    CHECK_INT(s.lost_pictures, 0);
    viewer_close(v, false);
    tear_down();
}

static int udp_client(struct sockaddr_in *ret)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), big = 4 << 20;
    *ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(*ret);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
    CHECK(!bind(fd, (struct sockaddr *)ret, len));
    getsockname(fd, (struct sockaddr *)ret, &len);
    return fd;
}

TEST(udp_viewer)
{
    set_up(CODEC_H264);
    picture(2000, true);
    struct sockaddr_in to_rtp, to_rtcp,
        local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int rtp = udp_client(&to_rtp), rtcp = udp_client(&to_rtcp), port;
    struct viewer_desc desc = {
        .framing = FRAMING_UDP, .to_len = sizeof(to_rtp), .cname = "camera", .rtcp = on_rtcp};
    memcpy(&desc.to_rtp, &to_rtp, sizeof(to_rtp));
    memcpy(&desc.to_rtcp, &to_rtcp, sizeof(to_rtcp));
    CHECK_INT(udp_pair((struct sockaddr *)&local, sizeof(local), 50000, 60000, desc.take_udp, &port,
                       NULL),
              0);
    struct viewer *v = NULL;
    CHECK_INT(viewer_new(deliver, &desc, &v, NULL), 0);
    CHECK_INT(viewer_add_track(v, 0, new_feed(), 0, NULL), 0);
    CHECK_INT(viewer_send(v, "x", 1), -ENOTSUP);
    CHECK_INT(viewer_play(v, 0, on_ready, NULL), 0);
    viewer_go(v);
    idle_ms(30);
    int64_t before = clock_now(clock_);
    picture(300000, true); /* paced over half a picture's time */
    unsigned packets = 0, pictures = 0, early = 0;
    uint16_t seq = 0;
    uint8_t bytes[2000];
    while (pictures < 2 && clock_now(clock_) - before < 2 * NSEC_PER_SEC) {
        ssize_t n;
        while ((n = recv(rtp, bytes, sizeof(bytes), 0)) > 0) {
            CHECK(n > 12 && n <= RTP_MTU && bytes[0] == 0x80);
            uint16_t s = (uint16_t)(bytes[2] << 8 | bytes[3]);
            CHECK(packets ? s == (uint16_t)(seq + 1) : s == joined.seq);
            seq = s;
            packets++;
            pictures += bytes[1] >> 7;
            early += clock_now(clock_) - before < 5 * NSEC_PER_MSEC;
        }
        idle_ms(1);
    }
    CHECK_INT(pictures, 2);
    CHECK_INT(packets, 2 + (300000 + 1385) / 1386);
    CHECK(early < packets * 3 / 4);
    CHECK(clock_now(clock_) - before < 100 * NSEC_PER_MSEC);
    ssize_t n = recv(rtcp, bytes, sizeof(bytes), 0);
    struct rtcp_news news;
    CHECK(n > 28 && bytes[1] == 200 && rtcp_read(bytes, (size_t)n, 0, &news));
    /* a sign of life; nonsense is none */
    local.sin_port = htons((uint16_t)(port + 1));
    const uint8_t rr[8] = {0x80, 201, 0, 1, 1, 2, 3, 4};
    sendto(rtcp, "nonsense", 8, 0, (struct sockaddr *)&local, sizeof(local));
    sendto(rtcp, rr, 8, 0, (struct sockaddr *)&local, sizeof(local));
    idle_ms(30);
    CHECK_INT(rtcps, 1);
    viewer_close(v, true);
    idle_ms(30);
    n = recv(rtcp, bytes, sizeof(bytes), 0);
    CHECK(n > 8 && bytes[1] == 201 && bytes[n - 7] == 203);
    close(rtp);
    close(rtcp);
    tear_down();
}

/* Viewers come and go while pictures flow; ends also on the sender's side. */
static bool producing = true;
static void *produce(void *arg)
{
    for (int i = 0; __atomic_load_n(&producing, __ATOMIC_RELAXED); i++) {
        stream_append(stream, make_picture(3000, i % 8 == 0, clock_now(clock_)));
        usleep(300);
    }
    return NULL;
}

TEST(coming_and_going)
{
    set_up(CODEC_H264);
    pthread_t producer;
    pthread_create(&producer, NULL, produce, NULL);
    struct viewer *v[16] = {NULL};
    int clients[16];
    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < 16; i++) {
            v[i] = new_viewer(i % 3 ? FRAMING_INTERLEAVED : FRAMING_WEBSOCKET);
            clients[i] = client;
            viewer_play(v[i], 0, on_ready, NULL);
            if (i % 5)
                viewer_go(v[i]);
        }
        idle_ms(round);
        for (int i = 0; i < 16; i++) {
            if (i % 4 == 0)
                close(clients[i]); /* the client is faster */
            if (i % 4 == 1) {
                viewer_pause(v[i]);
                viewer_play(v[i], 0, on_ready, NULL);
                viewer_go(v[i]);
            }
            if (i % 4 == 2)
                viewer_drop_track(v[i], 0, true);
            viewer_send(v[i], "reply", 5);
        }
        if (round % 2)
            idle_ms(3);
        for (int i = 0; i < 16; i++) {
            viewer_close(v[i], i & 1);
            if (i % 4)
                close(clients[i]);
        }
    }
    struct viewer *rest = new_viewer(FRAMING_INTERLEAVED); /* closed by deliver_free */
    viewer_play(rest, 0, on_ready, NULL);
    viewer_go(rest);
    idle_ms(5);
    __atomic_store_n(&producing, false, __ATOMIC_RELAXED);
    pthread_join(producer, NULL);
    deliver_free(deliver);
    CHECK_INT(open_feeds, 0);
    struct stream_stats stats;
    stream_stats(stream, &stats);
    CHECK_INT(stats.readers, 0);
    stream_unref(stream);
    loop_free(loop);
    clock_free(clock_);
}

UNIT_MAIN(UNIT_ROW(tcp_viewer_joins_at_the_newest_key) UNIT_ROW(waits_for_the_first_key)
              UNIT_ROW(slow_viewer_loses_whole_pictures) UNIT_ROW(many_viewers_are_sent_pages)
                  UNIT_ROW(no_pages_where_large_ones_may_be) UNIT_ROW(statistics_and_limit)
                      UNIT_ROW(websocket_has_one_message_a_picture)
                          UNIT_ROW(multipart_to_the_letter) UNIT_ROW(multipart_frame_rate)
                              UNIT_ROW(udp_viewer) UNIT_ROW(coming_and_going))
