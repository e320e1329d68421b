/* Texts and pictures upon the picture, and event text, by the camera's public calls. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DYNAMIC "/axis-cgi/dynamicoverlay/dynamicoverlay.cgi"
#define MANAGE "/axis-cgi/manageoverlayimages.cgi"

/* A method with parameters; its data, or what the camera said, told. */
static int method(struct http *h, const struct options *o, const char *path, const char *name,
                  json_t *take_params, json_t **ret)
{
    json_t *body = json_pack("{s:s, s:s, s:o}", "apiVersion", "1.0", "method", name, "params",
                             take_params ? take_params : json_object());
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    struct reply r;
    json_decref(body);
    if (!text)
        return fail(EXIT_USAGE, "the words are no UTF-8");
    int code = http_call(h, path, text, true, &r);
    free(text);
    if (code)
        return code;
    json_t *j = r.status == 200 ? json_loadb(r.body, r.len, 0, NULL) : NULL;
    json_t *data = json_object_get(j, "data");
    const char *why = json_string_value(json_object_get(json_object_get(j, "error"), "message"));
    if (data)
        *ret = json_incref(data);
    else
        code = why ? fail(EXIT_REFUSED, "%s", why) : reply_refused(o, &r);
    json_decref(j);
    reply_done(&r);
    return code;
}

static void print_row(const json_t *row)
{
    const json_t *at = json_object_get(row, "position");
    const char *text = json_string_value(json_object_get(row, "text"));
    const char *path = json_string_value(json_object_get(row, "overlayPath"));
    char place[48];
    if (json_is_string(at))
        snprintf(place, sizeof place, "%s", json_string_value(at));
    else
        snprintf(place, sizeof place, "%.3g,%.3g", json_number_value(json_array_get(at, 0)),
                 json_number_value(json_array_get(at, 1)));
    printf("%-3lld %-6s %-12s %s", (long long)json_integer_value(json_object_get(row, "identity")),
           text ? "text" : "image", place,
           json_is_true(json_object_get(row, "visible")) ? "" : "(hidden) ");
    for (const char *c = text ? text : path ? path : ""; *c; c++)
        fputs(*c == '\n' ? "\\n" : (char[2]){*c, 0}, stdout);
    putchar('\n');
}

static int list(struct http *h, const struct options *o)
{
    json_t *j = NULL, *row;
    size_t i;
    int code = method(h, o, DYNAMIC, "list", NULL, &j);
    if (code)
        return code;
    if (o->json)
        return print_json(j);
    json_array_foreach(json_object_get(j, "textOverlays"), i, row) print_row(row);
    json_array_foreach(json_object_get(j, "imageOverlays"), i, row) print_row(row);
    json_decref(j);
    return EXIT_FINE;
}

static int pictures(struct http *h, const struct options *o)
{
    json_t *j = NULL, *row;
    size_t i;
    int code = method(h, o, MANAGE, "listImages", NULL, &j);
    if (code)
        return code;
    if (o->json)
        return print_json(j);
    json_array_foreach(json_object_get(j, "files"), i, row)
        printf("%-40s %lld x %lld\n", json_string_value(json_object_get(row, "path")),
               (long long)json_integer_value(json_object_get(row, "width")),
               (long long)json_integer_value(json_object_get(row, "height")));
    json_decref(j);
    return EXIT_FINE;
}

/* "topLeft" or "-0.5,0.25" */
static json_t *position(const char *text)
{
    double x, y;
    char first[32];
    const char *comma = strchr(text, ',');
    if (!comma || (size_t)(comma - text) >= sizeof first)
        return json_string(text);
    snprintf(first, sizeof first, "%.*s", (int)(comma - text), text);
    if (!parse_number(first, &x) || !parse_number(comma + 1, &y))
        return json_string(text);
    return json_pack("[f, f]", x, y);
}

static int add(struct http *h, const struct options *o, const char *name, const char *key,
               const char *value, const char *where)
{
    json_t *j = NULL, *params = json_pack("{s:s}", key, value);
    if (!params)
        return fail(EXIT_USAGE, "the words are no UTF-8");
    if (where)
        json_object_set_new(params, "position", position(where));
    int code = method(h, o, DYNAMIC, name, params, &j);
    if (code)
        return code;
    if (o->json)
        return print_json(j);
    printf("%lld\n", (long long)json_integer_value(json_object_get(j, "identity")));
    json_decref(j);
    return EXIT_FINE;
}

static int remove_one(struct http *h, const struct options *o, const char *id)
{
    double n;
    json_t *j = NULL;
    if (!parse_number(id, &n))
        return fail(EXIT_USAGE, "overlay remove wants a number, as overlay lists it");
    int code = method(h, o, DYNAMIC, "remove", json_pack("{s:I}", "identity", (json_int_t)n), &j);
    json_decref(j);
    return code;
}

/* Event text: what #D, #D1 … stand for. */
static int say(struct http *h, const struct options *o, int argc, char **argv)
{
    char *text = http_escape(argv[2]), path[4096];
    double number;
    struct reply r;
    for (int i = 3; i < argc; i++)
        if (!parse_number(argv[i], &number)) {
            free(text);
            return fail(EXIT_USAGE, "overlay say TEXT [SECONDS] [SLOT]");
        }
    int n =
        snprintf(path, sizeof path,
                 "/axis-cgi/dynamicoverlay.cgi?action=settext&text=%s&duration=%s&text_index=%s",
                 text ? text : "", argc > 3 ? argv[3] : "", argc > 4 ? argv[4] : "");
    free(text);
    if (n < 0 || (size_t)n >= sizeof path)
        return fail(EXIT_USAGE, "the text is too long");
    int code = http_call(h, path, NULL, true, &r);
    if (code)
        return code;
    code = r.status == 200 ? EXIT_FINE : reply_refused(o, &r);
    reply_done(&r);
    return code;
}

int command_overlay(struct http *h, const struct options *o, int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    if (argc == 1)
        return list(h, o);
    if (!strcmp(verb, "pictures") && argc == 2)
        return pictures(h, o);
    if (!strcmp(verb, "text") && (argc == 3 || argc == 4))
        return add(h, o, "addText", "text", argv[2], argc > 3 ? argv[3] : NULL);
    if (!strcmp(verb, "image") && (argc == 3 || argc == 4))
        return add(h, o, "addImage", "overlayPath", argv[2], argc > 3 ? argv[3] : NULL);
    if (!strcmp(verb, "remove") && argc == 3)
        return remove_one(h, o, argv[2]);
    if (!strcmp(verb, "say") && argc >= 3 && argc <= 5)
        return say(h, o, argc, argv);
    return fail(EXIT_USAGE,
                "overlay [text TEXT [PLACE] | image NAME [PLACE] | remove ID | say TEXT "
                "[SECONDS] [SLOT] | pictures]");
}
