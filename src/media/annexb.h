/* NAL units in Annex B bytes (ITU-T H.264 and H.265, Annex B). Pure functions; any thread. */
#ifndef MEDIA_ANNEXB_H
#define MEDIA_ANNEXB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture;

struct nal {
    const uint8_t *bytes; /* header first, without start code and trailing zeros */
    size_t len;           /* at least 1 */
};
/* The next NAL unit at or after *at, which then stands behind it. False: there is none. */
bool annexb_next(const uint8_t *bytes, size_t len, size_t *at, struct nal *ret);

/* nal_unit_type */
enum { AVC_SLICE = 1, AVC_IDR = 5, AVC_SEI, AVC_SPS, AVC_PPS, AVC_AUD, AVC_FILLER = 12 };
enum {
    HEVC_IRAP_FIRST = 16,
    HEVC_IRAP_LAST = 23,
    HEVC_VCL_LAST = 31,
    HEVC_VPS,
    HEVC_SPS,
    HEVC_PPS,
    HEVC_AUD,
    HEVC_EOS,
    HEVC_EOB,
    HEVC_FILLER,
    HEVC_SEI,
    HEVC_SEI_SUFFIX
};
static inline int avc_type(struct nal n)
{
    return n.bytes[0] & 31;
}
static inline int hevc_type(struct nal n)
{
    return n.bytes[0] >> 1 & 63;
}

/* An SEI message user_data_unregistered that tells how the picture was taken
 * (capture_text), with start code, the NAL unit header given and emulation prevention.
 * Length, at most ANNEXB_SEI_MAX. */
#define ANNEXB_SEI_MAX 1100
size_t annexb_sei(const struct capture *how, const uint8_t *header, size_t header_len,
                  uint8_t ret[ANNEXB_SEI_MAX]);

/* H.264: the sequence parameter set as one that promises no fixed frame rate
 * (fixed_frame_rate_flag, Annex E). Length; 0: it promises none, is malformed, or does not fit. */
size_t avc_sps_free_rate(struct nal sps, uint8_t *ret, size_t size);

#endif
