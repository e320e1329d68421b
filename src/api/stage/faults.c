#include "api/stage/faults.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/stage/reply.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"
#include "device/device.h"
#include "device/virtual/stage/faults.h"
#include "net/exchange.h"
#include "net/fault_hook.h"

#define FAULTS_MOST 32
#define LONGEST_S (366.0 * 86400)
#define NUMBERS 2 /* arguments of a kind that are numbers */

/* The stage itself is never disturbed, so that what was switched on can be switched off. */
#define SPARED "/vedette/stage*"
#define DATAGRAMS "/axis-media/media.amp"

struct number {
    const char *name, *unit, *doc;
    double min, max, standard;
    double scale; /* to the unit of those who break things */
};

struct kind {
    const char *name, *doc;
    enum part { DEVICE, NET, CLOCK } part;
    int code; /* enum device_fault_kind, enum net_fault_kind */
    bool path, reset;
    struct number number[NUMBERS];
};

static const struct kind kinds[] = {
    {.name = "source-freeze",
     .doc = "the picture stands still; serials, times and overlays go on",
     .part = DEVICE,
     .code = SOURCE_FREEZE},
    {.name = "source-lost",
     .doc = "no signal: the placeholder is shown and the event sent",
     .part = DEVICE,
     .code = SOURCE_LOST},
    {.name = "source-drop",
     .doc = "pictures are missing, here and there",
     .part = DEVICE,
     .code = SOURCE_DROP,
     .number = {{"percent", "%", "of the pictures", 1, 100, 50, 0.01}}},
    {.name = "source-late",
     .doc = "pictures come late, with the time at which they were taken",
     .part = DEVICE,
     .code = SOURCE_LATE,
     .number = {{"ms", "ms", "from taking to coming", 1, SOURCE_LATE_MOST_S * 1e3, 500, 1e-3}}},
    {.name = "source-torn",
     .doc = "the lower part of a picture is of the one before",
     .part = DEVICE,
     .code = SOURCE_TORN,
     .number = {{"percent", "%", "of the pictures", 1, 100, 50, 0.01}}},
    {.name = "head-slow",
     .doc = "pan, tilt and zoom move slowly",
     .part = DEVICE,
     .code = HEAD_SLOW,
     .number = {{"percent", "%", "of the usual speed", 1, 100, 20, 0.01}}},
    {.name = "head-stuck",
     .doc = "the head takes commands and stands still",
     .part = DEVICE,
     .code = HEAD_STUCK},
    {.name = "head-fails",
     .doc = "the head refuses commands and stands still",
     .part = DEVICE,
     .code = HEAD_FAILS},
    {.name = "clock-wrong",
     .doc = "the camera's date and time are wrong",
     .part = CLOCK,
     .number = {{"offset", "s", "ahead of the right time; behind when negative", -2e9, 2e9, 3600,
                 1}}},
    {.name = "net-delay",
     .doc = "answers and streams arrive later",
     .part = NET,
     .code = NET_DELAY,
     .path = true,
     .number = {{"ms", "ms", "later", 0, 10000, 500, 1e-3},
                {"jitter", "ms", "up to so much more, at random", 0, 10000, 0, 1e-3}}},
    {.name = "net-slow",
     .doc = "answers and streams trickle",
     .part = NET,
     .code = NET_SLOW,
     .path = true,
     .number = {{"bytesPerSecond", "B/s", "on each connection", 1, 1e9, 2000, 1}}},
    {.name = "net-stall",
     .doc = "nothing moves, as on a cable that is pulled; afterwards all goes on",
     .part = NET,
     .code = NET_STALL,
     .path = true},
    {.name = "net-cut",
     .doc = "connections end in the middle of answers and streams",
     .part = NET,
     .code = NET_CUT,
     .path = true,
     .reset = true,
     .number = {{"after", "B", "of the answer or stream have been sent", 0, 1e12, 0, 1}}},
    {.name = "net-length",
     .doc = "answers claim a length that is not theirs",
     .part = NET,
     .code = NET_LENGTH,
     .path = true,
     .number = {{"by", "B", "claimed too many; too few when negative", -1e6, 1e6, 10, 1}}},
    {.name = "net-loss",
     .doc = "packets of streams over UDP are lost",
     .part = NET,
     .code = NET_LOSS,
     .number = {{"percent", "%", "of the packets", 0.1, 100, 5, 0.01}}},
};
#define KINDS (sizeof kinds / sizeof *kinds)

