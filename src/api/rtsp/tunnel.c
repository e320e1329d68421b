#include "tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/gate.h"
#include "base/log.h"
#include "base/text.h"
#include "deliver/deliver.h"
#include "door.h"
#include "net/conn.h"

#define READ_BYTES 4096
#define READS_A_TURN 4
#define TYPE "application/x-rtsp-tunnelled"

struct tunnel {
    struct rtsp_conn *rtsp; /* whose way in this is */
    char cookie[TUNNEL_COOKIE_MAX + 1];
    struct conn *in; /* NULL: no POST yet, or it has ended */
    struct unbase64 coded;
};

/* ---- base64 ---- */

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int unbase64(struct unbase64 *u, const char *text, size_t len, uint8_t *ret)
{
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '\r' || c == '\n' || c == ' ' || c == '\t')
            continue;
        int v = c == '=' ? 0 : digit(c);
        if (v < 0 || (c == '=' && u->n < 2) || (c != '=' && u->padding))
            return -EBADMSG;
        u->padding += c == '=';
        u->bits = u->bits << 6 | (uint32_t)v;
        if (++u->n < 4)
            continue;
        for (unsigned k = 0; k < 3 - u->padding; k++)
            ret[out++] = (uint8_t)(u->bits >> (16 - 8 * k));
        *u = (struct unbase64){0};
    }
    return (int)out;
}

/* ---- the way in ---- */

static void lose_in(struct tunnel *t)
{
    t->in = conn_free(t->in);
}

static void on_in(void *arg, bool in, bool out)
{
    struct tunnel *t = arg;
    struct rtsp_conn *c = t->rtsp;
    for (int i = 0; in && i < READS_A_TURN && !c->dead && t->in; i++) {
        char text[READ_BYTES];
        uint8_t bytes[READ_BYTES];
        ssize_t n = conn_read(t->in, text, sizeof(text));
        if (n == -EAGAIN || n == -EINTR)
            return;
        if (n <= 0) { /* the next POST may come */
            lose_in(t);
            return;
        }
        int got = unbase64(&t->coded, text, (size_t)n, bytes);
        if (got < 0) {
            rtsp_conn_close(c, "sends what is no base64", false);
            return;
        }
        buf_add(&c->in, bytes, (size_t)got);
        rtsp_conn_process(c); /* may close it: t is gone then, c is kept to the end of the turn */
        if (c->dead)
            return;
    }
}

struct tunnel *tunnel_free(struct tunnel *t)
{
    if (!t)
        return NULL;
    lose_in(t);
    free(t);
    return NULL;
}

/* ---- requests ---- */

static bool cookie_is_fine(const char *cookie)
{
    size_t n = strlen(cookie);
    for (size_t i = 0; i < n; i++)
        if (cookie[i] <= ' ' || cookie[i] > '~')
            return false;
    return n > 0 && n <= TUNNEL_COOKIE_MAX;
}

static struct rtsp_conn *find(struct rtsp_door *d, const char *cookie, const char *user)
{
    list_for_each(it, &d->conns)
    {
        struct rtsp_conn *c = container_of(it, struct rtsp_conn, in_door);
        if (c->tunnel && !strcmp(c->tunnel->cookie, cookie) && !strcmp(c->who.user, user))
            return c;
    }
    return NULL;
}

static void serve_out(struct rtsp_door *d, struct exchange *ex, const char *cookie)
{
    static const char head[] = "HTTP/1.0 200 OK\r\nServer: Vedette\r\nConnection: close\r\n"
                               "Cache-Control: no-store\r\nPragma: no-cache\r\n"
                               "Content-Type: " TYPE "\r\n\r\n";
    if (find(d, cookie, ex->who.user)) {
        gate_reply_page(ex, 409, "There is a tunnel of this x-sessioncookie already.");
        return;
    }
    if (deliver_is_full(d->cam->deliver)) {
        gate_reply_page(ex, 503, "There are as many viewers as there may be.");
        return;
    }
    struct tunnel *t = calloc(1, sizeof(*t));
    if (!t) {
        gate_reply_page(ex, 503, "Out of memory.");
        return;
    }
    text_copy(t->cookie, sizeof(t->cookie), cookie);
    struct identity who = ex->who;
    struct conn *conn = exchange_take_conn(ex);
    struct rtsp_conn *c = rtsp_conn_new(d, conn);
    if (!c) {
        conn_free(conn);
        tunnel_free(t);
        return;
    }
    t->rtsp = c;
    c->tunnel = t;
    c->who = who;
    if (rtsp_conn_begin(c) == 0)
        rtsp_conn_send(c, head, sizeof(head) - 1);
}

static void serve_in(struct rtsp_door *d, struct exchange *ex, const char *cookie)
{
    struct rtsp_conn *c = find(d, cookie, ex->who.user);
    if (!c) {
        gate_reply_page(ex, 404, "There is no tunnel of this x-sessioncookie; GET comes first.");
        return;
    }
    struct tunnel *t = c->tunnel;
    lose_in(t);
    t->coded = (struct unbase64){0};
    t->in = exchange_take_conn(ex);
    if (conn_attach(t->in, d->cam->loop, on_in, t) < 0) {
        rtsp_conn_close(c, "no room in the loop", false);
        return;
    }
    conn_want(t->in, true, false);
}

void tunnel_serve(struct rtsp_door *d, struct exchange *ex)
{
    const char *cookie = exchange_header(ex, "x-sessioncookie");
    if (!cookie) {
        gate_reply_page(ex, 405,
                        "Streams are asked for by RTSP; through HTTP with x-sessioncookie.");
        return;
    }
    if (!cookie_is_fine(cookie)) {
        gate_reply_page(ex, 400, "An x-sessioncookie has 1 to 64 printable characters.");
        return;
    }
    if (ex->method == METHOD_POST)
        serve_in(d, ex, cookie);
    else if (ex->head_only)
        gate_reply_page(ex, 405, "A tunnel begins with GET.");
    else
        serve_out(d, ex, cookie);
}
