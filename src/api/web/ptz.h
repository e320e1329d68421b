/* Presets, tours, control: what /vedette/ws tells of them (docs/ptz.md) and takes as orders.
 * Loop-bound. */
#ifndef API_WEB_PTZ_H
#define API_WEB_PTZ_H

#include "base/json.h"

struct camera;
struct controller;
struct exchange;
struct fault;
struct web_socket;

/* How it is for this user; new reference. */
json_t *ptz_json(struct camera *cam, const struct controller *me);

/* Commands, as in commands.c. */
int ptz_do_preset(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why);
int ptz_do_tour(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why);
int ptz_do_recording(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why);
int ptz_do_control(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why);

/* GET /vedette/ptz. */
void ptz_serve(struct camera *cam, struct exchange *ex);

#endif
