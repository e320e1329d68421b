#include "sound/ear.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/param.h"
#include "device/ports.h"
#include "media/sound.h"
#include "media/sound_clock.h"
#include "sound/settings.h"

#define SILENCE_DB (-100.0)
#define PATIENCE_NS (300 * NSEC_PER_MSEC)

struct ear {
    struct mic *mic;
    struct room *settings;
    atomic_bool covered;
    pthread_mutex_t lock; /* of level */
    struct ear_level level;
    /* sound thread */
    bool running, started, lost;
    int input;
    int64_t heard_ns; /* when it gave something last, as asked */
    bool has_heard;
    struct sound_clock *clock; /* NULL until a device's own clock needs it */
    int16_t raw[2 * MIC_FRAMES_MOST];
};

struct ear *ear_new(struct mic *mic, struct room *settings)
{
    struct ear *e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->mic = mic;
    e->settings = settings;
    e->level = (struct ear_level){SILENCE_DB, SILENCE_DB, false};
    pthread_mutex_init(&e->lock, NULL);
    return e;
}

struct ear *ear_free(struct ear *e)
{
    if (!e)
        return NULL;
    sound_clock_free(e->clock);
    pthread_mutex_destroy(&e->lock);
    free(e);
    return NULL;
}

int ear_inputs(struct ear *e)
{
    struct mic_caps caps = {0};
    if (e->mic)
        e->mic->ops->caps(e->mic, &caps);
    return caps.inputs;
}

void ear_cover(struct ear *e, bool covered)
{
    e->covered = covered;
}

/* The microphones are one input, what is plugged in at line level the next. */
static int input_of(struct ear *e, const struct audio_settings *s)
{
    int n = ear_inputs(e), wanted = s->input == INPUT_LINE ? 1 : 0;
    return wanted < n ? wanted : 0;
}

static void start(struct ear *e, const struct audio_settings *s)
{
    e->input = input_of(e, s);
    int err = e->mic->ops->start ? e->mic->ops->start(e->mic, e->input) : 0;
    e->started = err == 0;
    if (err && !e->lost)
        log_warn("sound", "the microphone cannot be used: %s", strerror(-err));
    e->lost = err != 0;
    e->has_heard = false;
    sound_clock_reset(e->clock);
}

static void stop(struct ear *e)
{
    if (e->started && e->mic->ops->stop)
        e->mic->ops->stop(e->mic);
    e->started = false;
}

void ear_demand(bool wanted, void *ear)
{
    struct ear *e = ear;
    e->running = wanted;
    if (!e->mic || wanted)
        return; /* the first take() starts it */
    stop(e);
    e->clock = sound_clock_free(e->clock);
    pthread_mutex_lock(&e->lock);
    e->level = (struct ear_level){SILENCE_DB, SILENCE_DB, false};
    pthread_mutex_unlock(&e->lock);
}

/* False: nothing is heard in this block. */
static bool hear(struct ear *e, struct sound *ret)
{
    struct mic_block b;
    int err = e->mic->ops->take(e->mic, ret->time_ns, e->raw, &b);
    bool exact = !err && b.channels == 1 && b.rate_hz == SOUND_HZ && b.frames == SOUND_BLOCK &&
                 b.time_ns == ret->time_ns;
    if (exact && !e->clock) {
        memcpy(ret->sample, e->raw, sizeof(ret->sample));
        return true;
    }
    if (!e->clock && !(e->clock = sound_clock_new()))
        return false;
    if (!err)
        sound_clock_put(e->clock, e->raw,
                        &(struct sound_run){b.time_ns, b.rate_hz, b.channels, b.frames});
    return sound_clock_get(e->clock, ret);
}

static void measure(struct ear *e, const struct sound *s, bool signal)
{
    double sum = 0, peak = 0;
    for (int i = 0; i < SOUND_BLOCK; i++) {
        double x = s->sample[i] / 32768.0;
        sum += x * x;
        peak = fabs(x) > peak ? fabs(x) : peak;
    }
    double rms = sqrt(sum / SOUND_BLOCK);
    struct ear_level level = {rms > 1e-5 ? 20 * log10(rms) : SILENCE_DB,
                              peak > 1e-5 ? 20 * log10(peak) : SILENCE_DB, signal};
    pthread_mutex_lock(&e->lock);
    e->level = level;
    pthread_mutex_unlock(&e->lock);
}

static void amplify(struct sound *s, double db)
{
    if (db == 0)
        return;
    int32_t gain = (int32_t)lrint(pow(10, db / 20) * 4096);
    for (int i = 0; i < SOUND_BLOCK; i++) {
        int64_t x = (int64_t)s->sample[i] * gain / 4096;
        s->sample[i] = (int16_t)(x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x);
    }
}

bool ear_take(struct sound *ret, void *ear)
{
    struct ear *e = ear;
    const struct audio_settings *s = room_ref(e->settings);
    bool signal = false;
    if (e->mic) {
        if (e->started && input_of(e, s) != e->input)
            stop(e);
        if (!e->started)
            start(e, s);
        int64_t asked_ns = ret->time_ns;
        signal = e->started && hear(e, ret);
        if (signal) {
            e->heard_ns = asked_ns;
            e->has_heard = true;
        } else if (e->has_heard && asked_ns - e->heard_ns < PATIENCE_NS) {
            room_unref(s);
            return false; /* a device that is late: silence now would tear what comes */
        }
    }
    if (!signal || s->input_mute || !s->support || e->covered || s->duplex == DUPLEX_POST)
        memset(ret->sample, 0, sizeof(ret->sample));
    else
        amplify(ret, s->input_db);
    room_unref(s);
    measure(e, ret, signal);
    return true;
}

void ear_level(struct ear *e, struct ear_level *ret)
{
    pthread_mutex_lock(&e->lock);
    *ret = e->level;
    pthread_mutex_unlock(&e->lock);
}
