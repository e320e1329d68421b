#include "ptz/presets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"
#include "conf/param.h"
#include "event/event.h"
#include "ptz/ptz.h"
#include "ptz/scale.h"

#define BEFORE "PTZ.Preset.P0.ImageBefore"
#define NAME_BYTES 64  /* of a parameter */
#define NEAR_DEG 0.05  /* so near it has arrived: heads of metal have steps */
#define NEAR_ZOOM 1.01 /* factor, likewise */

#define TOPIC(n)                                                                                   \
    {                                                                                              \
        .name = "PTZController/PTZPresets/Channel_" #n,                                            \
        .title = "The camera stands at the preset", .is_state = true, .state_key = "on_preset"     \
    }
static const struct event_topic reached_topics[VIEWS_MOST] = {
    TOPIC(1), TOPIC(2), TOPIC(3), TOPIC(4), TOPIC(5), TOPIC(6), TOPIC(7), TOPIC(8), TOPIC(9)};

struct presets {
    struct loop *loop;
    struct conf *conf;
    struct room *room;
    struct events *events;
    struct ptz *ptz;
    struct preset_hooks hooks;
    int channel, most;             /* most: how many there can be */
    bool used;                     /* the channel is there */
    int on, to;                    /* numbers, or 0 */
    bool going;                    /* the order that is heard of is ours */
    bool holds;                    /* the eye was told to */
    char image[PRESET_IMAGE_SIZE]; /* of the preset whose settings of the picture hold */
    struct ptz_listener head;
    struct conf_listener settings;
};

static void log_failure(int err, const struct fault *why, void *arg)
{
    if (err)
        log_error("ptz", "presets: %s", why->text);
}

static void commit_or_complain(struct txn *take_t, int err, const struct fault *why)
{
    if (!err) {
        txn_commit(take_t, log_failure, NULL);
        return;
    }
    log_error("ptz", "presets: %s", why->text);
    txn_abort(take_t);
}

static void tell_changed(struct presets *p)
{
    if (p->hooks.changed)
        p->hooks.changed(p, p->hooks.arg);
}

static void told_on(struct presets *p, int number, bool on)
{
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    const struct event_topic *topic = &reached_topics[p->channel - 1];
    const struct event_item source = {"PresetToken", text};
    const struct event_item data = {topic->state_key, on ? "1" : "0"};
    if (p->events)
        event_publish(p->events, topic->name, &source, 1, &data, 1);
    tell_changed(p);
}

/* ---- the eye ---- */

/* The preset's own settings of the picture instead of those that hold, or these again. */
static void set_image(struct presets *p, const char *image)
{
    struct fault why = {0};
    const struct preset_settings *s = presets_ref(p);
    struct txn *t = *image || *s->before ? txn_new(p->conf, ~0u) : NULL;
    if (t) {
        char before[PRESET_IMAGE_SIZE];
        int err = 0;
        if (*s->before)
            err = preset_image_set(p->conf, t, s->before, p->image, &why);
        text_copy(before, sizeof before, s->before);
        if (*image && !*before)
            preset_image_same(p->conf, image, before, sizeof before);
        if (!err && *image)
            err = preset_image_set(p->conf, t, image, "", &why);
        if (!err)
            err = txn_set(t, BEFORE, *image ? before : "", &why);
        commit_or_complain(t, err, &why);
    }
    room_unref(s);
    text_copy(p->image, sizeof p->image, image);
}

static void look_by_itself(struct presets *p)
{
    if (p->holds)
        p->hooks.release(p->hooks.eye);
    p->holds = false;
    if (*p->image)
        set_image(p, "");
}

static void look_as(struct presets *p, const struct preset_data *d, const char *image)
{
    if (!isnan(d->focus) && p->hooks.hold) {
        p->hooks.hold(share_of_step(d->focus), p->hooks.eye);
        p->holds = true;
    } else if (p->holds) {
        p->hooks.release(p->hooks.eye);
        p->holds = false;
    }
    if (*image || *p->image)
        set_image(p, image);
}

