/* privacymask.cgi: privacy masks by name, in pixels of the picture as it is now or in degrees.
 * Administrators; what they do stands in the audit log. Errors are a line of text. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/audit.h"
#include "api/camera.h"
#include "api/commit.h"
#include "api/gate.h"
#include "api/request.h"
#include "api/vapix/door.h"
#include "api/vapix/ptz_query.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"
#include "conf/param.h"
#include "image/mask_settings.h"
#include "net/limits.h"
#include "ptz/ptz.h"

#define RAD (3.14159265358979323846 / 180)
#define FAR_PX 1000000 /* what is no pixel of any picture is not parsed as one */

static void reply_error(struct exchange *ex, const struct fault *why)
{
    exchange_replyf(ex, 200, "text/plain", "Error: %s\n", why->text);
}

static double aspect(const struct vapix_door *d)
{
    return (double)d->sensor.width / d->sensor.height;
}

/* ---- pixels and directions ---- */

/* Pixels are those of the largest picture, turned as the camera hangs. */
static void to_direction(struct vapix_door *d, const struct pose *now, double x_px, double y_px,
                         double *ret_pan, double *ret_tilt)
{
    double x = x_px / d->sensor.width, y = y_px / d->sensor.height;
    if (request_source_rotation(d->cam)) {
        x = 1 - x;
        y = 1 - y;
    }
    request_frame_to_sensor(d->cam, &x, &y);
    pose_unproject(now, aspect(d), x, y, ret_pan, ret_tilt);
}

/* Its inverse, without a stabiliser's small moves; false: behind the camera. */
static bool to_pixel(struct vapix_door *d, const struct pose *now, double pan, double tilt,
                     double ret[2])
{
    double x, y;
    if (!pose_project(now, aspect(d), pan, tilt, &x, &y))
        return false;
    if (request_source_rotation(d->cam)) {
        x = 1 - x;
        y = 1 - y;
    }
    ret[0] = x * d->sensor.width;
    ret[1] = y * d->sensor.height;
    return true;
}

/* ---- what is asked for ---- */

static int by_name(const struct mask_settings *s, const char *name)
{
    for (int i = 0; i < MASK_MAX; i++)
        if (s->mask[i].used && !strcmp(s->mask[i].name, name))
            return i;
    return -1;
}

/* What is not seen has no pixel: directions are for that. */
static int check_inside(struct vapix_door *d, const double (*at)[2], unsigned n, const char *name,
                        struct fault *why)
{
    for (unsigned i = 0; i < n; i++)
        if (at[i][0] < 0 || at[i][1] < 0 || at[i][0] > d->sensor.width ||
            at[i][1] > d->sensor.height)
            return fault_set(why, FAULT_INVALID, name,
                             "%s: %g,%g lies outside of the picture of %d x %d; polygon takes "
                             "directions in degrees, also those that are not in view",
                             name, at[i][0], at[i][1], d->sensor.width, d->sensor.height);
    return 0;
}

static int rectangle(struct vapix_door *d, struct exchange *ex, double ret[MASK_MAX_POINTS][2],
                     struct fault *why)
{
    double w, h, c[MASK_MAX_POINTS][2] = {{d->sensor.width / 2.0, d->sensor.height / 2.0}};
    const char *centre = exchange_arg(ex, "center");
    const char *width = exchange_arg(ex, "width"), *height = exchange_arg(ex, "height");
    unsigned n = 1;
    if (!width || !height || text_double(width, 0.1, 100, &w) || text_double(height, 0.1, 100, &h))
        return fault_set(why, FAULT_INVALID, "width",
                         "width and height are 0.1 to 100 percent of the picture");
    if (centre && (mask_pairs(centre, FAR_PX, FAR_PX, c, &n) || n != 1))
        return fault_set(why, FAULT_INVALID, "center", "center is X,Y in pixels");
    int err = check_inside(d, (const double(*)[2])c, 1, "center", why);
    if (err)
        return err;
    w *= d->sensor.width / 200.0;
    h *= d->sensor.height / 200.0;
    double x = c[0][0], y = c[0][1];
    const double corner[4][2] = {{x - w, y - h}, {x + w, y - h}, {x + w, y + h}, {x - w, y + h}};
    memcpy(ret, corner, sizeof corner);
    return 0;
}

