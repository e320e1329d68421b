#include "media/demux_sound.h"

#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libswresample/swresample.h>
#include <stdlib.h>

#include "base/clock.h"
#include "media/sound.h"

#define SAMPLES_MOST 9600 /* of one frame, converted; longer ones are cut */

struct demux_sound {
    int stream;
    int64_t start; /* what its first time is counted from, in units of time_base */
    AVRational time_base;
    AVCodecContext *codec;
    AVFrame *frame;
    SwrContext *swr;
    int rate, channels, format; /* that swr was made for */
    int16_t sample[SAMPLES_MOST];
};

struct demux_sound *demux_sound_close(struct demux_sound *s)
{
    if (!s)
        return NULL;
    avcodec_free_context(&s->codec);
    av_frame_free(&s->frame);
    swr_free(&s->swr);
    free(s);
    return NULL;
}

struct demux_sound *demux_sound_open(AVFormatContext *format, int picture_stream)
{
    const AVCodec *codec = NULL;
    int n = av_find_best_stream(format, AVMEDIA_TYPE_AUDIO, -1, picture_stream, &codec, 0);
    struct demux_sound *s = n >= 0 ? calloc(1, sizeof(*s)) : NULL;
    if (!s)
        return NULL;
    s->stream = n;
    s->time_base = format->streams[n]->time_base;
    /* both count from where the pictures begin */
    const AVStream *p = format->streams[picture_stream];
    if (p->start_time != AV_NOPTS_VALUE)
        s->start = av_rescale_q(p->start_time, p->time_base, s->time_base);
    s->codec = avcodec_alloc_context3(codec);
    s->frame = av_frame_alloc();
    if (!s->codec || !s->frame ||
        avcodec_parameters_to_context(s->codec, format->streams[n]->codecpar) < 0)
        return demux_sound_close(s);
    s->codec->pkt_timebase = s->time_base;
    s->codec->thread_count = 1;
    if (avcodec_open2(s->codec, codec, NULL) < 0)
        return demux_sound_close(s);
    return s;
}

int demux_sound_stream(const struct demux_sound *s)
{
    return s ? s->stream : -1;
}

static int follow(struct demux_sound *s)
{
    const AVFrame *f = s->frame;
    int channels = f->ch_layout.nb_channels;
    if (s->swr && s->rate == f->sample_rate && s->channels == channels && s->format == f->format)
        return 0;
    AVChannelLayout in, mono = AV_CHANNEL_LAYOUT_MONO;
    if (f->sample_rate < 4000 || f->sample_rate > 192000 || channels < 1 || channels > 8)
        return -1;
    av_channel_layout_default(&in, channels);
    swr_free(&s->swr);
    if (swr_alloc_set_opts2(&s->swr, &mono, AV_SAMPLE_FMT_S16, SOUND_HZ, &in,
                            (enum AVSampleFormat)f->format, f->sample_rate, 0, NULL) < 0 ||
        swr_init(s->swr) < 0)
        return -1;
    s->rate = f->sample_rate;
    s->channels = channels;
    s->format = f->format;
    return 0;
}

void demux_sound_take(struct demux_sound *s, AVPacket *packet,
                      void (*heard)(void *arg, const int16_t *sample, int n, int64_t time_ns),
                      void *arg)
{
    if (avcodec_send_packet(s->codec, packet) < 0) /* damaged: the next may be whole */
        return;
    while (avcodec_receive_frame(s->codec, s->frame) == 0) {
        int64_t pts = s->frame->best_effort_timestamp;
        if (pts == AV_NOPTS_VALUE || follow(s) < 0)
            continue;
        int64_t time_ns =
            av_rescale_q(pts - s->start, s->time_base, (AVRational){1, (int)NSEC_PER_SEC});
        time_ns -= swr_get_delay(s->swr, NSEC_PER_SEC);
        uint8_t *out = (uint8_t *)s->sample;
        int n = swr_convert(s->swr, &out, SAMPLES_MOST, (const uint8_t **)s->frame->extended_data,
                            s->frame->nb_samples);
        if (n > 0)
            heard(arg, s->sample, n, time_ns);
    }
}

void demux_sound_flush(struct demux_sound *s)
{
    if (s)
        avcodec_flush_buffers(s->codec);
}
