/* Answers of the stage door: JSON. */
#ifndef API_STAGE_REPLY_H
#define API_STAGE_REPLY_H

#include "base/json.h"
#include "net/exchange.h"

struct fault;

/* All end the exchange. */
void stage_reply(struct exchange *ex, int status, json_t *take_j);
/* With the name of what is at fault. */
void stage_reply_fault(struct exchange *ex, const struct fault *why);
void stage_reply_error(struct exchange *ex, int status, const char *text);

#endif
