#include "ptz/recorded_tour.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "ptz/follower.h"
#include "ptz/recording.h"

#define FOLDER "tours"
#define NEAR_DEG 0.02 /* so near a rest need not be put right */
#define NEAR_ZOOM 1.001

static const struct controller self = {.group = CONTROL_GUARD_TOUR, .user = ""};

struct recorded_tours {
    struct ptz_follower f;
    struct jobs *jobs;
    struct file_port *files;

    enum recorded_state state;
    int tour;              /* that is recorded or played; -1: none */
    struct recording *now; /* its way; NULL: not loaded */
    int64_t start_ns;      /* of recording, or of playing as if without interruption */
    size_t at;             /* the next step */
    char name[RECORDED_NAME_SIZE];
    int delay_s; /* of the tour that is recorded */
    bool user_holds;
    struct work *work; /* on its way */
};

/* A file on its way. The tours may go before it is back. */
struct work {
    struct recorded_tours *r;
    struct file_port *files;
    char path[32];
    int id, err;
    struct buf text;
    struct recording *way;
    struct fault why;
    void (*done)(int err, const struct fault *why, void *arg);
    void *arg;
    char name[RECORDED_NAME_SIZE];
    int delay_s;
};

static int64_t now_ns(struct recorded_tours *r)
{
    return clock_now(loop_clock(r->f.loop));
}

static void stand(struct recorded_tours *r, enum recorded_state state)
{
    r->state = state;
    loop_timer_cancel(&r->f.timer);
}

static void forget(struct recorded_tours *r)
{
    stand(r, RECORDED_IDLE);
    r->tour = -1;
    r->user_holds = false;
    if (r->now)
        ptz_record(r->f.ptz, NULL, NULL);
    free(r->now);
    r->now = NULL;
}

static struct work *work_new(struct recorded_tours *r, int id)
{
    struct work *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->r = r;
    w->files = r->files;
    w->id = id;
    buf_init(&w->text, RECORDING_TEXT_MOST);
    snprintf(w->path, sizeof w->path, FOLDER "/%d", id);
    return w;
}

/* What is on its way comes back for nobody. */
static void abandon(struct recorded_tours *r)
{
    if (r->work)
        r->work->r = NULL;
    r->work = NULL;
}

static void work_free(struct work *w)
{
    buf_done(&w->text);
    free(w->way);
    free(w);
}

static void log_failure(int err, const struct fault *why, void *arg)
{
    if (err)
        log_error("ptz", "recorded tours: %s", why->text);
}

/* ---- recording ---- */

static void take(struct recorded_tours *r, const struct ptz_order *order)
{
    struct pose at;
    ptz_pose(r->f.ptz, &at);
    double t_ms = (double)(now_ns(r) - r->start_ns) / NSEC_PER_MSEC;
    if (recording_add(r->now, t_ms, &at, order) && r->state == RECORDED_RECORDS) {
        log_warn("ptz", "the recorded tour has its full length: it is kept");
        recorded_tours_stop_recording(r, r->tour, log_failure, NULL);
    }
}

static void on_order(const struct ptz_order *o, void *arg)
{
    take(arg, o);
}

