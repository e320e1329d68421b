/* People make room for each other: who would walk through somebody steps aside a little. */
#ifndef DEVICE_VIRTUAL_CAST_ROOM_H
#define DEVICE_VIRTUAL_CAST_ROOM_H

#include "device/virtual/cast/cast.h"

/* Moves walkers to their sides, smoothly as they come near each other. A pure function of
 * where all are. m: those who are not on wheels; here: 0 … 1, how much others heed each. */
void room_make(struct member *m, const double *here, size_t n);

#endif
