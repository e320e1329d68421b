/* The key agent: a process that does nothing but answer the camera on one socket.
 *
 * It is started with an empty environment and no arguments; descriptor 3 is the
 * socket, 4 the folder it keeps its files in. It ends when the camera closes the
 * socket, which the kernel does however the camera ends. */
#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/privilege.h"
#include "keeper.h"
#include "trust/wire.h"

static int harden(void)
{
    struct rlimit none = {0, 0};
    sigset_t nothing;
    sigemptyset(&nothing);
    sigprocmask(SIG_SETMASK, &nothing, NULL); /* the camera's loop blocks some */
    umask(077);
    signal(SIGPIPE, SIG_IGN);
    /* Ctrl-C and a service manager's stop go to all processes of the group; they are meant
     * for the camera, which may still want its keys and ends this one by itself. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    struct fault why = {0};
    int folder = WIRE_FOLDER_FD, err = privilege_drop(&folder, 1, &why);
    if (err) {
        fprintf(stderr, "vedette-agent: %s\n", why.text);
        return err;
    }
    /* set again for all builds: becoming another user may have reset it */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
        return -errno;
    if (fchdir(WIRE_FOLDER_FD) < 0 || fchmod(WIRE_FOLDER_FD, 0700) < 0)
        return -errno;
    close(WIRE_FOLDER_FD);
    return 0;
}

static int fail(const char *what, int err)
{
    fprintf(stderr, "vedette-agent: %s: %s\n", what, strerror(-err));
    fflush(stderr);
    return 1;
}

static int serve(struct keeper *k)
{
    static struct wire request, reply;
    for (;;) {
        ssize_t n = recv(WIRE_SOCKET_FD, request.bytes, sizeof(request.bytes), MSG_TRUNC);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        /* Too long: answered as malformed. */
        request.len = (size_t)n <= sizeof(request.bytes) ? (size_t)n : 0;
        keeper_answer(k, &request, &reply);
        ssize_t sent = send(WIRE_SOCKET_FD, reply.bytes, reply.len, MSG_NOSIGNAL);
        OPENSSL_cleanse(request.bytes, sizeof(request.bytes));
        if (sent < 0)
            return errno == EPIPE ? 0 : -errno;
    }
}

int main(void)
{
    int type = 0, status = 0;
    socklen_t len = sizeof(type);
    if (getsockopt(WIRE_SOCKET_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
        type != SOCK_SEQPACKET) {
        fprintf(stderr, "vedette-agent is started by vedetted, not by hand\n");
        return 2;
    }
    log_init(NULL, LOG_WARN_LEVEL);
    int err = harden();
    if (err)
        return fail("cannot secure itself", err);
    struct file_port *files = file_port_open(".", &err);
    struct keeper *k = files ? keeper_new(files, &err) : NULL;
    if (!k) {
        status = fail("cannot open its store", err);
    } else if ((err = serve(k)) < 0) {
        status = fail("lost the camera", err);
    }
    keeper_free(k);
    file_port_free(files);
    _exit(status); /* a process that cannot be traced cannot run leak checkers at exit */
}
