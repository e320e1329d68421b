/* com/ptz.cgi: moves and questions of pan, tilt, zoom and lens. All arguments are judged
 * before anything moves: with one bad value the head stays where it is. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/commit.h"
#include "api/person.h"
#include "api/request.h"
#include "api/vapix/door.h"
#include "api/vapix/ptz_lens.h"
#include "api/vapix/ptz_presets.h"
#include "api/vapix/ptz_query.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "media/pipeline.h"
#include "ptz/presets.h"
#include "ptz/ptz.h"
#include "ptz/queue.h"
#include "ptz/views.h"

/* What the arguments ask for; NAN: nothing. */
struct plan {
    double pan, tilt, zoom;    /* absolute; zoom in VAPIX steps */
    double rpan, rtilt, rzoom; /* relative */
    double cpan, ctilt, czoom; /* continuous, -1…+1 */
    double center[2], area[3]; /* pixels; per cent */
    double image_width, image_height;
    double speed;    /* 1…100 */
    double rotation; /* of the picture that the client shows */
    int move;        /* of moves[], or -1 */
    bool any, proportional, lens_taken;
    const char *unsupported;
    struct lens_plan lens;
    struct preset_plan preset;
};

static const struct {
    const char *name;
    int x, y; /* right, up */
} moves[] = {
    {"home", 0, 0},       {"stop", 0, 0},       {"up", 0, 1},      {"down", 0, -1},
    {"left", -1, 0},      {"right", 1, 0},      {"upleft", -1, 1}, {"upright", 1, 1},
    {"downleft", -1, -1}, {"downright", 1, -1},
};
enum { MOVE_HOME, MOVE_STOP };

static int bad(struct fault *why, const char *name, const char *value, const char *allowed)
{
    return fault_set(why, FAULT_INVALID, name, "%s=%.40s is not possible; allowed: %s", name, value,
                     allowed);
}

static int number(double *ret, const char *name, const char *value, double min, double max,
                  struct fault *why)
{
    char allowed[64];
    snprintf(allowed, sizeof allowed, "%g to %g", min, max);
    return text_double(value, min, max, ret) ? bad(why, name, value, allowed) : 0;
}

/* "1,2" into n numbers. */
static int numbers(double *ret, size_t n, const char *name, const char *value, double min,
                   double max, const char *allowed, struct fault *why)
{
    double v[3];
    char part[48];
    const char *s = value;
    for (size_t i = 0; i < n; i++) {
        size_t len = strcspn(s, ",");
        if (len >= sizeof part || (s[len] == ',') != (i + 1 < n))
            return bad(why, name, value, allowed);
        memcpy(part, s, len);
        part[len] = '\0';
        if (text_double(part, min, max, &v[i]))
            return bad(why, name, value, allowed);
        s += len + 1;
    }
    /* cppcheck-suppress uninitvar */
    memcpy(ret, v, n * sizeof *ret);
    return 0;
}

static int set_pan(struct plan *p, const char *name, const char *value, struct fault *why)
{
    return number(&p->pan, name, value, -180, 180, why);
}

static int set_tilt(struct plan *p, const char *name, const char *value, struct fault *why)
{
    return number(&p->tilt, name, value, -180, 180, why);
}

static int set_zoom(struct plan *p, const char *name, const char *value, struct fault *why)
{
    return number(&p->zoom, name, value, PTZ_ZOOM_MIN, PTZ_ZOOM_MAX, why);
}

static int set_rpan(struct plan *p, const char *name, const char *value, struct fault *why)
{
    return number(&p->rpan, name, value, -360, 360, why);
}

static int set_rtilt(struct plan *p, const char *name, const char *value, struct fault *why)
{
    return number(&p->rtilt, name, value, -360, 360, why);
}

static int set_rzoom(struct plan *p, const char *name, const char *value, struct fault *why)
{
    return number(&p->rzoom, name, value, -PTZ_ZOOM_MAX, PTZ_ZOOM_MAX, why);
}

static double percent(double v)
{
    return fmax(-1, fmin(1, v / 100));
}

static int set_pantilt_move(struct plan *p, const char *name, const char *value, struct fault *why)
{
    double v[2];
    /* Some clients send more than 100: they mean all. */
    int err = numbers(v, 2, name, value, -1000, 1000, "two speeds of -100 to 100", why);
    if (err)
        return err;
    p->cpan = percent(v[0]);
    p->ctilt = percent(v[1]);
    return 0;
}

