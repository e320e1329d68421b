/* The virtual microphone: what the world sounds like where the camera hangs. A pure function of
 * place, seed, scenario, what the stage was told, where the head looks, and time: the same blocks
 * however often and in whatever order they are asked for.
 *
 * Steps of who walks, engines and tyres, talk of who stands, wind, rain, a hum, a bell far away,
 * knocks at the housing and the stage's clap. Nearer is louder, ahead a little louder than
 * behind. Its second input, at line level, carries a tone of 1000 Hz. The sound thread. */
#ifndef DEVICE_VIRTUAL_SOUND_MIC_H
#define DEVICE_VIRTUAL_SOUND_MIC_H

#include <stdbool.h>
#include <stdint.h>

#include "device/ports.h"
#include "device/virtual/vec.h"

struct cast;
struct stage;

struct virtual_ears { /* borrowed; must outlive it */
    struct cast *cast;
    struct stage *stage;
    struct head *head; /* NULL: it looks nowhere */
    struct vec at;     /* where they are, world metres */
    bool indoor;
};
struct mic *virtual_mic_new(const struct virtual_ears *ears, uint64_t seed); /* NULL: no memory */
struct mic *virtual_mic_free(struct mic *m);                                 /* NULL-safe */

#endif
