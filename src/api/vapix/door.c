#include "api/vapix/door.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/request.h"
#include "api/vapix/vapix.h"
#include "base/fault.h"
#include "base/loop.h"
#include "device/device.h"
#include "system/time.h"

static const struct cgi *const all[] = {
#define CGI(name) &cgi_##name,
#include "api/vapix/list.def"
#undef CGI
};
#define N_ALL (sizeof all / sizeof *all)

static void on_first_turn(void *arg)
{
    struct camera *cam = arg;
    facts_ports(cam);
    facts_codecs(cam);
    factory_settings(cam);
}

struct vapix_door *vapix_door_new(struct camera *cam, struct gate *g)
{
    struct vapix_door *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->cam = cam;
    d->gate = g;
    cam->device->sensor->ops->caps(cam->device->sensor, &d->sensor);
    d->time_keeper = time_keeper_new(cam->conf);
    int err = d->time_keeper ? facts_add(cam) : -1;
    for (size_t i = 0; !err && i < N_ALL; i++) {
        const struct cgi *c = all[i];
        gate_add(g, c->rows, c->n_rows, d);
        for (size_t k = 0; c->aliases && c->aliases[k][0]; k++)
            gate_alias(g, c->aliases[k][0], c->aliases[k][1]);
        if (c->start)
            err = c->start(d);
    }
    /* The ports are opened after the doors: tell them in the loop's first turn. */
    if (err || loop_call(cam->loop, "vapix-first-turn", on_first_turn, cam))
        return vapix_door_free(d);
    return d;
}

struct vapix_door *vapix_door_free(struct vapix_door *d)
{
    if (!d)
        return NULL;
    for (size_t i = 0; i < N_ALL; i++) {
        if (all[i]->stop)
            all[i]->stop(d);
    }
    time_keeper_free(d->time_keeper);
    free(d);
    return NULL;
}

bool vapix_args(struct exchange *ex)
{
    if (!exchange_body_args(ex))
        return true;
    gate_reply_page(ex, 400, "The arguments are not well formed.");
    return false;
}

bool vapix_jpeg_args(struct vapix_door *d, struct exchange *ex, struct encoding *ret,
                     struct view_args *ret_view)
{
    struct fault why = {0};
    if (!vapix_args(ex))
        return false;
    if (!request_jpeg(d->cam, ex->args, ex->n_args, ret, ret_view, &why))
        return true;
    vapix_reply_fault(ex, &why);
    return false;
}

void vapix_reply_fault(struct exchange *ex, const struct fault *why)
{
    static const int status[] = {
        [FAULT_NONE] = 500,    [FAULT_INVALID] = 400, [FAULT_UNKNOWN] = 404,
        [FAULT_MISSING] = 400, [FAULT_DENIED] = 403,  [FAULT_CONFLICT] = 409,
        [FAULT_LIMIT] = 503,   [FAULT_BUSY] = 503,    [FAULT_UNSUPPORTED] = 404,
        [FAULT_TIMEOUT] = 504, [FAULT_IO] = 500,      [FAULT_INTERNAL] = 500,
    };
    assert((size_t)why->kind < sizeof status / sizeof *status);
    gate_reply_page(ex, status[why->kind], why->text);
}

void vapix_reply_text(struct exchange *ex, const char *text)
{
    exchange_reply(ex, 200, "text/plain", text, strlen(text));
}
