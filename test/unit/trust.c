/* Trust end to end: the real key agent (VEDETTE_AGENT, or as built), a real state
 * folder, simulated time, connections that are socket pairs. */
#include "unit.h"

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

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/jobs.h"
#include "base/loop.h"
#include "base/role.h"
#include "keeper.h"
#include "net/conn.h"
#include "net/digest.h"
#include "net/exchange.h"
#include "net/server.h"
#include "trust/accounts.h"
#include "trust/login.h"
#include "trust/session.h"
#include "trust/trust_private.h"
#include "trust/wire.h"

static struct {
    char dir[64];
    struct clock *clock;
    struct loop *loop;
    struct jobs *jobs;
    struct file_port *files;
    struct trust *trust;
    struct arena *arena;
    int peers[64];
    unsigned n_peers;
} w;

static const char *agent(void)
{
    const char *path = getenv("VEDETTE_AGENT");
    return path ? path : UNIT_AGENT;
}

static void start(void)
{
    struct fault why = {0};
    int err = 0;
    w.files = file_port_open(w.dir, &err);
    w.trust = trust_new(w.loop, w.jobs, w.files, "02AB34CD56EF", agent(), &why);
    if (!w.trust)
        unit_fail(__FILE__, __LINE__, "trust_new: %s: %s", why.name, why.text);
}

static void stop(void)
{
    w.trust = trust_free(w.trust);
    w.files = file_port_free(w.files);
}

static void begin(void)
{
    snprintf(w.dir, sizeof(w.dir), "/tmp/vedette-trust-XXXXXX");
    CHECK(mkdtemp(w.dir));
    w.clock = clock_new_sim();
    w.loop = loop_new(w.clock, "test");
    w.jobs = jobs_new(w.loop, 1);
    w.arena = arena_new(1 << 24);
    start();
}

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        char sub[512];
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
        if (unlink(sub) < 0)
            remove_tree(sub);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

static void end(void)
{
    stop();
    jobs_free(w.jobs);
    loop_free(w.loop);
    clock_free(w.clock);
    arena_free(w.arena);
    while (w.n_peers)
        close(w.peers[--w.n_peers]);
    remove_tree(w.dir);
}

static struct conn *connect_from(const char *address)
{
    int pair[2];
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct sockaddr_in a = {.sin_family = AF_INET};
    a.sin_addr.s_addr = (in_addr_t)(((uint32_t)address[0] << 24) | 0x0100000a);
    w.peers[w.n_peers++] = pair[1];
    return conn_new(pair[0], NULL, (struct sockaddr *)&a, sizeof(a));
}

static void wait_s(int seconds)
{
    clock_advance(w.clock, seconds * NSEC_PER_SEC);
}

static unsigned admin = GROUP_ADMIN | GROUP_OPERATOR | GROUP_VIEWER | GROUP_PTZ;

static void add_root(void)
{
    CHECK_INT(accounts_add_first(w.trust, "root", "pass word", admin, NULL, NULL), 0);
}

/* --- a client --- */

struct challenge {
    char lines[4][256];
    int n;
};

static void on_challenge(void *arg, const char *value)
{
    struct challenge *c = arg;
    snprintf(c->lines[c->n++], 256, "%s", value);
}

static struct challenge challenge(enum surface surface, struct conn *c, bool stale)
{
    struct challenge ch = {0};
    login_challenge(w.trust, surface, c, stale, on_challenge, &ch);
    return ch;
}

struct client {
    enum hash hash;
    const char *user, *password, *nonce, *uri, *method;
    const char *qop, *nc, *cnonce;
};

