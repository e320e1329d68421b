/* Baseline JPEG by libjpeg-turbo, straight from the planes. Standard Huffman
 * tables, 4:2:0, one scan, no restart markers: what RFC 2435 can carry. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "media/encode.h"

#define TEXT_MAX 512
#define HEAD 20 /* SOI and the JFIF segment, after which the comment goes */

extern const struct encoder_ops encoder_jpeg;

struct jpeg_encoder {
    struct encoder base;
    tjhandle tj;
    int quality;
    bool stamp, told;
    struct stream_format format;
    unsigned char *scratch; /* worst case; what is coded is copied out of it */
    unsigned long scratch_len;
};

/* VAPIX compression 0 best … 100 smallest. */
static int quality_of(int compression)
{
    return 95 - compression * 85 / 100;
}

static void jpeg_close(struct encoder *enc)
{
    struct jpeg_encoder *e = container_of(enc, struct jpeg_encoder, base);
    if (e->tj)
        tjDestroy(e->tj);
    free(e->scratch);
    free(e);
}

static struct encoder *jpeg_open(const struct encoding *enc, double source_fps, struct fault *why)
{
    struct jpeg_encoder *e = calloc(1, sizeof(*e));
    if (!e) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    e->base.ops = &encoder_jpeg;
    e->quality = quality_of(enc->compression);
    e->stamp = enc->stamp;
    e->tj = tjInitCompress();
    unsigned long most = tjBufSize(enc->key.width, enc->key.height, TJSAMP_420);
    if (e->tj && most != (unsigned long)-1) {
        e->scratch_len = most;
        e->scratch = malloc(most + TEXT_MAX);
    }
    if (!e->scratch) {
        jpeg_close(&e->base);
        fault_set(why, FAULT_INTERNAL, NULL, "the JPEG encoder does not start");
        return NULL;
    }
    e->format = (struct stream_format){.codec = CODEC_JPEG,
                                       .width = enc->key.width,
                                       .height = enc->key.height,
                                       .fps = enc->fps > 0 ? enc->fps : source_fps};
    return &e->base;
}

static int jpeg_encode(struct encoder *enc, struct rendition *r, bool force_key,
                       struct packet **ret_p, struct stream_format *format)
{
    struct jpeg_encoder *e = container_of(enc, struct jpeg_encoder, base);
    const struct picture *pic = r->pixels;
    const unsigned char *planes[3] = {pic->plane[0], pic->plane[1], pic->plane[2]};
    unsigned char *to = e->scratch;
    unsigned long len = e->scratch_len;
    if (pic->width != e->format.width || pic->height != e->format.height)
        return -EINVAL;
    if (tjCompressFromYUVPlanes(e->tj, planes, pic->width, pic->stride, pic->height, TJSAMP_420,
                                &to, &len, e->quality, TJFLAG_NOREALLOC) < 0) {
        if (!e->told)
            log_error("media", "jpeg: %s", tjGetErrorStr2(e->tj));
        e->told = true;
        return -EIO;
    }
    if (len < HEAD)
        return -EIO;
    unsigned char comment[4 + TEXT_MAX];
    size_t comment_len = 0;
    if (e->stamp) {
        int n = capture_text(&r->how, (char *)comment + 4, TEXT_MAX);
        comment[0] = 0xff;
        comment[1] = 0xfe; /* COM */
        comment[2] = (unsigned char)((n + 2) >> 8);
        comment[3] = (unsigned char)(n + 2);
        comment_len = 4 + (size_t)n;
    }
    unsigned char *bytes = malloc(len + comment_len);
    if (!bytes)
        return -ENOMEM;
    memcpy(bytes, to, HEAD);
    memcpy(bytes + HEAD, comment, comment_len);
    memcpy(bytes + HEAD + comment_len, to + HEAD, len - HEAD);
    struct packet *p = packet_new(bytes, len + comment_len, free, bytes);
    if (!p) {
        free(bytes);
        return -ENOMEM;
    }
    p->flags = PACKET_KEY;
    p->how = r->how;
    *format = e->format;
    *ret_p = p;
    return 0;
}

const struct encoder_ops encoder_jpeg = {
    .codec = CODEC_JPEG,
    .name = "jpeg",
    .open = jpeg_open,
    .encode = jpeg_encode,
    .close = jpeg_close,
};
