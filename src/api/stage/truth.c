#include "api/stage/truth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/request.h"
#include "api/stage/reply.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"
#include "device/device.h"
#include "device/virtual/cast.h"
#include "device/virtual/world.h"
#include "image/source.h"
#include "media/pipeline.h"
#include "net/exchange.h"

#define OBJECTS_MAX 256
#define RECENT_PICTURES 10 /* a slow machine leaves some out */

struct truth_door {
    struct camera *cam;
};

/* "2026-06-21T12:00:00.033Z", or seconds since 1970. */
static bool parse_time(const char *s, int64_t *ret_utc_ns)
{
    double seconds;
    if (!text_double(s, 0, 1e11, &seconds)) {
        *ret_utc_ns = (int64_t)llround(seconds * 1e9);
        return true;
    }
    int y, mo, d, h, mi, n = 0;
    double sec;
    char part[40];
    if (strlen(s) < 20 || strlen(s) > 32 || s[strlen(s) - 1] != 'Z' ||
        sscanf(s, "%4d-%2d-%2dT%2d:%2d:%n", &y, &mo, &d, &h, &mi, &n) != 5 || n != 17)
        return false;
    text_copy(part, sizeof part, s + n);
    part[strlen(part) - 1] = '\0';
    if (text_double(part, 0, 60.999999999, &sec) || y < 1970 || y > 2200 || mo < 1 || mo > 12 ||
        d < 1 || d > 31 || h < 0 || h > 23 || mi < 0 || mi > 59)
        return false;
    int64_t a = (14 - mo) / 12, yy = y + 4800 - a, mm = mo + 12 * a - 3; /* Julian day number */
    int64_t days =
        d + (153 * mm + 2) / 5 + 365 * yy + yy / 4 - yy / 100 + yy / 400 - 32045 - 2440588;
    *ret_utc_ns = (days * 86400 + h * 3600 + mi * 60) * NSEC_PER_SEC + (int64_t)llround(sec * 1e9);
    return true;
}

/* The newest picture; while nobody watches none is taken, so that the truth is told of
 * the one that whoever asked now would get. */
static void newest_shot(struct truth_door *d, struct truth_shot *ret)
{
    struct camera *cam = d->cam;
    struct head *head = cam->device->head;
    struct truth_shot now = {0};
    source_tick(cam->source, &now.serial, &now.start_ns);
    if (world_shot_newest(cam->device->world, ret) && ret->serial + RECENT_PICTURES >= now.serial)
        return;
    now.utc_ns = clock_utc_of(cam->clock, now.start_ns);
    head->ops->pose(head, now.start_ns, &now.pose);
    now.middle = now.pose;
    *ret = now;
}

/* False: replied. */
static bool find_shot(struct truth_door *d, struct exchange *ex, struct truth_shot *ret)
{
    struct world *w = d->cam->device->world;
    const char *serial = exchange_arg(ex, "serial"), *time = exchange_arg(ex, "time");
    int64_t n = 0, utc_ns = 0;
    if (!serial && !time) {
        newest_shot(d, ret);
        return true;
    }
    if (serial && text_int(serial, 0, INT64_MAX, &n)) {
        stage_reply_error(ex, 400, "serial must be the number of a picture");
        return false;
    }
    if (!serial && time && !parse_time(time, &utc_ns)) {
        stage_reply_error(ex, 400,
                          "time must be UTC as 2026-06-21T12:00:00.033Z, or seconds since 1970");
        return false;
    }
    bool found =
        serial ? world_shot_by_serial(w, (uint64_t)n, ret) : world_shot_by_utc(w, utc_ns, ret);
    if (!found)
        stage_reply_error(ex, 404, "no such picture was taken, or it is too long ago");
    return found;
}

/* The box as it stands in the picture that these arguments would give, clipped to it;
 * false: outside. */
