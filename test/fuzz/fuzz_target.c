#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "net/message.h"

/* A path that was accepted is clean, and is its own clean form. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(1 << 20);
    char *text = arena_strndup(a, (const char *)data, size);
    struct target t, again;
    if (text && target_parse(&t, a, text) == 0 && strcmp(t.path, "*")) {
        assert(t.path[0] == '/' && !strstr(t.path, "//") && !strstr(t.path, "/../"));
        assert(!strchr(t.path, '\\') && !strchr(t.path, '%'));
        size_t n = strlen(t.path);
        assert(n < 3 || strcmp(t.path + n - 3, "/.."));
        if (!strpbrk(t.path, " ?#")) {
            assert(target_parse(&again, a, t.path) == 0);
            assert(!strcmp(again.path, t.path));
        }
    }
    arena_free(a);
    return 0;
}
