/* What server.c (listeners, limits) and http.c (one connection) share. */
#ifndef NET_SERVER_PRIVATE_H
#define NET_SERVER_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "net/server.h"

struct http_conn;

struct server {
    struct loop *loop;
    struct server_hooks hooks;
    struct tally *tally;
    struct list listeners;
    struct list strangers; /* HTTP connections that have not authenticated, oldest first */
    struct list known;     /* the other HTTP connections */
    int64_t date_s;        /* second of `date` */
    char date[40];
    bool stopping;
};

/* Takes the connection; frees itself when it ends. */
void http_conn_start(struct server *s, struct conn *take_c);
struct http_conn *http_conn_of(struct list *link);
struct conn *http_conn_conn(struct http_conn *h);
void http_conn_kill(struct http_conn *h); /* at once, without a word; not from inside serve() */
/* Waits for the client (not for us), so that it can be sacrificed. */
bool http_conn_is_waiting(const struct http_conn *h);

void server_conn_taken(struct conn *c); /* no longer HTTP's */
bool server_conn_is_stranger(const struct conn *c);
const char *server_date(struct server *s);

#endif
