/* Overlays: what the camera writes upon its pictures. Text with modifiers, pictures, a
 * streaming indicator, a compass.
 *
 * Settings are parameters (overlay_settings.h). What is painted lies ready as sprites and is
 * made anew only when it looks different; a picture then costs what its spans cost to blend.
 * paint, paints, layout: any thread; the rest: loop. */
#ifndef IMAGE_OVERLAY_H
#define IMAGE_OVERLAY_H

#include <stdbool.h>

#include "image/overlay_settings.h"
#include "image/overlay_text.h"
#include "media/rendition.h"
#include "media/stream.h"

struct file_port;
struct loop;
struct overlay_pictures;
struct overlays;
struct room;

struct overlays_hooks {
    /* Seconds east of UTC, and the zone's name then ("CEST"); any thread. May be NULL: UTC. */
    long (*local_time)(int64_t utc_ns, char *ret_zone, size_t size, void *arg);
    /* Of the names of months and days; constant text, any thread. May be NULL: English. */
    const char *(*language)(void *arg);
    /* Renditions are to be painted anew, or no longer; loop. May be NULL. */
    void (*changed)(void *arg);
    void *arg;
};
/* pictures may be NULL (none). NULL: out of memory. */
struct overlays *overlays_new(struct loop *loop, struct room *room,
                              struct overlay_pictures *pictures,
                              const struct overlays_hooks *hooks);
struct overlays *overlays_free(struct overlays *o);

/* The pipeline's hooks (media/pipeline.h); arg: the overlays. */
int overlays_paint(struct picture *canvas, const struct rendition_key *key,
                   const struct frame_part *part, const struct capture *how,
                   const struct stream_stats *stats, void *arg);
unsigned overlays_paints(const struct rendition_key *key, bool *ret_per_stream, void *arg);

/* Does a change of this parameter change what is painted? */
bool overlays_heed(const char *parameter);

/* What the camera knows of itself; the preset stays as it is. */
void overlays_set_facts(struct overlays *o, const struct overlay_facts *facts);
void overlays_facts(struct overlays *o, struct overlay_facts *ret);
/* The preset it stands at (#p, #P); 0: none. */
void overlays_set_preset(struct overlays *o, int number, const char *name);

/* Names at bearings of the compass: the presets. All of them, each time; copied. */
struct compass_mark {
    char name[64];
    double pan_deg;
};
#define COMPASS_MARKS_MOST 256
void overlays_set_marks(struct overlays *o, const struct compass_mark *marks, size_t n);

/* Event text: slot 0 is #D, 1 … 16 are #D1 … #D16. "" or NULL empties it. It shows in all
 * streams from the next picture on, for so many seconds (0: until it is set again), on the
 * channels whose bits are set (bit 0: channel 1; 0: all). FAULT_INVALID, FAULT_INTERNAL. */
int overlays_set_slot(struct overlays *o, int slot, uint32_t channels, const char *text,
                      double seconds, struct fault *why);
/* What stands there now; copied. */
void overlays_slot(struct overlays *o, int slot, char *ret, size_t size);

/* The streaming indicator for so long, also where it is switched off; and does it show now? */
int overlays_show_mark(struct overlays *o, double seconds, struct fault *why);
bool overlays_mark_shows(struct overlays *o);

/* Where the rows would stand in such a picture: boxes in pixels, width 0: not shown. */
struct overlay_box {
    int x, y, width, height;
};
struct overlay_layout {
    struct overlay_box row[OVERLAYS_MOST], line, mark, compass;
};
void overlays_layout(struct overlays *o, const struct rendition_key *key,
                     const struct frame_part *part, const struct capture *how,
                     struct overlay_layout *ret);

#endif
