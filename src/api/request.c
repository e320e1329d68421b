#include "api/request.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "media/pipeline.h"
#include "net/message.h"

#define FPS_MAX 120
#define KBPS_MAX 50000
#define GOP_MAX 1023

/* ---- parameters ---- */

static const char *const rotations[] = {"0", "90", "180", "270", NULL};
static const char *const profiles[] = {"baseline", "main", "high", NULL};
static const char *const rate_modes[] = {"vbr", "mbr", NULL}; /* enum rate_mode */

#define IMAGE(row_name, field, ...)                                                                \
    {                                                                                              \
        .name = row_name, PARAM_FIELD(struct image_settings, field), .read = ROLE_VIEWER,          \
        __VA_ARGS__                                                                                \
    }

static const struct param_row image_rows[] = {
    IMAGE("Image.NbrOfConfigs", nbr_of_configs, .type = PARAM_INT, .min = 1, .max = 1,
          .standard = "1", .write = ROLE_SYSTEM, .doc = "Number of views"),
    IMAGE("Image.I0.Enabled", enabled, .type = PARAM_BOOL, .standard = "yes", .write = ROLE_SYSTEM,
          .doc = "The view can be asked for"),
    IMAGE("Image.I0.Name", name, .type = PARAM_STRING, .standard = "View Area 1",
          .write = ROLE_OPERATOR, .doc = "Name of the view"),
    IMAGE("Image.I0.Source", source, .type = PARAM_INT, .min = 0, .max = 0, .standard = "0",
          .write = ROLE_SYSTEM, .doc = "Picture source of the view"),
    IMAGE("Image.I0.Appearance.Compression", compression, .type = PARAM_INT, .min = 0, .max = 100,
          .standard = "30", .write = ROLE_OPERATOR,
          .doc = "0 keeps all detail, 100 makes the smallest pictures"),
    IMAGE("Image.I0.Appearance.MirrorEnabled", mirror, .type = PARAM_BOOL, .standard = "no",
          .write = ROLE_OPERATOR, .doc = "Left and right are exchanged"),
    IMAGE("Image.I0.Appearance.Resolution", resolution, .type = PARAM_STRING,
          .standard = "1920x1080", .write = ROLE_OPERATOR, .unit = "pixels",
          .doc = "Size of pictures that nobody asked another size for"),
    IMAGE("Image.I0.Appearance.Rotation", rotation, .type = PARAM_ENUM, .choices = rotations,
          .standard = "0", .write = ROLE_OPERATOR, .unit = "deg",
          .doc = "Turns the picture clockwise"),
    IMAGE("Image.I0.Appearance.StampEnabled", stamp, .type = PARAM_BOOL, .standard = "yes",
          .write = ROLE_OPERATOR,
          .doc = "Serial number, pose and UTC travel inside pictures, unseen (SEI, JPEG comment)"),
    IMAGE("Image.I0.MPEG.PCount", p_count, .type = PARAM_INT, .min = 0, .max = GOP_MAX - 1,
          .standard = "31", .write = ROLE_OPERATOR, .doc = "Pictures between two key pictures"),
    IMAGE("Image.I0.MPEG.H264.Profile", profile, .type = PARAM_ENUM, .choices = profiles,
          .standard = "high", .write = ROLE_OPERATOR, .doc = "Coding tools that H.264 may use"),
    IMAGE("Image.I0.RateControl.Mode", rate_mode, .type = PARAM_ENUM, .choices = rate_modes,
          .standard = "vbr", .write = ROLE_OPERATOR,
          .doc = "vbr keeps quality, mbr keeps the bitrate under MaxBitrate"),
    IMAGE("Image.I0.RateControl.MaxBitrate", max_kbps, .type = PARAM_INT, .min = 0, .max = KBPS_MAX,
          .standard = "0", .write = ROLE_OPERATOR, .unit = "kbit/s",
          .doc = "Upper limit of mbr; 0: none"),
    IMAGE("Image.I0.Stream.Duration", duration_s, .type = PARAM_INT, .min = 0, .max = 1e9,
          .standard = "0", .write = ROLE_OPERATOR, .unit = "s",
          .doc = "Streams end after this time; 0: never"),
    IMAGE("Image.I0.Stream.FPS", fps, .type = PARAM_DOUBLE, .min = 0, .max = FPS_MAX,
          .standard = "0", .write = ROLE_OPERATOR, .unit = "1/s",
          .doc = "Pictures a second; 0: all that the source gives"),
    IMAGE("Image.I0.Stream.NbrOfFrames", nbrofframes, .type = PARAM_INT, .min = 0, .max = 1e9,
          .standard = "0", .write = ROLE_OPERATOR,
          .doc = "Streams end after this many pictures; 0: never"),
};

