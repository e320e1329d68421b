/* What a picture worker writes for the camera; shared with workers/. */
#ifndef IMAGE_PICTURE_ANSWER_H
#define IMAGE_PICTURE_ANSWER_H

#include <stdint.h>

#define PICTURE_MAGIC 0x31504456u /* "VDP1" */

/* Then width * height pixels, premultiplied 0xAARRGGBB, in the machine's byte order. */
struct picture_answer {
    uint32_t magic;
    uint32_t refused; /* not 0: `why` says why, and no pixels follow */
    uint32_t width, height, nominal_width, nominal_height;
    uint32_t has_alpha;
    char why[228];
};

#endif