int recorded_tours_record(struct recorded_tours *r, int id, const char *name, int delay_s,
                          int *ret_id, struct fault *why)
{
    if (!ptz_exists(r->f.ptz))
        return fault_set(why, FAULT_UNSUPPORTED, NULL, "This camera has no pan, tilt and zoom.");
    if (id >= RECORDED_TOURS)
        return fault_set(why, FAULT_UNKNOWN, "recordedtourid", "There is no recorded tour %d.", id);
    if (r->state != RECORDED_IDLE)
        return fault_set(why, FAULT_BUSY, NULL, "Recorded tour %d is being %s; stop it first.",
                         r->tour, r->state == RECORDED_RECORDS ? "recorded" : "played");
    if (strlen(name) >= RECORDED_NAME_SIZE)
        return fault_set(why, FAULT_INVALID, "name", "The name is longer than %d bytes.",
                         RECORDED_NAME_SIZE - 1);
    const struct recorded_settings *s = room_ref(r->f.room);
    for (int i = 0; id < 0 && i < RECORDED_TOURS; i++)
        id = s->tour[i].used ? -1 : i;
    if (id >= 0 && s->tour[id].used && !*name)
        name = s->tour[id].name;
    text_copy(r->name, sizeof r->name, name);
    r->delay_s = delay_s >= 0 ? delay_s : id >= 0 && s->tour[id].used ? s->tour[id].delay_s : 60;
    room_unref(s);
    if (id < 0)
        return fault_set(why, FAULT_LIMIT, NULL, "There are %d recorded tours; remove one first.",
                         RECORDED_TOURS);
    if (!(r->now = calloc(1, sizeof *r->now)))
        return fault_set(why, FAULT_INTERNAL, NULL, "Out of memory.");
    if (!*r->name)
        snprintf(r->name, sizeof r->name, "Recorded tour %d", id + 1);
    r->tour = *ret_id = id;
    r->start_ns = now_ns(r);
    stand(r, RECORDED_RECORDS);
    take(r, NULL);
    ptz_record(r->f.ptz, on_order, r);
    return 0;
}

static void save_work(void *arg)
{
    struct work *w = arg;
    w->err = recording_print(w->way, &w->text);
    if (!w->err)
        w->err = file_save_small(w->files, w->path, w->text.data, w->text.len);
}

static void on_kept(int err, const struct fault *why, void *arg)
{
    struct work *w = arg;
    w->done(err, why, w->arg);
    work_free(w);
}

static void save_done(void *arg)
{
    struct work *w = arg;
    struct recorded_tours *r = w->r;
    char name[64], text[16];
    struct txn *t = r && !w->err ? txn_new(r->f.conf, ~0u) : NULL;
    int err = t ? 0
                : fault_set(&w->why, FAULT_IO, NULL, "The tour could not be saved: %s.",
                            strerror(w->err ? -w->err : ECANCELED));
    if (t) {
        const struct recorded_settings *s = room_ref(r->f.room);
        if (!s->tour[w->id].used)
            err = txn_add_at(t, "recordedtour", (unsigned)w->id, &w->why);
        room_unref(s);
        snprintf(name, sizeof name, "RecordedTour.R%d.Name", w->id);
        if (!err)
            err = txn_set(t, name, w->name, &w->why);
        snprintf(name, sizeof name, "RecordedTour.R%d.LoopDelay", w->id);
        snprintf(text, sizeof text, "%d", w->delay_s);
        if (!err)
            err = txn_set(t, name, text, &w->why);
    }
    if (!err) {
        txn_commit(t, on_kept, w);
        return;
    }
    txn_abort(t);
    on_kept(err, &w->why, w);
}

void recorded_tours_stop_recording(struct recorded_tours *r, int id,
                                   void (*done)(int err, const struct fault *why, void *arg),
                                   void *arg)
{
    struct fault why = {0};
    int err = 0;
    if (r->state != RECORDED_RECORDS || (id >= 0 && id != r->tour))
        err = fault_set(&why, FAULT_CONFLICT, NULL, "This tour is not being recorded.");
    struct work *w = err ? NULL : work_new(r, r->tour);
    if (!err && !w)
        err = fault_set(&why, FAULT_INTERNAL, NULL, "Out of memory.");
    if (!err) {
        r->state = RECORDED_IDLE;
        ptz_record(r->f.ptz, NULL, NULL);
        take(r, NULL);
        w->way = r->now;
        r->now = NULL;
        w->done = done;
        w->arg = arg;
        text_copy(w->name, sizeof w->name, r->name);
        w->delay_s = r->delay_s;
        forget(r);
        if (jobs_submit(r->jobs, "tour-save", save_work, save_done, w)) {
            err = fault_set(&why, FAULT_BUSY, NULL, "The camera is busy saving; try again.");
            work_free(w);
        }
    }
    if (err)
        done(err, &why, arg);
}

/* ---- playing ---- */

static void give_up(struct recorded_tours *r, const char *text)
{
    log_warn("ptz", "recorded tour %d ends: %s", r->tour, text);
    conf_set(r->f.conf, "RecordedTour.Running", "-1");
}

