/* Focus: what users ask for, recall areas, and the autofocus between lens and pictures. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "conf/param.h"
#include "image/eye_inside.h"
#include "image/recall.h"
#include "media/shot.h"

#define STOOD 2 /* pictures that the head must have stood still */
#define STREAK                                                                                     \
    3                   /* pictures in a row before it focuses by itself: who takes one now and    \
                           then would only ever see it search */
#define OTHER_ZOOM 1.03 /* another picture, to be focused anew */
#define OTHER_PART 0.15 /* of the picture's width, likewise */
#define NOISY_DB 20.0   /* from here on noise looks like fine structure */
#define SPOT 700        /* half a spot's side, of 10000 */
#define MODE_ROW "ImageSource.I0.Focus.Mode"
#define RECALL_ROW "ImageSource.I0.Focus.Recall.R"

/* Nothing nearer is focused on. */
static double near_limit(const struct eye_settings *s)
{
    return (s->focus.near_step - 1) / 9998.0;
}

static struct lens *lens_of(struct eye *e)
{
    return e->lens.focus ? e->ports.lens : NULL;
}

/* ---- source thread ---- */

/* What is focused on, of the picture as users see it. */
static void weigh(struct eye *e)
{
    const struct eye_settings *s = e->settings;
    struct picture_box box = {0, 9999, 0, 9999};
    if (e->spot) {
        int x = (int)(e->spot_x * 9999), y = (int)(e->spot_y * 9999);
        box = (struct picture_box){x - SPOT, x + SPOT, y - SPOT, y + SPOT};
    } else if (s->focus.mode == FOCUS_AREA) {
        box = s->focus.area;
    } else if (s->focus.mode == FOCUS_SPOT) {
        box = (struct picture_box){5000 - SPOT, 5000 + SPOT, 5000 - SPOT, 5000 + SPOT};
    }
    sharpness_weights(&box, s->rotation, e->focus_weight);
    if (e->spot || s->focus.mode == FOCUS_AREA || s->focus.mode == FOCUS_SPOT)
        return;
    for (int i = 0; i < SHARP_FIELDS; i++) { /* the middle counts more */
        int x = i % SHARP_ACROSS, y = i / SHARP_ACROSS;
        bool middle = x > 1 && x < SHARP_ACROSS - 2 && y > 0 && y < SHARP_DOWN - 1;
        e->focus_weight[i] *= middle ? 2 : 1;
    }
}

void eye_focus_settings(struct eye *e)
{
    int mode = e->settings->focus.mode;
    if (mode != e->focus_mode && mode != FOCUS_MANUAL) {
        e->spot = e->once = e->held = false;
        focus_begin(&e->focus);
    }
    e->focus_mode = mode;
    weigh(e);
}

static bool follows(const struct eye *e)
{
    return e->settings->focus.mode != FOCUS_MANUAL && e->recall < 0 && !e->held;
}

static void recall_focus(struct eye *e)
{
    double saved = e->settings->focus.recall[e->recall].focus;
    e->ports.lens->ops->focus(e->ports.lens, fmax(saved, near_limit(e->settings)), 1);
}

/* What the settings want again. */
static void let_go(struct eye *e)
{
    if (!e->held)
        return;
    e->held = false;
    if (e->recall >= 0)
        recall_focus(e);
    else if (follows(e))
        focus_begin(&e->focus);
}

static void take_wish(struct eye *e)
{
    struct focus_order order;
    pthread_mutex_lock(&e->lock);
    struct eye_wish w = e->wish;
    bool release = e->release;
    e->wish = (struct eye_wish){0};
    e->release = false;
    pthread_mutex_unlock(&e->lock);
    if (release)
        let_go(e);
    if (w.stay || w.hold) {
        focus_cancel(&e->focus, &order);
        e->spot = e->once = false;
        e->held = w.hold;
        if (!isnan(w.focus)) /* again: a step of the autofocus may have come in between */
            e->ports.lens->ops->focus(e->ports.lens, w.focus, 1);
    }
    if (!w.once && !w.spot)
        return;
    e->spot = w.spot;
    e->spot_x = w.x;
    e->spot_y = w.y;
    e->once = true;
    e->held = false;
    weigh(e);
    focus_begin(&e->focus);
}

