#include "net/handover.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define VARIABLE "VEDETTE_SOCKETS" /* "7 8 9 10" */
#define MOST 16

static int found[MOST];
static size_t n_found, n_taken;

void handover_give(int fd)
{
    const char *was = getenv(VARIABLE);
    char text[16 * MOST];
    int copy = dup(fd); /* open across exec */
    if (copy < 0)
        return;
    int n = snprintf(text, sizeof(text), "%s%s%d", was ? was : "", was ? " " : "", copy);
    if (n < 0 || (size_t)n >= sizeof(text) || setenv(VARIABLE, text, 1))
        close(copy);
}

static int port_of(int fd)
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof(a);
    int listens = 0;
    socklen_t size = sizeof(listens);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) || !listens ||
        getsockname(fd, (struct sockaddr *)&a, &len))
        return -1;
    return ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                         : ((struct sockaddr_in *)&a)->sin_port);
}

void handover_find(void)
{
    const char *text = getenv(VARIABLE);
    for (char *end; text && *text && n_found < MOST; text = *end == ' ' ? end + 1 : end) {
        long fd = strtol(text, &end, 10);
        if (end == text)
            break;
        if (fd > 2 && fd < 1 << 20 && port_of((int)fd) > 0 && !fcntl((int)fd, F_SETFD, FD_CLOEXEC))
            found[n_found++] = (int)fd;
    }
    unsetenv(VARIABLE);
}

int handover_take(int port, int *ret_port)
{
    if (n_taken == n_found)
        return -1;
    int fd = found[n_taken++], bound = port_of(fd);
    if (port && bound != port) {
        close(fd);
        return -1;
    }
    *ret_port = bound;
    return fd;
}
