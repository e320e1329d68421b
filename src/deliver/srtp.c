#include "deliver/srtp.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define KEY 16
#define SALT SRTP_SALT
#define AUTH_KEY 20
#define SHA1 20

/* Labels of key derivation (4.3.1, 4.3.2). */
enum {
    RTP_ENCRYPTION,
    RTP_AUTHENTICATION,
    RTP_SALT,
    RTCP_ENCRYPTION,
    RTCP_AUTHENTICATION,
    RTCP_SALT
};

/* Session keys of RTP or of RTCP. */
struct side {
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
    uint8_t salt[SALT];
};

struct srtp {
    int refs; /* atomic */
    struct side rtp, rtcp;
    uint8_t mki[SRTP_MKI_MAX];
    size_t mki_len;
    bool begun;
    uint32_t first_wraps; /* of the stream when the first packet was sent */
    uint32_t report;      /* SRTCP index */
    struct {              /* what comes back */
        struct side rtcp; /* cipher NULL: nothing is understood */
        size_t mki_len;
        uint8_t mki[SRTP_MKI_MAX];
        uint32_t newest; /* index */
        uint64_t seen;   /* bit k: newest - k has been here (3.3.2) */
    } ear;
};

/* AES in counter mode over `len` bytes of `io`. */
static bool count_mode(EVP_CIPHER_CTX *c, const uint8_t iv[16], uint8_t *io, size_t len)
{
    int n;
    return EVP_EncryptInit_ex(c, NULL, NULL, NULL, iv) == 1 &&
           EVP_EncryptUpdate(c, io, &n, io, (int)len) == 1;
}

static bool derive(EVP_CIPHER_CTX *master, const uint8_t salt[SALT], int label, uint8_t *ret,
                   size_t len)
{
    uint8_t iv[16] = {0};
    memcpy(iv, salt, SALT);
    iv[7] ^= (uint8_t)label;
    memset(ret, 0, len);
    return count_mode(master, iv, ret, len);
}

static EVP_CIPHER_CTX *cipher_new(const uint8_t key[KEY])
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    if (c && EVP_EncryptInit_ex(c, EVP_aes_128_ctr(), NULL, key, NULL) == 1)
        return c;
    EVP_CIPHER_CTX_free(c);
    return NULL;
}

static EVP_MAC_CTX *mac_new(const uint8_t key[AUTH_KEY])
{
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *c = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    char name[] = "SHA1";
    const OSSL_PARAM how[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                              OSSL_PARAM_construct_end()};
    bool good = c && EVP_MAC_init(c, key, AUTH_KEY, how) == 1;
    EVP_MAC_free(hmac);
    if (good)
        return c;
    EVP_MAC_CTX_free(c);
    return NULL;
}

static bool side_init(struct side *s, EVP_CIPHER_CTX *master, const uint8_t salt[SALT],
                      const int labels[3])
{
    uint8_t key[KEY], auth[AUTH_KEY];
    bool good = derive(master, salt, labels[0], key, sizeof(key)) &&
                derive(master, salt, labels[1], auth, sizeof(auth)) &&
                derive(master, salt, labels[2], s->salt, sizeof(s->salt));
    if (good) {
        s->cipher = cipher_new(key);
        s->mac = mac_new(auth);
    }
    OPENSSL_cleanse(key, sizeof(key));
    OPENSSL_cleanse(auth, sizeof(auth));
    return s->cipher && s->mac;
}

static void side_done(struct side *s)
{
    EVP_CIPHER_CTX_free(s->cipher);
    EVP_MAC_CTX_free(s->mac);
    OPENSSL_cleanse(s->salt, sizeof(s->salt));
}

static const int rtcp_labels[] = {RTCP_ENCRYPTION, RTCP_AUTHENTICATION, RTCP_SALT};

struct srtp *srtp_new(const struct srtp_key *key)
{
    static const int rtp[] = {RTP_ENCRYPTION, RTP_AUTHENTICATION, RTP_SALT};
    struct srtp *s = calloc(1, sizeof(*s));
    EVP_CIPHER_CTX *master = cipher_new(key->bytes);
    bool good = s && master;
    if (s) {
        s->refs = 1;
        s->mki_len = key->mki_len;
        memcpy(s->mki, key->mki, key->mki_len);
    }
    const uint8_t *salt = key->bytes + KEY;
    good = good && side_init(&s->rtp, master, salt, rtp) &&
           side_init(&s->rtcp, master, salt, rtcp_labels);
    EVP_CIPHER_CTX_free(master);
    return good ? s : srtp_unref(s);
}

int srtp_hear_with(struct srtp *s, const struct srtp_key *theirs)
{
    EVP_CIPHER_CTX *master = cipher_new(theirs->bytes);
    bool good = master && side_init(&s->ear.rtcp, master, theirs->bytes + KEY, rtcp_labels);
    EVP_CIPHER_CTX_free(master);
    if (!good) {
        side_done(&s->ear.rtcp);
        s->ear.rtcp = (struct side){0};
        return -ENOMEM;
    }
    s->ear.mki_len = theirs->mki_len;
    memcpy(s->ear.mki, theirs->mki, theirs->mki_len);
    return 0;
}

