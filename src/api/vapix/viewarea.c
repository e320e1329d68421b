/* viewarea/info.cgi and viewarea/configure.cgi: which channels there are, and what part of the
 * picture each view area shows, in pixels of the source's picture as it is seen upright. View
 * areas come and go with Image.I#.Enabled. */
#include <math.h>
#include <stdio.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "base/fault.h"
#include "conf/param.h"
#include "media/pipeline.h"
#include "ptz/views.h"

#define ID_OF_CHANNEL 1000000 /* + channel */
#define GRID 2                /* pixels: colour has half as many */

/* Error numbers of this API. */
static const struct json_family family = {.internal = 100,
                                          .post_only = 103,
                                          .version = 101,
                                          .method = 103,
                                          .bad_json = 102,
                                          .missing = 102,
                                          .invalid = 202,
                                          .not_found = 200};
enum { BAD_ID = 200, NOT_CONFIGURABLE = 201, BAD_GEOMETRY = 202 };

/* Of one axis. */
struct span {
    int offset, size;
};

static void canvas_of(struct camera *cam, int *ret_width, int *ret_height)
{
    double fps;
    pipeline_size(cam->pipeline, ret_width, ret_height, &fps);
}

static int to_grid(double pixels)
{
    return GRID * (int)lrint(pixels / GRID);
}

static int least(int canvas)
{
    return GRID * (int)ceil(canvas * VIEW_LEAST / GRID);
}

static struct span span_of(double start, double share, int canvas)
{
    int from = to_grid(start * canvas), to = to_grid((start + share) * canvas);
    return (struct span){from, to - from};
}

static json_t *sizes(int width, int height)
{
    return json_pack("{s:i, s:i}", "horizontal", width, "vertical", height);
}

static json_t *area_json(struct camera *cam, const struct views_settings *s, int channel)
{
    int width, height;
    struct frame_part area;
    json_t *o =
        json_pack("{s:i, s:i, s:i, s:b}", "id", ID_OF_CHANNEL + channel, "source",
                  s->view[channel - 1].source, "camera", channel, "configurable", channel > 1);
    if (!o || channel == 1)
        return o;
    canvas_of(cam, &width, &height);
    views_area(s, channel, &area);
    struct span h = span_of(area.x, area.width, width), v = span_of(area.y, area.height, height);
    json_object_set_new(o, "rectangularGeometry",
                        json_pack("{s:i, s:i, s:i, s:i}", "horizontalOffset", h.offset,
                                  "horizontalSize", h.size, "verticalOffset", v.offset,
                                  "verticalSize", v.size));
    json_object_set_new(o, "canvasSize", sizes(width, height));
    json_object_set_new(o, "minSize", sizes(least(width), least(height)));
    json_object_set_new(o, "maxSize", sizes(width, height));
    json_object_set_new(o, "grid",
                        json_pack("{s:i, s:i, s:i, s:i}", "horizontalOffset", GRID,
                                  "horizontalSize", GRID, "verticalOffset", GRID, "verticalSize",
                                  GRID));
    return o;
}

/* With what is set of one of them, as it will be; NULL: as they are. */
static json_t *list_json(struct camera *cam, const struct views_settings *soon)
{
    const struct views_settings *now = room_ref(cam->views_room);
    json_t *list = json_array();
    for (int channel = 1; channel <= VIEWS_MOST; channel++)
        if (views_have(cam->views, channel))
            json_array_append_new(list, area_json(cam, soon ? soon : now, channel));
    room_unref(now);
    return json_pack("{s:o}", "viewAreas", list);
}

static void list(struct json_call *c)
{
    json_call_reply(c, list_json(c->door->cam, NULL));
}

/* Of params.viewArea; 0: the error has been answered. */
static int channel_of(struct json_call *c, const json_t **ret_area)
{
    const json_t *area = json_object_get(c->params, "viewArea");
    struct fault why = {0};
    int64_t id = 0;
    *ret_area = area;
    if (!json_is_object(area) || !json_object_get(area, "id")) {
        json_call_error(c, family.missing, "viewArea with its id is missing");
        return 0;
    }
    if (json_get_int(area, "id", &id, &why) || id <= ID_OF_CHANNEL ||
        id > ID_OF_CHANNEL + VIEWS_MOST ||
        !views_have(c->door->cam->views, (int)(id - ID_OF_CHANNEL))) {
        json_call_error(c, BAD_ID,
                        "There is no view area with this id; list names those that "
                        "there are, Image.I#.Enabled makes more");
        return 0;
    }
    if (id == ID_OF_CHANNEL + 1) {
        json_call_error(c, NOT_CONFIGURABLE, "Channel 1 is always the whole picture");
        return 0;
    }
    return (int)(id - ID_OF_CHANNEL);
}

