/* Sprites that may be wanted again, found by all that made them. Any thread. */
#ifndef IMAGE_OVERLAY_CACHE_H
#define IMAGE_OVERLAY_CACHE_H

#include "image/overlay_sprite.h"

struct sprite_cache;
struct sprite_cache *sprite_cache_new(size_t max_bytes);
struct sprite_cache *sprite_cache_free(struct sprite_cache *c);
/* A reference, or NULL. */
struct sprite *sprite_cache_find(struct sprite_cache *c, const void *key, size_t len);
/* The longest unused make room. Without memory nothing is kept. */
void sprite_cache_put(struct sprite_cache *c, const void *key, size_t len, struct sprite *s);

#endif
