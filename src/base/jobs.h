/* Two threads for what may block: password checks, DNS, disk writes. Owns nothing.
 * work() runs on a job thread, then done() on the loop that asked. Loop-bound. */
#ifndef BASE_JOBS_H
#define BASE_JOBS_H

struct jobs;
struct loop;

struct jobs *jobs_new(struct loop *loop, unsigned threads);
struct jobs *jobs_free(struct jobs *j); /* waits for running work, runs its done() */
/* -EBUSY when 256 are queued. done may be NULL. */
int jobs_submit(struct jobs *j, const char *name, void (*work)(void *arg), void (*done)(void *arg),
                void *arg);

#endif
