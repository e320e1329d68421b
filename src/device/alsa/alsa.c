#include "device/alsa/alsa.h"

#include <alsa/asoundlib.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "base/text.h"
#include "device/ports.h"
#include "media/sound.h"

#define NAME_MOST 64
#define LATENCY_US 200000 /* of the ring: so long a turn may be late */
#define RATE_SPAN_S 8.0   /* over which the device's rate is measured */
#define RATE_ODD 0.02     /* farther from its nominal rate than this it is not believed */

struct alsa {
    struct clock *clock;
    struct mic mic;
    struct speaker speaker;
    snd_pcm_t *in, *out;
    unsigned in_hz;
    int channels;
    bool lost, in_runs, out_runs;
    /* how the microphone's clock runs against ours */
    int64_t since_ns;
    uint64_t counted;
    double rate_hz;
};

static struct alsa *of_mic(struct mic *m)
{
    return container_of(m, struct alsa, mic);
}

static struct alsa *of_speaker(struct speaker *s)
{
    return container_of(s, struct alsa, speaker);
}

static bool set(snd_pcm_t *pcm, int channels, unsigned hz)
{
    return snd_pcm_set_params(pcm, SND_PCM_FORMAT_S16, SND_PCM_ACCESS_RW_INTERLEAVED,
                              (unsigned)channels, hz, 1, LATENCY_US) == 0;
}

/* ---- the microphone ---- */

static void caps(struct mic *m, struct mic_caps *ret)
{
    *ret = (struct mic_caps){.inputs = 1, .stereo = of_mic(m)->channels == 2};
}

static int start(struct mic *m, int input)
{
    struct alsa *a = of_mic(m);
    (void)input;
    int err = snd_pcm_prepare(a->in);
    if (!err)
        err = snd_pcm_start(a->in);
    a->in_runs = err == 0;
    a->since_ns = clock_now(a->clock);
    a->counted = 0;
    a->rate_hz = a->in_hz;
    return err;
}

static void stop(struct mic *m)
{
    struct alsa *a = of_mic(m);
    snd_pcm_drop(a->in);
    a->in_runs = false;
}

/* The longer it runs the better it is known; what an overrun spoils begins anew. */
static void measure_rate(struct alsa *a, int64_t now_ns)
{
    double seconds = (double)(now_ns - a->since_ns) / 1e9;
    if (seconds < RATE_SPAN_S)
        return;
    double hz = (double)a->counted / seconds;
    if (hz > a->in_hz * (1 - RATE_ODD) && hz < a->in_hz * (1 + RATE_ODD))
        a->rate_hz += (hz - a->rate_hz) / 4;
    a->since_ns = now_ns;
    a->counted = 0;
}

static int take(struct mic *m, int64_t start_ns, int16_t *ret_sample, struct mic_block *ret)
{
    struct alsa *a = of_mic(m);
    (void)start_ns;
    /* a little more than a block at a time: a backlog goes down, and a device without a clock of
     * its own (for tests) does not run away */
    snd_pcm_sframes_t n = snd_pcm_readi(a->in, ret_sample, a->in_hz / 50 + a->in_hz / 1000);
    if (n == -EPIPE || n == -ESTRPIPE) { /* it overran, or slept: some is lost */
        snd_pcm_recover(a->in, (int)n, 1);
        snd_pcm_start(a->in);
        a->since_ns = clock_now(a->clock);
        a->counted = 0;
        return -EAGAIN;
    }
    if (n == -EAGAIN || n == 0)
        return -EAGAIN;
    if (n < 0) {
        if (!a->lost)
            log_warn("device", "the microphone is lost: %s", snd_strerror((int)n));
        a->lost = true;
        return -ENODATA;
    }
    a->lost = false;
    /* what waits in the ring came after the last of these */
    snd_pcm_sframes_t waits = snd_pcm_avail(a->in);
    int64_t now_ns = clock_now(a->clock);
    a->counted += (uint64_t)n;
    measure_rate(a, now_ns);
    double back_s = (double)(n + (waits > 0 ? waits : 0)) / a->rate_hz;
    *ret = (struct mic_block){.time_ns = now_ns - (int64_t)(back_s * 1e9),
                              .rate_hz = a->rate_hz,
                              .channels = a->channels,
                              .frames = (size_t)n};
    return 0;
}

static const struct mic_ops mic_ops = {.caps = caps, .start = start, .stop = stop, .take = take};

/* ---- the loudspeaker ---- */

