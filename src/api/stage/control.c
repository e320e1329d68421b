#include "api/stage/control.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/stage/players.h"
#include "api/stage/reply.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"
#include "device/device.h"
#include "device/virtual/decal.h"
#include "device/virtual/stage/stage.h"
#include "device/virtual/world.h"
#include "net/exchange.h"

#define MOST_CHANGES 64 /* in one request */
/* How a camera that starts itself anew is told what its stage looked like. */
#define STAGE_VARIABLE "VEDETTE_STAGE"
#define STAGE_TEXT 8192

struct control_door {
    struct camera *cam;
    struct stage *stage;
    struct players_door *players;
    struct loop_timer next;
    struct body_listener body;
    struct loop_post restart;
};

/* ---- how it is ---- */

static json_t *value_json(enum stage_key key, double value)
{
    const char *word = stage_value_word(key, value);
    return word ? json_string(word) : json_real(value);
}

static json_t *set_json(const struct set *s)
{
    json_t *j =
        json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "hour", s->hour, "cloud",
                  s->cloud, "rain", s->rain_mm_h, "snow", s->snow_mm_h, "wet", s->wet, "wind",
                  s->wind_m_s, "windTo", s->wind_deg, "ir", s->ir, "irBeam", s->ir_beam_deg);
    if (j)
        json_object_set_new(j, "visibility",
                            isfinite(s->visibility_m) ? json_real(s->visibility_m) : json_null());
    return j;
}

static json_t *led_json(struct led *led)
{
    static const char *const colours[] = {"off", "green", "amber", "red"};
    double blink_hz = 0;
    enum led_colour c = led ? led->ops->get(led, &blink_hz) : LED_OFF;
    return json_pack("{s:s, s:f}", "colour", colours[c], "blink", blink_hz);
}

static json_t *body_json(struct stage *s, struct led *led, int64_t now_ns)
{
    struct stage_body b;
    double g[3];
    stage_body_at(s, now_ns, &b);
    stage_accel(s, now_ns, g);
    json_t *inputs = json_array();
    for (int i = 0; i < STAGE_INPUTS; i++)
        json_array_append_new(inputs, json_boolean(b.input[i]));
    return json_pack("{s:b, s:b, s:b, s:o, s:f, s:[f, f, f], s:I, s:o}", "housing", (int)b.housing,
                     "card", (int)b.card, "button", (int)b.button, "inputs", inputs, "temperature",
                     b.temperature_c, "acceleration", g[0], g[1], g[2], "powerCycles",
                     (json_int_t)b.power_cycles, "led", led_json(led));
}

static json_t *row_json(enum stage_key key)
{
    static const char *const lasting[] = {"state", "over", "for", "once"};
    const struct stage_row *r = &stage_rows[key];
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", r->name, "words", r->words, "group",
                          r->group, "doc", r->doc, "lasting", lasting[r->lasting]);
    if (!j)
        return NULL;
    if (r->numbers) {
        json_object_set_new(j, "min", json_real(r->min));
        json_object_set_new(j, "max", json_real(r->max));
    }
    if (r->unit)
        json_object_set_new(j, "unit", json_string(r->unit));
    if (r->word) {
        json_t *choices = json_array();
        for (const struct stage_word *w = r->word; w->word; w++)
            json_array_append_new(choices, json_string(w->word));
        json_object_set_new(j, "choices", choices);
    }
    if (r->lasting == LASTS_OVER)
        json_object_set_new(j, "over", json_real(r->over_s));
    if (r->lasting != LASTS_NOT || (r->bare && r->numbers))
        json_object_set_new(j, "default", value_json(key, r->standard));
    return j;
}

static json_t *state_json(struct control_door *d)
{
    int64_t now_ns = clock_now(d->cam->clock), next_ns = stage_just_after(now_ns);
    double v[STAGE_KEYS], pan, tilt, roll;
    struct set set, seen;
    char utc[40];
    json_t *values = json_object();
    stage_values(d->stage, next_ns, v);
    stage_at(d->stage, next_ns, &set, NULL);
    world_set(d->cam->device->world, next_ns, &seen, NULL);
    set.ir = seen.ir; /* of its own lamp, too */
    set.ir_beam_deg = seen.ir_beam_deg;
    stage_mount(d->stage, next_ns, &pan, &tilt, &roll);
    for (int i = 0; i < STAGE_KEYS; i++)
        if (stage_rows[i].lasting != LASTS_NOT)
            json_object_set_new(values, stage_rows[i].name, value_json((enum stage_key)i, v[i]));
    text_utc(clock_utc_of(d->cam->clock, now_ns), utc, sizeof utc);
    return json_pack("{s:f, s:s, s:s, s:o, s:o, s:o, s:{s:f, s:f, s:f}, s:o}", "now",
                     (double)now_ns / 1e9, "utc", utc, "place", world_place(d->cam->device->world),
                     "scenario", players_scenario_json(d->cam), "values", values, "set",
                     set_json(&set), "mount", "pan", pan, "tilt", tilt, "roll", roll, "body",
                     body_json(d->stage, d->cam->device->led, next_ns));
}

