#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/limits.h"
#include "net/ws.h"

struct seen {
    struct buf text; /* opcode digit, payload, ';' */
};

static void on_message(void *arg, enum ws_opcode op, const uint8_t *payload, size_t len)
{
    struct seen *s = arg;
    buf_addf(&s->text, "%d", op);
    buf_add(&s->text, payload, len);
    buf_adds(&s->text, ";");
}

struct reader {
    struct buf in, msg;
    struct ws_reader r;
    struct seen seen;
};

static void reader_init(struct reader *r)
{
    memset(r, 0, sizeof(*r));
    buf_init(&r->in, WS_READER_BYTES);
    buf_init(&r->msg, LIMIT_WS_MESSAGE);
    buf_init(&r->seen.text, 1 << 20);
    r->r = (struct ws_reader){.in = &r->in, .msg = &r->msg};
}

static void reader_done(struct reader *r)
{
    buf_done(&r->in);
    buf_done(&r->msg);
    buf_done(&r->seen.text);
}

static int feed(struct reader *r, const void *bytes, size_t len)
{
    return ws_feed(&r->r, bytes, len, on_message, &r->seen);
}

/* A masked frame; flags: FIN and RSV bits. */
static void frame(struct buf *b, unsigned flags, unsigned op, const void *payload, size_t len)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    uint8_t head[10];
    size_t n = ws_header(head, (enum ws_opcode)op, len);
    head[0] = (uint8_t)(flags | op);
    head[1] |= 0x80;
    buf_add(b, head, n);
    buf_add(b, mask, 4);
    for (size_t i = 0; i < len; i++) {
        uint8_t c = ((const uint8_t *)payload)[i] ^ mask[i & 3];
        buf_add(b, &c, 1);
    }
}

/* RFC 6455 5.7. */
TEST(rfc_examples)
{
    struct reader r;
    reader_init(&r);
    static const uint8_t hello[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
                                    0x7f, 0x9f, 0x4d, 0x51, 0x58};
    CHECK_INT(feed(&r, hello, sizeof(hello)), 0);
    CHECK_STR(buf_str(&r.seen.text), "1Hello;");
    reader_done(&r);

    uint8_t head[10];
    CHECK_INT(ws_header(head, WS_TEXT, 5), 2);
    CHECK(head[0] == 0x81 && head[1] == 5);
    CHECK_INT(ws_header(head, WS_BINARY, 256), 4);
    CHECK(!memcmp(head, "\x82\x7e\x01\x00", 4));
    CHECK_INT(ws_header(head, WS_BINARY, 65536), 10);
    CHECK(!memcmp(head, "\x82\x7f\0\0\0\0\0\x01\0\0", 10));
}

TEST(fragments_and_control_between)
{
    BUF(b, 4096);
    frame(&b, 0, WS_TEXT, "Hel", 3);
    frame(&b, 0x80, WS_PING, "p", 1);
    frame(&b, 0x80, WS_CONT, "lo", 2);
    frame(&b, 0x80, WS_BINARY, "", 0);
    frame(&b, 0x80, WS_CLOSE,
          "\x03\xe8"
          "bye",
          5);
    for (size_t step = 1; step <= b.len; step++) {
        struct reader r;
        reader_init(&r);
        for (size_t at = 0; at < b.len; at += step)
            CHECK_INT(feed(&r, b.data + at, b.len - at < step ? b.len - at : step), 0);
        CHECK_STR(buf_str(&r.seen.text), "9p;1Hello;2;8\x03\xe8"
                                         "bye;");
        reader_done(&r);
    }
}

static int one(unsigned flags, unsigned op, const void *payload, size_t len)
{
    BUF(b, 1 << 20);
    struct reader r;
    reader_init(&r);
    frame(&b, flags, op, payload, len);
    int err = feed(&r, b.data, b.len);
    reader_done(&r);
    return err;
}

TEST(refusals)
{
    struct reader r;
    reader_init(&r);
    CHECK_INT(feed(&r, "\x81\x05Hello", 7), -1002); /* not masked */
    reader_done(&r);
    reader_init(&r);
    CHECK_INT(feed(&r, "\x82\xfe\x00\x05....", 8), -1002); /* not the shortest length */
    reader_done(&r);
    reader_init(&r);
    CHECK_INT(feed(&r, "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff....", 14), -1009);
    reader_done(&r);
    CHECK_INT(one(0xc0, WS_TEXT, "a", 1), -1002);
    CHECK_INT(one(0x80, 3, "a", 1), -1002);
    CHECK_INT(one(0x80, 11, "a", 1), -1002);
    CHECK_INT(one(0x80, WS_CONT, "a", 1), -1002);
    CHECK_INT(one(0x00, WS_PING, "a", 1), -1002);
    CHECK_INT(one(0x80, WS_CLOSE, "a", 1), -1002);
    CHECK_INT(one(0x80, WS_CLOSE, "\x03\xed", 2), -1002);
    CHECK_INT(one(0x80, WS_CLOSE, "\x03\xe8\xff", 3), -1007);
    CHECK_INT(one(0x80, WS_TEXT, "\xff", 1), -1007);
    CHECK_INT(one(0x80, WS_BINARY, "\xff", 1), 0);
    char *big = calloc(1, LIMIT_WS_MESSAGE + 1);
    CHECK_INT(one(0x80, WS_PING, big, 126), -1002);
    CHECK_INT(one(0x80, WS_BINARY, big, LIMIT_WS_MESSAGE), 0);
    CHECK_INT(one(0x80, WS_BINARY, big, LIMIT_WS_MESSAGE + 1), -1009);
    BUF(b, 1 << 20);
    reader_init(&r);
    frame(&b, 0, WS_BINARY, big, LIMIT_WS_MESSAGE);
    frame(&b, 0x80, WS_CONT, big, 1);
    CHECK_INT(feed(&r, b.data, b.len), -1009);
    reader_done(&r);
    free(big);
}

UNIT_MAIN(UNIT_ROW(rfc_examples) UNIT_ROW(fragments_and_control_between) UNIT_ROW(refusals))