/* The polygon that the arguments ask for; *ret_any false: none of them is there. */
static int shape_of(struct vapix_door *d, struct exchange *ex, char ret[MASK_TEXT_MAX],
                    bool *ret_any, struct fault *why)
{
    const char *px = exchange_arg(ex, "pxpolygon"), *deg = exchange_arg(ex, "polygon");
    struct mask m = {0};
    double at[MASK_MAX_POINTS][2];
    *ret_any = px || deg || exchange_arg(ex, "width") || exchange_arg(ex, "height");
    if (!*ret_any)
        return 0;
    if (deg) {
        int rc = mask_parse(deg, &m, why);
        if (rc < 0)
            return rc;
        mask_text(&m, ret);
        return 0;
    }
    struct pose now;
    ptz_pose(d->cam->ptz, &now);
    if (!now.known || !(now.hfov_deg > 0))
        return fault_set(why, FAULT_CONFLICT, "pxpolygon",
                         "where the camera looks is not known: give polygon in degrees");
    if (px) {
        int rc = mask_pairs(px, FAR_PX, FAR_PX, at, &m.n);
        if (rc < 0)
            return fault_set(why, FAULT_INVALID, "pxpolygon",
                             "pxpolygon is X,Y:X,Y:… in pixels, 3 to 10 points");
        rc = check_inside(d, (const double(*)[2])at, m.n, "pxpolygon", why);
        if (rc < 0)
            return rc;
    } else {
        int rc = rectangle(d, ex, at, why);
        if (rc < 0)
            return rc;
        m.n = 4;
    }
    for (unsigned i = 0; i < m.n; i++)
        to_direction(d, &now, at[i][0], at[i][1], &m.point[i].pan_deg, &m.point[i].tilt_deg);
    int rc = mask_check(&m, why);
    if (rc == 0)
        mask_text(&m, ret);
    return rc;
}

/* ---- changes ---- */

static void on_done(struct exchange *ex, int err, const struct fault *why, void *arg)
{
    if (err)
        reply_error(ex, why);
    else
        exchange_reply(ex, 204, NULL, NULL, 0);
}

static int set_row(struct txn *t, int i, const char *word, const char *value, struct fault *why)
{
    char name[96];
    snprintf(name, sizeof name, MASK_GROUP ".M%d.%s", i, word);
    return txn_set(t, name, value, why);
}

static int set_rows(struct vapix_door *d, struct exchange *ex, struct txn *t, int i, bool fresh,
                    struct fault *why)
{
    char polygon[MASK_TEXT_MAX];
    const char *zoom = exchange_arg(ex, "zoomlowlimit"), *on = exchange_arg(ex, "enabled");
    const char *rename = exchange_arg(ex, fresh ? "name" : "newname");
    bool any = false;
    int rc = shape_of(d, ex, polygon, &any, why);
    if (!rc && fresh && !any)
        rc = fault_set(why, FAULT_MISSING, "pxpolygon",
                       "the shape is missing: pxpolygon, polygon, or width and height");
    if (!rc && any)
        rc = set_row(t, i, "Polygon", polygon, why);
    if (!rc && rename)
        rc = set_row(t, i, "Name", rename, why);
    if (!rc && zoom)
        rc = set_row(t, i, "ZoomLowLimit", zoom, why);
    if (!rc && on)
        rc = set_row(t, i, "Enabled", on, why);
    return rc;
}

static int go(struct vapix_door *d, const struct mask_row *row, struct fault *why)
{
    struct mask m;
    struct head_caps caps;
    int rc = mask_parse(row->polygon, &m, why);
    if (rc)
        return rc;
    double x = 0, y = 0, z = 0, far = 0;
    for (unsigned i = 0; i < m.n; i++) {
        double p = m.point[i].pan_deg * RAD, t = m.point[i].tilt_deg * RAD;
        x += sin(p) * cos(t);
        y += cos(p) * cos(t);
        z += sin(t);
    }
    double len = sqrt(x * x + y * y + z * z);
    for (unsigned i = 0; i < m.n; i++) {
        double p = m.point[i].pan_deg * RAD, t = m.point[i].tilt_deg * RAD;
        double c = (sin(p) * cos(t) * x + cos(p) * cos(t) * y + sin(t) * z) / len;
        far = fmax(far, acos(fmin(fmax(c, -1), 1)));
    }
    ptz_caps(d->cam->ptz, &caps);
    /* it fills half of the picture's height, and is seen to cover */
    double half = fmin(fmax(2 * far * aspect(d), 0.2 * RAD), 1.2);
    double zoom = tan(caps.wide_hfov_deg / 2 * RAD) / tan(half);
    if (row->zoom_low > 0)
        zoom = fmax(zoom, ptz_zoom_to_magnification(d->cam->ptz, row->zoom_low) * 1.001);
    zoom = fmin(fmax(zoom, 1), caps.max_zoom);
    return ptz_absolute(d->cam->ptz, atan2(x, y) / RAD, asin(z / len) / RAD, zoom, NAN, why);
}

