/* lightcontrol.cgi: the camera's own infrared lamp, "led0". Off, on, or as day and night
 * go is one parameter (Infrared.Mode): disabled is off, synchronised is auto. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "base/clock.h"
#include "base/fault.h"
#include "conf/param.h"
#include "device/device.h"
#include "image/settings.h"

#define LIGHT "led0"
#define ROW "ImageSource.I0.Infrared."
enum { NOT_SUPPORTED = 1001, NO_SUCH_LIGHT = 1002, WRONG_TYPE = 4002 };

struct lamp {
    bool is_lit;
    double intensity, beam_deg; /* now */
    int mode;                   /* enum off_on_auto */
    int wanted, wanted_deg;     /* per cent; 0: by itself */
    bool automatic;
    int least_deg, most_deg;
};

static struct lamp look(struct camera *cam)
{
    struct light_source *l = cam->device->infrared;
    struct light_caps caps;
    struct light_state state;
    l->ops->caps(l, &caps);
    l->ops->state(l, clock_now(cam->clock), &state);
    const struct eye_settings *s = room_ref(cam->eye_room);
    struct lamp lamp = {
        .is_lit = state.intensity > 0,
        .intensity = state.intensity,
        .beam_deg = state.beam_deg,
        .mode = s->infrared.mode,
        .wanted = s->infrared.intensity,
        .wanted_deg = s->infrared.angle,
        .automatic = !s->infrared.intensity_mode,
        .least_deg = (int)ceil(caps.least_deg),
        .most_deg = (int)floor(caps.most_deg),
    };
    room_unref(s);
    return lamp;
}

/* ---- arguments; false: the error has been replied ---- */

static bool has_light(struct json_call *c)
{
    const json_t *id = json_object_get(c->params, "lightID");
    if (!id)
        json_call_error(c, c->cgi->family->missing, "The parameter lightID is missing");
    else if (!json_is_string(id))
        json_call_error(c, WRONG_TYPE, "The parameter lightID must be a string");
    else if (!c->door->cam->device->infrared || strcmp(json_string_value(id), LIGHT))
        json_call_error(c, NO_SUCH_LIGHT, "There is no such light");
    else
        return true;
    return false;
}

static bool get_number(struct json_call *c, const char *name, int min, int max, int *ret)
{
    const json_t *v = json_object_get(c->params, name);
    char text[96];
    if (!v) {
        snprintf(text, sizeof text, "The parameter %s is missing", name);
        json_call_error(c, c->cgi->family->missing, text);
    } else if (!json_is_integer(v)) {
        snprintf(text, sizeof text, "The parameter %s must be a whole number", name);
        json_call_error(c, WRONG_TYPE, text);
    } else if (json_integer_value(v) < min || json_integer_value(v) > max) {
        snprintf(text, sizeof text, "The parameter %s must be %d to %d", name, min, max);
        json_call_error(c, c->cgi->family->invalid, text);
    } else {
        *ret = (int)json_integer_value(v);
        return true;
    }
    return false;
}

static bool get_enabled(struct json_call *c, bool *ret)
{
    const json_t *v = json_object_get(c->params, "enabled");
    if (!v) {
        json_call_error(c, c->cgi->family->missing, "The parameter enabled is missing");
    } else if (!json_is_boolean(v)) {
        json_call_error(c, WRONG_TYPE, "The parameter enabled must be true or false");
    } else {
        *ret = json_is_true(v);
        return true;
    }
    return false; /* with the answer the request is gone */
}

/* ---- changes ---- */

static void set_one(struct json_call *c, const char *name, const char *value)
{
    const char *const pair[][2] = {{name, value}};
    json_call_set(c, pair, 1);
}

static void activate(struct json_call *c)
{
    if (has_light(c))
        set_one(c, ROW "Mode", "on");
}

static void deactivate(struct json_call *c)
{
    if (has_light(c))
        set_one(c, ROW "Mode", "off");
}

/* A lamp that is on stays as it is. */
static void enable(struct json_call *c)
{
    if (!has_light(c))
        return;
    set_one(c, ROW "Mode", look(c->door->cam).mode == SET_ON ? "on" : "auto");
}

static void set_synchronization(struct json_call *c)
{
    bool on = false;
    if (!has_light(c) || !get_enabled(c, &on))
        return;
    struct lamp l = look(c->door->cam);
    if (on)
        set_one(c, ROW "Mode", "auto");
    else /* as it is just now */
        set_one(c, ROW "Mode", l.is_lit ? "on" : "off");
}

static void set_manual_intensity(struct json_call *c)
{
    int v;
    char text[8];
    if (!has_light(c) || !get_number(c, "intensity", 0, 100, &v))
        return;
    snprintf(text, sizeof text, "%d", v);
    const char *const pairs[][2] = {{ROW "Intensity", text}, {ROW "IntensityMode", "manual"}};
    json_call_set(c, pairs, 2);
}

static void set_automatic_intensity(struct json_call *c)
{
    bool on = false;
    if (has_light(c) && get_enabled(c, &on))
        set_one(c, ROW "IntensityMode", on ? "auto" : "manual");
}

static void set_manual_angle(struct json_call *c)
{
    int v;
    char text[8];
    if (!has_light(c))
        return;
    struct lamp l = look(c->door->cam);
    if (!get_number(c, "angleOfIllumination", l.least_deg, l.most_deg, &v))
        return;
    snprintf(text, sizeof text, "%d", v);
    set_one(c, ROW "Angle", text);
}

static void set_automatic_angle(struct json_call *c)
{
    bool on = false;
    char text[8];
    if (!has_light(c) || !get_enabled(c, &on))
        return;
    struct lamp l = look(c->door->cam);
    int now = (int)round(fmax(l.least_deg, fmin(l.most_deg, l.beam_deg)));
    snprintf(text, sizeof text, "%d", on ? 0 : now);
    set_one(c, ROW "Angle", text);
}

