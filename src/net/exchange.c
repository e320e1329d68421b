#include "net/exchange.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/text.h"
#include "net/exchange_private.h"

static const struct {
    const char *name;
    enum method method;
} methods[] = {
    {"GET", METHOD_GET},         {"HEAD", METHOD_GET}, {"POST", METHOD_POST},
    {"OPTIONS", METHOD_OPTIONS}, {"PUT", METHOD_PUT},  {"PATCH", METHOD_PATCH},
    {"DELETE", METHOD_DELETE},
};

static struct exchange_work *work_of(struct exchange *ex)
{
    return container_of(ex, struct exchange_work, ex);
}

static size_t count_args(const char *text, size_t len)
{
    size_t n = 1;
    for (size_t i = 0; i < len; i++)
        n += text[i] == '&';
    return n < LIMIT_ARGS ? n : LIMIT_ARGS;
}

/* Adds the arguments of a text behind those that are there; 0, -EINVAL, -E2BIG. */
static int add_args(struct exchange *ex, const char *text, size_t len)
{
    if (len == 0)
        return 0;
    size_t n = ex->n_args;
    size_t room = n + count_args(text, len);
    if (room > LIMIT_ARGS)
        room = LIMIT_ARGS;
    /* args_parse() counts to LIMIT_ARGS itself, and no further than `room`, since
     * each item beyond the first needs an '&'. */
    struct arg *args = arena_alloc(ex->arena, (room + 1) * sizeof(*args));
    if (!args)
        return -E2BIG;
    if (n)
        memcpy(args, ex->args, n * sizeof(*args));
    int err = args_parse(args, &n, ex->arena, text, len);
    if (err)
        return err;
    ex->args = args;
    ex->n_args = n;
    return 0;
}

static int fill_in(struct exchange_work *w)
{
    struct exchange *ex = &w->ex;
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
        if (!strcmp(w->msg.method, methods[i].name)) {
            ex->method = methods[i].method;
            ex->head_only = !strcmp(w->msg.method, "HEAD");
        }
    if (!ex->method)
        return 501;
    struct target t;
    int err = target_parse(&t, ex->arena, w->msg.target);
    if (err)
        return 400;
    if (!strcmp(t.path, "*") && ex->method != METHOD_OPTIONS)
        return 400;
    ex->path = t.path;
    ex->query = t.query;
    err = add_args(ex, t.query, strlen(t.query));
    return err ? 400 : 0;
}

int exchange_work_new(struct exchange_work **ret, struct arena *take_arena, const struct message *m,
                      struct http_conn *http, struct conn *conn)
{
    struct exchange_work *w = arena_alloc(take_arena, sizeof(*w));
    if (!w) {
        arena_free(take_arena);
        *ret = NULL;
        return 503;
    }
    w->msg = *m;
    w->http = http;
    buf_init(&w->headers, LIMIT_HEADER_BYTES);
    w->ex = (struct exchange){.arena = take_arena, .msg = &w->msg, .conn = conn, .body = ""};
    *ret = w;
    return fill_in(w);
}

void exchange_work_free(struct exchange_work *w)
{
    if (!w)
        return;
    buf_done(&w->headers);
    arena_free(w->ex.arena); /* w is part of it */
}

const char *exchange_arg(struct exchange *ex, const char *name)
{
    struct exchange_work *w = work_of(ex);
    if (!w->body_args && ex->body_len) {
        const char *type = exchange_header(ex, "Content-Type");
        static const char form[] = "application/x-www-form-urlencoded";
        if (type && !strncasecmp(type, form, sizeof(form) - 1))
            exchange_body_args(ex);
    }
    for (size_t i = ex->n_args; i > 0; i--)
        if (!strcmp(ex->args[i - 1].name, name))
            return ex->args[i - 1].value;
    return NULL;
}

int exchange_body_args(struct exchange *ex)
{
    struct exchange_work *w = work_of(ex);
    if (w->body_args)
        return 0;
    int err = add_args(ex, ex->body, ex->body_len);
    if (!err)
        w->body_args = true;
    return err;
}

const char *exchange_header(const struct exchange *ex, const char *name)
{
    return message_header(ex->msg, name);
}

int exchange_set_header(struct exchange *ex, const char *name, const char *value)
{
    for (const char *s = name; *s; s++)
        if (*s <= 0x20 || *s == ':' || (unsigned char)*s >= 0x7f)
            return -EINVAL;
    for (const char *s = value; *s; s++)
        if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
            return -EINVAL;
    if (!*name)
        return -EINVAL;
    return buf_addf(&work_of(ex)->headers, "%s: %s\r\n", name, value);
}

void exchange_reply(struct exchange *ex, int status, const char *type, const void *body, size_t len)
{
    http_reply(work_of(ex)->http, status, type, body, len, NULL, NULL);
}

void exchange_replyf(struct exchange *ex, int status, const char *type, const char *fmt, ...)
{
    BUF(text, LIMIT_REPLY_BYTES);
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    if (text.err)
        exchange_reply(ex, 500, NULL, NULL, 0);
    else
        exchange_reply(ex, status, type, text.data, text.len);
}

void exchange_reply_ref(struct exchange *ex, int status, const char *type, const void *body,
                        size_t len, void (*release)(void *ref), void *ref)
{
    http_reply(work_of(ex)->http, status, type, body, len, release, ref);
}

struct conn *exchange_take_conn(struct exchange *ex)
{
    return http_take_conn(work_of(ex)->http);
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {100, "Continue"},
        {101, "Switching Protocols"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {423, "Locked"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        /* RTSP */
        {451, "Parameter Not Understood"},
        {453, "Not Enough Bandwidth"},
        {454, "Session Not Found"},
        {455, "Method Not Valid in This State"},
        {456, "Header Field Not Valid for Resource"},
        {457, "Invalid Range"},
        {459, "Aggregate Operation Not Allowed"},
        {460, "Only Aggregate Operation Allowed"},
        {461, "Unsupported Transport"},
        {462, "Destination Unreachable"},
        {463, "Key Management Failure"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "Version Not Supported"},
        {507, "Insufficient Storage"},
        {551, "Option not supported"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}
