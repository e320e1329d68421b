/* What a V4L2 device can do, and which of that we take. Owner thread. */
#ifndef DEVICE_V4L2_FORMATS_H
#define DEVICE_V4L2_FORMATS_H

#include <stddef.h>
#include <stdint.h>

#include "media/unpack.h"

#define FORMATS_MOST 256

struct format {
    uint32_t fourcc; /* V4L2_PIX_FMT_… that raw_layout_of() knows */
    int width, height;
    double fps; /* the highest up to 60 */
};
/* -1: we cannot use it. */
int raw_layout_of(uint32_t fourcc);
/* Asks the device; how many. */
size_t formats_ask(int fd, struct format ret[FORMATS_MOST]);
/* wanted: 0 where it does not matter. Of what fits: the largest picture up to 1920x1080 that
 * comes at 20 a second or more, then the quickest, then the one that is not JPEG. NULL: none
 * fits. */
const struct format *formats_choose(const struct format *list, size_t n,
                                    const struct format *wanted);

#endif
