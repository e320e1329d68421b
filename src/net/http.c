/* One HTTP connection: requests one after another, each an exchange.
 *
 * A small state machine around pump(), which is the only place that reads, writes
 * and moves on; everything else only notes what has happened. The connection dies
 * at the end of a pump, never inside one, so that a reply given from inside
 * serve() is the same as one that comes later. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"
#include "net/conn_private.h"
#include "net/exchange_private.h"
#include "net/fault_hook.h"
#include "net/limits.h"
#include "net/server_private.h"

#define READ_BYTES 16384
#define READS_PER_TURN 8
#define REQUESTS_PER_TURN 16
#define WRITES_PER_TURN 4 /* of 128 KB over TLS */
#define IN_MAX (LIMIT_HEADER_BYTES + LIMIT_TARGET_BYTES + LIMIT_HEADER_LINE + READ_BYTES)
#define DRAIN_MAX 65536 /* body bytes read and thrown away to keep a connection */
#define LINGER_NS (2 * NSEC_PER_SEC)
#define LINGER_MAX (1 << 20)
#define BODY_STEP 65536 /* a large body gets LIMIT_REQUEST_MS for each of these */

enum phase {
    PHASE_HEAD,   /* idle, or reading a head */
    PHASE_BODY,   /* reading the body */
    PHASE_SERVE,  /* somebody works on the reply */
    PHASE_REPLY,  /* writing it */
    PHASE_DRAIN,  /* throwing away a body that nobody wanted */
    PHASE_LINGER, /* all is said; the peer may still be sending */
};

struct http_conn {
    struct list link;
    struct server *server;
    struct conn *conn; /* NULL: taken */
    struct loop_timer timer;
    struct loop_post again; /* more to do than fits a turn */
    enum phase phase;
    bool busy; /* inside pump() */
    bool dead; /* to be freed at the end of pump() */
    bool close_after;
    bool linger_after;
    bool body_unread; /* of the request being answered */

    struct buf in;
    struct exchange_work *work; /* PHASE_BODY, PHASE_SERVE */
    struct buf body;
    int64_t body_left; /* of a length-delimited body */
    int64_t body_mark; /* when to grant more time */
    struct chunked chunked;
    bool is_chunked;
    size_t lingered;

    struct buf out;
    size_t out_at;
    const char *more; /* behind out; kept by a reference */
    size_t more_len, more_at;
    void (*release)(void *ref);
    void *ref;
};

static void pump(struct http_conn *h);

struct http_conn *http_conn_of(struct list *link)
{
    return container_of(link, struct http_conn, link);
}

struct conn *http_conn_conn(struct http_conn *h)
{
    return h->conn;
}

bool http_conn_is_waiting(const struct http_conn *h)
{
    return !h->busy && h->phase != PHASE_SERVE;
}

static void arm(struct http_conn *h, int64_t in_ns)
{
    loop_timer_in(h->server->loop, &h->timer, in_ns);
}

static void release_reply(struct http_conn *h)
{
    if (h->release)
        h->release(h->ref);
    h->release = NULL;
    h->more = NULL;
    h->more_len = h->more_at = h->out_at = 0;
    buf_done(&h->out);
}

static void end_work(struct http_conn *h)
{
    struct exchange_work *w = h->work;
    h->work = NULL;
    buf_done(&h->body);
    exchange_work_free(w);
}

static void http_conn_free(struct http_conn *h)
{
    if (h->work && h->phase == PHASE_SERVE && h->work->ex.cancel)
        h->work->ex.cancel(&h->work->ex);
    end_work(h);
    release_reply(h);
    buf_done(&h->in);
    loop_timer_cancel(&h->timer);
    loop_post_cancel(h->server->loop, &h->again);
    list_remove(&h->link);
    conn_free(h->conn);
    free(h);
}

void http_conn_kill(struct http_conn *h)
{
    http_conn_free(h);
}

/* --- replies --- */

/* Whether the rest of the request's body can be skipped so that the connection
 * lives on. A client that waits for 100 Continue may or may not send it. */
static bool can_drain(const struct http_conn *h, const struct message *m)
{
    if (m->expect_continue)
        return false;
    return h->is_chunked || h->body_left <= DRAIN_MAX;
}

/* Content-Length: the truth, unless a fault on purpose says otherwise. Not while a client
 * is still being asked who it is: then it never came to the answer that was meant. */
