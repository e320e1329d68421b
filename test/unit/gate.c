/* The gate on a real server, with real accounts, spoken to by plain sockets. */
#include "unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/camera.h"
#include "api/gate.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/jobs.h"
#include "base/loop.h"
#include "conf/param.h"
#include "image/eye.h"
#include "trust/accounts.h"
#include "trust/trust.h"

#define SERIAL "02AB34CD56EF"

static struct {
    char dir[64];
    struct camera cam;
    struct file_port *files;
    struct gate *gate;
    pthread_t thread;
    int port;
} w;

static void serve_text(struct exchange *ex, void *arg)
{
    exchange_replyf(ex, 200, "text/plain", "%s:%s", (const char *)arg, ex->who.user);
}

static void serve_setup(struct exchange *ex, void *arg)
{
    struct fault why = {0};
    if (!accounts_empty(w.cam.trust)) {
        if (gate_require(w.gate, ex, ROLE_ADMIN))
            exchange_reply(ex, 200, "text/plain", "known", 5);
        return;
    }
    CHECK_INT(accounts_add_first(w.cam.trust, "root", "pass",
                                 GROUP_ADMIN | GROUP_OPERATOR | GROUP_VIEWER | GROUP_PTZ, NULL,
                                 &why),
              0);
    CHECK_INT(accounts_add(w.cam.trust, "vera", "look", GROUP_VIEWER, NULL, &why), 0);
    exchange_reply(ex, 200, "text/plain", "made", 4);
}

static void serve_mixed(struct exchange *ex, void *arg)
{
    if (!exchange_arg(ex, "deep") || gate_require(w.gate, ex, ROLE_ADMIN))
        serve_text(ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/open", .methods = METHOD_GET, .role = ROLE_ANYONE, .serve = serve_text},
    {.path = "/mixed", .methods = METHOD_GET, .role = ROLE_ANYONE, .serve = serve_mixed},
    {.path = "/view", .methods = METHOD_GET, .role = ROLE_VIEWER, .serve = serve_text},
    {.path = "/view/*", .methods = METHOD_GET, .role = ROLE_ADMIN, .serve = serve_text},
    {.path = "/steer", .methods = METHOD_GET, .role = ROLE_PTZ, .serve = serve_text},
    {.path = "/change",
     .methods = METHOD_GET | METHOD_POST,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .serve = serve_text},
    {.path = "/setup", .methods = METHOD_GET, .role = ROLE_ADMIN, .serve = serve_setup},
};

static void *run(void *arg)
{
    loop_run(w.cam.loop);
    return NULL;
}

static void begin(void)
{
    struct fault why = {0};
    int err = 0;
    snprintf(w.dir, sizeof w.dir, "/tmp/vedette-gate-XXXXXX");
    CHECK(mkdtemp(w.dir));
    w.cam.clock = clock_new_real();
    w.cam.loop = loop_new(w.cam.clock, "test");
    w.cam.jobs = jobs_new(w.cam.loop, 1);
    w.files = file_port_open(w.dir, &err);
    const char *agent = getenv("VEDETTE_AGENT");
    w.cam.trust =
        trust_new(w.cam.loop, w.cam.jobs, w.files, SERIAL, agent ? agent : UNIT_AGENT, &why);
    CHECK(w.cam.trust);
    w.gate = gate_new(&w.cam);
    gate_add(w.gate, rows, sizeof rows / sizeof *rows, "hello");
    gate_alias(w.gate, "/old/view", "/view");
    gate_open_for_setup(w.gate, "/setup");
    struct server_hooks hooks = gate_hooks;
    hooks.arg = w.gate;
    const struct server_limits limits = {100, 100, 100};
    w.cam.server = server_new(w.cam.loop, &hooks, &limits);
    CHECK_INT(server_listen(w.cam.server, "127.0.0.1", 0, NULL, &w.port, &why), 0);
    CHECK_INT(pthread_create(&w.thread, NULL, run, NULL), 0);
}

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        char sub[512];
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        snprintf(sub, sizeof sub, "%s/%s", path, e->d_name);
        if (unlink(sub) < 0)
            remove_tree(sub);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

static void end(void)
{
    loop_stop(w.cam.loop);
    pthread_join(w.thread, NULL);
    server_free(w.cam.server);
    gate_free(w.gate);
    trust_free(w.cam.trust);
    jobs_free(w.cam.jobs);
    loop_free(w.cam.loop);
    clock_free(w.cam.clock);
    file_port_free(w.files);
    remove_tree(w.dir);
}

/* One request, whole answer; returns the status. */
static int ask(const char *method, const char *target, const char *headers, struct buf *ret)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)w.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char request[4096], bytes[4096];
    CHECK_INT(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    int n = snprintf(request, sizeof request,
                     "%s %s HTTP/1.1\r\nHost: cam.test\r\nConnection: close\r\n"
                     "Content-Length: 0\r\n%s\r\n",
                     method, target, headers);
    CHECK_INT(write(fd, request, (size_t)n), n);
    buf_reset(ret);
    ssize_t got;
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        buf_add(ret, bytes, (size_t)got);
    close(fd);
    int status = 0;
    CHECK(sscanf(buf_str(ret), "HTTP/1.%*d %d", &status) == 1);
    return status;
}

