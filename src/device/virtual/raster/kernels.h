/* The inner loops of raster.c: vertices, triangles and rows, eight at a time. Compiled once
 * for any machine, once for AVX2 and once for AVX-512; all give the same bytes (kernels.h). */
#ifndef DEVICE_VIRTUAL_RASTER_KERNELS_H
#define DEVICE_VIRTUAL_RASTER_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/virtual/raster/models.h"

#define RASTER_SAMPLES 4
/* A patch is cut into tiles of 4 × 2 pixels, eight lanes when they are shaded. Triangles are drawn
 * into a row of a tile: its sixteen samples, pixel by pixel, or blocks of 2 × 1 pixels, eight
 * lanes. */
#define RASTER_TILE_W 4
#define RASTER_TILE_H 2
#define RASTER_BLOCKS 4 /* of a tile, in reading order */
#define RASTER_SIDE 256 /* pixels: the largest patch */
#define RASTER_TILES (RASTER_SIDE / RASTER_TILE_W * RASTER_SIDE / RASTER_TILE_H)
#define RASTER_CLIPPED 64 /* room behind the vertices for what the near plane cuts */

/* Vertices in the picture. Arrays of whole blocks. */
struct raster_vertices {
    float *x, *y;        /* pixels of the picture, 0 = left or top border */
    float *iz;           /* 1 / depth along the optical axis; ≤ 0: nearer than `near` */
    float *cx, *cy, *cz; /* camera space: right, down (times f), depth */
    float *light[3];     /* radiance of a matte face there, its own colour included */
    float *u, *v;        /* texture sides */
    float *up;           /* z of the mirrored ray */
    float *glint;        /* mirrored ray · sun */
    float *facing;       /* normal · towards the eye */
};

/* How a run of vertices stands and is lit. Model space is turned, not the light. */
struct raster_stand {
    float to_model[3][4]; /* from quantised positions, its part's turn included */
    float turn[3][3];     /* of normals: the part's turn / 127 */
    float camera[3][4];   /* rows: right·f, down·f, ahead; of model space */
    float cx, cy;         /* middle of the picture */
    float near;
    float eye[3], sun[3];             /* model space */
    float sky[3], bounce[3], lamp[3]; /* on a face that looks up, down; lamps from above */
    float ir[3];                      /* at 1 m from the eye */
    float sun_colour[3];
    float sun_front, sun_rear, sun_high; /* share of the sun at its feet and above */
    float half_length, height;           /* where those are */
    float mix;                           /* between two poses */
    bool shiny;                          /* up, glint, facing are wanted */
    bool flat;                           /* only places are wanted */
};

/* A triangle of which something was seen when it was drawn. */
struct raster_face {
    int32_t batch; /* -1: its colours are straight between its corners */
    int32_t level; /* of its texture */
    union {
        float plane[3][5];   /* of each colour, at a place (x, y) of the patch: p[0] + p[1]·x +
                              * p[2]·y, at least p[3], at most p[4] */
        float all_plane[16]; /* the same, and one more */
        struct {
            float ex[3], ey[3], ec[3]; /* each corner's share at a place of the patch */
            float at[3];               /* corners' 1/z; what follows is times that */
            float light[3][3], u[3], v[3], up[3], glint[3], facing[3];
        };
    };
};

struct raster_patch {
    int x0, y0;       /* of the picture; multiples of the tile's sides */
    int across, down; /* tiles */
    float squeeze;    /* pixels of the picture that one of its own is wide */
    uint8_t *touched; /* [tiles] */
    uint32_t *mask;   /* [tiles]: eight lanes of each block */
    float *depth;     /* [tiles][blocks][8]: 1/z, 0 = nothing: so it is between drawings */
    int32_t *who;     /* [tiles][blocks][8]: the face that is seen there, -1: none */
    struct raster_face *face;
    int n_faces, faces_room;
};

struct raster_batch {
    const uint16_t *triangle;
    size_t n;
    bool two_sided;
    const uint32_t *level[MODEL_FACTORS]; /* texture */
    int log2_w, log2_h, levels;           /* levels 0: none */
    bool alpha;
    uint8_t *holes; /* [n][MODEL_FACTORS] of `alpha`, as it is found out; NULL: is not kept */
    float tint[3];
    float back; /* metres by which it gives way to what lies over it */
    /* shiny ones */
    bool shiny;
    float f0;      /* of what is mirrored, straight on */
    float diffuse; /* share of the matte light that is left */
    float mirror_tint[3];
    float horizon[3], zenith[3], ground[3], sun[3];
};

/* A row of pixels on the ground round a member. Rays are linear in the pixel's number. */
struct raster_ground {
    float x[2], y[2], z[2]; /* of the ray: at pixel 0, per pixel */
    float height, f;        /* of the eye above the ground; depth of the rays */
    float at[2];            /* the member, from the eye */
    float sine, cosine;     /* of the axes: x to the right, y ahead (contact), along the shadow */
    float half_w, half_l;   /* contact: metres; beam: half_l is how far ahead the lamps are */
    float inv_soft;         /* 1/metres: of the border; of the shadow's length */
    float strength;
    float share[3];     /* shadow: the sun's share at its foot, half way, at its end */
    const float *reach; /* beam: BEAM_RAYS, metres ahead of the lamps; from its left to its right */
};

/* What the lens throws round a lamp. */
struct raster_glare {
    float inv, end;    /* 1 / core², core²/reach²; in pixels */
    float dim, glare;  /* of its head; of that: what is thrown */
    float radiance[3]; /* of the head, samples */
};