static bool read_span(const json_t *geometry, const char *offset, const char *size, int canvas,
                      double *ret_start, double *ret_share, struct fault *why)
{
    int64_t from = -1, n = -1;
    if (json_get_int(geometry, offset, &from, why) || json_get_int(geometry, size, &n, why))
        return false;
    if (from < 0 || n < least(canvas) || n > canvas || from > canvas - n) {
        fault_set(why, FAULT_INVALID, size, "%s is at least %d, and with %s stays within %d pixels",
                  size, least(canvas), offset, canvas);
        return false;
    }
    int first = to_grid((double)from), last = to_grid((double)(from + n));
    *ret_start = (double)first / canvas;
    *ret_share = (double)(last - first) / canvas;
    return true;
}

static void store(struct json_call *c, int channel, const struct frame_part *area)
{
    const struct {
        const char *leaf;
        double value;
    } all[] = {{"X", area->x}, {"Y", area->y}, {"Width", area->width}, {"Height", area->height}};
    struct txn *t = txn_new(c->door->cam->conf, c->ex->who.groups);
    struct fault why = {0};
    int err = t ? 0 : fault_set(&why, FAULT_INTERNAL, NULL, "Internal error");
    for (size_t i = 0; !err && i < sizeof all / sizeof *all; i++) {
        char name[48], text[32];
        snprintf(name, sizeof name, "Image.I%d.Geometry.%s", channel - 1, all[i].leaf);
        snprintf(text, sizeof text, "%.17g", all[i].value);
        err = txn_set(t, name, text, &why);
    }
    if (err) {
        txn_abort(t);
        json_call_fault(c, &why);
        return;
    }
    const struct views_settings *now = room_ref(c->door->cam->views_room);
    struct views_settings soon = *now;
    room_unref(now);
    struct view_settings *w = &soon.view[channel - 1];
    w->x = area->x;
    w->y = area->y;
    w->width = area->width;
    w->height = area->height;
    json_call_commit(c, t, list_json(c->door->cam, &soon));
}

static void set_geometry(struct json_call *c)
{
    const json_t *area;
    int channel = channel_of(c, &area), width, height;
    struct frame_part part;
    struct fault why = {0};
    if (!channel)
        return;
    const json_t *geometry = json_object_get(area, "rectangularGeometry");
    canvas_of(c->door->cam, &width, &height);
    if (!json_is_object(geometry))
        json_call_error(c, BAD_GEOMETRY, "rectangularGeometry is missing");
    else if (!read_span(geometry, "horizontalOffset", "horizontalSize", width, &part.x, &part.width,
                        &why) ||
             !read_span(geometry, "verticalOffset", "verticalSize", height, &part.y, &part.height,
                        &why))
        json_call_error(c, BAD_GEOMETRY, why.text);
    else
        store(c, channel, &part);
}

static void reset_geometry(struct json_call *c)
{
    const json_t *area;
    int channel = channel_of(c, &area);
    if (channel)
        store(c, channel, &VIEW_STANDARD);
}

static const struct json_method info_methods[] = {
    {"list", ROLE_VIEWER, list},
    {"getSupportedVersions", ROLE_VIEWER, json_serve_versions},
};
static const struct json_cgi info = {"1.0", &family, info_methods,
                                     sizeof info_methods / sizeof *info_methods};

static const struct json_method configure_methods[] = {
    {"setGeometry", ROLE_ADMIN, set_geometry},
    {"resetGeometry", ROLE_ADMIN, reset_geometry},
    {"getSupportedVersions", ROLE_ADMIN, json_serve_versions},
};
static const struct json_cgi configure = {"1.0", &family, configure_methods,
                                          sizeof configure_methods / sizeof *configure_methods};

static void serve_info(struct exchange *ex, void *arg)
{
    json_cgi_serve(&info, ex, arg);
}

static void serve_configure(struct exchange *ex, void *arg)
{
    json_cgi_serve(&configure, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/viewarea/info.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER,
     .serve = serve_info,
     .doc = "channels and what part of the picture each shows (JSON)"},
    {.path = "/axis-cgi/viewarea/configure.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .serve = serve_configure,
     .doc = "part of the picture that a view area shows (JSON)"},
};
const struct cgi cgi_viewarea = {CGI_ROWS(rows)};
