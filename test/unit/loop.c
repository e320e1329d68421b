/* The loop (timers, descriptors, posts, signals, children) and the jobs that work beside it. */
#include "base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jobs.h"
#include "base/log.h"
#include "base/text.h"
#include "last_line.h"
#include "unit.h"

static struct clock *clock_;
static struct loop *loop_;

static void begin(void)
{
    clock_ = clock_new_real();
    loop_ = loop_new(clock_, "test");
    CHECK(loop_);
}

static void end(void)
{
    loop_free(loop_);
    clock_free(clock_);
}

static char order[64];

static void note(const char *s)
{
    size_t n = strlen(order);
    text_copy(order + n, sizeof(order) - n, s);
}

static void fire_note(struct loop_timer *t)
{
    note(t->name);
}
static void fire_stop(struct loop_timer *t)
{
    note(t->name);
    loop_stop(loop_);
}

TEST(timers_fire_in_order)
{
    begin();
    struct loop_timer a = {.name = "a", .fire = fire_note}, b = {.name = "b", .fire = fire_note},
                      c = {.name = "c", .fire = fire_note}, d = {.name = "d", .fire = fire_stop},
                      e = {.name = "e", .fire = fire_note};
    int64_t at = loop_now(loop_) + 2 * NSEC_PER_MSEC;
    CHECK(!loop_timer_at(loop_, &d, at + NSEC_PER_MSEC));
    CHECK(!loop_timer_at(loop_, &b, at));
    CHECK(!loop_timer_at(loop_, &a, at));
    CHECK(!loop_timer_at(loop_, &c, at));
    CHECK(!loop_timer_at(loop_, &e, at));
    CHECK(!loop_timer_at(loop_, &b, at - 1)); /* moved to the front */
    loop_timer_cancel(&e);
    loop_timer_cancel(&e);
    CHECK_INT(loop_run(loop_), 0);
    CHECK_STR(order, "bacd");
    CHECK(clock_now(clock_) >= at + NSEC_PER_MSEC);
    CHECK(!d.loop);
    end();
}

static struct loop_timer many[500];
static int64_t last_at;
static unsigned fired;

static void fire_many(struct loop_timer *t)
{
    CHECK(t->at_ns >= last_at);
    last_at = t->at_ns;
    struct loop_timer *victim = &many[(t - many) * 7 % 500];
    if (fired++ % 3 == 0)
        loop_timer_cancel(victim);
    bool left = false;
    for (int i = 0; i < 500; i++)
        left |= many[i].loop != NULL;
    if (!left)
        loop_stop(loop_);
}

TEST(timer_heap_survives_cancelling)
{
    begin();
    int64_t now = loop_now(loop_);
    for (int i = 0; i < 500; i++) {
        many[i] = (struct loop_timer){.name = "many", .fire = fire_many};
        CHECK(!loop_timer_at(loop_, &many[i], now + i * 7919 % 500 * 10 * NSEC_PER_USEC));
    }
    CHECK_INT(loop_run(loop_), 0);
    CHECK(fired > 300 && fired < 500);
    end();
}

static struct loop_fd watch_a, watch_b;
static int pipes[2][2];

/* Both are ready at once; the first takes the second away and frees its memory. */
static void ready_once(struct loop_fd *w, uint32_t events)
{
    CHECK(events & EPOLLIN);
    struct loop_fd *other = w == &watch_a ? &watch_b : &watch_a;
    loop_unwatch(other);
    memset(other, 0xff, sizeof(*other));
    note("once");
    loop_unwatch(w);
    loop_unwatch(w);
    loop_stop(loop_);
}

TEST(unwatch_from_inside_a_callback)
{
    begin();
    CHECK(!pipe2(pipes[0], O_CLOEXEC) && !pipe2(pipes[1], O_CLOEXEC));
    watch_a =
        (struct loop_fd){.fd = pipes[0][0], .events = EPOLLIN, .name = "a", .ready = ready_once};
    watch_b =
        (struct loop_fd){.fd = pipes[1][0], .events = EPOLLIN, .name = "b", .ready = ready_once};
    CHECK(!loop_watch(loop_, &watch_a) && !loop_watch(loop_, &watch_b));
    CHECK(write(pipes[0][1], "x", 1) == 1 && write(pipes[1][1], "x", 1) == 1);
    CHECK_INT(loop_run(loop_), 0);
    CHECK_STR(order, "once");
    end();
}

static struct loop_post posts[3];

static void run_post(struct loop_post *p)
{
    note(p->name);
    if (p == &posts[0])
        loop_post_cancel(loop_, &posts[1]);
    if (p == &posts[2])
        loop_stop(loop_);
}

