#include "device/virtual/cast/cast.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "device/virtual/cast/act.h"

_Static_assert(CAST_LINES == SCENARIO_LINES && CAST_AREAS == SCENARIO_AREAS &&
                   CAST_CORNERS == SCENARIO_CORNERS,
               "what a scenario may have can be told");

#define ACTS 8 /* scenarios played one after another; of older ones nothing is known */

struct cast {
    uint64_t seed;
    pthread_mutex_t lock; /* leaf: guards what follows */
    struct act *act[ACTS];
    size_t n;
    int64_t taken_ns; /* cues up to here have been taken */
};

struct cast *cast_new(uint64_t seed)
{
    struct cast *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->seed = seed;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

struct cast *cast_free(struct cast *c)
{
    if (!c)
        return NULL;
    for (size_t i = 0; i < c->n; i++)
        act_free(c->act[i]);
    pthread_mutex_destroy(&c->lock);
    free(c);
    return NULL;
}

int cast_load(struct cast *c, int64_t at_ns, const char *text, size_t len, struct fault *why)
{
    struct scenario *s = NULL;
    struct act *a = NULL;
    int rc = scenario_parse(text, len, &s, why);
    if (!rc)
        rc = act_new(s, c->seed, at_ns, &a, why);
    if (rc)
        return rc;
    pthread_mutex_lock(&c->lock);
    /* What would have begun later never does. */
    while (c->n && act_start(c->act[c->n - 1]) >= at_ns)
        act_free(c->act[--c->n]);
    if (c->n == ACTS) {
        act_free(c->act[0]);
        memmove(c->act, c->act + 1, sizeof(c->act[0]) * (ACTS - 1));
        c->n--;
    }
    c->act[c->n++] = a;
    c->taken_ns = at_ns - 1;
    pthread_mutex_unlock(&c->lock);
    return 0;
}

/* Locked. NULL: nothing is played then. */
static struct act *act_of(struct cast *c, int64_t time_ns)
{
    for (size_t i = c->n; i > 0; i--)
        if (act_start(c->act[i - 1]) <= time_ns)
            return c->act[i - 1];
    return NULL;
}

size_t cast_at(struct cast *c, int64_t time_ns, struct member *ret, size_t most)
{
    pthread_mutex_lock(&c->lock);
    struct act *a = act_of(c, time_ns);
    size_t n = a ? act_at(a, time_ns, ret, most) : 0;
    pthread_mutex_unlock(&c->lock);
    return n;
}

/* ---- commands ---- */

static int nothing(struct fault *why)
{
    return fault_set(why, FAULT_CONFLICT, NULL, "no scenario is played");
}

int cast_spawn(struct cast *c, int64_t at_ns, const char *words, char ret_id[32], struct fault *why)
{
    pthread_mutex_lock(&c->lock);
    struct act *a = act_of(c, at_ns);
    int rc = a ? act_spawn(a, at_ns, words, ret_id, why) : nothing(why);
    pthread_mutex_unlock(&c->lock);
    return rc;
}

int cast_call(struct cast *c, int64_t at_ns, const char *actor, char ret_id[32], struct fault *why)
{
    pthread_mutex_lock(&c->lock);
    struct act *a = act_of(c, at_ns);
    int rc = a ? act_call(a, at_ns, actor, ret_id, why) : nothing(why);
    pthread_mutex_unlock(&c->lock);
    return rc;
}

int cast_remove(struct cast *c, int64_t at_ns, const char *id, struct fault *why)
{
    pthread_mutex_lock(&c->lock);
    struct act *a = act_of(c, at_ns);
    int rc = a ? act_remove(a, at_ns, id, why) : nothing(why);
    pthread_mutex_unlock(&c->lock);
    return rc;
}

static int hold_all(struct act *a, int64_t at_ns, enum gate_hold hold, struct fault *why)
{
    int rc = 0;
    for (size_t g = 0; g < act_scenario(a)->n_gates && !rc; g++)
        rc = act_hold(a, at_ns, g, hold, why);
    return rc;
}

int cast_gate(struct cast *c, int64_t at_ns, const char *what, struct fault *why)
{
    char id[32];
    enum gate_hold hold;
    pthread_mutex_lock(&c->lock);
    struct act *a = act_of(c, at_ns);
    int rc;
    if (!a || !act_scenario(a)->n_gates)
        rc = fault_set(why, FAULT_CONFLICT, NULL, "this scenario has no gate");
    else if (!strcmp(what, "car"))
        rc = act_call(a, at_ns, "", id, why);
    else if (gate_hold_of(what, &hold))
        rc = hold_all(a, at_ns, hold, why);
    else
        rc = fault_set(why, FAULT_INVALID, "gate", "a gate is told open, close, auto or car");
    pthread_mutex_unlock(&c->lock);
    return rc;
}

/* ---- the scenario ---- */

static void facts_of(const struct scenario *s, int64_t start_ns, struct cast_facts *ret)
{
    *ret = (struct cast_facts){.start_ns = start_ns, .length_s = s->length_s, .loop = s->loop};
    memcpy(ret->name, s->name, sizeof(ret->name));
    memcpy(ret->title, s->title, sizeof(ret->title));
    memcpy(ret->about, s->about, sizeof(ret->about));
    memcpy(ret->place, s->place, sizeof(ret->place));
}

bool cast_facts(struct cast *c, int64_t time_ns, struct cast_facts *ret)
{
    pthread_mutex_lock(&c->lock);
    struct act *a = act_of(c, time_ns);
    if (a)
        facts_of(act_scenario(a), act_start(a), ret);
    pthread_mutex_unlock(&c->lock);
    return a != NULL;
}

static void watch_of(const struct act *a, struct cast_watch *ret)
{
    const struct scenario *s = act_scenario(a);
    int64_t round;
    *ret = (struct cast_watch){.start_ns = act_start(a),
                               .round_ns = s->loop ? llround(s->length_s * 1e9) : 0,
                               .regular_ns = INT64_MAX,
                               .commands_ns = act_commands(a),
                               .n_lines = s->n_lines,
                               .n_areas = s->n_areas};
    if (s->loop && act_repeats(a, &round))
        ret->regular_ns = act_start(a) + (round < 1 ? 1 : round) * ret->round_ns;
    for (size_t i = 0; i < s->n_lines; i++) {
        const struct truth_line *l = &s->line[i];
        struct cast_line *to = &ret->line[i];
        memcpy(to->name, l->name, sizeof(to->name));
        memcpy(to->only, l->only, sizeof(to->only));
        memcpy(to->a, l->a, sizeof(to->a));
        memcpy(to->b, l->b, sizeof(to->b));
    }
    for (size_t i = 0; i < s->n_areas; i++) {
        const struct truth_area *r = &s->area[i];
        struct cast_area *to = &ret->area[i];
        memcpy(to->name, r->name, sizeof(to->name));
        memcpy(to->only, r->only, sizeof(to->only));
        to->n = r->shape.n;
        memcpy(to->at, r->shape.at, sizeof(to->at));
    }
}

bool cast_watch(struct cast *c, int64_t time_ns, struct cast_watch *ret)
{
    pthread_mutex_lock(&c->lock);
    struct act *a = act_of(c, time_ns);
    if (a)
        watch_of(a, ret);
    pthread_mutex_unlock(&c->lock);
    return a != NULL;
}

int cast_read(const char *text, size_t len, struct cast_facts *ret, struct fault *why)
{
    struct scenario *s = NULL;
    int rc = scenario_parse(text, len, &s, why);
    if (!rc)
        facts_of(s, 0, ret);
    scenario_free(s);
    return rc;
}

int cast_check(const char *text, size_t len, struct cast_facts *ret, struct fault *why)
{
    struct scenario *s = NULL;
    struct act *a = NULL;
    int rc = scenario_parse(text, len, &s, why);
    if (!rc)
        rc = act_new(s, 1, 0, &a, why);
    if (!rc)
        facts_of(act_scenario(a), 0, ret);
    act_free(a);
    return rc;
}

/* Cues of the header (at 0) come once; the others in every round. */
static int64_t cue_ns(const struct act *a, const struct cue *q, int64_t round)
{
    return act_start(a) + llround((q->at_s + (double)round * act_scenario(a)->length_s) * 1e9);
}

/* The first cue after a time; false: none. */
static bool next_cue(struct cast *c, int64_t after_ns, struct cast_cue *ret)
{
    const struct act *best_act = NULL;
    const struct cue *best = NULL;
    int64_t best_ns = INT64_MAX;
    for (size_t i = 0; i < c->n; i++) {
        const struct act *a = c->act[i];
        const struct scenario *s = act_scenario(a);
        int64_t end = i + 1 < c->n ? act_start(c->act[i + 1]) : INT64_MAX;
        double since = (double)(after_ns - act_start(a)) / 1e9;
        int64_t round = s->loop && since > 0 ? (int64_t)floor(since / s->length_s) - 1 : 0;
        if (round < 0)
            round = 0;
        for (int64_t r = round; r < round + (s->loop ? 4 : 1); r++)
            for (size_t k = 0; k < s->n_cues; k++) {
                const struct cue *q = &s->cue[k];
                int64_t at = cue_ns(a, q, r);
                if (q->sort != CUE_STAGE || (r && q->at_s <= 0) || at <= after_ns || at >= end ||
                    at >= best_ns)
                    continue;
                best = q;
                best_act = a;
                best_ns = at;
            }
    }
    if (!best_act)
        return false;
    ret->at_ns = best_ns;
    memcpy(ret->text, best->text, sizeof(ret->text));
    return true;
}

/* All of one time, in the order of the text. */
static size_t cues_at(struct cast *c, int64_t at_ns, struct cast_cue *ret, size_t most)
{
    const struct act *a = act_of(c, at_ns);
    const struct scenario *s = act_scenario(a);
    double since = (double)(at_ns - act_start(a)) / 1e9;
    int64_t round = s->loop ? (int64_t)floor(since / s->length_s + 1e-9) : 0;
    size_t n = 0;
    for (int64_t r = round ? round - 1 : 0; r <= round; r++)
        for (size_t k = 0; k < s->n_cues && n < most; k++)
            if (s->cue[k].sort == CUE_STAGE && !(r && s->cue[k].at_s <= 0) &&
                cue_ns(a, &s->cue[k], r) == at_ns) {
                ret[n].at_ns = at_ns;
                memcpy(ret[n++].text, s->cue[k].text, sizeof(ret->text));
            }
    return n;
}

/* Locked. */
static size_t cues_between(struct cast *c, int64_t after_ns, int64_t until_ns, struct cast_cue *ret,
                           size_t most)
{
    struct cast_cue next;
    size_t n = 0;
    while (n < most && next_cue(c, after_ns, &next) && next.at_ns <= until_ns) {
        n += cues_at(c, next.at_ns, ret + n, most - n);
        after_ns = next.at_ns;
    }
    return n;
}

size_t cast_cues(struct cast *c, int64_t after_ns, int64_t until_ns, struct cast_cue *ret,
                 size_t most)
{
    pthread_mutex_lock(&c->lock);
    size_t n = cues_between(c, after_ns, until_ns, ret, most);
    pthread_mutex_unlock(&c->lock);
    return n;
}

size_t cast_take_cues(struct cast *c, int64_t until_ns, struct cast_cue *ret, size_t most)
{
    pthread_mutex_lock(&c->lock);
    size_t n = cues_between(c, c->taken_ns, until_ns, ret, most);
    if (n == most)
        c->taken_ns = ret[n - 1].at_ns; /* the rest of that moment is lost: ask with room */
    else if (until_ns > c->taken_ns)
        c->taken_ns = until_ns;
    pthread_mutex_unlock(&c->lock);
    return n;
}

int64_t cast_next_cue(struct cast *c, int64_t after_ns)
{
    struct cast_cue next;
    pthread_mutex_lock(&c->lock);
    bool found = next_cue(c, after_ns, &next);
    pthread_mutex_unlock(&c->lock);
    return found ? next.at_ns : INT64_MAX;
}
