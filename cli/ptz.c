#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATH "/axis-cgi/com/ptz.cgi"
#define ZOOM_MAX 9999.0 /* VAPIX: 1 to 9999, linear in focal length */

/* A command answers 204; a refusal is text with status 200. */
int ptz_run(struct http *h, const struct options *o, const char *path, const char *args,
            struct reply *ret)
{
    struct reply r;
    int code = http_call(h, path, args, true, &r);
    if (code)
        return code;
    if (r.status != 200 && r.status != 204)
        code = reply_refused(o, &r);
    else if (!strncmp(r.body, "Error:", 6)) {
        r.body[strcspn(r.body, "\r\n")] = '\0';
        code = fail(EXIT_REFUSED, "%s", r.body + 6 + strspn(r.body + 6, " "));
    } else if (r.status == 200 && !r.len)
        code = fail(EXIT_REFUSED, "this camera has no pan, tilt and zoom");
    if (!code && ret)
        *ret = r;
    else
        reply_done(&r);
    return code;
}

static int run(struct http *h, const struct options *o, const char *args, struct reply *ret)
{
    return ptz_run(h, o, PATH, args, ret);
}

static bool value_of(const char *text, const char *name, double *ret)
{
    size_t len = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, len) || line[len] != '=')
            continue;
        char value[64];
        snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + len + 1, "\r\n"),
                 line + len + 1);
        return parse_number(value, ret);
    }
    return false;
}

static bool parse_position(const char *text, double *ret_pan, double *ret_tilt, double *ret_zoom)
{
    return value_of(text, "pan", ret_pan) && value_of(text, "tilt", ret_tilt) &&
           value_of(text, "zoom", ret_zoom);
}

bool ptz_read_position(struct http *h, double *ret_pan, double *ret_tilt, double *ret_zoom)
{
    struct reply r;
    if (http_call(h, PATH, "query=position", true, &r))
        return false;
    bool ok = r.status == 200 && parse_position(r.body, ret_pan, ret_tilt, ret_zoom);
    reply_done(&r);
    return ok;
}

static int position(struct http *h, const struct options *o)
{
    struct reply r;
    int code = run(h, o, "query=position", &r);
    if (code)
        return code;
    double pan, tilt, zoom;
    if (!parse_position(r.body, &pan, &tilt, &zoom))
        code = fail(EXIT_UNREACHABLE, "the camera does not say where it looks");
    else if (o->json)
        code = print_json(json_pack("{s:f, s:f, s:f}", "pan", pan, "tilt", tilt, "zoom", zoom));
    else
        printf("pan %.4f\ntilt %.4f\nzoom %.0f\n", pan, tilt, zoom);
    reply_done(&r);
    return code;
}

/* "5x": five times what the widest view shows. */
static int parse_zoom(struct http *h, const struct options *o, const char *text, double *ret)
{
    size_t len = strlen(text);
    char number[64];
    if (len < 2 || (text[len - 1] != 'x' && text[len - 1] != 'X'))
        return parse_number(text, ret) ? EXIT_FINE : fail(EXIT_USAGE, "\"%s\" is no zoom", text);
    snprintf(number, sizeof(number), "%.*s", (int)(len - 1), text);
    double times, most;
    if (!parse_number(number, &times) || times < 1)
        return fail(EXIT_USAGE, "\"%s\" is no magnification", text);
    struct reply r;
    int code = run(h, o, "query=attributes", &r);
    if (code)
        return code;
    if (!value_of(r.body, "maxOpticalZoomMag", &most) || most <= 1)
        code = fail(EXIT_REFUSED, "this camera does not say how far it can zoom");
    else if (times > most + 1e-9)
        code = fail(EXIT_REFUSED, "this camera magnifies %gx at most", most);
    else
        *ret = round(1 + (times - 1) / (most - 1) * (ZOOM_MAX - 1));
    reply_done(&r);
    return code;
}

static void pause_s(double seconds)
{
    struct timespec left = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
    while (nanosleep(&left, &left))
        ;
}

/* Until two readings agree: the camera's own clock may be simulated, so only its
 * answers count. */
static int wait_for_rest(struct http *h, const struct options *o)
{
    double was[3] = {NAN, NAN, NAN};
    for (long polls = 0; polls < o->timeout_s * 10; polls++) {
        struct reply r;
        double now[3];
        int code = run(h, o, "query=position", &r);
        if (code)
            return code;
        bool ok = parse_position(r.body, &now[0], &now[1], &now[2]);
        reply_done(&r);
        if (ok && !memcmp(now, was, sizeof(now)))
            return EXIT_FINE;
        if (ok)
            memcpy(was, now, sizeof(was));
        pause_s(0.1);
    }
    return fail(EXIT_REFUSED, "still moving after %ld seconds", o->timeout_s);
}

struct words {
    const char *word[8];
    int n;
    double speed, seconds; /* NAN: not given */
    bool wait;
};

