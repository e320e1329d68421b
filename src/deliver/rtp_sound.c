/* Sound in RTP: AAC by RFC 3640 (AAC-hbr, one access unit a packet), Opus by RFC 7587, samples by
 * RFC 3551. */
#include "deliver/rtp_split.h"

/* AU-headers-length, then one AU-header: 13 bits of size, 3 of index. A large unit goes in
 * pieces, each of which tells the size of the whole. */
int rtp_split_aac(struct rtp_sink *s, const uint8_t *bytes, size_t len)
{
    if (!len || len >= 1 << 13)
        return 0;
    const uint8_t head[4] = {0, 16, (uint8_t)(len >> 5), (uint8_t)(len << 3)};
    while (len) {
        size_t part = len < PAYLOAD_MAX - sizeof(head) ? len : PAYLOAD_MAX - sizeof(head);
        rtp_emit(s, head, sizeof(head), bytes, part, part == len);
        bytes += part;
        len -= part;
    }
    return s->n;
}

/* The marker would begin a talkspurt: ours never pause. */
int rtp_split_sound(struct rtp_sink *s, const uint8_t *bytes, size_t len)
{
    if (!len || len > PAYLOAD_MAX)
        return 0;
    rtp_emit(s, NULL, 0, bytes, len, false);
    return s->n;
}
