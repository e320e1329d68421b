#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "net/message.h"

/* First byte: which protocols. A head is judged the same whole and in pieces, and
 * what is accepted holds no control characters. */
static int parse(struct message *m, struct arena *a, const char *text, size_t len, unsigned kinds)
{
    return message_parse_head(m, a, text, len, kinds);
}

static void check_text(const char *s)
{
    for (; *s; s++)
        assert((unsigned char)*s >= 0x20 || *s == '\t');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    unsigned kinds = data[0] & 7;
    const char *text = (const char *)data + 1;
    size_t len = size - 1;
    struct arena *a = arena_new(1 << 20);
    struct message m;
    int whole = parse(&m, a, text, len, kinds);
    if (whole > 0) {
        assert((size_t)whole <= len && m.n_headers <= LIMIT_HEADERS);
        assert(!m.chunked || m.content_length < 0);
        check_text(m.method);
        check_text(m.target);
        for (size_t i = 0; i < m.n_headers; i++) {
            check_text(m.headers[i].name);
            check_text(m.headers[i].value);
        }
        struct arena *b = arena_new(1 << 20);
        struct message again;
        assert(parse(&again, b, text, (size_t)whole, kinds) == whole);
        assert(parse(&again, b, text, (size_t)whole - 1, kinds) == 0);
        arena_free(b);
    }
    arena_free(a);
    return 0;
}
