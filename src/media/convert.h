/* Conversion between the colour matrices and ranges of 4:2:0 pictures. */
#ifndef MEDIA_CONVERT_H
#define MEDIA_CONVERT_H

#include <stdbool.h>

#include "media/picture.h"

/* From one kind of samples to another, in fixed point (see convert.c). */
struct colour_map {
    bool same;
    int16_t yy;                     /* luma from luma, less 1 */
    int16_t ycb, ycr;               /* luma from Cb, Cr */
    int16_t cbcb, cbcr, crcb, crcr; /* chroma from chroma, cbcb and crcr less 1 */
    int16_t y_offset;               /* rounding included */
};

struct colour_map colour_map(enum colour_matrix from, enum colour_range from_range,
                             enum colour_matrix to, enum colour_range to_range);
/* All rows of `to`, whatever the tags of both say; `to` may be `from`. Same size. */
void colour_map_rows(const struct colour_map *m, struct picture *to, const struct picture *from);
/* Same size; `to` may be `from`. The target's tags say what is wanted. */
void picture_convert(struct picture *to, const struct picture *from);

#endif
