/* Requests on /vedette/ws. One row a command: name, least role, function. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/audit.h"
#include "api/camera.h"
#include "api/request.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "eye.h"
#include "net/limits.h"
#include "ptz.h"
#include "ptz/presets.h"
#include "ptz/ptz.h"
#include "ptz/queue.h"
#include "ptz/views.h"
#include "socket.h"
#include "system/identity.h"
#include "system/time.h"

#define MAX_NAMES 64

json_t *command_groups(unsigned groups)
{
    static const struct {
        const char *name;
        unsigned bit;
    } all[] = {{"admin", GROUP_ADMIN},
               {"operator", GROUP_OPERATOR},
               {"viewer", GROUP_VIEWER},
               {"ptz", GROUP_PTZ}};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (groups & all[i].bit)
            json_array_append_new(list, json_string(all[i].name));
    return list;
}

static void reply_fault(struct web_socket *s, const json_t *id, const struct fault *why)
{
    json_t *error = json_pack("{s:s, s:s, s:s}", "kind", fault_kind_name(why->kind), "name",
                              why->name, "text", why->text[0] ? why->text : "It failed.");
    json_t *o = json_pack("{s:b, s:o}", "ok", 0, "error", error);
    if (o && id)
        json_object_set(o, "id", (json_t *)id);
    socket_send(s, o);
}

/* take_more: members to add, or NULL. */
static void reply_ok(struct web_socket *s, const json_t *id, json_t *take_more)
{
    json_t *o = take_more ? take_more : json_object();
    if (o && id)
        json_object_set(o, "id", (json_t *)id);
    if (o)
        json_object_set_new(o, "ok", json_true());
    socket_send(s, o);
}

/* ---- moves ---- */

static int need(const json_t *q, const char *key, double *ret, struct fault *why)
{
    if (!json_object_get(q, key))
        return fault_set(why, FAULT_MISSING, key, "%s is missing.", key);
    return json_get_double(q, key, ret, why);
}

static int optional(const json_t *q, const char *key, double standard, double *ret,
                    struct fault *why)
{
    *ret = standard;
    const json_t *v = json_object_get(q, key);
    return !v || json_is_null(v) ? 0 : json_get_double(q, key, ret, why);
}

/* Of the channel that "camera" names; absent: 1. */
static int channel_of(struct web_socket *s, const json_t *q, int *ret, struct fault *why)
{
    int64_t channel = 1;
    int r = json_get_int(q, "camera", &channel, why);
    if (!r && (channel < 1 || channel > VIEWS_MOST))
        channel = 0; /* there is none */
    if (!r)
        r = views_require(s->hub->cam->views, (int)channel, why);
    *ret = (int)channel;
    return r;
}

static int head_of(struct web_socket *s, const json_t *q, struct ptz **ret, struct fault *why)
{
    struct camera *cam = s->hub->cam;
    int channel = 1, r = channel_of(s, q, &channel, why);
    if (r)
        return r;
    *ret = channel > 1 ? views_ptz(cam->views, channel) : cam->ptz;
    if (*ret && ptz_exists(*ret))
        return 0;
    return fault_set(why, FAULT_UNSUPPORTED, NULL,
                     channel > 1 ? "This view area does not move." : "This camera does not move.");
}

static int do_move(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    struct ptz *ptz = NULL;
    double v[3];
    static const char *const keys[] = {"pan", "tilt", "zoom"};
    int r = head_of(s, q, &ptz, why);
    for (int i = 0; !r && i < 3; i++) {
        r = optional(q, keys[i], 0, &v[i], why);
        if (!r && !(v[i] >= -1 && v[i] <= 1))
            r = fault_set(why, FAULT_INVALID, keys[i], "A speed lies between -1 and 1.");
    }
    if (r)
        return r;
    if (v[0] == 0 && v[1] == 0 && v[2] == 0) {
        return ptz_stop(ptz, true, true);
    }
    r = ptz_continuous(ptz, v[0], v[1], v[2], WS_DEAD_MAN_NS, why);
    if (!r && ptz == s->hub->cam->ptz)
        s->hub->holder = s; /* a view area's stops by itself */
    return r;
}

