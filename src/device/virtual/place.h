/* The place: what does not move, seen from the one spot where the camera stands.
 *
 * Since the eye is fixed, everything is kept relative to it and sorted once from
 * front to back; a surface is a convex polygon, the planes through its edges and
 * the eye, and a linear texture map. Immutable after place_new(). */
#ifndef DEVICE_VIRTUAL_PLACE_H
#define DEVICE_VIRTUAL_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/virtual/kernels.h"
#include "device/virtual/vec.h"

#define EYE_HEIGHT_M 6.0
#define RADIANCE_UNIT 16384.0 /* a white card in full sun */

struct surface {
    enum drawn_kind kind;
    int n_verts;                /* 0: a whole half-space of directions */
    struct vec vert[MAX_EDGES]; /* relative to the eye */
    struct vec edge[MAX_EDGES]; /* inward normals of the planes through eye and edge */
    bool fat[MAX_EDGES];        /* see struct drawn, slack */
    int n_edges;
    struct vec normal; /* of its plane */
    double plane;      /* normal · point of the plane */
    struct vec un, vn; /* texel: u = un·d / normal·d + u0 for a direction d */
    double u0, v0;
    const struct texture *tex;
    float light[3];
    double soft_m; /* shadows: half width of the penumbra */
    float haze_at, fade_at;
    double key;  /* distance by which it is sorted */
    bool ground; /* lies on the ground, or is sky: hides no actor */
};

/* A polygon of n ≤ MAX_EDGES world points (any sense of rotation). */
void surface_shape(struct surface *s, const struct vec *world_points, int n);
/* Texture with its left top at `origin`; `right` and `down` in metres are spanned by
 * `across` and `along` repeats of the texture. */
void surface_map(struct surface *s, const struct texture *t, struct vec origin, struct vec right,
                 struct vec down, double across, double along);
/* Light upon a colour (linear, 0…1) of a surface that looks along `normal`. */
void surface_light(struct surface *s, struct vec normal, double r, double g, double b);
struct vec place_sun(void); /* unit, towards the sun */
struct vec place_eye(void);
bool surface_hit(const struct surface *s, struct vec direction);
/* Convex hull on the ground of the shadow of n ≤ 16 points. */
int place_shadow_hull(const struct vec *points, int n, struct vec ret_hull[MAX_EDGES]);

#define PLACE_TEXTURES 64

struct place {
    struct surface *surface;
    size_t n_surfaces, room;
    struct texture *texture[PLACE_TEXTURES];
    size_t n_textures;
    bool failed; /* out of memory while it was built */
    const struct texture *wheel, *plates[2];
};

struct place *place_new(uint64_t seed);
struct place *place_free(struct place *p);

#endif
