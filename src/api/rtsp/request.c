/* One RTSP request: its exchange for the gate, its answer, and the short methods. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/gate.h"
#include "back.h"
#include "base/clock.h"
#include "base/fault.h"
#include "deliver/deliver.h"
#include "door.h"
#include "media/pipeline.h"
#include "net/conn.h"
#include "sound/mouth.h"

#define CSEQ_MAX 32
#define REPLY_BYTES (64 << 10)

static const struct {
    const char *name;
    enum method method;
} methods[] = {
    {"OPTIONS", METHOD_OPTIONS},
    {"DESCRIBE", METHOD_DESCRIBE},
    {"SETUP", METHOD_SETUP},
    {"PLAY", METHOD_PLAY},
    {"PAUSE", METHOD_PAUSE},
    {"TEARDOWN", METHOD_TEARDOWN},
    {"GET_PARAMETER", METHOD_GET_PARAMETER},
    {"SET_PARAMETER", METHOD_SET_PARAMETER},
};

/* ---- answers ---- */

static void request_free(struct rtsp_request *r)
{
    struct rtsp_conn *c = r->conn;
    if (r->feed) {
        stream_remove_wake(feed_stream(r->feed), &r->wake);
        loop_post_cancel(c->door->cam->loop, &r->woken);
        feed_close(r->feed);
    }
    feed_close(r->sound);
    loop_timer_cancel(&r->patience);
    if (c->busy == r)
        c->busy = NULL;
    struct arena *arena = r->ex->arena; /* r and work lie in it */
    buf_done(&r->work->headers);
    arena_free(arena);
}

void rtsp_request_cancel(struct rtsp_request *r)
{
    if (r->ex->method == METHOD_PLAY)
        rtsp_session_pause(r->session); /* it must not tell us any more */
    request_free(r);
}

static void add_date(struct buf *b, struct rtsp_conn *c)
{
    char text[40];
    time_t s = (time_t)(clock_utc(c->door->cam->clock) / NSEC_PER_SEC);
    struct tm tm;
    if (gmtime_r(&s, &tm) && strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm))
        buf_addf(b, "Date: %s\r\n", text);
}

static void add_head(struct buf *b, struct rtsp_conn *c, int status, const char *cseq)
{
    buf_addf(b, "RTSP/1.0 %d %s\r\n", status, http_reason(status));
    if (cseq)
        buf_addf(b, "CSeq: %s\r\n", cseq);
    add_date(b, c);
    buf_adds(b, "Server: Vedette\r\n");
}

void rtsp_reply_bare(struct rtsp_conn *c, int status)
{
    BUF(b, REPLY_BYTES);
    add_head(&b, c, status, NULL);
    buf_adds(&b, "Connection: close\r\n\r\n");
    rtsp_conn_send(c, b.data, b.len);
}

void rtsp_reply(struct rtsp_request *r, int status, const char *headers, const char *type,
                const void *body, size_t len)
{
    struct rtsp_conn *c = r->conn;
    BUF(b, REPLY_BYTES);
    add_head(&b, c, status, r->cseq);
    if (r->session && status == 200)
        buf_addf(&b, "Session: %s;timeout=%d\r\n", r->session->id, r->session->timeout_s);
    buf_add(&b, r->work->headers.data, r->work->headers.len);
    buf_adds(&b, headers);
    if (len)
        buf_addf(&b, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, len);
    buf_adds(&b, "\r\n");
    buf_add(&b, body, len);
    request_free(r);
    if (b.err)
        rtsp_conn_close(c, "a reply too long", false);
    else
        rtsp_conn_send(c, b.data, b.len); /* in one piece: some clients read once */
    rtsp_conn_process(c);
}

static void reply_status(struct rtsp_request *r, int status)
{
    rtsp_reply(r, status, "", NULL, NULL, 0);
}

