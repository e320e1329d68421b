#include "trust/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "net/digest.h"
#include "trust/accounts.h"
#include "trust/wire.h"

#define ANSWER_MS 1000
#define CHANGE_MS 5000 /* saved to a slow disk before it is answered */
#define LOST (-EPIPE)  /* talk(): no answer; the agent itself never says so */
#define START_MS 10000 /* the first answer: makes the key, saves it */
#define RESTART_PAUSE_NS NSEC_PER_SEC

struct keys {
    struct loop *loop;
    int folder; /* the agent's */
    char path[PATH_MAX];
    char realm[65];
    pid_t pid;            /* 0: not running */
    int fd;               /* -1: not connected */
    struct loop_fd watch; /* pidfd */
    struct loop_timer retry;
    int64_t started_ns;
    struct wire request, reply;
};

static _Noreturn void become_agent(const char *path, int socket_fd, int folder_fd)
{
    /* Between fork and exec: system calls only. */
    char *argv[] = {(char *)"vedette-agent", NULL}, *envp[] = {NULL};
    int socket_high = fcntl(socket_fd, F_DUPFD, 16), folder_high = fcntl(folder_fd, F_DUPFD, 16);
    int null = open("/dev/null", O_RDWR);
    if (socket_high < 0 || folder_high < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
        dup2(socket_high, WIRE_SOCKET_FD) < 0 || dup2(folder_high, WIRE_FOLDER_FD) < 0 ||
        syscall(SYS_close_range, WIRE_FOLDER_FD + 1, ~0u, 0) < 0)
        _exit(126);
    execve(path, argv, envp);
    _exit(127);
}

static void disconnect(struct keys *k)
{
    if (k->fd >= 0)
        close(k->fd);
    k->fd = -1;
}

static void reap(struct keys *k)
{
    int status = 0;
    if (k->pid)
        waitpid(k->pid, &status, 0);
    k->pid = 0;
    loop_unwatch(&k->watch);
    if (k->watch.fd >= 0)
        close(k->watch.fd);
    k->watch.fd = -1;
}

static void stop_agent(struct keys *k)
{
    disconnect(k);
    if (k->pid)
        kill(k->pid, SIGKILL);
    reap(k);
}

static void on_agent_end(struct loop_fd *w, uint32_t events);

static int spawn(struct keys *k)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0)
        become_agent(k->path, pair[1], k->folder);
    int err = pid < 0 ? -errno : 0;
    close(pair[1]);
    if (err) {
        close(pair[0]);
        return err;
    }
    k->pid = pid;
    k->fd = pair[0];
    k->started_ns = clock_now(loop_clock(k->loop));
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    k->watch = (struct loop_fd){
        .fd = pidfd, .events = EPOLLIN, .name = "key agent", .ready = on_agent_end};
    if (pidfd < 0 || loop_watch(k->loop, &k->watch) < 0)
        log_warn("trust", "the key agent cannot be watched; it is started again when asked");
    return 0;
}

