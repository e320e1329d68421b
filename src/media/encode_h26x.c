/* H.264 by x264 and H.265 by x265, both through libavcodec, tuned for live pictures: no B
 * pictures, no look-ahead, one picture in, one access unit out.
 *
 * What leaves here is Annex B: parameter sets before each picture that decoding can start at,
 * then one SEI message of ours if wanted, then slices. Delimiters, filler and the codec's own
 * SEI are left out; the last NAL unit is a slice (some viewers need that). */
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "media/annexb.h"
#include "media/encode.h"
#include "media/libav.h"

extern const struct encoder_ops encoder_h264, encoder_h265;

#define QUALITY_ROOM 4 /* quantizer steps */
#define STEP_LEAST 1.0 /* for less it is not begun anew */

enum nal_kind { NAL_OTHER, NAL_SLICE, NAL_KEY_SLICE, NAL_VPS, NAL_SPS, NAL_PPS };

/* In what the two differ. */
struct flavour {
    const char *title, *library;
    double crf;     /* to be added: at the same number x265 is smaller and worse than x264 */
    bool takes_crf; /* a new one while it runs */
    void (*options)(AVCodecContext *c, const struct encoding *e);
    enum nal_kind (*kind)(struct nal n);
    uint8_t sei_header[2];
    size_t sei_header_len;
};

struct h26x_encoder {
    struct encoder base;
    const struct flavour *flavour;
    struct encoding e;
    AVCodecContext *ctx;
    AVFrame *frame;
    AVPacket *packet;
    int64_t pts;
    double fps, coarser; /* quantizer steps */
    bool stale;          /* the codec has not heard of `coarser` yet */
    int since_key;
    struct stream_format format;
};

/* VAPIX compression 0 best … 100 smallest: CRF 16 … 46, 30 is 25. */
static double crf_of(int compression)
{
    return 16 + compression * 0.3;
}

static void options_h264(AVCodecContext *c, const struct encoding *e)
{
    static const char *const profiles[] = {"baseline", "main", "high"};
    av_opt_set(c->priv_data, "preset", "veryfast", 0);
    av_opt_set(c->priv_data, "profile", profiles[e->profile], 0);
    av_opt_set(c->priv_data, "x264-params",
               "scenecut=0:open-gop=0:bframes=0:repeat-headers=1:annexb=1:aud=0:filler=0:"
               "sliced-threads=0:nal-hrd=none",
               0);
}

static enum nal_kind kind_h264(struct nal n)
{
    int type = avc_type(n);
    return type == AVC_IDR                       ? NAL_KEY_SLICE
           : type >= AVC_SLICE && type < AVC_IDR ? NAL_SLICE
           : type == AVC_SPS                     ? NAL_SPS
           : type == AVC_PPS                     ? NAL_PPS
                                                 : NAL_OTHER;
}

static void options_h265(AVCodecContext *c, const struct encoding *e)
{
    /* Rows of blocks in parallel: one core is not enough for 1080p30. */
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    char params[256];
    snprintf(params, sizeof(params),
             "scenecut=0:open-gop=0:bframes=0:repeat-headers=1:annexb=1:aud=0:info=0:hrd=0:"
             "frame-threads=1:pools=%ld:log-level=none",
             cores < 1   ? 1
             : cores > 4 ? 4
                         : cores);
    av_opt_set(c->priv_data, "preset", "ultrafast", 0);
    av_opt_set(c->priv_data, "x265-params", params, 0);
}

static enum nal_kind kind_h265(struct nal n)
{
    int type = hevc_type(n);
    return type >= HEVC_IRAP_FIRST && type <= HEVC_IRAP_LAST ? NAL_KEY_SLICE
           : type <= HEVC_VCL_LAST                           ? NAL_SLICE
           : type == HEVC_VPS                                ? NAL_VPS
           : type == HEVC_SPS                                ? NAL_SPS
           : type == HEVC_PPS                                ? NAL_PPS
                                                             : NAL_OTHER;
}

static const struct flavour flavour_h264 = {.title = "H.264",
                                            .library = "libx264",
                                            .takes_crf = true,
                                            .options = options_h264,
                                            .kind = kind_h264,
                                            .sei_header = {AVC_SEI},
                                            .sei_header_len = 1};
static const struct flavour flavour_h265 = {.title = "H.265",
                                            .library = "libx265",
                                            .crf = 2,
                                            .options = options_h265,
                                            .kind = kind_h265,
                                            .sei_header = {HEVC_SEI << 1, 1},
                                            .sei_header_len = 2};

static void h26x_close(struct encoder *enc)
{
    struct h26x_encoder *h = container_of(enc, struct h26x_encoder, base);
    avcodec_free_context(&h->ctx);
    av_frame_free(&h->frame);
    av_packet_free(&h->packet);
    free(h);
}

