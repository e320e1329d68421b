/* Microphone and loudspeaker by ALSA. Opened before privileges are dropped, and kept open: rights
 * may be gone later. A device that is lost is silent until the program starts anew. */
#ifndef DEVICE_ALSA_ALSA_H
#define DEVICE_ALSA_ALSA_H

struct alsa;
struct clock;
struct fault;
struct mic;
struct speaker;

/* "NAME" for both, or "MICROPHONE,LOUDSPEAKER"; an empty one: none. NULL with the reason. */
struct alsa *alsa_open(const char *names, struct clock *clock, struct fault *why);
struct alsa *alsa_close(struct alsa *a); /* NULL-safe */
struct mic *alsa_mic(struct alsa *a);    /* NULL: none */
struct speaker *alsa_speaker(struct alsa *a);

#endif
