#include "base/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/loop.h"

#define MAX_QUEUED 256
#define MAX_THREADS 16

struct job {
    struct loop_post post; /* brings done() to the loop */
    struct list list;
    struct jobs *jobs;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

struct jobs {
    struct loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    unsigned queued;
    struct list todo, finished;
    unsigned n_threads;
    pthread_t threads[MAX_THREADS];
};

static void finish(struct loop_post *p)
{
    struct job *job = (struct job *)p;
    pthread_mutex_lock(&job->jobs->lock);
    list_remove(&job->list);
    pthread_mutex_unlock(&job->jobs->lock);
    if (job->done)
        job->done(job->arg);
    free(job);
}

static void *job_thread(void *arg)
{
    struct jobs *j = arg;
    struct clock *clock = loop_clock(j->loop);
    pthread_mutex_lock(&j->lock);
    for (;;) {
        if (list_empty(&j->todo)) {
            if (j->stopping)
                break;
            pthread_cond_wait(&j->changed, &j->lock);
            continue;
        }
        struct job *job = container_of(j->todo.next, struct job, list);
        list_remove(&job->list);
        j->queued--;
        pthread_mutex_unlock(&j->lock);
        job->work(job->arg);
        pthread_mutex_lock(&j->lock);
        list_append(&j->finished, &job->list);
        loop_post(j->loop, &job->post);
        clock_work_end(clock);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

struct jobs *jobs_new(struct loop *loop, unsigned threads)
{
    struct jobs *j = calloc(1, sizeof(*j));
    if (!j)
        return NULL;
    j->loop = loop;
    list_init(&j->todo);
    list_init(&j->finished);
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->changed, NULL);
    if (threads > MAX_THREADS)
        threads = MAX_THREADS;
    while (j->n_threads < threads &&
           !pthread_create(&j->threads[j->n_threads], NULL, job_thread, j))
        j->n_threads++;
    return j->n_threads ? j : jobs_free(j);
}

struct jobs *jobs_free(struct jobs *j)
{
    if (!j)
        return NULL;
    pthread_mutex_lock(&j->lock);
    j->stopping = true;
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->lock);
    while (j->n_threads)
        pthread_join(j->threads[--j->n_threads], NULL);
    while (!list_empty(&j->finished)) {
        struct job *job = container_of(j->finished.next, struct job, list);
        loop_post_cancel(j->loop, &job->post);
        finish(&job->post);
    }
    pthread_cond_destroy(&j->changed);
    pthread_mutex_destroy(&j->lock);
    free(j);
    return NULL;
}

int jobs_submit(struct jobs *j, const char *name, void (*work)(void *arg), void (*done)(void *arg),
                void *arg)
{
    struct job *job = calloc(1, sizeof(*job));
    if (!job)
        return -ENOMEM;
    *job = (struct job){
        .post = {.name = name, .run = finish}, .jobs = j, .work = work, .done = done, .arg = arg};
    pthread_mutex_lock(&j->lock);
    int r = j->stopping ? -ESHUTDOWN : j->queued >= MAX_QUEUED ? -EBUSY : 0;
    if (!r) {
        clock_work_begin(loop_clock(j->loop));
        list_append(&j->todo, &job->list);
        j->queued++;
        pthread_cond_signal(&j->changed);
    }
    pthread_mutex_unlock(&j->lock);
    if (r)
        free(job);
    return r;
}
