#include "media/obu.h"

#include <errno.h>

#define HAS_EXTENSION 4
#define HAS_SIZE 2

int obu_next(const uint8_t *bytes, size_t len, size_t *at, struct obu *ret)
{
    size_t i = *at;
    if (i >= len)
        return -ENOENT;
    uint8_t header = bytes[i];
    size_t header_len = header & HAS_EXTENSION ? 2 : 1, size = 0;
    if (header & 0x80 || !(header & HAS_SIZE) || i + header_len >= len)
        return -EBADMSG;
    i += header_len;
    for (unsigned shift = 0;; shift += 7) {
        if (i >= len || shift > 28)
            return -EBADMSG;
        uint8_t b = bytes[i++];
        size |= (size_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            break;
    }
    if (size > len - i)
        return -EBADMSG;
    *ret = (struct obu){.type = header >> 3 & 15,
                        .bytes = bytes + *at,
                        .len = i + size - *at,
                        .header_len = header_len,
                        .payload = bytes + i,
                        .payload_len = size};
    *at = i + size;
    return 0;
}

size_t obu_leb128(uint32_t v, uint8_t *ret)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        ret[n++] = (uint8_t)(v | 0x80);
    ret[n++] = (uint8_t)v;
    return n;
}