void rtsp_reply_fault(struct rtsp_request *r, const struct fault *why)
{
    static const int statuses[] = {
        [FAULT_NONE] = 500,    [FAULT_INVALID] = 400, [FAULT_UNKNOWN] = 404,
        [FAULT_MISSING] = 400, [FAULT_DENIED] = 403,  [FAULT_CONFLICT] = 455,
        [FAULT_LIMIT] = 503,   [FAULT_BUSY] = 503,    [FAULT_UNSUPPORTED] = 415,
        [FAULT_TIMEOUT] = 504, [FAULT_IO] = 500,      [FAULT_INTERNAL] = 500,
    };
    BUF(text, 1024);
    if (*why->name)
        buf_addf(&text, "%s: ", why->name);
    buf_addf(&text, "%s\r\n", why->text);
    rtsp_reply(r, statuses[why->kind], "", "text/plain", text.data, text.len);
}

/* ---- the request ---- */

static bool is_number(const char *s)
{
    size_t n = strspn(s, "0123456789");
    return n && n <= CSEQ_MAX && !s[n];
}

/* Rights of the one who asks; true: go on. */
static bool admitted(struct rtsp_request *r)
{
    struct rtsp_conn *c = r->conn;
    r->ex->who = (struct identity){0};
    if (c->websocket || c->tunnel)
        r->ex->who = c->who; /* of the upgrade; no login inside */
    /* afterwards it is the viewer's, and about the same */
    if (!c->viewer)
        conn_about(c->conn, r->ex->path);
    int status = gate_admit(c->door->gate, r->ex);
    if (!status && *r->ex->who.user)
        c->who = r->ex->who;
    if (!status)
        return true;
    reply_status(r, status);
    return false;
}

static void options(struct rtsp_request *r)
{
    rtsp_reply(r, 200, "Public: " RTSP_METHODS "\r\n", NULL, NULL, 0);
}

static void pause_play(struct rtsp_request *r)
{
    if (r->session->playing) {
        r->session->playing = false;
        rtsp_session_pause(r->session);
    }
    reply_status(r, 200);
}

static void teardown(struct rtsp_request *r)
{
    struct rtsp_session *s = r->session;
    r->session = NULL;
    rtsp_session_end(s, "teardown", true);
    reply_status(r, 200);
}

/* Empty ones are keep-alives; the one parameter that we know asks for a key picture. */
static void parameter(struct rtsp_request *r)
{
    const char *s = r->ex->body + strspn(r->ex->body, " \t\r\n");
    if (!*s) {
        reply_status(r, 200);
    } else if (r->ex->method == METHOD_SET_PARAMETER && r->session &&
               !strncasecmp(s, "Renew-Stream: yes", 17)) {
        if (rtsp_session_first(r->session)->viewer)
            viewer_request_key(rtsp_session_first(r->session)->viewer);
        reply_status(r, 200);
    } else {
        reply_status(r, 451);
    }
}

static void serve(struct rtsp_request *r)
{
    const char *require = message_header(r->ex->msg, "Require");
    if (!require)
        require = message_header(r->ex->msg, "Proxy-Require");
    if (require && !strcmp(require, RTSP_BACKCHANNEL) && mouth_may(r->conn->door->cam->mouth)) {
        r->back = true;
    } else if (require) {
        exchange_set_header(r->ex, "Unsupported", require);
        reply_status(r, 551);
        return;
    }
    switch (r->ex->method) {
    case METHOD_OPTIONS:
        options(r);
        return;
    case METHOD_DESCRIBE:
    case METHOD_SETUP:
        if (r->uri_status || !strcmp(r->uri.base, "*")) {
            /* a stranger learns nothing about what exists */
            if (r->uri_status == 404 && !admitted(r))
                return;
            reply_status(r, r->uri_status ? r->uri_status : 404);
            return;
        }
        if (!admitted(r))
            return;
        if (r->ex->method == METHOD_DESCRIBE)
            rtsp_describe(r);
        else
            rtsp_setup(r);
        return;
    case METHOD_PLAY:
        if (!r->names_session) {
            reply_status(r, 455);
            return;
        }
        if (!r->session) {
            reply_status(r, 454);
            return;
        }
        r->ex->path = r->session->base; /* whatever form the target has */
        if (admitted(r))
            rtsp_play(r);
        return;
    case METHOD_PAUSE:
    case METHOD_TEARDOWN:
        if (!r->session)
            reply_status(r, r->names_session ? 454 : 455);
        else if (r->ex->method == METHOD_PAUSE)
            pause_play(r);
        else
            teardown(r);
        return;
    case METHOD_GET_PARAMETER:
    case METHOD_SET_PARAMETER:
        if (r->names_session && !r->session)
            reply_status(r, 454);
        else if (r->session || *r->conn->who.user || admitted(r))
            parameter(r);
        return;
    default:
        reply_status(r, 501);
        return;
    }
}

