#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/thread.h"
#include "media/frame.h"
#include "media/pipeline_inside.h"

#define BUSY_MAX 32 /* different stills at a time */
#define KEPT 4      /* finished ones, for who asks during the same picture */
#define STALE_NS NSEC_PER_SEC

/* One JPEG of one frame, for all who asked for it. */
struct job {
    struct list link;         /* pipeline.jobs; loop */
    struct list waiting_link; /* pipeline.waiting or a local list; p->lock */
    struct pipeline *p;
    struct encoding e;
    struct rendition_key key; /* as painted */
    uint64_t epoch;
    struct frame *frame;   /* set before it is sent off */
    struct packet *packet; /* set by the still thread */
    int err;
    bool waiting;        /* p->lock: for a frame */
    int64_t until_ns;    /* from then on one that is settling will do */
    bool done;           /* loop */
    struct list waiters; /* struct still; loop */
    struct loop_post post;
};

struct still {
    struct list link;
    void (*done)(struct packet *p, int err, void *arg);
    void *arg;
};

static void job_free(struct job *j)
{
    list_remove(&j->link);
    frame_unref(j->frame);
    packet_unref(j->packet);
    free(j);
}

/* ---- the thread ---- */

struct still_work {
    struct painter painter;
    struct encoding e; /* of the encoder */
    struct encoder *enc;
};

static int encode_still(struct pipeline *p, struct still_work *w, struct job *j)
{
    struct rendition *r = painter_paint(&w->painter, p, &j->key, j->frame);
    if (!r)
        return -ENOMEM;
    int err = 0;
    if (!w->enc || !encoding_equal(&w->e, &j->e)) {
        if (w->enc)
            w->enc->ops->close(w->enc);
        w->e = j->e;
        w->enc = encoder_find(CODEC_JPEG)->open(&j->e, p->fps, NULL);
    }
    if (!w->enc) {
        err = -ENOMEM;
    } else {
        struct stream_format format;
        err = w->enc->ops->encode(w->enc, r, true, &j->packet, &format);
    }
    if (err == 0) {
        j->packet->time_ns = r->how.start_ns;
        j->packet->utc_ns = r->how.utc_ns;
        j->packet->coded_ns = clock_now(p->clock);
        j->packet->how = r->how;
        p->coded++;
    }
    rendition_unref(r);
    return err;
}

static void *still_run(void *arg)
{
    struct pipeline *p = arg;
    struct still_work w = {0};
    thread_gives_way();
    for (;;) {
        bool closed = false;
        struct job *j = mailbox_take(p->still_box, TIME_NEVER, &closed);
        if (!j)
            break;
        j->err = encode_still(p, &w, j);
        loop_post(p->loop, &j->post);
        mailbox_done(p->still_box);
    }
    if (w.enc)
        w.enc->ops->close(w.enc);
    painter_done(&w.painter);
    return NULL;
}

static void drop_job(void *item)
{
    struct job *j = item;
    j->err = -EBUSY;
    loop_post(j->p->loop, &j->post);
}

int stills_start(struct pipeline *p)
{
    p->still_box = mailbox_new(p->clock, "still", BUSY_MAX + 1, drop_job);
    if (!p->still_box)
        return -ENOMEM;
    if (pthread_create(&p->still_thread, NULL, still_run, p)) {
        p->still_box = mailbox_free(p->still_box);
        return -ENOMEM;
    }
    pthread_setname_np(p->still_thread, "still");
    return 0;
}

static void answer(struct job *j)
{
    while (!list_empty(&j->waiters)) {
        struct still *s = container_of(j->waiters.next, struct still, link);
        list_remove(&s->link);
        void (*done)(struct packet * p, int err, void *arg) = s->done;
        void *arg = s->arg;
        free(s);
        done(j->err < 0 ? NULL : j->packet, j->err, arg);
    }
}

void stills_stop(struct pipeline *p)
{
    if (!p->still_box)
        return;
    mailbox_close(p->still_box);
    pthread_join(p->still_thread, NULL);
    p->still_box = mailbox_free(p->still_box);
    while (!list_empty(&p->jobs)) {
        struct job *j = container_of(p->jobs.next, struct job, link);
        loop_post_cancel(p->loop, &j->post);
        list_remove(&j->waiting_link);
        list_remove(&j->link);
        if (!j->done)
            j->err = -ECANCELED;
        answer(j);
        job_free(j);
    }
}

/* ---- between frames and jobs ---- */

void stills_take_waiting(struct pipeline *p, struct frame *f, struct list *ret_jobs)
{
    list_for_each_safe(at, &p->waiting)
    {
        struct job *j = container_of(at, struct job, waiting_link);
        if (f->how.settling && f->how.start_ns < j->until_ns)
            continue;
        list_remove(&j->waiting_link);
        list_append(ret_jobs, &j->waiting_link);
        j->frame = frame_ref(f);
        j->waiting = false;
    }
}

void stills_send(struct pipeline *p, struct list *jobs)
{
    while (!list_empty(jobs)) {
        struct job *j = container_of(jobs->next, struct job, waiting_link);
        list_remove(&j->waiting_link);
        mailbox_put(p->still_box, j);
    }
}

