#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct clock {
    bool sim;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* work became 0, or a wake() call returned */
    int64_t shift_ns;       /* UTC put right or wrong by hand */

    /* real */
    int64_t start_ns;      /* CLOCK_MONOTONIC at clock_new */
    int64_t utc_offset_ns; /* UTC - monotonic, sampled at most once a second */
    int64_t sampled_ns;

    /* simulated */
    int64_t now_ns;
    unsigned work;
    struct clock_participant *participants;
    pthread_mutex_t advancing;
};

static int64_t read_ns(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static struct clock *clock_new(bool sim)
{
    struct clock *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->sim = sim;
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->advancing, NULL);
    pthread_cond_init(&c->changed, NULL);
    c->start_ns = read_ns(CLOCK_MONOTONIC);
    c->utc_offset_ns = sim ? CLOCK_SIM_UTC_NS : read_ns(CLOCK_REALTIME);
    return c;
}

struct clock *clock_new_real(void)
{
    return clock_new(false);
}

struct clock *clock_new_sim(void)
{
    return clock_new(true);
}

struct clock *clock_free(struct clock *c)
{
    if (!c)
        return NULL;
    assert(!c->participants);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->advancing);
    pthread_mutex_destroy(&c->lock);
    free(c);
    return NULL;
}

bool clock_is_sim(const struct clock *c)
{
    return c->sim;
}

int64_t clock_now(struct clock *c)
{
    if (!c->sim)
        return read_ns(CLOCK_MONOTONIC) - c->start_ns;
    pthread_mutex_lock(&c->lock);
    int64_t now = c->now_ns;
    pthread_mutex_unlock(&c->lock);
    return now;
}

int64_t clock_utc_of(struct clock *c, int64_t mono_ns)
{
    int64_t now = c->sim ? 0 : clock_now(c);
    pthread_mutex_lock(&c->lock);
    if (!c->sim && now - c->sampled_ns >= NSEC_PER_SEC) {
        c->utc_offset_ns = read_ns(CLOCK_REALTIME) - (read_ns(CLOCK_MONOTONIC) - c->start_ns);
        c->sampled_ns = now;
    }
    int64_t utc = mono_ns + c->utc_offset_ns + c->shift_ns;
    pthread_mutex_unlock(&c->lock);
    return utc;
}

int64_t clock_utc(struct clock *c)
{
    return clock_utc_of(c, clock_now(c));
}

void clock_shift_utc(struct clock *c, int64_t by_ns)
{
    pthread_mutex_lock(&c->lock);
    c->shift_ns += by_ns;
    pthread_mutex_unlock(&c->lock);
}

void clock_join(struct clock *c, struct clock_participant *p, const char *name,
                void (*wake)(void *arg), void *arg)
{
    *p = (struct clock_participant){
        .clock = c, .name = name, .wake = wake, .arg = arg, .deadline_ns = TIME_NEVER};
    pthread_mutex_lock(&c->lock);
    struct clock_participant **at = &c->participants;
    while (*at)
        at = &(*at)->next;
    *at = p;
    pthread_mutex_unlock(&c->lock);
}

static void work_end_locked(struct clock *c)
{
    assert(c->work);
    if (!--c->work)
        pthread_cond_broadcast(&c->changed);
}

/* Marks p due and calls its wake() with the lock dropped; p stays valid meanwhile,
 * because clock_leave() waits for the call to end. */
static void wake_locked(struct clock *c, struct clock_participant *p)
{
    p->deadline_ns = TIME_NEVER;
    if (!p->due) {
        p->due = true;
        c->work++;
    }
    p->pins++;
    pthread_mutex_unlock(&c->lock);
    p->wake(p->arg);
    pthread_mutex_lock(&c->lock);
    p->pins--;
    pthread_cond_broadcast(&c->changed);
}

void clock_leave(struct clock_participant *p)
{
    struct clock *c = p->clock;
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    for (struct clock_participant **at = &c->participants; *at; at = &(*at)->next) {
        if (*at == p) {
            *at = p->next;
            break;
        }
    }
    while (p->pins)
        pthread_cond_wait(&c->changed, &c->lock);
    if (p->due)
        work_end_locked(c);
    pthread_mutex_unlock(&c->lock);
    *p = (struct clock_participant){0};
}

void clock_set_deadline(struct clock_participant *p, int64_t at_ns)
{
    struct clock *c = p->clock;
    if (!c->sim)
        return;
    pthread_mutex_lock(&c->lock);
    p->deadline_ns = at_ns;
    /* nobody will advance to a time that has passed; while due, clock_woken() looks */
    if (at_ns <= c->now_ns && !p->due)
        wake_locked(c, p);
    pthread_mutex_unlock(&c->lock);
}

void clock_woken(struct clock_participant *p)
{
    struct clock *c = p->clock;
    if (!c->sim)
        return;
    pthread_mutex_lock(&c->lock);
    if (p->due) {
        if (p->deadline_ns <= c->now_ns) {
            wake_locked(c, p);
        } else {
            p->due = false;
            work_end_locked(c);
        }
    }
    pthread_mutex_unlock(&c->lock);
}

void clock_work_begin(struct clock *c)
{
    if (!c->sim)
        return;
    pthread_mutex_lock(&c->lock);
    c->work++;
    pthread_mutex_unlock(&c->lock);
}

void clock_work_end(struct clock *c)
{
    if (!c->sim)
        return;
    pthread_mutex_lock(&c->lock);
    work_end_locked(c);
    pthread_mutex_unlock(&c->lock);
}

static struct clock_participant *next_due_locked(struct clock *c, int64_t by)
{
    struct clock_participant *least = NULL;
    for (struct clock_participant *p = c->participants; p; p = p->next)
        if (p->deadline_ns <= by && (!least || p->deadline_ns < least->deadline_ns))
            least = p;
    return least;
}

int clock_advance(struct clock *c, int64_t by_ns)
{
    if (!c->sim || by_ns < 0)
        return -EINVAL;
    pthread_mutex_lock(&c->advancing);
    pthread_mutex_lock(&c->lock);
    int64_t target;
    if (__builtin_add_overflow(c->now_ns, by_ns, &target))
        target = TIME_NEVER - 1;
    for (;;) {
        while (c->work)
            pthread_cond_wait(&c->changed, &c->lock);
        struct clock_participant *p = next_due_locked(c, target);
        if (!p)
            break;
        if (p->deadline_ns > c->now_ns)
            c->now_ns = p->deadline_ns;
        c->work++; /* not idle before all of this moment are woken */
        while ((p = next_due_locked(c, c->now_ns)))
            wake_locked(c, p);
        work_end_locked(c);
    }
    c->now_ns = target;
    pthread_mutex_unlock(&c->lock);
    pthread_mutex_unlock(&c->advancing);
    return 0;
}

void clock_wait_idle(struct clock *c)
{
    if (!c->sim)
        return;
    pthread_mutex_lock(&c->lock);
    while (c->work)
        pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

int64_t clock_process_cpu_ns(void)
{
    return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t clock_thread_cpu_ns(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}
