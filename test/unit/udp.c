#include "net/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "net/multicast.h"
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

/* A small packet and a train behind it, as a picture is: each arrives as it is, in order. */
TEST(trains_together)
{
    struct sockaddr_in a = loopback(0), to;
    int rx[2], tx[2], rx_port, tx_port, big = 8 << 20;
    CHECK_INT(udp_pair((struct sockaddr *)&a, sizeof(a), 51000, 51999, rx, &rx_port, NULL), 0);
    CHECK_INT(udp_pair((struct sockaddr *)&a, sizeof(a), 51000, 51999, tx, &tx_port, NULL), 0);
    setsockopt(rx[0], SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
    to = loopback(rx_port);
    CHECK_INT(connect(tx[0], (struct sockaddr *)&to, sizeof(to)), 0);
    static uint8_t bytes[16][10000], got[2000];
    struct udp_train train[16];
    for (unsigned i = 0; i < 16; i++) {
        bool small = i % 2 == 0;
        memset(bytes[i], (int)i, sizeof(bytes[i]));
        train[i] = small ? (struct udp_train){bytes[i], 170, 170, 1}
                         : (struct udp_train){bytes[i], 9000, 1400, 7};
    }
    for (unsigned at = 0; at < 16;) {
        int n = udp_send_trains(tx[0], train + at, 16 - at);
        CHECK(n >= 1 && n <= (int)(16 - at));
        at += (unsigned)n;
    }
    for (unsigned i = 0; i < 16; i++) {
        for (unsigned k = 0; k < train[i].packets; k++) {
            ssize_t n = recv(rx[0], got, sizeof(got), MSG_DONTWAIT);
            CHECK_INT(n, k + 1 < train[i].packets ? 1400 : i % 2 ? 600 : 170);
            CHECK(got[0] == i && got[n - 1] == i);
        }
    }
    close(rx[0]);
    close(rx[1]);
    close(tx[0]);
    close(tx[1]);
}

TEST(refusals)
{
    struct sockaddr_in to = loopback(9);
    uint8_t byte = 0;
    CHECK_INT(udp_send_train(-1, (struct sockaddr *)&to, sizeof(to), &byte, 1, 0), -EINVAL);
    CHECK_INT(udp_send_train(-1, (struct sockaddr *)&to, sizeof(to), &byte, 1, 1), -EBADF);
}

static bool is_group(const char *text, bool wants_source)
{
    struct sockaddr_storage a;
    struct fault why = {0};
    if (multicast_parse(text, "VideoAddress", &a, &why) < 0) {
        CHECK_STR(why.name, "VideoAddress");
        CHECK_INT(why.kind, FAULT_INVALID);
        return false;
    }
    CHECK(multicast_wants_source(&a) == wants_source);
    return true;
}

TEST(groups)
{
    static const char *const any[] = {"239.192.1.2",
                                      "224.0.2.0",
                                      "233.252.0.1",
                                      "239.255.254.255",
                                      "ff15::1234",
                                      "ff12::1",
                                      "ff3e:40:2001:db8:0:1::5"};
    static const char *const source[] = {"232.0.1.0", "232.255.255.255", "ff35::8000:0",
                                         "ff3e::ffff:ffff"};
    static const char *const none[] = {"",
                                       "camera",
                                       "192.0.2.1",
                                       "223.255.255.255",
                                       "240.0.0.1",
                                       "255.255.255.255",
                                       "224.0.0.1",
                                       "224.0.0.251",
                                       "224.0.1.1",
                                       "224.0.1.129",
                                       "232.0.0.0",
                                       "232.0.0.255",
                                       "239.255.255.250",
                                       "239.192.1",
                                       "239.192.1.2.3",
                                       "239.192.1.256",
                                       "239.192.1.2 ",
                                       "0xef.1.1.1",
                                       "::1",
                                       "2001:db8::1",
                                       "ff02::1",
                                       "ff05::c",
                                       "ff10::1",
                                       "ff1f::1",
                                       "ff95::1",
                                       "ff35::1",
                                       "ff35::4000:1",
                                       "::ffff:239.192.1.2",
                                       "ff15::1%lo",
                                       "239.192.1.2/5"};
    for (size_t i = 0; i < sizeof(any) / sizeof(*any); i++)
        CHECK(is_group(any[i], false));
    for (size_t i = 0; i < sizeof(source) / sizeof(*source); i++)
        CHECK(is_group(source[i], true));
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        CHECK(!is_group(none[i], false));
}

TEST(interface_of_an_address)
{
    struct sockaddr_storage at = {0}, found, mapped = {0};
    struct fault why = {0};
    unsigned index = 0, again = 0;
    *(struct sockaddr_in *)&at = loopback(554);
    CHECK_INT(multicast_interface(&at, AF_INET, &index, &found, &why), 0);
    CHECK(index);
    CHECK_INT(((struct sockaddr_in *)&found)->sin_port, 0);
    CHECK_INT(ntohl(((struct sockaddr_in *)&found)->sin_addr.s_addr), INADDR_LOOPBACK);
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&mapped;
    six->sin6_family = AF_INET6;
    CHECK_INT(inet_pton(AF_INET6, "::ffff:127.0.0.1", &six->sin6_addr), 1);
    CHECK_INT(multicast_interface(&mapped, AF_INET, &again, &found, &why), 0);
    CHECK_INT(again, index);
    CHECK_INT(found.ss_family, AF_INET);
    ((struct sockaddr_in *)&at)->sin_addr.s_addr = htonl(0xc0000263); /* 192.0.2.99: nobody's */
    CHECK(multicast_interface(&at, AF_INET, &index, &found, &why) < 0);
    CHECK_INT(why.kind, FAULT_IO);
}

UNIT_MAIN(UNIT_ROW(pairs_are_even_and_exclusive) UNIT_ROW(trains) UNIT_ROW(trains_together)
              UNIT_ROW(refusals) UNIT_ROW(groups) UNIT_ROW(interface_of_an_address))
