#include "device/virtual/camera/bands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/camera/mess.h"
#include "device/virtual/world.h"

int bands_init(struct bands *b, int width)
{
    size_t n = (size_t)width * RADIANCE_CELL;
    struct radiance *l = &b->band;
    *l = (struct radiance){.width = width, .stride = (size_t)width};
    size_t across = (size_t)radiance_across(l);
    l->r = aligned_alloc(64, (3 * n * sizeof(*l->r) + across + 63) / 64 * 64);
    if (!l->r)
        return -ENOMEM;
    memset(l->r, 0, 3 * n * sizeof(*l->r));
    l->g = l->r + n;
    l->b = l->g + n;
    b->drawn = (uint8_t *)(l->b + n);
    return 0;
}

void bands_done(struct bands *b)
{
    free(b->band.r);
    *b = (struct bands){0};
}

/* Pixels x0 ≤ x < x1 of the band's rows; those of x2 and so on are on their way meanwhile: rows
 * are far apart in memory. */
static void copy_cells(struct bands *b, const struct radiance *place, int x0, int x1, int x2)
{
    struct radiance *to = &b->band;
    const uint16_t *const from[3] = {place->r, place->g, place->b};
    uint16_t *const plane[3] = {to->r, to->g, to->b};
    const size_t cell = RADIANCE_CELL * sizeof(*to->r);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < to->height; i++) {
            const uint16_t *row = from[k] + (size_t)(to->top + i) * place->stride;
            uint16_t *out = plane[k] + (size_t)i * to->stride;
            int x = x0;
            if (x2 < to->width)
                __builtin_prefetch(row + x2);
            for (; x + RADIANCE_CELL <= x1; x += RADIANCE_CELL)
                memcpy(out + x, row + x, cell);
            if (x < x1)
                memcpy(out + x, row + x, (size_t)(x1 - x) * sizeof(*out));
        }
}

void bands_draw(struct bands *b, int y, const struct radiance *place, struct world *w,
                const struct pane *p)
{
    struct radiance *l = &b->band;
    int across = radiance_across(l);
    l->top = y;
    l->height = place->height - y < RADIANCE_CELL ? place->height - y : RADIANCE_CELL;
    l->unit = place->unit;
    memset(b->drawn, 0, (size_t)across);
    world_mark(w, y, b->drawn);
    pane_mark(p, y, b->drawn);
    for (int i = 0, end, next; i < across; i = next) {
        for (end = i; end < across && b->drawn[end]; end++) {
        }
        for (next = end; next < across && !b->drawn[next]; next++) {
        }
        int x1 = end * RADIANCE_CELL < l->width ? end * RADIANCE_CELL : l->width;
        if (end > i)
            copy_cells(b, place, i * RADIANCE_CELL, x1, next * RADIANCE_CELL);
    }
    world_lay(w, l);
    pane_lay(p, l);
}
