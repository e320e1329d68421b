/* Something painted that lies ready to be laid over pictures: premultiplied, in a picture's own
 * colours, with its empty parts left out. Immutable and refcounted; any thread. */
#ifndef IMAGE_OVERLAY_SPRITE_H
#define IMAGE_OVERLAY_SPRITE_H

#include <stddef.h>
#include <stdint.h>

#include "media/picture.h"

struct sprite_span {
    uint16_t x, n; /* samples */
    bool solid;    /* nothing of the picture shows through */
};

struct sprite_plane {
    uint8_t *add;  /* premultiplied; width * height */
    uint8_t *keep; /* of 255, how much of the picture stays */
};

struct sprite {
    int width, height; /* even */
    struct sprite_plane luma;
    uint8_t *cb, *cr, *chroma_keep; /* half of the size */
    struct sprite_span *spans;
    uint32_t *first; /* of each luma row, then of each chroma row, and the end */
    size_t bytes;    /* of memory, all in all */
    int refs;        /* atomic */
};

/* From premultiplied 0xAARRGGBB (of cairo), as pictures of that matrix and range have it.
 * stride in bytes; width and height even. NULL: out of memory. */
struct sprite *sprite_new(const uint32_t *argb, int stride, int width, int height,
                          enum colour_matrix matrix, enum colour_range range);
struct sprite *sprite_ref(struct sprite *s);
struct sprite *sprite_unref(struct sprite *s);

/* Laid over the picture with its upper left corner at x, y (even, may be outside), as far as it
 * lies in the picture and in left ≤ x < right. */
void sprite_blend(const struct sprite *s, struct picture *to, int x, int y, int left, int right);

#endif
