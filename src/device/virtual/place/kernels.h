/* The inner loops of the backdrop, compiled once for any machine and once for AVX2; both
 * give the same bytes, which test/unit/backdrop.c proves. Used by backdrop.c only.
 *
 * A mixed texel is four 16-bit numbers, r, g, b, coverage, each less 32768, so that signed
 * multiplications take them as they are; radiance is premultiplied by coverage. */
#ifndef DEVICE_VIRTUAL_PLACE_KERNELS_H
#define DEVICE_VIRTUAL_PLACE_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "device/virtual/place/tiles.h"

#define CELL 16 /* pixels: the picture is painted in squares of that side */
#define CELL_SAMPLES (CELL * CELL * 4)
#define SKY_STEP 8 /* pixels from one sample of the sky to the next */
#define SKY_SIDE (CELL / SKY_STEP + 1)
#define MAGNIFY_MOST 20 /* texels each way that a magnified cell is made of */
#define GRAIN 256       /* side of the table of grain */

/* How the layers of a tile are weighed. */
struct mix {
    float soft[LIGHT_SOFT][3];
    float sun[LIGHT_SUNS][3]; /* of 255 */
    float haze[3];
    float extinction; /* per metre; 0: clear */
    float wet;
    float white; /* lying snow, 0…1 */
    float most;  /* light on snow, and its red for each green */
    float warm;
    float beside[7]; /* what mixing_tile() needs of the light besides */
    bool leaves;     /* they throw back, besides: infrared of each soft layer, and of each sun */
    float infrared[LIGHT_SOFT], sun_infrared[LIGHT_SUNS];
    float unit; /* samples per white card */
};

struct mix_tile {
    const uint8_t *y, *cb, *cr;
    const uint8_t *cover; /* NULL: all place */
    const uint8_t *suns;  /* NULL: all in shadow */
    const uint16_t *depth;
    const uint32_t *soft[LIGHT_SOFT]; /* NULL: dark */
    const float *mirror; /* 3 × TILE_QUARTER²: radiance that wet ground would mirror; or NULL */
    bool tubes;          /* what shines is thinner than its samples: it is not guided by colours */
    const float *glow;   /* the same that the air adds by itself */
    /* Of wet ground, each row: what the water leaves of the colour, and how much it mirrors. */
    float dry[TILE_HALF], gloss[TILE_HALF];
    float sine[TILE_HALF], cosine[TILE_HALF];            /* how steeply each row looks down */
    float steep;                                         /* 1 / depth code of a row's angle */
    uint16_t ground_lo[TILE_HALF], ground_hi[TILE_HALF]; /* depths of the ground in each row */
    /* Depths from which on there is no roof: of a column's front, and what a row adds. */
    float front[TILE_HALF], aslant[TILE_HALF];
};

/* Where a cell takes its texels from: positions of its corners in texels of `from`, times
 * 65536, in reading order. */
struct remap {
    const uint16_t *from;
    int stride; /* texels */
    int32_t u[4], v[4];
};

/* Grain for surfaces that are magnified: positions of the corners in the table, times 65536. */
struct grain {
    const int8_t *table; /* GRAIN × GRAIN, wraps; 3 bytes more may be read */
    int32_t u[4], v[4];
    int amount; /* 0…16: of ±50 % */
};

/* A lamp that lights the air before it. */
struct glow_lamp {
    float at[3], far2; /* from the eye, metres; that distance squared */
    float colour[3];   /* its light, times what the air takes of it */
};

struct place_kernels {
    /* Lights a tile: TILE × TILE texels. `scratch`: MIX_SCRATCH floats. */
    void (*mix)(const struct mix *m, const struct mix_tile *t, uint16_t *to, float *scratch);
    /* What lamps add to the air on n ways of so many metres, each along a unit vector (to: x, y and
     * z of all). */
    void (*glow)(const struct glow_lamp *lamp, size_t n_lamps, float air, const float *const to[3],
                 const float *metres, int n, float *const ret[3]);
    /* Bilinear samples into a cell. Every texel touched must be there. */
    void (*remap)(const struct remap *r, uint16_t *cell);
    /* The same where texels are larger than pixels: edges stay edges. Touches two texels more on
     * each side; may span MAGNIFY_MOST of them, those included. */
    void (*magnify)(const struct remap *r, uint16_t *cell);
    /* Blends another cell over it; weights at the corners, 0…256. */
    void (*over)(uint16_t *cell, const uint16_t *other, const int weight[4]);
    /* Multiplies by 0…256 at the corners, but for the coverage. */
    void (*dim)(uint16_t *cell, const int weight[4]);
    /* Sky behind what is not covered; SKY_SIDE² samples a channel, radiance × unit. */
    void (*sky)(uint16_t *cell, const float sky[3][SKY_SIDE * SKY_SIDE]);
    void (*grain)(uint16_t *cell, const struct grain *g);
    /* Whether the place covers all of it (but for less than a hundredth). */
    bool (*covered)(const uint16_t *cell);
    /* The first w × h of a cell into three planes. */
    void (*store)(const uint16_t *cell, int w, int h, uint16_t *r, uint16_t *g, uint16_t *b,
                  size_t stride);
};

#define MIX_SCRATCH (16 * TILE_HALF * TILE_HALF + 10 * TILE_QUARTER * TILE_QUARTER)

extern const struct place_kernels kernels_plain_place, kernels_avx2_place;
const struct place_kernels *place_kernels_best(void);

#endif
