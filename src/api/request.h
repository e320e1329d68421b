/* How a request for pictures becomes an encoding: the arguments that image.cgi,
 * video.cgi and media.amp share (VAPIX "image arguments"), over the stream
 * profile, over the stream settings. Loop-bound. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "media/encode.h"

struct arg;
struct camera;
struct fault;

/* Parameters Image.I0.Appearance.*, Image.I0.MPEG.*, Image.I0.RateControl.*,
 * Image.I0.Stream.*. */
struct image_settings {
    bool enabled, mirror, stamp;
    char name[65], resolution[16];
    int source, rotation; /* rotation: index of 0, 90, 180, 270 */
    int compression, p_count, profile, rate_mode, max_kbps;
    double fps;
    int nbrofframes, duration_s;
    int nbr_of_configs;
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

/* What belongs to the viewer and not to the encoder. */
struct view_args {
    double fps;        /* 0: all */
    uint64_t pictures; /* nbrofframes; 0: no end */
    double seconds;    /* duration; 0: no end */
    bool audio, video;
};
/* Unknown arguments and empty values are ignored; a known one with a bad value is
 * FAULT_INVALID and names it. codec: what is meant
 * when none is named. key.width and height are those of the finished picture:
 * resolution=1920x1080&rotation=90 gives 1080x1920. */
int request_encoding(struct camera *cam, enum codec standard, const struct arg *args, size_t n_args,
                     struct encoding *ret, struct view_args *ret_view, struct fault *why);
/* For pictures over HTTP: JPEG, whatever videocodec= or a stream profile says. */
int request_jpeg(struct camera *cam, const struct arg *args, size_t n_args, struct encoding *ret,
                 struct view_args *ret_view, struct fault *why);
/* Points (0…1, from the top left) of the finished picture and of the source's frame:
 * the picture shows the largest middle part of the frame that has its aspect, turned,
 * then mirrored. frame_aspect: width / height. */
void request_view_to_frame(const struct rendition_key *k, double frame_aspect, double *x,
                           double *y);
void request_frame_to_view(const struct rendition_key *k, double frame_aspect, double *x,
                           double *y);
/* "1920x1080", "1280x720" …: what can be asked for, the source's own size first, then
 * by area; NULL-terminated. */
const char *const *request_resolutions(struct camera *cam);

#endif
