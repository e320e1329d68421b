#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define BATCH 64
#define LONG_TURN_NS (20 * NSEC_PER_MSEC)
#define MAX_SIGNAL 65

struct signal_row {
    void (*fn)(int signo, void *arg);
    void *arg;
};

struct child {
    struct loop_fd watch; /* a pidfd */
    pid_t pid;
    void (*fn)(pid_t pid, int status, void *arg);
    void *arg;
    struct child *next;
};

struct loop {
    struct clock *clock;
    char name[32];
    int epoll, wake_fd;
    atomic_bool stopping;
    bool running;
    int64_t now_ns;
    struct clock_participant participant;

    struct epoll_event batch[BATCH];
    int batch_at, batch_len;

    struct loop_timer **heap; /* slot i has children 2i+1, 2i+2 */
    unsigned timers, timers_cap;
    uint64_t timer_order;

    pthread_mutex_t lock; /* the two lists of posts, each in order */
    struct loop_post *posts, **posts_end;
    struct loop_post *running_posts;

    struct loop_fd signal_watch;
    sigset_t signals;
    struct signal_row signal_rows[MAX_SIGNAL];
    struct child *children;

    struct loop_stats stats;
    int64_t slowest_ns; /* the slowest callback of this turn */
    const char *slowest_name;
};

static _Thread_local struct loop *current; /* the one that this thread runs */

static int64_t real_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void poke(void *arg)
{
    struct loop *l = arg;
    uint64_t one = 1;
    ssize_t n = write(l->wake_fd, &one, sizeof(one));
    (void)n; /* EAGAIN: it is awake already */
}

struct loop *loop_new(struct clock *clock, const char *name)
{
    struct loop *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->clock = clock;
    text_copy(l->name, sizeof(l->name), name);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->signal_watch.fd = -1;
    sigemptyset(&l->signals);
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = l};
    if (l->epoll < 0 || l->wake_fd < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->wake_fd, &ev) < 0) {
        if (l->epoll >= 0)
            close(l->epoll);
        if (l->wake_fd >= 0)
            close(l->wake_fd);
        free(l);
        return NULL;
    }
    pthread_mutex_init(&l->lock, NULL);
    l->posts_end = &l->posts;
    l->now_ns = clock_now(clock);
    clock_join(clock, &l->participant, l->name, poke, l);
    return l;
}

/* ---- posts ---- */

struct call {
    struct loop_post post;
    void (*fn)(void *arg);
    void *arg;
};

static void run_call(struct loop_post *p)
{
    struct call *c = (struct call *)p;
    c->fn(c->arg);
    free(c);
}

void loop_post(struct loop *l, struct loop_post *p)
{
    pthread_mutex_lock(&l->lock);
    if (!p->queued) {
        clock_work_begin(l->clock);
        p->queued = true;
        p->next = NULL;
        *l->posts_end = p;
        l->posts_end = &p->next;
        poke(l);
    }
    pthread_mutex_unlock(&l->lock);
}

static bool take_out(struct loop_post **at, struct loop_post *p)
{
    for (; *at; at = &(*at)->next) {
        if (*at == p) {
            *at = p->next;
            return true;
        }
    }
    return false;
}

void loop_post_cancel(struct loop *l, struct loop_post *p)
{
    pthread_mutex_lock(&l->lock);
    if (p->queued) {
        if (!take_out(&l->running_posts, p))
            take_out(&l->posts, p);
        l->posts_end = &l->posts;
        while (*l->posts_end)
            l->posts_end = &(*l->posts_end)->next;
        p->queued = false;
        clock_work_end(l->clock);
    }
    pthread_mutex_unlock(&l->lock);
}

int loop_call(struct loop *l, const char *name, void (*fn)(void *arg), void *arg)
{
    struct call *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->post.name = name;
    c->post.run = run_call;
    c->fn = fn;
    c->arg = arg;
    loop_post(l, &c->post);
    return 0;
}

