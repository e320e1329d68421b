/* /vedette/ws: the public WebSocket for position, parameters, events and renewed
 * moves (docs/ws.md). A hub holds the sockets, tells them what changed and ends
 * them when their account changes. A socket's queue is bounded: positions wait
 * until it has drained and only the newest is sent; who lets more than that pile
 * up is closed. Loop-bound. */
#ifndef API_WEB_SOCKET_H
#define API_WEB_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"
#include "base/loop.h"
#include "conf/param.h"
#include "event/event.h"
#include "media/pose.h"
#include "net/exchange.h"
#include "net/ws.h"
#include "ptz/ptz.h"
#include "trust/accounts.h"
#include "trust/session.h"

struct camera;
struct conn;
struct hub;

#define WS_SOCKETS_MAX 256
#define WS_SOCKETS_PER_USER 128
#define WS_MESSAGES_PER_SECOND 60
#define WS_MESSAGES_BURST 120
#define WS_REQUEST_BYTES 16384                   /* one message */
#define WS_COALESCE_BYTES 4096                   /* positions wait while more than this is queued */
#define WS_SILENCE_NS (INT64_C(60) * 1000000000) /* nothing heard: the client is gone */
#define WS_DEAD_MAN_NS INT64_C(1000000000)
#define HUB_TICK_NS (INT64_C(100) * 1000000)

struct web_socket {
    struct list in_hub;
    struct hub *hub;
    struct conn *conn; /* NULL once closed */
    struct identity who;
    char session[TOKEN_TEXT]; /* of the cookie it came with, or "" */
    char peer[64];
    struct ws_reader reader;
    struct buf in, msg, out;
    struct event_listener events;
    unsigned refs;
    bool closing;
    bool position_due;
    bool watches_streams, watches_truth, watches_eye, watches_ptz;
    bool ptz_due;     /* it has not heard of the newest state of presets and tours */
    char *ptz_sent;   /* as text */
    bool eye_due;     /* it has not heard of the eye yet */
    double allowance; /* messages it may send now */
    int64_t allowance_ns, heard_ns;
};

struct hub {
    struct camera *cam;
    struct list sockets;
    unsigned n_sockets;
    struct loop_timer tick;
    struct loop_post reap;
    struct conf_listener conf;
    struct account_listener accounts;
    struct web_socket *holder; /* whose held move is on; borrowed */
    struct ptz_listener head;  /* another order: nobody holds it any more */
    bool head_due;             /* limits have changed */
    struct pose sent, sent_target;
    bool sent_moving;
    unsigned sent_limits;
    int64_t streams_ns;
    bool truth_asked; /* the answer is on its way */
    uint64_t truth_serial;
    bool eye_tick;  /* every second tick is the eye's */
    char *eye_sent; /* as text */
};

struct hub *hub_new(struct camera *cam);
struct hub *hub_free(struct hub *h); /* closes all sockets */
/* Serves the upgrade; replies an error itself. */
void hub_serve(struct hub *h, struct exchange *ex);
/* socket.c: takes an upgraded connection; `pending` is written first. NULL: refused, conn freed. */
struct web_socket *hub_adopt(struct hub *h, struct conn *take_conn, const struct identity *who,
                             const char *session, const struct buf *pending);
/* Ends the sockets that came with the session of this Cookie header. */
void hub_end_session(struct hub *h, const char *cookie);

/* Sends a message; consumes the reference. */
void socket_send(struct web_socket *s, json_t *take_message);
void socket_close(struct web_socket *s, int code);
/* Who is at the other end, for the control queue. */
struct controller;
void socket_person(const struct web_socket *s, struct controller *ret);
struct web_socket *socket_ref(struct web_socket *s);
struct web_socket *socket_unref(struct web_socket *s);
void socket_drop(struct web_socket *s); /* out of the hub, which lets go of it */

json_t *hub_position(struct hub *h, bool *ret_changed); /* new reference; NULL: no head */

/* commands.c: an answer that waits until a change is saved. */
struct command_wait;
struct command_wait *command_wait(struct web_socket *s, const json_t *q, json_t *take_more);
void command_done(int err, const struct fault *why, void *wait);
/* 1, or the fault; take_more: members of the answer, or NULL. */
int command_commit(struct web_socket *s, const json_t *q, struct txn *take_t, json_t *take_more,
                   struct fault *why);
/* commands.c: one request, and the first message a socket gets. */
void command_run(struct web_socket *s, const char *text, size_t len);
json_t *command_hello(struct web_socket *s);
json_t *command_head(struct camera *cam); /* what it can and may; null: none */
json_t *command_groups(unsigned groups);  /* ["admin", …] */

#endif
