/* Pictures for overlays: uploadoverlayimage.cgi, manageoverlayimages.cgi, and a small view of
 * each for lists. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/vapix/json_cgi.h"
#include "api/vapix/multipart.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/jobs.h"
#include "base/text.h"
#include "conf/param.h"
#include "image/overlay_pictures.h"
#include "image/overlay_settings.h"
#include "image/overlay_thumbnail.h"

/* Error numbers beside those of the family. */
enum {
    TOO_BIG = 1005,
    BAD_FORMAT,
    DISK_FULL,
    NO_ALPHA,
    NO_SCALING,
    EXISTS,
    USED_BY_OVERLAY, /* a dynamic overlay */
    USED_BY_OLD,     /* Image.I0.Overlay */
    IS_STANDARD,     /* Image.OverlayPath */
};

static int code_of(const struct fault *why)
{
    switch (why->kind) {
    case FAULT_LIMIT:
        return !strcmp(why->name, "count") ? DISK_FULL : TOO_BIG;
    case FAULT_CONFLICT:
        return EXISTS;
    case FAULT_INVALID:
        return !strcmp(why->name, "format") ? BAD_FORMAT : json_family_g.invalid;
    case FAULT_UNSUPPORTED:
        return BAD_FORMAT;
    case FAULT_IO:
        return DISK_FULL;
    case FAULT_TIMEOUT:
        return BAD_FORMAT;
    default:
        return json_family_g.internal;
    }
}

static json_t *path_json(const struct overlay_picture_info *info)
{
    return json_sprintf(PICTURE_FOLDER "%s", info->name);
}

/* ---- upload ---- */

/* The JSON part stands in for the body; the picture beside it. */
struct upload_body {
    const char *picture;
    size_t len;
    char filename[128];
    char json[];
};

static void on_added(int err, const struct overlay_picture_info *info, const struct fault *why,
                     void *arg)
{
    struct json_call *c = arg;
    c->cancelled = NULL;
    if (err)
        json_call_error(c, code_of(why), why->text);
    else
        json_call_reply(c, json_pack("{s:o}", "path", path_json(info)));
}

static void on_gone(struct json_call *c)
{
    picture_upload_cancel(c->own);
}

static void upload(struct json_call *c)
{
    const struct upload_body *b = (const void *)(c->ex->body - offsetof(struct upload_body, json));
    struct fault why = {0};
    bool scalable = true;
    const char *alpha = NULL;
    struct picture_upload *u = NULL;
    if (json_get_bool(c->params, "scaleToResolution", &scalable, &why) ||
        json_get_string(c->params, "alpha", &alpha, &why)) {
        json_call_error(c, json_family_g.invalid, why.text);
        return;
    }
    if (alpha && *alpha == '#')
        alpha++;
    if (alpha && *alpha && (strlen(alpha) != 6 || strspn(alpha, "0123456789abcdefABCDEF") != 6)) {
        json_call_error(c, json_family_g.invalid, "alpha must be a colour, as ff00ff");
        return;
    }
    if (!b->picture || !b->len) {
        json_call_error(c, json_family_g.missing, "The part with the picture is missing");
        return;
    }
    const struct picture_wish wish = {.name = b->filename,
                                      .alpha = alpha && *alpha ? alpha : NULL,
                                      .bytes = b->picture,
                                      .len = b->len,
                                      .scalable = scalable};
    int err = overlay_pictures_add(c->door->cam->overlay_pictures, &wish, on_added, c, &u, &why);
    if (err) {
        json_call_error(c, code_of(&why), why.text);
        return;
    }
    c->own = u;
    c->cancelled = on_gone;
}

static const struct json_method upload_methods[] = {
    {"uploadOverlayImage", ROLE_OPERATOR, upload},
    {"getSupportedVersions", ROLE_OPERATOR, json_serve_versions},
};
static const struct json_cgi upload_api = {"1.0", &json_family_g, upload_methods,
                                           sizeof upload_methods / sizeof *upload_methods};

static bool is_json(const struct multipart_part *p)
{
    return !strncmp(p->type, "application/json", 16) || !strcmp(p->name, "json") ||
           (!p->filename[0] && p->len && *p->bytes == '{');
}

