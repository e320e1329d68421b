/* Who comes in a round of the scenario, when, and on which side of his way: dice decide, but anew
 * where two on foot would walk through each other. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/fault.h"
#include "device/virtual/cast/act_inside.h"
#include "device/virtual/cast/chance.h"

#define PARTS_MOST 2048 /* in one round */
#define EARLY_S 240.0   /* vehicles that started so long before the beginning may be there */
#define THROWS 48       /* of the dice, until nobody is in the way */
#define TOUCH_M 0.06    /* so deep two may be in each other: sleeves */
/* So much is looked at for all of them together, about half a second: no text may keep the
 * camera busy for minutes. Who comes after that comes as the dice fall. */
#define LOOKS_MOST 10000000u

static const struct route *route_for(struct act *a, const struct actor *actor,
                                     const struct cast_kind *k, const struct actor **of)
{
    for (size_t i = 0; i < a->n_routes; i++)
        if (of[i] == actor && a->route[i]->kind == k)
            return a->route[i];
    struct route *r = malloc(sizeof(*r));
    if (!r)
        return NULL;
    route_make(r, actor, k);
    of[a->n_routes] = actor;
    a->route[a->n_routes++] = r;
    return r;
}

static bool is_resident(const struct scenario *s, const struct actor *a)
{
    bool stands = a->has_place && !a->n_beats;
    return a->repeat || a->stays || (stands && a->until_s <= 0 && a->every_s <= 0) ||
           (!s->loop && a->every_s <= 0);
}

static int add_part(struct act *a, const struct actor *actor, double start, uint64_t dice,
                    unsigned member, unsigned group, const struct actor **of)
{
    if (a->n_parts == PARTS_MOST)
        return -ENOSPC;
    uint64_t own = chance_of(dice, member, 1);
    const struct cast_kind *k = cast_kind_find(actor->model, chance_of(own, 2, 0));
    struct part *p = &a->part[a->n_parts];
    *p = (struct part){.actor = actor,
                       .route = route_for(a, actor, k, of),
                       .dice = own,
                       .kind_of = cast_class_of(k),
                       .resident = is_resident(a->s, actor)};
    if (!p->route)
        return -ENOMEM;
    p->pace = 1 + actor->vary * (2 * chance_unit(chance_of(dice, 3, 0)) - 1);
    p->aside_m = actor->aside_m + actor->spread_m * (2 * chance_unit(chance_of(dice, 4, 0)) - 1);
    if (group > 1) { /* two abreast, the others behind */
        bool pair = member + 1 < group || member % 2;
        p->aside_m += pair ? (member % 2 ? 0.38 : -0.38) : 0;
        start += member / 2 * 0.85 + 0.12 * chance_unit(own);
    }
    p->start_s = start;
    p->seconds = p->route->seconds / p->pace;
    if (actor->repeat) {
        double lap = p->route->seconds / p->pace;
        p->lap_s = a->s->length_s / fmax(round(a->s->length_s / lap), 1);
        p->lead_s = actor->jitter_s * chance_unit(chance_of(own, 5, 0));
        p->seconds = INFINITY;
    }
    if (actor->until_s > 0)
        p->seconds = fmin(p->seconds, actor->until_s - start);
    a->n_parts++;
    return 0;
}

/* ---- who would be in whose way ---- */

/* The box that somebody on foot takes up. */
struct stance {
    double x, y, dx, dy, length, width;
};

/* Where those who were put in stand at each quarter of a second of their way, as far as it was
 * asked: to work that out costs more than all else. */
struct tracks {
    float (*at[PARTS_MOST])[4]; /* x, y, and where it looks; x NAN: not asked yet */
    size_t n[PARTS_MOST];
    size_t looks; /* spent so far */
};
#define TRACK_HZ 4

static bool is_spent(const struct tracks *t)
{
    return t->looks >= LOOKS_MOST;
}

