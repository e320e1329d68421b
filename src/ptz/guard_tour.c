#include "ptz/guard_tour.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "ptz/follower.h"
#include "ptz/guard_memory.h"
#include "ptz/presets.h"

static const struct controller self = {.group = CONTROL_GUARD_TOUR, .user = ""};

struct guard_tours {
    struct ptz_follower f;
    struct presets *presets;
    struct guard_memory *memory; /* where it is, for after a restart */
    uint64_t seed;

    enum guard_state state;
    int tour;                   /* -1: none */
    uint64_t round;             /* counts from the start of the tour */
    uint8_t order[GUARD_STEPS]; /* of this round */
    unsigned n, at;
    int last; /* step of the round before, or -1 */
    int64_t due_ns;
};

/* ---- the order of a round ---- */

static uint64_t scramble(uint64_t x) /* splitmix64 */
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static void sort_steps(struct guard_tours *g, const struct guard_tour *t)
{
    g->n = 0;
    for (int i = 0; i < GUARD_STEPS; i++) {
        unsigned k = g->n;
        if (!t->step[i].used || !presets_has(g->presets, t->step[i].preset))
            continue;
        for (; k > 0 && t->step[g->order[k - 1]].position > t->step[i].position; k--)
            g->order[k] = g->order[k - 1];
        g->order[k] = (uint8_t)i;
        g->n++;
    }
}

/* The same seed, tour and round: the same order. No preset twice in a row. */
static void shuffle(struct guard_tours *g)
{
    uint64_t x = scramble(g->seed ^ (uint64_t)(g->tour + 1) << 48 ^ g->round);
    for (unsigned i = g->n; i > 1; i--) {
        x = scramble(x);
        unsigned k = (unsigned)(x % i);
        uint8_t step = g->order[k];
        g->order[k] = g->order[i - 1];
        g->order[i - 1] = step;
    }
    if (g->n > 1 && g->order[0] == g->last) {
        g->order[0] = g->order[g->n - 1];
        g->order[g->n - 1] = (uint8_t)g->last;
    }
}

static void plan_round(struct guard_tours *g, const struct guard_tour *t)
{
    sort_steps(g, t);
    if (t->random)
        shuffle(g);
    g->at = 0;
}

/* ---- where it is, beyond a restart ---- */

static void remember(struct guard_tours *g, int step)
{
    const struct guard_place p = {g->tour, g->round, g->last, step};
    guard_memory_keep(g->memory, &p);
}

/* The step that it was at when the camera was ended; what has changed since begins anew. */
static void recollect(struct guard_tours *g)
{
    struct guard_place p;
    if (!guard_memory_recall(g->memory, &p) || p.tour != g->tour)
        return;
    g->round = p.round;
    g->last = p.last;
    if (p.step < 0) /* between two rounds */
        return;
    const struct guard_settings *s = room_ref(g->f.room);
    plan_round(g, &s->tour[g->tour]);
    room_unref(s);
    while (g->at < g->n && g->order[g->at] != p.step)
        g->at++;
    if (g->at == g->n)
        g->n = g->at = 0;
}

/* ---- going round ---- */

static void wait_for(struct guard_tours *g, enum guard_state state, int64_t ns)
{
    g->state = state;
    g->due_ns = clock_now(loop_clock(g->f.loop)) + ns;
    loop_timer_at(g->f.loop, &g->f.timer, g->due_ns);
}

static void stand(struct guard_tours *g, enum guard_state state)
{
    g->state = state;
    g->due_ns = 0;
    loop_timer_cancel(&g->f.timer);
}

static void give_up(struct guard_tours *g, const char *text)
{
    char name[64];
    log_warn("ptz", "guard tour %d ends: %s", g->tour, text);
    snprintf(name, sizeof name, "GuardTour.G%d.Running", g->tour);
    conf_set(g->f.conf, name, "no");
}

