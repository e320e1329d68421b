#include "media/frame.h"

#include <stdlib.h>

#include "media/activity.h"

bool frame_part_equal(const struct frame_part *a, const struct frame_part *b)
{
    return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

struct frame *frame_new(struct picture *take_pixels, const struct capture *how)
{
    struct frame *f = calloc(1, sizeof(*f));
    if (!f) {
        picture_unref(take_pixels);
        return NULL;
    }
    f->pixels = take_pixels;
    f->how = *how;
    for (int i = 0; i < VIEWS_MOST; i++)
        f->part[i] = FRAME_WHOLE;
    f->refs = 1;
    return f;
}

struct frame *frame_ref(struct frame *f)
{
    __atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED);
    return f;
}

struct frame *frame_unref(struct frame *f)
{
    if (!f || __atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL))
        return NULL;
    picture_unref(f->pixels);
    activity_unref(f->activity);
    masked_unref(f->masked);
    free(f);
    return NULL;
}
