/* The real server on loopback, spoken to by plain sockets, byte by byte. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/loop.h"
#include "net/conn.h"
#include "net/exchange.h"
#include "net/server.h"
#include "net/tls.h"
#include "net/ws.h"

struct world {
    struct clock *clock;
    struct loop *loop;
    struct server *server;
    struct tls_server *tls;
    EVP_PKEY *key;
    pthread_t thread;
    int port, tls_port, raw_port;
    struct exchange *waiting;
    struct conn *taken;
    unsigned served, cancelled;
    char *big;
};
static struct world w;

#define BIG (6u << 20)

static char pattern(unsigned i)
{
    return (char)(i * 2654435761u >> 24);
}

static void on_cancel(struct exchange *ex)
{
    __atomic_store_n(&w.waiting, NULL, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&w.cancelled, 1, __ATOMIC_SEQ_CST);
}

static int admit(struct exchange *ex, size_t *ret_max_body, void *arg)
{
    if (!strcmp(ex->path, "/secret")) {
        exchange_set_header(ex, "WWW-Authenticate", "Digest realm=\"x\"");
        exchange_replyf(ex, 401, "text/plain", "no\n");
        return 1;
    }
    if (!strcmp(ex->path, "/small"))
        *ret_max_body = 10;
    if (!strcmp(ex->path, "/upload"))
        *ret_max_body = 8 << 20;
    return 0;
}

static void serve(struct exchange *ex, void *arg)
{
    __atomic_add_fetch(&w.served, 1, __ATOMIC_SEQ_CST);
    if (!strcmp(ex->path, "/echo") || !strcmp(ex->path, "/small")) {
        exchange_reply(ex, 200, "text/plain", ex->body, ex->body_len);
    } else if (!strcmp(ex->path, "/upload")) {
        exchange_replyf(ex, 200, "text/plain", "%zu", ex->body_len);
    } else if (!strcmp(ex->path, "/arg")) {
        const char *a = exchange_arg(ex, "a");
        exchange_replyf(ex, 200, "text/plain", "%s", a ? a : "(none)");
    } else if (!strcmp(ex->path, "/big")) {
        exchange_reply(ex, 200, "application/octet-stream", w.big, BIG);
    } else if (!strcmp(ex->path, "/wait")) {
        ex->cancel = on_cancel;
        __atomic_store_n(&w.waiting, ex, __ATOMIC_SEQ_CST);
    } else if (!strcmp(ex->path, "/release")) {
        if (w.waiting)
            exchange_replyf(w.waiting, 200, "text/plain", "late");
        __atomic_store_n(&w.waiting, NULL, __ATOMIC_SEQ_CST);
        exchange_replyf(ex, 204, NULL, "%s", "");
    } else if (!strcmp(ex->path, "/take")) {
        w.taken = exchange_take_conn(ex);
        char bytes[16] = "taken:";
        ssize_t n = conn_read(w.taken, bytes + 6, sizeof(bytes) - 6);
        conn_write(w.taken, bytes, 6 + (size_t)(n > 0 ? n : 0));
        w.taken = conn_free(w.taken);
    } else if (!strcmp(ex->path, "/ws")) {
        BUF(hello, 1024);
        struct conn *c = ws_accept(ex, ws_offers(ex, "binary") ? "binary" : NULL, &hello);
        if (c) {
            conn_write(c, hello.data, hello.len);
            conn_free(c);
        }
    } else if (!strcmp(ex->path, "/login")) {
        server_conn_authenticated(ex->conn);
        exchange_replyf(ex, 200, "text/plain", "in");
    } else {
        exchange_replyf(ex, 404, "text/plain", "none");
    }
}

static void *run(void *arg)
{
    loop_run(w.loop);
    return NULL;
}

static int sign(void *arg, const uint8_t *digest, size_t digest_len, uint8_t *ret, size_t max)
{
    size_t len = max;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(w.key, NULL);
    bool ok = EVP_PKEY_sign_init(c) == 1 && EVP_PKEY_sign(c, ret, &len, digest, digest_len) == 1;
    EVP_PKEY_CTX_free(c);
    return ok ? (int)len : -EIO;
}

static void on_raw_ready(void *arg, bool in, bool out)
{
    char bytes[64];
    struct conn *c = arg;
    ssize_t n = conn_read(c, bytes, sizeof(bytes));
    if (n == 0 || (n < 0 && n != -EAGAIN))
        conn_free(c);
    else if (n > 0)
        conn_write(c, bytes, (size_t)n);
}

static void on_raw(struct conn *take_c, void *arg)
{
    conn_want(take_c, true, false);
    CHECK_INT(conn_attach(take_c, w.loop, on_raw_ready, take_c), 0);
}

static void begin(bool sim, const struct server_limits *limits)
{
    static const struct server_hooks hooks = {.admit = admit, .serve = serve};
    w.clock = sim ? clock_new_sim() : clock_new_real();
    w.loop = loop_new(w.clock, "test");
    w.server = server_new(w.loop, &hooks, limits);
    w.big = malloc(BIG);
    for (unsigned i = 0; i < BIG; i++)
        w.big[i] = pattern(i);
    w.key = EVP_EC_gen("P-256");
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(w.key, &spki);
    struct tls_key key = {.sign = sign};
    char *pem = NULL;
    const char *const names[] = {"localhost", "127.0.0.1", NULL};
    CHECK_INT(
        tls_self_signed(spki, (size_t)len, &key, "test", names, clock_utc(w.clock), 1, &pem, NULL),
        0);
    w.tls = tls_server_new(pem, &key, NULL);
    CHECK(w.tls);
    free(pem);
    OPENSSL_free(spki);
    CHECK_INT(server_listen(w.server, "127.0.0.1", 0, NULL, &w.port, NULL), 0);
    CHECK_INT(server_listen(w.server, "127.0.0.1", 0, w.tls, &w.tls_port, NULL), 0);
    CHECK_INT(server_listen_raw(w.server, "127.0.0.1", 0, NULL, on_raw, NULL, &w.raw_port, NULL),
              0);
    pthread_create(&w.thread, NULL, run, NULL);
}

static void end(void)
{
    loop_stop(w.loop);
    pthread_join(w.thread, NULL);
    server_free(w.server);
    tls_server_unref(w.tls);
    EVP_PKEY_free(w.key);
    loop_free(w.loop);
    clock_free(w.clock);
    free(w.big);
}

static int dial(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK_INT(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    struct timeval limit = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return fd;
}

static void say(int fd, const char *text)
{
    size_t len = strlen(text), at = 0;
    while (at < len) {
        ssize_t n = send(fd, text + at, len - at, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the server may have had enough */
        at += (size_t)n;
    }
}

