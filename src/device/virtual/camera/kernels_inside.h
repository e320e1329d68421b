/* For kernels*.c of this folder only: numbers that all of them count with. */
#ifndef DEVICE_VIRTUAL_CAMERA_KERNELS_INSIDE_H
#define DEVICE_VIRTUAL_CAMERA_KERNELS_INSIDE_H

#include "device/virtual/kernels.h"

#define CELL                                                                                       \
    16 /* pixels: what is developed alone is a few of these, and of these either of two rows       \
        * is meant when noise is added */

/* As a float a sample's exponent and three more bits are the point of the curve before it, the
 * bits behind them how far it is to the next: WAY_BITS of them count. */
#define WAY_BITS 7
#define INDEX_SHIFT (23 - 3 - WAY_BITS)
_Static_assert(CURVE_TABLE == CURVE_POINTS << WAY_BITS, "a table is all ways from all points");

/* BT.709, limited range: luma 16…235, chroma 16…240; in steps. What a signal of 1 gives, in
 * 32768ths of CURVE_FULL. */
#define STEPS DEVELOPED_STEPS
#define SHARE(x) ((int)((x)*STEPS * 32768 / CURVE_FULL + ((x) < 0 ? -0.5 : 0.5)))
#define YR SHARE(219 * 0.2126)
#define YB SHARE(219 * 0.0722)
#define YG (SHARE(219.0) - YR - YB)
#define BR SHARE(-112 * 0.2126 / 0.9278)
#define BB SHARE(112.0)
#define BG (-BR - BB)
#define RB SHARE(-112 * 0.0722 / 0.7874)
#define RR SHARE(112.0)
#define RG (-RB - RR)
#define BLACK (16 * STEPS)
#define GREY (128 * STEPS)

/* A product of two numbers of which one is in 32768ths, rounded, as one instruction of the
 * machine does it. */
static inline int share_of(int a, int b)
{
    return (a * b + 0x4000) >> 15;
}

/* What a band of rows of n samples later is read, or written. */
#define EXPECT_READ(p, n) __builtin_prefetch((p) + (size_t)CELL * (size_t)(n), 0, 2)
#define EXPECT_WRITE(p, n) __builtin_prefetch((p) + (size_t)CELL * (size_t)(n), 1, 2)

#endif
