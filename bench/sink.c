/* Viewers that only read: opens N RTSP sessions (or raw sockets to a floor), counts what
 * comes and when.
 *
 * usage: sink --port N [--viewers N] [--transport tcp|udp] [--seconds S] [--rate PER_S]
 *             [--path /axis-media/media.amp?…] [--user NAME --password P] [--cpu K]
 *             [--sizes FILE] [--raw] [--stall N]
 * --rate 0: all at once. --stall: so many of them stop reading after their first picture.
 * --sizes: the bytes of each picture of the first viewer, for the floors.
 * Prints one line of JSON. Loopback only, one thread. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crypto.h"
#include "floor.h"

#define REPLY_MAX 8192
#define UDP_BASE 20000
#define UDP_BATCH 64

static struct {
    int port, viewers, cpu, stall;
    bool udp, raw;
    double seconds, rate;
    const char *path, *user, *password;
    FILE *sizes;
} opt = {.viewers = 1,
         .cpu = -1,
         .seconds = 5,
         .path = "/axis-media/media.amp",
         .user = "",
         .password = ""};

enum state { IDLE, CONNECTING, DESCRIBE, SETUP, PLAY, PLAYING, FAILED };

struct viewer {
    int fd, rtp;
    bool calm; /* its pictures come: they are read after those have been heard who begin */
    enum state state;
    int cseq;
    bool logged_in;
    char reply[REPLY_MAX];
    size_t reply_len;
    char realm[64], nonce[128], session[40];
    /* the frame being read */
    uint8_t head[16];
    size_t head_len, skip;
    /* what came */
    uint64_t bytes, packets, pictures, lost;
    uint16_t seq;
    size_t picture_bytes;
    int64_t start_ns, first_ns, last_ns, gap_ns;
};

static struct viewer *viewers;
/* Who still asks and waits for the first packet stands in the one, pictures in the other: else an
 * answer would be heard after hundreds of pictures, and the delay of the client counted. */
static int epoll_fd, media_fd, started, playing, failed;
static uint8_t scratch[256 << 10];

static void die(const char *what)
{
    fprintf(stderr, "sink: %s\n", what);
    exit(1);
}

static void fail(struct viewer *v, const char *why)
{
    if (v->state == FAILED)
        return;
    if (!failed++)
        fprintf(stderr, "sink: a viewer failed: %s\n", why);
    if (v->state == PLAYING)
        playing--;
    v->state = FAILED;
    close(v->fd);
}

static void watch(int fd, struct viewer *v, uint32_t events, int op)
{
    struct epoll_event ev = {.events = events, .data.ptr = v};
    if (epoll_ctl(v->calm ? media_fd : epoll_fd, op, fd, &ev) < 0)
        die("epoll");
}

static void calm_down(struct viewer *v)
{
    int fd = opt.udp ? v->rtp : v->fd;
    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    v->calm = true;
    watch(fd, v, EPOLLIN, EPOLL_CTL_ADD);
}

/* ---- RTSP ---- */

