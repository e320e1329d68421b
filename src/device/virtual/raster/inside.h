/* For raster*.c only. */
#ifndef DEVICE_VIRTUAL_RASTER_INSIDE_H
#define DEVICE_VIRTUAL_RASTER_INSIDE_H

#include "device/virtual/raster/kernels.h"
#include "device/virtual/raster/raster.h"

#define NEAR_M 0.25f
#define FAR_STEP 64 /* pixels whose distance, or ground, is asked for at once */
#define HALF_SIDE 128
#define ROW_MARGIN 64 /* room beside rows of a patch: more than a smear moves them, and a block */
#define ROW_STRIDE (RASTER_SIDE + 2 * ROW_MARGIN)
#define PLATE_W 256
#define PLATE_H 64
#define PLATE_LEVELS 7
#define PLATES 8

/* A member as it stands before the eye. */
struct placed {
    const struct member *who;
    const struct model *model;
    double sine, cosine, scale;
    struct vec feet;       /* relative to the eye */
    float lo[3], hi[3];    /* box in model space, unscaled, what turns included */
    bool in_view, cut;     /* may be in the picture; the near plane may cut it */
    double x0, y0, x1, y1; /* pixels that hold it; not clipped to the picture */
    double depth, reach; /* of its middle, along the optical axis; how far it reaches from there */
    int lod;
    uint32_t pose_a, pose_b;
    float mix;
    int squeeze; /* pixels of a column of the patch it is drawn into: 1 or 2 */
};

struct keep_row {
    uint32_t at, n; /* first sample of the picture, how many */
};

/* Pixels of a row that the cast lays over the picture (lay.c). */
struct lay_row {
    uint16_t x, n;
    uint32_t kind; /* enum lay_kind */
    uint32_t next; /* of the same row of the picture, + 1; 0: none */
    uint32_t at;   /* of its samples in lay.data */
};
struct lay {
    struct radiance *onto, *whole; /* at once; NULL: rows are kept for bands of the whole */
    struct raster_small small;
    struct lay_row *row;
    size_t n, room;
    uint16_t *data;
    size_t n_data, data_room, most; /* samples; most that are kept */
    uint32_t *first, *last;         /* of each row of the picture, + 1; 0: none */
    int height;                     /* of which there are */
    float dark[3];                  /* how much more of the sun's colours LAY_DARK takes */
    float rest;                     /* … and of the sky where no sun comes: it is all there is */
};

/* Where batches' triangles have holes: raster_batch.holes. */
struct holes {
    const uint16_t *triangle; /* of the batch */
    uint8_t *known;
};

/* Light upon a member; and what its shiny faces mirror. */
struct lighting {
    struct raster_stand stand;
    float horizon[3], zenith[3], ground[3], sun[3];
    const struct plate *plate;
};

/* What a member's rows come from, beside view and backdrop. Compared by its bytes. */
struct still_key {
    struct member who;
    struct lighting light;
    float clear, haze[3]; /* of the air before it */
    struct raster_watch watch;
};
struct still;

struct plate {
    char text[12];
    uint32_t texel[PLATE_W * PLATE_H * 2];
    const uint32_t *level[PLATE_LEVELS];
};

struct raster {
    const struct models *models;
    struct vec eye;
    const struct kernels_raster *k;
    char hidden[32];
    struct raster_watch watch; /* .metres NULL: nobody asks */

    struct raster_vertices v; /* arrays of `v_room` and RASTER_CLIPPED */
    size_t v_room;
    float cx, cy;            /* middle of the picture they are in */
    double shift_x, shift_y; /* pixels by which the picture is moved */
    float *v_memory;
    struct raster_patch patch;
    struct raster_batch batch[MODEL_MATERIALS]; /* of the member that is being drawn */
    float *row_memory;
    float *rgb[2][3], *cover[2], *depth[2], *seen; /* rows of a patch, ROW_STRIDE apart */

    /* How far the backdrop is, along the optical axis, as far as it has been asked. */
    struct view far_view;
    const struct backdrop *far_of;
    float *far, *far_least; /* … and the least of FAR_STEP pixels */
    uint8_t *far_known;
    size_t far_room;

