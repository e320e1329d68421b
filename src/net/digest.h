/* HTTP Digest (RFC 7616 and, for old clients, RFC 2617/2069) and Basic, as pure
 * arithmetic: parsing the Authorization header, making and judging nonces. Who
 * knows the passwords is somebody else (trust, by the key agent). Loop-bound. */
#ifndef NET_DIGEST_H
#define NET_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"

struct arena;
struct nonces;

struct authorization {
    enum { AUTH_NONE, AUTH_BASIC, AUTH_DIGEST, AUTH_MALFORMED } scheme;
    const char *user, *password;                /* password: Basic only */
    const char *realm, *nonce, *uri, *response; /* Digest */
    const char *qop, *nc, *cnonce, *opaque;     /* NULL when absent */
    enum hash algorithm;                        /* absent: MD5 */
};
/* All strings in the arena. Limits: 64-byte user, 256-byte fields. */
void authorization_parse(struct authorization *ret, struct arena *arena, const char *value);

/* Nonces are random, keyed to the server and a time, bound to `binding` (the
 * connection's number) only when used without qop. */
struct nonces *nonces_new(int64_t lifetime_ns);
struct nonces *nonces_free(struct nonces *n);
void nonce_make(struct nonces *n, int64_t now_ns, uint64_t binding, char ret[65]);
enum nonce_verdict { NONCE_FRESH, NONCE_STALE, NONCE_UNKNOWN, NONCE_REPEATED };
/* Judges and, when fresh, remembers (nonce, cnonce, nc) against replay. */
enum nonce_verdict nonce_judge(struct nonces *n, int64_t now_ns, uint64_t binding,
                               const struct authorization *a);

/* A2-based text that the key agent combines with HA1:
 * response = H(HA1 ":" middle ":" H(method ":" uri)). */
void digest_response(enum hash h, const char *ha1_hex, const struct authorization *a,
                     const char *method, char ret[2 * HASH_MAX + 1]);

/* One challenge line. order and form: rtsp.md 3.1 (realm, nonce, stale, qop, algorithm). */
void digest_challenge(char *ret, size_t size, enum hash h, const char *realm, const char *nonce,
                      bool stale, bool with_qop, bool with_algorithm);

#endif