/* False: no memory. */
static bool track_begin(struct tracks *t, size_t i, double seconds)
{
    size_t n = (size_t)(fmin(seconds, SCENARIO_LONGEST_S) * TRACK_HZ) + 3;
    if (n > t->n[i]) {
        float(*more)[4] = realloc(t->at[i], n * sizeof(*more));
        if (!more)
            return false;
        t->at[i] = more;
        t->n[i] = n;
    }
    for (size_t k = 0; k < n; k++)
        t->at[i][k][0] = NAN;
    t->looks += n;
    return true;
}

static bool tracks_begin(const struct act *a, struct tracks *t, size_t first)
{
    bool ok = true;
    for (size_t i = first; i < a->n_parts && ok && !is_spent(t); i++)
        ok = track_begin(t, i, fmin(a->part[i].seconds, 2 * a->s->length_s));
    return ok;
}

static void tracks_free(struct tracks *t)
{
    for (size_t i = 0; t && i < PARTS_MOST; i++)
        free(t->at[i]);
    free(t);
}

static const float *track_at(struct tracks *t, const struct part *p, size_t i, size_t k)
{
    float *at = t->at[i][k < t->n[i] ? k : t->n[i] - 1];
    if (isnan(at[0])) {
        struct step s = act_part_step(p, (double)k / TRACK_HZ);
        at[0] = (float)(s.at.x + s.at.dy * p->aside_m);
        at[1] = (float)(s.at.y - s.at.dx * p->aside_m);
        at[2] = (float)s.at.dx;
        at[3] = (float)s.at.dy;
    }
    return at;
}

/* Of part i. */
static struct stance stance_of(const struct act *a, struct tracks *t, size_t i, double since)
{
    const struct part *p = &a->part[i];
    double k = p->actor->scale * (p->route->kind->sort == KIND_WALKER ? 1.06 : 1);
    double at = since * TRACK_HZ, f = at - floor(at);
    const float *u = track_at(t, p, i, (size_t)at), *v = track_at(t, p, i, (size_t)at + 1);
    return (struct stance){.x = (double)u[0] + f * ((double)v[0] - (double)u[0]),
                           .y = (double)u[1] + f * ((double)v[1] - (double)u[1]),
                           .dx = (double)u[2],
                           .dy = (double)u[3],
                           .length = p->route->kind->length_m * k,
                           .width = p->route->kind->width_m * k};
}

/* Half of what it reaches in that direction. */
static double stance_reach(const struct stance *s, double x, double y)
{
    return (s->length * fabs(s->dx * x + s->dy * y) + s->width * fabs(s->dy * x - s->dx * y)) / 2;
}

/* How deep two are in each other; negative: apart. */
static double stance_overlap(const struct stance *a, const struct stance *b)
{
    const struct stance *const two[] = {a, b};
    double deep = INFINITY;
    for (int i = 0; i < 4; i++) {
        double x = i % 2 ? two[i / 2]->dy : two[i / 2]->dx;
        double y = i % 2 ? -two[i / 2]->dx : two[i / 2]->dy;
        deep = fmin(deep, stance_reach(a, x, y) + stance_reach(b, x, y) -
                              fabs((a->x - b->x) * x + (a->y - b->y) * y));
    }
    return deep;
}

static bool in_the_way(const struct part *p)
{
    return p->route->kind->sort == KIND_WALKER ||
           (p->route->kind->sort == KIND_THING && p->kind_of == 0);
}

static double fastest(const struct part *p)
{
    double most = 0;
    for (size_t i = 0; i < p->route->n; i++)
        most = fmax(most, p->route->leg[i].speed_m_s);
    return most * fmax(p->pace, 1) * 1.3 + 0.3;
}

/* From t on, when p is there; INFINITY: no more. */
static double comes(const struct act *a, const struct part *p, double t)
{
    double since = t - p->start_s;
    if (since < 0)
        return p->resident || !a->s->loop ? p->start_s : t;
    if (p->resident || !a->s->loop)
        return since < p->seconds ? t : INFINITY;
    since = fmod(since, a->s->length_s);
    return since < p->seconds ? t : t + a->s->length_s - since;
}

