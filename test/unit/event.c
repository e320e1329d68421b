#include "event/event.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "unit.h"

static const struct event_topic signal_loss = {"VideoSource/SignalLoss", "Signal lost", true,
                                               "State"},
                                button = {"Device/Button", "Button pressed", false, NULL};
static struct clock *clock_;
static struct loop *loop_;
static struct events *events;
static pthread_t thread;

static void *run(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void begin(void)
{
    clock_ = clock_new_sim();
    loop_ = loop_new(clock_, "test");
    events = events_new(loop_);
    CHECK_INT(events_declare(events, &signal_loss), 0);
    CHECK_INT(events_declare(events, &button), 0);
    CHECK_INT(events_declare(events, &button), -EEXIST);
    pthread_create(&thread, NULL, run, loop_);
}

static void end(void)
{
    clock_wait_idle(clock_);
    loop_stop(loop_);
    pthread_join(thread, NULL);
    CHECK(!events_free(events));
    loop_free(loop_);
    clock_free(clock_);
}

static char heard[1000];

static void hear(struct event_listener *l, const struct event *ev)
{
    size_t n = strlen(heard);
    CHECK(loop_is_current(loop_));
    snprintf(heard + n, sizeof(heard) - n, "%s(%s)=%s ", strrchr(ev->topic->name, '/') + 1,
             ev->n_source ? ev->source[0].value : "", ev->n_data ? ev->data[0].value : "");
}

static void on_loop(void (*fn)(void *arg), void *arg)
{
    CHECK_INT(loop_call(loop_, "test", fn, arg), 0);
    clock_wait_idle(clock_);
}

static void listen(void *l)
{
    events_listen(events, l);
}
static void unlisten(void *l)
{
    events_unlisten(events, l);
}

static int state(const char *source, const char *value)
{
    char key[] = "VideoSource", copy[16];
    snprintf(copy, sizeof(copy), "%s", value);
    struct event_item s = {key, source}, d = {"State", copy};
    int r = event_publish(events, "VideoSource/SignalLoss", &s, 1, &d, 1);
    memset(copy, 'x', sizeof(copy)); /* the event has its own copy */
    memset(key, 'x', sizeof(key));
    return r;
}

static int press(const char *which)
{
    struct event_item d = {"Button", which};
    return event_publish(events, "Device/Button", NULL, 0, &d, 1);
}

TEST(states_are_remembered_and_pulses_are_not)
{
    begin();
    struct event_listener l = {.heard = hear}, only = {.heard = hear, .filter = "Device/*"};
    CHECK_INT(state("0", "1"), 0);
    CHECK_INT(state("1", "0"), 0);
    CHECK_INT(state("0", "0"), 0);
    CHECK_INT(press("a"), 0);
    clock_wait_idle(clock_);
    on_loop(listen, &l);
    CHECK_STR(heard, "SignalLoss(0)=0 SignalLoss(1)=0 ");
    heard[0] = '\0';
    on_loop(listen, &only);
    CHECK_STR(heard, "");
    CHECK_INT(press("b"), 0);
    CHECK_INT(state("1", "1"), 0);
    clock_wait_idle(clock_);
    CHECK_STR(heard, "Button()=b Button()=b SignalLoss(1)=1 ");
    on_loop(unlisten, &l);
    on_loop(unlisten, &l);
    heard[0] = '\0';
    CHECK_INT(press("c"), 0);
    clock_wait_idle(clock_);
    CHECK_STR(heard, "Button()=c ");
    CHECK_INT(event_publish(events, "No/Such", NULL, 0, NULL, 0), -ENOENT);
    CHECK_INT(event_publish(events, "Device/Button", NULL, 9, NULL, 0), -EINVAL);
    end();
}

static struct event_listener first, second, third;

/* Goes, frees itself, takes the second along and brings a third. */
static void hear_and_go(struct event_listener *l, const struct event *ev)
{
    hear(l, ev);
    events_unlisten(events, l);
    events_unlisten(events, &second);
    memset(l, 0xff, sizeof(*l));
    memset(&second, 0xff, sizeof(second));
    events_listen(events, &third);
}

TEST(listeners_come_and_go_inside_callbacks)
{
    begin();
    first = (struct event_listener){.heard = hear_and_go};
    second = (struct event_listener){.heard = hear};
    third = (struct event_listener){.heard = hear};
    on_loop(listen, &first);
    on_loop(listen, &second);
    CHECK_INT(state("0", "1"), 0);
    clock_wait_idle(clock_);
    CHECK_STR(heard, "SignalLoss(0)=1 SignalLoss(0)=1 "); /* the third: once, as a state */
    heard[0] = '\0';
    CHECK_INT(press("x"), 0);
    clock_wait_idle(clock_);
    CHECK_STR(heard, "Button()=x ");

    /* leaving while the states are being told */
    CHECK_INT(state("1", "1"), 0);
    clock_wait_idle(clock_);
    heard[0] = '\0';
    on_loop(unlisten, &third);
    first = (struct event_listener){.heard = hear_and_go};
    on_loop(listen, &first);
    CHECK_STR(heard, "SignalLoss(0)=1 SignalLoss(0)=1 SignalLoss(1)=1 ");
    end();
}

static uint64_t serials;
static unsigned counted;

static void count(struct event_listener *l, const struct event *ev)
{
    CHECK(ev->serial > serials);
    CHECK(ev->utc_ns >= CLOCK_SIM_UTC_NS);
    serials = ev->serial;
    counted++;
}

static void *publish_many(void *arg)
{
    for (int i = 0; i < 1000;) {
        int r = press("m");
        CHECK(!r || r == -ENOBUFS);
        i += !r;
    }
    return NULL;
}

TEST(any_thread_may_publish)
{
    begin();
    struct event_listener l = {.heard = count};
    pthread_t threads[4];
    on_loop(listen, &l);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, publish_many, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    clock_wait_idle(clock_);
    CHECK_INT(counted, 4000);
    end();
}

static int count_topic(const struct event_topic *t, void *arg)
{
    ++*(int *)arg;
    return 0;
}

TEST(topics_and_limits)
{
    static struct event_topic many[300];
    static char names[300][16];
    struct event_topic bad = {"X", "state without key", true, NULL};
    int n = 0, r = 0;
    begin();
    CHECK_INT(events_declare(events, &bad), -EINVAL);
    for (int i = 0; i < 300; i++) {
        snprintf(names[i], sizeof(names[i]), "T/%d", i);
        many[i].name = names[i];
        r = events_declare(events, &many[i]);
    }
    CHECK_INT(r, -ENOSPC);
    CHECK_INT(events_each_topic(events, count_topic, &n), 0);
    CHECK_INT(n, 256);
    end();
    /* without anybody to hear it does not grow for ever */
    clock_ = clock_new_real();
    loop_ = loop_new(clock_, "still");
    events = events_new(loop_);
    events_declare(events, &button);
    for (n = 0; !(r = press("z")); n++)
        ;
    CHECK_INT(r, -ENOBUFS);
    CHECK_INT(n, 4096);
    events_free(events);
    loop_free(loop_);
    clock_free(clock_);
}

/* clang-format off */
UNIT_MAIN(
    UNIT_ROW(states_are_remembered_and_pulses_are_not)
    UNIT_ROW(listeners_come_and_go_inside_callbacks)
    UNIT_ROW(any_thread_may_publish)
    UNIT_ROW(topics_and_limits))
