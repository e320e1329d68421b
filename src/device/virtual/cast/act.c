#include "device/virtual/cast/act.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "device/virtual/cast/act_inside.h"
#include "device/virtual/cast/chance.h"
#include "device/virtual/cast/room.h"

#define CROWD_S 300.0 /* a crowd repeats after about this time */

const char *const cast_classes[CAST_CLASSES] = {"person",     "car",     "van", "bus",   "truck",
                                                "motorcycle", "bicycle", "dog", "parcel"};

unsigned cast_class_of(const struct cast_kind *k)
{
    for (unsigned i = 0; i < CAST_CLASSES; i++)
        if (k->class_name && !strcmp(cast_classes[i], k->class_name))
            return i;
    return 0;
}

void act_part_id(const struct act *a, const struct part *p, int64_t round, char ret[32])
{
    const char *name = p->route->kind->class_name ? cast_classes[p->kind_of] : p->route->kind->name;
    int64_t n = p->number;
    if (!p->resident)
        n = round < 0 ? a->residents[p->kind_of] + p->early
                      : (int64_t)a->residents[p->kind_of] + a->early[p->kind_of] +
                            round * a->each[p->kind_of] + p->number;
    snprintf(ret, 32, "%s-%lld", name, (long long)n);
}

/* ---- who is where ---- */

static bool is_gone(const struct act *a, const char *id, double t)
{
    for (size_t i = 0; i < a->n_gone; i++)
        if (t >= a->gone[i].from_s && !strcmp(a->gone[i].id, id))
            return true;
    return false;
}

static enum member_gait gait_of(const struct cast_kind *k, const struct step *s)
{
    if (k->sort == KIND_VEHICLE)
        return GAIT_RIDE;
    switch (s->gait) {
    case BEAT_WALK:
        return GAIT_WALK;
    case BEAT_RUN:
        return GAIT_RUN;
    case BEAT_CARRY:
        return GAIT_CARRY;
    default:
        return GAIT_STAND;
    }
}

static void plate_of(uint32_t look, char ret[12])
{
    static const char letters[] = "ABCDEFGHJKLMNPRSTUVWXYZ";
    uint64_t x = chance_mix(look + UINT64_C(77));
    size_t n = sizeof(letters) - 1;
    snprintf(ret, 12, "%c%c%c %03u", letters[x % n], letters[x / n % n], letters[x / n / n % n],
             (unsigned)(x >> 32) % 1000);
}

/* People differ in height. */
static double scale_of(const struct cast_kind *k, const struct actor *a, uint32_t look)
{
    double chance = chance_unit(chance_mix(look + UINT64_C(78)));
    return k->sort == KIND_WALKER && !a->has_look ? a->scale * (0.94 + 0.12 * chance) : a->scale;
}

static void fill(struct member *m, const struct cast_kind *k, const struct actor *a,
                 const struct step *s, double aside, double lead, uint32_t look)
{
    double scale = scale_of(k, a, look);
    double cycle = s->gait == BEAT_RUN      ? k->run_m * scale
                   : k->sort == KIND_WALKER ? k->cycle_m * scale
                                            : k->cycle_m;
    m->model = k->name;
    m->class_name = k->class_name;
    m->at = vec(s->at.x + s->at.dy * aside, s->at.y - s->at.dx * aside, 0);
    m->heading_deg = atan2(s->at.dx, s->at.dy) * 180 / M_PI;
    m->speed_m_s = s->speed_m_s;
    double turns = s->way_m / cycle + lead;
    m->phase = turns - floor(turns);
    m->gait = gait_of(k, s);
    m->look = a->has_look ? a->look : look;
    m->scale = scale;
    m->headlights = m->brake_lights = false;
    memset(m->plate, 0, sizeof(m->plate));
    if (k->sort == KIND_VEHICLE && strcmp(k->name, "bicycle") != 0) {
        if (*a->plate)
            memcpy(m->plate, a->plate, sizeof(m->plate));
        else
            plate_of(m->look, m->plate);
    }
}