/* Not a multipart body: what there is is taken for the JSON part. */
static void serve_upload(struct exchange *ex, void *arg)
{
    struct multipart_part part[MULTIPART_PARTS];
    int n = multipart_parse(exchange_header(ex, "Content-Type"), ex->body, ex->body_len, part);
    const struct multipart_part *json = NULL, *picture = NULL;
    for (int i = 0; i < n; i++) {
        if (!json && is_json(&part[i]))
            json = &part[i];
        else if (!picture)
            picture = &part[i];
    }
    const char *text = json ? json->bytes : n < 0 ? ex->body : "";
    size_t len = json ? json->len : n < 0 ? ex->body_len : 0;
    len = len < LIMIT_BODY_BYTES ? len : LIMIT_BODY_BYTES;
    struct upload_body *b = arena_alloc(ex->arena, sizeof *b + len + 1);
    if (!b) {
        exchange_reply(ex, 500, NULL, NULL, 0);
        return;
    }
    memcpy(b->json, text, len);
    if (picture) {
        b->picture = picture->bytes;
        b->len = picture->len;
        text_copy(b->filename, sizeof b->filename,
                  picture->filename[0] ? picture->filename : picture->name);
    }
    ex->body = b->json;
    ex->body_len = len;
    json_cgi_serve(&upload_api, ex, arg);
}

/* ---- manage ---- */

static void formats(struct json_call *c)
{
    json_call_reply(c, json_pack("{s:[s, s, s, s]}", "formats", "bmp", "png", "jpeg", "svg"));
}

static void validate(struct json_call *c)
{
    struct fault why = {0};
    const char *type = NULL;
    int64_t w = 0, h = 0;
    char text[96];
    if (json_get_string(c->params, "type", &type, &why) ||
        json_get_int(c->params, "width", &w, &why) || json_get_int(c->params, "height", &h, &why)) {
        json_call_error(c, json_family_g.invalid, why.text);
    } else if (!type || !json_object_get(c->params, "width") ||
               !json_object_get(c->params, "height")) {
        json_call_error(c, json_family_g.missing, "type, width and height are needed");
    } else if (strcmp(type, "bmp") && strcmp(type, "png") && strcmp(type, "jpeg") &&
               strcmp(type, "svg")) {
        json_call_error(c, BAD_FORMAT, "Pictures are bmp, png, jpeg or svg");
    } else if (w < 1 || h < 1 || w > PICTURE_WIDTH_MOST || h > PICTURE_HEIGHT_MOST) {
        snprintf(text, sizeof text, "At most %d x %d pixels fit", PICTURE_WIDTH_MOST,
                 PICTURE_HEIGHT_MOST);
        json_call_error(c, TOO_BIG, text);
    } else {
        json_call_reply(c, json_pack("{s:b, s:b}", "supportsAlpha", 1, "supportsScaling", 1));
    }
}

static void list(struct json_call *c)
{
    json_t *files = json_array();
    struct overlay_picture_info info;
    for (size_t i = 0; overlay_pictures_at(c->door->cam->overlay_pictures, i, &info); i++)
        json_array_append_new(files, json_pack("{s:o, s:b, s:i, s:i, s:b}", "path",
                                               path_json(&info), "scaleWithResolution",
                                               (int)info.scalable, "width", info.width, "height",
                                               info.height, "alpha", (int)info.has_alpha));
    json_call_reply(c, json_pack("{s:o}", "files", files));
}

/* The picture that params name; false: the error has been answered. */
static bool find(struct json_call *c, struct overlay_picture_info *ret)
{
    const char *path = json_string_value(json_object_get(c->params, "path"));
    if (!path) {
        json_call_error(c, json_family_g.missing, "The parameter path is missing");
        return false;
    }
    if (overlay_pictures_find(c->door->cam->overlay_pictures, path, ret)) {
        json_call_error(c, json_family_g.invalid, "There is no such picture");
        return false;
    }
    return true;
}

static bool names(const char *path, const struct overlay_picture_info *info)
{
    const char *slash = strrchr(path, '/');
    return !strcmp(slash ? slash + 1 : path, info->name);
}

/* Who uses it: an error number, or 0. */
static int user_of(struct json_call *c, const struct overlay_picture_info *info)
{
    int code = 0;
    const struct overlay_settings *s = room_ref(c->door->cam->overlay_room);
    for (int i = 0; i < OVERLAYS_MOST && !code; i++)
        if (s->row[i].used && s->row[i].kind == OVERLAY_OF_IMAGE && names(s->row[i].path, info))
            code = USED_BY_OVERLAY;
    if (!code && names(s->image_path, info))
        code = IS_STANDARD;
    for (int i = 0; i < VIEWS_MOST && code == IS_STANDARD; i++)
        if (s->line[i].image_enabled)
            code = USED_BY_OLD;
    room_unref(s);
    return code;
}

