#include "api/vapix/ptz_lens.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "device/device.h"
#include "image/eye.h"
#include "image/settings.h"

#define STEP_MIN 1
#define STEP_MAX 9999
#define SPAN (STEP_MAX - STEP_MIN)
#define ROW "ImageSource.I0."

void lens_can(struct camera *cam, struct lens_can *ret)
{
    struct lens_caps lens = {0};
    struct sensor_caps sensor = {0};
    *ret = (struct lens_can){0};
    if (!cam->eye)
        return;
    if (cam->device->lens)
        cam->device->lens->ops->caps(cam->device->lens, &lens);
    cam->device->sensor->ops->caps(cam->device->sensor, &sensor);
    *ret = (struct lens_can){.focus = lens.focus,
                             .iris = lens.iris,
                             .brightness = true,
                             .filter = sensor.can & SENSOR_FILTER,
                             .backlight = sensor.can & (SENSOR_TONE | SENSOR_RANGE)};
}

void lens_where(struct camera *cam, struct lens_state *ret)
{
    *ret = (struct lens_state){.focus = 1};
    if (cam->device->lens)
        cam->device->lens->ops->state(cam->device->lens, clock_now(cam->clock), ret);
}

/* ---- scales ---- */

static double focus_of(double step)
{
    return (step - STEP_MIN) / SPAN;
}

/* From closed to open, evenly in stops. */
static double iris_of(struct camera *cam, double step)
{
    struct lens_caps c;
    cam->device->lens->ops->caps(cam->device->lens, &c);
    double share = fmax(0, fmin(1, (step - STEP_MIN) / SPAN));
    return c.narrowest_f * pow(c.widest_f / c.narrowest_f, share);
}

static double step_of_iris(struct camera *cam, double f)
{
    struct lens_caps c;
    cam->device->lens->ops->caps(cam->device->lens, &c);
    double stops = log(c.narrowest_f / c.widest_f);
    double share = stops > 0 && f > 0 ? log(c.narrowest_f / f) / stops : 1;
    return STEP_MIN + round(SPAN * fmax(0, fmin(1, share)));
}

/* ---- arguments ---- */

static int bad(struct fault *why, const char *name, const char *value, const char *allowed)
{
    return fault_set(why, FAULT_INVALID, name, "%s=%.40s is not possible; allowed: %s", name, value,
                     allowed);
}

static int take_number(double *ret, const char *name, const char *value, double min, double max,
                       struct fault *why)
{
    char allowed[64];
    snprintf(allowed, sizeof allowed, "%g to %g", min, max);
    return text_double(value, min, max, ret) ? bad(why, name, value, allowed) : 0;
}

static int take_on_off(int *ret, const char *name, const char *value, struct fault *why)
{
    bool on = !strcmp(value, "on");
    if (!on && strcmp(value, "off"))
        return bad(why, name, value, "on, off");
    *ret = on;
    return 0;
}

static int take_filter(const char **ret, const char *name, const char *value, struct fault *why)
{
    static const char *const words[][2] = {{"on", "yes"}, {"off", "no"}, {"auto", "auto"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcmp(words[i][0], value)) {
            *ret = words[i][1];
            return 0;
        }
    }
    return bad(why, name, value, "on, off, auto");
}

