/* Pieces of a container (media/mux.h) of packets, made once per stream and shared by all
 * who are sent them. Any thread. */
#ifndef DELIVER_PIECE_H
#define DELIVER_PIECE_H

#include "media/mux.h"

struct piece_form {
    struct packet_form base;
    size_t len;
    /* Its first bytes tell times, in ticks of 1/hz s, of so many bytes each; 0: none were found. */
    size_t head, at[2];
    int hz, width;
    _Alignas(64) uint8_t bytes[]; /* the kernel copies from a cache line's start much faster */
};

/* Borrowed: lives as long as the packet, which is one of `s`, track 1 of its container
 * (sound: track 2).
 * NULL: it cannot be made. */
const struct piece_form *piece_form_of(struct stream *s, struct packet *p, enum container c);

/* A copy of its head whose times count from zero_ns of the clock instead of from the clock's zero;
 * the caller frees it. None may be earlier. NULL: out of memory. */
uint8_t *piece_head_from(const struct piece_form *f, int64_t zero_ns);

#endif
