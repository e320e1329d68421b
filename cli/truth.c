/* vedettectl truth: what the virtual camera's pictures really show, live or as a data set. */
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AT_ONCE 100 /* instants in one request */
#define FRAMES_MOST 1000000
#define IDS_MOST 100000

enum format { JSONL, MOT, COCO };

struct export
{
    enum format format;
    double fps, seconds; /* seconds NAN: for ever */
    const char *from, *file, *resolution;
    FILE *out;
    size_t frames, notes; /* written so far */
    char **id;            /* of tracks; its number is its place, from 1 */
    size_t n_ids, ids_room;
    json_t *coco;
};

/* Numbers of classes: COCO's own, and MOTChallenge's. */
static const struct {
    const char *name;
    int coco, mot;
} classes[] = {{"person", 1, 1},     {"bicycle", 2, 4}, {"car", 3, 3},
               {"motorcycle", 4, 5}, {"bus", 6, 6},     {"truck", 8, 6},
               {"dog", 18, 8},       {"van", 91, 3},    {"parcel", 92, 8}};
#define CLASSES (sizeof(classes) / sizeof(*classes))

static size_t class_of(const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "class"));
    for (size_t i = 0; i < CLASSES; i++)
        if (name && !strcmp(name, classes[i].name))
            return i;
    return CLASSES - 1;
}

/* 0: no memory. */
static size_t track_of(struct export *e, const json_t *object)
{
    const char *id = json_string_value(json_object_get(object, "id"));
    for (size_t i = e->n_ids; i > 0; i--)
        if (!strcmp(e->id[i - 1], id ? id : ""))
            return i;
    if (e->n_ids == IDS_MOST)
        return 0;
    if (e->n_ids == e->ids_room) {
        size_t room = 2 * e->ids_room + 64;
        char **more = realloc(e->id, room * sizeof(*more));
        if (!more)
            return 0;
        e->id = more;
        e->ids_room = room;
    }
    e->id[e->n_ids] = strdup(id ? id : "");
    return e->id[e->n_ids] ? ++e->n_ids : 0;
}

/* Pixels of the picture; false: it is not in it. */
static bool pixel_box(const json_t *object, int width, int height, double ret[4])
{
    const json_t *box = json_object_get(object, "viewBox");
    if (json_array_size(box) != 4)
        return false;
    for (size_t i = 0; i < 4; i++)
        ret[i] = json_number_value(json_array_get(box, i)) * (i % 2 ? height : width);
    return ret[2] > 0 && ret[3] > 0;
}

static int no_memory(void)
{
    return fail(EXIT_LOCAL, "no memory");
}

static int write_line(struct export *e, const json_t *frame)
{
    if (json_dumpf(frame, e->out, JSON_COMPACT | JSON_REAL_PRECISION(9)) ||
        fputc('\n', e->out) == EOF || fflush(e->out))
        return fail(EXIT_LOCAL, "cannot write: %s", strerror(errno));
    return EXIT_FINE;
}

/* frame, id, left, top, width, height, considered, class, visible share */
static int write_mot(struct export *e, const json_t *frame, int width, int height)
{
    const json_t *objects = json_object_get(frame, "objects");
    for (size_t i = 0; i < json_array_size(objects); i++) {
        const json_t *o = json_array_get(objects, i);
        double b[4];
        if (!pixel_box(o, width, height, b))
            continue;
        size_t track = track_of(e, o);
        if (!track)
            return no_memory();
        fprintf(e->out, "%zu,%zu,%.2f,%.2f,%.2f,%.2f,1,%d,%.3f\n", e->frames, track, b[0] + 1,
                b[1] + 1, b[2], b[3], classes[class_of(o)].mot,
                json_number_value(json_object_get(o, "visible")));
    }
    return ferror(e->out) ? fail(EXIT_LOCAL, "cannot write: %s", strerror(errno)) : EXIT_FINE;
}

