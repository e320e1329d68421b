/* Which patches of a place a view is made of, and where directions lie in them. Pure
 * functions; inside of the backdrop. */
#ifndef DEVICE_VIRTUAL_PLACE_PLAN_H
#define DEVICE_VIRTUAL_PLACE_PLAN_H

#include "device/virtual/place/tiles.h"
#include "device/virtual/view.h"

#define PLAN_MOST 64
#define PLAN_FULL 256

struct plan_use {
    const struct patch *patch;
    const struct sheet *sheet; /* as dense as the picture, or the finest */
    double fade;               /* 0…1: finer patches come in with the zoom */
    const struct patch_cone *cone;
};

struct plan {
    struct plan_use use[PLAN_MOST]; /* the finest first */
    int n;
    double cell_deg; /* of a cell's diagonal, see below */
};

struct look {
    double pan, tilt; /* degrees */
    struct vec to;    /* unit */
    double narrow;    /* cosine of the tilt */
};

/* Texels per pixel beyond which a coarser sheet is taken. Baked texels are a little blurred
 * among their neighbours: that many of them make no moiré. */
#define PLAN_SHARP 1.6
#define PLAN_QUICK 1.1 /* for pictures that are smeared a little, anyway */

/* `span`: pixels between the points at which weights are asked for. */
void plan_init(struct plan *p, const struct tiles *t, const struct view *v, double span,
               double too_dense);
/* As for the narrowest picture of anything: PLAN_MOST patches in their finest sheets. */
void plan_finest(struct plan *p, const struct tiles *t);
void look_at(struct look *l, struct vec direction);
/* 0…PLAN_FULL: how much of the picture this patch makes there. Where it is more than 0 all
 * within a span belongs to the patch. */
int plan_weight(const struct plan *p, const struct plan_use *u, const struct look *at);
/* Texels of a sheet, from its left top corner. */
void plan_texel(const struct patch *p, const struct sheet *s, const struct look *at, double *ret_x,
                double *ret_y);
/* The finest patch that makes at least half of the picture there; NULL: none. */
const struct plan_use *plan_find(const struct plan *p, const struct look *at);
/* The tile at these texels; NULL: nothing there. Then ret_x and ret_y are 0…TILE - 1. */
static inline const struct tile *plan_tile(const struct tiles *t, const struct patch *p,
                                           const struct sheet *s, double x, double y, int *ret_x,
                                           int *ret_y)
{
    if (!(x >= 0 && y >= 0 && y < s->height))
        return NULL;
    if (x >= s->width) {
        if (!p->round)
            return NULL;
        x = fmax(x - 360 * s->density, 0);
    }
    /* Sheets are at most 2^20 texels wide: tiles.c. */
    int32_t ix = (int32_t)x, iy = (int32_t)y;
    if (ix >= (int32_t)s->width)
        return NULL;
    const struct tile *tile =
        &t->tile[s->first + (uint32_t)iy / TILE * s->across + (uint32_t)ix / TILE];
    *ret_x = ix % TILE;
    *ret_y = iy % TILE;
    return tile->albedo ? tile : NULL;
}

#endif
