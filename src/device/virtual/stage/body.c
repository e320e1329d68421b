#include "device/virtual/stage/body.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "device/virtual/stage/stage.h"
#include "event/event.h"

/* Where the box is too hot or too cold. */
#define TOO_HOT_C 70.0
#define TOO_COLD_C (-20.0)

static const struct event_topic port_topic = {.name = "Device/tnsaxis:IO/Port",
                                              .title = "Digital input",
                                              .is_state = true,
                                              .state_key = "state"};
static const struct event_topic casing_topic = {.name = "Device/tnsaxis:Casing/Open",
                                                .title = "The cover of the housing is off",
                                                .is_state = true,
                                                .state_key = "Open"};
static const struct event_topic card_topic = {.name =
                                                  "Device/tnsaxis:HardwareFailure/StorageFailure",
                                              .title = "A memory is missing or broken",
                                              .is_state = true,
                                              .state_key = "disruption"};
static const struct event_topic heat_topics[] = {
    {"Device/tnsaxis:Status/Temperature/Above", "Too hot", true, "sensor_level"},
    {"Device/tnsaxis:Status/Temperature/Below", "Too cold", true, "sensor_level"},
    {"Device/tnsaxis:Status/Temperature/Inside", "Neither too hot nor too cold", true,
     "sensor_level"},
    {"Device/tnsaxis:Status/Temperature/Above_or_below", "Too hot or too cold", true,
     "sensor_level"},
};
#define HEAT_TOPICS (sizeof heat_topics / sizeof *heat_topics)

struct virtual_body {
    struct body body;
    struct io io;
    struct stage *stage;
    struct clock *clock;
    struct events *events;
    struct body_listener *listeners, *next_told;
    struct io_listener *io_listeners, *next_io_told;
    struct stage_body told;
    bool any_told;
};

static struct virtual_body *of(struct body *b)
{
    return container_of(b, struct virtual_body, body);
}

static struct virtual_body *of_io(struct io *io)
{
    return container_of(io, struct virtual_body, io);
}

static struct stage_body now_of(struct virtual_body *v)
{
    struct stage_body now;
    stage_body_at(v->stage, stage_just_after(clock_now(v->clock)), &now);
    return now;
}

/* ---- ports ---- */

static bool housing(struct body *b)
{
    return now_of(of(b)).housing;
}

static bool card(struct body *b)
{
    return now_of(of(b)).card;
}

static bool button(struct body *b)
{
    return now_of(of(b)).button;
}

static double temperature(struct body *b)
{
    return now_of(of(b)).temperature_c;
}

static void accel(struct body *b, int64_t time_ns, double ret_g[3])
{
    stage_accel(of(b)->stage, time_ns, ret_g);
}

static void listen_body(struct body *b, struct body_listener *l)
{
    l->next = of(b)->listeners;
    of(b)->listeners = l;
}

static void unlisten_body(struct body *b, struct body_listener *l)
{
    struct virtual_body *v = of(b);
    if (v->next_told == l)
        v->next_told = l->next;
    for (struct body_listener **at = &v->listeners; *at; at = &(*at)->next)
        if (*at == l) {
            *at = l->next;
            return;
        }
}

static int inputs(struct io *io)
{
    (void)io;
    return STAGE_INPUTS;
}

static bool level(struct io *io, int input)
{
    return input >= 0 && input < STAGE_INPUTS && now_of(of_io(io)).input[input];
}

static void listen_io(struct io *io, struct io_listener *l)
{
    l->next = of_io(io)->io_listeners;
    of_io(io)->io_listeners = l;
}

static void unlisten_io(struct io *io, struct io_listener *l)
{
    struct virtual_body *v = of_io(io);
    if (v->next_io_told == l)
        v->next_io_told = l->next;
    for (struct io_listener **at = &v->io_listeners; *at; at = &(*at)->next)
        if (*at == l) {
            *at = l->next;
            return;
        }
}

static const struct body_ops body_ops = {.housing = housing,
                                         .card = card,
                                         .button = button,
                                         .temperature = temperature,
                                         .accel = accel,
                                         .listen = listen_body,
                                         .unlisten = unlisten_body};
