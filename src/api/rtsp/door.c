#include "door.h"

#include <stdlib.h>
#include <string.h>

#include "api/gate.h"
#include "base/fault.h"
#include "base/text.h"
#include "deliver/deliver.h"
#include "net/conn.h"
#include "net/ws.h"
#include "system/identity.h"
#include "trust/session.h"
#include "tunnel.h"

#define STREAM_METHODS                                                                             \
    (METHOD_OPTIONS | METHOD_DESCRIBE | METHOD_SETUP | METHOD_PLAY | METHOD_PAUSE |                \
     METHOD_TEARDOWN | METHOD_GET_PARAMETER | METHOD_SET_PARAMETER | METHOD_GET | METHOD_POST)

/* RTSP's own requests come another way; what HTTP asks for here is a tunnel. */
static void serve_stream(struct exchange *ex, void *arg)
{
    tunnel_serve(arg, ex);
}

static void serve_websocket(struct exchange *ex, void *arg)
{
    struct rtsp_door *d = arg;
    BUF(pending, 4096);
    struct fault why = {0};
    if (ws_is_upgrade(ex) && !ws_offers(ex, "binary")) {
        gate_reply_page(ex, 400, "This WebSocket speaks the subprotocol \"binary\".");
        return;
    }
    if (deliver_is_full(d->cam->deliver)) {
        gate_reply_page(ex, 503, "There are as many viewers as there may be.");
        return;
    }
    struct identity who = ex->who;
    char agent[128] = "";
    const char *said = exchange_header(ex, "User-Agent");
    text_copy(agent, sizeof(agent), said ? said : "");
    struct conn *conn = ws_accept(ex, "binary", &pending);
    if (!conn)
        return;
    struct rtsp_conn *c = rtsp_conn_new(d, conn);
    if (!c) {
        conn_free(conn);
        return;
    }
    c->websocket = true;
    c->who = who;
    if (rtsp_conn_to_viewer(c, true, &pending, who.user, agent, "/rtsp-over-websocket", &why) < 0)
        rtsp_conn_close(c, why.text, false);
}

static const struct endpoint rows[] = {
    {.path = "/axis-media/media.amp",
     .methods = STREAM_METHODS,
     .role = ROLE_VIEWER,
     .takes_body = true,
     .serve = serve_stream,
     .doc = "RTSP: live video; GET and POST: the same through HTTP"},
    {.path = RTSP_PATH_SSM,
     .methods = STREAM_METHODS & ~(METHOD_GET | METHOD_POST),
     .role = ROLE_VIEWER,
     .takes_body = true,
     .serve = serve_stream,
     .doc = "RTSP: live video by source-specific multicast"},
    {.path = "/mpeg4/media.amp",
     .methods = STREAM_METHODS,
     .role = ROLE_VIEWER,
     .takes_body = true,
     .serve = serve_stream,
     .doc = "RTSP: live video, the old address"},
    {.path = "/rtsp-over-websocket",
     .methods = METHOD_GET,
     .role = ROLE_VIEWER,
     .serve = serve_websocket,
     .doc = "WebSocket: RTSP inside binary messages"},
};

static void free_dead(struct rtsp_door *d)
{
    list_for_each_safe(it, &d->dead)
    {
        struct rtsp_conn *c = container_of(it, struct rtsp_conn, in_door);
        list_remove(&c->in_door);
        buf_done(&c->in);
        buf_done(&c->out);
        explicit_bzero(c->srtp_key, sizeof(c->srtp_key));
        free(c->described_base);
        free(c->described_query);
        free(c);
    }
}

static void reap(struct loop_post *p)
{
    free_dead(container_of(p, struct rtsp_door, reap));
}

/* Who has lost an account or rights loses the pictures too. */
static void account_changed(struct account_listener *l, const char *name)
{
    struct rtsp_door *d = container_of(l, struct rtsp_door, accounts);
    list_for_each_safe(it, &d->sessions)
    {
        struct rtsp_session *s = container_of(it, struct rtsp_session, in_door);
        if (*s->user && (!name || !strcmp(s->user, name)))
            rtsp_session_end(s, "the account was changed", true);
    }
    list_for_each_safe(it, &d->conns)
    {
        struct rtsp_conn *c = container_of(it, struct rtsp_conn, in_door);
        if (*c->who.user && (!name || !strcmp(c->who.user, name)))
            rtsp_conn_close(c, "the account was changed", true);
    }
}

struct rtsp_door *rtsp_door_new(struct camera *cam, struct gate *g)
{
    struct rtsp_door *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->cam = cam;
    d->gate = g;
    list_init(&d->conns);
    list_init(&d->sessions);
    list_init(&d->groups);
    list_init(&d->dead);
    d->reap = (struct loop_post){.name = "rtsp connections", .run = reap};
    text_copy(d->cname, sizeof(d->cname), cam->identity->serial);
    d->accounts.changed = account_changed;
    accounts_listen(cam->trust, &d->accounts);
    gate_add(g, rows, sizeof(rows) / sizeof(*rows), d);
    gate_take_tokens(g, "/rtsp-over-websocket", "rtspwssession", TOKEN_RTSP_WEBSOCKET);
    return d;
}

struct rtsp_door *rtsp_door_free(struct rtsp_door *d)
{
    if (!d)
        return NULL;
    list_for_each_safe(it, &d->conns)
        rtsp_conn_close(container_of(it, struct rtsp_conn, in_door), "the camera stops", true);
    list_for_each_safe(it, &d->sessions)
        rtsp_session_end(container_of(it, struct rtsp_session, in_door), "the camera stops", true);
    loop_post_cancel(d->cam->loop, &d->reap);
    free_dead(d);
    accounts_unlisten(d->cam->trust, &d->accounts);
    free(d);
    return NULL;
}
