#include "device/visca/line.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define CONNECT_MS 2000
#define WRITE_MS 500
#define HEADER 8

void visca_line_init(struct visca_line *l, const struct head_spec *spec,
                     const struct head_host *host)
{
    bool remote = !strncmp(spec->address, "//", 2);
    *l = (struct visca_line){.host = host,
                             .way = !remote     ? VISCA_SERIAL
                                    : spec->udp ? VISCA_UDP
                                                : VISCA_TCP,
                             .address = spec->address,
                             .baud = spec->baud > 0 ? spec->baud : 9600,
                             .fd = -1};
}

void visca_line_close(struct visca_line *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    l->n_in = 0;
}

static speed_t speed_of(int baud)
{
    return baud == 19200    ? B19200
           : baud == 38400  ? B38400
           : baud == 57600  ? B57600
           : baud == 115200 ? B115200
                            : B9600;
}

static int open_serial(struct visca_line *l)
{
    int fd = open(l->address, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct termios t;
    if (tcgetattr(fd, &t) < 0) {
        close(fd);
        return -ENOTTY;
    }
    cfmakeraw(&t);
    t.c_cflag |= CLOCAL | CREAD;
    t.c_cflag &= ~(tcflag_t)(CRTSCTS | CSTOPB | PARENB);
    cfsetspeed(&t, speed_of(l->baud));
    if (tcsetattr(fd, TCSANOW, &t) < 0) {
        close(fd);
        return -EIO;
    }
    tcflush(fd, TCIOFLUSH);
    l->fd = fd;
    return 0;
}

/* "//host:port", "//[::1]:port" */
static int split_host(const char *address, char *host, size_t size, char port[8])
{
    const char *at = address + 2;
    size_t len = strcspn(at, "/");
    const char *end = at + len;
    const char *colon = memrchr(at, ':', len);
    if (*at == '[') {
        const char *close = memchr(at, ']', len);
        if (!close)
            return -EINVAL;
        colon = close + 1 < end && close[1] == ':' ? close + 1 : NULL;
        at++;
        len = (size_t)(close - at);
    } else if (colon) {
        len = (size_t)(colon - at);
    }
    if (!len || len >= size)
        return -EINVAL;
    memcpy(host, at, len);
    host[len] = 0;
    if (!colon)
        return 0;
    int64_t number;
    char text[8] = "";
    if ((size_t)(end - colon) > sizeof(text))
        return -EINVAL;
    memcpy(text, colon + 1, (size_t)(end - colon - 1));
    if (text_int(text, 1, 65535, &number))
        return -EINVAL;
    memcpy(port, text, sizeof(text));
    return 0;
}

static int finish_connect(struct visca_line *l, int fd)
{
    int r = head_wait(l->host, fd, POLLOUT, CONNECT_MS);
    if (r <= 0)
        return r ? r : -ETIMEDOUT;
    int err = 0;
    socklen_t size = sizeof(err);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size);
    return -err;
}

static int open_socket(struct visca_line *l)
{
    char host[256], port[8] = "52381";
    if (l->way == VISCA_TCP)
        memcpy(port, "5678", 5);
    int err = split_host(l->address, host, sizeof(host), port);
    if (err)
        return err;
    const struct addrinfo want = {.ai_family = AF_UNSPEC,
                                  .ai_socktype = l->way == VISCA_TCP ? SOCK_STREAM : SOCK_DGRAM};
    struct addrinfo *list = NULL;
    if (getaddrinfo(host, port, &want, &list))
        return -EHOSTUNREACH;
    err = -EHOSTUNREACH;
    for (struct addrinfo *a = list; a && l->fd < 0; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        int one = 1;
        if (l->way == VISCA_TCP)
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        err = connect(fd, a->ai_addr, a->ai_addrlen) ? -errno : 0;
        if (err == -EINPROGRESS)
            err = finish_connect(l, fd);
        if (err)
            close(fd);
        else
            l->fd = fd;
    }
    freeaddrinfo(list);
    return err;
}

