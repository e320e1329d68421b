#include "net/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "net/conn_private.h"
#include "net/handover.h"
#include "net/limits.h"
#include "net/server_private.h"
#include "net/tls.h"

#define ACCEPTS_PER_TURN 64
#define ACCEPT_PAUSE_NS (100 * NSEC_PER_MSEC)
#define ADDRESS_BUCKETS 1024

/* How many connections there are. Outlives the server, since taken connections
 * are freed on any thread. */
struct address {
    struct list link;
    uint8_t key[16];
    unsigned count;
};

struct tally {
    _Atomic unsigned refs;
    pthread_mutex_t lock; /* all below */
    struct server_limits limits;
    unsigned total;
    unsigned strangers;     /* on HTTP */
    unsigned raw_strangers; /* taken connections and those of raw listeners … */
    struct list raw;        /* … and these, oldest first */
    uint64_t accepted, refused;
    struct list buckets[ADDRESS_BUCKETS];
};

/* One connection's share of the tally. */
struct seat {
    struct tally *tally;
    struct address *address; /* NULL: loopback */
    _Atomic bool stranger;
    int fd;
    struct list in_raw; /* tally.raw */
};

struct listener {
    struct list link;
    struct server *server;
    struct loop_fd watch;
    struct loop_timer retry;
    bool paused; /* out of descriptors, and that was logged */
    struct tls_server *tls;
    void (*accepted)(struct conn *take_c, void *arg); /* NULL: HTTP */
    void *arg;
};

