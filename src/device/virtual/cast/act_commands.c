/* What the stage does to an act: sends somebody, takes somebody off, holds a gate. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "device/virtual/cast/act_inside.h"
#include "device/virtual/cast/chance.h"

static double act_time(struct act *a, int64_t at_ns)
{
    a->commands_ns = at_ns > a->commands_ns ? at_ns : a->commands_ns;
    return fmax((double)(at_ns - a->start_ns) / 1e9, 0);
}

static int no_memory(struct fault *why)
{
    return fault_set(why, FAULT_INTERNAL, NULL, "no memory");
}

/* Takes the actor, but for its paths when it is one of the scenario's. */
static int add_guest(struct act *a, int64_t at_ns, const struct actor *actor, bool on_call,
                     char ret_id[32], struct fault *why)
{
    struct member *now = malloc(sizeof(*now) * CAST_MOST);
    size_t n = now ? act_at(a, at_ns, now, CAST_MOST) : 0;
    free(now);
    if (!now)
        return no_memory(why);
    if (n >= CAST_MOST || a->n_guests >= GUESTS_MOST)
        return fault_set(why, FAULT_LIMIT, NULL,
                         n >= CAST_MOST ? "there are %d already"
                                        : "%d were sent already: load the scenario "
                                          "anew",
                         n >= CAST_MOST ? CAST_MOST : GUESTS_MOST);
    struct guest **more = realloc(a->guest, (a->n_guests + 1) * sizeof(struct guest *));
    struct guest *g = calloc(1, sizeof(*g));
    if (more)
        a->guest = more;
    if (!more || !g) {
        free(g);
        return no_memory(why);
    }
    uint64_t dice = chance_of(a->seed, 400, a->n_guests);
    const struct cast_kind *k = cast_kind_find(actor->model, chance_of(dice, 2, 0));
    unsigned class_id = cast_class_of(k);
    g->actor = *actor;
    g->on_call = on_call;
    g->look = actor->has_look ? actor->look : (uint32_t)chance_of(dice, 3, 0);
    g->start_s = act_time(a, at_ns) + (on_call ? 0 : actor->from_s);
    g->gone_s = actor->until_s > 0 && !on_call ? g->start_s + actor->until_s : INFINITY;
    g->vehicle = k->sort == KIND_VEHICLE;
    route_make(&g->route, &g->actor, k);
    snprintf(g->id, sizeof(g->id), "%s-x%u", k->class_name ? cast_classes[class_id] : k->name,
             a->sent[class_id] + 1);
    int rc = 0;
    if (g->vehicle) {
        struct traffic_car car = {.route = &g->route, .pace = 1, .aside_m = actor->aside_m};
        rc = traffic_send(a->traffic, act_time(a, at_ns), &car, &g->car);
    } else {
        rc = traffic_disturb(a->traffic, act_time(a, at_ns));
    }
    if (rc) {
        free(g);
        return rc == -ENOSPC ? fault_set(why, FAULT_LIMIT, NULL, "there are too many vehicles")
                             : no_memory(why);
    }
    a->sent[class_id]++;
    a->guest[a->n_guests++] = g;
    memcpy(ret_id, g->id, sizeof(g->id));
    return 0;
}

int act_spawn(struct act *a, int64_t at_ns, const char *words, char ret_id[32], struct fault *why)
{
    struct actor actor;
    int rc = scenario_actor(a->s, words, &actor, why);
    if (rc) {
        if (why) /* it has but one line */
            text_copy(why->name, sizeof(why->name), "who");
        return rc;
    }
    if (actor.every_s > 0 || actor.on_call || actor.times || actor.group_most > 1)
        rc = fault_set(why, FAULT_INVALID, NULL,
                       "one at a time: without every, times, group and on-call");
    else if (cast_kind_find(actor.model, 0)->sort == KIND_VEHICLE &&
             (actor.from_s > 0 || actor.until_s > 0))
        rc = fault_set(why, FAULT_INVALID, NULL, "a vehicle comes at once: without from and until");
    else
        rc = add_guest(a, at_ns, &actor, false, ret_id, why);
    if (rc)
        actor_done(&actor);
    return rc;
}

int act_call(struct act *a, int64_t at_ns, const char *name, char ret_id[32], struct fault *why)
{
    for (size_t i = 0; i < a->s->n_actors; i++) {
        const struct actor *actor = &a->s->actor[i];
        if (actor->on_call && (!*name || !strcmp(actor->name, name)))
            return add_guest(a, at_ns, actor, true, ret_id, why);
    }
    return fault_set(why, FAULT_UNKNOWN, name, "nobody of this scenario comes on call%s%s",
                     *name ? " by the name of " : "", name);
}

static int remove_guest(struct act *a, double t, struct guest *g)
{
    g->gone_s = fmin(g->gone_s, t);
    if (g->vehicle)
        return traffic_remove(a->traffic, t, g->car, 0) == -ENOMEM ? -ENOMEM : 0;
    return traffic_disturb(a->traffic, t);
}

int act_remove(struct act *a, int64_t at_ns, const char *id, struct fault *why)
{
    double t = act_time(a, at_ns);
    bool all = !strcmp(id, "all");
    int rc = 0;
    for (size_t i = 0; i < a->n_guests && !rc; i++)
        if (a->guest[i]->gone_s > t && (all || !strcmp(a->guest[i]->id, id))) {
            rc = remove_guest(a, t, a->guest[i]);
            if (!all)
                return rc ? no_memory(why) : 0;
        }
    if (rc)
        return no_memory(why);
    if (all)
        return 0;
    struct traffic_seen seen[TRAFFIC_MOST];
    double gate[SCENARIO_GATES];
    char is[32];
    size_t n = traffic_at(a->traffic, t, seen, TRAFFIC_MOST, gate);
    for (size_t i = 0; i < n; i++) {
        if (seen[i].car >= a->n_cars)
            continue;
        act_part_id(a, &a->part[a->car_part[seen[i].car]], seen[i].round, is);
        if (!strcmp(is, id)) {
            rc = traffic_remove(a->traffic, t, seen[i].car, seen[i].round);
            return rc == -ENOMEM ? no_memory(why) : 0;
        }
    }
    struct member *now = malloc(sizeof(*now) * CAST_MOST);
    if (!now)
        return no_memory(why);
    bool there = false;
    n = act_at(a, at_ns, now, CAST_MOST);
    for (size_t i = 0; i < n; i++)
        there |= !strcmp(now[i].id, id) && strcmp(now[i].model, "barrier") != 0;
    free(now);
    if (!there)
        return fault_set(why, FAULT_UNKNOWN, id, "nobody here is %s", id);
    if (a->n_gone == GONE_MOST)
        return fault_set(why, FAULT_LIMIT, NULL, "%d were removed already: load the scenario anew",
                         GONE_MOST);
    struct gone *g = &a->gone[a->n_gone++];
    snprintf(g->id, sizeof(g->id), "%s", id);
    g->from_s = t;
    return traffic_disturb(a->traffic, t) ? no_memory(why) : 0;
}

int act_hold(struct act *a, int64_t at_ns, size_t gate, enum gate_hold hold, struct fault *why)
{
    return traffic_hold(a->traffic, act_time(a, at_ns), gate, hold) ? no_memory(why) : 0;
}
