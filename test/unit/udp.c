#include "net/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "unit.h"

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

TEST(pairs_are_even_and_exclusive)
{
    struct sockaddr_in a = loopback(0);
    struct fault why = {0};
    int fds[4][2], ports[4];
    for (int i = 0; i < 3; i++) {
        CHECK_INT(udp_pair((struct sockaddr *)&a, sizeof(a), 50901, 50908, fds[i], &ports[i], &why),
                  0);
        CHECK(ports[i] % 2 == 0 && ports[i] >= 50902 && ports[i] <= 50906);
    }
    CHECK(ports[0] != ports[1] && ports[1] != ports[2] && ports[0] != ports[2]);
    CHECK_INT(udp_pair((struct sockaddr *)&a, sizeof(a), 50901, 50908, fds[3], &ports[3], &why),
              -ENOSPC);
    CHECK_INT(udp_pair((struct sockaddr *)&a, sizeof(a), 9, 8, fds[3], &ports[3], &why), -EINVAL);
    for (int i = 0; i < 3; i++) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
}

static void send_and_count(size_t packets, size_t segment, size_t last)
{
    struct sockaddr_in a = loopback(0), to;
    int rx[2], tx[2], rx_port, tx_port, big = 8 << 20;
    CHECK_INT(udp_pair((struct sockaddr *)&a, sizeof(a), 51000, 51999, rx, &rx_port, NULL), 0);
    CHECK_INT(udp_pair((struct sockaddr *)&a, sizeof(a), 51000, 51999, tx, &tx_port, NULL), 0);
    setsockopt(rx[0], SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
    to = loopback(rx_port);
    static uint8_t bytes[400 * 1500], got[2000];
    size_t len = (packets - 1) * segment + last;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i / segment);
    int sent = udp_send_train(tx[0], (struct sockaddr *)&to, sizeof(to), bytes, len, segment);
    CHECK_INT(sent, packets);
    for (size_t i = 0; i < packets; i++) {
        ssize_t n = recv(rx[0], got, sizeof(got), MSG_DONTWAIT);
        if (n < 0)
            break; /* a small receive buffer drops the end */
        CHECK_INT(n, i + 1 < packets ? segment : last);
        CHECK_INT(got[0], (uint8_t)i);
        CHECK_INT(got[n - 1], (uint8_t)i);
    }
    for (int i = 0; i < 2; i++) {
        close(rx[i]);
        close(tx[i]);
    }
}

TEST(trains)
{
    send_and_count(1, 1200, 1200);
    send_and_count(1, 1200, 10);
    send_and_count(2, 1200, 1);
    send_and_count(40, 1200, 700);
    send_and_count(130, 1000, 1000);
    send_and_count(300, 100, 99);
}

TEST(refusals)
{
    struct sockaddr_in to = loopback(9);
    uint8_t byte = 0;
    CHECK_INT(udp_send_train(-1, (struct sockaddr *)&to, sizeof(to), &byte, 1, 0), -EINVAL);
    CHECK_INT(udp_send_train(-1, (struct sockaddr *)&to, sizeof(to), &byte, 1, 1), -EBADF);
}

UNIT_MAIN(UNIT_ROW(pairs_are_even_and_exclusive) UNIT_ROW(trains) UNIT_ROW(refusals))
