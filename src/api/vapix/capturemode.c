/* capturemode.cgi: sizes and rates that the sensor can take. A new one holds from the next
 * start on, so setting it starts the camera anew. */
#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "base/fault.h"
#include "conf/param.h"
#include "image/settings.h"

#define CHANNEL 1

static unsigned count(const struct vapix_door *d)
{
    return d->sensor.n_modes ? d->sensor.n_modes : 1;
}

static struct sensor_mode mode_at(const struct vapix_door *d, unsigned i)
{
    if (d->sensor.n_modes)
        return d->sensor.mode[i];
    return (struct sensor_mode){d->sensor.width, d->sensor.height, d->sensor.fps};
}

static const char *shape(const struct sensor_mode *m)
{
    return m->width * 9 == m->height * 16  ? " (16:9)"
           : m->width * 3 == m->height * 4 ? " (4:3)"
                                           : "";
}

/* What is set; where nothing is, as the sensor was opened. */
static unsigned chosen(const struct vapix_door *d)
{
    const struct eye_settings *s = room_ref(d->cam->eye_room);
    int mode = s->capture_mode;
    room_unref(s);
    if (mode >= 0 && (unsigned)mode < count(d))
        return (unsigned)mode;
    for (unsigned i = 0; i < count(d); i++) {
        struct sensor_mode m = mode_at(d, i);
        if (m.width == d->sensor.width && m.height == d->sensor.height && m.fps == d->sensor.fps)
            return i;
    }
    return 0;
}

/* Lamps flicker with the mains: only rates that go into its frequency, and what is set. */
static bool offered(const struct vapix_door *d, unsigned i)
{
    const struct eye_settings *s = room_ref(d->cam->eye_room);
    double mains_hz = s->mains == MAINS_60HZ ? 60 : 50;
    room_unref(s);
    return i < count(d) && (i == chosen(d) || fmod(mains_hz, mode_at(d, i).fps) < 1e-6);
}

static void get(struct json_call *c)
{
    struct vapix_door *d = c->door;
    unsigned now = chosen(d);
    json_t *list = json_array();
    for (unsigned i = 0; i < count(d); i++) {
        struct sensor_mode m = mode_at(d, i);
        if (!offered(d, i))
            continue;
        char text[64];
        snprintf(text, sizeof text, "%dx%d%s @ %g fps", m.width, m.height, shape(&m), m.fps);
        json_array_append_new(list,
                              json_pack("{s:i, s:b, s:f, s:s}", "captureModeId", (int)i, "enabled",
                                        i == now, "maxFPS", m.fps, "description", text));
    }
    json_call_reply(c, json_pack("[{s:i, s:o}]", "channel", CHANNEL, "captureMode", list));
}

/* Both lie beside params; within them they are taken as well. */
static int member(struct json_call *c, const char *name, int64_t *ret, struct fault *why)
{
    const json_t *from = json_object_get(c->request, name) ? c->request : c->params;
    if (!json_object_get(from, name))
        return fault_set(why, FAULT_MISSING, name, "The member \"%s\" is missing", name);
    return json_get_int(from, name, ret, why);
}

static void set(struct json_call *c)
{
    struct camera *cam = c->door->cam;
    struct fault why = {0};
    int64_t channel = 0, mode = 0;
    int err = member(c, "channel", &channel, &why);
    if (!err && channel != CHANNEL)
        err = fault_set(&why, FAULT_UNKNOWN, "channel", "There is only channel %d", CHANNEL);
    if (!err)
        err = member(c, "captureModeId", &mode, &why);
    if (!err && (mode < 0 || mode > UINT_MAX || !offered(c->door, (unsigned)mode)))
        err = fault_set(&why, FAULT_UNKNOWN, "captureModeId",
                        "getCaptureModes names the ones that there are at this mains frequency");
    struct txn *t = err ? NULL : txn_new(cam->conf, ~0u); /* the parameter alone is an admin's */
    if (!err && !t)
        err = fault_set(&why, FAULT_INTERNAL, NULL, "Internal error");
    char text[8];
    snprintf(text, sizeof text, "%d", (int)mode);
    if (!err)
        err = txn_set(t, "ImageSource.I0.Sensor.CaptureMode", text, &why);
    if (err) {
        if (t)
            txn_abort(t);
        json_call_fault(c, &why);
        return;
    }
    c->restarts = mode != chosen(c->door);
    json_call_commit(c, t, json_object());
}

static const struct json_method methods[] = {
    {"getCaptureModes", ROLE_VIEWER, get},
    {"setCaptureMode", ROLE_OPERATOR, set},
    {"getSupportedVersions", ROLE_VIEWER, json_serve_versions},
};
static const struct json_cgi api = {"1.0", &json_family_j, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/capturemode.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER, /* changes: operator */
     .changes_state = true,
     .serve = serve,
     .doc = "sizes and rates of the sensor (JSON)"},
};
const struct cgi cgi_capturemode = {CGI_ROWS(rows)};