static void delete_picture(struct json_call *c)
{
    struct overlay_picture_info info;
    struct fault why = {0};
    if (!find(c, &info))
        return;
    int used = user_of(c, &info);
    if (used)
        json_call_error(c, used, "An overlay shows this picture; remove the overlay first");
    else if (overlay_pictures_remove(c->door->cam->overlay_pictures, info.name, &why))
        json_call_error(c, code_of(&why), why.text);
    else
        json_call_reply(c, json_object());
}

static void get_standard(struct json_call *c)
{
    struct overlay_picture_info info;
    const struct overlay_settings *s = room_ref(c->door->cam->overlay_room);
    bool there = s->image_path[0] &&
                 !overlay_pictures_find(c->door->cam->overlay_pictures, s->image_path, &info);
    room_unref(s);
    json_call_reply(c, json_pack("{s:o}", "path", there ? path_json(&info) : json_string("")));
}

static void set_standard(struct json_call *c)
{
    struct overlay_picture_info info;
    char path[sizeof info.name + sizeof PICTURE_FOLDER];
    if (!find(c, &info))
        return;
    snprintf(path, sizeof path, PICTURE_FOLDER "%s", info.name);
    const char *const pair[1][2] = {{"Image.OverlayPath", path}};
    json_call_set(c, pair, 1);
}

static const struct json_method methods[] = {
    {"supportedFormats", ROLE_OPERATOR, formats},
    {"validateImageHeader", ROLE_OPERATOR, validate},
    {"listImages", ROLE_OPERATOR, list},
    {"deleteImage", ROLE_OPERATOR, delete_picture},
    {"getDefaultImage", ROLE_OPERATOR, get_standard},
    {"setDefaultImage", ROLE_OPERATOR, set_standard},
    {"getSupportedVersions", ROLE_OPERATOR, json_serve_versions},
};
static const struct json_cgi api = {"1.0", &json_family_g, methods,
                                    sizeof methods / sizeof *methods};

static void serve_manage(struct exchange *ex, void *arg)
{
    json_cgi_serve(&api, ex, arg);
}

/* ---- a small view ---- */

struct view_job {
    struct exchange *ex; /* NULL: the client has left */
    struct overlay_pictures *pictures;
    uint64_t id;
    struct buf png;
    int err;
};

static void view_work(void *arg)
{
    struct view_job *j = arg;
    j->err = overlay_thumbnail(j->pictures, j->id, &j->png);
}

static void view_done(void *arg)
{
    struct view_job *j = arg;
    struct exchange *ex = j->ex;
    if (ex) {
        ex->cancel = NULL;
        if (j->err)
            exchange_reply(ex, 404, NULL, NULL, 0);
        else
            exchange_reply(ex, 200, "image/png", j->png.data, j->png.len);
    }
    buf_done(&j->png);
    free(j);
}

static void view_cancel(struct exchange *ex)
{
    ((struct view_job *)ex->user)->ex = NULL;
}

static void serve_view(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    struct overlay_picture_info info;
    const char *path = exchange_arg(ex, "path");
    struct view_job *j = NULL;
    if (!path || overlay_pictures_find(d->cam->overlay_pictures, path, &info)) {
        exchange_reply(ex, 404, NULL, NULL, 0);
        return;
    }
    if (!(j = calloc(1, sizeof *j))) {
        exchange_reply(ex, 500, NULL, NULL, 0);
        return;
    }
    j->ex = ex;
    j->pictures = d->cam->overlay_pictures;
    j->id = info.id;
    buf_init(&j->png, 1 << 20);
    ex->user = j;
    ex->cancel = view_cancel;
    if (jobs_submit(d->cam->jobs, "overlay thumbnail", view_work, view_done, j)) {
        ex->cancel = NULL;
        exchange_reply(ex, 503, NULL, NULL, 0);
        buf_done(&j->png);
        free(j);
    }
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/uploadoverlayimage.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_OPERATOR,
     .max_body = PICTURE_FILE_BYTES + (1 << 20),
     .changes_state = true,
     .serve = serve_upload,
     .doc = "a picture for overlays: multipart of JSON and the file"},
    {.path = "/axis-cgi/manageoverlayimages.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_OPERATOR,
     .changes_state = true,
     .serve = serve_manage,
     .doc = "lists and deletes pictures for overlays (JSON)"},
    {.path = "/vedette/overlays/picture",
     .methods = METHOD_GET,
     .role = ROLE_OPERATOR,
     .serve = serve_view,
     .doc = "a small view of a picture for overlays: path=; PNG"},
};
const struct cgi cgi_overlayimages = {CGI_ROWS(rows)};