static bool find_quoted(const char *text, const char *key, char *ret, size_t size)
{
    const char *at = strstr(text, key);
    size_t len = at ? strcspn(at + strlen(key), "\"") : size;
    if (len >= size)
        return false;
    memcpy(ret, at + strlen(key), len);
    ret[len] = '\0';
    return true;
}

/* The same with Digest. */
static int ask_as(const char *user, const char *password, const char *method, const char *target,
                  const char *headers, struct buf *ret)
{
    char nonce[256], realm[64], ha1[65], ha2[65], response[65], line[2048];
    int status = ask(method, target, headers, ret);
    if (status != 401)
        return status;
    const char *md5 = strstr(buf_str(ret), "algorithm=MD5");
    CHECK(md5);
    while (strncmp(md5, "WWW-Authenticate", 16))
        md5--;
    CHECK(find_quoted(md5, "nonce=\"", nonce, sizeof nonce));
    CHECK(find_quoted(md5, "realm=\"", realm, sizeof realm));
    CHECK_STR(realm, "AXIS_" SERIAL);
    hash_hex(HASH_MD5, ha1, 5, (const char *const[]){user, ":", realm, ":", password});
    hash_hex(HASH_MD5, ha2, 3, (const char *const[]){method, ":", target});
    hash_hex(HASH_MD5, response, 5,
             (const char *const[]){ha1, ":", nonce, ":00000001:abcdef:auth:", ha2});
    snprintf(line, sizeof line,
             "Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
             "response=\"%s\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"abcdef\"\r\n%s",
             user, realm, nonce, target, response, headers);
    return ask(method, target, line, ret);
}

TEST(before_setup)
{
    begin();
    BUF(out, 1 << 16);
    CHECK_INT(ask("GET", "/open", "", &out), 200);
    CHECK_INT(ask("GET", "/view", "", &out), 401);
    CHECK_INT(ask("GET", "/nothing", "", &out), 401);
    CHECK_INT(ask("GET", "/vedette/routes", "", &out), 401);
    CHECK_INT(ask("GET", "/setup", "", &out), 200);
    CHECK(strstr(buf_str(&out), "made"));
    CHECK_INT(ask("GET", "/setup", "", &out), 401);
    CHECK_INT(ask_as("root", "pass", "GET", "/setup", "", &out), 200);
    CHECK(strstr(buf_str(&out), "known"));
    end();
}

TEST(roles)
{
    static const struct {
        const char *path;
        int stranger, viewer, admin;
    } table[] = {
        {"/open", 200, 200, 200},         {"/mixed", 200, 200, 200},
        {"/mixed?deep=1", 401, 403, 200}, {"/view", 401, 200, 200},
        {"/old/view", 401, 200, 200},     {"//view", 401, 200, 200},
        {"/view/deeper", 401, 403, 200},  {"/view/", 401, 403, 200},
        {"/steer", 401, 403, 200},        {"/change", 401, 403, 200},
        {"/nothing", 401, 404, 404},      {"/View", 401, 404, 404},
        {"/view.", 401, 404, 404},        {"/vedette/routes", 401, 403, 200},
        {"/x/../view", 400, 400, 400},    {"/%2e/view", 400, 400, 400},
        {"/view%2f", 400, 400, 400},
    };
    begin();
    BUF(out, 1 << 16);
    CHECK_INT(ask("GET", "/setup", "", &out), 200);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int stranger = ask("GET", table[i].path, "", &out);
        int viewer = ask_as("vera", "look", "GET", table[i].path, "", &out);
        int admin = ask_as("root", "pass", "GET", table[i].path, "", &out);
        if (stranger != table[i].stranger || viewer != table[i].viewer || admin != table[i].admin)
            unit_fail(__FILE__, __LINE__, "%s: %d %d %d", table[i].path, stranger, viewer, admin);
    }
    /* Strangers learn of no method either; others are told. */
    CHECK_INT(ask("POST", "/view", "", &out), 401);
    CHECK_INT(ask_as("vera", "look", "POST", "/view", "", &out), 405);
    CHECK(strstr(buf_str(&out), "Allow: GET, HEAD\r\n"));
    CHECK_INT(ask_as("vera", "wrong", "GET", "/view", "", &out), 401);
    end();
}

