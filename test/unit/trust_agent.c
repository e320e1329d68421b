/* The key agent beside the camera: lost and found, closed off, damaged, cut off from power,
 * asked nonsense; logins over TLS with its certificate (trust_set.h). */
#include "trust_set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/role.h"
#include "keeper.h"
#include "net/conn.h"
#include "net/exchange.h"
#include "net/server.h"
#include "trust/accounts.h"
#include "trust/login.h"
#include "trust/session.h"

TEST(agent_comes_back)
{
    begin();
    add_root();
    struct conn *c = connect_from("1");
    struct identity who;
    for (int i = 0; i < 3; i++) {
        pid_t pid = keys_agent_pid(w.trust->keys);
        wait_s(2);
        CHECK_INT(kill(pid, SIGKILL), 0);
        poll(NULL, 0, 20);
        CHECK_INT(login_form(w.trust, c, "root", "pass word", &who), LOGIN_OK);
        CHECK(keys_agent_pid(w.trust->keys) != pid);
    }
    /* An agent that hangs is replaced as well. */
    pid_t pid = keys_agent_pid(w.trust->keys);
    wait_s(2);
    CHECK_INT(kill(pid, SIGSTOP), 0);
    CHECK_INT(login_form(w.trust, c, "root", "pass word", &who), LOGIN_OK);
    conn_free(c);
    end();
}

/* After the camera has given up being root, so has the agent. */
TEST(agent_follows_the_camera)
{
    enum { NOBODY = 65534 };
    if (geteuid() != 0)
        return; /* there is nothing to give up */
    begin();
    add_root();
    char folder[3][128];
    static const char *const names[] = {"", "/agent", "/tls"};
    for (int i = 0; i < 3; i++) {
        snprintf(folder[i], sizeof(folder[i]), "%s%s", w.dir, names[i]);
        CHECK_INT(chown(folder[i], NOBODY, NOBODY), 0);
        DIR *d = opendir(folder[i]);
        for (struct dirent *e; d && (e = readdir(d));)
            if (e->d_name[0] != '.')
                CHECK_INT(fchownat(dirfd(d), e->d_name, NOBODY, NOBODY, 0), 0);
        closedir(d);
    }
    CHECK_INT(setresuid(NOBODY, NOBODY, NOBODY), 0);
    if (access(agent(), X_OK) == 0) {
        struct identity who;
        struct conn *c = connect_from("1");
        CHECK_INT(login_form(w.trust, c, "root", "pass word", &who), LOGIN_OK);
        CHECK_INT(accounts_add(w.trust, "vera", "x", GROUP_VIEWER, NULL, NULL), 0);
        struct stat st;
        snprintf(folder[1], sizeof(folder[1]), "%s/agent/vault", w.dir);
        CHECK_INT(stat(folder[1], &st), 0);
        CHECK_INT(st.st_uid, NOBODY);
        conn_free(c);
    }
    end();
}

