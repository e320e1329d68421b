#include "image/eye.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conf/param.h"
#include "event/event.h"
#include "image/eye_inside.h"
#include "media/shot.h"

#define FIRST_STOPS (-9.0) /* exposure before anything was seen: an overcast evening */
#define FIRST_WRONG 0.34   /* stops; nobody is to see a first picture that is so far off */
#define LAMP_PICTURES 2    /* that may have been under way when the lamp changed */
#define NO_IRIS_F 2.8      /* where nobody knows: only its changes would count */

static const struct event_topic day_topic = {
    .name = "VideoSource/DayNightVision",
    .title = "Day vision: colour, with the filter against infrared",
    .is_state = true,
    .state_key = "day",
};
static const struct event_topic lamp_topic = {
    .name = "LightControl/LightStatusChanged",
    .title = "The infrared lamp is on",
    .is_state = true,
    .state_key = "state",
};

static bool can(const struct eye *e, unsigned what)
{
    return (e->sensor.can & what) != 0;
}

/* Other names of what was saved, which are not. */
static void tell_names(struct eye *e)
{
    const struct eye_settings *s = room_ref(e->room);
    bool focus = s->focus.mode != FOCUS_MANUAL, iris = !eye_iris_by_hand(s);
    room_unref(s);
    if (!focus)
        conf_set(e->conf, "PTZ.Various.V1.AutoFocus", "false");
    if (!iris)
        conf_set(e->conf, "PTZ.Various.V1.AutoIris", "false");
}

struct eye *eye_new(struct loop *loop, struct clock *clock, struct conf *conf, struct room *room,
                    struct events *events, const struct eye_ports *ports)
{
    struct eye *e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->loop = loop;
    e->clock = clock;
    e->conf = conf;
    e->room = room;
    e->events = events;
    e->ports = *ports;
    ports->sensor->ops->caps(ports->sensor, &e->sensor);
    if (!ports->sensor->ops->set)
        e->sensor.can = 0;
    if (ports->lens)
        ports->lens->ops->caps(ports->lens, &e->lens);
    if (e->lens.iris) { /* where it mostly is, so that the first pictures need not wait for it */
        e->iris_f = EXPOSURE_RESTING_F;
        ports->lens->ops->iris(ports->lens, e->iris_f);
    }
    if (ports->infrared)
        ports->infrared->ops->caps(ports->infrared, &e->lamp);
    e->controls = e->sensor.can != 0 || ports->lens || ports->infrared;
    e->aspect = e->sensor.height > 0 ? (double)e->sensor.width / e->sensor.height : 16.0 / 9;
    e->exposure.stops = FIRST_STOPS;
    e->map.range = 1;
    e->again = EYE_AGAIN + 1;
    e->recall = -1;
    e->lamp_stands = LAMP_PICTURES;
    e->status = (struct eye_status){.range = 1, .ir_cut = true, .recall = -1};
    e->newest.iris_f = NO_IRIS_F;
    pthread_mutex_init(&e->lock, NULL);
    assist_init(e);
    slides_init(e);
    glance_init(e);
    tell_names(e);
    if (events && can(e, SENSOR_FILTER))
        events_declare(events, &day_topic);
    if (events && ports->infrared)
        events_declare(events, &lamp_topic);
    return e;
}

struct eye *eye_free(struct eye *e)
{
    if (!e)
        return NULL;
    assist_done(e);
    slides_done(e);
    glance_done(e);
    room_unref(e->settings);
    pthread_mutex_destroy(&e->lock);
    free(e);
    return NULL;
}

void eye_status(struct eye *e, struct eye_status *ret)
{
    pthread_mutex_lock(&e->lock);
    *ret = e->status;
    pthread_mutex_unlock(&e->lock);
}

/* ---- settings ---- */

