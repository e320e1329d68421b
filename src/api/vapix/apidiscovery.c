/* apidiscovery.cgi: which APIs there are. Clients use the versions listed here in
 * their requests, and only call what is listed. */
#include <string.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "base/fault.h"
#include "base/text.h"
#include "device/device.h"

static const struct {
    const char *id, *version, *name;
} apis[] = {
    {"api-discovery", "1.0", "API Discovery Service"},
    {"audio-device-control", "1.0", "Audio Device Control"},
    {"audio-streaming-capabilities", "1.0", "Audio Streaming Capabilities"},
    {"basic-device-info", "1.3", "Basic Device Information"},
    {"capture-mode", "1.0", "Capture Mode"},
    {"daynight", "1.0", "Day Night"},
    {"dynamicoverlay", "1.0", "Dynamic Overlay"},
    {"guard-tour", "1.0", "Guard Tour"},
    {"image-size", "1.0", "Image Size CGI"},
    {"light-control", "1.1", "Light Control"},
    {"media-cgi", "1.0", "Media CGI"},
    {"optics-control", "1.0", "Optics Control"},
    {"overlayimage", "1.0", "Overlay Image"},
    {"param-cgi", "1.0", "Legacy Parameter Handling"},
    {"privacy-mask", "1.0", "Privacy Mask"},
    {"ptz-control", "1.0", "PTZ Control"},
    {"rtsp-over-websocket", "1.0", "RTSP over WebSocket"},
    {"stream-profiles", "1.0", "Stream Profiles"},
    {"streamstatus", "1.0", "Stream Status"},
    {"systemready", "1.4", "Systemready"},
    {"time-service", "1.0", "Time Service"},
    {"user-management", "1.1", "User Management"},
    {"video-streaming-indicator", "1.0", "Video Streaming Indicator"},
    {"view-area", "1.0", "View Area"},
};

/* Home automation makes a light of what is listed. */
static bool exists(const struct camera *cam, const char *id)
{
    return cam->device->infrared || strcmp(id, "light-control");
}

static void get_api_list(struct json_call *c)
{
    struct fault why = {0};
    const char *id = "*", *version = "*";
    if (json_get_string(c->params, "id", &id, &why) ||
        json_get_string(c->params, "version", &version, &why)) {
        json_call_fault(c, &why);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof apis / sizeof *apis; i++) {
        if (!exists(c->door->cam, apis[i].id))
            continue;
        if (text_glob(id, apis[i].id) && text_glob(version, apis[i].version))
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", apis[i].id,
                                                  "version", apis[i].version, "name", apis[i].name,
                                                  "docLink", "", "status", "official"));
    }
    json_call_reply(c, json_pack("{s:o}", "apiList", list));
}

static const struct json_method methods[] = {
    {"getApiList", ROLE_ANYONE, get_api_list},
    {"getSupportedVersions", ROLE_ANYONE, json_serve_versions},
};
static const struct json_cgi api = {"1.0", &json_family_a, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/apidiscovery.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_ANYONE,
     .serve = serve,
     .doc = "which APIs there are (JSON)"},
};
const struct cgi cgi_apidiscovery = {CGI_ROWS(rows)};
