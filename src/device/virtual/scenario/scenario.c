#include "device/virtual/scenario/scenario.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "device/virtual/scenario/kinds.h"
#include "device/virtual/scenario/words.h"
#include "device/virtual/stage/stage.h"

/* ---- geometry ---- */

bool polygon_holds(const struct polygon *p, double x, double y)
{
    bool in = false;
    for (size_t i = 0, j = p->n - 1; i < p->n; j = i++) {
        const double *a = p->at[i], *b = p->at[j];
        if ((a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0])
            in = !in;
    }
    return in;
}

bool class_listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    if (!*list)
        return true;
    for (const char *p = list; (p = strstr(p, name)); p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
            return true;
    return false;
}

/* ---- statements ---- */

static int take_point(struct words *w)
{
    struct named_point *p = &w->point[w->n_points];
    if (w->n_points == SCENARIO_POINTS)
        return words_fault(w, "there are more than %d points", SCENARIO_POINTS);
    int rc = words_name(w, p->name);
    for (size_t i = 0; i < w->n_points && !rc; i++)
        if (!strcmp(w->point[i].name, p->name))
            return words_fault(w, "there is a point %s already", p->name);
    if (!rc)
        rc = words_place(w, p->at);
    if (!rc)
        w->n_points++;
    return rc;
}

static int take_path(struct words *w)
{
    struct scenario *s = w->s;
    if (s->n_paths == SCENARIO_PATHS)
        return words_fault(w, "there are more than %d paths", SCENARIO_PATHS);
    struct path *p = &s->path[s->n_paths];
    int rc = words_name(w, p->name);
    if (rc)
        return rc;
    for (size_t i = 0; i < s->n_paths; i++)
        if (!strcmp(s->path[i].name, p->name))
            return words_fault(w, "there is a path %s already", p->name);
    rc = words_path(w, p, false);
    if (!rc)
        s->n_paths++;
    return rc;
}

static int take_shape(struct words *w, struct polygon *ret)
{
    ret->n = 0;
    while (words_left(w) && strcmp(words_peek(w), "for")) {
        if (ret->n == SCENARIO_CORNERS)
            return words_fault(w, "a shape has at most %d corners", SCENARIO_CORNERS);
        int rc = words_place(w, ret->at[ret->n]);
        if (rc)
            return rc;
        ret->n++;
    }
    return ret->n < 3 ? words_fault(w, "a shape wants three corners or more") : 0;
}

/* "for person car" */
static int take_classes(struct words *w, char *ret, size_t size)
{
    static const char known[] = "person car van bus truck motorcycle bicycle dog parcel";
    *ret = '\0';
    if (!words_is(w, "for"))
        return 0;
    if (!words_left(w))
        return words_fault(w, "for wants classes: %s", known);
    while (words_left(w)) {
        const char *word = words_next(w);
        size_t used = strlen(ret);
        if (!class_listed(known, word) || strchr(word, ' '))
            return words_fault(w, "%s is no class; there are %s", word, known);
        if (used + strlen(word) + 2 > size)
            return words_fault(w, "too many classes");
        snprintf(ret + used, size - used, "%s%s", used ? " " : "", word);
    }
    return 0;
}

static int take_line(struct words *w)
{
    struct scenario *s = w->s;
    if (s->n_lines == SCENARIO_LINES)
        return words_fault(w, "there are more than %d lines", SCENARIO_LINES);
    struct truth_line *l = &s->line[s->n_lines];
    int rc = words_name(w, l->name);
    for (size_t i = 0; i < s->n_lines && !rc; i++)
        if (!strcmp(s->line[i].name, l->name))
            return words_fault(w, "there is a line %s already", l->name);
    if (!rc)
        rc = words_place(w, l->a);
    if (!rc)
        rc = words_place(w, l->b);
    if (!rc && hypot(l->a[0] - l->b[0], l->a[1] - l->b[1]) < 0.1)
        rc = words_fault(w, "a line wants two points");
    if (!rc)
        rc = take_classes(w, l->only, sizeof(l->only));
    if (!rc)
        s->n_lines++;
    return rc;
}

static int take_area(struct words *w)
{
    struct scenario *s = w->s;
    if (s->n_areas == SCENARIO_AREAS)
        return words_fault(w, "there are more than %d areas", SCENARIO_AREAS);
    struct truth_area *a = &s->area[s->n_areas];
    int rc = words_name(w, a->name);
    for (size_t i = 0; i < s->n_areas && !rc; i++)
        if (!strcmp(s->area[i].name, a->name))
            return words_fault(w, "there is an area %s already", a->name);
    if (!rc)
        rc = take_shape(w, &a->shape);
    if (!rc)
        rc = take_classes(w, a->only, sizeof(a->only));
    if (!rc)
        s->n_areas++;
    return rc;
}

