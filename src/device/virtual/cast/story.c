#include "device/virtual/cast/story.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/scenario/scenario.h"

#define LOOK_NS INT64_C(200000000) /* between two looks */
#define REFINE 8                   /* halvings: to a millisecond */
#define MARKS 16                   /* states kept on the way */
#define MARK_NS INT64_C(60000000000)
#define LONG_NS INT64_C(7200000000000)

struct look {
    int64_t at_ns;
    size_t n;
    struct member m[CAST_MOST];
    uint16_t in[CAST_MOST]; /* areas it is in, one bit each */
};

/* A place in the story: the last look and what was counted up to it. */
struct mark {
    struct look look;
    struct story_tally tally;
};

struct story {
    struct cast *cast;
    struct cast_watch watch;
    struct mark here, out; /* out: what story_at() told */
    struct mark *kept[MARKS];
    size_t n_kept;
    bool begun;
    struct look spare;
    bool (*each)(const struct story_event *e, void *arg);
    void *arg;
    int64_t from_ns;
    bool enough;
};

struct story *story_new(struct cast *c)
{
    struct story *s = calloc(1, sizeof(*s));
    if (s)
        s->cast = c;
    return s;
}

static void forget(struct story *s)
{
    while (s->n_kept)
        free(s->kept[--s->n_kept]);
    s->begun = false;
}

struct story *story_free(struct story *s)
{
    if (s)
        forget(s);
    free(s);
    return NULL;
}

/* ---- one look ---- */

static bool in_area(const struct cast_area *a, const struct member *m)
{
    struct polygon p = {.n = a->n};
    memcpy(p.at, a->at, sizeof(p.at));
    return m->class_name && class_listed(a->only, m->class_name) &&
           polygon_holds(&p, m->at.x, m->at.y);
}

static void take_look(struct story *s, int64_t at_ns, struct look *ret)
{
    ret->at_ns = at_ns;
    ret->n = cast_at(s->cast, at_ns, ret->m, CAST_MOST);
    for (size_t i = 0; i < ret->n; i++) {
        ret->in[i] = 0;
        for (size_t a = 0; a < s->watch.n_areas; a++)
            ret->in[i] |= (uint16_t)(in_area(&s->watch.area[a], &ret->m[i]) << a);
    }
}

/* Whoever it is, in another look; members keep their order, so it is near `*io_hint`. */
static size_t find(const struct look *l, const char *id, size_t *io_hint)
{
    for (size_t k = 0; k < l->n; k++) {
        size_t i = (*io_hint + k) % l->n;
        if (!strcmp(l->m[i].id, id)) {
            *io_hint = i + 1;
            return i;
        }
    }
    return SIZE_MAX;
}

static double side(const struct cast_line *l, double x, double y)
{
    return (l->b[0] - l->a[0]) * (y - l->a[1]) - (l->b[1] - l->a[1]) * (x - l->a[0]);
}

static bool crosses(const struct cast_line *l, const struct member *m, const struct member *n)
{
    double u = side(l, m->at.x, m->at.y), v = side(l, n->at.x, n->at.y);
    if ((u > 0) == (v > 0))
        return false;
    struct cast_line way = {.a = {m->at.x, m->at.y}, .b = {n->at.x, n->at.y}};
    return (side(&way, l->a[0], l->a[1]) > 0) != (side(&way, l->b[0], l->b[1]) > 0);
}

/* When between two looks it happened: is_after() tells of a member whether it has. */
static int64_t refine(struct story *s, int64_t from, int64_t to, const char *id,
                      bool (*is_after)(const void *of, const struct member *m), const void *of,
                      struct member *io_m)
{
    size_t hint = 0;
    for (int i = 0; i < REFINE; i++) {
        int64_t mid = from + (to - from) / 2;
        s->spare.n = cast_at(s->cast, mid, s->spare.m, CAST_MOST);
        size_t k = find(&s->spare, id, &hint);
        if (k == SIZE_MAX)
            break;
        if (is_after(of, &s->spare.m[k])) {
            to = mid;
            *io_m = s->spare.m[k];
        } else {
            from = mid;
        }
        hint = k;
    }
    return to;
}

