/* H.264 by x264 through libavcodec, tuned for live pictures: no B pictures, no
 * look-ahead, one picture in, one access unit out.
 *
 * What leaves here is Annex B: SPS and PPS before each IDR picture, then one SEI
 * message of ours if wanted, then slices. Delimiters, filler and the codec's own
 * SEI are left out; the last NAL unit is a slice (some viewers need that). */
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "media/encode.h"
#include "media/libav.h"

#define TEXT_MAX 512
#define SEI_MAX (2 * (TEXT_MAX + 32))

enum nal {
    NAL_SLICE = 1,
    NAL_IDR = 5,
    NAL_SEI = 6,
    NAL_SPS = 7,
    NAL_PPS = 8,
    NAL_AUD = 9,
    NAL_FILLER = 12
};

extern const struct encoder_ops encoder_h264;

struct h264_encoder {
    struct encoder base;
    struct encoding e;
    AVCodecContext *ctx;
    AVFrame *frame;
    AVPacket *packet;
    int64_t pts;
    struct stream_format format;
};

/* VAPIX compression 0 best … 100 smallest: CRF 16 … 46, 30 is 25. */
static double crf_of(int compression)
{
    return 16 + compression * 0.3;
}

static void h264_close(struct encoder *enc)
{
    struct h264_encoder *h = container_of(enc, struct h264_encoder, base);
    avcodec_free_context(&h->ctx);
    av_frame_free(&h->frame);
    av_packet_free(&h->packet);
    free(h);
}

static int open_codec(struct h264_encoder *h, double fps)
{
    static const char *const profiles[] = {"baseline", "main", "high"};
    const struct encoding *e = &h->e;
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    if (!codec)
        return AVERROR_ENCODER_NOT_FOUND;
    AVCodecContext *c = h->ctx = avcodec_alloc_context3(codec);
    if (!c)
        return AVERROR(ENOMEM);
    c->width = e->key.width;
    c->height = e->key.height;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->framerate = av_d2q(fps, 100000);
    c->time_base = av_inv_q(c->framerate);
    c->gop_size = e->gop;
    c->max_b_frames = 0;
    c->thread_count = 1;
    c->color_range = AVCOL_RANGE_MPEG;
    c->color_primaries = AVCOL_PRI_BT709;
    c->color_trc = AVCOL_TRC_BT709;
    c->colorspace = AVCOL_SPC_BT709;
    c->flags |= AV_CODEC_FLAG_CLOSED_GOP;
    if (e->rate_mode == RATE_MBR && e->max_kbps > 0) {
        c->rc_max_rate = (int64_t)e->max_kbps * 1000;
        c->rc_buffer_size = e->max_kbps * 1000; /* a second */
        c->rc_initial_buffer_occupancy = c->rc_buffer_size * 3 / 4;
    }
    av_opt_set(c->priv_data, "preset", "veryfast", 0);
    av_opt_set(c->priv_data, "tune", "zerolatency", 0);
    av_opt_set(c->priv_data, "profile", profiles[e->profile], 0);
    av_opt_set_double(c->priv_data, "crf", crf_of(e->compression), 0);
    av_opt_set_int(c->priv_data, "forced-idr", 1, 0);
    av_opt_set(c->priv_data, "x264-params",
               "scenecut=0:open-gop=0:bframes=0:repeat-headers=1:annexb=1:aud=0:filler=0:"
               "sliced-threads=0:nal-hrd=none",
               0);
    return avcodec_open2(c, codec, NULL);
}

static struct encoder *h264_open(const struct encoding *enc, double source_fps, struct fault *why)
{
    struct h264_encoder *h = calloc(1, sizeof(*h));
    if (!h) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    libav_init();
    h->base.ops = &encoder_h264;
    h->e = *enc;
    h->frame = av_frame_alloc();
    h->packet = av_packet_alloc();
    double fps = enc->fps > 0 && enc->fps < source_fps ? enc->fps : source_fps;
    int r = h->frame && h->packet ? open_codec(h, fps) : AVERROR(ENOMEM);
    if (r < 0) {
        h264_close(&h->base);
        fault_set(why, FAULT_UNSUPPORTED, NULL, "the H.264 encoder does not start: %s",
                  av_err2str(r));
        return NULL;
    }
    h->format = (struct stream_format){
        .codec = CODEC_H264, .width = enc->key.width, .height = enc->key.height, .fps = fps};
    return &h->base;
}

static void release_rendition(void *opaque, uint8_t *data)
{
    rendition_unref(opaque);
}

/* The codec reads the rendition's own memory. */
static int send_picture(struct h264_encoder *h, struct rendition *r, bool force_key)
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

