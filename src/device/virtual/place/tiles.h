/* A place, baked and unpacked: what stands round the one spot where the camera is, as
 * tiles of colour, coverage, distance and light, in one file that all cameras of the
 * machine map read-only. Written by tools/unpack.c, never changed afterwards. Any thread.
 *
 * A patch is a part of the sphere at one finest density; its sheets are the same picture at
 * densities that fall by a factor of two (finest first). Patches are sorted so that later
 * ones are drawn over earlier ones. A sheet is cut into tiles of TILE × TILE texels; each
 * tile has what it needs to be lit alone: coarser parts carry one sample of border.
 *
 * File: struct tiles_head, tables and parts at the places it names, all in this machine's
 * byte order. Parts are found by (place in the file) / TILE_UNIT; 0: there is none. */
#ifndef DEVICE_VIRTUAL_PLACE_TILES_H
#define DEVICE_VIRTUAL_PLACE_TILES_H

#include <stddef.h>
#include <stdint.h>

#include "device/virtual/place/light.h"
#include "device/virtual/vec.h"

struct fault;

#define TILE 128
#define TILE_HALF (TILE / 2 + 2) /* with borders */
#define TILE_QUARTER (TILE / 4 + 2)
#define TILE_EIGHTH (TILE / 8 + 2)
#define TILE_UNIT 64
#define TILES_VERSION 2
#define TILES_MAGIC "VDTplace"

enum projection {
    PROJECTION_ROUND, /* texel = (pan, tilt) linearly */
    PROJECTION_DOWN,  /* a plane below the eye: texel = middle + density·(x, -y) / -z */
};

/* Parts of a tile. */
struct tile {
    uint32_t albedo;           /* uint8_t y[TILE][TILE], cb[TILE_HALF][TILE_HALF], cr[…]: sRGB
                                * curve, BT.709 full range; 0: the tile holds nothing */
    uint32_t cover;            /* uint8_t[TILE][TILE]: 255 place … 0 sky; 0: all place */
    uint32_t depth;            /* uint16_t[TILE_HALF][TILE_HALF]: 4096·log2(metres), 65535: sky */
    uint32_t suns;             /* uint8_t[TILE_HALF][TILE_HALF][LIGHT_SUNS]: direct light of each
                                * sun, 255 on a card that faces it; 0: all in shadow */
    uint32_t sway;             /* uint8_t[TILE_EIGHTH][TILE_EIGHTH]: 255 leaves; 0: stands still */
    uint32_t soft[LIGHT_SOFT]; /* uint32_t[TILE_QUARTER][TILE_QUARTER]: irradiance, see
                                * tiles_soft(); 0: dark */
};

struct sheet {
    double density;         /* texels per degree (ROUND), per radian at the foot (DOWN) */
    uint32_t width, height; /* texels */
    uint32_t across, down;  /* tiles */
    uint32_t first;         /* of its tiles, row by row */
    uint32_t spare;
};

struct patch {
    char name[24];
    uint32_t projection;
    uint32_t first, n;               /* of its sheets */
    uint32_t round;                  /* 1: goes all the way round */
    double pan0, pan1, tilt0, tilt1; /* degrees; DOWN: tilt1 is where it ends */
    double feather;                  /* degrees over which it fades in at its borders */
};

#define SIGN_TEXT 64
struct sign {
    float corner[3], right[3], down[3]; /* metres; left top, and its sides as vectors */
    float ink[3], paper[3];             /* linear, 0…1 */
    float bare;                         /* 1: no paper */
    uint32_t field;                     /* uint8_t[height][width]: distance from the edge of its
                                         * strokes, 128 on it, 127 more is `reach` inside */
    uint16_t width, height;
    float reach; /* metres */
    char text[SIGN_TEXT];
};

struct lamp {
    float at[3], colour[3];
    float power; /* radiance of a facing white card at 1 m */
};

/* Mean radiance of a cell of directions per unit of each light, for exposure. */
#define METER_ACROSS 128
#define METER_DOWN 64
struct meter_cell {
    float soft[LIGHT_SOFT][3], sun[LIGHT_SUNS][3];
    float sky; /* share of it that is sky */
    float distance;
};

/* Light that falls on the ground, on a grid. */
struct ground_cell {
    uint32_t soft[LIGHT_SOFT];
    uint8_t sun[LIGHT_SUNS]; /* 255: on a card that faces it */
};

struct tiles_head {
    char magic[8];
    uint32_t version, size_of_tile;
    uint64_t size; /* of the file */
    char name[24];
    double eye[3];
    double sun_pan[LIGHT_SUNS], sun_elevation[LIGHT_SUNS];
    double lamp_lux; /* on the ground under its lamps; the layers are scaled to it */
    double front;    /* metres north of the eye: a roof is over all that is nearer; 0: none is */
    uint64_t patches, sheets, tiles, signs, lamps, meter, ground; /* places in the file */
    uint32_t n_patches, n_sheets, n_tiles, n_signs, n_lamps;
    uint32_t ground_across, ground_down;
    double ground_x, ground_y, ground_step; /* of cell 0, 0; metres */
};

/* What holds a patch that does not go round. */
struct patch_cone {
    struct vec middle;
    double cosine, sine; /* of the angle from there to its corners */
};

struct tiles {
    const uint8_t *base; /* the mapped file */
    size_t size;
    const struct tiles_head *head;
    const struct patch *patch;
    const struct sheet *sheet;
    const struct tile *tile;
    const struct sign *sign;
    const struct lamp *lamp;
    const struct meter_cell *meter;   /* METER_DOWN rows of METER_ACROSS, pan -180 first */
    const struct ground_cell *ground; /* NULL: none */
    struct patch_cone *cone;          /* of each patch */
    float *octave;                    /* 2^(i/4096), 0 ≤ i < 4096 */
};

/* Maps a place. NULL with the reason, which says what to do. */
struct tiles *tiles_open(const char *path, struct fault *why);
struct tiles *tiles_close(struct tiles *t);
/* Looks for NAME.place where the camera keeps its places: beside the program and where
 * `make install` puts them. The environment's VEDETTE_PLACES comes first. */
struct tiles *tiles_find(const char *name, struct fault *why);

static inline const void *tiles_part(const struct tiles *t, uint32_t at)
{
    return t->base + (size_t)at * TILE_UNIT;
}
/* Irradiance is kept as three mantissas of 9 bits and an exponent: channel · 2^(e - 24 - 9). */
#define SOFT_BIAS 24
static inline void tiles_soft(uint32_t v, float ret[3])
{
    union {
        uint32_t bits;
        float value;
    } k = {((v >> 27) + 127 - SOFT_BIAS - 9) << 23};
    for (int i = 0; i < 3; i++)
        ret[i] = (float)(v >> (9 * i) & 511) * k.value;
}
static inline double tiles_metres(uint16_t depth)
{
    return depth == 65535 ? INFINITY : exp2(depth / 4096.0);
}
/* The same, faster. */
static inline float tiles_far(const struct tiles *t, uint16_t depth)
{
    return depth == 65535 ? INFINITY : t->octave[depth & 4095] * (float)(1 << (depth >> 12));
}

#endif
