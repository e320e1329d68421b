#include "image/picture_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "image/overlay_pictures.h"

#define LATE_NS (15 * NSEC_PER_SEC) /* its own limits (workers/sandbox.c) come sooner */

int overlay_worker_path(char *ret, size_t size)
{
    /* Installed: beside the camera. In a build tree each program has its folder. */
    static const char *const places[] = {"vedette-picture", "workers/vedette-picture",
                                         "../workers/vedette-picture"};
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (!slash)
        return -ENOENT;
    slash[1] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int len = snprintf(ret, size, "%s%s", self, places[i]);
        if (len > 0 && (size_t)len < size && !access(ret, X_OK))
            return 0;
    }
    return -ENOENT;
}

static _Noreturn void become_worker(char *const argv[], int in, int out)
{
    /* Between fork and exec: system calls only. */
    char *envp[] = {NULL};
    sigset_t none;
    int in_high = fcntl(in, F_DUPFD, 16), out_high = fcntl(out, F_DUPFD, 16);
    int null = open("/dev/null", O_RDWR);
    if (in_high < 0 || out_high < 0 || null < 0 || dup2(in_high, 0) < 0 || dup2(out_high, 1) < 0 ||
        dup2(null, 2) < 0 || syscall(SYS_close_range, 3, ~0u, 0) < 0)
        _exit(126);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(argv[0], argv, envp);
    _exit(127);
}

static int memory_file(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd < 0 ? -errno : fd;
}

static int fill(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno != EINTR)
            return -errno;
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    if (lseek(fd, 0, SEEK_SET) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return -errno;
    return 0;
}

/* What it wrote is a stranger's word, too. */
static int read_answer(struct picture_work *w, struct fault *why)
{
    struct picture_answer *a = &w->answer;
    struct stat st;
    if (fstat(w->out, &st) || pread(w->out, a, sizeof *a, 0) != (ssize_t)sizeof *a ||
        a->magic != PICTURE_MAGIC)
        return fault_set(why, FAULT_INTERNAL, NULL, "the picture cannot be read");
    a->why[sizeof a->why - 1] = '\0';
    if (a->refused) {
        bool printable = text_is_utf8(a->why, strlen(a->why));
        bool large = printable && strstr(a->why, "at most");
        return fault_set(why, large ? FAULT_LIMIT : FAULT_INVALID, large ? "size" : "format", "%s",
                         printable ? a->why : "the picture cannot be read");
    }
    if (a->width < 1 || a->height < 1 || a->width > (unsigned)w->max_width ||
        a->height > (unsigned)w->max_height ||
        (uint64_t)st.st_size != sizeof *a + (uint64_t)4 * a->width * a->height)
        return fault_set(why, FAULT_INTERNAL, NULL, "the picture cannot be read");
    return 0;
}

static void ended(pid_t pid, int status, void *arg)
{
    struct picture_work *w = arg;
    struct fault why = {0};
    int err;
    w->pid = 0;
    loop_timer_cancel(&w->late);
    bool by_time = w->is_late || (WIFSIGNALED(status) &&
                                  (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU));
    if (by_time)
        err = fault_set(&why, FAULT_TIMEOUT, NULL, "reading the picture takes too long");
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        err = read_answer(w, &why);
    else
        err = fault_set(&why, FAULT_INTERNAL, NULL,
                        "the picture cannot be read: the program that reads it gave up");
    if (err && (why.kind == FAULT_INTERNAL || why.kind == FAULT_TIMEOUT))
        log_warn("image", "a picture was not read: the worker ended with %s %d",
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    w->done(w, err, &why, w->arg);
}

static void late(struct loop_timer *t)
{
    struct picture_work *w =
        (struct picture_work *)(void *)((char *)t - offsetof(struct picture_work, late));
    w->is_late = true;
    kill(w->pid, SIGKILL);
}

static int start(struct picture_work *w, const struct picture_task *task)
{
    char width[12], height[12], program[PATH_MAX], alpha[8] = "";
    snprintf(width, sizeof width, "%d", task->max_width);
    snprintf(height, sizeof height, "%d", task->max_height);
    text_copy(program, sizeof program, task->program);
    text_copy(alpha, sizeof alpha, task->alpha ? task->alpha : "");
    char *argv[] = {program, width, height, *alpha ? alpha : NULL, NULL};
    w->in = memory_file("picture");
    w->out = memory_file("pixels");
    int err = w->in < 0 ? w->in : w->out < 0 ? w->out : fill(w->in, task->bytes, task->len);
    if (err)
        return err;
    pid_t pid = fork();
    if (pid == 0)
        become_worker(argv, w->in, w->out);
    if (pid < 0)
        return -errno;
    w->pid = pid;
    err = loop_on_child(w->loop, pid, ended, w);
    if (err) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        w->pid = 0;
    }
    return err;
}

int picture_work_start(struct loop *loop, const struct picture_task *task,
                       void (*done)(struct picture_work *w, int err, const struct fault *why,
                                    void *arg),
                       void *arg, struct picture_work **ret, struct fault *why)
{
    struct picture_work *w = calloc(1, sizeof *w);
    if (!w)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    *w = (struct picture_work){.loop = loop,
                               .in = -1,
                               .out = -1,
                               .late = {.name = "picture worker", .fire = late},
                               .max_width = task->max_width,
                               .max_height = task->max_height,
                               .done = done,
                               .arg = arg};
    int err = start(w, task);
    if (err) {
        picture_work_free(w);
        return fault_set(why, FAULT_INTERNAL, NULL, "the program that reads pictures: %s",
                         strerror(-err));
    }
    (void)loop_timer_in(loop, &w->late, LATE_NS);
    *ret = w;
    return 0;
}

int picture_work_pixels(struct picture_work *w, void *ret, size_t len)
{
    char *at = ret;
    off_t from = sizeof w->answer;
    while (len) {
        ssize_t n = pread(w->out, at, len, from);
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        at += n;
        from += n;
        len -= (size_t)n;
    }
    return 0;
}

struct picture_work *picture_work_free(struct picture_work *w)
{
    if (!w)
        return NULL;
    loop_timer_cancel(&w->late);
    if (w->pid > 0) { /* only when the camera ends: the loop no longer waits for it */
        kill(w->pid, SIGKILL);
        waitpid(w->pid, NULL, 0);
    }
    if (w->in >= 0)
        close(w->in);
    if (w->out >= 0)
        close(w->out);
    free(w);
    return NULL;
}
