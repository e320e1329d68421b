/* dynamicoverlay/dynamicoverlay.cgi: texts and pictures upon the picture, the same as the
 * parameters DynamicOverlay.O#. An identity is the group's number and one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/request.h"
#include "api/vapix/json_cgi.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "image/overlay.h"
#include "image/overlay_pictures.h"
#include "image/source.h"
#include "media/capture.h"
#include "media/pipeline.h"
#include "ptz/ptz.h"
#include "ptz/views.h"

/* Error numbers of this API, beside those of its family. */
enum {
    BAD_PARAMETER = 103,
    LIMIT_REACHED = 300,
    BAD_CAMERA,
    BAD_IDENTITY,
    BAD_POSITION,
    BAD_TEXT,
    BAD_PATH,
    BAD_COLOUR,
    BAD_GROUND,
    BAD_OUTLINE,
    BAD_FONT_SIZE,
    BAD_SCROLL_SPEED,
    BAD_VISIBLE,
    BAD_Z_INDEX,
    BAD_REFERENCE,
    BAD_PT_POSITION,
    BAD_ZOOM_INTERVAL,
    BAD_INDICATOR,
    BAD_INDICATOR_SIZE,
    BAD_INDICATOR_COLOUR,
    BAD_INDICATOR_GROUND,
    BAD_INDICATOR_OUTLINE,
    BAD_ROTATION,
};

enum member_type { MEMBER_TEXT, MEMBER_STRING, MEMBER_COLOUR, MEMBER_NUMBER, MEMBER_BOOL };

static const struct member {
    const char *key, *leaf;
    enum member_type type;
    int code;
    bool of_text, of_image;
} members[] = {
    {"camera", "Camera", MEMBER_NUMBER, BAD_CAMERA, true, true},
    {"text", "Text", MEMBER_TEXT, BAD_TEXT, true, false},
    {"overlayPath", "OverlayPath", MEMBER_STRING, BAD_PATH, false, true},
    {"textColor", "TextColor", MEMBER_COLOUR, BAD_COLOUR, true, false},
    {"textBGColor", "BGColor", MEMBER_COLOUR, BAD_GROUND, true, false},
    {"textOLColor", "OutlineColor", MEMBER_COLOUR, BAD_OUTLINE, true, false},
    {"fontSize", "FontSize", MEMBER_NUMBER, BAD_FONT_SIZE, true, false},
    {"scrollSpeed", "ScrollSpeed", MEMBER_NUMBER, BAD_SCROLL_SPEED, true, false},
    {"visible", "Visible", MEMBER_BOOL, BAD_VISIBLE, true, true},
    {"zIndex", "ZIndex", MEMBER_NUMBER, BAD_Z_INDEX, true, true},
    {"reference", "Reference", MEMBER_STRING, BAD_REFERENCE, true, true},
    {"indicator", "Indicator", MEMBER_STRING, BAD_INDICATOR, true, false},
    {"indicatorSize", "IndicatorSize", MEMBER_NUMBER, BAD_INDICATOR_SIZE, true, false},
    {"indicatorColor", "IndicatorColor", MEMBER_COLOUR, BAD_INDICATOR_COLOUR, true, false},
    {"indicatorBG", "IndicatorBGColor", MEMBER_COLOUR, BAD_INDICATOR_GROUND, true, false},
    {"indicatorOL", "IndicatorOutlineColor", MEMBER_COLOUR, BAD_INDICATOR_OUTLINE, true, false},
    {"rotation", "Rotation", MEMBER_NUMBER, BAD_ROTATION, true, true},
    {"scalable", "Scalable", MEMBER_BOOL, BAD_PARAMETER, true, true},
    {"opacity", "Opacity", MEMBER_NUMBER, BAD_PARAMETER, true, true},
    {"wrapWidth", "WrapWidth", MEMBER_NUMBER, BAD_PARAMETER, true, false},
    {"align", "Align", MEMBER_STRING, BAD_PARAMETER, true, false},
    {"scale", "Scale", MEMBER_NUMBER, BAD_PARAMETER, false, true},
};
#define N_MEMBERS (sizeof members / sizeof *members)

/* A change on its way: the transaction, and what went wrong. */
struct change {
    struct json_call *c;
    struct txn *txn;
    unsigned index;
    int code; /* 0: nothing */
    struct fault why;
};

static bool wrong(struct change *ch, int code, const char *text)
{
    ch->code = code;
    fault_set(&ch->why, FAULT_INVALID, NULL, "%s", text);
    return false;
}