static int set_zoom_move(struct plan *p, const char *name, const char *value, struct fault *why)
{
    double v;
    int err = numbers(&v, 1, name, value, -1000, 1000, "-100 to 100", why);
    if (!err)
        p->czoom = percent(v);
    return err;
}

static int set_center(struct plan *p, const char *name, const char *value, struct fault *why)
{
    return numbers(p->center, 2, name, value, 0, 65535, "a point of the picture as 960,540", why);
}

static int set_area(struct plan *p, const char *name, const char *value, struct fault *why)
{
    int err = numbers(p->area, 3, name, value, 0, 999900,
                      "a point and a zoom in per cent as 960,540,200", why);
    if (!err && p->area[2] < 1)
        err = bad(why, name, value, "a zoom of 1 per cent or more");
    return err;
}

static int set_image_width(struct plan *p, const char *name, const char *value, struct fault *why)
{
    return number(&p->image_width, name, value, 1, 65535, why);
}

static int set_image_height(struct plan *p, const char *name, const char *value, struct fault *why)
{
    return number(&p->image_height, name, value, 1, 65535, why);
}

static int set_speed(struct plan *p, const char *name, const char *value, struct fault *why)
{
    return number(&p->speed, name, value, 1, 100, why);
}

static int set_rotation(struct plan *p, const char *name, const char *value, struct fault *why)
{
    int64_t v;
    if (text_int(value, 0, 270, &v) || v % 90)
        return bad(why, name, value, "0, 90, 180, 270");
    p->rotation = (double)v;
    return 0;
}

static int set_move(struct plan *p, const char *name, const char *value, struct fault *why)
{
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        if (!strcmp(moves[i].name, value)) {
            p->move = (int)i;
            return 0;
        }
    }
    return bad(why, name, value,
               "home, stop, up, down, left, right, upleft, upright, downleft, downright");
}

static int set_proportional(struct plan *p, const char *name, const char *value, struct fault *why)
{
    if (strcmp(value, "enabled") && strcmp(value, "disabled"))
        return bad(why, name, value, "enabled, disabled");
    p->proportional = !strcmp(value, "enabled");
    return 0;
}

static int set_unsupported(struct plan *p, const char *name, const char *value, struct fault *why)
{
    p->unsupported = name;
    return 0;
}

static const struct {
    const char *name;
    bool command; /* does something by itself */
    int (*set)(struct plan *p, const char *name, const char *value, struct fault *why);
} ptz_args[] = {
    {"pan", true, set_pan},
    {"tilt", true, set_tilt},
    {"zoom", true, set_zoom},
    {"rpan", true, set_rpan},
    {"rtilt", true, set_rtilt},
    {"rzoom", true, set_rzoom},
    {"continuouspantiltmove", true, set_pantilt_move},
    {"continuouszoommove", true, set_zoom_move},
    {"center", true, set_center},
    {"areazoom", true, set_area},
    {"move", true, set_move},
    {"speed", true, set_speed},
    {"imagewidth", false, set_image_width},
    {"imageheight", false, set_image_height},
    {"imagerotation", false, set_rotation},
    {"proportionalspeed", false, set_proportional},
    {"auxiliary", false, set_unsupported},
};

static int make_plan(struct plan *p, const struct exchange *ex, struct fault *why)
{
    for (size_t i = 0; i < ex->n_args; i++) {
        const char *name = ex->args[i].name, *value = ex->args[i].value;
        int taken = lens_plan_take(&p->lens, name, value, why);
        if (taken < 0)
            return taken;
        p->lens_taken |= taken;
        if (!taken)
            taken = preset_plan_take(&p->preset, name, value, why);
        if (taken < 0)
            return taken;
        p->any |= taken;
        for (size_t k = 0; k < sizeof ptz_args / sizeof *ptz_args; k++) {
            if (strcmp(ptz_args[k].name, name))
                continue;
            int err = ptz_args[k].set(p, name, value, why);
            if (err)
                return err;
            p->any |= ptz_args[k].command;
        }
    }
    if (p->unsupported && !p->any)
        return fault_set(why, FAULT_UNSUPPORTED, p->unsupported,
                         "%s is not supported by this camera", p->unsupported);
    return 0;
}

/* ---- carrying it out ---- */

