/* Sender loops: the threads, their lanes, and how a viewer's orders are obeyed. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "deliver/private.h"
#include "net/conn.h"
#include "net/limits.h"

#define TICK_NS NSEC_PER_SEC

/* ---- lanes ---- */

static void lane_free_if_empty(struct lane *l)
{
    if (l->n_tracks || l->serving)
        return;
    stream_remove_wake(l->stream, &l->wake);
    loop_post_cancel(l->sender->loop, &l->post);
    loop_post_cancel(l->sender->loop, &l->more);
    list_remove(&l->in_sender);
    stream_unref(l->stream);
    free(l);
}

static void lane_serve(struct loop_post *post)
{
    struct lane *l = container_of(post, struct lane, more);
    l->serving = true;
    for (unsigned n = 0; l->todo && l->n_tracks && n < LANE_SLICE; n++, l->todo--) {
        struct list *it = l->tracks.next;
        list_remove(it);
        list_append(&l->tracks, it);
        struct viewer *v = container_of(it, struct track, in_lane)->v;
        if (v->desc.framing == FRAMING_UDP)
            pump_udp(v);
        else if (!v->batch.n) /* the others go on when their socket can */
            pump(v);
    }
    l->serving = false;
    if (l->todo && l->n_tracks)
        loop_post(l->sender->loop, &l->more);
    lane_free_if_empty(l);
}

static void lane_run(struct loop_post *post)
{
    struct lane *l = container_of(post, struct lane, post);
    struct clock *clock = l->sender->d->clock;
    int64_t now_ns = clock_now(clock);
    int64_t offset_ns = clock_utc_of(clock, now_ns) - now_ns;
    if (llabs(offset_ns - l->utc_offset_ns) > 10 * NSEC_PER_MSEC) {
        /* the wall clock was set: tell all receivers with their next picture */
        l->utc_offset_ns = offset_ns;
        list_for_each(it, &l->tracks) container_of(it, struct track, in_lane)->report_ns = 0;
    }
    l->todo = l->n_tracks;
    lane_serve(&l->more);
}

/* The encoder's thread, for each picture. */
static void lane_woken(struct stream_wake *w)
{
    struct lane *l = container_of(w, struct lane, wake);
    loop_post(l->sender->loop, &l->post);
}

int lane_join(struct track *t)
{
    struct sender *s = t->v->s;
    struct lane *l = NULL;
    list_for_each(it, &s->lanes)
    {
        struct lane *have = container_of(it, struct lane, in_sender);
        if (have->stream == t->now.stream)
            l = have;
    }
    if (!l) {
        l = calloc(1, sizeof(*l));
        if (!l)
            return -ENOMEM;
        l->sender = s;
        l->stream = stream_ref(t->now.stream);
        l->wake.woken = lane_woken;
        l->post = (struct loop_post){.name = "viewers of a stream", .run = lane_run};
        l->more = (struct loop_post){.name = "more viewers of a stream", .run = lane_serve};
        list_init(&l->tracks);
        int64_t now_ns = clock_now(s->d->clock);
        l->utc_offset_ns = clock_utc_of(s->d->clock, now_ns) - now_ns;
        list_append(&s->lanes, &l->in_sender);
        stream_add_wake(l->stream, &l->wake);
    }
    list_append(&l->tracks, &t->in_lane);
    l->n_tracks++;
    t->lane = l;
    return 0;
}

void lane_leave(struct track *t)
{
    struct lane *l = t->lane;
    if (!l)
        return;
    list_remove(&t->in_lane);
    l->n_tracks--;
    t->lane = NULL;
    lane_free_if_empty(l);
}

/* ---- orders ---- */

void sender_tell(struct viewer *v)
{
    loop_post(v->d->control, &v->to_control);
}

/* Stops for good; the control loop will close it. */
void sender_fail(struct viewer *v, int err)
{
    if (v->dead)
        return;
    v->dead = true;
    for (int i = 0; i < MAX_TRACKS; i++)
        track_stop(&v->tracks[i]);
    if (v->conn)
        conn_detach(v->conn);
    loop_timer_cancel(&v->pace);
    pthread_mutex_lock(&v->lock);
    v->news.ended = true;
    v->news.err = err;
    pthread_mutex_unlock(&v->lock);
    sender_tell(v);
}

