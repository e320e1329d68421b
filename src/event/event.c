#include "event/event.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"

#define MAX_TOPICS 256
#define MAX_WAITING 4096 /* published, not yet delivered */
#define MAX_STATES 4096  /* remembered values: topics times sources */

/* An event and the copies of its texts, in one piece. */
struct held {
    struct event event;
    struct held *next;
    char texts[];
};

/* States being told to a new listener; it may unsubscribe meanwhile. */
struct replay {
    struct event_listener *listener; /* NULL: gone */
    struct replay *outer;
};

struct events {
    struct loop *loop;
    struct loop_post post;
    pthread_mutex_t lock; /* topics (they only grow), serial, waiting */
    const struct event_topic *topics[MAX_TOPICS];
    size_t n_topics;
    uint64_t serial;
    struct held *waiting, **waiting_end;
    size_t n_waiting;

    /* loop-bound */
    struct held *states; /* the last event of each state and source */
    size_t n_states;
    struct event_listener *listeners;
    struct event_listener *next_told; /* moved on when that one unsubscribes */
    uint64_t told;                    /* serial of the last event that was delivered */
    struct replay *replays;           /* innermost first */
};

static void deliver(struct loop_post *p);

struct events *events_new(struct loop *loop)
{
    struct events *e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->loop = loop;
    e->post = (struct loop_post){.name = "events", .run = deliver};
    e->waiting_end = &e->waiting;
    pthread_mutex_init(&e->lock, NULL);
    return e;
}

static void free_all(struct held *h)
{
    while (h) {
        struct held *next = h->next;
        free(h);
        h = next;
    }
}

struct events *events_free(struct events *e)
{
    if (!e)
        return NULL;
    loop_post_cancel(e->loop, &e->post);
    free_all(e->waiting);
    free_all(e->states);
    pthread_mutex_destroy(&e->lock);
    free(e);
    return NULL;
}

static const struct event_topic *find_locked(struct events *e, const char *name)
{
    for (size_t i = 0; i < e->n_topics; i++)
        if (!strcmp(e->topics[i]->name, name))
            return e->topics[i];
    return NULL;
}

int events_declare(struct events *e, const struct event_topic *topic)
{
    int r = 0;
    if (!topic->name || !*topic->name || (topic->is_state && !topic->state_key))
        return -EINVAL;
    pthread_mutex_lock(&e->lock);
    if (find_locked(e, topic->name))
        r = -EEXIST;
    else if (e->n_topics == MAX_TOPICS)
        r = -ENOSPC;
    else
        e->topics[e->n_topics++] = topic;
    pthread_mutex_unlock(&e->lock);
    return r;
}

static size_t texts_len(const struct event_item *items, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += strlen(items[i].key) + strlen(items[i].value) + 2;
    return len;
}

static char *copy_text(char **at, const char *s)
{
    size_t len = strlen(s) + 1;
    char *copy = memcpy(*at, s, len);
    *at += len;
    return copy;
}

static void copy_items(struct event_item *to, const struct event_item *from, size_t n, char **at)
{
    for (size_t i = 0; i < n; i++) {
        to[i].key = copy_text(at, from[i].key);
        to[i].value = copy_text(at, from[i].value);
    }
}

int event_publish(struct events *e, const char *topic, const struct event_item *source,
                  size_t n_source, const struct event_item *data, size_t n_data)
{
    if (n_source > EVENT_MAX_ITEMS || n_data > EVENT_MAX_ITEMS)
        return -EINVAL;
    struct held *h = calloc(1, sizeof(*h) + texts_len(source, n_source) + texts_len(data, n_data));
    if (!h)
        return -ENOMEM;
    char *at = h->texts;
    h->event.utc_ns = clock_utc(loop_clock(e->loop));
    h->event.n_source = n_source;
    h->event.n_data = n_data;
    copy_items(h->event.source, source, n_source, &at);
    copy_items(h->event.data, data, n_data, &at);

    pthread_mutex_lock(&e->lock);
    h->event.topic = find_locked(e, topic);
    int r = !h->event.topic ? -ENOENT : e->n_waiting == MAX_WAITING ? -ENOBUFS : 0;
    if (!r) {
        h->event.serial = ++e->serial;
        *e->waiting_end = h;
        e->waiting_end = &h->next;
        e->n_waiting++;
        loop_post(e->loop, &e->post);
    }
    pthread_mutex_unlock(&e->lock);
    if (r < 0)
        free(h);
    return r;
}

