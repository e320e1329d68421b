/* videostreamingindicator.cgi: a mark that moves with every picture; the same as the parameters
 * Image.I0.StreamingIndicator. */
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "base/fault.h"
#include "conf/param.h"
#include "image/overlay.h"
#include "media/pipeline.h"

#define GROUP "Image.I0.StreamingIndicator."
#define SHOWN_S 5 /* by "show", as VAPIX has it */

/* size: of its box in the largest picture. "status" is ours. */
static json_t *now(struct camera *cam)
{
    int width, height;
    double fps;
    pipeline_size(cam->pipeline, &width, &height, &fps);
    const struct overlay_settings *s = room_ref(cam->overlay_room);
    const struct mark_settings *m = &s->mark;
    int side = overlay_mark_side(m, width, height);
    json_t *j = json_pack("{s:s, s:o, s:s, s:s, s:[i, i], s:b, s:s}", "indicatorSize",
                          overlay_mark_sizes[m->size], "position",
                          m->place == PLACE_FREE ? json_pack("[f, f]", m->x, m->y)
                                                 : json_string(overlay_places[m->place]),
                          "color", m->colour, "bgColor", m->ground, "size", side, side, "isActive",
                          overlays_mark_shows(cam->overlays), "status", m->enabled ? "on" : "off");
    room_unref(s);
    return j;
}

static void get(struct json_call *c)
{
    json_call_reply(c, now(c->door->cam));
}

static void show(struct json_call *c)
{
    struct fault why = {0};
    if (overlays_show_mark(c->door->cam->overlays, SHOWN_S, &why))
        json_call_fault(c, &why);
    else
        json_call_reply(c, json_object());
}

/* As it is once the members of the call are set. */
static json_t *will_be(struct json_call *c)
{
    static const char *const given[] = {"indicatorSize", "position", "color", "bgColor"};
    struct mark_settings m = {0};
    int width, height;
    double fps;
    json_t *j = now(c->door->cam);
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (json_object_get(c->params, given[i]))
            json_object_set(j, given[i], json_object_get(c->params, given[i]));
    const char *size = json_string_value(json_object_get(j, "indicatorSize"));
    while (size && overlay_mark_sizes[m.size + 1] && strcmp(overlay_mark_sizes[m.size], size))
        m.size++;
    pipeline_size(c->door->cam->pipeline, &width, &height, &fps);
    int side = overlay_mark_side(&m, width, height);
    json_object_set_new(j, "size", json_pack("[i, i]", side, side));
    return j;
}

static void turn(struct json_call *c, const char *on)
{
    const char *const pair[1][2] = {{GROUP "Enabled", on}};
    json_call_set(c, pair, 1);
}

static void on(struct json_call *c)
{
    turn(c, "yes");
}

static void off(struct json_call *c)
{
    turn(c, "no");
}

static void set(struct json_call *c)
{
    static const char *const members[][2] = {
        {"indicatorSize", GROUP "Size"}, {"color", GROUP "Color"}, {"bgColor", GROUP "BGColor"}};
    const char *pairs[6][2];
    char x[32], y[32];
    size_t n = 0;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const json_t *v = json_object_get(c->params, members[i][0]);
        if (v && !json_is_string(v)) {
            json_call_error(c, json_family_g.invalid, "A value has the wrong type");
            return;
        }
        if (v) {
            pairs[n][0] = members[i][1];
            pairs[n++][1] = json_string_value(v);
        }
    }
    const json_t *p = json_object_get(c->params, "position");
    bool free_place = json_array_size(p) == 2 && json_is_number(json_array_get(p, 0)) &&
                      json_is_number(json_array_get(p, 1));
    if (p && !free_place && !json_is_string(p)) {
        json_call_error(c, json_family_g.invalid, "position must be a place or [x, y]");
        return;
    }
    if (p) {
        pairs[n][0] = GROUP "Position";
        pairs[n++][1] = free_place ? "custom" : json_string_value(p);
    }
    if (free_place) {
        snprintf(x, sizeof x, "%.10g", json_number_value(json_array_get(p, 0)));
        snprintf(y, sizeof y, "%.10g", json_number_value(json_array_get(p, 1)));
        pairs[n][0] = GROUP "X";
        pairs[n++][1] = x;
        pairs[n][0] = GROUP "Y";
        pairs[n++][1] = y;
    }
    json_call_set_reply(c, (const char *const(*)[2])pairs, n, will_be(c));
}

static const struct json_method methods[] = {
    {"get", ROLE_OPERATOR, get}, {"set", ROLE_OPERATOR, set},
    {"on", ROLE_OPERATOR, on},   {"show", ROLE_OPERATOR, show},
    {"off", ROLE_OPERATOR, off}, {"getSupportedVersions", ROLE_OPERATOR, json_serve_versions},
};
static const struct json_cgi api = {"1.0", &json_family_g, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/videostreamingindicator.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_OPERATOR,
     .changes_state = true,
     .serve = serve,
     .doc = "a mark that shows that the picture is live (JSON)"},
};
const struct cgi cgi_streamingindicator = {CGI_ROWS(rows)};
