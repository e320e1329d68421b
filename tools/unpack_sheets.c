/* Cuts layers into tiles; parts with the same content are written once. */
#include <stdlib.h>
#include <string.h>

#include "unpack.h"

static uint64_t mix(uint64_t h, uint64_t v, uint64_t k)
{
    h = (h ^ v) * k;
    return h ^ h >> 29;
}

static void digest(const void *data, size_t n, uint64_t ret[2])
{
    const uint8_t *p = data;
    uint64_t a = n, b = ~n;
    for (; n; p += n < 8 ? n : 8, n -= n < 8 ? n : 8) {
        uint64_t v = 0;
        memcpy(&v, p, n < 8 ? n : 8);
        a = mix(a, v, UINT64_C(0x9e3779b97f4a7c15));
        b = mix(b, v, UINT64_C(0xd6e8feb86659fd93));
    }
    ret[0] = a;
    ret[1] = b;
}

static void put(struct out *o, const void *data, size_t n)
{
    static const char zero[TILE_UNIT];
    size_t rest = (TILE_UNIT - n % TILE_UNIT) % TILE_UNIT;
    if (fwrite(data, 1, n, o->f) != n || fwrite(zero, 1, rest, o->f) != rest)
        die("cannot write: is the disk full?");
    o->at += n + rest;
}

static struct out_part *slot(struct out *o, const uint64_t d[2])
{
    size_t i = d[0] & (o->room - 1);
    while (o->part[i].at && (o->part[i].a != d[0] || o->part[i].b != d[1]))
        i = (i + 1) & (o->room - 1);
    return &o->part[i];
}

static void grow(struct out *o)
{
    struct out_part *old = o->part;
    size_t room = o->room;
    o->room = room ? room * 2 : 4096;
    o->part = take(o->room, sizeof(*o->part));
    for (size_t i = 0; i < room; i++)
        if (old[i].at) {
            const uint64_t d[2] = {old[i].a, old[i].b};
            *slot(o, d) = old[i];
        }
    free(old);
}

uint32_t out_part(struct out *o, const void *data, size_t n)
{
    if (o->n_parts * 2 >= o->room)
        grow(o);
    uint64_t d[2];
    digest(data, n, d);
    struct out_part *p = slot(o, d);
    if (p->at) {
        o->saved += n;
        return p->at;
    }
    *p = (struct out_part){d[0], d[1], (uint32_t)(o->at / TILE_UNIT)};
    o->n_parts++;
    put(o, data, n);
    return p->at;
}

uint64_t out_table(struct out *o, const void *data, size_t n)
{
    uint64_t at = o->at;
    put(o, data, n);
    return at;
}

/* A square of samples with its border, of a plane with `each` bytes a sample. */
static void square(uint8_t *to, int side, int border, const void *plane, int w, int h, int x, int y,
                   size_t each, bool round)
{
    const uint8_t *from = plane;
    for (int j = 0; j < side; j++) {
        int sy = y + j - border;
        sy = sy < 0 ? 0 : sy >= h ? h - 1 : sy;
        for (int i = 0; i < side; i++, to += each) {
            int sx = x + i - border;
            if (round)
                sx = sx < 0 ? sx + w : sx >= w ? sx - w : sx;
            sx = sx < 0 ? 0 : sx >= w ? w - 1 : sx;
            memcpy(to, from + ((size_t)sy * (size_t)w + (size_t)sx) * each, each);
        }
    }
}

static bool all(const uint8_t *p, size_t n, uint8_t v)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != v)
            return false;
    return true;
}

static void cut(struct out *o, const struct layers *l, int x, int y, struct tile *t)
{
    static uint8_t cover[TILE * TILE], albedo[TILE * TILE + 2 * TILE_HALF * TILE_HALF];
    static uint8_t depth[TILE_HALF * TILE_HALF * 2], suns[TILE_HALF * TILE_HALF * LIGHT_SUNS];
    static uint8_t sway[TILE_EIGHTH * TILE_EIGHTH], soft[TILE_QUARTER * TILE_QUARTER * 4];
    memset(t, 0, sizeof(*t));
    square(cover, TILE, 0, l->cover, l->w, l->h, x, y, 1, l->round);
    if (all(cover, sizeof(cover), 0))
        return;
    square(albedo, TILE, 0, l->y, l->w, l->h, x, y, 1, l->round);
    uint8_t *cb = albedo + TILE * TILE, *cr = cb + TILE_HALF * TILE_HALF;
    square(cb, TILE_HALF, 1, l->cb, l->w2, l->h2, x / 2, y / 2, 1, l->round);
    square(cr, TILE_HALF, 1, l->cr, l->w2, l->h2, x / 2, y / 2, 1, l->round);
    square(depth, TILE_HALF, 1, l->depth, l->w2, l->h2, x / 2, y / 2, 2, l->round);
    square(suns, TILE_HALF, 1, l->sun, l->w2, l->h2, x / 2, y / 2, LIGHT_SUNS, l->round);
    square(sway, TILE_EIGHTH, 1, l->sway, l->w8, l->h8, x / 8, y / 8, 1, l->round);
    t->albedo = out_part(o, albedo, sizeof(albedo));
    t->cover = all(cover, sizeof(cover), 255) ? 0 : out_part(o, cover, sizeof(cover));
    t->depth = out_part(o, depth, sizeof(depth));
    t->suns = all(suns, sizeof(suns), 0) ? 0 : out_part(o, suns, sizeof(suns));
    t->sway = all(sway, sizeof(sway), 0) ? 0 : out_part(o, sway, sizeof(sway));
    for (int i = 0; i < LIGHT_SOFT; i++) {
        square(soft, TILE_QUARTER, 1, l->soft[i], l->w4, l->h4, x / 4, y / 4, 4, l->round);
        t->soft[i] = all(soft, sizeof(soft), 0) ? 0 : out_part(o, soft, sizeof(soft));
    }
}

void sheet_size(struct sheet *s, const struct layers *l)
{
    s->density = l->density;
    s->width = (uint32_t)l->w;
    s->height = (uint32_t)l->h;
    s->across = (s->width + TILE - 1) / TILE;
    s->down = (s->height + TILE - 1) / TILE;
}

void sheet_cut(struct out *o, const struct layers *l, struct tile *ret)
{
    for (int y = 0; y < l->h; y += TILE)
        for (int x = 0; x < l->w; x += TILE)
            cut(o, l, x, y, ret++);
}
