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
    r->part = FRAME_WHOLE;
    r->refs = 1;
    return r;
}

struct rendition *rendition_of(const struct frame *f, int view, struct picture *take_pixels)
{
    struct rendition *r = rendition_new(take_pixels, &f->how);
    if (!r)
        return NULL;
    r->activity = activity_ref(f->activity);
    r->part = f->part[view - 1];
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
           a->overlays == b->overlays && a->stream_tag == b->stream_tag;
}

void rendition_shown(const struct rendition_key *k, const struct frame_part *part,
                     double frame_aspect, struct frame_part *ret)
{
    const struct frame_part of = part ? *part : FRAME_WHOLE;
    bool turned = k->rotation_deg == 90 || k->rotation_deg == 270;
    double want = turned ? (double)k->height / k->width : (double)k->width / k->height;
    double have = frame_aspect * of.width / of.height;
    double w = want < have ? of.width * want / have : of.width;
    double h = want > have ? of.height * have / want : of.height;
    *ret = (struct frame_part){of.x + (of.width - w) / 2, of.y + (of.height - h) / 2, w, h};
}

void rendition_to_frame(const struct rendition_key *k, const struct frame_part *part,
                        double frame_aspect, double *x, double *y)
{
    double vx = k->mirror ? 1 - *x : *x, vy = *y;
    struct frame_part shown;
    double fx = vx, fy = vy;
    if (k->rotation_deg == 90) {
        fx = vy;
        fy = 1 - vx;
    } else if (k->rotation_deg == 180) {
        fx = 1 - vx;
        fy = 1 - vy;
    } else if (k->rotation_deg == 270) {
        fx = 1 - vy;
        fy = vx;
    }
    rendition_shown(k, part, frame_aspect, &shown);
    *x = shown.x + fx * shown.width;
    *y = shown.y + fy * shown.height;
}

void rendition_from_frame(const struct rendition_key *k, const struct frame_part *part,
                          double frame_aspect, double *x, double *y)
{
    struct frame_part shown;
    rendition_shown(k, part, frame_aspect, &shown);
    double fx = (*x - shown.x) / shown.width, fy = (*y - shown.y) / shown.height;
    double vx = fx, vy = fy;
    if (k->rotation_deg == 90) {
        vx = 1 - fy;
        vy = fx;
    } else if (k->rotation_deg == 180) {
        vx = 1 - fx;
        vy = 1 - fy;
    } else if (k->rotation_deg == 270) {
        vx = fy;
        vy = 1 - fx;
    }
    *x = k->mirror ? 1 - vx : vx;
    *y = vy;
}
