#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *j, const char *name)
{
    const char *s = json_string_value(json_object_get(j, name));
    return s ? s : "";
}

int command_status(struct http *h, const struct options *o, int argc, char **argv)
{
    if (argc != 1)
        return fail(EXIT_USAGE, "%s takes no arguments", argv[0]);
    json_t *ready = NULL, *info = NULL;
    int code = http_json(h, o, "/axis-cgi/systemready.cgi", "systemready", false, &ready);
    if (!code)
        code = http_json(h, o, "/axis-cgi/basicdeviceinfo.cgi", "getAllUnrestrictedProperties",
                         false, &info);
    if (code) {
        json_decref(ready);
        return code;
    }
    const json_t *props = json_object_get(info, "propertyList");
    bool is_ready = !strcmp(text_of(ready, "systemready"), "yes");
    bool needs_setup = !strcmp(text_of(ready, "needsetup"), "yes");
    long uptime_s = strtol(text_of(ready, "uptime"), NULL, 10);
    double pan, tilt, zoom;
    bool has_position = !needs_setup && *o->user && ptz_read_position(h, &pan, &tilt, &zoom);

    if (o->json) {
        json_t *j =
            json_pack("{s:s, s:b, s:b, s:I, s:s, s:s, s:s, s:s, s:s}", "url", o->url, "ready",
                      is_ready, "needs_setup", needs_setup, "uptime_s", (json_int_t)uptime_s,
                      "brand", text_of(props, "Brand"), "model", text_of(props, "ProdNbr"), "name",
                      text_of(props, "ProdFullName"), "serial", text_of(props, "SerialNumber"),
                      "version", text_of(props, "Version"));
        if (j && has_position)
            json_object_set_new(
                j, "position",
                json_pack("{s:f, s:f, s:f}", "pan", pan, "tilt", tilt, "zoom", zoom));
        code = print_json(j);
    } else {
        printf("address   %s\n", o->url);
        printf("name      %s\n", text_of(props, "ProdFullName"));
        printf("serial    %s\n", text_of(props, "SerialNumber"));
        printf("version   %s\n", text_of(props, "Version"));
        printf("state     %s\n", needs_setup ? "factory default: no administrator yet"
                                 : is_ready  ? "ready"
                                             : "starting");
        printf("uptime    %ldd %02ldh %02ldm %02lds\n", uptime_s / 86400, uptime_s / 3600 % 24,
               uptime_s / 60 % 60, uptime_s % 60);
        if (has_position)
            printf("position  pan %.2f tilt %.2f zoom %.0f\n", pan, tilt, zoom);
    }
    json_decref(ready);
    json_decref(info);
    return code;
}
