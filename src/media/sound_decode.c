#include "media/sound_decode.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "media/libav.h"
#include "media/sound.h"

#define PACKET_MOST 8192

struct sound_decoder {
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *frame;
    SwrContext *swr;
    int rate, channels, format; /* that swr was made for */
    uint8_t bytes[PACKET_MOST + AV_INPUT_BUFFER_PADDING_SIZE];
};

static const struct {
    enum codec codec;
    enum AVCodecID id;
} rows[] = {
    {CODEC_AAC, AV_CODEC_ID_AAC},           {CODEC_OPUS, AV_CODEC_ID_OPUS},
    {CODEC_PCMU, AV_CODEC_ID_PCM_MULAW},    {CODEC_PCMA, AV_CODEC_ID_PCM_ALAW},
    {CODEC_G726, AV_CODEC_ID_ADPCM_G726LE}, {CODEC_L16, AV_CODEC_ID_PCM_S16BE},
};

static int set_config(AVCodecContext *c, const struct sound_code *code)
{
    if (!code->config_len)
        return 0;
    c->extradata = av_mallocz(code->config_len + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!c->extradata)
        return -ENOMEM;
    memcpy(c->extradata, code->config, code->config_len);
    c->extradata_size = (int)code->config_len;
    return 0;
}

static int open_codec(struct sound_decoder *d, const struct sound_code *code)
{
    enum AVCodecID id = AV_CODEC_ID_NONE;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].codec == code->codec)
            id = rows[i].id;
    const AVCodec *codec = avcodec_find_decoder(id);
    AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
    d->codec = c;
    if (!c || set_config(c, code) < 0)
        return -ENOMEM;
    c->sample_rate = code->rate_hz;
    av_channel_layout_default(&c->ch_layout, code->channels);
    c->thread_count = 1;
    if (code->codec == CODEC_G726)
        c->bits_per_coded_sample = code->bitrate / 8000;
    c->err_recognition = AV_EF_CAREFUL;
    return avcodec_open2(c, codec, NULL) < 0 ? -ENOTSUP : 0;
}

struct sound_decoder *sound_decoder_open(const struct sound_code *code, struct fault *why)
{
    struct sound_decoder *d = calloc(1, sizeof(*d));
    if (!d) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    libav_init();
    d->packet = av_packet_alloc();
    d->frame = av_frame_alloc();
    if (d->packet && d->frame && code->config_len <= sizeof(code->config) &&
        open_codec(d, code) == 0)
        return d;
    fault_set(why, FAULT_UNSUPPORTED, "audiocodec", "%s cannot be decoded here",
              codec_name(code->codec));
    return sound_decoder_close(d);
}

struct sound_decoder *sound_decoder_close(struct sound_decoder *d)
{
    if (!d)
        return NULL;
    avcodec_free_context(&d->codec);
    av_packet_free(&d->packet);
    av_frame_free(&d->frame);
    swr_free(&d->swr);
    free(d);
    return NULL;
}

/* Of the frame; what a decoder gives may change from frame to frame. */
static int follow(struct sound_decoder *d)
{
    const AVFrame *f = d->frame;
    int channels = f->ch_layout.nb_channels;
    if (d->swr && d->rate == f->sample_rate && d->channels == channels && d->format == f->format)
        return 0;
    AVChannelLayout in, mono = AV_CHANNEL_LAYOUT_MONO;
    if (f->sample_rate < 4000 || f->sample_rate > 192000 || channels < 1 || channels > 8)
        return -EBADMSG;
    av_channel_layout_default(&in, channels);
    swr_free(&d->swr);
    if (swr_alloc_set_opts2(&d->swr, &mono, AV_SAMPLE_FMT_S16, SOUND_HZ, &in,
                            (enum AVSampleFormat)f->format, f->sample_rate, 0, NULL) < 0 ||
        swr_init(d->swr) < 0)
        return -ENOMEM;
    d->rate = f->sample_rate;
    d->channels = channels;
    d->format = f->format;
    return 0;
}

int sound_decoder_put(struct sound_decoder *d, const uint8_t *bytes, size_t len,
                      int16_t ret[SOUND_DECODED_MOST])
{
    int n = 0;
    if (!len || len > PACKET_MOST)
        return -EBADMSG;
    memcpy(d->bytes, bytes, len);
    memset(d->bytes + len, 0, AV_INPUT_BUFFER_PADDING_SIZE);
    d->packet->data = d->bytes;
    d->packet->size = (int)len;
    if (avcodec_send_packet(d->codec, d->packet) < 0)
        return -EBADMSG;
    while (avcodec_receive_frame(d->codec, d->frame) == 0) {
        int err = follow(d);
        if (err < 0)
            return err;
        uint8_t *out = (uint8_t *)(ret + n);
        int got = swr_convert(d->swr, &out, SOUND_DECODED_MOST - n,
                              (const uint8_t **)d->frame->extended_data, d->frame->nb_samples);
        if (got < 0)
            return -EIO;
        n += got;
        if (n == SOUND_DECODED_MOST) { /* too much at once: the rest is dropped */
            swr_free(&d->swr);
            break;
        }
    }
    return n;
}