TEST(agent_is_closed_off)
{
    begin();
    add_root();
    char path[128], line[256];
    int pid = keys_agent_pid(w.trust->keys);
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    bool no_new_privs = false;
    while (f && fgets(line, sizeof(line), f))
        no_new_privs |= !strcmp(line, "NoNewPrivs:\t1\n");
    if (f)
        fclose(f);
    CHECK(no_new_privs);
    snprintf(path, sizeof(path), "/proc/%d/environ", pid);
    f = fopen(path, "r");
    CHECK(!f || fgetc(f) == EOF);
    if (f)
        fclose(f);

    struct stat st;
    snprintf(path, sizeof(path), "%s/agent", w.dir);
    CHECK_INT(stat(path, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0700);
    static const char *const files[] = {"master.key", "vault"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/agent/%s", w.dir, files[i]);
        CHECK_INT(stat(path, &st), 0);
        CHECK_INT(st.st_mode & 0777, 0600);
    }
    /* Sealed: neither the name nor a verifier is in there. */
    char ha1[2 * HASH_MAX + 1];
    const char *const parts[] = {"root:AXIS_02AB34CD56EF:pass word"};
    hash_hex(HASH_MD5, ha1, 1, parts);
    static char bytes[65536];
    f = fopen(path, "r");
    size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;
    if (f)
        fclose(f);
    CHECK(n > 200);
    CHECK(!memmem(bytes, n, "root", 4) && !memmem(bytes, n, ha1, 32));

    /* It ends with the camera. */
    stop();
    CHECK(kill(pid, 0) < 0 && errno == ESRCH);
    start();
    CHECK_INT(accounts_count(w.trust), 1);
    end();
}

static char *slurp(const char *name)
{
    char path[128];
    static char bytes[65536];
    snprintf(path, sizeof(path), "%s/%s", w.dir, name);
    FILE *f = fopen(path, "r");
    CHECK(f);
    size_t n = fread(bytes, 1, sizeof(bytes) - 1, f);
    bytes[n] = '\0';
    fclose(f);
    return strdup(bytes);
}

TEST(certificate_is_kept)
{
    begin();
    char *pem = slurp("tls/cert.pem");
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    CHECK(x);
    EVP_PKEY *key = X509_get_pubkey(x);
    CHECK_INT(X509_verify(x, key), 1);
    CHECK_INT(X509_check_host(x, "vedette-02ab34cd56ef.local", 0, 0, NULL), 1);
    EVP_PKEY_free(key);
    X509_free(x);
    BIO_free(bio);
    stop();
    start();
    char *again = slurp("tls/cert.pem");
    CHECK_STR(again, pem);
    free(again);
    /* A damaged one is replaced. */
    char path[128];
    snprintf(path, sizeof(path), "%s/tls/cert.pem", w.dir);
    stop();
    CHECK_INT(truncate(path, 100), 0);
    start();
    again = slurp("tls/cert.pem");
    CHECK(strcmp(again, pem) && strlen(again) > 300);
    CHECK(trust_tls(w.trust));
    free(again);
    free(pem);
    end();
}

TEST(damage_never_opens_the_door)
{
    begin();
    add_root();
    CHECK_INT(accounts_add(w.trust, "vera", "x", GROUP_VIEWER, NULL, NULL), 0);
    stop();
    char path[128];
    snprintf(path, sizeof(path), "%s/agent/vault", w.dir);
    CHECK_INT(truncate(path, 60), 0); /* the previous copy takes over */
    start();
    CHECK(!accounts_empty(w.trust));
    stop();
    snprintf(path, sizeof(path), "%s/agent/master.key", w.dir);
    CHECK_INT(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/agent/master.key.old", w.dir);
    unlink(path);
    struct fault why = {0};
    int err = 0;
    w.files = file_port_open(w.dir, &err);
    CHECK(!trust_new(w.loop, w.jobs, w.files, "02AB34CD56EF", agent(), &why));
    CHECK(!trust_new(w.loop, w.jobs, w.files, "02AB34CD56EF", "/nonexistent", &why));
    end();
}

/* --- over TLS, through the real server --- */

static int admit(struct exchange *ex, size_t *ret_max_body, void *arg)
{
    enum login_verdict v = login_identify_exchange(w.trust, ex, &ex->who);
    if (v == LOGIN_OK)
        return 0;
    exchange_replyf(ex, login_refuse_exchange(w.trust, ex, v), "text/plain", "no");
    return 1;
}

static void serve(struct exchange *ex, void *arg)
{
    char token[TOKEN_TEXT], cookie[256];
    if (!strcmp(ex->path, "/login") &&
        !session_new(w.trust, &ex->who, conn_secure(ex->conn), token, NULL)) {
        session_cookie(token, cookie, sizeof(cookie));
        exchange_set_header(ex, "Set-Cookie", cookie);
    }
    exchange_replyf(ex, 200, "text/plain", "%s %d", ex->who.user, (int)ex->who.by);
}

static int ports[2]; /* plain, TLS */

static void talk(SSL_CTX *ctx, const char *header, char ret[4096])
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)ports[ctx != NULL]),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), n = 0;
    CHECK_INT(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    char text[1024];
    int len = snprintf(text, sizeof(text), "GET /login HTTP/1.0\r\n%s\r\n", header);
    size_t got = 0;
    SSL *ssl = ctx ? SSL_new(ctx) : NULL;
    if (ssl) {
        SSL_set_fd(ssl, fd);
        CHECK_INT(SSL_connect(ssl), 1);
        CHECK_INT(SSL_write(ssl, text, len), len);
        while ((n = SSL_read(ssl, ret + got, (int)(4095 - got))) > 0)
            got += (size_t)n;
        SSL_free(ssl);
    } else {
        CHECK_INT(send(fd, text, (size_t)len, 0), len);
        while ((n = (int)recv(fd, ret + got, 4095 - got, 0)) > 0)
            got += (size_t)n;
    }
    ret[got] = '\0';
    close(fd);
}

