/* basicdeviceinfo.cgi: who the camera is. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "conf/param.h"
#include "system/identity.h"

/* All properties, sorted; unrestricted: only what strangers may know. */
static json_t *properties(struct json_call *c, bool unrestricted)
{
    const struct brand_settings *b = room_ref(c->door->cam->brand_room);
    const struct identity_info *id = c->door->cam->identity;
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "Brand",
                          b->brand, "BuildDate", b->build_date, "HardwareID", id->hardware_id,
                          "ProdFullName", b->full_name, "ProdNbr", b->number, "ProdShortName",
                          b->short_name, "ProdType", b->type, "ProdVariant", b->variant,
                          "SerialNumber", id->serial, "Version", b->version, "WebURL", b->web_url);
    room_unref(b);
    if (j && !unrestricted) {
        struct utsname machine = {0};
        uname(&machine);
        json_object_set_new(j, "Architecture", json_string(machine.machine));
        json_object_set_new(j, "Soc", json_string("Generic"));
        json_object_set_new(j, "SocSerialNumber", json_string(""));
    }
    return j;
}

static void get_all(struct json_call *c)
{
    json_call_reply(c, json_pack("{s:o}", "propertyList", properties(c, false)));
}

static void get_unrestricted(struct json_call *c)
{
    json_call_reply(c, json_pack("{s:o}", "propertyList", properties(c, true)));
}

static void get_some(struct json_call *c)
{
    const json_t *names = json_object_get(c->params, "propertyList");
    if (!json_is_array(names)) {
        json_call_error(c, json_family_a.missing, "The parameter propertyList is missing");
        return;
    }
    JSON_AUTO *all = properties(c, false);
    JSON_AUTO *some = json_object();
    size_t i;
    json_t *name;
    json_array_foreach((json_t *)(uintptr_t)names, i, name)
    {
        json_t *value = json_is_string(name) ? json_object_get(all, json_string_value(name)) : NULL;
        if (!value) {
            char text[160];
            snprintf(text, sizeof text, "There is no property \"%.80s\"",
                     json_is_string(name) ? json_string_value(name) : "");
            json_call_error(c, json_family_a.invalid, text);
            return;
        }
        json_object_set(some, json_string_value(name), value);
    }
    json_call_reply(c, json_pack("{s:O}", "propertyList", some));
}

static const struct json_method methods[] = {
    {"getAllProperties", ROLE_OPERATOR, get_all},
    {"getProperties", ROLE_OPERATOR, get_some},
    {"getAllUnrestrictedProperties", ROLE_ANYONE, get_unrestricted},
    {"getSupportedVersions", ROLE_ANYONE, json_serve_versions},
};
static const struct json_cgi api = {"1.3", &json_family_a, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/basicdeviceinfo.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_ANYONE, /* methods that tell more ask for more */
     .serve = serve,
     .doc = "who the camera is (JSON)"},
};
const struct cgi cgi_basicdeviceinfo = {CGI_ROWS(rows)};
