/* Preview mode (row A2): in the factory-default state, for a while after the start, whoever
 * comes may see the picture and focus it, to aim and level the camera; nothing else. The gate
 * decides who gets here. What strangers may ask is fixed: one size, one rate, no arguments. */
#include <math.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/request.h"
#include "api/vapix/door.h"
#include "api/web/eye.h"
#include "api/web/reply.h"
#include "base/clock.h"
#include "base/fault.h"
#include "media/pipeline.h"

#define PREVIEW_VIEWERS 8

/* Whoever has logged in comes here in vain: the live view is theirs. */
static bool is_over(struct vapix_door *d, struct exchange *ex)
{
    if (gate_preview_left_ns(d->gate) > 0)
        return false;
    web_reply_error(ex, 409, "conflict", "Preview mode is over; please log in.");
    return true;
}

static void serve(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    if (is_over(d, ex))
        return;
    json_t *eye = eye_json(d->cam);
    web_reply(ex, 200,
              json_pack("{s:I, s:o}", "leftS",
                        (json_int_t)(gate_preview_left_ns(d->gate) / NSEC_PER_SEC), "eye",
                        eye ? eye : json_null()));
}

static void serve_video(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    struct encoding e;
    struct view_args view;
    struct fault why = {0};
    struct feed *feed;
    struct arg fixed[] = {{"fps", "15"}, {"compression", "30"}};
    if (is_over(d, ex))
        return;
    if (ex->head_only) {
        exchange_reply(ex, 200, "multipart/x-mixed-replace; boundary=myboundary", NULL, 0);
        return;
    }
    if (video_strangers(d) >= PREVIEW_VIEWERS) {
        web_reply_error(ex, 503, "limit", "Too many watch the preview already.");
        return;
    }
    if (request_jpeg(d->cam, fixed, sizeof fixed / sizeof *fixed, &e, &view, &why) ||
        pipeline_open(d->cam->pipeline, &e, &feed, &why)) {
        vapix_reply_fault(ex, &why);
        return;
    }
    view.pictures = 0;
    view.seconds = ceil((double)gate_preview_left_ns(d->gate) / (double)NSEC_PER_SEC);
    video_start(d, ex, feed, NULL, &view, VIDEO_MULTIPART);
}

static void serve_order(struct exchange *ex, void *arg)
{
    static const char *const allowed[] = {"focus", "focusOnce", "focusAuto"};
    struct vapix_door *d = arg;
    struct fault why = {0};
    if (is_over(d, ex))
        return;
    JSON_AUTO *q = json_parse(ex->body, ex->body_len, &why);
    const char *key;
    const json_t *value;
    json_object_foreach(q, key, value)
    {
        bool found = false;
        for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
            found |= !strcmp(allowed[i], key);
        if (!found) {
            web_reply_error(ex, 403, "denied", "Without an account only the focus can be moved.");
            return;
        }
    }
    if (q && !json_is_object(q))
        fault_set(&why, FAULT_INVALID, NULL, "The body is an object, as {\"focus\": 0.5}.");
    if (!json_is_object(q) || eye_order(d->cam, q, &why)) {
        web_reply_fault(ex, &why);
        return;
    }
    serve(ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/vedette/preview",
     .methods = METHOD_GET,
     .role = ROLE_VIEWER,
     .serve = serve,
     .doc = "Preview mode: how long it lasts, and how the focus is (docs/image.md)"},
    {.path = "/vedette/preview/video",
     .methods = METHOD_GET,
     .role = ROLE_VIEWER,
     .serve = serve_video,
     .doc = "Preview mode: the picture (multipart JPEG)"},
    {.path = "/vedette/preview/order",
     .methods = METHOD_POST,
     .role = ROLE_PTZ,
     .max_body = 256,
     .changes_state = true,
     .serve = serve_order,
     .doc = "Preview mode: moves the focus (JSON)"},
};

static int start(struct vapix_door *d)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        gate_open_for_preview(d->gate, rows[i].path);
    return 0;
}
const struct cgi cgi_preview = {CGI_ROWS(rows), .start = start};
