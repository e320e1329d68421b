/* TLS 1.2+ for servers (OpenSSL 3): ECDHE with AES-GCM or ChaCha20 only. The
 * private key stays in the key agent: signing goes through `sign`. Loop-bound. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stddef.h>
#include <stdint.h>

struct fault;
struct tls_server;

/* Signs a digest with ECDSA P-256, DER form. Length or negative errno. */
struct tls_key {
    int (*sign)(void *arg, const uint8_t *digest, size_t digest_len, uint8_t *ret, size_t max);
    void *arg;
};
/* cert_pem: leaf first. The key must match. */
struct tls_server *tls_server_new(const char *cert_pem, const struct tls_key *key,
                                  struct fault *why);
struct tls_server *tls_server_ref(struct tls_server *t);
struct tls_server *tls_server_unref(struct tls_server *t);

/* A self-signed certificate for this key (public key given as DER
 * SubjectPublicKeyInfo), valid for `years`, subject and alternative names as given. */
int tls_self_signed(const uint8_t *spki, size_t spki_len, const struct tls_key *key,
                    const char *common_name, const char *const *dns_names, int64_t now_utc_ns,
                    int years, char **ret_pem, struct fault *why);

#endif
