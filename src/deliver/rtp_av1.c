/* AV1 in RTP by "RTP Payload Format For AV1" 1.0: OBUs travel without their sizes, small ones
 * together with the beginning of the next, large ones in fragments. */
#include <errno.h>
#include <string.h>

#include "deliver/rtp_split.h"
#include "media/obu.h"

/* Aggregation header (4.4). */
#define CONTINUES_LAST 0x80 /* Z: the first element goes on from the packet before */
#define GOES_ON 0x40        /* Y: the last element goes on in the next packet */
#define COUNT_SHIFT 4       /* W: how many elements; the last one has no length */
#define NEW_SEQUENCE 0x08   /* N */

#define HAS_SIZE 2
#define SMALL 256 /* an OBU that may share a packet with what comes */
#define SHARED 2  /* so many of them: W counts to three */

/* Small OBUs that wait for the next packet, each with its length in front. */
struct waiting {
    uint8_t bytes[SHARED * (SMALL + 8)];
    size_t len;
    int n;
};

static bool carried(const struct obu *o)
{
    return o->type != OBU_TEMPORAL_DELIMITER && o->type != OBU_TILE_LIST && o->type != 0;
}

static bool is_picture(const struct obu *o)
{
    return o->type == OBU_FRAME || o->type == OBU_TILE_GROUP || o->type == OBU_FRAME_HEADER;
}

static size_t put_header(const struct obu *o, uint8_t *ret)
{
    ret[0] = (uint8_t)(o->bytes[0] & ~HAS_SIZE);
    if (o->header_len == 2)
        ret[1] = o->bytes[1];
    return o->header_len;
}

static void wait(struct waiting *w, const struct obu *o)
{
    w->len += obu_leb128((uint32_t)(o->header_len + o->payload_len), w->bytes + w->len);
    w->len += put_header(o, w->bytes + w->len);
    memcpy(w->bytes + w->len, o->payload, o->payload_len);
    w->len += o->payload_len;
    w->n++;
}

/* An OBU, behind those that wait, in as many packets as it takes. */
static void put_obu(struct rtp_sink *s, struct waiting *w, const struct obu *o, bool *fresh,
                    bool last)
{
    const uint8_t *p = o->payload;
    size_t left = o->payload_len;
    bool first = true;
    do {
        uint8_t head[1 + sizeof(w->bytes) + 2];
        size_t n = 1;
        head[0] = (uint8_t)((first ? w->n + 1 : 1) << COUNT_SHIFT);
        if (first) {
            memcpy(head + n, w->bytes, w->len);
            n += w->len;
            n += put_header(o, head + n);
        } else {
            head[0] |= CONTINUES_LAST;
        }
        size_t part = left < PAYLOAD_MAX - n ? left : PAYLOAD_MAX - n;
        left -= part;
        if (left)
            head[0] |= GOES_ON;
        if (*fresh)
            head[0] |= NEW_SEQUENCE;
        *fresh = first = false;
        rtp_emit(s, head, n, p, part, last && !left);
        p += part;
    } while (left);
    w->n = 0;
    w->len = 0;
}

int rtp_split_av1(struct rtp_sink *s, const uint8_t *bytes, size_t len)
{
    size_t at = 0, end = 0;
    bool picture = false, fresh = false;
    struct obu o;
    int err;
    while (!(err = obu_next(bytes, len, &at, &o))) {
        picture = picture || is_picture(&o);
        fresh = fresh || o.type == OBU_SEQUENCE_HEADER;
        if (carried(&o))
            end = at; /* of the last one */
    }
    if (err != -ENOENT || !picture)
        return 0;
    struct waiting w = {.n = 0};
    for (at = 0; !obu_next(bytes, len, &at, &o);) {
        if (!carried(&o))
            continue;
        if (at < end && o.payload_len <= SMALL && w.n < SHARED)
            wait(&w, &o);
        else
            put_obu(s, &w, &o, &fresh, at == end);
    }
    return s->n;
}
