/* Which pixels of one picture masks cover: runs of bands, two rows each, so that whole samples of
 * chroma are covered. Owned by the source thread.
 *
 * A mask is a cone of directions. Seen from a pose it is cut by the four planes of a field of
 * view a little wider than the picture (all through the lens, so that nothing behind the camera
 * and no point at infinity remains), and what is left is projected. While the head stands, that
 * outline is covered as it is, concave or not, widened by a margin. While it moves, the outline
 * is taken at a grid of poses between both ends (pan, tilt and field of view independently: the
 * path between them may be any that goes forward), and the convex hull of all of them, widened by
 * what a point may stray from the straight line between two grid poses, is covered.
 *
 * The margin is the sum of the pose's uncertainty, of what the lens spreads out of focus, and of
 * a little for the lens itself. */
#ifndef IMAGE_MASK_COVER_H
#define IMAGE_MASK_COVER_H

#include "image/mask_shape.h"
#include "image/mask_view.h"
#include "media/masked.h"

struct mask_run {
    int from, to;  /* pixels, even; to is past the end */
    unsigned mask; /* index of the shape */
};
struct mask_cover {
    unsigned bands;
    unsigned *first; /* bands + 1: where each band's runs begin in `run`, left to right, disjoint */
    struct mask_run *run;
    unsigned *all_first; /* the same, but where masks lie upon one another, each has its own run */
    struct mask_run *all;
    struct masked *areas; /* owned; NULL: none is in the picture */
    bool any;
    /* room */
    unsigned band_room, run_room;
    struct mask_band_run *raw;
    unsigned n_raw, raw_room;
    struct mask_point *points;
};

int mask_cover_init(struct mask_cover *c); /* -ENOMEM */
void mask_cover_done(struct mask_cover *c);
/* Shapes whose least_zoom is above the view's zoom are left out. 0; -E2BIG, -ENOMEM: cover
 * everything. */
int mask_cover_make(struct mask_cover *c, const struct mask_view *v, const struct mask_shape *shape,
                    unsigned n);

#endif
