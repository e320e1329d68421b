/* The stage of a virtual camera. What it can do is the camera's own list: the words go
 * there as they are. */
#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH "/vedette/stage"
#define TEXT_MOST 65536 /* of a scenario */

/* Takes what http_call() gave; what the camera refuses is told in its words. */
static int answer(const struct options *o, int code, struct reply *r, json_t **ret)
{
    if (code)
        return code;
    json_t *j = json_loadb(r->body, r->len, 0, NULL);
    const char *why = json_string_value(json_object_get(j, "error"));
    if (r->status == 200 && j) {
        *ret = j;
        j = NULL;
    } else if (why) {
        const char *name = json_string_value(json_object_get(j, "name"));
        bool is_line = name && !strncmp(name, "line ", 5); /* of a scenario */
        code = fail(EXIT_REFUSED, "%s%s%s", is_line ? name : "", is_line ? ": " : "", why);
    } else if (r->status == 404) {
        code = fail(EXIT_REFUSED, "this camera has no stage: it is no virtual one");
    } else {
        code = reply_refused(o, r);
    }
    json_decref(j);
    reply_done(r);
    return code;
}

/* Posts take_body (NULL: gets) and gives the answer as JSON. */
static int call(struct http *h, const struct options *o, const char *path, json_t *take_body,
                json_t **ret)
{
    char *body = take_body ? json_dumps(take_body, JSON_COMPACT) : NULL;
    bool lost = take_body && !body;
    json_decref(take_body);
    if (lost)
        return fail(EXIT_USAGE, "the words are no UTF-8");
    struct reply r;
    int code = answer(o, http_call(h, path, body, true, &r), &r, ret);
    free(body);
    return code;
}

static void print_value(const char *name, const json_t *v, const char *unit)
{
    printf("%-12s ", name);
    if (json_is_string(v))
        printf("%s\n", json_string_value(v));
    else if (json_is_boolean(v))
        printf("%s\n", json_is_true(v) ? "yes" : "no");
    else
        printf("%.6g%s%s\n", json_number_value(v), unit ? " " : "", unit ? unit : "");
}

static void print_state(const json_t *j)
{
    const json_t *values = json_object_get(j, "values"), *can = json_object_get(j, "can");
    const json_t *scenario = json_object_get(j, "scenario"), *body = json_object_get(j, "body");
    size_t i;
    json_t *row;
    printf("%-12s %s\n", "time", json_string_value(json_object_get(j, "utc")));
    printf("%-12s %s\n", "place", json_string_value(json_object_get(j, "place")));
    if (json_is_object(scenario))
        printf("%-12s %s: %s\n", "scenario", json_string_value(json_object_get(scenario, "name")),
               json_string_value(json_object_get(scenario, "title")));
    printf("%-12s %zu\n", "on stage", json_array_size(json_object_get(j, "cast")));
    json_array_foreach(can, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        const json_t *v = name ? json_object_get(values, name) : NULL;
        if (v)
            print_value(json_string_value(json_object_get(row, "words")), v,
                        json_string_value(json_object_get(row, "unit")));
    }
    print_value("button", json_object_get(body, "button"), NULL);
    const json_t *g = json_object_get(body, "acceleration");
    printf("%-12s %.3g %.3g %.3g g\n", "acceleration", json_number_value(json_array_get(g, 0)),
           json_number_value(json_array_get(g, 1)), json_number_value(json_array_get(g, 2)));
}

/* "weather clear|cloudy|… [SECONDSs]" */
static void print_usage_of(const json_t *row)
{
    char value[160] = "";
    size_t i, len = 0;
    json_t *word;
    json_array_foreach(json_object_get(row, "choices"), i, word)
    {
        int n = snprintf(value + len, sizeof value - len, "%s%s", len ? "|" : " ",
                         json_string_value(word));
        len += n > 0 && (size_t)n < sizeof value - len ? (size_t)n : 0;
    }
    if (json_object_get(row, "min"))
        snprintf(value + len, sizeof value - len, "%s%.6g…%.6g", len ? "|" : " ",
                 json_number_value(json_object_get(row, "min")),
                 json_number_value(json_object_get(row, "max")));
    const char *lasting = json_string_value(json_object_get(row, "lasting"));
    bool timed = lasting && (!strcmp(lasting, "over") || !strcmp(lasting, "for"));
    const char *unit = json_string_value(json_object_get(row, "unit"));
    printf("%s%s%s%s%s\n      %s\n", json_string_value(json_object_get(row, "words")), value,
           unit ? " " : "", unit ? unit : "",
           !timed                    ? ""
           : !strcmp(lasting, "for") ? "  [for so many seconds: 3s]"
                                     : "  [within so many seconds: 5s]",
           json_string_value(json_object_get(row, "doc")));
}