int lens_plan_take(struct lens_plan *p, const char *name, const char *value, struct fault *why)
{
    const struct {
        const char *name;
        double *to, min, max;
    } numbers[] = {
        {"focus", &p->focus, STEP_MIN, STEP_MAX},
        {"rfocus", &p->rfocus, -STEP_MAX, STEP_MAX},
        {"iris", &p->iris, STEP_MIN, STEP_MAX},
        {"riris", &p->riris, -STEP_MAX, STEP_MAX},
        {"brightness", &p->brightness, STEP_MIN, STEP_MAX},
        {"rbrightness", &p->rbrightness, -STEP_MAX, STEP_MAX},
    };
    const struct {
        const char *name;
        int *to;
    } switches[] = {
        {"autofocus", &p->autofocus},
        {"autoiris", &p->autoiris},
        {"backlight", &p->backlight},
    };
    int err = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(numbers[i].name, name))
            continue;
        err = take_number(numbers[i].to, name, value, numbers[i].min, numbers[i].max, why);
        return err ? err : 1;
    }
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        if (strcmp(switches[i].name, name))
            continue;
        err = take_on_off(switches[i].to, name, value, why);
        return err ? err : 1;
    }
    const struct {
        const char *name;
        double *to;
    } speeds[] = {
        {"continuousfocusmove", &p->cfocus},
        {"continuousirismove", &p->ciris},
        {"continuousbrightnessmove", &p->cbrightness},
    };
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        if (strcmp(speeds[i].name, name))
            continue;
        /* Some clients send more than 100: they mean all. */
        err = take_number(speeds[i].to, name, value, -1000, 1000, why);
        *speeds[i].to = fmax(-1, fmin(1, *speeds[i].to / 100));
        return err ? err : 1;
    }
    if (!strcmp(name, "ircutfilter")) {
        err = take_filter(&p->filter, name, value, why);
        return err ? err : 1;
    }
    return 0;
}

int lens_plan_check(const struct lens_plan *p, struct camera *cam, struct fault *why)
{
    struct lens_can can;
    lens_can(cam, &can);
    const struct {
        bool asked, can;
        const char *what;
    } all[] = {
        {!isnan(p->focus) || !isnan(p->rfocus) || !isnan(p->cfocus), can.focus, "focus"},
        {!isnan(p->iris) || !isnan(p->riris) || !isnan(p->ciris), can.iris, "iris"},
        {!isnan(p->brightness) || !isnan(p->rbrightness) || !isnan(p->cbrightness), can.brightness,
         "brightness"},
        /* What looks after itself may be told to. */
        {p->autofocus == 0, can.focus, "autofocus=off"},
        {p->autoiris == 0, can.iris, "autoiris=off"},
        {p->backlight == 1, can.backlight, "backlight"},
        {p->filter, can.filter, "ircutfilter"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].asked && !all[i].can)
            return fault_set(why, FAULT_UNSUPPORTED, all[i].what,
                             "%s is not supported by this camera", all[i].what);
    return 0;
}

/* ---- carrying it out ---- */

static int move(const struct lens_plan *p, struct camera *cam, struct fault *why)
{
    int err = 0;
    if (!isnan(p->focus))
        err = eye_focus_go(cam->eye, focus_of(p->focus), why);
    if (!err && !isnan(p->rfocus))
        err = eye_focus_by(cam->eye, fmax(-1, fmin(1, p->rfocus / SPAN)), why);
    if (!err && !isnan(p->cfocus))
        err = eye_focus_move(cam->eye, p->cfocus, why);
    if (!err && !isnan(p->ciris))
        err = eye_iris_move(cam->eye, p->ciris, why);
    if (!err && !isnan(p->cbrightness))
        err = eye_brightness_move(cam->eye, p->cbrightness, why);
    if (!err && !isnan(p->iris))
        err = eye_iris_go(cam->eye, iris_of(cam, p->iris), why);
    if (!err && (!isnan(p->riris) || p->autoiris == 0)) {
        struct lens_state now;
        lens_where(cam, &now); /* off: it stays as it is */
        double by = isnan(p->riris) ? 0 : p->riris;
        err = eye_iris_go(cam->eye, iris_of(cam, step_of_iris(cam, now.iris_f) + by), why);
    }
    return err;
}

struct changes {
    struct txn *t;
    int err;
    struct fault *why;
};

static void change(struct changes *c, const char *name, const char *value)
{
    if (!c->err)
        c->err = txn_set(c->t, name, value, c->why);
}

static void change_brightness(struct changes *c, const struct lens_plan *p, struct camera *cam)
{
    const struct eye_settings *s = room_ref(cam->eye_room);
    double v = isnan(p->brightness) ? s->brightness : (p->brightness - STEP_MIN) / SPAN * 100;
    room_unref(s);
    if (!isnan(p->rbrightness))
        v += p->rbrightness / SPAN * 100;
    char text[8];
    snprintf(text, sizeof text, "%.0f", round(fmax(0, fmin(100, v))));
    change(c, ROW "Sensor.Brightness", text);
}

