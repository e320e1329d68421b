/* Privacy masks: what of the world no picture shows.
 *
 * A mask is a polygon of directions in the world: its corners are joined by great circles, which
 * a rectilinear lens draws as straight lines. It may hold the nadir and lie across ±180° of pan,
 * but must fit into half a sphere. Plain values; any thread, but for struct masks (below). */
#ifndef IMAGE_MASK_H
#define IMAGE_MASK_H

#include <stdbool.h>
#include <stdint.h>

struct fault;

#define MASK_MAX 64
#define MASK_MIN_POINTS 3
#define MASK_MAX_POINTS 10
#define MASK_NAME_MAX 128 /* bytes */

struct mask {
    unsigned n; /* MASK_MIN_POINTS … MASK_MAX_POINTS */
    struct {
        double pan_deg, tilt_deg;
    } point[MASK_MAX_POINTS];
    double least_zoom; /* it covers from this magnification on; 0: always */
    int index;         /* of its row; frames name it (frame.h) */
};

/* "PAN,TILT:PAN,TILT:…", degrees. Refuses what is no mask: too few or too many points, none
 * within −180…180 and −90…90, sides that cross or touch, no area, more than half a sphere. 0 or
 * -EINVAL. */
int mask_parse(const char *text, struct mask *ret, struct fault *why);
/* Pairs "X,Y:X,Y:…" alone, not beyond ±most. 0; -E2BIG: more than MASK_MAX_POINTS; -EINVAL. */
int mask_pairs(const char *text, double most_x, double most_y, double ret[MASK_MAX_POINTS][2],
               unsigned *ret_n);
#define MASK_TEXT_MAX (MASK_MAX_POINTS * 24) /* bytes that mask_text() needs, and takes */
void mask_text(const struct mask *m, char ret[MASK_TEXT_MAX]);
/* The same judgement of points that came another way. */
int mask_check(const struct mask *m, struct fault *why);

enum mask_look { MASK_SOLID, MASK_MOSAIC };
#define MASK_LEAST_BLOCKS 3
#define MASK_MOST_BLOCKS 16

struct mask_set {
    unsigned n;
    struct mask mask[MASK_MAX];
    enum mask_look look;
    uint8_t colour[3]; /* solid: limited-range BT.709 Y, Cb, Cr */
    int blocks;        /* mosaic: along the longer side of each mask */
    bool everything;   /* what is to be hidden is not known: all of every picture is covered */
};

struct masks; /* develop.h: what holds the set that is in force, and applies it */

#endif