#define PROFILE(row_name, field, ...)                                                              \
    {                                                                                              \
        .name = "StreamProfile.S#." row_name, .type = PARAM_STRING,                                \
        .offset = offsetof(struct profile_settings, profile[0].field),                             \
        .size = sizeof(((struct profile *)0)->field), .standard = "", .read = ROLE_VIEWER,         \
        .write = ROLE_OPERATOR, .stride = sizeof(struct profile),                                  \
        .used_offset = offsetof(struct profile_settings, profile[0].used), .count = PROFILES_MAX,  \
        .template_name = "streamprofile", __VA_ARGS__                                              \
    }

static const struct param_row profile_rows[] = {
    {.name = "StreamProfile.FactoryMade",
     .type = PARAM_BOOL,
     PARAM_FIELD(struct profile_settings, factory_made),
     .standard = "no",
     .read = ROLE_ADMIN,
     .write = ROLE_SYSTEM,
     .hidden = true,
     .doc = "The profiles that a new camera has were made"},
    {.name = "StreamProfile.MaxGroups",
     .type = PARAM_INT,
     PARAM_FIELD(struct profile_settings, max_groups),
     .min = PROFILES_MAX,
     .max = PROFILES_MAX,
     .standard = "26",
     .read = ROLE_VIEWER,
     .write = ROLE_SYSTEM,
     .doc = "How many stream profiles there can be"},
    PROFILE("Name", name, .doc = "What streamprofile= names"),
    PROFILE("Description", description, .doc = "For people"),
    PROFILE("Parameters", parameters, .doc = "Image arguments, as videocodec=h264&fps=15"),
};

/* ---- sizes ---- */

#define RESOLUTIONS_MAX 16
/* Those of the source, once known: parameters are checked without a camera at hand. */
static struct {
    int width, height;
    char text[RESOLUTIONS_MAX][16];
    const char *list[RESOLUTIONS_MAX + 1];
} sizes;

const char *const *request_resolutions(struct camera *cam)
{
    static const struct {
        int width, height;
    } common[] = {{1920, 1080}, {1280, 960}, {1280, 720}, {1024, 768}, {1024, 576},
                  {800, 600},   {800, 450},  {640, 480},  {640, 360},  {480, 270},
                  {320, 240},   {320, 180},  {160, 120},  {160, 90}};
    int width, height;
    double fps;
    pipeline_size(cam->pipeline, &width, &height, &fps);
    if (sizes.width == width && sizes.height == height)
        return sizes.list;
    size_t n = 0;
    snprintf(sizes.text[n], sizeof sizes.text[n], "%dx%d", width, height);
    sizes.list[n] = sizes.text[n];
    n++;
    for (size_t i = 0; i < sizeof common / sizeof *common && n < RESOLUTIONS_MAX; i++) {
        if (common[i].width > width || common[i].height > height ||
            (common[i].width == width && common[i].height == height))
            continue;
        snprintf(sizes.text[n], sizeof sizes.text[n], "%dx%d", common[i].width, common[i].height);
        sizes.list[n] = sizes.text[n];
        n++;
    }
    sizes.list[n] = NULL;
    sizes.width = width;
    sizes.height = height;
    return sizes.list;
}

