/* RTSP through HTTP, as QuickTime began it and every client since does: a GET whose answer
 * never ends carries what we say, a POST with the same x-sessioncookie what the client says,
 * in base64. Both are ordinary requests at the gate; the POST may be renewed. Loop-bound. */
#ifndef API_RTSP_TUNNEL_H
#define API_RTSP_TUNNEL_H

#include <stddef.h>
#include <stdint.h>

struct exchange;
struct rtsp_door;
struct tunnel;

#define TUNNEL_COOKIE_MAX 64

/* GET or POST on a stream's address; replies or takes the connection. */
void tunnel_serve(struct rtsp_door *d, struct exchange *ex);
struct tunnel *tunnel_free(struct tunnel *t); /* NULL-safe; with its connection */

/* Base64 in pieces, each message by itself: padding ends a group and the next may begin. The
 * state is 0 at first. White space is skipped. Returns bytes written (at most 3·len/4 + 3), or
 * -EBADMSG. For tests and the fuzzer. */
struct unbase64 {
    uint32_t bits;
    unsigned n;
    unsigned padding;
};
int unbase64(struct unbase64 *u, const char *text, size_t len, uint8_t *ret);

#endif
