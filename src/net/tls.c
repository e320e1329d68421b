#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "net/tls_private.h"

/* 128 bits first, as browsers ask for it too: hundreds of viewers are a matter of AES. */
#define SUITES_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define SUITES_12 "ECDHE+AES128+AESGCM:ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"

struct tls_server {
    _Atomic unsigned refs;
    SSL_CTX *ctx;
    struct tls_key key;
};

static int openssl_fault(struct fault *why, const char *what)
{
    char text[160] = "unknown reason";
    unsigned long e = ERR_peek_error();
    if (e)
        ERR_error_string_n(e, text, sizeof(text));
    ERR_clear_error();
    return fault_set(why, FAULT_INVALID, "certificate", "%s: %s", what, text);
}

static int choose_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof(ours) - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *ret = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Leaf first, then what the file has besides. */
static int use_certificate(struct tls_server *t, const char *pem, struct fault *why)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *leaf = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    EVP_PKEY *public_key = leaf ? X509_get_pubkey(leaf) : NULL;
    EVP_PKEY *key = public_key ? tls_remote_key(public_key, &t->key) : NULL;
    int err = 0;
    if (!leaf || !public_key)
        err = openssl_fault(why, "the certificate cannot be read");
    else if (!key)
        err = openssl_fault(why, "the certificate's key is not of the P-256 kind");
    else if (SSL_CTX_use_certificate(t->ctx, leaf) != 1 || SSL_CTX_use_PrivateKey(t->ctx, key) != 1)
        err = openssl_fault(why, "the certificate cannot be used");
    while (!err) {
        X509 *next = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (!next)
            break;
        if (SSL_CTX_add0_chain_cert(t->ctx, next) != 1) {
            X509_free(next);
            err = openssl_fault(why, "a chain certificate cannot be used");
        }
    }
    ERR_clear_error(); /* the end of the file counts as an error there */
    EVP_PKEY_free(key);
    EVP_PKEY_free(public_key);
    X509_free(leaf);
    BIO_free(bio);
    return err;
}

struct tls_server *tls_server_new(const char *cert_pem, const struct tls_key *key,
                                  struct fault *why)
{
    struct tls_server *t = calloc(1, sizeof(*t));
    if (!t) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    t->refs = 1;
    t->key = *key;
    t->ctx = SSL_CTX_new(TLS_server_method());
    static const unsigned char context[] = "vedette";
    if (!t->ctx || SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(t->ctx, SUITES_13) != 1 ||
        SSL_CTX_set_cipher_list(t->ctx, SUITES_12) != 1 ||
        SSL_CTX_set1_groups_list(t->ctx, "X25519:P-256:P-384") != 1 ||
        SSL_CTX_set_session_id_context(t->ctx, context, sizeof(context) - 1) != 1) {
        openssl_fault(why, "TLS cannot be set up");
        return tls_server_unref(t);
    }
    SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(t->ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    /* Resumption by tickets only: nothing is kept per client. */
    SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(t->ctx, 1);
    SSL_CTX_set_alpn_select_cb(t->ctx, choose_alpn, NULL);
    if (use_certificate(t, cert_pem, why) < 0)
        return tls_server_unref(t);
    return t;
}

struct tls_server *tls_server_ref(struct tls_server *t)
{
    if (t)
        atomic_fetch_add(&t->refs, 1);
    return t;
}

struct tls_server *tls_server_unref(struct tls_server *t)
{
    if (t && atomic_fetch_sub(&t->refs, 1) == 1) {
        SSL_CTX_free(t->ctx);
        free(t);
    }
    return NULL;
}

SSL *tls_session_new(struct tls_server *t, int fd)
{
    SSL *ssl = SSL_new(t->ctx);
    if (!ssl || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_accept_state(ssl);
    return ssl;
}

static bool add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = e && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

static bool is_ip(const char *name)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

static bool fill_certificate(X509 *x, EVP_PKEY *public_key, const char *common_name,
                             const char *const *dns_names, int64_t now_utc_ns, int years)
{
    uint8_t serial[16];
    random_bytes(serial, sizeof(serial));
    serial[0] &= 0x7f;
    BIGNUM *bn = BN_bin2bn(serial, sizeof(serial), NULL);
    bool ok = bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x));
    BN_free(bn);

    /* A day early: clocks of clients are wrong too. */
    time_t now = (time_t)(now_utc_ns / NSEC_PER_SEC), from = now - 86400;
    X509_NAME *name = X509_get_subject_name(x);
    ok = ok && X509_set_version(x, 2) == 1 && ASN1_TIME_set(X509_getm_notBefore(x), from) &&
         ASN1_TIME_adj(X509_getm_notAfter(x), now, years * 365, 0) &&
         X509_set_pubkey(x, public_key) == 1 &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                    -1, -1, 0) == 1 &&
         X509_set_issuer_name(x, name) == 1;

    BUF(alt, 4096);
    for (size_t i = 0; dns_names && dns_names[i]; i++) {
        if (dns_names[i][strcspn(dns_names[i], ",:\\ \n")] && !is_ip(dns_names[i]))
            return false;
        buf_addf(&alt, "%s%s:%s", i ? "," : "", is_ip(dns_names[i]) ? "IP" : "DNS", dns_names[i]);
    }
    return ok && !alt.err && add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x, NID_key_usage, "critical,digitalSignature") &&
           add_extension(x, NID_ext_key_usage, "serverAuth") &&
           add_extension(x, NID_subject_key_identifier, "hash") &&
           (!alt.len || add_extension(x, NID_subject_alt_name, buf_str(&alt)));
}

static char *pem_of(X509 *x)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL, *ret = NULL;
    if (bio && PEM_write_bio_X509(bio, x) == 1) {
        long len = BIO_get_mem_data(bio, &bytes);
        if (len > 0)
            ret = strndup(bytes, (size_t)len);
    }
    BIO_free(bio);
    return ret;
}

int tls_self_signed(const uint8_t *spki, size_t spki_len, const struct tls_key *key,
                    const char *common_name, const char *const *dns_names, int64_t now_utc_ns,
                    int years, char **ret_pem, struct fault *why)
{
    const unsigned char *at = spki;
    EVP_PKEY *public_key = d2i_PUBKEY(NULL, &at, (long)spki_len);
    EVP_PKEY *signer = public_key ? tls_remote_key(public_key, key) : NULL;
    X509 *x = X509_new();
    char *pem = NULL;
    int err = 0;
    if (!signer || !x ||
        !fill_certificate(x, public_key, common_name, dns_names, now_utc_ns, years) ||
        X509_sign(x, signer, EVP_sha256()) <= 0)
        err = openssl_fault(why, "the certificate cannot be made");
    else if (!(pem = pem_of(x)))
        err = fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    X509_free(x);
    EVP_PKEY_free(signer);
    EVP_PKEY_free(public_key);
    if (!err)
        *ret_pem = pem;
    return err;
}
