#include "media/unpack.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "media/libav.h"

#define MAX_SIDE 8192

struct unpacker {
    AVCodecContext *jpeg; /* made when first needed */
    AVPacket *packet;
    AVFrame *frame;
    struct SwsContext *sws;
};

struct unpacker *unpacker_new(void)
{
    libav_init();
    return calloc(1, sizeof(struct unpacker));
}

struct unpacker *unpacker_free(struct unpacker *u)
{
    if (!u)
        return NULL;
    avcodec_free_context(&u->jpeg);
    av_packet_free(&u->packet);
    av_frame_free(&u->frame);
    sws_freeContext(u->sws);
    free(u);
    return NULL;
}

static int open_jpeg(struct unpacker *u)
{
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_MJPEG);
    if (!codec)
        return -ENOTSUP;
    u->jpeg = avcodec_alloc_context3(codec);
    u->packet = av_packet_alloc();
    u->frame = av_frame_alloc();
    if (!u->jpeg || !u->packet || !u->frame)
        return -ENOMEM;
    u->jpeg->thread_count = 1;
    u->jpeg->flags |= AV_CODEC_FLAG_LOW_DELAY;
    u->jpeg->max_pixels = (int64_t)MAX_SIDE * MAX_SIDE;
    return avcodec_open2(u->jpeg, codec, NULL) < 0 ? -ENOTSUP : 0;
}

static int convert(struct unpacker *u, enum AVPixelFormat format, int width, int height,
                   const uint8_t *const data[4], const int stride[4], bool full, struct picture *to)
{
    u->sws = sws_getCachedContext(u->sws, width, height, format, to->width, to->height,
                                  AV_PIX_FMT_YUV420P, SWS_BILINEAR, NULL, NULL, NULL);
    if (!u->sws)
        return -ENOTSUP;
    const int *matrix =
        sws_getCoefficients(to->matrix == COLOUR_BT709 ? SWS_CS_ITU709 : SWS_CS_ITU601);
    sws_setColorspaceDetails(u->sws, matrix, full, matrix, to->range == RANGE_FULL, 0, 1 << 16,
                             1 << 16);
    uint8_t *out[4] = {to->plane[0], to->plane[1], to->plane[2]};
    int out_stride[4] = {to->stride[0], to->stride[1], to->stride[2]};
    return sws_scale(u->sws, data, stride, 0, height, out, out_stride) == to->height ? 0 : -EBADMSG;
}

static int unpack_jpeg(struct unpacker *u, const uint8_t *bytes, size_t len, struct picture *to)
{
    int err = u->jpeg ? 0 : open_jpeg(u);
    if (err) {
        avcodec_free_context(&u->jpeg);
        return err;
    }
    if (len < 4 || len > INT32_MAX / 2 || bytes[0] != 0xff || bytes[1] != 0xd8)
        return -EBADMSG;
    if (av_new_packet(u->packet, (int)len) < 0) /* padded, as decoders want it */
        return -ENOMEM;
    memcpy(u->packet->data, bytes, len);
    int r = avcodec_send_packet(u->jpeg, u->packet);
    av_packet_unref(u->packet);
    if (r >= 0)
        r = avcodec_receive_frame(u->jpeg, u->frame);
    if (r < 0) {
        avcodec_flush_buffers(u->jpeg);
        return -EBADMSG;
    }
    AVFrame *f = u->frame;
    to->matrix = COLOUR_BT601;
    to->range = RANGE_FULL;
    err = convert(u, f->format, f->width, f->height, (const uint8_t *const *)f->data, f->linesize,
                  true, to);
    av_frame_unref(f);
    return err;
}

int unpack_picture(struct unpacker *u, enum raw_layout layout, int width, int height, int stride,
                   const uint8_t *bytes, size_t len, struct picture *to)
{
    static const struct {
        enum AVPixelFormat format;
        int bytes; /* of a pixel in the first plane */
        int parts; /* of the first plane's size, in halves */
    } rows[] = {
        [RAW_YUYV] = {AV_PIX_FMT_YUYV422, 2, 2},   [RAW_UYVY] = {AV_PIX_FMT_UYVY422, 2, 2},
        [RAW_NV12] = {AV_PIX_FMT_NV12, 1, 3},      [RAW_NV21] = {AV_PIX_FMT_NV21, 1, 3},
        [RAW_YUV420] = {AV_PIX_FMT_YUV420P, 1, 3}, [RAW_GREY] = {AV_PIX_FMT_GRAY8, 1, 2},
        [RAW_RGB24] = {AV_PIX_FMT_RGB24, 3, 2},
    };
    if (layout == RAW_JPEG)
        return unpack_jpeg(u, bytes, len, to);
    if (width < 2 || height < 2 || width > MAX_SIDE || height > MAX_SIDE || (height & 1) ||
        stride < width * rows[layout].bytes || stride > MAX_SIDE * 4)
        return -EINVAL;
    size_t first = (size_t)stride * (size_t)height;
    if (len < first * (size_t)rows[layout].parts / 2)
        return -EBADMSG;
    int half = stride / 2;
    const uint8_t *data[4] = {bytes, bytes + first, bytes + first + first / 4};
    int strides[4] = {stride, layout == RAW_YUV420 ? half : stride, half};
    if (layout == RAW_RGB24) {
        to->matrix = COLOUR_BT601;
        to->range = RANGE_FULL;
    }
    bool full = layout == RAW_RGB24 || layout == RAW_GREY || to->range == RANGE_FULL;
    return convert(u, rows[layout].format, width, height, data, strides, full, to);
}
