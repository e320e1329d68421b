#include "sdp.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "back.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "deliver/rtp.h"
#include "media/encode.h"
#include "media/obu.h"

/* Rotation and mirror of the picture against the sensor, as a 3x3 matrix by rows. */
static void write_transform(struct buf *b, const struct rendition_key *key, int mounting_deg)
{
    static const int cosines[] = {1, 0, -1, 0}, sines[] = {0, 1, 0, -1};
    int quarter = (key->rotation_deg + mounting_deg) / 90 % 4;
    double c = cosines[quarter], s = sines[quarter], m = key->mirror ? -1 : 1;
    buf_addf(b, "a=transform:%f,%f,%f;%f,%f,%f;%f,%f,%f\r\n", m * c + 0.0, -m * s + 0.0, 0.0, s, c,
             0.0, 0.0, 0.0, 1.0);
}

static int write_h264(struct buf *b, const struct stream_format *f)
{
    char sps[(sizeof(f->sps) + 2) / 3 * 4 + 1], pps[(sizeof(f->pps) + 2) / 3 * 4 + 1];
    if (f->sps_len < 4 || !f->pps_len)
        return -EINVAL;
    base64_of(f->sps, f->sps_len, sps);
    base64_of(f->pps, f->pps_len, pps);
    buf_addf(b,
             "a=rtpmap:%d H264/90000\r\n"
             "a=fmtp:%d packetization-mode=1;profile-level-id=%02x%02x%02x;"
             "sprop-parameter-sets=%s,%s\r\n",
             RTP_PT_DYNAMIC, RTP_PT_DYNAMIC, f->sps[1], f->sps[2], f->sps[3], sps, pps);
    return 0;
}

/* RFC 7798, 7.1 */
static int write_h265(struct buf *b, const struct stream_format *f)
{
    const struct {
        const uint8_t *bytes;
        size_t len;
    } set[] = {{f->vps, f->vps_len}, {f->sps, f->sps_len}, {f->pps, f->pps_len}};
    char text[3][(sizeof(f->sps) + 2) / 3 * 4 + 1];
    for (int i = 0; i < 3; i++) {
        if (!set[i].len)
            return -EINVAL;
        base64_of(set[i].bytes, set[i].len, text[i]);
    }
    buf_addf(b,
             "a=rtpmap:%d H265/90000\r\n"
             "a=fmtp:%d sprop-vps=%s;sprop-sps=%s;sprop-pps=%s\r\n",
             RTP_PT_DYNAMIC, RTP_PT_DYNAMIC, text[0], text[1], text[2]);
    return 0;
}

static unsigned take_bits(const uint8_t *bytes, size_t len, size_t *at, unsigned n)
{
    unsigned v = 0;
    for (; n; n--, (*at)++)
        v = v << 1 | (*at / 8 < len ? bytes[*at / 8] >> (7 - *at % 8) & 1 : 0);
    return v;
}

/* RTP Payload Format For AV1, 7.2.1, from sequence_header_obu() (AV1 5.5.1). */
static int write_av1(struct buf *b, const struct stream_format *f)
{
    struct obu o;
    size_t at = 0, bit = 0;
    if (obu_next(f->sps, f->sps_len, &at, &o) || o.type != OBU_SEQUENCE_HEADER)
        return -EINVAL;
    const uint8_t *p = o.payload;
    size_t n = o.payload_len;
    unsigned profile = take_bits(p, n, &bit, 3), level, tier = 0;
    take_bits(p, n, &bit, 1);       /* still_picture */
    if (take_bits(p, n, &bit, 1)) { /* reduced_still_picture_header */
        level = take_bits(p, n, &bit, 5);
    } else {
        if (take_bits(p, n, &bit, 1)) /* timing_info_present_flag: none of ours has it */
            return -EINVAL;
        take_bits(p, n, &bit, 1 + 5 + 12); /* up to operating_point_idc[0] */
        level = take_bits(p, n, &bit, 5);
        tier = level > 7 ? take_bits(p, n, &bit, 1) : 0;
    }
    buf_addf(b,
             "a=rtpmap:%d AV1/90000\r\n"
             "a=fmtp:%d profile=%u;level-idx=%u;tier=%u\r\n",
             RTP_PT_DYNAMIC, RTP_PT_DYNAMIC, profile, level, tier);
    return 0;
}

static int write_format(struct buf *b, const struct sdp_desc *d)
{
    const struct stream_format *f = d->format;
    switch (f->codec) {
    case CODEC_H264:
        return write_h264(b, f);
    case CODEC_H265:
        return write_h265(b, f);
    case CODEC_AV1:
        return write_av1(b, f);
    default:
        break;
    }
    buf_addf(b, "a=rtpmap:%d JPEG/90000\r\na=x-dimensions:%d,%d\r\n", RTP_PT_JPEG,
             d->encoding->key.width, d->encoding->key.height);
    return 0;
}

/* group: of multicast, or NULL; kbps: 0 not told. */
static void write_medium(struct buf *b, const struct sdp_desc *d, const char *medium, int type,
                         const char *group, int port, int kbps)
{
    const char *to = group ? group : d->address;
    bool six = strchr(to, ':') != NULL;
    buf_addf(b, "m=%s %d RTP/%s %d\r\nc=IN %s %s", medium, group ? port : 0,
             d->keys ? "SAVP" : "AVP", type, six ? "IP6" : "IP4",
             group ? group
             : six ? "::"
                   : "0.0.0.0");
    if (group && !six)
        buf_addf(b, "/%d", d->hops);
    buf_adds(b, "\r\n");
    if (kbps > 0)
        buf_addf(b, "b=AS:%d\r\n", kbps);
    if (group && d->source)
        buf_addf(b, "a=source-filter: incl IN %s %s %s\r\n", six ? "IP6" : "IP4", group, d->source);
}

