#include "net/conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "base/loop.h"
#include "base/text.h"
#include "net/conn_inside.h"
#include "net/conn_private.h"

static _Atomic uint64_t last_id;

struct conn *conn_new(int take_fd, struct tls_server *tls, const struct sockaddr *peer,
                      socklen_t peer_len)
{
    struct conn *c = calloc(1, sizeof(*c));
    if (!c) {
        close(take_fd);
        return NULL;
    }
    c->fd = take_fd;
    c->id = atomic_fetch_add(&last_id, 1) + 1;
    if (peer && peer_len <= sizeof(c->peer)) {
        memcpy(&c->peer, peer, peer_len);
        c->peer_len = peer_len;
    }
    if (c->peer.ss_family == AF_INET || c->peer.ss_family == AF_INET6) {
        int on = 1;
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
    if (tls) {
        fcntl(c->fd, F_SETFL, O_NONBLOCK);
        if (tls_begin(c, tls) < 0)
            return conn_free(c);
    }
    return c;
}

struct conn *conn_free(struct conn *c)
{
    if (c && !(c->hold && hold_outlives(c)))
        conn_destroy(c);
    return NULL;
}

void conn_destroy(struct conn *c)
{
    conn_detach(c);
    hold_free(c);
    if (c->ssl)
        tls_end(c);
    if (c->freed)
        c->freed(c->freed_arg, c);
    close(c->fd);
    free(c->back);
    free(c);
}

void conn_on_free(struct conn *c, void (*freed)(void *arg, struct conn *c), void *arg)
{
    c->freed = freed;
    c->freed_arg = arg;
}

void *conn_free_arg(const struct conn *c)
{
    return c->freed_arg;
}

static bool has_pending(const struct conn *c)
{
    return c->back_len > 0 || (c->ssl && !c->broken && SSL_pending(c->ssl) > 0);
}

static void wants(const struct conn *c, bool *ret_in, bool *ret_out)
{
    *ret_in = c->want_in;
    *ret_out = c->want_out;
    if (c->hold)
        hold_wants(c, ret_in, ret_out);
}

static uint32_t wanted_events(const struct conn *c)
{
    uint32_t events = 0;
    bool in, out;
    wants(c, &in, &out);
    if (in || (out && c->tls_write_wants_in))
        events |= EPOLLIN;
    if (out || (in && c->tls_read_wants_out))
        events |= EPOLLOUT;
    return events;
}

void conn_update_watch(struct conn *c)
{
    if (!c->loop)
        return;
    bool in, out;
    wants(c, &in, &out);
    uint32_t events = wanted_events(c);
    if (events != c->watch.events)
        loop_rewatch(&c->watch, events);
    if (in && has_pending(c))
        loop_post(c->loop, &c->pending);
}

static void on_fd(struct loop_fd *w, uint32_t events)
{
    struct conn *c = container_of(w, struct conn, watch);
    /* A dead peer is always told, so that its owner can let go. */
    bool dead = events & (EPOLLERR | EPOLLHUP);
    if (c->hold && !hold_ready(c, dead))
        return;
    bool may_in, may_out;
    wants(c, &may_in, &may_out);
    bool in = dead || (may_in && (events & (EPOLLIN | (c->tls_read_wants_out ? EPOLLOUT : 0))));
    bool out = dead || (c->want_out && may_out && (!c->hold || hold_has_room(c)) &&
                        (events & (EPOLLOUT | (c->tls_write_wants_in ? EPOLLIN : 0))));
    if (in || out)
        c->ready(c->arg, in, out);
}

static void on_pending(struct loop_post *p)
{
    struct conn *c = container_of(p, struct conn, pending);
    bool in, out;
    wants(c, &in, &out);
    if (in && has_pending(c))
        c->ready(c->arg, true, false);
}

int conn_attach(struct conn *c, struct loop *l, void (*ready)(void *arg, bool in, bool out),
                void *arg)
{
    c->ready = ready;
    c->arg = arg;
    c->watch = (struct loop_fd){.fd = c->fd, .events = 0, .name = "conn", .ready = on_fd};
    c->pending = (struct loop_post){.name = "conn pending", .run = on_pending};
    c->watch.events = wanted_events(c);
    int err = loop_watch(l, &c->watch);
    if (err)
        return err;
    c->loop = l;
    if (c->hold)
        hold_attached(c);
    conn_update_watch(c);
    return 0;
}

void conn_detach(struct conn *c)
{
    if (!c->loop)
        return;
    loop_unwatch(&c->watch);
    loop_post_cancel(c->loop, &c->pending);
    if (c->hold)
        hold_detached(c);
    c->loop = NULL;
}

void conn_want(struct conn *c, bool in, bool out)
{
    c->want_in = in;
    c->want_out = out;
    conn_update_watch(c);
}

ssize_t conn_read(struct conn *c, void *bytes, size_t len)
{
    if (conn_is_held(c) && !hold_may_read(c))
        return -EAGAIN;
    if (c->back_len) {
        size_t n = c->back_len < len ? c->back_len : len;
        memcpy(bytes, c->back + c->back_at, n);
        c->back_at += n;
        c->back_len -= n;
        if (c->back_len == 0) {
            free(c->back);
            c->back = NULL;
        }
        conn_update_watch(c);
        return (ssize_t)n;
    }
    if (!c->ssl) {
        ssize_t n = recv(c->fd, bytes, len, MSG_DONTWAIT);
        return n < 0 ? -errno : n;
    }
    return tls_read(c, bytes, len);
}

ssize_t conn_writev(struct conn *c, const struct iovec *iov, int n)
{
    return conn_is_held(c) ? hold_writev(c, iov, n) : conn_raw_writev(c, iov, n);
}

ssize_t conn_write(struct conn *c, const void *bytes, size_t len)
{
    const struct iovec iov = {(void *)bytes, len};
    return conn_writev(c, &iov, 1);
}

ssize_t conn_write_pages(struct conn *c, const void *bytes, size_t len, int file, off_t at)
{
    if (c->ssl || conn_is_held(c))
        return conn_write(c, bytes, len);
    ssize_t n = sendfile(c->fd, file, &at, len);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR || errno == EPIPE ||
                            errno == ECONNRESET || errno == ETIMEDOUT)))
        return n < 0 ? -errno : n;
    return conn_write(c, bytes, len); /* says what is wrong, or does what this kernel cannot */
}

