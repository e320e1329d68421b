/* The least that TCP viewers cost: one send a picture and viewer, nothing else.
 * Waits for --viewers connections (sink --raw), prints "ready PORT" before. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "floor.h"

int main(int argc, char **argv)
{
    struct floor_options o;
    floor_options(&o, argc, argv);
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, room = 512 << 10;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)o.port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    if (bind(listener, (struct sockaddr *)&a, len) < 0 || listen(listener, 4096) < 0)
        floor_die("listen");
    getsockname(listener, (struct sockaddr *)&a, &len);
    printf("ready %d\n", ntohs(a.sin_port));
    fflush(stdout);
    int *fds = calloc((size_t)o.viewers, sizeof(*fds));
    for (int i = 0; fds && i < o.viewers; i++) {
        fds[i] = accept(listener, NULL, NULL);
        if (fds[i] < 0)
            floor_die("accept");
        setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    }
    const uint8_t *bytes = floor_bytes();
    uint64_t pictures = 0, sent_bytes = 0, dropped = 0;
    int64_t start = floor_now_ns(), cpu = floor_cpu_ns(), end = start + (int64_t)(o.seconds * 1e9);
    for (uint64_t i = 0; floor_now_ns() < end; i++) {
        size_t size = floor_picture(&o, i);
        for (int k = 0; k < o.viewers; k++) {
            ssize_t n = send(fds[k], bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n < (ssize_t)size)
                dropped++;
            sent_bytes += n > 0 ? (uint64_t)n : 0;
        }
        pictures++;
        floor_sleep_until(start + (int64_t)((double)(i + 1) * 1e9 / o.fps));
    }
    floor_report("tcp", &o, (double)(floor_now_ns() - start) / 1e9, floor_cpu_ns() - cpu, pictures,
                 sent_bytes, dropped);
    return 0;
}
