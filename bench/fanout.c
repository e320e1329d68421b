/* What deliver itself costs above the floors: the same pictures, at the same times, from a
 * stream in memory to --viewers sinks (sink --raw). Same options and protocol as the floors,
 * and --udp. One sender loop. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/loop.h"
#include "deliver/deliver.h"
#include "deliver/rtp.h"
#include "floor.h"
#include "media/feed.h"
#include "media/stream.h"
#include "net/conn.h"
#include "net/udp.h"

#define SEI_BYTES 150

/* deliver's feeds, without a pipeline: all of the one stream */
static struct stream *stream;

static void close_feed(struct feed *f)
{
    free(f);
}
static struct stream *stream_of(struct feed *f)
{
    return stream;
}
static const struct feed_ops feed_ops = {.close = close_feed, .stream = stream_of};

static struct floor_options opt;
static bool udp;
static struct clock *the_clock;
static struct loop *loop;
static struct deliver *deliver;
static double seconds;
static int64_t cpu_ns;
static uint64_t pictures;

static void release(void *owner)
{
    free(owner);
}

/* An access unit whose RTP packets have about the asked size on the wire. */
static struct packet *make_picture(size_t wire, bool key)
{
    size_t packets = wire / (4 + FLOOR_PACKET) + 2, over = packets * 18 + SEI_BYTES + 32;
    size_t len = wire > over + 64 ? wire - over : 64, size = SEI_BYTES + len + 16;
    uint8_t *bytes = malloc(size);
    struct packet *p = bytes ? packet_new(bytes, size, release, bytes) : NULL;
    if (!p)
        floor_die("memory");
    static const uint8_t code[4] = {0, 0, 0, 1};
    memset(bytes, 0x55, size);
    memcpy(bytes, code, 4);
    bytes[4] = 6;
    memcpy(bytes + SEI_BYTES, code, 4);
    bytes[SEI_BYTES + 4] = key ? 0x65 : 0x41;
    p->flags = key ? PACKET_KEY : 0;
    p->time_ns = clock_now(the_clock);
    return p;
}

static void *produce(void *arg)
{
    int64_t start = floor_now_ns(), cpu = floor_cpu_ns(),
            end = start + (int64_t)(opt.seconds * 1e9);
    for (uint64_t i = 0; floor_now_ns() < end; i++) {
        size_t size = floor_picture(&opt, i);
        stream_append(stream, make_picture(size, i % (uint64_t)opt.gop == 0));
        pictures++;
        floor_sleep_until(start + (int64_t)((double)(i + 1) * 1e9 / opt.fps));
    }
    seconds = (double)(floor_now_ns() - start) / 1e9;
    cpu_ns = floor_cpu_ns() - cpu;
    loop_stop(loop);
    return NULL;
}

static void add_viewer(struct viewer_desc *desc)
{
    struct viewer *v = NULL;
    struct feed *f = calloc(1, sizeof(*f));
    desc->cname = "bench";
    if (!f || viewer_new(deliver, desc, &v, NULL) < 0)
        floor_die("viewer");
    f->ops = &feed_ops;
    viewer_add_track(v, 0, f, 0, NULL);
    viewer_play(v, 0, NULL, NULL);
    viewer_go(v);
}

static int listen_somewhere(int type)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)opt.port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, type, 0), all = 2 << 20; /* all say hello at once */
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &all, sizeof(all));
    if (bind(fd, (struct sockaddr *)&a, len) < 0 || (type == SOCK_STREAM && listen(fd, 4096) < 0))
        floor_die("listen");
    getsockname(fd, (struct sockaddr *)&a, &len);
    printf("ready %d\n", ntohs(a.sin_port));
    fflush(stdout);
    return fd;
}

static void meet(int fd)
{
    struct viewer_desc desc = {.framing = udp ? FRAMING_UDP : FRAMING_INTERLEAVED};
    struct sockaddr_in from = {0},
                       local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(from);
    if (!udp) {
        int client = accept(fd, (struct sockaddr *)&from, &len);
        desc.take_conn = client < 0 ? NULL : conn_new(client, NULL, (struct sockaddr *)&from, len);
        if (!desc.take_conn)
            floor_die("accept");
    } else {
        char hello[16];
        int port;
        if (recvfrom(fd, hello, sizeof(hello), 0, (struct sockaddr *)&from, &len) < 0 ||
            udp_pair((struct sockaddr *)&local, sizeof(local), 50000, 59999, desc.take_udp, &port,
                     NULL) < 0)
            floor_die("udp");
        desc.to_len = len;
        memcpy(&desc.to_rtp, &from, len);
        from.sin_port = htons(9); /* reports go nowhere */
        memcpy(&desc.to_rtcp, &from, len);
    }
    add_viewer(&desc);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--udp")) {
            udp = true;
            memmove(&argv[i], &argv[i + 1], (size_t)(argc - i) * sizeof(*argv));
            argc--;
        }
    }
    floor_options(&opt, argc, argv);
    the_clock = clock_new_real();
    loop = loop_new(the_clock, "fanout");
    const struct stream_format format = {.codec = CODEC_H264, .fps = opt.fps};
    const struct stream_window window = {8 << 20, 4 * NSEC_PER_SEC};
    stream_set_rtp_count(rtp_count);
    stream = stream_new(the_clock, &format, &window);
    deliver = deliver_new(loop, 1);
    if (!stream || !deliver)
        floor_die("memory");
    deliver_set_limits(deliver, 10000);
    int fd = listen_somewhere(udp ? SOCK_DGRAM : SOCK_STREAM);
    for (int i = 0; i < opt.viewers; i++)
        meet(fd);
    pthread_t producer;
    if (pthread_create(&producer, NULL, produce, NULL))
        floor_die("thread");
    loop_run(loop);
    pthread_join(producer, NULL);
    floor_report(udp ? "deliver udp" : "deliver tcp", &opt, seconds, cpu_ns, pictures, 0, 0);
    deliver_free(deliver);
    stream_unref(stream);
    loop_free(loop);
    clock_free(the_clock);
    return 0;
}
