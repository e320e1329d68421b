/* Autofocus from contrast: the lens goes through its range until it has got sharper and less
 * sharp again, then closes in on the peak in ever smaller steps, a picture a step.
 *
 * It begins when told to, or by itself when what it looks at has become much less (or more)
 * sharp and stays so; never while the head moves or the exposure changes. A scan that finds
 * what was there makes it wait longer before the next. A plain value and pure functions; source
 * thread. */
#ifndef IMAGE_FOCUS_H
#define IMAGE_FOCUS_H

#include <stdbool.h>
#include <stdint.h>

enum focus_phase {
    FOCUS_RESTS,
    FOCUS_SWEEPS, /* to one end, then to the other */
    FOCUS_CLOSES_IN,
    FOCUS_ARRIVES, /* goes to what it found */
};

struct focus_sample {
    double at, sharp;
};
#define FOCUS_SAMPLES 96

struct focus {
    enum focus_phase phase;
    bool wanted; /* begins as soon as it can */
    double near; /* nothing nearer */
    /* a scan */
    struct focus_sample seen[FOCUS_SAMPLES];
    unsigned n_seen, pictures, first, stands;
    double began, toward, speed, last;
    bool turned;                  /* on the second way */
    struct focus_sample three[3]; /* closing in: left, middle, right */
    unsigned n_three, shifts;
    double middle, half;
    /* at rest */
    double reference, best; /* sharpness when it arrived; the most seen in that scan */
    double found;           /* where it arrived */
    double looked;          /* sharpness at the last look */
    unsigned since;         /* pictures since the last look */
    unsigned off;           /* looks in a row that said it is no longer sharp */
    int64_t ended_ns, pause_ns;
};

struct focus_seen {
    int64_t at_ns;
    double focus;  /* where the lens was in the middle of the exposure */
    bool ready;    /* the head stands still, the exposure is settled */
    bool measured; /* focus_wants() was true before */
    double sharp;
    bool itself; /* may begin by itself */
    bool crisp;  /* nothing to be gained: it has fine structure as only what is in focus has */
    bool asked;  /* somebody wants a scan, whatever it looks like */
};
struct focus_order {
    bool go;
    double to, speed;
};

void focus_begin(struct focus *f);                           /* a scan, as soon as possible */
void focus_cancel(struct focus *f, struct focus_order *ret); /* back to what was best */
bool focus_busy(const struct focus *f);
/* The next picture's sharpness is of interest. */
bool focus_wants(const struct focus *f);
void focus_step(struct focus *f, double near, const struct focus_seen *seen,
                struct focus_order *ret);

#endif
