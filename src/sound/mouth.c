#include "sound/mouth.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"
#include "conf/param.h"
#include "device/ports.h"
#include "media/sound.h"
#include "sound/ear.h"
#include "sound/settings.h"

#define HELD_MS 3000 /* of what was said and not played yet; more is left out */
#define HELD (SOUND_HZ / 1000 * HELD_MS)
#define SILENCE_DB (-100.0)

struct talk {
    struct mouth *mouth;
    void (*lost)(struct talk *t, void *arg);
    void *arg;
    struct sound_code code;
    bool has_code, failed;
    struct sound_decoder *decoder;
};

struct mouth {
    struct loop *loop;
    struct speaker *speaker;
    struct ear *ear;
    struct room *settings;
    struct talk *talk; /* who has the word */
    char user[65];
    struct loop_timer tick;
    int64_t next_ns;  /* when the next block is played */
    int64_t heard_ns; /* when something was said last */
    bool playing;     /* enough was gathered */
    bool open;        /* the loudspeaker is */
    double rms_db;
    size_t n;
    int16_t held[HELD];
    int16_t decoded[SOUND_DECODED_MOST];
};

static void tick(struct loop_timer *t);

struct mouth *mouth_new(struct loop *loop, struct speaker *speaker, struct ear *ear,
                        struct room *settings)
{
    struct mouth *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->loop = loop;
    m->speaker = speaker;
    m->ear = ear;
    m->settings = settings;
    m->rms_db = SILENCE_DB;
    m->tick = (struct loop_timer){.name = "loudspeaker", .fire = tick};
    return m;
}

static void rest(struct mouth *m)
{
    loop_timer_cancel(&m->tick);
    if (m->open && m->speaker->ops->stop)
        m->speaker->ops->stop(m->speaker);
    m->open = m->playing = false;
    m->n = 0;
    m->rms_db = SILENCE_DB;
}

struct mouth *mouth_free(struct mouth *m)
{
    if (!m)
        return NULL;
    rest(m);
    free(m);
    return NULL;
}

bool mouth_may(const struct mouth *m)
{
    if (!m)
        return false;
    const struct audio_settings *s = room_ref(m->settings);
    bool may = m->speaker && s->support && s->duplex != DUPLEX_GET && s->max_transmitters > 0;
    room_unref(s);
    return may;
}

size_t talk_room(const struct talk *t)
{
    return HELD - t->mouth->n;
}

/* ---- playing ---- */

static size_t samples_of(int ms)
{
    return (size_t)ms * SOUND_HZ / 1000;
}

static void play_block(struct mouth *m, const struct audio_settings *s)
{
    int16_t block[SOUND_BLOCK] = {0};
    size_t n = m->n < SOUND_BLOCK ? m->n : SOUND_BLOCK;
    memcpy(block, m->held, n * sizeof(*block));
    memmove(m->held, m->held + n, (m->n - n) * sizeof(*m->held));
    m->n -= n;
    double gain = s->output_mute ? 0 : pow(10, s->output_db / 20), sum = 0;
    for (int i = 0; i < SOUND_BLOCK; i++) {
        double x = fmax(-32768, fmin(32767, rint(block[i] * gain)));
        block[i] = (int16_t)x;
        sum += x * x;
    }
    double rms = sqrt(sum / SOUND_BLOCK) / 32768;
    m->rms_db = rms > 1e-5 ? 20 * log10(rms) : SILENCE_DB;
    m->speaker->ops->play(m->speaker, block, SOUND_BLOCK, m->next_ns);
}

static void lose(struct mouth *m)
{
    struct talk *t = m->talk;
    if (t && t->lost)
        t->lost(t, t->arg);
}

static void tick(struct loop_timer *timer)
{
    struct mouth *m = container_of(timer, struct mouth, tick);
    const struct audio_settings *s = room_ref(m->settings);
    int64_t now_ns = loop_now(m->loop);
    if (!m->playing && m->n >= samples_of(s->buffer_ms)) {
        m->playing = true;
        m->next_ns = (now_ns / SOUND_BLOCK_NS + 1) * SOUND_BLOCK_NS;
    }
    for (; m->playing && m->next_ns <= now_ns + SOUND_BLOCK_NS; m->next_ns += SOUND_BLOCK_NS) {
        if (!m->n) { /* gather anew */
            m->playing = false;
            m->rms_db = SILENCE_DB;
            break;
        }
        play_block(m, s);
    }
    bool silent = now_ns - m->heard_ns > s->timeout_ms * NSEC_PER_MSEC;
    room_unref(s);
    if (!mouth_may(m) || (m->talk && silent && !m->playing))
        lose(m);
    if (!m->talk && !m->playing) { /* the last words are played, or too few to begin */
        rest(m);
        return;
    }
    loop_timer_in(m->loop, timer, SOUND_BLOCK_NS);
}