static int change(struct vapix_door *d, struct exchange *ex, const char *action, struct txn *t,
                  bool *ret_went, struct fault *why)
{
    const char *name = exchange_arg(ex, "name");
    bool all_on = !strcmp(action, "enable_all"), all_off = !strcmp(action, "disable_all");
    bool add = !strcmp(action, "add"),
         update = !strcmp(action, "update") || !strcmp(action, "modify");
    bool removal = !strcmp(action, "remove") || !strcmp(action, "delete");
    if (all_on || all_off)
        return txn_set(t, MASK_GROUP ".Enabled", all_on ? "yes" : "no", why);
    if (!add && !update && !removal && strcmp(action, "goto"))
        return fault_set(why, FAULT_INVALID, "action",
                         "action is add, update, remove, goto, enable_all or disable_all");
    if (!name || !*name || strlen(name) > MASK_NAME_MAX)
        return fault_set(why, FAULT_MISSING, "name", "name is missing, or longer than %d bytes",
                         MASK_NAME_MAX);
    const struct mask_settings *s = room_ref(d->cam->mask_room);
    int i = by_name(s, name);
    struct mask_row row = {0};
    if (i >= 0)
        row = s->mask[i];
    room_unref(s);
    if (add && i >= 0)
        return fault_set(why, FAULT_CONFLICT, "name", "there is a mask \"%.60s\" already", name);
    if (!add && i < 0)
        return fault_set(why, FAULT_UNKNOWN, "name", "there is no mask \"%.60s\"", name);
    if (add) {
        unsigned index = 0;
        int rc = txn_add(t, MASK_TEMPLATE, &index, why);
        return rc ? rc : set_rows(d, ex, t, (int)index, true, why);
    }
    if (update)
        return set_rows(d, ex, t, i, false, why);
    if (removal) {
        char group[64];
        snprintf(group, sizeof group, MASK_GROUP ".M%d", i);
        return txn_remove(t, group, why);
    }
    *ret_went = true;
    return go(d, &row, why);
}

static void serve_action(struct vapix_door *d, struct exchange *ex, const char *action)
{
    const char *source = exchange_arg(ex, "imagesource"), *name = exchange_arg(ex, "name");
    struct fault why = {0};
    bool went = false;
    if (source && strcmp(source, "0")) {
        fault_set(&why, FAULT_UNKNOWN, "imagesource", "there is image source 0 only");
        reply_error(ex, &why);
        return;
    }
    struct txn *t = txn_new(d->cam->conf, ex->who.groups);
    int rc = t ? change(d, ex, action, t, &went, &why)
               : fault_set(&why, FAULT_INTERNAL, NULL, "out of memory");
    if (rc || went) {
        txn_abort(t);
        if (rc)
            reply_error(ex, &why);
        else
            exchange_reply(ex, 204, NULL, NULL, 0);
        return;
    }
    struct audit_who who; /* told now: who asks may be gone when it is done */
    audit_who(ex, &who);
    audit_line(&who, "privacymask.cgi %.16s %.128s", action, name ? name : "");
    commit_then(d->cam, ex, t, on_done, NULL);
}

/* ---- questions ---- */

static json_t *points_json(struct vapix_door *d, const struct mask *m, bool clip)
{
    struct pose now;
    json_t *list = json_array();
    ptz_pose(d->cam->ptz, &now);
    for (unsigned i = 0; i < m->n; i++) {
        double at[2];
        if (!to_pixel(d, &now, m->point[i].pan_deg, m->point[i].tilt_deg, at))
            continue;
        if (clip) {
            at[0] = fmin(fmax(at[0], 0), d->sensor.width);
            at[1] = fmin(fmax(at[1], 0), d->sensor.height);
        }
        at[0] = fmin(fmax(at[0], -FAR_PX), FAR_PX);
        at[1] = fmin(fmax(at[1], -FAR_PX), FAR_PX);
        json_array_append_new(
            list, json_pack("{s:i, s:i}", "x", (int)lrint(at[0]), "y", (int)lrint(at[1])));
    }
    return list;
}

