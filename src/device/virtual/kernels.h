/* The inner loops of the virtual camera, compiled once for any machine and once
 * for AVX2, some once more for AVX-512; all give the same bytes (no contraction, no
 * reassociation), which test/unit/world.c and silicon.c prove. */
#ifndef DEVICE_VIRTUAL_KERNELS_H
#define DEVICE_VIRTUAL_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct radiance;

#define CURVE_FULL 32767 /* signal of 1 */

/* From a sample of radiance to the signal of its colour, straight between points: eight for each
 * octave of the sample · scale + CURVE_LEAST, of which there are eight. */
#define CURVE_POINTS 64
#define CURVE_LEAST 2
#define CURVE_END (CURVE_LEAST << 8)
/* The same with gains, where points stand at
 * (GAINED_SPLIT + 0 … GAINED_SPLIT - 1) · 2^n - GAINED_SPLIT. */
#define GAINED_SPLIT 32
#define GAINED_POINTS (19 * GAINED_SPLIT + 3)
struct sensor_curve {
    bool lines;    /* false: there are local gains, or it is too steep: `gained` is meant */
    float scale;   /* a power of two */
    uint16_t most; /* what is more is as much: · scale below the curve's end */
    uint16_t at[3][CURVE_POINTS];      /* red, green, blue: the signal, up to CURVE_FULL */
    uint16_t more[3][CURVE_POINTS];    /* and how much more it is just before the next point, up to
                                        * 32767; above CURVE_FULL it is that */
    uint32_t gained[3][GAINED_POINTS]; /* the signal in the upper half, how much
                                        * more it is at the next point in the lower … */
    float clip;                        /* … and what is more before its gain is as much */
};

/* All that the curve can give without gains. */
#define CURVE_TABLE 8192
struct sensor_table {
    uint16_t at[3][CURVE_TABLE];
};

/* Rows of a developed picture. */
struct developed_at {
    uint16_t *luma, *chroma[2]; /* chroma[0] NULL: none */
    size_t stride;              /* samples, of luma; of chroma half of it */
};

#define DEVELOPED_STEPS 64 /* of a developed sample in one of the picture */

/* How much noise a sample gets, by its luma: straight between points that stand NOISE_SPLIT
 * steps apart. In 256ths of a step for each unit of a Gaussian sample of sigma 32. */
#define NOISE_SPLIT 1024
#define NOISE_POINTS 16
struct sensor_noise {
    int16_t at[NOISE_POINTS];
    int16_t chroma[2]; /* of that, in 32768ths */
    int16_t white;     /* luma from which there is none: it has clipped */
};

/* How a sensor exposes what it measures; light as in media/tone.h. */
#define EXPOSED_BINS 96 /* a quarter of a stop each, from 2^-16 on */
struct exposing {
    float well, shorter; /* electrons for a light of 1: of the long exposure, of the short one */
    float read;          /* noise of reading, electrons */
    float range, white;  /* where light is clipped; from where on it is taken for that */
};

#define CAPSULE_BLOCK 8 /* pixels covered at a time */

/* A soft-edged stroke with round ends, from (x, y) along (ux, uy), downwards. */
struct capsule {
    float x, y;       /* where it begins, in pixels' indices */
    float ux, uy;     /* unit, uy ≥ 0 */
    float length;     /* in radii */
    float inv_radius; /* 1/pixels */
    float lean, half; /* for uy > 0.01: ux/uy; half its width along a row, in pixels */
    float x0, x1;     /* columns that it may touch */
    int y0, y1;       /* rows, within the picture; y1 not included */
    float opacity;    /* of its middle, 0…65535 */
    uint16_t colour[3];
};
/* What a capsule has covered. */
struct capsule_aside {
    uint32_t at;      /* samples from the planes' starts */
    uint16_t cell[2]; /* of the picture, where its first and its last pixel lie */
    uint16_t was[3][CAPSULE_BLOCK];
};

#define FALL_PLACES 4 /* of what falls, in each cell of its lattice */

/* Which of them are wanted: those of the camera's axes (right, up, ahead) in the picture and a
 * margin around it, between two depths, in a ball. Metres. */
struct fall_window {
    double axis[3][3], slope[2], margin_m, near_m, far_m; /* slope: picture's half at 1 m */
    double middle[3], ball2; /* relative to the eye; square of radius */
    double cell_m;
    uint32_t share; /* of the places that are taken, of 65536 */
};
struct fall_found {
    uint64_t hash[FALL_PLACES];
    double at[3][FALL_PLACES], seen[3][FALL_PLACES]; /* relative to the eye; in the camera's axes */
    double away2[FALL_PLACES];                       /* square, from the ball's middle */
};

/* A drop on the dome: a small lens that shows the scene upside down. */
struct drop {
    float x, y, inv_radius, strength;
    float small_x, small_y, reach; /* where its middle and its rim look, in the small picture */
    const uint16_t *small;         /* four numbers a point: r, g, b, nothing */
    int width, height;             /* of that, at least 2 */
};

#define UNIT_SHADE 64 /* 1.0 of a shade */

#define BOKEH_PARTS 32
#define BOKEH_WEIGHT 16384

