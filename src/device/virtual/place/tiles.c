#include "device/virtual/place/tiles.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "device/virtual/place/unpacked.h"

static bool holds(const struct tiles *t, uint64_t at, uint64_t n, uint64_t each)
{
    return at % 8 == 0 && at <= t->size && n <= (t->size - at) / each;
}

static bool part_ok(const struct tiles *t, uint32_t at, size_t bytes)
{
    return !at || holds(t, (uint64_t)at * TILE_UNIT, 1, bytes);
}

static bool tile_ok(const struct tiles *t, const struct tile *p)
{
    bool ok = part_ok(t, p->albedo, TILE * TILE + 2 * TILE_HALF * TILE_HALF) &&
              part_ok(t, p->cover, TILE * TILE) &&
              part_ok(t, p->depth, sizeof(uint16_t) * TILE_HALF * TILE_HALF) &&
              part_ok(t, p->suns, LIGHT_SUNS * TILE_HALF * TILE_HALF) &&
              part_ok(t, p->sway, TILE_EIGHTH * TILE_EIGHTH);
    for (int i = 0; i < LIGHT_SOFT; i++)
        ok = ok && part_ok(t, p->soft[i], sizeof(uint32_t) * TILE_QUARTER * TILE_QUARTER);
    return ok && (p->depth || !p->albedo);
}

static bool sheet_ok(const struct tiles *t, const struct sheet *s)
{
    return s->density > 0 && s->density < 1e6 && s->width > 0 && s->height > 0 &&
           s->width <= 1 << 20 && s->height <= 1 << 20 &&
           s->across == (s->width + TILE - 1) / TILE && s->down == (s->height + TILE - 1) / TILE &&
           s->first <= t->head->n_tiles && s->across * s->down <= t->head->n_tiles - s->first;
}

static bool patch_ok(const struct tiles *t, const struct patch *p)
{
    return !p->name[sizeof(p->name) - 1] && p->projection <= PROJECTION_DOWN && p->n > 0 &&
           p->first <= t->head->n_sheets && p->n <= t->head->n_sheets - p->first && p->round <= 1 &&
           p->pan0 >= -360 && p->pan1 <= 361 && p->pan0 < p->pan1 && p->tilt0 >= -90.5 &&
           p->tilt1 <= 91 && p->tilt0 < p->tilt1 && p->feather > 0 && p->feather < 90;
}

static bool sign_ok(const struct tiles *t, const struct sign *s)
{
    return !s->text[SIGN_TEXT - 1] && s->field && s->width >= 2 && s->height >= 2 && s->reach > 0 &&
           part_ok(t, s->field, (size_t)s->width * s->height);
}

static bool ground_ok(const struct tiles *t, const struct tiles_head *h)
{
    return h->ground_across >= 2 && h->ground_down >= 2 && h->ground_across <= 4096 &&
           h->ground_down <= 4096 && h->ground_step > 0 &&
           holds(t, h->ground, (uint64_t)h->ground_across * h->ground_down,
                 sizeof(struct ground_cell));
}

