/* The least that UDP viewers cost: trains of up to 64 kB by UDP_SEGMENT, large pictures
 * paced within half a picture's time. Waits for a datagram from each of --viewers
 * sockets (sink --raw --transport udp), prints "ready PORT" before. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "floor.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define PREFIX 4 /* of interleaving: part of the sizes, not of datagrams */

static int send_train(int fd, const uint8_t *bytes, size_t len)
{
    struct iovec iov = {(void *)bytes, len};
    union {
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (len > FLOOR_PACKET) {
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = IPPROTO_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
        const uint16_t size = FLOOR_PACKET;
        memcpy(CMSG_DATA(c), &size, sizeof(size));
    }
    return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int main(int argc, char **argv)
{
    struct floor_options o;
    floor_options(&o, argc, argv);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)o.port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int meeting = socket(AF_INET, SOCK_DGRAM, 0), room = 512 << 10;
    if (bind(meeting, (struct sockaddr *)&a, len) < 0)
        floor_die("bind");
    int all = 2 << 20; /* all say hello at once: one lost would be waited for in vain */
    setsockopt(meeting, SOL_SOCKET, SO_RCVBUF, &all, sizeof(all));
    getsockname(meeting, (struct sockaddr *)&a, &len);
    printf("ready %d\n", ntohs(a.sin_port));
    fflush(stdout);
    int *fds = calloc((size_t)o.viewers, sizeof(*fds));
    for (int i = 0; fds && i < o.viewers; i++) {
        struct sockaddr_in from;
        char hello[16];
        len = sizeof(from);
        if (recvfrom(meeting, hello, sizeof(hello), 0, (struct sockaddr *)&from, &len) < 0)
            floor_die("recvfrom");
        fds[i] = socket(AF_INET, SOCK_DGRAM, 0);
        setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
        if (connect(fds[i], (struct sockaddr *)&from, len) < 0)
            floor_die("connect");
    }
    const uint8_t *bytes = floor_bytes();
    const size_t train = (size_t)FLOOR_TRAIN * FLOOR_PACKET;
    uint64_t pictures = 0, sent_bytes = 0, dropped = 0;
    int64_t start = floor_now_ns(), cpu = floor_cpu_ns(), end = start + (int64_t)(o.seconds * 1e9);
    for (uint64_t i = 0; floor_now_ns() < end; i++) {
        size_t wire = floor_picture(&o, i);
        size_t packets = (wire + FLOOR_PACKET + PREFIX - 1) / (FLOOR_PACKET + PREFIX);
        size_t size = wire - packets * PREFIX;
        size_t trains = (size + train - 1) / train;
        int64_t at = start + (int64_t)((double)i * 1e9 / o.fps);
        for (size_t t = 0; t < trains; t++) {
            size_t from = t * train, n = size - from < train ? size - from : train;
            if (t)
                floor_sleep_until(at + (int64_t)(0.5e9 / o.fps * (double)t / (double)trains));
            for (int k = 0; k < o.viewers; k++) {
                if (send_train(fds[k], bytes + from, n) < 0)
                    dropped++;
                else
                    sent_bytes += n;
            }
        }
        pictures++;
        floor_sleep_until(start + (int64_t)((double)(i + 1) * 1e9 / o.fps));
    }
    floor_report("udp", &o, (double)(floor_now_ns() - start) / 1e9, floor_cpu_ns() - cpu, pictures,
                 sent_bytes, dropped);
    return 0;
}