static void go(struct guard_tours *g)
{
    struct fault why = {0};
    const struct guard_settings *s = room_ref(g->f.room);
    const struct guard_step *step = &s->tour[g->tour].step[g->order[g->at]];
    stand(g, GUARD_GOES);
    remember(g, g->order[g->at]);
    int err = presets_go(g->presets, step->preset, step->speed / 100.0, &why);
    int wait_s = step->wait_s;
    room_unref(s);
    if (err) { /* the head may obey again: not at once */
        log_warn("ptz", "guard tour %d, step %d: %s", g->tour, g->order[g->at], why.text);
        wait_for(g, GUARD_LOOKS, wait_s * NSEC_PER_SEC);
    }
}

static void begin_round(struct guard_tours *g)
{
    const struct guard_settings *s = room_ref(g->f.room);
    plan_round(g, &s->tour[g->tour]);
    room_unref(s);
    if (g->n)
        go(g);
    else
        give_up(g, "none of its presets exists");
}

static void next_step(struct guard_tours *g)
{
    const struct guard_settings *s = room_ref(g->f.room);
    int64_t pause_ns = s->tour[g->tour].pause_min * 60 * NSEC_PER_SEC;
    room_unref(s);
    if (g->at + 1 < g->n) {
        g->at++;
        go(g);
        return;
    }
    g->last = g->n ? g->order[g->n - 1] : -1;
    g->round++;
    if (!pause_ns) {
        begin_round(g);
        return;
    }
    remember(g, -1);
    wait_for(g, GUARD_PAUSES, pause_ns);
}

static void on_timer(struct loop_timer *t)
{
    struct guard_tours *g = container_of(t, struct guard_tours, f.timer);
    if (g->state == GUARD_LOOKS)
        next_step(g);
    else if (g->state == GUARD_PAUSES)
        begin_round(g);
}

static void on_head(struct ptz_listener *l, enum ptz_news what)
{
    struct guard_tours *g = container_of(l, struct guard_tours, f.head);
    if (what != PTZ_RESTS || g->state != GUARD_GOES)
        return;
    const struct guard_settings *s = room_ref(g->f.room);
    int wait_s = s->tour[g->tour].step[g->order[g->at]].wait_s;
    room_unref(s);
    wait_for(g, GUARD_LOOKS, wait_s * NSEC_PER_SEC);
}

/* Somebody else controls, or does no longer. */
static void on_control(struct control_listener *l)
{
    struct guard_tours *g = container_of(l, struct guard_tours, f.control);
    if (g->tour < 0)
        return;
    bool mine = control_holds(g->f.queue, &self);
    if (!mine && g->state != GUARD_WAITS) {
        stand(g, GUARD_WAITS);
    } else if (mine && g->state == GUARD_WAITS) {
        if (g->n)
            go(g); /* the step it was at */
        else
            begin_round(g);
    }
}

/* ---- start and stop ---- */

static void stop(struct guard_tours *g)
{
    g->tour = -1;
    stand(g, GUARD_IDLE);
    control_drop(g->f.queue, &self);
}

static void start(struct guard_tours *g, int tour, bool asked)
{
    g->tour = tour;
    g->round = 0;
    g->n = g->at = 0;
    g->last = -1;
    if (asked)
        remember(g, -1);
    else
        recollect(g);
    stand(g, GUARD_WAITS);
    if (!asked || control_take(g->f.queue, &self, NULL))
        control_request(g->f.queue, &self, NULL);
    if (g->tour == tour && g->state == GUARD_WAITS && control_holds(g->f.queue, &self))
        on_control(&g->f.control);
}

static void end_others(struct guard_tours *g, const struct guard_settings *s)
{
    char name[64];
    for (int i = 0; i < GUARD_TOURS; i++) {
        if (i == g->tour || !s->tour[i].used || !s->tour[i].running)
            continue;
        snprintf(name, sizeof name, "GuardTour.G%d.Running", i);
        conf_set(g->f.conf, name, "no");
    }
}

/* A step that has gone or come: the round goes on with what there is now. */
static void replan(struct guard_tours *g, const struct guard_settings *s)
{
    unsigned at = g->at;
    plan_round(g, &s->tour[g->tour]);
    if (!g->n) {
        if (g->state != GUARD_WAITS)
            give_up(g, "none of its presets exists");
        return;
    }
    bool over = at >= g->n;
    g->at = over ? g->n - 1 : at;
    if (over && g->state == GUARD_GOES)
        go(g);
}