static int attach(struct viewer *v)
{
    v->attached = true;
    list_append(&v->s->viewers_here, &v->in_sender);
    if (!v->s->tick.loop)
        loop_timer_in(v->s->loop, &v->s->tick, TICK_NS);
    v->progress_ns = loop_now(v->s->loop);
    if (v->desc.framing == FRAMING_UDP)
        return loop_watch(v->s->loop, &v->rtcp_fd);
    int err = conn_attach(v->conn, v->s->loop, receive_ready, v);
    if (err < 0)
        return err;
    v->reading = true;
    conn_want(v->conn, true, false);
    return 0;
}

static void say_gone(struct viewer *v)
{
    loop_post_cancel(v->s->loop, &v->to_sender);
    if (v->orders.out.len && v->conn && !v->batch.n)
        conn_write(v->conn, v->orders.out.data, v->orders.out.len); /* BYE, a last reply */
    for (int i = 0; i < MAX_TRACKS; i++)
        track_stop(&v->tracks[i]);
    batch_release(v);
    buf_done(&v->ctl);
    receive_free(v);
    loop_timer_cancel(&v->pace);
    loop_unwatch(&v->rtcp_fd);
    if (v->desc.framing == FRAMING_UDP) {
        close(v->desc.take_udp[0]);
        close(v->desc.take_udp[1]);
    }
    v->conn = conn_free(v->conn);
    list_remove(&v->in_sender);
    pthread_mutex_lock(&v->lock);
    v->news.gone = true;
    pthread_mutex_unlock(&v->lock);
    sender_tell(v); /* it may be freed from here on */
}

void sender_obey(struct loop_post *p)
{
    struct viewer *v = container_of(p, struct viewer, to_sender);
    if (!v->attached) {
        int err = attach(v);
        if (err < 0)
            sender_fail(v, err);
    }
    pthread_mutex_lock(&v->lock);
    bool close_it = v->orders.close;
    bool resume = v->orders.resume;
    v->orders.resume = false;
    pthread_mutex_unlock(&v->lock);
    if (close_it) {
        say_gone(v);
        return;
    }
    if (v->dead)
        return;
    if (resume && !v->reading) {
        v->reading = true;
        conn_want(v->conn, true, v->want_out);
    }
    if (v->desc.framing == FRAMING_UDP)
        pump_udp(v);
    else
        pump(v);
}

/* ---- threads ---- */

static void tick(struct loop_timer *t)
{
    struct sender *s = container_of(t, struct sender, tick);
    int64_t now_ns = loop_now(s->loop);
    list_for_each_safe(it, &s->viewers_here)
    {
        struct viewer *v = container_of(it, struct viewer, in_sender);
        if (v->dead)
            continue;
        if (v->batch.n && now_ns - v->progress_ns > LIMIT_WRITE_STALL_MS * NSEC_PER_MSEC)
            sender_fail(v, -ETIMEDOUT);
        else if (v->ends_ns && now_ns >= v->ends_ns && !v->batch.n)
            sender_fail(v, 0);
    }
    if (!list_empty(&s->viewers_here))
        loop_timer_in(s->loop, t, TICK_NS);
}

static void next_slice(struct loop_post *p)
{
    container_of(p, struct sender, turn)->paced = 0;
}

static void stop_run(struct loop_post *p)
{
    struct sender *s = container_of(p, struct sender, stop);
    loop_timer_cancel(&s->tick);
    loop_post_cancel(s->loop, &s->turn);
    loop_stop(s->loop);
}

static void *thread_main(void *arg)
{
    struct sender *s = arg;
    thread_goes_first(); /* long before the camera gives up the right to, if it has it */
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE); /* pages know no MSG_NOSIGNAL */
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    int err = loop_run(s->loop);
    if (err < 0)
        log_error("deliver", "a sender loop ended: %s", strerror(-err));
    return NULL;
}

int sender_start(struct sender *s, struct deliver *d, unsigned index)
{
    s->d = d;
    list_init(&s->lanes);
    list_init(&s->viewers_here);
    s->tick = (struct loop_timer){.name = "viewers' tick", .fire = tick};
    s->turn = (struct loop_post){.name = "paced pictures", .run = next_slice};
    s->stop = (struct loop_post){.name = "stop", .run = stop_run};
    s->loop = loop_new(d->clock, "sender");
    if (!s->loop)
        return -ENOMEM;
    int err = pthread_create(&s->thread, NULL, thread_main, s);
    if (err) {
        s->loop = loop_free(s->loop);
        return -err;
    }
    char name[16] = "sender 00";
    name[7] = (char)('0' + index / 10 % 10);
    name[8] = (char)('0' + index % 10);
    pthread_setname_np(s->thread, name);
    return 0;
}
