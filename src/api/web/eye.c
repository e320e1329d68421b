#include "api/web/eye.h"

#include <math.h>
#include <string.h>

#include "api/camera.h"
#include "api/commit.h"
#include "api/vapix/ptz_lens.h"
#include "api/web/reply.h"
#include "base/fault.h"
#include "conf/param.h"
#include "device/device.h"
#include "image/eye.h"
#include "image/settings.h"
#include "net/exchange.h"

static double rounded(double v, double to)
{
    return round(v / to) * to;
}

static json_t *number_or_null(bool known, double v)
{
    return known && isfinite(v) ? json_real(v) : json_null();
}

/* What can be set at all; the page leaves out the rest. */
static json_t *can(const struct camera *cam)
{
    struct lens_caps lens = {0};
    struct sensor_caps sensor = {0};
    const struct device *d = cam->device;
    if (d->lens)
        d->lens->ops->caps(d->lens, &lens);
    d->sensor->ops->caps(d->sensor, &sensor);
    return json_pack("{s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b}", "focus", (int)lens.focus, "iris",
                     (int)lens.iris, "exposure", (sensor.can & SENSOR_EXPOSURE) != 0, "balance",
                     (sensor.can & SENSOR_BALANCE) != 0, "filter",
                     (sensor.can & SENSOR_FILTER) != 0, "range", (sensor.can & SENSOR_RANGE) != 0,
                     "infrared", d->infrared != NULL, "led", d->led != NULL);
}

static int count_recalls(struct camera *cam)
{
    int n = 0;
    const struct eye_settings *s = room_ref(cam->eye_room);
    for (int i = 0; i < EYE_RECALLS; i++)
        n += s->focus.recall[i].used;
    room_unref(s);
    return n;
}

json_t *eye_json(struct camera *cam)
{
    static const char *const colours[] = {"off", "green", "amber", "red"};
    if (!cam->eye)
        return NULL;
    struct eye_status s = {0};
    struct lens_state lens;
    eye_status(cam->eye, &s);
    lens_where(cam, &lens);
    double ms = (double)s.exposure_ns / 1e6;
    json_t *led = json_null();
    double blink_hz = 0;
    if (cam->device->led) {
        led = json_string(colours[cam->device->led->ops->get(cam->device->led, &blink_hz)]);
    }
    json_t *j = json_pack(
        "{s:f, s:f, s:f, s:f, s:b, s:f, s:b, s:b, s:f, s:f, s:b, s:f, s:b, s:o}", "exposureMs",
        rounded(ms, ms < 1 ? 0.001 : 0.01), "gainDb", rounded(s.gain_db, 0.1), "iris",
        rounded(lens.iris_f, 0.1), "level", rounded(s.level, 0.01), "settled", (int)s.settled,
        "range", rounded(s.range, 0.1), "night", (int)s.night, "irCut", (int)s.ir_cut, "infrared",
        rounded(s.infrared, 0.01), "focus", rounded(lens.focus, 0.0001), "focusing",
        s.focusing || lens.moving, "steadiedPx", rounded(s.steadied_px, 0.1), "assist",
        (int)eye_assisting(cam->eye), "led", led);
    if (!j)
        return NULL;
    json_object_set_new(j, "kelvin", number_or_null(s.kelvin > 0, rounded(s.kelvin, 10)));
    json_object_set_new(j, "sharpness",
                        number_or_null(s.sharpness > 0, rounded(s.sharpness, 0.01)));
    json_object_set_new(j, "recall", s.recall < 0 ? json_null() : json_integer(s.recall + 1));
    json_object_set_new(j, "recalls", json_integer(count_recalls(cam)));
    json_object_set_new(j, "recallMost", json_integer(EYE_RECALL_MOST));
    json_object_set_new(j, "ledBlinkHz", json_real(blink_hz));
    json_object_set_new(j, "can", can(cam));
    return j;
}

/* ---- orders ---- */

static int number(const json_t *q, const char *name, double min, double max, double *ret,
                  struct fault *why)
{
    int err = json_get_double(q, name, ret, why);
    if (!err && !(*ret >= min && *ret <= max))
        err = fault_set(why, FAULT_INVALID, name, "%s is a number from %g to %g.", name, min, max);
    return err;
}

/* "once": true; what else it could be means nothing. */
static int must_be_true(const json_t *q, const char *name, struct fault *why)
{
    bool on = false;
    int err = json_get_bool(q, name, &on, why);
    return err ? err : on ? 0 : fault_set(why, FAULT_INVALID, name, "%s is true.", name);
}

static int focus(struct camera *cam, const json_t *q, struct fault *why)
{
    double v = 0;
    int err = number(q, "focus", 0, 1, &v, why);
    return err ? err : eye_focus_go(cam->eye, v, why);
}

