/* Answers of the page's HTTP calls: JSON; errors as {"error": {"kind", "text"}}. All end the
 * exchange. Loop-bound. */
#ifndef API_WEB_REPLY_H
#define API_WEB_REPLY_H

#include "base/json.h"

struct exchange;
struct fault;

void web_reply(struct exchange *ex, int status, json_t *take_body); /* NULL: out of memory */
void web_reply_error(struct exchange *ex, int status, const char *kind, const char *text);
void web_reply_fault(struct exchange *ex, const struct fault *why);

#endif
