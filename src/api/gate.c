#include "api/gate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "base/text.h"
#include "conf/param.h"
#include "image/settings.h"
#include "net/conn.h"
#include "net/ws.h"
#include "trust/accounts.h"
#include "trust/login.h"
#include "trust/trust.h"

struct row {
    struct list in_table;
    struct endpoint endpoint;
    size_t prefix_len; /* 0: exact */
    bool setup, preview;
    const char *token_arg;
    enum token_purpose token_purpose;
};

struct alias {
    struct list in_table;
    const char *path;
    struct row *of;
};

struct gate {
    struct camera *camera;
    struct list rows, aliases;
    size_t n_rows;
    int64_t started_ns;
};

static const struct {
    enum method method;
    const char *name;
} methods[] = {
    {METHOD_GET, "GET"},         {METHOD_POST, "POST"},
    {METHOD_OPTIONS, "OPTIONS"}, {METHOD_DESCRIBE, "DESCRIBE"},
    {METHOD_SETUP, "SETUP"},     {METHOD_PLAY, "PLAY"},
    {METHOD_PAUSE, "PAUSE"},     {METHOD_TEARDOWN, "TEARDOWN"},
    {METHOD_PUT, "PUT"},         {METHOD_GET_PARAMETER, "GET_PARAMETER"},
    {METHOD_PATCH, "PATCH"},     {METHOD_SET_PARAMETER, "SET_PARAMETER"},
    {METHOD_DELETE, "DELETE"},
};

static const char *const role_names[] = {
    [ROLE_NONE] = "none",     [ROLE_ANYONE] = "anyone", [ROLE_USER] = "user",
    [ROLE_VIEWER] = "viewer", [ROLE_PTZ] = "ptz",       [ROLE_OPERATOR] = "operator",
    [ROLE_ADMIN] = "admin",   [ROLE_SYSTEM] = "system",
};

static void serve_routes(struct exchange *ex, void *arg);

static const struct endpoint own_rows[] = {
    {.path = "/vedette/routes",
     .methods = METHOD_GET,
     .role = ROLE_ADMIN,
     .serve = serve_routes,
     .doc = "this table"},
};

struct gate *gate_new(struct camera *camera)
{
    struct gate *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->camera = camera;
    g->started_ns = clock_now(camera->clock);
    list_init(&g->rows);
    list_init(&g->aliases);
    gate_add(g, own_rows, sizeof own_rows / sizeof *own_rows, g);
    return g;
}

struct gate *gate_free(struct gate *g)
{
    if (!g)
        return NULL;
    list_for_each_safe(it, &g->rows) free(container_of(it, struct row, in_table));
    list_for_each_safe(it, &g->aliases) free(container_of(it, struct alias, in_table));
    free(g);
    return NULL;
}

/* The table: exact rows and aliases first, then the longest prefix. */
static struct row *find(struct gate *g, const char *path)
{
    struct row *best = NULL;
    list_for_each(it, &g->rows)
    {
        struct row *r = container_of(it, struct row, in_table);
        if (!r->prefix_len) {
            if (!strcmp(r->endpoint.path, path))
                return r;
        } else if (!strncmp(r->endpoint.path, path, r->prefix_len) &&
                   (!best || best->prefix_len < r->prefix_len)) {
            best = r;
        }
    }
    list_for_each(it, &g->aliases)
    {
        struct alias *a = container_of(it, struct alias, in_table);
        if (!strcmp(a->path, path))
            return a->of;
    }
    return best;
}

static struct row *find_own(struct gate *g, const char *path)
{
    list_for_each(it, &g->rows)
    {
        struct row *r = container_of(it, struct row, in_table);
        if (!strcmp(r->endpoint.path, path))
            return r;
    }
    return NULL;
}

