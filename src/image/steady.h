/* Steadying: how far the mount has been shaken, measured from pictures.
 *
 * A small copy of a picture is kept as reference; each new one is laid upon it: coarsely by
 * trying, then by least squares (Lucas and Kanade's method) in which what moves by itself
 * counts little. What the head did on purpose is known from its poses and taken off. Owned by
 * the source thread. */
#ifndef IMAGE_STEADY_H
#define IMAGE_STEADY_H

#include "media/capture.h"
#include "media/picture.h"

struct steady;

struct steady *steady_new(void); /* NULL: out of memory */
struct steady *steady_free(struct steady *s);
void steady_rest(struct steady *s); /* forgets, and gives memory back */
/* How far the scene stands from where it should, in pixels of `seen`, right and down; at most
 * `most_px`. 0 or -ENOMEM. */
int steady_look(struct steady *s, const struct picture *seen, const struct capture *how,
                double most_px, double ret_px[2]);

#endif
