/* The mouth: what somebody says, played by the loudspeaker.
 *
 * One talks at a time. What arrives is decoded, gathered until ReceiverBuffer is full, and played
 * in blocks of 20 ms by the clock; where something is missing there is silence, what comes faster
 * than it can be played is left out. Who says nothing for ReceiverTimeout loses the word. The
 * duplex mode decides who may: "get" nobody; with "half" the ear is covered meanwhile.
 * Loop-bound. */
#ifndef SOUND_MOUTH_H
#define SOUND_MOUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/sound_decode.h"

struct ear;
struct fault;
struct loop;
struct mouth;
struct room;
struct speaker;
struct talk;

struct mouth *mouth_new(struct loop *loop, struct speaker *speaker /* NULL: there is none */,
                        struct ear *ear, struct room *settings);
struct mouth *mouth_free(struct mouth *m); /* after all talks have ended */
bool mouth_may(
    const struct mouth *m); /* there is a loudspeaker, and the settings let one talk; NULL: no */

/* FAULT_BUSY: somebody else talks; FAULT_DENIED: the duplex mode, or there is no sound;
 * FAULT_UNSUPPORTED: no loudspeaker. lost() (may be NULL) is called when the word was lost by
 * silence or settings; the talk is to be ended then, too. */
int mouth_talk(struct mouth *m, const char *user, void (*lost)(struct talk *t, void *arg),
               void *arg, struct talk **ret_talk, struct fault *why);
struct talk *talk_end(struct talk *t); /* NULL-safe, returns NULL; what was said is played */
/* From here on it is coded so; a decoder is made when something comes. Cheap when nothing
 * changed. */
void talk_code(struct talk *t, const struct sound_code *code);
/* So many samples of SOUND_HZ can be said before some are left out. */
size_t talk_room(const struct talk *t);
/* One coded packet. False: it is damaged, or there is no decoder for it. */
bool talk_say(struct talk *t, const uint8_t *bytes, size_t len);

struct mouth_state {
    bool exists, talking;
    char user[65];
    double rms_db; /* of what is played; −100: silence */
};
void mouth_state(const struct mouth *m, struct mouth_state *ret);

#endif
