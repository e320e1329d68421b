/* Listening sockets and the HTTP connections on them. Limits on connections by
 * address, in all, and unauthenticated; slow headers, bodies and readers are
 * closed by time. Loop-bound. */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct conn;
struct exchange;
struct fault;
struct loop;
struct server;
struct tls_server;

struct server_limits {
    unsigned connections, per_address, unauthenticated;
};

struct server_hooks {
    /* A whole head has arrived: decide before the body is read. 0: go on, the body
     * will be read up to *ret_max_body and then serve() is called; otherwise it has
     * been replied to. */
    int (*admit)(struct exchange *ex, size_t *ret_max_body, void *arg);
    void (*serve)(struct exchange *ex, void *arg);
    void *arg;
};

struct server *server_new(struct loop *loop, const struct server_hooks *hooks,
                          const struct server_limits *limits);
struct server *server_free(struct server *s);
void server_set_limits(struct server *s, const struct server_limits *limits);

/* bind_addr: "127.0.0.1", "::1", "::" (both families), "0.0.0.0". port 0 takes a
 * free one; *ret_port gets it. tls NULL: plain HTTP. */
int server_listen(struct server *s, const char *bind_addr, int port, struct tls_server *tls,
                  int *ret_port, struct fault *why);
/* A listener whose connections go to somebody else (RTSP); counted by the same
 * limits until conn_free() (any thread). The callee owns the conn. */
int server_listen_raw(struct server *s, const char *bind_addr, int port, struct tls_server *tls,
                      void (*accepted)(struct conn *take_c, void *arg), void *arg, int *ret_port,
                      struct fault *why);
/* Before the program starts itself anew: its ports stay open (handover.h). */
void server_hand_over(struct server *s);
void server_set_tls(struct server *s, struct tls_server *tls); /* for new connections */
/* Called by the gate once a connection has authenticated. */
void server_conn_authenticated(struct conn *c);

struct server_stats {
    unsigned connections, unauthenticated;
    uint64_t accepted, refused;
};
void server_stats(struct server *s, struct server_stats *ret);

#endif
