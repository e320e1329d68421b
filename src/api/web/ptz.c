#include "api/web/ptz.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/person.h"
#include "api/web/reply.h"
#include "api/web/socket.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "ptz/guard_tour.h"
#include "ptz/home_timeout.h"
#include "ptz/presets.h"
#include "ptz/ptz.h"
#include "ptz/queue.h"
#include "ptz/recorded_tour.h"

/* ---- how it is ---- */

static json_t *preset_list(struct camera *cam)
{
    json_t *list = json_array();
    double most = 1;
    struct head_caps caps;
    ptz_caps(cam->ptz, &caps);
    most = caps.zoom ? caps.max_zoom : 1;
    const struct preset_settings *s = presets_ref(cam->presets);
    for (int i = 1; i <= PRESETS_MOST; i++) {
        const struct preset *p = &s->preset[i];
        struct preset_data d;
        if (!p->used || preset_data_parse(p->data, &d, NULL))
            continue;
        json_t *o = json_pack("{s:i, s:s, s:f, s:f, s:b, s:b}", "number", i, "name", p->name, "pan",
                              d.pan_deg, "tilt", d.tilt_deg, "focus", (int)!isnan(d.focus), "image",
                              (int)(*p->image != '\0'));
        if (!isnan(d.zoom))
            json_object_set_new(o, "zoom", json_real(1 + (d.zoom - 1) / 9998 * (most - 1)));
        json_array_append_new(list, o);
    }
    room_unref(s);
    return list;
}

static json_t *tour_steps(const struct guard_tour *t)
{
    json_t *list = json_array();
    bool taken[GUARD_STEPS] = {false};
    for (;;) {
        int first = -1;
        for (int i = 0; i < GUARD_STEPS; i++)
            if (t->step[i].used && !taken[i] &&
                (first < 0 || t->step[i].position < t->step[first].position))
                first = i;
        if (first < 0)
            return list;
        taken[first] = true;
        const struct guard_step *s = &t->step[first];
        json_array_append_new(list, json_pack("{s:i, s:i, s:i, s:i}", "id", first, "preset",
                                              s->preset, "waitS", s->wait_s, "speed", s->speed));
    }
}

static json_t *due(struct camera *cam, int64_t due_ns)
{
    if (!due_ns)
        return json_null();
    char text[32];
    text_utc(clock_utc(cam->clock) + due_ns - clock_now(cam->clock), text, sizeof text);
    text[19] = 'Z'; /* whole seconds: it does not change while it waits */
    text[20] = '\0';
    return json_string(text);
}

static json_t *guard_list(struct camera *cam)
{
    static const char *const states[] = {"idle", "waits", "goes", "looks", "pauses"};
    struct guard_status now;
    json_t *list = json_array();
    guard_tours_status(cam->guard_tours, &now);
    const struct guard_settings *s = guard_tours_ref(cam->guard_tours);
    for (int i = 0; i < GUARD_TOURS; i++) {
        const struct guard_tour *t = &s->tour[i];
        if (!t->used)
            continue;
        bool on = now.tour == i;
        json_array_append_new(
            list, json_pack("{s:i, s:s, s:b, s:b, s:i, s:o, s:s, s:i, s:o}", "id", i, "name",
                            t->name, "running", (int)t->running, "random", (int)t->random,
                            "pauseMin", t->pause_min, "steps", tour_steps(t), "state",
                            states[on ? now.state : GUARD_IDLE], "step", on ? now.step : -1, "due",
                            due(cam, on ? now.due_ns : 0)));
    }
    room_unref(s);
    return list;
}

static json_t *recorded_list(struct camera *cam)
{
    static const char *const states[] = {"idle", "records", "loads", "waits",
                                         "held", "goes",    "plays", "pauses"};
    struct recorded_status now;
    json_t *list = json_array();
    recorded_tours_status(cam->recorded_tours, &now);
    const struct recorded_settings *s = recorded_tours_ref(cam->recorded_tours);
    for (int i = 0; i < RECORDED_TOURS; i++) {
        const struct recorded_tour *t = &s->tour[i];
        bool on = now.tour == i;
        if (!t->used && !on)
            continue;
        json_array_append_new(list, json_pack("{s:i, s:s, s:i, s:s}", "id", i, "name",
                                              t->used ? t->name : now.name, "delayS",
                                              t->used ? t->delay_s : 60, "state",
                                              states[on ? now.state : RECORDED_IDLE]));
    }
    room_unref(s);
    return list;
}

static json_t *control(struct camera *cam, const struct controller *me)
{
    struct controller owner = {0};
    struct control_place place;
    bool owned = control_owner(cam->control, &owner);
    control_place(cam->control, me, true, &place); /* an open page is one that asks */
    return json_pack("{s:b, s:s, s:s, s:i, s:i}", "on", (int)control_is_on(cam->control), "user",
                     owned ? owner.user : "", "group", owned ? control_group_name(owner.group) : "",
                     "position", place.position, "waiting", place.waiting);
}

