/* opticscontrol.cgi: focus, zoom and infrared filter of the one lens, "0". */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "api/vapix/ptz_lens.h"
#include "base/fault.h"
#include "conf/param.h"
#include "device/device.h"
#include "image/eye.h"
#include "image/settings.h"
#include "ptz/ptz.h"

#define OPTICS "0"
#define AREA_MAX 9999
#define BIG_STEP 0.1 /* of the way from near to far; magnification: by this factor more */
#define SMALL_STEP 0.01

static bool has_focus(struct camera *cam)
{
    struct lens_caps caps = {0};
    if (cam->eye && cam->device->lens)
        cam->device->lens->ops->caps(cam->device->lens, &caps);
    return caps.focus;
}

static double max_zoom(struct camera *cam)
{
    struct head_caps caps = {0};
    if (ptz_exists(cam->ptz))
        ptz_caps(cam->ptz, &caps);
    return caps.zoom ? caps.max_zoom : 1;
}

static bool has_filter(struct json_call *c)
{
    return c->door->sensor.can & SENSOR_FILTER;
}

/* ---- questions ---- */

static void get_optics(struct json_call *c)
{
    static const char *const filter[] = {[CUT_NO] = "off", [CUT_YES] = "on", [CUT_AUTO] = "auto"};
    struct camera *cam = c->door->cam;
    struct lens_state now;
    struct pose pose = {.zoom = 1};
    bool moving = false;
    lens_where(cam, &now);
    if (ptz_exists(cam->ptz)) {
        ptz_pose(cam->ptz, &pose);
        moving = ptz_moving(cam->ptz);
    }
    const struct eye_settings *s = room_ref(cam->eye_room);
    struct picture_box w = {0, AREA_MAX, 0, AREA_MAX};
    if (s->focus.mode == FOCUS_AREA)
        w = s->focus.area;
    json_t *one = json_pack(
        "{s:s, s:f, s:b, s:f, s:f, s:f, s:f, s:f, s:b, s:b, s:s, s:b}", "opticsId", OPTICS,
        "focusPosition", round(now.focus * 1e4) / 1e4, "focusMoving", (int)now.moving,
        "focusWindowUpperLeftX", (double)w.left / AREA_MAX, "focusWindowUpperLeftY",
        (double)w.top / AREA_MAX, "focusWindowWidth", (double)(w.right - w.left) / AREA_MAX,
        "focusWindowHeight", (double)(w.bottom - w.top) / AREA_MAX, "magnification", pose.zoom,
        "zoomMoving", (int)moving, "temperatureCompensation", 0, "irCutFilterState",
        filter[s->daynight.filter], "irCompensation", 0);
    room_unref(s);
    json_call_reply(c, json_pack("{s:i, s:[o]}", "numberOfOptics", 1, "optics", one));
}

static void get_capabilities(struct json_call *c)
{
    struct camera *cam = c->door->cam;
    json_t *list = json_array();
    if (has_focus(cam))
        json_array_append_new(list, json_string("focus"));
    if (max_zoom(cam) > 1)
        json_array_append_new(list, json_string("zoom"));
    if (has_filter(c))
        json_array_append_new(list, json_string("irCutFilter"));
    json_call_reply(c, json_pack("[{s:s, s:o, s:f}]", "opticsId", OPTICS, "capabilities", list,
                                 "maxMagnification", max_zoom(cam)));
}

/* ---- orders ---- */

/* The entry of params.optics; NULL: the error has been replied. */
static const json_t *entry(struct json_call *c)
{
    const struct json_family *f = c->cgi->family;
    const json_t *list = json_object_get(c->params, "optics");
    const json_t *one = json_array_get(list, 0);
    const json_t *id = json_object_get(one, "opticsId");
    if (!list)
        json_call_error(c, f->missing, "The parameter optics is missing");
    else if (json_array_size(list) != 1 || !json_is_object(one))
        json_call_error(c, f->invalid, "optics must be a list of one object");
    else if (!id)
        json_call_error(c, f->missing, "The parameter opticsId is missing");
    else if (!json_is_string(id) || strcmp(json_string_value(id), OPTICS))
        json_call_error(c, f->invalid, "The only opticsId is \"" OPTICS "\"");
    else
        return one;
    return NULL;
}

