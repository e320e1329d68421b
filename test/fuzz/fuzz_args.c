#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "fuzz.h"
#include "net/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(1 << 20);
    struct arg args[LIMIT_ARGS];
    size_t n = 0;
    if (args_parse(args, &n, a, (const char *)data, size) == 0) {
        assert(n <= LIMIT_ARGS);
        for (size_t i = 0; i < n; i++) {
            assert(args[i].name[0]);
            assert(text_is_utf8(args[i].name, strlen(args[i].name)));
            assert(text_is_utf8(args[i].value, strlen(args[i].value)));
        }
    } else {
        assert(n == 0);
    }
    arena_free(a);
    return 0;
}
