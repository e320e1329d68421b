#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "device/head/driver.h"
#include "net/message.h"

/* Options that are one number each. */
static const struct {
    const char *name;
    size_t at;
    double min, max;
} numbers[] = {
    {"zoom", offsetof(struct head_spec, max_zoom), 1, 200},
    {"hfov", offsetof(struct head_spec, wide_hfov_deg), 1, 170},
    {"panspeed", offsetof(struct head_spec, pan_speed), 0.1, 1000},
    {"tiltspeed", offsetof(struct head_spec, tilt_speed), 0.1, 1000},
    {"zoomspeed", offsetof(struct head_spec, zoom_speed), 0.01, 20},
    {"units", offsetof(struct head_spec, units), 0.1, 1000},
};

static int bad(struct fault *why, const char *what)
{
    return fault_set(why, FAULT_INVALID, "head", "%s; see docs/sources.md", what);
}

/* "-170..170" */
static int parse_range(const char *value, double min, double max, double *ret_low, double *ret_high)
{
    char low[32];
    const char *dots = strstr(value, "..");
    if (!dots || (size_t)(dots - value) >= sizeof(low))
        return -EINVAL;
    memcpy(low, value, (size_t)(dots - value));
    low[dots - value] = 0;
    if (text_double(low, min, max, ret_low) || text_double(dots + 2, min, max, ret_high))
        return -EINVAL;
    return *ret_low < *ret_high ? 0 : -EINVAL;
}

static int take_option(struct head_spec *s, const struct arg *o, struct fault *why)
{
    int64_t number;
    bool yes;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        if (strcmp(o->name, numbers[i].name))
            continue;
        double *to = (double *)((char *)s + numbers[i].at);
        return text_double(o->value, numbers[i].min, numbers[i].max, to)
                   ? fault_set(why, FAULT_INVALID, "head", "%s is a number from %g to %g", o->name,
                               numbers[i].min, numbers[i].max)
                   : 0;
    }
    if (!strcmp(o->name, "pan"))
        return parse_range(o->value, -180, 180, &s->min_pan_deg, &s->max_pan_deg)
                   ? bad(why, "pan is a range of degrees such as -170..170")
                   : 0;
    if (!strcmp(o->name, "tilt"))
        return parse_range(o->value, -90, 90, &s->min_tilt_deg, &s->max_tilt_deg)
                   ? bad(why, "tilt is a range of degrees such as -30..90")
                   : 0;
    if (!strcmp(o->name, "baud")) {
        if (text_int(o->value, 1200, 115200, &number))
            return bad(why, "baud is 9600, 19200, 38400, 57600 or 115200");
        s->baud = (int)number;
        return 0;
    }
    if (!strcmp(o->name, "number")) {
        if (text_int(o->value, 1, 64, &number))
            return bad(why, "number is a number from 1 to 64");
        s->number = (int)number;
        return 0;
    }
    if (!strcmp(o->name, "transport")) {
        if (strcmp(o->value, "udp") && strcmp(o->value, "tcp"))
            return bad(why, "transport is udp or tcp");
        s->udp = !strcmp(o->value, "udp");
        return 0;
    }
    if (!strcmp(o->name, "reverse") || !strcmp(o->name, "upsidedown")) {
        if (text_bool(o->value, &yes))
            return bad(why, "reverse and upsidedown are yes or no");
        if (*o->name == 'r')
            s->pan_reversed = yes;
        else
            s->tilt_reversed = yes;
        return 0;
    }
    return fault_set(why, FAULT_UNKNOWN, "head",
                     "\"%.32s\" is no option of a head; see "
                     "docs/sources.md",
                     o->name);
}

static int take_options(struct head_spec *s, const char *text, struct fault *why)
{
    struct arg options[LIMIT_ARGS];
    size_t n = 0;
    struct arena *arena = arena_new(16384);
    if (!arena)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    int err = strlen(text) > 400 || args_parse(options, &n, arena, text, strlen(text))
                  ? bad(why, "what stands after # cannot be read")
                  : 0;
    for (size_t i = 0; !err && i < n; i++)
        err = take_option(s, &options[i], why);
    arena_free(arena);
    return err;
}

