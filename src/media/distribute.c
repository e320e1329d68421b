/* Frames to makers, renditions to coders: to each what is due and shows something new. Here the
 * source thread and the makers come by; the lists are read under the lock. */
#include <math.h>

#include "base/clock.h"
#include "base/mailbox.h"
#include "media/activity.h"
#include "media/frame.h"
#include "media/pipeline_inside.h"

/* Which picture of the frame rate asked for this is: frames that fall into one that
 * was sent already are left out. Counted from the first one, which is taken at once:
 * were there a beat for all, the second could follow sooner than the rate allows, and
 * clients that guess the rate from the first pictures would be misled. */
static int64_t slot_of(const struct coder *c, int64_t time_ns)
{
    /* ticks are rounded down to nanoseconds: a thousandth of a slot forgives that */
    return (int64_t)floor((double)(time_ns - c->first_ns) * coder_fps(c) / (double)NSEC_PER_SEC +
                          1e-3);
}

static bool is_due(const struct coder *c, int64_t time_ns)
{
    return coder_fps(c) <= 0 || !c->has_slot || slot_of(c, time_ns) != c->last_slot;
}

/* Whether nothing happens in a picture that is due. */
static bool is_quiet(const struct coder *c, const struct activity *a, const struct frame_part *part,
                     int64_t time_ns)
{
    return c->has_sent && !c->force_key && c->sent_epoch == c->p->epoch &&
           frame_part_equal(&c->sent_part, part) &&
           smart_spares(&c->e.smart, a, c->p->fps, time_ns - c->sent_ns);
}

/* Not what pushes out a picture that the codec holds back: that would be late by as many seconds
 * as pictures, were all others left out. */
static bool is_spared(const struct coder *c, const struct activity *a,
                      const struct frame_part *part, int64_t time_ns)
{
    return is_quiet(c, a, part, time_ns) && !(encoding_reorders(&c->e) && c->shown_ns < c->sent_ns);
}

static bool takes(const struct coder *c, const struct rendition *r)
{
    return is_due(c, r->how.start_ns) && !is_spared(c, r->activity, &r->part, r->how.start_ns);
}

static void note_sent(struct coder *c, const struct rendition *r)
{
    int64_t time_ns = r->how.start_ns;
    if (coder_fps(c) > 0) {
        if (!c->has_slot)
            c->first_ns = time_ns;
        c->last_slot = slot_of(c, time_ns);
        c->has_slot = true;
    }
    if (!is_quiet(c, r->activity, &r->part, time_ns))
        c->sent_ns = time_ns;
    c->sent_part = r->part;
    c->sent_epoch = c->p->epoch;
    c->has_sent = true;
}

void pipeline_distribute(struct pipeline *p, struct maker *m, struct rendition *r)
{
    struct coder *to[CODERS_MAX];
    unsigned n = 0;
    pthread_mutex_lock(&p->lock);
    list_for_each(at, &p->coders)
    {
        struct coder *c = container_of(at, struct coder, link);
        if (c->maker != m || c->ended || !takes(c, r) || n == CODERS_MAX)
            continue;
        note_sent(c, r);
        to[n++] = coder_ref(c);
    }
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < n; i++) {
        mailbox_put(to[i]->box, rendition_ref(r));
        coder_unref(to[i]);
    }
}

/* Once for all encoders, and only if one of them goes by it. */
static void look(struct pipeline *p, struct frame *f)
{
    pthread_mutex_lock(&p->lock);
    bool wanted = p->wanted && p->lookers;
    pthread_mutex_unlock(&p->lock);
    if (!wanted) {
        p->watch = activity_watch_free(p->watch);
        return;
    }
    if (f->pixels->width != p->width || f->pixels->height != p->height)
        return;
    if (!p->watch)
        p->watch = activity_watch_new(p->width, p->height, false);
    if (!p->watch)
        return;
    f->activity = activity_look(p->watch, f->pixels, &f->how);
    p->looked++;
}

void pipeline_offer(struct pipeline *p, struct frame *take_f)
{
    struct frame *f = take_f, *old;
    struct maker *to[CODERS_MAX];
    unsigned n = 0;
    struct list stills;
    list_init(&stills);
    p->frames++;
    look(p, f);
    if (p->hooks.parts)
        p->hooks.parts(f->how.start_ns, f->part, p->hooks.arg);
    pthread_mutex_lock(&p->lock);
    if (!p->wanted || f->how.masks < p->least_masks) { /* the last one of a source that stops */
        pthread_mutex_unlock(&p->lock);
        frame_unref(f);
        return;
    }
    old = p->newest;
    p->newest = frame_ref(f);
    stills_take_waiting(p, f, &stills);
    list_for_each(at, &p->coders)
    {
        struct coder *c = container_of(at, struct coder, link);
        if (!c->maker || c->ended || !is_due(c, f->how.start_ns)) /* no maker: being opened */
            continue;
        if (is_spared(c, f->activity, &f->part[c->e.key.view - 1], f->how.start_ns)) {
            c->left_out++;
            continue;
        }
        unsigned i = 0;
        while (i < n && to[i] != c->maker)
            i++;
        if (i == n && n < CODERS_MAX)
            to[n++] = maker_ref(c->maker);
    }
    pthread_mutex_unlock(&p->lock);
    frame_unref(old);
    for (unsigned i = 0; i < n; i++) {
        if (to[i]->plain) {
            struct rendition *r = rendition_of(f, to[i]->key.view, picture_ref(f->pixels));
            if (r)
                pipeline_distribute(p, to[i], r);
            rendition_unref(r);
        } else {
            mailbox_put(to[i]->box, frame_ref(f));
        }
        maker_unref(to[i]);
    }
    stills_send(p, &stills);
    frame_unref(f);
}
