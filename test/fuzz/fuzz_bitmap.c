/* BMP files of strangers. */
#include <assert.h>
#include <stdlib.h>

#include "fuzz.h"
#include "picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const struct limits l = {64, 64};
    struct bitmap b = {0};
    struct fault why = {0};
    if (!bmp_decode(bytes, len, &l, &b, &why)) {
        assert(b.width >= 1 && b.width <= 64 && b.height >= 1 && b.height <= 64);
        for (int i = 0; i < b.width * b.height; i++)
            assert(b.argb[i] >> 24 == 255);
    }
    free(b.argb);
    return 0;
}