static int take_crossing(struct words *w)
{
    struct scenario *s = w->s;
    if (s->n_crossings == SCENARIO_CROSSINGS)
        return words_fault(w, "there are more than %d crossings", SCENARIO_CROSSINGS);
    int rc = take_shape(w, &s->crossing[s->n_crossings]);
    if (!rc)
        s->n_crossings++;
    return rc;
}

static int take_yield(struct words *w)
{
    struct scenario *s = w->s;
    if (s->n_yields == SCENARIO_YIELDS)
        return words_fault(w, "there are more than %d yields", SCENARIO_YIELDS);
    struct yield *y = &s->yield[s->n_yields];
    int rc = words_place(w, y->line[0]);
    if (!rc)
        rc = words_place(w, y->line[1]);
    if (!rc && words_is(w, "narrow"))
        rc = words_number(w, "narrow", YIELD_LEAST_M, YIELD_MOST_M, &y->narrow_m);
    if (!rc)
        s->n_yields++;
    return rc;
}

static int take_gate(struct words *w)
{
    struct scenario *s = w->s;
    if (s->n_gates == SCENARIO_GATES)
        return words_fault(w, "there are more than %d gates", SCENARIO_GATES);
    struct gate_arm *g = &s->gate[s->n_gates];
    *g = (struct gate_arm){.z = 1, .length_m = 6, .ask_s = 2.5};
    double at[2];
    int rc = words_name(w, g->name);
    for (size_t i = 0; i < s->n_gates && !rc; i++)
        if (!strcmp(s->gate[i].name, g->name))
            return words_fault(w, "there is a gate %s already", g->name);
    if (!rc)
        rc = words_place(w, at);
    while (!rc && words_left(w)) {
        if (words_is(w, "arm"))
            rc = words_number(w, "arm", 0.5, 12, &g->length_m);
        else if (words_is(w, "facing"))
            rc = words_number(w, "facing", -360, 360, &g->heading_deg);
        else if (words_is(w, "height"))
            rc = words_number(w, "height", 0, 5, &g->z);
        else if (words_is(w, "ask"))
            rc = words_number(w, "ask", 0, 60, &g->ask_s);
        else
            rc =
                words_fault(w, "a gate has arm, facing, height and ask, not \"%s\"", words_peek(w));
    }
    if (rc)
        return rc;
    g->x = at[0];
    g->y = at[1];
    s->n_gates++;
    return 0;
}

static int take_crowd(struct words *w)
{
    struct scenario *s = w->s;
    if (s->n_crowds == SCENARIO_CROWDS)
        return words_fault(w, "there are more than %d crowds", SCENARIO_CROWDS);
    struct crowd_order *c = &s->crowd[s->n_crowds];
    double n = 0;
    *c = (struct crowd_order){.speed_m_s = 1.1};
    int rc = words_name(w, c->name);
    if (!rc)
        rc = words_number(w, "crowd", 1, SCENARIO_CROWD_MOST, &n);
    if (!rc)
        rc = words_model(w, c->model, sizeof(c->model));
    if (!rc && cast_kind_find(c->model, 0)->sort != KIND_WALKER)
        rc = words_fault(w, "a crowd is of people");
    unsigned all = 0;
    for (size_t i = 0; i < s->n_crowds; i++)
        all += s->crowd[i].n;
    if (!rc && all + n > SCENARIO_CROWD_MOST)
        rc = words_fault(w, "more than %d in the crowds", SCENARIO_CROWD_MOST);
    while (!rc && words_left(w)) {
        if (words_is(w, "in")) {
            const char *name = words_next(w);
            c->in = NULL;
            for (size_t i = 0; i < s->n_areas && name; i++)
                if (!strcmp(s->area[i].name, name))
                    c->in = &s->area[i];
            if (!c->in)
                rc = words_fault(w, "there is no area %s above this line", name ? name : "");
        } else if (words_is(w, "speed")) {
            rc = words_number(w, "speed", 0.2, 2, &c->speed_m_s);
        } else {
            rc = words_fault(w, "a crowd has in and speed, not \"%s\"", words_peek(w));
        }
    }
    if (!rc && !c->in)
        rc = words_fault(w, "a crowd wants an area: in NAME");
    if (rc)
        return rc;
    c->n = (unsigned)n;
    s->n_crowds++;
    return 0;
}

bool gate_hold_of(const char *word, enum gate_hold *ret)
{
    static const char *const words[] = {"auto", "open", "close"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(word, words[i])) {
            *ret = (enum gate_hold)i;
            return true;
        }
    return false;
}

