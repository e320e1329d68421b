/* A frame painted for a key: size, orientation, overlays, colour range. Painted
 * once, shared by all encoders with that key. Immutable, refcounted. Any thread. */
#ifndef MEDIA_RENDITION_H
#define MEDIA_RENDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "media/frame.h"

struct rendition_key {
    int view; /* channel: 1… */
    /* Of the finished picture, after turning. Its aspect may differ from the frame's:
     * then the largest part about the frame's middle that has it is shown. */
    int width, height;
    int rotation_deg; /* 0, 90, 180, 270; clockwise */
    bool mirror;
    bool overlays;
    enum colour_range range; /* JPEG wants full, video limited */
    /* Non-zero when the overlay text names figures of one stream (#b, #r): then
     * that stream has a rendition of its own. Set by the pipeline. */
    uint32_t stream_tag;
};
bool rendition_key_equal(const struct rendition_key *a, const struct rendition_key *b);

struct rendition {
    struct picture *pixels;
    struct capture how;
    struct activity *activity; /* of the frame; NULL: nobody asked */
    uint64_t painted;          /* changes when the overlays' looks changed */
    int refs;
};
struct rendition *rendition_new(struct picture *take_pixels, const struct capture *how);
struct rendition *rendition_of(const struct frame *f, struct picture *take_pixels);
struct rendition *rendition_ref(struct rendition *r);
struct rendition *rendition_unref(struct rendition *r);

#endif