/* The deepest that part i goes into k while it is there; more than `enough` is as good as that. */
static double goes_into(const struct act *a, struct tracks *tracks, size_t i, size_t k,
                        double enough)
{
    const struct part *p = &a->part[i], *q = &a->part[k];
    double length = a->s->length_s, deep = 0;
    double reach = (hypot(p->route->kind->length_m, p->route->kind->width_m) +
                    hypot(q->route->kind->length_m, q->route->kind->width_m)) /
                   2 * 1.1;
    double rate = fastest(p) + fastest(q);
    double begin = a->s->loop ? p->start_s + length : p->start_s, t = begin;
    double end = begin + fmin(p->seconds, length);
    tracks->looks++;
    while (deep <= enough && !is_spent(tracks) && (t = comes(a, q, t)) < end) {
        tracks->looks++;
        double other, since = t - (p->resident ? p->start_s : begin);
        int64_t round;
        if (!act_part_there(a, q, t, &other, &round)) {
            t += 0.1;
            continue;
        }
        struct stance me = stance_of(a, tracks, i, since), him = stance_of(a, tracks, k, other);
        double away = hypot(me.x - him.x, me.y - him.y) - reach;
        if (away > 0) {
            t += fmax(away / rate, 0.1);
            continue;
        }
        deep = fmax(deep, stance_overlap(&me, &him));
        t += 0.1;
    }
    return deep;
}

/* The deepest that parts from `first` on go into any that was there before; likewise. Negative:
 * no memory. */
static double trouble(const struct act *a, struct tracks *t, size_t first, double enough)
{
    double deep = 0;
    if (!tracks_begin(a, t, first))
        return -1;
    for (size_t i = first; i < a->n_parts; i++)
        for (size_t k = 0; k < i && deep <= enough && in_the_way(&a->part[i]); k++)
            if (in_the_way(&a->part[k]))
                deep = fmax(deep, goes_into(a, t, i, k, enough));
    return deep;
}

/* ---- starts ---- */

static int add_start(struct act *a, const struct actor *actor, double start, uint64_t dice,
                     const struct actor **of)
{
    unsigned span = actor->group_most - actor->group_least + 1;
    unsigned n = actor->group_least + (unsigned)(chance_of(dice, 6, 0) % span);
    int rc = 0;
    for (unsigned i = 0; i < n && !rc; i++)
        rc = add_part(a, actor, start, dice, i, n, of);
    return rc;
}

static int throw_dice(struct act *a, const struct actor *actor, unsigned number, uint64_t dice,
                      const struct actor **of)
{
    double start = actor->from_s + number * actor->every_s;
    if (!actor->repeat)
        start += actor->jitter_s * (2 * chance_unit(chance_of(dice, 8, number)) - 1);
    start = fmin(fmax(start, 0), a->s->length_s - 0.001);
    return add_start(a, actor, start, chance_of(dice, 9, number), of);
}

/* Anew until nobody is in the way; who comes by chance stays away rather than walk through
 * others. */
static int add_with_room(struct act *a, struct tracks *tracks, const struct actor *actor,
                         unsigned number, uint64_t dice, const struct actor **of)
{
    const size_t first = a->n_parts;
    const bool may_stay_away = actor->every_s > 0 && actor->jitter_s > 0;
    const bool by_chance = actor->jitter_s > 0 || actor->spread_m > 0 || actor->vary > 0;
    double least = INFINITY;
    uint64_t best = dice;
    for (unsigned k = 0; k < (by_chance ? THROWS : 1) && least > TOUCH_M; k++) {
        uint64_t own = k ? chance_of(dice, 20, k) : dice;
        a->n_parts = first;
        int rc = throw_dice(a, actor, number, own, of);
        if (rc || !in_the_way(&a->part[first]) || is_spent(tracks))
            return rc || tracks_begin(a, tracks, first) ? rc : -ENOMEM;
        double deep = trouble(a, tracks, first, may_stay_away ? TOUCH_M : least);
        if (deep < 0)
            return -ENOMEM;
        if (deep < least) {
            least = deep;
            best = own;
        }
    }
    a->n_parts = first;
    if (least > TOUCH_M && may_stay_away)
        return 0;
    int rc = throw_dice(a, actor, number, best, of);
    for (size_t i = first; i < a->n_parts; i++)
        a->part[i].clear = least <= TOUCH_M && !is_spent(tracks);
    return rc || tracks_begin(a, tracks, first) ? rc : -ENOMEM;
}

