/* A developed picture: masked, never writable again, safe for every eye.
 *
 * Only image makes frames. Refcounted, immutable after frame_new(). Any thread. */
#ifndef MEDIA_FRAME_H
#define MEDIA_FRAME_H

#include "media/capture.h"
#include "media/masked.h"
#include "media/picture.h"

struct activity;

struct frame {
    struct picture *pixels; /* memory of a memfd pool: only masked rows ever reach it */
    struct capture how;
    struct masked *masked;     /* where it is covered; NULL: nowhere */
    struct activity *activity; /* what the pipeline saw in it when it was offered; or NULL */
    int refs;                  /* atomic */
};

struct frame *frame_new(struct picture *take_pixels, const struct capture *how);
struct frame *frame_ref(struct frame *f);
struct frame *frame_unref(struct frame *f);

#endif
