/* What faults on purpose do to a connection: bytes are taken from the owner as if they had
 * been sent, wait here for their time, and leave in order. Owners see nothing of it but
 * a slower peer; the whole of the delay, and none of the throughput, is that of a longer
 * wire. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/loop.h"
#include "net/conn_inside.h"
#include "net/conn_private.h"

#define DELAYED_BYTES (8u << 20)
#define STALLED_BYTES (256u << 10)
#define SLOW_BYTES (64u << 10)
#define LOOK_NS (100 * NSEC_PER_MSEC)   /* for the end of a stall */
#define STEP_NS (50 * NSEC_PER_MSEC)    /* between two helpings of slow bytes */
#define GIVE_UP_NS (120 * NSEC_PER_SEC) /* bytes whose owner has gone */
#define PIECES 64

struct held {
    struct list link;
    int64_t due_ns;
    size_t at, len;
    char bytes[];
};

struct hold {
    struct conn *c;
    struct net_plan plan;
    unsigned generation; /* of the plan */
    bool stale;          /* the plan is of another path */
    struct list queue;   /* struct held */
    size_t queued;       /* bytes in it */
    int64_t last_due_ns;
    double budget; /* bytes that may go now */
    int64_t budget_ns;
    uint64_t taken; /* bytes since conn_about() */
    uint64_t noise;
    ssize_t error; /* < 0: nothing goes any more */
    bool blocked;  /* the socket is full */
    bool dead;     /* the peer is gone */
    bool finish;   /* conn_finish_writing() waits for the queue */
    bool orphan;   /* the owner has gone */
    int64_t give_up_ns;
    struct loop_timer timer;
    struct list in_orphans;
};

/* Those that nobody owns any more: freed when they are empty, or at the very end. */
static pthread_mutex_t orphans_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list orphans = {&orphans, &orphans};

static void on_timer(struct loop_timer *t);

/* The hold with the plan of now; NULL: out of memory. */
static struct hold *current(struct conn *c)
{
    struct hold *h = c->hold;
    if (!h) {
        h = calloc(1, sizeof(*h));
        if (!h)
            return NULL;
        h->c = c;
        h->stale = true;
        h->noise = c->id * UINT64_C(0x9e3779b97f4a7c15) | 1;
        list_init(&h->queue);
        h->timer = (struct loop_timer){.name = "fault on purpose", .fire = on_timer};
        c->hold = h;
    }
    if ((h->stale && !h->queued) || h->generation != atomic_load(&net_fault_generation)) {
        h->generation = net_plan_for(c->about, &h->plan);
        h->stale = false;
    }
    return h;
}

static size_t limit_of(const struct hold *h)
{
    if (h->plan.delay_ns)
        return DELAYED_BYTES;
    if (h->plan.stall)
        return STALLED_BYTES;
    if (h->plan.bytes_per_s > 0) {
        double half = h->plan.bytes_per_s / 2;
        return half < 512 ? 512 : half < SLOW_BYTES ? (size_t)half : SLOW_BYTES;
    }
    return SLOW_BYTES;
}

bool hold_has_room(const struct conn *c)
{
    return c->hold->error || c->hold->queued < limit_of(c->hold);
}

static void drop_queue(struct hold *h)
{
    list_for_each_safe(it, &h->queue)
    {
        list_remove(it);
        free(container_of(it, struct held, link));
    }
    h->queued = 0;
}

void hold_free(struct conn *c)
{
    struct hold *h = c->hold;
    if (!h)
        return;
    loop_timer_cancel(&h->timer);
    drop_queue(h);
    if (h->orphan) {
        pthread_mutex_lock(&orphans_lock);
        list_remove(&h->in_orphans);
        pthread_mutex_unlock(&orphans_lock);
    }
    c->hold = NULL;
    free(h);
}

/* ---- out ---- */

static void refill(struct hold *h, int64_t now_ns)
{
    double rate = h->plan.bytes_per_s;
    double most = rate * (double)STEP_NS / 1e9 + 1;
    h->budget += rate * (double)(now_ns - h->budget_ns) / 1e9;
    h->budget_ns = now_ns;
    if (h->budget > most)
        h->budget = most;
}

