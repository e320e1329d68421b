/* The words of a scenario's text, line by line; private to the parser. Readers return
 * 0 or a fault that names the line. */
#ifndef DEVICE_VIRTUAL_SCENARIO_WORDS_H
#define DEVICE_VIRTUAL_SCENARIO_WORDS_H

#include "device/virtual/scenario/scenario.h"

#define LINE_BYTES 4096 /* with its indented continuation */
#define LINE_WORDS 512

struct named_point {
    char name[32];
    double at[2];
};

struct words {
    const char *text;
    size_t len, at;
    unsigned line, next_line; /* number of this statement's first line; of what comes */
    struct fault *why;
    const struct scenario *known; /* whose paths may be named */
    struct scenario *s;           /* what is being filled in; NULL: nothing */
    struct named_point point[SCENARIO_POINTS];
    size_t n_points;
    char raw[LINE_BYTES], cut[2 * LINE_BYTES];
    struct {
        const char *text;
        size_t at; /* in raw */
    } word[LINE_WORDS];
    size_t n, i;
};

struct words *words_new(const char *text, size_t len, const struct scenario *known,
                        struct fault *why); /* NULL: no memory */
struct words *words_free(struct words *w);
int words_fault(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Goes to the next statement: 1, at the end 0, or a fault. */
int words_line(struct words *w);
bool words_left(const struct words *w);
const char *words_peek(const struct words *w);    /* "" at the end of the line */
const char *words_next(struct words *w);          /* NULL at the end */
const char *words_last(const struct words *w);    /* the one taken last */
bool words_is(struct words *w, const char *word); /* takes it if it is this one */

int words_name(struct words *w, char ret[32]);
int words_number(struct words *w, const char *what, double least, double most, double *ret);
/* A number; an "s" behind it, attached or not, is allowed. */
int words_seconds(struct words *w, const char *what, double least, double most, double *ret);
int words_place(struct words *w, double ret[2]); /* X Y, or the name of a point */
int words_rest(struct words *w, char *ret, size_t size);
/* Points, with "closed" and "radius R" anywhere; in parentheses or to the line's end. */
int words_path(struct words *w, struct path *ret, bool parentheses);
int words_model(struct words *w, char *ret, size_t size);
/* The ways of a place, as text; "": none. */
const char *scenario_ways(const char *place);
int words_actor(struct words *w, struct actor *ret); /* model and what it does */

#endif
