#include "fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

#define LOOK_MS 20
#define LOG_TAIL 2000

static const char *const port_names[FLEET_PORTS] = {"http", "https", "rtsp", "rtsps"};

static json_t *load(const struct fleet_camera *c, const char *file)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", c->dir, file);
    return n > 0 && (size_t)n < sizeof(path) ? json_load_file(path, 0, NULL) : NULL;
}

static void copy_text(char *ret, size_t size, const json_t *j, const char *name)
{
    const char *s = json_string_value(json_object_get(j, name));
    snprintf(ret, size, "%s", s ? s : "");
}

/* Is this process the camera of that folder? Numbers are given to others again. */
static bool is_camera(pid_t pid, const char *dir)
{
    char path[64], text[PATH_MAX + 256], state[PATH_MAX];
    snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
    snprintf(state, sizeof(state), "%s/state", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (len <= 0)
        return false;
    text[len] = '\0';
    for (char *s = text; s < text + len; s += strlen(s) + 1)
        if (!strcmp(s, state))
            return true;
    return false;
}

/* Its ports, once it serves. */
static void read_ready(struct fleet_camera *c)
{
    json_t *j = load(c, "state/run/ready.json");
    pid_t pid = (pid_t)json_integer_value(json_object_get(j, "pid"));
    c->pid = 0;
    if (pid > 0 && is_camera(pid, c->dir)) {
        c->pid = pid;
        for (int i = 0; i < FLEET_PORTS; i++)
            c->port[i] = (int)json_integer_value(json_object_get(j, port_names[i]));
    }
    json_decref(j);
}

bool fleet_look(const char *dir, const char *name, struct fleet_camera *ret)
{
    *ret = (struct fleet_camera){0};
    int n = snprintf(ret->dir, sizeof(ret->dir), "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof(ret->dir) || strlen(name) >= sizeof(ret->name))
        return false;
    memcpy(ret->name, name, strlen(name) + 1);
    json_t *j = load(ret, "camera.json");
    if (!j)
        return false;
    copy_text(ret->bind, sizeof(ret->bind), j, "bind");
    copy_text(ret->source, sizeof(ret->source), j, "source");
    copy_text(ret->clock, sizeof(ret->clock), j, "clock");
    ret->seed = json_integer_value(json_object_get(j, "seed"));
    for (int i = 0; i < FLEET_PORTS; i++)
        ret->port[i] = (int)json_integer_value(json_object_get(j, port_names[i]));
    copy_text(ret->serial, sizeof(ret->serial), j, "serial");
    json_decref(j);
    read_ready(ret);
    return true;
}

int fleet_save(const struct fleet_camera *c)
{
    char path[PATH_MAX];
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:I}", "serial", c->serial, "bind", c->bind,
                          "source", c->source, "clock", c->clock, "seed", (json_int_t)c->seed);
    for (int i = 0; i < FLEET_PORTS; i++)
        json_object_set_new(j, port_names[i], json_integer(c->port[i]));
    snprintf(path, sizeof(path), "%s/camera.json", c->dir);
    int err = j ? json_dump_file(j, path, JSON_INDENT(2)) : -1;
    json_decref(j);
    return err ? fail(EXIT_LOCAL, "cannot write %s: %s", path, strerror(errno)) : EXIT_FINE;
}

static int make_dir(const char *path, mode_t mode)
{
    return mkdir(path, mode) && errno != EEXIST
               ? fail(EXIT_LOCAL, "cannot make %s: %s", path, strerror(errno))
               : EXIT_FINE;
}

