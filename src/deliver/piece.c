#include "deliver/piece.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"

#define PIECE_BYTES (32 << 20)

static void piece_free(struct packet_form *base)
{
    free(container_of(base, struct piece_form, base));
}

/* ---- times of MP4 (ISO/IEC 14496-12) ---- */

static uint64_t number(const uint8_t *at, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | at[i];
    return v;
}

/* Where the box's content begins, and its end; 0: there is none between `from` and *end. */
static size_t find_box(const uint8_t *bytes, size_t from, size_t *end, const char *name)
{
    while (*end - from >= 8) {
        size_t len = number(bytes + from, 4);
        if (len < 8 || len > *end - from)
            return 0;
        if (!memcmp(bytes + from + 4, name, 4)) {
            *end = from + len;
            return from + 8;
        }
        from += len;
    }
    return 0;
}

#define PRFT_TIME 16 /* version and flags, track, wall clock; then media time */
#define TFDT_TIME 4  /* version and flags; then time of decoding */

/* libavformat writes both with 64 bits (version 1). */
static void find_times(struct piece_form *f)
{
    size_t end = f->len, prft = find_box(f->bytes, 0, &end, "prft");
    size_t moof_end = f->len, moof = find_box(f->bytes, 0, &moof_end, "moof");
    end = moof_end;
    size_t traf = moof ? find_box(f->bytes, moof, &end, "traf") : 0;
    size_t tfdt = traf ? find_box(f->bytes, traf, &end, "tfdt") : 0;
    if (!tfdt || f->bytes[tfdt] != 1)
        return;
    f->head = moof_end;
    f->width = 8;
    f->at[0] = tfdt + TFDT_TIME;
    f->at[1] = prft && f->bytes[prft] == 1 ? prft + PRFT_TIME : f->at[0];
}

/* ---- time of a Matroska cluster (RFC 9559, RFC 8794) ---- */

#define CLUSTER 0x1f43b675
#define TIMESTAMP 0xe7 /* of the cluster; the first in it */

static void find_timestamp(struct piece_form *f)
{
    if (f->len < 16 || number(f->bytes, 4) != CLUSTER || !f->bytes[4])
        return;
    size_t at = 4 + (size_t)__builtin_clz(f->bytes[4]) - 23; /* as many zeros as bytes follow */
    int width = f->bytes[at + 1] & 0x7f;
    if (f->bytes[at] != TIMESTAMP || width > 8 || at + 2 + (size_t)width > f->len)
        return;
    f->at[0] = f->at[1] = at + 2;
    f->width = width; /* a number may begin with zeros */
    f->head = at + 2 + (size_t)width;
}

uint8_t *piece_head_from(const struct piece_form *f, int64_t zero_ns)
{
    uint8_t *head = malloc(f->head);
    if (!head)
        return NULL;
    memcpy(head, f->bytes, f->head);
    for (int k = 0; k < 2; k++) {
        uint64_t v = number(f->bytes + f->at[k], f->width) - (uint64_t)mux_ticks(f->hz, zero_ns);
        for (int i = f->width - 1; i >= 0; i--, v >>= 8)
            head[f->at[k] + (size_t)i] = (uint8_t)v;
    }
    return head;
}

const struct piece_form *piece_form_of(struct stream *s, struct packet *p, enum container c)
{
    static const int slots[] = {
        [CONTAINER_MP4] = PACKET_FORM_MP4, [CONTAINER_MATROSKA] = PACKET_FORM_MATROSKA};
    struct packet_form *base = packet_get_form(p, slots[c]);
    if (base)
        return container_of(base, struct piece_form, base);
    struct stream_format format;
    BUF(bytes, PIECE_BYTES);
    stream_get_format(s, &format);
    if (mux_piece(c, &format, codec_is_sound(format.codec) ? 2 : 1, p, &bytes) < 0)
        return NULL;
    struct piece_form *f = aligned_alloc(64, (sizeof(*f) + bytes.len + 63) & ~(size_t)63);
    if (!f)
        return NULL;
    f->base.free = piece_free;
    f->len = bytes.len;
    f->head = 0;
    memcpy(f->bytes, bytes.data, bytes.len);
    f->hz = mux_hz(c, &format);
    if (c == CONTAINER_MP4)
        find_times(f);
    else
        find_timestamp(f);
    base = packet_set_form(p, slots[c], &f->base);
    return container_of(base, struct piece_form, base);
}
