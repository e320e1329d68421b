/* A small view of a picture for overlays. */
#ifndef IMAGE_OVERLAY_THUMBNAIL_H
#define IMAGE_OVERLAY_THUMBNAIL_H

#include <stdint.h>

struct buf;
struct overlay_pictures;

#define THUMBNAIL_SIDE 240

/* PNG, no side longer than that. Slow; any thread. 0 or negative errno. */
int overlay_thumbnail(struct overlay_pictures *p, uint64_t id, struct buf *ret);

#endif
