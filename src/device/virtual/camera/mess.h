/* What is on the dome and in front of it: paint, a cloth, drops of rain; and a lens out of
 * focus. Applied to the light that falls through it, before the sensor, so that exposure and
 * noise are what they would be.
 *
 * A pane belongs to one thread (the source's). Equal arguments give equal pictures, whatever
 * was looked at before. */
#ifndef DEVICE_VIRTUAL_CAMERA_MESS_H
#define DEVICE_VIRTUAL_CAMERA_MESS_H

#include <stdint.h>

#include "device/virtual/radiance.h"
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

#endif
