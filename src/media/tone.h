/* A tone curve: from linear light to the signal of a picture. Plain value; any thread.
 *
 * Light is measured in what just clips the (long) exposure: 1 is white without an extended
 * range. Samples stand a quarter of a stop apart; between them the signal is straight over
 * log2(light), below the first it is proportional to light. */
#ifndef MEDIA_TONE_H
#define MEDIA_TONE_H

#include <stdbool.h>

#define TONE_POINTS 81
#define TONE_LEAST_LOG2 (-12) /* tone.signal[i] is at light 2^(i/4 - 12): up to 2^8 */
#define TONE_STEPS 4          /* a stop */

/* Gains on the light before the curve, smooth from middle to middle of a cell: what brings
 * dark and bright parts of one picture together. */
#define TONE_ACROSS 32
#define TONE_DOWN 18

struct tone {
    float signal[TONE_POINTS];           /* 0…1, not falling; 1 is white */
    bool local;                          /* false: all gains are 1, and `stops` is not read */
    float stops[TONE_DOWN][TONE_ACROSS]; /* log2 of the gains, −8…+8 */
};

/* BT.709's curve with a soft shoulder for what is above 0.7: the plain camera. */
void tone_plain(struct tone *ret);

#endif
