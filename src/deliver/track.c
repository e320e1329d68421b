/* What a viewer gets next: its cursors, its losses, its reports. Sender loop. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "deliver/private.h"

void track_stop(struct track *t)
{
    if (t->v->batch.track == t) { /* UDP: the rest of a picture */
        batch_release(t->v);
        loop_timer_cancel(&t->v->pace);
    }
    lane_leave(t);
    if (t->now.cursor)
        t->now.cursor->ops->close(t->now.cursor);
    packet_unref(t->now.first);
    stream_unref(t->now.stream);
    srtp_unref(t->now.srtp);
    t->now = (struct aim){.epoch = t->now.epoch};
}

static void track_start(struct track *t, const struct aim *take_aim)
{
    track_stop(t);
    t->now = *take_aim;
    if (!t->now.cursor)
        return;
    t->waiting = !t->now.first;
    t->wait_key = false;
    t->due_ns = t->report_ns = 0;
    if (lane_join(t) < 0)
        sender_fail(t->v, -ENOMEM);
}

void obey_orders(struct viewer *v)
{
    if (!__atomic_load_n(&v->dirty, __ATOMIC_ACQUIRE))
        return;
    struct aim aims[MAX_TRACKS];
    bool changed[MAX_TRACKS] = {false};
    pthread_mutex_lock(&v->lock);
    bool later = false; /* the bytes cannot go into what is being written now */
    if (v->orders.out.len) {
        if (!v->batch.n && !v->ctl.len) {
            struct buf swap = v->ctl;
            v->ctl = v->orders.out;
            v->ctl.max = swap.max; /* a little more: a report goes in front of a picture */
            swap.max = v->orders.out.max;
            v->orders.out = swap;
        } else {
            later = true;
        }
    }
    v->going = v->orders.going;
    for (int i = 0; i < MAX_TRACKS; i++) {
        struct aim *aim = &v->orders.aims[i];
        changed[i] = aim->epoch != v->tracks[i].now.epoch;
        if (changed[i]) {
            aims[i] = *aim;
            *aim = (struct aim){.epoch = aim->epoch};
        }
    }
    __atomic_store_n(&v->dirty, later, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&v->lock);
    for (int i = 0; i < MAX_TRACKS; i++)
        if (changed[i])
            track_start(&v->tracks[i], &aims[i]);
}

static void want_key(struct viewer *v)
{
    pthread_mutex_lock(&v->lock);
    v->news.key_wanted = true;
    pthread_mutex_unlock(&v->lock);
    sender_tell(v);
}

void track_lost(struct track *t, uint64_t n, bool wait_key)
{
    count_add(&t->v->lost, n);
    if (wait_key && !t->wait_key) {
        t->wait_key = true;
        want_key(t->v);
    }
}

void track_sent(struct track *t, unsigned packets, size_t octets)
{
    t->packets += packets;
    t->octets += (uint32_t)octets;
    count_add(&t->v->rtp_packets, packets);
    if (!codec_is_sound(stream_codec(t->now.stream)))
        count_add(&t->v->pictures, 1);
}

size_t track_report(struct track *t, uint8_t ret[RTCP_MAX])
{
    struct clock *clock = t->v->d->clock;
    int64_t now_ns = clock_now(clock);
    if (now_ns < t->report_ns)
        return 0;
    /* not all viewers in the same moment */
    t->report_ns = now_ns + REPORT_NS + (t->octets & 255) * 2 * NSEC_PER_MSEC;
    const struct rtcp_source src = {stream_ssrc(t->now.stream), t->v->desc.cname};
    size_t len =
        rtcp_sender_report(ret, &src, clock_utc_of(clock, now_ns),
                           stream_rtp_time(t->now.stream, now_ns, stream_clock_hz(t->now.stream)),
                           t->packets, t->octets);
    return t->now.srtp ? srtp_report(t->now.srtp, ret, len) : len;
}