static void list_words(const char *const *words, char *ret, size_t size)
{
    size_t n = 0;
    *ret = '\0';
    for (; *words && n < size; words++)
        n += (size_t)snprintf(ret + n, size - n, "%s%s", n ? ", " : "", *words);
}

static bool listed(const char *const *words, const char *word)
{
    for (; *words; words++) {
        if (!strcmp(*words, word))
            return true;
    }
    return false;
}

static int parse_size(const char *s, int *ret_width, int *ret_height)
{
    int64_t size[2];
    char part[16];
    const char *x = strchr(s, 'x');
    if (!x || (size_t)(x - s) >= sizeof part)
        return -1;
    memcpy(part, s, (size_t)(x - s));
    part[x - s] = '\0';
    if (text_int(part, 1, 65535, &size[0]) || text_int(x + 1, 1, 65535, &size[1]))
        return -1;
    *ret_width = (int)size[0];
    *ret_height = (int)size[1];
    return 0;
}

/* "320×240", "320X240", "320*240": a size that something on the way mangled. Such a
 * client means well and gets the standard size. */
static bool is_mangled_size(const char *s)
{
    size_t first = strspn(s, "0123456789");
    const char *rest = s + first;
    size_t junk = strcspn(rest, "0123456789");
    size_t second = strspn(rest + junk, "0123456789");
    if (!first || !junk || junk > 6 || !second || rest[junk + second])
        return false;
    for (size_t i = 0; i < junk; i++) {
        if (isalpha((unsigned char)rest[i]) ? rest[i] != 'X' : strchr("-+.,;/\\", rest[i]) != NULL)
            return false;
    }
    return true;
}

static int check_image(const void *candidate, void *arg, struct fault *why)
{
    const struct image_settings *s = candidate;
    int width, height;
    if (parse_size(s->resolution, &width, &height))
        return fault_set(why, FAULT_INVALID, "Image.I0.Appearance.Resolution",
                         "must be a size as 1280x720");
    if (sizes.width && !listed(sizes.list, s->resolution)) {
        char words[200];
        list_words(sizes.list, words, sizeof words);
        return fault_set(why, FAULT_INVALID, "Image.I0.Appearance.Resolution", "must be one of %s",
                         words);
    }
    return 0;
}

static int check_profiles(const void *candidate, void *arg, struct fault *why)
{
    const struct profile_settings *s = candidate;
    for (size_t i = 0; i < PROFILES_MAX; i++) {
        for (size_t k = 0; s->profile[i].used && k < i; k++) {
            if (s->profile[k].used && *s->profile[i].name &&
                !strcmp(s->profile[i].name, s->profile[k].name))
                return fault_set(why, FAULT_CONFLICT, "StreamProfile",
                                 "there is a stream profile \"%s\" already", s->profile[i].name);
        }
    }
    return 0;
}

const struct room_desc image_room_desc = {
    .name = "image",
    .size = sizeof(struct image_settings),
    .rows = image_rows,
    .n_rows = sizeof image_rows / sizeof *image_rows,
    .check = check_image,
};
const struct room_desc profile_room_desc = {
    .name = "profile",
    .size = sizeof(struct profile_settings),
    .rows = profile_rows,
    .n_rows = sizeof profile_rows / sizeof *profile_rows,
    .check = check_profiles,
};

/* ---- arguments ---- */

struct wish {
    struct camera *cam;
    struct encoding e;
    struct view_args view;
    int width, height; /* before turning */
};

static int bad(struct fault *why, const char *name, const char *value, const char *allowed)
{
    return fault_set(why, FAULT_INVALID, name, "%s=%.40s is not possible; allowed: %.160s", name,
                     value, allowed);
}

static int set_number(double *ret, const char *name, const char *value, double min, double max,
                      struct fault *why)
{
    char allowed[64];
    snprintf(allowed, sizeof allowed, "%g to %g", min, max);
    return text_double(value, min, max, ret) ? bad(why, name, value, allowed) : 0;
}

