#include "net/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* What a nonce says, 32 bytes in hex. Both seals are keyed: the first proves that
 * we made it, the second for which connection. */
struct nonce_bytes {
    uint8_t time_ms[6];
    uint8_t random[10];
    uint8_t seal[8];
    uint8_t bound[8];
};
_Static_assert(sizeof(struct nonce_bytes) == 32, "a nonce is 64 hex digits");

#define USED_SLOTS 32768u /* of one generation; a power of two */
#define USED_MAX (USED_SLOTS / 4 * 3)

/* A set of 64-bit marks of used (nonce, cnonce, nc); open addressing, 0 is empty. */
struct used {
    uint64_t *marks; /* allocated at first use */
    unsigned count;
};

struct nonces {
    uint8_t key[32];
    int64_t lifetime_ns;
    int64_t rotated_ns;
    int64_t not_before_ms; /* older ones are stale: their marks were forgotten */
    struct used now, before;
};

struct nonces *nonces_new(int64_t lifetime_ns)
{
    struct nonces *n = calloc(1, sizeof(*n));
    if (!n)
        return NULL;
    random_bytes(n->key, sizeof(n->key));
    n->lifetime_ns = lifetime_ns;
    return n;
}

struct nonces *nonces_free(struct nonces *n)
{
    if (!n)
        return NULL;
    free(n->now.marks);
    free(n->before.marks);
    free(n);
    return NULL;
}

static void seal(const struct nonces *n, const struct nonce_bytes *b, uint64_t binding,
                 uint8_t ret_seal[8], uint8_t ret_bound[8])
{
    uint8_t text[16 + sizeof(binding)], mac[32];
    memcpy(text, b, 16);
    memcpy(text + 16, &binding, sizeof(binding));
    hmac_sha256(n->key, sizeof(n->key), text, 16, mac);
    memcpy(ret_seal, mac, 8);
    hmac_sha256(n->key, sizeof(n->key), text, sizeof(text), mac);
    memcpy(ret_bound, mac, 8);
}

void nonce_make(struct nonces *n, int64_t now_ns, uint64_t binding, char ret[65])
{
    struct nonce_bytes b;
    uint64_t ms = (uint64_t)(now_ns / NSEC_PER_MSEC);
    for (int i = 0; i < 6; i++)
        b.time_ms[i] = (uint8_t)(ms >> (40 - 8 * i));
    random_bytes(b.random, sizeof(b.random));
    seal(n, &b, binding, b.seal, b.bound);
    hex_of(&b, sizeof(b), ret);
}

static bool used_find(const struct used *u, uint64_t mark, unsigned *ret_slot)
{
    unsigned slot = (unsigned)mark & (USED_SLOTS - 1);
    while (u->marks[slot]) {
        if (u->marks[slot] == mark)
            return true;
        slot = (slot + 1) & (USED_SLOTS - 1);
    }
    if (ret_slot)
        *ret_slot = slot;
    return false;
}

static void forget_old(struct nonces *n, int64_t now_ns)
{
    if (now_ns - n->rotated_ns < n->lifetime_ns && n->now.count < USED_MAX)
        return;
    /* Filled before its time: what the older generation knew is still valid by
     * age, so such nonces are refused as a whole. */
    if (now_ns - n->rotated_ns < n->lifetime_ns)
        n->not_before_ms = n->rotated_ns / NSEC_PER_MSEC + 1;
    struct used old = n->before;
    n->before = n->now;
    n->now = old;
    n->now.count = 0;
    if (n->now.marks)
        memset(n->now.marks, 0, USED_SLOTS * sizeof(*n->now.marks));
    n->rotated_ns = now_ns;
}

static enum nonce_verdict remember(struct nonces *n, int64_t now_ns, const struct authorization *a)
{
    forget_old(n, now_ns);
    if (!n->now.marks)
        n->now.marks = calloc(USED_SLOTS, sizeof(*n->now.marks));
    if (!n->now.marks)
        return NONCE_STALE; /* out of memory: what cannot be remembered is not taken */

    /* Lengths first, so that no two triples have the same text. */
    char text[1024];
    uint8_t mac[32];
    int len = snprintf(text, sizeof(text), "%zu %zu %s%s%s", strlen(a->nonce), strlen(a->cnonce),
                       a->nonce, a->cnonce, a->nc);
    if (len < 0 || (size_t)len >= sizeof(text))
        return NONCE_UNKNOWN;
    hmac_sha256(n->key, sizeof(n->key), text, (size_t)len, mac);
    uint64_t mark;
    memcpy(&mark, mac, sizeof(mark));
    mark += mark == 0;

    unsigned slot = 0;
    if ((n->before.marks && used_find(&n->before, mark, NULL)) || used_find(&n->now, mark, &slot))
        return NONCE_REPEATED;
    n->now.marks[slot] = mark;
    n->now.count++;
    return NONCE_FRESH;
}

enum nonce_verdict nonce_judge(struct nonces *n, int64_t now_ns, uint64_t binding,
                               const struct authorization *a)
{
    struct nonce_bytes b;
    uint8_t ours[8], bound[8];
    if (strlen(a->nonce) != 64 || hex_bytes(a->nonce, 64, &b, sizeof(b)) != sizeof(b))
        return NONCE_UNKNOWN;
    seal(n, &b, binding, ours, bound);
    if (!same_secret(ours, b.seal, sizeof(ours)))
        return NONCE_UNKNOWN;
    if (!a->qop) /* good while the connection lives, and nowhere else */
        return same_secret(bound, b.bound, sizeof(bound)) ? NONCE_FRESH : NONCE_STALE;

    int64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | b.time_ms[i];
    int64_t age_ns = now_ns - ms * NSEC_PER_MSEC;
    if (age_ns > n->lifetime_ns || age_ns < -NSEC_PER_SEC || ms < n->not_before_ms)
        return NONCE_STALE;
    return remember(n, now_ns, a);
}

void digest_response(enum hash h, const char *ha1_hex, const struct authorization *a,
                     const char *method, char ret[2 * HASH_MAX + 1])
{
    char ha2[2 * HASH_MAX + 1];
    const char *const a2[] = {method, ":", a->uri};
    hash_hex(h, ha2, 3, a2);
    if (a->qop) {
        const char *const parts[] = {ha1_hex,   ":", a->nonce, ":", a->nc, ":",
                                     a->cnonce, ":", a->qop,   ":", ha2};
        hash_hex(h, ret, sizeof(parts) / sizeof(*parts), parts);
    } else {
        const char *const parts[] = {ha1_hex, ":", a->nonce, ":", ha2};
        hash_hex(h, ret, sizeof(parts) / sizeof(*parts), parts);
    }
}

void digest_challenge(char *ret, size_t size, enum hash h, const char *realm, const char *nonce,
                      bool stale, bool with_qop, bool with_algorithm)
{
    /* The order is what clients' parsers need: realm, nonce and stale first. */
    snprintf(ret, size, "Digest realm=\"%s\", nonce=\"%s\", stale=%s%s%s", realm, nonce,
             stale ? "TRUE" : "FALSE", with_qop ? ", qop=\"auth\"" : "",
             !with_algorithm    ? ""
             : h == HASH_SHA256 ? ", algorithm=SHA-256"
                                : ", algorithm=MD5");
}
