/* daynight.cgi: when it becomes night, and day again. */
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "base/fault.h"
#include "conf/param.h"
#include "image/settings.h"

#define CHANNEL 0

static const struct {
    const char *member, *param;
    size_t offset;
} values[] = {
    {"DayNightShiftLevel", "ShiftLevel", offsetof(struct eye_settings, daynight.night_level)},
    {"DayNightDwellTime", "DwellTime", offsetof(struct eye_settings, daynight.night_dwell_s)},
    {"NightDayShiftLevel", "NightDayShiftLevel", offsetof(struct eye_settings, daynight.day_level)},
    {"NightDayDwellTime", "NightDayDwellTime", offsetof(struct eye_settings, daynight.day_dwell_s)},
};
#define N_VALUES (sizeof values / sizeof *values)

static int check_channel(struct json_call *c, struct fault *why)
{
    int64_t channel = CHANNEL;
    int err = json_get_int(c->params, "channel", &channel, why);
    if (!err && channel != CHANNEL)
        err = fault_set(why, FAULT_UNKNOWN, "channel", "There is only channel %d", CHANNEL);
    return err;
}

/* The thresholds are the user's, and at night the lens has no filter. */
static json_t *configuration(const int *v)
{
    json_t *j = json_pack("{s:i}", "channel", CHANNEL);
    for (size_t i = 0; i < N_VALUES; i++)
        json_object_set_new(j, values[i].member, json_integer(v[i]));
    json_object_set_new(j, "Autotune", json_false());
    json_object_set_new(j, "NightFilter", json_string("clear"));
    return json_pack("[o]", j);
}

static void read_values(struct json_call *c, int *ret)
{
    const struct eye_settings *s = room_ref(c->door->cam->eye_room);
    for (size_t i = 0; i < N_VALUES; i++)
        memcpy(&ret[i], (const char *)s + values[i].offset, sizeof *ret);
    room_unref(s);
}

static void get(struct json_call *c)
{
    struct fault why = {0};
    int v[N_VALUES];
    if (check_channel(c, &why)) {
        json_call_fault(c, &why);
        return;
    }
    read_values(c, v);
    json_call_reply(c, configuration(v));
}

static void get_capabilities(struct json_call *c)
{
    struct fault why = {0};
    if (check_channel(c, &why)) {
        json_call_fault(c, &why);
        return;
    }
    json_call_reply(c,
                    json_pack("[{s:i, s:b, s:b, s:b, s:b, s:b, s:[s]}]", "channel", CHANNEL,
                              "DayNightShiftLevel", 1, "DayNightDwellTime", 1, "NightDayShiftLevel",
                              1, "NightDayDwellTime", 1, "Autotune", 0, "NightFilter", "clear"));
}

static int set_all(struct json_call *c, struct txn *t, int *v, struct fault *why)
{
    bool autotune = false;
    const char *filter = "clear";
    int err = check_channel(c, why);
    if (!err && !(err = json_get_bool(c->params, "Autotune", &autotune, why)) && autotune)
        err = fault_set(why, FAULT_INVALID, "Autotune", "Autotune is not supported");
    if (!err && !(err = json_get_string(c->params, "NightFilter", &filter, why)) &&
        strcmp(filter, "clear"))
        err = fault_set(why, FAULT_INVALID, "NightFilter", "The only NightFilter is clear");
    for (size_t i = 0; !err && i < N_VALUES; i++) {
        int64_t number = 0;
        char name[64], text[24];
        if (!json_object_get(c->params, values[i].member))
            continue;
        if ((err = json_get_int(c->params, values[i].member, &number, why)))
            break;
        snprintf(name, sizeof name, "ImageSource.I0.DayNight.%s", values[i].param);
        snprintf(text, sizeof text, "%lld", (long long)number);
        err = txn_set(t, name, text, why);
        v[i] = (int)number;
    }
    return err;
}

static void set(struct json_call *c)
{
    struct fault why = {0};
    int v[N_VALUES];
    struct txn *t = txn_new(c->door->cam->conf, c->ex->who.groups);
    if (!t) {
        json_call_error(c, c->cgi->family->internal, "Internal error");
        return;
    }
    read_values(c, v);
    if (set_all(c, t, v, &why)) {
        txn_abort(t);
        json_call_fault(c, &why);
        return;
    }
    json_call_commit(c, t, configuration(v));
}

static const struct json_method methods[] = {
    {"getCapabilities", ROLE_OPERATOR, get_capabilities},
    {"getConfiguration", ROLE_OPERATOR, get},
    {"setConfiguration", ROLE_OPERATOR, set},
    {"getSupportedVersions", ROLE_OPERATOR, json_serve_versions},
};
static const struct json_cgi api = {"1.0", &json_family_b, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/daynight.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_OPERATOR,
     .changes_state = true,
     .serve = serve,
     .doc = "when the camera goes over to night and back (JSON)"},
};
const struct cgi cgi_daynight = {CGI_ROWS(rows)};
