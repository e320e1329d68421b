/* Connections of the RTSP door: bytes in, bytes out, and who reads them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "back.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "deliver/deliver.h"
#include "door.h"
#include "net/conn.h"
#include "net/limits.h"
#include "tunnel.h"

#define IN_BYTES (LIMIT_HEADER_BYTES + LIMIT_TARGET_BYTES + LIMIT_BODY_BYTES + (256 << 10))
#define READ_BYTES 16384
#define READS_A_TURN 4
#define STRANGER_BODY_BYTES 4096 /* of who has not logged in */

static void on_ready(void *arg, bool in, bool out);

static int64_t now_ns(const struct rtsp_conn *c)
{
    return loop_now(c->door->cam->loop);
}

/* ---- time ---- */

static void idle_fired(struct loop_timer *t)
{
    struct rtsp_conn *c = container_of(t, struct rtsp_conn, idle);
    int64_t limit_ns = (c->had_session ? SESSION_TIMEOUT_S : FIRST_SETUP_S) * NSEC_PER_SEC;
    if (!c->sessions && now_ns(c) - c->active_ns >= limit_ns) {
        rtsp_conn_close(c, "idle", false);
        return;
    }
    int64_t at_ns = c->active_ns + limit_ns;
    loop_timer_at(c->door->cam->loop, t, at_ns > now_ns(c) ? at_ns : now_ns(c) + limit_ns);
}

/* ---- life ---- */

struct rtsp_conn *rtsp_conn_new(struct rtsp_door *d, struct conn *take_conn)
{
    struct rtsp_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->door = d;
    c->conn = take_conn;
    conn_peer_text(take_conn, c->peer, sizeof(c->peer));
    buf_init(&c->in, IN_BYTES);
    buf_init(&c->out, LIMIT_QUEUE_BYTES);
    c->idle = (struct loop_timer){.name = "rtsp idle", .fire = idle_fired};
    c->active_ns = now_ns(c);
    list_append(&d->conns, &c->in_door);
    loop_timer_in(d->cam->loop, &c->idle, FIRST_SETUP_S * NSEC_PER_SEC);
    return c;
}

/* The memory goes with the next turn: its callers may still look at it. */
void rtsp_conn_close(struct rtsp_conn *c, const char *reason, bool bye)
{
    if (c->dead)
        return;
    c->dead = true;
    log_debug("rtsp", "connection of %s ends: %s", c->peer, reason);
    if (c->busy)
        rtsp_request_cancel(c->busy);
    list_for_each_safe(it, &c->door->sessions)
    {
        struct rtsp_session *s = container_of(it, struct rtsp_session, in_door);
        if (s->conn != c)
            continue;
        if (s->tcp)
            rtsp_session_end(s, reason, bye);
        else
            rtsp_session_lose_conn(s);
    }
    if (c->viewer)
        c->viewer = viewer_close(c->viewer, false);
    else
        conn_free(c->conn);
    c->conn = NULL;
    c->tunnel = tunnel_free(c->tunnel);
    loop_timer_cancel(&c->idle);
    list_remove(&c->in_door);
    list_append(&c->door->dead, &c->in_door);
    loop_post(c->door->cam->loop, &c->door->reap);
}

/* ---- bytes out ---- */

static void flush(struct rtsp_conn *c)
{
    while (c->out.len) {
        ssize_t n = conn_write(c->conn, c->out.data, c->out.len);
        if (n == -EAGAIN)
            break;
        if (n < 0) {
            rtsp_conn_close(c, strerror((int)-n), false);
            return;
        }
        buf_consume(&c->out, (size_t)n);
    }
    if (c->closing && !c->out.len) {
        rtsp_conn_close(c, "refused", false);
        return;
    }
    conn_want(c->conn, !c->closing, c->out.len > 0);
}

void rtsp_conn_send(struct rtsp_conn *c, const void *bytes, size_t len)
{
    if (c->dead)
        return;
    int err;
    if (c->viewer) {
        err = viewer_send(c->viewer, bytes, len);
    } else {
        err = buf_add(&c->out, bytes, len);
        if (!err)
            flush(c);
    }
    if (err < 0)
        rtsp_conn_close(c, "does not read its replies", false);
}

/* ---- bytes in ---- */

static void take_frame(struct rtsp_conn *c, int channel, const uint8_t *bytes, size_t len)
{
    for (int i = 0; i < RTSP_TRACKS; i++) {
        const struct rtsp_track *t = &c->tcp_session->track[i];
        if (t->back && channel == t->transport.channel) {
            rtsp_back_hear(t->back, bytes, len);
            return;
        }
        if (t->set && channel == t->transport.channel + 1)
            viewer_rtcp_in(c->viewer, i, bytes, len);
    }
}

/* '$' channel length: receiver reports; anything else is skipped. A run of frames at a
 * time: moving up what is behind each one would take a flood's length squared. False:
 * more is needed. */
static bool take_interleaved(struct rtsp_conn *c)
{
    size_t at = 0;
    while (c->in.len - at >= 4 && c->in.data[at] == '$') {
        const uint8_t *p = (const uint8_t *)c->in.data + at;
        size_t len = 4 + (size_t)(p[2] << 8 | p[3]);
        if (len > LIMIT_INTERLEAVED_BYTES) {
            c->skip = len;
            break;
        }
        if (c->in.len - at < len)
            break;
        if (c->tcp_session) {
            rtsp_session_alive(c->tcp_session);
            take_frame(c, p[1], p + 4, len - 4);
        }
        at += len;
    }
    buf_consume(&c->in, at);
    return at || c->skip;
}