static int focus_by(struct camera *cam, const json_t *q, struct fault *why)
{
    double v = 0;
    int err = number(q, "focusBy", -1, 1, &v, why);
    return err ? err : eye_focus_by(cam->eye, v, why);
}

static int focus_once(struct camera *cam, const json_t *q, struct fault *why)
{
    int err = must_be_true(q, "focusOnce", why);
    return err ? err : eye_focus_once(cam->eye, why);
}

static int focus_auto(struct camera *cam, const json_t *q, struct fault *why)
{
    int err = must_be_true(q, "focusAuto", why);
    if (!err)
        conf_set(cam->conf, "ImageSource.I0.Focus.Mode", "auto");
    return err;
}

static int spot(struct camera *cam, const json_t *q, struct fault *why)
{
    const json_t *at = json_object_get(q, "spot");
    double p[2];
    for (size_t i = 0; i < 2; i++) {
        const json_t *v = json_array_get(at, i);
        p[i] = json_is_number(v) ? json_number_value(v) : -1;
    }
    if (json_array_size(at) != 2 || !(p[0] >= 0 && p[0] <= 1 && p[1] >= 0 && p[1] <= 1))
        return fault_set(why, FAULT_INVALID, "spot",
                         "spot is a point of the picture: [x, y], each from 0 to 1.");
    return eye_focus_spot(cam->eye, p[0], p[1], why);
}

static int recall(struct camera *cam, const json_t *q, struct fault *why)
{
    const char *what = "", *name = NULL;
    int number, err = json_get_string(q, "recall", &what, why);
    if (!err && json_object_get(q, "name"))
        err = json_get_string(q, "name", &name, why);
    if (err)
        return err;
    if (!strcmp(what, "add"))
        return eye_recall_add(cam->eye, name, &number, why);
    if (!strcmp(what, "remove"))
        return eye_recall_remove(cam->eye, why);
    return fault_set(why, FAULT_INVALID, "recall", "recall is \"add\" or \"remove\".");
}

static int assist(struct camera *cam, const json_t *q, struct fault *why)
{
    bool on = false;
    int err = json_get_bool(q, "assist", &on, why);
    if (!err && !cam->device->led)
        err = fault_set(why, FAULT_UNSUPPORTED, "assist", "This camera has no status LED.");
    if (!err)
        eye_assist(cam->eye, on);
    return err;
}

static const struct {
    const char *name;
    int (*run)(struct camera *cam, const json_t *q, struct fault *why);
    bool lens;
} orders[] = {
    {"focus", focus, true},          {"focusBy", focus_by, true}, {"focusOnce", focus_once, true},
    {"focusAuto", focus_auto, true}, {"spot", spot, true},        {"recall", recall, true},
    {"assist", assist, false},
};

int eye_order(struct camera *cam, const json_t *q, struct fault *why)
{
    struct lens_caps lens = {0};
    if (!cam->eye)
        return fault_set(why, FAULT_UNSUPPORTED, NULL, "There is nothing to be set here.");
    if (cam->device->lens)
        cam->device->lens->ops->caps(cam->device->lens, &lens);
    size_t n = sizeof orders / sizeof *orders, found = n;
    for (size_t i = 0; i < n; i++) {
        if (!json_object_get(q, orders[i].name))
            continue;
        if (found < n)
            return fault_set(why, FAULT_INVALID, orders[i].name, "One order at a time.");
        found = i;
    }
    if (found == n)
        return fault_set(why, FAULT_MISSING, NULL,
                         "An order is one of focus, focusBy, focusOnce, focusAuto, spot, recall, "
                         "assist.");
    if (orders[found].lens && !lens.focus)
        return fault_set(why, FAULT_UNSUPPORTED, orders[found].name,
                         "The focus of this camera cannot be moved.");
    return orders[found].run(cam, q, why);
}

/* ---- HTTP ---- */

void eye_serve(struct camera *cam, struct exchange *ex)
{
    if (cam->eye)
        web_reply(ex, 200, eye_json(cam));
    else
        web_reply_error(ex, 404, "unsupported", "There is nothing to be set here.");
}

static void on_settings(struct exchange *ex, int err, const struct fault *why, void *arg)
{
    if (err)
        web_reply_fault(ex, why);
    else
        eye_serve(arg, ex);
}

void eye_serve_order(struct camera *cam, struct exchange *ex)
{
    struct fault why = {0};
    JSON_AUTO *q = json_parse(ex->body, ex->body_len, &why);
    if (q && !json_is_object(q))
        fault_set(&why, FAULT_INVALID, NULL, "The body is an object, as {\"focus\": 0.5}.");
    if (!json_is_object(q) || eye_order(cam, q, &why))
        web_reply_fault(ex, &why);
    else
        commit_then(cam, ex, NULL, on_settings, cam);
}
