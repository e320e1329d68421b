#include "device/v4l2/stream.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <math.h>
#include <sys/mman.h>

#include "device/v4l2/node.h"

static void read_colours(struct v4l2_stream *s, const struct v4l2_pix_format *p)
{
    unsigned encoding = p->ycbcr_enc ? p->ycbcr_enc : V4L2_MAP_YCBCR_ENC_DEFAULT(p->colorspace);
    unsigned range = p->quantization
                         ? p->quantization
                         : V4L2_MAP_QUANTIZATION_DEFAULT(false, p->colorspace, encoding);
    s->matrix = encoding == V4L2_YCBCR_ENC_709 ? COLOUR_BT709 : COLOUR_BT601;
    s->range = range == V4L2_QUANTIZATION_FULL_RANGE ? RANGE_FULL : RANGE_LIMITED;
}

static int set_format(struct v4l2_stream *s, const struct format *wanted)
{
    struct v4l2_format f = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
    f.fmt.pix.width = (uint32_t)wanted->width;
    f.fmt.pix.height = (uint32_t)wanted->height;
    f.fmt.pix.pixelformat = wanted->fourcc;
    f.fmt.pix.field = V4L2_FIELD_ANY;
    int err = node_ioctl(s->fd, VIDIOC_S_FMT, &f);
    if (err)
        return err;
    const struct v4l2_pix_format *p = &f.fmt.pix;
    if (raw_layout_of(p->pixelformat) < 0 || p->width < 16 || p->height < 16 || p->width > 8192 ||
        p->height > 8192)
        return -ENOTSUP;
    s->format = (struct format){.fourcc = p->pixelformat,
                                .width = (int)p->width,
                                .height = (int)p->height & ~1,
                                .fps = wanted->fps};
    s->stride = (int)p->bytesperline;
    read_colours(s, p);
    struct v4l2_streamparm parm = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
    parm.parm.capture.timeperframe =
        (struct v4l2_fract){1000, (uint32_t)lround(wanted->fps * 1000)};
    node_ioctl(s->fd, VIDIOC_S_PARM, &parm); /* some have one rate only */
    return 0;
}

static int map_buffers(struct v4l2_stream *s)
{
    struct v4l2_requestbuffers ask = {
        .count = STREAM_BUFFERS, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
    int err = node_ioctl(s->fd, VIDIOC_REQBUFS, &ask);
    if (err)
        return err;
    unsigned n = ask.count < STREAM_BUFFERS ? ask.count : STREAM_BUFFERS;
    if (n < 2)
        return -ENOMEM;
    for (unsigned i = 0; i < n; i++) {
        struct v4l2_buffer b = {
            .index = i, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
        if ((err = node_ioctl(s->fd, VIDIOC_QUERYBUF, &b)))
            return err;
        void *at = mmap(NULL, b.length, PROT_READ, MAP_SHARED, s->fd, b.m.offset);
        if (at == MAP_FAILED)
            return -errno;
        s->buffer[i].at = at;
        s->buffer[i].len = b.length;
        s->n = i + 1;
        if ((err = stream_give(s, (int)i)))
            return err;
    }
    return 0;
}

void stream_stop(struct v4l2_stream *s)
{
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    if (s->on)
        node_ioctl(s->fd, VIDIOC_STREAMOFF, &type);
    for (unsigned i = 0; i < s->n; i++)
        munmap(s->buffer[i].at, s->buffer[i].len);
    struct v4l2_requestbuffers none = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
                                       .memory = V4L2_MEMORY_MMAP};
    if (s->n || s->on)
        node_ioctl(s->fd, VIDIOC_REQBUFS, &none);
    s->n = 0;
    s->on = false;
}

int stream_start(struct v4l2_stream *s, int fd, const struct format *wanted)
{
    *s = (struct v4l2_stream){.fd = fd};
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    int err = set_format(s, wanted);
    if (!err)
        err = map_buffers(s);
    if (!err)
        err = node_ioctl(fd, VIDIOC_STREAMON, &type);
    s->on = !err;
    if (err)
        stream_stop(s);
    return err;
}

int stream_give(struct v4l2_stream *s, int buffer)
{
    struct v4l2_buffer b = {
        .index = (uint32_t)buffer, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
    return node_ioctl(s->fd, VIDIOC_QBUF, &b);
}

int stream_take(struct v4l2_stream *s, size_t *ret_len)
{
    int newest = -EAGAIN;
    for (unsigned i = 0; i < 2 * STREAM_BUFFERS; i++) {
        struct v4l2_buffer b = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
        int err = node_ioctl(s->fd, VIDIOC_DQBUF, &b);
        if (err == -EAGAIN)
            break;
        if (err) {
            if (newest >= 0)
                stream_give(s, newest);
            return err;
        }
        if (b.index >= s->n)
            return -EPROTO;
        bool whole = !(b.flags & V4L2_BUF_FLAG_ERROR) && b.bytesused > 0 &&
                     b.bytesused <= s->buffer[b.index].len;
        int back = whole ? newest : (int)b.index;
        if (back >= 0 && (err = stream_give(s, back)))
            return err;
        if (whole) {
            newest = (int)b.index;
            *ret_len = b.bytesused;
        }
    }
    return newest;
}
