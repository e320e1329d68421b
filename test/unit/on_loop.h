/* Work that a test has done on the thread of a loop, and waits for. */
#ifndef UNIT_ON_LOOP_H
#define UNIT_ON_LOOP_H

#include <semaphore.h>

#include "base/loop.h"

struct loop_work {
    void (*fn)(void *arg);
    void *arg;
    sem_t done;
};

static void loop_work_run(void *arg)
{
    struct loop_work *w = arg;
    w->fn(w->arg);
    sem_post(&w->done);
}

static inline void on_loop(struct loop *loop, void (*fn)(void *arg), void *arg)
{
    struct loop_work w = {fn, arg};
    sem_init(&w.done, 0, 0);
    loop_call(loop, "test", loop_work_run, &w);
    sem_wait(&w.done);
}

#endif
