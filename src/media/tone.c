#include "media/tone.h"

#include <math.h>
#include <string.h>

#define KNEE 0.7

static double transfer(double light) /* ITU-R BT.709-6, 1.2 */
{
    return light < 0.018 ? 4.5 * light : 1.099 * pow(light, 0.45) - 0.099;
}

void tone_plain(struct tone *ret)
{
    memset(ret, 0, sizeof(*ret));
    for (int i = 0; i < TONE_POINTS; i++) {
        double light = exp2((double)i / TONE_STEPS + TONE_LEAST_LOG2);
        if (light > KNEE) {
            double left = 1 - fmin((light - KNEE) * 0.25 / (1 - KNEE), 1);
            light = KNEE + (1 - left * left * left * left) * (1 - KNEE);
        }
        ret->signal[i] = (float)fmin(transfer(light), 1);
    }
}
