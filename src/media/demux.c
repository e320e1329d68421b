#include "media/demux.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "media/demux_sound.h"
#include "media/libav.h"

#define IO_BYTES 65536
#define MIN_SIDE 16
#define MAX_SIDE 8192
#define MAX_BAD 64 /* damaged pictures in a row before the file counts as broken */

#define CLOSE_NS (500 * NSEC_PER_MSEC) /* to say goodbye */

struct demux {
    int fd; /* -1: another camera */
    struct demux_network network;
    int64_t deadline_ns; /* of what waits for the network now */
    bool closing;
    int64_t at; /* reading position */
    AVIOContext *io;
    AVFormatContext *format;
    AVCodecContext *codec;
    int stream;
    AVPacket *packet;
    AVFrame *frame;
    struct SwsContext *sws;
    bool draining;
    double fps;
    int64_t shown; /* pictures since the start of the file */
    int width, height;
    struct demux_sound *sound; /* NULL: nobody listens, or there is none */
    const atomic_bool *wanted;
    void (*heard)(void *arg, const int16_t *sample, int n, int64_t time_ns);
    void *heard_arg;
};

static int read_some(void *opaque, uint8_t *to, int size)
{
    struct demux *d = opaque;
    ssize_t n = pread(d->fd, to, (size_t)size, d->at);
    if (n < 0)
        return AVERROR(errno);
    if (n == 0)
        return AVERROR_EOF;
    d->at += n;
    return (int)n;
}

static int64_t seek_to(void *opaque, int64_t offset, int whence)
{
    struct demux *d = opaque;
    struct stat st;
    if (fstat(d->fd, &st) < 0)
        return AVERROR(errno);
    switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
        return st.st_size;
    case SEEK_SET:
        break;
    case SEEK_CUR:
        offset += d->at;
        break;
    case SEEK_END:
        offset += st.st_size;
        break;
    default:
        return AVERROR(EINVAL);
    }
    if (offset < 0)
        return AVERROR(EINVAL);
    return d->at = offset;
}

struct demux *demux_close(struct demux *d)
{
    if (!d)
        return NULL;
    if (d->network.clock)
        d->deadline_ns = clock_now(d->network.clock) + CLOSE_NS;
    d->closing = true;
    d->sound = demux_sound_close(d->sound);
    avcodec_free_context(&d->codec);
    avformat_close_input(&d->format);
    if (d->io)
        av_freep(&d->io->buffer);
    avio_context_free(&d->io);
    av_packet_free(&d->packet);
    av_frame_free(&d->frame);
    sws_freeContext(d->sws);
    if (d->fd >= 0)
        close(d->fd);
    free(d);
    return NULL;
}

static int errno_of(int av)
{
    if (av == AVERROR_EOF)
        return -ENODATA;
    if (av == AVERROR(ENOMEM))
        return -ENOMEM;
    if (av == AVERROR_EXIT || av == AVERROR(ETIMEDOUT))
        return -ETIMEDOUT;
    return -EBADMSG;
}

static int open_format(struct demux *d)
{
    uint8_t *buffer = av_malloc(IO_BYTES);
    if (!buffer)
        return AVERROR(ENOMEM);
    d->io = avio_alloc_context(buffer, IO_BYTES, 0, d, read_some, NULL, seek_to);
    if (!d->io) {
        av_free(buffer);
        return AVERROR(ENOMEM);
    }
    d->format = avformat_alloc_context();
    if (!d->format)
        return AVERROR(ENOMEM);
    d->format->pb = d->io;
    /* what a file names (playlists, references) is not followed */
    d->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    av_opt_set(d->format, "protocol_whitelist", "", 0);
    d->format->probesize = 2 << 20;
    int r = avformat_open_input(&d->format, NULL, NULL, NULL);
    if (r < 0)
        return r;
    return avformat_find_stream_info(d->format, NULL);
}

static int overdue(void *opaque)
{
    struct demux *d = opaque;
    return (!d->closing && d->network.given_up && d->network.given_up(d->network.arg)) ||
           clock_now(d->network.clock) > d->deadline_ns;
}

/* Closed again by demux_close(), also after an error. */
static int open_url(struct demux *d)
{
    d->format = avformat_alloc_context();
    if (!d->format)
        return AVERROR(ENOMEM);
    d->deadline_ns = clock_now(d->network.clock) + 2 * d->network.timeout_ns;
    d->format->interrupt_callback = (AVIOInterruptCB){overdue, d};
    d->format->flags |= AVFMT_FLAG_NOBUFFER;
    d->format->probesize = 1 << 20;
    d->format->max_analyze_duration = (d->network.quick ? 1 : 4) * AV_TIME_BASE / 2;
    if (d->network.quick)
        d->format->fps_probe_size = 1;
    av_opt_set(d->format, "protocol_whitelist", "rtsp,rtp,srtp,udp,tcp,tls,http,https,httpproxy",
               0);
    av_opt_set(d->format, "format_whitelist",
               "rtsp,rtp,sdp,mpjpeg,mjpeg,jpeg_pipe,mpegts,h264,hevc,flv,asf,avi,"
               "matroska,webm,mov,mp4",
               0);
    AVDictionary *options = NULL;
    char usec[24];
    snprintf(usec, sizeof(usec), "%lld", (long long)(d->network.timeout_ns / NSEC_PER_USEC));
    av_dict_set(&options, "timeout", usec, 0); /* each scheme takes what it knows */
    av_dict_set(&options, "rw_timeout", usec, 0);
    av_dict_set(&options, "rtsp_transport", d->network.datagrams ? "udp" : "tcp", 0);
    av_dict_set(&options, "allowed_media_types", "video+audio", 0);
    av_dict_set(&options, "user_agent", "Vedette", 0);
    int r = avformat_open_input(&d->format, d->network.url, NULL, &options);
    av_dict_free(&options);
    return r < 0 ? r : avformat_find_stream_info(d->format, NULL);
}

