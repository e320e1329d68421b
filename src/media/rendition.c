#include "media/rendition.h"

#include <stdlib.h>

#include "media/activity.h"

struct rendition *rendition_new(struct picture *take_pixels, const struct capture *how)
{
    struct rendition *r = calloc(1, sizeof(*r));
    if (!r) {
        picture_unref(take_pixels);
        return NULL;
    }
    r->pixels = take_pixels;
    r->how = *how;
    r->refs = 1;
    return r;
}

struct rendition *rendition_of(const struct frame *f, struct picture *take_pixels)
{
    struct rendition *r = rendition_new(take_pixels, &f->how);
    if (r)
        r->activity = activity_ref(f->activity);
    return r;
}

struct rendition *rendition_ref(struct rendition *r)
{
    __atomic_add_fetch(&r->refs, 1, __ATOMIC_RELAXED);
    return r;
}

struct rendition *rendition_unref(struct rendition *r)
{
    if (!r || __atomic_sub_fetch(&r->refs, 1, __ATOMIC_ACQ_REL))
        return NULL;
    picture_unref(r->pixels);
    activity_unref(r->activity);
    free(r);
    return NULL;
}

bool rendition_key_equal(const struct rendition_key *a, const struct rendition_key *b)
{
    return a->view == b->view && a->width == b->width && a->height == b->height &&
           a->rotation_deg == b->rotation_deg && a->mirror == b->mirror &&
           a->overlays == b->overlays && a->range == b->range && a->stream_tag == b->stream_tag;
}
