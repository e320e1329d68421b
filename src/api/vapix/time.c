/* time.cgi: the clock and its zone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "system/time.h"

#define YEAR_MAX 2037

/* "2026-01-05T09:12:11+01:00", or with Z for no offset given. */
static void format(int64_t utc_ns, const long *offset_s, char *ret, size_t size)
{
    char text[40];
    text_utc(utc_ns + (offset_s ? *offset_s : 0) * NSEC_PER_SEC, text, sizeof text);
    text[19] = '\0'; /* whole seconds */
    if (!offset_s) {
        snprintf(ret, size, "%sZ", text);
        return;
    }
    unsigned minutes = (unsigned)labs(*offset_s) / 60;
    snprintf(ret, size, "%s%c%02u:%02u", text, *offset_s < 0 ? '-' : '+', minutes / 60 % 100,
             minutes % 60);
}

static json_t *date_time(struct json_call *c)
{
    const struct camera *cam = c->door->cam;
    const struct time_settings *t = room_ref(cam->time_room);
    int64_t utc_ns = clock_utc(cam->clock);
    long offset_s = time_local_offset(t->zone, utc_ns);
    char utc[48], local[48], rule[96] = "UTC0";
    format(utc_ns, NULL, utc, sizeof utc);
    format(utc_ns, &offset_s, local, sizeof local);
    time_posix_zone(t->zone, rule, sizeof rule);
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:b, s:i, s:s, s:b}", "dateTime", utc,
                          "localDateTime", local, "timeZone", t->zone, "posixTimeZone", rule,
                          "dstEnabled", time_zone_has_dst(t->zone), "maxYearSupported", YEAR_MAX,
                          "dhcpTimeZone", "", "dhcpTimeZoneUtilized", 0);
    room_unref(t);
    return j;
}

static void get_info(struct json_call *c)
{
    json_call_reply(c, date_time(c));
}

static void get_all(struct json_call *c)
{
    json_t *j = date_time(c), *zones = json_array();
    for (const char *const *z = time_zones(NULL); *z; z++)
        json_array_append_new(zones, json_string(*z));
    json_object_set_new(j, "timeZones", zones);
    json_call_reply(c, j);
}

static bool digits(const char **s, int n, int64_t min, int64_t max, int64_t *ret)
{
    char text[8];
    if (n >= (int)sizeof text || strspn(*s, "0123456789") < (size_t)n)
        return false;
    memcpy(text, *s, (size_t)n);
    text[n] = '\0';
    *s += n;
    return !text_int(text, min, max, ret);
}

static bool literal(const char **s, char c)
{
    return **s == c ? ((*s)++, true) : false;
}

/* "2026-01-05T08:12:11Z", a fraction allowed. */
static bool parse_utc(const char *s, int64_t *ret_ns)
{
    int64_t y, mo, d, h, mi, sec;
    if (!digits(&s, 4, 1970, YEAR_MAX, &y) || !literal(&s, '-') || !digits(&s, 2, 1, 12, &mo) ||
        !literal(&s, '-') || !digits(&s, 2, 1, 31, &d) || !literal(&s, 'T') ||
        !digits(&s, 2, 0, 23, &h) || !literal(&s, ':') || !digits(&s, 2, 0, 59, &mi) ||
        !literal(&s, ':') || !digits(&s, 2, 0, 59, &sec))
        return false;
    if (literal(&s, '.'))
        s += strspn(s, "0123456789");
    if (strcmp(s, "Z"))
        return false;
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    if (d > before[mo] - before[mo - 1] + (mo == 2 && leap))
        return false;
    int64_t days = (y - 1970) * 365 + (y - 1969) / 4 + before[mo - 1] + (mo > 2 && leap) + d - 1;
    *ret_ns = (days * 86400 + h * 3600 + mi * 60 + sec) * NSEC_PER_SEC;
    return true;
}

static const char *need_string(struct json_call *c, const char *key)
{
    const char *value = NULL;
    struct fault why = {0};
    if (json_get_string(c->params, key, &value, &why)) {
        json_call_fault(c, &why);
        return NULL;
    }
    if (!value) {
        fault_set(&why, FAULT_MISSING, key, "The parameter %s is missing", key);
        json_call_fault(c, &why);
    }
    return value;
}

static void set_date_time(struct json_call *c)
{
    const char *text = need_string(c, "dateTime");
    int64_t utc_ns;
    if (!text)
        return;
    if (!parse_utc(text, &utc_ns)) {
        json_call_error(c, json_family_e.invalid,
                        "The parameter dateTime must be UTC as 2026-01-05T08:12:11Z");
        return;
    }
    struct clock *clock = c->door->cam->clock;
    clock_shift_utc(clock, utc_ns - clock_utc(clock));
    json_call_reply(c, json_object());
}

static void commit_zone(struct json_call *c, const char *zone, json_t *take_data)
{
    struct fault why = {0};
    struct txn *t = txn_new(c->door->cam->conf, c->ex->who.groups);
    int err = t ? txn_set(t, "Time.TimeZone", zone, &why)
                : fault_set(&why, FAULT_INTERNAL, NULL, "Out of memory");
    if (err) {
        txn_abort(t);
        json_decref(take_data);
        json_call_fault(c, &why);
        return;
    }
    json_call_commit(c, t, take_data);
}

static void set_time_zone(struct json_call *c)
{
    const char *zone = need_string(c, "timeZone");
    if (zone)
        commit_zone(c, zone, json_pack("{s:s}", "timeZone", zone));
}

static void set_posix_time_zone(struct json_call *c)
{
    const char *zone = need_string(c, "posixTimeZone");
    struct fault why = {0};
    bool dst = true;
    if (!zone)
        return;
    if (json_get_bool(c->params, "enableDst", &dst, &why)) {
        json_call_fault(c, &why);
        return;
    }
    /* Without summer time only the first name and its offset stay. */
    char rule[96];
    if (!text_copy(rule, sizeof rule, zone)) {
        json_call_error(c, json_family_e.invalid, "The parameter posixTimeZone is too long");
        return;
    }
    if (!dst) {
        size_t name = *rule == '<' ? strcspn(rule, ">") + 1 : strcspn(rule, "+-0123456789");
        if (name < strlen(rule))
            rule[name + strspn(rule + name, "+-0123456789:")] = '\0';
    }
    commit_zone(c, rule, json_pack("{s:s, s:b}", "posixTimeZone", rule, "enableDst", dst));
}

static void reset_time_zone(struct json_call *c)
{
    commit_zone(c, "UTC", json_pack("{s:s}", "status", "success"));
}

static const struct json_method methods[] = {
    {"getDateTimeInfo", ROLE_VIEWER, get_info},
    {"getAll", ROLE_VIEWER, get_all},
    {"setDateTime", ROLE_OPERATOR, set_date_time},
    {"setTimeZone", ROLE_OPERATOR, set_time_zone},
    {"setPosixTimeZone", ROLE_OPERATOR, set_posix_time_zone},
    {"resetTimeZone", ROLE_OPERATOR, reset_time_zone},
    {"getSupportedVersions", ROLE_VIEWER, json_serve_versions},
};
static const struct json_cgi api = {"1.0", &json_family_e, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/time.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER, /* changes: operator */
     .changes_state = true,
     .serve = serve,
     .doc = "the clock and its zone (JSON)"},
};
const struct cgi cgi_time = {CGI_ROWS(rows)};
