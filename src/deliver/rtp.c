#include "deliver/rtp.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"

#define LINE 64 /* bytes of a cache line */

struct tally {
    unsigned n;
    size_t len;
};

static void tally_put(void *arg, const struct rtp_piece piece[2], bool last)
{
    struct tally *t = arg;
    t->n++;
    t->len += 4 + RTP_HEADER + piece[0].len + piece[1].len;
}

int rtp_payload_type(enum codec codec, int rate_hz)
{
    if (codec == CODEC_JPEG)
        return RTP_PT_JPEG;
    if (!codec_is_sound(codec))
        return RTP_PT_DYNAMIC;
    if (rate_hz == 8000 && codec == CODEC_PCMU)
        return RTP_PT_PCMU;
    return rate_hz == 8000 && codec == CODEC_PCMA ? RTP_PT_PCMA : RTP_PT_SOUND;
}

int rtp_count(const struct packet *p, enum codec codec)
{
    struct tally t = {0};
    int n = rtp_split(p->bytes, p->len, codec, tally_put, &t);
    return n < 0 || n > UINT16_MAX ? 0 : n;
}

struct writer {
    struct rtp_form *form;
    uint8_t *at;
    unsigned i;
    uint8_t payload_type;
    uint16_t seq;
    uint32_t time, ssrc;
};

static uint8_t *put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
    return p + 4;
}

static void writer_put(void *arg, const struct rtp_piece piece[2], bool last)
{
    struct writer *w = arg;
    uint8_t *p = w->at;
    size_t len = RTP_HEADER + piece[0].len + piece[1].len;
    w->form->offset[w->i++] = (uint32_t)(p - w->form->bytes);
    p = put32(p, (uint32_t)'$' << 24 | (uint32_t)len);
    p = put32(p, 0x80000000 | (uint32_t)(w->payload_type | (last ? 0x80 : 0)) << 16 | w->seq++);
    p = put32(p, w->time);
    p = put32(p, w->ssrc);
    for (int i = 0; i < 2; i++) {
        if (piece[i].len)
            memcpy(p, piece[i].bytes, piece[i].len);
        p += piece[i].len;
    }
    w->at = p;
}

static void form_free(struct packet_form *base)
{
    struct rtp_form *f = container_of(base, struct rtp_form, base);
    for (struct rtp_copy *c = f->copies; c;) {
        struct rtp_copy *next = c->next;
        free(c);
        c = next;
    }
    free(f->udp);
    pages_done(&f->pages, f->len);
    free(f);
}

static size_t aligned(size_t n)
{
    return (n + LINE - 1) & ~(size_t)(LINE - 1);
}

struct rtp_form *rtp_form_new(unsigned n, size_t len)
{
    /* one allocation: the struct, the offsets, the bytes */
    size_t before = aligned(sizeof(struct rtp_form) + (n + 1) * sizeof(uint32_t));
    struct rtp_form *f = aligned_alloc(LINE, before + aligned(len));
    if (!f)
        return NULL;
    *f = (struct rtp_form){
        .base.free = form_free,
        .offset = (uint32_t *)(f + 1),
        .bytes = (uint8_t *)f + before,
        .len = len,
        .n = n,
    };
    return f;
}

const struct rtp_form *rtp_form_of(struct stream *s, struct packet *p)
{
    struct packet_form *base = packet_get_form(p, PACKET_FORM_RTP);
    if (base)
        return container_of(base, struct rtp_form, base);

    struct stream_format format;
    stream_get_format(s, &format);
    enum codec codec = format.codec;
    struct tally t = {0};
    if (rtp_split(p->bytes, p->len, codec, tally_put, &t) <= 0 || t.n > UINT16_MAX)
        return NULL;
    struct rtp_form *f = rtp_form_new(t.n, t.len);
    if (!f)
        return NULL;
    struct writer w = {
        .form = f,
        .at = f->bytes,
        .payload_type = (uint8_t)rtp_payload_type(codec, format.rate_hz),
        .seq = p->rtp_seq,
        .time = stream_rtp_time(s, p->time_ns, stream_clock_hz(s)),
        .ssrc = stream_ssrc(s),
    };
    rtp_split(p->bytes, p->len, codec, writer_put, &w);
    f->offset[f->n] = (uint32_t)f->len;
    base = packet_set_form(p, PACKET_FORM_RTP, &f->base);
    return container_of(base, struct rtp_form, base);
}

