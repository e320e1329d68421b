/* Models of the cast: triangle meshes with levels of detail, gaits and textures, in one
 * file that all cameras of the machine map read-only. Written by tools/unpack_models.c.
 *
 * Model space: x to its right, y ahead, z up, metres, origin on the ground below its middle.
 * A level of detail is arrays of vertices (each a multiple of MODEL_BLOCK long), so that
 * the inner loops take them eight at a time. Immutable; any thread. */
#ifndef DEVICE_VIRTUAL_RASTER_MODELS_H
#define DEVICE_VIRTUAL_RASTER_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;

#define MODELS_MAGIC "VEDmodel"
#define MODELS_VERSION 2
#define MODEL_BLOCK 8
#define MODEL_LODS 6
#define MODEL_PARTS 16
#define MODEL_CLIPS 8
#define MODEL_LAMPS 8
#define MODEL_MATERIALS 64
#define MODEL_FACTORS 12 /* texture levels */

enum material_kind {
    MATERIAL_MATTE,
    MATERIAL_PAINT,
    MATERIAL_GLASS,
    MATERIAL_CHROME,
    MATERIAL_PLATE
};
/* What a member's look colours. */
enum material_slot {
    SLOT_NONE,
    SLOT_BODY,
    SLOT_SHIRT,
    SLOT_TROUSERS,
    SLOT_SHOES,
    SLOT_HAIR,
    SLOT_SKIN,
    SLOT_SLEEVE, /* of the shirt's colour or bare, by look */
    SLOTS,
};
enum {
    MATERIAL_TWO_SIDED = 1,
    MATERIAL_ALPHA = 2,     /* holes where the texture is less than half there */
    MATERIAL_CARRIED = 4,   /* only with GAIT_CARRY */
    MATERIAL_LONG_HAIR = 8, /* by look */
};

struct model_material {
    uint8_t kind, slot, flags, spare;
};
struct model_texture { /* texel: red, green, blue as 255·√linear, coverage (low byte first) */
    uint64_t level[MODEL_FACTORS];
    uint8_t log2_w, log2_h, levels, spare;
    uint32_t spare2;
};
struct model_part { /* what turns: angle = turns · phase */
    float pivot[3], axis[3], turns;
    uint32_t spare;
};
struct model_clip {
    uint32_t gait, first, frames; /* of its poses */
    float stride;                 /* metres of one cycle; 0: it stands */
    float lo[3], hi[3];           /* box of these poses */
};
struct model_lamp {
    uint32_t kind; /* 0 head, 1 tail */
    float at[3];
};
struct model_batch {
    uint32_t material;
    int32_t texture;   /* of the pack; -1: none */
    uint32_t first, n; /* triangles */
};
struct model_run { /* vertices of one part */
    uint32_t first, n;
};
struct model_lod {
    uint32_t n_vertices, n_triangles, n_batches, n_frames;
    uint64_t frames;    /* each: int16 x[n], y[n], z[n], int8 nx[n], ny[n], nz[n] */
    uint64_t ao;        /* uint8 ao[n], r[n], g[n], b[n]: colour as 255·√linear */
    uint64_t uv;        /* uint16 u[n], v[n]: 4096 a texture's side, 32768 = 0 */
    uint64_t triangles; /* uint16 [3] */
    uint64_t batches;
    struct model_run run[MODEL_PARTS + 1]; /* part 0 stands still */
};
struct model {
    char name[24];
    float lo[3], hi[3]; /* box of all its poses; position = lo + (q + 32768)/65535·(hi - lo) */
    uint32_t n_materials, n_parts, n_clips, n_lods, n_lamps, spare;
    struct model_material material[MODEL_MATERIALS];
    struct model_part part[MODEL_PARTS];
    struct model_clip clip[MODEL_CLIPS];
    struct model_lamp lamp[MODEL_LAMPS];
    struct model_lod lod[MODEL_LODS]; /* finest first */
};
struct models_head {
    char magic[8];
    uint32_t version, n_models, n_textures, spare;
    uint64_t size, models, textures;
};

struct models {
    const uint8_t *base;
    size_t size;
    const struct models_head *head;
    const struct model *model;
    const struct model_texture *texture;
};

/* Maps the pack. NULL with the reason, which says what to do. */
struct models *models_open(const char *path, struct fault *why);
struct models *models_close(struct models *m);
/* Looks for models.pack where the camera keeps its places: the environment's
 * VEDETTE_PLACES, beside the program, in the build and where `make install` puts it. */
struct models *models_find(struct fault *why);

/* NULL: no such model. */
const struct model *models_named(const struct models *m, const char *name);
/* The model's poses for a gait; NULL: it has but one. */
const struct model_clip *model_gait(const struct model *m, unsigned gait);

static inline size_t model_frame_size(const struct model_lod *l)
{
    return (size_t)l->n_vertices * 9;
}

#endif