static uint32_t look_of(const struct part *p, int64_t round)
{
    return (uint32_t)chance_of(p->dice, 10, p->resident ? 0 : (uint64_t)(round + 1));
}

/* How wholly somebody is there: others make room by and by for who appears, and back. */
static double presence(double since, double seconds)
{
    return fmin(1, fmax(0, fmin(since, seconds - since)) / 2);
}

static size_t add_parts(const struct act *a, double t, struct member *ret, struct room_here *here,
                        size_t n, size_t most)
{
    double since;
    int64_t round;
    for (size_t i = 0; i < a->n_parts && n < most; i++) {
        const struct part *p = &a->part[i];
        if (p->route->kind->sort == KIND_VEHICLE || !act_part_there(a, p, t, &since, &round))
            continue;
        act_part_id(a, p, round, ret[n].id);
        if (a->n_gone && is_gone(a, ret[n].id, t))
            continue;
        struct step s = act_part_step(p, since);
        here[n] = (struct room_here){p->resident ? 1 : presence(since, p->seconds), p->clear};
        fill(&ret[n++], p->route->kind, p->actor, &s, p->aside_m, chance_unit(p->dice),
             look_of(p, round));
    }
    return n;
}

static size_t add_vehicles(struct act *a, double t, struct member *ret, size_t n, size_t most)
{
    struct traffic_seen seen[TRAFFIC_MOST];
    double gate[SCENARIO_GATES];
    if (!a->traffic)
        return n;
    size_t cars = traffic_at(a->traffic, t, seen, TRAFFIC_MOST, gate);
    for (size_t i = 0; i < cars && n < most; i++) {
        const struct traffic_seen *c = &seen[i];
        struct member *m = &ret[n++];
        if (c->car < a->n_cars) {
            const struct part *p = &a->part[a->car_part[c->car]];
            act_part_id(a, p, c->round, m->id);
            fill(m, p->route->kind, p->actor, &c->step, 0, 0, look_of(p, c->round));
        } else {
            const struct guest *g = NULL;
            for (size_t k = 0; k < a->n_guests && !g; k++)
                if (a->guest[k]->vehicle && a->guest[k]->car == c->car)
                    g = a->guest[k];
            if (!g) {
                n--;
                continue;
            }
            memcpy(m->id, g->id, sizeof(m->id));
            fill(m, g->route.kind, &g->actor, &c->step, 0, 0, g->look);
        }
        m->headlights = !c->parked;
        m->brake_lights = c->braking && !c->parked;
    }
    for (size_t g = 0; g < a->s->n_gates && n < most; g++) {
        const struct gate_arm *arm = &a->s->gate[g];
        struct member *m = &ret[n++];
        *m = (struct member){.model = "barrier",
                             .at = vec(arm->x, arm->y, arm->z),
                             .heading_deg = arm->heading_deg,
                             .phase = gate[g],
                             .scale = 1};
        snprintf(m->id, sizeof(m->id), "barrier-%zu", g + 1);
    }
    return n;
}

/* NULL: no memory. */
static const struct crowd *crowd_of(struct act *a, size_t c)
{
    double period = a->s->length_s / ceil(a->s->length_s / CROWD_S);
    if (!a->crowd[c]) /* only now: it costs tens of milliseconds */
        a->crowd[c] = crowd_new(&a->s->crowd[c], period, chance_of(a->seed, 300, c));
    return a->crowd[c];
}

/* Is this one of a crowd there? `number`: among all crowds. */
static bool crowd_there(const struct act *a, size_t c, unsigned number, double t, char ret_id[32])
{
    snprintf(ret_id, 32, "%s-c%u", cast_kind_find(a->s->crowd[c].model, 0)->class_name, number);
    return !a->n_gone || !is_gone(a, ret_id, t);
}

