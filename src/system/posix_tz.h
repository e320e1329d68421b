/* The rule language of the TZ variable (POSIX.1-2024 8.3): "CET-1CEST,M3.5.0,M10.5.0/3".
 * It also stands at the end of TZif files, where it rules the years that no table
 * row covers. Pure values; any thread. */
#ifndef SYSTEM_POSIX_TZ_H
#define SYSTEM_POSIX_TZ_H

#include <stdbool.h>
#include <stdint.h>

struct posix_tz_date {
    enum { DATE_JULIAN, DATE_DAY, DATE_WEEK } kind; /* Jn, n, Mm.w.d */
    int month, week, day;
    long time_s; /* after local midnight */
};
struct posix_tz {
    long std_s, dst_s; /* seconds east of UTC */
    bool has_dst;
    struct posix_tz_date start, end;
};

/* -EINVAL unless all of the text is one rule. */
int posix_tz_parse(const char *text, struct posix_tz *ret);
long posix_tz_offset(const struct posix_tz *tz, int64_t utc_s);

#endif
