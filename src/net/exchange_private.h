/* What http.c keeps behind an exchange. */
#ifndef NET_EXCHANGE_PRIVATE_H
#define NET_EXCHANGE_PRIVATE_H

#include "base/buf.h"
#include "net/exchange.h"

struct http_conn;

struct exchange_work {
    struct exchange ex;
    struct message msg;
    struct http_conn *http;
    struct buf headers; /* ready lines of the reply */
    bool body_args;     /* the body was looked into for arguments */
};

/* Lives in the arena, which it takes. Fills in everything but the body. Returns 0,
 * or the status to refuse with (*ret is valid then too). */
int exchange_work_new(struct exchange_work **ret, struct arena *take_arena, const struct message *m,
                      struct http_conn *http, struct conn *conn);
void exchange_work_free(struct exchange_work *w);

void http_reply(struct http_conn *h, int status, const char *type, const void *body, size_t len,
                void (*release)(void *ref), void *ref);
struct conn *http_take_conn(struct http_conn *h);

#endif
