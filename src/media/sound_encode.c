#include "media/sound_encode.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "media/libav.h"
#include "media/sound.h"
#include "media/stream.h"

#define PACKET_BYTES 1300 /* of linear samples, so that a packet of RTP holds one */
#define PUT_MOST 4096     /* samples at once */
#define ASC_BYTES 2       /* AudioSpecificConfig; what libav adds says only that there is no SBR */

struct row {
    enum codec codec;
    const char *name; /* of libav's encoder */
    enum AVCodecID id;
    enum AVSampleFormat format;
};
static const struct row rows[] = {
    {CODEC_AAC, "aac", AV_CODEC_ID_AAC, AV_SAMPLE_FMT_FLTP},
    {CODEC_OPUS, "libopus", AV_CODEC_ID_OPUS, AV_SAMPLE_FMT_S16},
    {CODEC_PCMU, "pcm_mulaw", AV_CODEC_ID_PCM_MULAW, AV_SAMPLE_FMT_S16},
    {CODEC_PCMA, "pcm_alaw", AV_CODEC_ID_PCM_ALAW, AV_SAMPLE_FMT_S16},
    {CODEC_G726, "g726le", AV_CODEC_ID_ADPCM_G726LE, AV_SAMPLE_FMT_S16},
    {CODEC_L16, "pcm_s16be", AV_CODEC_ID_PCM_S16BE, AV_SAMPLE_FMT_S16},
};

struct sound_encoder {
    struct sound_encoding e;
    AVCodecContext *codec;
    SwrContext *swr;
    AVFrame *frame;
    AVPacket *packet;
    int per_packet; /* samples */
    int filled;     /* of the frame */
    int64_t at;     /* samples given to the codec */
};

const struct sound_encoding sound_for_containers = {CODEC_AAC, 16000, 32000};

bool sound_encoding_equal(const struct sound_encoding *a, const struct sound_encoding *b)
{
    return a->codec == b->codec && a->rate_hz == b->rate_hz && a->bitrate == b->bitrate;
}

static bool among(int value, const int *list)
{
    while (*list && *list != value)
        list++;
    return *list;
}

int sound_encoding_normalise(struct sound_encoding *e, struct fault *why)
{
    static const int any[] = {8000, 16000, 22050, 24000, 32000, 44100, 48000, 0};
    static const int law[] = {8000, 16000, 0};
    static const int opus[] = {8000, 16000, 24000, 48000, 0};
    static const int adpcm[] = {16000, 24000, 32000, 40000, 0};
    int least = 0, most = 0;
    switch (e->codec) {
    case CODEC_AAC:
        if (!among(e->rate_hz, any))
            return fault_set(why, FAULT_INVALID, "audiosamplerate",
                             "AAC takes 8000, 16000, 22050, 24000, 32000, 44100 or 48000");
        least = 8000;
        most = e->rate_hz * 6 < 192000 ? e->rate_hz * 6 : 192000; /* what a frame can hold */
        break;
    case CODEC_OPUS:
        if (!among(e->rate_hz, opus))
            return fault_set(why, FAULT_INVALID, "audiosamplerate",
                             "Opus takes 8000, 16000, 24000 or 48000");
        least = 6000;
        most = 128000;
        break;
    case CODEC_PCMU:
    case CODEC_PCMA:
        if (!among(e->rate_hz, law))
            e->rate_hz = 8000;
        e->bitrate = 0;
        return 0;
    case CODEC_G726:
        e->rate_hz = 8000;
        if (!among(e->bitrate, adpcm))
            return fault_set(why, FAULT_INVALID, "audiobitrate",
                             "G.726 takes 16000, 24000, 32000 or 40000");
        return 0;
    case CODEC_L16:
        if (!among(e->rate_hz, any))
            return fault_set(why, FAULT_INVALID, "audiosamplerate",
                             "LPCM takes 8000, 16000, 22050, 24000, 32000, 44100 or 48000");
        e->bitrate = 0;
        return 0;
    default:
        return fault_set(why, FAULT_UNSUPPORTED, "audiocodec", "%s is no codec of sound",
                         codec_name(e->codec));
    }
    if (e->bitrate < least || e->bitrate > most)
        return fault_set(why, FAULT_INVALID, "audiobitrate",
                         "at %d samples a second it is within %d and %d", e->rate_hz, least, most);
    return 0;
}

/* 20 ms, or so many as one packet of RTP holds. */
static int samples_of(const struct sound_encoding *e)
{
    int n = e->rate_hz / 50;
    if (e->codec == CODEC_L16 && n * 2 > PACKET_BYTES)
        n = e->rate_hz / 100;
    return n;
}

