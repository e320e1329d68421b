#include "ptz/limits.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "conf/param.h"
#include "device/ports.h"
#include "ptz/ptz.h"
#include "ptz/scale.h"

#define NAME "PTZ.Limit.L1."
enum { MIN_PAN, MAX_PAN, MIN_TILT, MAX_TILT, MIN_ZOOM, MAX_ZOOM, N_ROWS };

static struct param_row rows[N_ROWS];
static char standards[N_ROWS][32];
static struct head_caps mechanics;

static bool endless(const struct head_caps *c)
{
    return c->max_pan_deg - c->min_pan_deg >= 360;
}

static int check(const void *candidate, void *arg, struct fault *why)
{
    const struct ptz_limit_settings *s = candidate;
    if (s->min_tilt_deg > s->max_tilt_deg)
        return fault_set(why, FAULT_INVALID, NAME "MinTilt",
                         "The lower limit of tilt lies above the upper one.");
    if (s->min_zoom > s->max_zoom)
        return fault_set(why, FAULT_INVALID, NAME "MinZoom",
                         "The wide limit of zoom lies above the long one.");
    if (s->min_pan_deg > s->max_pan_deg && !endless(&mechanics))
        return fault_set(why, FAULT_INVALID, NAME "MinPan",
                         "The left limit of pan lies right of the right one.");
    return 0;
}

/* The text of the default is rounded: so are the bounds, to let it in. */
static double as_told(double v)
{
    char text[32];
    snprintf(text, sizeof text, "%g", v);
    return strtod(text, NULL);
}

static void row(int i, const char *name, size_t offset, double min, double max, double standard,
                const char *unit, const char *doc)
{
    snprintf(standards[i], sizeof standards[i], "%g", standard);
    rows[i] = (struct param_row){.name = name,
                                 .type = PARAM_DOUBLE,
                                 .offset = offset,
                                 .size = sizeof(double),
                                 .min = as_told(min),
                                 .max = as_told(max),
                                 .standard = standards[i],
                                 .read = ROLE_VIEWER,
                                 .write = ROLE_ADMIN,
                                 .unit = unit,
                                 .doc = doc};
}

const struct room_desc *ptz_limits_room(const struct head_caps *c)
{
    static const struct room_desc desc = {.name = "ptzlimits",
                                          .size = sizeof(struct ptz_limit_settings),
                                          .rows = rows,
                                          .n_rows = N_ROWS,
                                          .check = check};
    if (!c->pan && !c->tilt && !c->zoom)
        return NULL;
    mechanics = *c;
#define FIELD(f) offsetof(struct ptz_limit_settings, f)
    double pan[2] = {c->min_pan_deg, c->max_pan_deg}, tilt[2] = {c->min_tilt_deg, c->max_tilt_deg};
    row(MIN_PAN, NAME "MinPan", FIELD(min_pan_deg), pan[0], pan[1], pan[0], "deg",
        "The camera looks no further left; above MaxPan: the range passes behind");
    row(MAX_PAN, NAME "MaxPan", FIELD(max_pan_deg), pan[0], pan[1], pan[1], "deg",
        "The camera looks no further right");
    row(MIN_TILT, NAME "MinTilt", FIELD(min_tilt_deg), tilt[0], tilt[1], tilt[0], "deg",
        "The camera looks no lower");
    row(MAX_TILT, NAME "MaxTilt", FIELD(max_tilt_deg), tilt[0], tilt[1], tilt[1], "deg",
        "The camera looks no higher");
    row(MIN_ZOOM, NAME "MinZoom", FIELD(min_zoom), SCALE_MIN, SCALE_MAX, SCALE_MIN, NULL,
        "The camera shows no wider view; 1 to 9999");
    row(MAX_ZOOM, NAME "MaxZoom", FIELD(max_zoom), SCALE_MIN, SCALE_MAX, SCALE_MAX, NULL,
        "The camera shows no narrower view; 1 to 9999");
    return &desc;
}

void ptz_limits_effective(const struct ptz_limit_settings *s, const struct head_caps *c,
                          struct head_limits *ret)
{
    *ret = (struct head_limits){.min_pan_deg = fmax(s->min_pan_deg, c->min_pan_deg),
                                .max_pan_deg = fmin(s->max_pan_deg, c->max_pan_deg),
                                .min_tilt_deg = fmax(s->min_tilt_deg, c->min_tilt_deg),
                                .max_tilt_deg = fmin(s->max_tilt_deg, c->max_tilt_deg),
                                .min_zoom = zoom_of_step(s->min_zoom, c->max_zoom),
                                .max_zoom = zoom_of_step(s->max_zoom, c->max_zoom)};
    if (ret->max_pan_deg < ret->min_pan_deg)
        ret->max_pan_deg += 360;
}

void ptz_limits_apply(struct ptz *p, struct room *room)
{
    struct head_caps caps;
    struct head_limits l;
    ptz_caps(p, &caps);
    const struct ptz_limit_settings *s = room_ref(room);
    ptz_limits_effective(s, &caps, &l);
    room_unref(s);
    ptz_limit(p, &l);
}
