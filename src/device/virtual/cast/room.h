/* People make room for each other: who would walk through somebody steps aside a little. */
#ifndef DEVICE_VIRTUAL_CAST_ROOM_H
#define DEVICE_VIRTUAL_CAST_ROOM_H

#include "device/virtual/cast/cast.h"

struct room_here {
    double wholly; /* 0 … 1: how much others heed him */
    bool clear;    /* no two of these come too near each other anyway: they keep to their ways */
};
/* Moves walkers to their sides, smoothly as they come near each other. A pure function of
 * where all are. m: those who are not on wheels. */
void room_make(struct member *m, const struct room_here *here, size_t n);

#endif