static const json_t *focus_entry(struct json_call *c)
{
    const json_t *e = entry(c);
    if (!e || has_focus(c->door->cam))
        return e;
    json_call_error(c, c->cgi->family->method, "The focus of this camera cannot be moved");
    return NULL;
}

static int number(const json_t *e, const char *name, double min, double max, double *ret,
                  struct fault *why)
{
    if (!json_object_get(e, name))
        return fault_set(why, FAULT_MISSING, name, "The parameter %s is missing", name);
    int err = json_get_double(e, name, ret, why);
    if (!err && !(*ret >= min && *ret <= max))
        err = fault_set(why, FAULT_INVALID, name, "The parameter %s must be %g to %g", name, min,
                        max);
    return err;
}

static void done(struct json_call *c, int err, const struct fault *why)
{
    struct txn *t = err ? NULL : txn_new(c->door->cam->conf, 0); /* what the move has set holds */
    if (err)
        json_call_fault(c, why);
    else if (!t)
        json_call_error(c, c->cgi->family->internal, "Internal error");
    else
        json_call_commit(c, t, json_object());
}

static void set_focus(struct json_call *c)
{
    struct fault why = {0};
    double to = 0;
    const json_t *e = focus_entry(c);
    if (!e)
        return;
    int err = number(e, "position", 0, 1, &to, &why);
    done(c, err ? err : eye_focus_go(c->door->cam->eye, to, &why), &why);
}

/* Steps by word, or a number between -most and most. */
static int step(const json_t *e, double most, double *ret, struct fault *why)
{
    static const struct {
        const char *word;
        double by;
    } words[] = {{"+bigStep", BIG_STEP},
                 {"-bigStep", -BIG_STEP},
                 {"+smallStep", SMALL_STEP},
                 {"-smallStep", -SMALL_STEP}};
    const char *type = NULL;
    int err = json_get_string(e, "type", &type, why);
    if (err)
        return err;
    if (!type)
        return fault_set(why, FAULT_MISSING, "type", "The parameter type is missing");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        *ret = words[i].by;
        if (!strcmp(words[i].word, type))
            return 0;
    }
    if (!strcmp(type, "numerical"))
        return number(e, "value", -most, most, ret, why);
    return fault_set(why, FAULT_INVALID, "type",
                     "The type is +bigStep, -bigStep, +smallStep, -smallStep or numerical");
}

static void set_relative_focus(struct json_call *c)
{
    struct fault why = {0};
    double by = 0;
    const json_t *e = focus_entry(c);
    if (!e)
        return;
    int err = step(e, 1, &by, &why);
    done(c, err ? err : eye_focus_by(c->door->cam->eye, by, &why), &why);
}

static void perform_autofocus(struct json_call *c)
{
    struct fault why = {0};
    if (focus_entry(c))
        done(c, eye_focus_once(c->door->cam->eye, &why), &why);
}

static void set_magnification(struct json_call *c)
{
    struct camera *cam = c->door->cam;
    struct fault why = {0};
    double to = 1;
    const json_t *e = entry(c);
    if (!e)
        return;
    int err = number(e, "magnification", 1, max_zoom(cam), &to, &why);
    done(c, err ? err : ptz_absolute(cam->ptz, NAN, NAN, to, NAN, &why), &why);
}

static void set_relative_magnification(struct json_call *c)
{
    struct camera *cam = c->door->cam;
    struct fault why = {0};
    double by = 0;
    const json_t *e = entry(c);
    if (!e)
        return;
    int err = step(e, max_zoom(cam), &by, &why);
    if (!err) {
        struct pose p = {.zoom = 1};
        if (ptz_exists(cam->ptz))
            ptz_pose(cam->ptz, &p);
        const char *type = json_string_value(json_object_get(e, "type"));
        double to = strcmp(type, "numerical") ? p.zoom * (1 + by) : p.zoom + by;
        err = ptz_absolute(cam->ptz, NAN, NAN, fmax(1, fmin(max_zoom(cam), to)), NAN, &why);
    }
    done(c, err, &why);
}

