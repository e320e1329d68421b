#include "image/focus.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"

#define NEARER 0.002 /* than the limit: more than a lens is off its mark */
#define LOOK_EVERY 6 /* pictures, at rest */
#define LOST 0.7     /* of the reference: no longer sharp … */
#define OTHER 1.6    /* … or something else is there … */
#define LOOKS 5      /* … so many looks in a row, … */
#define SAME 0.12    /* … each like the one before: what passes is not focused on */
#define DRIFT 0.02   /* the reference follows slow changes, each look */
#define PAUSE_NS (2 * NSEC_PER_SEC)
#define PAUSE_MOST_NS (60 * NSEC_PER_SEC)

#define FALLEN 0.75        /* of the most seen: the peak has been passed */
#define WRONG_WAY 0.85     /* of the first: it gets worse this way */
#define PLATEAU 0.98       /* as sharp as the sharpest */
#define CLEAR 1.25         /* of the first: it got better this way */
#define LARGEST_STEP 0.075 /* from picture to picture, in a sweep */
#define FIRST_HALF 0.25    /* closing in: of the distance between samples of the sweep … */
#define NARROWER 0.2       /* … and each time so much less */
#define FLAT 0.975         /* both sides so sharp: it is the top */
#define ROUND 0.8          /* both sides so sharp: the top is not pointed */
#define SMALLEST_HALF 0.0004
#define ENOUGH 90 /* pictures; what moves by itself never comes to an end */

static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

void focus_begin(struct focus *f)
{
    f->wanted = true;
}

bool focus_busy(const struct focus *f)
{
    return f->phase != FOCUS_RESTS;
}

bool focus_wants(const struct focus *f)
{
    return focus_busy(f) || f->wanted || f->since + 1 >= LOOK_EVERY;
}

static const struct focus_sample *best_of(const struct focus *f)
{
    const struct focus_sample *best = &f->seen[0];
    for (unsigned i = 1; i < f->n_seen; i++)
        if (f->seen[i].sharp > best->sharp)
            best = &f->seen[i];
    return best;
}

static void order(struct focus_order *o, double to, double speed)
{
    *o = (struct focus_order){.go = true, .to = to, .speed = speed};
}

static void arrive(struct focus *f, double at, struct focus_order *ret)
{
    f->phase = FOCUS_ARRIVES;
    f->middle = clamp(at, f->near, 1);
    f->stands = 0;
    order(ret, f->middle, 1);
}

void focus_cancel(struct focus *f, struct focus_order *ret)
{
    *ret = (struct focus_order){0};
    if (focus_busy(f) && f->n_seen)
        order(ret, f->phase == FOCUS_ARRIVES ? f->middle : best_of(f)->at, 1);
    f->phase = FOCUS_RESTS;
    f->wanted = false;
}

/* ---- sweeping ---- */

static void start(struct focus *f, const struct focus_seen *seen, struct focus_order *ret)
{
    f->wanted = false;
    f->phase = FOCUS_SWEEPS;
    f->n_seen = f->pictures = f->stands = 0;
    f->turned = false;
    f->began = f->last = seen->focus;
    f->toward = seen->focus - f->near > 1 - seen->focus ? f->near : 1; /* the longer way */
    f->speed = f->speed > 0 ? f->speed : 1;
    order(ret, f->toward, f->speed);
}

static void add(struct focus *f, const struct focus_seen *seen)
{
    if (f->n_seen < FOCUS_SAMPLES)
        f->seen[f->n_seen++] = (struct focus_sample){seen->focus, seen->sharp};
}

static double y_of(double sharp)
{
    return 1 / sqrt(fmax(sharp, 1e-9));
}

/* Blur grows evenly with the distance from the peak, and sharpness falls with its square: where
 * the two straight flanks meet. */
static double meet(const struct focus_sample *l, const struct focus_sample *m,
                   const struct focus_sample *r)
{
    double yl = y_of(l->sharp), ym = y_of(m->sharp), yr = y_of(r->sharp), x;
    if (yl > yr) {
        double slope = (ym - yl) / (m->at - l->at);
        x = slope < 0 ? (yr - ym) / (2 * slope) + (m->at + r->at) / 2 : m->at;
    } else {
        double slope = (yr - ym) / (r->at - m->at);
        x = slope > 0 ? (ym - yl) / (2 * slope) + (m->at + l->at) / 2 : m->at;
    }
    return clamp(x, l->at, r->at);
}

/* Near the top it is round: the vertex of the parabola. */
static double vertex(const struct focus_sample *l, const struct focus_sample *m,
                     const struct focus_sample *r)
{
    double a = (m->sharp - l->sharp) / (m->at - l->at), b = (r->sharp - m->sharp) / (r->at - m->at);
    double bend = (b - a) / (r->at - l->at);
    return bend < 0 ? clamp((l->at + m->at) / 2 - a / (2 * bend), l->at, r->at) : m->at;
}