static void *tls_client(void *arg)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    char got[4096], header[512];
    talk(ctx, "", got);
    CHECK(!strncmp(got, "HTTP/1.1 401 ", 13));
    char *sha = strstr(got, "algorithm=SHA-256\r\n"), *md5 = strstr(got, "algorithm=MD5\r\n");
    char *basic = strstr(got, "Basic realm=\"AXIS_02AB34CD56EF\"\r\n");
    CHECK(sha && md5 && basic && sha < md5 && md5 < basic);
    for (int i = 0; i < 3; i++) { /* the later ones from memory */
        talk(ctx, "Authorization: Basic cm9vdDpwYXNzIHdvcmQ=\r\n", got);
        CHECK(strstr(got, "\r\n\r\nroot 2"));
    }
    char *cookie = strstr(got, "Set-Cookie: vedette_session=");
    CHECK(cookie);
    snprintf(header, sizeof(header), "Cookie: x=y; %.48s\r\n", cookie + strlen("Set-Cookie: "));
    talk(ctx, header, got);
    CHECK(strstr(got, "\r\n\r\nroot 3"));
    talk(NULL, header, got); /* neither says anything on a plain connection */
    CHECK(!strncmp(got, "HTTP/1.1 401 ", 13) && !strstr(got, "Basic"));
    talk(NULL, "Authorization: Basic cm9vdDpwYXNzIHdvcmQ=\r\n", got);
    CHECK(!strncmp(got, "HTTP/1.1 401 ", 13));
    for (int i = 0; i < 10; i++) {
        talk(ctx, "Authorization: Basic cm9vdDp4\r\n", got);
        CHECK(!strncmp(got, "HTTP/1.1 401 ", 13));
    }
    talk(ctx, "Authorization: Basic cm9vdDp4\r\n", got);
    CHECK(!strncmp(got, "HTTP/1.1 429 ", 13) && strstr(got, "Retry-After: 6\r\n"));
    talk(ctx, header, got); /* who has logged in is not bothered */
    CHECK(strstr(got, "\r\n\r\nroot 3"));
    SSL_CTX_free(ctx);
    loop_stop(w.loop);
    return NULL;
}

TEST(logins_over_tls)
{
    begin();
    add_root();
    static const struct server_hooks hooks = {.admit = admit, .serve = serve};
    struct server *s = server_new(w.loop, &hooks, NULL);
    CHECK_INT(server_listen(s, "127.0.0.1", 0, NULL, &ports[0], NULL), 0);
    CHECK_INT(server_listen(s, "127.0.0.1", 0, trust_tls(w.trust), &ports[1], NULL), 0);
    pthread_t thread;
    pthread_create(&thread, NULL, tls_client, NULL);
    loop_run(w.loop);
    pthread_join(thread, NULL);
    server_free(s);
    end();
}

/* --- the agent's core, in this process, on a disk that forgets --- */

static int ask_set(struct keeper *k, unsigned flags, const char *name, const char *password)
{
    static struct wire in, out;
    wire_begin(&in, WIRE_VERSION);
    in.bytes[in.len++] = WIRE_SET;
    wire_put_u32(&in, flags);
    wire_put_text(&in, name);
    wire_put_text(&in, password);
    wire_put_u32(&in, 7);
    wire_put_text(&in, "");
    keeper_answer(k, &in, &out);
    return -out.bytes[0];
}

static int ask_password(struct keeper *k, const char *name, const char *password)
{
    static struct wire in, out;
    wire_begin(&in, WIRE_VERSION);
    in.bytes[in.len++] = WIRE_PASSWORD;
    wire_put_text(&in, name);
    wire_put_text(&in, password);
    keeper_answer(k, &in, &out);
    return -out.bytes[0];
}

static void ask_hello(struct keeper *k)
{
    static struct wire in, out;
    wire_begin(&in, WIRE_VERSION);
    in.bytes[in.len++] = WIRE_HELLO;
    wire_put_text(&in, "AXIS_X");
    keeper_answer(k, &in, &out);
    CHECK_INT(out.bytes[0], 0);
}

#define MAKE (WIRE_SET_NEW | WIRE_SET_PASSWORD | WIRE_SET_GROUPS | WIRE_SET_COMMENT)