/* Autofocus looks at this part of the picture from now on; at the whole: as ever. */
static void set_focus_window(struct json_call *c)
{
    static const char *const names[] = {"focusWindowUpperLeftX", "focusWindowUpperLeftY",
                                        "focusWindowWidth", "focusWindowHeight"};
    struct fault why = {0};
    double v[4] = {0};
    const json_t *e = focus_entry(c);
    if (!e)
        return;
    int err = 0;
    for (size_t i = 0; !err && i < 4; i++)
        err = number(e, names[i], 0, 1, &v[i], &why);
    if (!err && (v[0] + v[2] > 1 + 1e-9 || v[1] + v[3] > 1 + 1e-9 || v[2] < 0.01 || v[3] < 0.01))
        err = fault_set(&why, FAULT_INVALID, names[0],
                        "The window must lie in the picture, and be 0.01 of it at least");
    if (err) {
        json_call_fault(c, &why);
        return;
    }
    char text[4][8];
    const double edges[] = {v[0], v[0] + v[2], v[1], v[1] + v[3]};
    for (size_t i = 0; i < 4; i++)
        snprintf(text[i], sizeof text[i], "%d", (int)round(fmin(1, edges[i]) * AREA_MAX));
    bool whole = v[2] > 0.999 && v[3] > 0.999;
    const char *const pairs[][2] = {
        {"ImageSource.I0.Focus.Area.Left", text[0]},
        {"ImageSource.I0.Focus.Area.Right", text[1]},
        {"ImageSource.I0.Focus.Area.Top", text[2]},
        {"ImageSource.I0.Focus.Area.Bottom", text[3]},
        {"ImageSource.I0.Focus.Mode", whole ? "auto" : "area"},
    };
    json_call_set(c, pairs, sizeof pairs / sizeof *pairs);
}

static void set_filter(struct json_call *c)
{
    static const char *const words[][2] = {{"on", "yes"}, {"off", "no"}, {"auto", "auto"}};
    const json_t *e = entry(c);
    if (!e)
        return;
    if (!has_filter(c)) {
        json_call_error(c, c->cgi->family->method, "This camera has no infrared filter");
        return;
    }
    const char *word = json_string_value(json_object_get(e, "irCutFilterState"));
    for (size_t i = 0; word && i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i][0], word))
            continue;
        const char *const pair[][2] = {{"ImageSource.I0.DayNight.IrCutFilter", words[i][1]}};
        json_call_set(c, pair, 1);
        return;
    }
    json_call_error(c, word ? c->cgi->family->invalid : c->cgi->family->missing,
                    "The parameter irCutFilterState must be on, off or auto");
}

static void reset(struct json_call *c)
{
    static const char *const pairs[][2] = {
        {"ImageSource.I0.Focus.Mode", "auto"},
        {"ImageSource.I0.Focus.NearLimit", "0"},
        {"ImageSource.I0.DayNight.IrCutFilter", "auto"},
    };
    if (entry(c))
        json_call_set(c, pairs, sizeof pairs / sizeof *pairs);
}

static const struct json_method methods[] = {
    {"getOptics", ROLE_VIEWER, get_optics},
    {"getCapabilities", ROLE_VIEWER, get_capabilities},
    {"setFocus", ROLE_OPERATOR, set_focus},
    {"setRelativeFocus", ROLE_OPERATOR, set_relative_focus},
    {"setFocusWindow", ROLE_OPERATOR, set_focus_window},
    {"performAutofocus", ROLE_OPERATOR, perform_autofocus},
    {"setMagnification", ROLE_OPERATOR, set_magnification},
    {"setRelativeMagnification", ROLE_OPERATOR, set_relative_magnification},
    {"setIrCutFilterState", ROLE_OPERATOR, set_filter},
    {"reset", ROLE_ADMIN, reset},
    {"getSupportedVersions", ROLE_VIEWER, json_serve_versions},
};
static const struct json_cgi api = {"1.0", &json_family_b, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/opticscontrol.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER, /* changes: operator; reset: admin */
     .changes_state = true,
     .serve = serve,
     .doc = "focus, zoom and infrared filter of the lens (JSON)"},
};
const struct cgi cgi_opticscontrol = {CGI_ROWS(rows)};