static int play_start(struct speaker *s)
{
    struct alsa *a = of_speaker(s);
    int err = snd_pcm_prepare(a->out);
    a->out_runs = err == 0;
    return err;
}

static void play_stop(struct speaker *s)
{
    /* what was given is played; the next start prepares it anew */
    snd_pcm_nonblock(of_speaker(s)->out, 1);
    snd_pcm_drain(of_speaker(s)->out);
    of_speaker(s)->out_runs = false;
}

static int play(struct speaker *s, const int16_t *sample, size_t n, int64_t time_ns)
{
    struct alsa *a = of_speaker(s);
    (void)time_ns; /* a block when it is due, the ring evens it out */
    snd_pcm_sframes_t done = snd_pcm_writei(a->out, sample, n);
    if (done == -EPIPE || done == -ESTRPIPE) {
        snd_pcm_recover(a->out, (int)done, 1);
        done = snd_pcm_writei(a->out, sample, n);
    }
    return done < 0 ? (int)done : 0;
}

static const struct speaker_ops speaker_ops = {
    .start = play_start, .stop = play_stop, .play = play};

/* ---- both ---- */

static void hush(const char *file, int line, const char *function, int err, const char *fmt, ...)
{
    (void)file;
    (void)line;
    (void)function;
    (void)err;
    (void)fmt; /* what matters is returned */
}

static int open_in(struct alsa *a, const char *name, struct fault *why)
{
    static const unsigned rates[] = {48000, 44100, 32000, 16000, 8000};
    int err = snd_pcm_open(&a->in, name, SND_PCM_STREAM_CAPTURE, SND_PCM_NONBLOCK);
    if (err < 0)
        return fault_set(why, FAULT_IO, "audio", "the microphone alsa:%s cannot be opened: %s",
                         name, snd_strerror(err));
    for (int channels = 1; channels <= 2; channels++)
        for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++)
            if (set(a->in, channels, rates[i])) {
                a->in_hz = rates[i];
                a->channels = channels;
                a->mic.ops = &mic_ops;
                return 0;
            }
    return fault_set(why, FAULT_UNSUPPORTED, "audio",
                     "the microphone alsa:%s has no 16-bit format that could be used", name);
}

static int open_out(struct alsa *a, const char *name, struct fault *why)
{
    int err = snd_pcm_open(&a->out, name, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK);
    if (err < 0)
        return fault_set(why, FAULT_IO, "audio", "the loudspeaker alsa:%s cannot be opened: %s",
                         name, snd_strerror(err));
    if (!set(a->out, 1, SOUND_HZ))
        return fault_set(why, FAULT_UNSUPPORTED, "audio",
                         "the loudspeaker alsa:%s does not play 48000 Hz; plug:%s may", name, name);
    a->speaker.ops = &speaker_ops;
    return 0;
}

struct alsa *alsa_open(const char *names, struct clock *clock, struct fault *why)
{
    char in[NAME_MOST], out[NAME_MOST];
    const char *comma = strrchr(names, ',');
    /* "hw:0,0" is one name; two are told apart by the last comma when a letter follows it */
    bool two = comma && (!comma[1] || !strchr("0123456789", comma[1]));
    size_t len = two ? (size_t)(comma - names) : strlen(names);
    if (len >= sizeof(in) || strlen(names) >= sizeof(in)) {
        fault_set(why, FAULT_INVALID, "audio", "names of ALSA have up to %d characters",
                  NAME_MOST - 1);
        return NULL;
    }
    memcpy(in, names, len);
    in[len] = 0;
    text_copy(out, sizeof(out), two ? comma + 1 : in);
    struct alsa *a = calloc(1, sizeof(*a));
    if (!a) {
        fault_set(why, FAULT_INTERNAL, "audio", "out of memory");
        return NULL;
    }
    a->clock = clock;
    snd_lib_error_set_handler(hush);
    if ((*in && open_in(a, in, why) < 0) || (*out && open_out(a, out, why) < 0))
        return alsa_close(a);
    return a;
}

struct alsa *alsa_close(struct alsa *a)
{
    if (!a)
        return NULL;
    if (a->in)
        snd_pcm_close(a->in);
    if (a->out)
        snd_pcm_close(a->out);
    snd_config_update_free_global();
    free(a);
    return NULL;
}

struct mic *alsa_mic(struct alsa *a)
{
    return a->mic.ops ? &a->mic : NULL;
}

struct speaker *alsa_speaker(struct alsa *a)
{
    return a->speaker.ops ? &a->speaker : NULL;
}
