/* View areas: channels 2 … VIEWS_MOST, each a part of the picture (channel 1 is all of it), with
 * a name and, where it is wanted, digital pan, tilt and zoom within its part.
 *
 * What is shown is cut from the developed frame, so that privacy masks hold in each. A channel's
 * own ptz (ptz.h) moves a digital head (device/digital/head.h) whose picture is the area: its
 * 60° are the width of the area, whatever the lens sees. Settings are parameters Image.I#.* and
 * PTZ.ImageSource.I#.PTZEnabled, # being the channel − 1. Loop-bound but for views_parts(). */
#ifndef PTZ_VIEWS_H
#define PTZ_VIEWS_H

#include <stdbool.h>
#include <stdint.h>

#include "media/frame.h"

struct conf;
struct events;
struct fault;
struct loop;
struct presets;
struct ptz;
struct room;
struct room_desc;
struct views;

#define VIEW_LEAST 0.0625 /* of the picture, each way */
#define VIEW_NAME_SIZE 65
#define VIEW_STANDARD ((struct frame_part){0.25, 0.25, 0.5, 0.5}) /* of a new one */

struct view_settings {
    bool enabled;
    char name[VIEW_NAME_SIZE];
    int source, ptz;            /* ptz: 0, 1 */
    double x, y, width, height; /* 0…1, from the top left of the picture as it is seen upright */
};
struct views_settings {
    struct view_settings view[VIEWS_MOST]; /* [channel - 1]; of channel 1 only name and source */
};
extern const struct room_desc views_room_desc;

/* NULL: out of memory. */
struct views *views_new(struct loop *loop, struct room *room);
struct views *views_free(struct views *v);
/* Each area's presets (rooms[channel - 1] is of presets_room(channel)), and events of its moves.
 * After conf_load(). 0 or -ENOMEM. */
int views_open_presets(struct views *v, struct conf *conf, struct room *const rooms[VIEWS_MOST],
                       struct events *events);
/* Parameters have changed. */
void views_settings_changed(struct views *v);
/* The camera hangs the other way up: frames stand on their head, pictures do not. */
void views_set_turned(struct views *v, bool turned);

/* v may be NULL here: then there is channel 1. */
bool views_have(const struct views *v, int channel);
/* FAULT_UNKNOWN, which says what channels there are. */
int views_require(const struct views *v, int channel, struct fault *why);

/* Its digital pan, tilt and zoom; NULL: it has none, or is not there (or is channel 1). */
struct ptz *views_ptz(struct views *v, int channel);
struct presets *views_presets(struct views *v, int channel); /* of those that move; or NULL */
/* All of the area, as its settings say, clipped to the picture. */
void views_area(const struct views_settings *s, int channel, struct frame_part *ret);
/* What each channel shows of a frame taken then, [channel - 1]. Any thread. */
void views_parts(struct views *v, int64_t time_ns, struct frame_part part[VIEWS_MOST]);

#endif