static char *answer(const struct client *k)
{
    char ha1[2 * HASH_MAX + 1], response[2 * HASH_MAX + 1], extra[200] = "";
    const char *const parts[] = {k->user, ":", trust_realm(w.trust), ":", k->password};
    hash_hex(k->hash, ha1, 5, parts);
    struct authorization a = {
        .nonce = k->nonce, .uri = k->uri, .qop = k->qop, .nc = k->nc, .cnonce = k->cnonce};
    digest_response(k->hash, ha1, &a, k->method, response);
    if (k->qop)
        snprintf(extra, sizeof(extra), ", qop=%s, nc=%s, cnonce=\"%s\"", k->qop, k->nc, k->cnonce);
    return arena_printf(w.arena,
                        "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
                        "response=\"%s\"%s%s",
                        k->user, trust_realm(w.trust), k->nonce, k->uri, response, extra,
                        k->hash == HASH_SHA256 ? ", algorithm=SHA-256" : "");
}

static const char *nonce_for(enum surface surface, struct conn *c)
{
    struct challenge ch = challenge(surface, c, false);
    char *at = strstr(ch.lines[0], "nonce=\"");
    CHECK(at);
    return arena_strndup(w.arena, at + 7, 64);
}

static enum login_verdict identify(enum surface surface, struct conn *c, const char *method,
                                   const char *target, const char *scope, const char *header,
                                   struct identity *who)
{
    struct login_request req = {.surface = surface,
                                .conn = c,
                                .method = method,
                                .target = target,
                                .scope = scope,
                                .authorization = header};
    return login_identify(w.trust, w.arena, &req, who);
}

static enum login_verdict try_digest(struct conn *c, const char *user, const char *password)
{
    static unsigned count;
    struct identity who;
    char nc[9];
    snprintf(nc, sizeof(nc), "%08x", ++count);
    struct client k = {HASH_SHA256, user, password, nonce_for(SURFACE_HTTP, c), "/x", "GET",
                       "auth",      nc,   "abc"};
    return identify(SURFACE_HTTP, c, "GET", "/x", NULL, answer(&k), &who);
}

/* --- tests --- */

TEST(first_administrator_once)
{
    begin();
    struct fault why;
    CHECK(accounts_empty(w.trust));
    CHECK_INT(accounts_add(w.trust, "vera", "x", GROUP_VIEWER, NULL, &why), -EINVAL);
    CHECK_INT(accounts_add_first(w.trust, "vera", "x", GROUP_VIEWER, NULL, &why), -EINVAL);
    add_root();
    CHECK(!accounts_empty(w.trust));
    CHECK_INT(accounts_add_first(w.trust, "eve", "x", admin, NULL, &why), -EEXIST);
    CHECK_INT(why.kind, FAULT_CONFLICT);
    CHECK_INT(accounts_count(w.trust), 1);
    /* The agent itself refuses, whatever the camera believes. */
    CHECK_INT(keys_set(w.trust->keys, WIRE_SET_NEW | WIRE_SET_FIRST | WIRE_SET_PASSWORD, "eve", "x",
                       15, ""),
              -EEXIST);
    end();
}

