/* Opus in Ogg (RFC 3533, RFC 7845): pages that each hold one packet, and a strict reader of pages
 * that strangers send. Pure. */
#ifndef MEDIA_OGG_H
#define MEDIA_OGG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OGG_HEAD 33       /* of a page with one packet of up to OGG_PACKET bytes */
#define OGG_PACKET 1529   /* six segments */
#define OGG_OPENING 128   /* both pages before the sound */
#define OPUS_PRE_SKIP 312 /* samples at 48,000 a second that the coder looks ahead */
#define OPUS_HEAD 19

struct ogg_page {
    uint32_t serial, number;
    int64_t granule; /* samples at 48,000 a second up to its end */
    bool first;      /* of the stream */
};
/* What stands before the packet's own bytes; its length. len ≤ OGG_PACKET. */
size_t ogg_page_head(const struct ogg_page *page, const uint8_t *bytes, size_t len,
                     uint8_t ret[OGG_HEAD]);
/* The identification header of one channel (RFC 7845, 5.1). pre_skip: samples at 48,000 a second
 * that are not to be heard. */
void opus_head(int rate_hz, int pre_skip, uint8_t ret[OPUS_HEAD]);
/* OpusHead and OpusTags of one channel; pages 0 and 1. */
size_t ogg_opus_opening(uint32_t serial, int rate_hz, uint8_t ret[OGG_OPENING]);

/* Reads one logical stream. */
struct ogg_reader {
    uint8_t page[27 + 255 + 255 * 255];
    size_t n;
    uint8_t packet[4096];
    size_t packet_len;
    bool skipping; /* a packet that is too large, or whose beginning was missed */
    unsigned packets;
};
void ogg_reader_init(struct ogg_reader *r);
/* Whole packets of sound through say(), without the two of the opening. -EBADMSG: no Ogg, or not
 * Opus. */
int ogg_reader_put(struct ogg_reader *r, const uint8_t *bytes, size_t len,
                   void (*say)(void *arg, const uint8_t *bytes, size_t len), void *arg);

#endif