/* Whether every table and every part lies within the file. */
static bool valid(struct tiles *t)
{
    const struct tiles_head *h = t->head;
    if (h->size != t->size || h->name[sizeof(h->name) - 1] || !h->n_patches ||
        !holds(t, h->patches, h->n_patches, sizeof(struct patch)) ||
        !holds(t, h->sheets, h->n_sheets, sizeof(struct sheet)) ||
        !holds(t, h->tiles, h->n_tiles, sizeof(struct tile)) ||
        !holds(t, h->signs, h->n_signs, sizeof(struct sign)) ||
        !holds(t, h->lamps, h->n_lamps, sizeof(struct lamp)) ||
        !holds(t, h->meter, METER_ACROSS * METER_DOWN, sizeof(struct meter_cell)))
        return false;
    t->patch = (const void *)(t->base + h->patches);
    t->sheet = (const void *)(t->base + h->sheets);
    t->tile = (const void *)(t->base + h->tiles);
    t->sign = (const void *)(t->base + h->signs);
    t->lamp = (const void *)(t->base + h->lamps);
    t->meter = (const void *)(t->base + h->meter);
    bool ok = !h->ground || ground_ok(t, h);
    t->ground = ok && h->ground ? (const void *)(t->base + h->ground) : NULL;
    for (uint32_t i = 0; ok && i < h->n_patches; i++)
        ok = patch_ok(t, &t->patch[i]);
    for (uint32_t i = 0; ok && i < h->n_sheets; i++)
        ok = sheet_ok(t, &t->sheet[i]);
    for (uint32_t i = 0; ok && i < h->n_tiles; i++)
        ok = tile_ok(t, &t->tile[i]);
    for (uint32_t i = 0; ok && i < h->n_signs; i++)
        ok = sign_ok(t, &t->sign[i]);
    return ok;
}

static struct vec towards(double pan_deg, double tilt_deg)
{
    double p = pan_deg * M_PI / 180, t = tilt_deg * M_PI / 180;
    return vec(sin(p) * cos(t), cos(p) * cos(t), sin(t));
}

static struct patch_cone cone_of(const struct patch *p)
{
    struct patch_cone c = {.middle = towards((p->pan0 + p->pan1) / 2, (p->tilt0 + p->tilt1) / 2)};
    c.cosine = fmin(vec_dot(c.middle, towards(p->pan0, p->tilt0)),
                    vec_dot(c.middle, towards(p->pan0, p->tilt1))) -
               1e-9;
    c.sine = sqrt(fmax(1 - c.cosine * c.cosine, 0));
    return c;
}

struct tiles *tiles_open(const char *path, struct fault *why)
{
    struct tiles *t = calloc(1, sizeof(*t));
    if (!t) {
        fault_set(why, FAULT_INTERNAL, "place", "not enough memory for a place");
        return NULL;
    }
    t->base = unpacked_map(path, &t->size);
    if (!t->base) {
        fault_set(why, FAULT_IO, "place", "%s cannot be read (%s): 'make build' makes it", path,
                  strerror(errno));
        return tiles_close(t);
    }
    t->head = (const void *)t->base;
    if (t->size < sizeof(struct tiles_head) || memcmp(t->head->magic, TILES_MAGIC, 8) != 0 ||
        t->head->version != TILES_VERSION || t->head->size_of_tile != sizeof(struct tile) ||
        !valid(t)) {
        fault_set(why, FAULT_INVALID, "place",
                  "%s is damaged or of another version: delete it and run 'make build'", path);
        return tiles_close(t);
    }
    t->cone = calloc(t->head->n_patches, sizeof(*t->cone));
    t->octave = malloc(4096 * sizeof(*t->octave));
    if (!t->cone || !t->octave) {
        fault_set(why, FAULT_INTERNAL, "place", "not enough memory for a place");
        return tiles_close(t);
    }
    for (uint32_t i = 0; i < t->head->n_patches; i++)
        t->cone[i] = cone_of(&t->patch[i]);
    for (int i = 0; i < 4096; i++)
        t->octave[i] = (float)exp2(i / 4096.0);
    return t;
}

struct tiles *tiles_close(struct tiles *t)
{
    if (!t)
        return NULL;
    unpacked_unmap(t->base, t->size);
    free(t->cone);
    free(t->octave);
    free(t);
    return NULL;
}

struct tiles *tiles_find(const char *name, struct fault *why)
{
    char file[64], path[UNPACKED_PATH];
    snprintf(file, sizeof(file), "%s.place", name);
    unpacked_path(file, path);
    if (access(path, F_OK) == 0)
        return tiles_open(path, why);
    fault_set(why, FAULT_UNKNOWN, "source",
              "the place '%s' is not there (%s): run 'make build' to unpack it", name, path);
    return NULL;
}
