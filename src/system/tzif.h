/* Time zone files (TZif, RFC 9636): the table of a zone's changes, then the rule for
 * the years after. Strict: whatever does not add up is no zone. Immutable once made;
 * any thread. */
#ifndef SYSTEM_TZIF_H
#define SYSTEM_TZIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "system/posix_tz.h"

#define TZIF_MAX_BYTES (64 * 1024)
#define TZIF_RULE_MAX 96

struct tzif {
    size_t n;                 /* changes, in order */
    int64_t *at_s;            /* UTC seconds; owned */
    long *offset_s;           /* n + 1: offset_s[0] before the first change; owned */
    char rule[TZIF_RULE_MAX]; /* "" when the file has none */
    struct posix_tz tz;       /* of the rule */
};

int tzif_parse(const uint8_t *bytes, size_t len, struct tzif *ret); /* -EINVAL, -ENOMEM */
void tzif_done(struct tzif *z);
long tzif_offset(const struct tzif *z, int64_t utc_s);

#endif
