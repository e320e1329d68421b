#include "media/shot.h"

#include <stdlib.h>

struct shot *shot_new(struct picture *take_pixels, const struct capture *how)
{
    struct shot *s = calloc(1, sizeof(*s));
    if (!s) {
        picture_unref(take_pixels);
        return NULL;
    }
    s->pixels = take_pixels;
    s->how = *how;
    s->refs = 1;
    return s;
}

struct shot *shot_ref(struct shot *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

struct shot *shot_unref(struct shot *s)
{
    if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
        return NULL;
    picture_unref(s->pixels);
    free(s->light);
    free(s->spread);
    free(s);
    return NULL;
}
