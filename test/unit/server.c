/* What the server answers, byte by byte, spoken to by plain sockets. */
#include <poll.h>

#include "server_set.h"

static void expect(const char *request, const char *reply)
{
    char *got = ask(request);
    CHECK_STR(got, reply);
    free(got);
}

static void expect_status(const char *request, int status)
{
    char *got = ask(request);
    char want[32];
    snprintf(want, sizeof(want), "HTTP/1.1 %d ", status);
    if (strncmp(got, want, strlen(want)) || strstr(got + 1, "HTTP/1.1"))
        unit_fail(__FILE__, __LINE__, "%.80s gives %.200s, expected %d alone", request, got,
                  status);
    free(got);
}

TEST(exact_bytes)
{
    begin(false, NULL);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
           "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"
           "Connection: close\r\n\r\nhello");
    expect("GET /echo HTTP/1.0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n"
           "Connection: close\r\n\r\n");
    expect("HEAD /arg?a=xyz HTTP/1.0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
           "Connection: close\r\n\r\n");
    expect("GET /release HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
           "GET /release HTTP/1.0\r\n\r\n",
           "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n"
           "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    end();
}

TEST(pipelined_and_chunked)
{
    begin(false, NULL);
    expect("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
           "3\r\nabc\r\n0\r\n\r\n"
           "GET //arg?a=1&a=2 HTTP/1.1\r\nHost: a\r\n\r\n"
           "POST /arg HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
           "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\na=b",
           "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc"
           "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\n2"
           "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n"
           "Connection: close\r\n\r\nb");
    BUF(many, 1 << 20);
    for (int i = 0; i < 500; i++)
        buf_adds(&many, "GET /arg?a=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    buf_adds(&many, "GET /arg?a=1 HTTP/1.0\r\n\r\n");
    char *got = ask(buf_str(&many));
    int n = 0;
    for (char *s = got; (s = strstr(s, "HTTP/1.1 200")); s++)
        n++;
    CHECK_INT(n, 501);
    free(got);
    end();
}

TEST(refusals_close)
{
    begin(false, NULL);
#define NEXT "GET /arg?a=1 HTTP/1.1\r\nHost: a\r\n\r\n"
    expect_status("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n"
                  "\r\nhello" NEXT,
                  400);
    expect_status("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                  "Transfer-Encoding: chunked\r\n\r\nhello" NEXT,
                  400);
    expect_status("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "FFFFFFFFFFFFFFFF\r\n" NEXT,
                  400);
    expect_status("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n" NEXT,
                  400);
    expect_status("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n" NEXT, 501);
    expect_status("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n" NEXT, 400);
    expect_status("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello" NEXT, 400);
    expect_status("POST /echo HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n" NEXT, 400);
    static const char *const sizes[] = {"65537", "2147483648", "4294967296", "9223372036854775808",
                                        "99999999999999999999999"};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        char text[256];
        snprintf(text, sizeof(text),
                 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\n" NEXT, sizes[i]);
        expect_status(text, 413);
    }
    expect_status("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world", 413);
    expect_status("POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "B\r\nhello world\r\n0\r\n\r\n" NEXT,
                  413);
    expect_status("BREW /echo HTTP/1.1\r\nHost: a\r\n\r\n", 501);
    expect_status("DESCRIBE /echo HTTP/1.1\r\nHost: a\r\n\r\n", 501);
    expect_status("GET /echo HTTP/3.0\r\nHost: a\r\n\r\n", 505);
    expect_status("GET /a/../echo HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect_status("GET /%2e%2e/echo HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect_status("GET /echo?a=%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect_status("GET /echo?a=%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect_status("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400);
    expect_status("\x80\x01\x02\r\n\r\n", 400);

    BUF(big, 4 << 20);
    buf_adds(&big, "GET /");
    for (int i = 0; i < 1 << 20; i++)
        buf_adds(&big, "a");
    buf_adds(&big, " HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_status(buf_str(&big), 414);
    buf_reset(&big);
    buf_adds(&big, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 10000; i++)
        buf_adds(&big, "X: y\r\n");
    buf_adds(&big, "\r\n");
    expect_status(buf_str(&big), 431);
    end();
}

TEST(body_that_nobody_wants)
{
    begin(false, NULL);
    /* Refused before the body: the connection lives on, the body is skipped. */
    expect("POST /secret HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
           "GET /arg?a=1 HTTP/1.0\r\n\r\n",
           "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"x\"\r\n"
           "Content-Type: text/plain\r\nContent-Length: 3\r\n\r\nno\n"
           "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n"
           "Connection: close\r\n\r\n1");
    expect_status("POST /secret HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nhello", 401);
    expect_status("POST /secret HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                  "Expect: 100-continue\r\n\r\n",
                  401);
    end();
}

TEST(expects_continue)
{
    begin(false, NULL);
    int fd = dial(w.port);
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
            "Connection: close\r\n\r\n");
    char bytes[64] = "";
    CHECK_INT(recv(fd, bytes, sizeof(bytes) - 1, 0), 25);
    CHECK_STR(bytes, "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, "hello");
    char *got = hear(fd);
    CHECK(strstr(got, "\r\n\r\nhello"));
    free(got);
    end();
}

TEST(large_bodies_both_ways)
{
    begin(false, NULL);
    int fd = dial(w.port);
    say(fd, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n"
            "Connection: close\r\n\r\n");
    char *up = calloc(1, 5000001);
    memset(up, 'x', 5000000);
    say(fd, up);
    free(up);
    char *got = hear(fd);
    CHECK(strstr(got, "\r\n\r\n5000000"));
    free(got);

    fd = dial(w.port);
    say(fd, "GET /big HTTP/1.0\r\n\r\n");
    size_t total = 0;
    static char bytes[65536];
    ssize_t n;
    while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
        total += (size_t)n;
    CHECK(total > 6 << 20);
    close(fd);
    end();
}

TEST(late_reply_and_cancel)
{
    begin(false, NULL);
    int fd = dial(w.port);
    say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    shutdown(fd, SHUT_WR); /* half closed is not gone */
    while (!__atomic_load_n(&w.waiting, __ATOMIC_SEQ_CST))
        poll(NULL, 0, 1);
    free(ask("GET /release HTTP/1.0\r\n\r\n"));
    char *got = hear(fd);
    CHECK(strstr(got, "\r\n\r\nlate"));
    free(got);

    fd = dial(w.port);
    say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    while (!__atomic_load_n(&w.waiting, __ATOMIC_SEQ_CST))
        poll(NULL, 0, 1);
    struct linger now = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
    while (!__atomic_load_n(&w.cancelled, __ATOMIC_SEQ_CST))
        poll(NULL, 0, 1);

    /* The server may end while somebody waits. */
    fd = dial(w.port);
    say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    while (!__atomic_load_n(&w.waiting, __ATOMIC_SEQ_CST))
        poll(NULL, 0, 1);
    end();
    CHECK_INT(w.cancelled, 2);
    close(fd);
}

TEST(taken_connection_keeps_early_bytes)
{
    begin(false, NULL);
    expect("GET /take HTTP/1.1\r\nHost: a\r\n\r\nearly", "taken:early");
    char *got = ask("GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Protocol: chat, binary\r\n\r\n");
    CHECK_STR(got, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                   "Sec-WebSocket-Protocol: binary\r\n\r\n");
    free(got);
    struct server_stats stats;
    do
        server_stats(w.server, &stats);
    while (stats.connections);
    end();
}

UNIT_MAIN(UNIT_ROW(exact_bytes) UNIT_ROW(pipelined_and_chunked) UNIT_ROW(refusals_close)
              UNIT_ROW(body_that_nobody_wants) UNIT_ROW(expects_continue)
                  UNIT_ROW(large_bodies_both_ways) UNIT_ROW(late_reply_and_cancel)
                      UNIT_ROW(taken_connection_keeps_early_bytes))
