#include "net/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "net/fault_hook.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define TRAIN_BYTES 65000 /* of one datagram train */
#define TRAIN_PACKETS 64  /* UDP_MAX_SEGMENTS */
#define BATCH 32          /* datagrams of one sendmmsg() */
#define TRAINS 8          /* trains of one */

static _Atomic bool no_segments; /* the kernel or the route cannot */

static int bind_port(const struct sockaddr *local_addr, socklen_t len, int port)
{
    struct sockaddr_storage a = {0};
    memcpy(&a, local_addr, len);
    if (a.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&a)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)&a)->sin_port = htons((uint16_t)port);
    int fd = socket(a.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&a, len) < 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

int udp_pair(const struct sockaddr *local_addr, socklen_t len, int first, int last, int ret_fds[2],
             int *ret_port, struct fault *why)
{
    if ((local_addr->sa_family != AF_INET && local_addr->sa_family != AF_INET6) ||
        len > sizeof(struct sockaddr_storage))
        return fault_set(why, FAULT_INVALID, "address", "not an IP address");
    first += first & 1;
    int pairs = (last - first + 1) / 2;
    if (first < 1 || last > 65535 || pairs < 1)
        return fault_set(why, FAULT_INVALID, "ports", "%d to %d holds no pair", first, last);

    static _Atomic unsigned turn;
    unsigned start = atomic_fetch_add(&turn, 1);
    for (int i = 0; i < pairs; i++) {
        int port = first + 2 * (int)((start + (unsigned)i) % (unsigned)pairs);
        int even = bind_port(local_addr, len, port);
        if (even == -EADDRINUSE)
            continue;
        if (even < 0)
            return fault_set(why, FAULT_IO, "ports", "no UDP socket: %s", strerror(-even));
        int odd = bind_port(local_addr, len, port + 1);
        if (odd >= 0) {
            ret_fds[0] = even;
            ret_fds[1] = odd;
            *ret_port = port;
            return 0;
        }
        close(even);
        if (odd != -EADDRINUSE)
            return fault_set(why, FAULT_IO, "ports", "no UDP socket: %s", strerror(-odd));
    }
    return fault_set(why, FAULT_LIMIT, "ports", "all ports from %d to %d are in use", first, last);
}

