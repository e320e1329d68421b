/* Stream settings and stream profiles: the parameter rows that stand behind a request
 * for pictures, and the words and sizes that may be asked for. Loop-bound. */
#ifndef API_STREAM_SETTINGS_H
#define API_STREAM_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "media/frame.h"

struct camera;

#define STREAM_FPS_MAX 120
#define STREAM_KBPS_MAX 50000
#define STREAM_GOP_MAX 1023

/* Of one channel: parameters Image.I#.Appearance.*, Image.I#.MPEG.*, Image.I#.RateControl.*,
 * Image.I#.Stream.*. */
struct channel_settings {
    bool mirror, stamp;
    char resolution[16];
    int rotation; /* index of 0, 90, 180, 270 */
    int compression, p_count, profile;
    int rate_mode, max_kbps, priority, abr_max_kbps, abr_target_kbps, retention_days;
    int z_strength, z_gop_mode, z_max_gop, z_fps_mode, z_profile; /* smart codec */
    double fps, z_min_fps;
    int nbrofframes, duration_s;
};
struct image_settings {
    int nbr_of_configs;
    struct channel_settings channel[VIEWS_MOST]; /* [channel - 1] */
};

/* StreamProfile.S#.*: arguments under a name. */
#define PROFILES_MAX 26
#define PROFILE_NAME_MAX 64
struct profile_settings {
    int max_groups;
    bool factory_made;
    struct profile {
        bool used;
        char name[PROFILE_NAME_MAX + 1], description[129], parameters[512];
    } profile[PROFILES_MAX];
};
extern const struct room_desc image_room_desc, profile_room_desc;

#define STREAM_DAYS_MAX 3652

/* Choices, NULL-terminated: degrees, H.264 profiles, rate control (enum rate_mode), what gives
 * way (enum rate_priority); smart codec: strengths (off, 10 …), fixed or dynamic, classic or for
 * storage. */
extern const char *const stream_rotations[],
    *const stream_profiles[], *const stream_rate_modes[], *const stream_priorities[],
                                                              *const stream_strengths[],
                                                                  *const stream_dynamics[],
                                                                      *const stream_z_profiles[];

/* "1920x1080", "1280x720" …: what can be asked for, the source's own size first, then
 * by area; NULL-terminated. */
const char *const *request_resolutions(struct camera *cam);
int stream_parse_size(const char *s, int *ret_width, int *ret_height); /* "1280x720"; -1 */
/* "320×240", "320X240": a size that something on the way mangled. Such a client means
 * well and gets the standard size. */
bool stream_size_is_mangled(const char *s);

/* Lists of words for messages and checks. */
void words_join(const char *const *words, char *ret, size_t size);
bool words_have(const char *const *words, const char *word);

#endif
