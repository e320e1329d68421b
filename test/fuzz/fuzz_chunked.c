#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "net/message.h"

/* First byte: size of the pieces. Pieces and whole give the same body. */
static int decode(const char *text, size_t len, size_t step, struct buf *body, size_t *ret_used)
{
    struct chunked c = {0};
    size_t at = 0;
    while (at < len && !c.done) {
        int n = chunked_feed(&c, text + at, len - at < step ? len - at : step, body);
        if (n < 0)
            return n;
        assert(n > 0);
        at += (size_t)n;
    }
    *ret_used = at;
    return c.done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    BUF(one, 4096);
    BUF(many, 4096);
    size_t used_one = 0, used_many = 0;
    const char *text = (const char *)data + 1;
    int a = decode(text, size - 1, size, &one, &used_one);
    int b = decode(text, size - 1, 1 + data[0] % 16, &many, &used_many);
    assert(a == b);
    if (a >= 0)
        assert(used_one == used_many && one.len == many.len &&
               (!one.len || !memcmp(one.data, many.data, one.len)));
    return 0;
}