struct staged {
    struct list link;
    struct faults_door *door;
    const struct kind *kind;
    int id;
    double value[NUMBERS]; /* as they were told */
    char path[NET_FAULT_PATH];
    bool reset;
    int64_t from_ns, until_ns; /* TIME_NEVER: until it is switched off */
    bool on;
    int number;            /* among its kind's like */
    int64_t utc_offset_ns; /* CLOCK: of UTC to the camera's time, once it was wrong */
    struct loop_timer timer;
};

struct faults_door {
    struct camera *cam;
    struct list faults; /* struct staged */
    unsigned n;
    int last_id;
};

static int64_t now_of(const struct faults_door *d)
{
    return clock_now(d->cam->clock);
}

/* ---- on and off ---- */

static int64_t utc_offset(const struct faults_door *d)
{
    int64_t now_ns = now_of(d);
    return clock_utc_of(d->cam->clock, now_ns) - now_ns;
}

/* By how much the clock is wrong on purpose [s]. */
static double clock_wrong(const struct faults_door *d)
{
    double s = 0;
    list_for_each(it, &d->faults)
    {
        const struct staged *other = container_of(it, struct staged, link);
        if (other->on && other->kind->part == CLOCK)
            s += other->value[0];
    }
    return s;
}

/* Others that are on go on: what they know of the clock goes with it. */
static void shift_clock(struct faults_door *d, double seconds)
{
    int64_t by_ns = (int64_t)llround(seconds * 1e9);
    clock_shift_utc(d->cam->clock, by_ns);
    list_for_each(it, &d->faults) container_of(it, struct staged, link)->utc_offset_ns += by_ns;
}

static int switch_on(struct staged *s)
{
    const struct kind *k = s->kind;
    struct faults_door *d = s->door;
    double v = s->value[0] * k->number[0].scale, second = s->value[1] * k->number[1].scale;
    if (k->part == DEVICE) {
        const struct device_fault f = {.kind = (enum device_fault_kind)k->code,
                                       .value = v,
                                       .from_ns = now_of(d),
                                       .until_ns = s->until_ns};
        s->number = faults_add(d->cam->device->faults, &f);
    } else if (k->part == NET) {
        struct net_fault f = {
            .kind = (enum net_fault_kind)k->code, .value = v, .jitter = second, .reset = s->reset};
        text_copy(f.path, sizeof f.path, s->path);
        s->number = net_fault_add(&f);
    } else if (fabs(clock_wrong(d) + v) > k->number[0].max) {
        s->number = -ERANGE;
    } else {
        shift_clock(d, v);
        s->utc_offset_ns = utc_offset(d);
        s->number = 1;
    }
    s->on = s->number > 0;
    log_warn("stage", "fault on purpose %d%s: %s", s->id, s->on ? "" : " cannot be", k->name);
    return s->on ? 0 : s->number;
}

static void switch_off(struct staged *s)
{
    struct faults_door *d = s->door;
    if (!s->on)
        return;
    s->on = false;
    if (s->kind->part == DEVICE) {
        faults_remove(d->cam->device->faults, s->number);
    } else if (s->kind->part == NET) {
        net_fault_remove(s->number);
    } else if (llabs(utc_offset(d) - s->utc_offset_ns) < NSEC_PER_SEC) {
        /* otherwise somebody has set the clock right in the meantime */
        shift_clock(d, -s->value[0]);
    }
    log_info("stage", "fault on purpose %d is over: %s", s->id, s->kind->name);
}

static void end(struct staged *s)
{
    switch_off(s);
    loop_timer_cancel(&s->timer);
    list_remove(&s->link);
    s->door->n--;
    free(s);
}

static void on_time(struct loop_timer *t)
{
    struct staged *s = container_of(t, struct staged, timer);
    if (s->on || switch_on(s)) {
        end(s);
        return;
    }
    if (s->until_ns != TIME_NEVER)
        loop_timer_at(s->door->cam->loop, &s->timer, s->until_ns);
}

/* ---- as JSON ---- */