TEST(foreign_pages)
{
    begin();
    BUF(out, 1 << 16);
    CHECK_INT(ask("GET", "/setup", "", &out), 200);
    static const struct {
        const char *headers;
        int status;
    } table[] = {
        {"", 200},
        {"Origin: http://cam.test\r\n", 200},
        {"Sec-Fetch-Site: same-origin\r\n", 200},
        {"Sec-Fetch-Site: none\r\n", 200},
        {"Origin: http://evil.test\r\n", 403},
        {"Origin: https://cam.test\r\n", 403},
        {"Origin: null\r\n", 403},
        {"Sec-Fetch-Site: cross-site\r\n", 403},
        {"Sec-Fetch-Site: same-site\r\n", 403},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        CHECK_INT(ask_as("root", "pass", "GET", "/change", table[i].headers, &out),
                  table[i].status);
        CHECK_INT(ask_as("root", "pass", "POST", "/change", table[i].headers, &out),
                  table[i].status);
        CHECK_INT(ask_as("root", "pass", "GET", "/view", table[i].headers, &out), 200);
    }
    end();
}

TEST(headers)
{
    static const char *const always[] = {
        "X-Content-Type-Options: nosniff\r\n",
        "Referrer-Policy: no-referrer\r\n",
        "frame-ancestors 'none'",
        "default-src 'self'",
    };
    static const char *const paths[] = {"/open", "/view", "/nothing"};
    begin();
    BUF(out, 1 << 16);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        ask("GET", paths[i], "X-Forwarded-For: 10.0.0.1\r\nX-Original-URL: /open\r\n", &out);
        for (size_t k = 0; k < sizeof always / sizeof *always; k++)
            CHECK(strstr(buf_str(&out), always[k]));
        CHECK(!strstr(buf_str(&out), "Server:"));
    }
    end();
}

/* Preview mode lasts from the start on for the time that is set, and not with an account. */
TEST(preview_ends)
{
    const int64_t minute_ns = 60 * NSEC_PER_SEC;
    struct fault why = {0};
    int err = 0;
    snprintf(w.dir, sizeof w.dir, "/tmp/vedette-gate-XXXXXX");
    CHECK(mkdtemp(w.dir));
    struct camera cam = {.clock = clock_new_sim()};
    CHECK_INT(clock_advance(cam.clock, minute_ns), 0); /* it counts from the start of the doors */
    cam.loop = loop_new(cam.clock, "test");
    cam.jobs = jobs_new(cam.loop, 1);
    w.files = file_port_open(w.dir, &err);
    const char *agent = getenv("VEDETTE_AGENT");
    cam.trust = trust_new(cam.loop, cam.jobs, w.files, SERIAL, agent ? agent : UNIT_AGENT, &why);
    CHECK(cam.trust);
    struct gate *g = gate_new(&cam);
    CHECK_INT(gate_preview_left_ns(g), 0); /* nothing is known of it */
    cam.conf = conf_new(cam.loop, NULL, NULL);
    CHECK_INT(conf_add_room(cam.conf, &eye_room_desc, &cam.eye_room, &why), 0);
    CHECK_INT(gate_preview_left_ns(g), 120 * minute_ns);
    CHECK_INT(clock_advance(cam.clock, 119 * minute_ns), 0);
    CHECK_INT(gate_preview_left_ns(g), minute_ns);
    CHECK_INT(clock_advance(cam.clock, minute_ns), 0);
    CHECK_INT(gate_preview_left_ns(g), 0);
    conf_set(cam.conf, "ImageSource.I0.Preview.Time", "121");
    CHECK_INT(gate_preview_left_ns(g), minute_ns);
    conf_set(cam.conf, "ImageSource.I0.Preview.Time", "0");
    CHECK_INT(gate_preview_left_ns(g), 0);
    conf_set(cam.conf, "ImageSource.I0.Preview.Time", "1440");
    CHECK(gate_preview_left_ns(g) > 0);
    CHECK_INT(accounts_add_first(cam.trust, "root", "pass", GROUP_ADMIN, NULL, &why), 0);
    CHECK_INT(gate_preview_left_ns(g), 0);
    gate_free(g);
    trust_free(cam.trust);
    cam.jobs = jobs_free(cam.jobs);
    conf_free(cam.conf);
    loop_free(cam.loop);
    clock_free(cam.clock);
    file_port_free(w.files);
    remove_tree(w.dir);
}

UNIT_MAIN(UNIT_ROW(before_setup) UNIT_ROW(roles) UNIT_ROW(foreign_pages) UNIT_ROW(headers)
              UNIT_ROW(preview_ends))