static int read_words(struct words *w, int argc, char **argv)
{
    *w = (struct words){.speed = NAN, .seconds = NAN};
    for (int i = 1; i < argc; i++) {
        double *value = !strcmp(argv[i], "--speed") ? &w->speed
                        : !strcmp(argv[i], "--for") ? &w->seconds
                                                    : NULL;
        if (value) {
            if (i + 1 == argc || !parse_number(argv[i + 1], value))
                return fail(EXIT_USAGE, "%s wants a number", argv[i]);
            i++;
        } else if (!strcmp(argv[i], "--wait")) {
            w->wait = true;
        } else if (!strncmp(argv[i], "--", 2)) {
            return fail(EXIT_USAGE, "ptz: %s is unknown", argv[i]);
        } else if (w->n == (int)(sizeof(w->word) / sizeof(*w->word))) {
            return fail(EXIT_USAGE, "ptz: too many words");
        } else {
            w->word[w->n++] = argv[i];
        }
    }
    if (!isnan(w->speed) && !(w->speed >= 1 && w->speed <= 100))
        return fail(EXIT_USAGE, "--speed wants 1 to 100");
    if (!isnan(w->seconds) && !(w->seconds > 0 && w->seconds <= 3600))
        return fail(EXIT_USAGE, "--for wants up to 3600 seconds");
    return EXIT_FINE;
}

/* goto, by and at: PAN TILT [ZOOM] from w->word[at] on. */
static int move_numbers(struct http *h, const struct options *o, const struct words *w, int at,
                        const char *what)
{
    double pan, tilt, zoom = NAN;
    if (w->n - at < 2 || w->n - at > 3 || !parse_number(w->word[at], &pan) ||
        !parse_number(w->word[at + 1], &tilt))
        return fail(EXIT_USAGE, "%s wants PAN TILT [ZOOM] in numbers", what);
    bool continuous = !strcmp(what, "at"), relative = !strcmp(what, "by");
    if (w->n - at == 3) {
        int code = continuous || relative
                       ? parse_number(w->word[at + 2], &zoom)
                             ? EXIT_FINE
                             : fail(EXIT_USAGE, "\"%s\" is no number", w->word[at + 2])
                       : parse_zoom(h, o, w->word[at + 2], &zoom);
        if (code)
            return code;
    }
    char args[256];
    size_t n = 0;
    if (continuous)
        n = (size_t)snprintf(args, sizeof(args), "continuouspantiltmove=%.17g,%.17g", pan, tilt);
    else
        n = (size_t)snprintf(args, sizeof(args), "%span=%.17g&%stilt=%.17g", relative ? "r" : "",
                             pan, relative ? "r" : "", tilt);
    if (!isnan(zoom))
        n += (size_t)snprintf(args + n, sizeof(args) - n, "&%s=%.17g",
                              continuous ? "continuouszoommove"
                              : relative ? "rzoom"
                                         : "zoom",
                              zoom);
    if (!isnan(w->speed) && !continuous)
        snprintf(args + n, sizeof(args) - n, "&speed=%.0f", w->speed);
    int code = run(h, o, args, NULL);
    if (!code && continuous && !isnan(w->seconds)) {
        pause_s(w->seconds);
        code = run(h, o, "continuouspantiltmove=0,0&continuouszoommove=0", NULL);
    }
    return code;
}

static int move_word(struct http *h, const struct options *o, const struct words *w,
                     const char *word)
{
    char args[128];
    char *escaped = http_escape(word);
    if (!escaped || strlen(escaped) > 60) {
        free(escaped);
        return fail(EXIT_USAGE, "\"%s\" is no direction", word);
    }
    int n = snprintf(args, sizeof(args), "move=%s", escaped);
    free(escaped);
    if (!isnan(w->speed))
        snprintf(args + n, sizeof(args) - (size_t)n, "&speed=%.0f", w->speed);
    return run(h, o, args, NULL);
}

int command_ptz(struct http *h, const struct options *o, int argc, char **argv)
{
    struct words w;
    int code = read_words(&w, argc, argv);
    if (code)
        return code;
    const char *verb = w.n ? w.word[0] : "";
    const char *what = w.n > 1 ? w.word[1] : "";
    if (!strcmp(verb, "position") && w.n == 1)
        return position(h, o);
    if (!strcmp(verb, "tour"))
        return ptz_tour(h, o, w.word + 1, w.n - 1);
    if (!strcmp(verb, "preset") && strcmp(what, "go") != 0)
        return ptz_preset(h, o, w.word + 1, w.n - 1);
    if (!strcmp(verb, "preset"))
        code = ptz_preset(h, o, w.word + 1, w.n - 1);
    else if (!strcmp(verb, "goto"))
        code = move_numbers(h, o, &w, 1, "goto");
    else if (!strcmp(verb, "move") && (!strcmp(what, "by") || !strcmp(what, "at")))
        code = move_numbers(h, o, &w, 2, what);
    else if (!strcmp(verb, "move") && w.n == 2)
        code = move_word(h, o, &w, what);
    else if (!strcmp(verb, "home") && w.n == 1)
        code = move_word(h, o, &w, "home");
    else if (!strcmp(verb, "stop") && w.n == 1)
        code = move_word(h, o, &w, "stop");
    else
        return fail(
            EXIT_USAGE,
            "ptz: position, goto PAN TILT [ZOOM], move …, home, stop, preset …, tour …; see "
            "vedettectl --help");
    if (!code && w.wait)
        code = wait_for_rest(h, o);
    if (!code && o->json)
        return position(h, o);
    return code;
}
