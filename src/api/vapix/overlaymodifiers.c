/* overlaymodifiers.cgi: what stands for something else in overlay text. */
#include <string.h>

#include "api/vapix/json_cgi.h"
#include "base/buf.h"
#include "image/overlay_text.h"

static json_t *groups(void)
{
    static const char *const all[] = {"date",         "time",    "year",   "month",  "week",
                                      "day",          "hour",    "minute", "second", "sysinfo",
                                      "vidinfo",      "ptzinfo", "sensor", "zwave",  "mqtt",
                                      "autotracking", "others"};
    json_t *j = json_object();
    struct overlay_modifier m;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        json_object_set_new(j, all[i], json_array());
    for (size_t i = 0; overlay_modifier_at(i, &m); i++)
        json_array_append_new(json_object_get(j, m.group),
                              m.has_index ? json_pack("{s:s, s:b}", "mod", m.name, "index", 1)
                                          : json_pack("{s:s}", "mod", m.name));
    return j;
}

static void get(struct json_call *c)
{
    json_call_reply(c, json_pack("{s:o}", "groups", groups()));
}

static const struct json_method methods[] = {
    {"getOverlayModifiers", ROLE_OPERATOR, get},
    {"getSupportedVersions", ROLE_OPERATOR, json_serve_versions},
};
static const struct json_cgi api = {"1.0", &json_family_f, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    if (ex->method == METHOD_POST) {
        json_cgi_serve(&api, ex, arg);
        return;
    }
    JSON_AUTO *j = json_pack("{s:s, s:s, s:{s:o}}", "apiVersion", "1.0", "method",
                             "getOverlayModifiers", "data", "groups", groups());
    BUF(body, LIMIT_REPLY_BYTES);
    json_write(&body, j);
    exchange_reply(ex, body.err ? 500 : 200, "application/json", body.data, body.len);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/overlaymodifiers.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_OPERATOR,
     .serve = serve,
     .doc = "the modifiers of overlay text (JSON)"},
};
const struct cgi cgi_overlaymodifiers = {CGI_ROWS(rows)};
