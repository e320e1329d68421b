/* The truth: what a picture shows, as the virtual world knows it. Registers its rows at
 * the gate; freed after the gate. Loop-bound. */
#ifndef API_STAGE_TRUTH_H
#define API_STAGE_TRUTH_H

#include <stdint.h>

#include "base/json.h"

struct camera;
struct gate;
struct truth_door;

struct truth_door *truth_door_new(struct camera *cam, struct gate *g); /* NULL: out of memory */
struct truth_door *truth_door_free(struct truth_door *d);

/* The truth of the newest picture, as GET /vedette/stage/truth tells it, a little later:
 * done() on the loop with a borrowed object, or NULL. -EBUSY: too many are asking. */
int truth_ask_newest(struct truth_door *d, void (*done)(json_t *truth, void *arg), void *arg);
/* Of the picture that it would be. */
uint64_t truth_newest_serial(struct truth_door *d);

#endif