static void flush(struct conn *c, struct hold *h)
{
    int64_t now_ns = clock_now(loop_clock(c->loop));
    bool slow = h->plan.bytes_per_s > 0;
    if (slow)
        refill(h, now_ns);
    h->blocked = false;
    while (h->queued && !h->plan.stall && !h->error) {
        struct held *s = container_of(h->queue.next, struct held, link);
        size_t n = s->len - s->at;
        if (s->due_ns > now_ns || (slow && h->budget < 1))
            break;
        if (slow && (double)n > h->budget)
            n = (size_t)h->budget;
        const struct iovec iov = {s->bytes + s->at, n};
        ssize_t sent = conn_raw_writev(c, &iov, 1);
        if (sent == -EAGAIN) {
            h->blocked = true;
            break;
        }
        if (sent < 0) {
            h->error = sent;
            drop_queue(h);
            break;
        }
        s->at += (size_t)sent;
        h->queued -= (size_t)sent;
        h->budget -= (double)sent;
        if (s->at == s->len) {
            list_remove(&s->link);
            free(s);
        }
    }
    if (!h->queued && h->finish) {
        h->finish = false;
        h->error = -EPIPE;
        conn_finish_writing(c);
    }
}

static void arm(struct conn *c, struct hold *h)
{
    int64_t now_ns = clock_now(loop_clock(c->loop)), at_ns = TIME_NEVER;
    if (h->plan.stall) {
        at_ns = now_ns + LOOK_NS;
    } else if (h->queued && !h->blocked) {
        at_ns = container_of(h->queue.next, struct held, link)->due_ns;
        if (at_ns <= now_ns) { /* the budget is spent */
            int64_t one_ns = (int64_t)(1e9 / (h->plan.bytes_per_s > 0 ? h->plan.bytes_per_s : 1e9));
            at_ns = now_ns + (one_ns > STEP_NS ? one_ns : STEP_NS);
        }
    }
    if (h->orphan && h->give_up_ns < at_ns)
        at_ns = h->give_up_ns;
    if (at_ns == TIME_NEVER)
        loop_timer_cancel(&h->timer);
    else
        loop_timer_at(c->loop, &h->timer, at_ns);
}

/* Sends what may go; false: c had no owner, nothing is left, and it is gone. */
static bool go_on(struct conn *c)
{
    struct hold *h = current(c);
    flush(c, h);
    if (h->orphan && (!h->queued || h->dead || clock_now(loop_clock(c->loop)) >= h->give_up_ns)) {
        conn_destroy(c);
        return false;
    }
    arm(c, h);
    conn_update_watch(c);
    return true;
}

static void on_timer(struct loop_timer *t)
{
    go_on(container_of(t, struct hold, timer)->c);
}

bool hold_ready(struct conn *c, bool dead)
{
    c->hold->dead = c->hold->dead || dead;
    return go_on(c) && !(c->hold && c->hold->orphan);
}

static ssize_t cut(struct conn *c, struct hold *h)
{
    if (h->plan.reset) {
        const struct linger at_once = {.l_onoff = 1};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        h->error = -ECONNRESET;
    } else {
        shutdown(c->fd, SHUT_RDWR);
        h->error = -EPIPE;
    }
    c->broken = true; /* no farewell of TLS */
    return h->error;
}

/* The first bytes of iov, at most `most`; their number in *n. */
static size_t first_of(struct iovec few[PIECES], const struct iovec *iov, int *n, size_t most)
{
    size_t sum = 0;
    int k = 0;
    for (int i = 0; i < *n && k < PIECES && sum < most; i++) {
        few[k] = iov[i];
        if (few[k].iov_len > most - sum)
            few[k].iov_len = most - sum;
        sum += few[k++].iov_len;
    }
    *n = k;
    return sum;
}

