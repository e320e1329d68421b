#include "api/stage/truth.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/request.h"
#include "api/stage/reply.h"
#include "api/stage/truth_tell.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/text.h"
#include "device/device.h"
#include "image/source.h"
#include "media/pipeline.h"
#include "net/exchange.h"

#define RECENT_PICTURES 10  /* a slow machine leaves some out */
#define WAITING_MOST 32     /* questions */
#define INSTANTS_MOST 600   /* of one question */
#define SPAN_MOST_S 3600.0  /* from its beginning to its end */
#define AHEAD_MOST_S 3600.0 /* the future is known as long as nobody does anything */
#define EVENTS_MOST 2000
#define LAST_UTC_S 7289654400.0 /* the year 2201: as far as a time may be told */

/* What somebody wants to know: worked out on a job thread, one question after the other,
 * since the story belongs to one thread at a time. */
struct question {
    struct list in_door;
    struct truth_door *door;
    struct exchange *ex; /* NULL: nobody waits for it any more, or `done` does */
    void (*done)(json_t *truth, void *arg);
    void *arg;
    enum { ASK_ONE, ASK_MANY, ASK_EVENTS } ask;
    struct telling telling;
    struct truth_shot *shot; /* owned */
    size_t n_shots, most;
    int64_t from_ns, to_ns; /* ASK_EVENTS */
    double fps;
    bool submitted;
    json_t *answer;
};

struct truth_door {
    struct camera *cam;
    struct story *story;
    struct list questions; /* the first one is being worked out */
    size_t n_questions;
};

/* "2026-06-21T12:00:00.033Z", or seconds since 1970. */
static bool parse_time(const char *s, int64_t *ret_utc_ns)
{
    double seconds;
    if (!text_double(s, 0, LAST_UTC_S, &seconds)) {
        *ret_utc_ns = (int64_t)llround(seconds * 1e9);
        return true;
    }
    int y, mo, d, h, mi, n = 0;
    double sec;
    char part[40];
    if (strlen(s) < 20 || strlen(s) > 32 || s[strlen(s) - 1] != 'Z' ||
        sscanf(s, "%4d-%2d-%2dT%2d:%2d:%n", &y, &mo, &d, &h, &mi, &n) != 5 || n != 17)
        return false;
    text_copy(part, sizeof part, s + n);
    part[strlen(part) - 1] = '\0';
    if (text_double(part, 0, 60.999999999, &sec) || y < 1970 || y > 2200 || mo < 1 || mo > 12 ||
        d < 1 || d > 31 || h < 0 || h > 23 || mi < 0 || mi > 59)
        return false;
    int64_t a = (14 - mo) / 12, yy = y + 4800 - a, mm = mo + 12 * a - 3; /* Julian day number */
    int64_t days =
        d + (153 * mm + 2) / 5 + 365 * yy + yy / 4 - yy / 100 + yy / 400 - 32045 - 2440588;
    *ret_utc_ns = (days * 86400 + h * 3600 + mi * 60) * NSEC_PER_SEC + (int64_t)llround(sec * 1e9);
    return true;
}

/* The newest picture; while nobody watches none is taken, so that the truth is told of
 * the one that whoever asked now would get. */
static void newest_shot(struct truth_door *d, struct truth_shot *ret)
{
    struct camera *cam = d->cam;
    struct head *head = cam->device->head;
    struct truth_shot now = {0};
    source_tick(cam->source, &now.serial, &now.start_ns);
    if (world_shot_newest(cam->device->world, ret) && ret->serial + RECENT_PICTURES >= now.serial)
        return;
    now.utc_ns = clock_utc_of(cam->clock, now.start_ns);
    head->ops->pose(head, now.start_ns, &now.pose);
    now.middle = now.pose;
    *ret = now;
}