static void find_limits(struct eye *e)
{
    const struct eye_settings *s = e->settings;
    struct exposure_limits *l = &e->limits;
    double now = (double)(e->newest.end_ns - e->newest.start_ns), frame = 1e9 / e->sensor.fps;
    *l = (struct exposure_limits){.sensor_shortest_ns = (double)e->sensor.shortest_ns,
                                  .sensor_longest_ns = (double)e->sensor.longest_ns,
                                  .fps = e->sensor.fps};
    if (!can(e, SENSOR_EXPOSURE) || l->sensor_longest_ns <= 0)
        l->sensor_shortest_ns = l->sensor_longest_ns = now > 0 ? now : frame;
    l->shortest_ns =
        fmin(fmax(s->exposure.shortest_us * 1e3, l->sensor_shortest_ns), l->sensor_longest_ns);
    double longest = s->exposure.longest_us > 0 ? s->exposure.longest_us * 1e3 : frame;
    l->longest_ns = fmin(fmax(longest, l->shortest_ns), l->sensor_longest_ns);
    l->sensor_db = can(e, SENSOR_GAIN) ? e->sensor.most_gain_db : 0;
    l->least_db = l->sensor_db * s->exposure.least_gain / 100;
    l->most_db = l->sensor_db * s->exposure.most_gain / 100;
    l->open_f = l->closed_f = e->newest.iris_f;
    if (e->lens.iris) {
        l->open_f = e->lens.widest_f;
        l->closed_f = e->lens.narrowest_f;
    }
}

static void step_tone(struct eye *e, double range, bool first)
{
    const struct tone_limits l = {.tone = can(e, SENSOR_TONE),
                                  .range = can(e, SENSOR_RANGE),
                                  .most_range = e->sensor.most_range};
    tone_map_step(&e->map, e->settings, &l, &e->seen, range, exposure_target(e->settings), first);
}

/* What is set holds from the next picture on: decided anew from what the last one showed. */
static void decide_anew(struct eye *e)
{
    step_tone(e, e->newest.range >= 1 ? e->newest.range : 1, false);
    double bias = tone_map_bias(&e->map, e->settings);
    exposure_step(&e->exposure, e->settings, &e->limits, &e->seen, e->weight, bias, true);
    double ev = -(e->seen.stops - e->exposure.error - bias);
    if (can(e, SENSOR_BALANCE) && !e->night.on)
        balance_step(&e->balance, e->settings, &e->seen, ev, false);
}

static void follow_settings(struct eye *e)
{
    const struct eye_settings *now = room_ref(e->room);
    bool same = now == e->settings;
    room_unref(e->settings);
    e->settings = now;
    if (same)
        return;
    find_limits(e);
    exposure_weights(now, e->weight);
    eye_focus_settings(e);
    if (e->has_seen)
        decide_anew(e);
}

/* ---- before a shot ---- */

/* Up to 50 it is the sensor's, from there on finishing has more (finish.h). */
static double own_reduction(const struct eye *e, int slider)
{
    return e->settings->noise_reduction ? fmin(slider / 50.0, 1) : 0;
}

static void settings_for(struct eye *e, int64_t start_ns, struct sensor_settings *ret)
{
    struct exposure_choice c = e->exposure.choice;
    if (c.ns == 0)
        exposure_share(e->settings, &e->limits, e->exposure.stops, &c);
    if (e->lens.iris) {
        struct lens_state lens;
        e->ports.lens->ops->state(e->ports.lens, start_ns, &lens);
        if (lens.iris_f > 0)
            exposure_correct(e->settings, &e->limits, lens.iris_f, &c);
    }
    *ret = (struct sensor_settings){.exposure_ns = c.ns,
                                    .gain_db = c.gain_db,
                                    .red = e->balance.red > 0 ? e->balance.red : 1,
                                    .blue = e->balance.blue > 0 ? e->balance.blue : 1,
                                    .ir_cut = !e->night.on,
                                    .mono = e->night.on,
                                    .range = e->map.range,
                                    .temporal = own_reduction(e, e->settings->temporal),
                                    .spatial = own_reduction(e, e->settings->spatial)};
    if (!e->map.made)
        tone_map_curve(1, 0, e->settings->brightness, e->settings->contrast, &e->map.tone);
    ret->tone = e->map.tone;
}