static size_t told_length(const struct exchange_work *w, int status, size_t len)
{
    struct net_plan plan;
    if (!net_faults_on() || !w || !w->ex.path || status == 401)
        return len;
    net_plan_for(w->ex.path, &plan);
    return plan.length_by < 0 && (size_t)-plan.length_by > len
               ? 0
               : (size_t)((int64_t)len + plan.length_by);
}

void http_reply(struct http_conn *h, int status, const char *type, const void *body, size_t len,
                void (*release)(void *ref), void *ref)
{
    struct exchange_work *w = h->work;
    const struct message *m = w ? w->ex.msg : NULL;
    bool head_only = w && w->ex.head_only;
    h->body_unread = w && h->phase == PHASE_BODY && (h->is_chunked || h->body_left > 0);
    bool keep = m && m->keep_alive && !h->close_after && !h->server->stopping;
    size_t told = told_length(w, status, len);
    if ((h->body_unread && !can_drain(h, m)) || told != len)
        keep = false;
    h->close_after = !keep;
    h->linger_after = !keep && (!m || h->body_unread || h->in.len);

    bool bodiless = status == 204 || status == 304 || status < 200;
    buf_init(&h->out, LIMIT_REPLY_BYTES + LIMIT_HEADER_BYTES);
    buf_addf(&h->out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, http_reason(status),
             server_date(h->server));
    if (w && w->headers.len)
        buf_add(&h->out, w->headers.data, w->headers.len);
    if (type)
        buf_addf(&h->out, "Content-Type: %s\r\n", type);
    if (!bodiless)
        buf_addf(&h->out, "Content-Length: %zu\r\n", told);
    if (!keep)
        buf_adds(&h->out, "Connection: close\r\n");
    else if (m->protocol == PROTO_HTTP10)
        buf_adds(&h->out, "Connection: keep-alive\r\n");
    buf_adds(&h->out, "\r\n");
    if (!head_only && !bodiless) {
        if (release) {
            h->more = body;
            h->more_len = len;
        } else {
            buf_add(&h->out, body, len);
        }
    }
    h->release = release;
    h->ref = ref;
    if (h->out.err) {
        log_error("net", "a reply of %zu bytes could not be made", len);
        h->dead = true;
    }
    end_work(h);
    h->phase = PHASE_REPLY;
    arm(h, LIMIT_WRITE_STALL_MS * NSEC_PER_MSEC);
    if (!h->busy)
        pump(h);
}

/* The server's own refusals: before there is an exchange, or instead of it. */
static void refuse(struct http_conn *h, int status)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "%s\n", http_reason(status));
    h->close_after = true;
    http_reply(h, status, "text/plain; charset=utf-8", text, (size_t)n, NULL, NULL);
}

struct conn *http_take_conn(struct http_conn *h)
{
    struct conn *c = h->conn;
    conn_detach(c);
    server_conn_taken(c);
    conn_want(c, false, false);
    if (conn_unread(c, h->in.data, h->in.len) < 0)
        log_warn("net", "out of memory, early bytes of a connection are lost");
    h->conn = NULL;
    end_work(h);
    h->dead = true;
    if (!h->busy)
        http_conn_free(h);
    return c;
}

/* --- requests --- */

static void begin_serving(struct http_conn *h)
{
    struct exchange_work *w = h->work;
    w->ex.body = h->body.len ? h->body.data : "";
    w->ex.body_len = h->body.len;
    h->phase = PHASE_SERVE;
    loop_timer_cancel(&h->timer);
    conn_want(h->conn, false, false);
    h->server->hooks.serve(&w->ex, h->server->hooks.arg);
}

static void begin_request(struct http_conn *h, struct arena *take_arena, const struct message *m,
                          size_t head_len)
{
    int status = exchange_work_new(&h->work, take_arena, m, h, h->conn);
    buf_consume(&h->in, head_len);
    h->is_chunked = m->chunked;
    h->chunked = (struct chunked){0};
    h->body_left = m->content_length > 0 ? m->content_length : 0;
    h->phase = PHASE_BODY;
    if (status) {
        refuse(h, status);
        return;
    }

    struct exchange *ex = &h->work->ex;
    size_t max_body = LIMIT_BODY_BYTES;
    if (h->server->hooks.admit(ex, &max_body, h->server->hooks.arg) != 0 || !h->work)
        return; /* replied or taken */
    if (h->body_left > 0 && (uint64_t)h->body_left > max_body) {
        refuse(h, 413);
        return;
    }
    if (!h->is_chunked && h->body_left == 0) {
        begin_serving(h);
        return;
    }
    buf_init(&h->body, max_body);
    h->body_mark = h->body_left - BODY_STEP;
    if (m->expect_continue) {
        h->work->msg.expect_continue = false; /* from now on the body comes */
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (h->in.len == 0 &&
            conn_write(h->conn, go_on, sizeof(go_on) - 1) != (ssize_t)sizeof(go_on) - 1)
            h->dead = true;
    }
}