static json_t *can_json(void)
{
    json_t *rows = json_array();
    for (int i = 0; i < STAGE_KEYS; i++)
        json_array_append_new(rows, row_json((enum stage_key)i));
    return rows;
}

/* ---- what is done ---- */

/* Whatever the JSON says, as a value of that row. */
static int value_of(enum stage_key key, const json_t *j, double *ret, struct fault *why)
{
    const struct stage_row *r = &stage_rows[key];
    if (json_is_string(j))
        return stage_value(key, json_string_value(j), ret, why);
    if (json_is_boolean(j)) {
        const struct stage_word *w = r->word;
        bool is_switch = w && !strcmp(w->word, "off");
        if (r->bare && json_is_true(j))
            *ret = r->numbers ? r->standard : 1;
        else if (is_switch)
            *ret = json_is_true(j);
        else
            return fault_set(why, FAULT_INVALID, r->name, "%s is not %s.", r->name,
                             json_is_true(j) ? "true" : "false");
        return 0;
    }
    double v = json_is_number(j) && r->numbers ? json_number_value(j) : NAN;
    if (r->numbers && !(v >= r->min && v <= r->max)) /* -1 is no way to say auto */
        v = NAN;
    int err = stage_value_ok(key, v, why);
    if (!err)
        *ret = v;
    return err;
}

static int seconds_of(const json_t *body, const char *name, double *ret, struct fault *why)
{
    *ret = NAN;
    int err = json_get_double(body, name, ret, why);
    if (!err && !isnan(*ret) && !(*ret >= 0 && *ret <= STAGE_LONGEST_S))
        err =
            fault_set(why, FAULT_INVALID, name, "%s is 0 to %.0f seconds.", name, STAGE_LONGEST_S);
    return err;
}

/* What somebody who wants another place has to do. */
static int stays(struct fault *why)
{
    return fault_set(why, FAULT_UNSUPPORTED, "place",
                     "A camera stands where it was started. For another place start one with "
                     "--source virtual:street or virtual:hall.");
}

/* {"weather": "rain", "cloud": 1, "over": 10}, in the order of the table. */
static int read_values(const json_t *body, struct stage_change *ret, size_t *ret_n,
                       struct fault *why)
{
    const char *name;
    json_t *unused;
    enum stage_key known;
    double over, lasts;
    bool used_over = false, used_for = false;
    int err = seconds_of(body, "over", &over, why);
    if (!err)
        err = seconds_of(body, "for", &lasts, why);
    if (!err && json_object_get(body, "place"))
        err = stays(why);
    json_object_foreach((json_t *)body, name, unused)
    {
        if (!err && strcmp(name, "over") != 0 && strcmp(name, "for") != 0)
            err = stage_row_by_name(name, &known, why);
    }
    size_t n = 0;
    for (int i = 0; !err && i < STAGE_KEYS; i++) {
        const json_t *j = json_object_get(body, stage_rows[i].name);
        if (!j)
            continue;
        enum stage_lasting lasting = stage_rows[i].lasting;
        struct stage_change c = {.key = (enum stage_key)i,
                                 .seconds = lasting == LASTS_OVER  ? over
                                            : lasting == LASTS_FOR ? lasts
                                                                   : NAN};
        used_over |= lasting == LASTS_OVER;
        used_for |= lasting == LASTS_FOR;
        err = value_of(c.key, j, &c.value, why);
        ret[n++] = c;
    }
    if (!err && !isnan(over) && !used_over)
        err = fault_set(why, FAULT_INVALID, "over", "Nothing of this comes about gradually.");
    if (!err && !isnan(lasts) && !used_for)
        err = fault_set(why, FAULT_INVALID, "for", "Nothing of this ends by itself.");
    if (!err && !n)
        err = fault_set(why, FAULT_MISSING, NULL, "There is nothing to do.");
    *ret_n = n;
    return err;
}

