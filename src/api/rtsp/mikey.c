#include "api/rtsp/mikey.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/crypto.h"

#define NTP_FROM_UNIX 2208988800u /* seconds from 1900 to 1970 */

enum payload {
    LAST = 0,
    KEMAC = 1,
    TIME = 5,
    ID = 6,
    POLICY = 10,
    RANDOM = 11,
    KEY_DATA = 20,
    EXTENSION = 21
};
enum { TEK = 2, TEK_AND_SALT = 3 };
enum { VALID_FOR_GOOD = 0, VALID_BY_MKI = 1, VALID_FOR_INTERVAL = 2 };

/* ---- writing ---- */

static uint8_t *put(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
    return p + bytes;
}

size_t mikey_write(uint8_t ret[MIKEY_MAX], uint32_t ssrc, const struct srtp_key *key,
                   int64_t utc_ns, const uint8_t random[16])
{
    /* type, value; all of one byte (6.10.1). The tag's length is told as that of the session
     * authentication key, too: GStreamer goes by that one. */
    static const uint8_t policy[][2] = {{0, 1},          /* AES-CM */
                                        {1, 16}, {2, 1}, /* HMAC-SHA-1 */
                                        {3, 10}, {4, 14}, {7, 1}, {8, 1}, {10, 1}, {11, 10}};
    uint64_t fraction = ((uint64_t)(utc_ns % NSEC_PER_SEC) << 32) / NSEC_PER_SEC;
    uint64_t seconds = (uint64_t)(utc_ns / NSEC_PER_SEC) + NTP_FROM_UNIX;
    size_t validity = key->mki_len ? 1 + key->mki_len : 0;
    uint8_t *p = ret;
    /* header (6.1): version 1, initiator's pre-shared key, no answer wanted, one session */
    *p++ = 1;
    *p++ = 0;
    *p++ = TIME;
    *p++ = 0;
    memcpy(p, random, 4);
    p += 4;
    *p++ = 1;
    *p++ = 0; /* map: SRTP */
    *p++ = 0; /* its policy, SSRC and roll-over counter */
    p = put(p, ssrc, 4);
    p = put(p, 0, 4);
    /* time (6.6) */
    *p++ = RANDOM;
    *p++ = 0;
    p = put(p, seconds << 32 | fraction, 8);
    /* random bytes (6.11) */
    *p++ = POLICY;
    *p++ = 16;
    memcpy(p, random, 16);
    p += 16;
    /* security policy (6.10) */
    *p++ = KEMAC;
    *p++ = 0;
    *p++ = 0; /* SRTP */
    p = put(p, sizeof(policy) / sizeof(*policy) * 3, 2);
    for (size_t i = 0; i < sizeof(policy) / sizeof(*policy); i++) {
        *p++ = policy[i][0];
        *p++ = 1;
        *p++ = policy[i][1];
    }
    /* key data (6.2, 6.13): not encrypted, no code over it */
    *p++ = LAST;
    *p++ = 0;
    p = put(p, 4 + SRTP_KEY + validity, 2);
    *p++ = LAST;
    *p++ = TEK << 4 | (validity ? VALID_BY_MKI : VALID_FOR_GOOD);
    p = put(p, SRTP_KEY, 2);
    memcpy(p, key->bytes, SRTP_KEY);
    p += SRTP_KEY;
    if (validity) {
        *p++ = (uint8_t)key->mki_len;
        memcpy(p, key->mki, key->mki_len);
        p += key->mki_len;
    }
    *p++ = 0;
    return (size_t)(p - ret);
}

/* ---- reading ---- */