    /* What ground at a height throws back, as far as beams have asked. */
    struct view ground_view;
    const struct backdrop *ground_of;
    double ground_z;
    uint16_t *ground; /* red, green, blue of FAR_STEP pixels each; rows are whole FAR_STEPs */
    uint8_t *paved;   /* as many pixels: how much water it leaves lying, 255ths */
    uint8_t *ground_known, *ground_some; /* of FAR_STEP pixels: whether; which eights have any */
    size_t ground_room;
    float *energy; /* of beams: three rows, a number for every eighth pixel */

    float *half;   /* a shadow's coverage, half as large: HALF_SIDE a row */
    uint8_t *dark; /* what shadows take from the sun, then from the sky; whole pictures */
    size_t dark_room;
    uint64_t *dark_parts; /* of each row: which of 64 parts of it have been written in */
    int dark_rows, dark_width, dark_shift; /* there is room for; log2 of the pixels of a part */
    bool sunny;                            /* shadows of the sun are in it */

    struct keep_row *kept;
    size_t n_kept, kept_room;
    uint16_t *aside;
    size_t n_aside, aside_room, aside_most;
    bool keeping;
    struct lay lay;

    struct plate *plate;
    int next_plate;
    struct holes *holes;
    size_t n_holes;

    struct still *still; /* of CAST_MOST; NULL: nobody has stood yet */
    size_t n_stills, still_samples;
    struct still *recorded; /* who is being drawn; NULL: nobody who is to be kept */

    double open_s; /* how long the shutter is open */
    float *smear;  /* planes of smear.c */
    size_t smear_room;
};

/* place.c */
/* The model that somebody of the cast is drawn with, and how it is scaled; NULL: none. */
const struct model *place_model(const struct models *m, const char *name, double *ret_scale);
bool place_member(struct placed *p, const struct raster *r, const struct view *v,
                  const struct member *m);
/* Vertices of its level of detail into r->v, lit as `s` says (its light is filled in). False: out
 * of memory. */
bool place_vertices(struct raster *r, const struct placed *p, const struct view *v, int lod,
                    struct raster_stand *s);
/* Flattened onto the ground, each metre of height moved by -lean (model space): a shadow. */
bool place_flat(struct raster *r, const struct placed *p, const struct view *v, int lod,
                struct raster_stand *s, double lean_x, double lean_y);
enum draw_what { DRAW_COLOURS, DRAW_DEPTH, DRAW_MASK };
/* Draws the level's batches into r->patch. fill NULL: none is needed. */
typedef void (*place_batch)(const struct placed *p, const struct model_material *m,
                            const struct model_batch *b, void *ctx, struct raster_batch *ret);
void place_draw(struct raster *r, const struct placed *p, int lod, enum draw_what what,
                place_batch fill, void *ctx);
/* The box of what place_draw() would draw of r->v: x0, y0, x1, y1. */
void place_borders(const struct raster *r, const struct placed *p, int lod, double ret[4]);
bool patch_begin(struct raster *r, int x0, int y0, int x1, int y1);
int place_lod(const struct model *m, double pixels);

/* ground.c */
struct ground_ray {
    double x0, y0, z0, xx, yx, zx; /* along a row: (x0 + px·xx, …) */
    double height;                 /* of the eye above it */
};
/* False: no pixel of the row looks down. */
bool ground_ray_begin(const struct raster *r, const struct view *v, double ground, int y,
                      struct ground_ray *g);
/* How often the ray at pixel px goes into the way to the ground; 0: it does not meet it. */
static inline double ground_ray_reach(const struct ground_ray *g, int px)
{
    double z = g->z0 + px * g->zx;
    return z < -1e-3 ? g->height / -z : 0;
}
static inline double far_tolerance(double z)
{
    return 0.3 + 0.03 * z + 2e-4 * z * z;
}
struct box {
    int x0, y0, x1, y1;
    bool cut; /* some of what it holds is behind the eye */
};
/* The row as kernels take it, round a member. */
struct raster_ground ground_row(const struct ground_ray *g, const struct view *v,
                                const struct placed *p);
