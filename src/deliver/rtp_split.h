/* How coded pictures and sound are cut into RTP payloads, one function a codec. Pure functions. */
#ifndef DELIVER_RTP_SPLIT_H
#define DELIVER_RTP_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/rtp.h"

#define PAYLOAD_MAX (RTP_MTU - RTP_HEADER)

struct rtp_sink {
    void (*put)(void *arg, const struct rtp_piece piece[2], bool last);
    void *arg;
    int n;
};

static inline void rtp_emit(struct rtp_sink *s, const uint8_t *head, size_t head_len,
                            const uint8_t *body, size_t body_len, bool last)
{
    const struct rtp_piece piece[2] = {{head, head_len}, {body, body_len}};
    s->put(s->arg, piece, last);
    s->n++;
}

/* The number of packets; 0: nothing that RTP can carry. */
int rtp_split_h264(struct rtp_sink *s, const uint8_t *bytes, size_t len);
int rtp_split_h265(struct rtp_sink *s, const uint8_t *bytes, size_t len);
int rtp_split_av1(struct rtp_sink *s, const uint8_t *bytes, size_t len);
int rtp_split_jpeg(struct rtp_sink *s, const uint8_t *bytes, size_t len);
int rtp_split_aac(struct rtp_sink *s, const uint8_t *bytes, size_t len);
int rtp_split_sound(struct rtp_sink *s, const uint8_t *bytes, size_t len);

#endif
