/* memoryzones/{add,remove,list,goto}.cgi: focus recall areas. An area is what was seen when
 * it was added; index 1 … 20 is its R# and one more. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/commit.h"
#include "api/person.h"
#include "api/vapix/door.h"
#include "api/vapix/ptz_lens.h"
#include "api/vapix/ptz_query.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"
#include "conf/param.h"
#include "image/eye.h"
#include "image/settings.h"
#include "ptz/ptz.h"
#include "ptz/queue.h"

#define DEG (3.14159265358979323846 / 180)
#define ASPECT (9.0 / 16)
#define NAME_MOST 32 /* characters */

static void reply_json(struct exchange *ex, json_t *take_j)
{
    JSON_AUTO *j = take_j;
    BUF(text, 65536);
    if (!j || json_write(&text, j) || text.err)
        exchange_reply(ex, 500, NULL, NULL, 0);
    else
        exchange_reply(ex, 200, "application/json", text.data, text.len);
}

static void reply_error(struct exchange *ex, const struct fault *why)
{
    static const int ids[] = {
        [FAULT_INVALID] = 501, [FAULT_MISSING] = 501,  [FAULT_UNKNOWN] = 502,
        [FAULT_LIMIT] = 503,   [FAULT_CONFLICT] = 504, [FAULT_UNSUPPORTED] = 505,
    };
    size_t kind = (size_t)why->kind;
    int id = kind < sizeof ids / sizeof *ids && ids[kind] ? ids[kind] : 506;
    reply_json(ex, json_pack("{s:{s:i, s:s}}", "error", "id", id, "message", why->text));
}

/* ---- list ---- */

static double zoom_of(struct ptz *p, double hfov_deg)
{
    struct head_caps c;
    ptz_caps(p, &c);
    return tan(c.wide_hfov_deg / 2 * DEG) / tan(hfov_deg / 2 * DEG);
}

/* What it was called, or how it would be. */
static void name_of(const struct eye_recall *r, int index, char ret[EYE_RECALL_NAME])
{
    if (*r->name)
        text_copy(ret, EYE_RECALL_NAME, r->name);
    else
        snprintf(ret, EYE_RECALL_NAME, "zone_%d", index);
}

static json_t *zone(struct ptz *p, const struct eye_recall *r, int index)
{
    char name[EYE_RECALL_NAME], polygon[128], zooms[32];
    double w = r->hfov_deg / 2, h = w * ASPECT;
    name_of(r, index, name);
    snprintf(polygon, sizeof polygon, "%.2f,%.2f:%.2f,%.2f:%.2f,%.2f:%.2f,%.2f", r->pan_deg - w,
             r->tilt_deg + h, r->pan_deg + w, r->tilt_deg + h, r->pan_deg + w, r->tilt_deg - h,
             r->pan_deg - w, r->tilt_deg - h);
    /* It counts where half of it is seen, so in any wider view as well. */
    double most = ptz_zoom_of_magnification(p, zoom_of(p, r->hfov_deg) * sqrt(2));
    snprintf(zooms, sizeof zooms, "%d:%.0f", PTZ_ZOOM_MIN, fmin(most, PTZ_ZOOM_MAX));
    return json_pack("{s:s, s:i, s:s, s:s, s:i}", "name", name, "index", index, "ptpolygon",
                     polygon, "zoomrange", zooms, "focus", 1 + (int)round(r->focus * 9998));
}

static bool is_in_view(struct ptz *p, const struct eye_recall *r)
{
    struct pose now;
    ptz_pose(p, &now);
    double pan = remainder(r->pan_deg - now.pan_deg, 360) * cos(now.tilt_deg * DEG);
    return fabs(pan) < now.hfov_deg / 2 &&
           fabs(r->tilt_deg - now.tilt_deg) < now.hfov_deg / 2 * ASPECT;
}

