/* Developing: a shot becomes a frame. Masks are the first pixel step: rows are
 * copied into frame memory with the masked parts already covered, so that no
 * unmasked pixel ever reaches memory that others can see.
 *
 * masks_set() on any thread, the rest on the source thread. */
#ifndef IMAGE_DEVELOP_H
#define IMAGE_DEVELOP_H

#include "image/mask.h"
#include "media/frame.h"
#include "media/shot.h"

struct finish;
struct masks;

struct masks *masks_new(void); /* NULL: out of memory */
struct masks *masks_free(struct masks *m);
/* From the next shot on; NULL: none. Out of memory: everything is covered. Returns the number of
 * this set, which counts up; the frames made with it carry it (capture.masks). */
uint32_t masks_set(struct masks *m, const struct mask_set *set);

bool masks_in_use(struct masks *m);     /* any thread */
uint32_t masks_number(struct masks *m); /* of the newest set; any thread */

/* Covers what masks hide (mask_cover.h); an unknown pose covers everything. Then, on what is
 * masked, finish (finish.h; NULL: nothing), after which covered parts are covered anew, so that
 * they show nothing but their colour. NULL: no picture is free. */
struct frame *frame_develop(struct masks *m, struct picture_pool *pool, const struct shot *shot,
                            struct finish *finish);

#endif
