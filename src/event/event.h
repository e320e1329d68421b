/* What happens: topics, states and pulses, and who wants to hear of them.
 *
 * A topic is declared once with its keys (ONVIF topic syntax without prefix:
 * "VideoSource/SignalLoss"); a state topic remembers its last value per source
 * and tells it to every new subscriber first. Listeners may subscribe and
 * unsubscribe from inside a callback. event_publish() works on any thread (the
 * event is copied and delivered on the loop); the rest is loop-bound. */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct events;
struct loop;
struct fault;

#define EVENT_MAX_ITEMS 8
struct event_item {
    const char *key, *value;
};

struct event_topic {
    const char *name;  /* "VideoSource/SignalLoss" */
    const char *title; /* for people */
    bool is_state;     /* a state has the data key named by state_key ("1"/"0") */
    const char *state_key;
};

struct event {
    const struct event_topic *topic;
    int64_t utc_ns;
    uint64_t serial; /* counts all events of this run */
    size_t n_source, n_data;
    struct event_item source[EVENT_MAX_ITEMS], data[EVENT_MAX_ITEMS];
};

struct events *events_new(struct loop *loop);
struct events *events_free(struct events *e);
int events_declare(struct events *e, const struct event_topic *topic); /* static storage */
/* Any thread. -ENOENT undeclared, -ENOMEM, -ENOBUFS when 4096 wait. items are copied. */
int event_publish(struct events *e, const char *topic, const struct event_item *source,
                  size_t n_source, const struct event_item *data, size_t n_data);

struct event_listener {
    void (*heard)(struct event_listener *l, const struct event *ev);
    const char *filter; /* glob over topic names; NULL: all */
    struct event_listener *next;
    uint64_t since; /* the serial of the last event before it listened */
};
void events_listen(struct events *e, struct event_listener *l); /* states come at once */
void events_unlisten(struct events *e, struct event_listener *l);
int events_each_topic(struct events *e, int (*each)(const struct event_topic *t, void *arg),
                      void *arg);

#endif
