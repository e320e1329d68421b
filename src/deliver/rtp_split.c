#include "deliver/rtp_split.h"

#include <errno.h>

int rtp_split(const uint8_t *bytes, size_t len, enum codec codec,
              void (*put)(void *arg, const struct rtp_piece piece[2], bool last), void *arg)
{
    struct rtp_sink s = {put, arg, 0};
    switch (codec) {
    case CODEC_H264:
        return rtp_split_h264(&s, bytes, len);
    case CODEC_JPEG:
        return rtp_split_jpeg(&s, bytes, len);
    case CODEC_H265:
        return rtp_split_h265(&s, bytes, len);
    case CODEC_AV1:
        return rtp_split_av1(&s, bytes, len);
    case CODEC_AAC:
        return rtp_split_aac(&s, bytes, len);
    case CODEC_OPUS:
    case CODEC_PCMU:
    case CODEC_PCMA:
    case CODEC_G726:
    case CODEC_L16:
        return rtp_split_sound(&s, bytes, len);
    }
    return -ENOTSUP;
}