static size_t add_crowds(struct act *a, double t, struct member *ret, size_t n, size_t most)
{
    unsigned number = 0;
    for (size_t c = 0; c < a->s->n_crowds; c++) {
        const struct crowd *crowd = crowd_of(a, c);
        for (size_t i = 0; crowd && i < crowd_size(crowd) && n < most; i++) {
            struct member *m = &ret[n];
            if (!crowd_there(a, c, ++number, t, m->id))
                continue;
            struct step s = crowd_at(crowd, i, t);
            uint64_t dice = chance_of(a->seed, 200 + c, i);
            struct actor who = {.scale = 1};
            fill(m, cast_kind_find(a->s->crowd[c].model, dice), &who, &s, 0, chance_unit(dice),
                 (uint32_t)chance_of(dice, 2, 0));
            n++;
        }
    }
    return n;
}

static bool guest_there(const struct guest *g, double t)
{
    return t >= g->start_s && t < g->gone_s &&
           (g->vehicle || g->actor.repeat || t - g->start_s < g->route.seconds);
}

static struct step guest_step(const struct guest *g, double t)
{
    double since = t - g->start_s;
    return route_at(&g->route, g->actor.repeat ? fmod(since, g->route.seconds) : since);
}

static size_t add_guests(const struct act *a, double t, struct member *ret, struct room_here *here,
                         size_t n, size_t most)
{
    for (size_t i = 0; i < a->n_guests && n < most; i++) {
        const struct guest *g = a->guest[i];
        if (g->vehicle || !guest_there(g, t))
            continue;
        struct step s = guest_step(g, t);
        memcpy(ret[n].id, g->id, sizeof(ret[n].id));
        here[n] = (struct room_here){
            presence(t - g->start_s, g->actor.repeat ? INFINITY : g->route.seconds), false};
        fill(&ret[n++], g->route.kind, &g->actor, &s, g->actor.aside_m, 0, g->look);
    }
    return n;
}

size_t act_at(struct act *a, int64_t time_ns, struct member *ret, size_t most)
{
    double t = (double)(time_ns - a->start_ns) / 1e9;
    struct room_here here[CAST_MOST];
    most = most < CAST_MOST ? most : CAST_MOST;
    size_t vehicles = add_vehicles(a, t, ret, 0, most);
    size_t n = add_guests(a, t, ret, here, vehicles, most);
    n = add_parts(a, t, ret, here, n, most);
    room_make(ret + vehicles, here + vehicles, n - vehicles); /* crowds do so by themselves */
    return add_crowds(a, t, ret, n, most);
}

/* Whom drivers brake for. */
static bool on_foot(const struct cast_kind *k)
{
    return k->sort == KIND_WALKER || (k->sort == KIND_THING && k->class_name);
}

/* For the drivers: all that is not on wheels. */
static size_t people(void *arg, double t, double (*ret)[2], size_t most)
{
    struct act *a = arg;
    size_t n = 0;
    double since;
    int64_t round;
    char id[32];
    for (size_t i = 0; i < a->n_parts && n < most; i++) {
        const struct part *p = &a->part[i];
        if (!on_foot(p->route->kind) || !act_part_there(a, p, t, &since, &round))
            continue;
        if (a->n_gone) {
            act_part_id(a, p, round, id);
            if (is_gone(a, id, t))
                continue;
        }
        struct step s = act_part_step(p, since);
        ret[n][0] = s.at.x + s.at.dy * p->aside_m;
        ret[n++][1] = s.at.y - s.at.dx * p->aside_m;
    }
    for (size_t i = 0; i < a->n_guests && n < most; i++) {
        const struct guest *g = a->guest[i];
        if (g->vehicle || !on_foot(g->route.kind) || !guest_there(g, t))
            continue;
        struct step s = guest_step(g, t);
        ret[n][0] = s.at.x + s.at.dy * g->actor.aside_m;
        ret[n++][1] = s.at.y - s.at.dx * g->actor.aside_m;
    }
    unsigned number = 0;
    for (size_t c = 0; c < a->s->n_crowds; c++) {
        const struct crowd *crowd = crowd_of(a, c);
        for (size_t i = 0; crowd && i < crowd_size(crowd) && n < most; i++) {
            if (!crowd_there(a, c, ++number, t, id))
                continue;
            struct step s = crowd_at(crowd, i, t);
            ret[n][0] = s.at.x;
            ret[n++][1] = s.at.y;
        }
    }
    return n;
}

