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

#define WAYS (CURVE_TABLE / CURVE_POINTS) /* from a point to the next */

/* Samples of a colour, and the signal they give. */
struct response {
    const struct tone *tone;
    double per_sample, most, balance; /* light: of a sample, of what clips, of a colour's to it */
};

static double response_at(const struct response *r, double sample)
{
    double light = fmin(sample * r->per_sample, r->most) * r->balance;
    return fmin(fmax(tone_signal(r->tone, light), 0), 1) * CURVE_FULL;
}

static double point_at(int i, double scale)
{
    return (exp2(i / 8) * (1 + i % 8 / 8.0) - 1) * CURVE_LEAST / scale;
}

/* Where a line from a point before the most of all signals to the one after it goes: straight on
 * if the curve ends in a corner, by clipping or at full signal. */
static double on_to(const struct response *r, const double x[2], const double y[2])
{
    double from = x[0], till = x[1];
    bool clips = x[1] * r->per_sample > r->most && x[0] * r->per_sample < r->most;
    if (!(clips || y[1] > CURVE_FULL - 1) || y[1] - y[0] < 1)
        return y[1];
    for (int i = 0; i < 24; i++) {
        double middle = (from + till) / 2;
        if (response_at(r, middle) < y[1] - 0.5)
            from = middle;
        else
            till = middle;
    }
    return y[0] + (y[1] - y[0]) * (x[1] - x[0]) / (till - x[0]);
}

/* Straight lines over a bent curve: between points they are as far below it as above it at them.
 * Where it ends in a corner, by clipping or at full signal, the line goes on straight. */
static void make_points(const struct response *r, double scale, uint16_t at[CURVE_POINTS],
                        uint16_t more[CURVE_POINTS])
{
    double x[CURVE_POINTS + 1], y[CURVE_POINTS + 1], bent[CURVE_POINTS];
    for (int i = 0; i <= CURVE_POINTS; i++) {
        x[i] = point_at(i, scale);
        y[i] = response_at(r, x[i]);
    }
    const double full = y[CURVE_POINTS];
    int last = 0; /* before which the curve ends */
    while (last < CURVE_POINTS && y[last] < full)
        last++;
    for (int i = 0; i < CURVE_POINTS; i++)
        bent[i] = i < last - 1 ? response_at(r, (x[i] + x[i + 1]) / 2) - (y[i] + y[i + 1]) / 2 : 0;
    y[0] += 2 * bent[0]; /* the darkest are better a little too bright than black */
    bent[0] = 0;
    for (int i = 0; i < CURVE_POINTS; i++) {
        double from = y[i], till = y[i + 1], step = (x[i + 1] - x[i]) / WAYS;
        if (i > 0 && i < last)
            from += (bent[i - 1] + bent[i]) / 4;
        if (i + 1 < last)
            till += (bent[i] + bent[i + 1]) / 4;
        else if (i + 1 == last)
            till = on_to(r, x + i, y + i);
        /* Several samples that are one to the curve are seen as their mean. */
        if (step > 1)
            from += (till - from) * (step - 1) / 2 / step / WAYS;
        at[i] = (uint16_t)lrint(fmin(fmax(from, 0), CURVE_FULL));
        more[i] = (uint16_t)lrint(fmin(fmax(till - from, 0), 32767));
    }
}

#define DARK (3 * CURVE_POINTS / 8) /* points: where curves may be too steep for their lines */
#define CLOSE (2 * CURVE_FULL / 219)

/* Whether samples become about their signals. Black may be a little more, so that steep curves
 * have no dark specks. */
static bool close_enough(const struct response *r, double scale, const uint16_t at[CURVE_POINTS],
                         const uint16_t more[CURVE_POINTS])
{
    for (int i = 0; i < DARK * 4; i++) {
        double from = point_at(i / 4, scale), till = point_at(i / 4 + 1, scale);
        double sample = from + (till - from) * (i % 4) / 4;
        if (sample >= 1 && sample * r->per_sample < r->most &&
            fabs(fmin(at[i / 4] + more[i / 4] * (i % 4 / 4.0), CURVE_FULL) -
                 response_at(r, sample)) > CLOSE)
            return false;
    }
    return true;
}

static void make_gained(const struct response *r, uint32_t to[GAINED_POINTS])
{
    int before = 0;
    for (int i = 0; i < GAINED_POINTS; i++) {
        double sample = exp2(i / GAINED_SPLIT) * (GAINED_SPLIT + i % GAINED_SPLIT) - GAINED_SPLIT;
        int now = (int)lrint(response_at(r, sample));
        if (i > 0)
            to[i - 1] = (uint32_t)before << 16 | (uint16_t)(now - before);
        before = now;
    }
}

#define MOST_SHIFT 8 /* curves of less than 256 samples are no finer */

void silicon_curve(const struct silicon *s, const struct tone *t, double unit,
                   struct sensor_curve *ret)
{
    const double balance[3] = {s->red, 1, s->blue}, end = CURVE_END - CURVE_LEAST;
    const double per_sample = s->light / unit, clip = fmin(s->range / per_sample, 65535);
    int shift = 0;
    memset(ret, 0, sizeof(*ret));
    while (shift < MOST_SHIFT && ceil(clip) * exp2(shift + 1 - 7) < end)
        shift++;
    ret->clip = (float)clip;
    ret->scale = (float)exp2(shift - 7);
    ret->most = (uint16_t)fmin(ceil(clip), ceil(end / (double)ret->scale) - 1);
    ret->lines = !t->local;
    for (int k = 0; k < 3 && ret->lines; k++) {
        const struct response r = {t, per_sample, s->range, balance[k]};
        make_points(&r, (double)ret->scale, ret->at[k], ret->more[k]);
        ret->lines = close_enough(&r, (double)ret->scale, ret->at[k], ret->more[k]);
    }
    for (int k = 0; k < 3 && !ret->lines; k++) {
        const struct response r = {t, per_sample, INFINITY, balance[k]}; /* it is clipped before */
        make_gained(&r, ret->gained[k]);
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
