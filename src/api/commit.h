/* An answer that waits until settings hold. Loop-bound. */
#ifndef API_COMMIT_H
#define API_COMMIT_H

struct camera;
struct exchange;
struct fault;
struct txn;

/* Commits (NULL: nothing of its own, so that what was set before by others holds) and then has
 * reply() end the exchange; why is NULL when err is 0. If the client leaves first, reply() is
 * not called. Uses ex->user and ex->cancel. */
void commit_then(struct camera *cam, struct exchange *ex, struct txn *take_t,
                 void (*reply)(struct exchange *ex, int err, const struct fault *why, void *arg),
                 void *arg);

#endif
