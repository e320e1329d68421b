/* One encoding that is being cut into segments, with its sound, for all who watch it by HTTP Live
 * Streaming. It ends by itself when nobody has asked for anything for a while, or the stream has
 * ended. Loop-bound. */
#ifndef API_HLS_SHOW_H
#define API_HLS_SHOW_H

#include <stdbool.h>

#include "api/hls/segments.h"
#include "api/hls/watchers.h"
#include "base/list.h"
#include "base/loop.h"
#include "media/encode.h"
#include "media/mux.h"
#include "media/sound_encode.h"
#include "media/stream.h"

struct camera;
struct fault;
struct feed;
struct show;

#define SHOW_ID_BYTES 16
#define SHOW_ID_LEN (2 * SHOW_ID_BYTES)

struct show_hooks {
    void (*changed)(struct show *s); /* what players are told has */
    void (*ends)(struct show *s);    /* it is freed after this: nobody may wait for it any more */
};

struct show {
    struct list in_door; /* the door's */
    struct list waiting; /* the door's: while anybody waits it does not end by itself */
    struct camera *cam;
    const struct show_hooks *hooks;
    char id[SHOW_ID_LEN + 1];
    struct encoding encoding;
    bool audio;
    struct sound_encoding sound_encoding; /* with audio */
    struct feed *feed, *sound;            /* sound NULL: none */
    struct cursor *cursor, *ear;
    struct packet *heard; /* the next of the sound, if it is here already */
    struct stream_wake wake;
    struct loop_post woken;
    struct loop_timer rest;
    struct watchers watchers;
    double fps;
    struct segments segments;
    char codecs[2 * MUX_CODEC_NAME];
    struct blob *opening;     /* what opens the media; NULL: no picture has come */
    struct blob *playlist[2]; /* whole, delta; NULL: has changed since */
};

/* Makes of an encoding one that can be cut: keys come where segments may end, pictures when
 * playlists said that they would. Returns its pictures a second. */
double show_tame(struct camera *cam, struct encoding *e);
/* e: tame. sound: NULL: none. NULL: with the reason. */
struct show *show_new(struct camera *cam, const struct show_hooks *hooks, const struct encoding *e,
                      const struct sound_encoding *sound, double fps, struct fault *why);
void show_free(struct show *s);
/* All that was cut so far is had no more. */
void show_forget(struct show *s);

/* Its playlists as they now are. A new reference; NULL: out of memory. */
struct blob *show_master(struct show *s);
struct blob *show_playlist(struct show *s, bool skip);

#endif