/* Returns whether something moved. */
static bool step_head(struct http_conn *h)
{
    if (h->in.len == 0)
        return false;
    struct arena *arena = arena_new(LIMIT_ARENA_BYTES);
    if (!arena) {
        h->dead = true;
        return false;
    }
    struct message m;
    int n = message_parse_head(&m, arena, h->in.data, h->in.len,
                               1u << PROTO_HTTP10 | 1u << PROTO_HTTP11);
    if (n > 0) {
        begin_request(h, arena, &m, (size_t)n);
        return true;
    }
    arena_free(arena);
    if (n < 0)
        refuse(h, -n);
    return n < 0;
}

/* Moves body bytes from `in`; 1: complete, 0: more is needed, or minus a status. */
static int take_body(struct http_conn *h, bool keep)
{
    if (h->is_chunked) {
        if (h->in.len == 0)
            return 0;
        int n = chunked_feed(&h->chunked, h->in.data, h->in.len, &h->body);
        if (n < 0)
            return n;
        buf_consume(&h->in, (size_t)n);
        return h->chunked.done;
    }
    size_t n = h->in.len < (uint64_t)h->body_left ? h->in.len : (size_t)h->body_left;
    if (keep && buf_add(&h->body, h->in.data, n) < 0)
        return -413;
    buf_consume(&h->in, n);
    h->body_left -= (int64_t)n;
    return h->body_left == 0;
}

static bool step_body(struct http_conn *h)
{
    size_t before = h->in.len;
    int done = take_body(h, true);
    if (done < 0) {
        refuse(h, -done);
        return true;
    }
    if (done) {
        begin_serving(h);
        return true;
    }
    if (!h->is_chunked && h->body_left <= h->body_mark) {
        h->body_mark = h->body_left - BODY_STEP;
        arm(h, LIMIT_REQUEST_MS * NSEC_PER_MSEC);
    } else if (h->is_chunked && (int64_t)h->body.len >= -h->body_mark) {
        h->body_mark = -(int64_t)h->body.len - BODY_STEP;
        arm(h, LIMIT_REQUEST_MS * NSEC_PER_MSEC);
    }
    return h->in.len != before;
}

static void next_request(struct http_conn *h)
{
    h->phase = PHASE_HEAD;
    conn_about(h->conn, "");
    if (h->in.len == 0)
        buf_done(&h->in);
    arm(h, (h->in.len ? LIMIT_REQUEST_MS : LIMIT_IDLE_MS) * NSEC_PER_MSEC);
}

static bool step_drain(struct http_conn *h)
{
    int done = take_body(h, false);
    if (done < 0)
        h->dead = true;
    if (done > 0) {
        buf_done(&h->body);
        next_request(h);
    }
    return done > 0;
}

static void reply_done(struct http_conn *h)
{
    release_reply(h);
    if (h->close_after) {
        if (!h->linger_after) {
            h->dead = true;
            return;
        }
        /* Closing while the peer still sends would reset the connection and
         * could destroy the reply before it was read. */
        conn_finish_writing(h->conn);
        h->phase = PHASE_LINGER;
        arm(h, LINGER_NS);
    } else if (h->body_unread) {
        h->phase = PHASE_DRAIN;
        buf_init(&h->body, DRAIN_MAX);
        arm(h, LIMIT_REQUEST_MS * NSEC_PER_MSEC);
    } else {
        next_request(h);
    }
}

static bool step_reply(struct http_conn *h)
{
    struct iovec iov[2] = {
        {h->out.len ? h->out.data + h->out_at : NULL, h->out.len - h->out_at},
        {(void *)(h->more ? h->more + h->more_at : NULL), h->more_len - h->more_at},
    };
    if (iov[0].iov_len + iov[1].iov_len == 0) {
        reply_done(h);
        return true;
    }
    ssize_t n = conn_writev(h->conn, iov, 2);
    if (n == -EAGAIN)
        return false;
    if (n < 0) {
        h->dead = true;
        return false;
    }
    size_t of_out = (size_t)n < iov[0].iov_len ? (size_t)n : iov[0].iov_len;
    h->out_at += of_out;
    h->more_at += (size_t)n - of_out;
    arm(h, LIMIT_WRITE_STALL_MS * NSEC_PER_MSEC);
    return true;
}

