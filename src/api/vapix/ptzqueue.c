/* com/ptzqueue.cgi: a place in the control queue. Three anchors answer: the place (1 is in
 * control, 0 not in the queue), the seconds left (-1: unknown), and how often to ask again. */
#include <string.h>

#include "api/camera.h"
#include "api/person.h"
#include "api/request.h"
#include "api/vapix/door.h"
#include "api/vapix/ptz_presets.h"
#include "base/fault.h"
#include "ptz/ptz.h"
#include "ptz/queue.h"

static void serve(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    struct control_queue *q = d->cam->control;
    struct controller who;
    struct control_place place;
    struct fault why = {0};
    if (!vapix_args(ex))
        return;
    const char *control = exchange_arg(ex, "control"), *camera = exchange_arg(ex, "camera");
    person_of(d->cam, ex, &who);
    int err = 0, channel;
    if (!ptz_exists(d->cam->ptz))
        err = fault_set(&why, FAULT_UNSUPPORTED, NULL, "this camera has no pan, tilt and zoom");
    else if (camera && request_channel(d->cam, camera, &channel, &why))
        err = -1; /* one queue for the camera and its view areas */
    else if (!control || (strcmp(control, "request") != 0 && strcmp(control, "drop") != 0 &&
                          strcmp(control, "query") != 0))
        err = fault_set(&why, FAULT_INVALID, "control", "control is request, drop or query");
    else if (!strcmp(control, "request"))
        err = control_request(q, &who, &why);
    else if (!strcmp(control, "drop"))
        control_drop(q, &who);
    if (err) {
        ptz_reply_error(ex, why.text);
        return;
    }
    control_place(q, &who, true, &place);
    exchange_replyf(ex, 200, "text/html",
                    "<html><body><a name=\"%d\"></a><a name=\"%d\"></a><a name=\"%d\"></a>"
                    "</body></html>\r\n",
                    place.position, place.seconds, control_poll_s(q));
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/com/ptzqueue.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_PTZ,
     .changes_state = true,
     .serve = serve,
     .doc = "a place in the control queue of pan, tilt and zoom"},
};
const struct cgi cgi_ptzqueue = {CGI_ROWS(rows)};
