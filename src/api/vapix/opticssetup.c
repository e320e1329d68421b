/* opticssetup.cgi: the few forms of the lens's old interface that clients still fall back
 * to: autofocus=perform, rfocus=±minstep | number, afocus=0 … 1. */
#include <string.h>

#include "api/camera.h"
#include "api/commit.h"
#include "api/vapix/door.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "image/eye.h"

#define MIN_STEP 0.005

static int relative(struct camera *cam, const char *value, struct fault *why)
{
    double by;
    if (!strcmp(value, "minstep") || !strcmp(value, "+minstep"))
        return eye_focus_by(cam->eye, MIN_STEP, why);
    if (!strcmp(value, "-minstep"))
        return eye_focus_by(cam->eye, -MIN_STEP, why);
    if (text_double(value, -1, 1, &by))
        return fault_set(why, FAULT_INVALID, "rfocus",
                         "rfocus is -minstep, +minstep or a number from -1 to 1");
    return eye_focus_by(cam->eye, by, why);
}

static int carry_out(struct camera *cam, struct exchange *ex, struct fault *why)
{
    const char *perform = exchange_arg(ex, "autofocus"), *by = exchange_arg(ex, "rfocus");
    const char *to = exchange_arg(ex, "afocus"), *source = exchange_arg(ex, "source");
    double v;
    if (!cam->eye)
        return fault_set(why, FAULT_UNSUPPORTED, NULL, "the focus cannot be moved");
    if (source && *source && strcmp(source, "1"))
        return fault_set(why, FAULT_INVALID, "source", "there is only source 1");
    if (!perform == !by && !perform == !to && !by == !to)
        return fault_set(why, FAULT_MISSING, NULL,
                         "one of autofocus=perform, rfocus and afocus is needed");
    if (perform && strcmp(perform, "perform"))
        return fault_set(why, FAULT_INVALID, "autofocus", "autofocus is perform");
    if (to && text_double(to, 0, 1, &v))
        return fault_set(why, FAULT_INVALID, "afocus", "afocus is a number from 0 to 1");
    int err = perform ? eye_focus_once(cam->eye, why) : 0;
    if (!err && by)
        err = relative(cam, by, why);
    if (!err && to)
        err = eye_focus_go(cam->eye, v, why);
    return err;
}

static void reply(struct exchange *ex, int err, const struct fault *why, void *arg)
{
    BUF(text, 512);
    if (err)
        buf_addf(&text, "Error: %s\n", why->text);
    vapix_reply_text(ex, err ? buf_str(&text) : "ok\n");
}

static void serve(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    struct fault why = {0};
    if (!vapix_args(ex))
        return;
    if (carry_out(d->cam, ex, &why))
        reply(ex, -1, &why, NULL);
    else
        commit_then(d->cam, ex, NULL, reply, NULL);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/opticssetup.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_OPERATOR,
     .changes_state = true,
     .serve = serve,
     .doc = "the focus, for old clients; opticscontrol.cgi can more"},
};
const struct cgi cgi_opticssetup = {CGI_ROWS(rows)};