static int set_int(int *ret, const char *name, const char *value, int min, int max,
                   struct fault *why)
{
    int64_t v;
    char allowed[64];
    snprintf(allowed, sizeof allowed, "%d to %d", min, max);
    if (text_int(value, min, max, &v))
        return bad(why, name, value, allowed);
    *ret = (int)v;
    return 0;
}

static int set_choice(int *ret, const char *name, const char *value, const char *const *choices,
                      struct fault *why)
{
    for (int i = 0; choices[i]; i++) {
        if (!strcmp(choices[i], value)) {
            *ret = i;
            return 0;
        }
    }
    char allowed[160];
    list_words(choices, allowed, sizeof allowed);
    return bad(why, name, value, allowed);
}

static int set_flag(bool *ret, const char *name, const char *value, struct fault *why)
{
    return text_bool(value, ret) ? bad(why, name, value, "0, 1") : 0;
}

static int set_codec(struct wish *w, const char *name, const char *value, struct fault *why)
{
    static const char *const names[] = {"h264", "jpeg", NULL};
    static const enum codec codecs[] = {CODEC_H264, CODEC_JPEG};
    int i = 0;
    int err = set_choice(&i, name, value, names, why);
    if (!err)
        w->e.codec = codecs[i];
    return err;
}

static int set_resolution(struct wish *w, const char *name, const char *value, struct fault *why)
{
    const char *const *all = request_resolutions(w->cam);
    if (!listed(all, value)) {
        if (is_mangled_size(value))
            return 0;
        char allowed[200];
        list_words(all, allowed, sizeof allowed);
        return bad(why, name, value, allowed);
    }
    return parse_size(value, &w->width, &w->height) ? -1 : 0;
}

static int set_rotation(struct wish *w, const char *name, const char *value, struct fault *why)
{
    int i = 0;
    int err = set_choice(&i, name, value, rotations, why);
    if (!err)
        w->e.key.rotation_deg = 90 * i;
    return err;
}

static int set_camera(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_int(&w->e.key.view, name, value, 1, 1, why);
}

static int set_fps(struct wish *w, const char *name, const char *value, struct fault *why)
{
    int err = set_number(&w->e.fps, name, value, 0, FPS_MAX, why);
    w->view.fps = w->e.fps;
    return err;
}

static int set_compression(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_int(&w->e.compression, name, value, 0, 100, why);
}

static int set_mirror(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_flag(&w->e.key.mirror, name, value, why);
}

static int set_overlays(struct wish *w, const char *name, const char *value, struct fault *why)
{
    static const char *const names[] = {"off", "all", "text", "image", "application", NULL};
    int i = 0;
    int err = set_choice(&i, name, value, names, why);
    if (!err)
        w->e.key.overlays = i == 1 || i == 2; /* there are none but text yet */
    return err;
}

static int set_stamp(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_flag(&w->e.stamp, name, value, why);
}

static int set_gop(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_int(&w->e.gop, name, value, 1, GOP_MAX, why);
}

static int set_rate_mode(struct wish *w, const char *name, const char *value, struct fault *why)
{
    int i = 0;
    int err = set_choice(&i, name, value, rate_modes, why);
    if (!err)
        w->e.rate_mode = (enum rate_mode)i;
    return err;
}

static int set_max_bitrate(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_int(&w->e.max_kbps, name, value, 0, KBPS_MAX, why);
}

static int set_profile(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_choice(&w->e.profile, name, value, profiles, why);
}

static int set_audio(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_flag(&w->view.audio, name, value, why);
}

static int set_video(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_flag(&w->view.video, name, value, why);
}

static int set_pictures(struct wish *w, const char *name, const char *value, struct fault *why)
{
    int64_t n;
    if (text_int(value, 0, INT32_MAX, &n))
        return bad(why, name, value, "0 (no end) and more");
    w->view.pictures = (uint64_t)n;
    return 0;
}

static int set_duration(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_number(&w->view.seconds, name, value, 0, 1e9, why);
}