json_t *ptz_json(struct camera *cam, const struct controller *me)
{
    if (!cam->presets || !ptz_exists(cam->ptz))
        return NULL;
    return json_pack("{s:o, s:i, s:i, s:i, s:o, s:o, s:o}", "presets", preset_list(cam), "home",
                     presets_home(cam->presets), "on", presets_on(cam->presets), "to",
                     presets_to(cam->presets), "tours", guard_list(cam), "recordings",
                     recorded_list(cam), "control", control(cam, me));
}

void ptz_serve(struct camera *cam, struct exchange *ex)
{
    struct controller me;
    person_of(cam, ex, &me);
    json_t *now = ptz_json(cam, &me);
    if (now)
        web_reply(ex, 200, now);
    else
        web_reply_error(ex, 404, "unsupported", "This camera does not move.");
}

/* ---- arguments ---- */

/* Absent: `standard`. */
static int whole(const json_t *q, const char *key, int min, int max, int standard, int *ret,
                 struct fault *why)
{
    const json_t *v = json_object_get(q, key);
    *ret = standard;
    if (!v || json_is_null(v))
        return 0;
    if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max)
        return fault_set(why, FAULT_INVALID, key, "%s is a whole number from %d to %d.", key, min,
                         max);
    *ret = (int)json_integer_value(v);
    return 0;
}

static int text(const json_t *q, const char *key, const char **ret, struct fault *why)
{
    *ret = NULL;
    const json_t *v = json_object_get(q, key);
    return v && !json_is_null(v) ? json_get_string(q, key, ret, why) : 0;
}

static int flag(const json_t *q, const char *key, bool standard, bool *ret, struct fault *why)
{
    *ret = standard;
    return json_object_get(q, key) ? json_get_bool(q, key, ret, why) : 0;
}

static int may(const struct web_socket *s, enum role role, struct fault *why)
{
    return role_allows(role, s->who.groups)
               ? 0
               : fault_set(why, FAULT_DENIED, NULL, "This account may not do that.");
}

static int there(const struct web_socket *s, struct fault *why)
{
    return s->hub->cam->presets && ptz_exists(s->hub->cam->ptz)
               ? 0
               : fault_set(why, FAULT_UNSUPPORTED, NULL, "This camera does not move.");
}

/* Finishes what was put into the transaction: 1, or the fault. */
static int finish(struct web_socket *s, const json_t *q, struct txn *take_t, int err,
                  json_t *take_more, struct fault *why)
{
    if (!err)
        return command_commit(s, q, take_t, take_more, why);
    txn_abort(take_t);
    json_decref(take_more);
    return err;
}

static struct txn *txn_for(struct web_socket *s, struct fault *why)
{
    struct txn *t = txn_new(s->hub->cam->conf, ~0u); /* the role was looked at */
    if (!t)
        fault_set(why, FAULT_INTERNAL, NULL, "Out of memory.");
    return t;
}

static int one_order(const json_t *q, const char *const *names, size_t n, size_t *ret,
                     struct fault *why)
{
    size_t found = n;
    for (size_t i = 0; i < n; i++) {
        if (!json_object_get(q, names[i]))
            continue;
        if (found < n)
            return fault_set(why, FAULT_INVALID, names[i], "One order at a time.");
        found = i;
    }
    *ret = found;
    return found < n ? 0 : fault_set(why, FAULT_MISSING, names[0], "%s is missing.", names[0]);
}

/* ---- presets ---- */

static int go(struct web_socket *s, const json_t *q, struct fault *why)
{
    struct camera *cam = s->hub->cam;
    struct controller who;
    int number = 0, timeout_s = -1;
    double speed = NAN;
    bool timed = json_object_get(q, "homeTimeoutS");
    int err = whole(q, "go", 1, PRESETS_MOST, 0, &number, why);
    if (!err && json_object_get(q, "speed"))
        err = json_get_double(q, "speed", &speed, why);
    if (!err)
        err = whole(q, "homeTimeoutS", -1, 86400, -1, &timeout_s, why);
    socket_person(s, &who);
    if (!err)
        err = control_take(cam->control, &who, why);
    if (err)
        return err;
    err = presets_go(cam->presets, number, speed, why);
    if (!err && timed)
        home_timeout_once(cam->home_timeout, timeout_s);
    return err;
}