/* In the child: a session, a folder and files of its own. Does not return. */
static void become_camera(const struct fleet_camera *c, const char *program, int log)
{
    char state[PATH_MAX], seed[24], port[FLEET_PORTS][8];
    sigset_t none;
    snprintf(state, sizeof(state), "%s/state", c->dir);
    snprintf(seed, sizeof(seed), "%lld", (long long)c->seed);
    for (int i = 0; i < FLEET_PORTS; i++)
        snprintf(port[i], sizeof(port[i]), "%u", (unsigned)c->port[i] & 0xffff);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (setsid() < 0 || nothing < 0 || dup2(nothing, 0) < 0 || dup2(log, 1) < 0 ||
        dup2(log, 2) < 0 || chdir("/"))
        _exit(127);
    long most = sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < (most > 0 && most < 1024 ? most : 1024); fd++)
        close(fd);
    execl(program, program, "--state", state, "--bind", c->bind, "--source", c->source, "--clock",
          c->clock, "--seed", seed, "--http-port", port[0], "--https-port", port[1], "--rtsp-port",
          port[2], "--rtsps-port", port[3], (char *)NULL);
    dprintf(2, "%s: %s\n", program, strerror(errno));
    _exit(127);
}

int fleet_launch(struct fleet_camera *c, const char *program)
{
    char path[PATH_MAX];
    int code = make_dir(c->dir, 0755);
    snprintf(path, sizeof(path), "%s/state", c->dir);
    if (!code)
        code = make_dir(path, 0700);
    if (!code)
        code = fleet_save(c);
    if (code)
        return code;
    snprintf(path, sizeof(path), "%s/log", c->dir);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0)
        return fail(EXIT_LOCAL, "cannot write %s: %s", path, strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        become_camera(c, program, log);
    int err = errno;
    close(log);
    if (pid < 0)
        return fail(EXIT_LOCAL, "cannot start a process: %s", strerror(err));
    c->pid = pid;
    c->ours = true;
    return EXIT_FINE;
}

static void pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The last line of its log says why. */
static int tell_failure(const struct fleet_camera *c, const char *what)
{
    char path[PATH_MAX], text[LOG_TAIL + 1] = "";
    snprintf(path, sizeof(path), "%s/log", c->dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        off_t end = lseek(fd, 0, SEEK_END);
        ssize_t n = pread(fd, text, LOG_TAIL, end > LOG_TAIL ? end - LOG_TAIL : 0);
        text[n > 0 ? n : 0] = '\0';
        close(fd);
    }
    size_t len = strlen(text);
    while (len && text[len - 1] == '\n')
        text[--len] = '\0';
    const char *last = strrchr(text, '\n');
    return fail(EXIT_LOCAL, "%s %s: %s (%s)", c->name, what, last ? last + 1 : text, path);
}

int fleet_wait(struct fleet_camera *all, int n, int seconds)
{
    int64_t end = now_ms() + seconds * INT64_C(1000);
    int code = EXIT_FINE;
    for (int i = 0; i < n; i++) {
        struct fleet_camera *c = &all[i], seen = *c;
        if (!c->ours)
            continue;
        for (;;) {
            int status;
            bool ended = waitpid(c->pid, &status, WNOHANG) == c->pid;
            read_ready(&seen);
            if (seen.pid == c->pid && !ended)
                break;
            if (ended || now_ms() > end) {
                code = tell_failure(c, ended ? "ended at once" : "is not ready");
                c->pid = ended ? 0 : c->pid;
                break;
            }
            pause_ms(LOOK_MS);
        }
        if (seen.pid) {
            memcpy(c->port, seen.port, sizeof(c->port));
        }
    }
    return code;
}

int fleet_end(struct fleet_camera *all, int n, int seconds)
{
    int64_t end = now_ms() + seconds * INT64_C(1000);
    int code = EXIT_FINE;
    for (int i = 0; i < n; i++)
        if (all[i].pid && kill(all[i].pid, SIGTERM) && errno != ESRCH)
            code = fail(EXIT_LOCAL, "cannot end %s: %s", all[i].name, strerror(errno));
    for (int i = 0; i < n; i++) {
        bool forced = false;
        while (all[i].pid && is_camera(all[i].pid, all[i].dir)) {
            if (!forced && now_ms() > end) {
                forced = true;
                code = fail(EXIT_LOCAL, "%s did not end by itself and was killed", all[i].name);
                if (kill(all[i].pid, SIGKILL))
                    break;
            }
            pause_ms(LOOK_MS);
        }
        all[i].pid = 0;
    }
    return code;
}
