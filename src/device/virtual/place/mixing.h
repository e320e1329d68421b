/* What a tile's texels are mixed from: weights of its layers under a light, and what is not
 * baked: which ground is wet and what it mirrors, the glow of lamps in the air. Inside of the
 * backdrop; any thread. */
#ifndef DEVICE_VIRTUAL_PLACE_MIXING_H
#define DEVICE_VIRTUAL_PLACE_MIXING_H

#include "device/virtual/place/kernels.h"

void mixing_of(const struct light *l, double unit, struct mix *ret);
/* `index`: of the tile, which must hold something. `scratch`: MIX_SCRATCH floats. */
void mixing_tile(const struct tiles *t, const struct place_kernels *k, const struct patch *p,
                 const struct sheet *s, uint32_t index, const struct light *l, const struct mix *m,
                 float *scratch, uint16_t *to);
/* What lamps add to the air between the eye and a distance; 0 without fog, rain or snow. */
void mixing_glow(const struct tiles *t, const struct place_kernels *k, const struct light *l,
                 struct vec to, double metres, float ret[3]);

#endif
