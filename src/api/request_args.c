#include <stdio.h>
#include <string.h>

#include "api/request_inside.h"
#include "base/fault.h"
#include "base/text.h"
#include "net/message.h"
#include "sound/settings.h"

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
    words_join(choices, allowed, sizeof allowed);
    return bad(why, name, value, allowed);
}

static int set_flag(bool *ret, const char *name, const char *value, struct fault *why)
{
    return text_bool(value, ret) ? bad(why, name, value, "0, 1") : 0;
}

static int set_codec(struct wish *w, const char *name, const char *value, struct fault *why)
{
    static const char *const names[] = {"h264", "jpeg", "h265", "av1", NULL};
    static const enum codec codecs[] = {CODEC_H264, CODEC_JPEG, CODEC_H265, CODEC_AV1};
    int i = 0;
    int err = set_choice(&i, name, value, names, why);
    if (!err)
        w->e.codec = codecs[i];
    return err;
}

static int set_resolution(struct wish *w, const char *name, const char *value, struct fault *why)
{
    const char *const *all = request_resolutions(w->cam);
    if (!words_have(all, value)) {
        if (stream_size_is_mangled(value))
            return 0;
        char allowed[200];
        words_join(all, allowed, sizeof allowed);
        return bad(why, name, value, allowed);
    }
    return stream_parse_size(value, &w->width, &w->height) ? -1 : 0;
}

static int set_rotation(struct wish *w, const char *name, const char *value, struct fault *why)
{
    int i = 0;
    int err = set_choice(&i, name, value, stream_rotations, why);
    if (!err)
        w->e.key.rotation_deg = 90 * i;
    return err;
}

static int set_fps(struct wish *w, const char *name, const char *value, struct fault *why)
{
    int err = set_number(&w->e.fps, name, value, 0, STREAM_FPS_MAX, why);
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
    static const unsigned sets[] = {0, OVERLAYS_ALL, OVERLAYS_TEXT, OVERLAYS_IMAGE,
                                    OVERLAYS_APPLICATION};
    int i = 0;
    int err = set_choice(&i, name, value, names, why);
    if (!err)
        w->e.key.overlays = sets[i];
    return err;
}

static int set_stamp(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_flag(&w->e.stamp, name, value, why);
}

static int set_gop(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_int(&w->e.gop, name, value, 1, STREAM_GOP_MAX, why);
}

static int set_rate_mode(struct wish *w, const char *name, const char *value, struct fault *why)
{
    int i = 0;
    int err = set_choice(&i, name, value, stream_rate_modes, why);
    if (!err)
        w->e.rate.mode = (enum rate_mode)i;
    return err;
}

static int set_max_bitrate(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_int(&w->e.rate.max_kbps, name, value, 0, STREAM_KBPS_MAX, why);
}

static int set_priority(struct wish *w, const char *name, const char *value, struct fault *why)
{
    int i = 0;
    if (!strcmp(value, "fullframerate")) /* as old clients say */
        value = "framerate";
    int err = set_choice(&i, name, value, stream_priorities, why);
    if (!err)
        w->e.rate.priority = (enum rate_priority)i;
    return err;
}

static int set_abr_target(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_int(&w->e.rate.target_kbps, name, value, 0, STREAM_KBPS_MAX, why);
}

static int set_abr_max(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_int(&w->abr_max_kbps, name, value, 0, STREAM_KBPS_MAX, why);
}

static int set_retention(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_int(&w->e.rate.retention_days, name, value, 1, STREAM_DAYS_MAX, why);
}

static int set_strength(struct wish *w, const char *name, const char *value, struct fault *why)
{
    int i = 0;
    int err = set_choice(&i, name, value, stream_strengths, why);
    if (!err)
        w->e.smart.strength = 10 * i;
    return err;
}

static int set_dynamic(bool *ret, const char *name, const char *value, struct fault *why)
{
    int i = 0;
    int err = set_choice(&i, name, value, stream_dynamics, why);
    if (!err)
        *ret = i;
    return err;
}

static int set_gop_mode(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_dynamic(&w->e.smart.dynamic_gop, name, value, why);
}

static int set_max_gop(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_int(&w->e.smart.max_gop, name, value, 1, SMART_GOP_MAX, why);
}

static int set_fps_mode(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_dynamic(&w->e.smart.dynamic_fps, name, value, why);
}

static int set_min_fps(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_number(&w->e.smart.min_fps, name, value, 0, STREAM_FPS_MAX, why);
}

static int set_z_profile(struct wish *w, const char *name, const char *value, struct fault *why)
{
    int i = 0;
    int err = set_choice(&i, name, value, stream_z_profiles, why);
    if (!err)
        w->e.smart.storage = i;
    return err;
}

static int set_profile(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_choice(&w->e.profile, name, value, stream_profiles, why);
}

static int set_audio(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_flag(&w->view.audio, name, value, why);
}

static int set_sound_codec(struct wish *w, const char *name, const char *value, struct fault *why)
{
    static const char *const names[] = {"aac",  "opus", "g711", "g726",
                                        "lpcm", "pcmu", "pcma", NULL};
    static const enum codec codecs[] = {CODEC_AAC, CODEC_OPUS, CODEC_PCMU, CODEC_G726,
                                        CODEC_L16, CODEC_PCMU, CODEC_PCMA};
    int i = 0;
    int err = set_choice(&i, name, value, names, why);
    if (err)
        return err;
    w->view.sound.codec = codecs[i];
    audio_settings_fit(&w->view.sound);
    return 0;
}

static int set_sound_rate(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_int(&w->view.sound.rate_hz, name, value, 8000, 48000, why);
}

static int set_sound_bitrate(struct wish *w, const char *name, const char *value, struct fault *why)
{
    return set_int(&w->view.sound.bitrate, name, value, 6000, 192000, why);
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
    {"fps", set_fps},
    {"req_fps", set_fps},
    {"compression", set_compression},
    {"mirror", set_mirror},
    {"overlays", set_overlays},
    {"stamp", set_stamp},
    {"videokeyframeinterval", set_gop},
    {"videobitratemode", set_rate_mode},
    {"videomaxbitrate", set_max_bitrate},
    {"videobitratepriority", set_priority},
    {"videoabrtargetbitrate", set_abr_target},
    {"videoabrmaxbitrate", set_abr_max},
    {"videoabrretentiontime", set_retention},
    {"videozstrength", set_strength},
    {"videozgopmode", set_gop_mode},
    {"videozmaxgoplength", set_max_gop},
    {"videozfpsmode", set_fps_mode},
    {"videozminfps", set_min_fps},
    {"videozprofile", set_z_profile},
    {"h264profile", set_profile},
    {"audio", set_audio},
    {"audiocodec", set_sound_codec}, /* before rate and bitrate: see wish_apply() */
    {"audiosamplerate", set_sound_rate},
    {"audiobitrate", set_sound_bitrate},
    {"video", set_video},
    {"nbrofframes", set_pictures},
    {"duration", set_duration},
};

int wish_apply(struct wish *w, const struct arg *args, size_t n_args, struct fault *why)
{
    /* in the order of the table: what a later one means may hang on an earlier one */
    for (size_t k = 0; k < sizeof image_args / sizeof *image_args; k++) {
        for (size_t i = 0; i < n_args; i++) {
            if (!*args[i].value || strcmp(args[i].name, image_args[k].name))
                continue; /* also "camera=" */
            int err = image_args[k].set(w, args[i].name, args[i].value, why);
            if (err)
                return err;
        }
    }
    return 0;
}
