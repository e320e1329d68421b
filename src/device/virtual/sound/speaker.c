#include "device/virtual/sound/speaker.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "media/sound.h"

#define KEPT ((size_t)SPEAKER_KEPT_S * SOUND_HZ)

struct virtual_speaker {
    struct speaker speaker;
    int64_t end; /* samples since 0 up to where it is known; INT64_MIN: nothing yet */
    int16_t kept[KEPT];
};

static struct virtual_speaker *of(struct speaker *s)
{
    return (struct virtual_speaker *)((char *)s - offsetof(struct virtual_speaker, speaker));
}

static int64_t sample_of(int64_t time_ns)
{
    return time_ns / 1000 * 48 / 1000; /* whole microseconds: blocks lie on 20 ms */
}

static int play(struct speaker *s, const int16_t *sample, size_t n, int64_t time_ns)
{
    struct virtual_speaker *v = of(s);
    int64_t at = sample_of(time_ns);
    if (v->end == INT64_MIN || at - v->end > (int64_t)KEPT || at < v->end) {
        memset(v->kept, 0, sizeof(v->kept));
        v->end = at;
    }
    for (; v->end < at; v->end++)
        v->kept[(size_t)v->end % KEPT] = 0;
    for (size_t i = 0; i < n; i++, v->end++)
        v->kept[(size_t)v->end % KEPT] = sample[i];
    return 0;
}

static const struct speaker_ops ops = {.play = play};

struct speaker *virtual_speaker_new(void)
{
    struct virtual_speaker *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->speaker.ops = &ops;
    v->end = INT64_MIN;
    return &v->speaker;
}

struct speaker *virtual_speaker_free(struct speaker *s)
{
    if (s)
        free(of(s));
    return NULL;
}

void virtual_speaker_read(struct speaker *s, int64_t from_ns, int16_t *ret, size_t n)
{
    const struct virtual_speaker *v = of(s);
    int64_t at = sample_of(from_ns);
    for (size_t i = 0; i < n; i++, at++) {
        bool known = v->end != INT64_MIN && at >= 0 && at < v->end && v->end - at <= (int64_t)KEPT;
        ret[i] = known ? v->kept[(size_t)at % KEPT] : 0;
    }
}

int64_t virtual_speaker_last(struct speaker *s)
{
    const struct virtual_speaker *v = of(s);
    return v->end == INT64_MIN ? INT64_MIN : v->end * 1000 / 48 * 1000;
}
