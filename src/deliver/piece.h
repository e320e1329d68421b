/* Pieces of a container (media/mux.h) of packets, made once per stream and shared by all
 * who are sent them. Any thread. */
#ifndef DELIVER_PIECE_H
#define DELIVER_PIECE_H

#include "media/mux.h"

struct piece_form {
    struct packet_form base;
    size_t len;
    _Alignas(64) uint8_t bytes[]; /* the kernel copies from a cache line's start much faster */
};

/* Borrowed: lives as long as the packet, which is one of `s`, track 1 of its container
 * (sound: track 2).
 * NULL: it cannot be made. */
const struct piece_form *piece_form_of(struct stream *s, struct packet *p, enum container c);

#endif
