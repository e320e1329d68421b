/* Pictures out of a video file or from another camera (libav). A file is read through a
 * descriptor so that it works after privileges were dropped. Owner thread. */
#ifndef MEDIA_DEMUX_H
#define MEDIA_DEMUX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "media/picture.h"

struct clock;
struct fault;
struct demux;

struct demux_info {
    int width, height;
    double fps;
    enum colour_matrix matrix;
    enum colour_range range;
};
/* Another camera: rtsp:, rtsps:, http: or https:. What a server names elsewhere
 * (playlists, references) is not followed. Its certificate is not judged, since cameras
 * sign their own. */
struct demux_network {
    const char *url;     /* with user and password; never told in words of errors */
    bool datagrams;      /* RTSP: pictures as UDP instead of in the connection */
    bool quick;          /* the rate need not be found out: a second or two sooner */
    struct clock *clock; /* real */
    int64_t timeout_ns;  /* no picture for so long: lost. To connect it takes twice that at most */
    /* Asked while it waits; true ends the wait with an error. Owner thread. */
    bool (*given_up)(void *arg);
    void *arg;
};
/* Blocks until the first packets have said what the picture is. */
int demux_open_network(const struct demux_network *how, struct demux **ret_d,
                       struct demux_info *ret_info, struct fault *why);
int demux_open(int take_fd, struct demux **ret_d, struct demux_info *ret_info, struct fault *why);
struct demux *demux_close(struct demux *d);
/* The next picture, converted to 8-bit 4:2:0 into `into` (same size as info), and
 * its time within the file. -ENODATA at the end; -ETIMEDOUT: nothing comes any more, or given
 * up; other negative errno: broken. */
int demux_next(struct demux *d, struct picture *into, int64_t *ret_time_ns);
int demux_rewind(struct demux *d);
/* Sound that lies between the pictures, as demux_next() comes past it: samples of SOUND_HZ
 * (sound.h), one channel, and the time of the first one, counted as the pictures' times are. False:
 * there is none. */
bool demux_on_sound(struct demux *d, const atomic_bool *wanted /* else it is passed over */,
                    void (*heard)(void *arg, const int16_t *sample, int n, int64_t time_ns),
                    void *arg);

#endif
