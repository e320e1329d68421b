/* Polygons of privacy masks. What is taken must be writable, and be taken again. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "image/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[512], again[MASK_TEXT_MAX];
    double at[MASK_MAX_POINTS][2];
    struct mask m;
    unsigned n;
    size_t len = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, len);
    text[len] = '\0';
    mask_pairs(text, 1e5, 1e5, at, &n);
    if (mask_parse(text, &m, NULL) == 0) {
        mask_text(&m, again);
        if (m.n < MASK_MIN_POINTS || m.n > MASK_MAX_POINTS || strlen(again) >= MASK_TEXT_MAX)
            abort();
    }
    return 0;
}
