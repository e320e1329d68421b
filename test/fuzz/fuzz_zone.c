/* Time zone files and POSIX zone rules. */
#include "fuzz.h"

#include <string.h>

#include "system/posix_tz.h"
#include "system/tzif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t moments[] = {INT64_MIN / 4, -1, 0, 1782043200, INT64_MAX / 4};
    struct tzif z;
    struct posix_tz tz;
    char rule[128];
    if (!tzif_parse(data, size, &z)) {
        for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
            tzif_offset(&z, moments[i]);
        tzif_done(&z);
    }
    size_t len = size < sizeof rule - 1 ? size : sizeof rule - 1;
    memcpy(rule, data, len);
    rule[len] = '\0';
    if (!posix_tz_parse(rule, &tz)) {
        for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
            posix_tz_offset(&tz, moments[i]);
    }
    return 0;
}
