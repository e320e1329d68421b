/* Streaming by mapped buffers from an open V4L2 node. One thread. */
#ifndef DEVICE_V4L2_STREAM_H
#define DEVICE_V4L2_STREAM_H

#include "device/v4l2/formats.h"

#define STREAM_BUFFERS 4

struct v4l2_stream {
    int fd; /* borrowed */
    bool on;
    struct format format; /* as the device took it */
    int stride;
    enum colour_matrix matrix;
    enum colour_range range;
    struct {
        void *at;
        size_t len;
    } buffer[STREAM_BUFFERS];
    unsigned n;
};
/* 0 or a negative errno, after which nothing is held. */
int stream_start(struct v4l2_stream *s, int fd, const struct format *wanted);
void stream_stop(struct v4l2_stream *s);
/* The newest whole buffer: its number, until stream_give(). -EAGAIN: none is there. */
int stream_take(struct v4l2_stream *s, size_t *ret_len);
int stream_give(struct v4l2_stream *s, int buffer);

#endif
