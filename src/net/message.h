/* One strict parser for HTTP/1.0, HTTP/1.1 and RTSP/1.0 requests (RFC 9112,
 * RFC 2326), incremental, without copies: it works on the connection's buffer.
 *
 * Refused with a status: bare LF or CR in headers, folded lines, space before the
 * colon, two different lengths, length with chunked, sizes over the limits, NUL
 * or control characters, unknown versions (505). Trailing bytes belong to the
 * next message. Owner thread. */
#ifndef NET_MESSAGE_H
#define NET_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/limits.h"

struct arena;

enum protocol { PROTO_HTTP10, PROTO_HTTP11, PROTO_RTSP10 };

struct header {
    const char *name, *value; /* NUL-terminated, in the arena */
};

struct message {
    enum protocol protocol;
    const char *method;
    const char *target; /* as sent */
    struct header headers[LIMIT_HEADERS];
    size_t n_headers;
    int64_t content_length; /* -1: none */
    bool chunked;
    bool keep_alive;
    bool expect_continue;
};

/* Parses the head at the start of `bytes`. Returns its length; 0: more is needed;
 * negative: minus an HTTP status (400, 414, 431, 501, 505). `kinds`: OR of
 * 1 << enum protocol that are acceptable. */
int message_parse_head(struct message *ret, struct arena *arena, const char *bytes, size_t len,
                       unsigned kinds);
const char *message_header(const struct message *m, const char *name); /* first; NULL */
bool header_has_token(const char *value, const char *token); /* comma list, ASCII nocase */

/* Chunked body decoder (RFC 9112 7.1), incremental. Feed returns bytes consumed,
 * or minus a status. done becomes true after the last chunk and trailers. */
struct buf;
struct chunked {
    int state;
    uint64_t left;
    size_t line;
    bool done;
};
int chunked_feed(struct chunked *c, const char *bytes, size_t len, struct buf *body);

/* Splits and normalises a request target once (SEC-03): absolute forms lose scheme
 * and authority; runs of '/' collapse; everything else unclean (".", "..", any %2e,
 * %2f, %5c, %00, backslash, control characters, bad UTF-8) is -EINVAL. */
struct target {
    const char *path;      /* decoded, clean, begins with '/'; "*" for OPTIONS * */
    const char *query;     /* raw, "" when none */
    const char *authority; /* host[:port] of an absolute form, or NULL */
};
int target_parse(struct target *ret, struct arena *arena, const char *target);

struct arg {
    const char *name, *value; /* decoded */
};
/* Appends the arguments of a url-encoded text; empty items are skipped. -EINVAL on
 * bad escapes, -E2BIG past LIMIT_ARGS. A '+' is a space. */
int args_parse(struct arg *args, size_t *n, struct arena *arena, const char *text, size_t len);

#endif