/* When between two looks it appeared or vanished. */
static int64_t refine_presence(struct story *s, int64_t from, int64_t to, const char *id,
                               bool appears)
{
    for (int i = 0; i < REFINE; i++) {
        size_t hint = 0;
        int64_t mid = from + (to - from) / 2;
        s->spare.n = cast_at(s->cast, mid, s->spare.m, CAST_MOST);
        bool there = s->spare.n && find(&s->spare, id, &hint) != SIZE_MAX;
        if (there == appears)
            to = mid;
        else
            from = mid;
    }
    return to;
}

struct side_of {
    const struct cast_line *line;
    bool right; /* where it comes to */
};

static bool is_over(const void *of, const struct member *m)
{
    const struct side_of *o = of;
    return (side(o->line, m->at.x, m->at.y) <= 0) == o->right;
}

struct area_of {
    const struct cast_area *area;
    bool in;
};

static bool is_in(const void *of, const struct member *m)
{
    const struct area_of *o = of;
    return in_area(o->area, m) == o->in;
}

/* ---- going on ---- */

struct found {
    struct story_event e;
    size_t which;
};

#define FOUND_MOST 256 /* between two looks */

static void note(struct found *f, size_t *n, enum story_sort sort, size_t which, int64_t at_ns,
                 const struct member *m, const char *where)
{
    if (*n == FOUND_MOST)
        return;
    struct found *to = &f[(*n)++];
    *to = (struct found){.e = {.at_ns = at_ns,
                               .sort = sort,
                               .class_name = m->class_name,
                               .position = {m->at.x, m->at.y},
                               .speed_m_s = m->speed_m_s},
                         .which = which};
    memcpy(to->e.id, m->id, sizeof(to->e.id));
    memcpy(to->e.where, where, sizeof(to->e.where));
}

static void see_areas(struct story *s, const struct look *was, const struct look *now, size_t i,
                      size_t before, struct found *f, size_t *n)
{
    const struct member *m = &now->m[i];
    unsigned had = before == SIZE_MAX ? 0 : was->in[before], has = now->in[i];
    for (size_t a = 0; a < s->watch.n_areas; a++) {
        bool in = has >> a & 1;
        if (in == (had >> a & 1))
            continue;
        struct member at = *m;
        struct area_of of = {&s->watch.area[a], in};
        int64_t when = before != SIZE_MAX
                           ? refine(s, was->at_ns, now->at_ns, m->id, is_in, &of, &at)
                       : was->at_ns < s->watch.start_ns
                           ? now->at_ns /* the first look */
                           : refine_presence(s, was->at_ns, now->at_ns, m->id, true);
        note(f, n, in ? STORY_ENTER : STORY_LEAVE, a, when, &at, s->watch.area[a].name);
    }
}

static void see_lines(struct story *s, const struct look *was, const struct look *now, size_t i,
                      size_t before, struct found *f, size_t *n)
{
    const struct member *m = &now->m[i];
    for (size_t k = 0; k < s->watch.n_lines; k++) {
        const struct cast_line *l = &s->watch.line[k];
        if (!m->class_name || !class_listed(l->only, m->class_name) ||
            !crosses(l, &was->m[before], m))
            continue;
        struct side_of of = {l, side(l, m->at.x, m->at.y) <= 0};
        struct member at = *m;
        int64_t when = refine(s, was->at_ns, now->at_ns, m->id, is_over, &of, &at);
        note(f, n, of.right ? STORY_IN : STORY_OUT, k, when, &at, l->name);
    }
}

static int by_time(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return (x->e.at_ns > y->e.at_ns) - (x->e.at_ns < y->e.at_ns);
}

static void apply_area(struct story_area *a, struct story_event *e)
{
    size_t i = 0;
    while (i < a->n && strcmp(a->inside[i].id, e->id) != 0)
        i++;
    if (e->sort == STORY_ENTER) {
        a->entered++;
        if (i == a->n && a->n < STORY_INSIDE) {
            memcpy(a->inside[a->n].id, e->id, sizeof(e->id));
            a->inside[a->n].class_name = e->class_name;
            a->inside[a->n++].since_ns = e->at_ns;
        }
    } else if (i < a->n) {
        e->seconds = (double)(e->at_ns - a->inside[i].since_ns) / 1e9;
        memmove(&a->inside[i], &a->inside[i + 1], sizeof(a->inside[0]) * (a->n - i - 1));
        a->n--;
    }
}

