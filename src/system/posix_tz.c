#include "system/posix_tz.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>

/* At least three letters, or anything alphanumeric, '+' and '-' in <>. */
static const char *skip_name(const char *s)
{
    int n = 0;
    if (*s == '<') {
        for (s++; isalnum((unsigned char)*s) || *s == '+' || *s == '-'; s++)
            n++;
        return *s == '>' && n >= 3 ? s + 1 : NULL;
    }
    for (; isalpha((unsigned char)*s); s++)
        n++;
    return n >= 3 ? s : NULL;
}

static const char *get_number(const char *s, long max, long *ret)
{
    long v = 0;
    if (!isdigit((unsigned char)*s))
        return NULL;
    for (; isdigit((unsigned char)*s); s++) {
        v = v * 10 + (*s - '0');
        if (v > max)
            return NULL;
    }
    *ret = v;
    return s;
}

/* [+-]hh[:mm[:ss]]; up to 167 hours as tzdata uses them. */
static const char *get_time(const char *s, long *ret)
{
    long part[3] = {0}, sign = 1;
    if (*s == '+' || *s == '-')
        sign = *s++ == '-' ? -1 : 1;
    s = get_number(s, 167, &part[0]);
    for (int i = 1; s && i < 3 && *s == ':'; i++)
        s = get_number(s + 1, 59, &part[i]);
    if (s)
        *ret = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
    return s;
}

static const char *get_date(const char *s, struct posix_tz_date *ret)
{
    long a = 0, b = 0, c = 0;
    ret->time_s = 2 * 3600;
    if (*s == 'M') {
        s = get_number(s + 1, 12, &a);
        s = s && *s == '.' ? get_number(s + 1, 5, &b) : NULL;
        s = s && *s == '.' ? get_number(s + 1, 6, &c) : NULL;
        if (!s || a < 1 || b < 1)
            return NULL;
        ret->kind = DATE_WEEK;
        ret->month = (int)a;
        ret->week = (int)b;
        ret->day = (int)c;
    } else {
        ret->kind = *s == 'J' ? DATE_JULIAN : DATE_DAY;
        s = get_number(*s == 'J' ? s + 1 : s, 365, &a);
        if (!s || (ret->kind == DATE_JULIAN && a < 1))
            return NULL;
        ret->day = (int)a;
    }
    return *s == '/' ? get_time(s + 1, &ret->time_s) : s;
}

int posix_tz_parse(const char *text, struct posix_tz *ret)
{
    struct posix_tz tz = {0};
    const char *s = skip_name(text);
    s = s ? get_time(s, &tz.std_s) : NULL;
    if (!s)
        return -EINVAL;
    tz.std_s = -tz.std_s; /* POSIX counts west */
    tz.dst_s = tz.std_s + 3600;
    if (*s) {
        tz.has_dst = true;
        s = skip_name(s);
        if (s && *s && *s != ',') {
            s = get_time(s, &tz.dst_s);
            tz.dst_s = -tz.dst_s;
        }
        s = s && *s == ',' ? get_date(s + 1, &tz.start) : NULL;
        s = s && *s == ',' ? get_date(s + 1, &tz.end) : NULL;
        if (!s || *s)
            return -EINVAL;
    }
    *ret = tz;
    return 0;
}

/* Days since 1970-01-01 of a civil date in the Gregorian calendar. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t year_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    return y + era * 400 + (of_year >= 306); /* the computing year begins in March */
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t moment(const struct posix_tz_date *d, int64_t year, long offset_s)
{
    int64_t day = days_of(year, 1, 1);
    switch (d->kind) {
    case DATE_JULIAN: /* 29 February is never counted */
        day += d->day - 1 + (d->day >= 60 && is_leap(year));
        break;
    case DATE_DAY:
        day += d->day;
        break;
    case DATE_WEEK: {
        int64_t first = days_of(year, d->month, 1);
        int64_t next = d->month == 12 ? days_of(year + 1, 1, 1) : days_of(year, d->month + 1, 1);
        int weekday = (int)(((first + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
        day = first + (d->day - weekday + 7) % 7 + 7 * (d->week - 1);
        while (day >= next) /* week 5: the last one */
            day -= 7;
        break;
    }
    }
    return day * 86400 + d->time_s - offset_s;
}

long posix_tz_offset(const struct posix_tz *tz, int64_t utc_s)
{
    if (!tz->has_dst)
        return tz->std_s;
    int64_t local = utc_s + tz->std_s;
    int64_t year = year_of(local / 86400 - (local % 86400 < 0));
    int64_t start = moment(&tz->start, year, tz->std_s), end = moment(&tz->end, year, tz->dst_s);
    bool dst = start < end ? utc_s >= start && utc_s < end : utc_s >= start || utc_s < end;
    return dst ? tz->dst_s : tz->std_s;
}
