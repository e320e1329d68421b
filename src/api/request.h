/* How a request for pictures becomes an encoding: the arguments that image.cgi,
 * video.cgi and media.amp share (VAPIX "image arguments"), over the stream
 * profile, over the stream settings. Loop-bound. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "api/stream_settings.h"
#include "media/encode.h"
#include "media/sound_encode.h"

struct arg;
struct camera;
struct fault;

/* What belongs to the viewer and not to the encoder. */
struct view_args {
    double fps;        /* 0: all */
    uint64_t pictures; /* nbrofframes; 0: no end */
    double seconds;    /* duration; 0: no end */
    bool audio, video;
    struct sound_encoding sound; /* with audio */
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
/* camera=: a channel that is there (1, view areas); "": 1. FAULT_INVALID, FAULT_UNKNOWN. */
int request_channel(struct camera *cam, const char *value, int *ret, struct fault *why);
/* What of the frame the channel shows at that time (monotonic). */
void request_part(struct camera *cam, int channel, int64_t time_ns, struct frame_part *ret);
/* Points (0…1, from the top left) of the finished picture and of the source's frame, of which the
 * channel shows that part (NULL: all): the picture is the largest middle part of it that has its
 * aspect, turned, then mirrored. frame_aspect: width / height. */
void request_view_to_frame(const struct rendition_key *k, const struct frame_part *part,
                           double frame_aspect, double *x, double *y);
void request_frame_to_view(const struct rendition_key *k, const struct frame_part *part,
                           double frame_aspect, double *x, double *y);
/* How all pictures are turned because of how the camera hangs: 0 or 180. Not in the keys of the
 * above (pipeline_set_mounting): add it where a point of a picture is meant. */
int request_source_rotation(struct camera *cam);
/* The key as it is painted: with that. */
struct rendition_key request_painted_key(struct camera *cam, const struct rendition_key *asked);
/* A point of the newest frame as one of the sensor's picture: steadied frames show less. */
void request_frame_to_sensor(struct camera *cam, double *x, double *y);

#endif
