/* The gate: the one route table, and the only way in (SEC-02, SEC-03).
 *
 * Every door registers its endpoint rows here. For each request the gate finds the
 * row by the normalised path, checks method, identity and role, Origin for what
 * changes state, adds the security headers, and only then lets it be served. A
 * path without a row is 404 for those who are logged in and 401 for strangers, so
 * that nothing is learnt by asking. The table can be printed and walked by tests:
 * GET /vedette/routes (administrator). HTTP, WebSocket and RTSP alike. Loop-bound. */
#ifndef API_GATE_H
#define API_GATE_H

#include <stddef.h>

#include "net/exchange.h"
#include "net/server.h"

struct camera;
struct gate;

struct gate *gate_new(struct camera *camera);
struct gate *gate_free(struct gate *g);
/* rows are copied; arg goes to every serve(). A row with ROLE_NONE, or a path that
 * stands already, is a bug (assert). */
void gate_add(struct gate *g, const struct endpoint *rows, size_t n, void *arg);
void gate_alias(struct gate *g, const char *path, const char *of_path);

/* The server's hooks; arg: the gate. */
extern const struct server_hooks gate_hooks;

/* For RTSP: same table, same answer. Fills in ex->endpoint and ex->who. 0, or the
 * status to reply (401 with challenges already set as headers, 403, 404, 405, 429). */
int gate_admit(struct gate *g, struct exchange *ex);

#endif