static int open_codec(struct demux *d)
{
    const AVCodec *codec = NULL;
    int r = av_find_best_stream(d->format, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
    if (r < 0)
        return r;
    d->stream = r;
    d->codec = avcodec_alloc_context3(codec);
    d->packet = av_packet_alloc();
    d->frame = av_frame_alloc();
    if (!d->codec || !d->packet || !d->frame)
        return AVERROR(ENOMEM);
    for (unsigned i = 0; i < d->format->nb_streams; i++)
        if ((int)i != d->stream)
            d->format->streams[i]->discard = AVDISCARD_ALL;
    AVStream *s = d->format->streams[d->stream];
    r = avcodec_parameters_to_context(d->codec, s->codecpar);
    if (r < 0)
        return r;
    d->codec->pkt_timebase = s->time_base;
    d->codec->thread_count = 1;
    if (d->fd < 0)
        d->codec->flags |= AV_CODEC_FLAG_LOW_DELAY;
    d->codec->max_pixels = (int64_t)MAX_SIDE * MAX_SIDE;
    r = avcodec_open2(d->codec, codec, NULL);
    if (r < 0)
        return r;
    AVRational rate = av_guess_frame_rate(d->format, s, NULL);
    d->fps = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 25;
    d->width = d->codec->width & ~1;
    d->height = d->codec->height & ~1;
    if (d->width < MIN_SIDE || d->height < MIN_SIDE || d->width > MAX_SIDE || d->height > MAX_SIDE)
        return AVERROR_INVALIDDATA;
    return 0;
}

static enum colour_matrix matrix_of(const struct demux *d, enum AVColorSpace space)
{
    switch (space) {
    case AVCOL_SPC_BT709:
        return COLOUR_BT709;
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_FCC:
        return COLOUR_BT601;
    default: /* not said: what players assume */
        return d->height >= 720 ? COLOUR_BT709 : COLOUR_BT601;
    }
}

static enum colour_range range_of(enum AVColorRange range, enum AVPixelFormat format)
{
    return range == AVCOL_RANGE_JPEG || format == AV_PIX_FMT_YUVJ420P ||
                   format == AV_PIX_FMT_YUVJ422P || format == AV_PIX_FMT_YUVJ444P
               ? RANGE_FULL
               : RANGE_LIMITED;
}

static struct demux *demux_new(int fd)
{
    libav_init();
    struct demux *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->fd = fd;
    d->stream = -1;
    return d;
}

static int opened(struct demux *d, int av, const char *what, struct demux **ret_d,
                  struct demux_info *ret_info, struct fault *why)
{
    if (av >= 0)
        av = open_codec(d);
    if (av < 0) {
        demux_close(d);
        fault_set(why, FAULT_INVALID, NULL, "%s: %s", what, av_err2str(av));
        return errno_of(av) == -ENODATA ? -EBADMSG : errno_of(av);
    }
    *ret_info = (struct demux_info){
        .width = d->width,
        .height = d->height,
        .fps = d->fps,
        .matrix = matrix_of(d, d->codec->colorspace),
        .range = range_of(d->codec->color_range, d->codec->pix_fmt),
    };
    *ret_d = d;
    return 0;
}

int demux_open(int take_fd, struct demux **ret_d, struct demux_info *ret_info, struct fault *why)
{
    struct demux *d = demux_new(take_fd);
    if (!d) {
        close(take_fd);
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    }
    return opened(d, open_format(d), "not a video file that can be played", ret_d, ret_info, why);
}

int demux_open_network(const struct demux_network *how, struct demux **ret_d,
                       struct demux_info *ret_info, struct fault *why)
{
    struct demux *d = demux_new(-1);
    if (!d)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    d->network = *how;
    return opened(d, open_url(d), "gives no picture", ret_d, ret_info, why);
}

/* ---- pictures ---- */

static int feed_codec(struct demux *d)
{
    for (;;) {
        int r = av_read_frame(d->format, d->packet);
        if (r == AVERROR_EOF) {
            d->draining = true;
            r = avcodec_send_packet(d->codec, NULL);
            return r == AVERROR_EOF ? 0 : r;
        }
        if (r < 0)
            return r;
        bool ours = d->packet->stream_index == d->stream;
        if (ours)
            r = avcodec_send_packet(d->codec, d->packet);
        else if (d->sound && *d->wanted && d->packet->stream_index == demux_sound_stream(d->sound))
            demux_sound_take(d->sound, d->packet, d->heard, d->heard_arg);
        av_packet_unref(d->packet);
        if (ours)
            return r;
    }
}

static int next_frame(struct demux *d)
{
    int bad = 0;
    for (;;) {
        int r = avcodec_receive_frame(d->codec, d->frame);
        if (r == AVERROR(EAGAIN) && !d->draining) {
            r = feed_codec(d);
            if (r == AVERROR_INVALIDDATA && ++bad < MAX_BAD)
                continue; /* a damaged picture: the next may be good */
            if (r < 0)
                return r;
            continue;
        }
        if (r == AVERROR_INVALIDDATA && ++bad < MAX_BAD)
            continue;
        return r;
    }
}

static bool is_planar_420(int format)
{
    return format == AV_PIX_FMT_YUV420P || format == AV_PIX_FMT_YUVJ420P;
}

static int convert(struct demux *d, struct picture *to)
{
    AVFrame *f = d->frame;
    if (is_planar_420(f->format) && f->width >= to->width && f->height >= to->height &&
        f->width - to->width < 2 && f->height - to->height < 2) {
        struct picture from = {.width = to->width, .height = to->height};
        for (int i = 0; i < 3; i++) {
            from.plane[i] = f->data[i];
            from.stride[i] = f->linesize[i];
        }
        picture_copy_rows(to, &from, 0, to->height);
        return 0;
    }
    bool yuv = av_pix_fmt_count_planes(f->format) >= 1 &&
               !(av_pix_fmt_desc_get(f->format)->flags & AV_PIX_FMT_FLAG_RGB);
    d->sws = sws_getCachedContext(d->sws, f->width, f->height, f->format, to->width, to->height,
                                  AV_PIX_FMT_YUV420P, SWS_BILINEAR, NULL, NULL, NULL);
    if (!d->sws)
        return AVERROR(ENOSYS);
    bool full = to->range == RANGE_FULL;
    const int *to_coef =
        sws_getCoefficients(to->matrix == COLOUR_BT709 ? SWS_CS_ITU709 : SWS_CS_ITU601);
    const int *from_coef = yuv ? to_coef : sws_getCoefficients(SWS_CS_ITU709);
    sws_setColorspaceDetails(d->sws, from_coef, yuv ? full : 1, to_coef, full, 0, 1 << 16, 1 << 16);
    uint8_t *dst[4] = {to->plane[0], to->plane[1], to->plane[2]};
    int stride[4] = {to->stride[0], to->stride[1], to->stride[2]};
    int r =
        sws_scale(d->sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, dst, stride);
    return r < 0 ? r : 0;
}

int demux_next(struct demux *d, struct picture *into, int64_t *ret_time_ns)
{
    if (d->network.clock)
        d->deadline_ns = clock_now(d->network.clock) + d->network.timeout_ns;
    int r = next_frame(d);
    if (r < 0)
        return errno_of(r);
    into->matrix = matrix_of(d, d->frame->colorspace);
    into->range = range_of(d->frame->color_range, d->frame->format);
    r = convert(d, into);
    int64_t pts = d->frame->best_effort_timestamp;
    AVStream *s = d->format->streams[d->stream];
    int64_t time_ns = (int64_t)((double)d->shown / d->fps * (double)NSEC_PER_SEC);
    if (pts != AV_NOPTS_VALUE) {
        if (s->start_time != AV_NOPTS_VALUE)
            pts -= s->start_time;
        time_ns = av_rescale_q(pts, s->time_base, (AVRational){1, (int)NSEC_PER_SEC});
    }
    av_frame_unref(d->frame);
    if (r < 0)
        return errno_of(r);
    d->shown++;
    *ret_time_ns = time_ns;
    return 0;
}

bool demux_on_sound(struct demux *d, const atomic_bool *wanted,
                    void (*heard)(void *arg, const int16_t *sample, int n, int64_t time_ns),
                    void *arg)
{
    d->sound = demux_sound_close(d->sound);
    d->sound = demux_sound_open(d->format, d->stream);
    d->wanted = wanted;
    d->heard = heard;
    d->heard_arg = arg;
    if (d->sound)
        d->format->streams[demux_sound_stream(d->sound)]->discard = AVDISCARD_DEFAULT;
    return d->sound;
}

int demux_rewind(struct demux *d)
{
    demux_sound_flush(d->sound);
    avcodec_flush_buffers(d->codec);
    d->draining = false;
    d->shown = 0;
    int r = avformat_seek_file(d->format, d->stream, INT64_MIN, 0, 0, AVSEEK_FLAG_BACKWARD);
    if (r < 0)
        r = av_seek_frame(d->format, d->stream, 0, AVSEEK_FLAG_BYTE);
    return r < 0 ? -EIO : 0;
}
