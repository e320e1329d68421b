#include "api/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "image/mask_settings.h"
#include "net/conn.h"
#include "net/exchange.h"

void audit_who(const struct exchange *ex, struct audit_who *ret)
{
    char address[sizeof ret->address] = "";
    if (ex->conn)
        conn_peer_text(ex->conn, address, sizeof address);
    audit_who_named(ex->who.user, address, ret);
}

void audit_who_named(const char *user, const char *address, struct audit_who *ret)
{
    text_copy(ret->user, sizeof ret->user, user && *user ? user : "nobody");
    text_copy(ret->address, sizeof ret->address, address && *address ? address : "?");
}

void audit_param(const struct audit_who *who, const char *name, const char *value)
{
    static const char group[] = MASK_GROUP;
    if (!strncasecmp(name, "root.", 5))
        name += 5;
    if (strncasecmp(name, group, sizeof group - 1))
        return;
    if (value)
        audit_line(who, "%.96s=%.160s", name, value);
    else
        audit_line(who, "%.96s removed", name);
}

void audit_line(const struct audit_who *who, const char *fmt, ...)
{
    char text[384];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    log_info("audit", "%s from %s: %s", who->user, who->address, text);
}