/* False: replied. */
static bool find_shot(struct truth_door *d, struct exchange *ex, struct truth_shot *ret)
{
    struct world *w = d->cam->device->world;
    const char *serial = exchange_arg(ex, "serial"), *time = exchange_arg(ex, "time");
    int64_t n = 0, utc_ns = 0;
    if (!serial && !time) {
        newest_shot(d, ret);
        return true;
    }
    if (serial && text_int(serial, 0, INT64_MAX, &n)) {
        stage_reply_error(ex, 400, "serial must be the number of a picture");
        return false;
    }
    if (!serial && time && !parse_time(time, &utc_ns)) {
        stage_reply_error(ex, 400,
                          "time must be UTC as 2026-06-21T12:00:00.033Z, or seconds since 1970");
        return false;
    }
    bool found =
        serial ? world_shot_by_serial(w, (uint64_t)n, ret) : world_shot_by_utc(w, utc_ns, ret);
    if (!found)
        stage_reply_error(ex, 404, "no such picture was taken, or it is too long ago");
    return found;
}

/* ---- questions ---- */

static void ask_next(struct truth_door *d);

static json_t *many_json(struct question *q)
{
    json_t *frames = json_array();
    for (size_t i = 0; i < q->n_shots && frames; i++)
        json_array_append_new(frames, truth_of_frame(&q->telling, &q->shot[i]));
    return json_pack("{s:f, s:f, s:i, s:i, s:o}", "fps", q->fps, "aspect", q->telling.aspect,
                     "width", q->telling.key.width, "height", q->telling.key.height, "frames",
                     frames);
}

static void work(void *arg)
{
    struct question *q = arg;
    struct story *story = q->door->story;
    if (q->ask == ASK_ONE)
        q->answer = truth_of_shot(&q->telling, q->shot, story);
    else if (q->ask == ASK_MANY)
        q->answer = many_json(q);
    else
        q->answer = truth_of_events(&q->telling, story, q->from_ns, q->to_ns, q->most);
}

static void on_worked(void *arg)
{
    struct question *q = arg;
    struct truth_door *d = q->door;
    list_remove(&q->in_door);
    d->n_questions--;
    if (q->ex) {
        q->ex->cancel = NULL;
        if (q->answer)
            stage_reply(q->ex, 200, json_incref(q->answer));
        else
            exchange_reply(q->ex, 500, NULL, NULL, 0);
    }
    if (q->done)
        q->done(q->answer, q->arg);
    json_decref(q->answer);
    free(q->shot);
    free(q);
    ask_next(d);
}

static void ask_next(struct truth_door *d)
{
    if (list_empty(&d->questions))
        return;
    struct question *q = container_of(d->questions.next, struct question, in_door);
    if (q->submitted) /* a reply lets the same client's next question in */
        return;
    q->submitted = true;
    if (jobs_submit(d->cam->jobs, "truth", work, on_worked, q))
        on_worked(q); /* without an answer */
}

static void on_cancel(struct exchange *ex)
{
    ((struct question *)ex->user)->ex = NULL;
}

static struct question *question_new(struct truth_door *d, size_t n_shots)
{
    struct question *q = d->n_questions < WAITING_MOST ? calloc(1, sizeof *q) : NULL;
    if (q)
        q->shot = calloc(n_shots + 1, sizeof *q->shot);
    if (!q || !q->shot) {
        free(q);
        return NULL;
    }
    int width, height;
    double fps;
    pipeline_size(d->cam->pipeline, &width, &height, &fps);
    struct device *dev = d->cam->device;
    q->door = d;
    q->telling = (struct telling){.world = dev->world,
                                  .cast = dev->cast,
                                  .clock = d->cam->clock,
                                  .source = d->cam->source,
                                  .views = d->cam->views,
                                  .aspect = (double)width / height};
    return q;
}

static void question_ask(struct question *q, struct exchange *ex)
{
    struct truth_door *d = q->door;
    q->ex = ex;
    if (ex) {
        ex->user = q;
        ex->cancel = on_cancel;
    }
    list_append(&d->questions, &q->in_door);
    if (d->n_questions++ == 0)
        ask_next(d);
}