struct reader {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static const uint8_t *take(struct reader *r, size_t len)
{
    static const uint8_t nothing[4];
    if (r->left < len || r->bad) {
        r->bad = true;
        return len <= sizeof(nothing) ? nothing : NULL;
    }
    const uint8_t *p = r->at;
    r->at += len;
    r->left -= len;
    return p;
}

static unsigned take_number(struct reader *r, int bytes)
{
    const uint8_t *p = take(r, (size_t)bytes);
    unsigned v = 0;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | p[i];
    return v;
}

static bool take_policy(struct reader *r)
{
    /* values that we speak, by type (6.10.1). GStreamer tells the tag's length as that of the
     * authentication key. */
    static const unsigned ours[][2] = {
        [0] = {1, 1},  [1] = {16, 16},  [2] = {1, 1}, [3] = {20, 10}, [4] = {14, 14},
        [5] = {0, 0},  [6] = {0, 0},    [7] = {0, 1}, [8] = {0, 1},   [9] = {0, 1},
        [10] = {0, 1}, [11] = {10, 10}, [12] = {0, 0}};
    bool good = take_number(r, 1) == 0; /* number: one policy is all there is */
    good = take_number(r, 1) == 0 && good;
    struct reader p = {.left = take_number(r, 2)};
    p.at = take(r, p.left);
    while (p.left && !r->bad) {
        unsigned type = take_number(&p, 1), len = take_number(&p, 1), v = 0;
        for (unsigned i = 0; i < len; i++) {
            unsigned byte = take_number(&p, 1);
            v = v >> 24 ? UINT_MAX : v << 8 | byte;
        }
        r->bad = r->bad || p.bad;
        good = good && type < sizeof(ours) / sizeof(*ours) &&
               (v == ours[type][0] || v == ours[type][1]);
    }
    return good;
}

static bool take_validity(struct reader *r, unsigned kind, struct srtp_key *ret)
{
    if (kind == VALID_BY_MKI) {
        size_t len = take_number(r, 1);
        const uint8_t *mki = take(r, len);
        if (r->bad || len > SRTP_MKI_MAX)
            return false;
        memcpy(ret->mki, mki, len);
        ret->mki_len = len;
    }
    for (int i = 0; kind == VALID_FOR_INTERVAL && i < 2; i++)
        take(r, take_number(r, 1));
    return kind <= VALID_FOR_INTERVAL;
}

/* The first key of the data. */
static bool take_key(struct reader *r, struct srtp_key *ret)
{
    take_number(r, 1); /* more keys may follow: of other sessions */
    unsigned kind = take_number(r, 1);
    size_t len = take_number(r, 2), salt_len = 0;
    const uint8_t *key = take(r, len), *salt = NULL;
    if (kind >> 4 == TEK_AND_SALT) {
        salt_len = take_number(r, 2);
        salt = take(r, salt_len);
    }
    if (r->bad || (kind >> 4 != TEK && kind >> 4 != TEK_AND_SALT) || len > SRTP_KEY ||
        len + salt_len != SRTP_KEY || (salt && len != SRTP_KEY - SRTP_SALT))
        return false;
    memcpy(ret->bytes, key, len);
    if (salt)
        memcpy(ret->bytes + len, salt, salt_len);
    return take_validity(r, kind & 15, ret);
}

static bool take_kemac(struct reader *r, struct srtp_key *ret)
{
    bool good = take_number(r, 1) == 0; /* not encrypted */
    struct reader data = {.left = take_number(r, 2)};
    data.at = take(r, data.left);
    if (r->bad)
        return false;
    good = good && take_key(&data, ret);
    r->bad = r->bad || data.bad;
    return take_number(r, 1) == 0 && good; /* no code over it: TLS has one */
}

static bool take_header(struct reader *r, unsigned *ret_next)
{
    bool good = take_number(r, 1) == 1;
    good = take_number(r, 1) == 0 && good; /* of the initiator, pre-shared key */
    *ret_next = take_number(r, 1);
    take(r, 1 + 4); /* answer wanted, random function; number of the bundle */
    size_t sessions = take_number(r, 1);
    good = take_number(r, 1) == 0 && good; /* SRTP */
    take(r, 9 * sessions);
    return good;
}

int mikey_read(const uint8_t *bytes, size_t len, struct srtp_key *ret)
{
    struct reader r = {.at = bytes, .left = len};
    struct srtp_key key = {0};
    unsigned next = LAST;
    bool good = take_header(&r, &next), found = false;
    while (next != LAST && !r.bad) {
        unsigned type = next;
        next = take_number(&r, 1);
        switch (type) {
        case KEMAC:
            good = !found && take_kemac(&r, &key) && good;
            found = true;
            break;
        case TIME:
            take(&r, take_number(&r, 1) < 2 ? 8 : 4);
            break;
        case ID:
        case EXTENSION:
            take(&r, 1);
            take(&r, take_number(&r, 2));
            break;
        case POLICY:
            good = take_policy(&r) && good;
            break;
        case RANDOM:
            take(&r, take_number(&r, 1));
            break;
        default:
            return -ENOTSUP;
        }
    }
    if (r.bad || r.left)
        return -EBADMSG;
    if (!good || !found)
        return -ENOTSUP;
    *ret = key;
    return 0;
}

/* ---- the header ---- */

/* name=VALUE or name="VALUE" at *at, up to a semicolon; false: that does not stand there. */
static bool take_word(const char **at, const char *name, const char **ret_value, size_t *ret_len)
{
    const char *s = *at + strspn(*at, " \t");
    size_t n = strlen(name);
    if (strncasecmp(s, name, n) || s[n] != '=')
        return false;
    s += n + 1;
    bool quoted = *s == '"';
    s += quoted;
    size_t len = strcspn(s, quoted ? "\"" : ";, \t");
    if (quoted && s[len] != '"')
        return false;
    *ret_value = s;
    *ret_len = len;
    s += len + quoted;
    s += strspn(s, " \t");
    if (*s && *s != ';' && *s != ',')
        return false;
    *at = s + (*s == ';');
    return true;
}

int mikey_read_header(const char *value, struct srtp_key *ret)
{
    const char *word;
    size_t len;
    uint8_t message[MIKEY_READ_MAX];
    if (!take_word(&value, "prot", &word, &len))
        return -EBADMSG;
    if (len != 5 || strncasecmp(word, "mikey", 5))
        return -ENOTSUP;
    take_word(&value, "uri", &word, &len); /* it is the one that is set up */
    if (!take_word(&value, "data", &word, &len) || *value)
        return -EBADMSG;
    int n = base64_bytes(word, len, message, sizeof(message));
    if (n < 0)
        return -EBADMSG;
    int err = mikey_read(message, (size_t)n, ret);
    explicit_bzero(message, sizeof(message));
    return err;
}
