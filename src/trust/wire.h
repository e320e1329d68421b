/* What camera and key agent say to each other: packets on a SOCK_SEQPACKET pair,
 * one request, one reply.
 *
 * Request: version, operation, fields. Reply: status (0 or a positive errno), then
 * fields. A field is two bytes of length, big endian, and that many bytes; numbers
 * are fields of four bytes. A packet that is malformed, has a field too many or is
 * longer than WIRE_MAX is answered with EINVAL. Owner thread. */
#ifndef TRUST_WIRE_H
#define TRUST_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WIRE_VERSION 1
#define WIRE_MAX 8192
#define WIRE_SOCKET_FD 3 /* of the agent */
#define WIRE_FOLDER_FD 4

enum wire_op {
    WIRE_HELLO = 1, /* realm -> */
    WIRE_SPKI,      /* -> DER of the public key */
    WIRE_SIGN,      /* digest -> DER signature */
    WIRE_SET,       /* flags, user, password, groups, comment -> */
    WIRE_REMOVE,    /* user -> */
    WIRE_CLEAR,     /* -> */
    WIRE_LIST,      /* index -> user, groups, comment; ENOENT past the last */
    WIRE_DIGEST,    /* hash, user, middle, method, uri, response -> groups; EACCES */
    WIRE_PASSWORD,  /* user, password -> groups; EACCES */
};

enum wire_set {
    WIRE_SET_PASSWORD = 1 << 0, /* which of the fields count */
    WIRE_SET_GROUPS = 1 << 1,
    WIRE_SET_COMMENT = 1 << 2,
    WIRE_SET_NEW = 1 << 3,   /* EEXIST if it exists; otherwise ENOENT unless it does */
    WIRE_SET_FIRST = 1 << 4, /* with NEW: EEXIST if there is any account */
};

struct wire {
    uint8_t bytes[WIRE_MAX];
    size_t len; /* written, or received */
    size_t at;  /* read up to here */
    bool bad;   /* did not fit, or malformed */
};

static inline void wire_begin(struct wire *w, uint8_t first)
{
    w->len = w->at = 0;
    w->bad = false;
    w->bytes[w->len++] = first;
}

static inline void wire_put(struct wire *w, const void *bytes, size_t len)
{
    if (w->bad || len > UINT16_MAX || len + 2 > sizeof(w->bytes) - w->len) {
        w->bad = true;
        return;
    }
    w->bytes[w->len++] = (uint8_t)(len >> 8);
    w->bytes[w->len++] = (uint8_t)len;
    if (len)
        memcpy(w->bytes + w->len, bytes, len);
    w->len += len;
}

static inline void wire_put_text(struct wire *w, const char *s)
{
    wire_put(w, s, strlen(s));
}

static inline void wire_put_u32(struct wire *w, uint32_t v)
{
    uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    wire_put(w, b, sizeof(b));
}

static inline uint8_t wire_byte(struct wire *w)
{
    if (w->bad || w->at >= w->len) {
        w->bad = true;
        return 0;
    }
    return w->bytes[w->at++];
}

/* The next field, borrowed; NULL (and bad) when there is none. */
static inline const uint8_t *wire_get(struct wire *w, size_t *ret_len)
{
    if (w->bad || w->len - w->at < 2) {
        w->bad = true;
        return NULL;
    }
    size_t len = (size_t)w->bytes[w->at] << 8 | w->bytes[w->at + 1];
    if (len > w->len - w->at - 2) {
        w->bad = true;
        return NULL;
    }
    const uint8_t *field = w->bytes + w->at + 2;
    w->at += 2 + len;
    *ret_len = len;
    return field;
}

/* A text of less than `size` bytes without NUL, copied and terminated. */
static inline bool wire_get_text(struct wire *w, char *ret, size_t size)
{
    size_t len = 0;
    const uint8_t *field = wire_get(w, &len);
    if (!field || len >= size || memchr(field, 0, len)) {
        w->bad = true;
        return false;
    }
    memcpy(ret, field, len);
    ret[len] = '\0';
    return true;
}

static inline uint32_t wire_get_u32(struct wire *w)
{
    size_t len = 0;
    const uint8_t *b = wire_get(w, &len);
    if (!b || len != 4) {
        w->bad = true;
        return 0;
    }
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Nothing malformed and nothing left. */
static inline bool wire_ended(const struct wire *w)
{
    return !w->bad && w->at == w->len;
}

#endif