/* To where it goes on: where it was when it was told its next step. */
static void go(struct recorded_tours *r)
{
    struct fault why = {0};
    const struct recording_step *s = &r->now->step[r->at];
    stand(r, RECORDED_GOES);
    if (ptz_absolute(r->f.ptz, s->pan, s->tilt, s->zoom, 1, &why))
        give_up(r, why.text);
}

static void round_over(struct recorded_tours *r)
{
    const struct recorded_settings *s = room_ref(r->f.room);
    bool loop = s->loop;
    int64_t delay_ns = s->delay_s * NSEC_PER_SEC;
    room_unref(s);
    r->at = 0;
    if (!loop) {
        stand(r, RECORDED_PAUSES);
        conf_set(r->f.conf, "RecordedTour.Running", "-1");
    } else if (delay_ns) {
        stand(r, RECORDED_PAUSES);
        loop_timer_in(r->f.loop, &r->f.timer, delay_ns);
    } else {
        go(r);
    }
}

static void put_right(struct recorded_tours *r, const struct recording_step *s)
{
    struct pose at;
    ptz_pose(r->f.ptz, &at);
    bool near = fabs(pose_wrap_pan(at.pan_deg - s->pan)) < NEAR_DEG &&
                fabs(at.tilt_deg - s->tilt) < NEAR_DEG && at.zoom < s->zoom * NEAR_ZOOM &&
                s->zoom < at.zoom * NEAR_ZOOM;
    if (!near)
        ptz_absolute(r->f.ptz, s->pan, s->tilt, s->zoom, 1, NULL);
}

/* Tells the head what is due. */
static void step(struct recorded_tours *r)
{
    while (r->at < r->now->n) {
        const struct recording_step *s = &r->now->step[r->at];
        int64_t due_ns = r->start_ns + (int64_t)(s->t_ms * NSEC_PER_MSEC);
        if (due_ns > now_ns(r)) {
            loop_timer_at(r->f.loop, &r->f.timer, due_ns);
            return;
        }
        r->at++;
        if (s->kind == RECORDING_GOES)
            ptz_absolute(r->f.ptz, s->a, s->b, s->c, s->speed, NULL);
        else if (s->kind == RECORDING_MOVES)
            ptz_drive(r->f.ptz, s->a, s->b, s->c, NULL);
        else
            put_right(r, s);
    }
    round_over(r);
}

static void on_timer(struct loop_timer *t)
{
    struct recorded_tours *r = container_of(t, struct recorded_tours, f.timer);
    switch (r->state) {
    case RECORDED_PLAYS:
        step(r);
        break;
    case RECORDED_PAUSES:
        go(r);
        break;
    default:
        break;
    }
}

static void on_head(struct ptz_listener *l, enum ptz_news what)
{
    struct recorded_tours *r = container_of(l, struct recorded_tours, f.head);
    if (what != PTZ_RESTS)
        return;
    if (r->state == RECORDED_RECORDS) {
        take(r, NULL);
    } else if (r->state == RECORDED_GOES) {
        r->state = RECORDED_PLAYS;
        r->start_ns = now_ns(r) - (int64_t)(r->now->step[r->at].t_ms * NSEC_PER_MSEC);
        step(r);
    }
}

/* Waits while somebody else controls or a user holds it; else goes on. */
static void look(struct recorded_tours *r)
{
    bool mine = control_holds(r->f.queue, &self);
    bool waits = r->state == RECORDED_WAITS || r->state == RECORDED_HELD;
    if (r->state == RECORDED_IDLE || r->state == RECORDED_RECORDS || !r->now)
        return;
    if (!mine || r->user_holds) {
        if (!waits && r->state == RECORDED_PLAYS && r->at)
            r->at--; /* what it was about */
        if (!waits && mine)
            ptz_stop(r->f.ptz, true, true);
        stand(r, mine ? RECORDED_HELD : RECORDED_WAITS);
    } else if (waits) {
        go(r);
    }
}

static void on_control(struct control_listener *l)
{
    look(container_of(l, struct recorded_tours, f.control));
}

