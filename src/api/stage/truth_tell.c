#include "api/stage/truth_tell.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/request.h"
#include "base/clock.h"
#include "base/text.h"
#include "device/virtual/cast/cast.h"
#include "image/source.h"
#include "media/capture.h"
#include "media/masked.h"
#include "ptz/views.h"

#define OBJECTS_MAX CAST_MOST

static json_t *utc_json(const struct telling *t, int64_t at_ns)
{
    char utc[40];
    text_utc(clock_utc_of(t->clock, at_ns), utc, sizeof utc);
    return json_string(utc);
}

/* What of the sensor's picture the frame of that serial shows: a steadied one shows less. */
static void crop_of(const struct telling *t, uint64_t serial, double ret[4])
{
    struct capture how;
    ret[0] = ret[1] = 0;
    ret[2] = ret[3] = 1;
    if (!t->source || !source_capture(t->source, serial, &how) || how.crop_width <= 0)
        return;
    ret[0] = how.crop_x;
    ret[1] = how.crop_y;
    ret[2] = how.crop_width;
    ret[3] = how.crop_height;
}

/* The box as it stands in the picture that these arguments would give, clipped to it;
 * false: outside. */
static bool view_box(const struct telling *t, const double crop[4], const struct frame_part *part,
                     const double box[4], double ret[4])
{
    double x0 = (box[0] - crop[0]) / crop[2], y0 = (box[1] - crop[1]) / crop[3];
    double x1 = x0 + box[2] / crop[2], y1 = y0 + box[3] / crop[3];
    request_frame_to_view(&t->key, part, t->aspect, &x0, &y0);
    request_frame_to_view(&t->key, part, t->aspect, &x1, &y1);
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

/* What privacy masks cover of the frame of that serial; false: nobody knows any more. */
static bool masked_of(const struct telling *t, uint64_t serial, struct masked **ret)
{
    struct capture how;
    *ret = NULL;
    if (!t->source || !source_capture(t->source, serial, &how))
        return false;
    *ret = source_masked(t->source, serial);
    return true;
}

static double share_of(const struct masked *masked, const double crop[4], const double box[4])
{
    const double in_frame[4] = {(box[0] - crop[0]) / crop[2], (box[1] - crop[1]) / crop[3],
                                box[2] / crop[2], box[3] / crop[3]};
    return masked_share(masked, in_frame);
}

static json_t *masks_json(const struct masked *m)
{
    json_t *list = json_array();
    for (unsigned i = 0; m && i < m->n; i++) {
        const struct masked_area *a = &m->area[i];
        json_t *polygon = json_array();
        for (unsigned k = 0; k < a->n_points; k++)
            json_array_append_new(polygon, json_pack("[f, f]", (double)a->x[k], (double)a->y[k]));
        json_array_append_new(list, json_pack("{s:i, s:o}", "mask", a->index, "polygon", polygon));
    }
    return list;
}

static json_t *object_json(const struct telling *t, const double crop[4],
                           const struct frame_part *part, const struct truth_object *o,
                           const struct member *m)
{
    double in_view[4];
    json_t *j = json_pack("{s:s, s:s, s:o, s:f, s:[f, f, f]}", "id", o->id, "class", o->class_name,
                          "box", box_json(o->box), "visible", o->visible, "world", o->world[0],
                          o->world[1], o->world[2]);
    if (!j)
        return NULL;
    if (m) {
        json_object_set_new(j, "speed", json_real(m->speed_m_s));
        json_object_set_new(j, "heading", json_real(m->heading_deg));
        json_object_set_new(j, "model", json_string(m->model));
        if (*m->plate)
            json_object_set_new(j, "plate", json_string(m->plate));
    }
    bool shown = view_box(t, crop, part, o->box, in_view);
    json_object_set_new(j, "viewBox", shown ? box_json(in_view) : json_null());
    return j;
}

static json_t *objects_json(const struct telling *t, const struct truth_shot *shot)
{
    json_t *list = json_array();
    struct truth_object *all = calloc(OBJECTS_MAX, sizeof *all);
    struct member *members = calloc(CAST_MOST, sizeof *members);
    int64_t at_ns = shot->start_ns + shot->exposure_ns / 2;
    double crop[4];
    struct frame_part part[VIEWS_MOST] = {[0] = FRAME_WHOLE};
    crop_of(t, shot->serial, crop);
    if (t->views)
        views_parts(t->views, shot->start_ns, part);
    struct masked *masked;
    bool known = masked_of(t, shot->serial, &masked);
    if (list && all && members) {
        size_t n = world_truth(t->world, &shot->middle, t->aspect, at_ns, shot->exposure_ns, all,
                               OBJECTS_MAX);
        size_t n_members = t->cast ? cast_at(t->cast, at_ns, members, CAST_MOST) : 0, k = 0;
        for (size_t i = 0; i < n; i++) {
            const struct member *m = NULL; /* they stand in the same order */
            for (size_t step = 0; step < n_members && !m; step++, k++)
                if (!strcmp(members[k % n_members].id, all[i].id))
                    m = &members[k % n_members];
            json_t *object = object_json(t, crop, &part[t->key.view - 1], &all[i], m);
            if (known)
                json_object_set_new(object, "masked",
                                    json_real(share_of(masked, crop, all[i].box)));
            json_array_append_new(list, object);
        }
    }
    masked_unref(masked);
    free(members);
    free(all);
    return list;
}

static json_t *lines_json(const struct story_tally *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->n_lines; i++)
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "name", t->line[i].name, "in",
                                              (json_int_t)t->line[i].in, "out",
                                              (json_int_t)t->line[i].out));
    return list;
}

