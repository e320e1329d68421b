/* The truth as JSON: made on a job thread, from what was found out on the loop. */
#ifndef API_STAGE_TRUTH_TELL_H
#define API_STAGE_TRUTH_TELL_H

#include <stdint.h>

#include "base/json.h"
#include "device/virtual/cast/story.h"
#include "device/virtual/world.h"
#include "media/rendition.h"

struct clock;
struct source;
struct views;

struct telling {
    struct world *world;
    struct cast *cast;
    struct clock *clock;
    struct source *source; /* knows which part of the sensor's picture was shown */
    struct views *views;   /* what its channel shows; NULL: the whole */
    double aspect;
    struct rendition_key key; /* of the picture whose viewBox is told */
};

/* Everything about one picture; `story` NULL: without lines and areas. NULL: no memory. */
json_t *truth_of_shot(const struct telling *t, const struct truth_shot *shot, struct story *story);
/* Short form, for exports: serial, utc, pose, objects. */
json_t *truth_of_frame(const struct telling *t, const struct truth_shot *shot);
/* What happened with from_ns < at ≤ to_ns (world time), at most `most` events. */
json_t *truth_of_events(const struct telling *t, struct story *story, int64_t from_ns,
                        int64_t to_ns, size_t most);

#endif
