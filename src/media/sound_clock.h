/* Brings what a device hears to the camera's own clock (sound.h): its rate, its channels, and
 * the drift of its clock against ours. Owner thread. */
#ifndef MEDIA_SOUND_CLOCK_H
#define MEDIA_SOUND_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sound;
struct sound_clock;

struct sound_run {
    int64_t time_ns; /* of the first sample */
    double rate_hz;  /* real: estimated */
    int channels;    /* 1 or 2 */
    size_t frames;
};

struct sound_clock *sound_clock_new(void); /* NULL: out of memory */
struct sound_clock *sound_clock_free(struct sound_clock *c);
void sound_clock_reset(struct sound_clock *c); /* NULL-safe: forgets all */
/* Interleaved samples. Runs follow one another; a gap is filled with silence, an overlap is left
 * out, once it is larger than 100 ms: below that the rate is bent until both clocks agree. */
int sound_clock_put(struct sound_clock *c, const int16_t *sample, const struct sound_run *run);
/* The next block; ret->time_ns, when it was asked for, becomes when it really began (a device is
 * late). Blocks follow one another without a gap unless the device's did not. False: there is
 * none yet; the samples are silence. */
bool sound_clock_get(struct sound_clock *c, struct sound *ret);

#endif
