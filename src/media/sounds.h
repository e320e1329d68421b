/* From the microphone to streams: who listens to what, shared.
 *
 * One thread takes a block of sound each 20 ms while anybody wants sound, and codes it for each
 * distinct encoding. Equal requests share. A coder lingers 5 s after its last user. Nothing runs
 * that nobody listens to. Loop-bound; the hooks come on the sound thread. */
#ifndef MEDIA_SOUNDS_H
#define MEDIA_SOUNDS_H

#include <stdbool.h>

#include "media/feed.h"
#include "media/sound_encode.h"

struct fault;
struct loop;
struct sound;
struct sounds;

struct sounds_hooks {
    /* What was heard in the block that begins at ret->time_ns, which has passed; a device that is
     * late sets when the block really began, and is asked again for what else it has. Where
     * nothing is heard: silence. False: nothing yet, it will come. */
    bool (*take)(struct sound *ret, void *arg);
    void (*demand)(bool wanted, void *arg); /* sound is wanted, or no longer */
    void *arg;
};

struct sounds *sounds_new(struct loop *loop, const struct sounds_hooks *hooks);
struct sounds *sounds_free(struct sounds *s); /* after all feeds are closed */
/* Starts a coder unless there is one. FAULT_LIMIT when there are too many. */
int sounds_open(struct sounds *s, const struct sound_encoding *e, struct feed **ret_feed,
                struct fault *why);
/* Sound is taken for some seconds from now on, also when nobody listens: for a level that is
 * shown. */
void sounds_keep(struct sounds *s);

struct sounds_stats {
    unsigned coders, feeds;
    uint64_t blocks;
};
void sounds_stats(struct sounds *s, struct sounds_stats *ret);

#endif