/* {"do": "weather rain 5s"} or {"do": ["hour 20", "lamps on"]}. */
static int read_texts(const json_t *body, struct stage_change *ret, size_t *ret_n,
                      struct fault *why)
{
    const json_t *list = json_object_get(body, "do");
    size_t n = json_is_array(list) ? json_array_size(list) : 1;
    if (json_object_size(body) != 1)
        return fault_set(why, FAULT_INVALID, "do", "do stands alone.");
    if (n < 1 || n > MOST_CHANGES)
        return fault_set(why, FAULT_INVALID, "do", "do holds 1 to %d commands.", MOST_CHANGES);
    for (size_t i = 0; i < n; i++) {
        const json_t *text = json_is_array(list) ? json_array_get(list, i) : list;
        if (!json_is_string(text) || strlen(json_string_value(text)) != json_string_length(text))
            return fault_set(why, FAULT_INVALID, "do", "A command is a text.");
        const char *words = json_string_value(text);
        int err = strncmp(words, "place ", 6) ? stage_parse(words, &ret[i], why) : stays(why);
        if (err)
            return err;
    }
    *ret_n = n;
    return 0;
}

static void look(struct control_door *d)
{
    struct device *dev = d->cam->device;
    int64_t now_ns = clock_now(d->cam->clock), next = dev->run(dev, stage_just_after(now_ns));
    if (next == TIME_NEVER)
        loop_timer_cancel(&d->next);
    else
        loop_timer_at(d->cam->loop, &d->next, next - (stage_just_after(now_ns) - now_ns));
}

static void on_players(void *arg)
{
    look(arg);
}

static void on_time(struct loop_timer *t)
{
    look(container_of(t, struct control_door, next));
}

static void serve_stage(struct exchange *ex, void *arg)
{
    struct control_door *d = arg;
    if (ex->method == METHOD_GET) {
        json_t *j = state_json(d);
        if (j) {
            json_object_set_new(j, "cast", players_here_json(d->cam));
            json_object_set_new(j, "can", can_json());
        }
        stage_reply(ex, 200, j);
        return;
    }
    struct fault why = {0};
    struct stage_change c[MOST_CHANGES];
    size_t n = 0;
    JSON_AUTO *body = json_parse(ex->body, ex->body_len, &why);
    int err = body ? 0 : -1;
    if (!err && !json_is_object(body))
        err = fault_set(&why, FAULT_INVALID, NULL, "The body is a JSON object.");
    if (!err)
        err = json_object_get(body, "do") ? read_texts(body, c, &n, &why)
                                          : read_values(body, c, &n, &why);
    if (!err)
        err = stage_change(d->stage, stage_just_after(clock_now(d->cam->clock)), c, n, &why);
    if (err) {
        stage_reply_fault(ex, &why);
        return;
    }
    json_t *j = state_json(d);
    stage_reply(ex, 200, j);
    look(d);
}

/* ---- the power ---- */

static void on_restart(struct loop_post *p)
{
    struct control_door *d = container_of(p, struct control_door, restart);
    log_info("stage", "the camera starts anew");
    d->cam->restart = true;
    loop_stop(d->cam->loop);
}

static void on_body(struct body_listener *l, enum body_part part)
{
    struct control_door *d = container_of(l, struct control_door, body);
    if (part == BODY_POWER || part == BODY_HOUSING)
        loop_post(d->cam->loop, &d->restart); /* after the answer */
}

/* The place does not change because the camera was off. */
static void take_over(struct control_door *d)
{
    const char *text = getenv(STAGE_VARIABLE);
    char copy[STAGE_TEXT];
    if (text && text_copy(copy, sizeof copy, text)) {
        char *next = NULL;
        for (char *line = copy; *line; line = next) {
            struct fault why = {0};
            next = line + strcspn(line, "\n");
            if (*next)
                *next++ = '\0';
            if (stage_command_text(d->stage, clock_now(d->cam->clock), line, &why))
                log_warn("stage", "%s: %s", line, why.text);
        }
    }
    unsetenv(STAGE_VARIABLE);
}

static void hand_over(struct control_door *d)
{
    char text[STAGE_TEXT];
    if (stage_as_text(d->stage, stage_just_after(clock_now(d->cam->clock)), text, sizeof text) <
        sizeof text)
        setenv(STAGE_VARIABLE, text, true);
}

