/* What others tell the overlays: immutable and refcounted, so that painting threads need no
 * lock while they read. Inside of overlay.c and compass.c only. */
#ifndef IMAGE_OVERLAY_TOLD_H
#define IMAGE_OVERLAY_TOLD_H

#include "image/overlay.h"

#define SLOT_BYTES (OVERLAY_TEXT_CHARACTERS * 4 + 1)

struct told {
    int refs; /* atomic */
    uint64_t marks_serial;
    struct overlay_facts facts;
    struct {
        char text[SLOT_BYTES];
        uint32_t channels;
        int64_t until_ns; /* monotonic; TIME_NEVER */
    } slot[OVERLAY_SLOTS];
    int64_t mark_until_ns; /* monotonic; the streaming indicator shows until then. 0: as set */
    size_t n_marks;
    struct compass_mark mark[COMPASS_MARKS_MOST];
};

#endif