/* Where a row of pixels crosses a four-cornered piece of the ground (corners 0 1 3 2 go round
 * it); with `box` where it may be at all. */
void ground_quad_row(const double at[4][2], int y, const struct box *box, int *ret_a, int *ret_e);
/* A box of the picture that holds points of the ground, or false. */
bool ground_box(const struct view *v, const struct vec *point, int n, struct box *ret);
void ground_shadows(struct raster *r, const struct backdrop *b, const struct view *v,
                    const struct light *l, const struct placed *p, size_t n);

/* lamps.c */
void ground_headlights(struct raster *r, const struct backdrop *b, const struct view *v,
                       const struct light *l, const struct placed *p, size_t n);
void lamp_glare(struct raster *r, const struct backdrop *b, const struct view *v,
                const struct light *l, const struct placed *p);

/* smear.c */
enum { SMEAR_COVER = 3, SMEAR_NEAR, SMEAR_PLANES };
/* A member by itself, in a box of the picture (and a little beyond): red, green, blue times
 * coverage, coverage, 1/z. */
struct smear {
    int x0, y0, x1, y1; /* columns and rows; x0, y0 multiples of the tile's sides */
    int squeeze;        /* pixels of a column: 1 or 2 */
    size_t stride;
    double way[2]; /* in the picture while the shutter is open, pixels */
    int passes;    /* halvings that make it */
    bool by_rows;  /* smear_row() does it, else smear_take() and smear_run(), not squeezed */
    float *row[2]; /* of SMEAR_PLANES rows: what rows are made in */
    int first;     /* plane: SMEAR_COVER where colours are not wanted */
    float *plane[SMEAR_PLANES + 1]; /* row by row; the last is spare */
    const float *nothing;           /* a row */
};
/* Pixels of a row of the picture, which may reach beyond it. */
struct smear_row {
    int x0, n;
    const float *rgb[3], *cover, *depth;
};
/* Room for it, empty. False: it does not move so that it could be seen, or is too large. */
bool smear_begin(struct raster *r, const struct view *v, const struct placed *p, bool colours,
                 struct smear *s);
/* How many pixels beyond where it stands it is smeared, across and down. */
void smear_reach(const struct raster *r, const struct view *v, const struct placed *p,
                 double ret[2]);
/* Which level of detail is enough for what is smeared so far. */
int smear_lod(const struct placed *p, const struct smear *s);
/* What has been drawn into r->patch, which is within the box or crosses its right or lower side. */
void smear_take(struct raster *r, const struct smear *s);
void smear_run(const struct raster *r, struct smear *s);
/* Of the box's own patch, resolved: its row i (0, 1), columns within[0] ≤ x < within[1]. Valid
 * until the next. False: nothing is there. */
bool smear_row(struct raster *r, const struct smear *s, int i, const int within[2],
               struct smear_row *ret);

/* lay.c */
enum lay_kind {
    LAY_OVER, /* four planes: what is taken from the picture, in 65536ths; red, green, blue added */
    LAY_ADD,  /* three: red, green, blue added */
    LAY_SHINE,  /* floats: light of every eighth pixel and of the one behind the last, upon
                 * r->ground;  x0 is one of those */
    LAY_STREAK, /* a struct raster_streak, upon r->paved */
    LAY_DARK, /* floats: three of the air, one spare; then bytes of the whole: what is taken of the
               * sun, then of the sky */
};
/* Over that picture at once, or (bands) kept for raster_lay() and laid over `small`, if any. */
void lay_begin(struct raster *r, struct radiance *into, bool bands,
               const struct raster_small *small);
/* Room for pixels x0 ≤ x < x1 (fewer than 65536) of a row, to be filled before lay_put(); NULL:
 * out of memory. Planes lie lay_stride() samples apart. */
