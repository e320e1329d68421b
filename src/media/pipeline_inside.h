/* What the files of the pipeline share. Nobody else includes this.
 *
 *   offer() ─frame─▶ maker (a thread per rendition key) ─rendition─▶ coder (a thread
 *   per encoding) ─packet─▶ stream
 *
 * Makers that would only pass the frame's pixels on have no thread: offer() hands
 * the rendition to their coders itself. Stills have one thread of their own.
 *
 * The lists are changed on the loop only, under `lock`; the source thread and the
 * makers read them under it. Makers and coders are refcounted, so that a put into
 * a mailbox needs no lock: a closed box drops what comes. */
#ifndef MEDIA_PIPELINE_INSIDE_H
#define MEDIA_PIPELINE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/loop.h"
#include "media/pipeline.h"

#define CODERS_MAX 64 /* whatever the parameter says */
#define LINGER_NS (5 * INT64_C(1000000000))

struct mailbox;
struct scaler;

/* Scales and paints; belongs to one thread. */
struct painter {
    struct scaler *scaler;
    struct picture_pool *pool;
    int width, height; /* of the pool's pictures */
    int rows;          /* that the last picture was painted on */
};

struct maker {
    struct list link; /* pipeline.makers, later pipeline.dying_makers */
    struct pipeline *p;
    struct rendition_key key; /* overlays: only the classes that show anything */
    bool plain;               /* the frame itself serves: no thread */
    unsigned coders;          /* p->lock */
    struct mailbox *box;
    pthread_t thread;
    struct loop_post gone;
    _Atomic int refs;
};

struct coder {
    struct list link; /* pipeline.coders, later pipeline.dying_coders */
    struct pipeline *p;
    struct encoding e;
    uint32_t id;
    struct maker *maker;         /* p->lock */
    int64_t first_ns;            /* p->lock; from here the slots of the frame rate count */
    int64_t last_slot;           /* p->lock; of the frame rate asked for */
    bool has_slot;               /* p->lock; first_ns and last_slot are valid */
    int64_t sent_ns;             /* p->lock; time of the newest picture given for its sake … */
    uint64_t sent_epoch;         /* p->lock; … and how its overlays looked */
    struct frame_part sent_part; /* p->lock; … and what of the frame it showed */
    bool has_sent;               /* p->lock */
    bool ended;                  /* p->lock; its channel is gone: it waits for its users */
    double limit_fps;            /* p->lock; what it keeps up with, 0: with all */
    _Atomic int64_t shown_ns;    /* time of the newest picture that left the codec */
    _Atomic uint64_t left_out, lost;            /* pictures: nothing happened; it was too slow */
    _Atomic int still_permille, noise_permille; /* of the newest picture's blocks */
    int first_step; /* every n-th picture of the source, before it has shown what it manages */
    struct mailbox *box;
    struct stream *stream;
    atomic_bool force_key;
    pthread_t thread;
    struct loop_post gone;
    _Atomic int refs;
    /* loop */
    unsigned users;
    struct loop_timer linger, key_timer;
    int64_t last_forced_ns, key_asked_ns;
};

struct pipeline {
    struct loop *loop;
    struct clock *clock;
    struct pipeline_hooks hooks;
    int width, height;
    double fps;

    pthread_mutex_t lock;
    struct list makers, coders; /* struct maker, struct coder */
    struct list waiting;        /* struct job: stills that wait for a frame */
    struct frame *newest;       /* of this run of the source */
    bool wanted;
    unsigned lookers;             /* coders that go by activity */
    struct activity_watch *watch; /* source thread */
    uint64_t stale_serial;        /* streams' pictures up to this one were painted otherwise */

    /* loop */
    struct pipeline_limits limits;
    int mounting_deg;
    bool kept;
    int64_t patience_ns;
    unsigned n_coders, n_makers, n_feeds;
    struct list dying_makers, dying_coders;
    uint32_t next_id;
    struct list jobs; /* struct job: all of them */
    unsigned n_jobs_busy;
    struct loop_timer still_linger;
    struct mailbox *still_box;
    pthread_t still_thread;

    _Atomic uint64_t epoch;       /* counts repaints */
    _Atomic uint32_t least_masks; /* frames with an older set are not shown */
    _Atomic uint64_t frames, painted, coded, looked;
};

/* pipeline.c */
void pipeline_update_demand(struct pipeline *p); /* loop */
/* The key as it is really painted. */
struct rendition_key pipeline_paint_key(struct pipeline *p, const struct rendition_key *asked,
                                        uint32_t id);

/* distribute.c */
/* Hands r to every coder of m that is due. Any thread. */
void pipeline_distribute(struct pipeline *p, struct maker *m, struct rendition *r);

/* rendition_thread.c */
struct maker *maker_new(struct pipeline *p, const struct rendition_key *key);
struct maker *maker_ref(struct maker *m);
struct maker *maker_unref(struct maker *m);
void maker_stop(struct maker *m); /* loop */
void maker_join(struct maker *m); /* loop; while dying */
bool key_is_plain(const struct pipeline *p, const struct rendition_key *key);
/* NULL: out of memory, or so many renditions are in use that this one is left out. */
struct rendition *painter_paint(struct painter *w, struct pipeline *p,
                                const struct rendition_key *key, struct frame *f);
void painter_done(struct painter *w);

/* encoder_thread.c */
/* Pictures a second that a coder is given; 0: all. p->lock. */
double coder_fps(const struct coder *c);
/* step: every n-th picture of the source is what the machine is thought to keep up with. */
struct coder *coder_new(struct pipeline *p, const struct encoding *e, int step);
struct coder *coder_ref(struct coder *c);
struct coder *coder_unref(struct coder *c);
void coder_stop(struct coder *c); /* loop */
void coder_join(struct coder *c); /* loop; while dying */

/* still.c */
int stills_start(struct pipeline *p);
void stills_stop(struct pipeline *p); /* also after a stills_start() that failed */
/* Gives the waiting jobs their frame (lock held) and sends them off (without). */
void stills_take_waiting(struct pipeline *p, struct frame *f, struct list *ret_jobs);
void stills_send(struct pipeline *p, struct list *jobs);
void stills_forget(struct pipeline *p); /* the source stopped: finished ones are stale */

#endif
