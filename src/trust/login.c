#include "trust/login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/conn.h"
#include "net/digest.h"
#include "net/exchange.h"
#include "net/message.h"
#include "trust/session.h"
#include "trust/trust_private.h"

/* --- what is allowed where (AuthenticationPolicy) --- */

struct methods {
    bool digest, basic;
};

static struct methods allowed_methods(struct trust *t, enum surface surface, bool secure)
{
    int policy = trust_settings(t).policy;
    struct methods m = {.digest = policy != POLICY_BASIC, .basic = policy == POLICY_BASIC};
    if (policy == POLICY_BASIC_DIGEST && surface == SURFACE_RTSP)
        m.basic = true;
    if (policy == POLICY_RECOMMENDED && surface == SURFACE_HTTP && secure)
        m.basic = true;
    return m;
}

static bool allows_hash(struct trust *t, enum surface surface, enum hash h)
{
    struct trust_settings s = trust_settings(t);
    int set = surface == SURFACE_RTSP ? s.rtsp_algorithms : s.http_algorithms;
    return set == ALGORITHMS_BOTH || (set == ALGORITHMS_MD5) == (h == HASH_MD5);
}

/* --- does the signed uri name what was asked? --- */

static bool has_path_prefix(const char *path, const char *prefix)
{
    size_t n = strlen(prefix);
    if (strncmp(path, prefix, n))
        return false;
    return path[n] == '\0' || path[n] == '/' || (n && prefix[n - 1] == '/');
}

static bool uri_names_target(struct arena *arena, const struct login_request *req, const char *uri)
{
    if (!strcmp(uri, req->target))
        return true;
    struct target asked, said;
    if (target_parse(&said, arena, uri) < 0)
        return false;
    if (req->scope)
        return has_path_prefix(said.path, req->scope);
    if (target_parse(&asked, arena, req->target) < 0 || strcmp(asked.path, said.path))
        return false;
    /* Some programs sign the path only. */
    return !strchr(uri, '?') || !strcmp(asked.query, said.query);
}

/* --- guesses --- */

static enum login_verdict wrong_guess(struct trust *t, enum surface surface,
                                      const struct conn *conn)
{
    static const char *const names[] = {"HTTP", "RTSP", "the login page"};
    bool last = throttle_note(t->throttle, trust_now(t), surface, conn);
    char peer[64];
    conn_peer_text(conn, peer, sizeof(peer));
    log_warn("trust", "wrong user name or password from %s by %s%s", peer, names[surface],
             last ? "; guessing is now slowed down" : "");
    return LOGIN_WRONG;
}

static bool is_throttled(struct trust *t, enum surface surface, const struct conn *conn)
{
    return throttle_wait_ns(t->throttle, trust_now(t), surface, conn) > 0;
}

