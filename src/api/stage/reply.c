#include "api/stage/reply.h"

#include "base/buf.h"
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