static int do_stop(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    struct ptz *ptz = NULL;
    int r = head_of(s, q, &ptz, why);
    if (r)
        return r;
    return ptz_stop(ptz, true, true);
}

static int do_goto(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    struct ptz *ptz = NULL;
    double pan, tilt, zoom, speed;
    int r = head_of(s, q, &ptz, why);
    if (r || (r = optional(q, "pan", NAN, &pan, why)) ||
        (r = optional(q, "tilt", NAN, &tilt, why)) || (r = optional(q, "zoom", NAN, &zoom, why)) ||
        (r = optional(q, "speed", NAN, &speed, why)))
        return r;
    return ptz_absolute(ptz, pan, tilt, zoom, speed, why);
}

static int do_relative(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    struct ptz *ptz = NULL;
    double pan, tilt, zoom, speed;
    int r = head_of(s, q, &ptz, why);
    if (r || (r = optional(q, "pan", NAN, &pan, why)) ||
        (r = optional(q, "tilt", NAN, &tilt, why)) ||
        (r = optional(q, "zoomBy", NAN, &zoom, why)) ||
        (r = optional(q, "speed", NAN, &speed, why)))
        return r;
    return ptz_relative(ptz, pan, tilt, zoom, speed, why);
}

static int do_center(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    struct ptz *ptz = NULL;
    double x, y, zoom_by, speed;
    int r = head_of(s, q, &ptz, why);
    if (r || (r = need(q, "x", &x, why)) || (r = need(q, "y", &y, why)) ||
        (r = optional(q, "zoomBy", 1, &zoom_by, why)) ||
        (r = optional(q, "speed", NAN, &speed, why)))
        return r;
    if (request_source_rotation(s->hub->cam)) {
        x = 1 - x;
        y = 1 - y;
    }
    if (ptz == s->hub->cam->ptz)
        request_frame_to_sensor(s->hub->cam, &x, &y);
    return ptz_center(ptz, x, y, zoom_by, speed, why);
}

static int do_home(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    struct camera *cam = s->hub->cam;
    struct ptz *ptz = NULL;
    double speed;
    int channel, r = head_of(s, q, &ptz, why);
    if (r || (r = channel_of(s, q, &channel, why)) || (r = optional(q, "speed", NAN, &speed, why)))
        return r;
    return presets_go_home(channel > 1 ? views_presets(cam->views, channel) : cam->presets, speed,
                           why);
}

static int do_position(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    json_t *position = hub_position(s->hub, NULL);
    if (!position)
        return fault_set(why, FAULT_UNSUPPORTED, NULL, "This camera does not move.");
    *ret = json_pack("{s:o}", "position", position);
    return 0;
}

/* ---- parameters ---- */

static json_t *describe(const struct param_row *row, unsigned of)
{
    static const char *const types[] = {"bool", "int", "double", "enum", "string", "secret"};
    json_t *o = json_pack("{s:s, s:s, s:b}", "type", types[row->type], "doc",
                          row->doc ? row->doc : "", "writable", (int)role_allows(row->write, of));
    if (!o)
        return NULL;
    if (row->type == PARAM_INT || row->type == PARAM_DOUBLE) {
        json_object_set_new(o, "min", json_real(row->min));
        json_object_set_new(o, "max", json_real(row->max));
    }
    if (row->type == PARAM_STRING || row->type == PARAM_SECRET)
        json_object_set_new(o, "maxLength", json_integer((json_int_t)row->size - 1));
    if (row->choices) {
        json_t *choices = json_array();
        for (const char *const *c = row->choices; *c; c++)
            json_array_append_new(choices, json_string(*c));
        json_object_set_new(o, "choices", choices);
    }
    if (row->unit)
        json_object_set_new(o, "unit", json_string(row->unit));
    if (row->standard && row->type != PARAM_SECRET)
        json_object_set_new(o, "default", json_string(row->standard));
    return o;
}

