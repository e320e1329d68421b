#include "device/virtual/sound/tones.h"

#include <math.h>
#include <stdbool.h>

#include "device/virtual/cast/chance.h"

#define STEP_S (1.0 / SOUND_HZ)
#define FAINT 1e-4 /* of what dies away: no longer heard */

static double hash_noise(uint64_t seed, int64_t i)
{
    return 2 * chance_unit(chance_of(seed, (uint64_t)i, 1)) - 1;
}

double tone_noise(uint64_t seed, double hz, double time_s)
{
    double x = time_s * hz, cell = floor(x), k = x - cell;
    double a = hash_noise(seed, (int64_t)cell), c = hash_noise(seed, (int64_t)cell + 1);
    return a + (c - a) * k * k * (3 - 2 * k);
}

/* The samples of the block that lie in [at_s, at_s + lasts_s). */
static bool within(const struct block *b, double at_s, double lasts_s, int *ret_first, int *ret_end)
{
    double first = ceil((at_s - b->start_s) * SOUND_HZ - 1e-6);
    double end = ceil((at_s + lasts_s - b->start_s) * SOUND_HZ);
    *ret_first = first > 0 ? first < SOUND_BLOCK ? (int)first : SOUND_BLOCK : 0;
    *ret_end = end > 0 ? end < SOUND_BLOCK ? (int)end : SOUND_BLOCK : 0;
    return *ret_first < *ret_end;
}

void tone_ring(struct block *b, double at_s, double hz, double dies_s, double amplitude)
{
    int first, end;
    if (!within(b, at_s, -log(FAINT) * dies_s, &first, &end))
        return;
    /* one closed form at the beginning, then turned on from sample to sample */
    double t = b->start_s + first * STEP_S - at_s;
    double size = amplitude * exp(-t / dies_s), turn = 2 * M_PI * hz;
    double re = size * cos(turn * t), im = size * sin(turn * t);
    double shrink = exp(-STEP_S / dies_s);
    double c = shrink * cos(turn * STEP_S), s = shrink * sin(turn * STEP_S);
    for (int i = first; i < end; i++) {
        b->sample[i] += (float)im;
        double next = re * c - im * s;
        im = re * s + im * c;
        re = next;
    }
}

void tone_burst(struct block *b, uint64_t seed, double at_s, double hz, double dies_s,
                double amplitude)
{
    int first, end;
    if (!within(b, at_s, -log(FAINT) * dies_s, &first, &end))
        return;
    double size = amplitude * exp(-(b->start_s + first * STEP_S - at_s) / dies_s);
    double shrink = exp(-STEP_S / dies_s);
    for (int i = first; i < end; i++, size *= shrink)
        b->sample[i] += (float)(size * tone_noise(seed, hz, b->start_s + i * STEP_S));
}

void tone_hiss(struct block *b, uint64_t seed, double hz, struct swell a)
{
    if (a.from <= 0 && a.to <= 0)
        return;
    for (int i = 0; i < SOUND_BLOCK; i++) {
        double k = (double)i / SOUND_BLOCK;
        b->sample[i] +=
            (float)((a.from + (a.to - a.from) * k) * tone_noise(seed, hz, b->start_s + i * STEP_S));
    }
}

/* Shares of the firing rate's harmonics; the half is what makes it rough. */
static const double harmonic[][2] = {{0.5, 0.25}, {1, 0.5},  {1.5, 0.12},
                                     {2, 0.3},    {3, 0.18}, {4, 0.1}};
#define HARMONICS (sizeof(harmonic) / sizeof(*harmonic))

void tone_engine(struct block *b, double turns_from, double turns_to, int n, struct swell a)
{
    if (a.from <= 0 && a.to <= 0)
        return;
    for (unsigned h = 0; h < HARMONICS; h++) {
        double times = harmonic[h][0] * n * 2 * M_PI;
        double at = times * turns_from, step = times * (turns_to - turns_from) / SOUND_BLOCK;
        double re = cos(at), im = sin(at), c = cos(step), s = sin(step);
        for (int i = 0; i < SOUND_BLOCK; i++) {
            double k = (double)i / SOUND_BLOCK;
            b->sample[i] += (float)((a.from + (a.to - a.from) * k) * harmonic[h][1] * im);
            double next = re * c - im * s;
            im = re * s + im * c;
            re = next;
        }
    }
}