static const struct {
    const char *name;
    int (*set)(struct wish *w, const char *name, const char *value, struct fault *why);
} image_args[] = {
    {"videocodec", set_codec},
    {"resolution", set_resolution},
    {"rotation", set_rotation},
    {"camera", set_camera},
    {"fps", set_fps},
    {"req_fps", set_fps},
    {"compression", set_compression},
    {"mirror", set_mirror},
    {"overlays", set_overlays},
    {"stamp", set_stamp},
    {"videokeyframeinterval", set_gop},
    {"videobitratemode", set_rate_mode},
    {"videomaxbitrate", set_max_bitrate},
    {"h264profile", set_profile},
    {"audio", set_audio},
    {"video", set_video},
    {"nbrofframes", set_pictures},
    {"duration", set_duration},
};

static int apply(struct wish *w, const struct arg *args, size_t n_args, struct fault *why)
{
    for (size_t i = 0; i < n_args; i++) {
        if (!*args[i].value)
            continue; /* "camera=" */
        for (size_t k = 0; k < sizeof image_args / sizeof *image_args; k++) {
            if (strcmp(args[i].name, image_args[k].name))
                continue;
            int err = image_args[k].set(w, args[i].name, args[i].value, why);
            if (err)
                return err;
        }
    }
    return 0;
}

static bool is_profile_name(const char *name)
{
    return *name && strlen(name) <= PROFILE_NAME_MAX && !strpbrk(name, "/\\") &&
           text_is_ascii_print(name);
}

static int apply_profile(struct wish *w, const char *name, struct fault *why)
{
    const struct profile_settings *s = room_ref(w->cam->profile_room);
    const struct profile *found = NULL;
    for (size_t i = 0; i < PROFILES_MAX && !found; i++) {
        if (s->profile[i].used && !strcmp(s->profile[i].name, name))
            found = &s->profile[i];
    }
    int err;
    struct arena *arena = NULL;
    struct arg args[LIMIT_ARGS];
    size_t n = 0;
    if (!found && !is_profile_name(name)) {
        err = fault_set(why, FAULT_INVALID, "streamprofile",
                        "streamprofile must be a name of 1 to %d printable characters without "
                        "slashes, such as streamprofile.cgi lists",
                        PROFILE_NAME_MAX);
    } else if (!found) {
        err = 0; /* an unknown profile gives the stream settings (row E4) */
    } else if (!(arena = arena_new(LIMIT_ARENA_BYTES))) {
        err = fault_set(why, FAULT_INTERNAL, "streamprofile", "out of memory");
    } else if (args_parse(args, &n, arena, found->parameters, strlen(found->parameters))) {
        err = fault_set(why, FAULT_INVALID, "streamprofile",
                        "the parameters of stream profile \"%.64s\" are malformed", name);
    } else {
        err = apply(w, args, n, why);
    }
    arena_free(arena);
    room_unref(s);
    return err;
}

static void start_from_settings(struct wish *w, enum codec standard)
{
    const struct image_settings *s = room_ref(w->cam->image_room);
    double source_fps;
    w->e = (struct encoding){
        .codec = standard,
        .key = {.view = 1, .rotation_deg = 90 * s->rotation, .mirror = s->mirror, .overlays = true},
        .fps = s->fps,
        .compression = s->compression,
        .gop = s->p_count + 1,
        .rate_mode = (enum rate_mode)s->rate_mode,
        .max_kbps = s->max_kbps,
        .profile = s->profile,
        .stamp = s->stamp,
    };
    w->view = (struct view_args){.fps = s->fps,
                                 .pictures = (uint64_t)s->nbrofframes,
                                 .seconds = s->duration_s,
                                 .video = true};
    if (!listed(request_resolutions(w->cam), s->resolution) ||
        parse_size(s->resolution, &w->width, &w->height))
        pipeline_size(w->cam->pipeline, &w->width, &w->height, &source_fps);
    room_unref(s);
}

