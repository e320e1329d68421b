/* What conn.c and tls.c share about OpenSSL. */
#ifndef NET_TLS_PRIVATE_H
#define NET_TLS_PRIVATE_H

#include <openssl/ssl.h>

#include "net/tls.h"

/* A server session on fd, waiting for the client's hello; NULL: out of memory. */
SSL *tls_session_new(struct tls_server *t, int fd);

/* An EVP key whose public half is `public_key` and whose signatures come from
 * `key` (which must outlive it); NULL on failure. */
EVP_PKEY *tls_remote_key(EVP_PKEY *public_key, const struct tls_key *key);

#endif