/* One packet there, one back. *ret_sent: the agent may have acted on it. */
static int talk(struct keys *k, int timeout_ms, bool *ret_sent)
{
    *ret_sent = false;
    if (k->request.bad)
        return -EMSGSIZE;
    if (k->fd < 0 || send(k->fd, k->request.bytes, k->request.len, MSG_NOSIGNAL) < 0)
        return LOST;
    *ret_sent = true;
    struct pollfd p = {.fd = k->fd, .events = POLLIN};
    int ready;
    do
        ready = poll(&p, 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return LOST;
    ssize_t n = recv(k->fd, k->reply.bytes, sizeof(k->reply.bytes), MSG_DONTWAIT);
    if (n <= 0)
        return LOST;
    k->reply.len = (size_t)n;
    k->reply.at = 0;
    k->reply.bad = false;
    int status = wire_byte(&k->reply);
    return -status;
}

static void begin(struct keys *k, enum wire_op op)
{
    wire_begin(&k->request, WIRE_VERSION);
    k->request.bytes[k->request.len++] = (uint8_t)op;
}

static int start_agent(struct keys *k)
{
    /* Uses the request's place, so that is kept aside. */
    struct wire *kept = malloc(sizeof(*kept));
    if (!kept)
        return -ENOMEM;
    *kept = k->request;
    bool sent;
    int err = spawn(k);
    if (!err) {
        begin(k, WIRE_HELLO);
        wire_put_text(&k->request, k->realm);
        err = talk(k, START_MS, &sent);
        if (err) {
            stop_agent(k);
            err = err == LOST ? -EIO : err;
        }
    }
    k->request = *kept;
    OPENSSL_cleanse(kept, sizeof(*kept));
    free(kept);
    return err;
}

/* Not more often than once a second, so that an agent that cannot live (a damaged
 * store) does not keep the camera busy. */
static int restart_agent(struct keys *k)
{
    stop_agent(k);
    int64_t next = k->started_ns + RESTART_PAUSE_NS;
    if (clock_now(loop_clock(k->loop)) < next) {
        if (!k->retry.loop)
            loop_timer_at(k->loop, &k->retry, next);
        return -EIO;
    }
    int err = start_agent(k);
    if (err) {
        log_error("trust", "the key agent cannot be started: %s", strerror(-err));
        loop_timer_in(k->loop, &k->retry, 5 * RESTART_PAUSE_NS);
    } else {
        log_warn("trust", "the key agent was started again");
    }
    return err;
}

static void on_agent_end(struct loop_fd *w, uint32_t events)
{
    struct keys *k = container_of(w, struct keys, watch);
    log_error("trust", "the key agent has ended unexpectedly");
    restart_agent(k);
}

static void on_retry(struct loop_timer *timer)
{
    struct keys *k = container_of(timer, struct keys, retry);
    if (!k->pid)
        restart_agent(k);
}

/* Asks; a dead agent is started and asked again, unless it may have carried out
 * a change already. */
static int ask(struct keys *k, bool changes)
{
    bool sent = false;
    int timeout_ms = changes ? CHANGE_MS : ANSWER_MS;
    int err = talk(k, timeout_ms, &sent);
    if (err == LOST && restart_agent(k) == 0 && !(sent && changes))
        err = talk(k, timeout_ms, &sent);
    OPENSSL_cleanse(k->request.bytes, k->request.len);
    return err == LOST ? -EIO : err;
}

struct keys *keys_new(struct loop *loop, struct file_port *files, const char *realm,
                      const char *agent_path, struct fault *why)
{
    struct keys *k = calloc(1, sizeof(*k));
    if (!k) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    *k = (struct keys){.loop = loop, .folder = -1, .fd = -1, .watch = {.fd = -1}};
    k->retry = (struct loop_timer){.name = "key agent again", .fire = on_retry};
    int state = file_port_dirfd(files);
    int err = state < 0 ? -ENOTSUP : file_mkdir(files, "agent");
    if (!err) {
        k->folder = openat(state, "agent", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        err = k->folder < 0 ? -errno : 0;
    }
    if (!err && (strlen(agent_path) >= sizeof(k->path) || strlen(realm) >= sizeof(k->realm)))
        err = -ENAMETOOLONG;
    if (!err) {
        memcpy(k->path, agent_path, strlen(agent_path) + 1);
        memcpy(k->realm, realm, strlen(realm) + 1);
        err = start_agent(k);
    }
    if (err) {
        fault_set(why, FAULT_IO, agent_path,
                  "the key agent does not start (%s); its own message says why", strerror(-err));
        return keys_free(k);
    }
    return k;
}

struct keys *keys_free(struct keys *k)
{
    if (!k)
        return NULL;
    loop_timer_cancel(&k->retry);
    disconnect(k); /* which makes the agent end, unless it hangs */
    struct pollfd end = {.fd = k->watch.fd, .events = POLLIN};
    if (k->pid && poll(&end, 1, CHANGE_MS) <= 0)
        kill(k->pid, SIGKILL);
    reap(k);
    if (k->folder >= 0)
        close(k->folder);
    OPENSSL_cleanse(&k->request, sizeof(k->request));
    free(k);
    return NULL;
}

int keys_agent_pid(const struct keys *k)
{
    return k->pid;
}

/* The one field of a reply; its length or -EIO. */
static int take_bytes(struct keys *k, uint8_t *ret, size_t max)
{
    size_t len = 0;
    const uint8_t *field = wire_get(&k->reply, &len);
    if (!wire_ended(&k->reply) || len > max)
        return -EIO;
    memcpy(ret, field, len);
    return (int)len;
}

int keys_spki(struct keys *k, uint8_t *ret, size_t max)
{
    begin(k, WIRE_SPKI);
    int err = ask(k, false);
    return err ? err : take_bytes(k, ret, max);
}

int keys_sign(void *arg, const uint8_t *digest, size_t digest_len, uint8_t *ret, size_t max)
{
    struct keys *k = arg;
    begin(k, WIRE_SIGN);
    wire_put(&k->request, digest, digest_len);
    int err = ask(k, false);
    return err ? err : take_bytes(k, ret, max);
}

int keys_set(struct keys *k, unsigned flags, const char *name, const char *password,
             unsigned groups, const char *comment)
{
    begin(k, WIRE_SET);
    wire_put_u32(&k->request, flags);
    wire_put_text(&k->request, name);
    wire_put_text(&k->request, password ? password : "");
    wire_put_u32(&k->request, groups);
    wire_put_text(&k->request, comment ? comment : "");
    return ask(k, true);
}

int keys_remove(struct keys *k, const char *name)
{
    begin(k, WIRE_REMOVE);
    wire_put_text(&k->request, name);
    return ask(k, true);
}

int keys_clear(struct keys *k)
{
    begin(k, WIRE_CLEAR);
    return ask(k, true);
}

int keys_list(struct keys *k, size_t i, struct account *ret)
{
    begin(k, WIRE_LIST);
    wire_put_u32(&k->request, (uint32_t)i);
    int err = ask(k, false);
    if (err)
        return err;
    struct account a = {0};
    wire_get_text(&k->reply, a.name, sizeof(a.name));
    a.groups = wire_get_u32(&k->reply);
    wire_get_text(&k->reply, a.comment, sizeof(a.comment));
    if (!wire_ended(&k->reply))
        return -EIO;
    *ret = a;
    return 0;
}

static int take_groups(struct keys *k, unsigned *ret)
{
    unsigned groups = wire_get_u32(&k->reply);
    if (!wire_ended(&k->reply))
        return -EIO;
    *ret = groups;
    return 0;
}

int keys_check_digest(struct keys *k, const struct authorization *a, const char *method,
                      unsigned *ret_groups)
{
    char middle[640];
    int n =
        a->qop ? snprintf(middle, sizeof(middle), "%s:%s:%s:%s", a->nonce, a->nc, a->cnonce, a->qop)
               : snprintf(middle, sizeof(middle), "%s", a->nonce);
    if (n < 0 || (size_t)n >= sizeof(middle))
        return -EACCES;
    begin(k, WIRE_DIGEST);
    wire_put_u32(&k->request, (uint32_t)a->algorithm);
    wire_put_text(&k->request, a->user);
    wire_put_text(&k->request, middle);
    wire_put_text(&k->request, method);
    wire_put_text(&k->request, a->uri);
    wire_put_text(&k->request, a->response);
    int err = ask(k, false);
    return err ? err : take_groups(k, ret_groups);
}

int keys_check_password(struct keys *k, const char *user, const char *password,
                        unsigned *ret_groups)
{
    begin(k, WIRE_PASSWORD);
    wire_put_text(&k->request, user);
    wire_put_text(&k->request, password);
    int err = ask(k, false);
    return err ? err : take_groups(k, ret_groups);
}