static int add_coco(struct export *e, const json_t *frame, int width, int height)
{
    char file[32];
    const json_t *objects = json_object_get(frame, "objects");
    snprintf(file, sizeof(file), "%06zu.jpg", e->frames);
    json_t *image =
        json_pack("{s:I, s:s, s:i, s:i, s:O, s:O}", "id", (json_int_t)e->frames, "file_name", file,
                  "width", width, "height", height, "date_captured", json_object_get(frame, "utc"),
                  "pose", json_object_get(frame, "pose"));
    if (!image || json_array_append_new(json_object_get(e->coco, "images"), image))
        return no_memory();
    for (size_t i = 0; i < json_array_size(objects); i++) {
        const json_t *o = json_array_get(objects, i);
        double b[4];
        if (!pixel_box(o, width, height, b))
            continue;
        size_t track = track_of(e, o);
        json_t *note = json_pack("{s:I, s:I, s:i, s:[f, f, f, f], s:f, s:i, s:I, s:s, s:f}", "id",
                                 (json_int_t)++e->notes, "image_id", (json_int_t)e->frames,
                                 "category_id", classes[class_of(o)].coco, "bbox", b[0], b[1], b[2],
                                 b[3], "area", b[2] * b[3], "iscrowd", 0, "track_id",
                                 (json_int_t)track, "track_name", track ? e->id[track - 1] : "",
                                 "visible", json_number_value(json_object_get(o, "visible")));
        if (!track || !note || json_array_append_new(json_object_get(e->coco, "annotations"), note))
            return no_memory();
    }
    return EXIT_FINE;
}

static int begin_coco(struct export *e)
{
    json_t *list = json_array();
    for (size_t i = 0; i < CLASSES; i++)
        json_array_append_new(list, json_pack("{s:i, s:s, s:s}", "id", classes[i].coco, "name",
                                              classes[i].name, "supercategory",
                                              i == 0 ? "person" : "object"));
    e->coco = json_pack("{s:{s:s, s:f}, s:[], s:[], s:o}", "info", "description",
                        "Truth of a Vedette virtual camera", "fps", e->fps, "images", "annotations",
                        "categories", list);
    return e->coco ? EXIT_FINE : no_memory();
}

static int write_frame(struct export *e, const json_t *frame, int width, int height)
{
    e->frames++;
    return e->format == JSONL ? write_line(e, frame)
           : e->format == MOT ? write_mot(e, frame, width, height)
                              : add_coco(e, frame, width, height);
}

/* ---- asking ---- */

static int ask(struct http *h, const struct options *o, const char *target, json_t **ret)
{
    struct reply r;
    int code = http_call(h, target, NULL, true, &r);
    if (code)
        return code;
    json_t *j = json_loadb(r.body, r.len, 0, NULL);
    if (r.status != 200) {
        const char *why = json_string_value(json_object_get(j, "error"));
        code = why ? fail(EXIT_REFUSED, "%s", why) : reply_refused(o, &r);
    } else if (!json_is_object(j)) {
        code = fail(EXIT_UNREACHABLE, "%s%s does not answer as a camera does", o->url, target);
    }
    reply_done(&r);
    if (code)
        json_decref(j);
    else
        *ret = j;
    return code;
}

static int target_of(char *ret, size_t size, const struct export *e, const char *args)
{
    char *resolution = e->resolution ? http_escape(e->resolution) : NULL;
    int n = snprintf(ret, size, "/vedette/stage/truth?%s%s%s", args,
                     resolution ? "&resolution=" : "", resolution ? resolution : "");
    free(resolution);
    return n < 0 || (size_t)n >= size ? fail(EXIT_USAGE, "the request is too long") : EXIT_FINE;
}

static void pause_s(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
    while (nanosleep(&t, &t) && errno == EINTR) {
    }
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Each new picture's, as time goes by. */
static int follow(struct http *h, const struct options *o, struct export *e)
{
    char target[512];
    double end = now_s() + e->seconds;
    json_int_t last = -1;
    int code = target_of(target, sizeof(target), e, "");
    while (!code && !(now_s() > end)) {
        json_t *j = NULL;
        double next = now_s() + 1 / e->fps;
        code = ask(h, o, target, &j);
        if (code)
            break;
        json_int_t at = json_integer_value(json_object_get(j, "time_ns"));
        if (at != last)
            code = write_frame(e, j, 0, 0);
        last = at;
        json_decref(j);
        double left = fmin(next, end) - now_s();
        if (!code && left > 0)
            pause_s(left);
    }
    return code;
}

/* "2026-06-21T12:00:00.033Z", or seconds. NAN: neither. */
static double utc_seconds(const char *text)
{
    struct tm tm = {0};
    double s = 0, plain;
    int n = 0;
    if (parse_number(text, &plain))
        return plain;
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%lfZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
               &tm.tm_hour, &tm.tm_min, &s, &n) != 6 ||
        text[n] || !n)
        return NAN;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (double)timegm(&tm) + s;
}