struct getting {
    const json_t *names;
    json_t *values, *rows;
    unsigned groups;
};

static int get_one(const struct param_view *v, void *arg)
{
    struct getting *g = arg;
    size_t i;
    json_t *pattern;
    json_array_foreach(g->names, i, pattern)
    {
        if (!text_glob(json_string_value(pattern), v->name))
            continue;
        json_object_set_new(g->values, v->name, json_string(v->value));
        if (g->rows)
            json_object_set_new(g->rows, v->name, describe(v->row, g->groups));
        break;
    }
    return 0;
}

static int names_of(const json_t *q, const json_t **ret, struct fault *why)
{
    const json_t *names = json_object_get(q, "names");
    size_t i;
    json_t *name;
    if (!json_is_array(names) || json_array_size(names) > MAX_NAMES)
        return fault_set(why, FAULT_INVALID, "names", "names is a list of at most %d names.",
                         MAX_NAMES);
    json_array_foreach(names, i, name)
    {
        if (!json_is_string(name))
            return fault_set(why, FAULT_INVALID, "names", "A name is a text.");
    }
    *ret = names;
    return 0;
}

static int do_get(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    struct getting g = {.groups = s->who.groups};
    bool rows = false;
    int r = names_of(q, &g.names, why);
    if (r || (r = json_get_bool(q, "describe", &rows, why)))
        return r;
    g.values = json_object();
    g.rows = rows ? json_object() : NULL;
    conf_each(s->hub->cam->conf, s->who.groups, get_one, &g);
    /* A whole name that is not there deserves an answer; a pattern may be empty. */
    size_t i;
    json_t *name;
    json_array_foreach(g.names, i, name)
    {
        const char *text = json_string_value(name);
        if (!r && !strchr(text, '*') && !json_object_get(g.values, text))
            r = fault_set(why, FAULT_UNKNOWN, text, "There is no parameter %.80s.", text);
    }
    if (r) {
        json_decref(g.values);
        json_decref(g.rows);
        return r;
    }
    *ret = json_pack("{s:o}", "values", g.values);
    if (rows)
        json_object_set_new(*ret, "rows", g.rows);
    return 0;
}

/* What waits until a change is saved. */
struct command_wait {
    struct web_socket *s;
    json_t *id, *more;
};

static void wait_over(int err, const struct fault *why, void *arg)
{
    struct command_wait *w = arg;
    struct fault broken = {.kind = FAULT_INTERNAL, .text = "The change could not be saved."};
    if (!w->s->closing) {
        if (err)
            reply_fault(w->s, w->id, why ? why : &broken);
        else
            reply_ok(w->s, w->id, json_incref(w->more));
    }
    json_decref(w->id);
    json_decref(w->more);
    socket_unref(w->s);
    free(w);
}

struct command_wait *command_wait(struct web_socket *s, const json_t *q, json_t *take_more)
{
    struct command_wait *w = calloc(1, sizeof *w);
    if (!w) {
        json_decref(take_more);
        return NULL;
    }
    w->s = socket_ref(s);
    w->id = json_incref(json_object_get(q, "id"));
    w->more = take_more;
    return w;
}

int command_commit(struct web_socket *s, const json_t *q, struct txn *take_t, json_t *take_more,
                   struct fault *why)
{
    struct command_wait *w = command_wait(s, q, take_more);
    if (!w) {
        txn_abort(take_t);
        return fault_set(why, FAULT_INTERNAL, NULL, "Out of memory.");
    }
    txn_commit(take_t, wait_over, w);
    return 1;
}

void command_done(int err, const struct fault *why, void *wait)
{
    wait_over(err, why, wait);
}

static int set_one(struct txn *t, const char *name, const json_t *v, struct fault *why)
{
    char number[40];
    if (json_is_string(v))
        return txn_set(t, name, json_string_value(v), why);
    if (json_is_boolean(v))
        return txn_set(t, name, json_is_true(v) ? "yes" : "no", why);
    if (json_is_integer(v))
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        snprintf(number, sizeof(number), "%.12g", json_real_value(v));
    else
        return fault_set(why, FAULT_INVALID, name, "A value is a text, a number or true/false.");
    return txn_set(t, name, number, why);
}

