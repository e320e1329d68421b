/* Requests to another camera or service (libcurl), one after another over a connection
 * that is kept. Blocks: for threads that wait for hardware anyway, never on a loop. Owner
 * thread. Redirects are not followed; certificates are not judged, since cameras sign
 * their own. */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct client;

struct client_login {
    const char *user, *password; /* NULL: none. By Digest, or Basic if only that is offered */
};
/* given_up (may be NULL): asked while it waits; true ends the request. */
struct client *client_new(const struct client_login *login, long timeout_ms,
                          bool (*given_up)(void *arg), void *arg);
struct client *client_free(struct client *c);
/* GET, or POST of `body` with its `type`. The reply's body goes into `reply` (its maximum
 * holds). The HTTP status, or -ETIMEDOUT, -ECANCELED, -EMSGSIZE, -ECONNREFUSED (or what
 * else keeps it from an answer), -EPROTO (no HTTP). */
int client_get(struct client *c, const char *url, struct buf *reply);
int client_post(struct client *c, const char *url, const char *type, const char *body, size_t len,
                struct buf *reply);

#endif