/* The first key picture for one who waits for it: the control loop learns where it begins. */
static void found_first(struct track *t, struct packet *take_p)
{
    struct viewer *v = t->v;
    t->waiting = false;
    t->now.first = take_p;
    pthread_mutex_lock(&v->lock);
    v->news.ready[t->index] = true;
    v->news.ready_epoch[t->index] = t->now.epoch;
    v->news.join[t->index] = (struct viewer_join){
        .seq = take_p->rtp_seq,
        .rtp_time = stream_rtp_time(t->now.stream, take_p->time_ns, stream_clock_hz(t->now.stream)),
        .ssrc = stream_ssrc(t->now.stream),
        .picture_age_ns = clock_now(v->d->clock) - take_p->time_ns,
    };
    pthread_mutex_unlock(&v->lock);
    sender_tell(v);
}

/* Whether a slow viewer does without this picture. */
static bool left_out(struct track *t, const struct packet *p)
{
    struct viewer *v = t->v;
    bool key = p->flags & PACKET_KEY;
    if (t->wait_key && !key) {
        track_lost(t, 1, true);
        return true;
    }
    t->wait_key = false;
    if (!v->blocked)
        return false;
    /* each picture of a multipart stands alone: the newest is always the best */
    bool alone = v->desc.framing == FRAMING_MULTIPART;
    if (!alone && clock_now(v->d->clock) - p->time_ns <= BEHIND_NS)
        return false;
    uint64_t skipped = cursor_skip_to_key(t->now.cursor);
    if (skipped) {
        track_lost(t, skipped + 1, false);
        return true;
    }
    if (key)
        return false;
    track_lost(t, 1, true);
    return true;
}

static bool before_its_time(struct track *t, const struct packet *p)
{
    if (p->time_ns < t->v->zero_ns) /* sound of before the first picture */
        return true;
    double fps = t->v->desc.fps_limit;
    if (fps <= 0)
        return false;
    if (p->time_ns < t->due_ns - 2 * NSEC_PER_MSEC)
        return true;
    int64_t step_ns = (int64_t)(NSEC_PER_SEC / fps);
    bool first = !t->due_ns; /* its step counts from the first picture on */
    t->due_ns += step_ns;
    if (first || t->due_ns < p->time_ns)
        t->due_ns = p->time_ns + step_ns;
    return false;
}

static struct packet *next_of(struct track *t)
{
    struct viewer *v = t->v;
    for (;;) {
        struct packet *p = NULL;
        uint64_t lost = 0;
        if (t->now.first) {
            if (!v->going)
                return NULL;
            p = t->now.first;
            t->now.first = NULL;
            before_its_time(t, p); /* never, but the next one may be */
            return p;
        }
        if (!v->going && !t->waiting)
            return NULL;
        int err = cursor_next(t->now.cursor, &p, &lost);
        if (err == -EAGAIN) {
            if (!codec_is_sound(stream_codec(t->now.stream))) /* sound alone has caught up */
                v->blocked = false;
            return NULL;
        }
        if (err < 0) {
            sender_fail(v, err);
            return NULL;
        }
        if (t->waiting) {
            if ((p->flags & PACKET_KEY) && clock_now(v->d->clock) - p->time_ns <= BEHIND_NS)
                found_first(t, p);
            else
                packet_unref(p);
            continue;
        }
        if (lost)
            track_lost(t, lost, false); /* the cursor stands at a key now */
        if (!left_out(t, p) && !before_its_time(t, p))
            return p;
        packet_unref(p);
    }
}

struct packet *track_next(struct viewer *v, struct track **ret_track)
{
    /* in turn: a picture stream that catches up does not hold up the sound */
    for (int i = 0; i < MAX_TRACKS && !v->dead; i++) {
        struct track *t = &v->tracks[(v->turn + i) % MAX_TRACKS];
        struct packet *p = t->now.cursor ? next_of(t) : NULL;
        if (p) {
            v->turn = (t->index + 1) % MAX_TRACKS;
            *ret_track = t;
            return p;
        }
    }
    return NULL;
}