int visca_line_open(struct visca_line *l)
{
    if (l->fd >= 0)
        return 0;
    l->n_in = 0;
    return l->way == VISCA_SERIAL ? open_serial(l) : open_socket(l);
}

static int write_all(struct visca_line *l, const uint8_t *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(l->fd, bytes, len);
        if (n < 0 && errno == EAGAIN) {
            int r = head_wait(l->host, l->fd, POLLOUT, WRITE_MS);
            if (r <= 0)
                return r ? r : -ETIMEDOUT;
            continue;
        }
        if (n < 0)
            return -errno;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

int visca_send(struct visca_line *l, const struct visca_message *m, bool question, bool again)
{
    if (l->fd < 0)
        return -ENOTCONN;
    if (l->way != VISCA_UDP)
        return write_all(l, m->bytes, m->len);
    if (!again)
        l->sequence++;
    uint8_t packet[HEADER + VISCA_MAX] = {1,
                                          question ? 0x10 : 0,
                                          0,
                                          (uint8_t)m->len,
                                          (uint8_t)(l->sequence >> 24),
                                          (uint8_t)(l->sequence >> 16),
                                          (uint8_t)(l->sequence >> 8),
                                          (uint8_t)l->sequence};
    memcpy(packet + HEADER, m->bytes, m->len);
    return write_all(l, packet, HEADER + m->len);
}

/* One packet, one message; only of the sequence that we sent last, but for commands that end
 * later. */
static bool read_packet(const struct visca_line *l, const uint8_t *p, size_t len,
                        struct visca_reply *ret)
{
    if (len < HEADER + 3 || len > HEADER + VISCA_MAX || p[0] != 1 || p[1] != 0x11 || p[2] ||
        p[3] != len - HEADER)
        return false;
    uint32_t sequence = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
    if (visca_cut(p + HEADER, len - HEADER, ret) != len - HEADER)
        return false;
    return sequence == l->sequence ? ret->kind != VISCA_OTHER : ret->kind == VISCA_DONE;
}

/* 1: one is there; 0: read on; negative errno. */
static int next_reply(struct visca_line *l, struct visca_reply *ret)
{
    if (l->way == VISCA_UDP) {
        uint8_t packet[64];
        ssize_t n = recv(l->fd, packet, sizeof(packet), MSG_TRUNC);
        if (n < 0)
            return errno == EAGAIN ? 0 : -errno;
        return n <= (ssize_t)sizeof(packet) && read_packet(l, packet, (size_t)n, ret);
    }
    size_t n = visca_cut(l->in, l->n_in, ret);
    if (n) {
        memmove(l->in, l->in + n, l->n_in -= n);
        return ret->kind != VISCA_OTHER;
    }
    ssize_t got = read(l->fd, l->in + l->n_in, sizeof(l->in) - l->n_in);
    if (got < 0)
        return errno == EAGAIN ? 0 : -errno;
    if (got == 0)
        return -EPIPE;
    l->n_in += (size_t)got;
    return 0;
}

int visca_receive(struct visca_line *l, int timeout_ms, struct visca_reply *ret)
{
    int64_t until_ns = clock_now(l->host->clock) + timeout_ms * NSEC_PER_MSEC;
    if (l->fd < 0)
        return -ENOTCONN;
    for (;;) {
        size_t before = l->n_in;
        int r = next_reply(l, ret);
        if (r)
            return r < 0 ? r : 0;
        int64_t left_ns = until_ns - clock_now(l->host->clock);
        if (left_ns <= 0)
            return -ETIMEDOUT;
        if (l->n_in != before)
            continue;
        r = head_wait(l->host, l->fd, POLLIN, (int)(left_ns / NSEC_PER_MSEC) + 1);
        if (r < 0)
            return r;
    }
}

void visca_drain(struct visca_line *l)
{
    struct visca_reply r;
    for (int i = 0; i < 64 && visca_receive(l, 0, &r) == 0; i++)
        ;
}