static void aim(struct focus *f, double middle, double half, struct focus_order *ret)
{
    f->half = half;
    f->middle = clamp(middle, f->near + half, 1 - half);
    f->n_three = 0;
    f->stands = 0;
    order(ret, clamp(f->middle - half, f->near, 1), 1);
}

/* The sweep is over: where the peak must be. */
static void close_in(struct focus *f, struct focus_order *ret)
{
    const struct focus_sample *best = best_of(f), *left = NULL, *right = NULL;
    double from = best->at, to = best->at;
    unsigned as_good = 0;
    for (unsigned i = 0; i < f->n_seen; i++) {
        const struct focus_sample *s = &f->seen[i];
        if (s->at < best->at - 0.002 && (!left || s->at > left->at))
            left = s;
        if (s->at > best->at + 0.002 && (!right || s->at < right->at))
            right = s;
        if (s->sharp >= PLATEAU * best->sharp) {
            as_good++;
            from = fmin(from, s->at);
            to = fmax(to, s->at);
        }
    }
    for (unsigned i = 0; i < f->n_seen; i++) /* a plateau has no valley in it */
        if (f->seen[i].at > from && f->seen[i].at < to && f->seen[i].sharp < 0.93 * best->sharp)
            as_good = 0;
    if (as_good > 3) { /* where it began is as good as any: nothing moves for nothing */
        bool inside = f->began >= from && f->began <= to;
        arrive(f, inside ? f->began : (from + to) / 2, ret);
        return;
    }
    double step = left && right ? (right->at - left->at) / 2
                  : left        ? best->at - left->at
                  : right       ? right->at - best->at
                                : LARGEST_STEP;
    f->phase = FOCUS_CLOSES_IN;
    f->shifts = 0;
    aim(f, left && right ? meet(left, best, right) : best->at, step * FIRST_HALF, ret);
}

static void sweep(struct focus *f, const struct focus_seen *seen, struct focus_order *ret)
{
    double moved = fabs(seen->focus - f->last);
    f->last = seen->focus;
    f->stands = moved < 1e-4 ? f->stands + 1 : 0;
    if (moved > LARGEST_STEP) { /* so fast is the lens: it would jump over the peak */
        f->speed = clamp(f->speed * LARGEST_STEP / moved, 0.05, 1);
        order(ret, f->toward, f->speed);
    }
    add(f, seen);
    const struct focus_sample *best = best_of(f), *now = &f->seen[f->n_seen - 1];
    bool beyond = (now->at - best->at) * (f->toward - f->began) > 0;
    bool risen = f->turned || best->sharp > 1.05 * f->seen[0].sharp;
    bool at_end = fabs(seen->focus - f->toward) < 1e-3 || f->stands >= 3;
    if (now->sharp < FALLEN * best->sharp && beyond && risen) {
        close_in(f, ret);
        return;
    }
    bool worse = !f->turned && !risen && f->n_seen >= 3 && now->sharp < WRONG_WAY * best->sharp &&
                 f->seen[f->n_seen - 2].sharp < (1 + WRONG_WAY) / 2 * best->sharp;
    if (!at_end && !worse)
        return;
    double other = f->toward == 1 ? f->near : 1;
    bool told = at_end && best->sharp > CLEAR * f->seen[0].sharp; /* it was the right way */
    if (f->turned || told || fabs(f->began - other) < LARGEST_STEP / 2) {
        close_in(f, ret);
        return;
    }
    f->turned = true;
    f->stands = 0;
    f->toward = other;
    order(ret, f->toward, f->speed);
}

/* ---- closing in ---- */

static bool is_there(struct focus *f, double target, double near_enough,
                     const struct focus_seen *seen)
{
    f->stands = fabs(seen->focus - f->last) < 1e-5 ? f->stands + 1 : 0;
    f->last = seen->focus;
    return fabs(seen->focus - target) <= near_enough || f->stands >= 4;
}

static void shift(struct focus *f, bool right, struct focus_order *ret)
{
    f->middle += right ? f->half : -f->half;
    if (right) {
        f->three[0] = f->three[1];
        f->three[1] = f->three[2];
    } else {
        f->three[2] = f->three[1];
        f->three[1] = f->three[0];
    }
    f->n_three = right ? 2 : 3; /* 3: the left one is missing */
    f->shifts++;
    f->stands = 0;
    order(ret, clamp(f->middle + (right ? f->half : -f->half), f->near, 1), 1);
}

