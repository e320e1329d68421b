/* The gate: the one route table, and the only way in (SEC-02, SEC-03).
 *
 * Every door registers its endpoint rows here. For each request the gate finds the
 * row by the normalised path, checks method, identity and role, Origin for what
 * changes state, adds the security headers, and only then lets it be served. A
 * path without a row is 404 for those who are logged in and 401 for strangers, so
 * that nothing is learnt by asking. The table can be printed and walked by tests:
 * GET /vedette/routes (administrator). HTTP, WebSocket and RTSP alike.
 *
 * While there is no account (factory default) only rows for anyone, those opened by
 * gate_open_for_setup() and, in preview mode, those of gate_open_for_preview() can be
 * reached. Forwarding headers of proxies are never read. Loop-bound. */
#ifndef API_GATE_H
#define API_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/exchange.h"
#include "net/server.h"
#include "trust/session.h"

struct camera;
struct gate;

struct gate *gate_new(struct camera *camera);
struct gate *gate_free(struct gate *g);
/* rows are copied; arg goes to every serve(). A row with ROLE_NONE, or a path that
 * stands already, is a bug (assert). */
void gate_add(struct gate *g, const struct endpoint *rows, size_t n, void *arg);
void gate_alias(struct gate *g, const char *path, const char *of_path);
/* Strangers reach this row while there is no account; serve() sees to the rest. */
void gate_open_for_setup(struct gate *g, const char *path);
/* Strangers reach this row in preview mode: while there is no account, and for so long
 * after the start as ImageSource.I0.Preview.Time says. They have no identity. */
void gate_open_for_preview(struct gate *g, const char *path);
int64_t gate_preview_left_ns(struct gate *g); /* 0: it is over, or never was */
/* This row (a WebSocket) also takes a one-time token from the query argument `arg`:
 * it grants its maker's identity and exempts from the Origin check, which a cookie or
 * a digest does not. */
void gate_take_tokens(struct gate *g, const char *path, const char *arg,
                      enum token_purpose purpose);

/* The server's hooks; arg: the gate. */
extern const struct server_hooks gate_hooks;

/* For RTSP: same table, same answer. ex lies in a struct exchange_work (net/
 * exchange_private.h: its `headers` get the challenges) with arena, msg, path, method
 * and conn set; who may hold an identity that the door has already (of a WebSocket
 * upgrade). Fills in ex->endpoint (NULL: no row) and ex->who. 0, or the status to
 * reply (401, 403, 404, 405, 503). OPTIONS needs no login. */
int gate_admit(struct gate *g, struct exchange *ex);

/* For rows whose methods differ in role: true when this user may; otherwise 401 or
 * 403 has been replied and the exchange is gone. On rows for anyone only this looks
 * at credentials other than the cookie. */
bool gate_require(struct gate *g, struct exchange *ex, enum role role);

/* A short page that says what happened; for what browsers and people see. */
void gate_reply_page(struct exchange *ex, int status, const char *text);

/* A browser on plain HTTP does not say whose page asked it for this GET: the user, or a
 * stranger's page whose picture or link has the address. Not to be served where that
 * would matter. */
bool gate_may_be_foreign(const struct exchange *ex);

#endif