/* ---- going ---- */

static void left(struct presets *p)
{
    int was = p->on;
    p->on = p->to = 0;
    if (was)
        told_on(p, was, false);
}

static double most_zoom(struct presets *p)
{
    struct head_caps caps;
    ptz_caps(p->ptz, &caps);
    return caps.zoom ? caps.max_zoom : 1;
}

int presets_go(struct presets *p, int number, double speed, struct fault *why)
{
    struct preset_data d;
    const struct preset_settings *s = presets_ref(p);
    int err = number < 1 || number > p->most || !s->preset[number].used
                  ? fault_set(why, FAULT_UNKNOWN, "preset", "There is no preset %d.", number)
                  : preset_data_parse(s->preset[number].data, &d, why);
    if (!err) {
        p->going = true;
        err = ptz_absolute(p->ptz, d.pan_deg, d.tilt_deg,
                           isnan(d.zoom) ? NAN : zoom_of_step(d.zoom, most_zoom(p)), speed, why);
        p->going = false;
    }
    if (!err) {
        if (p->on != number)
            left(p);
        p->to = number;
        look_as(p, &d, s->preset[number].image);
    }
    room_unref(s);
    return err;
}

int presets_go_home(struct presets *p, double speed, struct fault *why)
{
    int home = presets_home(p);
    return presets_has(p, home) ? presets_go(p, home, speed, why)
                                : ptz_absolute(p->ptz, 0, 0, 1, speed, why);
}

/* Did it get there? Somebody's stop or a limit may have come in between. */
static bool is_there(struct presets *p, int number)
{
    struct preset_data d;
    struct head_limits l;
    struct pose at;
    const struct preset_settings *s = presets_ref(p);
    bool there = s->preset[number].used && !preset_data_parse(s->preset[number].data, &d, NULL);
    room_unref(s);
    if (!there)
        return false;
    ptz_pose(p->ptz, &at);
    ptz_limits(p->ptz, &l);
    double zoom = isnan(d.zoom) ? at.zoom : zoom_of_step(d.zoom, most_zoom(p));
    return fabs(pose_wrap_pan(at.pan_deg - d.pan_deg)) < NEAR_DEG &&
           fabs(at.tilt_deg - d.tilt_deg) < NEAR_DEG && at.zoom < zoom * NEAR_ZOOM &&
           zoom < at.zoom * NEAR_ZOOM;
}

static void on_head(struct ptz_listener *l, enum ptz_news what)
{
    struct presets *p = container_of(l, struct presets, head);
    if (p->going)
        return;
    if (what == PTZ_BEGAN) {
        left(p);
        look_by_itself(p);
        return;
    }
    int number = p->to;
    p->to = 0;
    if (number && !p->on && is_there(p, number)) {
        p->on = number;
        told_on(p, number, true);
    }
}

/* ---- what there is ---- */

const struct preset_settings *presets_ref(struct presets *p)
{
    return room_ref(p->room);
}

bool presets_has(struct presets *p, int number)
{
    const struct preset_settings *s = presets_ref(p);
    bool has = number >= 1 && number <= p->most && s->preset[number].used;
    room_unref(s);
    return has;
}

int presets_find(struct presets *p, const char *name)
{
    const struct preset_settings *s = presets_ref(p);
    int found = 0;
    for (int i = 1; !found && i <= p->most; i++)
        if (s->preset[i].used && !strcmp(s->preset[i].name, name))
            found = i;
    room_unref(s);
    return found;
}

int presets_home(struct presets *p)
{
    const struct preset_settings *s = presets_ref(p);
    int home = s->home;
    room_unref(s);
    return home;
}

int presets_on(struct presets *p)
{
    return p->on;
}

int presets_to(struct presets *p)
{
    return p->to;
}

/* ---- changes ---- */

static void group_of(const struct presets *p, int number, char ret[static NAME_BYTES])
{
    snprintf(ret, NAME_BYTES, "PTZ.Preset.P%d.Position.P%d", p->channel - 1, number);
}

