#include "device/waker.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int waker_init(struct waker *w)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    w->fd = fd;
    return 0;
}

void waker_done(struct waker *w)
{
    if (w->fd > 0)
        close(w->fd);
    w->fd = 0;
}

void waker_wake(struct waker *w)
{
    uint64_t one = 1;
    ssize_t n = write(w->fd, &one, sizeof(one)); /* fails only when it is awake already */
    (void)n;
}

int waker_wait(struct waker *w, int fd, int events, int timeout_ms)
{
    struct pollfd p[2] = {{.fd = w->fd, .events = POLLIN}, {.fd = fd, .events = (short)events}};
    int n = poll(p, fd < 0 ? 1 : 2, timeout_ms);
    if (n <= 0)
        return 0;
    uint64_t count;
    if (p[0].revents) {
        ssize_t got = read(w->fd, &count, sizeof(count));
        (void)got;
    }
    return fd < 0 ? 0 : p[1].revents;
}
