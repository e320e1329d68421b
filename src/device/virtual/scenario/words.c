#include "device/virtual/scenario/words.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "device/virtual/scenario/kinds.h"

#define ROUNDED_M 0.5
#define APART_M 0.1             /* from the end of a path to the next */
#define SPREAD_M 0.4            /* of walkers, unless the text says otherwise */
#define SHARPEST_JOINT_DEG 45.0 /* from one path to the next without a wait */

struct words *words_new(const char *text, size_t len, const struct scenario *known,
                        struct fault *why)
{
    struct words *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->text = text;
    w->len = len;
    w->line = w->next_line = 1;
    w->known = known;
    w->why = why;
    return w;
}

struct words *words_free(struct words *w)
{
    free(w);
    return NULL;
}

int words_fault(struct words *w, const char *fmt, ...)
{
    char text[256], line[24];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    snprintf(line, sizeof(line), "line %u", w->line);
    return fault_set(w->why, FAULT_INVALID, line, "%s", text);
}

/* ---- lines ---- */

/* Appends one line of the text to raw; comments are left out. */
static int take_line_text(struct words *w, size_t *used)
{
    const char *p = w->text + w->at, *end = w->text + w->len;
    const char *stop = memchr(p, '\n', (size_t)(end - p));
    size_t len = stop ? (size_t)(stop - p) : (size_t)(end - p);
    w->at += len + (stop != NULL);
    w->next_line++;
    if (len && p[len - 1] == '\r')
        len--;
    for (size_t i = 0; i < len; i++) {
        if (p[i] == '#' && (i == 0 || p[i - 1] == ' ' || p[i - 1] == '\t')) {
            len = i;
            break;
        }
        if (((unsigned char)p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f)
            return words_fault(w, "there is a control character");
    }
    if (!text_is_utf8(p, len))
        return words_fault(w, "this is not UTF-8 text");
    if (*used + len + 2 > sizeof(w->raw))
        return words_fault(w, "the line is longer than %d bytes", LINE_BYTES - 2);
    if (*used)
        w->raw[(*used)++] = ' ';
    memcpy(w->raw + *used, p, len);
    *used += len;
    w->raw[*used] = '\0';
    return 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static int cut(struct words *w)
{
    char *out = w->cut;
    w->n = w->i = 0;
    for (const char *p = w->raw; *p;) {
        if (is_space(*p)) {
            p++;
            continue;
        }
        if (w->n == LINE_WORDS)
            return words_fault(w, "the line has more than %d words", LINE_WORDS);
        w->word[w->n].text = out;
        w->word[w->n++].at = (size_t)(p - w->raw);
        if (*p == '(' || *p == ')')
            *out++ = *p++;
        else
            while (*p && !is_space(*p) && *p != '(' && *p != ')')
                *out++ = *p++;
        *out++ = '\0';
    }
    return 0;
}

int words_line(struct words *w)
{
    for (;;) {
        size_t used = 0;
        if (w->at >= w->len) {
            w->n = w->i = 0;
            return 0;
        }
        w->line = w->next_line;
        int rc = take_line_text(w, &used);
        /* Indented lines go on with it. */
        while (!rc && w->at < w->len && is_space(w->text[w->at]))
            rc = take_line_text(w, &used);
        if (!rc)
            rc = cut(w);
        if (rc || w->n)
            return rc ? rc : 1;
    }
}

bool words_left(const struct words *w)
{
    return w->i < w->n;
}

const char *words_peek(const struct words *w)
{
    return w->i < w->n ? w->word[w->i].text : "";
}

const char *words_next(struct words *w)
{
    return w->i < w->n ? w->word[w->i++].text : NULL;
}

const char *words_last(const struct words *w)
{
    return w->i ? w->word[w->i - 1].text : "";
}

bool words_is(struct words *w, const char *word)
{
    if (w->i >= w->n || strcmp(w->word[w->i].text, word))
        return false;
    w->i++;
    return true;
}

/* ---- values ---- */

int words_name(struct words *w, char ret[32])
{
    const char *s = words_next(w);
    if (!s)
        return words_fault(w, "a name is missing");
    if (strlen(s) > 31 || s[0] < 'a' || s[0] > 'z' ||
        strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(s))
        return words_fault(w, "\"%.40s\" is no name: up to 31 of a-z, 0-9 and -, a letter first",
                           s);
    memcpy(ret, s, strlen(s) + 1);
    return 0;
}

int words_number(struct words *w, const char *what, double least, double most, double *ret)
{
    const char *s = words_next(w);
    if (!s)
        return words_fault(w, "%s wants a number", what);
    if (text_double(s, least, most, ret))
        return words_fault(w, "%s wants a number from %.10g to %.10g, not \"%.40s\"", what, least,
                           most, s);
    return 0;
}

int words_seconds(struct words *w, const char *what, double least, double most, double *ret)
{
    char number[32];
    const char *s = words_peek(w);
    size_t n = strlen(s);
    if (n > 1 && n < sizeof(number) && s[n - 1] == 's') {
        memcpy(number, s, n - 1);
        number[n - 1] = '\0';
        words_next(w);
        if (text_double(number, least, most, ret))
            return words_fault(w, "%s wants seconds from %g to %g, not \"%.40s\"", what, least,
                               most, s);
        return 0;
    }
    int rc = words_number(w, what, least, most, ret);
    if (!rc)
        words_is(w, "s");
    return rc;
}

static bool is_number(const char *s)
{
    return (*s >= '0' && *s <= '9') || *s == '-' || *s == '.';
}

int words_place(struct words *w, double ret[2])
{
    const char *s = words_peek(w);
    if (*s && !is_number(s)) {
        for (size_t i = 0; i < w->n_points; i++)
            if (!strcmp(w->point[i].name, s)) {
                memcpy(ret, w->point[i].at, sizeof(w->point[i].at));
                words_next(w);
                return 0;
            }
        return words_fault(w, "\"%.40s\" is neither a number nor a point named above", s);
    }
    int rc = words_number(w, "x", -SCENARIO_REACH_M, SCENARIO_REACH_M, &ret[0]);
    return rc ? rc : words_number(w, "y", -SCENARIO_REACH_M, SCENARIO_REACH_M, &ret[1]);
}

int words_rest(struct words *w, char *ret, size_t size)
{
    const char *s = w->i < w->n ? w->raw + w->word[w->i].at : "";
    size_t n = strlen(s);
    while (n && is_space(s[n - 1]))
        n--;
    if (n >= size)
        return words_fault(w, "the text is longer than %zu bytes", size - 1);
    memcpy(ret, s, n);
    ret[n] = '\0';
    w->i = w->n;
    return 0;
}

int words_model(struct words *w, char *ret, size_t size)
{
    const char *s = words_next(w);
    if (!s)
        return words_fault(w, "who? person, man, woman, car, car-hatch, bus …");
    if (!cast_kind_find(s, 0) || !strcmp(s, "barrier"))
        return words_fault(w, "there is no model \"%.40s\"", s);
    return text_copy(ret, size, s) ? 0 : words_fault(w, "the model's name is too long");
}

int words_path(struct words *w, struct path *ret, bool parentheses)
{
    double point[PATH_POINTS][2], radius = ROUNDED_M, limit = 0;
    size_t n = 0;
    bool closed = false;
    int rc = 0;
    while (words_left(w) && !rc) {
        if (parentheses && words_is(w, ")")) {
            parentheses = false;
            break;
        }
        if (words_is(w, "closed"))
            closed = true;
        else if (words_is(w, "radius"))
            rc = words_number(w, "radius", 0.05, 100, &radius);
        else if (words_is(w, "limit"))
            rc = words_number(w, "limit", 1, 40, &limit);
        else if (n == PATH_POINTS)
            rc = words_fault(w, "a path has at most %d points", PATH_POINTS);
        else
            rc = words_place(w, point[n++]);
    }
    if (rc)
        return rc;
    if (parentheses)
        return words_fault(w, "the ) is missing");
    struct fault why = {0};
    ret->limit_m_s = limit;
    rc = path_make(ret, point, n, closed, radius, &why);
    return rc ? words_fault(w, "%s", why.text) : 0;
}

/* ---- actors ---- */

void actor_done(struct actor *a)
{
    for (size_t i = 0; i < a->n_own; i++)
        path_done(&a->own[i]);
    free(a->own);
    a->own = NULL;
    a->n_own = 0;
}

static int find_path(struct words *w, struct actor *a, const struct path **ret)
{
    if (words_is(w, "(")) {
        /* All at once, so that beats can point into it. */
        if (!a->own)
            a->own = calloc(SCENARIO_BEATS, sizeof(*a->own));
        if (!a->own)
            return fault_set(w->why, FAULT_INTERNAL, NULL, "no memory");
        struct path *p = &a->own[a->n_own];
        int rc = words_path(w, p, true);
        if (rc)
            return rc;
        a->n_own++;
        *ret = p;
        return 0;
    }
    const char *name = words_next(w);
    if (name && is_number(name))
        return words_fault(w, "points stand in parentheses: (X Y X Y …)");
    for (size_t i = 0; name && i < w->known->n_paths; i++)
        if (!strcmp(w->known->path[i].name, name)) {
            *ret = &w->known->path[i];
            return 0;
        }
    return name ? words_fault(w, "there is no path %.40s above this line", name)
                : words_fault(w, "a path is missing: its name, or (X Y X Y …)");
}

static int take_move(struct words *w, struct actor *a, const struct cast_kind *k,
                     enum beat_gait gait, bool backwards)
{
    if (a->n_beats == SCENARIO_BEATS)
        return words_fault(w, "an actor does at most %d things", SCENARIO_BEATS);
    if (k->sort == KIND_THING)
        return words_fault(w, "a %s does not move by itself", a->model);
    if ((k->sort == KIND_VEHICLE) != (gait == BEAT_DRIVE))
        return words_fault(w,
                           k->sort == KIND_VEHICLE ? "a %s drives"
                                                   : "a %s walks, runs or "
                                                     "carries",
                           a->model);
    struct beat *b = &a->beat[a->n_beats];
    *b = (struct beat){.gait = gait, .backwards = backwards, .facing_deg = NAN};
    int rc = find_path(w, a, &b->path);
    if (rc)
        return rc;
    b->turned = words_is(w, "turned");
    b->way_m = b->path->len_m;
    a->n_beats++;
    return 0;
}

static int take_wait(struct words *w, struct actor *a)
{
    if (a->n_beats == SCENARIO_BEATS)
        return words_fault(w, "an actor does at most %d things", SCENARIO_BEATS);
    struct beat *b = &a->beat[a->n_beats];
    *b = (struct beat){.gait = BEAT_STAND, .facing_deg = NAN};
    int rc = words_seconds(w, "wait", 0.1, SCENARIO_LONGEST_S, &b->seconds);
    if (!rc && words_is(w, "facing"))
        rc = words_number(w, "facing", -360, 360, &b->facing_deg);
    if (!rc)
        a->n_beats++;
    return rc;
}

static int take_group(struct words *w, struct actor *a)
{
    double least, most;
    int rc = words_number(w, "group", 1, 8, &least);
    most = least;
    if (!rc && is_number(words_peek(w)))
        rc = words_number(w, "group", least, 8, &most);
    a->group_least = (unsigned)least;
    a->group_most = (unsigned)most;
    return rc;
}

static int take_option(struct words *w, struct actor *a, const struct cast_kind *k)
{
    double n = 0;
    int rc = 0;
    static const struct {
        const char *word;
        enum beat_gait gait;
        bool backwards;
    } moves[] = {{"walk", BEAT_WALK, false},   {"run", BEAT_RUN, false},
                 {"carry", BEAT_CARRY, false}, {"drive", BEAT_DRIVE, false},
                 {"ride", BEAT_DRIVE, false},  {"reverse", BEAT_DRIVE, true}};
    for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++)
        if (words_is(w, moves[i].word))
            return take_move(w, a, k, moves[i].gait, moves[i].backwards);
    if (words_is(w, "wait"))
        return take_wait(w, a);
    if (words_is(w, "group"))
        return take_group(w, a);
    if (words_is(w, "at")) {
        double at[2];
        a->has_place = true;
        rc = words_place(w, at);
        if (rc)
            return rc;
        a->x = at[0];
        a->y = at[1];
        return words_is(w, "facing") ? words_number(w, "facing", -360, 360, &a->facing_deg) : 0;
    }
    if (words_is(w, "from"))
        return words_seconds(w, "from", 0, SCENARIO_LONGEST_S, &a->from_s);
    if (words_is(w, "every"))
        return words_seconds(w, "every", 1, SCENARIO_LONGEST_S, &a->every_s);
    if (words_is(w, "jitter"))
        return words_seconds(w, "jitter", 0, 600, &a->jitter_s);
    if (words_is(w, "until"))
        return words_seconds(w, "until", 0.1, SCENARIO_LONGEST_S, &a->until_s);
    if (words_is(w, "speed"))
        return words_number(w, "speed", 0.1, 40, &a->speed_m_s);
    if (words_is(w, "vary"))
        return words_number(w, "vary", 0, 0.5, &a->vary);
    if (words_is(w, "aside"))
        return words_number(w, "aside", -10, 10, &a->aside_m);
    if (words_is(w, "spread"))
        return words_number(w, "spread", 0, 5, &a->spread_m);
    if (words_is(w, "scale"))
        return words_number(w, "scale", 0.5, 1.5, &a->scale);
    if (words_is(w, "look")) {
        rc = words_number(w, "look", 0, 4294967295.0, &n);
        a->look = (uint32_t)n;
        a->has_look = true;
        return rc;
    }
    if (words_is(w, "times")) {
        rc = words_number(w, "times", 1, 1000, &n);
        a->times = (unsigned)n;
        return rc;
    }
    if (words_is(w, "plate")) {
        const char *plate = words_next(w);
        if (!plate || !text_is_ascii_print(plate) || !text_copy(a->plate, sizeof(a->plate), plate))
            return words_fault(w, "plate wants up to %zu letters and digits", sizeof(a->plate) - 1);
        return 0;
    }
    if (words_is(w, "repeat")) {
        a->repeat = true;
        return k->sort == KIND_VEHICLE ? words_fault(w, "vehicles do not repeat: use every") : 0;
    }
    if (words_is(w, "stays")) {
        a->stays = true;
        return 0;
    }
    if (words_is(w, "on-call")) {
        a->on_call = true;
        return 0;
    }
    return words_fault(w, "an actor does not understand \"%.40s\"", words_peek(w));
}

/* Where a beat begins or ends, and where its nose looks there. */
static struct spot beat_end(const struct beat *b, bool last)
{
    struct spot p =
        path_at(b->path, last == b->turned || b->path->closed ? 0 : b->path->len_m, NULL);
    if (b->turned != b->backwards) {
        p.dx = -p.dx;
        p.dy = -p.dy;
    }
    return p;
}

static int check_turn(struct words *w, struct spot was, struct spot now)
{
    double deg = fabs(atan2(was.dx * now.dy - was.dy * now.dx, was.dx * now.dx + was.dy * now.dy)) *
                 180 / M_PI;
    return deg > SHARPEST_JOINT_DEG
               ? words_fault(w, "it would turn by %.0f degrees at once, at %.1f %.1f", deg, now.x,
                             now.y)
               : 0;
}

static int check_actor(struct words *w, const struct actor *a, bool vehicle)
{
    const struct beat *before = NULL;
    bool waited = false;
    double s = 0;
    if (!a->has_place && !a->n_beats)
        return words_fault(w, "%s does nothing: at X Y, walk PATH, drive PATH …", a->model);
    if (a->n_beats && !a->has_place && !a->beat[0].path)
        return words_fault(w, "wait comes after at X Y or after a path");
    for (size_t i = 0; i < a->n_beats; i++) {
        const struct beat *b = &a->beat[i];
        s += b->seconds + b->way_m / (b->gait == BEAT_DRIVE ? 3 : 0.8);
        if (!b->path) {
            waited = true;
            continue;
        }
        struct spot begin = beat_end(b, false);
        struct spot was = before ? beat_end(before, true) : (struct spot){a->x, a->y, 0, 0};
        double away = hypot(begin.x - was.x, begin.y - was.y);
        if ((before || a->has_place) && away > APART_M)
            return words_fault(w, "it ends at %.1f %.1f, but goes on %.1f m away, at %.1f %.1f",
                               was.x, was.y, away, begin.x, begin.y);
        int rc = before && (vehicle || !waited) ? check_turn(w, was, begin) : 0;
        if (rc)
            return rc;
        before = b;
        waited = false;
    }
    if (a->repeat && before) {
        const struct beat *first = a->beat;
        while (!first->path)
            first++;
        struct spot begin = beat_end(first, false), end = beat_end(before, true);
        if (hypot(begin.x - end.x, begin.y - end.y) > APART_M)
            return words_fault(w, "repeat wants a way that ends where it began");
        int rc = waited || !a->beat[0].path ? 0 : check_turn(w, end, begin);
        if (rc)
            return rc;
    }
    if (s > SCENARIO_LONGEST_S)
        return words_fault(w, "this lasts longer than an hour");
    if (a->until_s > 0 && a->until_s <= a->from_s)
        return words_fault(w, "until is not after from");
    if (a->repeat && (a->every_s > 0 || a->stays))
        return words_fault(w, "repeat goes on for ever: without every and stays");
    if (a->on_call && (a->every_s > 0 || a->repeat || a->times))
        return words_fault(w, "who comes on call has no every, repeat or times");
    if (a->every_s > 0 && (a->stays || (!a->n_beats && a->until_s <= 0)))
        return words_fault(w, "what comes every so often must leave");
    if (a->jitter_s > 0 && 2 * a->jitter_s > a->every_s && a->every_s > 0)
        return words_fault(w, "jitter is at most half of every");
    return 0;
}

int words_actor(struct words *w, struct actor *a)
{
    *a = (struct actor){.scale = 1, .group_least = 1, .group_most = 1, .line = w->line};
    int rc = words_model(w, a->model, sizeof(a->model));
    if (rc)
        return rc;
    const struct cast_kind *k = cast_kind_find(a->model, 0);
    a->spread_m = -1;
    while (!rc && words_left(w))
        rc = take_option(w, a, k);
    if (a->spread_m < 0) /* who stands where the text says stands there */
        a->spread_m = k->sort == KIND_WALKER && !a->has_place ? SPREAD_M : 0;
    return rc ? rc : check_actor(w, a, k->sort == KIND_VEHICLE);
}