/* One call, packets one by one; packets sent or negative errno. */
static int send_singly(int fd, const struct sockaddr *to, socklen_t to_len, const uint8_t *bytes,
                       size_t len, size_t segment)
{
    struct mmsghdr messages[BATCH];
    struct iovec iov[BATCH];
    unsigned n = 0;
    for (size_t at = 0; at < len && n < BATCH; at += segment, n++) {
        iov[n] = (struct iovec){(void *)(bytes + at), len - at < segment ? len - at : segment};
        messages[n] = (struct mmsghdr){.msg_hdr = {.msg_name = (void *)to,
                                                   .msg_namelen = to ? to_len : 0,
                                                   .msg_iov = &iov[n],
                                                   .msg_iovlen = 1}};
    }
    int sent = sendmmsg(fd, messages, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? -errno : sent;
}

union control {
    char bytes[CMSG_SPACE(sizeof(uint16_t))];
    struct cmsghdr align;
};

/* A message of packets of `segment` bytes. */
static void fill(struct msghdr *m, struct iovec *iov, union control *control, const uint8_t *bytes,
                 size_t len, size_t segment)
{
    *iov = (struct iovec){(void *)bytes, len};
    *m = (struct msghdr){.msg_iov = iov, .msg_iovlen = 1};
    if (len <= segment)
        return;
    *control = (union control){0};
    m->msg_control = control->bytes;
    m->msg_controllen = sizeof(control->bytes);
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    const uint16_t size = (uint16_t)segment;
    memcpy(CMSG_DATA(c), &size, sizeof(size));
}

/* One train; packets sent or negative errno. */
static int send_segmented(int fd, const struct sockaddr *to, socklen_t to_len, const uint8_t *bytes,
                          size_t len, size_t segment)
{
    size_t packets = TRAIN_BYTES / segment;
    if (packets > TRAIN_PACKETS)
        packets = TRAIN_PACKETS;
    if (len > packets * segment)
        len = packets * segment;
    struct iovec iov;
    union control control;
    struct msghdr m;
    fill(&m, &iov, &control, bytes, len, segment);
    m.msg_name = (void *)to;
    m.msg_namelen = to ? to_len : 0;
    if (sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return -errno;
    return (int)((len + segment - 1) / segment);
}

static double noise_of(const uint8_t *bytes, size_t len)
{
    uint64_t x = 0;
    for (size_t i = 0; i < len && i < 12; i++) /* the header of RTP: no two are equal */
        x = (x ^ bytes[i]) * UINT64_C(0x100000001b3) + UINT64_C(0x9e3779b97f4a7c15);
    /* Two rounds: after one, numbers that follow each other still lie on a lattice. */
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((x ^ x >> 31) >> 11) / 0x1p53;
}

/* With a fault on purpose: what is lost counts as sent. */
static int send_lossy(int fd, const struct sockaddr *to, socklen_t to_len, const uint8_t *bytes,
                      size_t len, size_t segment, double loss)
{
    int sent = 0;
    for (size_t n; len; bytes += n, len -= n, sent++) {
        n = len < segment ? len : segment;
        if (noise_of(bytes, n) < loss)
            continue;
        int err = send_singly(fd, to, to_len, bytes, n, segment);
        if (err < 0)
            return sent ? sent : err;
    }
    return sent;
}

int udp_send_train(int fd, const struct sockaddr *to, socklen_t to_len, const uint8_t *bytes,
                   size_t len, size_t segment)
{
    int sent = 0;
    if (segment == 0 || segment > TRAIN_BYTES)
        return -EINVAL;
    if (net_faults_on()) {
        struct net_plan plan;
        net_plan_for(NULL, &plan);
        if (plan.stall || plan.cut || plan.loss > 0)
            return send_lossy(fd, to, to_len, bytes, len, segment,
                              plan.stall || plan.cut ? 1 : plan.loss);
    }
    if (len <= segment)
        return sendto(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT, to, to ? to_len : 0) < 0 ? -errno
                                                                                            : 1;
    while (len) {
        bool train = len > segment && !atomic_load(&no_segments);
        int n = train ? send_segmented(fd, to, to_len, bytes, len, segment)
                      : send_singly(fd, to, to_len, bytes, len, segment);
        if (train && (n == -EINVAL || n == -EIO || n == -ENOPROTOOPT || n == -EMSGSIZE)) {
            /* EMSGSIZE: this route's MTU is smaller; only this train is split. */
            if (n != -EMSGSIZE)
                atomic_store(&no_segments, true);
            n = send_singly(fd, to, to_len, bytes, len, segment);
        }
        if (n < 0)
            return sent && (n == -EAGAIN || n == -EWOULDBLOCK) ? sent : n;
        sent += n;
        size_t bytes_sent = (size_t)n * segment < len ? (size_t)n * segment : len;
        bytes += bytes_sent;
        len -= bytes_sent;
    }
    return sent;
}

int udp_send_trains(int fd, const struct udp_train *t, unsigned n)
{
    if (n > 1 && !net_faults_on() && !atomic_load(&no_segments)) {
        struct mmsghdr messages[TRAINS];
        struct iovec iov[TRAINS];
        union control control[TRAINS];
        unsigned k = 0;
        for (; k < n && k < TRAINS && t[k].len <= TRAIN_BYTES; k++)
            fill(&messages[k].msg_hdr, &iov[k], &control[k], t[k].bytes, t[k].len, t[k].segment);
        int sent = k > 1 ? sendmmsg(fd, messages, k, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
        if (sent > 0)
            return sent; /* what was wrong with the next one is told when it is the first */
    }
    int sent = udp_send_train(fd, NULL, 0, t->bytes, t->len, t->segment);
    return sent < 0 ? sent : sent < t->packets ? -EAGAIN : 1;
}
