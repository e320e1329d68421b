#include "api/stage/speaker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/stage/reply.h"
#include "base/clock.h"
#include "base/text.h"
#include "device/device.h"
#include "device/virtual/sound/speaker.h"
#include "media/sound.h"
#include "net/exchange.h"

#define WAV_HEAD 44

static uint8_t *put_le(uint8_t *p, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *p++ = (uint8_t)(v >> 8 * i);
    return p;
}

/* RIFF WAVE, one channel of 16-bit samples. */
static void wav_head(uint8_t p[WAV_HEAD], size_t samples)
{
    uint32_t bytes = (uint32_t)samples * 2;
    memcpy(p, "RIFF", 4);
    put_le(p + 4, bytes + WAV_HEAD - 8, 4);
    memcpy(p + 8, "WAVEfmt ", 8);
    put_le(p + 16, 16, 4);
    put_le(p + 20, 1, 2);
    put_le(p + 22, 1, 2);
    put_le(p + 24, SOUND_HZ, 4);
    put_le(p + 28, SOUND_HZ * 2, 4);
    put_le(p + 32, 2, 2);
    put_le(p + 34, 16, 2);
    memcpy(p + 36, "data", 4);
    put_le(p + 40, bytes, 4);
}

static void serve(struct exchange *ex, void *arg)
{
    struct camera *cam = arg;
    double seconds = 5;
    const char *asked = exchange_arg(ex, "seconds");
    if (asked && (text_double(asked, 0.02, SPEAKER_KEPT_S, &seconds) < 0)) {
        stage_reply_error(ex, 400, "seconds is 0.02 to 30");
        return;
    }
    size_t n = (size_t)lrint(seconds * SOUND_HZ);
    uint8_t *wav = malloc(WAV_HEAD + n * 2);
    if (!wav) {
        exchange_reply(ex, 500, NULL, NULL, 0);
        return;
    }
    wav_head(wav, n);
    int64_t now_ns = clock_now(cam->clock) / SOUND_BLOCK_NS * SOUND_BLOCK_NS;
    virtual_speaker_read(cam->device->speaker, now_ns - (int64_t)(seconds * (double)NSEC_PER_SEC),
                         (int16_t *)(wav + WAV_HEAD), n);
    exchange_reply_ref(ex, 200, "audio/wav", wav, WAV_HEAD + n * 2, free, wav);
}

static const struct endpoint rows[] = {
    {.path = "/vedette/stage/speaker",
     .methods = METHOD_GET,
     .role = ROLE_ADMIN,
     .serve = serve,
     .doc = "what the loudspeaker played in the last seconds= (WAV)"},
};

void speaker_door_add(struct camera *cam, struct gate *g)
{
    gate_add(g, rows, sizeof rows / sizeof *rows, cam);
}
