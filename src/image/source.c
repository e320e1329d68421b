#include "image/source.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/thread.h"
#include "conf/param.h"
#include "device/ports.h"
#include "event/event.h"
#include "image/develop.h"
#include "image/eye.h"
#include "image/finish.h"
#include "image/placeholder.h"
#include "media/frame.h"
#include "media/pipeline.h"
#include "media/shot.h"

#define FRAMES_OUT 16 /* in mailboxes and encoders */

static const struct event_topic signal_topic = {.name = "VideoSource/SignalLoss",
                                                .title = "The picture source gives no signal",
                                                .is_state = true,
                                                .state_key = "State"};

struct source {
    struct clock *clock;
    struct sensor *sensor;
    struct events *events;
    struct masks *masks;
    struct room *settings; /* of the eye, or NULL */
    struct sensor_caps caps;
    struct mailbox *box; /* of commands: &wake */
    pthread_t thread;
    char wake; /* the one command: look at `wanted` */
    atomic_bool wanted, retake;
    _Atomic(struct pipeline *) pipeline;
    _Atomic(struct eye *) eye;

    pthread_mutex_t lock;
    struct source_stats stats;
    struct capture taken[SOURCE_REMEMBERED];  /* the newest is taken[(n_taken - 1) % …] */
    struct masked *masked[SOURCE_REMEMBERED]; /* of each of those; NULL: nothing is */
    uint64_t n_taken;

    /* the thread */
    struct picture_pool *pool;
    struct picture *card; /* "no signal"; drawn when first needed */
    struct finish *finish;
    const struct eye_settings *finished_by; /* the snapshot that finish has */
    int64_t tick;
    bool running, lost;
};

static int64_t tick_time(const struct source *s, int64_t k)
{
    return (int64_t)((double)k * (double)NSEC_PER_SEC / s->caps.fps);
}

/* The tick that is now: tick_time(k) ≤ now < tick_time(k + 1). */
static int64_t tick_at(const struct source *s, int64_t now_ns)
{
    int64_t k = (int64_t)((double)now_ns / (double)NSEC_PER_SEC * s->caps.fps);
    while (tick_time(s, k + 1) <= now_ns)
        k++;
    while (k > 0 && tick_time(s, k) > now_ns)
        k--;
    return k;
}

static void tell_signal(struct source *s, bool lost)
{
    const struct event_item source = {"Source", "0"}, data = {"State", lost ? "1" : "0"};
    if (s->events)
        event_publish(s->events, signal_topic.name, &source, 1, &data, 1);
}

static struct frame *placeholder(struct source *s, int64_t start_ns)
{
    if (!s->card)
        s->card = placeholder_picture(s->caps.width, s->caps.height);
    if (!s->card)
        return NULL;
    struct capture how = {.serial = (uint64_t)s->tick,
                          .start_ns = start_ns,
                          .end_ns = start_ns,
                          .utc_ns = clock_utc_of(s->clock, start_ns),
                          .pose_start = {.zoom = 1},
                          .pose_end = {.zoom = 1},
                          .no_signal = true,
                          .masks = masks_number(s->masks)};
    return frame_new(picture_ref(s->card), &how);
}

/* The newest settings hold from this picture on. */
static void follow_settings(struct source *s)
{
    const struct eye_settings *now = s->settings ? room_ref(s->settings) : NULL;
    if (now && now != s->finished_by) {
        struct finish_settings f;
        finish_settings_of(now, s->caps.can & SENSOR_TONE, &f);
        finish_set(s->finish, &f);
    }
    room_unref(s->finished_by);
    s->finished_by = now;
}

/* Takes a shot, and another one while the eye wants it (nobody has seen one yet, and it is too
 * dark to be shown): whoever comes first sees a good picture. */
