#include "deliver/sound_http.h"

#include <stdio.h>

#include "media/ogg.h"
#include "media/sound_stream.h"
#include "media/stream.h"

#define OPENING_PAGES 2
#define SAMPLES 960 /* of a packet of Opus, at 48,000 a second */

size_t sound_http_head(struct stream *s, const struct packet *p, bool parts,
                       char ret[SOUND_HTTP_HEAD])
{
    struct stream_format f;
    stream_get_format(s, &f);
    uint8_t *head = (uint8_t *)ret;
    if (parts) {
        const struct sound_code code = {
            .codec = f.codec, .rate_hz = f.rate_hz, .channels = f.channels, .bitrate = f.bitrate};
        char type[48];
        return (size_t)snprintf(ret, SOUND_HTTP_HEAD,
                                "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                                sound_stream_type(&code, type), p->len);
    }
    if (f.codec == CODEC_AAC) {
        adts_head(f.rate_hz, p->len, head);
        return ADTS_HEAD;
    }
    if (f.codec == CODEC_OPUS && p->len <= OGG_PACKET) {
        const struct ogg_page page = {
            .serial = stream_ssrc(s),
            .number = (uint32_t)p->serial + OPENING_PAGES,
            .granule = (int64_t)(p->serial + 1) * SAMPLES,
        };
        return ogg_page_head(&page, p->bytes, p->len, head);
    }
    return 0;
}