static void write_end(struct buf *b, const struct sdp_desc *d, int index)
{
    if (d->keys)
        buf_addf(b,
                 "a=key-mgmt:mikey %s\r\n"
                 "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s\r\n",
                 d->keys[index].mikey, d->keys[index].sdes);
    buf_addf(b,
             "a=ts-refclk:local\r\n"
             "a=mediaclk:sender\r\n"
             "a=control:%s/stream=%d%s%s\r\n",
             d->base, index, *d->query ? "?" : "", d->query);
}

static int write_pictures(struct buf *b, const struct sdp_desc *d, int index)
{
    int type = rtp_payload_type(d->format->codec, 0);
    bool limited = d->format->codec != CODEC_JPEG && d->encoding->rate.max_kbps > 0;
    write_medium(b, d, "video", type, d->group, d->group_port,
                 limited ? d->encoding->rate.max_kbps : 0);
    int err = write_format(b, d);
    if (err < 0)
        return err;
    buf_addf(b, "a=framerate:%f\r\na=framesize:%d %d-%d\r\n", d->fps, type, d->encoding->key.width,
             d->encoding->key.height);
    write_transform(b, &d->encoding->key, d->mounting_deg);
    write_end(b, d, index);
    return 0;
}

/* RFC 3640 4.1 (AAC-hbr), RFC 7587 7, RFC 3551 */
static int write_sound(struct buf *b, const struct sdp_desc *d, int index)
{
    const struct stream_format *f = d->sound;
    int type = rtp_payload_type(f->codec, f->rate_hz);
    char config[2 * sizeof(f->sps) + 1];
    write_medium(b, d, "audio", type, d->sound_group, d->sound_port,
                 f->bitrate ? (f->bitrate + 999) / 1000 : 0);
    switch (f->codec) {
    case CODEC_AAC:
        if (!f->sps_len)
            return -EINVAL;
        hex_of(f->sps, f->sps_len, config);
        buf_addf(b,
                 "a=rtpmap:%d mpeg4-generic/%d/%d\r\n"
                 "a=fmtp:%d streamtype=5;profile-level-id=%d;mode=AAC-hbr;config=%s;"
                 "sizelength=13;indexlength=3;indexdeltalength=3\r\n",
                 type, f->rate_hz, f->channels, type, f->rate_hz > 24000 ? 41 : 40, config);
        break;
    case CODEC_OPUS:
        buf_addf(b, "a=rtpmap:%d opus/48000/2\r\na=fmtp:%d sprop-stereo=0\r\n", type, type);
        break;
    case CODEC_PCMU:
    case CODEC_PCMA:
        buf_addf(b, "a=rtpmap:%d %s/%d\r\n", type, f->codec == CODEC_PCMU ? "PCMU" : "PCMA",
                 f->rate_hz);
        break;
    case CODEC_G726:
        buf_addf(b, "a=rtpmap:%d G726-%d/8000\r\n", type, f->bitrate / 1000);
        break;
    case CODEC_L16:
        buf_addf(b, "a=rtpmap:%d L16/%d/%d\r\n", type, f->rate_hz, f->channels);
        break;
    default:
        return -EINVAL;
    }
    write_end(b, d, index);
    return 0;
}

/* What the client may send, as back.c hears it. Always to this camera alone. */
static void write_back(struct buf *b, const struct sdp_desc *d, int index)
{
    bool six = strchr(d->address, ':') != NULL;
    buf_addf(b,
             "m=audio 0 RTP/AVP 0 8 %d %d %d\r\n"
             "c=IN %s %s\r\n"
             "a=rtpmap:0 PCMU/8000\r\n"
             "a=rtpmap:8 PCMA/8000\r\n"
             "a=rtpmap:%d mpeg4-generic/16000/1\r\n"
             "a=fmtp:%d streamtype=5;profile-level-id=40;mode=AAC-hbr;config=1408;sizelength=13;"
             "indexlength=3;indexdeltalength=3\r\n"
             "a=rtpmap:%d opus/48000/2\r\n"
             "a=rtpmap:%d G726-32/8000\r\n"
             "a=sendonly\r\n",
             BACK_PT_AAC, BACK_PT_OPUS, BACK_PT_G726, six ? "IP6" : "IP4", six ? "::" : "0.0.0.0",
             BACK_PT_AAC, BACK_PT_AAC, BACK_PT_OPUS, BACK_PT_G726);
    buf_addf(b, "a=control:%s/stream=%d%s%s\r\n", d->base, index, *d->query ? "?" : "", d->query);
}

int sdp_write(struct buf *b, const struct sdp_desc *d)
{
    const char *family = strchr(d->address, ':') ? "IP6" : "IP4";
    int index = 0, err = 0;
    buf_addf(b,
             "v=0\r\n"
             "o=- %llu %llu IN %s %s\r\n"
             "s=%s\r\n"
             "t=0 0\r\n"
             "a=tool:%s\r\n"
             "a=type:broadcast\r\n"
             "a=range:npt=now-\r\n"
             "a=control:%s%s%s\r\n",
             (unsigned long long)d->id, (unsigned long long)d->version, family, d->address, d->name,
             d->tool, d->base, *d->query ? "?" : "", d->query);
    if (d->format)
        err = write_pictures(b, d, index++);
    if (!err && d->sound)
        err = write_sound(b, d, index++);
    if (!err && d->back)
        write_back(b, d, index);
    return err < 0 ? err : b->err;
}
