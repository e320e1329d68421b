#include "media/mux.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "media/libav.h"
#include "media/obu.h"
#include "media/ogg.h"

#define OPENING_BYTES 65536
#define IO_BYTES 4096 /* what is larger goes past it */
#define MP4_HZ 90000  /* as RTP's, so that both tell the same times */
#define MATROSKA_HZ 1000

bool mux_holds(enum container c, enum codec codec)
{
    if (c == CONTAINER_MATROSKA)
        return codec != CODEC_G726;
    return codec_is_sound(codec) ? codec == CODEC_AAC : codec != CODEC_JPEG;
}

static enum AVCodecID codec_id(enum codec c)
{
    static const enum AVCodecID ids[] = {
        [CODEC_H264] = AV_CODEC_ID_H264,      [CODEC_H265] = AV_CODEC_ID_HEVC,
        [CODEC_AV1] = AV_CODEC_ID_AV1,        [CODEC_JPEG] = AV_CODEC_ID_MJPEG,
        [CODEC_AAC] = AV_CODEC_ID_AAC,        [CODEC_OPUS] = AV_CODEC_ID_OPUS,
        [CODEC_PCMU] = AV_CODEC_ID_PCM_MULAW, [CODEC_PCMA] = AV_CODEC_ID_PCM_ALAW,
        [CODEC_L16] = AV_CODEC_ID_PCM_S16BE,
    };
    return ids[c];
}

/* ---- one muxer: made, used for one piece, thrown away ---- */

struct muxer {
    AVFormatContext *format;
    struct buf *out;
};

static int write_some(void *arg, uint8_t *bytes, int len)
{
    struct muxer *m = arg;
    return buf_add(m->out, bytes, (size_t)len) < 0 ? AVERROR(ENOMEM) : len;
}

static void muxer_done(struct muxer *m)
{
    if (!m->format)
        return;
    if (m->format->pb) {
        av_freep(&m->format->pb->buffer);
        avio_context_free(&m->format->pb);
    }
    avformat_free_context(m->format);
    m->format = NULL;
}

static bool add_set(uint8_t *to, size_t *at, size_t size, const uint8_t *set, size_t len)
{
    static const uint8_t start[] = {0, 0, 0, 1};
    if (!len || *at + sizeof(start) + len > size)
        return false;
    memcpy(to + *at, start, sizeof(start));
    memcpy(to + *at + sizeof(start), set, len);
    *at += sizeof(start) + len;
    return true;
}

/* Parameter sets as libavformat takes them: Annex B, the sequence header OBU, AAC's configuration,
 * the head of Opus. */
static int set_extradata(AVCodecParameters *par, const struct stream_format *f)
{
    uint8_t bytes[sizeof(f->vps) + sizeof(f->sps) + sizeof(f->pps) + 12];
    size_t n = 0;
    bool good = true;
    if (f->codec == CODEC_OPUS) {
        /* nothing is skipped: one who joins in the middle hears what the times say */
        opus_head(f->rate_hz, 0, bytes);
        n = OPUS_HEAD;
    }
    if (f->codec == CODEC_H265)
        good = add_set(bytes, &n, sizeof(bytes), f->vps, f->vps_len);
    if (f->codec == CODEC_H264 || f->codec == CODEC_H265) {
        good = good && add_set(bytes, &n, sizeof(bytes), f->sps, f->sps_len) &&
               add_set(bytes, &n, sizeof(bytes), f->pps, f->pps_len);
    } else if (f->codec == CODEC_AV1 || f->codec == CODEC_AAC) {
        good = f->sps_len > 0;
        memcpy(bytes, f->sps, f->sps_len);
        n = f->sps_len;
    }
    if (!good)
        return -EINVAL;
    if (!n)
        return 0;
    par->extradata = av_mallocz(n + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!par->extradata)
        return -ENOMEM;
    memcpy(par->extradata, bytes, n);
    par->extradata_size = (int)n;
    return 0;
}

int mux_hz(enum container c, const struct stream_format *f)
{
    if (c == CONTAINER_MATROSKA)
        return MATROSKA_HZ;
    if (!codec_is_sound(f->codec))
        return MP4_HZ;
    return f->codec == CODEC_OPUS ? 48000 : f->rate_hz;
}

int64_t mux_ticks(int hz, int64_t time_ns)
{
    return av_rescale(time_ns, hz, NSEC_PER_SEC);
}

static int add_sound(AVStream *s, enum container c, const struct stream_format *f)
{
    AVCodecParameters *par = s->codecpar;
    int bits = av_get_bits_per_sample(par->codec_id); /* 0: not of samples */
    par->codec_type = AVMEDIA_TYPE_AUDIO;
    par->sample_rate = f->codec == CODEC_OPUS ? 48000 : f->rate_hz;
    par->ch_layout = (AVChannelLayout)AV_CHANNEL_LAYOUT_MONO;
    par->bits_per_coded_sample = bits;
    par->block_align = bits / 8;
    if (f->codec == CODEC_AAC)
        par->frame_size = 1024;
    return set_extradata(par, f);
}

