/* A developed picture: masked, never writable again, safe for every eye.
 *
 * Only image makes frames. Refcounted, immutable after frame_new(). Any thread. */
#ifndef MEDIA_FRAME_H
#define MEDIA_FRAME_H

#include <stdbool.h>

#include "media/capture.h"
#include "media/masked.h"
#include "media/picture.h"

struct activity;

/* Channels: 1 is the whole picture, the others (view areas) show a part of it. */
#define VIEWS_MOST 9

/* A part of a frame: 0…1 from its top left. */
struct frame_part {
    double x, y, width, height;
};
#define FRAME_WHOLE ((struct frame_part){0, 0, 1, 1})
bool frame_part_equal(const struct frame_part *a, const struct frame_part *b);

struct frame {
    struct picture *pixels; /* memory of a memfd pool: only masked rows ever reach it */
    struct capture how;
    struct masked *masked;     /* where it is covered; NULL: nowhere */
    struct activity *activity; /* what the pipeline saw in it when it was offered; or NULL */
    struct frame_part part[VIEWS_MOST]; /* what of it each channel shows: [channel - 1] */
    int refs;                           /* atomic */
};

struct frame *frame_new(struct picture *take_pixels, const struct capture *how);
struct frame *frame_ref(struct frame *f);
struct frame *frame_unref(struct frame *f);

#endif