static bool set(struct change *ch, const char *leaf, const char *value, int code)
{
    char name[64];
    snprintf(name, sizeof name, "DynamicOverlay.O%u.%s", ch->index, leaf);
    if (!txn_set(ch->txn, name, value, &ch->why))
        return true;
    ch->code = code;
    return false;
}

static bool set_number(struct change *ch, const char *leaf, double v, int code)
{
    char text[32];
    snprintf(text, sizeof text, "%.10g", v);
    return set(ch, leaf, text, code);
}

/* Lines as the parameter has them: \n, and \\ for a backslash. */
static bool set_text(struct change *ch, const char *text, int code)
{
    char escaped[2 * (OVERLAY_TEXT_CHARACTERS * 4 + 1)];
    size_t n = 0, characters = 0;
    for (; *text && n + 3 < sizeof escaped; text++) {
        characters += (*text & 0xc0) != 0x80;
        if (*text == '\n' || *text == '\\')
            escaped[n++] = '\\';
        escaped[n++] = *text;
        if (*text == '\n')
            escaped[n - 1] = 'n';
    }
    escaped[n] = '\0';
    if (*text || characters > OVERLAY_TEXT_CHARACTERS)
        return wrong(ch, code, "The text is too long: at most 512 characters fit");
    return set(ch, "Text", escaped, code);
}

static void unescape(const char *s, char *ret)
{
    for (; *s; s++) {
        if (*s == '\\' && (s[1] == 'n' || s[1] == '\\'))
            *ret++ = *++s == 'n' ? '\n' : '\\';
        else
            *ret++ = *s;
    }
    *ret = '\0';
}

static bool set_string(struct change *ch, const struct member *m, const char *value)
{
    struct rgba colour;
    struct overlay_picture_info info;
    char text[96];
    if (m->type == MEMBER_TEXT)
        return set_text(ch, value, m->code);
    if (m->type == MEMBER_COLOUR && overlay_colour(value, &colour)) {
        snprintf(text, sizeof text, "%s is no colour that is known", m->key);
        return wrong(ch, m->code, text);
    }
    if (m->code == BAD_PATH) {
        if (!ch->c->door->cam->overlay_pictures ||
            overlay_pictures_find(ch->c->door->cam->overlay_pictures, value, &info))
            return wrong(ch, BAD_PATH, "There is no such picture; upload it first");
        value = info.name;
    }
    return set(ch, m->leaf, value, m->code);
}

static bool channel_there(struct json_call *c, json_int_t channel, struct fault *why)
{
    int n = channel >= INT32_MIN && channel <= INT32_MAX ? (int)channel : -1;
    return !views_require(c->door->cam->views, n, why);
}

static bool set_member(struct change *ch, const struct member *m, const json_t *v)
{
    struct fault why = {0};
    char text[96];
    if (m->type <= MEMBER_COLOUR && json_is_string(v))
        return set_string(ch, m, json_string_value(v));
    if (m->code == BAD_CAMERA && json_is_integer(v) && json_integer_value(v)) /* 0: all */
        return channel_there(ch->c, json_integer_value(v), &why)
                   ? set_number(ch, m->leaf, json_number_value(v), m->code)
                   : wrong(ch, m->code, why.text);
    if (m->type == MEMBER_NUMBER && json_is_number(v))
        return set_number(ch, m->leaf, json_number_value(v), m->code);
    if (m->type == MEMBER_BOOL && json_is_boolean(v))
        return set(ch, m->leaf, json_is_true(v) ? "yes" : "no", m->code);
    snprintf(text, sizeof text, "%s has a value of the wrong type", m->key);
    return wrong(ch, m->code, text);
}

static bool two_numbers(const json_t *v, double ret[2])
{
    for (size_t i = 0; i < 2; i++) {
        const json_t *n = json_array_get(v, i);
        if (json_array_size(v) != 2 || !json_is_number(n))
            return false;
        ret[i] = json_number_value(n);
    }
    return true;
}

static bool set_position(struct change *ch, const json_t *v)
{
    double at[2];
    if (json_is_string(v) && strcmp(json_string_value(v), "custom"))
        return set(ch, "Position", json_string_value(v), BAD_POSITION);
    if (!two_numbers(v, at))
        return wrong(ch, BAD_POSITION,
                     "position must be topLeft, top, topRight, left, center, right, bottomLeft, "
                     "bottom, bottomRight or [x, y] within -1 and 1");
    return set(ch, "Position", "custom", BAD_POSITION) &&
           set_number(ch, "X", at[0], BAD_POSITION) && set_number(ch, "Y", at[1], BAD_POSITION);
}