int ptz_do_preset(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    static const char *const orders[] = {"go", "store", "rename", "remove", "home"};
    enum { GO, STORE, RENAME, REMOVE, HOME };
    struct camera *cam = s->hub->cam;
    const char *name;
    bool image;
    size_t order = 0;
    int number = 0, err = there(s, why);
    if (!err)
        err = one_order(q, orders, sizeof orders / sizeof *orders, &order, why);
    if (err || order == GO)
        return err ? err : go(s, q, why);
    if ((err = may(s, ROLE_ADMIN, why)) || (err = text(q, "name", &name, why)) ||
        (err = flag(q, "image", false, &image, why)) ||
        (err = whole(q, orders[order], order == STORE ? 0 : 1, PRESETS_MOST, 0, &number, why)))
        return err;
    struct txn *t = txn_for(s, why);
    if (!t)
        return -ENOMEM;
    json_t *more = NULL;
    switch (order) {
    case STORE: /* 0: a new one */
        err = presets_store(cam->presets, t, number, name, image, &number, why);
        more = json_pack("{s:i}", "number", number);
        break;
    case RENAME:
        err = name ? presets_rename(cam->presets, t, number, name, why)
                   : fault_set(why, FAULT_MISSING, "name", "name is missing.");
        break;
    case REMOVE:
        err = presets_remove(cam->presets, t, number, why);
        break;
    default:
        err = presets_set_home(cam->presets, t, number, why);
    }
    return finish(s, q, t, err, more, why);
}

/* ---- guard tours ---- */

static int set_text(struct txn *t, const char *group, const char *leaf, const char *value,
                    struct fault *why)
{
    char name[96];
    snprintf(name, sizeof name, "%s.%s", group, leaf);
    return txn_set(t, name, value, why);
}

static int set_whole(struct txn *t, const char *group, const char *leaf, int value,
                     struct fault *why)
{
    char number[16];
    snprintf(number, sizeof number, "%d", value);
    return set_text(t, group, leaf, number, why);
}

static int save_step(struct txn *t, int tour, int position, const json_t *step, struct fault *why)
{
    char template_name[24], group[64];
    unsigned index = 0;
    int preset = 0, wait_s = 0, speed = 0;
    int err = whole(step, "preset", 1, PRESETS_MOST, 1, &preset, why);
    if (!err)
        err = whole(step, "waitS", 1, 86400, 10, &wait_s, why);
    if (!err)
        err = whole(step, "speed", 1, 100, 70, &speed, why);
    snprintf(template_name, sizeof template_name, "tour%d", tour);
    if (!err)
        err = txn_add(t, template_name, &index, why);
    snprintf(group, sizeof group, "GuardTour.G%d.Tour.T%u", tour, index);
    if (!err)
        err = set_whole(t, group, "PresetNbr", preset, why);
    if (!err)
        err = set_whole(t, group, "Position", position, why);
    if (!err)
        err = set_whole(t, group, "WaitTime", wait_s, why);
    if (!err && wait_s >= 60 && wait_s % 60 == 0)
        err = set_text(t, group, "WaitTimeViewType", "Minutes", why);
    return err ? err : set_whole(t, group, "MoveSpeed", speed, why);
}

/* The whole tour: what it was before is replaced. */
static int save_tour(struct web_socket *s, const json_t *tour, struct txn *t, int *ret_id,
                     struct fault *why)
{
    const char *name = NULL;
    bool random = false;
    int id = -1, pause_min = 0, position = 1;
    char group[64];
    unsigned added = 0;
    size_t i;
    json_t *step, *steps = json_object_get(tour, "steps");
    int err = whole(tour, "id", 0, GUARD_TOURS - 1, -1, &id, why);
    if (!err)
        err = text(tour, "name", &name, why);
    if (!err)
        err = flag(tour, "random", false, &random, why);
    if (!err)
        err = whole(tour, "pauseMin", 0, 1440, 0, &pause_min, why);
    if (!err && (!json_is_array(steps) || json_array_size(steps) > GUARD_STEPS))
        err = fault_set(why, FAULT_INVALID, "steps", "steps is a list of at most %d.", GUARD_STEPS);
    if (!err && id < 0 && !(err = txn_add(t, "guardtour", &added, why)))
        id = (int)added;
    if (err)
        return err;
    const struct guard_settings *now = guard_tours_ref(s->hub->cam->guard_tours);
    for (int k = 0; !err && now->tour[id].used && k < GUARD_STEPS; k++) {
        snprintf(group, sizeof group, "GuardTour.G%d.Tour.T%d", id, k);
        err = now->tour[id].step[k].used ? txn_remove(t, group, why) : 0;
    }
    room_unref(now);
    snprintf(group, sizeof group, "GuardTour.G%d", id);
    if (!err)
        err = set_text(t, group, "Name", name ? name : "", why);
    if (!err)
        err = set_text(t, group, "RandomEnabled", random ? "yes" : "no", why);
    if (!err)
        err = set_whole(t, group, "TimeBetweenSequences", pause_min, why);
    json_array_foreach(steps, i, step)
    {
        if (!err)
            err = json_is_object(step)
                      ? save_step(t, id, position++, step, why)
                      : fault_set(why, FAULT_INVALID, "steps", "A step is an object.");
    }
    *ret_id = id;
    return err;
}