static bool take_message(struct rtsp_conn *c)
{
    struct arena *arena = arena_new(LIMIT_ARENA_BYTES);
    if (!arena) {
        rtsp_conn_close(c, "out of memory", false);
        return false;
    }
    struct message msg;
    int head = message_parse_head(&msg, arena, c->in.data, c->in.len, 1 << PROTO_RTSP10);
    int status = head < 0 ? -head : 0;
    if (!head && c->in.len > LIMIT_HEADER_BYTES + LIMIT_TARGET_BYTES + LIMIT_HEADER_LINE)
        status = 431;
    size_t body = 0, most = *c->who.user ? LIMIT_BODY_BYTES : STRANGER_BODY_BYTES;
    if (head > 0) {
        if (msg.chunked)
            status = 400;
        else if (msg.content_length > (int64_t)most)
            status = 413;
        else if (msg.content_length > 0)
            body = (size_t)msg.content_length;
    }
    if (status || !head || c->in.len - (size_t)head < body) {
        arena_free(arena);
        if (status) { /* where the next message begins is anybody's guess */
            c->closing = true;
            rtsp_reply_bare(c, status);
        }
        return false;
    }
    char *text = arena_strndup(arena, c->in.data + head, body);
    buf_consume(&c->in, (size_t)head + body);
    c->active_ns = now_ns(c);
    if (!text) {
        arena_free(arena);
        rtsp_conn_close(c, "out of memory", false);
        return false;
    }
    rtsp_request_serve(c, arena, &msg, text, body);
    return true;
}

void rtsp_conn_process(struct rtsp_conn *c)
{
    if (c->in_process)
        return; /* the loop below goes on */
    c->in_process = true;
    while (!c->dead && !c->closing && !c->busy && c->in.len) {
        if (c->skip) {
            size_t n = c->skip < c->in.len ? c->skip : c->in.len;
            buf_consume(&c->in, n);
            c->skip -= n;
        } else if (c->in.data[0] == '$') {
            if (!take_interleaved(c))
                break;
        } else if (c->in.data[0] == '\r' || c->in.data[0] == '\n') {
            /* some send an empty line behind a message */
            buf_consume(&c->in, strspn(c->in.data, "\r\n"));
        } else if (!take_message(c)) {
            break;
        }
    }
    c->in_process = false;
    if (!c->in.len)
        buf_done(&c->in);
    if (c->dead)
        return;
    if (c->closing && c->viewer)
        rtsp_conn_close(c, "refused", true);
    else if (c->in.err)
        rtsp_conn_close(c, "sends more than it lets us answer", false);
}

static void on_ready(void *arg, bool in, bool out)
{
    struct rtsp_conn *c = arg;
    for (int i = 0; in && i < READS_A_TURN && !c->dead && !c->viewer && !c->closing; i++) {
        char bytes[READ_BYTES];
        ssize_t n = conn_read(c->conn, bytes, sizeof(bytes));
        if (n == -EAGAIN || n == -EINTR)
            break;
        if (n <= 0) {
            rtsp_conn_close(c, n ? strerror((int)-n) : "client left", false);
            return;
        }
        if (c->tunnel) /* nothing is said here */
            continue;
        buf_add(&c->in, bytes, (size_t)n);
        rtsp_conn_process(c);
    }
    if (out && !c->dead && !c->viewer)
        flush(c);
}

int rtsp_conn_begin(struct rtsp_conn *c)
{
    int err = conn_attach(c->conn, c->door->cam->loop, on_ready, c);
    if (err < 0)
        rtsp_conn_close(c, "no room in the loop", false);
    else
        conn_want(c->conn, true, false);
    return err;
}

void rtsp_door_accept(struct conn *take_c, void *door)
{
    struct rtsp_door *d = door;
    struct rtsp_conn *c = rtsp_conn_new(d, take_c);
    if (!c) {
        conn_free(take_c);
        return;
    }
    rtsp_conn_begin(c);
}

/* ---- with a viewer ---- */

static void received(struct viewer *v, const uint8_t *bytes, size_t len, void *arg)
{
    struct rtsp_conn *c = arg;
    if (!bytes) {
        rtsp_conn_close(c, "client left", false);
        return;
    }
    if (c->tunnel)
        return;
    buf_add(&c->in, bytes, len);
    rtsp_conn_process(c);
}

static void ended(struct viewer *v, int err, void *arg)
{
    struct rtsp_conn *c = arg;
    rtsp_conn_close(c,
                    err == -EPIPE ? "stream ended"
                    : err         ? strerror(-err)
                                  : "done",
                    err == -EPIPE);
}

int rtsp_conn_to_viewer(struct rtsp_conn *c, bool websocket, const struct buf *pending,
                        const char *user, const char *user_agent, const char *path,
                        struct fault *why)
{
    struct viewer_desc desc = {
        .framing = websocket ? FRAMING_WEBSOCKET : FRAMING_INTERLEAVED,
        .take_conn = c->conn,
        .pending = pending->data,
        .pending_len = pending->len,
        .cname = c->door->cname,
        .user = user,
        .user_agent = user_agent,
        .path = path,
        .received = received,
        .ended = ended,
        .arg = c,
    };
    bool attached = !websocket;
    if (attached)
        conn_detach(c->conn);
    int err = viewer_new(c->door->cam->deliver, &desc, &c->viewer, why);
    if (err < 0 && attached) {
        if (conn_attach(c->conn, c->door->cam->loop, on_ready, c) < 0)
            loop_timer_in(c->door->cam->loop, &c->idle, 0); /* deaf: it will be closed */
        else
            conn_want(c->conn, true, c->out.len > 0);
    }
    return err;
}