/* From the mark's look to another time, not more than LOOK_NS away. */
static void go_to(struct story *s, struct mark *h, int64_t to_ns)
{
    static const size_t none = SIZE_MAX;
    struct look *now = calloc(1, sizeof(*now));
    struct found *f = calloc(FOUND_MOST, sizeof(*f));
    size_t n = 0, hint = 0;
    if (!now || !f) {
        free(now);
        free(f);
        s->enough = true;
        return;
    }
    take_look(s, to_ns, now);
    for (size_t i = 0; i < now->n; i++) {
        size_t before = h->look.n ? find(&h->look, now->m[i].id, &hint) : none;
        see_areas(s, &h->look, now, i, before, f, &n);
        if (before != none)
            see_lines(s, &h->look, now, i, before, f, &n);
    }
    hint = 0;
    for (size_t i = 0; i < h->look.n; i++)
        if (h->look.in[i] && (!now->n || find(now, h->look.m[i].id, &hint) == none))
            for (size_t a = 0; a < s->watch.n_areas; a++)
                if (h->look.in[i] >> a & 1)
                    note(f, &n, STORY_LEAVE, a,
                         refine_presence(s, h->look.at_ns, to_ns, h->look.m[i].id, false),
                         &h->look.m[i], s->watch.area[a].name);
    qsort(f, n, sizeof(*f), by_time);
    for (size_t i = 0; i < n; i++) {
        struct story_event *e = &f[i].e;
        if (e->sort == STORY_IN)
            h->tally.line[f[i].which].in++;
        else if (e->sort == STORY_OUT)
            h->tally.line[f[i].which].out++;
        else
            apply_area(&h->tally.area[f[i].which], e);
        if (s->each && !s->enough && e->at_ns > s->from_ns)
            s->enough = !s->each(e, s->arg);
    }
    h->look = *now;
    free(now);
    free(f);
}

static void keep(struct story *s)
{
    if (s->n_kept && s->here.look.at_ns < s->kept[s->n_kept - 1]->look.at_ns + MARK_NS)
        return;
    if (s->n_kept == MARKS) { /* every other one is let go */
        for (size_t i = 0; i < MARKS / 2; i++) {
            free(s->kept[2 * i + 1]);
            s->kept[i] = s->kept[2 * i];
        }
        s->n_kept = MARKS / 2;
    }
    struct mark *m = malloc(sizeof(*m));
    if (m) {
        *m = s->here;
        s->kept[s->n_kept++] = m;
    }
}

/* The scenario that is played then, from its beginning. */
static bool begin(struct story *s, int64_t time_ns)
{
    int64_t was = s->watch.start_ns, commands = s->watch.commands_ns;
    struct cast_watch w;
    if (!cast_watch(s->cast, time_ns, &w))
        return false;
    if (!s->begun || w.start_ns != was) {
        forget(s);
        s->watch = w;
        s->here = (struct mark){.look.at_ns = w.start_ns - 1};
        struct story_tally *t = &s->here.tally;
        t->start_ns = w.start_ns;
        t->n_lines = w.n_lines;
        t->n_areas = w.n_areas;
        for (size_t i = 0; i < w.n_lines; i++)
            memcpy(t->line[i].name, w.line[i].name, sizeof(t->line[i].name));
        for (size_t i = 0; i < w.n_areas; i++)
            memcpy(t->area[i].name, w.area[i].name, sizeof(t->area[i].name));
        go_to(s, &s->here, w.start_ns);
        s->begun = !s->enough;
        keep(s);
        return s->begun;
    }
    /* What was told of the time after a new command may not hold any more. */
    int64_t holds_until = w.commands_ns > commands ? w.commands_ns : INT64_MAX;
    s->watch = w;
    while (s->n_kept > 1 && s->kept[s->n_kept - 1]->look.at_ns >= holds_until)
        free(s->kept[--s->n_kept]);
    if (s->here.look.at_ns >= holds_until)
        s->here = *s->kept[s->n_kept - 1];
    return true;
}

