#include "api/stage/players.h"

#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/stage/reply.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "device/device.h"
#include "device/virtual/cast/cast.h"
#include "device/virtual/cast/library.h"
#include "device/virtual/scenario/scenario.h"
#include "device/virtual/stage/stage.h"
#include "net/exchange.h"

/* How a camera that starts itself anew is told what was played. */
#define SCENARIO_VARIABLE "VEDETTE_SCENARIO"

struct players_door {
    struct camera *cam;
    void (*changed)(void *arg);
    void *arg;
    char *text; /* of the scenario that was sent or chosen; NULL: that of the start */
};

/* An object with just this member, which is a text; the fault is replied. */
static const char *read_text(struct exchange *ex, json_t **ret_body, const char *const names[],
                             const char **ret_name)
{
    struct fault why = {0};
    const char *text = NULL;
    *ret_body = json_parse(ex->body, ex->body_len, &why);
    for (int i = 0; *ret_body && names[i]; i++) {
        const json_t *j = json_object_get(*ret_body, names[i]);
        /* a NUL would hide what follows */
        if (json_is_string(j) && strlen(json_string_value(j)) == json_string_length(j) &&
            json_object_size(*ret_body) == 1) {
            text = json_string_value(j);
            *ret_name = names[i];
        }
    }
    if (!text && *ret_body)
        fault_set(&why, FAULT_INVALID, names[0], "The body is an object with one text: %s%s%s.",
                  names[0], names[1] ? " or " : "", names[1] ? names[1] : "");
    if (!text)
        stage_reply_fault(ex, &why);
    return text;
}

static void serve_spawn(struct exchange *ex, void *arg)
{
    static const char *const names[] = {"who", "call", NULL};
    struct players_door *d = arg;
    struct cast *cast = d->cam->device->cast;
    struct fault why = {0};
    JSON_AUTO *body = NULL;
    char id[32] = "";
    const char *name = NULL, *text = read_text(ex, &body, names, &name);
    if (!text)
        return;
    int64_t now_ns = clock_now(d->cam->clock), next_ns = stage_just_after(now_ns);
    int err = !strcmp(name, "who") ? cast_spawn(cast, next_ns, text, id, &why)
                                   : cast_call(cast, next_ns, text, id, &why);
    if (err)
        stage_reply_fault(ex, &why);
    else
        stage_reply(ex, 200, json_pack("{s:s, s:f}", "id", id, "now", (double)now_ns / 1e9));
}

/* One text, done to the cast from now on. */
static void serve_text(struct exchange *ex, struct players_door *d, const char *key,
                       int (*act)(struct cast *, int64_t, const char *, struct fault *))
{
    const char *const names[] = {key, NULL};
    struct fault why = {0};
    JSON_AUTO *body = NULL;
    const char *name = NULL, *text = read_text(ex, &body, names, &name);
    if (!text)
        return;
    int64_t now_ns = clock_now(d->cam->clock);
    if (act(d->cam->device->cast, stage_just_after(now_ns), text, &why))
        stage_reply_fault(ex, &why);
    else
        stage_reply(ex, 200, json_pack("{s:f}", "now", (double)now_ns / 1e9));
}

static void serve_remove(struct exchange *ex, void *arg)
{
    serve_text(ex, arg, "id", cast_remove);
}

static void serve_gate(struct exchange *ex, void *arg)
{
    serve_text(ex, arg, "gate", cast_gate);
}

/* ---- scenarios ---- */

json_t *players_facts_json(const struct cast_facts *f)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:f, s:b}", "name", f->name, "title", f->title, "about",
                     f->about, "place", f->place, "length", f->length_s, "loop", (int)f->loop);
}

json_t *players_scenario_json(struct camera *cam)
{
    struct cast_facts f;
    if (!cast_facts(cam->device->cast, stage_just_after(clock_now(cam->clock)), &f))
        return json_null();
    json_t *j = players_facts_json(&f);
    if (j)
        json_object_set_new(j, "start", json_real((double)f.start_ns / 1e9));
    return j;
}

