/* What a VAPIX head answers to query=position and query=limits. */
#include <assert.h>

#include "device/vapix/answer.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"pan", "tilt", "zoom", "MinPan", "maxOpticalZoomMag"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        double v = 7;
        int err = vapix_number((const char *)data, size, names[i], -360, 20000, &v);
        assert(err || (v >= -360 && v <= 20000));
        assert(!err || v == 7);
    }
    return 0;
}
