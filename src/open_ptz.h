/* A part of the composition root: what moves the head, connected with the eye and the overlays.
 * Loop-bound. */
#ifndef OPEN_PTZ_H
#define OPEN_PTZ_H

#include <stddef.h>
#include <stdint.h>

#include "media/frame.h"

struct camera;
struct fault;
struct room;

struct ptz_rooms {
    struct room *limits; /* NULL: there is no head */
    struct room *queue, *guard, *recorded;
    struct room *presets[VIEWS_MOST]; /* [channel - 1] */
};
/* The device is open; before conf_load(). */
int ptz_add_rooms(struct camera *c, struct ptz_rooms *r, struct fault *why);
/* Head, eye and overlays are there. seed: of random tours. */
int open_ptz(struct camera *c, const struct ptz_rooms *r, uint64_t seed, struct fault *why);
void close_ptz(struct camera *c);
/* These parameters have changed. */
void ptz_heed(struct camera *c, const struct ptz_rooms *r, const char *const *names, size_t n);

#endif