static json_t *fault_json(const struct staged *s)
{
    json_t *j = json_pack("{s:i, s:s, s:b, s:f}", "id", s->id, "kind", s->kind->name, "on",
                          (int)s->on, "from", (double)s->from_ns / 1e9);
    if (!j)
        return NULL;
    json_object_set_new(
        j, "until", s->until_ns == TIME_NEVER ? json_null() : json_real((double)s->until_ns / 1e9));
    for (int i = 0; i < NUMBERS && s->kind->number[i].name; i++)
        json_object_set_new(j, s->kind->number[i].name, json_real(s->value[i]));
    if (s->kind->path)
        json_object_set_new(j, "path", json_string(s->path));
    if (s->kind->reset)
        json_object_set_new(j, "reset", json_boolean(s->reset));
    return j;
}

static json_t *kind_json(const struct kind *k)
{
    json_t *arguments = json_array();
    for (int i = 0; i < NUMBERS && k->number[i].name; i++) {
        const struct number *n = &k->number[i];
        json_array_append_new(arguments, json_pack("{s:s, s:s, s:s, s:f, s:f, s:f}", "name",
                                                   n->name, "unit", n->unit, "doc", n->doc, "min",
                                                   n->min, "max", n->max, "default", n->standard));
    }
    if (k->path)
        json_array_append_new(arguments, json_pack("{s:s, s:s, s:s}", "name", "path", "doc",
                                                   "what was asked for, * stands for anything",
                                                   "default", "*"));
    if (k->reset)
        json_array_append_new(arguments,
                              json_pack("{s:s, s:s, s:b}", "name", "reset", "doc",
                                        "with a reset instead of an orderly end", "default", 0));
    return json_pack("{s:s, s:s, s:o}", "name", k->name, "doc", k->doc, "arguments", arguments);
}

static json_t *list_json(const struct faults_door *d)
{
    json_t *list = json_array(), *can = json_array();
    list_for_each(it, &d->faults)
        json_array_append_new(list, fault_json(container_of(it, struct staged, link)));
    for (size_t i = 0; i < KINDS; i++)
        json_array_append_new(can, kind_json(&kinds[i]));
    return json_pack("{s:f, s:o, s:o}", "now", (double)now_of(d) / 1e9, "faults", list, "kinds",
                     can);
}

/* ---- what is asked ---- */

static int read_kind(const json_t *body, const struct kind **ret, struct fault *why)
{
    const char *name = NULL;
    int err = json_get_string(body, "kind", &name, why);
    if (err)
        return err;
    if (!name)
        return fault_set(why, FAULT_MISSING, "kind", "kind says which fault.");
    for (size_t i = 0; i < KINDS; i++)
        if (!strcmp(kinds[i].name, name))
            *ret = &kinds[i];
    if (!*ret)
        return fault_set(why, FAULT_INVALID, "kind",
                         "There is no fault %.40s; GET names all of them.", name);
    return 0;
}

static int read_number(const json_t *body, const char *name, double min, double max, double *ret,
                       struct fault *why)
{
    int err = json_get_double(body, name, ret, why);
    if (!err && json_object_get(body, name) && !(*ret >= min && *ret <= max))
        err = fault_set(why, FAULT_INVALID, name, "%s is %.10g to %.10g.", name, min, max);
    return err;
}

static int read_path(const json_t *body, char ret[NET_FAULT_PATH], struct fault *why)
{
    const char *path = "*";
    int err = json_get_string(body, "path", &path, why);
    if (!err && ((*path != '/' && *path != '*') || !text_is_ascii_print(path) ||
                 !text_copy(ret, NET_FAULT_PATH, path)))
        err = fault_set(why, FAULT_INVALID, "path",
                        "path begins with / or *, and has at most %d characters.",
                        NET_FAULT_PATH - 1);
    return err;
}

static bool is_argument(const struct kind *k, const char *name)
{
    if (!strcmp(name, "kind") || !strcmp(name, "seconds") || !strcmp(name, "in"))
        return true;
    for (int i = 0; i < NUMBERS && k->number[i].name; i++)
        if (!strcmp(name, k->number[i].name))
            return true;
    return (k->path && !strcmp(name, "path")) || (k->reset && !strcmp(name, "reset"));
}

