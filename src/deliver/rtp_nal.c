/* H.264 in RTP by RFC 6184 (single NAL units and FU-A) and H.265 by RFC 7798 (single NAL units
 * and FUs). */
#include "deliver/rtp_split.h"
#include "media/annexb.h"

/* In what the two differ. */
struct family {
    size_t header_len;
    bool (*slice)(struct nal n);
    bool (*carried)(struct nal n); /* others stay here: delimiters, filler */
    /* Headers of a fragment; length. */
    size_t (*fragment)(struct nal n, bool first, bool end, uint8_t ret[3]);
};

static bool h264_slice(struct nal n)
{
    return avc_type(n) >= AVC_SLICE && avc_type(n) <= AVC_IDR;
}

static bool h264_carried(struct nal n)
{
    int type = avc_type(n);
    return type > 0 && (type < AVC_AUD || (type > AVC_FILLER && type < 24));
}

static size_t h264_fragment(struct nal n, bool first, bool end, uint8_t ret[3])
{
    ret[0] = (uint8_t)((n.bytes[0] & 0xe0) | 28); /* FU-A */
    ret[1] = (uint8_t)((n.bytes[0] & 31) | (first ? 0x80 : 0) | (end ? 0x40 : 0));
    return 2;
}

static bool h265_slice(struct nal n)
{
    return hevc_type(n) <= HEVC_VCL_LAST;
}

static bool h265_carried(struct nal n)
{
    int type = hevc_type(n);
    return n.len > 2 && type < 48 && type != HEVC_AUD && type != HEVC_FILLER;
}

static size_t h265_fragment(struct nal n, bool first, bool end, uint8_t ret[3])
{
    ret[0] = (uint8_t)((n.bytes[0] & 0x81) | 49 << 1); /* FU; layer and temporal id stay */
    ret[1] = n.bytes[1];
    ret[2] = (uint8_t)(hevc_type(n) | (first ? 0x80 : 0) | (end ? 0x40 : 0));
    return 3;
}

static const struct family h264 = {1, h264_slice, h264_carried, h264_fragment};
static const struct family h265 = {2, h265_slice, h265_carried, h265_fragment};

static void put_nal(struct rtp_sink *s, const struct family *f, struct nal n, bool last)
{
    if (n.len <= PAYLOAD_MAX) {
        rtp_emit(s, NULL, 0, n.bytes, n.len, last);
        return;
    }
    const uint8_t *p = n.bytes + f->header_len; /* the type travels in the fragment headers */
    size_t left = n.len - f->header_len;
    for (bool first = true; left; first = false) {
        uint8_t head[3];
        size_t most = PAYLOAD_MAX - (f->header_len + 1), part = left < most ? left : most;
        bool end = part == left;
        size_t head_len = f->fragment(n, first, end, head);
        rtp_emit(s, head, head_len, p, part, last && end);
        p += part;
        left -= part;
    }
}

static int split(struct rtp_sink *s, const struct family *f, const uint8_t *bytes, size_t len)
{
    /* Everything else goes before the slices: some players lose a picture whose last
     * packet is not a slice. */
    size_t last_slice = len;
    struct nal n;
    for (size_t at = 0; annexb_next(bytes, len, &at, &n);)
        if (f->carried(n) && f->slice(n))
            last_slice = (size_t)(n.bytes - bytes);
    if (last_slice == len)
        return 0; /* no picture in it */
    for (int slices = 0; slices < 2; slices++)
        for (size_t at = 0; annexb_next(bytes, len, &at, &n);)
            if (f->carried(n) && f->slice(n) == (slices == 1))
                put_nal(s, f, n, (size_t)(n.bytes - bytes) == last_slice);
    return s->n;
}

int rtp_split_h264(struct rtp_sink *s, const uint8_t *bytes, size_t len)
{
    return split(s, &h264, bytes, len);
}

int rtp_split_h265(struct rtp_sink *s, const uint8_t *bytes, size_t len)
{
    return split(s, &h265, bytes, len);
}
