#include "api/stage/reply.h"

#include "base/buf.h"
#include "base/fault.h"
#include "net/limits.h"

void stage_reply(struct exchange *ex, int status, json_t *take_j)
{
    BUF(body, LIMIT_REPLY_BYTES);
    json_write(&body, take_j);
    json_decref(take_j);
    if (body.err)
        exchange_reply(ex, 500, NULL, NULL, 0);
    else
        exchange_reply(ex, status, "application/json", body.data, body.len);
}

void stage_reply_error(struct exchange *ex, int status, const char *text)
{
    stage_reply(ex, status, json_pack("{s:s}", "error", text));
}

void stage_reply_fault(struct exchange *ex, const struct fault *why)
{
    static const int status[] = {
        [FAULT_DENIED] = 403,  [FAULT_CONFLICT] = 409,    [FAULT_LIMIT] = 409,
        [FAULT_BUSY] = 409,    [FAULT_UNSUPPORTED] = 409, [FAULT_IO] = 500,
        [FAULT_INTERNAL] = 500};
    size_t kind = (size_t)why->kind;
    int s = kind < sizeof status / sizeof *status ? status[kind] : 0;
    stage_reply(ex, s ? s : 400, json_pack("{s:s, s:s}", "error", why->text, "name", why->name));
}
