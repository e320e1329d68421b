#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "fuzz.h"
#include "net/limits.h"
#include "net/ws.h"

/* First byte: size of the pieces. Pieces and whole give the same messages. */
static void on_message(void *arg, enum ws_opcode op, const uint8_t *payload, size_t len)
{
    struct buf *seen = arg;
    assert(len <= LIMIT_WS_MESSAGE && (op < WS_CLOSE || len <= 125));
    if (op == WS_TEXT)
        assert(text_is_utf8((const char *)payload, len));
    buf_addf(seen, "%d %zu ", op, len);
    buf_add(seen, payload, len);
}

static int read_all(const uint8_t *data, size_t size, size_t step, struct buf *seen)
{
    BUF(in, WS_READER_BYTES);
    BUF(msg, LIMIT_WS_MESSAGE);
    struct ws_reader r = {.in = &in, .msg = &msg};
    for (size_t at = 0; at < size; at += step) {
        int err = ws_feed(&r, data + at, size - at < step ? size - at : step, on_message, seen);
        if (err)
            return err;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    BUF(one, 8 << 20);
    BUF(many, 8 << 20);
    int a = read_all(data + 1, size - 1, size, &one);
    int b = read_all(data + 1, size - 1, 1 + data[0] % 16, &many);
    assert(a == b && one.len == many.len && (!one.len || !memcmp(one.data, many.data, one.len)));
    return 0;
}
