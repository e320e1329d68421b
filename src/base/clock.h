/* The clock port: real time, or simulated time.
 *
 * Nothing outside base reads the system clock (the build checks it). Times are
 * int64_t nanoseconds: `_ns` monotonic since the clock was made (0 at start),
 * `utc_ns` since 1970.
 *
 * Simulated time stands still until clock_advance() is called. It then jumps
 * from deadline to deadline, and at each it waits until every participant is
 * idle, so that a day of timers takes seconds and repeats exactly. What counts
 * as busy is explicit: every item handed to another thread is bracketed by
 * clock_work_begin() (by who hands over) and clock_work_end() (by who has
 * finished with it and has handed on its results). loop posts, jobs and mailbox
 * do this by themselves; users of those need not think of it.
 *
 * Any thread unless said otherwise. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define NSEC_PER_SEC INT64_C(1000000000)
#define NSEC_PER_MSEC INT64_C(1000000)
#define NSEC_PER_USEC INT64_C(1000)
#define TIME_NEVER INT64_MAX

struct clock;

/* UTC at which simulated clocks start: 2026-06-21T12:00:00Z. */
#define CLOCK_SIM_UTC_NS (INT64_C(1782043200) * NSEC_PER_SEC)

struct clock *clock_new_real(void);
struct clock *clock_new_sim(void);
struct clock *clock_free(struct clock *c); /* NULL-safe, returns NULL */

bool clock_is_sim(const struct clock *c);
int64_t clock_now(struct clock *c); /* monotonic ns since clock_new */

/* The one map from monotonic time to UTC (RTCP SR, SEI, overlays, logs). */
int64_t clock_utc_of(struct clock *c, int64_t mono_ns);
int64_t clock_utc(struct clock *c);
/* Shifts UTC (time.cgi, the stage's wrong clock); monotonic time is untouched. */
void clock_shift_utc(struct clock *c, int64_t by_ns);

/* One thread that waits for time. Owned by that thread. `deadline_ns` is when it
 * wants to be woken. In simulated time the clock calls wake(arg) (from the
 * advancing thread, no lock held) once the deadline is reached; that wake counts
 * as work until the thread calls clock_woken(). */
struct clock_participant {
    struct clock *clock;
    const char *name;
    void (*wake)(void *arg);
    void *arg;
    int64_t deadline_ns; /* guarded by the clock */
    bool due;            /* guarded by the clock */
    unsigned pins;       /* guarded by the clock: wake() calls that are running */
    struct clock_participant *next;
};
void clock_join(struct clock *c, struct clock_participant *p, const char *name,
                void (*wake)(void *arg), void *arg);
void clock_leave(struct clock_participant *p);
void clock_set_deadline(struct clock_participant *p, int64_t at_ns);
void clock_woken(struct clock_participant *p); /* no-op unless due */

void clock_work_begin(struct clock *c);
void clock_work_end(struct clock *c);

/* Advances simulated time by `by_ns`, blocking until every thread is idle at the
 * new time. Not from a participant's thread. -EINVAL on a real clock. */
int clock_advance(struct clock *c, int64_t by_ns);

/* Waits in real time until no work is outstanding (simulated clocks; tests). */
void clock_wait_idle(struct clock *c);

/* CPU time of this process or thread, for statistics only. */
int64_t clock_process_cpu_ns(void);
int64_t clock_thread_cpu_ns(void);

#endif
