#include "base/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

static const struct {
    const char *name;
    int err;
} kinds[] = {
    [FAULT_NONE] = {"none", 0},
    [FAULT_INVALID] = {"invalid", -EINVAL},
    [FAULT_UNKNOWN] = {"unknown", -ENOENT},
    [FAULT_MISSING] = {"missing", -EINVAL},
    [FAULT_DENIED] = {"denied", -EACCES},
    [FAULT_CONFLICT] = {"conflict", -EEXIST},
    [FAULT_LIMIT] = {"limit", -ENOSPC},
    [FAULT_BUSY] = {"busy", -EBUSY},
    [FAULT_UNSUPPORTED] = {"unsupported", -ENOTSUP},
    [FAULT_TIMEOUT] = {"timeout", -ETIMEDOUT},
    [FAULT_IO] = {"io", -EIO},
    [FAULT_INTERNAL] = {"internal", -ENOMEM},
};

int fault_set(struct fault *why, enum fault_kind kind, const char *name, const char *fmt, ...)
{
    if (why) {
        va_list ap;
        why->kind = kind;
        text_copy(why->name, sizeof(why->name), name ? name : "");
        va_start(ap, fmt);
        vsnprintf(why->text, sizeof(why->text), fmt, ap);
        va_end(ap);
        /* What is quoted may have been cut in the middle of a character. */
        text_keep_utf8(why->name);
        text_keep_utf8(why->text);
    }
    return kinds[kind].err;
}

const char *fault_kind_name(enum fault_kind kind)
{
    return kinds[kind].name;
}
