#include "socket.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "base/text.h"
#include "net/conn.h"
#include "net/limits.h"
#include "ptz/ptz.h"
#include "ptz/queue.h"
#include "trust/session.h"

struct web_socket *socket_ref(struct web_socket *s)
{
    s->refs++;
    return s;
}

struct web_socket *socket_unref(struct web_socket *s)
{
    if (!s || --s->refs)
        return NULL;
    assert(!s->conn);
    buf_done(&s->in);
    buf_done(&s->msg);
    buf_done(&s->out);
    free(s->ptz_sent);
    free(s);
    return NULL;
}

static void flush(struct web_socket *s)
{
    while (s->conn && s->out.len) {
        ssize_t n = conn_write(s->conn, s->out.data, s->out.len);
        if (n == -EAGAIN)
            break;
        if (n < 0) {
            socket_close(s, 0);
            return;
        }
        buf_consume(&s->out, (size_t)n);
    }
    if (s->conn && !s->closing)
        conn_want(s->conn, true, s->out.len > 0);
}

static void frame(struct web_socket *s, enum ws_opcode op, const void *bytes, size_t len)
{
    uint8_t head[10];
    size_t n = ws_header(head, op, len);
    buf_add(&s->out, head, n);
    buf_add(&s->out, bytes, len);
}

/* code 0: the connection is broken, no farewell. */
void socket_close(struct web_socket *s, int code)
{
    if (s->closing)
        return;
    s->closing = true;
    struct hub *h = s->hub;
    if (h->holder == s) {
        /* Nobody holds the stick any more. */
        h->holder = NULL;
        ptz_stop(h->cam->ptz, true, true);
    }
    events_unlisten(h->cam->events, &s->events);
    if (code && !s->out.err) {
        uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
        frame(s, WS_CLOSE, payload, sizeof(payload));
        if (s->out.len)
            conn_write(s->conn, s->out.data, s->out.len);
    }
    conn_detach(s->conn);
    loop_post(h->cam->loop, &h->reap);
}

void socket_drop(struct web_socket *s)
{
    list_remove(&s->in_hub);
    s->hub->n_sockets--;
    s->conn = conn_free(s->conn);
    socket_unref(s);
}

void socket_send(struct web_socket *s, json_t *take_message)
{
    JSON_AUTO *message = take_message;
    if (s->closing)
        return;
    BUF(text, LIMIT_QUEUE_BYTES);
    if (!message || json_write(&text, message) < 0) {
        socket_close(s, 1011);
        return;
    }
    frame(s, WS_TEXT, text.data, text.len);
    if (s->out.err)
        socket_close(s, 1013); /* it does not keep up */
    else
        flush(s);
}

static void send_position(struct web_socket *s)
{
    s->position_due = false;
    json_t *position = hub_position(s->hub, NULL);
    if (position)
        socket_send(s, position);
}

static bool allowed(struct web_socket *s)
{
    int64_t now = loop_now(s->hub->cam->loop);
    s->allowance += (double)(now - s->allowance_ns) / 1e9 * WS_MESSAGES_PER_SECOND;
    s->allowance = fmin(s->allowance, WS_MESSAGES_BURST);
    s->allowance_ns = now;
    if (s->allowance < 1)
        return false;
    s->allowance -= 1;
    return true;
}

static void received(void *arg, enum ws_opcode op, const uint8_t *payload, size_t len)
{
    struct web_socket *s = arg;
    if (s->closing)
        return;
    s->heard_ns = loop_now(s->hub->cam->loop);
    if (op != WS_CLOSE && !allowed(s)) {
        socket_close(s, 1008);
        return;
    }
    switch (op) {
    case WS_TEXT:
        if (len > WS_REQUEST_BYTES)
            socket_close(s, 1009);
        else
            command_run(s, (const char *)payload, len);
        break;
    case WS_PING:
        frame(s, WS_PONG, payload, len);
        break;
    case WS_PONG:
        break;
    case WS_CLOSE:
        socket_close(s, 1000);
        break;
    default:
        socket_close(s, 1003);
        break;
    }
}

static void ready(void *arg, bool in, bool out)
{
    struct web_socket *s = socket_ref(arg);
    /* A few reads a turn, so that one talker does not hold up the loop. */
    for (int i = 0; in && i < 4 && !s->closing; i++) {
        char bytes[4096];
        ssize_t n = conn_read(s->conn, bytes, sizeof(bytes));
        if (n == -EAGAIN)
            break;
        if (n <= 0) {
            socket_close(s, 0);
            break;
        }
        int r = ws_feed(&s->reader, bytes, (size_t)n, received, s);
        if (r < 0)
            socket_close(s, -r);
    }
    if (!s->closing)
        flush(s);
    if (!s->closing && s->position_due && s->out.len < WS_COALESCE_BYTES)
        send_position(s);
    (void)out;
    socket_unref(s);
}

static json_t *items(const struct event_item *item, size_t n)
{
    json_t *o = json_object();
    for (size_t i = 0; i < n; i++)
        json_object_set_new(o, item[i].key, json_string(item[i].value));
    return o;
}

static void heard(struct event_listener *l, const struct event *ev)
{
    struct web_socket *s = container_of(l, struct web_socket, events);
    if (s->closing)
        return;
    char utc[32];
    text_utc(ev->utc_ns, utc, sizeof(utc));
    socket_send(s, json_pack("{s:s, s:s, s:s, s:b, s:I, s:o, s:o}", "type", "event", "topic",
                             ev->topic->name, "utc", utc, "state", (int)ev->topic->is_state,
                             "serial", (json_int_t)ev->serial, "source",
                             items(ev->source, ev->n_source), "data", items(ev->data, ev->n_data)));
}

struct web_socket *hub_adopt(struct hub *h, struct conn *take_conn, const struct identity *who,
                             const char *session, const struct buf *pending)
{
    struct web_socket *s = h->n_sockets < WS_SOCKETS_MAX ? calloc(1, sizeof(*s)) : NULL;
    if (!s) {
        conn_free(take_conn);
        return NULL;
    }
    s->hub = h;
    s->conn = take_conn;
    s->who = *who;
    s->refs = 1;
    text_copy(s->session, sizeof(s->session), session ? session : "");
    conn_peer_text(s->conn, s->peer, sizeof(s->peer));
    buf_init(&s->in, WS_READER_BYTES);
    buf_init(&s->msg, LIMIT_WS_MESSAGE);
    buf_init(&s->out, LIMIT_QUEUE_BYTES);
    s->reader.in = &s->in;
    s->reader.msg = &s->msg;
    s->allowance = WS_MESSAGES_BURST;
    s->allowance_ns = s->heard_ns = loop_now(h->cam->loop);
    s->events.heard = heard;
    if (pending)
        buf_add(&s->out, pending->data, pending->len);
    if (s->out.err || conn_attach(s->conn, h->cam->loop, ready, s) < 0) {
        s->conn = conn_free(s->conn);
        socket_unref(s);
        return NULL;
    }
    list_append(&h->sockets, &s->in_hub);
    if (!h->n_sockets++)
        loop_timer_in(h->cam->loop, &h->tick, HUB_TICK_NS);
    socket_send(s, command_hello(s));
    if (!s->closing)
        send_position(s);
    if (!s->closing)
        events_listen(h->cam->events, &s->events);
    return s;
}

void socket_person(const struct web_socket *s, struct controller *ret)
{
    controller_of_account(ret, s->who.user, s->who.groups, *s->session ? s->session : s->peer);
}
