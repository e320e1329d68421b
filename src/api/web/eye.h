/* What the eye does just now, and orders to it: GET /vedette/eye, POST /vedette/eye/order,
 * and the same on the WebSocket (docs/ws.md). Loop-bound. */
#ifndef API_WEB_EYE_H
#define API_WEB_EYE_H

#include "base/json.h"

struct camera;
struct exchange;
struct fault;

/* New reference; NULL: there is no eye, or out of memory. */
json_t *eye_json(struct camera *cam);
/* Carries out the one order that q names: "focus", "focusBy", "focusOnce", "focusAuto",
 * "spot", "recall", "assist". */
int eye_order(struct camera *cam, const json_t *q, struct fault *why);

/* Both end the exchange; an order is answered with what holds after it. */
void eye_serve(struct camera *cam, struct exchange *ex);
void eye_serve_order(struct camera *cam, struct exchange *ex);

#endif
