/* What only the server needs of a connection. */
#ifndef NET_CONN_PRIVATE_H
#define NET_CONN_PRIVATE_H

#include "net/conn.h"

/* Called once by conn_free(), on its thread, before the socket is closed. */
void conn_on_free(struct conn *c, void (*freed)(void *arg, struct conn *c), void *arg);
void *conn_free_arg(const struct conn *c);
/* No more will be written; the peer sees the end after what was sent. */
void conn_finish_writing(struct conn *c);
bool conn_handshake_done(const struct conn *c);

#endif
