#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/jobs.h"
#include "base/loop.h"
#include "base/mailbox.h"
#include "unit.h"

static struct clock *clock_;
static struct loop *loop_;
static pthread_t thread;

static void *run(void *arg)
{
    CHECK_INT(loop_run(arg), 0);
    return NULL;
}

static void begin(void)
{
    clock_ = clock_new_sim();
    loop_ = loop_new(clock_, "test");
}

static void start(void)
{
    pthread_create(&thread, NULL, run, loop_);
}

static void end(void)
{
    loop_stop(loop_);
    pthread_join(thread, NULL);
    loop_free(loop_);
    clock_free(clock_);
}

TEST(sim_starts_at_its_date_and_stands_still)
{
    struct clock *c = clock_new_sim();
    CHECK(clock_is_sim(c));
    CHECK_INT(clock_now(c), 0);
    CHECK_INT(clock_utc(c), CLOCK_SIM_UTC_NS);
    CHECK_INT(clock_advance(c, 5), 0);
    CHECK_INT(clock_now(c), 5);
    CHECK_INT(clock_advance(c, -1), -EINVAL);
    clock_shift_utc(c, -100);
    CHECK_INT(clock_utc(c), CLOCK_SIM_UTC_NS + 5 - 100);
    CHECK_INT(clock_utc_of(c, 1), CLOCK_SIM_UTC_NS + 1 - 100);
    CHECK_INT(clock_now(c), 5);
    clock_free(c);
    CHECK(!clock_free(NULL));
}

TEST(real_runs_on)
{
    struct clock *c = clock_new_real();
    int64_t a = clock_now(c), u = clock_utc(c);
    CHECK(a >= 0 && a < NSEC_PER_SEC);
    CHECK(u > INT64_C(1577836800) * NSEC_PER_SEC);
    CHECK_INT(clock_advance(c, 5), -EINVAL);
    clock_work_begin(c);
    clock_work_end(c);
    clock_wait_idle(c);
    int64_t b = clock_now(c);
    CHECK(b >= a);
    CHECK(clock_utc_of(c, b) - clock_utc_of(c, a) == b - a);
    clock_free(c);
}

/* ---- timers of a loop ---- */

static int64_t ticks[16], period_ns;
static unsigned n_ticks;

static void tick(struct loop_timer *t)
{
    if (n_ticks < 16)
        ticks[n_ticks] = loop_now(loop_);
    CHECK_INT(loop_now(loop_), t->at_ns);
    n_ticks++;
    loop_timer_at(loop_, t, t->at_ns + period_ns);
}

TEST(a_day_of_timers_is_exact)
{
    begin();
    struct loop_timer t = {.name = "tick", .fire = tick};
    period_ns = 10 * NSEC_PER_SEC;
    loop_timer_in(loop_, &t, period_ns);
    start();
    CHECK_INT(clock_advance(clock_, 25 * NSEC_PER_SEC), 0);
    CHECK_INT(n_ticks, 2);
    CHECK_INT(ticks[1], 20 * NSEC_PER_SEC);
    CHECK_INT(clock_now(clock_), 25 * NSEC_PER_SEC);
    CHECK_INT(clock_advance(clock_, 5 * NSEC_PER_SEC), 0); /* a deadline at the very end counts */
    CHECK_INT(n_ticks, 3);
    CHECK_INT(clock_advance(clock_, (86400 - 30) * NSEC_PER_SEC), 0);
    CHECK_INT(n_ticks, 8640);
    end();
}

/* A timer that posts, whose post arms a timer at the same instant, and so on: all
 * belongs to that instant. */
static struct loop_timer chained;
static struct loop_post chain_post;
static int links;
static int64_t chain_at;

static void chain_fire(struct loop_timer *t)
{
    chain_at = loop_now(loop_);
    if (++links < 10)
        loop_post(loop_, &chain_post);
}
static void chain_run(struct loop_post *p)
{
    loop_timer_at(loop_, &chained, loop_now(loop_) - links % 2);
}

TEST(what_follows_at_once_happens_at_once)
{
    begin();
    chained = (struct loop_timer){.name = "chain", .fire = chain_fire};
    chain_post = (struct loop_post){.name = "chain", .run = chain_run};
    loop_timer_at(loop_, &chained, 1000);
    start();
    CHECK_INT(clock_advance(clock_, 5000), 0);
    CHECK_INT(links, 10);
    CHECK_INT(chain_at, 1000);
    end();
}

static void arm_late(void *arg)
{
    loop_timer_at(loop_, arg, 500); /* long past */
}

TEST(a_deadline_in_the_past_wakes_at_once)
{
    begin();
    struct loop_timer t = {.name = "tick", .fire = chain_fire};
    start();
    CHECK_INT(clock_advance(clock_, 5000), 0);
    links = 100;
    CHECK(!loop_call(loop_, "arm", arm_late, &t));
    clock_wait_idle(clock_);
    CHECK_INT(links, 101);
    CHECK_INT(chain_at, 5000);
    end();
}

/* ---- jobs ---- */

static atomic_int job_steps;
static struct jobs *jobs;

