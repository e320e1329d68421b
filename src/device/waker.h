/* Wakes a thread that waits for a descriptor or a while: what hardware's threads wait by.
 * Any thread wakes; one waits. */
#ifndef DEVICE_WAKER_H
#define DEVICE_WAKER_H

struct waker {
    int fd; /* an eventfd; 0: not made */
};
int waker_init(struct waker *w); /* 0 or a negative errno */
void waker_done(struct waker *w);
void waker_wake(struct waker *w);
/* Until woken (which is then over), `fd` (-1: none) is ready for `events` (POLLIN …), or
 * `timeout_ms` have passed (-1: never). Which of `events` came; 0: none of them. */
int waker_wait(struct waker *w, int fd, int events, int timeout_ms);

#endif