static void say(struct viewer *v, const char *method, const char *suffix, const char *headers)
{
    char text[4096], url[1024], login[1024] = "", a1[65], a2[65], answer[65];
    const char *query = strchr(opt.path, '?');
    int stem = query ? (int)(query - opt.path) : (int)strlen(opt.path);
    snprintf(url, sizeof(url), "rtsp://127.0.0.1:%d%.*s%s%s", opt.port, stem, opt.path, suffix,
             query ? query : "");
    if (*v->nonce) {
        const char *first[] = {opt.user, ":", v->realm, ":", opt.password};
        const char *second[] = {method, ":", url};
        hash_hex(HASH_MD5, a1, 5, first);
        hash_hex(HASH_MD5, a2, 3, second);
        const char *all[] = {a1, ":", v->nonce, ":", a2};
        hash_hex(HASH_MD5, answer, 5, all);
        snprintf(
            login, sizeof(login),
            "Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%.512s\", "
            "response=\"%s\"\r\n",
            opt.user, v->realm, v->nonce, url, answer);
    }
    int n = snprintf(text, sizeof(text), "%s %s RTSP/1.0\r\nCSeq: %d\r\n%s%s%s%s%s\r\n", method,
                     url, ++v->cseq, login, *v->session ? "Session: " : "", v->session,
                     *v->session ? "\r\n" : "", headers);
    if (send(v->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        fail(v, "send");
}

static void describe(struct viewer *v)
{
    v->state = DESCRIBE;
    say(v, "DESCRIBE", "", "Accept: application/sdp\r\n");
}

static void setup(struct viewer *v)
{
    char transport[128] = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    if (opt.udp) {
        int port = UDP_BASE + 2 * (int)(v - viewers);
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        v->rtp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        int room = 2 << 20;
        setsockopt(v->rtp, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
        if (v->rtp < 0 || bind(v->rtp, (struct sockaddr *)&a, sizeof(a)) < 0) {
            fail(v, "bind");
            return;
        }
        watch(v->rtp, v, EPOLLIN, EPOLL_CTL_ADD);
        snprintf(transport, sizeof(transport), "Transport: RTP/AVP;unicast;client_port=%d-%d\r\n",
                 port, port + 1);
    }
    v->state = SETUP;
    say(v, "SETUP", "/stream=0", transport);
}

static bool quoted(const char *reply, const char *name, char *ret, size_t size)
{
    const char *at = strstr(reply, name);
    const char *end = at ? strchr(at + strlen(name), '"') : NULL;
    if (!end || (size_t)(end - at) - strlen(name) >= size)
        return false;
    size_t n = (size_t)(end - at) - strlen(name);
    memcpy(ret, at + strlen(name), n);
    ret[n] = '\0';
    return true;
}

/* A whole reply stands in v->reply. */
static void answered(struct viewer *v)
{
    int status = (int)strtol(v->reply + 9, NULL, 10);
    if (status == 401 && !v->logged_in) {
        v->logged_in = true;
        if (!quoted(v->reply, "realm=\"", v->realm, sizeof(v->realm)) ||
            !quoted(v->reply, "nonce=\"", v->nonce, sizeof(v->nonce)))
            fail(v, "no challenge");
        else
            describe(v);
        return;
    }
    if (status != 200) {
        fail(v, v->reply);
        return;
    }
    if (v->state == DESCRIBE) {
        setup(v);
    } else if (v->state == SETUP) {
        const char *s = strstr(v->reply, "Session: ");
        size_t n = s ? strcspn(s + 9, ";\r") : 0;
        if (!n || n >= sizeof(v->session)) {
            fail(v, "no session");
            return;
        }
        memcpy(v->session, s + 9, n);
        v->state = PLAY;
        say(v, "PLAY", "", "Range: npt=now-\r\n");
    } else if (v->state == PLAY) {
        v->state = PLAYING;
        playing++;
    }
}

/* ---- media ---- */

/* The end of a picture, or with --raw, where ends are not known, any bytes. */
static void arrived(struct viewer *v, int64_t now)
{
    if (v->last_ns && now - v->last_ns > v->gap_ns)
        v->gap_ns = now - v->last_ns;
    v->last_ns = now;
}

static void count_packet(struct viewer *v, const uint8_t *rtp, size_t len)
{
    int64_t now = floor_now_ns();
    uint16_t seq = (uint16_t)(rtp[2] << 8 | rtp[3]);
    if (!v->packets)
        v->first_ns = now;
    else
        v->lost += (uint16_t)(seq - v->seq - 1);
    v->seq = seq;
    v->packets++;
    v->picture_bytes += 4 + len;
    if (!(rtp[1] & 0x80))
        return;
    v->pictures++;
    if (v == viewers && opt.sizes)
        fprintf(opt.sizes, "%zu\n", v->picture_bytes);
    v->picture_bytes = 0;
    arrived(v, now);
}

/* Interleaved frames: heads are looked at, the rest is skipped. */
static void take_frames(struct viewer *v, const uint8_t *p, size_t n)
{
    while (n) {
        if (v->skip) {
            size_t part = v->skip < n ? v->skip : n;
            v->skip -= part;
            p += part;
            n -= part;
            continue;
        }
        v->head[v->head_len++] = *p++;
        n--;
        if (v->head_len < 4)
            continue;
        size_t len = (size_t)(v->head[2] << 8 | v->head[3]);
        if (v->head[0] != '$') {
            fail(v, "not a frame");
            return;
        }
        if (v->head[1] == 0 && len >= 12) {
            if (v->head_len < 16)
                continue;
            count_packet(v, v->head + 4, len);
            v->skip = len - 12;
        } else {
            v->skip = len;
        }
        v->head_len = 0;
    }
}

/* Bytes of the RTSP connection: replies up to PLAY's, frames behind it. */
static void take(struct viewer *v, const uint8_t *p, size_t n)
{
    while (n && v->state != PLAYING && v->state != FAILED) {
        if (v->reply_len + 1 >= sizeof(v->reply)) {
            fail(v, "a long reply");
            return;
        }
        v->reply[v->reply_len++] = (char)*p++;
        v->reply[v->reply_len] = '\0';
        n--;
        const char *body = v->reply_len >= 4 ? strstr(v->reply, "\r\n\r\n") : NULL;
        if (!body)
            continue;
        const char *length = strstr(v->reply, "Content-Length: ");
        size_t want = length && length < body ? strtoul(length + 16, NULL, 10) : 0;
        if (v->reply_len < (size_t)(body - v->reply) + 4 + want)
            continue;
        v->reply_len = 0;
        answered(v);
    }
    if (n && v->state == PLAYING && !opt.udp)
        take_frames(v, p, n);
}

/* Many datagrams a call: who reads one by one would be what makes the gaps. */
static void read_udp(struct viewer *v)
{
    static uint8_t packets[UDP_BATCH][2048];
    static struct iovec room[UDP_BATCH];
    static struct mmsghdr heads[UDP_BATCH];
    for (int i = 0; i < UDP_BATCH; i++) {
        room[i] = (struct iovec){packets[i], sizeof(packets[i])};
        heads[i].msg_hdr = (struct msghdr){.msg_iov = &room[i], .msg_iovlen = 1};
    }
    for (int turn = 0; turn < 4; turn++) {
        int n = recvmmsg(v->rtp, heads, UDP_BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
            v->bytes += heads[i].msg_len;
            if (heads[i].msg_len >= 12 && !opt.raw)
                count_packet(v, packets[i], heads[i].msg_len);
        }
        if (opt.raw && n > 0)
            arrived(v, floor_now_ns());
        if (n < UDP_BATCH)
            return;
    }
}

static bool stalls(const struct viewer *v)
{
    return v - viewers >= opt.viewers - opt.stall && v->pictures;
}

static void ready(struct viewer *v, bool media)
{
    if (v->state == CONNECTING) {
        int err = 0;
        socklen_t len = sizeof(err);
        getsockopt(v->fd, SOL_SOCKET, SO_ERROR, &err, &len);
        if (err) {
            fail(v, strerror(err));
            return;
        }
        watch(v->fd, v, EPOLLIN, EPOLL_CTL_MOD);
        if (opt.raw) {
            v->state = PLAYING;
            playing++;
        } else {
            describe(v);
        }
        return;
    }
    if (v->rtp >= 0 && (media || !v->calm))
        read_udp(v);
    if (!v->calm && v->state == PLAYING && (opt.raw || v->packets))
        calm_down(v);
    if (opt.udp && (opt.raw || media))
        return;
    for (int i = 0; i < 8 && v->state != FAILED; i++) {
        if (stalls(v)) {
            watch(v->fd, v, 0, EPOLL_CTL_MOD);
            return;
        }
        ssize_t n = recv(v->fd, scratch, sizeof(scratch), MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            fail(v, n ? strerror(errno) : "closed by the server");
            return;
        }
        v->bytes += (uint64_t)n;
        if (opt.raw)
            arrived(v, floor_now_ns());
        else
            take(v, scratch, (size_t)n);
        if ((size_t)n < sizeof(scratch))
            return;
    }
}

static void start(struct viewer *v)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)opt.port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool datagrams = opt.raw && opt.udp;
    v->start_ns = floor_now_ns();
    v->fd = socket(AF_INET, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK, 0);
    if (v->fd < 0)
        die("no more sockets");
    v->state = CONNECTING;
    if (datagrams) { /* not connected: the floor answers from another port */
        int room = 2 << 20;
        setsockopt(v->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
        if (sendto(v->fd, "hello", 5, 0, (struct sockaddr *)&a, sizeof(a)) != 5)
            die("hello");
        v->rtp = v->fd;
        v->state = PLAYING;
        playing++;
    } else if (connect(v->fd, (struct sockaddr *)&a, sizeof(a)) < 0 && errno != EINPROGRESS) {
        die("connect");
    }
    watch(v->fd, v, datagrams ? EPOLLIN : EPOLLOUT, EPOLL_CTL_ADD);
}

/* ---- the whole ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(double seconds)
{
    uint64_t bytes = 0, packets = 0, pictures = 0, least = UINT64_MAX, most = 0, lost = 0;
    int64_t gap = 0;
    double *first = calloc((size_t)opt.viewers, sizeof(*first));
    int n = 0;
    for (int i = 0; first && i < opt.viewers; i++) {
        const struct viewer *v = &viewers[i];
        bytes += v->bytes;
        packets += v->packets;
        pictures += v->pictures;
        if (v->first_ns)
            first[n++] = (double)(v->first_ns - v->start_ns) / 1e6;
        if (i >= opt.viewers - opt.stall)
            continue;
        lost += v->lost;
        least = v->pictures < least ? v->pictures : least;
        most = v->pictures > most ? v->pictures : most;
        gap = v->gap_ns > gap ? v->gap_ns : gap;
    }
    if (n)
        qsort(first, (size_t)n, sizeof(*first), by_value);
    printf("{\"viewers\":%d,\"playing\":%d,\"failed\":%d,\"seconds\":%.3f,\"bytes\":%llu,"
           "\"packets\":%llu,\"pictures\":%llu,\"fewest_pictures\":%llu,"
           "\"most_pictures\":%llu,\"lost_packets\":%llu,"
           "\"longest_gap_ms\":%.1f,\"first_ms_median\":%.1f,\"first_ms_p99\":%.1f,"
           "\"first_ms_max\":%.1f}\n",
           opt.viewers, playing, failed, seconds, (unsigned long long)bytes,
           (unsigned long long)packets, (unsigned long long)pictures,
           (unsigned long long)(least == UINT64_MAX ? 0 : least), (unsigned long long)most,
           (unsigned long long)lost, (double)gap / 1e6, n ? first[n / 2] : 0,
           n ? first[(n - 1) * 99 / 100] : 0, n ? first[n - 1] : 0);
    free(first);
}

static void options(int argc, char **argv)
{
    static const struct option names[] = {{"port", 1, NULL, 'p'},
                                          {"viewers", 1, NULL, 'n'},
                                          {"transport", 1, NULL, 't'},
                                          {"seconds", 1, NULL, 's'},
                                          {"rate", 1, NULL, 'r'},
                                          {"path", 1, NULL, 'u'},
                                          {"user", 1, NULL, 'U'},
                                          {"password", 1, NULL, 'P'},
                                          {"cpu", 1, NULL, 'c'},
                                          {"sizes", 1, NULL, 'z'},
                                          {"raw", 0, NULL, 'R'},
                                          {"stall", 1, NULL, 'S'},
                                          {0}};
    int c;
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 'p':
            opt.port = (int)strtol(optarg, NULL, 10);
            break;
        case 'n':
            opt.viewers = (int)strtol(optarg, NULL, 10);
            break;
        case 't':
            opt.udp = !strcmp(optarg, "udp");
            break;
        case 's':
            opt.seconds = strtod(optarg, NULL);
            break;
        case 'r':
            opt.rate = strtod(optarg, NULL);
            break;
        case 'u':
            opt.path = optarg;
            break;
        case 'U':
            opt.user = optarg;
            break;
        case 'P':
            opt.password = optarg;
            break;
        case 'c':
            opt.cpu = (int)strtol(optarg, NULL, 10);
            break;
        case 'z':
            opt.sizes = fopen(optarg, "w");
            if (!opt.sizes)
                die("cannot write sizes");
            break;
        case 'R':
            opt.raw = true;
            break;
        case 'S':
            opt.stall = (int)strtol(optarg, NULL, 10);
            break;
        default:
            exit(2);
        }
    }
    if (opt.port < 1 || opt.viewers < 1 || opt.viewers > 10000)
        die("--port and --viewers");
}

int main(int argc, char **argv)
{
    options(argc, argv);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (opt.cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)opt.cpu, &set);
        sched_setaffinity(0, sizeof(set), &set);
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    media_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event media = {.events = EPOLLIN};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, media_fd, &media) < 0)
        die("epoll");
    viewers = calloc((size_t)opt.viewers, sizeof(*viewers));
    if (epoll_fd < 0 || !viewers)
        die("out of memory");
    for (int i = 0; i < opt.viewers; i++)
        viewers[i].rtp = viewers[i].fd = -1;
    int64_t begin = floor_now_ns(), end = 0;
    while (!end || floor_now_ns() < end) {
        int64_t now = floor_now_ns();
        while (started < opt.viewers &&
               (opt.rate <= 0 || (double)started <= (double)(now - begin) / 1e9 * opt.rate))
            start(&viewers[started++]);
        if (!end && started == opt.viewers)
            end = floor_now_ns() + (int64_t)(opt.seconds * 1e9);
        struct epoll_event events[256];
        int n = epoll_wait(epoll_fd, events, 256, started < opt.viewers ? 1 : 50);
        for (int i = 0; i < n; i++)
            if (events[i].data.ptr)
                ready(events[i].data.ptr, false);
        n = epoll_wait(media_fd, events, 16, 0);
        for (int i = 0; i < n; i++)
            ready(events[i].data.ptr, true);
    }
    report((double)(floor_now_ns() - begin) / 1e9);
    for (int i = 0; i < opt.viewers && !opt.raw; i++)
        if (viewers[i].state == PLAYING) /* over UDP the camera would go on for a minute */
            say(&viewers[i], "TEARDOWN", "", "");
    if (opt.sizes)
        fclose(opt.sizes);
    return failed ? 1 : 0;
}