/* One form for one meaning, so that equal requests share an encoder. */
static void normalise(struct wish *w)
{
    int width, height;
    double source_fps;
    struct encoding *e = &w->e;
    pipeline_size(w->cam->pipeline, &width, &height, &source_fps);
    if (e->fps >= source_fps)
        e->fps = 0;
    bool turned = e->key.rotation_deg == 90 || e->key.rotation_deg == 270;
    e->key.width = turned ? w->height : w->width;
    e->key.height = turned ? w->width : w->height;
    e->key.range = e->codec == CODEC_JPEG ? RANGE_FULL : RANGE_LIMITED;
    if (e->rate_mode == RATE_MBR && !e->max_kbps)
        e->rate_mode = RATE_VBR;
    if (e->rate_mode == RATE_VBR)
        e->max_kbps = 0;
    if (e->codec == CODEC_JPEG) {
        e->gop = 1;
        e->rate_mode = RATE_VBR;
        e->max_kbps = 0;
        e->profile = 0;
    }
}

static int resolve(struct wish *w, enum codec standard, const struct arg *args, size_t n_args,
                   struct fault *why)
{
    start_from_settings(w, standard);
    const char *profile = NULL;
    for (size_t i = 0; i < n_args; i++) {
        if (!strcmp(args[i].name, "streamprofile") && *args[i].value)
            profile = args[i].value;
    }
    int err = profile ? apply_profile(w, profile, why) : 0;
    return err ? err : apply(w, args, n_args, why);
}

int request_encoding(struct camera *cam, enum codec standard, const struct arg *args, size_t n_args,
                     struct encoding *ret, struct view_args *ret_view, struct fault *why)
{
    struct wish w = {.cam = cam};
    int err = resolve(&w, standard, args, n_args, why);
    if (err)
        return err;
    normalise(&w);
    *ret = w.e;
    *ret_view = w.view;
    return 0;
}

int request_jpeg(struct camera *cam, const struct arg *args, size_t n_args, struct encoding *ret,
                 struct view_args *ret_view, struct fault *why)
{
    struct wish w = {.cam = cam};
    int err = resolve(&w, CODEC_JPEG, args, n_args, why);
    if (err)
        return err;
    w.e.codec = CODEC_JPEG;
    normalise(&w);
    *ret = w.e;
    *ret_view = w.view;
    return 0;
}

/* ---- points ---- */

/* The part of the frame that is shown, 0…1 each way. */
static void shown_part(const struct rendition_key *k, double frame_aspect, double *ret_w,
                       double *ret_h)
{
    bool turned = k->rotation_deg == 90 || k->rotation_deg == 270;
    double aspect = turned ? (double)k->height / k->width : (double)k->width / k->height;
    *ret_w = aspect < frame_aspect ? aspect / frame_aspect : 1;
    *ret_h = aspect > frame_aspect ? frame_aspect / aspect : 1;
}

void request_view_to_frame(const struct rendition_key *k, double frame_aspect, double *x, double *y)
{
    double vx = k->mirror ? 1 - *x : *x, vy = *y, w, h;
    double fx = vx, fy = vy;
    if (k->rotation_deg == 90) {
        fx = vy;
        fy = 1 - vx;
    } else if (k->rotation_deg == 180) {
        fx = 1 - vx;
        fy = 1 - vy;
    } else if (k->rotation_deg == 270) {
        fx = 1 - vy;
        fy = vx;
    }
    shown_part(k, frame_aspect, &w, &h);
    *x = 0.5 + (fx - 0.5) * w;
    *y = 0.5 + (fy - 0.5) * h;
}

void request_frame_to_view(const struct rendition_key *k, double frame_aspect, double *x, double *y)
{
    double w, h;
    shown_part(k, frame_aspect, &w, &h);
    double fx = 0.5 + (*x - 0.5) / w, fy = 0.5 + (*y - 0.5) / h;
    double vx = fx, vy = fy;
    if (k->rotation_deg == 90) {
        vx = 1 - fy;
        vy = fx;
    } else if (k->rotation_deg == 180) {
        vx = 1 - fx;
        vy = 1 - fy;
    } else if (k->rotation_deg == 270) {
        vx = fy;
        vy = 1 - fx;
    }
    *x = k->mirror ? 1 - vx : vx;
    *y = vy;
}