static const struct io_ops io_ops = {
    .inputs = inputs, .level = level, .listen = listen_io, .unlisten = unlisten_io};

struct body *virtual_body_new(struct stage *stage, struct clock *clock, struct events *events)
{
    struct virtual_body *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->body.ops = &body_ops;
    v->io.ops = &io_ops;
    v->stage = stage;
    v->clock = clock;
    v->events = events;
    if (events) {
        events_declare(events, &port_topic);
        events_declare(events, &casing_topic);
        events_declare(events, &card_topic);
        for (size_t i = 0; i < HEAT_TOPICS; i++)
            events_declare(events, &heat_topics[i]);
    }
    return &v->body;
}

struct body *virtual_body_free(struct body *b)
{
    if (b)
        free(of(b));
    return NULL;
}

struct io *virtual_body_io(struct body *b)
{
    return b ? &of(b)->io : NULL;
}

/* ---- telling ---- */

static void publish(struct virtual_body *v, const struct event_topic *topic, const char *key,
                    const char *value, bool state)
{
    const struct event_item source = {key, value}, data = {topic->state_key, state ? "1" : "0"};
    if (v->events)
        event_publish(v->events, topic->name, &source, key ? 1 : 0, &data, 1);
}

static void tell(struct virtual_body *v, enum body_part part)
{
    for (struct body_listener *l = v->listeners; l; l = v->next_told) {
        v->next_told = l->next;
        l->changed(l, part);
    }
    v->next_told = NULL;
}

static void tell_io(struct virtual_body *v, int input)
{
    for (struct io_listener *l = v->io_listeners; l; l = v->next_io_told) {
        v->next_io_told = l->next;
        l->changed(l, input);
    }
    v->next_io_told = NULL;
}

static void publish_inputs(struct virtual_body *v, const struct stage_body *was,
                           const struct stage_body *now, bool all)
{
    for (int i = 0; i < STAGE_INPUTS; i++) {
        char port[16];
        snprintf(port, sizeof port, "%d", i);
        if (all || was->input[i] != now->input[i])
            publish(v, &port_topic, "port", port, now->input[i]);
    }
}

/* -1 too cold, 1 too hot. */
static int heat(const struct stage_body *b)
{
    return b->temperature_c > TOO_HOT_C ? 1 : b->temperature_c < TOO_COLD_C ? -1 : 0;
}

static void publish_heat(struct virtual_body *v, const struct stage_body *now)
{
    int h = heat(now);
    const bool level_of[HEAT_TOPICS] = {h > 0, h < 0, h == 0, h != 0};
    for (size_t i = 0; i < HEAT_TOPICS; i++)
        publish(v, &heat_topics[i], NULL, NULL, level_of[i]);
}

int64_t virtual_body_run(struct body *b, int64_t now_ns)
{
    struct virtual_body *v = of(b);
    struct stage_body was = v->told, now;
    bool all = !v->any_told;
    stage_body_at(v->stage, now_ns, &now);
    v->told = now; /* first: who is told may change the stage, and runs us again */
    v->any_told = true;
    publish_inputs(v, &was, &now, all);
    if (all || was.housing != now.housing)
        publish(v, &casing_topic, "Name", "Housing", !now.housing);
    if (all || was.card != now.card)
        publish(v, &card_topic, "disk_id", "SD_DISK", !now.card);
    if (all || heat(&was) != heat(&now))
        publish_heat(v, &now);
    if (!all) {
        for (int i = 0; i < STAGE_INPUTS; i++)
            if (was.input[i] != now.input[i])
                tell_io(v, i);
        const bool changed[] = {
            [BODY_HOUSING] = was.housing != now.housing,
            [BODY_CARD] = was.card != now.card,
            [BODY_BUTTON] = was.button != now.button,
            [BODY_TEMPERATURE] = was.temperature_c != now.temperature_c,
            [BODY_POWER] = was.power_cycles != now.power_cycles,
        };
        for (size_t i = 0; i < sizeof changed / sizeof *changed; i++)
            if (changed[i])
                tell(v, (enum body_part)i);
    }
    return stage_next(v->stage, now_ns);
}