TEST(posts_run_once_and_can_be_cancelled)
{
    begin();
    static const char *const names[] = {"0", "1", "2"};
    for (int i = 0; i < 3; i++) {
        posts[i] = (struct loop_post){.name = names[i], .run = run_post};
        loop_post(loop_, &posts[i]);
        loop_post(loop_, &posts[i]);
    }
    CHECK_INT(loop_run(loop_), 0);
    CHECK_STR(order, "02");
    loop_post(loop_, &posts[0]); /* never run: freed with the loop */
    CHECK(!loop_call(loop_, "call", free, NULL));
    loop_post_cancel(loop_, &posts[0]);
    end();
}

static unsigned calls;

static void count_call(void *arg)
{
    calls++;
    CHECK(loop_is_current(loop_));
    if (calls == 4000)
        loop_stop(loop_);
}

static void *call_thread(void *arg)
{
    for (int i = 0; i < 1000; i++)
        CHECK(!loop_call(loop_, "count", count_call, NULL));
    return NULL;
}

TEST(posts_from_many_threads)
{
    begin();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, call_thread, NULL);
    CHECK_INT(loop_run(loop_), 0);
    CHECK_INT(calls, 4000);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CHECK(!loop_is_current(loop_));
    end();
}

static void got_signal(int signo, void *arg)
{
    CHECK_INT(signo, SIGUSR1);
    note("signal");
    loop_stop(loop_);
}

static void got_child(pid_t pid, int status, void *arg)
{
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    note("child");
    kill(getpid(), SIGUSR1);
}

TEST(signals_and_children)
{
    begin();
    CHECK_INT(loop_on_signal(loop_, SIGUSR1, got_signal, NULL), 0);
    CHECK_INT(loop_on_signal(loop_, SIGUSR2, got_signal, NULL), 0);
    pid_t pid = fork();
    if (!pid)
        _exit(7);
    CHECK_INT(loop_on_child(loop_, pid, got_child, NULL), 0);
    CHECK_INT(loop_run(loop_), 0);
    CHECK_STR(order, "childsignal");
    CHECK_INT(waitpid(pid, NULL, WNOHANG), -1); /* reaped */
    end();
}

static void slow_call(void *arg)
{
    int64_t until = clock_now(clock_) + 25 * NSEC_PER_MSEC;
    while (clock_now(clock_) < until)
        ;
    loop_stop(loop_);
}

TEST(long_turns_are_named)
{
    begin();
    char last[600] = "";
    CHECK(!loop_call(loop_, "slow thing", slow_call, NULL));
    CHECK_INT(loop_run(loop_), 0);
    struct loop_stats stats;
    loop_stats(loop_, &stats, true);
    CHECK(stats.longest_turn_ns >= 25 * NSEC_PER_MSEC && stats.turns == 1);
    CHECK_STR(stats.longest_name, "slow thing");
    log_each(last_line, last);
    CHECK(strstr(last, "slow thing"));
    loop_stats(loop_, &stats, false);
    CHECK_INT(stats.turns, 0);
    end();
}

/* ---- jobs ---- */

static atomic_uint worked;
static unsigned done_count;

static void job_work(void *arg)
{
    CHECK(!loop_is_current(loop_));
    worked++;
}
static void job_done(void *arg)
{
    if (++done_count == 100)
        loop_stop(loop_);
}

TEST(jobs_work_elsewhere_and_answer_here)
{
    begin();
    struct jobs *j = jobs_new(loop_, 2);
    for (int i = 0; i < 100; i++)
        CHECK_INT(jobs_submit(j, "job", job_work, job_done, NULL), 0);
    CHECK_INT(loop_run(loop_), 0);
    CHECK_INT(worked, 100);
    for (int i = 0; i < 20; i++)
        CHECK_INT(jobs_submit(j, "job", job_work, i % 2 ? job_done : NULL, NULL), 0);
    CHECK(!jobs_free(j)); /* does what is queued and says so */
    CHECK_INT(worked, 120);
    CHECK_INT(done_count, 110);
    end();
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void wait_gate(void *arg)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

TEST(jobs_refuse_when_full)
{
    begin();
    struct jobs *j = jobs_new(loop_, 1);
    pthread_mutex_lock(&gate);
    int r = 0, n = 0;
    while (!r && n < 1000) {
        r = jobs_submit(j, "job", wait_gate, NULL, NULL);
        n++;
    }
    CHECK_INT(r, -EBUSY);
    CHECK(n == 257 || n == 258);
    pthread_mutex_unlock(&gate);
    jobs_free(j);
    end();
}

UNIT_MAIN(UNIT_ROW(timers_fire_in_order) UNIT_ROW(timer_heap_survives_cancelling)
              UNIT_ROW(unwatch_from_inside_a_callback) UNIT_ROW(posts_run_once_and_can_be_cancelled)
                  UNIT_ROW(posts_from_many_threads) UNIT_ROW(signals_and_children)
                      UNIT_ROW(long_turns_are_named) UNIT_ROW(jobs_work_elsewhere_and_answer_here)
                          UNIT_ROW(jobs_refuse_when_full))