TEST(account_rules)
{
    begin();
    struct fault why;
    add_root();
    static const char *const names[] = {"",
                                        "a b",
                                        "a:b",
                                        "a/b",
                                        "ä",
                                        "a\n",
                                        "\"",
                                        "12345678901234567890123456789012345678901234567890"
                                        "123456789012345"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        CHECK_INT(accounts_add(w.trust, names[i], "x", GROUP_VIEWER, NULL, &why), -EINVAL);
    CHECK_INT(accounts_add(w.trust, "a", "", GROUP_VIEWER, NULL, &why), -EINVAL);
    CHECK_INT(accounts_add(w.trust, "a", "\x7f", GROUP_VIEWER, NULL, &why), -EINVAL);
    CHECK_INT(accounts_add(w.trust, "a", "x", 0, NULL, &why), -EINVAL);
    CHECK_INT(accounts_add(w.trust, "root", "x", GROUP_VIEWER, NULL, &why), -EEXIST);
    CHECK_INT(accounts_add(w.trust, "olof", "x", GROUP_OPERATOR, "a comment", &why), 0);
    const struct account *a = accounts_find(w.trust, "olof");
    CHECK_INT(a->groups, GROUP_OPERATOR | GROUP_VIEWER);
    CHECK_STR(a->comment, "a comment");

    CHECK_INT(accounts_remove(w.trust, "root", &why), -EEXIST);
    unsigned viewer = GROUP_VIEWER;
    CHECK_INT(accounts_update(w.trust, "root", NULL, &viewer, NULL, &why), -EEXIST);
    CHECK_INT(accounts_update(w.trust, "olof", NULL, &admin, NULL, &why), 0);
    CHECK_INT(accounts_remove(w.trust, "root", &why), 0);
    CHECK_INT(accounts_remove(w.trust, "root", &why), -ENOENT);
    CHECK_INT(accounts_remove(w.trust, "olof", &why), -EEXIST);

    char name[16];
    for (int i = 1; i < LIMIT_ACCOUNTS; i++) {
        snprintf(name, sizeof(name), "u%d", i);
        CHECK_INT(accounts_add(w.trust, name, "x", GROUP_VIEWER, NULL, &why), 0);
    }
    CHECK_INT(accounts_add(w.trust, "more", "x", GROUP_VIEWER, NULL, &why), -ENOSPC);
    stop();
    start();
    CHECK_INT(accounts_count(w.trust), LIMIT_ACCOUNTS);
    CHECK_INT(accounts_reset(w.trust, &why), 0);
    CHECK(accounts_empty(w.trust));

    unsigned groups;
    CHECK_INT(accounts_parse_groups("admin:operator:viewer:ptz", &groups), 0);
    CHECK_INT(groups, admin);
    CHECK_INT(accounts_parse_groups("", &groups), 0);
    CHECK_INT(accounts_parse_groups("admin:x", &groups), -EINVAL);
    end();
}

TEST(digest_both_algorithms)
{
    begin();
    add_root();
    struct conn *c = connect_from("1");
    struct challenge ch = challenge(SURFACE_HTTP, c, false);
    CHECK_INT(ch.n, 2);
    static const char form[] = "Digest realm=\"AXIS_02AB34CD56EF\", nonce=\"";
    CHECK(!strncmp(ch.lines[0], form, strlen(form)));
    CHECK(strstr(ch.lines[0], ", stale=FALSE, qop=\"auth\", algorithm=SHA-256"));
    CHECK(strstr(ch.lines[1], ", stale=FALSE, qop=\"auth\", algorithm=MD5"));
    CHECK(!strncmp(ch.lines[0], ch.lines[1], strlen(form) + 64));
    ch = challenge(SURFACE_RTSP, c, true);
    CHECK_INT(ch.n, 1);
    CHECK(strstr(ch.lines[0], ", stale=TRUE, qop=\"auth\", algorithm=MD5"));

    struct identity who;
    for (int h = 0; h < 2; h++) {
        struct client k = {.hash = h ? HASH_SHA256 : HASH_MD5,
                           .user = "root",
                           .password = "pass word",
                           .nonce = nonce_for(SURFACE_HTTP, c),
                           .uri = "/axis-cgi/param.cgi?action=list",
                           .method = "GET",
                           .qop = "auth",
                           .nc = "00000001",
                           .cnonce = "c"};
        char *header = answer(&k);
        const char *t = "/axis-cgi/param.cgi?action=list";
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, header, &who), LOGIN_OK);
        CHECK_STR(who.user, "root");
        CHECK_INT(who.groups, admin);
        CHECK_INT(who.by, BY_DIGEST);
        /* A07: again, elsewhere, with another method. */
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, header, &who), LOGIN_STALE);
        CHECK_STR(who.user, "");
        k.cnonce = "d";
        header = answer(&k);
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", "/other", NULL, header, &who), LOGIN_NONE);
        CHECK_INT(
            identify(SURFACE_HTTP, c, "GET", "/axis-cgi/param.cgi?action=x", NULL, header, &who),
            LOGIN_NONE);
        CHECK_INT(identify(SURFACE_HTTP, c, "POST", t, NULL, header, &who), LOGIN_WRONG);
        k.uri = "/axis-cgi/param.cgi"; /* path only */
        k.cnonce = "e";
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, answer(&k), &who), LOGIN_OK);
        k.qop = NULL; /* bound to the connection, there as often as wanted */
        header = answer(&k);
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, header, &who), LOGIN_OK);
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, header, &who), LOGIN_OK);
        struct conn *d = connect_from("1");
        CHECK_INT(identify(SURFACE_HTTP, d, "GET", t, NULL, header, &who), LOGIN_STALE);
        conn_free(d);
        k.qop = "auth"; /* old */
        k.cnonce = "f";
        header = answer(&k);
        wait_s(NONCE_LIFETIME_S + 1);
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, header, &who), LOGIN_STALE);
        k.nonce = "0000000000000000000000000000000000000000000000000000000000000000";
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", t, NULL, answer(&k), &who), LOGIN_STALE);
    }
    conn_free(c);
    end();
}

