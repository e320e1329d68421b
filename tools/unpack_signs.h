/* Lettering of signs: distance fields of their strokes, sharp at any size. */
#ifndef TOOLS_UNPACK_SIGNS_H
#define TOOLS_UNPACK_SIGNS_H

#include <stdint.h>

#include "device/virtual/place/tiles.h"

/* Sets width, height and reach from the sign's text and sides. The field is the caller's. */
uint8_t *sign_field(struct sign *s);

#endif
