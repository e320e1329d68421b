/* com/ptzconfig.cgi: stores, renames and removes presets. */
#include <string.h>

#include "api/camera.h"
#include "api/commit.h"
#include "api/request.h"
#include "api/vapix/door.h"
#include "api/vapix/ptz_presets.h"
#include "base/fault.h"
#include "ptz/ptz.h"
#include "ptz/views.h"

static void serve(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    struct preset_plan p = {0};
    struct fault why = {0};
    struct txn *t = NULL;
    int taken = 0, err = 0;
    if (!vapix_args(ex))
        return;
    if (!ptz_exists(d->cam->ptz)) {
        vapix_reply_text(ex, "");
        return;
    }
    const char *camera = exchange_arg(ex, "camera");
    int channel = 1;
    if (camera && strcmp(camera, "all"))
        err = request_channel(d->cam, camera, &channel, &why);
    for (size_t i = 0; err >= 0 && i < ex->n_args; i++) {
        err = preset_plan_take(&p, ex->args[i].name, ex->args[i].value, &why);
        taken += err > 0;
    }
    if (err >= 0 && (!taken || p.go || p.go_name))
        err = fault_set(&why, FAULT_MISSING, NULL,
                        "no command; there are setserverpresetname, setserverpresetno, "
                        "renameserverpresetno, removeserverpresetname, removeserverpresetno, "
                        "removeallserverpresets, home");
    struct presets *all = channel > 1 ? views_presets(d->cam->views, channel) : d->cam->presets;
    if (err >= 0 && !all)
        err = fault_set(&why, FAULT_UNSUPPORTED, "camera", "camera=%d does not move", channel);
    if (err >= 0)
        err = preset_plan_change(&p, d->cam->conf, all, ex->who.groups, &t, &why);
    if (err < 0)
        ptz_reply_error(ex, why.text);
    else
        commit_then(d->cam, ex, t, ptz_reply_committed, NULL);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/com/ptzconfig.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .serve = serve,
     .doc = "stores, renames and removes presets"},
};
const struct cgi cgi_ptzconfig = {CGI_ROWS(rows)};
