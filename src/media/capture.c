#include "media/capture.h"

#include <stdio.h>

#include "base/text.h"

/* Without zero bytes, so that it never needs emulation prevention. */
const uint8_t capture_sei_uuid[16] = {0x5d, 0x8f, 0x1c, 0x6a, 0x93, 0xb7, 0x4e, 0x21,
                                      0xb6, 0xd4, 0x7a, 0x1f, 0x3e, 0x9c, 0x2d, 0x58};

int capture_text(const struct capture *c, char *ret, int size)
{
    char utc[40];
    text_utc(c->utc_ns, utc, sizeof(utc));
    int n = snprintf(ret, (size_t)size,
                     "{\"serial\":%llu,\"utc\":\"%s\",\"pose\":{\"pan\":%.4f,\"tilt\":%.4f,"
                     "\"zoom\":%.4f}}",
                     (unsigned long long)c->serial, utc, c->pose_start.pan_deg + 0.0,
                     c->pose_start.tilt_deg + 0.0, c->pose_start.zoom);
    return n < size ? n : size - 1;
}
