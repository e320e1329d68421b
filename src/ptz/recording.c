#include "ptz/recording.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "media/pose.h"
#include "ptz/ptz.h"

#define HEAD "vedette recorded tour 1\n"
#define SPEED_MOST 100000.0

static const char *const kinds[] = {"rests", "goes", "moves"};

static bool same(float a, float b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* Those who hold a stick say so many times a second. */
static bool said_already(const struct recording *r, const struct recording_step *s)
{
    const struct recording_step *last = r->n ? &r->step[r->n - 1] : NULL;
    return last && last->kind == s->kind && s->kind == RECORDING_MOVES && same(last->a, s->a) &&
           same(last->b, s->b) && same(last->c, s->c);
}

int recording_add(struct recording *r, double t_ms, const struct pose *at,
                  const struct ptz_order *order)
{
    struct recording_step s = {.t_ms = t_ms,
                               .pan = (float)at->pan_deg,
                               .tilt = (float)at->tilt_deg,
                               .zoom = (float)at->zoom};
    if (order) {
        s.kind = order->goes ? RECORDING_GOES : RECORDING_MOVES;
        s.a = (float)order->pan;
        s.b = (float)order->tilt;
        s.c = (float)order->zoom;
        s.speed = order->goes ? (float)order->speed : 1;
        if (said_already(r, &s))
            return 0;
    }
    if (t_ms > RECORDING_MOST_MS || r->n == RECORDING_MOST_STEPS)
        return -ENOSPC;
    r->step[r->n++] = s;
    return 0;
}

static void print_number(struct buf *out, float v)
{
    if (isnan(v))
        buf_adds(out, " -");
    else
        buf_addf(out, " %.6g", v);
}

/* A line each: time, where it was, what it was told. */
int recording_print(const struct recording *r, struct buf *ret)
{
    buf_adds(ret, HEAD);
    for (size_t i = 0; i < r->n; i++) {
        const struct recording_step *s = &r->step[i];
        buf_addf(ret, "%.3f %.4f %.4f %.5f %s", s->t_ms, s->pan, s->tilt, s->zoom, kinds[s->kind]);
        if (s->kind != RECORDING_RESTS) {
            print_number(ret, s->a);
            print_number(ret, s->b);
            print_number(ret, s->c);
            print_number(ret, s->speed);
        }
        buf_adds(ret, "\n");
    }
    return ret->err;
}

/* The next word of the line into `ret`; false: there is none, or it is too long. */
static bool take_word(const char **line, const char *end, char *ret, size_t size)
{
    const char *s = *line, *stop = s;
    while (stop < end && *stop != ' ')
        stop++;
    if (stop == s || (size_t)(stop - s) >= size)
        return false;
    memcpy(ret, s, (size_t)(stop - s));
    ret[stop - s] = '\0';
    *line = stop + (stop < end);
    return true;
}

static bool take_number(const char **line, const char *end, double min, double max, double *ret)
{
    char word[32];
    return take_word(line, end, word, sizeof word) && !text_double(word, min, max, ret);
}

static bool take_order(const char **line, const char *end, bool goes, float *ret)
{
    static const double least[2][3] = {{-SPEED_MOST, -SPEED_MOST, -SPEED_MOST}, {-180, -180, 1}};
    static const double most[2][3] = {{SPEED_MOST, SPEED_MOST, SPEED_MOST}, {180, 180, 1000}};
    for (int i = 0; i < 3; i++) {
        const char *s = *line;
        char word[32];
        double v;
        if (!take_word(&s, end, word, sizeof word))
            return false;
        if (!strcmp(word, "-"))
            v = NAN;
        else if (text_double(word, least[goes][i], most[goes][i], &v))
            return false;
        ret[i] = (float)v;
        *line = s;
    }
    return true;
}

static bool parse_step(const char *line, const char *end, struct recording_step *ret)
{
    double t, pan, tilt, zoom, speed = 1;
    float order[3] = {NAN, NAN, NAN};
    char word[8];
    int kind = 0;
    if (!take_number(&line, end, 0, RECORDING_MOST_MS, &t) ||
        !take_number(&line, end, -180, 180, &pan) || !take_number(&line, end, -180, 180, &tilt) ||
        !take_number(&line, end, 1, 1000, &zoom) || !take_word(&line, end, word, sizeof word))
        return false;
    while (kind < 3 && strcmp(kinds[kind], word) != 0)
        kind++;
    if (kind == 3 || (kind != RECORDING_RESTS && (!take_order(&line, end, kind == 1, order) ||
                                                  !take_number(&line, end, 0, 1, &speed))))
        return false;
    *ret = (struct recording_step){.t_ms = t,
                                   .pan = (float)pan,
                                   .tilt = (float)tilt,
                                   .zoom = (float)zoom,
                                   .a = order[0],
                                   .b = order[1],
                                   .c = order[2],
                                   .speed = (float)speed,
                                   .kind = (enum recording_kind)kind};
    return line == end;
}

int recording_parse(const char *text, size_t len, struct recording *ret, struct fault *why)
{
    const char *s = text, *end = text + len;
    size_t head = strlen(HEAD);
    ret->n = 0;
    if (len < head || memcmp(s, HEAD, head) != 0)
        return fault_set(why, FAULT_INVALID, NULL, "this is no recorded tour");
    for (s += head; s < end;) {
        const char *stop = memchr(s, '\n', (size_t)(end - s));
        struct recording_step *step = &ret->step[ret->n];
        if (!stop || ret->n == RECORDING_MOST_STEPS || !parse_step(s, stop, step) ||
            (ret->n && step->t_ms < step[-1].t_ms))
            return fault_set(why, FAULT_INVALID, NULL, "step %zu of the recorded tour is damaged",
                             ret->n);
        ret->n++;
        s = stop + 1;
    }
    return ret->n ? 0 : fault_set(why, FAULT_INVALID, NULL, "the recorded tour is empty");
}
