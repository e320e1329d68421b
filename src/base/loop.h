/* An event loop: file descriptors, timers, posts from other threads, signals,
 * children. One per thread; everything but loop_post(), loop_call() and
 * loop_stop() belongs to the thread that runs it ("loop-bound").
 *
 * Watches, timers and posts are embedded in their owner, zero-initialised, and
 * may be removed from inside any callback, their own included. `name` says whose
 * turn it was when a turn took longer than 20 ms (logged). Timers follow the
 * clock port; in simulated time a loop is a participant of the clock. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct clock;
struct loop;

struct loop *loop_new(struct clock *clock, const char *name);
struct loop *loop_free(struct loop *l);
int loop_run(struct loop *l);   /* until loop_stop(); 0 or negative errno */
void loop_stop(struct loop *l); /* any thread */
struct clock *loop_clock(struct loop *l);
int64_t loop_now(struct loop *l); /* time at the start of this turn */
bool loop_is_current(const struct loop *l);

/* events: EPOLLIN | EPOLLOUT …; level-triggered. */
struct loop_fd {
    int fd;
    uint32_t events;
    const char *name;
    void (*ready)(struct loop_fd *w, uint32_t events);
    struct loop *loop; /* NULL while not watched */
};
int loop_watch(struct loop *l, struct loop_fd *w); /* fd, events, name, ready set */
int loop_rewatch(struct loop_fd *w, uint32_t events);
void loop_unwatch(struct loop_fd *w); /* no-op when not watched; does not close */

struct loop_timer {
    const char *name;
    void (*fire)(struct loop_timer *t);
    int64_t at_ns;
    struct loop *loop; /* NULL while not armed */
    unsigned slot;
    uint64_t order; /* equal times fire in the order they were armed */
};
int loop_timer_at(struct loop *l, struct loop_timer *t, int64_t at_ns); /* re-arms */
int loop_timer_in(struct loop *l, struct loop_timer *t, int64_t in_ns);
void loop_timer_cancel(struct loop_timer *t);

/* A wakeup from any thread; posting twice before it ran runs it once. The owner
 * must loop_post_cancel() (on the loop) before freeing it. */
struct loop_post {
    const char *name;
    void (*run)(struct loop_post *p);
    struct loop_post *next;
    bool queued;
};
void loop_post(struct loop *l, struct loop_post *p);
void loop_post_cancel(struct loop *l, struct loop_post *p);

/* Runs fn(arg) on the loop, soon. Allocates; -ENOMEM. */
int loop_call(struct loop *l, const char *name, void (*fn)(void *arg), void *arg);

/* Call before other threads are started: they inherit the blocked signal. */
int loop_on_signal(struct loop *l, int signo, void (*fn)(int signo, void *arg), void *arg);
/* fn gets the status of waitpid(); the child is reaped before. */
int loop_on_child(struct loop *l, pid_t pid, void (*fn)(pid_t pid, int status, void *arg),
                  void *arg);

struct loop_stats {
    uint64_t turns;
    int64_t longest_turn_ns;
    char longest_name[48];
};
void loop_stats(struct loop *l, struct loop_stats *ret_stats, bool reset);

#endif
