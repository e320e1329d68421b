#include "media/convert.h"

#include <math.h>
#include <string.h>

/* Between two YCbCr systems with the same primaries and transfer the map is linear
 * and keeps greys grey: luma gets a share of both chromas, the chromas mix among
 * themselves. So chroma is converted at its own resolution and luma needs one
 * correction per 2×2 pixels. 16-bit fixed point throughout: the compiler makes
 * high-half multiplications of it. */

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FAST __attribute__((optimize("O3"), target_clones("arch=x86-64-v3", "default")))
#else
#define FAST
#endif

#define COEF_BITS 13 /* of the coefficients */
#define FRAC_BITS 4  /* of the intermediate sums: (value << 7) * coef >> 16 */

struct map {
    int16_t yy, ycb, ycr;           /* luma from luma, Cb, Cr */
    int16_t cbcb, cbcr, crcb, crcr; /* chroma from chroma */
    int16_t y_offset;               /* in 1/16, rounding included */
};

struct system {
    double kr, kb, y_scale, y_zero, c_scale;
};

static struct system system_of(const struct picture *p)
{
    struct system s = {.kr = 0.2126, .kb = 0.0722};
    if (p->matrix == COLOUR_BT601) {
        s.kr = 0.299;
        s.kb = 0.114;
    }
    bool full = p->range == RANGE_FULL;
    s.y_scale = full ? 255 : 219;
    s.y_zero = full ? 0 : 16;
    s.c_scale = full ? 255 : 224;
    return s;
}

static int16_t coef(double v)
{
    return (int16_t)lrint(v * (1 << COEF_BITS));
}

static struct map map_between(const struct picture *from, const struct picture *to)
{
    struct system a = system_of(from), b = system_of(to);
    /* R'G'B' of (Y=0, Cb, Cr) in system a, per unit of normalised chroma */
    double akg = 1 - a.kr - a.kb, bkg = 1 - b.kr - b.kb;
    double r_cr = 2 * (1 - a.kr), b_cb = 2 * (1 - a.kb);
    double g_cb = -a.kb * b_cb / akg, g_cr = -a.kr * r_cr / akg;
    double y_cb = bkg * g_cb + b.kb * b_cb, y_cr = b.kr * r_cr + bkg * g_cr;
    double ys = b.y_scale / a.y_scale, cs = b.c_scale / a.c_scale;
    return (struct map){
        .yy = coef(ys),
        .ycb = coef(y_cb * b.y_scale / a.c_scale),
        .ycr = coef(y_cr * b.y_scale / a.c_scale),
        .cbcb = coef((b_cb - y_cb) / (2 * (1 - b.kb)) * cs),
        .cbcr = coef(-y_cr / (2 * (1 - b.kb)) * cs),
        .crcb = coef(-y_cb / (2 * (1 - b.kr)) * cs),
        .crcr = coef((r_cr - y_cr) / (2 * (1 - b.kr)) * cs),
        .y_offset =
            (int16_t)lrint((b.y_zero - a.y_zero * ys) * (1 << FRAC_BITS) + (1 << (FRAC_BITS - 1))),
    };
}

#define CHUNK 1024 /* chroma samples; keeps the corrections in the first cache */

static inline int16_t high(int value_7, int16_t c)
{
    return (int16_t)((value_7 * (int)c) >> 16);
}

static inline uint8_t clamp8(int v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

FAST static void convert_chroma(const struct map *restrict m, const uint8_t *cb, const uint8_t *cr,
                                uint8_t *to_cb, uint8_t *to_cr, int16_t *restrict correction, int n)
{
    for (int i = 0; i < n; i++) {
        int b = (cb[i] - 128) * 128, r = (cr[i] - 128) * 128;
        int16_t y = (int16_t)(high(b, m->ycb) + high(r, m->ycr) + m->y_offset + 1);
        int16_t u = (int16_t)(high(b, m->cbcb) + high(r, m->cbcr) + 9);
        int16_t v = (int16_t)(high(b, m->crcb) + high(r, m->crcr) + 9);
        correction[2 * i] = correction[2 * i + 1] = y;
        to_cb[i] = clamp8((u >> FRAC_BITS) + 128);
        to_cr[i] = clamp8((v >> FRAC_BITS) + 128);
    }
}

FAST static void convert_luma(int16_t scale, const uint8_t *y, uint8_t *to,
                              const int16_t *restrict correction, int n)
{
    for (int i = 0; i < n; i++) {
        int16_t v = (int16_t)(high(y[i] * 128, scale) + correction[i]);
        to[i] = clamp8(v >> FRAC_BITS);
    }
}

void picture_convert(struct picture *to, const struct picture *from)
{
    if (to->matrix == from->matrix && to->range == from->range) {
        if (to != from)
            picture_copy_rows(to, from, 0, to->height);
        return;
    }
    struct map m = map_between(from, to);
    int16_t correction[2 * CHUNK];
    for (int row = 0; row < to->height / 2; row++) {
        for (int x = 0; x < to->width / 2; x += CHUNK) {
            int n = to->width / 2 - x < CHUNK ? to->width / 2 - x : CHUNK;
            ptrdiff_t cf = (ptrdiff_t)row * from->stride[1] + x;
            ptrdiff_t ct = (ptrdiff_t)row * to->stride[1] + x;
            convert_chroma(&m, from->plane[1] + cf, from->plane[2] + cf, to->plane[1] + ct,
                           to->plane[2] + ct, correction, n);
            for (int i = 0; i < 2; i++) {
                ptrdiff_t line = 2 * (ptrdiff_t)row + i;
                convert_luma(m.yy, from->plane[0] + line * from->stride[0] + 2 * x,
                             to->plane[0] + line * to->stride[0] + 2 * x, correction, 2 * n);
            }
        }
    }
}