/* A direction on the turned screen as one of the camera's. */
static void turn(const struct plan *p, double *right, double *up)
{
    double x = *right, y = *up;
    switch ((int)p->rotation) {
    case 90:
        *right = -y;
        *up = x;
        break;
    case 180:
        *right = -x;
        *up = -y;
        break;
    case 270:
        *right = y;
        *up = -x;
        break;
    }
}

/* What the orders go to: the camera, or a view area, which moves within its part. */
struct mover {
    struct camera *cam;
    int channel;
    struct ptz *ptz;
    struct presets *presets; /* its own */
};

static int do_point(const struct mover *m, const struct plan *p, double px, double py,
                    double zoom_by, double speed, struct fault *why)
{
    struct camera *cam = m->cam;
    int width, height;
    double fps;
    pipeline_size(cam->pipeline, &width, &height, &fps);
    if (m->channel > 1) {
        struct frame_part area;
        const struct views_settings *s = room_ref(cam->views_room);
        views_area(s, m->channel, &area);
        room_unref(s);
        width = (int)fmax(1, lrint(width * area.width));
        height = (int)fmax(1, lrint(height * area.height));
    }
    double aspect = (double)width / height;
    bool turned = p->rotation == 90 || p->rotation == 270;
    double w = isnan(p->image_width) ? (turned ? height : width) : p->image_width;
    double h = isnan(p->image_height) ? (turned ? width : height) : p->image_height;
    if (px > w || py > h)
        return fault_set(why, FAULT_INVALID, "center",
                         "the point %g,%g lies outside of the picture of %g by %g", px, py, w, h);
    struct rendition_key k = {.width = (int)w,
                              .height = (int)h,
                              .rotation_deg =
                                  ((int)p->rotation + request_source_rotation(cam)) % 360};
    double x = px / w, y = py / h;
    request_view_to_frame(&k, NULL, aspect, &x, &y);
    if (m->channel == 1)
        request_frame_to_sensor(cam, &x, &y);
    return ptz_center(m->ptz, x, y, zoom_by, speed, why);
}

static int go_home(const struct mover *m, double speed, struct fault *why)
{
    return presets_go_home(m->presets, speed, why);
}

static int do_step(const struct mover *m, const struct plan *p, double speed, struct fault *why)
{
    struct ptz *z = m->ptz;
    if (p->move == MOVE_HOME)
        return go_home(m, speed, why);
    if (p->move == MOVE_STOP)
        return ptz_stop(z, true, true);
    struct pose pose;
    ptz_pose(z, &pose);
    double right = moves[p->move].x, up = moves[p->move].y;
    turn(p, &right, &up);
    double step = pose.hfov_deg / 4;
    return ptz_relative(z, right ? right * step : NAN, up ? up * step : NAN, NAN, speed, why);
}

static int do_continuous(const struct mover *m, const struct plan *p, struct fault *why)
{
    struct camera *cam = m->cam;
    struct ptz *z = m->ptz;
    double pan = p->cpan, tilt = p->ctilt, zoom = p->czoom;
    if (pan == 0 && tilt == 0) {
        ptz_stop(z, true, false);
        pan = tilt = NAN;
    }
    if (zoom == 0) {
        ptz_stop(z, false, true);
        zoom = NAN;
    }
    if (isnan(pan) && isnan(zoom))
        return 0;
    if (!isnan(pan))
        turn(p, &pan, &tilt);
    int64_t timeout_ns = 0;
    if (cam->ptz_room) {
        const struct ptz_settings *s = room_ref(cam->ptz_room);
        timeout_ns = s->move_timeout_s * NSEC_PER_SEC;
        room_unref(s);
    }
    ptz_set_proportional(z, p->proportional);
    return ptz_continuous(z, pan, tilt, zoom, timeout_ns, why);
}