TEST(rtsp_uri_and_method_habits)
{
    begin();
    add_root();
    struct conn *c = connect_from("1");
    struct identity who;
    struct client k = {.hash = HASH_MD5,
                       .user = "root",
                       .password = "pass word",
                       .nonce = nonce_for(SURFACE_RTSP, c),
                       .uri = "rtsp://10.0.0.1/axis-media/media.amp",
                       .method = "SETUP"};
    const char *t = "rtsp://10.0.0.1/axis-media/media.amp/trackID=1",
               *scope = "/axis-media/media.amp";
    CHECK_INT(identify(SURFACE_RTSP, c, "SETUP", t, scope, answer(&k), &who), LOGIN_OK);
    k.uri = "rtsp://10.0.0.1/axis-media/media.amp/";
    CHECK_INT(identify(SURFACE_RTSP, c, "SETUP", t, scope, answer(&k), &who), LOGIN_OK);
    /* The previous answer with the next method: asked again, no guess. */
    for (int i = 0; i < 30; i++)
        CHECK_INT(identify(SURFACE_RTSP, c, "PLAY", t, scope, answer(&k), &who), LOGIN_STALE);
    k.uri = "rtsp://10.0.0.1/axis-media/media.ampere";
    CHECK_INT(identify(SURFACE_RTSP, c, "SETUP", t, scope, answer(&k), &who), LOGIN_NONE);
    k.uri = "/other";
    CHECK_INT(identify(SURFACE_RTSP, c, "SETUP", t, scope, answer(&k), &who), LOGIN_NONE);
    k.hash = HASH_SHA256; /* not offered there */
    k.uri = t;
    CHECK_INT(identify(SURFACE_RTSP, c, "SETUP", t, scope, answer(&k), &who), LOGIN_NONE);
    k.hash = HASH_MD5;
    k.password = "wrong";
    CHECK_INT(identify(SURFACE_RTSP, c, "SETUP", t, scope, answer(&k), &who), LOGIN_WRONG);
    conn_free(c);
    end();
}

TEST(basic_nobody_asked_for)
{
    begin();
    add_root();
    struct conn *c = connect_from("1");
    struct identity who;
    for (int i = 0; i < 30; i++) { /* right or wrong: no credentials, no guess */
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", "/", NULL, "Basic cm9vdDpwYXNzIHdvcmQ=", &who),
                  LOGIN_NONE);
        CHECK_INT(identify(SURFACE_RTSP, c, "GET", "/", NULL, "Basic cm9vdDp4", &who), LOGIN_NONE);
        CHECK_INT(identify(SURFACE_HTTP, c, "GET", "/", NULL, NULL, &who), LOGIN_NONE);
    }
    CHECK_INT(try_digest(c, "root", "pass word"), LOGIN_OK);
    conn_free(c);
    end();
}