static bool covers_now(struct vapix_door *d, const struct mask_settings *s,
                       const struct mask_row *row)
{
    struct pose now;
    ptz_pose(d->cam->ptz, &now);
    return s->shown && row->enabled &&
           (row->zoom_low <= 0 ||
            now.zoom >= ptz_zoom_to_magnification(d->cam->ptz, row->zoom_low) * 0.9999);
}

static void reply_json(struct exchange *ex, json_t *take_j)
{
    JSON_AUTO *j = take_j;
    BUF(text, LIMIT_REPLY_BYTES);
    if (!j || json_write(&text, j) || text.err)
        exchange_reply(ex, 500, NULL, NULL, 0);
    else
        exchange_reply(ex, 200, "application/json", text.data, text.len);
}

static json_t *list_json(struct vapix_door *d, const struct mask_settings *s)
{
    json_t *list = json_array();
    for (int i = 0; i < MASK_MAX; i++) {
        const struct mask_row *row = &s->mask[i];
        struct mask m;
        if (!row->used || mask_parse(row->polygon, &m, NULL))
            continue;
        bool now = covers_now(d, s, row);
        json_array_append_new(list, json_pack("{s:i, s:s, s:b, s:i, s:b, s:o, s:o, s:s}", "id", i,
                                              "name", row->name, "enabled", row->enabled,
                                              "zoomlowlimit", row->zoom_low, "zoom_visible", now,
                                              "position", points_json(d, &m, true), "all_position",
                                              points_json(d, &m, false), "polygon", row->polygon));
    }
    return json_pack("{s:o}", "listpx", list);
}

static void list_text(struct buf *out, struct vapix_door *d, const struct mask_settings *s,
                      const char *name, bool position)
{
    for (int i = 0; i < MASK_MAX; i++) {
        const struct mask_row *row = &s->mask[i];
        struct mask m;
        if (!row->used || (name && strcmp(name, row->name)))
            continue;
        buf_adds(out, row->name);
        if (position && !mask_parse(row->polygon, &m, NULL)) {
            JSON_AUTO *at = points_json(d, &m, false);
            for (size_t k = 0; k < json_array_size(at); k++) {
                const json_t *p = json_array_get(at, k);
                buf_addf(out, "%c%d,%d", k ? ':' : '=',
                         (int)json_integer_value(json_object_get(p, "x")),
                         (int)json_integer_value(json_object_get(p, "y")));
            }
        }
        buf_adds(out, "\n");
    }
}

static void serve_query(struct vapix_door *d, struct exchange *ex, const char *query)
{
    const char *name = exchange_arg(ex, "name");
    const struct mask_settings *s = room_ref(d->cam->mask_room);
    struct fault why = {0};
    bool position = !strcmp(query, "position");
    int i = name ? by_name(s, name) : -1;
    if (name && i < 0) {
        fault_set(&why, FAULT_UNKNOWN, "name", "there is no mask \"%.60s\"", name);
        reply_error(ex, &why);
    } else if (!strcmp(query, "listpxjson")) {
        reply_json(ex, list_json(d, s));
    } else if (!strcmp(query, "positionpxjson")) {
        struct mask m = {0};
        if (i >= 0)
            mask_parse(s->mask[i].polygon, &m, NULL);
        reply_json(ex, json_pack("{s:o}", "position", points_json(d, &m, false)));
    } else if (position || !strcmp(query, "list")) {
        BUF(out, LIMIT_REPLY_BYTES);
        list_text(&out, d, s, name, position);
        vapix_reply_text(ex, buf_str(&out));
    } else {
        fault_set(&why, FAULT_INVALID, "query",
                  "query is list, position, listpxjson or positionpxjson");
        reply_error(ex, &why);
    }
    room_unref(s);
}

static void serve(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    if (!vapix_args(ex))
        return;
    const char *action = exchange_arg(ex, "action"), *query = exchange_arg(ex, "query");
    if (action && gate_may_be_foreign(ex))
        gate_reply_page(ex, 403, "Browsers change masks over HTTPS, or by POST.");
    else if (action)
        serve_action(d, ex, action);
    else
        serve_query(d, ex, query ? query : "list");
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/privacymask.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_ADMIN,
     .changes_state = true,
     .serve = serve,
     .doc = "privacy masks: add, update, remove, goto, all on or off, list"},
};
const struct cgi cgi_privacymask = {CGI_ROWS(rows)};
