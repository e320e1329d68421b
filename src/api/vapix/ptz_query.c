#include "api/vapix/ptz_query.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/vapix/ptz_lens.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"
#include "conf/param.h"
#include "net/exchange.h"
#include "ptz/presets.h"
#include "ptz/ptz.h"
#include "ptz/scale.h"
#include "ptz/views.h"
#include "system/identity.h"

static double max_zoom(struct ptz *p)
{
    struct head_caps caps;
    ptz_caps(p, &caps);
    return caps.zoom ? caps.max_zoom : 1;
}

double ptz_zoom_to_magnification(struct ptz *p, double zoom)
{
    return zoom_of_step(zoom, max_zoom(p));
}

double ptz_zoom_of_magnification(struct ptz *p, double magnification)
{
    return step_of_zoom(magnification, max_zoom(p));
}

bool ptz_query_is_json(struct exchange *ex)
{
    const char *format = exchange_arg(ex, "format"), *query = exchange_arg(ex, "query");
    return format && !strcmp(format, "json") && query &&
           (!strncmp(query, "preset", 6) || !strcmp(query, "attributes"));
}

/* Whose head the question is about. */
struct asked {
    struct camera *cam;
    int channel;
    struct ptz *ptz;
};

static void position(struct buf *out, const struct asked *a, bool json)
{
    struct pose pose;
    ptz_pose(a->ptz, &pose);
    buf_addf(out, "pan=%.4f\r\ntilt=%.4f\r\nzoom=%.0f\r\n", pose.pan_deg + 0.0, pose.tilt_deg + 0.0,
             round(ptz_zoom_of_magnification(a->ptz, pose.zoom)));
    if (a->channel == 1)
        lens_position(out, a->cam);
}

static void limits(struct buf *out, const struct asked *a, bool json)
{
    struct head_caps c;
    struct head_limits l;
    ptz_caps(a->ptz, &c);
    ptz_limits(a->ptz, &l);
    buf_addf(out,
             "MinPan=%g\r\nMaxPan=%g\r\nMinTilt=%g\r\nMaxTilt=%g\r\nMinZoom=%.0f\r\n"
             "MaxZoom=%.0f\r\n",
             l.min_pan_deg, l.max_pan_deg > 180 ? l.max_pan_deg - 360 : l.max_pan_deg,
             l.min_tilt_deg, l.max_tilt_deg, round(step_of_zoom(l.min_zoom, c.max_zoom)),
             round(step_of_zoom(l.max_zoom, c.max_zoom)));
    if (a->channel == 1)
        lens_limits(out, a->cam);
    buf_addf(out, "MinFieldAngle=%.0f\r\nMaxFieldAngle=%.0f\r\n", c.tele_hfov_deg * 10,
             c.wide_hfov_deg * 10);
    if (a->channel == 1 && a->cam->eye)
        buf_adds(out, "MinBrightness=1\r\nMaxBrightness=9999\r\n");
}

static void mode(struct buf *out, const struct asked *a, bool json)
{
    buf_adds(out, "mode=normal\r\n");
}

static void speed(struct buf *out, const struct asked *a, bool json)
{
    buf_addf(out, "speed=%.0f\r\n", round(ptz_speed(a->ptz) * 100));
}

static void end_presets(struct buf *out, const struct asked *a, json_t *take_list)
{
    char name[24];
    if (!take_list)
        return;
    snprintf(name, sizeof name, "Camera %d", a->channel);
    JSON_AUTO *all = json_pack("{s:{s:o}}", name, "presets", take_list);
    if (!all || json_write(out, all))
        out->err = -ENOMEM;
}

/* {"Camera 1":{"presets":["presetposno1=Home…", …]}} or a line each. */
static void list_presets(struct buf *out, const struct asked *a, bool json, bool data)
{
    json_t *list = json ? json_array() : NULL;
    if (!json)
        buf_addf(out, "Preset Positions for camera %d\r\n", a->channel);
    struct presets *all =
        a->channel > 1 ? views_presets(a->cam->views, a->channel) : a->cam->presets;
    const struct preset_settings *s = presets_ref(all);
    for (int i = 1; i <= (a->channel > 1 ? VIEW_PRESETS_MOST : PRESETS_MOST); i++) {
        const struct preset *p = &s->preset[i];
        char line[PRESET_NAME_SIZE + PRESET_DATA_SIZE + 32];
        struct preset_data d;
        if (!p->used || preset_data_parse(p->data, &d, NULL))
            continue;
        int n = snprintf(line, sizeof line, "presetposno%d=%s", i, p->name);
        if (data && n > 0 && (size_t)n < sizeof line)
            n += snprintf(line + n, sizeof line - (size_t)n, ":pan=%.4f:tilt=%.4f", d.pan_deg + 0.0,
                          d.tilt_deg + 0.0);
        if (data && !isnan(d.zoom))
            n += snprintf(line + n, sizeof line - (size_t)n, ":zoom=%.0f", round(d.zoom));
        if (data && !isnan(d.focus))
            snprintf(line + n, sizeof line - (size_t)n, ":focus=%.0f", round(d.focus));
        if (json)
            json_array_append_new(list, json_string(line));
        else
            buf_addf(out, "%s\r\n", line);
    }
    room_unref(s);
    end_presets(out, a, list);
}

