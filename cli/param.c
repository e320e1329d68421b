#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH "/axis-cgi/param.cgi"

static const char *without_root(const char *name)
{
    return strncmp(name, "root.", 5) ? name : name + 5;
}

/* Asks for a group or one parameter: the lines of the answer. */
static int fetch(struct http *h, const struct options *o, const char *group, struct reply *ret)
{
    char body[2048];
    char *escaped = group ? http_escape(group) : NULL;
    int n = snprintf(body, sizeof(body), "action=list%s%s", escaped ? "&group=" : "",
                     escaped ? escaped : "");
    free(escaped);
    if (n < 0 || (size_t)n >= sizeof(body))
        return fail(EXIT_USAGE, "the name is too long");
    int code = http_call(h, PATH, body, true, ret);
    if (code)
        return code;
    if (ret->status != 200)
        code = reply_refused(o, ret);
    else if (!strncmp(ret->body, "# Error", 7) || !strncmp(ret->body, "# Request failed", 16))
        code = fail(EXIT_REFUSED, "the camera has no parameter \"%s\", or you may not read it",
                    group ? group : "root");
    if (code)
        reply_done(ret);
    return code;
}

/* Cuts the next "root.Name=value" out of *text. False at the end. */
static bool next_line(char **text, char **ret_name, char **ret_value)
{
    while (**text) {
        char *line = *text, *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        *text = end ? end + 1 : line + strlen(line);
        line[strcspn(line, "\r")] = '\0';
        char *equals = strchr(line, '=');
        if (*line == '#' || !equals)
            continue;
        *equals = '\0';
        *ret_name = (char *)without_root(line);
        *ret_value = equals + 1;
        return true;
    }
    return false;
}

static int list(struct http *h, const struct options *o, const char *group)
{
    struct reply r;
    int code = fetch(h, o, group, &r);
    if (code)
        return code;
    json_t *j = o->json ? json_object() : NULL;
    char *text = r.body, *name, *value;
    while (next_line(&text, &name, &value)) {
        if (o->json)
            json_object_set_new(j, name, json_string(value));
        else
            printf("%s=%s\n", name, value);
    }
    reply_done(&r);
    return o->json ? print_json(j) : EXIT_FINE;
}

static int get(struct http *h, const struct options *o, const char *wanted)
{
    struct reply r;
    int code = fetch(h, o, wanted, &r);
    if (code)
        return code;
    char *text = r.body, *name, *value;
    code = EXIT_REFUSED;
    while (code && next_line(&text, &name, &value)) {
        if (strcmp(name, without_root(wanted)))
            continue;
        if (o->json)
            code = print_json(json_pack("{s:s}", name, value));
        else
            code = puts(value) < 0 ? EXIT_LOCAL : EXIT_FINE;
    }
    reply_done(&r);
    if (code == EXIT_REFUSED)
        fail(code, "\"%s\" is a group; see: vedettectl param list %s", wanted, wanted);
    return code;
}

static int set(struct http *h, const struct options *o, int argc, char **argv)
{
    size_t size = 32;
    for (int i = 0; i < argc; i++)
        size += 3 * strlen(argv[i]) + 2;
    char *body = malloc(size);
    if (!body)
        return fail(EXIT_LOCAL, "no memory");
    size_t n = (size_t)snprintf(body, size, "action=update");
    for (int i = 0; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (!equals || equals == argv[i]) {
            free(body);
            return fail(EXIT_USAGE, "\"%s\" is not NAME=VALUE", argv[i]);
        }
        *equals = '\0';
        char *name = http_escape(argv[i]), *value = http_escape(equals + 1);
        *equals = '=';
        if (name && value)
            n += (size_t)snprintf(body + n, size - n, "&%s=%s", name, value);
        bool ok = name && value;
        free(name);
        free(value);
        if (!ok) {
            free(body);
            return fail(EXIT_LOCAL, "no memory");
        }
    }
    struct reply r;
    int code = http_call(h, PATH, body, true, &r);
    free(body);
    if (code)
        return code;
    if (r.status != 200) {
        code = reply_refused(o, &r);
    } else if (strncmp(r.body, "OK", 2)) {
        /* One line for each that was refused; the others are set. */
        code = EXIT_REFUSED;
        for (char *line = r.body; *line;) {
            size_t len = strcspn(line, "\r\n");
            if (len)
                fail(code, "%.*s", (int)len, line);
            line += len + strspn(line + len, "\r\n");
        }
    } else if (o->json) {
        code = print_json(json_pack("{s:i}", "set", argc));
    }
    reply_done(&r);
    return code;
}

int command_param(struct http *h, const struct options *o, int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    if (!strcmp(verb, "list") && argc <= 3)
        return list(h, o, argc == 3 ? argv[2] : NULL);
    if (!strcmp(verb, "get") && argc == 3)
        return get(h, o, argv[2]);
    if (!strcmp(verb, "set") && argc > 2)
        return set(h, o, argc - 2, argv + 2);
    return fail(EXIT_USAGE, "param: list [GROUP], get NAME or set NAME=VALUE …");
}
