/* What is on the dome and in front of it: paint, a cloth, drops of rain; and a lens out of
 * focus. Applied to the light that falls through it, before the sensor, so that exposure and
 * noise are what they would be.
 *
 * A pane belongs to one thread (the source's). Equal arguments give equal pictures, whatever
 * was looked at before. */
#ifndef DEVICE_VIRTUAL_CAMERA_MESS_H
#define DEVICE_VIRTUAL_CAMERA_MESS_H

#include <stdbool.h>
#include <stdint.h>

#include "device/virtual/radiance.h"
#include "device/virtual/raster/raster.h"
#include "device/virtual/stage/stage.h"

struct kernels;
struct pane;

struct pane *pane_new(uint64_t seed); /* NULL: out of memory */
struct pane *pane_free(struct pane *p);
/* For tests: the plain C twin of the inner loops. */
void pane_use(struct pane *p, const struct kernels *k);
void pane_rest(struct pane *p); /* nobody watches: gives its pictures back */

/* What comes through: `in` itself when nothing but drops lies on the pane, else a picture of
 * the pane's own, good until the next call. Drops are laid over `in`, until pane_restore()
 * takes them off again, exactly; that comes before anything else is done to it. What differs from
 * the picture of the call before is touched in it; where in->touched is 0, `in` is what it was
 * then. zoom: magnification (drops get large and faint). 0 or -ENOMEM. */
int pane_look(struct pane *p, const struct mess *m, const struct set *s, double zoom,
              int64_t time_ns, struct radiance *in, struct radiance **ret);

void pane_restore(struct pane *p);

/* The same for a picture that is made in bands, while nothing but drops may lie on the pane.
 * `place`: what stands still of it. Drops show that and what is laid over `ret_small` before the
 * first pane_lay(), so not the rain that falls; ret_small->texel NULL: there are no drops. 0 or
 * -ENOMEM. */
bool pane_bare(const struct mess *m);
int pane_prepare(struct pane *p, const struct set *s, const struct mess *m, double zoom,
                 int64_t time_ns, const struct radiance *place, struct raster_small *ret_small);
/* Marks the cells of a band (a cell high, from row y on) that have drops; lays them over it. */
void pane_mark(const struct pane *p, int y, uint8_t *cells);
void pane_lay(const struct pane *p, struct radiance *band);

#endif
