#include "sdp.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "deliver/rtp.h"
#include "media/encode.h"

/* Rotation and mirror of the picture against the sensor, as a 3x3 matrix by rows. */
static void write_transform(struct buf *b, const struct rendition_key *key)
{
    static const int cosines[] = {1, 0, -1, 0}, sines[] = {0, 1, 0, -1};
    int quarter = key->rotation_deg / 90 % 4;
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
             RTP_PT_H264, RTP_PT_H264, f->sps[1], f->sps[2], f->sps[3], sps, pps);
    return 0;
}

int sdp_write(struct buf *b, const struct sdp_desc *d)
{
    bool jpeg = d->format->codec == CODEC_JPEG;
    int type = jpeg ? RTP_PT_JPEG : RTP_PT_H264;
    int width = d->encoding->key.width, height = d->encoding->key.height;
    const char *family = strchr(d->address, ':') ? "IP6" : "IP4";
    const char *mark = *d->query ? "?" : "";
    buf_addf(b,
             "v=0\r\n"
             "o=- %llu %llu IN %s %s\r\n"
             "s=%s\r\n"
             "t=0 0\r\n"
             "a=tool:%s\r\n"
             "a=type:broadcast\r\n"
             "a=range:npt=now-\r\n"
             "a=control:%s%s%s\r\n"
             "m=video 0 RTP/AVP %d\r\n"
             "c=IN %s %s\r\n",
             (unsigned long long)d->id, (unsigned long long)d->version, family, d->address, d->name,
             d->tool, d->base, mark, d->query, type, family,
             strchr(d->address, ':') ? "::" : "0.0.0.0");
    if (!jpeg && d->encoding->rate_mode == RATE_MBR && d->encoding->max_kbps > 0)
        buf_addf(b, "b=AS:%d\r\n", d->encoding->max_kbps);
    if (jpeg) {
        buf_addf(b, "a=rtpmap:%d JPEG/90000\r\n", type);
        buf_addf(b, "a=x-dimensions:%d,%d\r\n", width, height);
    } else {
        int err = write_h264(b, d->format);
        if (err < 0)
            return err;
    }
    buf_addf(b, "a=framerate:%f\r\na=framesize:%d %d-%d\r\n", d->fps, type, width, height);
    write_transform(b, &d->encoding->key);
    buf_addf(b,
             "a=ts-refclk:local\r\n"
             "a=mediaclk:sender\r\n"
             "a=control:%s/stream=0%s%s\r\n",
             d->base, mark, d->query);
    return b->err;
}
