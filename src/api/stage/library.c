#include "api/stage/library.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/stage/players.h"
#include "api/stage/reply.h"
#include "base/fault.h"
#include "base/jobs.h"
#include "base/log.h"
#include "device/device.h"
#include "device/virtual/cast/library.h"
#include "device/virtual/scenario/scenario.h"
#include "net/exchange.h"

#define FOLDER "/vedette/stage/scenarios"

/* What is being written or erased, one at a time: the disk may be slow. */
struct keeping {
    struct exchange *ex; /* NULL: the client has left */
    char name[32];
    char *text; /* NULL: is erased */
    size_t len;
    int err;
};

struct library_door {
    struct camera *cam;
    struct scenario_library *library; /* borrowed: the device's */
    struct keeping keeping;
    bool busy;
};

static json_t *item_json(const struct scenario_text *t)
{
    json_t *j = players_facts_json(&t->facts);
    if (j)
        json_object_set_new(j, "own", json_boolean(t->own));
    return j;
}

static json_t *all_json(const struct library_door *d)
{
    json_t *list = json_array();
    for (size_t i = 0; i < d->library->n; i++)
        json_array_append_new(list, item_json(&d->library->item[i]));
    return json_pack("{s:o, s:o}", "playing", players_scenario_json(d->cam), "scenarios", list);
}

static void serve_all(struct exchange *ex, void *arg)
{
    stage_reply(ex, 200, all_json(arg));
}

/* ---- one of them ---- */

static void work(void *arg)
{
    struct library_door *d = arg;
    struct keeping *k = &d->keeping;
    k->err = k->text ? library_write(d->cam->files, k->name, k->text, k->len)
                     : library_erase(d->cam->files, k->name);
}

static void on_worked(void *arg)
{
    struct library_door *d = arg;
    struct keeping k = d->keeping;
    struct fault why = {0};
    d->busy = false;
    d->keeping = (struct keeping){0};
    if (!k.err && !k.text)
        library_drop(d->library, k.name);
    else if (!k.err)
        k.err = library_put(d->library, k.text, k.len);
    if (k.err) {
        fault_set(&why, FAULT_IO, k.name, "The state folder cannot be written: %s.",
                  strerror(-k.err));
        if (!k.ex)
            log_warn("stage", "scenario %s: %s", k.name, why.text);
    } else {
        log_info("stage", "scenario %s is %s", k.name, k.text ? "kept" : "removed");
    }
    free(k.text);
    if (!k.ex)
        return;
    k.ex->cancel = NULL;
    if (k.err)
        stage_reply_fault(k.ex, &why);
    else
        stage_reply(k.ex, 200, all_json(d));
}

static void on_cancel(struct exchange *ex)
{
    ((struct library_door *)ex->user)->keeping.ex = NULL;
}

/* take_text: NULL erases. */
static void keep(struct library_door *d, struct exchange *ex, const char *name, char *take_text)
{
    if (d->busy) {
        free(take_text);
        stage_reply_error(ex, 409, "Another scenario is being written: try again.");
        return;
    }
    d->busy = true;
    d->keeping =
        (struct keeping){.ex = ex, .text = take_text, .len = take_text ? strlen(take_text) : 0};
    memcpy(d->keeping.name, name, strlen(name) + 1); /* it has been checked */
    ex->user = d;
    ex->cancel = on_cancel;
    if (jobs_submit(d->cam->jobs, "scenario", work, on_worked, d)) {
        d->keeping.err = -EBUSY;
        on_worked(d);
    }
}

static void serve_put(struct library_door *d, struct exchange *ex, const char *name)
{
    struct fault why = {0};
    JSON_AUTO *body = json_parse(ex->body, ex->body_len, &why);
    const json_t *j = json_object_get(body, "text");
    const char *text = json_string_value(j);
    int err = body ? 0 : -1;
    /* a NUL would hide what follows */
    if (!err && (!text || json_object_size(body) != 1 || strlen(text) != json_string_length(j)))
        err = fault_set(&why, FAULT_INVALID, "text", "The body is an object with one text: text.");
    if (!err)
        err = library_check(d->library, name, text, strlen(text), &why);
    char *copy = err ? NULL : strdup(text);
    if (!err && !copy)
        err = fault_set(&why, FAULT_INTERNAL, NULL, "out of memory");
    if (err)
        stage_reply_fault(ex, &why);
    else
        keep(d, ex, name, copy);
}

static void serve_one(struct exchange *ex, void *arg)
{
    struct library_door *d = arg;
    const char *name = ex->path + strlen(FOLDER "/");
    struct fault why = {0};
    const struct scenario_text *t = library_find(d->library, name);
    if (ex->method == METHOD_PUT || ex->method == METHOD_POST) {
        serve_put(d, ex, name);
    } else if (!t) {
        stage_reply_error(ex, 404, "There is no scenario of this name.");
    } else if (ex->method == METHOD_GET) {
        json_t *j = item_json(t);
        if (j)
            json_object_set_new(j, "text", json_stringn(t->text, t->len));
        stage_reply(ex, 200, j);
    } else if (library_check_own(d->library, name, &why)) {
        stage_reply_fault(ex, &why);
    } else {
        keep(d, ex, name, NULL);
    }
}

static const struct endpoint rows[] = {
    {.path = FOLDER,
     .methods = METHOD_GET,
     .role = ROLE_ADMIN,
     .serve = serve_all,
     .doc = "the scenarios that can be played, and what is played (JSON)"},
    {.path = FOLDER "/*",
     .methods = METHOD_GET | METHOD_PUT | METHOD_POST | METHOD_DELETE,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .max_body = 2 * SCENARIO_BYTES + 1024,
     .serve = serve_one,
     .doc = "the text of a scenario; keeps one of your own, or removes it (JSON)"},
};

struct library_door *library_door_new(struct camera *cam, struct gate *g)
{
    struct library_door *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->cam = cam;
    d->library = cam->device->library;
    library_read_own(d->library, cam->files);
    gate_add(g, rows, sizeof rows / sizeof *rows, d);
    return d;
}

struct library_door *library_door_free(struct library_door *d)
{
    free(d);
    return NULL;
}