static int read_fault(const struct faults_door *d, const json_t *body, struct staged *ret,
                      struct fault *why)
{
    double seconds = NAN, in = 0;
    const char *name;
    json_t *unused;
    int err = json_is_object(body) ? read_kind(body, &ret->kind, why)
                                   : fault_set(why, FAULT_INVALID, NULL, "The body is an object.");
    if (err)
        return err;
    const struct kind *k = ret->kind;
    json_object_foreach((json_t *)body, name, unused)
    {
        if (!err && !is_argument(k, name))
            err = fault_set(why, FAULT_INVALID, name, "%s has no %.40s.", k->name, name);
    }
    if (!err)
        err = read_number(body, "seconds", 0.001, LONGEST_S, &seconds, why);
    if (!err)
        err = read_number(body, "in", 0, LONGEST_S, &in, why);
    for (int i = 0; !err && i < NUMBERS && k->number[i].name; i++) {
        const struct number *n = &k->number[i];
        ret->value[i] = n->standard;
        err = read_number(body, n->name, n->min, n->max, &ret->value[i], why);
    }
    text_copy(ret->path, sizeof ret->path, "*");
    if (!err && k->path)
        err = read_path(body, ret->path, why);
    if (!err && k->reset)
        err = json_get_bool(body, "reset", &ret->reset, why);
    if (err)
        return err;
    ret->from_ns = now_of(d) + (int64_t)llround(in * 1e9);
    ret->until_ns = isnan(seconds) ? TIME_NEVER : ret->from_ns + (int64_t)llround(seconds * 1e9);
    return 0;
}

static void serve_new(struct exchange *ex, struct faults_door *d)
{
    struct fault why = {0};
    JSON_AUTO *body = json_parse(ex->body, ex->body_len, &why);
    struct staged wanted = {.door = d}, *s = NULL;
    int err = body ? read_fault(d, body, &wanted, &why) : -EINVAL;
    if (!err && d->n >= FAULTS_MOST)
        err = fault_set(&why, FAULT_LIMIT, NULL, "%d faults are on already.", FAULTS_MOST);
    if (!err && !(s = malloc(sizeof *s)))
        err = fault_set(&why, FAULT_INTERNAL, NULL, "Out of memory.");
    if (!err) {
        *s = wanted;
        s->id = ++d->last_id;
        s->timer = (struct loop_timer){.name = "fault on purpose", .fire = on_time};
        list_append(&d->faults, &s->link);
        d->n++;
        if (s->from_ns > now_of(d))
            err = loop_timer_at(d->cam->loop, &s->timer, s->from_ns);
        else if (!(err = switch_on(s)) && s->until_ns != TIME_NEVER)
            err = loop_timer_at(d->cam->loop, &s->timer, s->until_ns);
        if (err) {
            end(s);
            fault_set(&why, FAULT_LIMIT, NULL, "Too many faults of this kind are on.");
        }
    }
    if (err)
        stage_reply_fault(ex, &why);
    else
        stage_reply(ex, 200, fault_json(s));
}

static void serve_end(struct exchange *ex, struct faults_door *d)
{
    const char *text = exchange_arg(ex, "id");
    int64_t id = 0;
    int ended = 0;
    if (text && text_int(text, 1, INT32_MAX, &id)) {
        stage_reply_error(ex, 400, "id is the number of a fault");
        return;
    }
    list_for_each_safe(it, &d->faults)
    {
        struct staged *s = container_of(it, struct staged, link);
        if (text && s->id != id)
            continue;
        end(s);
        ended++;
    }
    if (text && !ended)
        stage_reply_error(ex, 404, "that fault is not on, or over");
    else
        stage_reply(ex, 200, json_pack("{s:i}", "ended", ended));
}

static void serve_faults(struct exchange *ex, void *arg)
{
    struct faults_door *d = arg;
    if (ex->method == METHOD_GET)
        stage_reply(ex, 200, list_json(d));
    else if (ex->method == METHOD_POST)
        serve_new(ex, d);
    else
        serve_end(ex, d);
}

static const struct endpoint rows[] = {
    {.path = "/vedette/stage/faults",
     .methods = METHOD_GET | METHOD_POST | METHOD_DELETE,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .serve = serve_faults,
     .doc = "faults on purpose: which there are and which are on, a new one, their end (JSON, "
            "docs/faults.md)"},
};

struct faults_door *faults_door_new(struct camera *cam, struct gate *g)
{
    struct faults_door *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->cam = cam;
    list_init(&d->faults);
    net_fault_rules(SPARED, DATAGRAMS);
    if (cam->device->faults)
        gate_add(g, rows, sizeof rows / sizeof *rows, d);
    return d;
}

struct faults_door *faults_door_free(struct faults_door *d)
{
    if (!d)
        return NULL;
    list_for_each_safe(it, &d->faults) end(container_of(it, struct staged, link));
    free(d);
    return NULL;
}