static bool other_view(const struct pose *a, const struct pose *b)
{
    double part = OTHER_PART * fmin(a->hfov_deg, b->hfov_deg);
    return a->zoom > b->zoom * OTHER_ZOOM || b->zoom > a->zoom * OTHER_ZOOM ||
           fabs(pose_wrap_pan(a->pan_deg - b->pan_deg)) * cos(a->tilt_deg * M_PI / 180) > part ||
           fabs(a->tilt_deg - b->tilt_deg) > part;
}

static void watch_head(struct eye *e, const struct shot *s)
{
    const struct pose *a = &s->how.pose_start, *b = &s->how.pose_end;
    struct head *head = e->ports.head;
    bool same = a->pan_deg == b->pan_deg && a->tilt_deg == b->tilt_deg && a->zoom == b->zoom;
    if (head && head->ops->moving)
        same = !head->ops->moving(head, s->how.end_ns);
    e->stood = same ? e->stood + (e->stood < STOOD) : 0;
    if (!same) /* what it looks at now has a best of its own */
        e->sharp_best = e->focus.best = 0;
    e->pose = *b;
    e->streak += e->streak < STREAK;
}

/* Goes to the saved focus on entering an area, and focuses anew on leaving it. */
static void look_for_recall(struct eye *e)
{
    int was = e->recall;
    struct focus_order order;
    e->recall = recall_find(e->settings, &e->pose, e->aspect, was);
    if (e->recall == was || e->held)
        return;
    if (e->recall < 0) {
        if (follows(e))
            focus_begin(&e->focus);
        return;
    }
    focus_cancel(&e->focus, &order);
    e->spot = e->once = false;
    recall_focus(e);
}

bool eye_focus_look(struct eye *e, const struct shot *s)
{
    struct lens_state lens;
    struct focus_order order;
    struct lens *l = e->ports.lens;
    bool assisting = e->assisting;
    take_wish(e);
    bool was_busy = focus_busy(&e->focus) || e->focus.wanted;
    watch_head(e, s);
    look_for_recall(e);
    if (!follows(e) && !e->once && was_busy) { /* by hand now */
        focus_cancel(&e->focus, &order);
        if (order.go)
            l->ops->focus(l, order.to, order.speed);
    }
    l->ops->state(l, s->how.start_ns + (s->how.end_ns - s->how.start_ns) / 2, &lens);
    bool stands = e->stood >= STOOD, calm = e->exposure.settled || e->sensor.can == 0;
    if (stands && follows(e) && e->streak >= STREAK && !was_busy &&
        other_view(&e->pose, &e->focused_pose)) {
        focus_begin(&e->focus);
    }
    struct focus_seen seen = {.at_ns = s->how.start_ns,
                              .focus = lens.focus,
                              .ready =
                                  stands && e->streak >= STREAK && (calm || focus_busy(&e->focus)),
                              .measured = focus_wants(&e->focus) || assisting,
                              .itself = follows(e),
                              .asked = e->once};
    if (seen.measured) {
        struct sharpness sharp;
        measure_sharpness(s->pixels, &sharp);
        seen.sharp = e->sharp = sharpness_sum(&sharp, e->focus_weight);
        seen.crisp = s->how.gain_db < NOISY_DB && sharpness_crisp(&sharp, e->focus_weight);
    }
    bool wanted = e->focus.wanted;
    focus_step(&e->focus, near_limit(e->settings), &seen, &order);
    if (focus_busy(&e->focus) || (wanted && !e->focus.wanted)) {
        e->focused_pose = e->pose;
        e->sharp_best = 0;
    } else if (e->once) { /* done, and as before from now on */
        e->once = e->focus.wanted;
        if (!e->once && e->spot && e->settings->focus.mode != FOCUS_MANUAL) {
            e->spot = false;
            weigh(e);
        }
    }
    if (seen.measured)
        e->sharp_best = fmax(fmax(e->sharp_best, e->sharp), e->focus.best);
    if (order.go)
        l->ops->focus(l, order.to, order.speed);
    e->settling = e->stood > 0 && (follows(e) || e->once) &&
                  (focus_busy(&e->focus) || e->focus.wanted ||
                   (follows(e) && other_view(&e->pose, &e->focused_pose)));
    return seen.measured;
}

/* ---- loop ---- */

static int need_lens(struct eye *e, struct fault *why)
{
    return lens_of(e) ? 0
                      : fault_set(why, FAULT_UNSUPPORTED, NULL,
                                  "the focus of this camera cannot be moved");
}