ssize_t conn_raw_writev(struct conn *c, const struct iovec *iov, int n)
{
    if (!c->ssl) {
        struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n};
        ssize_t sent = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
        return sent < 0 ? -errno : sent;
    }
    return tls_writev(c, iov, n);
}

int conn_unread(struct conn *c, const void *bytes, size_t len)
{
    if (len == 0)
        return 0;
    char *back = malloc(len + c->back_len);
    if (!back)
        return -ENOMEM;
    memcpy(back, bytes, len);
    if (c->back_len)
        memcpy(back + len, c->back + c->back_at, c->back_len);
    free(c->back);
    c->back = back;
    c->back_at = 0;
    c->back_len += len;
    conn_update_watch(c);
    return 0;
}

void conn_about(struct conn *c, const char *path)
{
    text_copy(c->about, sizeof(c->about), path);
    if (c->hold)
        hold_about(c);
}

uint64_t conn_id(const struct conn *c)
{
    return c->id;
}

bool conn_secure(const struct conn *c)
{
    return c->ssl;
}

bool conn_handshake_done(const struct conn *c)
{
    return !c->ssl || SSL_is_init_finished(c->ssl);
}

void conn_finish_writing(struct conn *c)
{
    if (c->hold && hold_finish(c))
        return;
    if (c->ssl)
        tls_farewell(c);
    c->broken = true;
    shutdown(c->fd, SHUT_WR);
}

int conn_fd(const struct conn *c)
{
    return c->fd;
}

const struct sockaddr *conn_peer(const struct conn *c)
{
    return (const struct sockaddr *)&c->peer;
}

static void address_text(const struct sockaddr_storage *a, char *ret, size_t size)
{
    const void *bytes = NULL;
    int family = a->ss_family;
    if (family == AF_INET)
        bytes = &((const struct sockaddr_in *)a)->sin_addr;
    if (family == AF_INET6) {
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *)a)->sin6_addr;
        bytes = in6;
        if (IN6_IS_ADDR_V4MAPPED(in6)) {
            family = AF_INET;
            bytes = &in6->s6_addr[12];
        }
    }
    if (!bytes || !inet_ntop(family, bytes, ret, (socklen_t)size)) {
        if (size)
            ret[0] = '\0';
    }
}

void conn_peer_text(const struct conn *c, char *ret, size_t size)
{
    address_text(&c->peer, ret, size);
}

int conn_peer_port(const struct conn *c)
{
    if (c->peer.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&c->peer)->sin_port);
    if (c->peer.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&c->peer)->sin6_port);
    return 0;
}

bool conn_peer_is_loopback(const struct conn *c)
{
    if (c->peer.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&c->peer;
        return ntohl(in->sin_addr.s_addr) >> 24 == 127;
    }
    if (c->peer.ss_family == AF_INET6) {
        const struct in6_addr *a = &((const struct sockaddr_in6 *)&c->peer)->sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
    }
    return c->peer.ss_family == AF_UNIX;
}

void conn_local_text(const struct conn *c, char *ret, size_t size)
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof(a);
    if (getsockname(c->fd, (struct sockaddr *)&a, &len) < 0)
        a.ss_family = AF_UNSPEC;
    address_text(&a, ret, size);
}

int conn_local_port(const struct conn *c)
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof(a);
    if (getsockname(c->fd, (struct sockaddr *)&a, &len) < 0)
        return -errno;
    if (a.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&a)->sin_port);
    if (a.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
    return -ENOTSUP;
}

int conn_unsent(const struct conn *c)
{
    int bytes = 0;
    return ioctl(c->fd, SIOCOUTQ, &bytes) < 0 ? -errno : bytes + (c->hold ? hold_unsent(c) : 0);
}

void conn_set_send_buffer(struct conn *c, int bytes)
{
    setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}
