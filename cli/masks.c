#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH "/axis-cgi/privacymask.cgi"

/* A change is answered 204; a refusal is a line of text. */
static int change(struct http *h, const struct options *o, const char *body)
{
    struct reply r;
    int code = http_call(h, PATH, body, true, &r);
    if (code)
        return code;
    if (!strncmp(r.body, "Error:", 6)) {
        r.body[strcspn(r.body, "\r\n")] = '\0';
        code = fail(EXIT_REFUSED, "%s", r.body + 6 + strspn(r.body + 6, " "));
    } else if (r.status != 200 && r.status != 204) {
        code = reply_refused(o, &r);
    }
    reply_done(&r);
    return code;
}

static void print_masks(const json_t *all)
{
    size_t i;
    const json_t *m;
    json_array_foreach(all, i, m)
    {
        printf("%s\t%s\t%s", json_string_value(json_object_get(m, "name")),
               json_is_true(json_object_get(m, "zoom_visible")) ? "on" : "off",
               json_string_value(json_object_get(m, "polygon")));
        if (json_integer_value(json_object_get(m, "zoomlowlimit")))
            printf("\tfrom zoom %lld",
                   (long long)json_integer_value(json_object_get(m, "zoomlowlimit")));
        putchar('\n');
    }
}

static int list(struct http *h, const struct options *o)
{
    struct reply r;
    int code = http_call(h, PATH "?query=listpxjson", NULL, true, &r);
    if (code)
        return code;
    json_t *j = r.status == 200 ? json_loadb(r.body, r.len, 0, NULL) : NULL;
    json_t *all = json_object_get(j, "listpx");
    if (r.status != 200)
        code = reply_refused(o, &r);
    else if (!json_is_array(all))
        code = fail(EXIT_UNREACHABLE, "the camera does not tell its masks");
    else if (o->json)
        code = print_json(json_incref(all));
    else
        print_masks(all);
    json_decref(j);
    reply_done(&r);
    return code;
}

static int with_name(struct http *h, const struct options *o, const char *action, char **word,
                     int n)
{
    char body[2048];
    char *name = http_escape(word[0]), *polygon = n > 1 ? http_escape(word[1]) : NULL;
    char *zoom = n > 2 ? http_escape(word[2]) : NULL;
    int len = snprintf(body, sizeof(body), "action=%s&name=%s%s%s%s%s", action, name ? name : "",
                       polygon ? "&polygon=" : "", polygon ? polygon : "",
                       zoom ? "&zoomlowlimit=" : "", zoom ? zoom : "");
    free(name);
    free(polygon);
    free(zoom);
    return len > 0 && (size_t)len < sizeof(body) ? change(h, o, body)
                                                 : fail(EXIT_USAGE, "the name is too long");
}

int command_masks(struct http *h, const struct options *o, int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "list";
    if (!strcmp(what, "list") && argc <= 2)
        return list(h, o);
    if (!strcmp(what, "on") && argc == 2)
        return change(h, o, "action=enable_all");
    if (!strcmp(what, "off") && argc == 2)
        return change(h, o, "action=disable_all");
    if (!strcmp(what, "add") && (argc == 4 || argc == 5))
        return with_name(h, o, "add", argv + 2, argc - 2);
    if (!strcmp(what, "remove") && argc == 3)
        return with_name(h, o, "remove", argv + 2, 1);
    return fail(EXIT_USAGE, "masks: list, add NAME POLYGON [ZOOM], remove NAME, on or off");
}