static void measure(struct loop *l, int64_t started_ns, const char *name)
{
    int64_t took = real_ns() - started_ns;
    if (took >= l->slowest_ns) {
        l->slowest_ns = took;
        l->slowest_name = name;
    }
}

static void run_posts(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    l->running_posts = l->posts;
    l->posts = NULL;
    l->posts_end = &l->posts;
    while (l->running_posts) {
        struct loop_post *p = l->running_posts;
        l->running_posts = p->next;
        p->queued = false;
        const char *name = p->name;
        pthread_mutex_unlock(&l->lock);
        int64_t t = real_ns();
        p->run(p);
        measure(l, t, name);
        clock_work_end(l->clock);
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
}

/* ---- descriptors ---- */

int loop_watch(struct loop *l, struct loop_fd *w)
{
    assert(!w->loop);
    struct epoll_event ev = {.events = w->events, .data.ptr = w};
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, w->fd, &ev) < 0)
        return -errno;
    w->loop = l;
    return 0;
}

int loop_rewatch(struct loop_fd *w, uint32_t events)
{
    assert(w->loop);
    if (w->events == events)
        return 0;
    struct epoll_event ev = {.events = events, .data.ptr = w};
    if (epoll_ctl(w->loop->epoll, EPOLL_CTL_MOD, w->fd, &ev) < 0)
        return -errno;
    w->events = events;
    return 0;
}

void loop_unwatch(struct loop_fd *w)
{
    struct loop *l = w->loop;
    if (!l)
        return;
    epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
    /* events of this turn that are still to come must not find it */
    for (int i = l->batch_at; i < l->batch_len; i++)
        if (l->batch[i].data.ptr == w)
            l->batch[i].data.ptr = NULL;
    w->loop = NULL;
}

static void run_ready(struct loop *l)
{
    while (l->batch_at < l->batch_len) {
        struct epoll_event *ev = &l->batch[l->batch_at++];
        if (!ev->data.ptr)
            continue;
        if (ev->data.ptr == l) {
            uint64_t count;
            ssize_t n = read(l->wake_fd, &count, sizeof(count));
            (void)n;
            continue;
        }
        struct loop_fd *w = ev->data.ptr;
        const char *name = w->name;
        int64_t t = real_ns();
        w->ready(w, ev->events);
        measure(l, t, name);
    }
}

/* ---- timers: a binary heap by time, then by order of arming ---- */

