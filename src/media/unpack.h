/* What hardware gives as one picture, into 4:2:0: JPEG as USB cameras send it (without its
 * tables, damaged), and the usual raw layouts. One unpacker belongs to one thread. */
#ifndef MEDIA_UNPACK_H
#define MEDIA_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "media/picture.h"

enum raw_layout {
    RAW_JPEG,
    RAW_YUYV,
    RAW_UYVY,
    RAW_NV12,
    RAW_NV21,
    RAW_YUV420,
    RAW_GREY,
    RAW_RGB24
};
struct unpacker;

struct unpacker *unpacker_new(void);
struct unpacker *unpacker_free(struct unpacker *u);
/* width, height, stride: of the bytes (of the first plane; not of JPEG). Scaled to `to` if they
 * are of another size. Raw YUV keeps the colours that `to` is tagged with; JPEG and RGB become
 * BT.601 full range. -EBADMSG: damaged or too short. */
int unpack_picture(struct unpacker *u, enum raw_layout layout, int width, int height, int stride,
                   const uint8_t *bytes, size_t len, struct picture *to);

#endif
