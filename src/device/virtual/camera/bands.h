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

struct bands {
    struct radiance band; /* planes NULL: there are none */
    uint8_t *drawn;       /* not 0: a cell of the band that is drawn over; others hold nothing */
};

int bands_init(struct bands *b, int width); /* 0 or -ENOMEM */
void bands_done(struct bands *b);
/* The band from row y on, over a place whose people and drops have been found (world_people(),
 * pane_prepare()). */
void bands_draw(struct bands *b, int y, const struct radiance *place, struct world *w,
                const struct pane *p);

#endif
