/* The key port: what the key agent can be asked. Starts the agent's process, and
 * again when it dies. Calls wait for the answer (some 50 µs; a second at most),
 * -EIO when there is none. Loop-bound. */
#ifndef TRUST_KEYS_H
#define TRUST_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"

struct account;
struct authorization;
struct fault;
struct file_port;
struct keys;
struct loop;

struct keys *keys_new(struct loop *loop, struct file_port *files, const char *realm,
                      const char *agent_path, struct fault *why);
struct keys *keys_free(struct keys *k);

/* DER of the public key; its length. */
int keys_spki(struct keys *k, uint8_t *ret, size_t max);
/* As struct tls_key wants it: arg is the keys. */
int keys_sign(void *arg, const uint8_t *digest, size_t digest_len, uint8_t *ret, size_t max);

/* flags: enum wire_set. -EEXIST, -ENOENT, -ENOSPC. */
int keys_set(struct keys *k, unsigned flags, const char *name, const char *password,
             unsigned groups, const char *comment);
int keys_remove(struct keys *k, const char *name);
int keys_clear(struct keys *k);
int keys_list(struct keys *k, size_t i, struct account *ret); /* -ENOENT past the last */

/* -EACCES: wrong, or no such user, in the same time. */
int keys_check_digest(struct keys *k, const struct authorization *a, const char *method,
                      unsigned *ret_groups);
int keys_check_password(struct keys *k, const char *user, const char *password,
                        unsigned *ret_groups);

/* For tests: the agent's process. */
int keys_agent_pid(const struct keys *k);

#endif
