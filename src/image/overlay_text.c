#include "image/overlay_text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "image/overlay_names.h"
#include "media/capture.h"
#include "media/stream.h"

struct out {
    char *to;
    size_t len, size;
    const struct overlay_speech *s;
    struct tm tm;
    bool has_tm;
    bool full;
};

static void put(struct out *o, const char *s, size_t n)
{
    size_t left = o->size - 1 - o->len;
    if (n > left) {
        n = left;
        o->full = true;
    }
    memcpy(o->to + o->len, s, n);
    o->len += n;
}

static void __attribute__((format(printf, 2, 3))) putf(struct out *o, const char *fmt, ...)
{
    char text[352];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    put(o, text, n < 0 ? 0 : n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

static void put_number(struct out *o, double v, int decimals)
{
    if (!isfinite(v))
        return;
    if (fabs(v) < pow(10, -decimals) / 2)
        v = 0; /* no "-0.0" */
    putf(o, "%.*f", decimals, v);
}

static void put_known(struct out *o, bool known, double v, int decimals)
{
    if (known)
        put_number(o, v, decimals);
}

/* ---- what the modifiers say ---- */

/* A row's function; form: the letter behind the sign; index: what stands behind the name,
 * −1: nothing. */
typedef void say_fn(struct out *o, char form, int index);

static const struct tm *local(struct out *o)
{
    if (!o->has_tm) {
        time_t t = (time_t)(o->s->how->utc_ns / NSEC_PER_SEC + o->s->tz_offset_s);
        gmtime_r(&t, &o->tm);
        o->tm.tm_gmtoff = o->s->tz_offset_s;
        o->tm.tm_zone = o->s->zone ? o->s->zone : "UTC";
        o->has_tm = true;
    }
    return &o->tm;
}

static void say_time(struct out *o, char form, int index)
{
    char fmt[3] = {'%', form, 0}, text[128];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* one letter of the table */
    size_t n = strftime(text, sizeof text, fmt, local(o));
#pragma GCC diagnostic pop
    put(o, text, n);
}

/* Months and days by their names. */
static void say_name(struct out *o, char form, int index)
{
    const struct overlay_names *n = overlay_names_of(o->s->language);
    const struct tm *t = local(o);
    const char *text = form == 'A'   ? n->day[t->tm_wday]
                       : form == 'a' ? n->short_day[t->tm_wday]
                       : form == 'B' ? n->month[t->tm_mon]
                                     : n->short_month[t->tm_mon];
    if (form != 'c')
        put(o, text, strlen(text));
    else
        putf(o, "%s %s %2d %02d:%02d:%02d %d", n->short_day[t->tm_wday], text, t->tm_mday,
             t->tm_hour, t->tm_min, t->tm_sec, t->tm_year + 1900);
}

/* The usual ones, which stand in most pictures, without the library. */
static void say_clock(struct out *o, char form, int index)
{
    const struct tm *t = local(o);
    if (form == 'F')
        putf(o, "%04d-%02d-%02d", t->tm_year + 1900, t->tm_mon + 1, t->tm_mday);
    else
        putf(o, "%02d:%02d:%02d", t->tm_hour, t->tm_min, t->tm_sec);
}

static void say_hundredths(struct out *o, char form, int index)
{
    putf(o, "%02d", (int)(o->s->how->utc_ns % NSEC_PER_SEC / (NSEC_PER_SEC / 100)));
}

static void say_epoch(struct out *o, char form, int index)
{
    putf(o, "%lld", (long long)(o->s->how->utc_ns / NSEC_PER_SEC));
}

static void say_sign(struct out *o, char form, int index)
{
    put(o, &form, 1);
}

static void say_rate(struct out *o, char form, int index)
{
    const struct stream_stats *st = o->s->stats;
    if (!st)
        put(o, "-", 1);
    else if (form == 'k')
        putf(o, "%u", st->gop);
    else if (form == 'r' || form == 'R')
        put_number(o, st->fps, form == 'r' ? 2 : 0);
    else
        put_number(o, form == 'b' ? st->kbps : st->kbps / 1000, form == 'b' ? 0 : 2);
}

static void say_source(struct out *o, char form, int index)
{
    putf(o, "%d", o->s->source);
}

static void say_serial(struct out *o, char form, int index)
{
    putf(o, "%05llu", (unsigned long long)(o->s->how->serial % 100000));
}

static void say_angle(struct out *o, char form, int index)
{
    const struct pose *p = &o->s->how->pose_start;
    double v = form == 'x' ? p->pan_deg : p->tilt_deg;
    if (fabs(v) < 0.005)
        v = 0;
    putf(o, "%+.2f", v);
}

static double zoom_steps(const struct overlay_speech *s, double zoom)
{
    double most = s->facts->most_zoom;
    return most > 1 ? 1 + (zoom - 1) / (most - 1) * 9998 : 1;
}

static void say_zoom(struct out *o, char form, int index)
{
    double zoom = o->s->how->pose_start.zoom;
    put_number(o, form == 'Z' ? zoom : fmin(fmax(zoom_steps(o->s, zoom), 1), 19999),
               form == 'Z' ? 1 : 0);
}

static void say_preset(struct out *o, char form, int index)
{
    const struct overlay_facts *f = o->s->facts;
    if (f->preset > 0 && form == 'p')
        putf(o, "%d", f->preset);
    else if (f->preset > 0)
        put(o, f->preset_name, strlen(f->preset_name));
}

static void say_address(struct out *o, char form, int index)
{
    const struct overlay_facts *f = o->s->facts;
    const char *what = form == 'i' ? f->ip : form == 'n' ? f->host : f->mac;
    size_t n = strlen(what);
    if (form == 'm' && n > 8) { /* the last six digits */
        what += n - 8;
        n = 8;
    }
    put(o, what, n);
}

static void say_temperature(struct out *o, char form, int index)
{
    double c = o->s->facts->temperature_c;
    if (index <= 1) /* there is one sensor */
        put_known(o, isfinite(c), form == 'F' ? c * 9 / 5 + 32 : c, 1);
}

static void say_slot(struct out *o, char form, int index)
{
    int at = index < 0 ? 0 : index;
    const char *text = at < OVERLAY_SLOTS ? o->s->slot[at] : NULL;
    if (text)
        put(o, text, strlen(text));
}

static void say_aperture(struct out *o, char form, int index)
{
    const struct overlay_facts *f = o->s->facts;
    double v = form == 'v' ? o->s->how->iris_f : form == 'l' ? f->widest_f : f->narrowest_f;
    if (v > 0)
        putf(o, "F%.1f", v);
}

static double gain_of(const struct out *o, char form)
{
    return form == 'v' ? o->s->how->gain_db : form == 'l' ? 0 : o->s->facts->most_gain_db;
}

static void say_gain(struct out *o, char form, int index)
{
    put_number(o, gain_of(o, form), 1);
}

static void say_iso(struct out *o, char form, int index)
{
    put_number(o, 100 * pow(10, gain_of(o, form) / 20), 0);
}

static void say_shutter(struct out *o, char form, int index)
{
    const struct overlay_facts *f = o->s->facts;
    int64_t ns = form == 'v'   ? o->s->how->end_ns - o->s->how->start_ns
                 : form == 'l' ? f->shortest_ns
                               : f->longest_ns;
    if (ns > 0)
        putf(o, "1/%.1f", (double)NSEC_PER_SEC / (double)ns);
}

static void say_lens(struct out *o, char form, int index)
{
    const struct overlay_facts *f = o->s->facts;
    double hfov = o->s->how->pose_start.hfov_deg;
    if (form == 'n')
        put(o, f->lens, strlen(f->lens));
    else if (f->sensor_width_mm > 0 && hfov > 0 && hfov < 180)
        put_number(o, f->sensor_width_mm / 2 / tan(hfov * M_PI / 360), 1);
}

/* Of things that this camera has not (yet): known, and blank. */
static void say_nothing(struct out *o, char form, int index)
{
}

/* ---- the table ---- */

struct row {
    const char *name, *group;
    say_fn *say;
    bool has_index;
};
static const struct row rows[] = {
    {"%c", "date", say_name},
    {"%D", "date", say_time},
    {"%F", "date", say_clock},
    {"%x", "date", say_time},
    {"%T", "time", say_clock},
    {"%X", "time", say_clock},
    {"%R", "time", say_time},
    {"%r", "time", say_time},
    {"%p", "time", say_time},
    {"%z", "time", say_time},
    {"%Z", "time", say_time},
    {"%Y", "year", say_time},
    {"%y", "year", say_time},
    {"%C", "year", say_time},
    {"%G", "year", say_time},
    {"%g", "year", say_time},
    {"%b", "month", say_name},
    {"%h", "month", say_name},
    {"%B", "month", say_name},
    {"%m", "month", say_time},
    {"%U", "week", say_time},
    {"%V", "week", say_time},
    {"%W", "week", say_time},
    {"%a", "day", say_name},
    {"%A", "day", say_name},
    {"%d", "day", say_time},
    {"%e", "day", say_time},
    {"%j", "day", say_time},
    {"%u", "day", say_time},
    {"%w", "day", say_time},
    {"%H", "hour", say_time},
    {"%I", "hour", say_time},
    {"%k", "hour", say_time},
    {"%l", "hour", say_time},
    {"%M", "minute", say_time},
    {"%S", "second", say_time},
    {"%f", "second", say_hundredths},
    {"%s", "second", say_epoch},
    {"#i", "sysinfo", say_address},
    {"#m", "sysinfo", say_address},
    {"#M", "sysinfo", say_address},
    {"#n", "sysinfo", say_address},
    {"#b", "vidinfo", say_rate},
    {"#B", "vidinfo", say_rate},
    {"#r", "vidinfo", say_rate},
    {"#R", "vidinfo", say_rate},
    {"#k", "vidinfo", say_rate}, /* of our own: pictures from key to key */
    {"#v", "vidinfo", say_source},
    {"#s", "vidinfo", say_serial},
    {"#av", "vidinfo", say_aperture},
    {"#al", "vidinfo", say_aperture},
    {"#ah", "vidinfo", say_aperture},
    {"#gv", "vidinfo", say_gain},
    {"#gl", "vidinfo", say_gain},
    {"#gh", "vidinfo", say_gain},
    {"#Gv", "vidinfo", say_iso},
    {"#Gl", "vidinfo", say_iso},
    {"#Gh", "vidinfo", say_iso},
    {"#hv", "vidinfo", say_shutter},
    {"#hl", "vidinfo", say_shutter},
    {"#hh", "vidinfo", say_shutter},
    {"#lv", "vidinfo", say_lens},
    {"#ln", "vidinfo", say_lens},
    {"#x", "ptzinfo", say_angle},
    {"#y", "ptzinfo", say_angle},
    {"#z", "ptzinfo", say_zoom},
    {"#Z", "ptzinfo", say_zoom},
    {"#p", "ptzinfo", say_preset},
    {"#P", "ptzinfo", say_preset},
    {"#L", "ptzinfo", say_nothing},
    {"#TC", "sensor", say_temperature, true},
    {"#TF", "sensor", say_temperature, true},
    {"#U", "sensor", say_nothing, true},
    {"#XMP", "mqtt", say_nothing, true},
    {"#XMD", "mqtt", say_nothing, true},
    {"#ATN", "autotracking", say_nothing},
    {"#ATP", "autotracking", say_nothing},
    {"#ATS", "autotracking", say_nothing},
    {"#ATC", "autotracking", say_nothing},
    {"#ATD", "autotracking", say_nothing},
    {"#ATV", "autotracking", say_nothing},
    {"#D", "others", say_slot, true},
    {"##", "others", say_sign},
    {"%%", "others", say_sign},
};
#define N_ROWS (sizeof rows / sizeof *rows)

bool overlay_modifier_at(size_t i, struct overlay_modifier *ret)
{
    if (i >= N_ROWS)
        return false;
    *ret = (struct overlay_modifier){rows[i].name, rows[i].group, rows[i].has_index};
    return true;
}

/* The row that the text begins with, the longest that fits, and how much of the text it is. */
static const struct row *row_at(const char *s, int *ret_index, size_t *ret_len)
{
    const struct row *best = NULL;
    size_t len = 0;
    for (size_t i = 0; i < N_ROWS; i++) {
        size_t n = strlen(rows[i].name);
        if (n > len && s[0] == rows[i].name[0] && !strncmp(s, rows[i].name, n)) {
            best = &rows[i];
            len = n;
        }
    }
    int index = -1;
    if (best && best->has_index && isdigit((unsigned char)s[len])) {
        index = s[len++] - '0';
        if (isdigit((unsigned char)s[len]) && index * 10 + s[len] - '0' < OVERLAY_SLOTS)
            index = index * 10 + s[len++] - '0';
    }
    *ret_index = index;
    *ret_len = best ? len : 1; /* what is no modifier is a sign like others */
    return best;
}

size_t overlay_expand(const char *text, const struct overlay_speech *speech, char *ret, size_t size)
{
    struct out o = {.to = ret, .size = size, .s = speech};
    const char *s = text;
    while (*s && !o.full) {
        size_t plain = strcspn(s, "%#"), len;
        int index;
        put(&o, s, plain);
        s += plain;
        if (!*s)
            break;
        const struct row *r = row_at(s, &index, &len);
        if (r)
            r->say(&o, r->name[strlen(r->name) - 1], index);
        else
            put(&o, s, len);
        s += len;
    }
    if (o.full) { /* not within a character */
        while (o.len && (o.to[o.len - 1] & 0xc0) == 0x80)
            o.len--;
        if (o.len && (o.to[o.len - 1] & 0x80))
            o.len--;
    }
    ret[o.len] = 0;
    return o.len;
}

struct overlay_needs overlay_text_needs(const char *text)
{
    struct overlay_needs n = {.slot_only = true};
    for (const char *s = text; *s;) {
        size_t len = 1;
        int index = -1;
        const struct row *r = *s == '%' || *s == '#' ? row_at(s, &index, &len) : NULL;
        if (r && r->say == say_slot)
            n.slots |= UINT32_C(1) << (index < 0 ? 0 : index);
        else if (r || (*s != ' ' && *s != '\n'))
            n.slot_only = false;
        n.stream |= r && r->say == say_rate;
        s += len;
    }
    n.slot_only &= n.slots != 0;
    return n;
}