static int show(struct http *h, const struct options *o, bool can)
{
    json_t *j = NULL, *row;
    size_t i;
    int code = call(h, o, PATH, NULL, &j);
    if (code)
        return code;
    if (o->json)
        code = print_json(json_incref(can ? json_object_get(j, "can") : j));
    else if (!can)
        print_state(j);
    else
        json_array_foreach(json_object_get(j, "can"), i, row)
        {
            print_usage_of(row);
        }
    json_decref(j);
    return code;
}

static int show_cast(struct http *h, const struct options *o)
{
    json_t *j = NULL, *m;
    size_t i;
    int code = call(h, o, PATH, NULL, &j);
    if (code)
        return code;
    if (o->json) {
        code = print_json(json_incref(json_object_get(j, "cast")));
        json_decref(j);
        return code;
    }
    json_array_foreach(json_object_get(j, "cast"), i, m)
    {
        const json_t *at = json_object_get(m, "at");
        printf("%-20s %-12s at %.1f %.1f facing %.0f, %.1f m/s\n",
               json_string_value(json_object_get(m, "id")),
               json_string_value(json_object_get(m, "model")),
               json_number_value(json_array_get(at, 0)), json_number_value(json_array_get(at, 1)),
               json_number_value(json_object_get(m, "heading")),
               json_number_value(json_object_get(m, "speed")));
    }
    json_decref(j);
    return EXIT_FINE;
}

static int show_scenarios(struct http *h, const struct options *o)
{
    json_t *j = NULL, *s;
    size_t i;
    int code = call(h, o, PATH "/scenarios", NULL, &j);
    if (code)
        return code;
    if (o->json)
        return print_json(j);
    json_array_foreach(json_object_get(j, "scenarios"), i, s)
    {
        printf("%-20s %s\n", json_string_value(json_object_get(s, "name")),
               json_string_value(json_object_get(s, "title")));
    }
    json_decref(j);
    return EXIT_FINE;
}

/* All words from the first on, with blanks between. */
static char *join(int argc, char **argv, int first)
{
    size_t len = 1;
    for (int i = first; i < argc; i++)
        len += strlen(argv[i]) + 1;
    char *all = calloc(1, len), *at = all;
    for (int i = first; all && i < argc; i++) {
        size_t n = strlen(argv[i]);
        if (i > first)
            *at++ = ' ';
        memcpy(at, argv[i], n);
        at += n;
    }
    return all;
}

static int read_file(const char *path, char **ret)
{
    FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;
    char *text = calloc(1, TEXT_MOST + 2);
    size_t n = f && text ? fread(text, 1, TEXT_MOST + 1, f) : 0;
    bool bad = !f || !text || ferror(f);
    if (f && f != stdin)
        fclose(f);
    if (bad || n > TEXT_MOST) {
        free(text);
        return bad ? fail(EXIT_LOCAL, "cannot read %s", path)
                   : fail(EXIT_LOCAL, "%s is longer than %d bytes", path, TEXT_MOST);
    }
    *ret = text;
    return EXIT_FINE;
}

/* Posts {key: text}; says what the answer has under `told`, if anything. */
static int send(struct http *h, const struct options *o, const char *path, const char *key,
                char *take_text, const char *told)
{
    json_t *j = NULL, *body = take_text ? json_pack("{s:s}", key, take_text) : NULL;
    free(take_text);
    if (!body)
        return fail(EXIT_USAGE, "the words are no UTF-8");
    int code = call(h, o, path, body, &j);
    if (code)
        return code;
    if (o->json)
        return print_json(j);
    const char *text = told ? json_string_value(json_object_get(j, told)) : NULL;
    if (text)
        puts(text);
    json_decref(j);
    return EXIT_FINE;
}

static int advance(struct http *h, const struct options *o, const char *text)
{
    double seconds;
    json_t *j = NULL;
    if (!parse_number(text, &seconds) || seconds < 0)
        return fail(EXIT_USAGE, "advance wants seconds, not \"%s\"", text);
    int code = call(h, o, PATH "/clock", json_pack("{s:f}", "advance", seconds), &j);
    if (code)
        return code;
    if (o->json)
        return print_json(j);
    printf("%s\n", json_string_value(json_object_get(j, "utc")));
    json_decref(j);
    return EXIT_FINE;
}

