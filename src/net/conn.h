/* A stream connection of a client, plain or TLS; the code above does not know
 * which. Non-blocking. Bound to one loop at a time: conn_detach() on the old
 * loop, hand over, conn_attach() on the new one. Owner: whoever holds it. */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct loop;
struct tls_server;

struct conn;

/* Takes the accepted socket. tls NULL: plain. The handshake runs inside reads. */
struct conn *conn_new(int take_fd, struct tls_server *tls, const struct sockaddr *peer,
                      socklen_t peer_len);
struct conn *conn_free(struct conn *c); /* closes; NULL-safe */
/* At the end of the process, when no loop is left: what faults on purpose still held. */
void conns_done(void);

/* wanted: called when readable (or handshake progressed) or writable after a
 * short write. Level-triggered. */
int conn_attach(struct conn *c, struct loop *l, void (*ready)(void *arg, bool in, bool out),
                void *arg);
void conn_detach(struct conn *c);
void conn_want(struct conn *c, bool in, bool out);

/* Bytes, 0 at orderly end, -EAGAIN, or negative errno. */
ssize_t conn_read(struct conn *c, void *bytes, size_t len);
/* Bytes taken (maybe fewer), -EAGAIN, or negative errno. For TLS the same bytes
 * must be offered again after -EAGAIN. */
ssize_t conn_writev(struct conn *c, const struct iovec *iov, int n);
ssize_t conn_write(struct conn *c, const void *bytes, size_t len);
/* The same for bytes that also lie in a file in memory (memfd_create(2)), from `at` on: the kernel
 * passes its pages on instead of copying, so they are never written again. Through TLS, or where a
 * fault on purpose is, the bytes go. The socket must be non-blocking (O_NONBLOCK). */
ssize_t conn_write_pages(struct conn *c, const void *bytes, size_t len, int file, off_t at);

/* What is being asked on it, from now on: a path. On its thread. Faults on purpose (fault_hook.h)
 * go by it. */
void conn_about(struct conn *c, const char *path);

uint64_t conn_id(const struct conn *c); /* never used twice */
bool conn_secure(const struct conn *c);
int conn_fd(const struct conn *c);
const struct sockaddr *conn_peer(const struct conn *c);
void conn_peer_text(const struct conn *c, char *ret, size_t size); /* address without port */
int conn_peer_port(const struct conn *c);                          /* 0: none */
bool conn_peer_is_loopback(const struct conn *c);
void conn_local_text(const struct conn *c, char *ret, size_t size); /* address without port */
int conn_local_port(const struct conn *c);
/* Bytes the kernel still holds unsent, for slow-viewer decisions. */
int conn_unsent(const struct conn *c);
void conn_set_send_buffer(struct conn *c, int bytes);

/* Gives back bytes that were read too far; the next conn_read returns them. */
int conn_unread(struct conn *c, const void *bytes, size_t len);

#endif
