#include <assert.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/json.h"
#include "fuzz.h"

/* What is accepted is written and must be accepted again, as the same text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fault why = {0};
    JSON_AUTO *j = json_parse((const char *)data, size, &why);
    if (!j) {
        assert(why.kind != FAULT_NONE && why.text[0]);
        return 0;
    }
    BUF(first, 8 << 20);
    BUF(second, 8 << 20);
    assert(!json_write(&first, j));
    if (first.len > JSON_MAX_BYTES)
        return 0;
    JSON_AUTO *again = json_parse(buf_str(&first), first.len, &why);
    assert(again);
    assert(!json_write(&second, again));
    assert(first.len == second.len && !__builtin_memcmp(first.data, second.data, first.len));
    return 0;
}
