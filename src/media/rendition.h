/* A frame painted for a key: size, orientation, overlays. Its colours are those of the source:
 * encoders convert. Painted once, shared by all encoders with that key. Immutable, refcounted. Any
 * thread. */
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
    int view; /* channel: 1 … VIEWS_MOST */
    /* Of the finished picture, after turning. Its aspect may differ from that of the channel's
     * part of the frame: then the largest part about its middle that has it is shown. */
    int width, height;
    int rotation_deg; /* 0, 90, 180, 270; clockwise */
    bool mirror;
    unsigned overlays; /* the set: OR of enum overlay_class */
    /* Non-zero when the overlay text names figures of one stream (#b, #r): then
     * that stream has a rendition of its own. Set by the pipeline. */
    uint32_t stream_tag;
};
bool rendition_key_equal(const struct rendition_key *a, const struct rendition_key *b);

/* What of the frame the finished picture shows: of the channel's part (NULL: the whole frame) the
 * largest middle part that has the picture's aspect. frame_aspect: width / height. */
void rendition_shown(const struct rendition_key *k, const struct frame_part *part,
                     double frame_aspect, struct frame_part *ret);
/* Points (0…1, from the top left) of the frame and of the finished picture, which shows that,
 * turned, then mirrored. Points outside stay outside. */
void rendition_to_frame(const struct rendition_key *k, const struct frame_part *part,
                        double frame_aspect, double *x, double *y);
void rendition_from_frame(const struct rendition_key *k, const struct frame_part *part,
                          double frame_aspect, double *x, double *y);

struct rendition {
    struct picture *pixels;
    struct capture how;
    struct frame_part part;    /* of the frame that its channel shows */
    struct activity *activity; /* of the frame; NULL: nobody asked */
    uint64_t painted;          /* changes when the overlays' looks changed */
    int refs;
};
struct rendition *rendition_new(struct picture *take_pixels, const struct capture *how);
struct rendition *rendition_of(const struct frame *f, int view, struct picture *take_pixels);
struct rendition *rendition_ref(struct rendition *r);
struct rendition *rendition_unref(struct rendition *r);

#endif
