/* Every limit on what a stranger can make us hold or do, in one place (SEC-16).
 * Defaults of the ones that are parameters stand here too. */
#ifndef NET_LIMITS_H
#define NET_LIMITS_H

#define LIMIT_TARGET_BYTES 4096       /* request line target: 414 above */
#define LIMIT_HEADER_BYTES 16384      /* all headers of a message: 431 above */
#define LIMIT_HEADER_LINE 8192        /* one header line */
#define LIMIT_HEADERS 64              /* header lines: 431 above */
#define LIMIT_BODY_BYTES 65536        /* unless the endpoint's row says otherwise: 413 */
#define LIMIT_ARGS 256                /* query and form arguments of one exchange */
#define LIMIT_ARENA_BYTES (1 << 20)   /* memory of one exchange besides the body */
#define LIMIT_REPLY_BYTES (8 << 20)   /* one reply body */
#define LIMIT_WS_MESSAGE 65536        /* one WebSocket message from a client */
#define LIMIT_INTERLEAVED_BYTES 2048  /* one '$' frame from an RTSP client */
#define LIMIT_QUEUE_BYTES (256 << 10) /* control bytes waiting for one connection */

#define LIMIT_HANDSHAKE_MS 10000   /* TLS handshake */
#define LIMIT_REQUEST_MS 15000     /* first byte to last byte of a request */
#define LIMIT_IDLE_MS 30000        /* keep-alive without a request */
#define LIMIT_WRITE_STALL_MS 10000 /* no byte taken by the peer */

#define LIMIT_CONNECTIONS 4096           /* in all */
#define LIMIT_CONNECTIONS_PER_ADDRESS 64 /* loopback exempt */
#define LIMIT_CONNECTIONS_UNAUTHENTICATED 1024
#define LIMIT_VIEWERS 1000
#define LIMIT_ENCODERS 8
#define LIMIT_GUESSES_PER_MINUTE 10
#define LIMIT_SESSIONS 256 /* web logins */
#define LIMIT_ACCOUNTS 100

#endif
