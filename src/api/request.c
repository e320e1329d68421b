#include "api/request.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/camera.h"
#include "api/request_inside.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"
#include "conf/param.h"
#include "image/settings.h"
#include "image/source.h"
#include "media/capture.h"
#include "media/pipeline.h"
#include "net/message.h"
#include "ptz/views.h"
#include "sound/settings.h"

/* In the shape of what the channel shows, within the size that is set. */
static void fit_shape(struct wish *w)
{
    int width, height;
    double fps;
    struct frame_part area;
    if (w->e.key.view == 1 || !w->cam->views_room)
        return;
    const struct views_settings *s = room_ref(w->cam->views_room);
    views_area(s, w->e.key.view, &area);
    room_unref(s);
    pipeline_size(w->cam->pipeline, &width, &height, &fps);
    double have = area.width * width / (area.height * height), want = (double)w->width / w->height;
    if (have > want * 1.01)
        w->height = (int)fmax(16, 2 * lrint(w->width / have / 2));
    else if (have < want * 0.99)
        w->width = (int)fmax(16, 2 * lrint(w->height * have / 2));
}

int request_channel(struct camera *cam, const char *value, int *ret, struct fault *why)
{
    int64_t n = 1;
    if (*value && text_int(value, 1, 99999, &n))
        return fault_set(why, FAULT_INVALID, "camera",
                         "camera=%.40s is not possible; allowed: the number of a channel, from 1",
                         value);
    int err = views_require(cam->views, (int)n, why);
    if (!err)
        *ret = (int)n;
    return err;
}

void request_part(struct camera *cam, int channel, int64_t time_ns, struct frame_part *ret)
{
    struct frame_part part[VIEWS_MOST] = {[0] = FRAME_WHOLE};
    if (cam->views)
        views_parts(cam->views, time_ns, part);
    *ret = channel >= 1 && channel <= VIEWS_MOST && cam->views ? part[channel - 1] : FRAME_WHOLE;
}

static bool is_profile_name(const char *name)
{
    return *name && strlen(name) <= PROFILE_NAME_MAX && !strpbrk(name, "/\\") &&
           text_is_ascii_print(name);
}

/* The arguments of a stream profile; their texts live in *ret_arena, which is the caller's. */
static int read_profile(struct camera *cam, const char *name, struct arg args[LIMIT_ARGS],
                        size_t *ret_n, struct arena **ret_arena, struct fault *why)
{
    const struct profile_settings *s = room_ref(cam->profile_room);
    const struct profile *found = NULL;
    for (size_t i = 0; i < PROFILES_MAX && !found; i++) {
        if (s->profile[i].used && !strcmp(s->profile[i].name, name))
            found = &s->profile[i];
    }
    int err = 0;
    if (!found && !is_profile_name(name)) {
        err = fault_set(why, FAULT_INVALID, "streamprofile",
                        "streamprofile must be a name of 1 to %d printable characters without "
                        "slashes, such as streamprofile.cgi lists",
                        PROFILE_NAME_MAX);
    } else if (!found) {
        *ret_n = 0; /* an unknown profile gives the stream settings (row E4) */
    } else if (!(*ret_arena = arena_new(LIMIT_ARENA_BYTES))) {
        err = fault_set(why, FAULT_INTERNAL, "streamprofile", "out of memory");
    } else if (args_parse(args, ret_n, *ret_arena, found->parameters, strlen(found->parameters))) {
        err = fault_set(why, FAULT_INVALID, "streamprofile",
                        "the parameters of stream profile \"%.64s\" are malformed", name);
    }
    room_unref(s);
    return err;
}

/* Which channel is meant: before all others, since each has its own settings. */
static int find_channel(struct camera *cam, const struct arg *args, size_t n_args, int *ret,
                        struct fault *why)
{
    int err = 0;
    for (size_t i = 0; !err && i < n_args; i++)
        if (!strcmp(args[i].name, "camera") && *args[i].value)
            err = request_channel(cam, args[i].value, ret, why);
    return err;
}

/* What is set about sound; none without a room for it. */
static void start_sound(struct wish *w)
{
    if (!w->cam->audio_room)
        return;
    const struct audio_settings *s = room_ref(w->cam->audio_room);
    audio_settings_encoding(s, &w->view.sound);
    w->view.audio = s->enabled;
    room_unref(s);
}

/* Sound that is asked for and may be had. */
static int settle_sound(struct wish *w, struct fault *why)
{
    if (!w->view.audio)
        return 0;
    const struct audio_settings *s = w->cam->audio_room ? room_ref(w->cam->audio_room) : NULL;
    w->view.audio = s && s->support && s->duplex != DUPLEX_POST;
    room_unref(s);
    return w->view.audio ? sound_encoding_normalise(&w->view.sound, why) : 0;
}