static int set_row(struct presets *p, struct txn *t, int number, const char *row, const char *value,
                   struct fault *why)
{
    char group[NAME_BYTES], name[2 * NAME_BYTES];
    group_of(p, number, group);
    snprintf(name, sizeof name, "%s.%s", group, row);
    return txn_set(t, name, value, why);
}

static int add_row(struct presets *p, struct txn *t, int number, struct fault *why)
{
    return txn_add_at(t, presets_template(p->channel), (unsigned)number, why);
}

int presets_point_home(struct presets *p, struct txn *t, int number, struct fault *why)
{
    char name[NAME_BYTES], text[16];
    snprintf(name, sizeof name, "PTZ.Preset.P%d.HomePosition", p->channel - 1);
    snprintf(text, sizeof text, "%d", number);
    return txn_set(t, name, text, why);
}

static int least_free(const struct presets *p, const struct preset_settings *s)
{
    for (int i = 1; i <= p->most; i++)
        if (!s->preset[i].used)
            return i;
    return 0;
}

static void data_now(struct presets *p, struct preset_data *ret)
{
    struct pose at;
    ptz_pose(p->ptz, &at);
    double focus = p->hooks.focus ? p->hooks.focus(p->hooks.eye) : NAN;
    *ret = (struct preset_data){.pan_deg = at.pan_deg,
                                .tilt_deg = at.tilt_deg,
                                .zoom = step_of_zoom(at.zoom, most_zoom(p)),
                                .focus = isnan(focus) ? NAN : step_of_share(focus)};
}

int presets_store(struct presets *p, struct txn *t, int number, const char *name, bool image,
                  int *ret_number, struct fault *why)
{
    char given[32], data[PRESET_DATA_SIZE], keeps[PRESET_IMAGE_SIZE];
    struct preset_data d;
    int err = name ? preset_check_name(name, why) : 0;
    if (err)
        return err;
    if (!ptz_exists(p->ptz))
        return fault_set(why, FAULT_UNSUPPORTED, NULL, "This camera has no pan, tilt and zoom.");
    if (image && p->channel > 1)
        return fault_set(why, FAULT_UNSUPPORTED, "imagesettings",
                         "The picture's settings are those of camera=1: a view area has none.");
    if (number < 0 || number > p->most)
        return fault_set(why, FAULT_INVALID, "number", "Presets have the numbers 1 to %d.",
                         p->most);
    if (!number && name)
        number = presets_find(p, name);
    const struct preset_settings *s = presets_ref(p);
    if (!number)
        number = least_free(p, s);
    if (!number) {
        err = fault_set(why, FAULT_LIMIT, NULL, "There are %d presets already; remove one first.",
                        p->most);
    } else if (!s->preset[number].used) {
        err = add_row(p, t, number, why);
        snprintf(given, sizeof given, "Preset %d", number);
        name = name ? name : given;
    }
    room_unref(s);
    data_now(p, &d);
    preset_data_print(&d, data, sizeof data);
    if (!err && name)
        err = set_row(p, t, number, "Name", name, why);
    if (!err)
        err = set_row(p, t, number, "Data", data, why);
    if (!err && p->channel == 1) {
        err = preset_image_now(p->conf, image, keeps, sizeof keeps, why);
        if (!err)
            err = set_row(p, t, number, "Image", keeps, why);
    }
    if (!err)
        *ret_number = number;
    return err;
}

static int need(struct presets *p, int number, struct fault *why)
{
    return presets_has(p, number)
               ? 0
               : fault_set(why, FAULT_UNKNOWN, "preset", "There is no preset %d.", number);
}

int presets_rename(struct presets *p, struct txn *t, int number, const char *name,
                   struct fault *why)
{
    int err = need(p, number, why);
    if (!err)
        err = preset_check_name(name, why);
    return err ? err : set_row(p, t, number, "Name", name, why);
}