static void reply_busy(struct exchange *ex)
{
    stage_reply_error(ex, 503, "too many questions are waiting");
}

/* ---- one picture, or many instants ---- */

/* An instant of the given time: the picture that was taken then, or one that would have
 * been, from where the head is then. */
static void shot_at(struct truth_door *d, int64_t at_ns, int64_t near_ns, struct truth_shot *ret)
{
    struct camera *cam = d->cam;
    struct head *head = cam->device->head;
    int64_t utc_ns = clock_utc_of(cam->clock, at_ns);
    if (world_shot_by_utc(cam->device->world, utc_ns, ret) &&
        llabs(ret->start_ns - at_ns) <= near_ns)
        return;
    *ret = (struct truth_shot){.start_ns = at_ns, .utc_ns = utc_ns};
    head->ops->pose(head, at_ns, &ret->pose);
    ret->middle = ret->pose;
}

/* Of an argument: world time; false: replied. absent: the default. */
static bool time_arg(struct truth_door *d, struct exchange *ex, const char *name, int64_t absent_ns,
                     int64_t *ret_ns)
{
    const char *text = exchange_arg(ex, name);
    int64_t utc_ns;
    *ret_ns = absent_ns;
    if (!text)
        return true;
    if (!parse_time(text, &utc_ns)) {
        stage_reply_error(ex, 400,
                          "times are UTC as 2026-06-21T12:00:00.033Z, or seconds since "
                          "1970");
        return false;
    }
    *ret_ns = utc_ns - clock_utc_of(d->cam->clock, 0);
    return true;
}

static bool check_span(struct truth_door *d, struct exchange *ex, int64_t from_ns, int64_t to_ns)
{
    int64_t now_ns = clock_now(d->cam->clock);
    if (from_ns < 0 || to_ns < from_ns || (double)(to_ns - from_ns) > SPAN_MOST_S * 1e9 ||
        (double)(to_ns - now_ns) > AHEAD_MOST_S * 1e9) {
        stage_reply_error(ex, 400,
                          "from and to span up to an hour, since the start of the camera "
                          "and not more than an hour ahead");
        return false;
    }
    return true;
}

static void serve_many(struct truth_door *d, struct exchange *ex, const struct encoding *e)
{
    int64_t now_ns = clock_now(d->cam->clock), from_ns, to_ns;
    const char *rate = exchange_arg(ex, "fps");
    double fps = 10;
    if (!time_arg(d, ex, "from", now_ns, &from_ns) || !time_arg(d, ex, "to", now_ns, &to_ns) ||
        !check_span(d, ex, from_ns, to_ns))
        return;
    if (rate && text_double(rate, 0.01, 120, &fps)) {
        stage_reply_error(ex, 400, "fps is 0.01 to 120 instants a second");
        return;
    }
    double n = floor((double)(to_ns - from_ns) / 1e9 * fps + 1e-6) + 1;
    if (n > INSTANTS_MOST) {
        stage_reply_error(ex, 400, "at most 600 instants at a time");
        return;
    }
    struct question *q = question_new(d, (size_t)n);
    if (!q) {
        reply_busy(ex);
        return;
    }
    q->ask = ASK_MANY;
    q->fps = fps;
    q->telling.key = request_painted_key(d->cam, &e->key);
    for (q->n_shots = 0; q->n_shots < (size_t)n; q->n_shots++)
        shot_at(d, from_ns + llround((double)q->n_shots * 1e9 / fps), llround(0.5e9 / fps),
                &q->shot[q->n_shots]);
    question_ask(q, ex);
}

