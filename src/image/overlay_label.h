/* Text laid out and rasterised: how much of each pixel the glyphs cover. */
#ifndef IMAGE_OVERLAY_LABEL_H
#define IMAGE_OVERLAY_LABEL_H

#include <stdint.h>

#include "media/picture.h"

struct label {
    int width, height; /* even */
    uint8_t *cover;    /* width * height, 0…255 */
};

enum label_back { BACK_WHITE, BACK_BLACK, BACK_TRANSPARENT, BACK_SEMITRANSPARENT };

/* Line height in pixels; no wider than max_width. NULL: out of memory. */
struct label *label_new(const char *text, int line_px, int max_width);
struct label *label_free(struct label *l);
/* Blends onto a picture in its own colours; x, y even. Clipped to the picture. */
void label_blend(const struct label *l, struct picture *to, int x, int y, bool white_text,
                 enum label_back back);

#endif
