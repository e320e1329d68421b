/* A connection inside: what conn.c and conn_hold.c share. Nobody else includes this. */
#ifndef NET_CONN_INSIDE_H
#define NET_CONN_INSIDE_H

#include <openssl/ssl.h>

#include "base/loop.h"
#include "net/conn.h"
#include "net/fault_hook.h"

struct hold;

struct conn {
    int fd;
    uint64_t id;
    SSL *ssl;
    struct tls_server *tls;
    struct sockaddr_storage peer;
    socklen_t peer_len;

    struct loop *loop; /* NULL: detached */
    struct loop_fd watch;
    struct loop_post pending; /* bytes are here that epoll does not see */
    void (*ready)(void *arg, bool in, bool out);
    void *arg;
    bool want_in, want_out;
    bool tls_read_wants_out, tls_write_wants_in; /* handshake messages */
    bool broken;                                 /* TLS failed: nothing goes any more */
    uint8_t *rest;                               /* encrypted and not sent yet */
    size_t rest_at, rest_len;
    size_t owed; /* bytes of the owner in it that he has not been told of */

    char *back; /* given back by conn_unread */
    size_t back_at, back_len;

    char about[NET_FAULT_PATH]; /* what was asked last */
    struct hold *hold;          /* NULL: no fault on purpose concerns it */

    void (*freed)(void *arg, struct conn *c);
    void *freed_arg;
};

/* As conn_writev(), past all faults. */
ssize_t conn_raw_writev(struct conn *c, const struct iovec *iov, int n);
void conn_update_watch(struct conn *c);
void conn_destroy(struct conn *c);

/* conn_tls.c: only while c->ssl, on the connection's thread. Bytes as conn_read() and
 * conn_writev(). */
int tls_begin(struct conn *c, struct tls_server *tls); /* sets c->ssl, or -ENOMEM */
ssize_t tls_read(struct conn *c, void *bytes, size_t len);
ssize_t tls_writev(struct conn *c, const struct iovec *iov, int n);
void tls_farewell(struct conn *c); /* tells the peer that no more will be written */
void tls_end(struct conn *c);      /* says farewell and frees what TLS needed */

/* conn_hold.c: bytes that have been taken but not sent yet, because of a fault on purpose.
 * All on the connection's thread. */
static inline bool conn_is_held(const struct conn *c)
{
    return c->hold || net_faults_on();
}
ssize_t hold_writev(struct conn *c, const struct iovec *iov, int n);
bool hold_may_read(struct conn *c);
/* What epoll has to look for, instead of what the owner wants. */
void hold_wants(const struct conn *c, bool *in, bool *out);
bool hold_has_room(const struct conn *c);
/* The socket may be writable. False: c is gone. */
bool hold_ready(struct conn *c, bool dead);
void hold_attached(struct conn *c);
void hold_detached(struct conn *c);
/* Another request: what is counted by answer starts anew. */
void hold_about(struct conn *c);
int hold_unsent(const struct conn *c);
/* True: it will be done when all is sent. */
bool hold_finish(struct conn *c);
/* The owner lets go. True: c stays until all is sent, and then goes by itself. */
bool hold_outlives(struct conn *c);
void hold_free(struct conn *c);

#endif