static void wish(struct eye *e, const struct eye_wish *w)
{
    pthread_mutex_lock(&e->lock);
    e->wish = *w;
    pthread_mutex_unlock(&e->lock);
}

static void by_hand(struct eye *e, double focus)
{
    const struct eye_settings *s = room_ref(e->room);
    bool already = s->focus.mode == FOCUS_MANUAL;
    room_unref(s);
    if (!already)
        conf_set(e->conf, MODE_ROW, "manual");
    wish(e, &(struct eye_wish){.stay = true, .focus = focus});
}

static void lens_now(struct eye *e, struct lens_state *ret)
{
    e->ports.lens->ops->state(e->ports.lens, clock_now(e->clock), ret);
}

int eye_focus_once(struct eye *e, struct fault *why)
{
    int err = need_lens(e, why);
    if (!err)
        wish(e, &(struct eye_wish){.once = true});
    return err;
}

static double nearest(struct eye *e)
{
    const struct eye_settings *s = room_ref(e->room);
    double near = near_limit(s);
    room_unref(s);
    return near;
}

int eye_focus_go(struct eye *e, double focus, struct fault *why)
{
    int err = need_lens(e, why);
    if (err)
        return err;
    if (!(focus >= 0 && focus <= 1))
        return fault_set(why, FAULT_INVALID, "focus", "must be from 0 (near) to 1 (far)");
    focus = fmax(focus, nearest(e));
    by_hand(e, focus);
    return e->ports.lens->ops->focus(e->ports.lens, focus, 1);
}

int eye_focus_by(struct eye *e, double by, struct fault *why)
{
    struct lens_state now;
    int err = need_lens(e, why);
    if (err)
        return err;
    if (!(fabs(by) <= 1))
        return fault_set(why, FAULT_INVALID, "focus", "must be from -1 (nearer) to 1 (farther)");
    lens_now(e, &now);
    return eye_focus_go(e, fmin(fmax(now.focus + by, 0), 1), why);
}

int eye_focus_move(struct eye *e, double speed, struct fault *why)
{
    struct lens_state now;
    int err = need_lens(e, why);
    if (err)
        return err;
    if (!(fabs(speed) <= 1))
        return fault_set(why, FAULT_INVALID, "speed", "must be from -1 (nearer) to 1 (farther)");
    by_hand(e, NAN);
    lens_now(e, &now);
    return speed == 0
               ? e->ports.lens->ops->focus(e->ports.lens, now.focus, 1)
               : e->ports.lens->ops->focus(e->ports.lens, speed > 0 ? 1 : nearest(e), fabs(speed));
}

double eye_focus_now(struct eye *e)
{
    struct lens_state now;
    if (!lens_of(e))
        return NAN;
    lens_now(e, &now);
    return now.focus;
}

void eye_focus_hold(struct eye *e, double focus)
{
    if (!lens_of(e))
        return;
    focus = fmin(fmax(focus, nearest(e)), 1);
    pthread_mutex_lock(&e->lock);
    e->wish = (struct eye_wish){.hold = true, .focus = focus};
    e->release = false;
    pthread_mutex_unlock(&e->lock);
    e->ports.lens->ops->focus(e->ports.lens, focus, 1);
}

void eye_focus_release(struct eye *e)
{
    pthread_mutex_lock(&e->lock);
    e->release = true;
    if (e->wish.hold)
        e->wish = (struct eye_wish){0};
    pthread_mutex_unlock(&e->lock);
}

int eye_focus_spot(struct eye *e, double x, double y, struct fault *why)
{
    int err = need_lens(e, why);
    if (err)
        return err;
    if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1))
        return fault_set(why, FAULT_INVALID, "spot", "must be a point of the picture, 0 to 1");
    const struct eye_settings *s = room_ref(e->room);
    if (s->focus.mode != FOCUS_MANUAL)
        conf_set(e->conf, MODE_ROW, "manual");
    room_unref(s);
    wish(e, &(struct eye_wish){.once = true, .spot = true, .x = x, .y = y});
    return 0;
}

static void log_failure(int err, const struct fault *why, void *arg)
{
    (void)arg;
    if (err)
        log_error("image", "the eye's setting could not be changed: %s", why->text);
}