static int add_track(struct muxer *m, enum container c, const struct stream_format *f, int number)
{
    AVStream *s = avformat_new_stream(m->format, NULL);
    if (!s)
        return -ENOMEM;
    if (!mux_holds(c, f->codec))
        return -ENOTSUP;
    s->id = number;
    s->time_base = (AVRational){1, mux_hz(c, f)};
    s->avg_frame_rate = av_d2q(f->fps > 0 ? f->fps : 30, 1001000);
    s->codecpar->codec_id = codec_id(f->codec);
    if (codec_is_sound(f->codec))
        return add_sound(s, c, f);
    s->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
    /* the name that Apple's and browsers' players ask for */
    s->codecpar->codec_tag =
        c == CONTAINER_MP4 && f->codec == CODEC_H265 ? MKTAG('h', 'v', 'c', '1') : 0;
    s->codecpar->width = f->width;
    s->codecpar->height = f->height;
    return set_extradata(s->codecpar, f);
}

/* The muxer moves the times of decoding of what it writes first to those of showing, as CMAF wants
 * a file to begin; each piece being the first that its muxer writes, a picture that is decoded
 * earlier than it is shown must be written without. */
#define MOVFLAGS "frag_custom+empty_moov+default_base_moof+frag_discont+skip_sidx+skip_trailer"
#define MOVFLAGS_CMAF MOVFLAGS "+cmaf+negative_cts_offsets"

/* first: number of the first track; serial: of the piece; early: decoded earlier than shown. */
static int muxer_open(struct muxer *m, enum container c, const struct stream_format *tracks, int n,
                      int first, uint64_t serial, bool early)
{
    static const char *const names[] = {"mp4", "matroska"};
    libav_init();
    if (avformat_alloc_output_context2(&m->format, NULL, names[c], NULL) < 0)
        return -ENOMEM;
    m->format->flags |= AVFMT_FLAG_BITEXACT | AVFMT_FLAG_FLUSH_PACKETS;
    m->format->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;
    uint8_t *io = av_malloc(IO_BYTES);
    m->format->pb = io ? avio_alloc_context(io, IO_BYTES, 1, m, NULL, write_some, NULL) : NULL;
    if (!m->format->pb) {
        av_free(io);
        return -ENOMEM;
    }
    for (int i = 0; i < n; i++) {
        int err = add_track(m, c, &tracks[i], first + i);
        if (err < 0)
            return err;
    }
    AVDictionary *options = NULL;
    if (c == CONTAINER_MP4) {
        av_dict_set(&options, "movflags", early ? MOVFLAGS : MOVFLAGS_CMAF, 0);
        av_dict_set(&options, "use_editlist", "0", 0);
        av_dict_set(&options, "use_stream_ids_as_track_ids", "1", 0);
        av_dict_set(&options, "write_prft", "wallclock", 0);
        av_dict_set_int(&options, "video_track_timescale", MP4_HZ, 0);
        av_dict_set_int(&options, "fragment_index", 1 + (int64_t)(serial % INT32_MAX), 0);
    } else {
        av_dict_set(&options, "live", "1", 0);
        av_dict_set(&options, "write_crc32", "0", 0); /* each viewer's clusters tell other times */
        if (first > 1) { /* a piece of another track than the first: its blocks name it */
            av_dict_set(&options, "dash", "1", 0);
            av_dict_set_int(&options, "dash_track_number", first, 0);
        }
    }
    int err = avformat_write_header(m->format, &options);
    av_dict_free(&options);
    if (err < 0)
        return err == AVERROR(ENOMEM) ? -ENOMEM : -EINVAL;
    avio_flush(m->format->pb);
    return m->out->err;
}

int mux_opening(enum container c, const struct stream_format *tracks, int n, struct buf *ret)
{
    struct muxer m = {.out = ret};
    int err = muxer_open(&m, c, tracks, n, 1, 0, false);
    muxer_done(&m);
    return err;
}

/* ---- pieces ---- */

/* When the picture was taken (prft), for players that tell how old what they show is. */
static int add_time(AVPacket *pkt, const struct packet *p)
{
    AVProducerReferenceTime *t = (void *)av_packet_new_side_data(pkt, AV_PKT_DATA_PRFT, sizeof(*t));
    if (!t)
        return -ENOMEM;
    *t = (AVProducerReferenceTime){.wallclock = p->utc_ns / NSEC_PER_USEC, .flags = 24};
    return 0;
}