/* "/vedette/stage/scenarios/NAME". What is no name might be another path. */
static int scenario_path(char *ret, size_t size, const char *name, size_t len)
{
    size_t good = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (!len || len > 31 || good < len)
        return fail(EXIT_USAGE, "\"%.*s\" is no name of a scenario: up to 31 of a-z, 0-9 and -",
                    (int)(len < 40 ? len : 40), name);
    snprintf(ret, size, PATH "/scenarios/%.*s", (int)len, name);
    return EXIT_FINE;
}

/* By the name that it gives itself. */
static int keep_scenario(struct http *h, const struct options *o, const char *file)
{
    char path[256], *text = NULL;
    int code = read_file(file, &text);
    if (code)
        return code;
    const char *line = text;
    while (line && strncmp(line, "scenario ", 9))
        line = (line = strchr(line, '\n')) ? line + 1 : NULL;
    if (!line) {
        free(text);
        return fail(EXIT_USAGE, "%s is no scenario: it begins with \"scenario NAME\"", file);
    }
    line += 9;
    line += strspn(line, " ");
    code = scenario_path(path, sizeof path, line, strcspn(line, " \r\n#"));
    if (!code)
        return send(h, o, path, "text", text, NULL);
    free(text);
    return code;
}

static int show_scenario(struct http *h, const struct options *o, const char *name)
{
    char path[256];
    json_t *j = NULL;
    int code = scenario_path(path, sizeof path, name, strlen(name));
    if (!code)
        code = call(h, o, path, NULL, &j);
    if (code)
        return code;
    if (o->json)
        return print_json(j);
    fputs(json_string_value(json_object_get(j, "text")), stdout);
    json_decref(j);
    return EXIT_FINE;
}

static int remove_scenario(struct http *h, const struct options *o, const char *name)
{
    char path[256];
    struct reply r;
    json_t *j = NULL;
    int code = scenario_path(path, sizeof path, name, strlen(name));
    if (!code)
        code = answer(o, http_delete(h, path, &r), &r, &j);
    json_decref(j);
    return code;
}

static int scenario(struct http *h, const struct options *o, int argc, char **argv)
{
    char *text = NULL;
    if (argc == 2)
        return show_scenarios(h, o);
    if (argc == 4 && !strcmp(argv[2], "--keep"))
        return keep_scenario(h, o, argv[3]);
    if (argc == 4 && !strcmp(argv[2], "--show"))
        return show_scenario(h, o, argv[3]);
    if (argc == 4 && !strcmp(argv[2], "--remove"))
        return remove_scenario(h, o, argv[3]);
    if (argc == 4 && !strcmp(argv[2], "--file")) {
        int code = read_file(argv[3], &text);
        return code ? code : send(h, o, PATH "/scenario", "text", text, NULL);
    }
    if (argc != 3 || argv[2][0] == '-')
        return fail(EXIT_USAGE, "stage scenario [NAME | --file FILE | --keep FILE | --show NAME | "
                                "--remove NAME]");
    return send(h, o, PATH "/scenario", "name", join(argc, argv, 2), NULL);
}

int command_stage(struct http *h, const struct options *o, int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    if (argc == 1)
        return show(h, o, false);
    if (!strcmp(verb, "can") && argc == 2)
        return show(h, o, true);
    if (!strcmp(verb, "cast") && argc == 2)
        return show_cast(h, o);
    if (!strcmp(verb, "advance") && argc == 3)
        return advance(h, o, argv[2]);
    if (!strcmp(verb, "scenario"))
        return scenario(h, o, argc, argv);
    if (!strcmp(verb, "spawn") && argc > 2)
        return send(h, o, PATH "/spawn", "who", join(argc, argv, 2), "id");
    if (!strcmp(verb, "call") && argc <= 3)
        return send(h, o, PATH "/spawn", "call", join(argc, argv, 2), "id");
    if (!strcmp(verb, "remove") && argc == 3)
        return send(h, o, PATH "/remove", "id", join(argc, argv, 2), NULL);
    if (!strcmp(verb, "gate") && argc == 3)
        return send(h, o, PATH "/gate", "gate", join(argc, argv, 2), NULL);
    static const char *const ours[] = {"can", "cast", "advance", "spawn", "call", "remove", "gate"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (!strcmp(verb, ours[i]))
            return fail(EXIT_USAGE, "stage %s: see vedettectl --help", verb);
    return send(h, o, PATH, "do", join(argc, argv, 1), NULL);
}