/* Everything until the server closes, without the Date lines; caller frees. */
static char *hear(int fd)
{
    BUF(all, 16 << 20);
    char bytes[65536];
    ssize_t n;
    while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
        buf_add(&all, bytes, (size_t)n);
    buf_add(&all, "", 0);
    for (char *d; all.data && (d = strstr(all.data, "Date: "));)
        memmove(d, strstr(d, "\r\n") + 2, strlen(strstr(d, "\r\n") + 2) + 1);
    close(fd);
    char *text = buf_steal(&all, NULL);
    return text ? text : strdup("");
}

static char *ask(const char *text)
{
    int fd = dial(w.port);
    say(fd, text);
    return hear(fd);
}

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

static unsigned open_connections(void)
{
    struct server_stats stats;
    server_stats(w.server, &stats);
    return stats.connections;
}

/* Simulated time: a minute of waiting takes no time. */
TEST(slow_clients_are_closed)
{
    begin(true, NULL);
    int silent = dial(w.port), head = dial(w.port), body = dial(w.port), idle = dial(w.port),
        reader = dial(w.port), tls = dial(w.tls_port);
    int small = 4096;
    setsockopt(reader, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    say(head, "GET / HTTP/1.1\r\nHost:");
    say(body, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel");
    say(idle, "GET /arg?a=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    say(reader, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    say(tls, "\x16\x03\x01");
    while (__atomic_load_n(&w.served, __ATOMIC_SEQ_CST) < 2 || open_connections() < 6)
        poll(NULL, 0, 1);
    poll(NULL, 0, 50); /* the half heads have no other sign of arrival */
    for (int i = 0; i < 140; i++) {
        clock_advance(w.clock, 100 * NSEC_PER_MSEC);
        if (i % 40 == 39)
            say(head, "x"); /* a drip does not help */
    }
    CHECK_INT(open_connections(), 4); /* TLS and the reader are gone */
    clock_advance(w.clock, 4 * NSEC_PER_SEC);
    char *got = hear(head);
    CHECK(!strncmp(got, "HTTP/1.1 408 ", 13));
    free(got);
    got = hear(body);
    CHECK(!strncmp(got, "HTTP/1.1 408 ", 13));
    free(got);
    CHECK_INT(recv(silent, &small, 1, 0), 0);
    clock_advance(w.clock, 15 * NSEC_PER_SEC);
    got = hear(idle);
    CHECK(strstr(got, "\r\n\r\n1"));
    free(got);
    while (open_connections())
        poll(NULL, 0, 1);
    close(silent);
    close(reader);
    close(tls);
    end();
}

TEST(limits)
{
    struct server_limits limits = {.connections = 8, .per_address = 1, .unauthenticated = 3};
    begin(false, &limits);
    int in[4], out[4];
    for (int i = 0; i < 4; i++) { /* loopback is exempt from the limit per address */
        in[i] = dial(w.port);
        say(in[i], "GET /login HTTP/1.1\r\nHost: a\r\n\r\n");
        char bytes[512];
        CHECK(recv(in[i], bytes, sizeof(bytes), 0) > 0);
    }
    for (int i = 0; i < 4; i++)
        out[i] = dial(w.port);
    char byte;
    CHECK_INT(recv(out[0], &byte, 1, 0), 0); /* the oldest stranger gave way */
    say(out[3], "GET /arg?a=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_INT(recv(out[3], &byte, 1, 0), 1);
    for (int i = 0; i < 4; i++) {
        say(in[i], "GET /arg?a=1 HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_INT(recv(in[i], &byte, 1, 0), 1);
        close(in[i]);
        close(out[i]);
    }
    while (open_connections())
        poll(NULL, 0, 1);
    limits.connections = 1;
    server_set_limits(w.server, &limits);
    int one = dial(w.port);
    say(one, "GET /login HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK_INT(recv(one, &byte, 1, 0), 1);
    char *got = ask("GET /arg?a=1 HTTP/1.0\r\n\r\n");
    CHECK(!strncmp(got, "HTTP/1.1 503 ", 13) || !*got);
    free(got);
    close(one);
    end();
}

TEST(silent_crowds)
{
    struct server_limits limits = {.connections = 100, .per_address = 1, .unauthenticated = 8};
    begin(false, &limits);
    int fds[30];
    for (int i = 0; i < 30; i++)
        fds[i] = dial(w.raw_port);
    char byte;
    CHECK_INT(recv(fds[0], &byte, 1, 0), 0); /* the oldest gave way */
    CHECK_INT(recv(fds[21], &byte, 1, 0), 0);
    say(fds[29], "x");
    CHECK_INT(recv(fds[29], &byte, 1, 0), 1);
    say(fds[22], "x");
    CHECK_INT(recv(fds[22], &byte, 1, 0), 1);
    for (int i = 0; i < 30; i++)
        close(fds[i]);
    struct server_stats stats;
    do
        server_stats(w.server, &stats);
    while (stats.connections);
    CHECK_INT(stats.unauthenticated, 0);
    end();
}

TEST(out_of_descriptors_pauses)
{
    begin(false, NULL);
    int held[64], n = 0;
    struct rlimit old, tight;
    getrlimit(RLIMIT_NOFILE, &old);
    int top = dup(0);
    close(top);
    tight = (struct rlimit){(rlim_t)top + 4, old.rlim_max};
    int client = dial(w.port); /* may or may not be accepted before the limit */
    setrlimit(RLIMIT_NOFILE, &tight);
    while (n < 64 && (held[n] = dup(0)) >= 0)
        n++;
    say(client, "GET /arg?a=1 HTTP/1.0\r\n\r\n");
    int64_t cpu = clock_process_cpu_ns();
    poll(NULL, 0, 300);
    CHECK(clock_process_cpu_ns() - cpu < 150 * NSEC_PER_MSEC); /* no spinning */
    while (n)
        close(held[--n]);
    setrlimit(RLIMIT_NOFILE, &old);
    char *got = hear(client);
    CHECK(strstr(got, "200 OK"));
    free(got);
    end();
}

static SSL *tls_dial(SSL_CTX *ctx, int *ret_fd)
{
    *ret_fd = dial(w.tls_port);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, *ret_fd);
    CHECK_INT(SSL_connect(ssl), 1);
    return ssl;
}

static void tls_round(SSL_CTX *ctx)
{
    int fd;
    SSL *ssl = tls_dial(ctx, &fd);
    static const char ask_big[] = "GET /big HTTP/1.1\r\nHost: a\r\n\r\n"
                                  "GET /arg?a=ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    CHECK(SSL_write(ssl, ask_big, sizeof(ask_big) - 1) > 0);
    static char all[BIG + 65536];
    size_t total = 0;
    int n;
    while ((n = SSL_read(ssl, all + total, (int)(sizeof(all) - 1 - total))) > 0)
        total += (size_t)n;
    all[total] = '\0';
    char *body = strstr(all, "\r\n\r\n");
    CHECK(body && total > BIG && !memcmp(body + 4, w.big, BIG));
    CHECK_STR(all + total - 2, "ok");
    CHECK_INT(SSL_get_error(ssl, n), SSL_ERROR_ZERO_RETURN);
    SSL_free(ssl);
    close(fd);
}

TEST(tls)
{
    begin(false, NULL);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\x02h2\x08http/1.1", 12);
    tls_round(ctx);
    SSL_CTX_set_tlsext_max_fragment_length(ctx, TLSEXT_max_fragment_length_512);
    tls_round(ctx);
    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    tls_round(ctx);
    SSL_CTX_set_tlsext_max_fragment_length(ctx, TLSEXT_max_fragment_length_DISABLED);
    tls_round(ctx);
    SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
    SSL_CTX_set_min_proto_version(ctx, TLS1_1_VERSION);
    SSL_CTX_set_security_level(ctx, 0);
    int fd = dial(w.tls_port);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    CHECK(SSL_connect(ssl) != 1); /* too old */
    SSL_free(ssl);
    close(fd);
    SSL_CTX_free(ctx);

    fd = dial(w.tls_port);
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    char *got = hear(fd);
    CHECK(!strncmp(got, "HTTP/1.1 400 ", 13));
    free(got);
    fd = dial(w.tls_port);
    say(fd, "\x80garbage that is no TLS at all, and then some more of it");
    got = hear(fd);
    free(got);
    end();
}

static size_t hear_some(SSL *ssl, char *at, size_t room)
{
    int n = SSL_read(ssl, at, (int)room);
    return n > 0 ? (size_t)n : 0;
}

/* A socket that takes little: what has been encrypted waits in the connection and is never
 * counted as gone before it has; keys may change in between. */
TEST(tls_socket_that_is_full)
{
    begin(false, NULL);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    static const size_t sizes[] = {10, 40000, 0, 3, 300000, 16384, 1};
    enum { PIECES = sizeof(sizes) / sizeof(*sizes), ALL = 356398 };
    static char heard[ALL + 1];
    for (int new_keys = 0; new_keys < 2; new_keys++) {
        int pair[2], at = 0, small = 4096;
        CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
        setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
        struct conn *c = conn_new(pair[0], w.tls, NULL, 0);
        SSL *ssl = SSL_new(ctx);
        SSL_set_fd(ssl, pair[1]);
        char byte = 0;
        while (SSL_connect(ssl) != 1)
            CHECK_INT(conn_read(c, &byte, 1), -EAGAIN);
        CHECK_INT(conn_read(c, &byte, 1), -EAGAIN); /* the client's last words */
        struct iovec iov[PIECES];
        size_t told = 0, got = 0;
        for (int i = 0; i < PIECES; i++) {
            iov[i] = (struct iovec){w.big + told, sizes[i]};
            told += sizes[i];
        }
        CHECK_INT(told, ALL);
        bool waited = false;
        for (told = 0; told < ALL;) {
            ssize_t n = conn_writev(c, iov + at, PIECES - at);
            if (n == -EAGAIN) {
                waited = true;
                if (new_keys && got > 50000 && !byte) {
                    CHECK_INT(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
                    CHECK_INT(SSL_write(ssl, "k", 1), 1);
                    while (conn_read(c, &byte, 1) != 1) /* its answer is behind what waits */
                        got += hear_some(ssl, heard + got, sizeof(heard) - got);
                    CHECK_INT(byte, 'k');
                }
                got += hear_some(ssl, heard + got, sizeof(heard) - got);
                continue;
            }
            CHECK(n > 0);
            told += (size_t)n;
            while (at < PIECES && (size_t)n >= iov[at].iov_len)
                n -= (ssize_t)iov[at++].iov_len;
            if (n) {
                iov[at].iov_base = (char *)iov[at].iov_base + n;
                iov[at].iov_len -= (size_t)n;
            }
        }
        CHECK(waited);
        CHECK_INT(told, ALL);
        conn_free(c);
        for (size_t n; (n = hear_some(ssl, heard + got, sizeof(heard) - got));)
            got += n;
        CHECK_INT(got, ALL);
        CHECK(!memcmp(heard, w.big, ALL));
        SSL_free(ssl);
        close(pair[1]);
    }
    SSL_CTX_free(ctx);
    end();
}

static void nothing(void *arg, bool in, bool out)
{
    (*(int *)arg)++;
}

/* A connection that has moved to another loop tells about bytes that were given
 * back, which epoll knows nothing of. */
TEST(connection_moves_between_loops)
{
    struct clock *clock = clock_new_real();
    struct loop *one = loop_new(clock, "one"), *two = loop_new(clock, "two");
    int pair[2], calls = 0;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct conn *c = conn_new(pair[0], NULL, NULL, 0);
    CHECK_INT(conn_attach(c, two, nothing, &calls), 0);
    conn_detach(c);
    CHECK_INT(conn_unread(c, "back", 4), 0);
    CHECK_INT(conn_unread(c, "given ", 6), 0);
    conn_want(c, true, false);
    CHECK_INT(conn_attach(c, one, nothing, &calls), 0);
    loop_call(one, "stop", (void (*)(void *))loop_stop, one);
    loop_run(one);
    CHECK(calls >= 1);
    char bytes[32] = "";
    CHECK_INT(conn_read(c, bytes, 8), 8);
    CHECK_INT(conn_read(c, bytes + 8, 8), 2);
    CHECK_STR(bytes, "given back");
    CHECK_INT(conn_read(c, bytes, 8), -EAGAIN);
    conn_free(c);
    close(pair[1]);
    loop_free(one);
    loop_free(two);
    clock_free(clock);
}

TEST(a_thousand_at_once)
{
    struct server_limits limits = {.connections = 4096, .per_address = 64, .unauthenticated = 4096};
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    if (r.rlim_max < 2200)
        return;
    r.rlim_cur = 2200;
    setrlimit(RLIMIT_NOFILE, &r);
    begin(false, &limits);
    static int fds[1000];
    int64_t from = clock_now(w.clock);
    for (int i = 0; i < 1000; i++) {
        fds[i] = dial(w.port);
        say(fds[i], "GET /arg?a=1 HTTP/1.0\r\n\r\n");
    }
    for (int i = 0; i < 1000; i++) {
        char *got = hear(fds[i]);
        CHECK(strstr(got, "200 OK"));
        free(got);
    }
    CHECK(clock_now(w.clock) - from < 10 * NSEC_PER_SEC);
    end();
}

UNIT_MAIN(UNIT_ROW(exact_bytes) UNIT_ROW(pipelined_and_chunked) UNIT_ROW(refusals_close)
              UNIT_ROW(body_that_nobody_wants) UNIT_ROW(expects_continue)
                  UNIT_ROW(large_bodies_both_ways) UNIT_ROW(late_reply_and_cancel)
                      UNIT_ROW(taken_connection_keeps_early_bytes) UNIT_ROW(slow_clients_are_closed)
                          UNIT_ROW(limits) UNIT_ROW(silent_crowds)
                              UNIT_ROW(out_of_descriptors_pauses) UNIT_ROW(tls)
                                  UNIT_ROW(tls_socket_that_is_full)
                                      UNIT_ROW(connection_moves_between_loops)
                                          UNIT_ROW(a_thousand_at_once))