static void start_from_settings(struct wish *w, enum codec standard, int channel)
{
    const struct image_settings *all = room_ref(w->cam->image_room);
    const struct channel_settings *s = &all->channel[channel - 1];
    double source_fps;
    w->e = (struct encoding){
        .codec = standard,
        .key = {.view = channel,
                .rotation_deg = 90 * s->rotation,
                .mirror = s->mirror,
                .overlays = OVERLAYS_ALL},
        .fps = s->fps,
        .compression = s->compression,
        .gop = s->p_count + 1,
        .rate = {.mode = (enum rate_mode)s->rate_mode,
                 .priority = (enum rate_priority)s->priority,
                 .max_kbps = s->max_kbps,
                 .target_kbps = s->abr_target_kbps,
                 .retention_days = s->retention_days},
        .smart = {.strength = 10 * s->z_strength,
                  .dynamic_gop = s->z_gop_mode,
                  .max_gop = s->z_max_gop,
                  .dynamic_fps = s->z_fps_mode,
                  .min_fps = s->z_min_fps,
                  .storage = s->z_profile},
        .profile = s->profile,
        .stamp = s->stamp,
    };
    w->abr_max_kbps = s->abr_max_kbps;
    w->view = (struct view_args){.fps = s->fps,
                                 .pictures = (uint64_t)s->nbrofframes,
                                 .seconds = s->duration_s,
                                 .video = true};
    start_sound(w);
    if (!words_have(request_resolutions(w->cam), s->resolution) ||
        stream_parse_size(s->resolution, &w->width, &w->height))
        pipeline_size(w->cam->pipeline, &w->width, &w->height, &source_fps);
    room_unref(all);
    fit_shape(w);
}

int request_source_rotation(struct camera *cam)
{
    const struct eye_settings *s = cam->eye_room ? room_ref(cam->eye_room) : NULL;
    int rotation = s && s->rotation ? 180 : 0;
    room_unref(s);
    return rotation;
}

struct rendition_key request_painted_key(struct camera *cam, const struct rendition_key *asked)
{
    struct rendition_key key = *asked;
    key.rotation_deg = (key.rotation_deg + request_source_rotation(cam)) % 360;
    return key;
}

/* A limit that is none and what another mode would need are left out. */
static void normalise_rate(struct wish *w)
{
    struct rate_plan *r = &w->e.rate;
    if (r->mode == RATE_ABR)
        r->max_kbps = w->abr_max_kbps;
    else
        r->target_kbps = r->retention_days = 0;
    bool nothing = r->mode == RATE_ABR ? !r->target_kbps : !r->max_kbps;
    if (r->mode == RATE_VBR || nothing)
        *r = (struct rate_plan){.mode = RATE_VBR};
    if (!r->max_kbps)
        r->priority = PRIORITY_NONE;
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
    normalise_rate(w);
    smart_plan_normalise(&e->smart);
    if (e->codec == CODEC_JPEG) {
        e->gop = 1;
        e->rate = (struct rate_plan){.mode = RATE_VBR};
        e->smart = (struct smart_plan){0};
        e->profile = 0;
    }
}

static int resolve(struct wish *w, enum codec standard, const struct arg *args, size_t n_args,
                   struct fault *why)
{
    const char *profile = NULL;
    struct arena *arena = NULL;
    struct arg of_profile[LIMIT_ARGS];
    size_t n_of_profile = 0;
    int channel = 1;
    for (size_t i = 0; i < n_args; i++) {
        if (!strcmp(args[i].name, "streamprofile") && *args[i].value)
            profile = args[i].value;
    }
    int err = profile ? read_profile(w->cam, profile, of_profile, &n_of_profile, &arena, why) : 0;
    if (!err)
        err = find_channel(w->cam, of_profile, n_of_profile, &channel, why);
    if (!err)
        err = find_channel(w->cam, args, n_args, &channel, why);
    if (!err) {
        start_from_settings(w, standard, channel);
        err = wish_apply(w, of_profile, n_of_profile, why);
    }
    if (!err)
        err = wish_apply(w, args, n_args, why);
    arena_free(arena);
    return err ? err : settle_sound(w, why);
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

void request_view_to_frame(const struct rendition_key *k, const struct frame_part *part,
                           double frame_aspect, double *x, double *y)
{
    rendition_to_frame(k, part, frame_aspect, x, y);
}

void request_frame_to_view(const struct rendition_key *k, const struct frame_part *part,
                           double frame_aspect, double *x, double *y)
{
    rendition_from_frame(k, part, frame_aspect, x, y);
}

void request_frame_to_sensor(struct camera *cam, double *x, double *y)
{
    struct capture how;
    if (!cam->source || !source_newest(cam->source, &how) || how.crop_width <= 0)
        return;
    *x = how.crop_x + *x * how.crop_width;
    *y = how.crop_y + *y * how.crop_height;
}
