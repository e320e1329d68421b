/* What a VISCA head answers: cut out of a stream, and read. */
#include <assert.h>

#include "device/visca/protocol.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at < size) {
        struct visca_reply r;
        size_t room = size - at > 256 ? 256 : size - at, n = visca_cut(data + at, room, &r);
        assert(n <= room);
        if (!n) {
            assert(room < VISCA_MAX);
            break;
        }
        assert(r.n < VISCA_MAX);
        int pan = 0, tilt = 0, zoom = 0;
        if (!visca_read_pan_tilt(&r, &pan, &tilt))
            assert(pan >= -32768 && pan <= 32767 && tilt >= -32768 && tilt <= 32767);
        if (!visca_read_zoom(&r, &zoom)) {
            double z = visca_zoom_log(zoom, 18);
            assert(z >= 0 && z < 3);
        }
        at += n;
    }
    return 0;
}