static void load_work(void *arg)
{
    struct work *w = arg;
    bool old;
    w->err = file_load_small(w->files, w->path, RECORDING_TEXT_MOST, &w->text, &old);
    if (w->err)
        fault_set(&w->why, FAULT_IO, NULL, "it cannot be read: %s", strerror(-w->err));
    else if (!(w->way = calloc(1, sizeof *w->way)))
        w->err = fault_set(&w->why, FAULT_INTERNAL, NULL, "out of memory");
    else
        w->err = recording_parse(buf_str(&w->text), w->text.len, w->way, &w->why);
}

static void load_done(void *arg)
{
    struct work *w = arg;
    struct recorded_tours *r = w->r;
    if (r && r->work == w) {
        r->work = NULL;
        if (w->err) {
            give_up(r, w->why.text);
        } else {
            r->now = w->way;
            w->way = NULL;
            stand(r, RECORDED_WAITS);
            look(r);
        }
    }
    work_free(w);
}

static void start(struct recorded_tours *r, int id, bool asked)
{
    abandon(r);
    forget(r);
    r->tour = id;
    r->at = 0;
    stand(r, RECORDED_LOADS);
    if (!asked || control_take(r->f.queue, &self, NULL))
        control_request(r->f.queue, &self, NULL);
    r->work = work_new(r, id);
    if (!r->work || jobs_submit(r->jobs, "tour-load", load_work, load_done, r->work)) {
        if (r->work)
            work_free(r->work);
        r->work = NULL;
        give_up(r, "the camera is busy");
    }
}

static void stop(struct recorded_tours *r)
{
    bool moved = r->state == RECORDED_PLAYS || r->state == RECORDED_GOES;
    abandon(r);
    forget(r);
    if (moved)
        ptz_stop(r->f.ptz, true, true);
    control_drop(r->f.queue, &self);
}

static bool plays(const struct recorded_tours *r)
{
    return r->state != RECORDED_IDLE && r->state != RECORDED_RECORDS;
}

static void on_settings(struct conf_listener *l, const char *const *names, size_t n)
{
    struct recorded_tours *r = container_of(l, struct recorded_tours, f.settings);
    const struct recorded_settings *s = room_ref(r->f.room);
    bool ours = false, guard = false;
    for (size_t i = 0; i < n; i++) {
        BUF(value, 8);
        ours |= text_glob("RecordedTour.*", names[i]);
        if (plays(r) && text_glob("GuardTour.G*.Running", names[i]))
            guard |= !conf_get(r->f.conf, names[i], ~0u, &value, NULL) &&
                     !strcmp(buf_str(&value), "yes");
    }
    if (guard) { /* that one runs instead; the place in the queue is its own now */
        stand(r, RECORDED_PAUSES);
        abandon(r);
        forget(r);
        conf_set(r->f.conf, "RecordedTour.Running", "-1");
    } else if (ours && s->running >= 0 && s->running != (plays(r) ? r->tour : -1)) {
        start(r, s->running, true);
    } else if (ours && s->running < 0 && plays(r)) {
        stop(r);
    }
    room_unref(s);
}

/* ---- orders ---- */

static int set_number(struct txn *t, const char *name, int value, struct fault *why)
{
    char text[16];
    snprintf(text, sizeof text, "%d", value);
    return txn_set(t, name, text, why);
}

static int need(struct recorded_tours *r, int id, int *ret_delay_s, struct fault *why)
{
    const struct recorded_settings *s = room_ref(r->f.room);
    bool has = id >= 0 && id < RECORDED_TOURS && s->tour[id].used;
    if (has && ret_delay_s)
        *ret_delay_s = s->tour[id].delay_s;
    room_unref(s);
    return has ? 0
               : fault_set(why, FAULT_UNKNOWN, "recordedtourid", "There is no recorded tour %d.",
                           id);
}

int recorded_tours_play(struct recorded_tours *r, struct txn *t, int id, bool loop, int delay_s,
                        struct fault *why)
{
    int own_s = 0, err = need(r, id, &own_s, why);
    if (!err && r->state == RECORDED_RECORDS)
        err = fault_set(why, FAULT_BUSY, NULL, "Recorded tour %d is being recorded; stop it first.",
                        r->tour);
    if (!err)
        err = set_number(t, "RecordedTour.Running", id, why);
    if (!err)
        err = txn_set(t, "RecordedTour.Loop", loop ? "yes" : "no", why);
    return err ? err : set_number(t, "RecordedTour.LoopDelay", delay_s >= 0 ? delay_s : own_s, why);
}