struct kernels {
    const char *name;
    /* to[i] = mean of a[i] and b[i], rounded up */
    void (*mean2)(uint16_t *to, const uint16_t *a, const uint16_t *b, size_t n);
    /* A row twice as wide from two rows of n samples, of which `near` counts three times
     * as much; near and far may be read at -1 and n. */
    void (*widen)(uint16_t *to, const uint16_t *near, const uint16_t *far, size_t n);
    /* NULL: develop() needs none. */
    void (*tabulate)(const struct sensor_curve *c, struct sensor_table *to);
    /* A box of radiance (r, g, b), w and h even, becomes luma and chroma, in steps, BT.709 in
     * limited range, without noise. */
    void (*develop)(const struct sensor_curve *c, const struct sensor_table *t,
                    const uint16_t *const in[3], size_t stride, int w, int h,
                    const struct developed_at *to);
    /* Two rows (r, g, b of the first, then of the second) by the curve with a gain for each sample
     * of both become two of luma and one of each chroma (cb NULL: none). */
    void (*develop2)(const struct sensor_curve *c, const uint16_t *const in[6],
                     const float *const gain[2], int width, uint16_t *y0, uint16_t *y1,
                     uint16_t *cb, uint16_t *cr);
    /* Two rows of luma and one of each chroma (of chroma[0] NULL: none) with noise, as samples of
     * a picture; n of luma, even. `grain` and `to`: upper and lower luma, blue, red. Of each cell
     * of a radiance of[which[cell]], 0 or 1, is meant (NULL: the first); a row begins with a
     * cell. */
    void (*noise)(const struct sensor_noise *s, const struct developed_at of[2],
                  const uint8_t *which, const int8_t *const grain[4], int n, uint8_t *const to[4]);
    /* n measured samples of three colours times their gain, with noise (of sigma 32), clipped. Of
     * each also the quarter of a stop that its green is in, and whether a colour is white. */
    void (*expose)(const struct exposing *s, const uint16_t *const of[3], const float *gain,
                   const int8_t *const noise[3], int n, float *const to[3], uint8_t *bin,
                   uint8_t *clipped);
    /* Lays n capsules over a picture at least CAPSULE_BLOCK wide, in their order. `aside`:
     * room for what they cover (see weather/find.c for how many), to be put back in reverse
     * order. Returns how many blocks. */
    size_t (*capsules)(const struct capsule *c, size_t n, struct radiance *into,
                       struct capsule_aside *aside);
    /* Lays a colour over a row: alpha of 255, shade in 64ths of the colour. */
    void (*cover)(uint16_t *row, const uint8_t *alpha, const uint8_t *shade, uint32_t colour,
                  int n);
    /* Adds a row of a disc: sums of pixels from a[x] to b[x], and a part of the next ones. */
    void (*disc)(float *acc, const uint32_t *a, const uint32_t *b, float rest, int n);
    /* n times `step` pixels (2, 4 … 32) of a row that lies fy / 2 step of the way from row a
     * to row b of a smaller picture, from the middle of one small pixel to that of the next;
     * of 16 parts one is the veil. n + 1 pixels are read. */
    void (*spread)(uint16_t *to, const uint16_t *a, const uint16_t *b, int n, int step, uint32_t fy,
                   uint32_t veil);
    /* About of eight by eight samples: every second row counts twice. */
    uint32_t (*sum8)(const uint16_t *from, size_t stride);
    /* Means over a small disc of 21 samples, of which two rows and columns around them are read:
     * n of a row of three colours times a weight (up to BOKEH_WEIGHT) and of that; and n of one
     * plane as it is. */
    void (*disc21)(const uint16_t *const from[4], size_t stride, uint16_t *const to[3], int n);
    void (*disc21_plain)(const uint16_t *from, size_t stride, uint16_t *to, int n);
    /* Of 16 × 16 samples: lower where part ≤ base, upper from base + BOKEH_PARTS on, and what lies
     * between. Into lower. */
    void (*between)(uint16_t *lower, const uint16_t *upper, const uint16_t *part, int base);
    /* n samples of a picture half as large from four rows of it, of which two samples are one of
     * the result; one before and one behind them are read. */
    void (*shrink)(uint16_t *to, const uint16_t *const row[4], int n);
    /* n · step samples (2 … 64, a power of two) from one sample's middle of row a to those behind
     * it, between rows a and b: fy of 2 · step. n + 1 samples are read. */
    void (*stretch)(uint16_t *to, const uint16_t *a, const uint16_t *b, int n, int step,
                    uint32_t fy);
    /* All places of the cell of that key and corner. Returns which are wanted, a bit each. */
    unsigned (*places)(const struct fall_window *w, uint64_t key, const double corner[3],
                       struct fall_found *ret);
    /* What there is of a drop in x0 ≤ x < x1, y0 ≤ y < y1 of a picture (both within it). */
    void (*drop)(const struct drop *d, int y0, int y1, int x0, int x1, struct radiance *to);
};

extern const struct kernels kernels_plain;
extern const struct kernels kernels_avx2;
extern const struct kernels
    kernels_avx512;                       /* with VBMI: developing and noise; the rest is AVX2's */
const struct kernels *kernels_best(void); /* what this machine can do */

#endif
