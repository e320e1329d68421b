#include "ptz/preset_data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/text.h"
#include "ptz/scale.h"

#define ITEM_SIZE 48

int preset_data_parse(const char *text, struct preset_data *ret, struct fault *why)
{
    struct preset_data d = {NAN, NAN, NAN, NAN};
    const struct {
        const char *name;
        double *to, min, max;
    } items[] = {
        {"pan", &d.pan_deg, -180, 180},
        {"tilt", &d.tilt_deg, -180, 180},
        {"zoom", &d.zoom, SCALE_MIN, SCALE_MAX},
        {"focus", &d.focus, SCALE_MIN, SCALE_MAX},
    };
    const size_t n = sizeof items / sizeof *items;
    for (const char *s = text; *s;) {
        char item[ITEM_SIZE];
        size_t len = strcspn(s, ":"), i = 0;
        char *value = NULL;
        if (len < sizeof item) {
            memcpy(item, s, len);
            item[len] = '\0';
            value = strchr(item, '=');
        }
        if (value)
            *value++ = '\0';
        while (value && i < n && strcmp(items[i].name, item))
            i++;
        if (!value || i == n || !isnan(*items[i].to) ||
            text_double(value, items[i].min, items[i].max, items[i].to))
            return fault_set(why, FAULT_INVALID, "Data",
                             "\"%.*s\" is no part of a position; one is pan=0:tilt=0:zoom=1, with "
                             "focus=1 to 9999 if it keeps the focus",
                             (int)(len < 40 ? len : 40), s);
        s += len;
        if (*s == ':' && !*++s)
            return fault_set(why, FAULT_INVALID, "Data", "a position does not end with \":\"");
    }
    if (isnan(d.pan_deg) || isnan(d.tilt_deg))
        return fault_set(why, FAULT_MISSING, "Data", "a position has pan and tilt");
    *ret = d;
    return 0;
}

void preset_data_print(const struct preset_data *d, char *ret, size_t size)
{
    size_t n = (size_t)snprintf(ret, size, "pan=%.6f:tilt=%.6f", d->pan_deg, d->tilt_deg);
    if (!isnan(d->zoom) && n < size)
        n += (size_t)snprintf(ret + n, size - n, ":zoom=%.6f", d->zoom);
    if (!isnan(d->focus) && n < size)
        snprintf(ret + n, size - n, ":focus=%.6f", d->focus);
}
