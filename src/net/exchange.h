/* What is asked from outside, and the rows that say who answers.
 *
 * An endpoint row names path, methods, least role and the function that serves.
 * Rows are the only way in: what no row names is refused (SEC-02). The server
 * parses a request into an exchange, the gate (a hook that main connects) finds
 * the row, authenticates and calls serve(). serve() must end in exactly one
 * exchange_reply*() or exchange_take_conn(), at once or later from the loop; the
 * exchange dies after that. If the client goes away first, cancel (if set) is
 * called and the exchange dies. Loop-bound. */
#ifndef NET_EXCHANGE_H
#define NET_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/role.h"
#include "net/message.h"

struct arena;
struct buf;
struct conn;
struct loop;
struct exchange;

enum method {
    METHOD_GET = 1 << 0, /* implies HEAD */
    METHOD_POST = 1 << 1,
    METHOD_OPTIONS = 1 << 2,
    /* RTSP */
    METHOD_DESCRIBE = 1 << 3,
    METHOD_SETUP = 1 << 4,
    METHOD_PLAY = 1 << 5,
    METHOD_PAUSE = 1 << 6,
    METHOD_TEARDOWN = 1 << 7,
    METHOD_GET_PARAMETER = 1 << 8,
    METHOD_SET_PARAMETER = 1 << 9,
    METHOD_PUT = 1 << 10,
    METHOD_PATCH = 1 << 11,
    METHOD_DELETE = 1 << 12,
};

struct endpoint {
    const char *path; /* exact, or a prefix when it ends in "/" followed by '*' */
    unsigned methods; /* OR of enum method */
    enum role role;
    size_t max_body;    /* 0: LIMIT_BODY_BYTES */
    bool takes_body;    /* serve() comes before the body: it may take the connection, and the body
                         * with it (or refuses) */
    bool changes_state; /* refuses foreign Origin (SEC-12) */
    void (*serve)(struct exchange *ex, void *arg);
    void *arg;       /* filled in by the room that registers */
    const char *doc; /* one line */
};

struct identity {
    char user[65];   /* "" : nobody */
    unsigned groups; /* OR of enum group */
    enum { BY_NOBODY, BY_DIGEST, BY_BASIC, BY_COOKIE, BY_TOKEN } by;
};

struct exchange {
    struct arena *arena;
    const struct message *msg;
    const char *path, *query; /* normalised once */
    enum method method;
    bool head_only;
    const char *body; /* NUL-terminated; never NULL */
    size_t body_len;
    struct arg *args; /* of query, then of a url-encoded body (parsed lazily) */
    size_t n_args;
    struct conn *conn; /* borrowed: peer, secure … */
    const struct endpoint *endpoint;
    struct identity who;
    void *user;                          /* of serve() while it works */
    void (*cancel)(struct exchange *ex); /* client left before the reply */
};

/* Arguments: the last of equal names wins; NULL when absent. A body of type
 * application/x-www-form-urlencoded is looked into too, unless it is malformed. */
const char *exchange_arg(struct exchange *ex, const char *name);
/* Parses the body as url-encoded arguments too, whatever its type (VAPIX CGIs). */
int exchange_body_args(struct exchange *ex);
const char *exchange_header(const struct exchange *ex, const char *name);

/* Headers to add before replying; values must not contain CR or LF. */
int exchange_set_header(struct exchange *ex, const char *name, const char *value);
/* body is copied. type may be NULL with an empty body. */
void exchange_reply(struct exchange *ex, int status, const char *type, const void *body,
                    size_t len);
void exchange_replyf(struct exchange *ex, int status, const char *type, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* A body that is kept alive by a reference instead of being copied. */
void exchange_reply_ref(struct exchange *ex, int status, const char *type, const void *body,
                        size_t len, void (*release)(void *ref), void *ref);

/* Ends HTTP on this connection: the caller owns it from now on, detached from the
 * server's loop watch; bytes already read are put back by conn_unread(). The
 * exchange dies. For WebSocket, multipart and tunnels. The connection counts
 * against the limits until conn_free(), which may be called on any thread. */
struct conn *exchange_take_conn(struct exchange *ex);

const char *http_reason(int status);

#endif