TEST(power_cut_keeps_what_was_answered)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct file_port *files = file_port_lossy(seed);
        int err = 0;
        struct keeper *k = keeper_new(files, &err);
        CHECK(k);
        ask_hello(k);
        CHECK_INT(ask_set(k, MAKE, "root", "one"), 0);
        uint64_t before = file_calls(files);
        CHECK_INT(ask_set(k, WIRE_SET_PASSWORD, "root", "two"), 0);
        uint64_t calls = file_calls(files) - before;
        /* The next change fails somewhere, then the power goes. */
        file_fail_nth(files, file_calls(files) + 1 + seed % calls, ENOSPC);
        int third = ask_set(k, WIRE_SET_PASSWORD, "root", "three");
        file_fail_nth(files, 0, 0);
        if (third) /* not saved: the old one still holds */
            CHECK_INT(ask_password(k, "root", "two"), 0);
        file_lossy_cut(files, seed * 7);
        keeper_free(k);
        k = keeper_new(files, &err);
        CHECK(k);
        ask_hello(k);
        int two = ask_password(k, "root", "two"), three = ask_password(k, "root", "three");
        if (!third)
            CHECK_INT(three, 0);
        CHECK((two == 0) + (three == 0) == 1);
        keeper_free(k);
        file_port_free(files);
    }
}

TEST(agent_refuses_malformed_packets)
{
    struct file_port *files = file_port_lossy(1);
    int err = 0;
    struct keeper *k = keeper_new(files, &err);
    static struct wire in, out;
    ask_hello(k);
    for (unsigned op = 0; op < 256; op++)
        for (size_t len = 0; len < 40; len++) {
            wire_begin(&in, WIRE_VERSION);
            in.bytes[in.len++] = (uint8_t)op;
            random_bytes(in.bytes + in.len, len);
            in.len += len;
            if (op == WIRE_SPKI || op == WIRE_CLEAR)
                continue;
            keeper_answer(k, &in, &out);
            CHECK(out.bytes[0] != 0 && out.len == 1);
        }
    in.len = 0;
    keeper_answer(k, &in, &out);
    CHECK_INT(out.bytes[0], EINVAL);
    CHECK_INT(ask_set(k, MAKE, "", "x"), -EINVAL);
    CHECK_INT(ask_set(k, MAKE, "a", ""), -EINVAL);
    CHECK_INT(ask_set(k, WIRE_SET_GROUPS, "a", ""), -ENOENT);
    CHECK_INT(ask_set(k, MAKE | WIRE_SET_FIRST, "a", "x"), 0);
    CHECK_INT(ask_set(k, MAKE | WIRE_SET_FIRST, "b", "x"), -EEXIST);
    CHECK_INT(ask_set(k, MAKE, "a", "x"), -EEXIST);
    CHECK_INT(ask_password(k, "a", "x"), 0);
    CHECK_INT(ask_password(k, "a", "y"), -EACCES);
    CHECK_INT(ask_password(k, "z", "x"), -EACCES);
    keeper_free(k);
    file_port_free(files);
}

/* A06: medians of known and unknown names lie within each other's noise. */
static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

TEST(unknown_names_take_as_long)
{
    struct file_port *files = file_port_lossy(1);
    struct clock *clock = clock_new_real();
    int err = 0;
    struct keeper *k = keeper_new(files, &err);
    ask_hello(k);
    char name[16];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "user%02d", i);
        CHECK_INT(ask_set(k, MAKE, name, "x"), 0);
    }
    enum { ROUNDS = 2001 };
    static int64_t took[2][ROUNDS];
    double apart = 1;
    for (int attempt = 0; attempt < 5 && apart > 0.1; attempt++) { /* the machine is not ours */
        for (int i = 0; i < ROUNDS; i++)
            for (int known = 0; known < 2; known++) {
                int64_t from = clock_now(clock);
                CHECK_INT(ask_password(k, known ? "user50" : "nobody", "wrong"), -EACCES);
                took[known][i] = clock_now(clock) - from;
            }
        qsort(took[0], ROUNDS, sizeof(int64_t), by_value);
        qsort(took[1], ROUNDS, sizeof(int64_t), by_value);
        double a = (double)took[0][ROUNDS / 2], b = (double)took[1][ROUNDS / 2];
        apart = a > b ? a / b - 1 : b / a - 1;
    }
    CHECK(apart <= 0.1);
    keeper_free(k);
    file_port_free(files);
    clock_free(clock);
}

UNIT_MAIN(UNIT_ROW(agent_comes_back) UNIT_ROW(agent_follows_the_camera)
              UNIT_ROW(agent_is_closed_off) UNIT_ROW(certificate_is_kept)
                  UNIT_ROW(damage_never_opens_the_door) UNIT_ROW(logins_over_tls)
                      UNIT_ROW(power_cut_keeps_what_was_answered)
                          UNIT_ROW(agent_refuses_malformed_packets)
                              UNIT_ROW(unknown_names_take_as_long))
