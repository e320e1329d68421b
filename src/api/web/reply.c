#include "api/web/reply.h"

#include "base/buf.h"
#include "base/fault.h"
#include "net/exchange.h"

void web_reply(struct exchange *ex, int status, json_t *take_body)
{
    JSON_AUTO *body = take_body;
    BUF(text, 65536);
    if (!body || json_write(&text, body) < 0) {
        exchange_reply(ex, 500, "text/plain", "Out of memory.\n", 15);
        return;
    }
    exchange_reply(ex, status, "application/json", text.data, text.len);
}

void web_reply_error(struct exchange *ex, int status, const char *kind, const char *text)
{
    web_reply(ex, status, json_pack("{s:{s:s, s:s}}", "error", "kind", kind, "text", text));
}

void web_reply_fault(struct exchange *ex, const struct fault *why)
{
    static const int status[] = {
        [FAULT_UNKNOWN] = 404, [FAULT_DENIED] = 403,  [FAULT_CONFLICT] = 409,
        [FAULT_LIMIT] = 409,   [FAULT_BUSY] = 503,    [FAULT_UNSUPPORTED] = 404,
        [FAULT_IO] = 500,      [FAULT_TIMEOUT] = 504, [FAULT_INTERNAL] = 500,
    };
    size_t kind = (size_t)why->kind;
    int s = kind < sizeof status / sizeof *status ? status[kind] : 0;
    web_reply_error(ex, s ? s : 400, fault_kind_name(why->kind), why->text);
}
