/* Guesses: how many wrong ones each source may still make. A bucket a source and
 * surface holds LIMIT_GUESSES_PER_MINUTE and is refilled over a minute. A bounded
 * table: the source closest to a clean record is forgotten first. Loop-bound. */
#ifndef TRUST_THROTTLE_H
#define TRUST_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct throttle;

struct throttle *throttle_new(void);
struct throttle *throttle_free(struct throttle *t);
/* 0: may guess now; otherwise nanoseconds to wait. */
int64_t throttle_wait_ns(struct throttle *t, int64_t now_ns, int surface, const struct conn *c);
/* A wrong guess. True when this one used up the last of the bucket. */
bool throttle_note(struct throttle *t, int64_t now_ns, int surface, const struct conn *c);

#endif
