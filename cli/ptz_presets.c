/* vedettectl ptz preset … and ptz tour …. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PTZ "/axis-cgi/com/ptz.cgi"
#define CONFIG "/axis-cgi/com/ptzconfig.cgi"

static bool is_number(const char *text)
{
    return *text && !text[strspn(text, "0123456789")];
}

/* "gotoserverpresetno=3" or "gotoserverpresetname=Gate". */
static int one(struct http *h, const struct options *o, const char *path, const char *verb,
               const char *which)
{
    char args[512];
    char *escaped = http_escape(which);
    int n = snprintf(args, sizeof(args), "%sserverpreset%s=%s", verb,
                     is_number(which) ? "no" : "name", escaped ? escaped : "");
    free(escaped);
    if (n < 0 || (size_t)n >= sizeof(args))
        return fail(EXIT_USAGE, "the name is too long");
    return ptz_run(h, o, path, args, NULL);
}

static int list(struct http *h, const struct options *o)
{
    struct reply r;
    int code = ptz_run(h, o, PTZ, "query=presetposcamdata", &r);
    if (code)
        return code;
    json_t *all = o->json ? json_array() : NULL;
    char *rest = NULL;
    for (char *line = strtok_r(r.body, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        int number, at = 0;
        if (sscanf(line, "presetposno%d=%n", &number, &at) != 1 || !at)
            continue;
        char *name = line + at, *where = strchr(name, ':');
        if (where)
            *where++ = '\0';
        if (o->json)
            json_array_append_new(all, json_pack("{s:i, s:s, s:s}", "number", number, "name", name,
                                                 "where", where ? where : ""));
        else
            printf("%d\t%s\t%s\n", number, name, where ? where : "");
    }
    reply_done(&r);
    return o->json ? print_json(all) : EXIT_FINE;
}

int ptz_preset(struct http *h, const struct options *o, const char *const *word, int n)
{
    if (n == 1 && !strcmp(word[0], "list"))
        return list(h, o);
    if (n == 2 && !strcmp(word[0], "go"))
        return one(h, o, PTZ, "goto", word[1]);
    if (n == 2 && !strcmp(word[0], "add"))
        return one(h, o, CONFIG, "set", word[1]);
    if (n == 2 && !strcmp(word[0], "remove"))
        return one(h, o, CONFIG, "remove", word[1]);
    return fail(EXIT_USAGE, "ptz preset: list, go NAME, add NAME or remove NAME");
}

static int list_tours(struct http *h, const struct options *o)
{
    struct reply r;
    int code = http_call(h, "/vedette/ptz", NULL, true, &r);
    if (code)
        return code;
    if (r.status != 200) {
        code = reply_refused(o, &r);
        reply_done(&r);
        return code;
    }
    json_t *all = json_loadb(r.body, r.len, 0, NULL);
    json_t *tours = json_object_get(all, "tours"), *tour;
    size_t i;
    reply_done(&r);
    if (o->json) {
        code = print_json(json_incref(tours));
    } else {
        json_array_foreach(tours, i, tour)
        {
            printf("%d\t%s\t%s\t%zu steps\n", (int)json_integer_value(json_object_get(tour, "id")),
                   json_string_value(json_object_get(tour, "name")),
                   json_string_value(json_object_get(tour, "state")),
                   json_array_size(json_object_get(tour, "steps")));
        }
    }
    json_decref(all);
    return code;
}

int ptz_tour(struct http *h, const struct options *o, const char *const *word, int n)
{
    char set[64];
    if (n == 1 && !strcmp(word[0], "list"))
        return list_tours(h, o);
    bool start = n == 2 && !strcmp(word[0], "start"), stop = n == 2 && !strcmp(word[0], "stop");
    if ((!start && !stop) || !is_number(word[1]) || strlen(word[1]) > 2)
        return fail(EXIT_USAGE, "ptz tour: list, start ID or stop ID");
    snprintf(set, sizeof(set), "GuardTour.G%s.Running=%s", word[1], start ? "yes" : "no");
    char *argv[] = {"param", "set", set};
    return command_param(h, o, 3, argv);
}
