#include "device/virtual/camera/silicon.h"

#include <math.h>
#include <string.h>

#define NARROW_F 4.0 /* that the sensitivity is told for */

void silicon_expose(int64_t exposure_ns, double f_number, double gain_db, struct silicon *ret)
{
    double open = NARROW_F / f_number, amplify = pow(10, gain_db / 20);
    *ret = (struct silicon){.light = SILICON_SENSITIVITY * (double)exposure_ns / 1e6 * open * open *
                                     amplify,
                            .amplify = amplify,
                            .range = 1,
                            .red = 1,
                            .blue = 1};
}

/* What the long exposure can no longer tell comes from the short one, with its own noise. */
double silicon_noise(const struct silicon *s, double light)
{
    double shorter = light < 1 ? 1 : s->range, per = SILICON_FULL_WELL / s->amplify / shorter;
    double behind = SILICON_READ_BEHIND / s->amplify;
    double read2 = SILICON_READ * SILICON_READ + behind * behind;
    return sqrt(fmax(light, 0) * per + read2) / per * (1 + s->noisier);
}

double tone_signal(const struct tone *t, double light)
{
    double least = exp2(TONE_LEAST_LOG2);
    if (!(light > least))
        return fmax(light, 0) / least * (double)t->signal[0];
    double at = (log2(light) - TONE_LEAST_LOG2) * TONE_STEPS;
    int i = at < TONE_POINTS - 1 ? (int)at : TONE_POINTS - 2;
    double k = fmin(at - i, 1);
    return (double)t->signal[i] + (double)(t->signal[i + 1] - t->signal[i]) * k;
}

void silicon_curve(const struct silicon *s, const struct tone *t, double unit,
                   struct sensor_curve *ret)
{
    const double balance[3] = {s->red, 1, s->blue};
    double per_sample = s->light / unit;
    memset(ret, 0, sizeof(*ret));
    ret->clip = (float)fmin(s->range / per_sample, 65535);
    for (int k = 0; k < 3; k++) {
        int before = 0;
        for (int i = 0; i < (t->local ? CURVE_POINTS : CURVE_PLAIN); i++) {
            double sample = exp2(i / CURVE_SPLIT) * (CURVE_SPLIT + i % CURVE_SPLIT) - CURVE_SPLIT;
            /* With local gains light is clipped before them, not here. */
            double light = sample * per_sample;
            light = (t->local ? light : fmin(light, s->range)) * balance[k];
            int now = (int)lrint(fmin(fmax(tone_signal(t, light), 0), 1) * CURVE_FULL);
            if (i > 0)
                ret->at[k][i - 1] = (uint32_t)before << 16 | (uint16_t)(now - before);
            before = now;
        }
    }
}

/* The light that gives a signal. */
static double light_for(const struct tone *t, double signal)
{
    double lo = TONE_LEAST_LOG2 - 4, hi = TONE_LEAST_LOG2 + (TONE_POINTS - 1.0) / TONE_STEPS;
    for (int i = 0; i < 30; i++) {
        double middle = (lo + hi) / 2;
        if (tone_signal(t, exp2(middle)) < signal)
            lo = middle;
        else
            hi = middle;
    }
    return exp2(lo);
}

/* What noise of a sigma of 1 in each colour gives in luma and chroma: lengths of the rows of
 * the colour matrix; four pixels share a sample of chroma. */
static void matrix_lengths(const struct silicon *s, double *luma, double chroma[2])
{
    const double k[3] = {0.2126, 0.7152, 0.0722}, balance[3] = {s->red, 1, s->blue};
    double sum = 0, blue = 0, red = 0;
    for (int i = 0; i < 3; i++) {
        double b = (i == 2) - k[i], r = (i == 0) - k[i];
        sum += k[i] * k[i] * balance[i] * balance[i];
        blue += b * b * balance[i] * balance[i];
        red += r * r * balance[i] * balance[i];
    }
    *luma = 219 * sqrt(sum);
    chroma[0] = 224 / 1.8556 * sqrt(blue) / 2;
    chroma[1] = 224 / 1.5748 * sqrt(red) / 2;
}

static void grain(const struct silicon *s, const struct tone *t, const double light[NOISE_POINTS],
                  double gain, struct sensor_noise *ret)
{
    double luma, chroma[2];
    matrix_lengths(s, &luma, chroma);
    for (int i = 0; i < NOISE_POINTS; i++) {
        double seen = light[i] / gain, sigma = silicon_noise(s, seen) * gain;
        /* What it does to the signal, on both sides: curves bend, and end at black. */
        double low = fmax(light[i] - sigma, 0), high = light[i] + sigma;
        double moved = (tone_signal(t, high) - tone_signal(t, low)) * sigma / (high - low);
        if (seen > s->range * 0.999) /* what clips is even */
            moved = 0;
        ret->at[i] = (int16_t)lrint(fmin(moved * luma * DEVELOPED_STEPS * 256 / 32, 32767));
    }
    for (int i = 0; i < 2; i++)
        ret->chroma[i] = (int16_t)lrint(fmin(32768 * chroma[i] / luma, 32767));
    double most = s->range * gain, white = 0.2126 * tone_signal(t, most * s->red) +
                                           0.7152 * tone_signal(t, most) +
                                           0.0722 * tone_signal(t, most * s->blue);
    ret->white = (int16_t)lrint((16 + 219 * fmin(white, 1)) * DEVELOPED_STEPS - 2);
}

void silicon_grains(const struct silicon *s, const struct tone *t, struct sensor_noise ret[GRAINS])
{
    double light[NOISE_POINTS];
    for (int i = 0; i < NOISE_POINTS; i++) {
        double signal = (i * NOISE_SPLIT / (double)DEVELOPED_STEPS - 16) / 219;
        light[i] = signal > 0 ? light_for(t, fmin(signal, 1)) : 0;
    }
    for (int i = 0; i < GRAINS; i++)
        if (i == GRAIN_PLAIN || t->local)
            grain(s, t, light, exp2((i - GRAIN_PLAIN) / 4.0), &ret[i]);
}
