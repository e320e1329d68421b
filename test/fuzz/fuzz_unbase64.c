/* Base64 in pieces (tunnels): pieces and whole give the same bytes. First byte: their size. */
#include <assert.h>
#include <string.h>

#include "api/rtsp/tunnel.h"
#include "fuzz.h"

#define MOST 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > MOST)
        return 0;
    uint8_t one[MOST], many[MOST];
    const char *text = (const char *)data + 1;
    size_t len = size - 1, step = 1 + data[0] % 16, at = 0, out = 0;
    struct unbase64 a = {0}, b = {0};
    int n = unbase64(&a, text, len, one), m = 0;
    while (at < len && m >= 0) {
        size_t part = len - at < step ? len - at : step;
        m = unbase64(&b, text + at, part, many + out);
        out += m > 0 ? (size_t)m : 0;
        at += part;
    }
    assert((n < 0) == (m < 0));
    if (n >= 0)
        assert((size_t)n == out && (size_t)n <= 3 * len / 4 && !memcmp(one, many, out));
    return 0;
}
