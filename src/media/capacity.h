/* How many pictures a second this machine codes, before it has tried: an estimate from what a
 * JPEG picture costs its processor, and from how many times dearer the live presets of the other
 * codecs are. What a scene holds makes a factor of two or three; pace.h puts right what proves
 * wrong. The JPEG is measured when it is first asked (some milliseconds) and never again on the
 * same processor, if there is a place to keep it: clients are told by it what the camera can do,
 * which must not change from start to start because another program ran beside it. Any thread. */
#ifndef MEDIA_CAPACITY_H
#define MEDIA_CAPACITY_H

#include "media/stream.h"

struct file_port;

/* cores: how many of the machine's may be counted on; 0: all. An encoder of the machine's own is
 * taken to keep up with anything. */
double capacity_fps(enum codec codec, int width, int height, double cores);

/* How many times dearer H.265 is with more effort (encode.h). */
#define CAPACITY_THOROUGH 1.7

/* The measure: nanoseconds of CPU a pixel of a small JPEG picture; 0: it cannot be said. */
double capacity_jpeg_ns(void);

/* Takes what was measured earlier from CAPACITY_FILE, or puts it there when it is measured. The
 * port outlives all questions. Before the first question; another port later begins anew. */
#define CAPACITY_FILE "capacity.json"
void capacity_keep(struct file_port *files);

#endif