static bool set_pair(struct change *ch, const char *key, const char *first, const char *second,
                     int code)
{
    const json_t *v = json_object_get(ch->c->params, key);
    double at[2];
    char text[64];
    if (!v || json_is_null(v))
        return true;
    if (two_numbers(v, at))
        return set_number(ch, first, at[0], code) && set_number(ch, second, at[1], code);
    snprintf(text, sizeof text, "%s must be two numbers", key);
    return wrong(ch, code, text);
}

static bool set_all(struct change *ch, bool image)
{
    const json_t *params = ch->c->params;
    for (size_t i = 0; i < N_MEMBERS; i++) {
        const json_t *v = json_object_get(params, members[i].key);
        if (!v || json_is_null(v) || !(image ? members[i].of_image : members[i].of_text))
            continue;
        if (!set_member(ch, &members[i], v))
            return false;
    }
    const json_t *position = json_object_get(params, "position");
    double zoom[2];
    if (two_numbers(json_object_get(params, "zoomInterval"), zoom) && zoom[0] > zoom[1])
        return wrong(ch, BAD_ZOOM_INTERVAL, "zoomInterval must go from low to high");
    return (!position || json_is_null(position) || set_position(ch, position)) &&
           set_pair(ch, "ptPosition", "Pan", "Tilt", BAD_PT_POSITION) &&
           set_pair(ch, "zoomInterval", "ZoomLow", "ZoomHigh", BAD_ZOOM_INTERVAL);
}

static void end_change(struct change *ch, json_t *take_data)
{
    if (!ch->code && ch->txn) {
        json_call_commit(ch->c, ch->txn, take_data);
        return;
    }
    txn_abort(ch->txn);
    json_decref(take_data);
    if (ch->code)
        json_call_error(ch->c, ch->code, ch->why.text);
    else
        json_call_error(ch->c, json_family_f.internal, "Internal error");
}

static void add(struct json_call *c, bool image)
{
    struct change ch = {.c = c, .txn = txn_new(c->door->cam->conf, c->ex->who.groups)};
    const char *needed = image ? "overlayPath" : "text";
    const json_t *camera = json_object_get(c->params, "camera");
    char text[64];
    if (!json_object_get(c->params, needed)) {
        txn_abort(ch.txn);
        snprintf(text, sizeof text, "The parameter %s is missing", needed);
        json_call_error(c, json_family_f.missing, text);
        return;
    }
    if (ch.txn && txn_add(ch.txn, "dynamicoverlay", &ch.index, &ch.why)) {
        ch.code = ch.why.kind == FAULT_LIMIT ? LIMIT_REACHED : json_family_f.internal;
    } else if (ch.txn) {
        struct overlay_picture_info info;
        const char *path = json_string_value(json_object_get(c->params, "overlayPath"));
        bool fine = set(&ch, "Type", image ? "image" : "text", BAD_PARAMETER);
        if (fine && image && path && c->door->cam->overlay_pictures &&
            !overlay_pictures_find(c->door->cam->overlay_pictures, path, &info))
            fine = set(&ch, "Scalable", info.scalable ? "yes" : "no", BAD_PARAMETER);
        if (fine && !image) /* what this API has where nothing is said */
            fine = set(&ch, "BGColor", "transparent", BAD_GROUND) &&
                   set(&ch, "OutlineColor", "black", BAD_OUTLINE);
        if (fine)
            set_all(&ch, image);
    }
    end_change(&ch, json_pack("{s:I, s:i}", "camera",
                              json_is_number(camera) ? (json_int_t)json_number_value(camera) : 1,
                              "identity", (int)ch.index + 1));
}

static void add_text(struct json_call *c)
{
    add(c, false);
}

static void add_image(struct json_call *c)
{
    add(c, true);
}

/* Which overlay is meant; false: the error has been answered. */
static bool find(struct json_call *c, const struct overlay_settings *s, int *ret)
{
    const json_t *id = json_object_get(c->params, "identity");
    if (!id) {
        json_call_error(c, json_family_f.missing, "The parameter identity is missing");
        return false;
    }
    json_int_t i = json_is_integer(id) ? json_integer_value(id) - 1 : -1;
    if (i < 0 || i >= OVERLAYS_MOST || !s->row[i].used) {
        json_call_error(c, BAD_IDENTITY, "There is no overlay with this identity");
        return false;
    }
    *ret = (int)i;
    return true;
}