int login_retry_after_s(struct trust *t, enum surface surface, const struct conn *conn)
{
    int64_t ns = throttle_wait_ns(t->throttle, trust_now(t), surface, conn);
    return (int)((ns + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
}

static void set_identity(struct identity *who, const char *user, unsigned groups, int by)
{
    *who = (struct identity){.groups = groups, .by = by};
    snprintf(who->user, sizeof(who->user), "%s", user);
}

/* --- Basic --- */

void basic_drop(struct trust *t)
{
    memset(t->basic, 0, sizeof(t->basic));
}

/* Clients send Basic with every request; one that was right a moment ago need not
 * be taken to the agent again. */
static const struct account *basic_recall(struct trust *t, const uint8_t mac[32])
{
    for (unsigned i = 0; i < BASIC_CACHE; i++) {
        const struct basic_hit *b = &t->basic[i];
        if (b->until_ns > trust_now(t) && same_secret(b->mac, mac, 32))
            return accounts_find(t, b->user);
    }
    return NULL;
}

static void basic_remember(struct trust *t, const uint8_t mac[32], const char *user)
{
    struct basic_hit *b = &t->basic[t->basic_next++ % BASIC_CACHE];
    *b = (struct basic_hit){.until_ns = trust_now(t) + BASIC_CACHE_S * NSEC_PER_SEC};
    memcpy(b->mac, mac, 32);
    snprintf(b->user, sizeof(b->user), "%s", user);
}

static enum login_verdict check_clear(struct trust *t, enum surface surface,
                                      const struct conn *conn, const char *user,
                                      const char *password, unsigned *ret_groups)
{
    if (is_throttled(t, surface, conn))
        return LOGIN_THROTTLED;
    int err = keys_check_password(t->keys, user, password, ret_groups);
    if (err == -EACCES)
        return wrong_guess(t, surface, conn);
    return err ? LOGIN_BROKEN : LOGIN_OK;
}

static enum login_verdict identify_basic(struct trust *t, const struct login_request *req,
                                         const struct authorization *a, struct identity *ret_who)
{
    if (!allowed_methods(t, req->surface, conn_secure(req->conn)).basic)
        return LOGIN_NONE; /* nobody asked for it */
    uint8_t mac[32];
    trust_mac(t, req->authorization, mac);
    const struct account *known = basic_recall(t, mac);
    if (known) {
        set_identity(ret_who, known->name, known->groups, BY_BASIC);
        return LOGIN_OK;
    }
    unsigned groups = 0;
    enum login_verdict v = check_clear(t, req->surface, req->conn, a->user, a->password, &groups);
    if (v == LOGIN_OK) {
        basic_remember(t, mac, a->user);
        set_identity(ret_who, a->user, groups, BY_BASIC);
    }
    return v;
}

/* --- Digest --- */

/* Some RTSP clients send the last request's answer again with the next method. It
 * is right, so it is no guess. */
static bool is_right_for_another_method(struct trust *t, const struct authorization *a)
{
    static const char *const methods[] = {"OPTIONS", "DESCRIBE", "SETUP",         "PLAY",
                                          "PAUSE",   "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER"};
    unsigned groups = 0;
    bool right = false;
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
        right |= keys_check_digest(t->keys, a, methods[i], &groups) == 0;
    return right;
}

/* What an answer without qop is bound to. */
static uint64_t binding_of(const struct conn *conn, bool tunnel)
{
    if (!tunnel)
        return conn_id(conn);
    char peer[64];
    uint8_t hash[HASH_MAX];
    uint64_t ret;
    conn_peer_text(conn, peer, sizeof(peer));
    hash_bytes(HASH_SHA256, peer, strlen(peer), hash);
    memcpy(&ret, hash, sizeof(ret));
    return ret;
}

static enum login_verdict identify_digest(struct trust *t, struct arena *arena,
                                          const struct login_request *req,
                                          const struct authorization *a, struct identity *ret_who)
{
    if (!allowed_methods(t, req->surface, conn_secure(req->conn)).digest ||
        !allows_hash(t, req->surface, a->algorithm) || strcmp(a->realm, t->realm))
        return LOGIN_NONE;
    if (!uri_names_target(arena, req, a->uri))
        return LOGIN_NONE;
    if (is_throttled(t, req->surface, req->conn))
        return LOGIN_THROTTLED;
    if (nonce_judge(t->nonces, trust_now(t), binding_of(req->conn, req->tunnel), a) != NONCE_FRESH)
        return LOGIN_STALE;
    unsigned groups = 0;
    int err = keys_check_digest(t->keys, a, req->method, &groups);
    if (err == -EACCES) {
        if (req->surface == SURFACE_RTSP && is_right_for_another_method(t, a))
            return LOGIN_STALE;
        return wrong_guess(t, req->surface, req->conn);
    }
    if (err)
        return LOGIN_BROKEN;
    set_identity(ret_who, a->user, groups, BY_DIGEST);
    return LOGIN_OK;
}

enum login_verdict login_identify(struct trust *t, struct arena *arena,
                                  const struct login_request *req, struct identity *ret_who)
{
    *ret_who = (struct identity){.by = BY_NOBODY};
    if (req->cookie && conn_secure(req->conn) && session_find(t, req->cookie, ret_who))
        return LOGIN_OK;
    struct authorization a;
    authorization_parse(&a, arena, req->authorization);
    if (a.scheme == AUTH_BASIC)
        return identify_basic(t, req, &a, ret_who);
    if (a.scheme == AUTH_DIGEST)
        return identify_digest(t, arena, req, &a, ret_who);
    return LOGIN_NONE;
}

enum login_verdict login_identify_exchange(struct trust *t, struct exchange *ex,
                                           struct identity *ret_who)
{
    struct login_request req = {
        .surface = SURFACE_HTTP,
        .conn = ex->conn,
        .method = ex->msg->method,
        .target = ex->msg->target,
        .authorization = exchange_header(ex, "Authorization"),
        .cookie = exchange_header(ex, "Cookie"),
        .tunnel = ex->endpoint && ex->endpoint->takes_body,
    };
    return login_identify(t, ex->arena, &req, ret_who);
}

enum login_verdict login_form(struct trust *t, const struct conn *conn, const char *user,
                              const char *password, struct identity *ret_who)
{
    *ret_who = (struct identity){.by = BY_NOBODY};
    if (strlen(user) > ACCOUNT_NAME_MAX || strlen(password) > 256)
        return is_throttled(t, SURFACE_FORM, conn) ? LOGIN_THROTTLED
                                                   : wrong_guess(t, SURFACE_FORM, conn);
    unsigned groups = 0;
    enum login_verdict v = check_clear(t, SURFACE_FORM, conn, user, password, &groups);
    if (v == LOGIN_OK)
        set_identity(ret_who, user, groups, BY_COOKIE);
    return v;
}

/* --- what is offered --- */

void login_challenge(struct trust *t, enum surface surface, const struct conn *conn, bool tunnel,
                     bool stale, void (*add)(void *arg, const char *value), void *arg)
{
    struct methods m = allowed_methods(t, surface, conn_secure(conn));
    char line[256], nonce[65];
    if (m.digest) {
        nonce_make(t->nonces, trust_now(t), binding_of(conn, tunnel), nonce);
        /* MD5 last: many clients take the last one they read. */
        if (allows_hash(t, surface, HASH_SHA256)) {
            digest_challenge(line, sizeof(line), HASH_SHA256, t->realm, nonce, stale, true, true);
            add(arg, line);
        }
        if (allows_hash(t, surface, HASH_MD5)) {
            digest_challenge(line, sizeof(line), HASH_MD5, t->realm, nonce, stale, true, true);
            add(arg, line);
        }
    }
    if (m.basic) {
        snprintf(line, sizeof(line), "Basic realm=\"%s\"", t->realm);
        add(arg, line);
    }
}

static void add_header(void *arg, const char *value)
{
    exchange_set_header(arg, "WWW-Authenticate", value);
}

int login_refuse_exchange(struct trust *t, struct exchange *ex, enum login_verdict verdict)
{
    if (verdict == LOGIN_BROKEN)
        return 503;
    if (verdict == LOGIN_THROTTLED) {
        char seconds[16];
        int s = login_retry_after_s(t, SURFACE_HTTP, ex->conn);
        snprintf(seconds, sizeof(seconds), "%d", s > 0 ? s : 1);
        exchange_set_header(ex, "Retry-After", seconds);
        return 429;
    }
    bool tunnel = ex->endpoint && ex->endpoint->takes_body;
    login_challenge(t, SURFACE_HTTP, ex->conn, tunnel, verdict == LOGIN_STALE, add_header, ex);
    return 401;
}
