/* The virtual loudspeaker: what it played in the last half minute can be read back. Loop-bound. */
#ifndef DEVICE_VIRTUAL_SOUND_SPEAKER_H
#define DEVICE_VIRTUAL_SOUND_SPEAKER_H

#include <stdint.h>

#include "device/ports.h"

#define SPEAKER_KEPT_S 30

struct speaker *virtual_speaker_new(void); /* NULL: out of memory */
struct speaker *virtual_speaker_free(struct speaker *s);
/* The samples of [from_ns, from_ns + n samples): silence where nothing was played. */
void virtual_speaker_read(struct speaker *s, int64_t from_ns, int16_t *ret, size_t n);
/* When it last played; INT64_MIN: never. */
int64_t virtual_speaker_last(struct speaker *s);

#endif
