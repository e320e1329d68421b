/* What the files of this door share. A CGI is a file with its rows and one line in
 * list.def. Loop-bound. */
#ifndef API_VAPIX_DOOR_H
#define API_VAPIX_DOOR_H

#include <stddef.h>

#include "device/ports.h"
#include "net/exchange.h"

struct camera;
struct fault;
struct gate;
struct time_keeper;
struct audio_people;
struct video_viewers;

struct vapix_door {
    struct camera *cam;
    struct gate *gate;
    struct time_keeper *time_keeper;
    struct video_viewers *video; /* of video.c */
    struct audio_people *audio;  /* of audio.c */
    struct sensor_caps sensor;   /* as at the start */
};

struct cgi {
    const struct endpoint *rows; /* arg of serve(): the door */
    size_t n_rows;
    const char *const (*aliases)[2];    /* {path, of path}; ends with {NULL} */
    int (*start)(struct vapix_door *d); /* after the rows were added; may be NULL */
    void (*stop)(struct vapix_door *d);
};
#define CGI(name) extern const struct cgi cgi_##name;
#include "api/vapix/list.def"
#undef CGI
#define CGI_ROWS(table) .rows = (table), .n_rows = sizeof(table) / sizeof *(table)

#define GET_OR_POST (METHOD_GET | METHOD_POST)

/* Arguments of query and body alike, whatever the body's type says. False: malformed,
 * 400 has been replied. */
bool vapix_args(struct exchange *ex);

struct encoding;
struct feed;
struct view_args;
/* The same, then as a request for JPEG pictures; false: the fault has been replied. */
bool vapix_jpeg_args(struct vapix_door *d, struct exchange *ex, struct encoding *ret,
                     struct view_args *ret_view);
/* Pictures on this exchange's connection, until the viewer or the account goes: multipart JPEG,
 * or the pieces of a container that the feed's codec fits into. */
enum video_form { VIDEO_MULTIPART, VIDEO_MP4, VIDEO_MATROSKA };
void video_start(struct vapix_door *d, struct exchange *ex, struct feed *take_feed,
                 struct feed *take_sound /* NULL: none */, const struct view_args *view,
                 enum video_form form);
unsigned video_strangers(struct vapix_door *d); /* who watch so without a name */
/* A status that fits the fault, with its text as a page. */
void vapix_reply_fault(struct exchange *ex, const struct fault *why);
void vapix_reply_text(struct exchange *ex, const char *text);

/* Read-only parameters whose values follow from the camera (facts.c). 0 or -EINVAL:
 * they do not fit into the tree. */
int facts_add(struct camera *cam);
void facts_ports(struct camera *cam);  /* the ports are known */
void facts_codecs(struct camera *cam); /* what the machine codes (pipeline_caps) may be other */
/* The stream profiles of a new camera; a standard size that the source has. */
void factory_settings(struct camera *cam);

#endif
