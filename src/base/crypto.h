/* Digests, random bytes and text forms of bytes, by OpenSSL. Any thread. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hash { HASH_MD5, HASH_SHA1, HASH_SHA256 };
#define HASH_MAX 32
size_t hash_len(enum hash h);
void hash_bytes(enum hash h, const void *bytes, size_t len, uint8_t ret[HASH_MAX]);
/* Hash of the concatenation of `n` strings, as lower-case hex, NUL-terminated. */
void hash_hex(enum hash h, char ret[2 * HASH_MAX + 1], size_t n, const char *const *parts);
void hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len, uint8_t ret[32]);

void random_bytes(void *ret, size_t len); /* cryptographic; aborts if the system has none */
bool same_secret(const void *a, const void *b, size_t len); /* constant time */
uint32_t crc32_of(const void *bytes, size_t len);

void hex_of(const void *bytes, size_t len, char *ret);                 /* 2*len+1 bytes */
int hex_bytes(const char *hex, size_t hex_len, void *ret, size_t max); /* length or -EINVAL */
size_t base64_len(size_t len);                                         /* with padding and NUL */
void base64_of(const void *bytes, size_t len, char *ret);
/* Strict RFC 4648 with padding. Length or -EINVAL; ret needs 3*len/4. */
int base64_bytes(const char *text, size_t len, void *ret, size_t max);

#endif
