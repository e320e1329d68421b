/* Pictures out of a video file (libav), for the file source. Reads through a
 * descriptor so that it works after privileges were dropped. Owner thread. */
#ifndef MEDIA_DEMUX_H
#define MEDIA_DEMUX_H

#include <stdint.h>

#include "media/picture.h"

struct fault;
struct demux;

struct demux_info {
    int width, height;
    double fps;
    enum colour_matrix matrix;
    enum colour_range range;
};
int demux_open(int take_fd, struct demux **ret_d, struct demux_info *ret_info, struct fault *why);
struct demux *demux_close(struct demux *d);
/* The next picture, converted to 8-bit 4:2:0 into `into` (same size as info), and
 * its time within the file. -ENODATA at the end; other negative errno: broken. */
int demux_next(struct demux *d, struct picture *into, int64_t *ret_time_ns);
int demux_rewind(struct demux *d);

#endif