static void change(struct json_call *c, enum overlay_kind kind)
{
    int i;
    const struct overlay_settings *s = room_ref(c->door->cam->overlay_room);
    bool found = find(c, s, &i), same = found && s->row[i].kind == (int)kind;
    room_unref(s);
    if (!found)
        return;
    if (!same) {
        json_call_error(c, BAD_IDENTITY,
                        kind == OVERLAY_OF_TEXT ? "This overlay is a picture: use setImage"
                                                : "This overlay is text: use setText");
        return;
    }
    struct change ch = {
        .c = c, .txn = txn_new(c->door->cam->conf, c->ex->who.groups), .index = (unsigned)i};
    if (ch.txn)
        set_all(&ch, kind == OVERLAY_OF_IMAGE);
    end_change(&ch, json_object());
}

static void set_text_overlay(struct json_call *c)
{
    change(c, OVERLAY_OF_TEXT);
}

static void set_image_overlay(struct json_call *c)
{
    change(c, OVERLAY_OF_IMAGE);
}

static void remove_overlay(struct json_call *c)
{
    int i;
    char group[32];
    struct fault why = {0};
    const struct overlay_settings *s = room_ref(c->door->cam->overlay_room);
    bool found = find(c, s, &i);
    room_unref(s);
    if (!found)
        return;
    struct txn *t = txn_new(c->door->cam->conf, c->ex->who.groups);
    snprintf(group, sizeof group, "DynamicOverlay.O%d", i);
    if (!t || txn_remove(t, group, &why)) {
        txn_abort(t);
        json_call_error(c, json_family_f.internal, *why.text ? why.text : "Internal error");
        return;
    }
    json_call_commit(c, t, json_object());
}

/* ---- list ---- */

static json_t *position_json(const struct overlay_row *r)
{
    return r->place == PLACE_FREE ? json_pack("[f, f]", r->x, r->y)
                                  : json_string(overlay_places[r->place]);
}

/* Of the picture's width and height. */
static json_t *box_json(const struct overlay_box *b, const struct rendition_key *k)
{
    return json_pack("[f, f, f, f]", (double)b->x / k->width, (double)b->y / k->height,
                     (double)b->width / k->width, (double)b->height / k->height);
}

static const char *const aligns[] = {"left", "center", "right"};

static json_t *text_json(const struct overlay_row *r)
{
    char text[sizeof r->text];
    unescape(r->text, text);
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:i, s:s, s:i, s:s, s:s, s:s, s:i, s:s}", "text",
                     text, "fontSize", r->font_size, "textColor", r->colour, "textBGColor",
                     r->ground, "textOLColor", r->outline, "scrollSpeed", r->scroll, "indicator",
                     overlay_indicators[r->indicator], "indicatorSize", r->indicator_size,
                     "indicatorColor", r->indicator_colour, "indicatorBG", r->indicator_ground,
                     "indicatorOL", r->indicator_outline, "wrapWidth", r->wrap, "align",
                     aligns[r->align]);
}

static json_t *row_json(const struct overlay_row *r, int i, const struct overlay_box *b,
                        const struct rendition_key *k)
{
    json_t *j = r->kind == OVERLAY_OF_TEXT
                    ? text_json(r)
                    : json_pack("{s:s, s:i}", "overlayPath", r->path, "scale", r->scale);
    if (!j)
        return NULL;
    json_object_update_new(
        j,
        json_pack("{s:i, s:i, s:o, s:b, s:i, s:f, s:b, s:i, s:s, s:[f,f], s:[i,i], s:[i,i], s:o}",
                  "camera", r->camera, "identity", i + 1, "position", position_json(r), "visible",
                  (int)r->visible, "zIndex", r->z, "rotation", r->rotation, "scalable",
                  (int)r->scalable, "opacity", r->opacity, "reference",
                  r->reference == REFERENCE_SCENE ? "scene" : "channel", "ptPosition", r->pan_deg,
                  r->tilt_deg, "zoomInterval", r->zoom_low, r->zoom_high, "size", b->width,
                  b->height, "box", box_json(b, k)));
    return j;
}

/* As the newest picture was taken, or one would be taken now. */
static void capture_now(struct camera *cam, struct capture *ret)
{
    if (source_newest(cam->source, ret))
        return;
    *ret = (struct capture){.utc_ns = clock_utc(cam->clock), .start_ns = clock_now(cam->clock)};
    ptz_pose(cam->ptz, &ret->pose_start);
    ret->pose_end = ret->pose_start;
}

