/* A frame painted for a key: size, orientation, overlays, colour range. Painted
 * once, shared by all encoders with that key. Immutable, refcounted. Any thread. */
#ifndef MEDIA_RENDITION_H
#define MEDIA_RENDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "media/frame.h"

/* Kinds of overlays; an overlay set is an OR of them. */
enum overlay_class {
    OVERLAYS_TEXT = 1 << 0,
    OVERLAYS_IMAGE = 1 << 1,
    OVERLAYS_APPLICATION = 1 << 2, /* compass, streaming indicator, what apps paint */
    OVERLAYS_ALL = OVERLAYS_TEXT | OVERLAYS_IMAGE | OVERLAYS_APPLICATION,
};

struct rendition_key {
    int view; /* channel: 1… */
    /* Of the finished picture, after turning. Its aspect may differ from the frame's:
     * then the largest part about the frame's middle that has it is shown. */
    int width, height;
    int rotation_deg; /* 0, 90, 180, 270; clockwise */
    bool mirror;
    unsigned overlays;        /* the set: OR of enum overlay_class */
    enum colour_range range; /* JPEG wants full, video limited */
    /* Non-zero when the overlay text names figures of one stream (#b, #r): then
     * that stream has a rendition of its own. Set by the pipeline. */
    uint32_t stream_tag;
};
bool rendition_key_equal(const struct rendition_key *a, const struct rendition_key *b);

/* Points (0…1, from the top left) of the frame and of the finished picture, which shows the
 * largest middle part of the frame that has its aspect, turned, then mirrored. frame_aspect:
 * width / height. Points outside stay outside. */
void rendition_to_frame(const struct rendition_key *k, double frame_aspect, double *x, double *y);
void rendition_from_frame(const struct rendition_key *k, double frame_aspect, double *x, double *y);

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
