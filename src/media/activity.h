/* Where something happens in a source's pictures: what encoders that save bits, and the frame
 * rate of quiet scenes, go by. Each frame is looked at once for all of them, and only while
 * somebody wants to know.
 *
 * A frame is cut into cells of 16 × 16 pixels. A cell is active when it differs from what it
 * held when it was last active by more than the picture's own noise, which is estimated for
 * eight ranges of brightness and follows gain and night by itself; a change of light that all
 * cells share is not activity. A cell that is restless most of the time, as leaves in the wind
 * are, must differ by more than it uses to. What lies around an active cell counts as active too.
 *
 * A result is immutable and refcounted: any thread. The watch belongs to one thread. */
#ifndef MEDIA_ACTIVITY_H
#define MEDIA_ACTIVITY_H

#include <stdbool.h>
#include <stdint.h>

#include "media/frame.h"

#define ACTIVITY_CELL 16 /* pixels of the frame */

struct activity {
    uint32_t look; /* counts the frames that were looked at, from 1 */
    int width, height, across, down;
    /* Looks at which something was last active, 0: never since the watch began. Whole: all of
     * it changed (the camera moved, the light was switched, the first look). */
    uint32_t last_any, last_whole;
    double moving;     /* share of cells that are active now, what lies around included */
    double noise;      /* standard deviation of a luma sample in time, grey levels, about */
    double light;      /* grey levels by which everything became brighter since the last look */
    int refs;          /* atomic */
    uint32_t *last;    /* by cell, what lies around something active included */
    uint32_t *self;    /* by cell, without */
    uint8_t *restless; /* by cell: it moves most of the time, so that only more than usual counts */
    uint8_t *detail;   /* by cell: 0 flat … 255; as of the last whole or some recent look */
};
struct activity *activity_ref(struct activity *a);
struct activity *activity_unref(struct activity *a);

struct activity_watch;
/* width, height: of all frames that will come. plain: without the AVX2 loops. */
struct activity_watch *activity_watch_new(int width, int height, bool plain);
struct activity_watch *activity_watch_free(struct activity_watch *w);
/* A new reference; NULL: out of memory. */
struct activity *activity_look(struct activity_watch *w, const struct picture *p,
                               const struct capture *how);

#endif