static void presets(struct buf *out, const struct asked *a, bool json)
{
    list_presets(out, a, json, false);
}

static void presets_with_data(struct buf *out, const struct asked *a, bool json)
{
    list_presets(out, a, json, true);
}

static void attributes(struct buf *out, const struct asked *a, bool json)
{
    struct head_caps c;
    ptz_caps(a->ptz, &c);
    if (json)
        buf_addf(out,
                 "{\"Camera %d\":{\"maxOpticalZoomMag\":\"%g\",\"zoomSteps\":["
                 "{\"value\":\"1\",\"zoom\":\"1\"},{\"value\":\"9999\",\"zoom\":\"%g\"}]}}",
                 a->channel, c.max_zoom, c.max_zoom);
    else
        buf_addf(out,
                 "Attributes for camera %d\r\nspeeds=value=1|speed=%g,value=100|speed=%g\r\n"
                 "maxOpticalZoomMag=%g\r\n",
                 a->channel, c.max_pan_speed / 100, c.max_pan_speed, c.max_zoom);
}

static void status(struct buf *out, const struct asked *a, bool json)
{
    buf_addf(out, "moving=%s\r\n", ptz_moving(a->ptz) ? "yes" : "no");
}

static void auxiliary(struct buf *out, const struct asked *a, bool json)
{
}

static const struct {
    const char *name;
    void (*answer)(struct buf *out, const struct asked *a, bool json);
} queries[] = {
    {"position", position},
    {"limits", limits},
    {"mode", mode},
    {"speed", speed},
    {"presetposall", presets},
    {"presetposcam", presets},
    {"presetposcamdata", presets_with_data},
    {"attributes", attributes},
    {"status", status},
    {"auxiliary", auxiliary},
};

static int answer_all(struct buf *out, const char *list, const struct asked *a, bool json,
                      struct fault *why)
{
    char name[48];
    for (const char *s = list;; s++) {
        size_t len = strcspn(s, ","), i = 0;
        if (len >= sizeof name)
            return fault_set(why, FAULT_INVALID, "query", "query: unknown value: %.80s", list);
        memcpy(name, s, len);
        name[len] = '\0';
        while (i < sizeof queries / sizeof *queries && strcmp(queries[i].name, name))
            i++;
        if (i == sizeof queries / sizeof *queries)
            return fault_set(why, FAULT_INVALID, "query", "query: unknown value: %s", name);
        queries[i].answer(out, a, json);
        s += len;
        if (!*s)
            return 0;
    }
}

static const char info_head[] =
    "Available commands\n"
    ":\n"
    "{camera=[n]}\n"
    "whoami=yes\n"
    "center=[x],[y]\n"
    "  imagewidth=[n]\n"
    "  imageheight=[n]\n"
    "areazoom=[x],[y],[z]\n"
    "  imagewidth=[n]\n"
    "  imageheight=[n]\n"
    "move={ home | up | down | left | right | upleft | upright | downleft | downright | stop }\n"
    "pan=[abspos]\n"
    "tilt=[abspos]\n"
    "zoom=[n]\n"
    "rpan=[offset]\n"
    "rtilt=[offset]\n"
    "rzoom=[offset]\n"
    "continuouspantiltmove=[x-speed],[y-speed]\n"
    "  proportionalspeed={ enabled | disabled }\n"
    "continuouszoommove=[speed]\n"
    "speed=[n]\n"
    "gotoserverpresetname=[name]\n"
    "gotoserverpresetno=[n]\n"
    "gotodevicepreset=[n]\n"
    "setserverpresetname=[name]\n"
    "setserverpresetno=[n]\n"
    "  imagesettings={ yes | no }\n"
    "removeserverpresetname=[name]\n"
    "removeserverpresetno=[n]\n";

static const char info_tail[] =
    "imagerotation={ 0 | 90 | 180 | 270 }\n"
    "query={ attributes | limits | mode | position | presetposall | presetposcam | "
    "presetposcamdata | speed | status }\n";

int ptz_query(struct buf *out, struct exchange *ex, struct camera *cam, int channel,
              bool *ret_asked, struct fault *why)
{
    const struct asked a = {cam, channel, channel > 1 ? views_ptz(cam->views, channel) : cam->ptz};
    const char *query = exchange_arg(ex, "query"), *info = exchange_arg(ex, "info");
    const char *whoami = exchange_arg(ex, "whoami");
    *ret_asked = query || info || whoami;
    if (whoami) {
        const struct brand_settings *b = room_ref(cam->brand_room);
        buf_addf(out, "%s\r\n", b->short_name);
        room_unref(b);
    }
    if (info) {
        buf_adds(out, info_head);
        lens_info(out, cam);
        buf_adds(out, info_tail);
    }
    return query ? answer_all(out, query, &a, ptz_query_is_json(ex), why) : 0;
}