/* The table is made once at start; without memory for it there is no camera. */
static void *must_have(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void gate_add(struct gate *g, const struct endpoint *rows, size_t n, void *arg)
{
    for (size_t i = 0; i < n; i++) {
        const struct endpoint *e = &rows[i];
        size_t len = strlen(e->path);
        assert(e->role != ROLE_NONE && e->methods && e->serve && e->path[0] == '/');
        assert(!find_own(g, e->path));
        struct row *r = must_have(calloc(1, sizeof *r));
        r->endpoint = *e;
        r->endpoint.arg = arg;
        r->prefix_len = len >= 2 && !strcmp(e->path + len - 2, "/*") ? len - 1 : 0;
        list_append(&g->rows, &r->in_table);
        g->n_rows++;
    }
}

void gate_alias(struct gate *g, const char *path, const char *of_path)
{
    struct row *of = find_own(g, of_path);
    assert(of && !find_own(g, path));
    struct alias *a = must_have(calloc(1, sizeof *a));
    a->path = path;
    a->of = of;
    list_append(&g->aliases, &a->in_table);
}

void gate_open_for_setup(struct gate *g, const char *path)
{
    struct row *r = find_own(g, path);
    assert(r);
    r->setup = true;
}

void gate_open_for_preview(struct gate *g, const char *path)
{
    struct row *r = find_own(g, path);
    assert(r);
    r->preview = true;
}

int64_t gate_preview_left_ns(struct gate *g)
{
    struct camera *cam = g->camera;
    if (!accounts_empty(cam->trust) || !cam->eye_room)
        return 0;
    const struct eye_settings *s = room_ref(cam->eye_room);
    int64_t end_ns = g->started_ns + s->preview_minutes * (60 * NSEC_PER_SEC);
    room_unref(s);
    int64_t left_ns = end_ns - clock_now(cam->clock);
    return left_ns > 0 ? left_ns : 0;
}

void gate_take_tokens(struct gate *g, const char *path, const char *arg, enum token_purpose purpose)
{
    struct row *r = find_own(g, path);
    assert(r);
    r->token_arg = arg;
    r->token_purpose = purpose;
}

void gate_reply_page(struct exchange *ex, int status, const char *text)
{
    char safe[512];
    text_html(text, safe, sizeof safe);
    exchange_replyf(ex, status, "text/html",
                    "<!DOCTYPE html>\n<html><head><title>%d %s</title></head>"
                    "<body><h1>%s</h1><p>%s</p></body></html>\n",
                    status, http_reason(status), http_reason(status), safe);
}

static void reply_status(struct exchange *ex, int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {400, "The request is not well formed."},
        {401, "Please log in."},
        {403, "This account or page may not do that."},
        {404, "There is nothing under this address."},
        {405, "This address does not take that method."},
        {429, "Too many wrong passwords came from your address; please wait."},
        {503, "The camera cannot check passwords right now; please try again."},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].status == status) {
            gate_reply_page(ex, status, texts[i].text);
            return;
        }
    }
    gate_reply_page(ex, status, http_reason(status));
}

static bool is_rtsp(const struct exchange *ex)
{
    return ex->msg->protocol == PROTO_RTSP10;
}

static void add_challenge(void *arg, const char *value)
{
    exchange_set_header(arg, "WWW-Authenticate", value);
}

/* The headers by which a browser keeps pages of strangers away from ours. */
static void set_headers(struct exchange *ex)
{
    exchange_set_header(ex, "X-Content-Type-Options", "nosniff");
    exchange_set_header(ex, "Referrer-Policy", "no-referrer");
    exchange_set_header(ex, "X-Frame-Options", "DENY");
    exchange_set_header(ex, "Content-Security-Policy",
                        "default-src 'self'; "
                        "img-src 'self' blob: data:; media-src 'self' blob:; "
                        "object-src 'none'; base-uri 'none'; form-action 'self'; "
                        "frame-ancestors 'none'");
    if (!strncmp(ex->path, "/axis-cgi/", 10) || !strncmp(ex->path, "/vedette/", 9))
        exchange_set_header(ex, "Cache-Control", "no-store");
}

/* "https://host:port" must be this very connection's scheme and the Host it names. */
static bool origin_is_ours(const struct exchange *ex, const char *origin)
{
    const char *host = exchange_header(ex, "Host");
    const char *scheme = conn_secure(ex->conn) ? "https://" : "http://";
    size_t n = strlen(scheme);
    return host && *host && !strncmp(origin, scheme, n) && text_iequal(origin + n, host);
}

static bool is_browser(const struct exchange *ex)
{
    const char *agent = exchange_header(ex, "User-Agent");
    return agent && !strncmp(agent, "Mozilla/", 8);
}