static void list(struct vapix_door *d, struct exchange *ex)
{
    struct camera *cam = d->cam;
    const char *query = exchange_arg(ex, "query");
    struct fault why = {0};
    struct eye_status now = {.recall = -1};
    bool view = query && !strcmp(query, "view"), current = query && !strcmp(query, "current");
    if (query && *query && !view && !current && strcmp(query, "list")) {
        fault_set(&why, FAULT_INVALID, "query", "query is list, current or view");
        reply_error(ex, &why);
        return;
    }
    if (cam->eye)
        eye_status(cam->eye, &now);
    if (current && now.recall < 0) {
        reply_json(ex, json_pack("{s:s, s:i}", "name", "", "index", -1));
        return;
    }
    json_t *all = json_array();
    const struct eye_settings *s = room_ref(cam->eye_room);
    for (int i = 0; i < EYE_RECALLS; i++) {
        const struct eye_recall *r = &s->focus.recall[i];
        if (!r->used || (current && i != now.recall) || (view && !is_in_view(cam->ptz, r)))
            continue;
        json_array_append_new(all, zone(cam->ptz, r, i + 1));
    }
    room_unref(s);
    if (!current) {
        reply_json(ex, all);
        return;
    }
    reply_json(ex, json_incref(json_array_get(all, 0)));
    json_decref(all);
}

/* ---- add ---- */

static void on_added(struct exchange *ex, int err, const struct fault *why, void *arg)
{
    int index = (int)(intptr_t)arg;
    const char *asked = exchange_arg(ex, "name");
    struct eye_recall added = {.used = true};
    char name[EYE_RECALL_NAME];
    text_copy(added.name, sizeof added.name, asked ? asked : "");
    name_of(&added, index, name);
    if (err)
        reply_error(ex, why);
    else
        reply_json(ex, json_pack("{s:s, s:i}", "name", name, "index", index));
}

/* The area that has just been added is given this focus (1 … 9999) instead of that of now. */
static int give_focus(struct camera *cam, int number, int64_t step, struct txn **ret_txn,
                      struct fault *why)
{
    char name[64], text[32];
    struct txn *t = txn_new(cam->conf, ~0u); /* the rows alone are an operator's */
    if (!t)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    snprintf(name, sizeof name, "ImageSource.I0.Focus.Recall.R%d.Focus", number);
    snprintf(text, sizeof text, "%.6f", (double)(step - 1) / 9998);
    int err = txn_set(t, name, text, why);
    if (err)
        txn_abort(t);
    else
        *ret_txn = t;
    return err;
}

static unsigned characters(const char *utf8)
{
    unsigned n = 0;
    for (; *utf8; utf8++)
        n += ((unsigned char)*utf8 & 0xc0) != 0x80;
    return n;
}

static void add(struct vapix_door *d, struct exchange *ex)
{
    struct camera *cam = d->cam;
    const char *focus = exchange_arg(ex, "focus"), *name = exchange_arg(ex, "name");
    struct fault why = {0};
    struct txn *t = NULL;
    int64_t step = 0;
    int number = 0, err = 0;
    bool current = !focus || !*focus || !strcmp(focus, "current");
    struct lens_can can;
    lens_can(cam, &can);
    if (exchange_arg(ex, "polygon") || exchange_arg(ex, "zoomrange"))
        err = fault_set(&why, FAULT_UNSUPPORTED, "polygon",
                        "an area is what the camera sees: go there first");
    else if (!can.focus)
        err = fault_set(&why, FAULT_UNSUPPORTED, NULL, "the focus cannot be moved");
    else if (!current && text_int(focus, 1, 9999, &step))
        err = fault_set(&why, FAULT_INVALID, "focus", "focus is current or 1 to 9999");
    else if (name && characters(name) > NAME_MOST)
        err = fault_set(&why, FAULT_INVALID, "name", "name is up to %d characters", NAME_MOST);
    else
        err = eye_recall_add(cam->eye, name, &number, &why);
    if (!err && !current)
        err = give_focus(cam, number, step, &t, &why);
    if (err)
        reply_error(ex, &why);
    else
        commit_then(cam, ex, t, on_added, (void *)(intptr_t)(number + 1));
}

/* ---- remove and goto ---- */