static bool step_linger(struct http_conn *h)
{
    char waste[READ_BYTES];
    ssize_t n = recv(conn_fd(h->conn), waste, sizeof(waste), MSG_DONTWAIT);
    if (n > 0)
        h->lingered += (size_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN) || h->lingered > LINGER_MAX)
        h->dead = true;
    return false;
}

/* Returns whether bytes came. */
static bool read_more(struct http_conn *h)
{
    char bytes[READ_BYTES];
    ssize_t n = conn_read(h->conn, bytes, sizeof(bytes));
    if (n == -EAGAIN)
        return false;
    if (n <= 0) {
        h->dead = true;
        return false;
    }
    if (h->phase == PHASE_HEAD && h->in.len == 0)
        arm(h, LIMIT_REQUEST_MS * NSEC_PER_MSEC);
    if (buf_add(&h->in, bytes, (size_t)n) < 0)
        h->dead = true;
    return !h->dead;
}

static bool step(struct http_conn *h)
{
    switch (h->phase) {
    case PHASE_HEAD:
        return step_head(h);
    case PHASE_BODY:
        return step_body(h);
    case PHASE_REPLY:
        return step_reply(h);
    case PHASE_DRAIN:
        return step_drain(h);
    case PHASE_LINGER:
        return step_linger(h);
    case PHASE_SERVE:
        break;
    }
    return false;
}

static bool is_reading(const struct http_conn *h)
{
    return h->phase == PHASE_HEAD || h->phase == PHASE_BODY || h->phase == PHASE_DRAIN;
}

static void pump(struct http_conn *h)
{
    int reads = 0, requests = 0, writes = 0;
    h->busy = true;
    while (!h->dead) {
        enum phase before = h->phase;
        if (step(h)) {
            if (before == PHASE_HEAD && ++requests == REQUESTS_PER_TURN) {
                loop_post(h->server->loop, &h->again);
                break;
            }
            if (h->phase == PHASE_REPLY && ++writes == WRITES_PER_TURN)
                break; /* it stays writable */
            continue;
        }
        if (h->dead || !is_reading(h) || reads++ == READS_PER_TURN || !read_more(h))
            break;
    }
    h->busy = false;
    if (h->dead) {
        http_conn_free(h);
        return;
    }
    conn_want(h->conn, is_reading(h) || h->phase == PHASE_LINGER, h->phase == PHASE_REPLY);
}

/* --- what wakes it --- */

static void on_ready(void *arg, bool in, bool out)
{
    struct http_conn *h = arg;
    if (h->phase == PHASE_SERVE) {
        /* Nothing was wanted, so this is the end of the peer. */
        http_conn_free(h);
        return;
    }
    pump(h);
}

static void on_again(struct loop_post *p)
{
    pump(container_of(p, struct http_conn, again));
}

static void on_timer(struct loop_timer *t)
{
    struct http_conn *h = container_of(t, struct http_conn, timer);
    bool half = h->phase == PHASE_BODY || (h->phase == PHASE_HEAD && h->in.len);
    if (!half || !conn_handshake_done(h->conn)) {
        http_conn_free(h);
        return;
    }
    refuse(h, 408);
}

void http_conn_start(struct server *s, struct conn *take_c)
{
    struct http_conn *h = calloc(1, sizeof(*h));
    if (!h) {
        conn_free(take_c);
        return;
    }
    h->server = s;
    h->conn = take_c;
    h->timer = (struct loop_timer){.name = "http timeout", .fire = on_timer};
    h->again = (struct loop_post){.name = "http again", .run = on_again};
    buf_init(&h->in, IN_MAX);
    list_append(&s->strangers, &h->link);
    conn_want(take_c, true, false);
    if (conn_attach(take_c, s->loop, on_ready, h) < 0) {
        http_conn_free(h);
        return;
    }
    arm(h, (conn_secure(take_c) ? LIMIT_HANDSHAKE_MS : LIMIT_REQUEST_MS) * NSEC_PER_MSEC);
}