/* A row of what wet pavement mirrors of a lamp. From its middle on it falls with (1 - q)⁴, q =
 * distance² · inv: nearly as a Gaussian of a width² of 1 / (STREAK_END · inv), but it ends. */
#define STREAK_END 4.0f
struct raster_streak {
    float first; /* pixels from its middle to the row's first */
    float inv;
    float radiance[3]; /* of its middle, samples */
};

/* Where a beam ends: so long; half as wide: */
#define BEAM_M 45.0f
#define BEAM_NEAR_M 3.5f
#define BEAM_FAR_M 14.0f
#define BEAM_RAYS 33 /* along which it is told what stands in its way */

struct kernels_raster {
    /* Where vertices [first, first + n) of a level are, how they are lit. a, b: poses. */
    void (*vertices)(const struct raster_stand *s, const struct model_lod *l, const uint8_t *a,
                     const uint8_t *b, const uint8_t *colour, const uint16_t *uv, size_t first,
                     size_t n, const struct raster_vertices *v);
    /* Those of a batch; `number`: which of those that resolve() is given. */
    void (*triangles)(const struct raster_vertices *v, const struct raster_batch *b, int number,
                      struct raster_patch *p);
    /* Only depth: for silhouettes. */
    void (*outline)(const struct raster_vertices *v, const struct raster_batch *b, int number,
                    struct raster_patch *p);
    /* Only which samples are covered, for shadows. */
    void (*mask)(const struct raster_vertices *v, const struct raster_batch *b, int number,
                 struct raster_patch *p);
    /* Two rows of pixels of a patch: mean colour times coverage (batch NULL: no colours),
     * coverage, 1/z; for those from ret_x[0] to before ret_x[1], of the patch. False: there are
     * none. Clears what was drawn. */
    bool (*resolve)(struct raster_patch *p, const struct raster_batch *batch, int tile_row,
                    float *const rgb[2][3], float *const cover[2], float *const depth[2],
                    int ret_x[2]);
    void (*resolve_mask)(const struct raster_patch *p, int tile_row, float *const cover[2]);
    /* What n pixels take from the picture, in 65536ths (at most 65535), and add to it: cover·seen,
     * (rgb·clear + haze·cover)·seen. Read and written in whole blocks. */
    void (*blend)(size_t n, const float *const rgb[3], const float *cover, const float *seen,
                  float clear, const float haze[3], uint16_t *gone, uint16_t *const add[3]);
    /* picture = picture·(1 - gone) + add, n pixels; gone NULL: nothing is */
    void (*lay)(size_t n, const uint16_t *gone, const uint16_t *const add[3],
                uint16_t *const to[3]);
    /* What is more than the air: times (1 - k·sun)·(1 - sky·(1 + sun·rest)), n pixels; those two
     * are 255ths, read in whole blocks. */
    void (*darken)(size_t n, const uint8_t *sun, const float k[3], const uint8_t *sky, float rest,
                   const float air[3], uint16_t *const to[3]);
    /* Pixels x0 ≤ x < x1 of a row. `far` is the row's depths of the backdrop; it and dark are
     * the whole row's, far readable to the next block. cover begins at x0. */
    void (*contact)(const struct raster_ground *g, int x0, int x1, const float *far, uint8_t *dark);
    void (*shadow)(const struct raster_ground *g, int x0, int x1, const float *far,
                   const float *cover, uint8_t *dark);
    /* A vehicle's beam upon the ground: adds its light, times g->strength, at pixels x0, x0 + 8, …;
     * n of them, energy readable and writable in whole blocks. */
    void (*beam)(const struct raster_ground *g, int x0, int n, float *energy);
    /* What light that falls upon ground adds to n pixels: energy of every eighth and of the one
     * behind the last; what the ground throws back, in 65535ths. `add` is written in whole
     * blocks. */
    void (*shine)(int n, const float *energy, const uint16_t *const ground[3],
                  uint16_t *const add[3]);
    /* A streak on n pixels of its row from the i-th on; paved: how much of it each throws back, in
     * 255ths, readable in whole blocks. `add` is written in whole blocks. */
    void (*streak)(const struct raster_streak *s, int i, int n, const uint8_t *paved,
                   uint16_t *const add[3]);
    /* Glare on n pixels of a row that begins `first` to the right of the lamp, dy2 the square of
     * how far above or below it: written in whole blocks. */
    void (*glare)(const struct raster_glare *g, int n, float first, float dy2,
                  uint16_t *const add[3]);
    /* to = (a + b) / 2, n floats */
    void (*halves)(size_t n, const float *a, const float *b, float *to);
    /* The same for so many rows at once, `stride` apart, written in whole blocks. */
    void (*means)(int rows, size_t n, const float *a, const float *b, size_t stride, float *to,
                  size_t to_stride);
    /* Twice as many pixels of so many rows, straight between the middles of n; one more on either
     * side is read. Written in whole blocks. */
    void (*widen)(int rows, size_t n, const float *from, size_t stride, float *to,
                  size_t to_stride);
    /* Of sums of n pixels' depths times coverage: those depths; 0 where hardly anything is. */
    void (*unweigh)(size_t n, const float *cover, float *near);
    /* raster_seen() of n pixels, written in whole blocks. */
    void (*seen)(size_t n, const float *far, const float *depth, float *ret);
};

extern const struct kernels_raster kernels_raster_plain;
extern const struct kernels_raster kernels_raster_avx2;
extern const struct kernels_raster kernels_raster_avx512;
const struct kernels_raster *kernels_raster_best(void);

#endif