uint16_t *lay_row(struct raster *r, enum lay_kind kind, int x0, int x1);
void lay_put(struct raster *r, int y); /* the row that was asked for last */
void lay_settle(struct raster *r);     /* r->ground is about to be that of another height */
static inline size_t lay_stride(int n)
{
    return ((size_t)n + 7) & ~(size_t)7;
}

/* How many samples a row is. */
static inline size_t lay_samples(enum lay_kind kind, int n)
{
    switch (kind) {
    case LAY_SHINE:
        return (lay_stride(n) / 8 + 1) * 2;
    case LAY_STREAK:
        return sizeof(struct raster_streak) / 2;
    case LAY_DARK:
        return 8 + lay_stride(n);
    default:
        return lay_stride(n) * (kind == LAY_ADD ? 3 : 4);
    }
}
static inline uint8_t *lay_dark(uint16_t *row)
{
    return (uint8_t *)(row + 8);
}

/* still.c */
/* A picture begins. same: backdrop and view are those of the one before. */
void still_begin(struct raster *r, bool same);
void still_rest(struct raster *r); /* forgets all */
/* Lays again what was kept of it. False: it is to be drawn. */
bool still_again(struct raster *r, const struct still_key *k);
/* From here to still_end() all that is laid is kept for it. */
void still_record(struct raster *r, const struct still_key *k);
void still_end(struct raster *r);
/* For lay.c: a row that is complete; there was no room for one. */
void still_row(struct raster *r, const struct lay_row *row, int y);
void still_fail(struct raster *r);
/* A distance that was told: watch.metres[at]. */
void still_point(struct raster *r, size_t at, float metres);

/* lighting.c */
struct scene {
    struct raster *r;
    const struct backdrop *b;
    const struct view *v;
    const struct light *l;
    float unit;
    struct tally *tally; /* NULL: a picture is drawn; else it is only told what it would show */
};
/* All that a member's colours need; how clear the air before it is, and what that adds. */
void lighting_of(const struct scene *c, const struct placed *p, struct lighting *g,
                 float *ret_clear, float ret_haze[3]);
/* For place_draw(), with a struct lighting; the same without colours. */
void lighting_fill(const struct placed *p, const struct model_material *m,
                   const struct model_batch *batch, void *ctx, struct raster_batch *b);
void lighting_outline(const struct placed *p, const struct model_material *m,
                      const struct model_batch *batch, void *ctx, struct raster_batch *b);

/* look.c */
void look_tint(const struct member *m, const struct model *model, unsigned slot, float ret[3]);
bool look_long_sleeves(const struct member *m);
bool look_long_hair(const struct member *m);
const struct plate *look_plate(struct raster *r, const char *text);

/* truth.c */
struct tally;
/* Pixels of a row from x on that a member covers, as surely as `seen` says. */
void tally_row(struct tally *t, int y, int x, int n, const float *cover, const float *seen);

/* raster.c */
/* Draws a member as for a picture, but without colours and only into the tally. */
void tally_member(struct raster *r, const struct backdrop *b, const struct view *v,
                  const struct placed *p, struct tally *t);
/* Into the order in which they are drawn, one whole after the other: far ones first. */
void sort_members(struct placed **order, size_t n);
/* Depths of the backdrop; x0 ≤ x < x1 of the row are valid. */
const float *far_row(struct raster *r, const struct backdrop *b, const struct view *v, int y,
                     int x0, int x1);

/* Whether all of those are farther than z. */
bool far_beyond(const struct raster *r, const struct view *v, int y, int x0, int x1, float z);
#define FAR_AHEAD 4 /* rows: those of the same place are pages apart, which nobody foresees */
/* They will be wanted. */
void far_fetch(const struct raster *r, const struct view *v, int y, int x0, int x1);

/* How surely something at depth z stands before the backdrop: what was baked is known only
 * to within its own pixels, which reach further over the ground the farther away it is. */
static inline float raster_seen(float far, float z)
{
    float seen = 1 + (far - z) / (0.12f + 1.2e-4f * z * z);
    return seen < 0 ? 0 : seen > 1 ? 1 : seen;
}
static inline double clamp_unit(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

#endif