/* Replies by itself when the change is saved: 1. */
static int do_set(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    json_t *values = json_object_get(q, "values");
    const char *name;
    json_t *v;
    if (!json_is_object(values) || !json_object_size(values) ||
        json_object_size(values) > MAX_NAMES)
        return fault_set(why, FAULT_INVALID, "values", "values holds 1 to %d names.", MAX_NAMES);
    struct txn *t = txn_new(s->hub->cam->conf, s->who.groups);
    if (!t)
        return fault_set(why, FAULT_INTERNAL, NULL, "Out of memory.");
    json_object_foreach(values, name, v)
    {
        int r = set_one(t, name, v, why);
        if (r) {
            txn_abort(t);
            return r;
        }
    }
    struct audit_who who;
    audit_who_named(s->who.user, s->peer, &who);
    json_object_foreach(values, name, v)
    {
        audit_param(&who, name,
                    json_is_string(v)  ? json_string_value(v)
                    : json_is_false(v) ? "no"
                                       : "(changed)");
    }
    return command_commit(s, q, t, NULL, why);
}

static int do_zones(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    size_t n = 0;
    const char *const *zones = time_zones(&n);
    json_t *list = json_array();
    for (size_t i = 0; zones && i < n; i++)
        json_array_append_new(list, json_string(zones[i]));
    *ret = json_pack("{s:o}", "zones", list);
    return 0;
}

/* ---- the rest ---- */

static int do_ping(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    int64_t utc_ns = clock_utc(s->hub->cam->clock);
    *ret = json_pack("{s:f}", "utcMs", (double)(utc_ns / 1000) / 1000.0);
    return 0;
}

static int do_watch(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    bool truth = s->watches_truth;
    int err = json_get_bool(q, "truth", &truth, why);
    if (!err && truth && !s->hub->cam->truth)
        err =
            fault_set(why, FAULT_UNSUPPORTED, "truth", "Only the virtual camera knows the truth.");
    if (!err && truth && !role_allows(ROLE_ADMIN, s->who.groups))
        err = fault_set(why, FAULT_DENIED, "truth", "The truth is for administrators.");
    bool eye = s->watches_eye;
    if (!err && !(err = json_get_bool(q, "eye", &eye, why)) && eye && !s->hub->cam->eye)
        err = fault_set(why, FAULT_UNSUPPORTED, "eye", "There is nothing to be set here.");
    if (!err)
        err = json_get_bool(q, "streams", &s->watches_streams, why);
    bool ptz = s->watches_ptz;
    if (!err && !(err = json_get_bool(q, "ptz", &ptz, why)) && ptz && !s->hub->cam->presets)
        err = fault_set(why, FAULT_UNSUPPORTED, "ptz", "This camera does not move.");
    if (!err) {
        s->ptz_due = s->ptz_due || (ptz && !s->watches_ptz);
        s->watches_ptz = ptz;
        s->watches_truth = truth;
        s->eye_due = s->eye_due || (eye && !s->watches_eye);
        s->watches_eye = eye;
    }
    return err;
}

static int do_eye(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why)
{
    return eye_order(s->hub->cam, q, why);
}

/* Who moves the camera takes control of it first. */
static int take_control(struct web_socket *s, struct fault *why)
{
    struct controller who;
    if (!s->hub->cam->control)
        return 0;
    socket_person(s, &who);
    return control_take(s->hub->cam->control, &who, why);
}

