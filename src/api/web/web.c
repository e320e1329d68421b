#include "web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "audio.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/param.h"
#include "eye.h"
#include "files.h"
#include "net/conn.h"
#include "net/exchange.h"
#include "net/limits.h"
#include "ptz.h"
#include "reply.h"
#include "socket.h"
#include "system/identity.h"
#include "trust/accounts.h"
#include "trust/login.h"
#include "trust/session.h"

struct web_door {
    struct camera *cam;
    struct gate *gate;
    struct web_files files;
    struct hub *hub;
};

/* ---- files ---- */

static void serve_file(struct exchange *ex, void *arg)
{
    struct web_door *d = arg;
    const struct web_file *f = web_files_find(&d->files, ex->path);
    if (!f)
        f = web_files_find(&d->files, "/index.html");
    if (!f) {
        static const char text[] = "The web page has not been built. The programming interfaces "
                                   "work without it.\n";
        exchange_reply(ex, 404, "text/plain", text, sizeof(text) - 1);
        return;
    }
    bool gzip = f->gzip && web_accepts_gzip(exchange_header(ex, "Accept-Encoding"));
    const char *etag = gzip ? f->gzip_etag : f->etag;
    exchange_set_header(ex, "ETag", etag);
    exchange_set_header(ex, "Cache-Control",
                        f->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (f->gzip)
        exchange_set_header(ex, "Vary", "Accept-Encoding");
    if (web_etag_matches(exchange_header(ex, "If-None-Match"), etag)) {
        exchange_reply(ex, 304, NULL, NULL, 0);
        return;
    }
    if (gzip)
        exchange_set_header(ex, "Content-Encoding", "gzip");
    exchange_reply_ref(ex, 200, f->type, gzip ? f->gzip : f->bytes, gzip ? f->gzip_len : f->len,
                       NULL, NULL);
}

/* ---- login ---- */

static void refuse_login(struct web_door *d, struct exchange *ex, enum login_verdict verdict)
{
    if (verdict == LOGIN_THROTTLED) {
        char seconds[16];
        snprintf(seconds, sizeof(seconds), "%d",
                 login_retry_after_s(d->cam->trust, SURFACE_FORM, ex->conn));
        exchange_set_header(ex, "Retry-After", seconds);
        web_reply_error(ex, 429, "busy",
                        "Too many wrong passwords. Wait a little, then try again.");
    } else if (verdict == LOGIN_BROKEN) {
        web_reply_error(ex, 503, "internal", "Passwords cannot be checked right now.");
    } else {
        /* No challenge: the browser must not open a dialogue of its own. */
        web_reply_error(ex, 403, "denied", "The user name or the password is wrong.");
    }
}

static void serve_login(struct exchange *ex, void *arg)
{
    struct web_door *d = arg;
    struct fault why = {0};
    if (!conn_secure(ex->conn)) {
        web_reply_error(ex, 403, "unsupported",
                        "Passwords are taken over HTTPS only. On plain HTTP use Digest "
                        "(GET /vedette/challenge).");
        return;
    }
    const char *user = NULL, *password = NULL;
    JSON_AUTO *q = json_parse(ex->body, ex->body_len, &why);
    if (!q || !json_is_object(q) || json_get_string(q, "user", &user, &why) ||
        json_get_string(q, "password", &password, &why) || !user || !password) {
        web_reply_error(ex, 400, "invalid",
                        why.text[0] ? why.text : "The body is {\"user\":…, \"password\":…}.");
        return;
    }
    struct identity who;
    enum login_verdict verdict = login_form(d->cam->trust, ex->conn, user, password, &who);
    if (verdict != LOGIN_OK) {
        refuse_login(d, ex, verdict);
        return;
    }
    char token[TOKEN_TEXT], cookie[256];
    if (session_new(d->cam->trust, &who, true, token, &why) < 0) {
        web_reply_error(ex, 503, fault_kind_name(why.kind), why.text);
        return;
    }
    session_cookie(token, cookie, sizeof(cookie));
    exchange_set_header(ex, "Set-Cookie", cookie);
    web_reply(ex, 200, json_pack("{s:s}", "user", who.user));
}

static void serve_logout(struct exchange *ex, void *arg)
{
    struct web_door *d = arg;
    const char *sent = exchange_header(ex, "Cookie");
    if (sent && conn_secure(ex->conn)) {
        session_end(d->cam->trust, sent);
        hub_end_session(d->hub, sent);
        char cookie[256];
        session_cookie(NULL, cookie, sizeof(cookie));
        exchange_set_header(ex, "Set-Cookie", cookie);
    }
    web_reply(ex, 200, json_object());
}

static void serve_session(struct exchange *ex, void *arg)
{
    struct web_door *d = arg;
    struct camera *cam = d->cam;
    const struct identity *who = &ex->who;
    /* The gate asks nobody here, but who brings credentials wants them judged. */
    if (!who->user[0] && exchange_header(ex, "Authorization")) {
        enum login_verdict verdict = login_identify_exchange(cam->trust, ex, &ex->who);
        if (verdict != LOGIN_OK) {
            web_reply_error(ex, login_refuse_exchange(cam->trust, ex, verdict), "denied",
                            "The user name or the password is wrong.");
            return;
        }
        server_conn_authenticated(ex->conn);
    }
    bool known = who->user[0];
    char utc[32];
    text_utc(clock_utc(cam->clock), utc, sizeof(utc));
    json_t *o =
        json_pack("{s:s, s:o, s:b, s:b, s:s, s:i}", "user", who->user, "groups",
                  command_groups(who->groups), "needsetup", (int)accounts_empty(cam->trust),
                  "secure", (int)conn_secure(ex->conn), "utc", utc, "httpsPort", cam->https_port);
    int64_t preview_ns = gate_preview_left_ns(d->gate);
    if (o && preview_ns)
        json_object_set_new(o, "previewS", json_integer(preview_ns / NSEC_PER_SEC));
    if (o && cam->brand_room) {
        const struct brand_settings *brand = room_ref(cam->brand_room);
        json_object_set_new(o, "name", json_string(brand->full_name));
        room_unref(brand);
    }
    /* What a stranger need not know. */
    if (o && known) {
        json_object_set_new(o, "version", json_string(VEDETTE_VERSION));
        json_object_set_new(o, "serial", json_string(cam->identity->serial));
        json_object_set_new(o, "ports",
                            json_pack("{s:i, s:i, s:i, s:i}", "http", cam->http_port, "https",
                                      cam->https_port, "rtsp", cam->rtsp_port, "rtsps",
                                      cam->rtsps_port));
    }
    web_reply(ex, 200, o);
}

static void add_challenge(void *arg, const char *value)
{
    json_array_append_new(arg, json_string(value));
}

static void serve_challenge(struct exchange *ex, void *arg)
{
    struct web_door *d = arg;
    json_t *list = json_array();
    login_challenge(d->cam->trust, SURFACE_HTTP, ex->conn, false, false, add_challenge, list);
    web_reply(ex, 200, json_pack("{s:o}", "challenges", list));
}

static void serve_audio(struct exchange *ex, void *arg)
{
    audio_serve(((struct web_door *)arg)->cam, ex);
}

static void serve_eye(struct exchange *ex, void *arg)
{
    eye_serve(((struct web_door *)arg)->cam, ex);
}

static void serve_ptz(struct exchange *ex, void *arg)
{
    ptz_serve(((struct web_door *)arg)->cam, ex);
}

static void serve_eye_order(struct exchange *ex, void *arg)
{
    eye_serve_order(((struct web_door *)arg)->cam, ex);
}

static void serve_socket(struct exchange *ex, void *arg)
{
    struct web_door *d = arg;
    hub_serve(d->hub, ex);
}

/* ---- the door ---- */

static const struct endpoint rows[] = {
    {.path = "/vedette/login",
     .methods = METHOD_POST,
     .role = ROLE_ANYONE,
     .max_body = 1024,
     .changes_state = true,
     .serve = serve_login,
     .doc = "Opens a session of the web page (HTTPS): {\"user\":…, \"password\":…}"},
    {.path = "/vedette/logout",
     .methods = METHOD_POST,
     .role = ROLE_ANYONE,
     .max_body = 1024,
     .changes_state = true,
     .serve = serve_logout,
     .doc = "Ends the session"},
    {.path = "/vedette/session",
     .methods = METHOD_GET,
     .role = ROLE_ANYONE,
     .serve = serve_session,
     .doc = "Who is asking, and whether the camera still needs its first administrator"},
    {.path = "/vedette/challenge",
     .methods = METHOD_GET,
     .role = ROLE_ANYONE,
     .serve = serve_challenge,
     .doc = "Digest challenges as JSON, for pages on plain HTTP"},
    {.path = "/vedette/audio",
     .methods = METHOD_GET,
     .role = ROLE_VIEWER,
     .serve = serve_audio,
     .doc = "how loud it is, and who talks (JSON)"},
    {.path = "/vedette/ptz",
     .methods = METHOD_GET,
     .role = ROLE_VIEWER,
     .serve = serve_ptz,
     .doc = "presets, tours and who controls the camera (JSON)"},
    {.path = "/vedette/eye",
     .methods = METHOD_GET,
     .role = ROLE_VIEWER,
     .serve = serve_eye,
     .doc = "What exposure, white balance and focus do just now (docs/image.md)"},
    {.path = "/vedette/eye/order",
     .methods = METHOD_POST,
     .role = ROLE_PTZ,
     .max_body = 1024,
     .changes_state = true,
     .serve = serve_eye_order,
     .doc = "Focus here, focus recall areas, focus assistant (docs/image.md)"},
    {.path = "/vedette/ws",
     .methods = METHOD_GET,
     .role = ROLE_VIEWER,
     .serve = serve_socket,
     .doc = "WebSocket for position, moves, parameters and events (docs/ws.md)"},
};

static void add_file(struct gate *g, struct web_door *d, const char *path)
{
    struct endpoint row = {.path = path,
                           .methods = METHOD_GET,
                           .role = ROLE_ANYONE,
                           .serve = serve_file,
                           .doc = "The web page"};
    gate_add(g, &row, 1, d);
}

struct web_door *web_door_new(struct camera *cam, struct gate *g)
{
    struct web_door *d = calloc(1, sizeof(*d));
    struct fault why = {0};
    if (!d)
        return NULL;
    d->cam = cam;
    d->gate = g;
    d->hub = hub_new(cam);
    if (!d->hub) {
        free(d);
        return NULL;
    }
    if (web_files_load(&d->files, cam->web_dir, &why) < 0)
        log_warn("api", "%s %s", why.name, why.text);
    gate_add(g, rows, sizeof(rows) / sizeof(*rows), d);
    gate_take_tokens(g, "/vedette/ws", "wssession", TOKEN_EVENT_WEBSOCKET);
    add_file(g, d, "/");
    add_file(g, d, "/camera/index.html");
    for (size_t i = 0; i < d->files.n; i++)
        add_file(g, d, d->files.file[i]->path);
    return d;
}

struct web_door *web_door_free(struct web_door *d)
{
    if (!d)
        return NULL;
    hub_free(d->hub);
    web_files_done(&d->files);
    free(d);
    return NULL;
}