/* Takes user:password@ out of "//user:password@host". */
static int take_login(struct head_spec *s, const char **rest, size_t *len, struct fault *why)
{
    const char *host = *rest + 2;
    size_t authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', authority);
    if (!at)
        return 0;
    const char *colon = memchr(host, ':', (size_t)(at - host));
    const char *user_end = colon ? colon : at;
    if (text_url_decode(host, (size_t)(user_end - host), false, s->user, sizeof(s->user)) < 0 ||
        (colon && text_url_decode(colon + 1, (size_t)(at - colon - 1), false, s->password,
                                  sizeof(s->password)) < 0))
        return bad(why, "user or password cannot be read: write special characters as %XX");
    *len -= (size_t)(at + 1 - *rest);
    *rest = at + 1; /* the host; the caller puts the slashes back */
    return 1;
}

int head_spec_parse(struct head_spec *ret, const char *text, struct fault *why)
{
    struct head_spec s = {.min_pan_deg = NAN,
                          .max_pan_deg = NAN,
                          .min_tilt_deg = NAN,
                          .max_tilt_deg = NAN,
                          .max_zoom = NAN,
                          .wide_hfov_deg = NAN,
                          .pan_speed = NAN,
                          .tilt_speed = NAN,
                          .zoom_speed = NAN,
                          .units = NAN,
                          .baud = -1,
                          .number = -1,
                          .udp = true};
    const char *colon = strchr(text, ':');
    size_t scheme = colon ? (size_t)(colon - text) : strlen(text);
    if (!scheme || scheme >= sizeof(s.scheme) || !text_is_ascii_print(text) || strchr(text, ' '))
        return bad(why, "a head is written KIND:ADDRESS, without blanks");
    memcpy(s.scheme, text, scheme);
    const char *rest = colon ? colon + 1 : "";
    size_t len = strcspn(rest, "#");
    const char *options = rest[len] ? rest + len + 1 : NULL;
    int login = 0;
    if (!strncmp(rest, "//", 2) && (login = take_login(&s, &rest, &len, why)) < 0)
        return login;
    if (len + 3 > sizeof(s.address) || scheme + len + 4 > sizeof(s.shown))
        return bad(why, "the address is too long");
    snprintf(s.address, sizeof(s.address), "%s%.*s", login ? "//" : "", (int)len, rest);
    if (!strncmp(s.address, "//", 2) && strchr("/?", s.address[2])) /* the end, too */
        return bad(why, "the address names no host");
    snprintf(s.shown, sizeof(s.shown), "%s:%.*s", s.scheme, (int)strcspn(s.address, "?"),
             s.address);
    int err = options ? take_options(&s, options, why) : 0;
    if (!err)
        *ret = s;
    return err;
}

void head_spec_apply(const struct head_spec *s, struct head_caps *c)
{
    const struct {
        double from, *to;
    } rows[] = {
        {s->min_pan_deg, &c->min_pan_deg},   {s->max_pan_deg, &c->max_pan_deg},
        {s->min_tilt_deg, &c->min_tilt_deg}, {s->max_tilt_deg, &c->max_tilt_deg},
        {s->max_zoom, &c->max_zoom},         {s->wide_hfov_deg, &c->wide_hfov_deg},
        {s->pan_speed, &c->max_pan_speed},   {s->tilt_speed, &c->max_tilt_speed},
        {s->zoom_speed, &c->max_zoom_speed},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (!isnan(rows[i].from))
            *rows[i].to = rows[i].from;
    c->zoom = c->zoom && c->max_zoom > 1;
    if (!isnan(s->max_zoom) || !isnan(s->wide_hfov_deg))
        c->tele_hfov_deg =
            2 * atan(tan(c->wide_hfov_deg / 2 * M_PI / 180) / c->max_zoom) * 180 / M_PI;
}
