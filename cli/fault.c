/* Faults on purpose of a virtual camera. Which there are is the camera's own list. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH "/vedette/stage/faults"

/* Takes what http_call() gave; what the camera refuses is told in its words. */
static int answer(const struct options *o, int code, struct reply *take_r, json_t **ret)
{
    if (code)
        return code;
    json_t *j = json_loadb(take_r->body, take_r->len, 0, NULL);
    const char *why = json_string_value(json_object_get(j, "error"));
    if (take_r->status == 200 && j) {
        *ret = j;
        j = NULL;
    } else if (why) {
        code = fail(EXIT_REFUSED, "%s", why);
    } else if (take_r->status == 404) {
        code = fail(EXIT_REFUSED, "this camera has no faults to switch on: it is no virtual one");
    } else {
        code = reply_refused(o, take_r);
    }
    json_decref(j);
    reply_done(take_r);
    return code;
}

static void print_arguments(const json_t *fault)
{
    const char *name;
    json_t *v;
    json_object_foreach((json_t *)fault, name, v)
    {
        if (!strcmp(name, "id") || !strcmp(name, "kind") || !strcmp(name, "on") ||
            !strcmp(name, "from") || !strcmp(name, "until"))
            continue;
        if (json_is_string(v))
            printf("  %s=%s", name, json_string_value(v));
        else if (json_is_boolean(v))
            printf("  %s=%s", name, json_is_true(v) ? "true" : "false");
        else
            printf("  %s=%.9g", name, json_number_value(v));
    }
}

static void print_fault(const json_t *fault, double now)
{
    const json_t *until = json_object_get(fault, "until");
    double from = json_number_value(json_object_get(fault, "from"));
    printf("%-4lld %-14s", (long long)json_integer_value(json_object_get(fault, "id")),
           json_string_value(json_object_get(fault, "kind")));
    if (!json_is_true(json_object_get(fault, "on")))
        printf("  begins in %.1f s", from - now);
    else if (json_is_number(until))
        printf("  %.1f s left", json_number_value(until) - now);
    else
        printf("  until switched off");
    print_arguments(fault);
    putchar('\n');
}

static void print_kind(const json_t *kind)
{
    size_t i;
    json_t *a;
    printf("%-14s %s\n", json_string_value(json_object_get(kind, "name")),
           json_string_value(json_object_get(kind, "doc")));
    json_array_foreach(json_object_get(kind, "arguments"), i, a)
    {
        const json_t *standard = json_object_get(a, "default");
        const char *unit = json_string_value(json_object_get(a, "unit"));
        printf("    %s=", json_string_value(json_object_get(a, "name")));
        if (json_is_number(standard))
            printf("%.9g", json_number_value(standard));
        else
            printf("%s", json_is_string(standard) ? json_string_value(standard) : "false");
        printf("%s%s  %s", unit ? " " : "", unit ? unit : "",
               json_string_value(json_object_get(a, "doc")));
        if (json_object_get(a, "min"))
            printf(" (%.9g … %.9g)", json_number_value(json_object_get(a, "min")),
                   json_number_value(json_object_get(a, "max")));
        putchar('\n');
    }
}

static int list(struct http *h, const struct options *o, bool kinds)
{
    struct reply r;
    json_t *j = NULL, *it;
    size_t i;
    int code = answer(o, http_call(h, PATH, NULL, true, &r), &r, &j);
    if (code)
        return code;
    if (o->json)
        return print_json(j);
    double now = json_number_value(json_object_get(j, "now"));
    json_array_foreach(json_object_get(j, kinds ? "kinds" : "faults"), i, it)
    {
        if (kinds)
            print_kind(it);
        else
            print_fault(it, now);
    }
    json_decref(j);
    return EXIT_FINE;
}

static int end(struct http *h, const struct options *o, const char *id)
{
    char path[64];
    double number;
    struct reply r;
    json_t *j = NULL;
    if (id && (!parse_number(id, &number) || strlen(id) > 20))
        return fail(EXIT_USAGE, "\"%s\" is no number of a fault", id);
    snprintf(path, sizeof(path), "%s%s%s", PATH, id ? "?id=" : "", id ? id : "");
    int code = answer(o, http_delete(h, path, &r), &r, &j);
    if (code)
        return code;
    if (o->json)
        return print_json(j);
    printf("%lld ended\n", (long long)json_integer_value(json_object_get(j, "ended")));
    json_decref(j);
    return EXIT_FINE;
}

/* "ms=300" into the object: a number, true, false, or a text. */
static int put_argument(json_t *body, const char *text)
{
    const char *value = strchr(text, '=');
    char name[64];
    double number;
    if (!value || value == text || (size_t)(value - text) >= sizeof(name))
        return fail(EXIT_USAGE, "\"%s\" is not NAME=VALUE", text);
    memcpy(name, text, (size_t)(value - text));
    name[value++ - text] = '\0';
    json_t *j = !strcmp(value, "true")         ? json_true()
                : !strcmp(value, "false")      ? json_false()
                : parse_number(value, &number) ? json_real(number)
                                               : json_string(value);
    if (!j || json_object_set_new(body, name, j))
        return fail(EXIT_USAGE, "\"%s\" is no UTF-8", text);
    return EXIT_FINE;
}

static int begin(struct http *h, const struct options *o, int argc, char **argv)
{
    json_t *body = json_pack("{s:s}", "kind", argv[1]), *j = NULL;
    if (!body)
        return fail(EXIT_USAGE, "\"%s\" is no UTF-8", argv[1]);
    for (int i = 2; i < argc; i++) {
        int code = put_argument(body, argv[i]);
        if (code) {
            json_decref(body);
            return code;
        }
    }
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (!text)
        return fail(EXIT_LOCAL, "no memory");
    struct reply r;
    int code = answer(o, http_call(h, PATH, text, true, &r), &r, &j);
    free(text);
    if (code)
        return code;
    if (o->json)
        return print_json(j);
    print_fault(j, json_number_value(json_object_get(j, "from")));
    json_decref(j);
    return EXIT_FINE;
}

int command_fault(struct http *h, const struct options *o, int argc, char **argv)
{
    if (argc == 1)
        return list(h, o, false);
    if (!strcmp(argv[1], "kinds"))
        return argc == 2 ? list(h, o, true) : fail(EXIT_USAGE, "fault kinds takes no more");
    if (!strcmp(argv[1], "off"))
        return argc <= 3 ? end(h, o, argv[2]) : fail(EXIT_USAGE, "fault off [ID]");
    return begin(h, o, argc, argv);
}