static bool wants(const struct event_listener *l, const struct event *ev)
{
    return ev->serial > l->since && (!l->filter || text_glob(l->filter, ev->topic->name));
}

static bool same_source(const struct event *a, const struct event *b)
{
    if (a->topic != b->topic || a->n_source != b->n_source)
        return false;
    for (size_t i = 0; i < a->n_source; i++)
        if (strcmp(a->source[i].key, b->source[i].key) ||
            strcmp(a->source[i].value, b->source[i].value))
            return false;
    return true;
}

/* Keeps h as the last value of its state; false when it is not kept. */
static bool remember(struct events *e, struct held *h)
{
    struct held **at = &e->states;
    h->next = NULL;
    if (!h->event.topic->is_state)
        return false;
    while (*at && !same_source(&(*at)->event, &h->event))
        at = &(*at)->next;
    if (*at) {
        struct held *old = *at;
        h->next = old->next;
        *at = h;
        free(old);
    } else if (e->n_states < MAX_STATES) {
        *at = h;
        e->n_states++;
    } else {
        log_warn("event", "more than %d states; %s is not remembered", MAX_STATES,
                 h->event.topic->name);
        return false;
    }
    return true;
}

static void deliver(struct loop_post *p)
{
    struct events *e = container_of(p, struct events, post);
    pthread_mutex_lock(&e->lock);
    struct held *h = e->waiting;
    e->waiting = NULL;
    e->waiting_end = &e->waiting;
    e->n_waiting = 0;
    pthread_mutex_unlock(&e->lock);
    while (h) {
        struct held *next = h->next;
        bool kept = remember(e, h); /* first: a listener that joins now is told this state */
        e->told = h->event.serial;
        for (struct event_listener *l = e->listeners; l; l = e->next_told) {
            e->next_told = l->next;
            if (wants(l, &h->event))
                l->heard(l, &h->event);
        }
        e->next_told = NULL;
        if (!kept)
            free(h);
        h = next;
    }
}

void events_listen(struct events *e, struct event_listener *l)
{
    struct event_listener **at = &e->listeners;
    struct replay replay = {l, e->replays};
    e->replays = &replay;
    l->since = 0;
    for (struct held *h = e->states; h && replay.listener; h = h->next)
        if (wants(l, &h->event))
            l->heard(l, &h->event);
    e->replays = replay.outer;
    if (!replay.listener)
        return;
    while (*at)
        at = &(*at)->next;
    l->next = NULL;
    l->since = e->told;
    *at = l;
}

void events_unlisten(struct events *e, struct event_listener *l)
{
    for (struct replay *r = e->replays; r; r = r->outer)
        if (r->listener == l)
            r->listener = NULL;
    if (e->next_told == l)
        e->next_told = l->next;
    for (struct event_listener **at = &e->listeners; *at; at = &(*at)->next) {
        if (*at == l) {
            *at = l->next;
            break;
        }
    }
}

int events_each_topic(struct events *e, int (*each)(const struct event_topic *t, void *arg),
                      void *arg)
{
    int r = 0;
    pthread_mutex_lock(&e->lock);
    size_t n = e->n_topics;
    pthread_mutex_unlock(&e->lock);
    for (size_t i = 0; !r && i < n; i++)
        r = each(e->topics[i], arg);
    return r;
}
