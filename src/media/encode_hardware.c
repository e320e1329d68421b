#include "media/encode_hardware.h"

#include <errno.h>
#include <glob.h>
#include <libavutil/hwcontext.h>
#include <libavutil/opt.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define FRAMES_HELD 8 /* on the device */

struct hardware {
    AVBufferRef *frames; /* VA-API's surfaces; NULL: the encoder takes ordinary memory */
};

static const struct kind {
    enum codec codec;
    const char *library;
    enum AVHWDeviceType device; /* NONE: a device file of its own */
    const char *files;          /* without any such file there is none */
} kinds[] = {
    {CODEC_H264, "h264_vaapi", AV_HWDEVICE_TYPE_VAAPI, "/dev/dri/renderD*"},
    {CODEC_H265, "hevc_vaapi", AV_HWDEVICE_TYPE_VAAPI, "/dev/dri/renderD*"},
    {CODEC_H264, "h264_v4l2m2m", AV_HWDEVICE_TYPE_NONE, "/dev/video1*"},
};
#define N_KINDS (sizeof kinds / sizeof *kinds)

static bool works[N_KINDS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int use_surfaces(struct hardware *h, const struct kind *k, AVCodecContext *c)
{
    AVBufferRef *device = NULL;
    int r = av_hwdevice_ctx_create(&device, k->device, NULL, NULL, 0);
    if (r < 0)
        return r;
    h->frames = av_hwframe_ctx_alloc(device);
    av_buffer_unref(&device);
    if (!h->frames)
        return AVERROR(ENOMEM);
    AVHWFramesContext *f = (AVHWFramesContext *)h->frames->data;
    f->format = AV_PIX_FMT_VAAPI;
    f->sw_format = AV_PIX_FMT_NV12;
    f->width = c->width;
    f->height = c->height;
    f->initial_pool_size = FRAMES_HELD;
    r = av_hwframe_ctx_init(h->frames);
    if (r < 0)
        return r;
    c->pix_fmt = AV_PIX_FMT_VAAPI;
    c->hw_frames_ctx = av_buffer_ref(h->frames);
    return c->hw_frames_ctx ? 0 : AVERROR(ENOMEM);
}

static int open_kind(struct hardware *h, const struct kind *k, const struct encoding *e, double fps,
                     double quantizer, AVCodecContext **ret_ctx)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(k->library);
    AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!c)
        return AVERROR_ENCODER_NOT_FOUND;
    c->width = e->key.width;
    c->height = e->key.height;
    c->pix_fmt = AV_PIX_FMT_NV12;
    c->framerate = av_d2q(fps, 100000);
    c->time_base = av_inv_q(c->framerate);
    c->gop_size = encoding_gop(e);
    c->max_b_frames = 0;
    c->color_range = AVCOL_RANGE_MPEG;
    c->color_primaries = AVCOL_PRI_BT709;
    c->color_trc = AVCOL_TRC_BT709;
    c->colorspace = AVCOL_SPC_BT709;
    if (e->rate.max_kbps > 0) {
        c->rc_max_rate = c->bit_rate = (int64_t)e->rate.max_kbps * 1000;
        c->rc_buffer_size = e->rate.max_kbps * 1000;
    } else {
        c->global_quality = (int)lrint(quantizer);
        av_opt_set(c->priv_data, "rc_mode", "CQP", 0);
    }
    av_opt_set_int(c->priv_data, "async_depth", 1, 0);
    int r = k->device == AV_HWDEVICE_TYPE_NONE ? 0 : use_surfaces(h, k, c);
    if (r >= 0)
        r = avcodec_open2(c, codec, NULL);
    if (r < 0) {
        avcodec_free_context(&c);
        av_buffer_unref(&h->frames);
        return r;
    }
    *ret_ctx = c;
    return 0;
}

static void probe(void)
{
    const struct encoding e = {.key = {.width = 640, .height = 368}, .gop = 30};
    for (size_t i = 0; i < N_KINDS; i++) {
        glob_t found;
        bool there = glob(kinds[i].files, GLOB_NOSORT, NULL, &found) == 0;
        globfree(&found);
        struct hardware h = {0};
        AVCodecContext *c = NULL;
        works[i] = there && open_kind(&h, &kinds[i], &e, 30, 25, &c) == 0;
        avcodec_free_context(&c);
        av_buffer_unref(&h.frames);
        if (works[i])
            log_info("media", "this machine codes by itself: %s", kinds[i].library);
    }
}

bool hardware_codes(enum codec codec)
{
    pthread_once(&once, probe);
    for (size_t i = 0; i < N_KINDS; i++)
        if (works[i] && kinds[i].codec == codec)
            return true;
    return false;
}

struct hardware *hardware_open(const struct encoding *e, double fps, double quantizer,
                               AVCodecContext **ret_ctx)
{
    pthread_once(&once, probe);
    for (size_t i = 0; i < N_KINDS; i++) {
        if (!works[i] || kinds[i].codec != e->codec)
            continue;
        struct hardware *h = calloc(1, sizeof(*h));
        if (h && open_kind(h, &kinds[i], e, fps, quantizer, ret_ctx) == 0)
            return h;
        hardware_close(h);
    }
    return NULL;
}

struct hardware *hardware_close(struct hardware *h)
{
    if (h)
        av_buffer_unref(&h->frames);
    free(h);
    return NULL;
}

void hardware_nv12(const struct picture *p, uint8_t *const data[2], const int linesize[2])
{
    for (int y = 0; y < p->height; y++)
        memcpy(data[0] + (ptrdiff_t)y * linesize[0], p->plane[0] + (ptrdiff_t)y * p->stride[0],
               (size_t)p->width);
    for (int y = 0; y < p->height / 2; y++) {
        const uint8_t *cb = p->plane[1] + (ptrdiff_t)y * p->stride[1];
        const uint8_t *cr = p->plane[2] + (ptrdiff_t)y * p->stride[2];
        uint8_t *to = data[1] + (ptrdiff_t)y * linesize[1];
        for (int x = 0; x < p->width / 2; x++) {
            to[2 * x] = cb[x];
            to[2 * x + 1] = cr[x];
        }
    }
}

int hardware_fill(struct hardware *h, const struct picture *p, AVFrame *f)
{
    AVFrame *plain = h->frames ? av_frame_alloc() : f;
    if (!plain)
        return AVERROR(ENOMEM);
    plain->format = AV_PIX_FMT_NV12;
    plain->width = p->width;
    plain->height = p->height;
    int r = av_frame_get_buffer(plain, 0);
    if (r >= 0)
        hardware_nv12(p, plain->data, plain->linesize);
    if (h->frames) {
        if (r >= 0)
            r = av_hwframe_get_buffer(h->frames, f, 0);
        if (r >= 0)
            r = av_hwframe_transfer_data(f, plain, 0);
        av_frame_free(&plain);
    }
    return r;
}
