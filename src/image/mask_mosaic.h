/* Masks as a mosaic: each block is one colour, the mean of all that lies beneath it.
 *
 * The blocks are squares on a plane that is fixed to the world (mask_shape.h), so that they always
 * hold the same part of the scene: neither a small move of the camera nor zooming in gives another
 * mean from which something smaller could be worked out. For the same reason a block's mean is
 * only taken while the camera stands and all of the block is in the picture; else the last one
 * stays, and a block of which there is none is grey. Source thread. */
#ifndef IMAGE_MASK_MOSAIC_H
#define IMAGE_MASK_MOSAIC_H

#include "image/mask_cover.h"
#include "media/picture.h"

struct mask_mosaic;

struct mask_mosaic *mask_mosaic_new(unsigned n_shapes); /* NULL: out of memory */
struct mask_mosaic *mask_mosaic_free(struct mask_mosaic *m);
/* Takes means of what `from` shows beneath the covered parts, where that may be done. */
void mask_mosaic_learn(struct mask_mosaic *m, const struct mask_view *v, const struct mask_cover *c,
                       const struct mask_shape *shape, const struct picture *from);
/* Writes the covered parts of `to`. */
void mask_mosaic_fill(struct mask_mosaic *m, const struct mask_view *v, const struct mask_cover *c,
                      const struct mask_shape *shape, struct picture *to);
/* Makes the blocks of a picture even again that was filled, and then finished. */
void mask_mosaic_even(struct mask_mosaic *m, const struct mask_view *v, const struct mask_cover *c,
                      const struct mask_shape *shape, struct picture *p);

#endif
