/* Viewers over real sockets: joining, losing, leaving, and the framings. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fault.h"
#include "deliver_set.h"
#include "net/limits.h"
#include "net/udp.h"
#include "unit.h"

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

static bool has_joined(void)
{
    return joins > 0;
}
static bool has_ended(void)
{
    return ended_err != 1;
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
    end_all();
}

UNIT_MAIN(UNIT_ROW(tcp_viewer_joins_at_the_newest_key) UNIT_ROW(waits_for_the_first_key)
              UNIT_ROW(slow_viewer_loses_whole_pictures) UNIT_ROW(statistics_and_limit)
                  UNIT_ROW(websocket_has_one_message_a_picture) UNIT_ROW(multipart_to_the_letter)
                      UNIT_ROW(multipart_frame_rate) UNIT_ROW(udp_viewer)
                          UNIT_ROW(coming_and_going))
