/* Modifiers: whatever the text, what comes out fits, ends, and is as valid as what went in. */
#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "image/overlay_text.h"
#include "media/capture.h"
#include "media/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char text[2049], out[OVERLAY_EXPANDED_MOST];
    if (len > 2048)
        return 0;
    memcpy(text, bytes, len);
    text[len] = 0;
    const struct capture how = {.serial = 7, .utc_ns = 1782043200000000000, .end_ns = 1};
    const struct stream_stats stats = {.fps = 30, .kbps = 1e9};
    const struct overlay_facts facts = {.ip = "192.0.2.1", .most_zoom = 30};
    const struct overlay_speech s = {
        .how = &how, .stats = &stats, .facts = &facts, .zone = "UTC", .slot = {"#D", "%T\xc3\xa9"}};
    bool valid = text_is_utf8(text, strlen(text));
    for (size_t size = 1; size <= sizeof out; size = size * 3 + 1) {
        size_t n = overlay_expand(text, &s, out, size);
        assert(n < size && strlen(out) == n);
        assert(!valid || text_is_utf8(out, n));
    }
    struct overlay_needs needs = overlay_text_needs(text);
    assert(!needs.slot_only || needs.slots);
    return 0;
}
