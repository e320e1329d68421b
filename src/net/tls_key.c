/* A private key that lives elsewhere, as OpenSSL's EVP_PKEY.
 *
 * OpenSSL 3 offers two ways: a provider of our own (about a thousand lines, since
 * it must also export the public half) or the EC_KEY_METHOD of 1.1, deprecated but
 * supported. This file is the only one that uses the latter. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "net/tls_private.h"

static int key_index = -1;
static EC_KEY_METHOD *method;

static int sign_remotely(int type, const unsigned char *digest, int digest_len, unsigned char *sig,
                         unsigned int *sig_len, const BIGNUM *kinv, const BIGNUM *r, EC_KEY *ec)
{
    const struct tls_key *key = EC_KEY_get_ex_data(ec, key_index);
    if (!key || digest_len < 0)
        return 0;
    int n = key->sign(key->arg, digest, (size_t)digest_len, sig, (size_t)ECDSA_size(ec));
    if (n <= 0)
        return 0;
    *sig_len = (unsigned)n;
    return 1;
}

static bool prepare(void)
{
    if (method)
        return true;
    key_index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    if (key_index < 0)
        return false;
    method = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    if (!method)
        return false;
    EC_KEY_METHOD_set_sign(method, sign_remotely, NULL, NULL);
    return true;
}

EVP_PKEY *tls_remote_key(EVP_PKEY *public_key, const struct tls_key *key)
{
    if (!prepare())
        return NULL;
    const EC_KEY *from = EVP_PKEY_get0_EC_KEY(public_key);
    EC_KEY *ec = from ? EC_KEY_dup(from) : NULL;
    EVP_PKEY *p = EVP_PKEY_new();
    if (!ec || !p || EC_KEY_set_method(ec, method) != 1 ||
        EC_KEY_set_ex_data(ec, key_index, (void *)key) != 1 || EVP_PKEY_assign_EC_KEY(p, ec) != 1) {
        EC_KEY_free(ec);
        EVP_PKEY_free(p);
        return NULL;
    }
    return p;
}
