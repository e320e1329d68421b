/* What tests of trust stand on: the real key agent (VEDETTE_AGENT, or as built), a real state
 * folder, simulated time, connections that are socket pairs. */
#ifndef TEST_TRUST_SET_H
#define TEST_TRUST_SET_H

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/jobs.h"
#include "base/loop.h"
#include "base/role.h"
#include "net/conn.h"
#include "net/digest.h"
#include "trust/accounts.h"
#include "trust/login.h"
#include "trust/trust_private.h"
#include "trust/wire.h"
#include "unit.h"

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

static inline const char *agent(void)
{
    const char *path = getenv("VEDETTE_AGENT");
    return path ? path : UNIT_AGENT;
}

static inline void start(void)
{
    struct fault why = {0};
    int err = 0;
    w.files = file_port_open(w.dir, &err);
    w.trust = trust_new(w.loop, w.jobs, w.files, "02AB34CD56EF", agent(), &why);
    if (!w.trust)
        unit_fail(__FILE__, __LINE__, "trust_new: %s: %s", why.name, why.text);
}

static inline void stop(void)
{
    w.trust = trust_free(w.trust);
    w.files = file_port_free(w.files);
}

static inline void begin(void)
{
    snprintf(w.dir, sizeof(w.dir), "/tmp/vedette-trust-XXXXXX");
    CHECK(mkdtemp(w.dir));
    w.clock = clock_new_sim();
    w.loop = loop_new(w.clock, "test");
    w.jobs = jobs_new(w.loop, 1);
    w.arena = arena_new(1 << 24);
    start();
}

static inline void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        char sub[512];
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        int n = snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
        if (n > 0 && (size_t)n < sizeof(sub) && unlink(sub) < 0)
            remove_tree(sub);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

static inline void end(void)
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

static inline struct conn *connect_from(const char *address)
{
    int pair[2];
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct sockaddr_in a = {.sin_family = AF_INET};
    a.sin_addr.s_addr = (in_addr_t)(((uint32_t)address[0] << 24) | 0x0100000a);
    w.peers[w.n_peers++] = pair[1];
    return conn_new(pair[0], NULL, (struct sockaddr *)&a, sizeof(a));
}

static inline void wait_s(int seconds)
{
    clock_advance(w.clock, seconds * NSEC_PER_SEC);
}

static const unsigned admin = GROUP_ADMIN | GROUP_OPERATOR | GROUP_VIEWER | GROUP_PTZ;

static inline void add_root(void)
{
    CHECK_INT(accounts_add_first(w.trust, "root", "pass word", admin, NULL, NULL), 0);
}

/* --- a client --- */

struct challenge {
    char lines[4][256];
    int n;
};

static inline void on_challenge(void *arg, const char *value)
{
    struct challenge *c = arg;
    snprintf(c->lines[c->n++], 256, "%s", value);
}

static inline struct challenge challenge(enum surface surface, struct conn *c, bool stale)
{
    struct challenge ch = {0};
    login_challenge(w.trust, surface, c, false, stale, on_challenge, &ch);
    return ch;
}

struct client {
    enum hash hash;
    const char *user, *password, *nonce, *uri, *method;
    const char *qop, *nc, *cnonce;
};

static inline char *answer(const struct client *k)
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

static inline const char *nonce_for(enum surface surface, struct conn *c)
{
    struct challenge ch = challenge(surface, c, false);
    char *at = strstr(ch.lines[0], "nonce=\"");
    CHECK(at);
    return arena_strndup(w.arena, at + 7, 64);
}

static inline enum login_verdict identify(enum surface surface, struct conn *c, const char *method,
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

static inline enum login_verdict try_digest(struct conn *c, const char *user, const char *password)
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

#endif
