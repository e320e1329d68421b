#include "bare.h"

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <stdio.h>
#include <stdlib.h>
#include <turbojpeg.h>

struct bare_h264 {
    AVCodecContext *ctx;
    AVFrame *frame;
    AVPacket *packet;
    int64_t pts;
};

static void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench: %s failed\n", what);
        exit(1);
    }
}

struct bare_h264 *bare_h264_new(int width, int height, double crf, int gop)
{
    struct bare_h264 *b = calloc(1, sizeof(*b));
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    must(b && codec && (b->ctx = avcodec_alloc_context3(codec)), "libx264");
    b->frame = av_frame_alloc();
    b->packet = av_packet_alloc();
    AVCodecContext *c = b->ctx;
    c->width = width;
    c->height = height;
    c->pix_fmt = AV_PIX_FMT_YUV420P;
    c->time_base = (AVRational){1, 30};
    c->framerate = (AVRational){30, 1};
    c->gop_size = gop;
    c->thread_count = 1;
    av_opt_set(c->priv_data, "preset", "veryfast", 0);
    av_opt_set(c->priv_data, "tune", "zerolatency", 0);
    av_opt_set(c->priv_data, "profile", "high", 0);
    av_opt_set_double(c->priv_data, "crf", crf, 0);
    av_opt_set(c->priv_data, "x264-params", "scenecut=0:bframes=0:sliced-threads=0", 0);
    must(b->frame && b->packet && avcodec_open2(c, codec, NULL) == 0, "libx264");
    return b;
}

void bare_h264_encode(struct bare_h264 *b, const struct picture *p)
{
    AVFrame *f = b->frame;
    f->format = AV_PIX_FMT_YUV420P;
    f->width = p->width;
    f->height = p->height;
    f->pts = b->pts++;
    for (int i = 0; i < 3; i++) {
        f->data[i] = p->plane[i];
        f->linesize[i] = p->stride[i];
    }
    must(avcodec_send_frame(b->ctx, f) == 0, "x264");
    while (avcodec_receive_packet(b->ctx, b->packet) == 0)
        av_packet_unref(b->packet);
}

void bare_h264_free(struct bare_h264 *b)
{
    avcodec_free_context(&b->ctx);
    av_frame_free(&b->frame);
    av_packet_free(&b->packet);
    free(b);
}

struct bare_jpeg {
    tjhandle tj;
    int quality;
    unsigned char *out;
    unsigned long size;
};

struct bare_jpeg *bare_jpeg_new(int width, int height, int quality)
{
    struct bare_jpeg *b = calloc(1, sizeof(*b));
    must(b && (b->tj = tjInitCompress()), "libjpeg-turbo");
    b->size = tjBufSize(width, height, TJSAMP_420);
    b->out = tjAlloc((int)b->size);
    b->quality = quality;
    must(b->out != NULL, "memory");
    return b;
}

void bare_jpeg_encode(struct bare_jpeg *b, const struct picture *p)
{
    const unsigned char *planes[3] = {p->plane[0], p->plane[1], p->plane[2]};
    unsigned long len = b->size;
    must(tjCompressFromYUVPlanes(b->tj, planes, p->width, p->stride, p->height, TJSAMP_420, &b->out,
                                 &len, b->quality, TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT) == 0,
         "libjpeg-turbo");
}

void bare_jpeg_free(struct bare_jpeg *b)
{
    tjDestroy(b->tj);
    tjFree(b->out);
    free(b);
}
