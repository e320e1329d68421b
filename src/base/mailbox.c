#include "base/mailbox.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

struct mailbox {
    struct clock *clock;
    const char *name;
    void (*drop)(void *item);
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closed;
    unsigned depth, count, first;
    unsigned taken; /* items the reader has not answered by mailbox_done() */
    uint64_t dropped;
    bool joined; /* owned by the reader */
    struct clock_participant participant;
    void *items[];
};

struct mailbox *mailbox_new(struct clock *clock, const char *name, unsigned depth,
                            void (*drop)(void *item))
{
    assert(depth);
    struct mailbox *m = calloc(1, sizeof(*m) + depth * sizeof(void *));
    if (!m)
        return NULL;
    m->clock = clock;
    m->name = name;
    m->depth = depth;
    m->drop = drop;
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&m->changed, &attr);
    pthread_condattr_destroy(&attr);
    return m;
}

static void leave(struct mailbox *m)
{
    if (m->joined)
        clock_leave(&m->participant);
    m->joined = false;
}

static void drop_item(struct mailbox *m, void *item)
{
    if (m->drop)
        m->drop(item);
    clock_work_end(m->clock);
}

struct mailbox *mailbox_free(struct mailbox *m)
{
    if (!m)
        return NULL;
    leave(m);
    for (; m->count; m->count--, m->first = (m->first + 1) % m->depth)
        drop_item(m, m->items[m->first]);
    for (; m->taken; m->taken--)
        clock_work_end(m->clock);
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
    free(m);
    return NULL;
}

void mailbox_put(struct mailbox *m, void *take_item)
{
    void *out = NULL;
    clock_work_begin(m->clock);
    pthread_mutex_lock(&m->lock);
    if (m->closed) {
        out = take_item;
    } else {
        if (m->count == m->depth) {
            out = m->items[m->first];
            m->first = (m->first + 1) % m->depth;
            m->count--;
            m->dropped++;
        }
        m->items[(m->first + m->count++) % m->depth] = take_item;
        pthread_cond_signal(&m->changed);
    }
    pthread_mutex_unlock(&m->lock);
    if (out)
        drop_item(m, out);
}

void mailbox_close(struct mailbox *m)
{
    pthread_mutex_lock(&m->lock);
    m->closed = true;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static void wake(void *arg)
{
    struct mailbox *m = arg;
    pthread_mutex_lock(&m->lock);
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

void mailbox_arm(struct mailbox *m, int64_t deadline_ns)
{
    if (!clock_is_sim(m->clock))
        return;
    if (!m->joined) {
        m->joined = true;
        clock_join(m->clock, &m->participant, m->name, wake, m);
    }
    clock_set_deadline(&m->participant, deadline_ns);
}

static void wait_changed(struct mailbox *m, int64_t deadline_ns, int64_t now_ns)
{
    if (deadline_ns == TIME_NEVER || clock_is_sim(m->clock)) {
        pthread_cond_wait(&m->changed, &m->lock);
        return;
    }
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    int64_t in_ns = deadline_ns - now_ns;
    ts.tv_sec += in_ns / NSEC_PER_SEC;
    ts.tv_nsec += in_ns % NSEC_PER_SEC;
    if (ts.tv_nsec >= NSEC_PER_SEC) {
        ts.tv_nsec -= NSEC_PER_SEC;
        ts.tv_sec++;
    }
    pthread_cond_timedwait(&m->changed, &m->lock, &ts);
}

void *mailbox_take(struct mailbox *m, int64_t deadline_ns, bool *ret_closed)
{
    void *item = NULL;
    bool closed = false;
    if (m->joined || deadline_ns != TIME_NEVER) {
        /* the new deadline first, then the end of the turn that the old one began */
        mailbox_arm(m, deadline_ns);
        if (m->joined)
            clock_woken(&m->participant);
    }
    pthread_mutex_lock(&m->lock);
    assert(!m->taken);
    for (;;) {
        if (m->count) {
            item = m->items[m->first];
            m->first = (m->first + 1) % m->depth;
            m->count--;
            m->taken++;
            break;
        }
        if (m->closed) {
            closed = true;
            break;
        }
        int64_t now_ns = deadline_ns == TIME_NEVER ? 0 : clock_now(m->clock);
        if (deadline_ns <= now_ns)
            break;
        wait_changed(m, deadline_ns, now_ns);
    }
    pthread_mutex_unlock(&m->lock);
    if (closed)
        leave(m); /* the reader goes; time must not wait for it */
    if (ret_closed)
        *ret_closed = closed;
    return item;
}

void mailbox_done(struct mailbox *m)
{
    pthread_mutex_lock(&m->lock);
    assert(m->taken);
    m->taken--;
    pthread_mutex_unlock(&m->lock);
    clock_work_end(m->clock);
}

uint64_t mailbox_dropped(struct mailbox *m)
{
    pthread_mutex_lock(&m->lock);
    uint64_t n = m->dropped;
    pthread_mutex_unlock(&m->lock);
    return n;
}
