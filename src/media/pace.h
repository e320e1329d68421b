/* Whether an encoder keeps up. One that loses pictures at random is given fewer instead, at an
 * even step: every second one, every third. After a while without loss it is tried with more.
 * Owner thread: the encoder's. */
#ifndef MEDIA_PACE_H
#define MEDIA_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    int64_t began_ns, since_ns; /* of this count; since when nothing is lost */
    uint64_t lost, coded;       /* lost: when it began */
    int step;                   /* every n-th picture of the source */
    bool running;
};

/* After each picture coded; lost: pictures that it was too slow for, in all. Zeroed before the
 * first, but for a step that it begins with. The step from now on. */
int pace_picture(struct pace *p, int64_t now_ns, uint64_t lost, double source_fps);

#endif