static int add_home(struct presets *p, struct txn *t, int number, struct fault *why)
{
    char name[32] = "Home";
    int other = presets_find(p, name);
    if (other && other != number)
        snprintf(name, sizeof name, "Home %d", number);
    int err = add_row(p, t, number, why);
    return err ? err : set_row(p, t, number, "Name", name, why);
}

int presets_remove(struct presets *p, struct txn *t, int number, struct fault *why)
{
    char group[NAME_BYTES];
    int err = need(p, number, why);
    group_of(p, number, group);
    if (!err)
        err = txn_remove(t, group, why);
    return err || number != presets_home(p) ? err : add_home(p, t, number, why);
}

int presets_remove_all(struct presets *p, struct txn *t, struct fault *why)
{
    char group[NAME_BYTES];
    int err = 0;
    for (int i = 1; !err && i <= p->most; i++) {
        group_of(p, i, group);
        err = presets_has(p, i) ? txn_remove(t, group, why) : 0;
    }
    if (!err)
        err = add_row(p, t, 1, why);
    if (!err)
        err = set_row(p, t, 1, "Name", "Home", why);
    return err ? err : presets_point_home(p, t, 1, why);
}

int presets_set_home(struct presets *p, struct txn *t, int number, struct fault *why)
{
    int err = need(p, number, why);
    return err ? err : presets_point_home(p, t, number, why);
}

int presets_add_home(struct presets *p, struct txn *t, struct fault *why)
{
    int home = presets_home(p);
    if (home < 0 || presets_has(p, home) || !p->used || !ptz_exists(p->ptz))
        return 0;
    int err = add_home(p, t, home, why);
    return err ? err : 1;
}

static void have_home(struct presets *p)
{
    struct fault why = {0};
    struct txn *t = txn_new(p->conf, ~0u);
    int home = t ? presets_add_home(p, t, &why) : 0;
    if (home)
        commit_or_complain(t, home < 0 ? home : 0, &why);
    else
        txn_abort(t);
}

void presets_use(struct presets *p, bool used)
{
    if (used == p->used)
        return;
    p->used = used;
    if (!used) {
        left(p);
        return;
    }
    if (p->events)
        events_declare(p->events, &reached_topics[p->channel - 1]);
    have_home(p);
}

static void on_settings(struct conf_listener *l, const char *const *names, size_t n)
{
    struct presets *p = container_of(l, struct presets, settings);
    bool ours = false;
    char branch[NAME_BYTES];
    snprintf(branch, sizeof branch, "PTZ.Preset.P%d.*", p->channel - 1);
    for (size_t i = 0; i < n && !ours; i++)
        ours = text_glob(branch, names[i]);
    if (!ours)
        return;
    have_home(p);
    if (p->on && !is_there(p, p->on))
        left(p);
    tell_changed(p);
}

/* Once all rooms of parameters are there. */
static void first_turn(void *arg)
{
    struct presets *p = arg;
    tell_changed(p);
    set_image(p, ""); /* it was ended at a preset with settings of its own */
}

struct presets *presets_new(struct loop *loop, struct conf *conf, struct room *room, int channel,
                            struct events *events, struct ptz *ptz,
                            const struct preset_hooks *hooks)
{
    struct presets *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->loop = loop;
    p->conf = conf;
    p->room = room;
    p->events = events;
    p->ptz = ptz;
    p->hooks = *hooks;
    p->channel = channel;
    p->most = channel == 1 ? PRESETS_MOST : VIEW_PRESETS_MOST;
    p->used = channel == 1;
    p->head.heard = on_head;
    p->settings.changed = on_settings;
    if (events && p->used)
        events_declare(events, &reached_topics[0]);
    ptz_listen(ptz, &p->head);
    conf_listen(conf, &p->settings);
    return channel == 1 && ptz_exists(ptz) && loop_call(loop, "presets", first_turn, p)
               ? presets_free(p)
               : p;
}

struct presets *presets_free(struct presets *p)
{
    if (!p)
        return NULL;
    conf_unlisten(p->conf, &p->settings);
    ptz_unlisten(p->ptz, &p->head);
    free(p);
    return NULL;
}
