/* The picture worker: a picture of a stranger in, premultiplied pixels out.
 *
 * vedette-picture MAX_WIDTH MAX_HEIGHT [RRGGBB]: reads a PNG, JPEG, BMP or SVG from fd 0, writes
 * the answer (image/picture_answer.h) to fd 1. RRGGBB: that colour becomes transparent. */
#ifndef WORKERS_PICTURE_H
#define WORKERS_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

struct limits {
    int width, height; /* the most */
};

struct bitmap {
    int width, height;
    int nominal_width, nominal_height; /* what a vector picture says; else the same */
    bool has_alpha;
    uint32_t *argb; /* premultiplied 0xAARRGGBB; width * height */
};
/* Checks the size and takes memory for it; all transparent. */
int bitmap_make(struct bitmap *b, int64_t width, int64_t height, const struct limits *l,
                struct fault *why);

/* By what the bytes begin with. */
int picture_decode(const uint8_t *bytes, size_t len, const struct limits *l, struct bitmap *ret,
                   struct fault *why);
int bmp_decode(const uint8_t *bytes, size_t len, const struct limits *l, struct bitmap *ret,
               struct fault *why);
int svg_decode(const uint8_t *bytes, size_t len, const struct limits *l, struct bitmap *ret,
               struct fault *why);
/* What must not be in an SVG: scripts, references to anything but itself. */
int svg_check(const char *text, size_t len, struct fault *why);

/* From now on: no files, no network, no programs, little memory and time. 0 or negative errno. */
int sandbox_enter(void);

#endif
