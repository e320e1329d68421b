#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "image/overlay.h"

struct out {
    char *to;
    int len, size;
};

static void put(struct out *o, const char *s, size_t n)
{
    for (size_t i = 0; i < n && o->len + 1 < o->size; i++)
        o->to[o->len++] = s[i];
}

static void put_number(struct out *o, double v, int decimals)
{
    char text[64];
    double unit = pow(10, -decimals);
    if (fabs(v) < unit / 2)
        v = 0; /* no "-0.0" */
    int n = snprintf(text, sizeof(text), "%.*f", decimals, v);
    put(o, text, (size_t)n);
}

/* One %-form of strftime; those with E and O, and what is not known, stay as they are. */
static void put_time(struct out *o, char form, const struct tm *tm)
{
    static const char known[] = "aAbBcCdDeFgGhHIjklmMnprRsStTuUVwWxXyYzZ";
    if (!strchr(known, form)) {
        char as_is[2] = {'%', form};
        put(o, as_is, 2);
        return;
    }
    char fmt[3] = {'%', form, 0}, text[128];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* one known form, from the user */
    size_t n = strftime(text, sizeof(text), fmt, tm);
#pragma GCC diagnostic pop
    put(o, text, n);
}

static void put_figure(struct out *o, char form, const struct capture *how,
                       const struct stream_stats *stats)
{
    switch (form) {
    case 'r':
    case 'R':
        if (stats)
            put_number(o, stats->fps, form == 'r' ? 2 : 0);
        else
            put(o, "-", 1);
        break;
    case 'b':
    case 'B':
        if (stats)
            put_number(o, form == 'b' ? stats->kbps : stats->kbps / 1000, form == 'b' ? 0 : 2);
        else
            put(o, "-", 1);
        break;
    case 'x':
        put_number(o, how->pose_start.pan_deg, 2);
        break;
    case 'y':
        put_number(o, how->pose_start.tilt_deg, 2);
        break;
    case 'Z':
        put_number(o, how->pose_start.zoom, 1);
        break;
    case 's': {
        char text[24];
        int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)how->serial);
        put(o, text, (size_t)n);
        break;
    }
    default: {
        char as_is[2] = {'#', form};
        put(o, as_is, 2);
    }
    }
}

void overlay_expand(const char *text, const struct capture *how, const struct stream_stats *stats,
                    long tz_offset_s, char *ret, int size)
{
    struct out o = {.to = ret, .size = size};
    struct tm tm = {0};
    time_t local = (time_t)(how->utc_ns / NSEC_PER_SEC + tz_offset_s);
    gmtime_r(&local, &tm);
    tm.tm_gmtoff = tz_offset_s;
    tm.tm_zone = tz_offset_s ? "" : "UTC";
    for (const char *s = text; *s; s++) {
        if (*s == '%' && s[1] == '%') {
            put(&o, "%", 1);
            s++;
        } else if (*s == '%' && s[1]) {
            put_time(&o, *++s, &tm);
        } else if (*s == '#' && s[1]) {
            put_figure(&o, *++s, how, stats);
        } else {
            put(&o, s, 1);
        }
    }
    if (o.len + 1 >= size) { /* cut: not within a character */
        while (o.len && (o.to[o.len - 1] & 0xc0) == 0x80)
            o.len--;
        if (o.len && (o.to[o.len - 1] & 0x80))
            o.len--;
    }
    if (size > 0)
        o.to[o.len] = 0;
}
