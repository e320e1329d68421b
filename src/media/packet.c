#include "media/packet.h"

#include <stdlib.h>

const char *codec_name(enum codec c)
{
    static const char *const names[] = {
        [CODEC_H264] = "h264", [CODEC_JPEG] = "jpeg", [CODEC_H265] = "h265", [CODEC_AV1] = "av1",
        [CODEC_AAC] = "aac",   [CODEC_OPUS] = "opus", [CODEC_PCMU] = "pcmu", [CODEC_PCMA] = "pcma",
        [CODEC_G726] = "g726", [CODEC_L16] = "l16"};
    return names[c];
}

struct packet *packet_new(const uint8_t *bytes, size_t len, void (*release)(void *owner),
                          void *owner)
{
    struct packet *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->bytes = bytes;
    p->len = len;
    p->release = release;
    p->owner = owner;
    p->refs = 1;
    return p;
}

struct packet *packet_ref(struct packet *p)
{
    __atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
    return p;
}

struct packet *packet_unref(struct packet *p)
{
    if (!p || __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL))
        return NULL;
    for (unsigned i = 0; i < PACKET_FORMS; i++)
        if (p->form[i])
            p->form[i]->free(p->form[i]);
    if (p->release)
        p->release(p->owner);
    free(p);
    return NULL;
}

struct packet_form *packet_set_form(struct packet *p, int slot, struct packet_form *take_f)
{
    struct packet_form *none = NULL;
    if (__atomic_compare_exchange_n(&p->form[slot], &none, take_f, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return take_f;
    take_f->free(take_f);
    return none; /* who was faster */
}

struct packet_form *packet_get_form(const struct packet *p, int slot)
{
    return __atomic_load_n(&p->form[slot], __ATOMIC_ACQUIRE);
}
