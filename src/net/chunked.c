/* The chunked body decoder of message.h. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "net/message.h"

#define CHUNK_DIGITS 8      /* of the size; more is nonsense or smuggling */
#define CHUNK_LINE 256      /* size line with extensions */
#define CHUNK_TRAILERS 2048 /* all trailer lines, which are thrown away */

enum state { SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_LF };

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_text(char c)
{
    return c == '\t' || ((unsigned char)c >= 0x20 && c != 0x7f);
}

static int size_done(struct chunked *c, const struct buf *body)
{
    if (c->left > body->max - body->len)
        return -413;
    c->line = 0;
    c->state = c->left ? DATA : TRAILER;
    return 0;
}

/* One byte of framing; everything but DATA. */
static int framing_byte(struct chunked *c, char byte, const struct buf *body)
{
    switch ((enum state)c->state) {
    case SIZE: {
        int v = hex_value(byte);
        if (v >= 0) {
            if (++c->line > CHUNK_DIGITS)
                return -400;
            c->left = c->left << 4 | (unsigned)v;
            return 0;
        }
        if (c->line == 0)
            return -400;
        if (byte == '\r')
            c->state = SIZE_LF;
        else if (byte == ';')
            c->state = EXTENSION;
        else
            return -400;
        return 0;
    }
    case EXTENSION:
        if (byte == '\r')
            c->state = SIZE_LF;
        else if (!is_text(byte) || ++c->line > CHUNK_LINE)
            return -400;
        return 0;
    case SIZE_LF:
        return byte == '\n' ? size_done(c, body) : -400;
    case DATA_CR:
        c->state = DATA_LF;
        return byte == '\r' ? 0 : -400;
    case DATA_LF:
        c->state = SIZE;
        c->line = 0;
        c->left = 0;
        return byte == '\n' ? 0 : -400;
    case TRAILER:
        if (byte == '\r') {
            c->state = TRAILER_LF;
            return 0;
        }
        if (!is_text(byte) || ++c->left > CHUNK_TRAILERS)
            return -400;
        c->line++;
        return 0;
    case TRAILER_LF:
        if (byte != '\n')
            return -400;
        c->done = c->line == 0;
        c->line = 0;
        c->state = TRAILER;
        return 0;
    case DATA:
        break;
    }
    return -400;
}

int chunked_feed(struct chunked *c, const char *bytes, size_t len, struct buf *body)
{
    size_t at = 0;
    while (at < len && !c->done) {
        if (c->state != DATA) {
            int err = framing_byte(c, bytes[at++], body);
            if (err)
                return err;
            continue;
        }
        size_t take = len - at < c->left ? len - at : (size_t)c->left;
        if (buf_add(body, bytes + at, take) < 0)
            return -413;
        at += take;
        c->left -= take;
        if (c->left == 0)
            c->state = DATA_CR;
    }
    return (int)at;
}
