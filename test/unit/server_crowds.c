/* The server among slow, silent and many clients, at its limits, with TLS and on several loops. */
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/resource.h>

#include "server_set.h"

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

UNIT_MAIN(UNIT_ROW(slow_clients_are_closed) UNIT_ROW(limits) UNIT_ROW(silent_crowds)
              UNIT_ROW(out_of_descriptors_pauses) UNIT_ROW(tls) UNIT_ROW(tls_socket_that_is_full)
                  UNIT_ROW(connection_moves_between_loops) UNIT_ROW(a_thousand_at_once))