static bool view_box(const struct rendition_key *k, double aspect, const double box[4],
                     double ret[4])
{
    double x0 = box[0], y0 = box[1], x1 = box[0] + box[2], y1 = box[1] + box[3];
    request_frame_to_view(k, aspect, &x0, &y0);
    request_frame_to_view(k, aspect, &x1, &y1);
    double left = fmax(0, fmin(x0, x1)), right = fmin(1, fmax(x0, x1));
    double top = fmax(0, fmin(y0, y1)), bottom = fmin(1, fmax(y0, y1));
    ret[0] = left;
    ret[1] = top;
    ret[2] = right - left;
    ret[3] = bottom - top;
    return ret[2] > 0 && ret[3] > 0;
}

static json_t *box_json(const double b[4])
{
    return json_pack("[f, f, f, f]", b[0], b[1], b[2], b[3]);
}

static json_t *objects_json(struct world *w, const struct truth_shot *shot, double aspect,
                            const struct rendition_key *k)
{
    json_t *list = json_array();
    struct truth_object *all = calloc(OBJECTS_MAX, sizeof *all);
    int64_t at_ns = shot->start_ns + shot->exposure_ns / 2;
    size_t n = all ? world_truth(w, &shot->middle, aspect, at_ns, all, OBJECTS_MAX) : 0;
    for (size_t i = 0; i < n; i++) {
        double in_view[4];
        json_t *j =
            json_pack("{s:s, s:s, s:o, s:f, s:[f, f, f]}", "id", all[i].id, "class",
                      all[i].class_name, "box", box_json(all[i].box), "visible", all[i].visible,
                      "world", all[i].world[0], all[i].world[1], all[i].world[2]);
        if (view_box(k, aspect, all[i].box, in_view))
            json_object_set_new(j, "viewBox", box_json(in_view));
        else
            json_object_set_new(j, "viewBox", json_null());
        json_array_append_new(list, j);
    }
    free(all);
    return list;
}

static void serve_truth(struct exchange *ex, void *arg)
{
    struct truth_door *d = arg;
    struct world *w = d->cam->device->world;
    struct encoding e;
    struct view_args view;
    struct fault why = {0};
    struct truth_shot shot;
    if (request_jpeg(d->cam, ex->args, ex->n_args, &e, &view, &why)) {
        stage_reply_error(ex, 400, why.text);
        return;
    }
    if (!find_shot(d, ex, &shot))
        return;
    int width, height;
    double fps;
    pipeline_size(d->cam->pipeline, &width, &height, &fps);
    double aspect = (double)width / height;
    char utc[40];
    text_utc(shot.utc_ns, utc, sizeof utc);
    struct cast_facts facts;
    bool played = cast_facts(d->cam->device->cast, shot.start_ns, &facts);
    stage_reply(
        ex, 200,
        json_pack("{s:I, s:s, s:I, s:I, s:{s:f, s:f, s:f, s:f, s:f}, s:f, s:s, s:s, "
                  "s:{s:i, s:i, s:i, s:b}, s:o}",
                  "serial", (json_int_t)shot.serial, "utc", utc, "time_ns",
                  (json_int_t)shot.start_ns, "exposure_ns", (json_int_t)shot.exposure_ns, "pose",
                  "pan", shot.pose.pan_deg, "tilt", shot.pose.tilt_deg, "zoom", shot.pose.zoom,
                  "hfov", shot.pose.hfov_deg, "vfov", pose_vfov_deg(&shot.pose, aspect), "aspect",
                  aspect, "place", world_place(w), "scenario", played ? facts.name : "", "view", "width",
                  e.key.width, "height", e.key.height, "rotation", e.key.rotation_deg, "mirror",
                  e.key.mirror, "objects", objects_json(w, &shot, aspect, &e.key)));
}

static const struct endpoint rows[] = {
    {.path = "/vedette/stage/truth",
     .methods = METHOD_GET,
     .role = ROLE_ADMIN,
     .serve = serve_truth,
     .doc = "what a picture shows, as the virtual world knows it (JSON)"},
};

struct truth_door *truth_door_new(struct camera *cam, struct gate *g)
{
    struct truth_door *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->cam = cam;
    gate_add(g, rows, sizeof rows / sizeof *rows, d);
    return d;
}

struct truth_door *truth_door_free(struct truth_door *d)
{
    free(d);
    return NULL;
}
