/* What the doors reach: one struct of pointers, filled in by main. Doors translate
 * and call; they keep no state of the camera's own. Loop-bound. */
#ifndef API_CAMERA_H
#define API_CAMERA_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct conf;
struct control_queue;
struct deliver;
struct device;
struct ear;
struct events;
struct eye;
struct file_port;
struct guard_tours;
struct home_timeout;
struct identity_info;
struct jobs;
struct loop;
struct mouth;
struct overlay_pictures;
struct overlays;
struct pipeline;
struct presets;
struct ptz;
struct recorded_tours;
struct room;
struct server;
struct sounds;
struct source;
struct trust;
struct truth_door;
struct views;

struct camera {
    struct loop *loop;
    struct clock *clock;
    struct jobs *jobs;
    struct conf *conf;
    struct file_port *files; /* the state folder */
    struct events *events;
    struct server *server;
    struct trust *trust;
    struct device *device; /* device->world: only with the virtual camera */
    struct source *source;
    struct pipeline *pipeline;
    struct sounds *sounds;
    struct ear *ear;
    struct mouth *mouth;
    struct ptz *ptz;
    struct control_queue *control; /* who may move it */
    struct presets *presets;
    struct views *views; /* ptz/views.h; may be NULL: none */
    struct guard_tours *guard_tours;
    struct recorded_tours *recorded_tours;
    struct home_timeout *home_timeout;
    struct eye *eye;
    struct overlays *overlays;                 /* image/overlay.h */
    struct overlay_pictures *overlay_pictures; /* image/overlay_pictures.h; NULL: none */
    struct deliver *deliver;
    struct truth_door *truth; /* NULL: not the virtual camera */
    const struct identity_info *identity;
    struct room *brand_room, *time_room, *image_room, *profile_room, *overlay_room;
    struct room *rtp_room;   /* api/rtsp/settings.h; may be NULL: no multicast */
    struct room *ptz_room;   /* may be NULL: defaults */
    struct room *views_room; /* ptz/views.h; NULL: no view areas */
    struct room *eye_room;   /* image/settings.h */
    struct room *audio_room; /* sound/settings.h; may be NULL: no sound */
    struct room *mask_room;  /* image/mask_settings.h */
    struct room *hls_room;   /* api/hls/settings.h; may be NULL: private */
    int http_port, https_port, rtsp_port, rtsps_port;
    int64_t started_utc_ns;
    const char *web_dir; /* the built web page */
    bool restart;        /* set before loop_stop(): the program begins anew instead of ending */
};

#endif
