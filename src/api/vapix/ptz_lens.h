/* The part of com/ptz.cgi that is about lens and picture: focus, iris, brightness, infrared
 * filter, backlight. Steps go from 1 to 9999: near to far, closed to open, dark to bright.
 * Loop-bound. */
#ifndef API_VAPIX_PTZ_LENS_H
#define API_VAPIX_PTZ_LENS_H

#include <stdbool.h>

struct buf;
struct camera;
struct fault;
struct lens_state;
struct txn;

/* What there is to be moved. */
struct lens_can {
    bool focus, iris, brightness, filter, backlight;
};
void lens_can(struct camera *cam, struct lens_can *ret);
/* Where focus and iris are just now, also while nobody takes pictures; without a lens as far
 * and as open as can be. */
void lens_where(struct camera *cam, struct lens_state *ret);

/* What the arguments ask for. NAN, −1: nothing. */
struct lens_plan {
    double focus, rfocus, cfocus; /* steps; steps; −1 … +1 */
    double iris, riris, ciris;
    double brightness, rbrightness, cbrightness;
    int autofocus, autoiris, backlight; /* 0 off, 1 on */
    const char *filter;                 /* a value of DayNight.IrCutFilter, or NULL */
};
#define LENS_PLAN                                                                                  \
    {                                                                                              \
        .focus = NAN, .rfocus = NAN, .cfocus = NAN, .iris = NAN, .riris = NAN, .ciris = NAN,       \
        .brightness = NAN, .rbrightness = NAN, .cbrightness = NAN, .autofocus = -1,                \
        .autoiris = -1, .backlight = -1                                                            \
    }
/* 1: the argument is one of these and was taken; 0: it is not; negative: its value is bad. */
int lens_plan_take(struct lens_plan *p, const char *name, const char *value, struct fault *why);
/* Fails before anything moves where there is nothing to move. */
int lens_plan_check(const struct lens_plan *p, struct camera *cam, struct fault *why);
/* Moves what moves at once; *ret_txn: to be committed before the answer, or NULL. */
int lens_plan_carry_out(const struct lens_plan *p, struct camera *cam, struct txn **ret_txn,
                        struct fault *why);

/* Their lines of query=position, query=limits and info=1. */
void lens_position(struct buf *out, struct camera *cam);
void lens_limits(struct buf *out, struct camera *cam);
void lens_info(struct buf *out, struct camera *cam);

#endif