static int begin_at(struct http *h, const struct options *o, const struct export *e, double *ret)
{
    json_t *j = NULL;
    if (e->from) {
        *ret = utc_seconds(e->from);
        return isnan(*ret) ? fail(EXIT_USAGE, "--from wants UTC as 2026-06-21T12:00:00Z")
                           : EXIT_FINE;
    }
    int code = ask(h, o, "/vedette/stage/truth", &j);
    if (code)
        return code;
    const char *utc = json_string_value(json_object_get(j, "utc"));
    *ret = utc ? utc_seconds(utc) : NAN;
    json_decref(j);
    return isnan(*ret) ? fail(EXIT_UNREACHABLE, "the camera does not tell its time") : EXIT_FINE;
}

/* So many instants at so many a second, at once: the world is known ahead as long as nobody
 * does anything. */
static int export_all(struct http *h, const struct options *o, struct export *e)
{
    double from, n = floor(e->seconds * e->fps + 1e-6);
    int code = begin_at(h, o, e, &from);
    for (double k = 0; k < n && !code; k += AT_ONCE) {
        double last = fmin(k + AT_ONCE, n) - 1;
        char args[160], target[512];
        json_t *j = NULL;
        snprintf(args, sizeof(args), "from=%.6f&to=%.6f&fps=%.9g", from + k / e->fps,
                 from + last / e->fps + 1e-4, e->fps);
        code = target_of(target, sizeof(target), e, args);
        if (!code)
            code = ask(h, o, target, &j);
        if (code)
            break;
        int width = (int)json_integer_value(json_object_get(j, "width"));
        int height = (int)json_integer_value(json_object_get(j, "height"));
        const json_t *frames = json_object_get(j, "frames");
        for (size_t i = 0; i < json_array_size(frames) && !code; i++)
            code = write_frame(e, json_array_get(frames, i), width, height);
        json_decref(j);
    }
    return code;
}

/* ---- the command ---- */

static int read_export(struct export *e, int argc, char **argv)
{
    static const char *const formats[] = {"jsonl", "mot", "coco"};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strncmp(name, "--", 2) != 0 || !value)
            return fail(EXIT_USAGE, "truth: %s %s", name, value ? "is unknown" : "wants a value");
        i++;
        if (!strcmp(name, "--format")) {
            int f = 0;
            while (f < 3 && strcmp(formats[f], value) != 0)
                f++;
            if (f == 3)
                return fail(EXIT_USAGE, "--format is jsonl, mot or coco");
            e->format = (enum format)f;
        } else if (!strcmp(name, "--fps")) {
            if (!parse_number(value, &e->fps) || !(e->fps >= 0.01 && e->fps <= 120))
                return fail(EXIT_USAGE, "--fps wants 0.01 to 120");
        } else if (!strcmp(name, "--seconds")) {
            if (!parse_number(value, &e->seconds) || !(e->seconds > 0 && e->seconds <= 3600))
                return fail(EXIT_USAGE, "--seconds wants up to 3600");
        } else if (!strcmp(name, "--from")) {
            e->from = value;
        } else if (!strcmp(name, "--out")) {
            e->file = value;
        } else if (!strcmp(name, "--resolution")) {
            e->resolution = value;
        } else {
            return fail(EXIT_USAGE, "truth: %s is unknown", name);
        }
    }
    if (isnan(e->seconds) && (e->format != JSONL || e->from))
        return fail(EXIT_USAGE, "truth: --seconds N says how long");
    return EXIT_FINE;
}

int command_truth(struct http *h, const struct options *o, int argc, char **argv)
{
    struct export e = {.fps = 5, .seconds = NAN, .out = stdout};
    int code = read_export(&e, argc, argv);
    if (code)
        return code;
    if (e.file && !(e.out = fopen(e.file, "w")))
        return fail(EXIT_LOCAL, "cannot write %s: %s", e.file, strerror(errno));
    if (e.format == COCO)
        code = begin_coco(&e);
    if (!code)
        code = e.format == JSONL && !e.from ? follow(h, o, &e) : export_all(h, o, &e);
    if (!code && e.format == COCO)
        code = write_line(&e, e.coco);
    if (e.file && fclose(e.out) && !code)
        code = fail(EXIT_LOCAL, "cannot write %s: %s", e.file, strerror(errno));
    if (e.file && !code)
        fprintf(stderr, "%s: %zu instants, %zu tracks\n", e.file, e.frames, e.n_ids);
    json_decref(e.coco);
    for (size_t i = 0; i < e.n_ids; i++)
        free(e.id[i]);
    free(e.id);
    return code;
}
