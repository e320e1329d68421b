/* What must not be in an SVG: the scan ends, and lets nothing through that it knows. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fault why = {0};
    svg_check((const char *)bytes, len, &why);
    return 0;
}
