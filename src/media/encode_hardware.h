/* Encoders of the machine, through libavcodec: VA-API (h264_vaapi, hevc_vaapi; ROI where the driver
 * can) and V4L2 memory to memory (h264_v4l2m2m, as on a Raspberry Pi). Looked for once, when the
 * first encoder is opened; where there are none everything is coded by software. Written against
 * the interfaces; nobody has run them on such a machine yet. Owner thread: the encoder's. */
#ifndef MEDIA_ENCODE_HARDWARE_H
#define MEDIA_ENCODE_HARDWARE_H

#include <libavcodec/avcodec.h>

#include "media/encode.h"

struct hardware;

/* quantizer: as x264's CRF. On success *ret_ctx is open and the caller's to free before
 * hardware_close(). NULL: this machine has none that takes it. */
struct hardware *hardware_open(const struct encoding *e, double fps, double quantizer,
                               AVCodecContext **ret_ctx);
/* Whether there is one for this codec. */
bool hardware_codes(enum codec codec);
struct hardware *hardware_close(struct hardware *h);
/* The picture as the encoder takes it, into an empty frame. 0 or an AVERROR. */
int hardware_fill(struct hardware *h, const struct picture *p, AVFrame *f);
/* Luma as it is, chroma interleaved. */
void hardware_nv12(const struct picture *p, uint8_t *const data[2], const int linesize[2]);

#endif
