#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mailbox.h"
#include "base/thread.h"
#include "media/frame.h"
#include "media/pipeline_inside.h"
#include "media/scale.h"

#define RENDITIONS_OUT 16 /* of one key, in mailboxes and encoders */
#define COAT_SHARE 8      /* of the rows: up to that many painted a coat is cheaper */
#define PENDING 2         /* frames that may wait: a short delay loses none */

/* Shows the frame's own pixels, be it painted over. */
static bool key_is_frame(const struct pipeline *p, const struct rendition_key *key)
{
    return key->view == 1 && !key->rotation_deg && !key->mirror && key->width == p->width &&
           key->height == p->height;
}

bool key_is_plain(const struct pipeline *p, const struct rendition_key *key)
{
    return !key->overlays && key_is_frame(p, key);
}

void painter_done(struct painter *w)
{
    scaler_free(w->scaler);
    picture_pool_unref(w->pool);
    *w = (struct painter){0};
}

static struct picture *canvas_for(struct painter *w, const struct rendition_key *key)
{
    if (!w->pool || w->width != key->width || w->height != key->height) {
        picture_pool_unref(w->pool);
        w->pool = picture_pool_new(key->width, key->height, false, RENDITIONS_OUT);
        w->width = key->width;
        w->height = key->height;
    }
    if (!w->scaler)
        w->scaler = scaler_new();
    return w->pool && w->scaler ? picture_get(w->pool) : NULL;
}

/* A share of the picture that was meant to be whole pixels is. */
static void snap(double *pixels)
{
    if (fabs(*pixels - round(*pixels)) < 1e-6)
        *pixels = round(*pixels);
}

/* Of what the channel shows of the frame the largest part, around its centre, that has the
 * picture's shape; as it is where it nearly has. */
static int scale_frame(struct painter *w, struct picture *to, const struct picture *from,
                       const struct frame_part *part, const struct rendition_key *key)
{
    bool sideways = key->rotation_deg == 90 || key->rotation_deg == 270;
    double want = sideways ? (double)key->height / key->width : (double)key->width / key->height;
    double x = part->x * from->width, y = part->y * from->height;
    double cw = part->width * from->width, ch = part->height * from->height, have = cw / ch;
    if (want < have * 0.99) {
        x += (cw - ch * want) / 2;
        cw = ch * want;
    } else if (want > have * 1.01) {
        y += (ch - cw / want) / 2;
        ch = cw / want;
    }
    snap(&x);
    snap(&y);
    snap(&cw);
    snap(&ch);
    return scale_picture(w->scaler, to, from, x, y, cw, ch, key->rotation_deg, key->mirror);
}

/* The frame as the key wants it, to be painted on. */
static struct picture *canvas(struct painter *w, const struct pipeline *p,
                              const struct rendition_key *key, const struct frame_part *part,
                              struct picture *frame)
{
    struct picture *pixels = NULL;
    /* A page that is painted costs more than one that is copied: where much is painted the
     * whole is copied. */
    bool little = w->rows * COAT_SHARE <= key->height;
    if (little && key_is_frame(p, key) && frame->width == key->width &&
        frame->height == key->height)
        pixels = picture_coat(frame);
    if (pixels)
        return pixels;
    pixels = canvas_for(w, key);
    if (!pixels)
        return NULL;
    pixels->range = frame->range;
    pixels->matrix = frame->matrix;
    if (scale_frame(w, pixels, frame, part, key) < 0)
        return picture_unref(pixels);
    return pixels;
}

/* Figures of the stream whose tag the key carries. */
static bool stats_of(struct pipeline *p, uint32_t tag, struct stream_stats *ret)
{
    struct stream *s = NULL;
    pthread_mutex_lock(&p->lock);
    list_for_each(at, &p->coders)
    {
        struct coder *c = container_of(at, struct coder, link);
        if (c->id == tag)
            s = stream_ref(c->stream);
    }
    pthread_mutex_unlock(&p->lock);
    if (s)
        stream_stats(s, ret);
    stream_unref(s);
    return s;
}

struct rendition *painter_paint(struct painter *w, struct pipeline *p,
                                const struct rendition_key *key, struct frame *f)
{
    struct picture *pixels;
    const struct frame_part *part = &f->part[key->view - 1];
    uint64_t epoch = p->epoch;
    if (key_is_plain(p, key)) {
        pixels = picture_ref(f->pixels);
    } else {
        pixels = canvas(w, p, key, part, f->pixels);
        if (!pixels)
            return NULL;
        if (key->overlays) {
            struct stream_stats st;
            bool has_stats = key->stream_tag && stats_of(p, key->stream_tag, &st);
            w->rows =
                p->hooks.paint(pixels, key, part, &f->how, has_stats ? &st : NULL, p->hooks.arg);
        }
        p->painted++;
    }
    struct rendition *r = rendition_of(f, key->view, pixels);
    if (r)
        r->painted = epoch;
    return r;
}

/* ---- the thread ---- */

static void *maker_run(void *arg)
{
    struct maker *m = arg;
    struct painter painter = {0};
    thread_gives_way();
    for (;;) {
        bool closed = false;
        struct frame *f = mailbox_take(m->box, TIME_NEVER, &closed);
        if (!f)
            break;
        struct rendition *r = painter_paint(&painter, m->p, &m->key, f);
        if (r)
            pipeline_distribute(m->p, m, r);
        rendition_unref(r);
        frame_unref(f);
        mailbox_done(m->box);
    }
    painter_done(&painter);
    loop_post(m->p->loop, &m->gone);
    return NULL;
}

static void drop_frame(void *item)
{
    frame_unref(item);
}

static void maker_gone(struct loop_post *post)
{
    maker_join(container_of(post, struct maker, gone));
}

struct maker *maker_new(struct pipeline *p, const struct rendition_key *key)
{
    struct maker *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->p = p;
    m->key = *key;
    m->plain = key_is_plain(p, key);
    m->refs = 1;
    m->gone = (struct loop_post){.name = "rendition gone", .run = maker_gone};
    if (!m->plain) {
        m->box = mailbox_new(p->clock, "rendition", PENDING, drop_frame);
        if (!m->box || pthread_create(&m->thread, NULL, maker_run, m)) {
            mailbox_free(m->box);
            free(m);
            return NULL;
        }
        pthread_setname_np(m->thread, "rendition");
    }
    pthread_mutex_lock(&p->lock);
    list_append(&p->makers, &m->link);
    pthread_mutex_unlock(&p->lock);
    p->n_makers++;
    return m;
}

struct maker *maker_ref(struct maker *m)
{
    m->refs++;
    return m;
}

struct maker *maker_unref(struct maker *m)
{
    if (!m || --m->refs)
        return NULL;
    mailbox_free(m->box);
    free(m);
    return NULL;
}

void maker_stop(struct maker *m)
{
    struct pipeline *p = m->p;
    pthread_mutex_lock(&p->lock);
    list_remove(&m->link);
    pthread_mutex_unlock(&p->lock);
    p->n_makers--;
    if (m->plain) {
        maker_unref(m);
        return;
    }
    list_append(&p->dying_makers, &m->link);
    mailbox_close(m->box);
}

void maker_join(struct maker *m)
{
    pthread_join(m->thread, NULL);
    loop_post_cancel(m->p->loop, &m->gone);
    list_remove(&m->link);
    maker_unref(m);
}