/* One SEI message user_data_unregistered with start code and emulation prevention. */
static size_t make_sei(const struct capture *how, uint8_t *ret)
{
    uint8_t raw[TEXT_MAX + 32];
    char text[TEXT_MAX];
    size_t text_len = (size_t)capture_text(how, text, sizeof(text));
    size_t n = 0, size = 16 + text_len;
    raw[n++] = 5; /* user_data_unregistered */
    size_t left = size;
    for (; left >= 255; left -= 255)
        raw[n++] = 255;
    raw[n++] = (uint8_t)left;
    memcpy(raw + n, capture_sei_uuid, 16);
    n += 16;
    memcpy(raw + n, text, text_len);
    n += text_len;
    raw[n++] = 0x80; /* the stop bit */

    static const uint8_t start[5] = {0, 0, 0, 1, NAL_SEI};
    memcpy(ret, start, sizeof(start));
    size_t out = sizeof(start);
    unsigned zeros = 0;
    for (size_t i = 0; i < n; i++) {
        if (zeros == 2 && raw[i] <= 3) {
            ret[out++] = 3;
            zeros = 0;
        }
        ret[out++] = raw[i];
        zeros = raw[i] ? 0 : zeros + 1;
    }
    return out;
}

/* The next NAL unit at or after `at`, without start code and trailing zeros. */
static bool next_nal(const uint8_t *b, size_t len, size_t *at, const uint8_t **ret, size_t *ret_len)
{
    size_t i = *at;
    while (i + 3 <= len && !(b[i] == 0 && b[i + 1] == 0 && b[i + 2] == 1))
        i++;
    if (i + 3 >= len)
        return false;
    size_t first = i + 3, end = first;
    const uint8_t *p;
    for (;;) { /* memchr is much faster than looking at each byte */
        p = memchr(b + end, 1, len - end);
        if (!p) {
            end = len;
            *at = len;
            break;
        }
        size_t one = (size_t)(p - b);
        if (one >= first + 2 && b[one - 1] == 0 && b[one - 2] == 0) {
            end = one - 2;
            *at = end;
            break;
        }
        end = one + 1;
    }
    while (end > first && b[end - 1] == 0)
        end--;
    *ret = b + first;
    *ret_len = end - first;
    return end > first;
}

static void keep_set(uint8_t *to, size_t size, size_t *len, const uint8_t *nal, size_t nal_len,
                     bool *changed)
{
    if (nal_len > size || (*len == nal_len && !memcmp(to, nal, nal_len)))
        return;
    memcpy(to, nal, nal_len);
    *len = nal_len;
    *changed = true;
}

static struct packet *rewrite(struct h264_encoder *h, const struct capture *how)
{
    uint8_t sei[SEI_MAX];
    size_t sei_len = h->e.stamp ? make_sei(how, sei) : 0;
    const uint8_t *b = h->packet->data, *nal;
    size_t len = (size_t)h->packet->size, nal_len, at = 0, out = 0;
    /* start codes of 3 bytes may become 4: room for a few dozen NAL units */
    size_t room = len + sei_len + 256;
    uint8_t *bytes = malloc(room);
    if (!bytes)
        return NULL;
    unsigned flags = 0;
    bool changed = false, told = !sei_len;
    while (next_nal(b, len, &at, &nal, &nal_len)) {
        int type = nal[0] & 31;
        if (type == NAL_AUD || type == NAL_FILLER || type == NAL_SEI)
            continue;
        if (type == NAL_SPS)
            keep_set(h->format.sps, sizeof(h->format.sps), &h->format.sps_len, nal, nal_len,
                     &changed);
        if (type == NAL_PPS)
            keep_set(h->format.pps, sizeof(h->format.pps), &h->format.pps_len, nal, nal_len,
                     &changed);
        if (type == NAL_IDR)
            flags |= PACKET_KEY;
        if (!told && type >= NAL_SLICE && type <= NAL_IDR) {
            memcpy(bytes + out, sei, sei_len);
            out += sei_len;
            told = true;
        }
        if (out + 4 + nal_len > room)
            break;
        static const uint8_t start[4] = {0, 0, 0, 1};
        memcpy(bytes + out, start, 4);
        memcpy(bytes + out + 4, nal, nal_len);
        out += 4 + nal_len;
    }
    struct packet *p = packet_new(bytes, out, free, bytes);
    if (!p) {
        free(bytes);
        return NULL;
    }
    p->flags = flags | (changed ? PACKET_CONFIG : 0);
    return p;
}

static int h264_encode(struct encoder *enc, struct rendition *r, bool force_key,
                       struct packet **ret_p, struct stream_format *format)
{
    struct h264_encoder *h = container_of(enc, struct h264_encoder, base);
    if (r->pixels->width != h->e.key.width || r->pixels->height != h->e.key.height)
        return -EINVAL;
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
    *format = h->format;
    *ret_p = p;
    return 0;
}

const struct encoder_ops encoder_h264 = {
    .codec = CODEC_H264,
    .name = "h264",
    .open = h264_open,
    .encode = h264_encode,
    .close = h264_close,
};
