/* One run of the picture worker: a stranger's bytes in, pixels out. Loop-bound. */
#ifndef IMAGE_PICTURE_WORKER_H
#define IMAGE_PICTURE_WORKER_H

#include <stddef.h>
#include <sys/types.h>

#include "base/loop.h"
#include "image/picture_answer.h"

struct fault;

struct picture_task {
    const char *program;
    const void *bytes;
    size_t len;
    const char *alpha; /* "rrggbb" or NULL */
    int max_width, max_height;
};

struct picture_work {
    struct loop *loop;
    pid_t pid; /* 0: over */
    int in, out;
    struct loop_timer late;
    bool is_late;
    int max_width, max_height;
    struct picture_answer answer; /* for done(), when there was no error */
    void (*done)(struct picture_work *w, int err, const struct fault *why, void *arg);
    void *arg;
};

/* done() once, on the loop; the work stays until picture_work_free(). FAULT_TIMEOUT: it hung;
 * FAULT_INTERNAL: it died; else what it said. */
int picture_work_start(struct loop *loop, const struct picture_task *task,
                       void (*done)(struct picture_work *w, int err, const struct fault *why,
                                    void *arg),
                       void *arg, struct picture_work **ret, struct fault *why);
/* In done(): the pixels, all of them. 0 or negative errno. */
int picture_work_pixels(struct picture_work *w, void *ret, size_t len);
struct picture_work *picture_work_free(struct picture_work *w); /* kills it if it runs */

#endif
