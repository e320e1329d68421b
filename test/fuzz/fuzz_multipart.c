/* Bodies of several parts: whatever comes, parts lie within the body. */
#include <assert.h>
#include <string.h>

#include "api/vapix/multipart.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct multipart_part part[MULTIPART_PARTS];
    char type[128] = "multipart/form-data; boundary=x";
    size_t head = 0;
    if (len && bytes[0] == '!') { /* its first line is the header */
        const uint8_t *end = memchr(bytes, '\n', len);
        head = end ? (size_t)(end - bytes) + 1 : len;
        size_t n = head - 1 < sizeof type - 1 ? head - 1 : sizeof type - 1;
        memcpy(type, bytes + 1, n);
        type[n] = 0;
    }
    const char *body = (const char *)bytes + head;
    int n = multipart_parse(type, body, len - head, part);
    for (int i = 0; i < n; i++)
        assert(part[i].bytes >= body && part[i].bytes + part[i].len <= body + (len - head));
    return 0;
}