static const struct {
    const char *name;
    enum role role;
    int (*run)(struct web_socket *s, const json_t *q, json_t **ret, struct fault *why);
    bool moves;
} commands[] = {
    {"move", ROLE_PTZ, do_move, true},
    {"stop", ROLE_PTZ, do_stop, true},
    {"goto", ROLE_PTZ, do_goto, true},
    {"relative", ROLE_PTZ, do_relative, true},
    {"center", ROLE_PTZ, do_center, true},
    {"home", ROLE_PTZ, do_home, true},
    {"position", ROLE_VIEWER, do_position},
    {"eye", ROLE_PTZ, do_eye, true},
    {"preset", ROLE_PTZ, ptz_do_preset},
    {"tour", ROLE_PTZ, ptz_do_tour},
    {"recording", ROLE_PTZ, ptz_do_recording},
    {"control", ROLE_PTZ, ptz_do_control},
    {"get", ROLE_VIEWER, do_get},
    {"set", ROLE_VIEWER, do_set},
    {"zones", ROLE_VIEWER, do_zones},
    {"watch", ROLE_VIEWER, do_watch},
    {"ping", ROLE_VIEWER, do_ping},
};

void command_run(struct web_socket *s, const char *text, size_t len)
{
    struct fault why = {0};
    const char *name = "";
    json_t *more = NULL;
    JSON_AUTO *q = json_parse(text, len, &why);
    if (!q) {
        reply_fault(s, NULL, &why);
        return;
    }
    const json_t *id = json_object_get(q, "id");
    int r;
    if (!json_is_object(q) || (id && !json_is_integer(id))) {
        fault_set(&why, FAULT_INVALID, "id", "A request is an object with a whole number as id.");
        reply_fault(s, NULL, &why);
        return;
    }
    r = json_get_string(q, "do", &name, &why);
    if (!r)
        r = fault_set(&why, FAULT_UNKNOWN, name, "There is no request \"%.40s\".", name);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (strcmp(name, commands[i].name))
            continue;
        why = (struct fault){0};
        r = role_allows(commands[i].role, s->who.groups)
                ? 0
                : fault_set(&why, FAULT_DENIED, name, "This account may not do that.");
        if (!r && commands[i].moves)
            r = take_control(s, &why);
        if (!r)
            r = commands[i].run(s, q, &more, &why);
        break;
    }
    if (r < 0)
        reply_fault(s, id, &why);
    else if (r == 0)
        reply_ok(s, id, more);
}

json_t *command_head(struct camera *cam)
{
    struct head_caps c;
    struct head_limits l;
    if (!cam->ptz || !ptz_exists(cam->ptz))
        return json_null();
    ptz_caps(cam->ptz, &c);
    ptz_limits(cam->ptz, &l);
    return json_pack("{s:b, s:b, s:b, s:b, s:[f,f], s:[f,f], s:[f,f], s:{s:f, s:f, s:f}, s:f, s:f}",
                     "pan", (int)c.pan, "tilt", (int)c.tilt, "zoom", (int)c.zoom, "digital",
                     (int)c.digital, "panLimits", l.min_pan_deg, l.max_pan_deg, "tiltLimits",
                     l.min_tilt_deg, l.max_tilt_deg, "zoomLimits", l.min_zoom, l.max_zoom,
                     "maxSpeed", "pan", c.max_pan_speed, "tilt", c.max_tilt_speed, "zoom",
                     c.max_zoom_speed, "wideHfov", c.wide_hfov_deg, "teleHfov", c.tele_hfov_deg);
}

json_t *command_hello(struct web_socket *s)
{
    struct camera *cam = s->hub->cam;
    char utc[32];
    text_utc(clock_utc(cam->clock), utc, sizeof(utc));
    json_t *sizes = json_array();
    const char *const *size = cam->pipeline ? request_resolutions(cam) : NULL;
    for (; size && *size; size++)
        json_array_append_new(sizes, json_string(*size));
    json_t *o = json_pack("{s:s, s:s, s:s, s:{s:s, s:o}, s:o, s:s}", "type", "hello", "utc", utc,
                          "version", VEDETTE_VERSION, "you", "user", s->who.user, "groups",
                          command_groups(s->who.groups), "resolutions", sizes, "serial",
                          cam->identity ? cam->identity->serial : "");
    if (!o)
        return NULL;
    json_object_set_new(o, "head", command_head(cam));
    return o;
}