static int open_codec(struct sound_encoder *enc, const struct row *row)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(row->name);
    AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
    enc->codec = c;
    if (!c)
        return -ENOMEM;
    c->sample_rate = enc->e.rate_hz;
    c->sample_fmt = row->format;
    c->ch_layout = (AVChannelLayout)AV_CHANNEL_LAYOUT_MONO;
    c->bit_rate = enc->e.bitrate;
    c->time_base = (AVRational){1, enc->e.rate_hz};
    c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    c->thread_count = 1;
    if (enc->e.codec == CODEC_OPUS) {
        av_opt_set(c->priv_data, "application", "audio", 0);
        av_opt_set_double(c->priv_data, "frame_duration", 20, 0);
    }
    if (avcodec_open2(c, codec, NULL) < 0)
        return -ENOTSUP;
    bool free_size = enc->e.codec == CODEC_G726 || !c->frame_size;
    enc->per_packet = free_size ? samples_of(&enc->e) : c->frame_size;
    return 0;
}

static int open_resampler(struct sound_encoder *enc, const struct row *row)
{
    AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
    if (swr_alloc_set_opts2(&enc->swr, &mono, row->format, enc->e.rate_hz, &mono, AV_SAMPLE_FMT_S16,
                            SOUND_HZ, 0, NULL) < 0)
        return -ENOMEM;
    return swr_init(enc->swr) < 0 ? -ENOMEM : 0;
}

struct sound_encoder *sound_encoder_open(const struct sound_encoding *e, struct fault *why)
{
    const struct row *row = NULL;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].codec == e->codec)
            row = &rows[i];
    struct sound_encoder *enc = row ? calloc(1, sizeof(*enc)) : NULL;
    if (!enc) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory, or no codec of sound");
        return NULL;
    }
    libav_init();
    enc->e = *e;
    enc->frame = av_frame_alloc();
    enc->packet = av_packet_alloc();
    if (!enc->frame || !enc->packet || open_codec(enc, row) < 0 || open_resampler(enc, row) < 0) {
        fault_set(why, FAULT_UNSUPPORTED, "audiocodec", "%s cannot be coded here",
                  codec_name(e->codec));
        return sound_encoder_close(enc);
    }
    AVFrame *f = enc->frame;
    f->format = row->format;
    f->sample_rate = e->rate_hz;
    f->nb_samples = enc->per_packet;
    f->ch_layout = (AVChannelLayout)AV_CHANNEL_LAYOUT_MONO;
    if (av_frame_get_buffer(f, 0) < 0) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return sound_encoder_close(enc);
    }
    return enc;
}

struct sound_encoder *sound_encoder_close(struct sound_encoder *enc)
{
    if (!enc)
        return NULL;
    avcodec_free_context(&enc->codec);
    swr_free(&enc->swr);
    av_frame_free(&enc->frame);
    av_packet_free(&enc->packet);
    free(enc);
    return NULL;
}

void sound_encoder_format(const struct sound_encoder *enc, struct stream_format *ret)
{
    const AVCodecContext *c = enc->codec;
    *ret = (struct stream_format){.codec = enc->e.codec,
                                  .fps = (double)enc->e.rate_hz / enc->per_packet,
                                  .rate_hz = enc->e.rate_hz,
                                  .channels = 1,
                                  .bitrate = enc->e.bitrate};
    if (enc->e.codec == CODEC_AAC && c->extradata_size >= ASC_BYTES) {
        memcpy(ret->sps, c->extradata, ASC_BYTES);
        ret->sps_len = ASC_BYTES;
    }
}

/* The frame is full: through the codec. */
static int code(struct sound_encoder *enc,
                void (*put)(void *arg, const uint8_t *bytes, size_t len, int64_t at), void *arg)
{
    enc->frame->pts = enc->at;
    enc->at += enc->per_packet;
    enc->filled = 0;
    if (avcodec_send_frame(enc->codec, enc->frame) < 0)
        return -EIO;
    for (;;) {
        int r = avcodec_receive_packet(enc->codec, enc->packet);
        if (r == AVERROR(EAGAIN))
            break;
        if (r < 0)
            return -EIO;
        AVRational rate = {1, enc->e.rate_hz};
        int64_t at = av_rescale_q(enc->packet->pts, enc->codec->time_base, rate);
        put(arg, enc->packet->data, (size_t)enc->packet->size, at);
        av_packet_unref(enc->packet);
    }
    return av_frame_make_writable(enc->frame) < 0 ? -ENOMEM : 0;
}

int sound_encoder_put(struct sound_encoder *enc, const int16_t *sample, int n,
                      void (*put)(void *arg, const uint8_t *bytes, size_t len, int64_t at),
                      void *arg)
{
    if (n < 0 || n > PUT_MOST)
        return -EINVAL;
    const uint8_t *in = (const uint8_t *)sample;
    int width = av_get_bytes_per_sample(enc->codec->sample_fmt);
    for (;;) {
        uint8_t *out = enc->frame->data[0] + (size_t)enc->filled * (size_t)width;
        int got = swr_convert(enc->swr, &out, enc->per_packet - enc->filled, &in, n);
        n = 0; /* the resampler has them all */
        if (got < 0)
            return -EIO;
        enc->filled += got;
        if (enc->filled < enc->per_packet)
            return 0;
        int r = code(enc, put, arg);
        if (r < 0)
            return r;
    }
}
