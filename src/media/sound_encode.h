/* Coders of sound (libav): AAC-LC, Opus, G.711, G.726, linear. Owner thread: whose it is. */
#ifndef MEDIA_SOUND_ENCODE_H
#define MEDIA_SOUND_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/packet.h"

struct fault;
struct sound_encoder;
struct stream_format;

/* Equal wishes compare equal once normalised. One channel. */
struct sound_encoding {
    enum codec codec;
    int rate_hz; /* of AAC, linear and u-law (8000, or 16000 as axis-mulaw-128); else fixed */
    int bitrate; /* bit/s: AAC, Opus; G.726: 16000, 24000, 32000 or 40000; else 0 */
};
/* AAC, 16000 a second, 32 kbit/s: what every container holds. */
extern const struct sound_encoding sound_for_containers;
bool sound_encoding_equal(const struct sound_encoding *a, const struct sound_encoding *b);
/* Sets what the codec leaves no choice of; FAULT_INVALID names the argument of streams
 * (audiosamplerate, audiobitrate). */
int sound_encoding_normalise(struct sound_encoding *e, struct fault *why);

/* A normalised encoding. NULL: it cannot be opened here. */
struct sound_encoder *sound_encoder_open(const struct sound_encoding *e, struct fault *why);
struct sound_encoder *sound_encoder_close(struct sound_encoder *enc);
void sound_encoder_format(const struct sound_encoder *enc, struct stream_format *ret);
/* n samples of SOUND_HZ in; whole packets come out through put(), which gets bytes that are gone
 * after it returns, and when their first sample sounds: so many samples of the encoding's rate
 * after the first that was ever put in (before it, as coders look ahead, for the first ones).
 * 0 or negative errno. */
int sound_encoder_put(struct sound_encoder *enc, const int16_t *sample, int n,
                      void (*put)(void *arg, const uint8_t *bytes, size_t len, int64_t at),
                      void *arg);

#endif