static int open_codec(struct h26x_encoder *h)
{
    const struct encoding *e = &h->e;
    const AVCodec *codec = avcodec_find_encoder_by_name(h->flavour->library);
    if (!codec)
        return AVERROR_ENCODER_NOT_FOUND;
    AVCodecContext *c = h->ctx = avcodec_alloc_context3(codec);
    if (!c)
        return AVERROR(ENOMEM);
    c->width = e->key.width;
    c->height = e->key.height;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->framerate = av_d2q(h->fps, 100000);
    c->time_base = av_inv_q(c->framerate);
    c->gop_size = e->gop;
    c->max_b_frames = 0;
    c->thread_count = 1;
    c->color_range = AVCOL_RANGE_MPEG;
    c->color_primaries = AVCOL_PRI_BT709;
    c->color_trc = AVCOL_TRC_BT709;
    c->colorspace = AVCOL_SPC_BT709;
    c->flags |= AV_CODEC_FLAG_CLOSED_GOP;
    if (e->rate.max_kbps > 0) {
        c->rc_max_rate = (int64_t)e->rate.max_kbps * 1000;
        c->rc_buffer_size = e->rate.max_kbps * 1000; /* a second */
        c->rc_initial_buffer_occupancy = c->rc_buffer_size * 3 / 4;
        /* Where quality comes first, pictures are left out instead (rate.h). */
        if (e->rate.priority == PRIORITY_QUALITY)
            c->qmax = (int)lrint(crf_of(e->compression)) + QUALITY_ROOM;
    }
    if (e->rate.mode == RATE_CBR)
        c->bit_rate = c->rc_max_rate;
    av_opt_set(c->priv_data, "tune", "zerolatency", 0);
    av_opt_set_int(c->priv_data, "forced-idr", 1, 0);
    if (e->rate.mode != RATE_CBR)
        av_opt_set_double(c->priv_data, "crf",
                          crf_of(e->compression) + h->flavour->crf + h->coarser, 0);
    h->flavour->options(c, e);
    return avcodec_open2(c, codec, NULL);
}

static struct encoder *open_flavour(const struct flavour *flavour, const struct encoder_ops *ops,
                                    const struct encoding *enc, double source_fps,
                                    struct fault *why)
{
    struct h26x_encoder *h = calloc(1, sizeof(*h));
    if (!h) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    libav_init();
    h->base.ops = ops;
    h->flavour = flavour;
    h->e = *enc;
    h->frame = av_frame_alloc();
    h->packet = av_packet_alloc();
    double fps = enc->fps > 0 && enc->fps < source_fps ? enc->fps : source_fps;
    h->fps = fps;
    int r = h->frame && h->packet ? open_codec(h) : AVERROR(ENOMEM);
    if (r < 0) {
        h26x_close(&h->base);
        fault_set(why, FAULT_UNSUPPORTED, NULL, "the %s encoder does not start: %s", flavour->title,
                  av_err2str(r));
        return NULL;
    }
    h->format = (struct stream_format){
        .codec = ops->codec, .width = enc->key.width, .height = enc->key.height, .fps = fps};
    return &h->base;
}

static struct encoder *h264_open(const struct encoding *e, double source_fps, struct fault *why)
{
    return open_flavour(&flavour_h264, &encoder_h264, e, source_fps, why);
}

static struct encoder *h265_open(const struct encoding *e, double source_fps, struct fault *why)
{
    return open_flavour(&flavour_h265, &encoder_h265, e, source_fps, why);
}

static void release_rendition(void *opaque, uint8_t *data)
{
    rendition_unref(opaque);
}

/* The codec reads the rendition's own memory. */
static int send_picture(struct h26x_encoder *h, struct rendition *r, bool force_key)
{
    struct picture *pic = r->pixels;
    AVFrame *f = h->frame;
    f->format = AV_PIX_FMT_YUV420P;
    f->width = pic->width;
    f->height = pic->height;
    for (int i = 0; i < 3; i++) {
        f->data[i] = pic->plane[i];
        f->linesize[i] = pic->stride[i];
    }
    f->color_range = AVCOL_RANGE_MPEG;
    f->pts = h->pts++;
    f->pict_type = force_key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    f->buf[0] = av_buffer_create(pic->plane[0], pic->memlen, release_rendition, rendition_ref(r),
                                 AV_BUFFER_FLAG_READONLY);
    if (!f->buf[0]) {
        rendition_unref(r);
        return AVERROR(ENOMEM);
    }
    int ret = avcodec_send_frame(h->ctx, f);
    av_frame_unref(f);
    return ret;
}

