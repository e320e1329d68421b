/* Compiled several times with different ACTIVITY_KERNELS and -march; see activity_kernels.h.
 * Pairs are added by splitting words in halves, which is a vector's own operation and the same
 * in both byte orders. */
#include "media/activity_kernels.h"

#include <string.h>

#define STRIP 16 /* samples at a time: loops of known length become vectors */
#define CELLS (STRIP / 4)
#define INLINE static inline __attribute__((always_inline))

static void reduce(uint16_t *to, const uint8_t *const row[4], size_t n)
{
    for (size_t x = 0; x < n; x += STRIP) {
        uint16_t pair[2 * STRIP], sum[2 * STRIP] = {0};
        uint32_t four[STRIP];
        for (int r = 0; r < 4; r++) {
            memcpy(pair, row[r] + 4 * x, sizeof(pair));
            for (int i = 0; i < 2 * STRIP; i++)
                sum[i] = (uint16_t)(sum[i] + (pair[i] & 255) + (pair[i] >> 8));
        }
        memcpy(four, sum, sizeof(four));
        for (int i = 0; i < STRIP; i++)
            to[x + (size_t)i] = (uint16_t)((four[i] & 0xffff) + (four[i] >> 16));
    }
}

/* Of each cell's four. */
INLINE void add_fours(uint32_t ret[CELLS], const uint16_t v[STRIP])
{
    uint32_t pair[STRIP / 2];
    uint64_t two[CELLS];
    memcpy(pair, v, sizeof(pair));
    for (int i = 0; i < STRIP / 2; i++)
        pair[i] = (pair[i] & 0xffff) + (pair[i] >> 16);
    memcpy(two, pair, sizeof(two));
    for (int i = 0; i < CELLS; i++)
        ret[i] = (uint32_t)(two[i] + (two[i] >> 32));
}

INLINE void difference(uint16_t ret[STRIP], const uint16_t a[STRIP], const uint16_t b[STRIP])
{
    for (int i = 0; i < STRIP; i++) {
        int d = a[i] - b[i];
        ret[i] = (uint16_t)(d < 0 ? -d : d);
    }
}

static void compare(struct activity_sums *sums, const uint16_t *now, const uint16_t *kept,
                    size_t cells)
{
    for (size_t c = 0; c < cells; c += CELLS) {
        uint16_t was[STRIP], d[STRIP], edge[STRIP];
        uint32_t of_d[CELLS], of_now[CELLS], of_was[CELLS], of_edge[CELLS];
        for (int i = 0; i < STRIP; i++)
            was[i] = (uint16_t)(kept[i] >> ACTIVITY_KEPT_SHIFT);
        difference(d, now, was);
        difference(edge, now, now + 1);
        add_fours(of_d, d);
        add_fours(of_now, now);
        add_fours(of_was, was);
        add_fours(of_edge, edge);
        for (int i = 0; i < CELLS; i++) {
            sums[i].difference += of_d[i];
            sums[i].now += of_now[i];
            sums[i].kept += of_was[i];
            sums[i].detail += of_edge[i];
        }
        now += STRIP;
        kept += STRIP;
        sums += CELLS;
    }
}

static void follow(uint16_t *kept, const uint16_t *now, const uint8_t *shift, size_t cells)
{
    for (size_t c = 0; c < cells; c++, kept += 4, now += 4)
        for (int i = 0; i < 4; i++)
            kept[i] =
                (uint16_t)(kept[i] + (((now[i] << ACTIVITY_KEPT_SHIFT) - kept[i]) >> shift[c]));
}

const struct activity_kernels ACTIVITY_KERNELS = {ACTIVITY_KERNELS_NAME, reduce, compare, follow};
