/* How large a disc each place of a picture becomes through a lens, as a share of the way from one
 * blurred picture to the next (bokeh.c). One thread. */
#ifndef DEVICE_VIRTUAL_CAMERA_DISCS_H
#define DEVICE_VIRTUAL_CAMERA_DISCS_H

#include <stddef.h>
#include <stdint.h>

#include "device/virtual/camera/lens.h"

#define DISCS_LEVELS 7        /* blurred pictures; the last in a 64th of the width */
#define DISCS_RADII (10 << 6) /* that are told apart */

struct discs {
    int width;        /* of the picture, pixels */
    int across, down; /* places: BOKEH_STEP pixels each way */
    size_t stride;    /* two more at both sides, that repeat the border */
    uint16_t *part;   /* of each place: BOKEH_PARTS a level; 0: sharp */
    /* discs.c only */
    uint16_t *next;
    uint16_t *memory;
    double most[DISCS_LEVELS + 1]; /* variance of each picture's spread, pixels² */
    uint8_t part_for[DISCS_RADII]; /* by radius */
    float *metres, *radius, *reach;
    struct optics optics;
    int most_part; /* of next; below 0: nothing is known */
};

struct discs *discs_new(int width, int height); /* NULL: out of memory */
struct discs *discs_free(struct discs *d);
/* What it will be through that lens, `metres` being the distances; returns the largest part. */
int discs_choose(struct discs *d, const struct optics *o, const float *metres);
/* Marks the cells of radiance in which that is something else than `part`. */
void discs_changed(const struct discs *d, uint8_t *cells, int cells_across);
/* What was chosen is in `part` from now on. */
void discs_keep(struct discs *d);

/* Two samples around a picture repeat its borders. */
void discs_border(uint16_t *p, int width, int height, size_t stride);

#endif
