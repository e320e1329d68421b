/* Sound inside the camera: one channel of 16-bit samples, 48,000 a second, in blocks of 20 ms
 * that lie on the clock: block k begins k · 20 ms after its start. What listens at another rate
 * converts. Plain values. */
#ifndef MEDIA_SOUND_H
#define MEDIA_SOUND_H

#include <stdint.h>

#define SOUND_HZ 48000
#define SOUND_BLOCK 960 /* samples */
#define SOUND_BLOCK_NS INT64_C(20000000)

struct sound {
    int64_t time_ns; /* of the first sample; monotonic */
    int16_t sample[SOUND_BLOCK];
};

#endif
