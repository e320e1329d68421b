#include "open_ptz.h"

#include <math.h>

#include "api/camera.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "device/device.h"
#include "image/eye.h"
#include "image/overlay.h"
#include "media/pipeline.h"
#include "ptz/guard_tour.h"
#include "ptz/home_timeout.h"
#include "ptz/limits.h"
#include "ptz/presets.h"
#include "ptz/ptz.h"
#include "ptz/queue.h"
#include "ptz/recorded_tour.h"
#include "ptz/views.h"

int ptz_add_rooms(struct camera *c, struct ptz_rooms *r, struct fault *why)
{
    struct head_caps head = {0};
    if (c->device->head)
        c->device->head->ops->caps(c->device->head, &head);
    const struct {
        const struct room_desc *desc;
        struct room **room;
    } rooms[] = {
        {&ptz_room_desc, &c->ptz_room},        {ptz_limits_room(&head), &r->limits},
        {&control_queue_room_desc, &r->queue}, {presets_room(1), &r->presets[0]},
        {guard_tours_room(), &r->guard},       {&recorded_tours_room_desc, &r->recorded},
    };
    int err = 0;
    for (size_t i = 0; !err && i < sizeof rooms / sizeof *rooms; i++)
        err = rooms[i].desc ? conf_add_room(c->conf, rooms[i].desc, rooms[i].room, why) : 0;
    for (int channel = 2; !err && channel <= VIEWS_MOST; channel++)
        err = conf_add_room(c->conf, presets_room(channel), &r->presets[channel - 1], why);
    return err;
}

static double focus_now(void *arg)
{
    return eye_focus_now(arg);
}

static void hold_focus(double focus, void *arg)
{
    eye_focus_hold(arg, focus);
}

static void release_focus(void *arg)
{
    eye_focus_release(arg);
}

/* The compass shows presets at their bearings, overlay text the one that the camera stands at. */
static void on_presets(struct presets *p, void *arg)
{
    struct camera *c = arg;
    static struct compass_mark marks[COMPASS_MARKS_MOST]; /* loop-bound: one at a time */
    size_t n = 0;
    const struct preset_settings *s = presets_ref(p);
    for (int i = 1; i <= PRESETS_MOST && n < COMPASS_MARKS_MOST; i++) {
        struct preset_data d;
        if (!s->preset[i].used || preset_data_parse(s->preset[i].data, &d, NULL))
            continue;
        text_copy(marks[n].name, sizeof marks[n].name, s->preset[i].name);
        marks[n++].pan_deg = d.pan_deg;
    }
    overlays_set_marks(c->overlays, marks, n);
    int on = presets_on(p);
    overlays_set_preset(c->overlays, on, on ? s->preset[on].name : "");
    room_unref(s);
}

int open_ptz(struct camera *c, const struct ptz_rooms *r, uint64_t seed, struct fault *why)
{
    const struct preset_hooks hooks = {.focus = focus_now,
                                       .hold = hold_focus,
                                       .release = release_focus,
                                       .eye = c->eye,
                                       .changed = on_presets,
                                       .arg = c};
    c->control = control_queue_new(c->loop, r->queue, c->events);
    if (r->limits)
        ptz_limits_apply(c->ptz, r->limits);
    if (c->control)
        c->presets = presets_new(c->loop, c->conf, r->presets[0], 1, c->events, c->ptz, &hooks);
    if (c->presets) {
        c->home_timeout =
            home_timeout_new(c->loop, c->conf, c->ptz_room, c->ptz, c->presets, c->control);
        c->guard_tours = guard_tours_new(c->loop, c->jobs, c->conf, r->guard, c->files, c->ptz,
                                         c->presets, c->control, seed);
        c->recorded_tours = recorded_tours_new(c->loop, c->jobs, c->conf, r->recorded, c->files,
                                               c->ptz, c->control);
    }
    return c->home_timeout && c->guard_tours && c->recorded_tours &&
                   !views_open_presets(c->views, c->conf, r->presets, c->events)
               ? 0
               : fault_set(why, FAULT_INTERNAL, NULL, "out of memory at start");
}

void close_ptz(struct camera *c)
{
    recorded_tours_free(c->recorded_tours);
    guard_tours_free(c->guard_tours);
    home_timeout_free(c->home_timeout);
    presets_free(c->presets);
    control_queue_free(c->control);
}

/* Nobody watches what is not there any more. */
static void heed_views(struct camera *c)
{
    views_settings_changed(c->views);
    for (int channel = 2; channel <= VIEWS_MOST; channel++)
        if (!views_have(c->views, channel))
            pipeline_end_view(c->pipeline, channel);
}

void ptz_heed(struct camera *c, const struct ptz_rooms *r, const char *const *names, size_t n)
{
    bool limits = false, queue = false, views = false;
    for (size_t i = 0; i < n; i++) {
        limits |= text_glob("PTZ.Limit.L1.*", names[i]);
        queue |= text_glob("PTZ.UserCtlQueue.*", names[i]) ||
                 text_glob("PTZ.Various.V1.CtlQueue*", names[i]);
        views |= text_glob("Image.I*.Enabled", names[i]) || text_glob("*.PTZEnabled", names[i]);
    }
    if (limits && r->limits)
        ptz_limits_apply(c->ptz, r->limits);
    if (queue)
        control_queue_settings_changed(c->control);
    if (views)
        heed_views(c);
}
