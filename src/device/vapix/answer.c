#include "device/vapix/answer.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

int vapix_number(const char *text, size_t len, const char *name, double min, double max,
                 double *ret)
{
    size_t n = strlen(name);
    for (const char *at = text, *end = text + len; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t line = (size_t)((stop ? stop : end) - at);
        if (line > n && !memcmp(at, name, n) && at[n] == '=') {
            char value[32];
            size_t size = line - n - 1;
            if (size && at[line - 1] == '\r')
                size--;
            if (size >= sizeof(value))
                return -EINVAL;
            memcpy(value, at + n + 1, size);
            value[size] = 0;
            return strlen(value) == size && !text_double(value, min, max, ret) ? 0 : -EINVAL;
        }
        at += line + 1;
    }
    return -ENOENT;
}