static void job_work(void *arg)
{
    int64_t now = clock_now(clock_);
    for (volatile int i = 0; i < 1000000; i++)
        ;
    CHECK_INT(clock_now(clock_), now); /* time waits for the job */
    job_steps++;
}
static void job_done(void *arg)
{
    job_steps++;
}
static void job_fire(struct loop_timer *t)
{
    CHECK_INT(job_steps % 2, 0);
    CHECK(!jobs_submit(jobs, "job", job_work, job_done, NULL));
    loop_timer_at(loop_, t, t->at_ns + 1000);
}

TEST(time_waits_for_jobs)
{
    begin();
    jobs = jobs_new(loop_, 2);
    struct loop_timer t = {.name = "job", .fire = job_fire};
    loop_timer_at(loop_, &t, 1000);
    start();
    CHECK_INT(clock_advance(clock_, 50000), 0);
    CHECK_INT(job_steps, 100);
    loop_stop(loop_);
    pthread_join(thread, NULL);
    jobs_free(jobs);
    loop_free(loop_);
    clock_free(clock_);
}

/* ---- mailboxes: a ticking source hands items to a reader, which posts to a loop ---- */

static struct mailbox *source_box, *items_box;
static int64_t seen[100];
static unsigned n_seen;
static struct loop_post seen_post;
static int item;

static void *source(void *arg)
{
    bool closed;
    for (int64_t at = 40; mailbox_take(source_box, at, &closed) || !closed; at += 40) {
        CHECK_INT(clock_now(clock_), at);
        mailbox_put(items_box, &item);
    }
    return NULL;
}
static void *reader(void *arg)
{
    bool closed;
    while (mailbox_take(items_box, TIME_NEVER, &closed)) {
        for (volatile int i = 0; i < 100000; i++)
            ;
        loop_post(loop_, &seen_post);
        mailbox_done(items_box);
    }
    CHECK(closed);
    return NULL;
}
static void run_seen(struct loop_post *p)
{
    seen[n_seen++] = loop_now(loop_);
}

TEST(a_pipeline_of_threads_is_exact)
{
    pthread_t threads[2];
    begin();
    seen_post = (struct loop_post){.name = "seen", .run = run_seen};
    source_box = mailbox_new(clock_, "source", 1, NULL);
    items_box = mailbox_new(clock_, "items", 1, NULL);
    mailbox_arm(source_box, 40);
    start();
    pthread_create(&threads[0], NULL, source, NULL);
    pthread_create(&threads[1], NULL, reader, NULL);
    CHECK_INT(clock_advance(clock_, 2000), 0);
    CHECK_INT(n_seen, 50);
    for (unsigned i = 0; i < n_seen; i++)
        CHECK_INT(seen[i], 40 * (i + 1));
    CHECK_INT(mailbox_dropped(items_box), 0);
    mailbox_close(source_box);
    mailbox_close(items_box);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    CHECK_INT(clock_advance(clock_, 1000), 0); /* nobody holds the time any more */
    mailbox_free(source_box);
    mailbox_free(items_box);
    end();
}

static unsigned dropped;

static void drop(void *p)
{
    dropped++;
}

TEST(mailbox_policies)
{
    struct clock *c = clock_new_sim();
    struct mailbox *newest = mailbox_new(c, "newest", 1, drop),
                   *fifo = mailbox_new(c, "3", 3, drop);
    int items[6];
    bool closed;
    for (int i = 0; i < 6; i++) {
        mailbox_put(newest, &items[i]);
        mailbox_put(fifo, &items[i]);
    }
    CHECK_INT(dropped, 5 + 3);
    CHECK_INT(mailbox_dropped(newest), 5);
    CHECK(mailbox_take(newest, TIME_NEVER, &closed) == &items[5] && !closed);
    mailbox_done(newest);
    CHECK(mailbox_take(newest, 0, &closed) == NULL && !closed); /* now is the deadline */
    CHECK(mailbox_take(fifo, TIME_NEVER, &closed) == &items[3]);
    mailbox_done(fifo);
    mailbox_close(fifo);
    mailbox_put(fifo, &items[0]); /* too late */
    CHECK_INT(dropped, 9);
    CHECK(mailbox_take(fifo, TIME_NEVER, &closed) == &items[4] && !closed);
    mailbox_done(fifo);
    CHECK(!mailbox_free(fifo));
    CHECK_INT(dropped, 10);
    mailbox_free(newest);
    clock_wait_idle(c);
    clock_free(c);
}

TEST(mailbox_deadline_in_real_time)
{
    struct clock *c = clock_new_real();
    struct mailbox *m = mailbox_new(c, "m", 1, NULL);
    bool closed = true;
    int64_t at = clock_now(c) + 20 * NSEC_PER_MSEC;
    CHECK(!mailbox_take(m, at, &closed) && !closed);
    CHECK(clock_now(c) >= at);
    mailbox_close(m);
    CHECK(!mailbox_take(m, TIME_NEVER, &closed) && closed);
    mailbox_free(m);
    clock_free(c);
}

/* clang-format off */
UNIT_MAIN(
    UNIT_ROW(sim_starts_at_its_date_and_stands_still)
    UNIT_ROW(real_runs_on)
    UNIT_ROW(a_day_of_timers_is_exact)
    UNIT_ROW(what_follows_at_once_happens_at_once)
    UNIT_ROW(a_deadline_in_the_past_wakes_at_once)
    UNIT_ROW(time_waits_for_jobs)
    UNIT_ROW(a_pipeline_of_threads_is_exact)
    UNIT_ROW(mailbox_policies)
    UNIT_ROW(mailbox_deadline_in_real_time))