static void serve_truth(struct exchange *ex, void *arg)
{
    struct truth_door *d = arg;
    struct encoding e;
    struct view_args view;
    struct fault why = {0};
    struct truth_shot shot;
    if (request_jpeg(d->cam, ex->args, ex->n_args, &e, &view, &why)) {
        stage_reply_error(ex, 400, why.text);
        return;
    }
    if (exchange_arg(ex, "from") || exchange_arg(ex, "to")) {
        serve_many(d, ex, &e);
        return;
    }
    if (!find_shot(d, ex, &shot))
        return;
    struct question *q = question_new(d, 1);
    if (!q) {
        reply_busy(ex);
        return;
    }
    q->ask = ASK_ONE;
    q->telling.key = request_painted_key(d->cam, &e.key);
    q->shot[0] = shot;
    q->n_shots = 1;
    question_ask(q, ex);
}

int truth_ask_newest(struct truth_door *d, void (*done)(json_t *truth, void *arg), void *arg)
{
    struct encoding e;
    struct view_args view;
    struct question *q = request_jpeg(d->cam, NULL, 0, &e, &view, NULL) ? NULL : question_new(d, 1);
    if (!q)
        return -EBUSY;
    q->ask = ASK_ONE;
    q->telling.key = request_painted_key(d->cam, &e.key);
    newest_shot(d, &q->shot[0]);
    q->n_shots = 1;
    q->done = done;
    q->arg = arg;
    question_ask(q, NULL);
    return 0;
}

uint64_t truth_newest_serial(struct truth_door *d)
{
    struct truth_shot shot;
    newest_shot(d, &shot);
    return shot.serial;
}

/* ---- events ---- */

static void serve_events(struct exchange *ex, void *arg)
{
    struct truth_door *d = arg;
    int64_t now_ns = clock_now(d->cam->clock), from_ns, to_ns, most = EVENTS_MOST;
    const char *limit = exchange_arg(ex, "limit"), *since_ns = exchange_arg(ex, "since_ns");
    if (!time_arg(d, ex, "to", now_ns, &to_ns) ||
        !time_arg(d, ex, "since", to_ns > 60 * NSEC_PER_SEC ? to_ns - 60 * NSEC_PER_SEC : 0,
                  &from_ns))
        return;
    if (since_ns && text_int(since_ns, 0, INT64_MAX / 2, &from_ns)) {
        stage_reply_error(ex, 400, "since_ns is a time_ns of an answer");
        return;
    }
    if (!check_span(d, ex, from_ns, to_ns))
        return;
    if (limit && text_int(limit, 1, EVENTS_MOST, &most)) {
        stage_reply_error(ex, 400, "limit is 1 to 2000 events");
        return;
    }
    struct question *q = question_new(d, 0);
    if (!q) {
        reply_busy(ex);
        return;
    }
    q->ask = ASK_EVENTS;
    q->from_ns = from_ns;
    q->to_ns = to_ns;
    q->most = (size_t)most;
    question_ask(q, ex);
}

static const struct endpoint rows[] = {
    {.path = "/vedette/stage/truth",
     .methods = METHOD_GET,
     .role = ROLE_ADMIN,
     .serve = serve_truth,
     .doc = "what a picture shows, as the virtual world knows it; or many instants (JSON, "
            "docs/scenarios.md)"},
    {.path = "/vedette/stage/events",
     .methods = METHOD_GET,
     .role = ROLE_ADMIN,
     .serve = serve_events,
     .doc = "who crossed the scenario's lines, entered and left its areas (JSON, "
            "docs/scenarios.md)"},
};

struct truth_door *truth_door_new(struct camera *cam, struct gate *g)
{
    struct truth_door *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->cam = cam;
    list_init(&d->questions);
    d->story = story_new(cam->device->cast);
    if (!d->story) {
        free(d);
        return NULL;
    }
    gate_add(g, rows, sizeof rows / sizeof *rows, d);
    cam->truth = d;
    return d;
}

struct truth_door *truth_door_free(struct truth_door *d)
{
    if (!d)
        return NULL;
    d->cam->truth = NULL;
    list_for_each_safe(it, &d->questions) /* the server is gone, and who asked with it */
    {
        struct question *q = container_of(it, struct question, in_door);
        list_remove(&q->in_door);
        free(q->shot);
        free(q);
    }
    story_free(d->story);
    free(d);
    return NULL;
}