static json_t *areas_json(const struct telling *t, const struct story_tally *tally, int64_t at_ns)
{
    json_t *list = json_array();
    for (size_t i = 0; i < tally->n_areas; i++) {
        const struct story_area *a = &tally->area[i];
        json_t *inside = json_array();
        for (size_t k = 0; k < a->n; k++)
            json_array_append_new(inside, json_pack("{s:s, s:s, s:o, s:f}", "id", a->inside[k].id,
                                                    "class", a->inside[k].class_name, "since",
                                                    utc_json(t, a->inside[k].since_ns), "seconds",
                                                    (double)(at_ns - a->inside[k].since_ns) / 1e9));
        json_array_append_new(list, json_pack("{s:s, s:I, s:o}", "name", a->name, "entered",
                                              (json_int_t)a->entered, "inside", inside));
    }
    return list;
}

static json_t *pose_json(const struct telling *t, const struct pose *p)
{
    return json_pack("{s:f, s:f, s:f, s:f, s:f}", "pan", p->pan_deg, "tilt", p->tilt_deg, "zoom",
                     p->zoom, "hfov", p->hfov_deg, "vfov", pose_vfov_deg(p, t->aspect));
}

json_t *truth_of_frame(const struct telling *t, const struct truth_shot *shot)
{
    char utc[40];
    text_utc(shot->utc_ns, utc, sizeof utc);
    return json_pack("{s:I, s:s, s:I, s:o, s:o}", "serial", (json_int_t)shot->serial, "utc", utc,
                     "time_ns", (json_int_t)shot->start_ns, "pose", pose_json(t, &shot->pose),
                     "objects", objects_json(t, shot));
}

json_t *truth_of_shot(const struct telling *t, const struct truth_shot *shot, struct story *story)
{
    struct cast_facts facts = {0};
    bool played = t->cast && cast_facts(t->cast, shot->start_ns, &facts);
    json_t *j = truth_of_frame(t, shot);
    json_t *more = json_pack("{s:I, s:f, s:s, s:s, s:{s:i, s:i, s:i, s:b}}", "exposure_ns",
                             (json_int_t)shot->exposure_ns, "aspect", t->aspect, "place",
                             world_place(t->world), "scenario", played ? facts.name : "", "view",
                             "width", t->key.width, "height", t->key.height, "rotation",
                             t->key.rotation_deg, "mirror", t->key.mirror);
    if (j && more)
        json_object_update(j, more);
    json_decref(more);
    struct masked *masked;
    if (j && masked_of(t, shot->serial, &masked)) {
        json_object_set_new(j, "masks", masks_json(masked));
        masked_unref(masked);
    }
    if (!j || !story)
        return j;
    const struct story_tally *tally = story_at(story, shot->start_ns);
    json_object_set_new(j, "lines", tally ? lines_json(tally) : json_array());
    json_object_set_new(j, "areas", tally ? areas_json(t, tally, shot->start_ns) : json_array());
    return j;
}

/* ---- events ---- */

struct events_so_far {
    const struct telling *t;
    json_t *list;
    size_t most;
    bool more;
    int64_t last_ns;
};

static bool add_event(const struct story_event *e, void *arg)
{
    struct events_so_far *s = arg;
    static const char *const types[] = {"line", "line", "enter", "leave"};
    if (json_array_size(s->list) >= s->most && e->at_ns != s->last_ns) { /* one moment is whole */
        s->more = true;
        return false;
    }
    json_t *j = json_pack("{s:s, s:o, s:I, s:s, s:s, s:[f, f], s:f}", "type", types[e->sort], "utc",
                          utc_json(s->t, e->at_ns), "time_ns", (json_int_t)e->at_ns, "id", e->id,
                          "class", e->class_name ? e->class_name : "", "world", e->position[0],
                          e->position[1], "speed", e->speed_m_s);
    if (!j)
        return false;
    bool line = e->sort == STORY_IN || e->sort == STORY_OUT;
    json_object_set_new(j, line ? "line" : "area", json_string(e->where));
    if (line)
        json_object_set_new(j, "direction", json_string(e->sort == STORY_IN ? "in" : "out"));
    if (e->sort == STORY_LEAVE)
        json_object_set_new(j, "seconds", json_real(e->seconds));
    json_array_append_new(s->list, j);
    s->last_ns = e->at_ns;
    return true;
}

json_t *truth_of_events(const struct telling *t, struct story *story, int64_t from_ns,
                        int64_t to_ns, size_t most)
{
    struct events_so_far s = {.t = t, .list = json_array(), .most = most, .last_ns = from_ns};
    story_between(story, from_ns, to_ns, add_event, &s);
    return json_pack("{s:o, s:o, s:o, s:b, s:I}", "from", utc_json(t, from_ns), "to",
                     utc_json(t, to_ns), "events", s.list, "more", (int)s.more, "next_ns",
                     (json_int_t)(s.more ? s.last_ns : to_ns));
}
