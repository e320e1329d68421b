#include "device/heard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"

#define JOINS_NS (40 * NSEC_PER_MSEC)

static void caps(struct mic *m, struct mic_caps *ret)
{
    (void)m;
    *ret = (struct mic_caps){.inputs = 1};
}

static int start(struct mic *m, int input)
{
    struct heard *h = container_of(m, struct heard, mic);
    (void)input;
    pthread_mutex_lock(&h->lock);
    h->n = 0;
    pthread_mutex_unlock(&h->lock);
    h->wanted = true;
    return 0;
}

static void stop(struct mic *m)
{
    container_of(m, struct heard, mic)->wanted = false;
}

static int take(struct mic *m, int64_t start_ns, int16_t *ret_sample, struct mic_block *ret)
{
    struct heard *h = container_of(m, struct heard, mic);
    pthread_mutex_lock(&h->lock);
    /* what is of later stays: it is heard when its time has come */
    size_t n = h->n < MIC_FRAMES_MOST ? h->n : MIC_FRAMES_MOST;
    if (h->first_ns > start_ns + SOUND_BLOCK_NS)
        n = 0;
    memcpy(ret_sample, h->sample, n * sizeof(*ret_sample));
    *ret =
        (struct mic_block){.time_ns = h->first_ns, .rate_hz = SOUND_HZ, .channels = 1, .frames = n};
    memmove(h->sample, h->sample + n, (h->n - n) * sizeof(*ret_sample));
    h->n -= n;
    h->first_ns += (int64_t)n * NSEC_PER_SEC / SOUND_HZ;
    pthread_mutex_unlock(&h->lock);
    return n ? 0 : -EAGAIN;
}

static const struct mic_ops ops = {.caps = caps, .start = start, .stop = stop, .take = take};

void heard_init(struct heard *h)
{
    h->mic.ops = &ops;
    pthread_mutex_init(&h->lock, NULL);
}

void heard_done(struct heard *h)
{
    pthread_mutex_destroy(&h->lock);
}

void heard_put(struct heard *h, const int16_t *sample, size_t n, int64_t time_ns)
{
    if (!h->wanted || n > HEARD_MOST)
        return;
    pthread_mutex_lock(&h->lock);
    int64_t next_ns = h->first_ns + (int64_t)h->n * NSEC_PER_SEC / SOUND_HZ;
    if (!h->n || llabs(time_ns - next_ns) > JOINS_NS) {
        h->n = 0;
        h->first_ns = time_ns;
    }
    if (h->n + n > HEARD_MOST) { /* nobody took it */
        size_t less = h->n + n - HEARD_MOST;
        memmove(h->sample, h->sample + less, (h->n - less) * sizeof(*sample));
        h->n -= less;
        h->first_ns += (int64_t)less * NSEC_PER_SEC / SOUND_HZ;
    }
    memcpy(h->sample + h->n, sample, n * sizeof(*sample));
    h->n += n;
    pthread_mutex_unlock(&h->lock);
}