/* Which one index= names, and what it is. */
static int find(struct camera *cam, struct exchange *ex, int *ret, struct eye_recall *ret_area,
                struct fault *why)
{
    const char *text = exchange_arg(ex, "index");
    int64_t index;
    if (!text)
        return fault_set(why, FAULT_MISSING, "index", "index is missing");
    if (text_int(text, 1, EYE_RECALLS, &index))
        return fault_set(why, FAULT_INVALID, "index", "index is 1 to %d", EYE_RECALLS);
    const struct eye_settings *s = room_ref(cam->eye_room);
    *ret_area = s->focus.recall[index - 1];
    room_unref(s);
    *ret = (int)index - 1;
    return ret_area->used ? 0
                          : fault_set(why, FAULT_UNKNOWN, "index",
                                      "there is no focus recall area %d", (int)index);
}

static void on_removed(struct exchange *ex, int err, const struct fault *why, void *arg)
{
    if (err)
        reply_error(ex, why);
    else
        exchange_reply(ex, 204, NULL, NULL, 0);
}

static int remove_one(struct txn *t, int i, struct fault *why)
{
    char group[64];
    snprintf(group, sizeof group, "ImageSource.I0.Focus.Recall.R%d", i);
    return txn_remove(t, group, why);
}

static void remove_zone(struct vapix_door *d, struct exchange *ex)
{
    struct camera *cam = d->cam;
    struct fault why = {0};
    struct eye_recall area;
    int i = 0, err = 0;
    const char *all = exchange_arg(ex, "removeall");
    struct txn *t = txn_new(cam->conf, ~0u); /* the rows alone are an operator's */
    if (!t) {
        err = fault_set(&why, FAULT_INTERNAL, NULL, "out of memory");
    } else if (all && !strcmp(all, "1")) {
        const struct eye_settings *s = room_ref(cam->eye_room);
        for (i = 0; !err && i < EYE_RECALLS; i++)
            err = s->focus.recall[i].used ? remove_one(t, i, &why) : 0;
        room_unref(s);
    } else if (!(err = find(cam, ex, &i, &area, &why))) {
        err = remove_one(t, i, &why);
    }
    if (err) {
        if (t)
            txn_abort(t);
        reply_error(ex, &why);
        return;
    }
    commit_then(cam, ex, t, on_removed, NULL);
}

static void go(struct vapix_door *d, struct exchange *ex)
{
    struct fault why = {0};
    struct eye_recall area;
    int i;
    int err = find(d->cam, ex, &i, &area, &why);
    struct controller who;
    person_of(d->cam, ex, &who);
    if (!err)
        err = control_take(d->cam->control, &who, &why);
    if (!err)
        err = ptz_absolute(d->cam->ptz, area.pan_deg, area.tilt_deg,
                           zoom_of(d->cam->ptz, area.hfov_deg), NAN, &why);
    if (err)
        reply_error(ex, &why);
    else
        exchange_reply(ex, 204, NULL, NULL, 0);
}

/* ---- the rows ---- */

#define SERVE(name, function)                                                                      \
    static void name(struct exchange *ex, void *arg)                                               \
    {                                                                                              \
        if (vapix_args(ex))                                                                        \
            function(arg, ex);                                                                     \
    }
SERVE(serve_list, list)
SERVE(serve_add, add)
SERVE(serve_remove, remove_zone)
SERVE(serve_goto, go)

#define ROW(word, function, what)                                                                  \
    {                                                                                              \
        .path = "/axis-cgi/memoryzones/" word ".cgi", .methods = GET_OR_POST, .role = ROLE_PTZ,    \
        .changes_state = true, .serve = function, .doc = what                                      \
    }
static const struct endpoint rows[] = {
    ROW("list", serve_list, "focus recall areas (JSON)"),
    ROW("add", serve_add, "focus recall: the focus of now for what is seen now (JSON)"),
    ROW("remove", serve_remove, "takes a focus recall area away"),
    ROW("goto", serve_goto, "looks at a focus recall area"),
};
const struct cgi cgi_memoryzones = {CGI_ROWS(rows)};