static json_t *pictures_json(struct camera *cam)
{
    json_t *list = json_array();
    struct overlay_picture_info info;
    for (size_t i = 0;
         cam->overlay_pictures && overlay_pictures_at(cam->overlay_pictures, i, &info); i++) {
        char path[sizeof info.name + sizeof PICTURE_FOLDER];
        snprintf(path, sizeof path, PICTURE_FOLDER "%s", info.name);
        json_array_append_new(list, json_string(path));
    }
    return list;
}

static void list(struct json_call *c)
{
    struct camera *cam = c->door->cam;
    struct fault why = {0};
    int64_t camera = -1, identity = -1;
    if (json_get_int(c->params, "camera", &camera, &why) ||
        json_get_int(c->params, "identity", &identity, &why)) {
        json_call_error(c, json_family_f.invalid, why.text);
        return;
    }
    if (camera > 0 && !channel_there(c, camera, &why)) {
        json_call_error(c, BAD_CAMERA, why.text);
        return;
    }
    struct overlay_layout layout;
    struct capture how;
    struct rendition_key k = {.view = camera > 0 ? (int)camera : 1, .overlays = OVERLAYS_ALL};
    double fps;
    pipeline_size(cam->pipeline, &k.width, &k.height, &fps);
    capture_now(cam, &how);
    struct frame_part part;
    request_part(cam, k.view, how.start_ns, &part);
    overlays_layout(cam->overlays, &k, &part, &how, &layout);
    json_t *texts = json_array(), *images = json_array();
    const struct overlay_settings *s = room_ref(cam->overlay_room);
    bool found = identity < 0;
    for (int i = 0; i < OVERLAYS_MOST; i++) {
        const struct overlay_row *r = &s->row[i];
        if (!r->used || (camera >= 0 && r->camera && r->camera != camera) ||
            (identity >= 0 && i + 1 != identity))
            continue;
        found = true;
        json_array_append_new(r->kind == OVERLAY_OF_TEXT ? texts : images,
                              row_json(r, i, &layout.row[i], &k));
    }
    room_unref(s);
    if (!found) {
        json_decref(texts);
        json_decref(images);
        json_call_error(c, BAD_IDENTITY, "There is no overlay with this identity");
        return;
    }
    json_call_reply(c, json_pack("{s:o, s:o, s:o, s:{s:o, s:o, s:o}}", "imageFiles",
                                 pictures_json(cam), "imageOverlays", images, "textOverlays", texts,
                                 "boxes", "line", box_json(&layout.line, &k), "indicator",
                                 box_json(&layout.mark, &k), "compass",
                                 box_json(&layout.compass, &k)));
}

static void capabilities(struct json_call *c)
{
    int used = 0;
    const struct overlay_settings *s = room_ref(c->door->cam->overlay_room);
    for (int i = 0; i < OVERLAYS_MOST; i++)
        used += s->row[i].used;
    room_unref(s);
    json_call_reply(
        c, json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:i, s:i, s:i, s:[s, s]}",
                     "maxFontSize", OVERLAY_FONT_MOST, "minFontSize", OVERLAY_FONT_LEAST,
                     "maxImageHeight", PICTURE_HEIGHT_MOST, "maxImageWidth", PICTURE_WIDTH_MOST,
                     "maxImageSize", PICTURE_WIDTH_MOST * PICTURE_HEIGHT_MOST, "maxTextLength",
                     OVERLAY_TEXT_CHARACTERS, "numAvailableSlots", OVERLAYS_MOST - used,
                     "numberAvailbleSlots", OVERLAYS_MOST - used, "rotationSupported", 1,
                     "slotsPerImageOverlay", 1, "slotsPerTextOverlay", 1, "slotsPerOverlay", 1,
                     "supportedReferences", "channel", "scene"));
}

static const struct json_method methods[] = {
    {"addText", ROLE_OPERATOR, add_text},
    {"addImage", ROLE_OPERATOR, add_image},
    {"setText", ROLE_OPERATOR, set_text_overlay},
    {"setImage", ROLE_OPERATOR, set_image_overlay},
    {"remove", ROLE_OPERATOR, remove_overlay},
    {"list", ROLE_OPERATOR, list},
    {"getOverlayCapabilities", ROLE_OPERATOR, capabilities},
    {"getSupportedVersions", ROLE_OPERATOR, json_serve_versions},
};
static const struct json_cgi api = {"1.0", &json_family_f, methods,
                                    sizeof methods / sizeof *methods};

static void serve(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/dynamicoverlay/dynamicoverlay.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_OPERATOR,
     .changes_state = true,
     .serve = serve,
     .doc = "texts and pictures upon the picture (JSON)"},
};
const struct cgi cgi_dynamicoverlay = {CGI_ROWS(rows)};
