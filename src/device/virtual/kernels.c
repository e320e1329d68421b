/* Blur and widening. Compiled several times with different KERNELS and -march; see
 * kernels.h. */
#include "device/virtual/kernels_inside.h"

INLINE void mean2_n(uint16_t *to, const uint16_t *a, const uint16_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint16_t)((a[i] + b[i] + 1) >> 1);
}

static void mean2(uint16_t *to, const uint16_t *a, const uint16_t *b, size_t n)
{
    if (n == STRIP) /* the usual size, unrolled */
        mean2_n(to, a, b, STRIP);
    else
        mean2_n(to, a, b, n);
}

static void widen(uint16_t *to, const uint16_t *near, const uint16_t *far, size_t n)
{
    uint32_t mixed[STRIP + 2];
    for (size_t x = 0; x < n; x += STRIP) {
        size_t m = n - x < STRIP ? n - x : STRIP;
        const uint16_t *p = near + x - 1, *q = far + x - 1;
        for (size_t i = 0; i < m + 2; i++)
            mixed[i] = 3u * p[i] + q[i];
        for (size_t i = 0; i < m; i++) {
            to[2 * (x + i)] = (uint16_t)((mixed[i] + 3 * mixed[i + 1] + 8) >> 4);
            to[2 * (x + i) + 1] = (uint16_t)((3 * mixed[i + 1] + mixed[i + 2] + 8) >> 4);
        }
    }
}

#define SAME_IN_ALL                                                                                \
    .mean2 = mean2, .widen = widen, .develop2 = KERNELS_OWN(develop2),                             \
    .capsules = KERNELS_OWN(capsules), .cover = KERNELS_OWN(cover), .disc = KERNELS_OWN(disc),     \
    .spread = KERNELS_OWN(spread), .sum8 = KERNELS_OWN(sum8), .drop = KERNELS_OWN(drop),           \
    .places = KERNELS_OWN(places), .disc21 = KERNELS_OWN(disc21),                                  \
    .disc21_plain = KERNELS_OWN(disc21_plain), .between = KERNELS_OWN(between),                    \
    .shrink = KERNELS_OWN(shrink), .stretch = KERNELS_OWN(stretch), .expose = KERNELS_OWN(expose)

extern const struct kernels KERNELS;
const struct kernels KERNELS = {SAME_IN_ALL, .name = KERNELS_NAME,
                                .tabulate = KERNELS_OWN(tabulate), .develop = KERNELS_OWN(develop),
                                .noise = KERNELS_OWN(noise)};

#ifdef KERNELS_WIDER /* these, but for what is wider (camera/kernels_wide.c) */
#define WIDER_OWN(name) KERNELS_JOIN(KERNELS_WIDER, name)
extern __typeof__(KERNELS_OWN(develop)) WIDER_OWN(develop);
extern __typeof__(KERNELS_OWN(noise)) WIDER_OWN(noise);

extern const struct kernels KERNELS_WIDER;
const struct kernels KERNELS_WIDER = {SAME_IN_ALL, .name = KERNELS_WIDER_NAME,
                                      .develop = WIDER_OWN(develop), .noise = WIDER_OWN(noise)};
#endif