/* ---- questions ---- */

static void get_information(struct json_call *c)
{
    json_t *items = json_array();
    if (c->door->cam->device->infrared) {
        struct lamp l = look(c->door->cam);
        json_array_append_new(items, json_pack("{s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:i, s:b, s:s}",
                                               "lightID", LIGHT, "lightType", "IR", "enabled",
                                               l.mode != SET_OFF, "synchronizeDayNightMode",
                                               l.mode == SET_AUTO, "lightState", (int)l.is_lit,
                                               "automaticIntensityMode", (int)l.automatic,
                                               "automaticAngleOfIlluminationMode", !l.wanted_deg,
                                               "nrOfLEDs", 1, "error", 0, "errorInfo", ""));
    }
    json_call_reply(c, json_pack("{s:o}", "items", items));
}

static void get_capabilities(struct json_call *c)
{
    bool has = c->door->cam->device->infrared;
    bool turns = has && look(c->door->cam).least_deg < look(c->door->cam).most_deg;
    json_call_reply(c, json_pack("{s:b, s:b, s:b, s:b, s:b, s:b, s:b}", "automaticIntensitySupport",
                                 (int)has, "manualIntensitySupport", (int)has,
                                 "individualIntensitySupport", 0, "getCurrentIntensitySupport",
                                 (int)has, "manualAngleOfIlluminationSupport", (int)turns,
                                 "automaticAngleOfIlluminationSupport", (int)turns,
                                 "dayNightSynchronizeSupport", (int)has));
}

static void get_status(struct json_call *c)
{
    if (has_light(c))
        json_call_reply(c, json_pack("{s:b}", "status", (int)look(c->door->cam).is_lit));
}

static void get_synchronization(struct json_call *c)
{
    if (has_light(c))
        json_call_reply(c, json_pack("{s:b}", "synchronize", look(c->door->cam).mode == SET_AUTO));
}

static json_t *range(int low, int high)
{
    return json_pack("{s:[{s:i, s:i}]}", "ranges", "low", low, "high", high);
}

static void get_valid_intensity(struct json_call *c)
{
    if (has_light(c))
        json_call_reply(c, range(0, 100));
}

static void get_valid_angle(struct json_call *c)
{
    if (!has_light(c))
        return;
    struct lamp l = look(c->door->cam);
    json_call_reply(c, range(l.least_deg, l.most_deg));
}

static void get_manual_intensity(struct json_call *c)
{
    if (has_light(c))
        json_call_reply(c, json_pack("{s:i}", "intensity", look(c->door->cam).wanted));
}

static void get_current_intensity(struct json_call *c)
{
    if (has_light(c))
        json_call_reply(
            c, json_pack("{s:i}", "intensity", (int)round(look(c->door->cam).intensity * 100)));
}

static void get_manual_angle(struct json_call *c)
{
    if (!has_light(c))
        return;
    struct lamp l = look(c->door->cam);
    json_call_reply(c, json_pack("{s:i}", "angleOfIllumination",
                                 l.wanted_deg ? l.wanted_deg : (int)round(l.beam_deg)));
}

static void get_current_angle(struct json_call *c)
{
    if (has_light(c))
        json_call_reply(
            c, json_pack("{s:i}", "angleOfIllumination", (int)round(look(c->door->cam).beam_deg)));
}

static void individual(struct json_call *c)
{
    if (has_light(c))
        json_call_error(c, NOT_SUPPORTED, "The light has no parts that can be set by themselves");
}

static const struct json_method methods[] = {
    {"getLightInformation", ROLE_OPERATOR, get_information},
    {"getServiceCapabilities", ROLE_OPERATOR, get_capabilities},
    {"activateLight", ROLE_OPERATOR, activate},
    {"deactivateLight", ROLE_OPERATOR, deactivate},
    {"enableLight", ROLE_OPERATOR, enable},
    {"disableLight", ROLE_OPERATOR, deactivate},
    {"getLightStatus", ROLE_OPERATOR, get_status},
    {"setAutomaticIntensityMode", ROLE_OPERATOR, set_automatic_intensity},
    {"getValidIntensity", ROLE_OPERATOR, get_valid_intensity},
    {"setManualIntensity", ROLE_OPERATOR, set_manual_intensity},
    {"getManualIntensity", ROLE_OPERATOR, get_manual_intensity},
    {"getCurrentIntensity", ROLE_OPERATOR, get_current_intensity},
    {"setIndividualIntensity", ROLE_OPERATOR, individual},
    {"getIndividualIntensity", ROLE_OPERATOR, individual},
    {"setAutomaticAngleOfIlluminationMode", ROLE_OPERATOR, set_automatic_angle},
    {"getValidAngleOfIllumination", ROLE_OPERATOR, get_valid_angle},
    {"setManualAngleOfIllumination", ROLE_OPERATOR, set_manual_angle},
    {"getManualAngleOfIllumination", ROLE_OPERATOR, get_manual_angle},
    {"getCurrentAngleOfIllumination", ROLE_OPERATOR, get_current_angle},
    {"setLightSynchronizationDayNightMode", ROLE_OPERATOR, set_synchronization},
    {"getLightSynchronizationDayNightMode", ROLE_OPERATOR, get_synchronization},
    {"getSupportedVersions", ROLE_OPERATOR, json_serve_versions},
};
static const struct json_cgi api = {"1.1", &json_family_d, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/lightcontrol.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_OPERATOR,
     .changes_state = true,
     .serve = serve,
     .doc = "the camera's infrared lamp (JSON)"},
};
const struct cgi cgi_lightcontrol = {CGI_ROWS(rows)};