/* All rounds are alike: counts one and jumps over those before the one of `to_ns`. */
static void leap(struct story *s, int64_t to_ns)
{
    int64_t round = s->watch.round_ns, here = s->here.look.at_ns;
    struct cast_watch w;
    if (!round && here >= s->watch.start_ns + LONG_NS && to_ns - here > LONG_NS) {
        /* Played once, and long over: what is left stands still. */
        take_look(s, to_ns - (to_ns - here) % LOOK_NS, &s->here.look);
        return;
    }
    if (!round || to_ns - here < 4 * round || (here - s->watch.start_ns) % round ||
        !cast_watch(s->cast, here, &w))
        return;
    int64_t after = w.commands_ns == INT64_MIN ? w.start_ns : w.commands_ns;
    int64_t from = w.regular_ns > after + 2 * round ? w.regular_ns : after + 2 * round;
    if (w.regular_ns == INT64_MAX || here < from)
        return;
    struct story_tally was = s->here.tally;
    bool (*each)(const struct story_event *e, void *arg) = s->each;
    s->each = NULL;
    for (int64_t t = here; t < here + round && !s->enough; t += LOOK_NS)
        go_to(s, &s->here, t + LOOK_NS < here + round ? t + LOOK_NS : here + round);
    s->each = each;
    int64_t rounds = (to_ns - s->here.look.at_ns) / round - 1;
    struct story_tally *t = &s->here.tally;
    for (size_t i = 0; i < t->n_lines; i++) {
        t->line[i].in += (uint64_t)rounds * (t->line[i].in - was.line[i].in);
        t->line[i].out += (uint64_t)rounds * (t->line[i].out - was.line[i].out);
    }
    /* The same members at the same places, under later names. */
    struct look *old = &s->here.look;
    s->spare = *old;
    take_look(s, old->at_ns + rounds * round, old);
    for (size_t a = 0; a < t->n_areas; a++) {
        struct story_area *area = &t->area[a];
        area->entered += (uint64_t)rounds * (area->entered - was.area[a].entered);
        for (size_t i = 0; i < area->n; i++) {
            size_t hint = 0, k = find(&s->spare, area->inside[i].id, &hint);
            if (k >= old->n || !strcmp(old->m[k].id, area->inside[i].id))
                continue;
            memcpy(area->inside[i].id, old->m[k].id, sizeof(area->inside[i].id));
            area->inside[i].since_ns += rounds * round;
        }
    }
}

/* The story's own place comes to the last look at or before this time. */
static bool come_to(struct story *s, int64_t time_ns)
{
    s->enough = false;
    if (!begin(s, time_ns))
        return false;
    if (s->here.look.at_ns > time_ns) {
        size_t i = s->n_kept;
        while (i > 1 && s->kept[i - 1]->look.at_ns > time_ns)
            i--;
        s->here = *s->kept[i - 1];
    }
    while (s->here.look.at_ns + LOOK_NS <= time_ns && !s->enough) {
        leap(s, time_ns);
        if (s->here.look.at_ns + LOOK_NS > time_ns)
            break;
        go_to(s, &s->here, s->here.look.at_ns + LOOK_NS);
        keep(s);
    }
    return !s->enough;
}

const struct story_tally *story_at(struct story *s, int64_t time_ns)
{
    s->each = NULL;
    if (!come_to(s, time_ns))
        return NULL;
    s->out = s->here;
    if (s->out.look.at_ns < time_ns)
        go_to(s, &s->out, time_ns);
    return &s->out.tally;
}

void story_between(struct story *s, int64_t from_ns, int64_t to_ns,
                   bool (*each)(const struct story_event *e, void *arg), void *arg)
{
    s->each = NULL;
    struct cast_watch w;
    if (!cast_watch(s->cast, to_ns, &w))
        return;
    if (!come_to(s, from_ns > w.start_ns ? from_ns : w.start_ns))
        return;
    s->each = each;
    s->arg = arg;
    s->from_ns = from_ns;
    while (s->here.look.at_ns + LOOK_NS <= to_ns && !s->enough) {
        go_to(s, &s->here, s->here.look.at_ns + LOOK_NS);
        keep(s);
    }
    if (!s->enough && s->here.look.at_ns < to_ns) {
        s->out = s->here;
        go_to(s, &s->out, to_ns);
    }
    s->each = NULL;
}
