/* What things sound like, added into a block: pure functions of their arguments, so that any
 * block can be made again. Times in seconds; amplitude 1 is the loudest that can be said. */
#ifndef DEVICE_VIRTUAL_SOUND_TONES_H
#define DEVICE_VIRTUAL_SOUND_TONES_H

#include <stdint.h>

#include "media/sound.h"

struct block {
    double start_s; /* of the first sample */
    float sample[SOUND_BLOCK];
};

/* Amplitudes at the block's start and end; between them it goes evenly. */
struct swell {
    double from, to;
};

/* Noise that changes about `hz` times a second, −1 … 1. */
double tone_noise(uint64_t seed, double hz, double time_s);
/* A sine that dies away: a knock, a bell. */
void tone_ring(struct block *b, double at_s, double hz, double dies_s, double amplitude);
/* A burst of noise that dies away. */
void tone_burst(struct block *b, uint64_t seed, double at_s, double hz, double dies_s,
                double amplitude);
void tone_hiss(struct block *b, uint64_t seed, double hz, struct swell amplitude);
/* n firings a turn; the turns at the block's start and end (n a whole number, so that whole turns
 * may be left out). */
void tone_engine(struct block *b, double turns_from, double turns_to, int n,
                 struct swell amplitude);
void tone_wind(struct block *b, uint64_t seed, double metres_s);
void tone_rain(struct block *b, uint64_t seed, double mm_h);
/* Somebody talks: syllables without a meaning. pitch_hz: 90 (a man) … 220 (a woman). */
void tone_voice(struct block *b, uint64_t seed, double pitch_hz, double amplitude);

#endif
