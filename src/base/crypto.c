#include "base/crypto.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static const EVP_MD *md_of(enum hash h)
{
    switch (h) {
    case HASH_MD5:
        return EVP_md5();
    case HASH_SHA1:
        return EVP_sha1();
    case HASH_SHA256:
        break;
    }
    return EVP_sha256();
}

size_t hash_len(enum hash h)
{
    return h == HASH_MD5 ? 16 : h == HASH_SHA1 ? 20 : 32;
}

void hash_bytes(enum hash h, const void *bytes, size_t len, uint8_t ret[HASH_MAX])
{
    /* Going on with a wrong digest would be a wrong answer to "may he enter?". */
    if (!EVP_Digest(bytes, len, ret, NULL, md_of(h), NULL))
        abort();
}

void hash_hex(enum hash h, char ret[2 * HASH_MAX + 1], size_t n, const char *const *parts)
{
    uint8_t digest[HASH_MAX];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || !EVP_DigestInit_ex(ctx, md_of(h), NULL))
        abort();
    for (size_t i = 0; i < n; i++)
        if (!EVP_DigestUpdate(ctx, parts[i], strlen(parts[i])))
            abort();
    if (!EVP_DigestFinal_ex(ctx, digest, NULL))
        abort();
    EVP_MD_CTX_free(ctx);
    hex_of(digest, hash_len(h), ret);
}

void hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len, uint8_t ret[32])
{
    if (key_len > INT_MAX || !HMAC(EVP_sha256(), key, (int)key_len, bytes, len, ret, NULL))
        abort();
}

void random_bytes(void *ret, size_t len)
{
    unsigned char *p = ret;
    while (len) {
        size_t part = len > 65536 ? 65536 : len;
        if (RAND_bytes(p, (int)part) != 1)
            abort();
        p += part;
        len -= part;
    }
}

bool same_secret(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

uint32_t crc32_of(const void *bytes, size_t len)
{
    /* The reflected polynomial 0xEDB88320, four bits a step. */
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    const uint8_t *p = bytes;
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        crc = table[crc & 15] ^ crc >> 4;
        crc = table[crc & 15] ^ crc >> 4;
    }
    return ~crc;
}

void hex_of(const void *bytes, size_t len, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++) {
        ret[2 * i] = digits[p[i] >> 4];
        ret[2 * i + 1] = digits[p[i] & 15];
    }
    ret[2 * len] = '\0';
}

static int nibble(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

int hex_bytes(const char *hex, size_t hex_len, void *ret, size_t max)
{
    uint8_t *out = ret;
    if (hex_len % 2 || hex_len / 2 > max || hex_len > INT_MAX)
        return -EINVAL;
    for (size_t i = 0; i < hex_len; i++)
        if (nibble(hex[i]) < 0)
            return -EINVAL;
    for (size_t i = 0; i < hex_len / 2; i++)
        out[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    return (int)(hex_len / 2);
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_len(size_t len)
{
    return (len + 2) / 3 * 4 + 1;
}

void base64_of(const void *bytes, size_t len, char *ret)
{
    const uint8_t *p = bytes;
    for (; len; len -= len < 3 ? len : 3, p += 3) {
        uint32_t v = (uint32_t)p[0] << 16 | (len > 1 ? (uint32_t)p[1] << 8 : 0) |
                     (len > 2 ? (uint32_t)p[2] : 0);
        *ret++ = base64_digits[v >> 18];
        *ret++ = base64_digits[v >> 12 & 63];
        *ret++ = len > 1 ? base64_digits[v >> 6 & 63] : '=';
        *ret++ = len > 2 ? base64_digits[v & 63] : '=';
    }
    *ret = '\0';
}

static int base64_value(char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

int base64_bytes(const char *text, size_t len, void *ret, size_t max)
{
    uint8_t *out = ret;
    size_t n = 0;
    if (len % 4 || len > INT_MAX)
        return -EINVAL;
    for (size_t i = 0; i < len; i += 4) {
        unsigned pad = i + 4 < len ? 0 : text[i + 2] == '=' ? 2 : text[i + 3] == '=' ? 1 : 0;
        uint32_t v = 0;
        for (unsigned k = 0; k < 4; k++) {
            int d = k >= 4 - pad ? (text[i + k] == '=' ? 0 : -1) : base64_value(text[i + k]);
            if (d < 0)
                return -EINVAL;
            v = v << 6 | (uint32_t)d;
        }
        /* bits that encode nothing must be zero, else one value has many texts */
        if ((pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff)))
            return -EINVAL;
        if (n + 3 - pad > max)
            return -EINVAL;
        for (unsigned k = 0; k < 3 - pad; k++)
            out[n++] = (uint8_t)(v >> (16 - 8 * k));
    }
    return (int)n;
}
