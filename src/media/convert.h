/* Conversion between the colour matrices and ranges of 4:2:0 pictures. */
#ifndef MEDIA_CONVERT_H
#define MEDIA_CONVERT_H

#include "media/picture.h"

/* Same size; `to` may be `from`. The target's tags say what is wanted. */
void picture_convert(struct picture *to, const struct picture *from);

#endif