static void drop_kept(struct pipeline *p, unsigned keep)
{
    unsigned kept = 0;
    list_for_each(at, &p->jobs) kept += container_of(at, struct job, link)->done;
    list_for_each_safe(at, &p->jobs)
    {
        struct job *j = container_of(at, struct job, link);
        if (kept <= keep)
            break;
        if (j->done && list_empty(&j->waiters)) {
            loop_post_cancel(p->loop, &j->post);
            job_free(j);
            kept--;
        }
    }
}

void stills_forget(struct pipeline *p)
{
    drop_kept(p, 0);
}

static void job_ready(struct loop_post *post)
{
    struct job *j = container_of(post, struct job, post);
    struct pipeline *p = j->p;
    /* the masks changed meanwhile: once more */
    if (j->err == 0 && j->packet->how.masks < p->least_masks && !list_empty(&j->waiters)) {
        p->n_jobs_busy += j->done;
        j->done = false;
        j->packet = packet_unref(j->packet);
        j->frame = frame_unref(j->frame);
        j->epoch = p->epoch;
        pthread_mutex_lock(&p->lock);
        j->waiting = true;
        list_append(&p->waiting, &j->waiting_link);
        pthread_mutex_unlock(&p->lock);
        pipeline_update_demand(p);
        return;
    }
    if (!j->done) {
        j->done = true;
        p->n_jobs_busy--;
        /* the next still is likely to come soon */
        (void)loop_timer_in(p->loop, &p->still_linger, LINGER_NS);
        pipeline_update_demand(p);
    }
    answer(j);
    drop_kept(p, KEPT);
}

/* ---- asking ---- */

/* A picture that a running stream has just coded in the same way. */
static struct packet *from_stream(struct pipeline *p, const struct encoding *e, uint64_t serial)
{
    list_for_each(at, &p->coders)
    {
        struct coder *c = container_of(at, struct coder, link);
        struct encoding same = c->e;
        same.fps = 0;
        if (!encoding_equal(&same, e) || c->maker->key.stream_tag)
            continue;
        struct cursor *cur = stream_cursor(c->stream);
        struct packet *packet = NULL;
        if (cur && cur->ops->next(cur, &packet, NULL) < 0)
            packet = NULL;
        if (cur)
            cur->ops->close(cur);
        if (packet && packet->how.serial == serial && serial > p->stale_serial)
            return packet;
        packet_unref(packet);
    }
    return NULL;
}

static struct job *find_job(struct pipeline *p, const struct encoding *e,
                            const struct frame *newest)
{
    list_for_each(at, &p->jobs)
    {
        struct job *j = container_of(at, struct job, link);
        if (!encoding_equal(&j->e, e) || j->epoch != p->epoch || (j->done && j->err < 0))
            continue;
        if (newest ? !j->waiting && j->frame && j->frame->how.serial == newest->how.serial
                   : j->waiting)
            return j;
    }
    return NULL;
}

static struct job *job_new(struct pipeline *p, const struct encoding *e)
{
    struct job *j = calloc(1, sizeof(*j));
    if (!j)
        return NULL;
    j->p = p;
    j->e = *e;
    j->key = pipeline_paint_key(p, &e->key, 0);
    j->epoch = p->epoch;
    j->post = (struct loop_post){.name = "still", .run = job_ready};
    list_init(&j->waiters);
    list_append(&p->jobs, &j->link);
    return j;
}

int pipeline_still(struct pipeline *p, const struct encoding *asked,
                   void (*done)(struct packet *p, int err, void *arg), void *arg,
                   struct still **ret_still, struct fault *why)
{
    struct encoding e = *asked;
    e.codec = CODEC_JPEG;
    e.fps = 0;
    int r = encoding_normalise(&e, p->fps, why);
    if (r < 0)
        return r;
    struct still *s = calloc(1, sizeof(*s));
    if (!s)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    s->done = done;
    s->arg = arg;

    int64_t now_ns = clock_now(p->clock);
    pthread_mutex_lock(&p->lock);
    struct frame *newest = p->newest ? frame_ref(p->newest) : NULL;
    if (newest && now_ns - newest->how.start_ns > STALE_NS)
        newest = frame_unref(newest); /* the sensor hangs: wait for what comes */
    if (newest && newest->how.settling && p->patience_ns > 0)
        newest = frame_unref(newest);
    struct job *j = find_job(p, &e, newest);
    pthread_mutex_unlock(&p->lock);

    if (j) {
        if (j->done)
            loop_post(p->loop, &j->post);
    } else if (p->n_jobs_busy >= BUSY_MAX) {
        free(s);
        frame_unref(newest);
        return fault_set(why, FAULT_BUSY, NULL, "%d different stills are being made; try again",
                         BUSY_MAX);
    } else {
        j = job_new(p, &e);
        if (!j) {
            free(s);
            frame_unref(newest);
            return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        }
        p->n_jobs_busy++;
        j->until_ns = now_ns + p->patience_ns;
        if (newest) {
            j->frame = frame_ref(newest);
            j->packet = from_stream(p, &e, newest->how.serial);
            if (j->packet)
                loop_post(p->loop, &j->post);
            else
                mailbox_put(p->still_box, j);
        } else {
            pthread_mutex_lock(&p->lock);
            j->waiting = true;
            list_append(&p->waiting, &j->waiting_link);
            pthread_mutex_unlock(&p->lock);
        }
    }
    frame_unref(newest);
    list_append(&j->waiters, &s->link);
    *ret_still = s;
    pipeline_update_demand(p);
    return 0;
}

void still_cancel(struct still *s)
{
    if (!s)
        return;
    list_remove(&s->link);
    free(s);
}