struct srtp *srtp_ref(struct srtp *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

struct srtp *srtp_unref(struct srtp *s)
{
    if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
        return NULL;
    side_done(&s->rtp);
    side_done(&s->rtcp);
    side_done(&s->ear.rtcp);
    free(s);
    return NULL;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Counter block (4.1.1): salt, SSRC and index of the packet, then the block's number. */
static void counter(const uint8_t salt[SALT], const uint8_t ssrc[4], uint64_t index, uint8_t iv[16])
{
    memcpy(iv, salt, SALT);
    iv[14] = iv[15] = 0;
    for (int i = 0; i < 4; i++)
        iv[4 + i] ^= ssrc[i];
    for (int i = 0; i < 6; i++)
        iv[8 + i] ^= (uint8_t)(index >> (40 - 8 * i));
}

/* The tag over `len` bytes and four more (the roll-over counter; none when NULL). */
static bool tag(EVP_MAC_CTX *mac, const uint8_t *bytes, size_t len, const uint8_t *more,
                uint8_t ret[SRTP_TAG])
{
    uint8_t sum[SHA1];
    size_t n;
    if (EVP_MAC_init(mac, NULL, 0, NULL) != 1 || EVP_MAC_update(mac, bytes, len) != 1 ||
        (more && EVP_MAC_update(mac, more, 4) != 1) ||
        EVP_MAC_final(mac, sum, &n, sizeof(sum)) != 1)
        return false;
    memcpy(ret, sum, SRTP_TAG);
    return true;
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* One RTP packet in place; the tag goes to `end`. */
static bool protect(struct side *s, uint8_t *packet, size_t len, uint32_t roc, uint8_t *end)
{
    uint8_t iv[16], counted[4];
    uint64_t index = (uint64_t)roc << 16 | (uint64_t)(packet[2] << 8 | packet[3]);
    counter(s->salt, packet + 8, index, iv);
    put32(counted, roc);
    return count_mode(s->cipher, iv, packet + RTP_HEADER, len - RTP_HEADER) &&
           tag(s->mac, packet, len, counted, end);
}

struct rtp_form *srtp_form(struct srtp *s, const struct rtp_form *form, const struct packet *p,
                           int channel)
{
    size_t more = s->mki_len + SRTP_TAG;
    struct rtp_form *f = rtp_form_new(form->n, form->len + (size_t)form->n * more);
    if (!f)
        return NULL;
    if (!s->begun)
        s->first_wraps = p->rtp_wraps;
    s->begun = true;
    bool good = true;
    uint8_t *at = f->bytes;
    for (unsigned i = 0; i < form->n && good; i++) {
        size_t len = form->offset[i + 1] - form->offset[i] - 4, sent = len + more;
        f->offset[i] = (uint32_t)(at - f->bytes);
        memcpy(at, form->bytes + form->offset[i], 4 + len);
        at[1] = (uint8_t)channel;
        at[2] = (uint8_t)(sent >> 8);
        at[3] = (uint8_t)sent;
        /* the sequence numbers of a picture may begin anew within it */
        uint16_t seq = (uint16_t)(at[6] << 8 | at[7]);
        uint32_t roc = p->rtp_wraps - s->first_wraps + (seq < p->rtp_seq);
        memcpy(at + 4 + len, s->mki, s->mki_len);
        good = protect(&s->rtp, at + 4, len, roc, at + 4 + len + s->mki_len);
        at += 4 + sent;
    }
    f->offset[f->n] = (uint32_t)f->len;
    if (good)
        return f;
    f->base.free(&f->base);
    return NULL;
}

size_t srtp_report(struct srtp *s, uint8_t *rtcp, size_t len)
{
    uint8_t iv[16];
    uint32_t index = s->report++ & 0x7fffffff;
    counter(s->rtcp.salt, rtcp + 4, index, iv);
    if (len < 8 || !count_mode(s->rtcp.cipher, iv, rtcp + 8, len - 8))
        return 0;
    put32(rtcp + len, index | 0x80000000);
    len += 4;
    memcpy(rtcp + len, s->mki, s->mki_len);
    return tag(s->rtcp.mac, rtcp, len, NULL, rtcp + len + s->mki_len) ? len + s->mki_len + SRTP_TAG
                                                                      : 0;
}

/* Has a report of this number been here, or is it too old to tell? */
static bool is_replay(const struct srtp *s, uint32_t index)
{
    return s->ear.seen && index <= s->ear.newest &&
           (s->ear.newest - index > 63 || s->ear.seen >> (s->ear.newest - index) & 1);
}

static void mark_seen(struct srtp *s, uint32_t index)
{
    if (!s->ear.seen || index > s->ear.newest) {
        uint32_t ahead = index - s->ear.newest;
        s->ear.seen = s->ear.seen && ahead < 64 ? s->ear.seen << ahead | 1 : 1;
        s->ear.newest = index;
    } else {
        s->ear.seen |= UINT64_C(1) << (s->ear.newest - index);
    }
}

size_t srtp_hear_report(struct srtp *s, uint8_t *rtcp, size_t len)
{
    uint8_t sum[SRTP_TAG], iv[16];
    size_t more = 4 + s->ear.mki_len + SRTP_TAG;
    if (!s->ear.rtcp.cipher || len < 8 + more)
        return 0;
    len -= more;
    const uint8_t *mki = rtcp + len + 4;
    uint32_t index = get32(rtcp + len) & 0x7fffffff;
    bool encrypted = rtcp[len] & 0x80;
    if (memcmp(mki, s->ear.mki, s->ear.mki_len) ||
        !tag(s->ear.rtcp.mac, rtcp, len + 4, NULL, sum) ||
        CRYPTO_memcmp(sum, mki + s->ear.mki_len, SRTP_TAG) || is_replay(s, index))
        return 0;
    mark_seen(s, index);
    counter(s->ear.rtcp.salt, rtcp + 4, index, iv);
    return !encrypted || count_mode(s->ear.rtcp.cipher, iv, rtcp + 8, len - 8) ? len : 0;
}
