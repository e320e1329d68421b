/* Bodies of transmit.cgi. First byte: which Content-Type; second: in which portions it comes. */
#include "media/sound_stream.h"

#include <assert.h>

#include "fuzz.h"

static void say(void *arg, const uint8_t *bytes, size_t len)
{
    struct sound_stream *s = arg;
    assert(len > 0 && len <= sizeof(s->held));
    assert(s->form != SOUND_UNITS || len == s->unit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {
        "audio/basic", "audio/aac", "audio/ogg", "audio/G726-24", "audio/L16;rate=44100",
    };
    static struct sound_stream s;
    if (size < 2)
        return 0;
    if (data[0] >= sizeof(types) / sizeof(*types)) { /* the type itself */
        char type[200];
        size_t n = size - 1 < sizeof(type) - 1 ? size - 1 : sizeof(type) - 1;
        for (size_t i = 0; i < n; i++)
            type[i] = (char)data[1 + i];
        type[n] = 0;
        if (!sound_stream_init(&s, type) && s.form == SOUND_UNITS)
            assert(s.unit > 0 && s.unit < sizeof(s.held));
        return 0;
    }
    int err = sound_stream_init(&s, types[data[0]]);
    assert(!err);
    size_t step = (size_t)data[1] + 1;
    for (size_t at = 2; at < size && !err; at += step)
        err = sound_stream_put(&s, data + at, step < size - at ? step : size - at, say, &s);
    return 0;
}