static bool same_settings(const struct sensor_settings *a, const struct sensor_settings *b)
{
    return a->exposure_ns == b->exposure_ns && a->gain_db == b->gain_db && a->red == b->red &&
           a->blue == b->blue && a->ir_cut == b->ir_cut && a->mono == b->mono &&
           a->range == b->range && a->temporal == b->temporal && a->spatial == b->spatial &&
           a->tone.local == b->tone.local &&
           !memcmp(a->tone.signal, b->tone.signal, sizeof(a->tone.signal)) &&
           (!a->tone.local || !memcmp(a->tone.stops, b->tone.stops, sizeof(a->tone.stops)));
}

void eye_prepare(struct eye *e, int64_t start_ns)
{
    struct sensor_settings now;
    if (!e->controls)
        return;
    follow_settings(e);
    if (!e->sensor.can)
        return;
    settings_for(e, start_ns, &now);
    if (e->was_set && same_settings(&now, &e->set))
        return;
    e->set = now;
    e->was_set = true;
    e->ports.sensor->ops->set(e->ports.sensor, &e->set);
}

/* ---- after it ---- */

static void tell(struct eye *e)
{
    const struct event_item source = {"VideoSourceConfigurationToken", "1"};
    bool day = !e->night.on, lit = e->lamp_set.intensity > 0;
    if (can(e, SENSOR_FILTER) && e->events && (!e->told || e->told_day != day)) {
        const struct event_item data = {day_topic.state_key, day ? "1" : "0"};
        event_publish(e->events, day_topic.name, &source, 1, &data, 1);
    }
    if (e->ports.infrared && e->events && (!e->told || e->told_lamp != lit)) {
        const struct event_item data = {lamp_topic.state_key, lit ? "1" : "0"};
        event_publish(e->events, lamp_topic.name, &source, 1, &data, 1);
    }
    e->told = true;
    e->told_day = day;
    e->told_lamp = lit;
}

static void light_lamp(struct eye *e)
{
    struct light_source *lamp = e->ports.infrared;
    struct light_state now = {e->night.lamp, e->night.beam_deg};
    e->lamp_stands += e->lamp_stands < LAMP_PICTURES;
    if (!lamp || (now.intensity == e->lamp_set.intensity &&
                  (now.intensity == 0 || now.beam_deg == e->lamp_set.beam_deg)))
        return;
    e->lamp_set = now;
    e->lamp_stands = 0;
    lamp->ops->set(lamp, now.intensity, now.beam_deg);
}

/* True: it became day or night. */
static bool look_at_night(struct eye *e, const struct shot *s, double ev, bool first)
{
    const struct exposure_limits *x = &e->limits;
    const struct night_limits l = {
        .least_ev =
            -exposure_stops(fmin(x->sensor_longest_ns, 1e9 / x->fps), x->sensor_db, x->open_f),
        .gain_stops = x->sensor_db / (20 * log10(2)),
        .filter = can(e, SENSOR_FILTER),
        .lamp = e->ports.infrared != NULL,
        .least_deg = e->lamp.least_deg,
        .most_deg = e->lamp.most_deg};
    const struct night_seen seen = {.at_ns = s->how.start_ns,
                                    .ev = ev,
                                    .error = e->exposure.error,
                                    .gain_db = s->how.gain_db,
                                    .hfov_deg = s->how.pose_end.hfov_deg,
                                    .steady = s->how.ir_cut == !e->night.on &&
                                              e->lamp_stands >= LAMP_PICTURES};
    bool night = e->night.on;
    night_step(&e->night, e->settings, &l, &seen, first);
    light_lamp(e);
    tell(e);
    return night != e->night.on;
}

