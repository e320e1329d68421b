#include "image/overlay_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MOST 96

struct entry {
    struct sprite *sprite;
    uint64_t hash, used;
    size_t len;
    char *key;
};

struct sprite_cache {
    pthread_mutex_t lock;
    struct entry entry[MOST];
    size_t bytes, max_bytes;
    uint64_t clock;
};

static uint64_t hash_of(const void *key, size_t len)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        h = (h ^ ((const uint8_t *)key)[i]) * 0x100000001b3u;
    return h;
}

static size_t size_of(const struct entry *e)
{
    return e->sprite->bytes + e->len;
}

static void drop(struct sprite_cache *c, struct entry *e)
{
    if (!e->sprite)
        return;
    c->bytes -= size_of(e);
    sprite_unref(e->sprite);
    free(e->key);
    *e = (struct entry){0};
}

struct sprite_cache *sprite_cache_new(size_t max_bytes)
{
    struct sprite_cache *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    pthread_mutex_init(&c->lock, NULL);
    c->max_bytes = max_bytes;
    return c;
}

struct sprite_cache *sprite_cache_free(struct sprite_cache *c)
{
    if (!c)
        return NULL;
    for (int i = 0; i < MOST; i++)
        drop(c, &c->entry[i]);
    pthread_mutex_destroy(&c->lock);
    free(c);
    return NULL;
}

struct sprite *sprite_cache_find(struct sprite_cache *c, const void *key, size_t len)
{
    struct sprite *found = NULL;
    uint64_t hash = hash_of(key, len);
    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < MOST && !found; i++) {
        struct entry *e = &c->entry[i];
        if (!e->sprite || e->hash != hash || e->len != len || memcmp(e->key, key, len))
            continue;
        e->used = ++c->clock;
        found = sprite_ref(e->sprite);
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

/* A free place, or that of the longest unused. */
static struct entry *place_for(struct sprite_cache *c)
{
    struct entry *oldest = &c->entry[0];
    for (int i = 0; i < MOST; i++) {
        if (!c->entry[i].sprite)
            return &c->entry[i];
        if (c->entry[i].used < oldest->used)
            oldest = &c->entry[i];
    }
    return oldest;
}

static void make_room(struct sprite_cache *c, size_t bytes)
{
    while (c->bytes && c->bytes + bytes > c->max_bytes) {
        struct entry *oldest = NULL;
        for (int i = 0; i < MOST; i++)
            if (c->entry[i].sprite && (!oldest || c->entry[i].used < oldest->used))
                oldest = &c->entry[i];
        drop(c, oldest);
    }
}

void sprite_cache_put(struct sprite_cache *c, const void *key, size_t len, struct sprite *s)
{
    char *copy = malloc(len + 1);
    if (!copy)
        return;
    memcpy(copy, key, len);
    pthread_mutex_lock(&c->lock);
    make_room(c, s->bytes + len);
    struct entry *e = place_for(c);
    drop(c, e);
    *e = (struct entry){sprite_ref(s), hash_of(key, len), ++c->clock, len, copy};
    c->bytes += size_of(e);
    pthread_mutex_unlock(&c->lock);
}
