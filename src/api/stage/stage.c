/* The stage: what the virtual camera knows about its own world, and the hand on its
 * clock. Only there with the virtual camera; administrators only. */
#include "api/stage/stage.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/stage/control.h"
#include "api/stage/faults.h"
#include "api/stage/library.h"
#include "api/stage/reply.h"
#include "api/stage/speaker.h"
#include "api/stage/truth.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/text.h"
#include "device/device.h"
#include "net/exchange.h"

#define ADVANCE_MAX_S (366.0 * 86400)
#define SLICE_NS NSEC_PER_SEC /* after each the end of the camera is noticed */

struct stage_door {
    struct camera *cam;
    struct truth_door *truth;
    struct control_door *control;
    struct faults_door *faults;
    struct library_door *library;
    struct advance *running; /* one at a time */
};

/* ---- clock ----
 * Time is advanced from a thread of its own: while it goes on, this loop works. */

struct advance {
    struct stage_door *door;
    struct exchange *ex; /* NULL: the client has left */
    atomic_bool stop;    /* the camera ends */
    struct loop *loop;
    struct clock *clock;
    int64_t by_ns;
    pthread_t thread;
    struct loop_post done;
};

static void on_advanced(struct loop_post *p)
{
    struct advance *a = container_of(p, struct advance, done);
    pthread_join(a->thread, NULL);
    a->door->running = NULL;
    struct exchange *ex = a->ex;
    if (ex) {
        ex->cancel = NULL;
        char utc[40];
        text_utc(clock_utc(a->clock), utc, sizeof utc);
        stage_reply(ex, 200,
                    json_pack("{s:f, s:s}", "now", (double)clock_now(a->clock) / 1e9, "utc", utc));
    }
    if (atomic_load(&a->stop))
        loop_stop(a->loop);
    free(a);
}

static void *advance_thread(void *arg)
{
    struct advance *a = arg;
    int64_t left = a->by_ns;
    do {
        int64_t slice = left < SLICE_NS ? left : SLICE_NS;
        clock_advance(a->clock, slice);
        left -= slice;
    } while (left > 0 && !atomic_load(&a->stop));
    loop_post(a->loop, &a->done);
    return NULL;
}

static void on_cancel(struct exchange *ex)
{
    ((struct advance *)ex->user)->ex = NULL;
}

static bool parse_advance(struct exchange *ex, double *ret_s)
{
    struct fault why = {0};
    JSON_AUTO *j = json_parse(ex->body, ex->body_len, &why);
    if (!j) {
        stage_reply_error(ex, 400, why.text);
        return false;
    }
    double s = NAN;
    if (!json_is_object(j) || json_get_double(j, "advance", &s, &why) ||
        !(s >= 0 && s <= ADVANCE_MAX_S)) {
        stage_reply_error(ex, 400, "advance must be the seconds to go on, 0 to a year");
        return false;
    }
    *ret_s = s;
    return true;
}

static void serve_clock(struct exchange *ex, void *arg)
{
    struct stage_door *d = arg;
    double seconds;
    if (!clock_is_sim(d->cam->clock)) {
        stage_reply_error(ex, 409, "this camera lives in real time; start it with --clock sim");
        return;
    }
    if (!parse_advance(ex, &seconds))
        return;
    if (d->running) {
        stage_reply_error(ex, 409, "the clock is being advanced already");
        return;
    }
    struct advance *a = calloc(1, sizeof *a);
    if (!a) {
        exchange_reply(ex, 500, NULL, NULL, 0);
        return;
    }
    *a = (struct advance){.door = d,
                          .ex = ex,
                          .loop = d->cam->loop,
                          .clock = d->cam->clock,
                          .by_ns = (int64_t)llround(seconds * 1e9),
                          .done = {.name = "stage-clock", .run = on_advanced}};
    ex->user = a;
    ex->cancel = on_cancel;
    d->running = a;
    if (pthread_create(&a->thread, NULL, advance_thread, a)) {
        ex->cancel = NULL;
        d->running = NULL;
        free(a);
        stage_reply_error(ex, 503, "no thread can be started");
    }
}

static const struct endpoint rows[] = {
    {.path = "/vedette/stage/clock",
     .methods = METHOD_POST,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .serve = serve_clock,
     .doc = "lets simulated time go on (JSON)"},
};

struct stage_door *stage_door_new(struct camera *cam, struct gate *g)
{
    struct stage_door *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->cam = cam;
    if (!cam->device->world)
        return d;
    d->truth = truth_door_new(cam, g);
    d->library = library_door_new(cam, g);
    d->control = control_door_new(cam, g);
    d->faults = faults_door_new(cam, g);
    if (!d->truth || !d->library || !d->control || !d->faults)
        return stage_door_free(d);
    gate_add(g, rows, sizeof rows / sizeof *rows, d);
    speaker_door_add(cam, g);
    return d;
}

struct stage_door *stage_door_free(struct stage_door *d)
{
    if (!d)
        return NULL;
    if (d->running) {
        /* The loop has ended, but time only comes to its next stop while it works. */
        atomic_store(&d->running->stop, true);
        loop_run(d->cam->loop);
    }
    faults_door_free(d->faults);
    control_door_free(d->control);
    library_door_free(d->library);
    truth_door_free(d->truth);
    free(d);
    return NULL;
}
