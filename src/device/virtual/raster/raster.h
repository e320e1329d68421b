/* Draws the cast: textured triangle meshes over a painted backdrop, hidden by it where it
 * stands nearer, lit by sun (with the place's shadows), sky, lamps and each other's
 * headlights, with shadows on the ground. One raster belongs to one thread. */
#ifndef DEVICE_VIRTUAL_RASTER_RASTER_H
#define DEVICE_VIRTUAL_RASTER_RASTER_H

#include "device/virtual/cast/cast.h"
#include "device/virtual/place/backdrop.h"

struct models;
struct raster;

/* eye: where the camera stands, world metres. NULL: out of memory. */
struct raster *raster_new(const struct models *m, struct vec eye);
struct raster *raster_free(struct raster *r);
void raster_rest(struct raster *r); /* nobody watches: gives its memory back */
/* For tests: the plain C twin of the inner loops. */
void raster_use_plain_kernels(struct raster *r, bool plain);
/* For tests: leaves a member (by its id) out of pictures, but for its shadow and the light
 * of its lamps; NULL: nobody. */
void raster_hide(struct raster *r, const char *id);

/* Where members are drawn from now on, their distance (along the optical axis) is written for
 * each place of step × step pixels whose middle they cover. metres NULL: no longer. */
struct raster_watch {
    float *metres; /* borrowed; `across` to a row, `down` rows */
    int step, across, down;
};
void raster_watch(struct raster *r, const struct raster_watch *w);
/* How long the shutter of the next pictures is open: who moves is smeared along his way. Members
 * are to be told as they are half-way through. 0, as at first: nobody is. */
void raster_open(struct raster *r, double seconds);
/* Both mark the cells they write in into->touched. With `keep`, the pixels that are covered or
 * shaded are put aside for raster_restore(); false: that was too much, nothing is kept. */
bool raster_cast(struct raster *r, const struct backdrop *b, const struct view *v,
                 const struct light *l, const struct member *members, size_t n,
                 struct radiance *into, bool keep);
void raster_restore(struct raster *r, struct radiance *into);

/* A picture in little, to be laid over as well: RASTER_SMALL pixels a step, four numbers a point
 * (r, g, b, nothing). About: one row of each step counts, shadows are left out. */
#define RASTER_SMALL 8
struct raster_small {
    uint16_t *texel; /* NULL: nobody wants it */
    int across, down;
};
/* The same for a picture that is made in bands: nothing is laid over `into`, but all of it is
 * kept for raster_lay(). False: that was too much (or there was no memory); then it has been laid
 * over `into` as by raster_cast() without `keep`. */
bool raster_cast_bands(struct raster *r, const struct backdrop *b, const struct view *v,
                       const struct light *l, const struct member *members, size_t n,
                       struct radiance *into, const struct raster_small *small);
/* What was kept is wanted over the whole picture after all: as by raster_cast() with `keep`. */
bool raster_whole(struct raster *r);
/* Marks the cells of rows y0 ≤ y < y1 (one cell high) that raster_lay() writes in. */
void raster_mark(const struct raster *r, int y0, int y1, uint8_t *cells);
/* Lays what was kept over a band: rows from band->top on, band->height of them. */
void raster_lay(struct raster *r, struct radiance *band);

/* The truth of the same drawing: for each member, box of its visible silhouette clipped to
 * the frame, in pixels of v; share of its whole silhouette that is in the frame and not
 * hidden (by the place or by others). Any thread, with a raster of its own. */
struct silhouette {
    double x0, y0, x1, y1; /* x1 ≤ x0: not in the picture */
    double visible;        /* 0…1 */
};
void raster_truth(struct raster *r, const struct backdrop *b, const struct view *v,
                  const struct member *members, size_t n, struct silhouette *ret);

#endif