void rtsp_request_serve(struct rtsp_conn *c, struct arena *take_arena, const struct message *msg,
                        const char *body, size_t body_len)
{
    struct rtsp_request *r = arena_alloc(take_arena, sizeof(*r));
    struct exchange_work *w = arena_alloc(take_arena, sizeof(*w));
    if (!r || !w) {
        arena_free(take_arena);
        rtsp_conn_close(c, "out of memory", false);
        return;
    }
    r->conn = c;
    r->work = w;
    r->ex = &w->ex;
    w->msg = *msg;
    buf_init(&w->headers, LIMIT_HEADER_BYTES);
    w->ex = (struct exchange){
        .arena = take_arena, .msg = &w->msg, .conn = c->conn, .body = body, .body_len = body_len};
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
        if (!strcmp(msg->method, methods[i].name))
            w->ex.method = methods[i].method;
    r->cseq = message_header(msg, "CSeq");
    if (!r->cseq || !is_number(r->cseq)) {
        r->cseq = NULL;
        reply_status(r, 400);
        return;
    }
    if (!w->ex.method) {
        bool known = !strcmp(msg->method, "ANNOUNCE") || !strcmp(msg->method, "RECORD") ||
                     !strcmp(msg->method, "REDIRECT");
        rtsp_reply(r, known ? 405 : 501, "Allow: " RTSP_METHODS "\r\n", NULL, NULL, 0);
        return;
    }
    r->uri_status = rtsp_uri_parse(&r->uri, take_arena, msg->target);
    if (r->uri_status != 400 && r->uri.lost) {
        r->uri_status = c->described_base ? 0 : 404;
        if (c->described_base) {
            r->uri.base = c->described_base;
            r->uri.query = c->described_query;
        }
    }
    w->ex.path = r->uri_status == 400 ? "/" : r->uri.base;
    w->ex.query = r->uri_status == 400 ? "" : r->uri.query;
    const char *session = message_header(msg, "Session");
    if (session) {
        struct rtsp_session *s = rtsp_session_find(c->door, session);
        r->names_session = true;
        /* One whose connection is gone is taken over with the login of its owner only. */
        if (s && s->conn != c && !s->conn && w->ex.method != METHOD_OPTIONS && !*c->who.user) {
            w->ex.path = s->base;
            if (!admitted(r))
                return;
            w->ex.path = r->uri_status == 400 ? "/" : r->uri.base;
        }
        if (s && rtsp_session_admits(s, c, c->who.user)) {
            r->session = s;
            rtsp_session_alive(s);
        }
    }
    serve(r);
}

/* ---- helpers of DESCRIBE and SETUP ---- */

int rtsp_uri_args(struct rtsp_request *r, struct arg **ret_args, size_t *ret_n)
{
    const char *query = r->uri.query;
    struct arg *args = arena_alloc(r->ex->arena, LIMIT_ARGS * sizeof(*args));
    size_t n = 0;
    if (!args || args_parse(args, &n, r->ex->arena, query, strlen(query)) < 0)
        return -EINVAL;
    *ret_args = args;
    *ret_n = n;
    return 0;
}

const char *rtsp_base_url(struct rtsp_request *r)
{
    const char *authority = r->uri.authority;
    if (!authority) {
        char local[64];
        conn_local_text(r->conn->conn, local, sizeof(local));
        bool six = strchr(local, ':');
        authority = arena_printf(r->ex->arena, "%s%s%s:%d", six ? "[" : "", local, six ? "]" : "",
                                 conn_local_port(r->conn->conn));
    }
    bool secure = !strncasecmp(r->ex->msg->target, "rtsps:", 6);
    return arena_printf(r->ex->arena, "%s://%s%s", secure ? "rtsps" : "rtsp",
                        authority ? authority : "", r->uri.base);
}