void tone_wind(struct block *b, uint64_t seed, double metres_s)
{
    static const double octave[][2] = {{70, 0.5}, {150, 0.3}, {330, 0.17}, {760, 0.08}};
    double loud = 0.0009 * metres_s * metres_s;
    loud = loud > 0.4 ? 0.4 : loud;
    if (loud < 1e-4)
        return;
    double end_s = b->start_s + SOUND_BLOCK * STEP_S;
    struct swell gust = {0.65 + 0.35 * tone_noise(seed ^ 9, 0.6, b->start_s),
                         0.65 + 0.35 * tone_noise(seed ^ 9, 0.6, end_s)};
    for (unsigned i = 0; i < sizeof(octave) / sizeof(*octave); i++) {
        double share = loud * octave[i][1];
        tone_hiss(b, seed + i, octave[i][0], (struct swell){gust.from * share, gust.to * share});
    }
}

void tone_rain(struct block *b, uint64_t seed, double mm_h)
{
    if (mm_h <= 0.01)
        return;
    double loud = 0.012 * sqrt(mm_h);
    tone_hiss(b, seed, 24000, (struct swell){loud, loud});
    tone_hiss(b, seed + 1, 3500, (struct swell){loud * 0.4, loud * 0.4});
    /* drops on the housing: one or none in each 10 ms */
    double chance = mm_h / 60 > 0.8 ? 0.8 : mm_h / 60;
    int64_t cell = (int64_t)floor(b->start_s * 100) - 3;
    for (; (double)cell / 100 < b->start_s + SOUND_BLOCK * STEP_S; cell++) {
        uint64_t h = chance_of(seed, (uint64_t)cell, 7);
        if (chance_unit(h) >= chance)
            continue;
        double at_s = (double)cell / 100 + 0.01 * chance_unit(chance_mix(h + 1));
        tone_ring(b, at_s, 900 + 2200 * chance_unit(chance_mix(h + 2)), 0.003,
                  0.05 + 0.08 * chance_unit(chance_mix(h + 3)));
    }
}

#define PHRASE_S 3.0
#define SYLLABLE_S 0.19
#define SYLLABLES 11 /* of a phrase, most; then a breath */

/* Formants of some vowels, Hz. */
static const double vowel[][3] = {{730, 1090, 2440}, {270, 2290, 3010}, {300, 870, 2240},
                                  {530, 1840, 2480}, {570, 840, 2410},  {660, 1720, 2410}};

static void say(struct block *b, uint64_t h, double at_s, double pitch_hz, double amplitude)
{
    const double *f = vowel[h % (sizeof(vowel) / sizeof(*vowel))];
    double hz = pitch_hz * (0.88 + 0.26 * chance_unit(chance_mix(h + 1)));
    double lasts_s = SYLLABLE_S * (0.6 + 0.3 * chance_unit(chance_mix(h + 2)));
    if (h >> 8 & 1) /* it begins with a consonant */
        tone_burst(b, h, at_s, 9000, 0.012, amplitude * 0.25);
    /* pulses of the voice: each rings in the formants */
    int n = (int)(lasts_s * hz);
    for (int i = 0; i < n; i++) {
        double k = (double)i / n, swell = sin(M_PI * (0.1 + 0.9 * k));
        double pulse_s = at_s + i / hz;
        if (pulse_s > b->start_s + SOUND_BLOCK * STEP_S || pulse_s < b->start_s - 0.06)
            continue;
        tone_ring(b, pulse_s, f[0], 0.006, amplitude * 0.5 * swell);
        tone_ring(b, pulse_s, f[1], 0.004, amplitude * 0.3 * swell);
        tone_ring(b, pulse_s, f[2], 0.003, amplitude * 0.12 * swell);
    }
}

void tone_voice(struct block *b, uint64_t seed, double pitch_hz, double amplitude)
{
    if (amplitude < FAINT)
        return;
    double offset_s = PHRASE_S * chance_unit(chance_mix(seed));
    int64_t phrase = (int64_t)floor((b->start_s + offset_s) / PHRASE_S);
    uint64_t h = chance_of(seed, (uint64_t)phrase, 3);
    if (chance_unit(h) > 0.55) /* the other one talks, or nobody */
        return;
    double start_s = (double)phrase * PHRASE_S - offset_s;
    int n = 4 + (int)(chance_mix(h + 1) % (SYLLABLES - 3));
    for (int i = 0; i < n; i++)
        say(b, chance_of(h, (uint64_t)i, 5), start_s + 0.2 + i * SYLLABLE_S, pitch_hz, amplitude);
}