/* A recorded tour runs instead. */
static bool recorded_runs(struct guard_tours *g)
{
    BUF(value, 16);
    return !conf_get(g->f.conf, "RecordedTour.Running", ~0u, &value, NULL) &&
           strcmp(buf_str(&value), "-1") != 0;
}

/* "GuardTour.G3.Running": 3; another name: -1. */
static int started_tour(const char *name)
{
    int64_t index;
    char number[8];
    if (!text_glob("GuardTour.G*.Running", name))
        return -1;
    name += strlen("GuardTour.G");
    snprintf(number, sizeof number, "%.*s", (int)strcspn(name, "."), name);
    return text_int(number, 0, GUARD_TOURS - 1, &index) ? -1 : (int)index;
}

static void on_settings(struct conf_listener *l, const char *const *names, size_t n)
{
    struct guard_tours *g = container_of(l, struct guard_tours, f.settings);
    const struct guard_settings *s = room_ref(g->f.room);
    int begun = -1;
    bool changed = false, recorded = false;
    for (size_t i = 0; i < n; i++) {
        int tour = started_tour(names[i]);
        if (tour >= 0 && tour != g->tour && s->tour[tour].used && s->tour[tour].running)
            begun = tour;
        recorded |= !strcmp(names[i], "RecordedTour.Running") && recorded_runs(g);
        changed |= text_glob("GuardTour.*", names[i]) || text_glob("PTZ.Preset.*", names[i]);
    }
    if (begun >= 0) {
        start(g, begun, true);
        end_others(g, s);
    } else if (g->tour >= 0 && !(s->tour[g->tour].used && s->tour[g->tour].running)) {
        stop(g);
    } else if (g->tour >= 0 && recorded) {
        stop(g);
        end_others(g, s);
    } else if (g->tour >= 0 && changed) {
        replan(g, s);
    }
    room_unref(s);
}

const struct guard_settings *guard_tours_ref(struct guard_tours *g)
{
    return room_ref(g->f.room);
}

void guard_tours_status(struct guard_tours *g, struct guard_status *ret)
{
    *ret = (struct guard_status){.state = g->state,
                                 .tour = g->tour,
                                 .step = g->tour >= 0 && g->at < g->n ? g->order[g->at] : -1,
                                 .due_ns = g->due_ns};
}

/* What ran when the camera was ended. */
static void first_turn(void *arg)
{
    struct guard_tours *g = arg;
    const struct guard_settings *s = room_ref(g->f.room);
    for (int i = 0; i < GUARD_TOURS && g->tour < 0; i++)
        if (s->tour[i].used && s->tour[i].running)
            start(g, i, false);
    room_unref(s);
}

struct guard_tours *guard_tours_new(struct loop *loop, struct jobs *jobs, struct conf *conf,
                                    struct room *room, struct file_port *files, struct ptz *ptz,
                                    struct presets *presets, struct control_queue *queue,
                                    uint64_t seed)
{
    struct guard_tours *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->f = (struct ptz_follower){.loop = loop,
                                 .conf = conf,
                                 .room = room,
                                 .ptz = ptz,
                                 .queue = queue,
                                 .timer = {.name = "guard-tour", .fire = on_timer},
                                 .head = {.heard = on_head},
                                 .control = {.changed = on_control},
                                 .settings = {.changed = on_settings}};
    g->presets = presets;
    g->seed = seed;
    g->tour = -1;
    g->memory = guard_memory_new(jobs, files);
    ptz_follow(&g->f);
    if (!g->memory)
        return guard_tours_free(g);
    return ptz_exists(ptz) && loop_call(loop, "guard-tours", first_turn, g) ? guard_tours_free(g)
                                                                            : g;
}

struct guard_tours *guard_tours_free(struct guard_tours *g)
{
    if (!g)
        return NULL;
    ptz_unfollow(&g->f);
    guard_memory_free(g->memory);
    free(g);
    return NULL;
}