static bool earlier(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void heap_put(struct loop *l, unsigned slot, struct loop_timer *t)
{
    l->heap[slot] = t;
    t->slot = slot;
}

static void heap_sift(struct loop *l, unsigned slot)
{
    struct loop_timer *t = l->heap[slot];
    while (slot && earlier(t, l->heap[(slot - 1) / 2])) {
        heap_put(l, slot, l->heap[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    for (;;) {
        unsigned child = 2 * slot + 1;
        if (child >= l->timers)
            break;
        if (child + 1 < l->timers && earlier(l->heap[child + 1], l->heap[child]))
            child++;
        if (!earlier(l->heap[child], t))
            break;
        heap_put(l, slot, l->heap[child]);
        slot = child;
    }
    heap_put(l, slot, t);
}

static int64_t next_deadline(const struct loop *l)
{
    return l->timers ? l->heap[0]->at_ns : TIME_NEVER;
}

int loop_timer_at(struct loop *l, struct loop_timer *t, int64_t at_ns)
{
    if (!t->loop) {
        if (l->timers == l->timers_cap) {
            unsigned cap = l->timers_cap ? l->timers_cap * 2 : 32;
            struct loop_timer **heap = realloc(l->heap, cap * sizeof(struct loop_timer *));
            if (!heap)
                return -ENOMEM;
            l->heap = heap;
            l->timers_cap = cap;
        }
        t->loop = l;
        t->slot = l->timers;
        l->heap[l->timers++] = t;
    }
    assert(t->loop == l);
    t->at_ns = at_ns;
    t->order = ++l->timer_order;
    heap_sift(l, t->slot);
    /* armed before the loop runs: simulated time must not slip past it */
    if (!l->running)
        clock_set_deadline(&l->participant, next_deadline(l));
    return 0;
}

int loop_timer_in(struct loop *l, struct loop_timer *t, int64_t in_ns)
{
    int64_t at;
    if (__builtin_add_overflow(loop_now(l), in_ns, &at))
        at = TIME_NEVER;
    return loop_timer_at(l, t, at);
}

void loop_timer_cancel(struct loop_timer *t)
{
    struct loop *l = t->loop;
    if (!l)
        return;
    unsigned slot = t->slot;
    t->loop = NULL;
    struct loop_timer *last = l->heap[--l->timers];
    if (last != t) {
        heap_put(l, slot, last);
        heap_sift(l, slot);
    }
}

static void run_timers(struct loop *l)
{
    /* those that are armed again for now wait for the next turn */
    for (unsigned left = l->timers; left && next_deadline(l) <= l->now_ns; left--) {
        struct loop_timer *t = l->heap[0];
        const char *name = t->name;
        loop_timer_cancel(t);
        int64_t started = real_ns();
        t->fire(t);
        measure(l, started, name);
    }
}

/* ---- turns ---- */

static int wait_ready(struct loop *l)
{
    int timeout_ms = -1;
    if (!clock_is_sim(l->clock) && l->timers) {
        int64_t in_ns = next_deadline(l) - clock_now(l->clock);
        if (next_deadline(l) == TIME_NEVER)
            in_ns = TIME_NEVER;
        if (in_ns < 0)
            in_ns = 0;
        struct timespec ts = {.tv_sec = in_ns / NSEC_PER_SEC, .tv_nsec = in_ns % NSEC_PER_SEC};
        int n = epoll_pwait2(l->epoll, l->batch, BATCH, &ts, NULL);
        if (n >= 0 || (errno != ENOSYS && errno != EPERM))
            return n;
        /* an old kernel knows milliseconds only */
        in_ns += NSEC_PER_MSEC - 1;
        timeout_ms = in_ns / NSEC_PER_MSEC > 3600000 ? 3600000 : (int)(in_ns / NSEC_PER_MSEC);
    }
    return epoll_wait(l->epoll, l->batch, BATCH, timeout_ms);
}

static void account(struct loop *l, int64_t started_ns)
{
    int64_t took = real_ns() - started_ns;
    const char *name = l->slowest_name ? l->slowest_name : "?";
    l->stats.turns++;
    if (took > l->stats.longest_turn_ns) {
        l->stats.longest_turn_ns = took;
        text_copy(l->stats.longest_name, sizeof(l->stats.longest_name), name);
    }
    if (took > LONG_TURN_NS && !clock_is_sim(l->clock))
        log_warn("base", "loop %s: a turn took %d ms, most of it in %s", l->name,
                 (int)(took / NSEC_PER_MSEC), name);
}

int loop_run(struct loop *l)
{
    int r = 0;
    struct loop *outer = current;
    current = l;
    l->running = true;
    clock_work_begin(l->clock); /* a turn is work until its timers are known to the clock */
    l->now_ns = clock_now(l->clock);
    while (!atomic_load(&l->stopping)) {
        clock_set_deadline(&l->participant, next_deadline(l));
        clock_woken(&l->participant);
        clock_work_end(l->clock);
        int n = wait_ready(l);
        clock_work_begin(l->clock);
        if (n < 0 && errno != EINTR) {
            r = -errno;
            break;
        }
        int64_t started = real_ns();
        l->slowest_ns = 0;
        l->slowest_name = NULL;
        l->now_ns = clock_now(l->clock);
        l->batch_at = 0;
        l->batch_len = n < 0 ? 0 : n;
        run_ready(l);
        run_posts(l);
        run_timers(l);
        account(l, started);
    }
    atomic_store(&l->stopping, false);
    clock_set_deadline(&l->participant, TIME_NEVER);
    clock_woken(&l->participant);
    clock_work_end(l->clock);
    l->running = false;
    current = outer;
    return r;
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stopping, true);
    poke(l);
}

struct clock *loop_clock(struct loop *l)
{
    return l->clock;
}

int64_t loop_now(struct loop *l)
{
    return l->running ? l->now_ns : clock_now(l->clock);
}

bool loop_is_current(const struct loop *l)
{
    return current == l;
}

void loop_stats(struct loop *l, struct loop_stats *ret_stats, bool reset)
{
    *ret_stats = l->stats;
    if (reset)
        l->stats = (struct loop_stats){0};
}

/* ---- signals and children ---- */

static void signal_ready(struct loop_fd *w, uint32_t events)
{
    struct loop *l = w->loop;
    struct signalfd_siginfo info;
    while (w->loop && read(w->fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo < MAX_SIGNAL && l->signal_rows[info.ssi_signo].fn)
            l->signal_rows[info.ssi_signo].fn((int)info.ssi_signo,
                                              l->signal_rows[info.ssi_signo].arg);
    }
}

int loop_on_signal(struct loop *l, int signo, void (*fn)(int signo, void *arg), void *arg)
{
    if (signo <= 0 || signo >= MAX_SIGNAL)
        return -EINVAL;
    sigset_t signals = l->signals;
    sigaddset(&signals, signo);
    int r = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (r)
        return -r;
    int fd = signalfd(l->signal_watch.fd, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    l->signals = signals;
    l->signal_rows[signo] = (struct signal_row){fn, arg};
    if (l->signal_watch.loop)
        return 0;
    l->signal_watch =
        (struct loop_fd){.fd = fd, .events = EPOLLIN, .name = "signal", .ready = signal_ready};
    r = loop_watch(l, &l->signal_watch);
    if (r < 0) {
        close(fd);
        l->signal_watch.fd = -1;
    }
    return r;
}

static void child_ready(struct loop_fd *w, uint32_t events)
{
    struct child *c = (struct child *)w;
    struct loop *l = w->loop;
    int status;
    pid_t r = waitpid(c->pid, &status, WNOHANG);
    if (r == 0 || (r < 0 && errno == EINTR))
        return;
    if (r < 0)
        status = 0; /* somebody else has reaped it */
    loop_unwatch(w);
    close(w->fd);
    for (struct child **at = &l->children; *at; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            break;
        }
    }
    c->fn(c->pid, status, c->arg);
    free(c);
}

int loop_on_child(struct loop *l, pid_t pid, void (*fn)(pid_t pid, int status, void *arg),
                  void *arg)
{
    struct child *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    int r, fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) {
        r = -errno;
        free(c);
        return r;
    }
    *c = (struct child){
        .watch = {.fd = fd, .events = EPOLLIN, .name = "child", .ready = child_ready},
        .pid = pid,
        .fn = fn,
        .arg = arg,
        .next = l->children};
    r = loop_watch(l, &c->watch);
    if (r < 0) {
        close(fd);
        free(c);
        return r;
    }
    l->children = c;
    return 0;
}

struct loop *loop_free(struct loop *l)
{
    if (!l)
        return NULL;
    while (l->posts) {
        struct loop_post *p = l->posts;
        loop_post_cancel(l, p);
        if (p->run == run_call)
            free(p);
    }
    while (l->timers)
        loop_timer_cancel(l->heap[0]);
    while (l->children) {
        struct child *c = l->children;
        l->children = c->next;
        loop_unwatch(&c->watch);
        close(c->watch.fd);
        free(c);
    }
    clock_leave(&l->participant);
    if (l->signal_watch.fd >= 0)
        close(l->signal_watch.fd);
    close(l->wake_fd);
    close(l->epoll);
    pthread_mutex_destroy(&l->lock);
    free(l->heap);
    free(l);
    return NULL;
}
