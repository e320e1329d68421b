#include "media/sound_clock.h"

#include <errno.h>
#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "media/libav.h"
#include "media/sound.h"

#define KEPT (2 * SOUND_HZ) /* samples: two seconds */
#define JUMP_NS (100 * NSEC_PER_MSEC)
#define DRIFT_NS (2 * NSEC_PER_MSEC) /* that is left alone */
#define BEND 0.005                   /* of the rate, most: nobody hears it */

struct sound_clock {
    SwrContext *swr;
    int rate, channels; /* that it was made for */
    int16_t kept[KEPT];
    size_t n;
    bool begun;
    int64_t first_ns; /* of kept[0] */
};

struct sound_clock *sound_clock_new(void)
{
    return calloc(1, sizeof(struct sound_clock));
}

struct sound_clock *sound_clock_free(struct sound_clock *c)
{
    if (!c)
        return NULL;
    swr_free(&c->swr);
    free(c);
    return NULL;
}

void sound_clock_reset(struct sound_clock *c)
{
    if (!c)
        return;
    swr_free(&c->swr);
    c->n = 0;
    c->begun = false;
}

static int follow(struct sound_clock *c, const struct sound_run *run)
{
    int rate = (int)lrint(run->rate_hz);
    /* the estimate creeps: what it creeps by the bending takes care of */
    if (c->swr && c->channels == run->channels && abs(c->rate - rate) < c->rate / 100)
        return 0;
    AVChannelLayout in, mono = AV_CHANNEL_LAYOUT_MONO;
    libav_init();
    swr_free(&c->swr);
    av_channel_layout_default(&in, run->channels);
    if (swr_alloc_set_opts2(&c->swr, &mono, AV_SAMPLE_FMT_S16, SOUND_HZ, &in, AV_SAMPLE_FMT_S16,
                            rate, 0, NULL) < 0 ||
        swr_init(c->swr) < 0)
        return -ENOMEM;
    c->rate = rate;
    c->channels = run->channels;
    return 0;
}

static int64_t duration_ns(size_t samples)
{
    return (int64_t)samples * NSEC_PER_SEC / SOUND_HZ;
}

static void drop(struct sound_clock *c, size_t n)
{
    n = n < c->n ? n : c->n;
    memmove(c->kept, c->kept + n, (c->n - n) * sizeof(*c->kept));
    c->n -= n;
    c->first_ns += duration_ns(n);
}

int sound_clock_put(struct sound_clock *c, const int16_t *sample, const struct sound_run *run)
{
    if (run->channels < 1 || run->channels > 2 || !(run->rate_hz >= 4000 && run->rate_hz <= 200000))
        return -EINVAL;
    int err = follow(c, run);
    if (err < 0)
        return err;
    /* where this run should go, and where it would */
    int64_t delay_ns = swr_get_delay(c->swr, NSEC_PER_SEC);
    int64_t ahead_ns = run->time_ns - (c->first_ns + duration_ns(c->n) + delay_ns);
    if (!c->begun || llabs(ahead_ns) > JUMP_NS) {
        sound_clock_reset(c);
        if ((err = follow(c, run)) < 0)
            return err;
        c->begun = true;
        c->first_ns = run->time_ns;
    } else if (llabs(ahead_ns) > DRIFT_NS) {
        int n = (int)((double)run->frames * SOUND_HZ / c->rate);
        int bend = (int)((double)n * BEND);
        swr_set_compensation(c->swr, ahead_ns > 0 ? bend : -bend, n > 0 ? n : 1);
    }
    if (run->frames * SOUND_HZ / (size_t)c->rate + 64 > KEPT - c->n)
        drop(c, KEPT / 2);
    uint8_t *out = (uint8_t *)(c->kept + c->n);
    const uint8_t *in = (const uint8_t *)sample;
    int got = swr_convert(c->swr, &out, (int)(KEPT - c->n), &in, (int)run->frames);
    if (got < 0)
        return -EIO;
    c->n += (size_t)got;
    return 0;
}

bool sound_clock_get(struct sound_clock *c, struct sound *ret)
{
    memset(ret->sample, 0, sizeof(ret->sample));
    if (!c->begun)
        return false;
    /* what is older than a second was never asked for */
    if (c->first_ns < ret->time_ns - NSEC_PER_SEC)
        drop(c, (size_t)((ret->time_ns - c->first_ns) * SOUND_HZ / NSEC_PER_SEC));
    if (c->n < SOUND_BLOCK || c->first_ns > ret->time_ns + SOUND_BLOCK_NS)
        return false; /* none yet, or it is of later */
    memcpy(ret->sample, c->kept, sizeof(ret->sample));
    ret->time_ns = c->first_ns;
    drop(c, SOUND_BLOCK);
    return true;
}