/* Did a page of somebody else's make the browser send this? Programs send neither
 * header; a browser sends one of them with everything another page asks, but for a GET
 * on plain HTTP: see gate_may_be_foreign(). */
static bool is_foreign(const struct exchange *ex, const struct row *r)
{
    const char *site = exchange_header(ex, "Sec-Fetch-Site");
    if (site && strcmp(site, "same-origin") && strcmp(site, "none"))
        return true;
    const char *origin = exchange_header(ex, "Origin");
    if (origin)
        return !origin_is_ours(ex, origin);
    return r->endpoint.role >= ROLE_ADMIN && gate_may_be_foreign(ex);
}

bool gate_may_be_foreign(const struct exchange *ex)
{
    return is_browser(ex) && !exchange_header(ex, "Sec-Fetch-Site") &&
           !exchange_header(ex, "Origin");
}

/* A page can make its own name point at the camera and so pass for the camera's page.
 * It has no password, but a new camera asks for none: then a name from the wide world
 * is not taken from browsers. Over TLS the name is the certificate's matter. */
static bool is_rebound(const struct exchange *ex)
{
    static const char *const local[] = {".local", ".lan", ".internal", ".home.arpa"};
    const char *host = exchange_header(ex, "Host");
    if (!is_browser(ex) || conn_secure(ex->conn) || !host || *host == '[')
        return false;
    size_t len = strcspn(host, ":");
    if (!memchr(host, '.', len) || strspn(host, "0123456789.") == len)
        return false;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
        size_t n = strlen(local[i]);
        if (len > n && !strncasecmp(host + len - n, local[i], n))
            return false;
    }
    return true;
}

static bool take_token(struct gate *g, const struct row *r, struct exchange *ex)
{
    const char *token = r->token_arg && !is_rtsp(ex) ? exchange_arg(ex, r->token_arg) : NULL;
    if (!token || !token_take(g->camera->trust, r->token_purpose, token, &ex->who))
        return false;
    server_conn_authenticated(ex->conn);
    return true;
}

/* 0, or the status of the refusal, whose headers are then set. */
static int identify(struct gate *g, const struct row *r, struct exchange *ex)
{
    struct trust *t = g->camera->trust;
    if (!is_rtsp(ex)) {
        enum login_verdict verdict = login_identify_exchange(t, ex, &ex->who);
        if (verdict != LOGIN_OK)
            return login_refuse_exchange(t, ex, verdict);
    } else {
        char *scope = r ? arena_strdup(ex->arena, r->endpoint.path) : NULL;
        if (r && r->prefix_len && scope)
            scope[r->prefix_len - 1] = '\0';
        struct login_request req = {
            .surface = SURFACE_RTSP,
            .conn = ex->conn,
            .method = ex->msg->method,
            .target = ex->msg->target,
            .scope = scope,
            .authorization = message_header(ex->msg, "Authorization"),
        };
        enum login_verdict verdict = login_identify(t, ex->arena, &req, &ex->who);
        if (verdict == LOGIN_THROTTLED || verdict == LOGIN_BROKEN)
            return 503;
        if (verdict != LOGIN_OK) {
            login_challenge(t, SURFACE_RTSP, ex->conn, false, verdict == LOGIN_STALE, add_challenge,
                            ex);
            return 401;
        }
    }
    server_conn_authenticated(ex->conn);
    return 0;
}

/* The cookie alone, where credentials are not asked for. */
static void identify_by_cookie(struct gate *g, struct exchange *ex)
{
    const char *cookie = is_rtsp(ex) ? NULL : exchange_header(ex, "Cookie");
    if (cookie && conn_secure(ex->conn))
        session_find(g->camera->trust, cookie, &ex->who);
}

static int check_method(const struct row *r, struct exchange *ex)
{
    if (r->endpoint.methods & ex->method)
        return 0;
    char allow[160] = "";
    size_t n = 0;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (r->endpoint.methods & methods[i].method)
            n += (size_t)snprintf(allow + n, sizeof allow - n, "%s%s%s", n ? ", " : "",
                                  methods[i].name,
                                  methods[i].method == METHOD_GET && !is_rtsp(ex) ? ", HEAD" : "");
        if (n >= sizeof allow)
            break;
    }
    exchange_set_header(ex, is_rtsp(ex) ? "Public" : "Allow", allow);
    return 405;
}

