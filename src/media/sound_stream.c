#include "media/sound_stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static const int adts_rates[] = {96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                 22050, 16000, 12000, 11025, 8000,  7350};
#define ADTS_RATES (int)(sizeof(adts_rates) / sizeof(*adts_rates))

static void plain(struct sound_stream *s, enum codec codec, int rate_hz, int bitrate,
                  size_t unit_bytes)
{
    s->code =
        (struct sound_code){.codec = codec, .rate_hz = rate_hz, .channels = 1, .bitrate = bitrate};
    s->form = SOUND_UNITS;
    s->unit = unit_bytes;
}

/* "audio/L16;rate=16000;channels=1" */
static int linear(struct sound_stream *s, const char *parameters)
{
    int64_t rate = 8000;
    while (*parameters) {
        char item[32];
        size_t n = strcspn(parameters, ";");
        if (n >= sizeof(item))
            return -EINVAL;
        memcpy(item, parameters, n);
        item[n] = 0;
        parameters += n + (parameters[n] == ';');
        const char *at = item + strspn(item, " \t");
        if (!strncasecmp(at, "rate=", 5)) {
            if (text_int(at + 5, 8000, 48000, &rate) < 0)
                return -EINVAL;
        } else if (!strncasecmp(at, "channels=", 9) && strcmp(at + 9, "1") != 0) {
            return -EINVAL;
        }
    }
    plain(s, CODEC_L16, (int)rate, 0, (size_t)rate / 50 * 2);
    return 0;
}

int sound_stream_init(struct sound_stream *s, const char *type)
{
    char name[40];
    const char *end = strchr(type, ';');
    size_t n = end ? (size_t)(end - type) : strlen(type);
    while (n && (type[n - 1] == ' ' || type[n - 1] == '\t'))
        n--;
    if (n >= sizeof(name))
        return -EINVAL;
    memcpy(name, type, n);
    name[n] = 0;
    s->n = 0;
    s->unit = 0;
    ogg_reader_init(&s->ogg);
    if (!strcasecmp(name, "audio/basic")) {
        plain(s, CODEC_PCMU, 8000, 0, 160);
    } else if (!strcasecmp(name, "audio/axis-mulaw-128")) {
        plain(s, CODEC_PCMU, 16000, 0, 320);
    } else if (!strcasecmp(name, "audio/x-alaw-basic")) {
        plain(s, CODEC_PCMA, 8000, 0, 160);
    } else if (!strncasecmp(name, "audio/G726-", 11)) {
        int64_t k;
        if (text_int(name + 11, 16, 40, &k) < 0 || k % 8)
            return -EINVAL;
        plain(s, CODEC_G726, 8000, (int)k * 1000, (size_t)k * 20 / 8);
    } else if (!strcasecmp(name, "audio/L16")) {
        return linear(s, end ? end + 1 : "");
    } else if (!strcasecmp(name, "audio/mpeg4-generic") || !strcasecmp(name, "audio/aac")) {
        s->code = (struct sound_code){.codec = CODEC_AAC, .rate_hz = 16000, .channels = 1};
        s->form = SOUND_ADTS;
    } else if (!strcasecmp(name, "audio/opus") || !strcasecmp(name, "audio/ogg")) {
        s->code = (struct sound_code){.codec = CODEC_OPUS, .rate_hz = 48000, .channels = 1};
        s->form = SOUND_OGG;
    } else {
        return -EINVAL;
    }
    return 0;
}

/* Bytes of the unit whose beginning is held; 0: more is needed to tell; -EBADMSG. */
static int unit_len(const struct sound_stream *s)
{
    const uint8_t *p = s->held;
    if (s->form == SOUND_UNITS)
        return (int)s->unit;
    if (s->n < ADTS_HEAD)
        return 0;
    /* syncword and layer; AAC-LC; a rate that there is; one block of one or two channels */
    int len = (p[3] & 3) << 11 | p[4] << 3 | p[5] >> 5, channels = (p[2] & 1) << 2 | p[3] >> 6;
    if (p[0] != 0xff || (p[1] & 0xf6) != 0xf0 || p[2] >> 6 != 1 || (p[2] >> 2 & 15) >= ADTS_RATES ||
        channels < 1 || channels > 2 || p[6] & 3 || len <= (p[1] & 1 ? 7 : 9))
        return -EBADMSG;
    return len;
}

int sound_stream_put(struct sound_stream *s, const uint8_t *bytes, size_t len,
                     void (*say)(void *arg, const uint8_t *bytes, size_t len), void *arg)
{
    if (s->form == SOUND_OGG)
        return ogg_reader_put(&s->ogg, bytes, len, say, arg);
    while (len) {
        int unit = unit_len(s);
        size_t need = unit > 0 ? (size_t)unit : ADTS_HEAD;
        size_t part = need - s->n < len ? need - s->n : len;
        memcpy(s->held + s->n, bytes, part);
        s->n += part;
        bytes += part;
        len -= part;
        unit = unit_len(s);
        if (unit < 0)
            return unit;
        if (unit && s->n == (size_t)unit) {
            say(arg, s->held, s->n);
            s->n = 0;
        }
    }
    return 0;
}

const char *sound_stream_type(const struct sound_code *code, char ret[48])
{
    switch (code->codec) {
    case CODEC_AAC:
        return "audio/mpeg4-generic";
    case CODEC_OPUS:
        return "audio/opus";
    case CODEC_PCMA:
        return "audio/x-alaw-basic";
    case CODEC_G726:
        snprintf(ret, 48, "audio/G726-%d", code->bitrate / 1000);
        return ret;
    case CODEC_L16:
        snprintf(ret, 48, "audio/L16;rate=%d;channels=1", code->rate_hz);
        return ret;
    default:
        return code->rate_hz == 16000 ? "audio/axis-mulaw-128" : "audio/basic";
    }
}

void adts_head(int rate_hz, size_t len, uint8_t ret[ADTS_HEAD])
{
    int rate = 0;
    size_t all = len + ADTS_HEAD;
    while (rate < ADTS_RATES - 1 && adts_rates[rate] != rate_hz)
        rate++;
    ret[0] = 0xff;
    ret[1] = 0xf1; /* MPEG-4, no CRC */
    ret[2] = (uint8_t)(1 << 6 | rate << 2);
    ret[3] = (uint8_t)(1 << 6 | all >> 11);
    ret[4] = (uint8_t)(all >> 3);
    ret[5] = (uint8_t)(all << 5 | 0x1f);
    ret[6] = 0xfc;
}
