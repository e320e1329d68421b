/* Working tiles: which light each has, and since when. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "device/virtual/place/backdrop_inside.h"

#define SLAB 16 /* working tiles that are one large page of the machine's memory */
#define SECOND INT64_C(1000000000)

/* Lights change in steps of these lengths, the longest that shows no step. */
static const int64_t period[PERIODS] = {8 * SECOND, SECOND, SECOND / 8};
static const double most_change[PERIODS] = {0.004, 0.008, 0.05};

/* ---- what light a tile has ---- */

/* How much two lights differ, as a share of what there is of sun and sky, of lamps, or of the
 * camera's own: their numbers are of other powers, and each lights some place alone. */
static double change(const struct light *a, const struct light *b)
{
    double part[3] = {1e-12, 1e-12, 1e-12}, differ[3] = {0}, sum = 1, apart = 0;
    for (int i = 0; i < LIGHT_SOFT; i++)
        for (int k = 0; k < 3; k++) {
            int of = i < SOFT_LAMPS ? 0 : i == SOFT_IR ? 2 : 1;
            differ[of] += fabs((double)(a->soft[i][k] - b->soft[i][k]));
            part[of] += (double)(a->soft[i][k]);
        }
    for (int i = 0; i < LIGHT_SUNS; i++) {
        double da = (double)(a->sun_share[i] * a->sun_colour[1]);
        double db = (double)(b->sun_share[i] * b->sun_colour[1]);
        differ[0] += fabs(da - db);
        part[0] += da;
    }
    for (int i = 0; i < 3; i++)
        apart = fmax(apart, differ[i] / part[i]);
    double air = fabs(a->extinction - b->extinction) / fmax(a->extinction, b->extinction);
    return apart / sum + fabs(a->wet - b->wet) * 0.4 + fabs(a->lying - b->lying) + air * 0.2;
}

static void light_then(struct backdrop *b, int phase, int i, int64_t t)
{
    struct past *p = &b->past[i][phase];
    int64_t offset = period[i] / PHASES * phase,
            then = (t + offset) / period[i] * period[i] - offset;
    then = then < b->since_ns ? b->since_ns : then;
    if (p->known && p->time_ns == then)
        return;
    b->light_at(b->ctx, then, &p->light);
    p->time_ns = then;
    p->known = true;
}

void lit_choose(struct backdrop *b, const struct light *now, int64_t t)
{
    b->stale = 0;
    for (int i = 0; i < PHASES; i++) {
        const struct light *l = now;
        for (int k = 0; k < PERIODS && b->light_at && l == now; k++) {
            light_then(b, i, k, t);
            if (change(now, &b->past[k][i].light) < most_change[k])
                l = &b->past[k][i].light;
        }
        struct mix m;
        mixing_of(l, now->unit, &m);
        struct phase *p = &b->phase[i];
        struct light before = p->light;
        p->light = *l;
        p->light.unit = now->unit;
        if (memcmp(&before, &p->light, sizeof(before)) != 0)
            b->stale |= (uint16_t)(1 << i);
        if (p->id && !memcmp(&p->mix, &m, sizeof(m)))
            continue;
        p->mix = m;
        p->id = ++b->ids;
        b->stale |= (uint16_t)(1 << i);
    }
}

static int phase_of(uint32_t tile)
{
    return (int)(tile * 2654435761u >> 28) & (PHASES - 1);
}

/* ---- working tiles ---- */

/* Sixteen at a time: then they are one large page of the machine's memory. */
static bool add_slots(struct backdrop *b)
{
    const size_t texels = 4 * TILE * TILE, page = SLAB * texels * sizeof(uint16_t);
    if (b->n_slots % SLAB == 0) {
        uint16_t *slab = aligned_alloc(page, page);
        if (!slab)
            return false;
        madvise(slab, page, MADV_HUGEPAGE);
        b->slot[b->n_slots].slab = slab;
    }
    b->slot[b->n_slots].texels =
        b->slot[b->n_slots / SLAB * SLAB].slab + (size_t)(b->n_slots % SLAB) * texels;
    return true;
}

static struct slot *victim(struct backdrop *b)
{
    struct slot *best = NULL;
    for (int i = 0; i < b->n_slots; i++)
        if (!best || b->slot[i].used < best->used)
            best = &b->slot[i];
    if (b->n_slots < b->most_slots && add_slots(b))
        return &b->slot[b->n_slots++];
    if (best)
        b->where[best->tile] = 0;
    return best;
}

/* The lit texels of a tile of the sheet; NULL: there is nothing (or no memory: failed). */
const uint16_t *lit_tile(struct backdrop *b, const struct patch *p, const struct sheet *s,
                         uint32_t index, struct cell *cell)
{
    const struct tile *tile = &b->tiles->tile[index];
    if (!tile->albedo) {
        cell->flags |= CELL_SKY;
        return NULL;
    }
    int phase = phase_of(index);
    const struct phase *ph = &b->phase[phase];
    cell->phases |= (uint16_t)(1 << phase);
    if (tile->cover)
        cell->flags |= CELL_SKY;
    struct slot *slot = b->where[index] ? &b->slot[b->where[index] - 1] : NULL;
    if (!slot) {
        slot = victim(b);
        if (!slot) {
            b->failed = true;
            return NULL;
        }
        slot->tile = index;
        slot->light = 0;
        b->where[index] = (uint32_t)(slot - b->slot) + 1;
    }
    slot->used = ++b->clock;
    if (slot->light != ph->id) {
        mixing_tile(b->tiles, b->kernels, p, s, index, &ph->light, &ph->mix, b->scratch,
                    slot->texels);
        slot->light = ph->id;
        b->n_mixed++;
    }
    return slot->texels;
}