/* Left, middle and right are known. */
static void judge(struct focus *f, struct focus_order *ret)
{
    const struct focus_sample *l = &f->three[0], *m = &f->three[1], *r = &f->three[2];
    if (m->sharp < fmax(l->sharp, r->sharp) && f->shifts < 10) {
        bool right = r->sharp > l->sharp;
        double beyond = (right ? r->at : l->at) + (right ? f->half : -f->half);
        if (beyond > f->near - f->half / 2 && beyond < 1 + f->half / 2 &&
            fmin(l->sharp, r->sharp) < FLAT * fmax(l->sharp, r->sharp)) {
            shift(f, right, ret);
            return;
        }
    }
    const struct focus_sample *top = m->sharp >= l->sharp && m->sharp >= r->sharp ? m
                                     : l->sharp > r->sharp                        ? l
                                                                                  : r;
    double lowest = fmin(fmin(l->sharp, r->sharp), m->sharp), at = top->at;
    if (top == m && r->at > m->at && m->at > l->at)
        at = lowest > ROUND * top->sharp ? vertex(l, m, r) : meet(l, m, r);
    if (lowest > FLAT * top->sharp || f->half < SMALLEST_HALF)
        arrive(f, at, ret);
    else
        aim(f, at, f->half * NARROWER, ret);
}

static void close_step(struct focus *f, const struct focus_seen *seen, struct focus_order *ret)
{
    static const int place[] = {0, 1, 2, 0};
    int which = place[f->n_three];
    double target = clamp(f->middle + (which - 1) * f->half, f->near, 1);
    if (!is_there(f, target, fmax(0.15 * f->half, 1e-4), seen))
        return;
    f->three[which] = (struct focus_sample){seen->focus, seen->sharp};
    add(f, seen);
    f->stands = 0;
    if (f->n_three < 2) {
        f->n_three++;
        order(ret, clamp(f->middle + ((int)f->n_three - 1) * f->half, f->near, 1), 1);
    } else {
        judge(f, ret);
    }
}

static void end(struct focus *f, const struct focus_seen *seen)
{
    bool same = fabs(f->middle - f->found) < 0.01 && f->pause_ns > 0 &&
                seen->at_ns - f->ended_ns < 2 * f->pause_ns + PAUSE_NS;
    f->pause_ns = same ? 2 * f->pause_ns : PAUSE_NS;
    f->pause_ns = f->pause_ns < PAUSE_MOST_NS ? f->pause_ns : PAUSE_MOST_NS;
    f->ended_ns = seen->at_ns;
    f->found = f->middle;
    f->reference = seen->sharp;
    f->best = fmax(best_of(f)->sharp, seen->sharp);
    f->phase = FOCUS_RESTS;
    f->since = f->off = 0;
}

/* ---- at rest ---- */

static void watch(struct focus *f, const struct focus_seen *seen)
{
    f->since = 0;
    if (!seen->ready) {
        f->off = 0;
        return;
    }
    if (f->reference <= 0)
        f->reference = seen->sharp;
    f->best = fmax(f->best, seen->sharp);
    bool off = seen->sharp < LOST * f->reference || seen->sharp > OTHER * f->reference;
    bool like = fabs(seen->sharp - f->looked) < SAME * f->looked;
    f->looked = seen->sharp;
    f->off = !off ? 0 : like ? f->off + 1 : 1;
    if (!off)
        f->reference += DRIFT * (seen->sharp - f->reference);
    if (f->off < LOOKS || !seen->itself || seen->at_ns - f->ended_ns < f->pause_ns)
        return;
    f->off = 0;
    f->wanted = true;
}

void focus_step(struct focus *f, double near, const struct focus_seen *seen,
                struct focus_order *ret)
{
    *ret = (struct focus_order){0};
    f->near = clamp(near, 0, 0.99);
    f->since++;
    if (focus_busy(f) && !seen->ready) { /* it is somewhere else now: anew, when it stands */
        focus_cancel(f, ret);
        f->wanted = true;
        return;
    }
    if (!seen->measured)
        return;
    if (f->phase == FOCUS_RESTS) {
        watch(f, seen);
        /* The limit has come beyond where it stands. */
        bool barred = seen->itself && seen->focus < f->near - NEARER;
        if (!(f->wanted || barred) || !seen->ready)
            return;
        if (seen->crisp && !seen->asked && !barred) { /* no search is better than any */
            f->wanted = false;
            f->reference = f->best = seen->sharp;
            f->found = seen->focus;
            f->ended_ns = seen->at_ns;
            return;
        }
        start(f, seen, ret);
        add(f, seen);
        return;
    }
    if (++f->pictures > ENOUGH && f->phase != FOCUS_ARRIVES) {
        arrive(f, best_of(f)->at, ret);
        return;
    }
    switch (f->phase) {
    case FOCUS_SWEEPS:
        sweep(f, seen, ret);
        break;
    case FOCUS_CLOSES_IN:
        close_step(f, seen, ret);
        break;
    default:
        if (is_there(f, f->middle, 1e-4, seen) || f->pictures > 2 * ENOUGH)
            end(f, seen);
    }
}