/* The cast's own commands: "call NAME", "gate NAME open". */
static int own_cue(struct words *w, struct cue *c)
{
    const struct scenario *s = w->s;
    if (!words_is(w, "call") && !words_is(w, "gate"))
        return 0;
    c->sort = !strcmp(words_last(w), "call") ? CUE_CALL : CUE_GATE;
    const char *name = words_next(w);
    size_t i = 0, n = c->sort == CUE_CALL ? s->n_actors : s->n_gates;
    while (name && i < n &&
           strcmp(name, c->sort == CUE_CALL ? s->actor[i].name : s->gate[i].name) != 0)
        i++;
    if (!name || i == n)
        return words_fault(w, "there is no %s %s above this line",
                           c->sort == CUE_CALL ? "actor" : "gate", name ? name : "");
    if (c->sort == CUE_CALL && !s->actor[i].on_call)
        return words_fault(w, "%s is not on-call", name);
    if (c->sort == CUE_GATE && !gate_hold_of(words_peek(w), &c->hold))
        return words_fault(w, "a gate is told open, close or auto");
    if (c->sort == CUE_GATE)
        words_next(w);
    c->which = i;
    return 0;
}

static int add_cue(struct words *w, const struct cue *what, const char *verb, const char *text)
{
    struct scenario *s = w->s;
    double at_s = what->at_s;
    if (s->n_cues == SCENARIO_CUES)
        return words_fault(w, "there are more than %d commands", SCENARIO_CUES);
    struct cue c = *what;
    int n = snprintf(c.text, sizeof(c.text), "%s%s%s", verb, *verb ? " " : "", text);
    if (n < 0 || (size_t)n >= sizeof(c.text))
        return words_fault(w, "the command is longer than %zu characters", sizeof(c.text) - 1);
    struct stage_change unused;
    struct fault told = {0};
    if (c.sort == CUE_STAGE && stage_parse(c.text, &unused, &told)) /* now, not in mid-play */
        return words_fault(w, "%s", told.text);
    size_t i = s->n_cues++;
    for (; i && s->cue[i - 1].at_s > at_s; i--)
        s->cue[i] = s->cue[i - 1];
    s->cue[i] = c;
    return 0;
}

/* "at 20 s weather rain": the rest of the line is the stage's. */
static int take_at(struct words *w)
{
    double at;
    int rc = words_seconds(w, "at", 0, SCENARIO_LONGEST_S, &at);
    if (rc)
        return rc;
    if (!words_left(w))
        return words_fault(w, "at wants a time and a command");
    char text[sizeof(w->s->cue->text)] = "";
    struct cue c = {.at_s = at};
    rc = own_cue(w, &c);
    if (!rc && c.sort == CUE_STAGE)
        rc = words_rest(w, text, sizeof(text));
    return rc ? rc : add_cue(w, &c, "", text);
}

static int take_length(struct words *w)
{
    struct scenario *s = w->s;
    int rc = words_seconds(w, "length", 5, SCENARIO_LONGEST_S, &s->length_s);
    if (rc)
        return rc;
    s->length_s = round(s->length_s);
    if (!words_left(w) || words_is(w, "loop"))
        s->loop = true;
    else if (words_is(w, "once"))
        s->loop = false;
    return 0;
}

static int take_actor(struct words *w)
{
    struct scenario *s = w->s;
    if (s->n_actors == SCENARIO_ACTORS)
        return words_fault(w, "there are more than %d actors", SCENARIO_ACTORS);
    struct actor *a = &s->actor[s->n_actors];
    int rc = words_name(w, a->name);
    for (size_t i = 0; i < s->n_actors && !rc; i++)
        if (!strcmp(s->actor[i].name, a->name))
            return words_fault(w, "there is an actor %s already", a->name);
    char name[sizeof(a->name)];
    memcpy(name, a->name, sizeof(name));
    if (!rc)
        rc = words_actor(w, a);
    memcpy(a->name, name, sizeof(name));
    if (!rc && a->from_s > s->length_s)
        rc = words_fault(w, "from is later than the length of the scenario, %g s", s->length_s);
    if (rc)
        actor_done(a);
    else
        s->n_actors++;
    return rc;
}

static int statements(struct words *w);

/* What the place has of itself, before the scenario's own. */
static int take_ways(struct words *w)
{
    struct scenario *s = w->s;
    if (s->has_ways)
        return 0;
    s->has_ways = true;
    const char *text = scenario_ways(s->place);
    struct words *of_place = words_new(text, strlen(text), s, w->why);
    if (!of_place)
        return fault_set(w->why, FAULT_INTERNAL, NULL, "no memory");
    of_place->s = s;
    int rc = statements(of_place);
    words_free(of_place);
    return rc;
}