static int carry_out(const struct mover *m, const struct plan *p, struct fault *why)
{
    struct ptz *z = m->ptz;
    int err = isnan(p->speed) ? 0 : ptz_set_speed(z, p->speed / 100, why);
    double speed = NAN; /* that which was set */
    if (!err && !(isnan(p->pan) && isnan(p->tilt) && isnan(p->zoom)))
        err =
            ptz_absolute(z, p->pan, p->tilt,
                         isnan(p->zoom) ? NAN : ptz_zoom_to_magnification(z, p->zoom), speed, why);
    if (!err && !(isnan(p->rpan) && isnan(p->rtilt) && isnan(p->rzoom))) {
        double factor = NAN;
        if (!isnan(p->rzoom)) {
            struct pose pose;
            ptz_pose(z, &pose);
            double to = ptz_zoom_of_magnification(z, pose.zoom) + p->rzoom;
            to = fmax(PTZ_ZOOM_MIN, fmin(PTZ_ZOOM_MAX, to));
            factor = ptz_zoom_to_magnification(z, to) / pose.zoom;
        }
        err = ptz_relative(z, p->rpan, p->rtilt, factor, speed, why);
    }
    if (!err)
        err = preset_plan_go(&p->preset, m->presets, speed, why);
    if (!err && !isnan(p->center[0]))
        err = do_point(m, p, p->center[0], p->center[1], 1, speed, why);
    if (!err && !isnan(p->area[0]))
        err = do_point(m, p, p->area[0], p->area[1], p->area[2] / 100, speed, why);
    if (!err && p->move >= 0)
        err = do_step(m, p, speed, why);
    if (!err && !(isnan(p->cpan) && isnan(p->czoom)))
        err = do_continuous(m, p, why);
    return err;
}

/* camera=: whose head is meant; "all" is the camera's. The head may be NULL. */
static int find_mover(struct exchange *ex, struct camera *cam, struct mover *ret, struct fault *why)
{
    const char *camera = exchange_arg(ex, "camera");
    *ret = (struct mover){cam, 1, ptz_exists(cam->ptz) ? cam->ptz : NULL, cam->presets};
    if (!camera || !strcmp(camera, "all"))
        return 0;
    int err = request_channel(cam, camera, &ret->channel, why);
    if (!err && ret->channel > 1) {
        ret->ptz = views_ptz(cam->views, ret->channel);
        ret->presets = views_presets(cam->views, ret->channel);
    }
    return err;
}

/* A view area has no lens of its own. */
static int check_view(const struct mover *m, const struct plan *p, struct fault *why)
{
    if (m->channel > 1 && p->lens_taken)
        return fault_set(why, FAULT_UNSUPPORTED, NULL,
                         "focus, iris and brightness are those of camera=1: a view area has none "
                         "of its own");
    return 0;
}

static void serve(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    if (!vapix_args(ex))
        return;
    struct fault why = {0};
    struct mover m;
    if (find_mover(ex, d->cam, &m, &why)) {
        ptz_reply_error(ex, why.text);
        return;
    }
    if (!m.ptz) {
        vapix_reply_text(ex, ""); /* how clients learn that this channel has none */
        return;
    }
    struct plan p = {NAN, NAN, NAN, NAN, NAN, NAN,   NAN,  NAN,   NAN,  {NAN, NAN}, {NAN, NAN, NAN},
                     NAN, NAN, NAN, 0,   -1,  false, true, false, NULL, LENS_PLAN,  {0}};
    BUF(out, 128 * 1024);
    bool asked = false;
    if (make_plan(&p, ex, &why) || check_view(&m, &p, &why) ||
        lens_plan_check(&p.lens, d->cam, &why) ||
        ptz_query(&out, ex, d->cam, m.channel, &asked, &why)) {
        ptz_reply_error(ex, why.text);
        return;
    }
    if (!asked && !p.any) {
        ptz_reply_error(ex, " no command; info=1 lists those there are");
        return;
    }
    struct txn *settings = NULL, *preset = NULL;
    struct controller who;
    person_of(d->cam, ex, &who);
    if (p.any &&
        (control_take(d->cam->control, &who, &why) || carry_out(&m, &p, &why) ||
         lens_plan_carry_out(&p.lens, d->cam, &settings, &why) ||
         preset_plan_change(&p.preset, d->cam->conf, m.presets, ex->who.groups, &preset, &why))) {
        txn_abort(settings);
        ptz_reply_error(ex, *why.text ? why.text : "the head does not obey");
        return;
    }
    if (preset) {
        if (settings)
            txn_commit(settings, NULL, NULL);
        settings = preset;
    }
    if (settings && !asked) {
        commit_then(d->cam, ex, settings, ptz_reply_committed, NULL);
        return;
    }
    if (settings)
        txn_commit(settings, NULL, NULL);
    if (asked)
        exchange_reply(ex, 200, ptz_query_is_json(ex) ? "application/json" : "text/plain",
                       buf_str(&out), out.len);
    else
        exchange_reply(ex, 204, NULL, NULL, 0);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/com/ptz.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_PTZ,
     .changes_state = true,
     .serve = serve,
     .doc = "pan, tilt, zoom, focus, iris"},
};
const struct cgi cgi_ptz = {CGI_ROWS(rows)};