int eye_iris_go(struct eye *e, double iris_f, struct fault *why)
{
    const struct exposure_limits l = {.open_f = e->lens.widest_f, .closed_f = e->lens.narrowest_f};
    char percent[16];
    if (!e->lens.iris)
        return fault_set(why, FAULT_UNSUPPORTED, NULL, "this camera's iris cannot be moved");
    if (!(iris_f > 0))
        return fault_set(why, FAULT_INVALID, "iris", "must be an f-number from %.1f to %.1f",
                         l.open_f, l.closed_f);
    struct txn *t = txn_new(e->conf, ~0u);
    if (!t)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    snprintf(percent, sizeof(percent), "%d", exposure_aperture(&l, iris_f));
    int err = txn_set(t, "ImageSource.I0.Sensor.Aperture", percent, why);
    if (!err)
        err = txn_set(t, "ImageSource.I0.Sensor.Exposure", "aperture", why);
    if (err) {
        txn_abort(t);
        return err;
    }
    txn_commit(t, log_failure, NULL);
    return 0;
}

/* ---- recall areas ---- */

static int need_place(struct eye *e, struct pose *ret, struct fault *why)
{
    int err = need_lens(e, why);
    if (err)
        return err;
    if (!e->ports.head)
        return fault_set(why, FAULT_UNSUPPORTED, NULL, "this camera has no pan and tilt");
    e->ports.head->ops->pose(e->ports.head, clock_now(e->clock), ret);
    return ret->known ? 0
                      : fault_set(why, FAULT_BUSY, NULL, "where the camera looks is not known yet");
}

static int recall_at(struct eye *e, const struct pose *pose)
{
    const struct eye_settings *s = room_ref(e->room);
    int found = recall_find(s, pose, e->aspect, -1);
    room_unref(s);
    return found;
}

static int set_number(struct txn *t, unsigned area, const char *row, double value,
                      struct fault *why)
{
    char name[64], text[32];
    snprintf(name, sizeof(name), RECALL_ROW "%u.%s", area, row);
    snprintf(text, sizeof(text), "%.6f", value);
    return txn_set(t, name, text, why);
}

/* What is seen at this zoom, whatever the focus: that moves it a little. */
static double unbreathed_deg(struct eye *e, const struct pose *p)
{
    struct head_caps c;
    e->ports.head->ops->caps(e->ports.head, &c);
    if (!(c.wide_hfov_deg > 0) || !(p->zoom > 0))
        return p->hfov_deg;
    return 2 * atan(tan(c.wide_hfov_deg / 2 * M_PI / 180) / p->zoom) * 180 / M_PI;
}

int eye_recall_add(struct eye *e, const char *name, int *ret_number, struct fault *why)
{
    struct pose pose;
    struct lens_state now;
    unsigned area = 0;
    int err = need_place(e, &pose, why), found = err ? -1 : recall_at(e, &pose);
    if (err)
        return err;
    if (found >= 0)
        return fault_set(why, FAULT_CONFLICT, NULL,
                         "the camera looks at focus recall area %d; remove that first", found);
    struct txn *t = txn_new(e->conf, ~0u);
    if (!t)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    lens_now(e, &now);
    err = txn_add(t, "focusrecall", &area, why);
    if (!err && name) {
        char row[64];
        snprintf(row, sizeof(row), RECALL_ROW "%u.Name", area);
        err = txn_set(t, row, name, why);
    }
    if (!err)
        err = set_number(t, area, "Pan", pose_wrap_pan(pose.pan_deg), why);
    if (!err)
        err = set_number(t, area, "Tilt", pose.tilt_deg, why);
    if (!err)
        err = set_number(t, area, "HFov", unbreathed_deg(e, &pose), why);
    if (!err)
        err = set_number(t, area, "Focus", now.focus, why);
    if (err) {
        txn_abort(t);
        return err;
    }
    txn_commit(t, log_failure, NULL);
    *ret_number = (int)area;
    return 0;
}

int eye_recall_remove(struct eye *e, struct fault *why)
{
    struct pose pose;
    char group[64];
    int err = need_place(e, &pose, why), found = err ? -1 : recall_at(e, &pose);
    if (err)
        return err;
    if (found < 0)
        return fault_set(why, FAULT_UNKNOWN, NULL, "the camera looks at no focus recall area");
    struct txn *t = txn_new(e->conf, ~0u);
    if (!t)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    snprintf(group, sizeof(group), RECALL_ROW "%d", found);
    err = txn_remove(t, group, why);
    if (err) {
        txn_abort(t);
        return err;
    }
    txn_commit(t, log_failure, NULL);
    return 0;
}