static void turn_iris(struct eye *e)
{
    double f = e->exposure.choice.iris_f;
    if (!e->lens.iris || fabs(f - e->iris_f) < 1e-3)
        return;
    e->iris_f = f;
    e->ports.lens->ops->iris(e->ports.lens, f);
}

static void look_at_light(struct eye *e, const struct shot *s, bool first)
{
    const struct eye_settings *now = e->settings;
    measure_shot(s, &e->newest, &e->seen);
    e->has_seen = true;
    if (!can(e, SENSOR_EXPOSURE))
        find_limits(e);
    double range = e->map.range;
    step_tone(e, s->how.range >= 1 ? s->how.range : 1, first);
    double bias = tone_map_bias(&e->map, now);
    if (!night_probing(&e->night) || first)
        exposure_step(&e->exposure, now, &e->limits, &e->seen, e->weight, bias, first);
    else
        e->exposure.error = -exposure_error(&e->seen, e->weight, exposure_target(now)) - bias;
    double ev = -(e->seen.stops - e->exposure.error - bias);
    bool changed =
        can(e, SENSOR_FILTER) || e->ports.infrared ? look_at_night(e, s, ev, first) : false;
    if (can(e, SENSOR_BALANCE) && !e->night.on)
        balance_step(&e->balance, now, &e->seen, ev, first);
    turn_iris(e);
    bool wrong = changed || range != e->map.range ||
                 (fabs(e->exposure.error) > FIRST_WRONG &&
                  fabs(e->exposure.stops - e->seen.stops) > FIRST_WRONG);
    e->again = first && wrong ? e->again - 1 : 0;
}

static void tell_status(struct eye *e, const struct shot *s)
{
    const struct capture *how = &s->how;
    bool has_gains = can(e, SENSOR_BALANCE);
    struct eye_status now = {
        .exposure_ns = how->end_ns - how->start_ns,
        .gain_db = how->gain_db,
        .iris_f = how->iris_f,
        .level = e->exposure.error,
        .settled = e->exposure.settled,
        .kelvin = has_gains ? balance_kelvin(e->set.red, e->set.blue) : 0,
        .red = has_gains ? e->set.red : how->red,
        .blue = has_gains ? e->set.blue : how->blue,
        .range = e->map.range,
        .night = e->night.on,
        .ir_cut = !e->night.on,
        .infrared = e->lamp_set.intensity,
        .focus = how->focus,
        .focusing = focus_busy(&e->focus),
        .sharpness = e->sharp_best > 0 ? fmin(e->sharp / e->sharp_best, 1) : 0,
        .recall = e->recall,
        .steadied_px = e->steadied_px,
    };
    pthread_mutex_lock(&e->lock);
    e->status = now;
    pthread_mutex_unlock(&e->lock);
}

bool eye_look(struct eye *e, const struct shot *s)
{
    if (!e->controls)
        return false;
    bool first = e->again > 0;
    bool light = e->sensor.can != 0 || e->lens.iris;
    if (light)
        look_at_light(e, s, first);
    else
        e->again = 0;
    if (e->again > 0)
        return true;
    if (e->lens.focus && eye_focus_look(e, s))
        assist_look(e);
    glance_look(e);
    e->newest = s->how;
    if (!(e->newest.iris_f > 0))
        e->newest.iris_f = NO_IRIS_F;
    tell_status(e, s);
    return false;
}

void eye_steadied(struct eye *e, double px)
{
    e->steadied_px = px;
}

bool eye_settling(const struct eye *e)
{
    return e->settling;
}

void eye_rest(struct eye *e)
{
    struct focus_order order = {0};
    e->again = EYE_AGAIN + 1;
    e->streak = 0;
    e->sharp_best = e->focus.best = 0; /* it may look elsewhere then */
    if (!focus_busy(&e->focus))
        return;
    focus_cancel(&e->focus, &order); /* not left where nothing is sharp */
    focus_begin(&e->focus);
    if (order.go)
        e->ports.lens->ops->focus(e->ports.lens, order.to, order.speed);
}