static int add_starts(struct act *a, struct tracks *tracks, size_t which, const struct actor **of)
{
    const struct actor *actor = &a->s->actor[which];
    uint64_t dice = chance_of(a->seed, 100 + which, 0);
    int rc = 0;
    const size_t first = a->n_parts;
    for (size_t i = 0; actor->on_call && i < a->s->n_cues && !rc; i++)
        if (a->s->cue[i].sort == CUE_CALL && a->s->cue[i].which == which)
            rc = add_start(a, actor, fmin(a->s->cue[i].at_s + actor->from_s, a->s->length_s),
                           chance_of(dice, 7, i), of);
    if (actor->on_call)
        return rc || tracks_begin(a, tracks, first) ? rc : -ENOMEM;
    unsigned times = actor->every_s > 0 ? (actor->times ? actor->times : UINT32_MAX) : 1;
    for (unsigned i = 0; i < times && !rc; i++) {
        if (i && actor->from_s + i * actor->every_s >= a->s->length_s)
            break;
        rc = add_with_room(a, tracks, actor, i, dice, of);
    }
    return rc;
}

static int by_start(const void *x, const void *y)
{
    const struct part *a = x, *b = y;
    if (a->start_s != b->start_s)
        return a->start_s < b->start_s ? -1 : 1;
    return a->dice < b->dice ? -1 : a->dice > b->dice;
}

static void give_numbers(struct act *a)
{
    for (size_t i = 0; i < a->n_parts; i++) {
        struct part *p = &a->part[i];
        if (p->resident) {
            p->number = ++a->residents[p->kind_of];
            continue;
        }
        p->number = ++a->each[p->kind_of];
        double ends =
            p->route->kind->sort == KIND_VEHICLE ? p->start_s + EARLY_S : p->start_s + p->seconds;
        if (a->s->loop && ends >= a->s->length_s)
            p->early = ++a->early[p->kind_of];
    }
}

int act_make_parts(struct act *a, struct fault *why)
{
    a->part = calloc(PARTS_MOST, sizeof(*a->part));
    a->route = calloc(PARTS_MOST, sizeof(struct route *));
    const struct actor **of = calloc(PARTS_MOST, sizeof(const struct actor *));
    struct tracks *tracks = calloc(1, sizeof(*tracks));
    int rc = a->part && a->route && of && tracks ? 0 : -ENOMEM;
    /* First those whose time and place are told, then those whom chance sends. */
    for (int chance = 0; chance < 2; chance++)
        for (size_t i = 0; i < a->s->n_actors && !rc; i++)
            if ((a->s->actor[i].jitter_s > 0) == chance)
                rc = add_starts(a, tracks, i, of);
    tracks_free(tracks);
    free(of);
    if (rc == -ENOSPC)
        fault_set(why, FAULT_LIMIT, NULL, "more than %d come in one round", PARTS_MOST);
    if (rc)
        return rc;
    qsort(a->part, a->n_parts, sizeof(*a->part), by_start);
    give_numbers(a);
    return 0;
}

/* ---- who is where ---- */

bool act_part_there(const struct act *a, const struct part *p, double t, double *ret_for,
                    int64_t *ret_round)
{
    double since = t - p->start_s;
    int64_t round = 0;
    if (!p->resident && a->s->loop) {
        round = (int64_t)floor(since / a->s->length_s);
        since -= (double)round * a->s->length_s;
    }
    if (since < 0 || since >= p->seconds || round < -1)
        return false;
    *ret_for = since;
    *ret_round = round;
    return true;
}

struct step act_part_step(const struct part *p, double since)
{
    double t = since * p->pace;
    if (p->lap_s > 0) {
        double laps = floor((since + p->lead_s) / p->lap_s);
        double k = p->route->seconds / p->lap_s;
        t = (since + p->lead_s - laps * p->lap_s) * k;
        struct step s = route_at(p->route, t);
        s.speed_m_s *= k;
        return s;
    }
    struct step s = route_at(p->route, t);
    s.speed_m_s *= p->pace;
    return s;
}
