/* The inner loops of finishing (finish.h), compiled once for any machine and once for AVX2;
 * both give the same bytes, which test/unit/finish.c proves. Rows are 8-bit samples. */
#ifndef IMAGE_KERNELS_H
#define IMAGE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much the newest picture counts against what has been collected of earlier ones. */
struct blend {
    int least;     /* of 256, where nothing differs */
    int floor_x16; /* differences up to that (in sixteenths) are noise … */
    int slope;     /* … and beyond it each adds so many 256ths of a sixteenth */
};

struct image_kernels {
    const char *name;
    void (*lookup)(uint8_t *row, size_t n, const uint8_t table[256]);
    /* 128 + (row - 128)·k/64 */
    void (*saturate)(uint8_t *row, size_t n, int k_x64);
    /* (row - zero)·gain + offset + zero, both linear between knots that stand `step` samples
     * apart (a power of two), in 4096ths; zero: 16 luma, 128 chroma. */
    void (*affine)(uint8_t *row, size_t n, int step, const int32_t *gain, const int32_t *offset,
                   int zero);
    /* to = middle + k/64 of what it differs from the mean of its 3 × 3 neighbours, above the
     * noise (in grey levels). The rows may be read at -1 and n. */
    void (*sharpen)(uint8_t *to, const uint8_t *above, const uint8_t *middle, const uint8_t *below,
                    size_t n, int k_x64, int noise);
    /* Neighbours of the 3 × 3 that differ by less than `like` are averaged. As sharpen. */
    void (*smooth)(uint8_t *to, const uint8_t *above, const uint8_t *middle, const uint8_t *below,
                   size_t n, int like);
    /* Recursive mean: `kept` (8.4 fixed point) takes up the row, the row becomes it. Returns
     * the sum of small differences (below 32), for the estimate of noise. */
    uint32_t (*collect)(uint8_t *row, uint16_t *kept, size_t n, const struct blend *b);
    /* to[i] = from at (x + i·step)/65536, bilinear between rows top and below (weight of below
     * in 256ths). Reads [x/65536, (x + (n-1)·step)/65536 + 1]. */
    void (*resample)(uint8_t *to, const uint8_t *top, const uint8_t *below, int weight, size_t n,
                     int32_t x, int32_t step);
    /* to = add + to·keep/255: what is premultiplied laid over a row. add + keep ≤ 255. */
    void (*over)(uint8_t *to, const uint8_t *add, const uint8_t *keep, size_t n);
};

extern const struct image_kernels image_kernels_plain, image_kernels_avx2;
const struct image_kernels *image_kernels_best(void); /* what this machine can do */

#endif
