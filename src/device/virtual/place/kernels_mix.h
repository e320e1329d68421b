/* For kernels_mix.c, kernels_remap.c and kernels_magnify.c only. */
#ifndef DEVICE_VIRTUAL_PLACE_KERNELS_MIX_H
#define DEVICE_VIRTUAL_PLACE_KERNELS_MIX_H

#include "device/virtual/kernels_inside.h"
#include "device/virtual/place/kernels.h"

void KERNELS_OWN(mix)(const struct mix *m, const struct mix_tile *t, uint16_t *to, float *scratch);
void KERNELS_OWN(glow)(const struct glow_lamp *lamp, size_t n_lamps, float air,
                       const float *const to[3], const float *metres, int n, float *const ret[3]);
void KERNELS_OWN(magnify)(const struct remap *r, uint16_t *cell);

/* Positions along one row of a cell: first, and how much from side to side. */
struct along {
    int32_t u, v, du, dv;
};

INLINE struct along along_row(const int32_t u[4], const int32_t v[4], int y)
{
    int k = 2 * y + 1; /* of 32: the middle of the row */
    int32_t u0 = u[0] + (((u[2] - u[0]) * k) >> 5), u1 = u[1] + (((u[3] - u[1]) * k) >> 5);
    int32_t v0 = v[0] + (((v[2] - v[0]) * k) >> 5), v1 = v[1] + (((v[3] - v[1]) * k) >> 5);
    return (struct along){u0, v0, u1 - u0, v1 - v0};
}

#endif