int ptz_do_tour(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    static const char *const orders[] = {"start", "stop", "save", "remove"};
    enum { START, STOP, SAVE, REMOVE };
    struct controller who;
    char group[64];
    size_t order = 0;
    int id = 0, err = there(s, why);
    if (!err)
        err = one_order(q, orders, sizeof orders / sizeof *orders, &order, why);
    if (!err && order != SAVE)
        err = whole(q, orders[order], 0, GUARD_TOURS - 1, 0, &id, why);
    if (!err && (order == SAVE || order == REMOVE))
        err = may(s, ROLE_OPERATOR, why);
    if (!err && order == SAVE && !json_is_object(json_object_get(q, "save")))
        err = fault_set(why, FAULT_INVALID, "save", "save is a guard tour.");
    struct txn *t = err ? NULL : txn_for(s, why);
    if (!t)
        return err ? err : -ENOMEM;
    snprintf(group, sizeof group, "GuardTour.G%d", id);
    if (order == SAVE)
        err = save_tour(s, json_object_get(q, "save"), t, &id, why);
    else if (order == REMOVE)
        err = txn_remove(t, group, why);
    else
        err = set_text(t, group, "Running", order == START ? "yes" : "no", why);
    socket_person(s, &who);
    if (!err && order == START) /* who starts it lets it steer */
        control_drop(s->hub->cam->control, &who);
    return finish(s, q, t, err, json_pack("{s:i}", "tour", id), why);
}

/* ---- recorded tours ---- */

int ptz_do_recording(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    static const char *const orders[] = {"record", "keep",   "play",   "stop",
                                         "hold",   "resume", "modify", "remove"};
    enum { RECORD, KEEP, PLAY, STOP, HOLD, RESUME, MODIFY, REMOVE };
    struct recorded_tours *r = s->hub->cam->recorded_tours;
    struct controller who;
    const char *name = NULL;
    bool loop = true;
    size_t order = 0;
    int id = -1, delay_s = -1, err = there(s, why);
    if (!err)
        err = one_order(q, orders, sizeof orders / sizeof *orders, &order, why);
    if (!err)
        err = whole(q, orders[order], -1, RECORDED_TOURS - 1, -1, &id, why);
    if (!err)
        err = text(q, "name", &name, why);
    if (!err)
        err = whole(q, "delayS", 0, 86400, -1, &delay_s, why);
    if (!err)
        err = flag(q, "loop", true, &loop, why);
    if (!err && (order == RECORD || order == KEEP || order >= MODIFY))
        err = may(s, ROLE_OPERATOR, why);
    if (err)
        return err;
    if (order == RECORD) {
        err = recorded_tours_record(r, id, name ? name : "", delay_s, &id, why);
        if (!err)
            *ret = json_pack("{s:i}", "recording", id);
        return err;
    }
    if (order == KEEP) {
        struct command_wait *w = command_wait(s, q, NULL);
        if (!w)
            return fault_set(why, FAULT_INTERNAL, NULL, "Out of memory.");
        recorded_tours_stop_recording(r, id, command_done, w);
        return 1;
    }
    if (order == HOLD || order == RESUME)
        return recorded_tours_pause(r, id, order == HOLD, why);
    struct txn *t = txn_for(s, why);
    if (!t)
        return -ENOMEM;
    socket_person(s, &who);
    switch (order) {
    case PLAY:
        err = recorded_tours_play(r, t, id, loop, delay_s, why);
        if (!err)
            control_drop(s->hub->cam->control, &who);
        break;
    case STOP:
        err = recorded_tours_stop(r, t, id, why);
        break;
    case MODIFY:
        err = recorded_tours_modify(r, t, id, name, delay_s, why);
        break;
    default:
        err = recorded_tours_remove(r, t, id, why);
    }
    return finish(s, q, t, err, NULL, why);
}

/* ---- control ---- */

int ptz_do_control(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    static const char *const orders[] = {"request", "drop"};
    struct controller who;
    bool yes = false;
    size_t order = 0;
    int err = there(s, why);
    if (!err)
        err = one_order(q, orders, 2, &order, why);
    if (!err)
        err = json_get_bool(q, orders[order], &yes, why);
    if (!err && !yes)
        err = fault_set(why, FAULT_INVALID, orders[order], "%s is true.", orders[order]);
    socket_person(s, &who);
    if (err)
        return err;
    if (order == 1) {
        control_drop(s->hub->cam->control, &who);
        return 0;
    }
    return control_request(s->hub->cam->control, &who, why);
}
