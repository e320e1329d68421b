/* Who watches one show of HTTP Live Streaming. There is no connection that would tell: a viewer is
 * whoever asks with one login from one address with one program, and has left when nothing was
 * asked for a while. Each counts as a viewer in deliver. Loop-bound. */
#ifndef API_HLS_WATCHERS_H
#define API_HLS_WATCHERS_H

#include <stdint.h>

#include "base/list.h"

struct deliver;
struct exchange;
struct fault;
struct feed;
struct watcher;

struct watchers {
    struct list all;
    struct deliver *deliver;
    struct feed *pictures, *sound; /* borrowed; sound NULL: none */
};

void watchers_init(struct watchers *w, struct deliver *d, struct feed *pictures,
                   struct feed *sound);
void watchers_done(struct watchers *w);
/* Who asks; a new one when it has not been there. NULL: there are as many viewers as there may be,
 * or out of memory. */
struct watcher *watchers_meet(struct watchers *w, const struct exchange *ex, int64_t now_ns,
                              struct fault *why);
void watcher_got(struct watcher *one, uint64_t bytes); /* NULL-safe */
/* Those that have asked for nothing since then have left. */
void watchers_leave(struct watchers *w, int64_t since_ns);

#endif