/* ---- a decal: for tests of privacy masks ---- */

static int decal_of(const json_t *j, struct decal *ret, struct fault *why)
{
    const json_t *points = json_object_get(j, "points"), *colour = json_object_get(j, "colour");
    size_t n = json_array_size(points);
    const char *name;
    json_t *unused;
    *ret = (struct decal){.colour = {1.5, 0, 1.5}};
    json_object_foreach((json_t *)j, name, unused)
    {
        if (strcmp(name, "points") != 0 && strcmp(name, "colour") != 0)
            return fault_set(why, FAULT_INVALID, name, "A decal has points and colour, no %.40s.",
                             name);
    }
    if (!json_is_object(j) || (points && !json_is_array(points)) || n > DECAL_POINTS ||
        (n && n < 3))
        return fault_set(why, FAULT_INVALID, "points",
                         "points are 3 to %d of [pan, tilt]; none take the decal away",
                         DECAL_POINTS);
    for (size_t i = 0; i < n; i++) {
        const json_t *p = json_array_get(points, i);
        double pan = json_number_value(json_array_get(p, 0));
        double tilt = json_number_value(json_array_get(p, 1));
        if (json_array_size(p) != 2 || !json_is_number(json_array_get(p, 0)) ||
            !json_is_number(json_array_get(p, 1)) || !(fabs(pan) <= 180) || !(fabs(tilt) <= 90))
            return fault_set(why, FAULT_INVALID, "points",
                             "a point is [pan, tilt], within 180 and 90 degrees");
        ret->point[i].pan_deg = pan;
        ret->point[i].tilt_deg = tilt;
    }
    for (size_t i = 0; colour && i < 3; i++) {
        const json_t *v = json_array_get(colour, i);
        if (json_array_size(colour) != 3 || !json_is_number(v) ||
            !(json_number_value(v) >= 0 && json_number_value(v) <= 4))
            return fault_set(why, FAULT_INVALID, "colour",
                             "colour is [red, green, blue], 0 to 4, where 1 is a white card in "
                             "the sun");
        ret->colour[i] = json_number_value(v);
    }
    ret->n = (unsigned)n;
    return 0;
}

static void serve_decal(struct exchange *ex, void *arg)
{
    struct control_door *d = arg;
    struct fault why = {0};
    struct decal decal;
    JSON_AUTO *j = json_parse(ex->body, ex->body_len, &why);
    if (!j || decal_of(j, &decal, &why)) {
        stage_reply_fault(ex, &why);
        return;
    }
    world_decal(d->cam->device->world, &decal);
    stage_reply(ex, 200, json_pack("{s:i}", "points", (int)decal.n));
}

static const struct endpoint rows[] = {
    {.path = "/vedette/stage/decal",
     .methods = METHOD_POST,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .serve = serve_decal,
     .doc = "paints a polygon of directions in one colour, to test what masks hide (JSON)"},
    {.path = "/vedette/stage",
     .methods = METHOD_GET | METHOD_POST,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .serve = serve_stage,
     .doc = "how the virtual place and device are, what can be done to them, and does it (JSON, "
            "docs/stage.md)"},
};

struct control_door *control_door_new(struct camera *cam, struct gate *g)
{
    struct control_door *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->cam = cam;
    d->stage = cam->device->stage;
    d->next = (struct loop_timer){.name = "stage", .fire = on_time};
    d->restart = (struct loop_post){.name = "stage-restart", .run = on_restart};
    d->body.changed = on_body;
    d->players = players_door_new(cam, g, on_players, d); /* first: its scenario speaks, too */
    if (!d->players) {
        free(d);
        return NULL;
    }
    look(d);
    take_over(d); /* after the first words of the scenario */
    look(d);
    /* Only now: that it is as it was before the start is no reason to start anew. */
    cam->device->body->ops->listen(cam->device->body, &d->body);
    gate_add(g, rows, sizeof rows / sizeof *rows, d);
    return d;
}

struct control_door *control_door_free(struct control_door *d)
{
    if (!d)
        return NULL;
    if (d->cam->restart)
        hand_over(d);
    d->cam->device->body->ops->unlisten(d->cam->device->body, &d->body);
    loop_timer_cancel(&d->next);
    loop_post_cancel(d->cam->loop, &d->restart);
    players_door_free(d->players);
    free(d);
    return NULL;
}
