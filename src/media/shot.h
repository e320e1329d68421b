/* What the sensor gave: unmasked pixels with the truth about how they were taken.
 *
 * Only image makes a frame of it (frame_develop); its memory is of a pool that
 * nothing else uses and no other process can map. LAYERS lets only device and
 * image include this header. Filled by the source thread, then immutable. */
#ifndef MEDIA_SHOT_H
#define MEDIA_SHOT_H

#include "media/capture.h"
#include "media/picture.h"

struct shot {
    struct picture *pixels;
    struct capture how;
    int refs; /* atomic */
};

struct shot *shot_new(struct picture *take_pixels, const struct capture *how);
struct shot *shot_ref(struct shot *s);
struct shot *shot_unref(struct shot *s);

#endif
