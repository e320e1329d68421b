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

/* The part of the frame that is shown, 0…1 each way. */
static void shown_part(const struct rendition_key *k, double frame_aspect, double *ret_w,
                       double *ret_h)
{
    bool turned = k->rotation_deg == 90 || k->rotation_deg == 270;
    double aspect = turned ? (double)k->height / k->width : (double)k->width / k->height;
    *ret_w = aspect < frame_aspect ? aspect / frame_aspect : 1;
    *ret_h = aspect > frame_aspect ? frame_aspect / aspect : 1;
}

void rendition_to_frame(const struct rendition_key *k, double frame_aspect, double *x, double *y)
{
    double vx = k->mirror ? 1 - *x : *x, vy = *y, w, h;
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
    shown_part(k, frame_aspect, &w, &h);
    *x = 0.5 + (fx - 0.5) * w;
    *y = 0.5 + (fy - 0.5) * h;
}

void rendition_from_frame(const struct rendition_key *k, double frame_aspect, double *x, double *y)
{
    double w, h;
    shown_part(k, frame_aspect, &w, &h);
    double fx = 0.5 + (*x - 0.5) / w, fy = 0.5 + (*y - 0.5) / h;
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
