/* The picture shown when the sensor gives none. */
#ifndef IMAGE_PLACEHOLDER_H
#define IMAGE_PLACEHOLDER_H

#include "media/picture.h"

/* A grey card with "NO SIGNAL"; limited-range BT.709. NULL: out of memory. */
struct picture *placeholder_picture(int width, int height);

#endif
