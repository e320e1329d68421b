/* Decoders of sound (libav), for what talkers send: to blocks of the camera's own rate (sound.h).
 * Hostile bytes are expected. Owner thread. */
#ifndef MEDIA_SOUND_DECODE_H
#define MEDIA_SOUND_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "media/packet.h"

struct fault;
struct sound_decoder;

struct sound_code { /* how it is coded */
    enum codec codec;
    int rate_hz;
    int channels; /* 1 or 2 */
    int bitrate;  /* G.726 */
    /* AAC: AudioSpecificConfig; config_len 0: each unit has an ADTS header */
    uint8_t config[16];
    size_t config_len;
};

/* NULL with the reason. */
struct sound_decoder *sound_decoder_open(const struct sound_code *code, struct fault *why);
struct sound_decoder *sound_decoder_close(struct sound_decoder *d);
/* One packet (of RTP, or a whole unit) in; samples out, `most` at most: more is lost. Returns how
 * many; -EBADMSG: it is damaged, the next may be whole; other negative errno. */
#define SOUND_DECODED_MOST 11520 /* of one packet: 240 ms */
int sound_decoder_put(struct sound_decoder *d, const uint8_t *bytes, size_t len,
                      int16_t ret[SOUND_DECODED_MOST]);

#endif