static int write_piece(struct muxer *m, enum container c, const struct packet *p)
{
    const AVStream *s = m->format->streams[0];
    AVRational rate = s->avg_frame_rate;
    AVPacket *pkt = av_packet_alloc();
    if (!pkt)
        return -ENOMEM;
    pkt->data = (uint8_t *)(uintptr_t)p->bytes; /* borrowed: without a buffer nobody writes there */
    pkt->size = (int)p->len;
    pkt->flags = p->flags & PACKET_KEY ? AV_PKT_FLAG_KEY : 0;
    const int64_t den = s->time_base.den, num = (int64_t)s->time_base.num * NSEC_PER_SEC;
    pkt->pts = av_rescale(p->time_ns, den, num);
    pkt->dts = av_rescale(p->time_ns - p->early_ns, den, num);
    /* it lasts until the next one, which nobody knows yet */
    pkt->duration = av_rescale_q(1, av_inv_q(rate), s->time_base);
    int err = add_time(pkt, p);
    if (!err && av_write_frame(m->format, pkt) < 0)
        err = -EINVAL;
    /* ends the fragment, the cluster; Matroska keeps a packet of sound back until the very end */
    bool end = s->codecpar->codec_type == AVMEDIA_TYPE_AUDIO && c == CONTAINER_MATROSKA;
    if (!err && (end ? av_write_trailer(m->format) : av_write_frame(m->format, NULL)) < 0)
        err = -EINVAL;
    av_packet_free(&pkt);
    avio_flush(m->format->pb);
    return err;
}

int mux_piece(enum container c, const struct stream_format *f, int number, const struct packet *p,
              struct buf *ret)
{
    BUF(opening, OPENING_BYTES);
    struct muxer m = {.out = &opening};
    int err = p->len > INT_MAX / 2 ? -EINVAL
                                   : muxer_open(&m, c, f, 1, number, p->serial, p->early_ns > 0);
    if (!err) {
        m.out = ret;
        err = write_piece(&m, c, p);
    }
    muxer_done(&m);
    return err ? err : ret->err;
}

/* ---- names ---- */

static unsigned bits(const uint8_t *bytes, size_t len, size_t *at, unsigned n)
{
    unsigned v = 0;
    for (; n; n--, (*at)++)
        v = v << 1 | (*at / 8 < len ? bytes[*at / 8] >> (7 - *at % 8) & 1u : 0);
    return v;
}

/* ISO/IEC 14496-15, E.3, from profile_tier_level() (H.265 7.3.3), which stands behind four
 * bytes of the sequence parameter set: the header and ids. */
static bool name_h265(const struct stream_format *f, char ret[MUX_CODEC_NAME])
{
    uint8_t p[16]; /* without emulation prevention */
    size_t n = 0;
    for (size_t i = 2, zeros = 0; i < f->sps_len && n < sizeof(p); i++) {
        if (zeros >= 2 && f->sps[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = f->sps[i] ? 0 : zeros + 1;
        p[n++] = f->sps[i];
    }
    if (n < 13)
        return false;
    unsigned compatible = 0;
    for (int i = 0; i < 32; i++)
        compatible |= (unsigned)(p[2 + i / 8] >> (7 - i % 8) & 1) << i;
    int len = snprintf(ret, MUX_CODEC_NAME, "hvc1.%u.%X.%c%u", p[1] & 31u, compatible,
                       p[1] & 32 ? 'H' : 'L', p[12]);
    int last = 11; /* constraint bytes; trailing zeros are left out */
    while (last > 6 && !p[last])
        last--;
    for (int i = 6; i <= last; i++)
        len += snprintf(ret + len, MUX_CODEC_NAME - (size_t)len, ".%X", p[i]);
    return true;
}

/* AV1 Codec ISO Media File Format Binding 5, from sequence_header_obu(). */
static bool name_av1(const struct stream_format *f, char ret[MUX_CODEC_NAME])
{
    struct obu o;
    size_t at = 0, bit = 0;
    if (obu_next(f->sps, f->sps_len, &at, &o) || o.type != OBU_SEQUENCE_HEADER)
        return false;
    unsigned profile = bits(o.payload, o.payload_len, &bit, 3), level, tier = 0;
    bits(o.payload, o.payload_len, &bit, 1);
    if (bits(o.payload, o.payload_len, &bit, 1)) {
        level = bits(o.payload, o.payload_len, &bit, 5);
    } else {
        if (bits(o.payload, o.payload_len, &bit, 1)) /* timing information: none of ours has it */
            return false;
        bits(o.payload, o.payload_len, &bit, 1 + 5 + 12);
        level = bits(o.payload, o.payload_len, &bit, 5);
        tier = level > 7 ? bits(o.payload, o.payload_len, &bit, 1) : 0;
    }
    snprintf(ret, MUX_CODEC_NAME, "av01.%u.%02u%c.08", profile, level, tier ? 'H' : 'M');
    return true;
}

bool mux_codec_name(const struct stream_format *f, char ret[MUX_CODEC_NAME])
{
    switch (f->codec) {
    case CODEC_H264:
        if (f->sps_len < 4)
            return false;
        snprintf(ret, MUX_CODEC_NAME, "avc1.%02X%02X%02X", f->sps[1], f->sps[2], f->sps[3]);
        return true;
    case CODEC_H265:
        return name_h265(f, ret);
    case CODEC_AV1:
        return name_av1(f, ret);
    case CODEC_JPEG:
        snprintf(ret, MUX_CODEC_NAME, "mjpeg");
        return true;
    case CODEC_AAC:
        snprintf(ret, MUX_CODEC_NAME, "mp4a.40.2");
        return true;
    case CODEC_OPUS:
        snprintf(ret, MUX_CODEC_NAME, "opus");
        return true;
    default:
        return false;
    }
}
