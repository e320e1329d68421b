/* A lens out of focus: each pixel the mean over a disc around it. What has not changed is not
 * made anew. One thread. */
#ifndef DEVICE_VIRTUAL_CAMERA_DEFOCUS_H
#define DEVICE_VIRTUAL_CAMERA_DEFOCUS_H

#include <stdbool.h>
#include <stdint.h>

#include "device/virtual/radiance.h"

struct defocus;
struct kernels;

struct defocus *defocus_new(int width, int height); /* NULL: out of memory */
struct defocus *defocus_free(struct defocus *d);

/* Looks at `in`, of which the cells that are not 0 in `cells` (row by row, as radiance.h has
 * them) differ from the last call's, or all of it may; `radius` in pixels, below 7 · 16. Then
 * `cells` are those of the result that may differ. 0 or -ENOMEM. */
int defocus_look(struct defocus *d, const struct kernels *k, const struct radiance *in,
                 double radius, bool all, uint8_t *cells);
/* The result in columns x0 ≤ x < x1 of a row, with a sixteenth of the veil for a sixteenth of
 * itself. */
void defocus_row(const struct defocus *d, const struct kernels *k, int plane, int y, int x0, int x1,
                 uint16_t veil, uint16_t *to);

#endif
