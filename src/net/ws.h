/* WebSocket (RFC 6455), server side: upgrade and framing. No extensions. A parser
 * with limits for what clients send; headers for what we send. Owner thread. */
#ifndef NET_WS_H
#define NET_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/limits.h"

struct buf;
struct conn;
struct exchange;

enum ws_opcode { WS_CONT = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* Checks the upgrade, writes the 101 (protocol: one of the client's offers, or
 * NULL for none) and takes the connection. On a bad upgrade it replies 400/426
 * and returns NULL. The 101 is queued in *ret_pending, to be written first. */
struct conn *ws_accept(struct exchange *ex, const char *protocol, struct buf *ret_pending);
bool ws_is_upgrade(const struct exchange *ex);
bool ws_offers(const struct exchange *ex, const char *protocol);

/* Header of an unfragmented, unmasked frame; returns its length (2, 4 or 10). */
size_t ws_header(uint8_t ret[10], enum ws_opcode op, uint64_t payload_len);

/* Incremental reader of masked client frames: reassembles fragments up to
 * LIMIT_WS_MESSAGE (give `in` a limit of WS_READER_BYTES). message() must not free
 * the reader; it gets whole messages and control frames. Returns 0 or
 * minus a close code (1002 protocol, 1009 too big, 1007 bad UTF-8). */
#define WS_READER_BYTES (LIMIT_WS_MESSAGE + 32768)
struct ws_reader {
    struct buf *in;  /* owned by the caller: raw bytes */
    struct buf *msg; /* owned by the caller: the message being assembled */
    enum ws_opcode op;
    bool in_message;
};
int ws_feed(struct ws_reader *r, const void *bytes, size_t len,
            void (*message)(void *arg, enum ws_opcode op, const uint8_t *payload, size_t len),
            void *arg);

#endif
