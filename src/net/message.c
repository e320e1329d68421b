#include "net/message.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define METHOD_MAX 32

static bool is_token_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Finds the end of the line at `bytes`. Returns its length without CR LF, -1 when
 * it is not there yet, -2 for a bare CR or LF or a control character. */
static int line_length(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = bytes[i];
        if (c >= 0x20 && c != 0x7f)
            continue;
        if (c == '\t')
            continue;
        if (c != '\r')
            return -2;
        if (i + 1 == len)
            return -1;
        return bytes[i + 1] == '\n' ? (int)i : -2;
    }
    return -1;
}

/* Length of the whole head, 0 when more is needed, or minus a status. Bounds what
 * a stranger can make us keep before anything is allocated. */
static int measure_head(const char *bytes, size_t len, size_t start)
{
    size_t at = start, lines = 0;
    for (;;) {
        size_t left = len - at;
        bool first = lines == 0;
        size_t max = first ? METHOD_MAX + LIMIT_TARGET_BYTES + 16 : LIMIT_HEADER_LINE;
        int n = line_length(bytes + at, left < max + 2 ? left : max + 2);
        if (n == -2)
            return -400;
        if (n < 0) {
            if (left > max)
                return first ? -414 : -431;
            if (at + left - start > LIMIT_HEADER_BYTES + LIMIT_TARGET_BYTES)
                return -431;
            return 0;
        }
        if ((size_t)n > max)
            return first ? -414 : -431;
        at += (size_t)n + 2;
        if (!first && n == 0)
            return (int)at;
        if (++lines > LIMIT_HEADERS + 1)
            return -431;
        if (at - start > LIMIT_HEADER_BYTES + LIMIT_TARGET_BYTES)
            return -431;
    }
}

static int parse_version(const char *s, size_t len, unsigned kinds, enum protocol *ret)
{
    bool http = len == 8 && !memcmp(s, "HTTP/", 5), rtsp = len == 8 && !memcmp(s, "RTSP/", 5);
    if (!http && !rtsp)
        return -400;
    if (s[5] < '0' || s[5] > '9' || s[6] != '.' || s[7] < '0' || s[7] > '9')
        return -400;
    unsigned family = http ? 1u << PROTO_HTTP10 | 1u << PROTO_HTTP11 : 1u << PROTO_RTSP10;
    if (!(kinds & family))
        return -400;
    if (s[5] != '1')
        return -505;
    if (rtsp)
        *ret = PROTO_RTSP10;
    else if (s[7] == '0')
        *ret = PROTO_HTTP10;
    else if (s[7] == '1')
        *ret = PROTO_HTTP11;
    else
        return -505;
    if (rtsp && s[7] != '0')
        return -505;
    return kinds & 1u << *ret ? 0 : -505;
}

static int parse_request_line(struct message *m, struct arena *arena, const char *line, size_t len,
                              unsigned kinds)
{
    const char *sp = memchr(line, ' ', len);
    if (!sp || sp == line)
        return -400;
    size_t method_len = (size_t)(sp - line);
    for (size_t i = 0; i < method_len; i++)
        if (!is_token_char((unsigned char)line[i]))
            return -400;
    const char *target = sp + 1;
    size_t rest = len - method_len - 1;
    const char *sp2 = memchr(target, ' ', rest);
    if (!sp2 || sp2 == target)
        return -400;
    size_t target_len = (size_t)(sp2 - target);
    if (target_len > LIMIT_TARGET_BYTES)
        return -414;
    if (memchr(target, '\t', target_len) || !text_is_utf8(target, target_len))
        return -400;
    int err = parse_version(sp2 + 1, rest - target_len - 1, kinds, &m->protocol);
    if (err)
        return err;
    if (method_len > METHOD_MAX)
        return -501;
    m->method = arena_strndup(arena, line, method_len);
    m->target = arena_strndup(arena, target, target_len);
    return m->method && m->target ? 0 : -431;
}

static int parse_length(const char *s, int64_t *ret)
{
    if (!*s)
        return -400;
    int64_t n = 0;
    for (; *s; s++) {
        if (*s < '0' || *s > '9')
            return -400;
        /* Too large for any body we take: the server says 413, not 400. */
        if (n > (INT64_MAX - 9) / 10)
            n = INT64_MAX / 10;
        else
            n = n * 10 + (*s - '0');
    }
    *ret = n;
    return 0;
}