static struct rtp_copy *copy_for(const struct rtp_form *form, int channel)
{
    size_t before = aligned(sizeof(struct rtp_copy));
    struct rtp_copy *c = aligned_alloc(LINE, before + aligned(form->len));
    if (!c)
        return NULL;
    *c = (struct rtp_copy){.channel = channel, .bytes = (uint8_t *)c + before};
    memcpy(c->bytes, form->bytes, form->len);
    for (unsigned i = 0; i < form->n; i++)
        c->bytes[form->offset[i] + 1] = (uint8_t)channel;
    return c;
}

const uint8_t *rtp_form_bytes(const struct rtp_form *form, int channel, void **ret_own)
{
    if (!channel)
        return form->bytes;
    struct rtp_copy **head = &((struct rtp_form *)(uintptr_t)form)->copies;
    struct rtp_copy *first = __atomic_load_n(head, __ATOMIC_ACQUIRE);
    int copies = 0;
    for (struct rtp_copy *c = first; c; c = c->next, copies++)
        if (c->channel == channel)
            return c->bytes;
    struct rtp_copy *mine = copy_for(form, channel);
    if (!mine)
        return NULL;
    if (copies >= RTP_MAX_COPIES) {
        *ret_own = mine;
        return mine->bytes;
    }
    for (;;) {
        mine->next = first;
        if (__atomic_compare_exchange_n(head, &first, mine, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return mine->bytes;
        for (struct rtp_copy *c = first; c != mine->next; c = c->next) {
            if (c->channel == channel) { /* somebody was faster */
                free(mine);
                return c->bytes;
            }
        }
    }
}

static size_t size_of(const struct rtp_form *form, unsigned i)
{
    return form->offset[i + 1] - form->offset[i] - 4;
}

/* One behind the last packet of the train that begins with packet i. */
static unsigned train_end(const struct rtp_form *form, unsigned i)
{
    unsigned j = i + 1, end = i + RTP_TRAIN_PACKETS < form->n ? i + RTP_TRAIN_PACKETS : form->n;
    while (j < end && size_of(form, j) == size_of(form, i))
        j++;
    return j + (j < end && size_of(form, j) < size_of(form, i));
}

const struct rtp_udp *rtp_udp_of(const struct rtp_form *form)
{
    struct rtp_udp **slot = &((struct rtp_form *)(uintptr_t)form)->udp;
    struct rtp_udp *have = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (have)
        return have;
    unsigned trains = 0;
    for (unsigned i = 0; i < form->n; i = train_end(form, i))
        trains++;
    size_t before = aligned(sizeof(*have) + trains * sizeof(struct udp_train));
    struct rtp_udp *mine = aligned_alloc(LINE, before + aligned(form->len + (size_t)trains * LINE));
    if (!mine)
        return NULL;
    uint8_t *at = (uint8_t *)mine + before;
    mine->n = trains;
    for (unsigned i = 0, t = 0; i < form->n; t++) {
        unsigned end = train_end(form, i);
        uint8_t *start = at;
        mine->train[t] = (struct udp_train){
            .bytes = start, .segment = (uint16_t)size_of(form, i), .packets = (uint16_t)(end - i)};
        for (; i < end; i++) {
            memcpy(at, form->bytes + form->offset[i] + 4, size_of(form, i));
            at += size_of(form, i);
        }
        mine->train[t].len = (uint32_t)(at - start);
        at = (uint8_t *)mine + aligned((size_t)(at - (uint8_t *)mine));
    }
    if (__atomic_compare_exchange_n(slot, &have, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return mine;
    free(mine); /* somebody was faster */
    return have;
}
