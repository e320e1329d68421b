/* What tests of the server stand on: the real server on loopback with a loop of its own, in plain
 * and with TLS, and plain sockets that speak to it. */
#ifndef TEST_SERVER_SET_H
#define TEST_SERVER_SET_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
#include "unit.h"

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

#endif
