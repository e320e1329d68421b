/* What an ONVIF camera answers to its head: XML under limits, then each reader. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/xml.h"
#include "device/onvif/answer.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xml *x = xml_parse((const char *)data, size, NULL);
    if (!x)
        return 0;
    char text[64];
    int64_t utc_s;
    bool denied;
    double a, b, c;
    struct onvif_ranges ranges;
    if (!onvif_read_time(x, &utc_s))
        assert(utc_s >= 0);
    if (!onvif_read_service(x, "PTZ", text, sizeof(text)))
        assert(text[0] == '/');
    if (!onvif_read_profile(x, 1, text, sizeof(text)))
        assert(strlen(text) > 0);
    if (!onvif_read_ranges(x, &ranges) && ranges.degrees)
        assert(ranges.min_pan_deg < ranges.max_pan_deg);
    if (!onvif_read_position(x, &a, &b, &c))
        assert(isnan(a) || fabs(a) < 1.1);
    onvif_read_fault(x, text, sizeof(text), &denied);
    xml_free(x);
    return 0;
}
