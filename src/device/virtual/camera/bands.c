#include "device/virtual/camera/bands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/virtual/camera/mess.h"
#include "device/virtual/world.h"

#define LINE 64 /* bytes of the processor's cache */

int bands_init(struct bands *b, int width, int height)
{
    size_t n = (size_t)width * RADIANCE_CELL;
    struct radiance *l = &b->band;
    *l = (struct radiance){.width = width, .height = height, .stride = (size_t)width};
    size_t across = (size_t)radiance_across(l), cells = across * (size_t)radiance_down(l);
    l->r = aligned_alloc(64, (3 * n * sizeof(*l->r) + across + cells + 63) / 64 * 64);
    b->cell = aligned_alloc(64, cells * sizeof(*b->cell)); /* most are never written */
    if (!l->r || !b->cell) {
        bands_done(b);
        return -ENOMEM;
    }
    memset(l->r, 0, 3 * n * sizeof(*l->r));
    l->g = l->r + n;
    l->b = l->g + n;
    b->drawn = (uint8_t *)(l->b + n);
    b->known = b->drawn + across;
    b->place = NULL;
    return 0;
}

void bands_done(struct bands *b)
{
    free(b->band.r);
    free(b->cell);
    *b = (struct bands){0};
}

void bands_begin(struct bands *b, const struct radiance *place)
{
    if (!place) {
        b->place = NULL;
        return;
    }
    size_t cells = (size_t)radiance_across(place) * (size_t)radiance_down(place);
    if (b->place != place || !place->touched)
        memset(b->known, 0, cells);
    else
        for (size_t i = 0; i < cells; i++)
            b->known[i] &= (uint8_t)(place->touched[i] ? 0 : 1);
    b->place = place;
}

/* ---- cells ---- */

static int least(int a, int b)
{
    return a < b ? a : b;
}

static size_t cell_at(const struct bands *b, int x, int y)
{
    return (size_t)(y / RADIANCE_CELL) * (size_t)radiance_across(b->place) +
           (size_t)(x / RADIANCE_CELL);
}

/* From the picture of the place, of which the cell may be cut. */
static void take_cell(const struct radiance *place, int x, int y, struct band_cell *to)
{
    const uint16_t *const from[3] = {place->r, place->g, place->b};
    int w = least(RADIANCE_CELL, place->width - x), h = least(RADIANCE_CELL, place->height - y);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < h; i++) {
            const uint16_t *row = from[k] + (size_t)(y + i) * place->stride + x;
            if (w == RADIANCE_CELL)
                memcpy(to->of[k][i], row, sizeof(to->of[k][i]));
            else
                memcpy(to->of[k][i], row, (size_t)w * sizeof(*row));
        }
}

static void put_cell(const struct band_cell *from, int x, struct radiance *band)
{
    uint16_t *const to[3] = {band->r, band->g, band->b};
    int w = least(RADIANCE_CELL, band->width - x);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < RADIANCE_CELL; i++) {
            uint16_t *row = to[k] + (size_t)i * band->stride + x;
            if (w == RADIANCE_CELL)
                memcpy(row, from->of[k][i], sizeof(from->of[k][i]));
            else
                memcpy(row, from->of[k][i], (size_t)w * sizeof(*row));
        }
}

/* A cell is on its way to the processor from now on. */
RADIANCE_FETCHES void expect_cell(const struct bands *b, int x, int y)
{
    const struct radiance *place = b->place;
    size_t at = cell_at(b, x, y);
    if (b->known[at]) {
        const char *from = (const char *)&b->cell[at];
        for (size_t i = 0; i < sizeof(b->cell[at]); i += LINE)
            __builtin_prefetch(from + i, 0, 2);
        return;
    }
    const uint16_t *const from[3] = {place->r, place->g, place->b};
    for (int k = 0; k < 3; k++)
        for (int i = y; i < y + RADIANCE_CELL && i < place->height; i++)
            __builtin_prefetch(from[k] + (size_t)i * place->stride + x, 0, 2);
}

void bands_draw(struct bands *b, int y, struct world *w, const struct pane *p)
{
    const struct radiance *place = b->place;
    struct radiance *l = &b->band;
    l->top = y;
    l->height = least(RADIANCE_CELL, place->height - y);
    l->unit = place->unit;
    memset(b->drawn, 0, (size_t)radiance_across(place));
    world_mark(w, y, b->drawn);
    pane_mark(p, y, b->drawn);
    for (int x = 0, i = 0; x < l->width; x += RADIANCE_CELL, i++)
        if (b->drawn[i])
            expect_cell(b, x, y);
    for (int x = 0, i = 0; x < l->width; x += RADIANCE_CELL, i++) {
        if (!b->drawn[i])
            continue;
        size_t at = cell_at(b, x, y);
        if (!b->known[at])
            take_cell(place, x, y, &b->cell[at]);
        b->known[at] = 1;
        put_cell(&b->cell[at], x, l);
    }
    world_lay(w, l);
    pane_lay(p, l);
}