/* ---- beginning and end ---- */

static int make_traffic(struct act *a)
{
    struct traffic_car *cars = calloc(a->n_parts + 1, sizeof(*cars));
    a->car_part = calloc(a->n_parts + 1, sizeof(*a->car_part));
    if (!cars || !a->car_part) {
        free(cars);
        return -ENOMEM;
    }
    for (size_t i = 0; i < a->n_parts; i++) {
        const struct part *p = &a->part[i];
        if (p->route->kind->sort != KIND_VEHICLE)
            continue;
        a->car_part[a->n_cars] = (uint32_t)i;
        cars[a->n_cars++] = (struct traffic_car){.route = p->route,
                                                 .start_s = p->start_s,
                                                 .pace = p->pace,
                                                 .aside_m = p->aside_m,
                                                 .guest = p->resident};
    }
    a->traffic = traffic_new(a->s, cars, a->n_cars, people, a);
    free(cars);
    return a->traffic ? 0 : -ENOMEM;
}

/* What cannot repeat within the length of the scenario. */
static int check_lengths(const struct act *a, struct fault *why)
{
    for (size_t i = 0; i < a->n_parts && a->s->loop; i++) {
        const struct part *p = &a->part[i];
        char line[24];
        snprintf(line, sizeof(line), "line %u", p->actor->line);
        if (!p->resident && p->route->kind->sort != KIND_VEHICLE && p->seconds > a->s->length_s)
            return fault_set(why, FAULT_INVALID, line,
                             "%s is there for %.0f s, longer than the scenario's length of %g s; "
                             "make that longer, or say until",
                             p->actor->name, p->seconds, a->s->length_s);
    }
    return 0;
}

int act_new(struct scenario *take_s, uint64_t seed, int64_t start_ns, struct act **ret,
            struct fault *why)
{
    struct act *a = calloc(1, sizeof(*a));
    if (!a) {
        scenario_free(take_s);
        return fault_set(why, FAULT_INTERNAL, NULL, "no memory");
    }
    a->s = take_s;
    a->seed = seed;
    a->start_ns = start_ns;
    a->commands_ns = INT64_MIN;
    int rc = act_make_parts(a, why);
    if (!rc)
        rc = check_lengths(a, why);
    if (!rc)
        rc = make_traffic(a);
    if (rc) {
        if (rc == -ENOMEM)
            fault_set(why, FAULT_INTERNAL, NULL, "no memory");
        act_free(a);
        return rc;
    }
    *ret = a;
    return 0;
}

struct act *act_free(struct act *a)
{
    if (!a)
        return NULL;
    traffic_free(a->traffic);
    for (size_t i = 0; i < SCENARIO_CROWDS; i++)
        crowd_free(a->crowd[i]);
    for (size_t i = 0; i < a->n_routes; i++)
        free(a->route[i]);
    for (size_t i = 0; i < a->n_guests; i++) {
        if (!a->guest[i]->on_call)
            actor_done(&a->guest[i]->actor);
        free(a->guest[i]);
    }
    free(a->guest);
    free(a->route);
    free(a->part);
    free(a->car_part);
    scenario_free(a->s);
    free(a);
    return NULL;
}

int64_t act_start(const struct act *a)
{
    return a->start_ns;
}

const struct scenario *act_scenario(const struct act *a)
{
    return a->s;
}

bool act_repeats(const struct act *a, int64_t *ret_round)
{
    return traffic_repeats(a->traffic, ret_round);
}

int64_t act_commands(const struct act *a)
{
    return a->commands_ns;
}
