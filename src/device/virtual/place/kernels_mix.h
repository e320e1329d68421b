/* For kernels_mix.c and kernels_remap.c only. */
#ifndef DEVICE_VIRTUAL_PLACE_KERNELS_MIX_H
#define DEVICE_VIRTUAL_PLACE_KERNELS_MIX_H

#include "device/virtual/place/kernels.h"

void KERNELS_OWN(mix)(const struct mix *m, const struct mix_tile *t, uint16_t *to, float *scratch);

#endif