static int take_shot(struct source *s, int64_t start_ns, struct shot **ret_shot, int64_t *ret_eye)
{
    for (struct shot *before = NULL;;) {
        struct shot *shot = NULL;
        int64_t cpu0 = clock_thread_cpu_ns();
        if (s->eye)
            eye_prepare(s->eye, start_ns);
        int64_t cpu1 = clock_thread_cpu_ns();
        s->sensor->wants_spread = masks_in_use(s->masks);
        int err = s->sensor->ops->take(s->sensor, (uint64_t)s->tick, start_ns, &shot);
        if (err < 0) { /* of a tick that gives one only: that one, then */
            *ret_shot = before;
            return before ? 0 : err;
        }
        shot_unref(before);
        int64_t cpu2 = clock_thread_cpu_ns();
        bool again = s->eye && eye_look(s->eye, shot);
        *ret_eye += cpu1 - cpu0 + clock_thread_cpu_ns() - cpu2;
        if (!again) {
            *ret_shot = shot;
            return 0;
        }
        before = shot;
    }
}

static void take_picture(struct source *s, int64_t start_ns)
{
    struct shot *shot = NULL;
    struct frame *f = NULL;
    follow_settings(s);
    int64_t cpu0 = clock_thread_cpu_ns(), eye = 0;
    int err = take_shot(s, start_ns, &shot, &eye);
    int64_t cpu1 = clock_thread_cpu_ns();
    if (err == -EAGAIN) {
        pthread_mutex_lock(&s->lock);
        s->stats.late++;
        pthread_mutex_unlock(&s->lock);
        return;
    }
    if (err == 0) {
        if (!s->pool)
            s->pool = picture_pool_new(shot->pixels->width, shot->pixels->height, true, FRAMES_OUT);
        f = s->pool ? frame_develop(s->masks, s->pool, shot, s->finish) : NULL;
        if (f && s->eye)
            f->how.settling = eye_settling(s->eye);
        if (s->eye)
            eye_steadied(s->eye, finish_steadied_px(s->finish));
    } else {
        f = placeholder(s, start_ns);
    }
    int64_t cpu2 = clock_thread_cpu_ns();
    shot_unref(shot);
    if (s->lost != (err < 0)) {
        s->lost = err < 0;
        if (s->lost)
            log_warn("image", "the sensor gives no picture: %s", strerror(-err));
        else
            log_info("image", "the sensor gives pictures again");
        tell_signal(s, s->lost);
    }
    pthread_mutex_lock(&s->lock);
    s->stats.shots += err == 0;
    s->stats.placeholders += err < 0;
    s->stats.take_cpu_ns += cpu1 - cpu0 - eye;
    s->stats.eye_cpu_ns += eye;
    s->stats.develop_cpu_ns += cpu2 - cpu1;
    s->stats.late += !f; /* all frames are in use: those behind are slower than we */
    struct masked *old = NULL;
    if (f) {
        unsigned at = s->n_taken++ % SOURCE_REMEMBERED;
        s->taken[at] = f->how;
        old = s->masked[at];
        s->masked[at] = masked_ref(f->masked);
    }
    pthread_mutex_unlock(&s->lock);
    masked_unref(old);
    struct pipeline *p = s->pipeline;
    if (f && p)
        pipeline_offer(p, f);
    else
        frame_unref(f);
}

static void turn(struct source *s, bool on)
{
    if (s->running == on)
        return;
    s->running = on;
    if (on) {
        s->tick = tick_at(s, clock_now(s->clock)); /* the current one, at once */
        if (s->sensor->ops->start)
            s->sensor->ops->start(s->sensor);
    } else {
        if (s->sensor->ops->stop)
            s->sensor->ops->stop(s->sensor);
        s->pool = picture_pool_unref(s->pool);
        s->card = picture_unref(s->card);
        finish_rest(s->finish);
        if (s->eye)
            eye_rest(s->eye);
    }
}

