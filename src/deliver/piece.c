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
    memcpy(f->bytes, bytes.data, bytes.len);
    base = packet_set_form(p, slots[c], &f->base);
    return container_of(base, struct piece_form, base);
}
