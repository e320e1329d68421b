/* Inside of the renderer: shared by render.c and blur.c only. */
#ifndef DEVICE_VIRTUAL_CANVAS_H
#define DEVICE_VIRTUAL_CANVAS_H

#include "device/virtual/render.h"

struct patch {
    int x0, y0, x1, y1;
    size_t at; /* in the store, in samples */
};

struct canvas {
    const struct place *place;
    const struct kernels *kernels;
    struct drawn *list; /* of the place, front to back */
    size_t n_list;
    struct row row, mask;
    int row_room; /* pixels */
    struct patch patch[ACTORS];
    int n_patches;
    uint16_t *store; /* pixels under the actors */
    size_t store_room;
    uint16_t *scratch; /* one plane, for the blur */
    size_t scratch_room;
    struct radiance half; /* for fast moves */
    uint16_t *half_planes;
    size_t half_room;
};

#endif