static int need_plays(struct recorded_tours *r, int id, struct fault *why)
{
    int err = id < 0 ? 0 : need(r, id, NULL, why);
    if (!err && (!plays(r) || (id >= 0 && id != r->tour)))
        err = fault_set(why, FAULT_CONFLICT, NULL, "This tour does not play.");
    return err;
}

int recorded_tours_stop(struct recorded_tours *r, struct txn *t, int id, struct fault *why)
{
    int err = need_plays(r, id, why);
    return err ? err : set_number(t, "RecordedTour.Running", -1, why);
}

int recorded_tours_pause(struct recorded_tours *r, int id, bool pause, struct fault *why)
{
    int err = need_plays(r, id, why);
    if (err)
        return err;
    r->user_holds = pause;
    look(r);
    return 0;
}

int recorded_tours_modify(struct recorded_tours *r, struct txn *t, int id, const char *name,
                          int delay_s, struct fault *why)
{
    char row[64];
    int err = need(r, id, NULL, why);
    snprintf(row, sizeof row, "RecordedTour.R%d.Name", id);
    if (!err && name)
        err = txn_set(t, row, name, why);
    snprintf(row, sizeof row, "RecordedTour.R%d.LoopDelay", id);
    return err || delay_s < 0 ? err : set_number(t, row, delay_s, why);
}

/* Its file stays until the number is recorded anew. */
int recorded_tours_remove(struct recorded_tours *r, struct txn *t, int id, struct fault *why)
{
    char group[64];
    int err = need(r, id, NULL, why);
    if (!err && r->state == RECORDED_RECORDS && r->tour == id)
        err = fault_set(why, FAULT_BUSY, NULL, "This tour is being recorded; stop it first.");
    snprintf(group, sizeof group, "RecordedTour.R%d", id);
    return err ? err : txn_remove(t, group, why);
}

const struct recorded_settings *recorded_tours_ref(struct recorded_tours *r)
{
    return room_ref(r->f.room);
}

void recorded_tours_status(struct recorded_tours *r, struct recorded_status *ret)
{
    *ret = (struct recorded_status){.state = r->state, .tour = r->tour};
    text_copy(ret->name, sizeof ret->name, r->state == RECORDED_RECORDS ? r->name : "");
    bool runs = r->state == RECORDED_RECORDS || r->state == RECORDED_PLAYS;
    ret->at_s = runs ? (double)(now_ns(r) - r->start_ns) / NSEC_PER_SEC : 0;
}

/* What played when the camera was ended. */
static void first_turn(void *arg)
{
    struct recorded_tours *r = arg;
    const struct recorded_settings *s = room_ref(r->f.room);
    if (s->running >= 0 && r->tour < 0)
        start(r, s->running, false);
    room_unref(s);
}

struct recorded_tours *recorded_tours_new(struct loop *loop, struct jobs *jobs, struct conf *conf,
                                          struct room *room, struct file_port *files,
                                          struct ptz *ptz, struct control_queue *queue)
{
    struct recorded_tours *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->f = (struct ptz_follower){.loop = loop,
                                 .conf = conf,
                                 .room = room,
                                 .ptz = ptz,
                                 .queue = queue,
                                 .timer = {.name = "recorded-tour", .fire = on_timer},
                                 .head = {.heard = on_head},
                                 .control = {.changed = on_control},
                                 .settings = {.changed = on_settings}};
    r->jobs = jobs;
    r->files = files;
    r->tour = -1;
    int err = file_mkdir(files, FOLDER);
    if (err)
        log_error("ptz", "recorded tours cannot be kept: %s", strerror(-err));
    ptz_follow(&r->f);
    return ptz_exists(ptz) && loop_call(loop, "recorded-tours", first_turn, r)
               ? recorded_tours_free(r)
               : r;
}

struct recorded_tours *recorded_tours_free(struct recorded_tours *r)
{
    if (!r)
        return NULL;
    abandon(r);
    ptz_unfollow(&r->f);
    forget(r);
    free(r);
    return NULL;
}