/* ---- talking ---- */

int mouth_talk(struct mouth *m, const char *user, void (*lost)(struct talk *t, void *arg),
               void *arg, struct talk **ret_talk, struct fault *why)
{
    if (!m->speaker)
        return fault_set(why, FAULT_UNSUPPORTED, "audio", "this camera has no loudspeaker");
    if (!mouth_may(m))
        return fault_set(why, FAULT_DENIED, "Audio.DuplexMode",
                         "talking is not allowed; see AudioSource.A0.AudioSupport, "
                         "Audio.DuplexMode and Audio.MaxTransmitters");
    const struct audio_settings *s = room_ref(m->settings);
    bool half = s->duplex == DUPLEX_HALF;
    room_unref(s);
    if (m->talk)
        return fault_set(why, FAULT_BUSY, "Audio.MaxTransmitters",
                         "somebody else talks; try again when that has ended");
    struct talk *t = calloc(1, sizeof(*t));
    if (!t)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    int err = m->open || !m->speaker->ops->start ? 0 : m->speaker->ops->start(m->speaker);
    if (err < 0) {
        free(t);
        return fault_set(why, FAULT_IO, NULL, "the loudspeaker cannot be used: %s", strerror(-err));
    }
    m->open = true;
    t->mouth = m;
    t->lost = lost;
    t->arg = arg;
    m->talk = t;
    m->heard_ns = loop_now(m->loop);
    text_copy(m->user, sizeof(m->user), user);
    ear_cover(m->ear, half);
    loop_timer_in(m->loop, &m->tick, SOUND_BLOCK_NS);
    log_info("sound", "%s talks", *user ? user : "somebody");
    *ret_talk = t;
    return 0;
}

struct talk *talk_end(struct talk *t)
{
    if (!t)
        return NULL;
    struct mouth *m = t->mouth;
    m->talk = NULL;
    ear_cover(m->ear, false);
    sound_decoder_close(t->decoder);
    free(t);
    if (!m->playing && m->n) { /* too short to have begun */
        m->playing = true;
        m->next_ns = (loop_now(m->loop) / SOUND_BLOCK_NS + 1) * SOUND_BLOCK_NS;
    }
    return NULL;
}

static bool same(const struct sound_code *a, const struct sound_code *b)
{
    return a->codec == b->codec && a->rate_hz == b->rate_hz && a->channels == b->channels &&
           a->bitrate == b->bitrate && a->config_len == b->config_len &&
           !memcmp(a->config, b->config, a->config_len);
}

void talk_code(struct talk *t, const struct sound_code *code)
{
    if (t->has_code && same(&t->code, code))
        return;
    t->decoder = sound_decoder_close(t->decoder);
    t->code = *code;
    t->has_code = true;
    t->failed = false;
}

bool talk_say(struct talk *t, const uint8_t *bytes, size_t len)
{
    struct mouth *m = t->mouth;
    struct fault why = {0};
    if (!t->has_code || t->failed)
        return false;
    if (!t->decoder && !(t->decoder = sound_decoder_open(&t->code, &why))) {
        log_warn("sound", "%s", why.text);
        t->failed = true;
        return false;
    }
    int n = sound_decoder_put(t->decoder, bytes, len, m->decoded);
    if (n < 0)
        return false;
    m->heard_ns = loop_now(m->loop);
    size_t fits = HELD - m->n < (size_t)n ? HELD - m->n : (size_t)n;
    memcpy(m->held + m->n, m->decoded, fits * sizeof(*m->held));
    m->n += fits;
    return true;
}

void mouth_state(const struct mouth *m, struct mouth_state *ret)
{
    *ret =
        (struct mouth_state){.exists = m->speaker, .talking = m->talk != NULL, .rms_db = m->rms_db};
    if (m->talk)
        text_copy(ret->user, sizeof(ret->user), m->user);
}
