#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fail(int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("vedettectl: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return code;
}

int print_json(json_t *take_j)
{
    int err = take_j ? json_dumpf(take_j, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)) : -1;
    json_decref(take_j);
    putchar('\n');
    if (err || fflush(stdout))
        return fail(EXIT_LOCAL, "cannot write the answer");
    return EXIT_FINE;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(struct http *h, const struct options *o, int argc, char **argv);
    } commands[] = {
        {"status", command_status},   {"snapshot", command_snapshot}, {"ptz", command_ptz},
        {"param", command_param},     {"truth", command_truth},       {"stage", command_stage},
        {"fault", command_fault},     {"fleet", command_fleet},       {"masks", command_masks},
        {"overlay", command_overlay},
    };
    struct options o;
    int first = options_read(&o, argc, argv);
    if (first <= 0)
        return -first;
    if (first >= argc) {
        usage(false);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (strcmp(argv[first], commands[i].name))
            continue;
        struct http *h = http_new(&o);
        if (!h)
            return fail(EXIT_LOCAL, "no memory");
        int code = commands[i].run(h, &o, argc - first, argv + first);
        http_free(h);
        if (fflush(stdout) && code == EXIT_FINE)
            code = fail(EXIT_LOCAL, "cannot write the answer");
        return code;
    }
    return fail(EXIT_USAGE, "unknown command \"%s\"; see vedettectl --help", argv[first]);
}