static void tally_unref(struct tally *t)
{
    if (atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void address_key(const struct sockaddr *peer, uint8_t ret[16])
{
    memset(ret, 0, 16);
    if (peer->sa_family == AF_INET) {
        memcpy(ret + 12, &((const struct sockaddr_in *)peer)->sin_addr, 4);
        ret[10] = ret[11] = 0xff;
    } else if (peer->sa_family == AF_INET6) {
        const struct in6_addr *a = &((const struct sockaddr_in6 *)peer)->sin6_addr;
        /* One customer is a /64 there. */
        memcpy(ret, a, IN6_IS_ADDR_V4MAPPED(a) ? 16 : 8);
    }
}

static struct address *address_get(struct tally *t, const uint8_t key[16])
{
    uint32_t hash = 2166136261u;
    for (int i = 0; i < 16; i++)
        hash = (hash ^ key[i]) * 16777619u;
    struct list *bucket = &t->buckets[hash % ADDRESS_BUCKETS];
    list_for_each(it, bucket)
    {
        struct address *a = container_of(it, struct address, link);
        if (!memcmp(a->key, key, 16))
            return a;
    }
    struct address *a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    memcpy(a->key, key, 16);
    list_append(bucket, &a->link);
    return a;
}

static void address_put(struct address *a)
{
    if (a && --a->count == 0) {
        list_remove(&a->link);
        free(a);
    }
}

/* Under the lock. */
static void forget_stranger(struct seat *s)
{
    if (!s->stranger)
        return;
    s->stranger = false;
    if (s->in_raw.next)
        s->tally->raw_strangers--;
    else
        s->tally->strangers--;
    list_remove(&s->in_raw);
}

static void make_raw(struct seat *s)
{
    pthread_mutex_lock(&s->tally->lock);
    if (s->stranger && !s->in_raw.next) {
        s->tally->strangers--;
        s->tally->raw_strangers++;
        list_append(&s->tally->raw, &s->in_raw);
    }
    pthread_mutex_unlock(&s->tally->lock);
}

static void seat_free(void *arg, struct conn *c)
{
    struct seat *s = arg;
    struct tally *t = s->tally;
    pthread_mutex_lock(&t->lock);
    t->total--;
    forget_stranger(s);
    address_put(s->address);
    pthread_mutex_unlock(&t->lock);
    tally_unref(t);
    free(s);
}

/* A seat for a connection, or NULL when a limit says no. */
static struct seat *seat_take(struct tally *t, const struct conn *c)
{
    struct seat *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->tally = t;
    s->stranger = true;
    s->fd = conn_fd(c);
    pthread_mutex_lock(&t->lock);
    bool full = t->total >= t->limits.connections;
    if (!full && !conn_peer_is_loopback(c)) {
        uint8_t key[16];
        address_key(conn_peer(c), key);
        s->address = address_get(t, key);
        full = !s->address || s->address->count >= t->limits.per_address;
        if (!full)
            s->address->count++;
        else if (s->address && s->address->count == 0) {
            list_remove(&s->address->link);
            free(s->address);
        }
    }
    if (full) {
        t->refused++;
    } else {
        t->accepted++;
        t->total++;
        t->strangers++;
    }
    pthread_mutex_unlock(&t->lock);
    if (full) {
        free(s);
        return NULL;
    }
    atomic_fetch_add(&t->refs, 1);
    return s;
}

bool server_conn_is_stranger(const struct conn *c)
{
    struct seat *s = conn_free_arg(c);
    return s && s->stranger;
}

void server_conn_authenticated(struct conn *c)
{
    struct seat *s = conn_free_arg(c);
    if (!s || !s->stranger)
        return;
    pthread_mutex_lock(&s->tally->lock);
    forget_stranger(s);
    pthread_mutex_unlock(&s->tally->lock);
}

void server_conn_taken(struct conn *c)
{
    struct seat *s = conn_free_arg(c);
    if (s)
        make_raw(s);
}

/* Too many strangers: the oldest that only waits gives way, so that a crowd of
 * silent connections cannot lock out who comes to log in. Crowds on HTTP and
 * elsewhere do not disturb each other. */
static bool make_raw_room(struct tally *t)
{
    pthread_mutex_lock(&t->lock);
    bool full = t->raw_strangers >= t->limits.unauthenticated;
    if (full && !list_empty(&t->raw)) {
        struct seat *oldest = container_of(t->raw.next, struct seat, in_raw);
        /* Its owner sees the end and frees it, maybe on another thread: the
         * descriptor is ours to touch only under the lock (see seat_free). */
        shutdown(oldest->fd, SHUT_RDWR);
        forget_stranger(oldest);
        full = false;
    }
    t->refused += full;
    pthread_mutex_unlock(&t->lock);
    return !full;
}

static bool make_room(struct server *s)
{
    struct tally *t = s->tally;
    pthread_mutex_lock(&t->lock);
    bool full = t->strangers >= t->limits.unauthenticated;
    pthread_mutex_unlock(&t->lock);
    if (!full)
        return true;
    list_for_each_safe(it, &s->strangers)
    {
        struct http_conn *h = http_conn_of(it);
        if (!server_conn_is_stranger(http_conn_conn(h))) {
            list_remove(it);
            list_append(&s->known, it);
        } else if (http_conn_is_waiting(h)) {
            http_conn_kill(h);
            return true;
        }
    }
    pthread_mutex_lock(&t->lock);
    t->refused++;
    pthread_mutex_unlock(&t->lock);
    return false;
}

static void refuse(struct listener *l, struct conn *c)
{
    static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
                               "Content-Length: 0\r\nConnection: close\r\n\r\n";
    if (!l->tls && !l->accepted) {
        (void)!conn_write(c, busy, sizeof(busy) - 1);
        conn_finish_writing(c);
    }
    conn_free(c);
}

static void welcome(struct listener *l, int take_fd, const struct sockaddr *peer, socklen_t len)
{
    struct server *s = l->server;
    struct conn *c = conn_new(take_fd, l->tls, peer, len);
    if (!c)
        return;
    bool room = l->accepted ? make_raw_room(s->tally) : make_room(s);
    struct seat *seat = room ? seat_take(s->tally, c) : NULL;
    if (!seat) {
        refuse(l, c);
        return;
    }
    conn_on_free(c, seat_free, seat);
    if (l->accepted) {
        make_raw(seat);
        l->accepted(c, l->arg);
    } else {
        http_conn_start(s, c);
    }
}

static void resume_accepting(struct loop_timer *timer)
{
    struct listener *l = container_of(timer, struct listener, retry);
    if (loop_watch(l->server->loop, &l->watch) < 0)
        loop_timer_in(l->server->loop, &l->retry, ACCEPT_PAUSE_NS);
}

static void on_accept(struct loop_fd *w, uint32_t events)
{
    struct listener *l = container_of(w, struct listener, watch);
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t len = sizeof(peer);
        int fd = accept4(w->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            l->paused = false;
            welcome(l, fd, (struct sockaddr *)&peer, len);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* Accepting would spin: the socket stays readable. */
            if (!l->paused)
                log_warn("net", "out of descriptors or memory, accepting pauses");
            l->paused = true;
            loop_unwatch(w);
            loop_timer_in(l->server->loop, &l->retry, ACCEPT_PAUSE_NS);
            return;
        }
        if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            return;
    }
}

struct server *server_new(struct loop *loop, const struct server_hooks *hooks,
                          const struct server_limits *limits)
{
    struct server *s = calloc(1, sizeof(*s));
    struct tally *t = calloc(1, sizeof(*t));
    if (!s || !t) {
        free(s);
        free(t);
        return NULL;
    }
    t->refs = 1;
    pthread_mutex_init(&t->lock, NULL);
    list_init(&t->raw);
    for (int i = 0; i < ADDRESS_BUCKETS; i++)
        list_init(&t->buckets[i]);
    *s = (struct server){.loop = loop, .tally = t, .date_s = -1};
    if (hooks)
        s->hooks = *hooks;
    list_init(&s->listeners);
    list_init(&s->strangers);
    list_init(&s->known);
    server_set_limits(s, limits);
    return s;
}

void server_set_limits(struct server *s, const struct server_limits *limits)
{
    static const struct server_limits standard = {
        .connections = LIMIT_CONNECTIONS,
        .per_address = LIMIT_CONNECTIONS_PER_ADDRESS,
        .unauthenticated = LIMIT_CONNECTIONS_UNAUTHENTICATED,
    };
    pthread_mutex_lock(&s->tally->lock);
    s->tally->limits = limits ? *limits : standard;
    pthread_mutex_unlock(&s->tally->lock);
}

static void listener_free(struct listener *l)
{
    loop_unwatch(&l->watch);
    loop_timer_cancel(&l->retry);
    list_remove(&l->link);
    if (l->watch.fd >= 0)
        close(l->watch.fd);
    tls_server_unref(l->tls);
    free(l);
}

void server_hand_over(struct server *s)
{
    list_for_each(it, &s->listeners)
        handover_give(container_of(it, struct listener, link)->watch.fd);
}

struct server *server_free(struct server *s)
{
    if (!s)
        return NULL;
    s->stopping = true;
    list_for_each_safe(l, &s->listeners) listener_free(container_of(l, struct listener, link));
    list_for_each_safe(h, &s->strangers) http_conn_kill(http_conn_of(h));
    list_for_each_safe(k, &s->known) http_conn_kill(http_conn_of(k));
    tally_unref(s->tally);
    free(s);
    return NULL;
}

static int listen_fault(struct fault *why, const char *addr, int port, int err)
{
    if (err == EADDRINUSE)
        return fault_set(why, FAULT_CONFLICT, addr, "port %d is in use by another program", port);
    if (err == EACCES)
        return fault_set(why, FAULT_DENIED, addr, "port %d needs privileges", port);
    return fault_set(why, FAULT_IO, addr, "cannot listen on port %d: %s", port, strerror(err));
}

static int open_listener(const char *addr, int port, int *ret_port, struct fault *why)
{
    struct sockaddr_storage a = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&a;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a;
    socklen_t len = sizeof(*in);
    if (port < 0 || port > 65535)
        return fault_set(why, FAULT_INVALID, addr, "%d is not a port", port);
    if (inet_pton(AF_INET, addr, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
    } else if (inet_pton(AF_INET6, addr, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
        len = sizeof(*in6);
    } else {
        return fault_set(why, FAULT_INVALID, addr, "not an IP address");
    }

    int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && !strcmp(addr, "::"))
        return open_listener("0.0.0.0", port, ret_port, why);
    if (fd < 0)
        return listen_fault(why, addr, port, errno);
    int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
        int err = errno;
        close(fd);
        if (!strcmp(addr, "::") && err == EADDRNOTAVAIL) /* IPv6 is switched off */
            return open_listener("0.0.0.0", port, ret_port, why);
        return listen_fault(why, addr, port, err);
    }
    if (ret_port)
        *ret_port = ntohs(a.ss_family == AF_INET6 ? in6->sin6_port : in->sin_port);
    return fd;
}

int server_listen_raw(struct server *s, const char *bind_addr, int port, struct tls_server *tls,
                      void (*accepted)(struct conn *take_c, void *arg), void *arg, int *ret_port,
                      struct fault *why)
{
    int bound = 0;
    int fd = handover_take(port, &bound);
    if (fd < 0)
        fd = open_listener(bind_addr, port, &bound, why);
    if (fd < 0)
        return fd;
    struct listener *l = calloc(1, sizeof(*l));
    if (!l) {
        close(fd);
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    }
    l->server = s;
    l->tls = tls_server_ref(tls);
    l->accepted = accepted;
    l->arg = arg;
    l->watch = (struct loop_fd){.fd = fd, .events = EPOLLIN, .name = "accept", .ready = on_accept};
    l->retry = (struct loop_timer){.name = "accept again", .fire = resume_accepting};
    list_append(&s->listeners, &l->link);
    int err = loop_watch(s->loop, &l->watch);
    if (err < 0) {
        listener_free(l);
        return fault_set(why, FAULT_IO, bind_addr, "cannot watch the port: %s", strerror(-err));
    }
    if (ret_port)
        *ret_port = bound;
    return 0;
}

int server_listen(struct server *s, const char *bind_addr, int port, struct tls_server *tls,
                  int *ret_port, struct fault *why)
{
    return server_listen_raw(s, bind_addr, port, tls, NULL, NULL, ret_port, why);
}

void server_set_tls(struct server *s, struct tls_server *tls)
{
    list_for_each(it, &s->listeners)
    {
        struct listener *l = container_of(it, struct listener, link);
        if (!l->tls)
            continue;
        struct tls_server *old = l->tls;
        l->tls = tls_server_ref(tls);
        tls_server_unref(old);
    }
}

void server_stats(struct server *s, struct server_stats *ret)
{
    struct tally *t = s->tally;
    pthread_mutex_lock(&t->lock);
    *ret = (struct server_stats){.connections = t->total,
                                 .unauthenticated = t->strangers + t->raw_strangers,
                                 .accepted = t->accepted,
                                 .refused = t->refused};
    pthread_mutex_unlock(&t->lock);
}

const char *server_date(struct server *s)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t now_s = clock_utc(loop_clock(s->loop)) / NSEC_PER_SEC;
    if (now_s == s->date_s)
        return s->date;
    time_t t = (time_t)now_s;
    struct tm tm = {0};
    gmtime_r(&t, &tm);
    snprintf(s->date, sizeof(s->date), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday % 7],
             tm.tm_mday % 100, months[tm.tm_mon % 12], (tm.tm_year + 1900) % 10000,
             tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
    s->date_s = now_s;
    return s->date;
}
