/* A still picture in bands of RADIANCE_CELL rows: what is drawn over the place (the cast, what
 * falls, drops on the dome) is drawn, developed and printed while its band is in the processor's
 * cache. The picture of the place stays as it is, so that nothing has to be put back. One
 * thread. */
#ifndef DEVICE_VIRTUAL_CAMERA_BANDS_H
#define DEVICE_VIRTUAL_CAMERA_BANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "device/virtual/radiance.h"

struct pane;
struct world;

/* A cell by itself: rows of the picture are far apart in memory, and what is drawn over lies here
 * and there. */
struct band_cell {
    uint16_t of[3][RADIANCE_CELL][RADIANCE_CELL]; /* red, green, blue */
};

struct bands {
    struct radiance band; /* planes NULL: there are none */
    uint8_t *drawn;       /* 1: a cell of the band that is drawn over; others (0) hold nothing */
    const struct radiance *place;
    struct band_cell *cell; /* of the whole place, those that have been wanted: */
    uint8_t *known;         /* … not 0 */
};

int bands_init(struct bands *b, int width, int height); /* 0 or -ENOMEM */
void bands_done(struct bands *b);
/* Before a picture of that place is developed, or (NULL) one that is not made in bands: what of it
 * has been touched since the last one is no longer known. */
void bands_begin(struct bands *b, const struct radiance *place);
/* The band from row y on, over that place, whose people and drops have been found (world_people(),
 * pane_prepare()). */
void bands_draw(struct bands *b, int y, struct world *w, const struct pane *p);

#endif
