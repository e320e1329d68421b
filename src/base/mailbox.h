/* A short queue of pointers between two threads, with a policy for when the
 * reader is slow. The reader is a plain thread (source, rendition, encoder).
 *
 * Closing wakes the reader, which gets NULL once the box is empty. What falls
 * out by the policy goes to drop(). In simulated time items count as work from
 * put until mailbox_done(). Any thread may put; one thread takes. */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct mailbox;

/* depth 1 is newest-only: a put replaces what waits. Deeper boxes drop the
 * oldest. drop may be called on the putting thread, no lock held. */
struct mailbox *mailbox_new(struct clock *clock, const char *name, unsigned depth,
                            void (*drop)(void *item));
struct mailbox *mailbox_free(struct mailbox *m); /* drops what is left */
void mailbox_put(struct mailbox *m, void *take_item);
void mailbox_close(struct mailbox *m);
/* Blocks until an item, close, or deadline (TIME_NEVER: none). Every non-NULL
 * item must be answered by mailbox_done() before the next take. NULL: closed
 * (*ret_closed true) or the deadline passed. */
void *mailbox_take(struct mailbox *m, int64_t deadline_ns, bool *ret_closed);
void mailbox_done(struct mailbox *m);
/* Simulated time: makes the time stand still at deadline_ns until the reader has
 * taken it up. For a reader that ticks: call before its thread is started. */
void mailbox_arm(struct mailbox *m, int64_t deadline_ns);
uint64_t mailbox_dropped(struct mailbox *m);

#endif
