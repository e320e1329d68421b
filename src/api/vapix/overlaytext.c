/* dynamicoverlay.cgi: event text, which #D, #D1 … #D16 of overlays stand for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/vapix/door.h"
#include "base/fault.h"
#include "base/text.h"
#include "image/overlay.h"
#include "ptz/views.h"

static void bad(struct exchange *ex, const char *name, const char *text)
{
    struct fault why = {0};
    fault_set(&why, FAULT_INVALID, name, "%s", text);
    vapix_reply_fault(ex, &why);
}

/* "1,2" */
static int channels_of(struct camera *cam, const char *list, uint32_t *ret, struct fault *why)
{
    static const char text[] = "camera must be channels, as 1 or 1,2";
    char number[8];
    *ret = 0;
    while (*list) {
        size_t n = strcspn(list, ",");
        int64_t v;
        if (n >= sizeof number)
            return fault_set(why, FAULT_INVALID, "camera", "%s", text);
        memcpy(number, list, n);
        number[n] = '\0';
        if (text_int(number, 1, INT32_MAX, &v))
            return fault_set(why, FAULT_INVALID, "camera", "%s", text);
        int err = views_require(cam->views, (int)v, why);
        if (err)
            return err;
        *ret |= UINT32_C(1) << (v - 1);
        list += n + (list[n] == ',');
    }
    return 0;
}

static void set_text(struct exchange *ex, struct camera *cam, int slot)
{
    const char *text = exchange_arg(ex, "text"), *camera = exchange_arg(ex, "camera");
    const char *duration = exchange_arg(ex, "duration");
    uint32_t channels = 0;
    double seconds = 0;
    struct fault why = {0};
    if (!text)
        bad(ex, "text", "text is missing");
    else if (camera && *camera && channels_of(cam, camera, &channels, &why))
        vapix_reply_fault(ex, &why);
    else if (duration && *duration && text_double(duration, 0, 1e7, &seconds))
        bad(ex, "duration", "duration must be seconds; 0: until the text is set again");
    else if (overlays_set_slot(cam->overlays, slot, channels, text, seconds, &why))
        vapix_reply_fault(ex, &why);
    else
        vapix_reply_text(ex, "OK");
}

static void serve(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    char text[OVERLAY_TEXT_CHARACTERS * 4 + 1];
    int64_t slot = 0;
    if (!vapix_args(ex))
        return;
    const char *action = exchange_arg(ex, "action"), *index = exchange_arg(ex, "text_index");
    if (index && *index && text_int(index, 1, OVERLAY_SLOTS - 1, &slot)) {
        bad(ex, "text_index", "text_index must be within 1 and 16");
    } else if (action && !strcmp(action, "settext")) {
        set_text(ex, d->cam, (int)slot);
    } else if (action && !strcmp(action, "gettext")) {
        overlays_slot(d->cam->overlays, (int)slot, text, sizeof text);
        vapix_reply_text(ex, text);
    } else {
        bad(ex, "action", "action must be settext or gettext");
    }
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/dynamicoverlay.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_OPERATOR,
     .changes_state = true,
     .serve = serve,
     .doc = "event text of overlays: action=settext|gettext, text_index, text, camera, duration"},
};
const struct cgi cgi_overlaytext = {CGI_ROWS(rows)};
