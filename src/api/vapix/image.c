/* jpg/image.cgi: one picture, now. */
#include <errno.h>
#include <stdlib.h>

#include "api/camera.h"
#include "api/request.h"
#include "api/vapix/door.h"
#include "base/fault.h"
#include "media/packet.h"
#include "media/pipeline.h"

struct shot_request {
    struct exchange *ex;
    struct still *still;
};

static void release(void *ref)
{
    packet_unref(ref);
}

static void on_still(struct packet *p, int err, void *arg)
{
    struct shot_request *r = arg;
    struct exchange *ex = r->ex;
    ex->cancel = NULL;
    free(r);
    if (err || !p) {
        struct fault why = {0};
        fault_set(&why, err == -ENOMEM ? FAULT_INTERNAL : FAULT_BUSY, NULL,
                  "no picture could be taken");
        vapix_reply_fault(ex, &why);
        return;
    }
    exchange_reply_ref(ex, 200, "image/jpeg", p->bytes, p->len, release, packet_ref(p));
}

static void on_cancel(struct exchange *ex)
{
    struct shot_request *r = ex->user;
    still_cancel(r->still);
    free(r);
}

static void serve(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    struct encoding e;
    struct view_args view;
    struct fault why = {0};
    if (!vapix_jpeg_args(d, ex, &e, &view))
        return;
    e.fps = 0; /* one picture has no rate */
    struct shot_request *r = calloc(1, sizeof *r);
    if (!r) {
        exchange_reply(ex, 500, NULL, NULL, 0);
        return;
    }
    r->ex = ex;
    ex->user = r;
    ex->cancel = on_cancel;
    if (pipeline_still(d->cam->pipeline, &e, on_still, r, &r->still, &why)) {
        ex->cancel = NULL;
        free(r);
        vapix_reply_fault(ex, &why);
    }
}

#define PATH "/axis-cgi/jpg/image.cgi"
static const struct endpoint rows[] = {
    {.path = PATH,
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER,
     .serve = serve,
     .doc = "one picture (JPEG)"},
};
static const char *const aliases[][2] = {
    {"/jpg/image.jpg", PATH},
    {"/jpg/1/image.jpg", PATH},
    {"/axis-cgi/jpg/1/image.cgi", PATH},
    {NULL, NULL},
};
const struct cgi cgi_image = {CGI_ROWS(rows), .aliases = aliases};