TEST(guesses_are_slowed_down_by_source)
{
    begin();
    add_root();
    struct conn *bad = connect_from("1"), *good = connect_from("2");
    struct identity who;
    int wrong = 0;
    for (int i = 0; i < 200; i++)
        wrong += try_digest(bad, i % 2 ? "root" : "nobody", "guess") == LOGIN_WRONG;
    CHECK_INT(wrong, LIMIT_GUESSES_PER_MINUTE);
    CHECK_INT(try_digest(bad, "root", "pass word"), LOGIN_THROTTLED); /* no oracle */
    CHECK(login_retry_after_s(w.trust, SURFACE_HTTP, bad) > 0);
    CHECK_INT(try_digest(good, "root", "pass word"), LOGIN_OK);
    CHECK_INT(login_form(w.trust, bad, "root", "pass word", &who), LOGIN_OK); /* own surface */
    for (int i = 0; i < 20; i++)
        login_form(w.trust, bad, "root", "guess", &who);
    CHECK_INT(login_form(w.trust, bad, "root", "pass word", &who), LOGIN_THROTTLED);
    CHECK_INT(login_form(w.trust, good, "root", "pass word", &who), LOGIN_OK);

    wrong = 0; /* ten minutes of a guess each second: ten a minute */
    for (int i = 0; i < 600; i++) {
        wait_s(1);
        wrong += try_digest(bad, "root", "guess") == LOGIN_WRONG;
    }
    CHECK(wrong >= 98 && wrong <= 101);
    wait_s(61); /* and no lasting lockout */
    CHECK_INT(try_digest(bad, "root", "pass word"), LOGIN_OK);
    conn_free(bad);
    conn_free(good);
    end();
}

TEST(form_and_sessions)
{
    begin();
    add_root();
    struct conn *c = connect_from("1");
    struct identity who, found;
    struct fault why;
    char token[TOKEN_TEXT], cookie[256], line[256];
    CHECK_INT(login_form(w.trust, c, "root", "pass wore", &who), LOGIN_WRONG);
    CHECK_INT(login_form(w.trust, c, "nobody", "pass word", &who), LOGIN_WRONG);
    CHECK_INT(login_form(w.trust, c, "root", "pass word", &who), LOGIN_OK);
    CHECK_STR(who.user, "root");
    CHECK_INT(session_new(w.trust, &who, false, token, &why), -EACCES);
    CHECK_INT(session_new(w.trust, &who, true, token, &why), 0);
    session_cookie(token, line, sizeof(line));
    snprintf(cookie, sizeof(cookie),
             "vedette_session=%s; Path=/; HttpOnly; Secure; SameSite=Strict", token);
    CHECK_STR(line, cookie);
    snprintf(cookie, sizeof(cookie), "a=b; vedette_session=00; vedette_session=%s", token);
    CHECK(session_find(w.trust, cookie, &found));
    CHECK_STR(found.user, "root");
    CHECK_INT(found.by, BY_COOKIE);
    CHECK(!session_find(w.trust, "vedette_session=00000000000000000000000000000000", &found));
    CHECK(!session_find(w.trust, token, &found));

    /* On a plain connection a cookie says nothing. */
    struct login_request req = {
        .surface = SURFACE_HTTP, .conn = c, .method = "GET", .target = "/", .cookie = cookie};
    CHECK_INT(login_identify(w.trust, w.arena, &req, &found), LOGIN_NONE);

    wait_s(11 * 3600);
    CHECK(session_find(w.trust, cookie, &found)); /* use keeps it alive */
    wait_s(11 * 3600);
    CHECK(session_find(w.trust, cookie, &found));
    wait_s(13 * 3600);
    CHECK(!session_find(w.trust, cookie, &found));

    CHECK_INT(session_new(w.trust, &who, true, token, &why), 0);
    snprintf(cookie, sizeof(cookie), "vedette_session=%s", token);
    CHECK_INT(accounts_update(w.trust, "root", "new", NULL, NULL, &why), 0);
    CHECK(!session_find(w.trust, cookie, &found));
    CHECK_INT(login_form(w.trust, c, "root", "pass word", &who), LOGIN_WRONG);
    CHECK_INT(login_form(w.trust, c, "root", "new", &who), LOGIN_OK);
    CHECK_INT(session_new(w.trust, &who, true, token, &why), 0);
    snprintf(cookie, sizeof(cookie), "vedette_session=%s", token);
    session_end(w.trust, cookie);
    CHECK(!session_find(w.trust, cookie, &found));
    for (int i = 0; i < 2 * LIMIT_SESSIONS; i++)
        CHECK_INT(session_new(w.trust, &who, true, token, &why), 0);
    conn_free(c);
    end();
}