int gate_admit(struct gate *g, struct exchange *ex)
{
    struct row *r = find(g, ex->path);
    if (!is_rtsp(ex)) /* that connection may be on another thread */
        conn_about(ex->conn, ex->path);
    bool setup = accounts_empty(g->camera->trust);
    ex->endpoint = r ? &r->endpoint : NULL;

    if (is_rtsp(ex) && ex->method == METHOD_OPTIONS)
        return 0; /* keep-alives of some clients come without credentials */
    bool preview = r && r->preview && gate_preview_left_ns(g) > 0;
    bool open = r && (r->endpoint.role == ROLE_ANYONE || (setup && r->setup) || preview);
    bool by_token = false;
    if (open)
        identify_by_cookie(g, ex);
    else if (r && take_token(g, r, ex))
        by_token = true;
    else if (!ex->who.groups) {
        int status = identify(g, r, ex);
        if (status)
            return status;
    }
    if (!r)
        return 404;
    if (!open && !role_allows(r->endpoint.role, ex->who.groups))
        return 403;
    int status = check_method(r, ex);
    if (status)
        return status;
    if (!is_rtsp(ex) && !by_token && (r->endpoint.changes_state || ws_is_upgrade(ex) || preview) &&
        is_foreign(ex, r))
        return 403;
    if (((setup && r->setup) || preview) && is_rebound(ex))
        return 403;
    return 0;
}

bool gate_require(struct gate *g, struct exchange *ex, enum role role)
{
    if (role_allows(role, ex->who.groups))
        return true;
    if (!ex->who.groups) {
        int status = identify(g, NULL, ex);
        if (status) {
            reply_status(ex, status);
            return false;
        }
        if (role_allows(role, ex->who.groups))
            return true;
    }
    reply_status(ex, 403);
    return false;
}

static int admit(struct exchange *ex, size_t *ret_max_body, void *arg)
{
    struct gate *g = arg;
    set_headers(ex);
    int status = gate_admit(g, ex);
    if (status) {
        reply_status(ex, status);
        return -1;
    }
    if (ex->endpoint->takes_body) {
        ex->endpoint->serve(ex, ex->endpoint->arg);
        return -1;
    }
    *ret_max_body = ex->endpoint->max_body ? ex->endpoint->max_body : LIMIT_BODY_BYTES;
    return 0;
}

static void serve(struct exchange *ex, void *arg)
{
    ex->endpoint->serve(ex, ex->endpoint->arg);
}

const struct server_hooks gate_hooks = {.admit = admit, .serve = serve};

static json_t *route_json(const struct row *r, const char *alias)
{
    json_t *names = json_array();
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (r->endpoint.methods & methods[i].method)
            json_array_append_new(names, json_string(methods[i].name));
    }
    json_t *j =
        json_pack("{s:s, s:o, s:s, s:b, s:b, s:b, s:s}", "path", alias ? alias : r->endpoint.path,
                  "methods", names, "role", role_names[r->endpoint.role], "changesState",
                  r->endpoint.changes_state, "openForSetup", r->setup, "openForPreview", r->preview,
                  "doc", r->endpoint.doc ? r->endpoint.doc : "");
    if (alias)
        json_object_set_new(j, "aliasOf", json_string(r->endpoint.path));
    return j;
}

static void serve_routes(struct exchange *ex, void *arg)
{
    struct gate *g = arg;
    JSON_AUTO *all = json_array();
    list_for_each(it, &g->rows)
        json_array_append_new(all, route_json(container_of(it, struct row, in_table), NULL));
    list_for_each(it, &g->aliases)
    {
        const struct alias *a = container_of(it, struct alias, in_table);
        json_array_append_new(all, route_json(a->of, a->path));
    }
    BUF(body, LIMIT_REPLY_BYTES);
    if (json_write(&body, all) || body.err) {
        reply_status(ex, 503);
        return;
    }
    exchange_reply(ex, 200, "application/json", body.data, body.len);
}
