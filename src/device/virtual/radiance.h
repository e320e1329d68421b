/* A picture of light, before any sensor: what the place, the cast, the weather and the lens
 * are painted into. One thread at a time. */
#ifndef DEVICE_VIRTUAL_RADIANCE_H
#define DEVICE_VIRTUAL_RADIANCE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define RADIANCE_CELL 16 /* pixels: side of what `touched` tells apart */

/* Of functions that only fetch what will be wanted: the compiler thinks that they do nothing, and
 * leaves calls of them out. */
#define RADIANCE_FETCHES static inline __attribute__((always_inline))

/* Linear radiance, scene-referred, Rec.709 primaries, planar 16-bit with a common
 * scale. */
struct radiance {
    int width, height;
    size_t stride; /* in samples */
    uint16_t *r, *g, *b;
    double unit;      /* samples per white card in full sun: 16384 by day, more at night */
    uint64_t held;    /* world_render's note of what is in here already; 0 at first, and
                       * again whenever somebody else has written into the planes */
    uint8_t *touched; /* not 0: a cell whose light may differ from when its owner last cleared
                       * this; row by row, radiance_across() a row. NULL: nobody asks */
    int top;          /* of a band of a picture: which of its rows the first one is; else 0 */
};

/* Memory for planes, to be freed: in large pages of the machine, since squares of a picture
 * lie in many small ones. NULL: there is none. */
static inline void *radiance_room(size_t bytes)
{
    const size_t page = 1 << 21;
    void *p = NULL;
    bytes = (bytes + page - 1) / page * page;
    if (posix_memalign(&p, page, bytes) != 0)
        return NULL;
    madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

static inline int radiance_across(const struct radiance *l)
{
    return (l->width + RADIANCE_CELL - 1) / RADIANCE_CELL;
}
static inline int radiance_down(const struct radiance *l)
{
    return (l->height + RADIANCE_CELL - 1) / RADIANCE_CELL;
}
/* Whoever writes pixels x0 ≤ x < x1, y0 ≤ y < y1 (within the picture) says so. */
static inline void radiance_touch(struct radiance *l, int x0, int y0, int x1, int y1)
{
    if (!l->touched || x1 <= x0 || y1 <= y0)
        return;
    size_t across = (size_t)radiance_across(l), first = (size_t)(x0 / RADIANCE_CELL);
    size_t n = (size_t)((x1 - 1) / RADIANCE_CELL) + 1 - first;
    for (int y = y0 / RADIANCE_CELL; y <= (y1 - 1) / RADIANCE_CELL; y++)
        memset(l->touched + (size_t)y * across + first, 1, n);
}

#endif
