/* The backdrop: what does not move, seen from the one spot where the camera stands, mixed
 * from the baked layers of a place (tiles.h) under a light, and remapped into a picture.
 *
 * One backdrop belongs to one thread (the source's); backdrop_meter() and
 * backdrop_distance() may be asked from any. Memory: the baked tiles are mapped and shared
 * by all cameras of the machine; the mixed working tiles are this camera's, bounded, and
 * given back by backdrop_rest(). */
#ifndef DEVICE_VIRTUAL_PLACE_BACKDROP_H
#define DEVICE_VIRTUAL_PLACE_BACKDROP_H

#include <stdbool.h>
#include <stdint.h>

#include "device/virtual/place/light.h"
#include "device/virtual/radiance.h"
#include "device/virtual/view.h"

struct kernels;
struct tiles;
struct backdrop;

struct backdrop *backdrop_new(const struct tiles *t); /* borrowed; NULL: out of memory */
struct backdrop *backdrop_free(struct backdrop *b);
void backdrop_rest(struct backdrop *b); /* nobody watches: gives the working tiles back */
/* For tests: the plain C twin of the inner loops. */
void backdrop_use_plain_kernels(struct backdrop *b, bool plain);
/* Where the light of another time comes from: tiles are lit anew one after another, each in
 * its own moment of a second or so, while the light changes slowly. Without, all tiles have
 * the light that backdrop_paint() is given. `ctx` is handed on. */
void backdrop_follow(struct backdrop *b,
                     void (*light_at)(void *ctx, int64_t time_ns, struct light *ret), void *ctx);
/* Before a picture: since when the light changes by itself only. What was before that time
 * is over in all tiles at once. With another revision light_at() may answer otherwise than
 * it did. */
void backdrop_told(struct backdrop *b, int64_t since_ns, uint64_t revision);

/* Whether the pictures from now on may be a little less sharp, because they are smeared by a
 * move of the head: they cost half as much. */
void backdrop_quick(struct backdrop *b, bool quick);

/* Every pixel of the place as seen by v under l at that world time (wind moves the trees,
 * clouds drift). Sets into->unit and into->held. 0 or -ENOMEM. Equal arguments give equal
 * bytes, whatever was painted before. Where into->held is what the last call left there
 * (with what was drawn since taken off again), only what has changed is painted. */
int backdrop_paint(struct backdrop *b, const struct view *v, const struct light *l,
                   const struct set *s, int64_t time_ns, struct radiance *into);

/* Distance in metres (along the ray) of what stands in pixels x0 ≤ x < x1 of a row;
 * INFINITY: sky. For occlusion of actors. */
void backdrop_distance_row(const struct backdrop *b, const struct view *v, int y, int x0, int x1,
                           float *ret_m);
/* The same for one direction (from the eye, any length), as sharply as the place is known.
 * Any thread. */
double backdrop_distance(const struct backdrop *b, struct vec direction);
/* Albedo (linear, 0…1, interleaved RGB) of the same pixels: for headlights on the ground;
 * sky: 0. Both may be asked from any thread. */
void backdrop_albedo_row(const struct backdrop *b, const struct view *v, int y, int x0, int x1,
                         float *ret_rgb);

/* Light that falls on somebody who stands at this point of the ground. */
struct lit {
    float sun[3];     /* on a surface that faces the sun; after shadows of the place */
    float ambient[3]; /* on a horizontal surface, all but the sun */
    float lamp[3];    /* of which from lamps, roughly from above */
};
void backdrop_lit(const struct backdrop *b, const struct light *l, struct vec at, struct lit *ret);

/* Mean radiance (white card = 1) of what a pose sees under that light, coarsely, bright parts
 * counting a little more. A pure function, for exposure. Any thread. */
double backdrop_meter(const struct backdrop *b, const struct light *l, const struct pose *pose,
                      double aspect);
/* In the middles of a grid over the picture: radiance under `part` of the light over that under
 * `all`; 1 where it is dark. Row by row. A pure function. */
void backdrop_shares(const struct backdrop *b, const struct light *all, const struct light *part,
                     const struct pose *pose, double aspect, int across, int down, float *ret);

#endif