static bool host_is_clean(const char *s)
{
    for (; *s; s++)
        if (*s <= 0x20 || *s == '/' || *s == '\\' || *s == '@' || *s == '?' || *s == '#' ||
            *s == ',' || (unsigned char)*s >= 0x7f)
            return false;
    return true;
}

struct framing {
    bool length, encoding, host, close, keep;
};

static int note_header(struct message *m, struct framing *f, const struct header *h)
{
    if (text_iequal(h->name, "Content-Length")) {
        if (f->length)
            return -400;
        f->length = true;
        return parse_length(h->value, &m->content_length);
    }
    if (text_iequal(h->name, "Transfer-Encoding")) {
        if (f->encoding || m->protocol != PROTO_HTTP11)
            return -400;
        f->encoding = true;
        if (!text_iequal(h->value, "chunked"))
            return -501;
        m->chunked = true;
    } else if (text_iequal(h->name, "Host")) {
        if (f->host || !host_is_clean(h->value))
            return -400;
        f->host = true;
    } else if (text_iequal(h->name, "Connection")) {
        f->close |= header_has_token(h->value, "close");
        f->keep |= header_has_token(h->value, "keep-alive");
    } else if (text_iequal(h->name, "Expect")) {
        m->expect_continue |= text_iequal(h->value, "100-continue");
    }
    return 0;
}

static int parse_header(struct message *m, struct framing *f, struct arena *arena, const char *line,
                        size_t len)
{
    size_t name_len = 0;
    while (name_len < len && is_token_char((unsigned char)line[name_len]))
        name_len++;
    if (name_len == 0 || name_len == len || line[name_len] != ':')
        return -400; /* also a folded line and a space before the colon */
    const char *value = line + name_len + 1, *end = line + len;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (!text_is_utf8(value, (size_t)(end - value)))
        return -400;
    struct header *h = &m->headers[m->n_headers];
    h->name = arena_strndup(arena, line, name_len);
    h->value = arena_strndup(arena, value, (size_t)(end - value));
    if (!h->name || !h->value)
        return -431;
    m->n_headers++;
    return note_header(m, f, h);
}

int message_parse_head(struct message *ret, struct arena *arena, const char *bytes, size_t len,
                       unsigned kinds)
{
    /* RFC 9112 2.2: empty lines before a request are skipped; a few, not a stream. */
    size_t start = 0;
    while (start < 8 && len - start >= 2 && bytes[start] == '\r' && bytes[start + 1] == '\n')
        start += 2;
    if (len == start || (len - start == 1 && bytes[start] == '\r' && start < 8))
        return 0;

    int total = measure_head(bytes, len, start);
    if (total <= 0)
        return total;

    struct message *m = ret;
    *m = (struct message){.content_length = -1};
    struct framing f = {0};
    size_t at = start;
    for (bool first = true;; first = false) {
        int n = line_length(bytes + at, (size_t)total - at);
        if (n == 0 && !first)
            break;
        int err = first ? parse_request_line(m, arena, bytes + at, (size_t)n, kinds)
                        : parse_header(m, &f, arena, bytes + at, (size_t)n);
        if (err)
            return err;
        at += (size_t)n + 2;
    }
    if (f.length && f.encoding)
        return -400;
    if (m->protocol == PROTO_HTTP11 && !f.host)
        return -400;
    m->keep_alive = !f.close && (m->protocol != PROTO_HTTP10 || f.keep);
    if (m->protocol == PROTO_HTTP10)
        m->expect_continue = false;
    return total;
}

const char *message_header(const struct message *m, const char *name)
{
    for (size_t i = 0; i < m->n_headers; i++)
        if (text_iequal(m->headers[i].name, name))
            return m->headers[i].value;
    return NULL;
}

bool header_has_token(const char *value, const char *token)
{
    size_t want = strlen(token);
    for (const char *s = value; s && *s;) {
        while (*s == ' ' || *s == '\t' || *s == ',')
            s++;
        const char *end = s;
        while (*end && *end != ',')
            end++;
        const char *trim = end;
        while (trim > s && (trim[-1] == ' ' || trim[-1] == '\t'))
            trim--;
        if ((size_t)(trim - s) == want && !strncasecmp(s, token, want))
            return true;
        s = end;
    }
    return false;
}