json_t *players_here_json(struct camera *cam)
{
    struct member *all = calloc(CAST_MOST, sizeof *all);
    json_t *list = json_array();
    int64_t at_ns = stage_just_after(clock_now(cam->clock));
    size_t n = all ? cast_at(cam->device->cast, at_ns, all, CAST_MOST) : 0;
    for (size_t i = 0; i < n; i++) {
        const struct member *m = &all[i];
        json_t *j = json_pack("{s:s, s:s, s:s?, s:[f, f, f], s:f, s:f, s:f}", "id", m->id, "model",
                              m->model, "class", m->class_name, "at", m->at.x, m->at.y, m->at.z,
                              "heading", m->heading_deg, "speed", m->speed_m_s, "phase", m->phase);
        if (j && *m->plate)
            json_object_set_new(j, "plate", json_string(m->plate));
        json_array_append_new(list, j);
    }
    free(all);
    return list;
}

/* From that time on: what the one before had still to say is forgotten. */
static int play(struct players_door *d, int64_t at_ns, const char *text, size_t len,
                struct fault *why)
{
    struct device *dev = d->cam->device;
    char *copy = strdup(text);
    if (!copy)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    int err = cast_load(dev->cast, at_ns, text, len, why);
    if (err) {
        free(copy);
        return err;
    }
    free(d->text);
    d->text = copy;
    stage_forget_after(dev->stage, at_ns);
    return 0;
}

static void serve_scenario(struct exchange *ex, void *arg)
{
    static const char *const names[] = {"name", "text", NULL};
    struct players_door *d = arg;
    struct fault why = {0};
    JSON_AUTO *body = NULL;
    const char *name = NULL, *text = read_text(ex, &body, names, &name);
    if (!text)
        return;
    size_t len = strlen(text);
    int err = 0;
    if (!strcmp(name, "name")) {
        const struct scenario_text *t = library_find(d->cam->device->library, text);
        if (!t)
            err = fault_set(&why, FAULT_UNKNOWN, "name", "There is no scenario \"%.31s\".", text);
        else
            text = t->text, len = t->len;
    }
    if (!err)
        err = play(d, stage_just_after(clock_now(d->cam->clock)), text, len, &why);
    if (err) {
        stage_reply_fault(ex, &why);
        return;
    }
    d->changed(d->arg); /* its first words to the stage */
    stage_reply(ex, 200, json_pack("{s:o}", "scenario", players_scenario_json(d->cam)));
}

static const struct endpoint rows[] = {
    {.path = "/vedette/stage/spawn",
     .methods = METHOD_POST,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .serve = serve_spawn,
     .doc = "sends somebody or something onto the stage (JSON)"},
    {.path = "/vedette/stage/remove",
     .methods = METHOD_POST,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .serve = serve_remove,
     .doc = "takes somebody off the stage (JSON)"},
    {.path = "/vedette/stage/gate",
     .methods = METHOD_POST,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .serve = serve_gate,
     .doc = "opens or closes the gate, or sends a car through it (JSON)"},
    {.path = "/vedette/stage/scenario",
     .methods = METHOD_POST,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .max_body = 2 * SCENARIO_BYTES + 1024,
     .serve = serve_scenario,
     .doc = "plays another scenario, by name or as text (JSON)"},
};

struct players_door *players_door_new(struct camera *cam, struct gate *g,
                                      void (*changed)(void *arg), void *arg)
{
    struct players_door *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->cam = cam;
    d->changed = changed;
    d->arg = arg;
    const char *text = getenv(SCENARIO_VARIABLE);
    struct fault why = {0};
    if (text && play(d, clock_now(cam->clock), text, strlen(text), &why))
        log_warn("stage", "the scenario of before: %s", why.text);
    unsetenv(SCENARIO_VARIABLE);
    gate_add(g, rows, sizeof rows / sizeof *rows, d);
    return d;
}

struct players_door *players_door_free(struct players_door *d)
{
    if (!d)
        return NULL;
    if (d->cam->restart && d->text)
        setenv(SCENARIO_VARIABLE, d->text, true);
    free(d->text);
    free(d);
    return NULL;
}
