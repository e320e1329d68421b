/* Sound as a stream of bytes (transmit.cgi): which type of content it is, and where in it coded
 * units begin. Strict; pure. */
#ifndef MEDIA_SOUND_STREAM_H
#define MEDIA_SOUND_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "media/ogg.h"
#include "media/sound_decode.h"

#define ADTS_MOST 8191 /* bytes of a frame: what its 13 bits can say */

struct sound_stream {
    struct sound_code code;
    enum { SOUND_UNITS, SOUND_ADTS, SOUND_OGG } form;
    size_t unit; /* bytes of 20 ms, of SOUND_UNITS */
    size_t n;
    uint8_t held[ADTS_MOST + 1];
    struct ogg_reader ogg;
};

/* By Content-Type: audio/basic (G.711 u-law), audio/axis-mulaw-128 (the same, 16,000 a second),
 * audio/x-alaw-basic, audio/G726-16, -24, -32, -40, audio/L16;rate=N, audio/mpeg4-generic or
 * audio/aac (with ADTS headers), audio/opus or audio/ogg (in Ogg). -EINVAL: another one. */
int sound_stream_init(struct sound_stream *s, const char *type);
/* Units through say(). -EBADMSG: it is not what its type says. */
int sound_stream_put(struct sound_stream *s, const uint8_t *bytes, size_t len,
                     void (*say)(void *arg, const uint8_t *bytes, size_t len), void *arg);
/* The Content-Type of a coding. */
const char *sound_stream_type(const struct sound_code *code, char ret[48]);
/* The 7 bytes of an ADTS header before a unit of one channel of AAC-LC. */
#define ADTS_HEAD 7
void adts_head(int rate_hz, size_t len, uint8_t ret[ADTS_HEAD]);

#endif