TEST(one_time_tokens)
{
    begin();
    add_root();
    struct identity root = {.user = "root", .groups = admin}, who;
    char token[TOKEN_TEXT];
    CHECK_INT(token_make(w.trust, &root, TOKEN_RTSP_WEBSOCKET, token), 0);
    CHECK(token_take(w.trust, TOKEN_RTSP_WEBSOCKET, token, &who));
    CHECK_STR(who.user, "root");
    CHECK_INT(who.by, BY_TOKEN);
    CHECK(!token_take(w.trust, TOKEN_RTSP_WEBSOCKET, token, &who));
    CHECK_INT(token_make(w.trust, &root, TOKEN_RTSP_WEBSOCKET, token), 0);
    CHECK(!token_take(w.trust, TOKEN_EVENT_WEBSOCKET, token, &who));
    CHECK_INT(token_make(w.trust, &root, TOKEN_EVENT_WEBSOCKET, token), 0);
    wait_s(TOKEN_SECONDS + 1);
    CHECK(!token_take(w.trust, TOKEN_EVENT_WEBSOCKET, token, &who));
    CHECK(!token_take(w.trust, TOKEN_EVENT_WEBSOCKET, "", &who));
    CHECK(!token_take(w.trust, TOKEN_EVENT_WEBSOCKET, "00000000000000000000000000000000", &who));
    end();
}

static unsigned told;
static void on_change(struct account_listener *l, const char *name)
{
    told++;
}

TEST(listeners_hear_of_lost_rights)
{
    begin();
    add_root();
    struct account_listener l = {.changed = on_change};
    accounts_listen(w.trust, &l);
    CHECK_INT(accounts_add(w.trust, "vera", "x", GROUP_VIEWER, NULL, NULL), 0);
    CHECK_INT(accounts_update(w.trust, "vera", NULL, NULL, "only a comment", NULL), 0);
    CHECK_INT(told, 0);
    CHECK_INT(accounts_update(w.trust, "vera", "y", NULL, NULL, NULL), 0);
    CHECK_INT(accounts_remove(w.trust, "vera", NULL), 0);
    CHECK_INT(told, 2);
    accounts_unlisten(w.trust, &l);
    end();
}

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

UNIT_MAIN(UNIT_ROW(first_administrator_once) UNIT_ROW(account_rules)
              UNIT_ROW(digest_both_algorithms) UNIT_ROW(rtsp_uri_and_method_habits)
                  UNIT_ROW(basic_nobody_asked_for) UNIT_ROW(guesses_are_slowed_down_by_source)
                      UNIT_ROW(form_and_sessions) UNIT_ROW(one_time_tokens)
                          UNIT_ROW(listeners_hear_of_lost_rights) UNIT_ROW(agent_comes_back)
                              UNIT_ROW(agent_follows_the_camera) UNIT_ROW(agent_is_closed_off)
                                  UNIT_ROW(certificate_is_kept) UNIT_ROW(logins_over_tls)
                                      UNIT_ROW(damage_never_opens_the_door)
                                          UNIT_ROW(power_cut_keeps_what_was_answered)
                                              UNIT_ROW(agent_refuses_malformed_packets)
                                                  UNIT_ROW(unknown_names_take_as_long))
