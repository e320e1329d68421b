/* The glance after a move. A camera whose sensor always runs has focused soon after its head has
 * come to rest; ours takes pictures only while somebody wants some. So that a snapshot some time
 * after a move is sharp, pictures are taken for the moment that focusing needs, if anybody has
 * wanted pictures lately. */
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "event/event.h"
#include "image/eye_inside.h"

#define LATELY_NS (60 * NSEC_PER_SEC)
#define LONGEST_NS (2 * NSEC_PER_SEC)

static void end(struct eye *e)
{
    struct eye_glance *g = &e->glance;
    loop_timer_cancel(&g->longest);
    if (!g->on)
        return;
    g->want(false, g->arg);
    g->on = false;
}

static void on_longest(struct loop_timer *t)
{
    end(container_of(t, struct eye, glance.longest));
}

static void on_done(struct loop_post *p)
{
    end(container_of(p, struct eye, glance.done));
}

static void on_move(struct event_listener *l, const struct event *ev)
{
    struct eye *e = container_of(l, struct eye, glance.head);
    struct eye_glance *g = &e->glance;
    bool moving = ev->n_data > 0 && !strcmp(ev->data[0].value, "1");
    if (moving) {
        end(e);
        return;
    }
    if (!g->want || clock_now(e->clock) - g->watched_ns > LATELY_NS)
        return;
    loop_timer_in(e->loop, &g->longest, LONGEST_NS);
    if (g->on)
        return;
    g->on = true;
    g->want(true, g->arg);
}

void glance_init(struct eye *e)
{
    struct eye_glance *g = &e->glance;
    g->longest = (struct loop_timer){.name = "eye-glance", .fire = on_longest};
    g->done = (struct loop_post){.name = "eye-glance", .run = on_done};
    g->head = (struct event_listener){.heard = on_move, .filter = "PTZController/Move*"};
    g->watched_ns = clock_now(e->clock);
    if (e->events && e->lens.focus)
        events_listen(e->events, &g->head);
}

void glance_done(struct eye *e)
{
    struct eye_glance *g = &e->glance;
    if (e->events && e->lens.focus)
        events_unlisten(e->events, &g->head);
    loop_timer_cancel(&g->longest);
    loop_post_cancel(e->loop, &g->done);
}

void eye_on_glance(struct eye *e, void (*want)(bool wanted, void *arg), void *arg)
{
    e->glance.want = want;
    e->glance.arg = arg;
}

void eye_watched(struct eye *e)
{
    if (!e->glance.on) /* that is nobody */
        e->glance.watched_ns = clock_now(e->clock);
}

void glance_look(struct eye *e)
{
    if (e->glance.on && !e->settling)
        loop_post(e->loop, &e->glance.done);
}
