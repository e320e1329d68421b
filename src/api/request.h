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
 * Image.I0.Stream.*, StreamProfile.S#.*. */
struct image_settings;
struct profile_settings;
extern const struct room_desc image_room_desc, profile_room_desc;

/* Unknown arguments are ignored; a known one with a bad value is FAULT_INVALID and
 * names it. codec: what is meant when none is named. fps_limit etc. that belong to
 * the viewer and not to the encoder come in `ret_view`. */
struct view_args {
    double fps;          /* 0: all */
    uint64_t pictures;   /* nbrofframes */
    double seconds;      /* duration */
    bool audio, video;
};
int request_encoding(struct camera *cam, enum codec standard, const struct arg *args, size_t n_args,
                     struct encoding *ret, struct view_args *ret_view, struct fault *why);
/* "1920x1080,1280x720,…": what can be asked for, largest first. */
const char *const *request_resolutions(struct camera *cam);

#endif
