/* What clients send to viewers: handed to the control loop, WebSocket frames undone.
 * Sender loop. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "deliver/private.h"
#include "net/conn.h"
#include "net/limits.h"
#include "net/ws.h"

#define READS_A_TURN 4

struct ws_side {
    struct buf raw, message;
    struct ws_reader reader;
    bool closed;
};

void receive_free(struct viewer *v)
{
    if (!v->ws)
        return;
    buf_done(&v->ws->raw);
    buf_done(&v->ws->message);
    free(v->ws);
    v->ws = NULL;
}

static void hand_over(struct viewer *v, const uint8_t *bytes, size_t len)
{
    if (v->desc.framing == FRAMING_MULTIPART || !v->desc.received)
        return; /* nothing that such a client says matters */
    pthread_mutex_lock(&v->lock);
    buf_add(&v->news.in, bytes, len);
    int err = v->news.in.err;
    if (v->news.in.len > READ_PAUSE_BYTES) {
        v->news.paused = true;
        v->reading = false;
    }
    pthread_mutex_unlock(&v->lock);
    if (err)
        sender_fail(v, err);
    else
        sender_tell(v);
}

static void ws_message(void *arg, enum ws_opcode op, const uint8_t *payload, size_t len)
{
    struct viewer *v = arg;
    switch (op) {
    case WS_BINARY:
    case WS_TEXT:
        hand_over(v, payload, len);
        break;
    case WS_PING: {
        uint8_t pong[10 + 125];
        size_t n = ws_header(pong, WS_PONG, len <= 125 ? len : 0);
        if (len <= 125)
            memcpy(pong + n, payload, len);
        pthread_mutex_lock(&v->lock);
        if (v->orders.out.len < LIMIT_QUEUE_BYTES / 2)
            buf_add(&v->orders.out, pong, n + (len <= 125 ? len : 0));
        __atomic_store_n(&v->dirty, true, __ATOMIC_RELEASE);
        pthread_mutex_unlock(&v->lock);
        break;
    }
    case WS_CLOSE:
        v->ws->closed = true;
        break;
    case WS_CONT:
    case WS_PONG:
        break;
    }
}

static int take_ws(struct viewer *v, const uint8_t *bytes, size_t len)
{
    if (!v->ws) {
        v->ws = calloc(1, sizeof(*v->ws));
        if (!v->ws)
            return -ENOMEM;
        buf_init(&v->ws->raw, WS_READER_BYTES);
        buf_init(&v->ws->message, LIMIT_WS_MESSAGE);
        v->ws->reader = (struct ws_reader){.in = &v->ws->raw, .msg = &v->ws->message};
    }
    if (ws_feed(&v->ws->reader, bytes, len, ws_message, v) < 0)
        return -EPROTO;
    if (v->ws->closed)
        return -ECONNRESET;
    if (!v->ws->raw.len)
        buf_done(&v->ws->raw);
    if (!v->ws->reader.in_message)
        buf_done(&v->ws->message);
    return 0;
}

static void client_left(struct viewer *v, int err)
{
    pthread_mutex_lock(&v->lock);
    v->news.eof = true;
    pthread_mutex_unlock(&v->lock);
    sender_fail(v, err);
}

void receive_ready(void *arg, bool in, bool out)
{
    struct viewer *v = arg;
    for (int i = 0; in && i < READS_A_TURN && !v->dead; i++) {
        uint8_t *bytes = v->s->scratch;
        ssize_t n = conn_read(v->conn, bytes, sizeof(v->s->scratch));
        if (n == -EAGAIN || n == -EINTR)
            break;
        if (n <= 0) {
            client_left(v, (int)n);
            return;
        }
        if (v->desc.framing == FRAMING_WEBSOCKET) {
            int err = take_ws(v, bytes, (size_t)n);
            if (err < 0) {
                client_left(v, err);
                return;
            }
        } else {
            hand_over(v, bytes, (size_t)n);
        }
        if (!v->reading) { /* the control loop has enough to do */
            if (!v->dead)
                conn_want(v->conn, false, v->want_out);
            break;
        }
        if ((size_t)n < sizeof(v->s->scratch) && !conn_secure(v->conn))
            break;
    }
    if (!v->dead && (out || __atomic_load_n(&v->dirty, __ATOMIC_ACQUIRE)))
        pump(v);
}

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    if (a->ss_family != b->ss_family)
        return false;
    if (a->ss_family == AF_INET)
        return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)b)->sin_addr.s_addr;
    if (a->ss_family == AF_INET6)
        return !memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
                       &((const struct sockaddr_in6 *)b)->sin6_addr, 16);
    return false;
}

static void told_by_receiver(struct viewer *v, const struct rtcp_news *news)
{
    pthread_mutex_lock(&v->lock);
    v->news.rtcp = true;
    if (news->report) {
        v->news.loss_fraction = news->loss_fraction;
        v->news.reports++;
    }
    if (news->key_wanted)
        v->news.key_wanted = true;
    pthread_mutex_unlock(&v->lock);
    sender_tell(v);
}

void receive_rtcp(struct loop_fd *w, uint32_t events)
{
    struct viewer *v = container_of(w, struct viewer, rtcp_fd);
    for (int i = 0; i < 8; i++) { /* a flood waits */
        uint8_t bytes[2048];
        struct sockaddr_storage from = {0};
        socklen_t from_len = sizeof(from);
        ssize_t n = recvfrom(w->fd, bytes, sizeof(bytes), MSG_DONTWAIT, (struct sockaddr *)&from,
                             &from_len);
        if (n < 0)
            return;
        struct rtcp_news news;
        const struct stream *s = v->tracks[0].now.stream;
        struct srtp *srtp = v->tracks[0].now.srtp;
        if (v->desc.secret)
            n = srtp ? (ssize_t)srtp_hear_report(srtp, bytes, (size_t)n) : 0;
        if (same_address(&from, &v->desc.to_rtcp) &&
            rtcp_read(bytes, (size_t)n, s ? stream_ssrc(s) : 0, &news))
            told_by_receiver(v, &news);
    }
}