static void keep_set(uint8_t *to, size_t size, size_t *len, struct nal n, bool *changed)
{
    if (n.len > size || (*len == n.len && !memcmp(to, n.bytes, n.len)))
        return;
    memcpy(to, n.bytes, n.len);
    *len = n.len;
    *changed = true;
}

static struct packet *rewrite(struct h26x_encoder *h, const struct capture *how)
{
    const struct flavour *fl = h->flavour;
    struct stream_format *f = &h->format;
    uint8_t sei[ANNEXB_SEI_MAX];
    size_t sei_len = h->e.stamp ? annexb_sei(how, fl->sei_header, fl->sei_header_len, sei) : 0;
    const uint8_t *b = h->packet->data;
    size_t len = (size_t)h->packet->size, at = 0, out = 0;
    /* start codes of 3 bytes may become 4: room for a few dozen NAL units */
    size_t room = len + sei_len + 256;
    uint8_t *bytes = malloc(room);
    if (!bytes)
        return NULL;
    unsigned flags = 0;
    bool changed = false, told = !sei_len;
    for (struct nal n; annexb_next(b, len, &at, &n);) {
        enum nal_kind kind = fl->kind(n);
        if (kind == NAL_OTHER)
            continue;
        if (kind == NAL_VPS)
            keep_set(f->vps, sizeof(f->vps), &f->vps_len, n, &changed);
        else if (kind == NAL_SPS)
            keep_set(f->sps, sizeof(f->sps), &f->sps_len, n, &changed);
        else if (kind == NAL_PPS)
            keep_set(f->pps, sizeof(f->pps), &f->pps_len, n, &changed);
        else if (kind == NAL_KEY_SLICE)
            flags |= PACKET_KEY;
        if (!told && (kind == NAL_SLICE || kind == NAL_KEY_SLICE)) {
            memcpy(bytes + out, sei, sei_len);
            out += sei_len;
            told = true;
        }
        if (out + 4 + n.len > room)
            break;
        static const uint8_t start[4] = {0, 0, 0, 1};
        memcpy(bytes + out, start, 4);
        memcpy(bytes + out + 4, n.bytes, n.len);
        out += 4 + n.len;
    }
    struct packet *p = packet_new(bytes, out, free, bytes);
    if (!p) {
        free(bytes);
        return NULL;
    }
    p->flags = flags | (changed ? PACKET_CONFIG : 0);
    p->how = *how;
    return p;
}

/* With another quality: when a key is due anyway, since the codec begins with one. */
static int reopen(struct h26x_encoder *h)
{
    avcodec_free_context(&h->ctx);
    h->stale = false;
    h->pts = 0;
    return open_codec(h);
}

static int h26x_encode(struct encoder *enc, struct rendition *r, bool force_key,
                       struct packet **ret_p, struct stream_format *format)
{
    struct h26x_encoder *h = container_of(enc, struct h26x_encoder, base);
    if (r->pixels->width != h->e.key.width || r->pixels->height != h->e.key.height)
        return -EINVAL;
    if (h->stale && (force_key || h->since_key + 1 >= h->e.gop) && reopen(h) < 0)
        return -EIO;
    int ret = send_picture(h, r, force_key);
    if (ret < 0)
        return -EIO;
    ret = avcodec_receive_packet(h->ctx, h->packet);
    if (ret == AVERROR(EAGAIN)) {
        *ret_p = NULL;
        return 0;
    }
    if (ret < 0)
        return -EIO;
    struct packet *p = rewrite(h, &r->how);
    av_packet_unref(h->packet);
    if (!p)
        return -ENOMEM;
    h->since_key = p->flags & PACKET_KEY ? 0 : h->since_key + 1;
    *format = h->format;
    *ret_p = p;
    return 0;
}

static void h26x_coarser(struct encoder *enc, double steps)
{
    struct h26x_encoder *h = container_of(enc, struct h26x_encoder, base);
    if (!h->flavour->takes_crf && fabs(steps - h->coarser) < STEP_LEAST)
        return;
    h->coarser = steps;
    if (h->flavour->takes_crf && h->e.rate.mode != RATE_CBR)
        av_opt_set_double(h->ctx->priv_data, "crf",
                          crf_of(h->e.compression) + h->flavour->crf + steps, 0);
    else
        h->stale = true;
}

const struct encoder_ops encoder_h264 = {
    .codec = CODEC_H264,
    .name = "h264",
    .open = h264_open,
    .encode = h26x_encode,
    .coarser = h26x_coarser,
    .close = h26x_close,
};

const struct encoder_ops encoder_h265 = {
    .codec = CODEC_H265,
    .name = "h265",
    .open = h265_open,
    .encode = h26x_encode,
    .coarser = h26x_coarser,
    .close = h26x_close,
};
