/* The ear: from a microphone to the sound that all listen to. Chooses the input, brings it to the
 * camera's own rate and clock, makes it louder or softer, mutes it, and measures it.
 *
 * take() and demand() are hooks of media's sounds: the sound thread. All else: any thread. */
#ifndef SOUND_EAR_H
#define SOUND_EAR_H

#include <stdbool.h>

struct ear;
struct mic;
struct room;
struct sound;

struct ear *ear_new(struct mic *mic /* NULL: silence */, struct room *settings);
struct ear *ear_free(struct ear *e);
bool ear_take(struct sound *ret, void *ear);
void ear_demand(bool wanted, void *ear);
/* While so, silence is heard (half duplex: somebody talks). */
void ear_cover(struct ear *e, bool covered);

struct ear_level {
    double rms_db, peak_db; /* of the newest block, after gain and mute; −100: silence */
    bool signal;            /* the input gives something */
};
void ear_level(struct ear *e, struct ear_level *ret);
int ear_inputs(struct ear *e); /* 0: there is no microphone */

#endif
