#include "device/onvif/answer.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/xml.h"

static int read_int(const struct xml_node *n, int64_t min, int64_t max, int *ret)
{
    char text[32];
    int64_t v;
    if (!xml_text(n, text, sizeof(text)) || text_int(text, min, max, &v))
        return -EBADMSG;
    *ret = (int)v;
    return 0;
}

int onvif_read_time(const struct xml *x, int64_t *ret_utc_s)
{
    const struct xml_node *utc = xml_find(xml_root(x), "UTCDateTime");
    const struct xml_node *time = xml_find(utc, "Time"), *date = xml_find(utc, "Date");
    struct tm t = {0};
    if (read_int(xml_child(time, "Hour"), 0, 23, &t.tm_hour) ||
        read_int(xml_child(time, "Minute"), 0, 59, &t.tm_min) ||
        read_int(xml_child(time, "Second"), 0, 60, &t.tm_sec) ||
        read_int(xml_child(date, "Year"), 1970, 9999, &t.tm_year) ||
        read_int(xml_child(date, "Month"), 1, 12, &t.tm_mon) ||
        read_int(xml_child(date, "Day"), 1, 31, &t.tm_mday))
        return -EBADMSG;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    *ret_utc_s = timegm(&t);
    return 0;
}

int onvif_read_service(const struct xml *x, const char *service, char *ret, size_t size)
{
    const struct xml_node *at =
        xml_child(xml_find(xml_find(xml_root(x), "Capabilities"), service), "XAddr");
    char url[512];
    if (!xml_text(at, url, sizeof(url)) || !text_is_ascii_print(url) ||
        strpbrk(url, " \"<>\\^`{|}"))
        return -EBADMSG;
    const char *host = strstr(url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    return path && text_copy(ret, size, path) ? 0 : -EBADMSG;
}

int onvif_read_profile(const struct xml *x, int nth, char *ret, size_t size)
{
    const struct xml_node *list = xml_find(xml_root(x), "GetProfilesResponse");
    for (const struct xml_node *p = xml_child(list, "Profiles"); p; p = xml_next(p, "Profiles")) {
        if (!xml_child(p, "PTZConfiguration") || --nth > 0)
            continue;
        const char *token = xml_attribute(p, "token");
        return token && *token && text_copy(ret, size, token) ? 0 : -EBADMSG;
    }
    return -EBADMSG;
}

static int read_double(const struct xml_node *n, double *ret)
{
    char text[64];
    return xml_text(n, text, sizeof(text)) && !text_double(text, -1e6, 1e6, ret) ? 0 : -EBADMSG;
}

static int read_range(const struct xml_node *space, const char *axis, double *ret_min,
                      double *ret_max)
{
    const struct xml_node *range = xml_child(space, axis);
    if (read_double(xml_child(range, "Min"), ret_min) ||
        read_double(xml_child(range, "Max"), ret_max))
        return -EBADMSG;
    return *ret_min < *ret_max ? 0 : -EBADMSG;
}

int onvif_read_ranges(const struct xml *x, struct onvif_ranges *ret)
{
    static const char pan_tilt[] = "AbsolutePanTiltPositionSpace";
    const struct xml_node *node = xml_find(xml_root(x), "PTZNode");
    const struct xml_node *spaces = xml_find(node, "SupportedPTZSpaces");
    if (!spaces)
        return -EBADMSG;
    struct onvif_ranges r = {.zoom = xml_child(spaces, "AbsoluteZoomPositionSpace")};
    for (const struct xml_node *s = xml_child(spaces, pan_tilt); s; s = xml_next(s, pan_tilt)) {
        char uri[160];
        xml_text(xml_child(s, "URI"), uri, sizeof(uri));
        if (!strstr(uri, "SphericalPositionSpaceDegrees"))
            continue;
        r.degrees = !read_range(s, "XRange", &r.min_pan_deg, &r.max_pan_deg) &&
                    !read_range(s, "YRange", &r.min_tilt_deg, &r.max_tilt_deg) &&
                    r.min_pan_deg >= -360 && r.max_pan_deg <= 360 && r.min_tilt_deg >= -180 &&
                    r.max_tilt_deg <= 180;
    }
    *ret = r;
    return 0;
}

static double coordinate(const struct xml_node *n, const char *name)
{
    const char *text = xml_attribute(n, name);
    double v;
    return text && !text_double(text, -1.01, 1.01, &v) ? v : NAN;
}

int onvif_read_position(const struct xml *x, double *ret_x, double *ret_y, double *ret_zoom)
{
    const struct xml_node *position = xml_find(xml_find(xml_root(x), "PTZStatus"), "Position");
    if (!position)
        return -EBADMSG;
    const struct xml_node *pan_tilt = xml_child(position, "PanTilt");
    *ret_x = coordinate(pan_tilt, "x");
    *ret_y = coordinate(pan_tilt, "y");
    *ret_zoom = coordinate(xml_child(position, "Zoom"), "x");
    return 0;
}

bool onvif_read_fault(const struct xml *x, char *ret_reason, size_t size, bool *ret_denied)
{
    const struct xml_node *fault = xml_find(xml_root(x), "Fault");
    if (!fault)
        return false;
    const struct xml_node *code = xml_find(xml_find(fault, "Subcode"), "Value");
    const struct xml_node *reason = xml_find(xml_find(fault, "Reason"), "Text");
    char text[80];
    xml_text(code, text, sizeof(text));
    *ret_denied = strstr(text, "NotAuthorized") || strstr(text, "FailedAuthentication");
    xml_text(reason ? reason : xml_find(fault, "faultstring"), ret_reason, size);
    return true;
}
