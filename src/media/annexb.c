#include "media/annexb.h"

#include <string.h>

#include "media/capture.h"

#define TEXT_MAX 512

bool annexb_next(const uint8_t *bytes, size_t len, size_t *at, struct nal *ret)
{
    const uint8_t *end = bytes + len;
    const uint8_t *p = bytes + *at;
    const uint8_t *start = NULL;
    while (p + 3 <= end) {
        /* the 1 of a start code is rare: look for it, not for zeros */
        const uint8_t *one = memchr(p + 2, 1, (size_t)(end - p) - 2);
        if (!one)
            break;
        if (one[-1] || one[-2]) {
            p = one - 1;
            continue;
        }
        if (start) {
            size_t n = (size_t)(one - 2 - start);
            while (n && !start[n - 1]) /* zeros before a start code belong to it */
                n--;
            if (n) {
                *at = (size_t)(one - 2 - bytes);
                *ret = (struct nal){start, n};
                return true;
            }
        }
        start = p = one + 1;
    }
    *at = len;
    if (!start)
        return false;
    size_t n = (size_t)(end - start);
    while (n && !start[n - 1])
        n--;
    *ret = (struct nal){start, n};
    return n > 0;
}

size_t annexb_sei(const struct capture *how, const uint8_t *header, size_t header_len,
                  uint8_t ret[ANNEXB_SEI_MAX])
{
    uint8_t raw[TEXT_MAX + 32];
    char text[TEXT_MAX];
    size_t text_len = (size_t)capture_text(how, text, sizeof(text));
    size_t n = 0, size = 16 + text_len;
    raw[n++] = 5; /* user_data_unregistered */
    size_t left = size;
    for (; left >= 255; left -= 255)
        raw[n++] = 255;
    raw[n++] = (uint8_t)left;
    memcpy(raw + n, capture_sei_uuid, 16);
    n += 16;
    memcpy(raw + n, text, text_len);
    n += text_len;
    raw[n++] = 0x80; /* the stop bit */

    static const uint8_t start[4] = {0, 0, 0, 1};
    memcpy(ret, start, sizeof(start));
    memcpy(ret + sizeof(start), header, header_len);
    size_t out = sizeof(start) + header_len;
    unsigned zeros = 0;
    for (size_t i = 0; i < n; i++) {
        if (zeros == 2 && raw[i] <= 3) {
            ret[out++] = 3;
            zeros = 0;
        }
        ret[out++] = raw[i];
        zeros = raw[i] ? 0 : zeros + 1;
    }
    return out;
}