static bool keep(struct hold *h, const struct iovec *iov, int n, size_t len)
{
    struct held *s = malloc(sizeof(*s) + len);
    if (!s)
        return false;
    int64_t due_ns = clock_now(loop_clock(h->c->loop)) + h->plan.delay_ns;
    if (h->plan.jitter_ns) {
        h->noise ^= h->noise << 13;
        h->noise ^= h->noise >> 7;
        h->noise ^= h->noise << 17;
        due_ns += (int64_t)((double)(h->noise >> 11) / 0x1p53 * (double)h->plan.jitter_ns);
    }
    if (due_ns < h->last_due_ns)
        due_ns = h->last_due_ns;
    *s = (struct held){.due_ns = h->last_due_ns = due_ns, .len = len};
    char *to = s->bytes;
    for (int i = 0; i < n; i++) {
        if (iov[i].iov_len)
            memcpy(to, iov[i].iov_base, iov[i].iov_len);
        to += iov[i].iov_len;
    }
    list_append(&h->queue, &s->link);
    h->queued += len;
    return true;
}

ssize_t hold_writev(struct conn *c, const struct iovec *iov, int n)
{
    struct hold *h = current(c);
    if (!h)
        return conn_raw_writev(c, iov, n);
    if (h->error)
        return h->error;
    if (!h->queued && !h->generation) { /* all is over */
        hold_free(c);
        conn_update_watch(c);
        return conn_raw_writev(c, iov, n);
    }
    const struct net_plan *p = &h->plan;
    bool wait = c->loop && (h->queued || p->delay_ns || p->stall || p->bytes_per_s > 0);
    size_t most = SIZE_MAX;
    if (wait)
        most = h->queued < limit_of(h) ? limit_of(h) - h->queued : 0;
    if (p->cut && h->taken >= p->cut_after) {
        if (!h->queued)
            return cut(c, h);
        most = 0;
    } else if (p->cut && p->cut_after - h->taken < most) {
        most = (size_t)(p->cut_after - h->taken);
    }
    struct iovec few[PIECES];
    size_t len = first_of(few, iov, &n, most);
    ssize_t done = (ssize_t)len;
    if (wait && len && !keep(h, few, n, len))
        return -ENOMEM;
    if (!wait)
        done = conn_raw_writev(c, few, n);
    if (done > 0)
        h->taken += (uint64_t)done;
    if (wait) {
        flush(c, h);
        arm(c, h);
        conn_update_watch(c);
    }
    return wait && !len ? -EAGAIN : done;
}

int hold_unsent(const struct conn *c)
{
    return (int)c->hold->queued;
}

bool hold_finish(struct conn *c)
{
    c->hold->finish = c->hold->queued > 0 && c->loop;
    return c->hold->finish;
}

/* ---- in ---- */

bool hold_may_read(struct conn *c)
{
    struct hold *h = current(c);
    if (!h || !h->plan.stall || h->dead || !c->loop)
        return true;
    arm(c, h);
    conn_update_watch(c);
    return false;
}

void hold_wants(const struct conn *c, bool *in, bool *out)
{
    const struct hold *h = c->hold;
    *in = *in && !(h->plan.stall && !h->dead && c->loop);
    *out = h->blocked || (*out && hold_has_room(c));
}

/* ---- owners and loops come and go ---- */

void hold_about(struct conn *c)
{
    c->hold->taken = 0;
    c->hold->stale = true; /* the rest of the last answer goes as that one did */
}

void hold_attached(struct conn *c)
{
    if (c->hold->queued || c->hold->plan.stall)
        arm(c, c->hold);
}

void hold_detached(struct conn *c)
{
    loop_timer_cancel(&c->hold->timer);
}

bool hold_outlives(struct conn *c)
{
    struct hold *h = c->hold;
    if (!h->queued || !c->loop || h->dead || h->error || h->orphan)
        return false;
    h->orphan = true;
    h->give_up_ns = clock_now(loop_clock(c->loop)) + GIVE_UP_NS;
    loop_post_cancel(c->loop, &c->pending);
    c->want_in = c->want_out = false;
    pthread_mutex_lock(&orphans_lock);
    list_append(&orphans, &h->in_orphans);
    pthread_mutex_unlock(&orphans_lock);
    arm(c, h);
    conn_update_watch(c);
    return true;
}

void conns_done(void)
{
    while (!list_empty(&orphans)) {
        struct hold *h = container_of(orphans.next, struct hold, in_orphans);
        h->c->loop = NULL; /* gone */
        h->c->watch.loop = NULL;
        conn_destroy(h->c);
    }
}