static void *source_run(void *arg)
{
    struct source *s = arg;
    thread_gives_way();
    for (;;) {
        bool closed = false;
        int64_t due = s->running ? tick_time(s, s->tick) : TIME_NEVER;
        void *command = mailbox_take(s->box, due, &closed);
        if (closed)
            break;
        turn(s, s->wanted);
        int64_t now_ns = clock_now(s->clock);
        if (atomic_exchange(&s->retake, false) && s->running && tick_at(s, now_ns) < s->tick)
            s->tick = tick_at(s, now_ns);
        if (s->running && tick_time(s, s->tick) <= now_ns) {
            int64_t now_tick = tick_at(s, now_ns);
            if (now_tick > s->tick) { /* slower than the rate: pictures are left out */
                pthread_mutex_lock(&s->lock);
                s->stats.late += (uint64_t)(now_tick - s->tick);
                pthread_mutex_unlock(&s->lock);
                s->tick = now_tick;
            }
            take_picture(s, tick_time(s, s->tick));
            s->tick++;
        }
        if (command) {
            /* time must not run past the next tick before we wait for it */
            mailbox_arm(s->box, s->running ? tick_time(s, s->tick) : TIME_NEVER);
            mailbox_done(s->box);
        }
    }
    turn(s, false);
    return NULL;
}

struct source *source_new(struct clock *clock, struct sensor *sensor, struct events *events,
                          struct masks *masks, struct room *settings)
{
    struct source *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->clock = clock;
    s->sensor = sensor;
    s->events = events;
    s->masks = masks;
    s->settings = settings;
    sensor->ops->caps(sensor, &s->caps);
    pthread_mutex_init(&s->lock, NULL);
    if (events && events_declare(events, &signal_topic) == 0)
        tell_signal(s, false);
    s->box = mailbox_new(clock, "source", 1, NULL);
    s->finish = finish_new();
    if (!s->box || !s->finish || pthread_create(&s->thread, NULL, source_run, s)) {
        mailbox_free(s->box);
        finish_free(s->finish);
        pthread_mutex_destroy(&s->lock);
        free(s);
        return NULL;
    }
    pthread_setname_np(s->thread, "source");
    return s;
}

struct source *source_free(struct source *s)
{
    if (!s)
        return NULL;
    mailbox_close(s->box);
    pthread_join(s->thread, NULL);
    mailbox_free(s->box);
    finish_free(s->finish);
    room_unref(s->finished_by);
    for (unsigned i = 0; i < SOURCE_REMEMBERED; i++)
        masked_unref(s->masked[i]);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return NULL;
}

void source_set_eye(struct source *s, struct eye *eye)
{
    s->eye = eye;
}

void source_set_pipeline(struct source *s, struct pipeline *p)
{
    s->pipeline = p;
}

void source_demand(struct source *s, bool wanted)
{
    s->wanted = wanted;
    mailbox_put(s->box, &s->wake);
}

void source_retake(struct source *s)
{
    s->retake = true;
    mailbox_put(s->box, &s->wake);
}

void source_stats(struct source *s, struct source_stats *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->stats;
    pthread_mutex_unlock(&s->lock);
}

void source_tick(struct source *s, uint64_t *ret_serial, int64_t *ret_start_ns)
{
    int64_t k = tick_at(s, clock_now(s->clock));
    *ret_serial = (uint64_t)k;
    *ret_start_ns = tick_time(s, k);
}

bool source_newest(struct source *s, struct capture *ret)
{
    pthread_mutex_lock(&s->lock);
    bool has = s->n_taken > 0;
    if (has)
        *ret = s->taken[(s->n_taken - 1) % SOURCE_REMEMBERED];
    pthread_mutex_unlock(&s->lock);
    return has;
}

bool source_capture(struct source *s, uint64_t serial, struct capture *ret)
{
    bool found = false;
    pthread_mutex_lock(&s->lock);
    uint64_t n = s->n_taken < SOURCE_REMEMBERED ? s->n_taken : SOURCE_REMEMBERED;
    for (uint64_t i = 0; i < n && !found; i++)
        if (s->taken[i].serial == serial) {
            *ret = s->taken[i];
            found = true;
        }
    pthread_mutex_unlock(&s->lock);
    return found;
}

struct masked *source_masked(struct source *s, uint64_t serial)
{
    struct masked *found = NULL;
    pthread_mutex_lock(&s->lock);
    uint64_t n = s->n_taken < SOURCE_REMEMBERED ? s->n_taken : SOURCE_REMEMBERED;
    for (uint64_t i = 0; i < n && !found; i++)
        if (s->taken[i].serial == serial)
            found = masked_ref(s->masked[i]);
    pthread_mutex_unlock(&s->lock);
    return found;
}
