/* Names of files and directives of HTTP Live Streaming. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/hls/playlist.h"
#include "api/hls/segments.h"
#include "base/buf.h"
#include "fuzz.h"
#include "net/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *s = strndup((const char *)data, size);
    struct arena *arena = arena_new(1 << 20);
    if (!s || !arena)
        abort();
    uint64_t number = 0;
    int part = 0;
    enum hls_file file = hls_file_parse(s, &number, &part);
    assert(part >= 0 && part <= SEGMENT_PARTS_MAX && number <= INT64_MAX);
    assert(file == HLS_PART || !part);
    struct arg args[LIMIT_ARGS];
    size_t n = 0;
    struct hls_wish wish;
    if (!args_parse(args, &n, arena, s, strlen(s)) && !hls_wish_parse(&wish, args, n)) {
        assert(wish.blocking || (wish.part < 0 && !wish.number));
        assert(wish.part >= -1 && wish.number <= INT64_MAX);
    }
    arena_free(arena);
    free(s);
    return 0;
}