static int take_place(struct words *w)
{
    return w->s->has_ways ? words_fault(w, "place comes before all paths and actors")
                          : words_name(w, w->s->place);
}

static int statement(struct words *w)
{
    struct scenario *s = w->s;
    char text[64];
    static const struct {
        const char *word;
        int (*take)(struct words *w);
    } verbs[] = {{"point", take_point}, {"path", take_path},    {"actor", take_actor},
                 {"line", take_line},   {"area", take_area},    {"crossing", take_crossing},
                 {"yield", take_yield}, {"gate", take_gate},    {"crowd", take_crowd},
                 {"at", take_at},       {"length", take_length}};
    enum { LENGTH_ROW = sizeof(verbs) / sizeof(*verbs) - 1 };
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
        if (words_is(w, verbs[i].word)) {
            int rc = i < LENGTH_ROW ? take_ways(w) : 0;
            return rc ? rc : verbs[i].take(w);
        }
    if (words_is(w, "scenario"))
        return words_name(w, s->name);
    if (words_is(w, "place"))
        return take_place(w);
    if (words_is(w, "title"))
        return words_rest(w, s->title, sizeof(s->title));
    if (words_is(w, "about"))
        return words_rest(w, s->about, sizeof(s->about));
    if (words_is(w, "hour") || words_is(w, "weather")) { /* so from the first picture on */
        char verb[16];
        text_copy(verb, sizeof(verb), words_last(w));
        int rc = words_left(w) ? words_rest(w, text, sizeof(text))
                               : words_fault(w, "%s wants a value", verb);
        struct cue c = {.at_s = 0};
        if (!rc && !strcmp(verb, "weather") && !strchr(text, ' '))
            strncat(text, " 0s", sizeof(text) - strlen(text) - 1);
        return rc ? rc : add_cue(w, &c, verb, text);
    }
    return words_fault(w,
                       "a line begins with scenario, title, about, place, hour, weather, length, "
                       "point, path, actor, crowd, gate, crossing, yield, line, area or at; "
                       "not with \"%.40s\"",
                       words_peek(w));
}

static int statements(struct words *w)
{
    int rc;
    while ((rc = words_line(w)) > 0) {
        rc = statement(w);
        if (!rc && words_left(w))
            rc = words_fault(w, "\"%.40s\" is too much here", words_peek(w));
        if (rc)
            return rc;
    }
    return rc;
}

int scenario_parse(const char *text, size_t len, struct scenario **ret, struct fault *why)
{
    if (len > SCENARIO_BYTES)
        return fault_set(why, FAULT_LIMIT, NULL, "a scenario has at most %d bytes", SCENARIO_BYTES);
    struct scenario *s = calloc(1, sizeof(*s));
    struct words *w = s ? words_new(text, len, s, why) : NULL;
    if (w)
        w->s = s;
    if (!w) {
        free(s);
        return fault_set(why, FAULT_INTERNAL, NULL, "no memory");
    }
    s->length_s = 300;
    s->loop = true;
    text_copy(s->place, sizeof(s->place), "street");
    int rc = words_line(w);
    if (rc >= 0 && strcmp(words_peek(w), "scenario") != 0)
        rc = words_fault(w, "the first line is: scenario NAME");
    if (rc > 0)
        rc = statement(w);
    if (!rc && words_left(w))
        rc = words_fault(w, "\"%.40s\" is too much here", words_peek(w));
    if (!rc)
        rc = statements(w);
    if (!rc)
        rc = take_ways(w);
    words_free(w);
    if (rc)
        scenario_free(s);
    else
        *ret = s;
    return rc;
}

struct scenario *scenario_free(struct scenario *s)
{
    if (!s)
        return NULL;
    for (size_t i = 0; i < SCENARIO_PATHS; i++)
        path_done(&s->path[i]);
    for (size_t i = 0; i < s->n_actors; i++)
        actor_done(&s->actor[i]);
    free(s);
    return NULL;
}

int scenario_actor(const struct scenario *s, const char *text, struct actor *ret, struct fault *why)
{
    struct words *w = words_new(text, strlen(text), s, why);
    *ret = (struct actor){0};
    if (!w)
        return fault_set(why, FAULT_INTERNAL, NULL, "no memory");
    int rc = words_line(w);
    if (rc == 0)
        rc = fault_set(why, FAULT_MISSING, NULL, "who? man, woman, car-hatch, …");
    else if (rc > 0)
        rc = words_actor(w, ret);
    if (!rc && words_left(w))
        rc = words_fault(w, "\"%.40s\" is too much here", words_peek(w));
    if (!rc && words_line(w) != 0)
        rc = words_fault(w, "one at a time");
    if (rc)
        actor_done(ret);
    words_free(w);
    return rc;
}
