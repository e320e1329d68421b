#include "media/capture.h"

#include <math.h>
#include <stdio.h>

#include "base/text.h"

/* Without zero bytes, so that it never needs emulation prevention. */
const uint8_t capture_sei_uuid[16] = {0x5d, 0x8f, 0x1c, 0x6a, 0x93, 0xb7, 0x4e, 0x21,
                                      0xb6, 0xd4, 0x7a, 0x1f, 0x3e, 0x9c, 0x2d, 0x58};

int capture_text(const struct capture *c, char *ret, int size)
{
    char utc[40];
    text_utc(c->utc_ns, utc, sizeof(utc));
    char doubt[48] = "";
    const struct pose *p = &c->pose_start;
    double error_deg = fmax(p->uncertainty_deg, c->pose_end.uncertainty_deg);
    if (!p->known && !c->no_signal)
        snprintf(doubt, sizeof(doubt), ",\"known\":false");
    else if (error_deg > 0)
        snprintf(doubt, sizeof(doubt), ",\"error\":%.4f", error_deg);
    int n = snprintf(ret, (size_t)size,
                     "{\"serial\":%llu,\"utc\":\"%s\",\"pose\":{\"pan\":%.4f,\"tilt\":%.4f,"
                     "\"zoom\":%.4f%s}}",
                     (unsigned long long)c->serial, utc, p->pan_deg + 0.0, p->tilt_deg + 0.0,
                     p->zoom, doubt);
    return n < size ? n : size - 1;
}
