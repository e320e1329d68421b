/* Developing: a shot becomes a frame. Masks are the first pixel step: rows are
 * copied into frame memory with the masked parts already covered, so that no
 * unmasked pixel ever reaches memory that others can see. Source thread. */
#ifndef IMAGE_DEVELOP_H
#define IMAGE_DEVELOP_H

#include "media/frame.h"
#include "media/shot.h"

struct finish;
struct masks;

/* A mask: a convex or concave polygon of directions in the world. */
#define MASK_MAX_POINTS 10
#define MASK_MAX 64
struct mask {
    unsigned n; /* 3 … MASK_MAX_POINTS */
    struct {
        double pan_deg, tilt_deg;
    } point[MASK_MAX_POINTS];
};
/* Colour for all: limited-range BT.709 Y, Cb, Cr. */
struct mask_set {
    unsigned n;
    struct mask mask[MASK_MAX];
    uint8_t colour[3];
};

struct masks *masks_new(void);
struct masks *masks_free(struct masks *m);
void masks_set(struct masks *m, const struct mask_set *set); /* any thread; from the next shot */

/* The swept hull of each mask between both poses, widened by the pose's
 * uncertainty and rounded out to 2×2 pixels; an unknown pose covers everything. Then, on what
 * is masked, finish (finish.h; NULL: nothing). */
struct frame *frame_develop(struct masks *m, struct picture_pool *pool, const struct shot *shot,
                            struct finish *finish);

#endif
