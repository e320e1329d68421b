/* Overlays: text with modifiers, painted onto renditions (pango + cairo).
 *
 * Settings come as parameter rows (Image.I0.Text.*). Modifiers: %-forms of
 * strftime by the camera's time zone, #r #R frame rate, #b #B bitrate (of the one
 * stream), #x #y pan and tilt, #Z magnification, #s serial, %% percent. The text is laid out
 * only when it changed. paint: rendition threads; the rest: loop. */
#ifndef IMAGE_OVERLAY_H
#define IMAGE_OVERLAY_H

#include <stdbool.h>

#include "media/rendition.h"
#include "media/stream.h"

struct fault;
struct overlays;
struct room;
struct room_desc;

extern const struct room_desc overlay_room_desc;

/* tz_offset: seconds east of UTC at a moment; a hook that main connects; any thread. */
struct overlays *overlays_new(struct room *room, long (*tz_offset)(int64_t utc_ns, void *arg),
                              void *arg);
struct overlays *overlays_free(struct overlays *o);
/* The pipeline's hooks (media/pipeline.h); arg: the overlays. */
bool overlays_paint(struct picture *canvas, const struct rendition_key *key,
                    const struct capture *how, const struct stream_stats *stats, void *arg);
bool overlays_paints(const struct rendition_key *key, bool *ret_per_stream, void *arg);

/* Expands modifiers; exposed for tests. tz_offset_s: seconds east of UTC. */
void overlay_expand(const char *text, const struct capture *how, const struct stream_stats *stats,
                    long tz_offset_s, char *ret, int size);

#endif