int lens_plan_carry_out(const struct lens_plan *p, struct camera *cam, struct txn **ret_txn,
                        struct fault *why)
{
    *ret_txn = NULL;
    struct lens_can can;
    lens_can(cam, &can);
    int err = move(p, cam, why);
    bool moved = !isnan(p->focus) || !isnan(p->rfocus) || !isnan(p->cfocus) || !isnan(p->iris) ||
                 !isnan(p->riris) || p->autoiris == 0 || !isnan(p->ciris) || !isnan(p->cbrightness);
    bool bright = !isnan(p->brightness) || !isnan(p->rbrightness);
    bool focus = p->autofocus >= 0 && can.focus, iris = p->autoiris > 0 && can.iris;
    bool light = p->backlight >= 0 && can.backlight;
    if (err || !(moved || bright || focus || iris || light || p->filter))
        return err;
    /* Who may move the camera may do this; the parameters themselves are an operator's. A
     * move sets some by itself: then with nothing of its own. */
    struct changes c = {txn_new(cam->conf, ~0u), 0, why};
    if (!c.t)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    if (focus)
        change(&c, ROW "Focus.Mode", p->autofocus ? "auto" : "manual");
    if (iris) {
        change(&c, ROW "Sensor.Exposure", "auto");
        change(&c, ROW "Sensor.ApertureLock", "no");
    }
    if (light)
        change(&c, ROW "Sensor.WDR", p->backlight ? "on" : "off");
    if (p->filter)
        change(&c, ROW "DayNight.IrCutFilter", p->filter);
    if (bright)
        change_brightness(&c, p, cam);
    if (c.err) {
        txn_abort(c.t);
        return c.err;
    }
    *ret_txn = c.t;
    return 0;
}

/* ---- questions ---- */

void lens_position(struct buf *out, struct camera *cam)
{
    struct lens_can can;
    struct lens_state now;
    lens_can(cam, &can);
    lens_where(cam, &now);
    const struct eye_settings *s = room_ref(cam->eye_room);
    bool iris = can.iris && eye_iris_by_hand(s);
    /* An iris that nobody can move is in the middle of its scale. */
    buf_addf(out, "iris=%.0f\r\nfocus=%.0f\r\nbrightness=%.0f\r\nautofocus=%s\r\nautoiris=%s\r\n",
             can.iris ? step_of_iris(cam, now.iris_f) : (STEP_MIN + STEP_MAX) / 2,
             STEP_MIN + round(SPAN * now.focus), STEP_MIN + round(SPAN * s->brightness / 100.0),
             can.focus && s->focus.mode == FOCUS_MANUAL ? "off" : "on", iris ? "off" : "on");
    room_unref(s);
}

void lens_limits(struct buf *out, struct camera *cam)
{
    struct lens_can can;
    lens_can(cam, &can);
    const struct eye_settings *s = room_ref(cam->eye_room);
    if (can.iris)
        buf_addf(out, "MinIris=%d\r\nMaxIris=%d\r\n", STEP_MIN, STEP_MAX);
    if (can.focus)
        buf_addf(out, "MinFocus=%d\r\nMaxFocus=%d\r\n", s->focus.near_step, STEP_MAX);
    room_unref(s);
}

void lens_info(struct buf *out, struct camera *cam)
{
    struct lens_can can;
    lens_can(cam, &can);
    if (can.focus)
        buf_adds(out, "focus=[n]\nrfocus=[offset]\ncontinuousfocusmove=[speed]\n");
    buf_adds(out, can.focus ? "autofocus={ on | off }\n" : "autofocus={ on }\n");
    if (can.iris)
        buf_adds(out, "iris=[n]\nriris=[offset]\ncontinuousirismove=[speed]\n");
    buf_adds(out, can.iris ? "autoiris={ on | off }\n" : "autoiris={ on }\n");
    if (can.brightness)
        buf_adds(out, "brightness=[n]\nrbrightness=[offset]\ncontinuousbrightnessmove=[speed]\n");
    if (can.filter)
        buf_adds(out, "ircutfilter={ on | off | auto }\n");
    if (can.backlight)
        buf_adds(out, "backlight={ on | off }\n");
}
