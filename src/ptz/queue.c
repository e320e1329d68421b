#include "ptz/queue.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/role.h"
#include "base/text.h"
#include "conf/param.h"
#include "event/event.h"

#define MOST 100
#define AFTER_PEOPLE 1000 /* rank of those that wait for people while the queue is off */

static const struct event_topic owner_topic = {
    .name = "PTZController/ControlQueue",
    .title = "Who controls pan, tilt and zoom",
    .is_state = true,
    .state_key = "queue_owner",
};

static const char *const no_yes[] = {"false", "true", NULL};
static const char *const timeouts[] = {"timespan", "activity", "infinity", NULL};

#define FIELD(f) PARAM_FIELD(struct queue_settings, f), .read = ROLE_VIEWER, .write = ROLE_ADMIN
#define GROUP(i, n, prio, kind, seconds)                                                           \
    {.name = "PTZ.UserCtlQueue.U" #i ".Priority",                                                  \
     FIELD(group[n].priority),                                                                     \
     .type = PARAM_INT,                                                                            \
     .min = 1,                                                                                     \
     .max = 100,                                                                                   \
     .standard = prio,                                                                             \
     .doc = "The smaller, the stronger"},                                                          \
        {.name = "PTZ.UserCtlQueue.U" #i ".TimeoutType",                                           \
         FIELD(group[n].timeout),                                                                  \
         .type = PARAM_ENUM,                                                                       \
         .choices = timeouts,                                                                      \
         .standard = kind,                                                                         \
         .doc = "Control ends after a time, after a time without an order, or never"},             \
    {                                                                                              \
        .name = "PTZ.UserCtlQueue.U" #i ".TimeoutTime", FIELD(group[n].timeout_s),                 \
        .type = PARAM_INT, .min = 1, .max = 3600, .standard = seconds, .unit = "s",                \
        .doc = "How long control lasts"                                                            \
    }

static const struct param_row rows[] = {
    {.name = "PTZ.Various.V1.CtlQueueing",
     FIELD(on),
     .type = PARAM_ENUM,
     .choices = no_yes,
     .standard = "false",
     .doc = "Who steers waits for its turn"},
    {.name = "PTZ.Various.V1.CtlQueueLimit",
     FIELD(most),
     .type = PARAM_INT,
     .min = 1,
     .max = MOST,
     .standard = "20",
     .doc = "How many may be in the control queue"},
    {.name = "PTZ.Various.V1.CtlQueuePollTime",
     FIELD(poll_s),
     .type = PARAM_INT,
     .min = 5,
     .max = 3600,
     .standard = "20",
     .unit = "s",
     .doc = "How often who waits asks for its place"},
    GROUP(0, CONTROL_ADMINISTRATOR, "10", "activity", "60"),
    GROUP(1, CONTROL_OPERATOR, "30", "activity", "60"),
    GROUP(2, CONTROL_VIEWER, "50", "timespan", "60"),
    GROUP(3, CONTROL_EVENT, "20", "activity", "20"),
    GROUP(4, CONTROL_GUARD_TOUR, "40", "infinity", "60"),
    GROUP(5, CONTROL_AUTOTRACKING, "35", "infinity", "60"),
    GROUP(6, CONTROL_ONVIF, "1", "activity", "60"),
    GROUP(7, CONTROL_FOCUS_WINDOW, "33", "activity", "60"),
};
const struct room_desc control_queue_room_desc = {
    .name = "ptzqueue",
    .size = sizeof(struct queue_settings),
    .rows = rows,
    .n_rows = sizeof rows / sizeof *rows,
};

/* One who controls or waits. */
struct place {
    struct controller who;
    uint64_t order;   /* of coming */
    int64_t heard_ns; /* when it last asked */
    int64_t used_ns;  /* its last order */
    int64_t left_ns;  /* of its timespan */
    int64_t since_ns; /* in control */
};

struct control_queue {
    struct loop *loop;
    struct room *room;
    struct events *events;
    struct place place[MOST + 2]; /* sorted: the first controls */
    unsigned n;
    uint64_t orders;
    struct controller owner; /* as told */
    bool has_owner, told;
    char told_owner[65];
    struct loop_timer timer;
    struct control_listener *listeners, *telling;
};

static void on_timer(struct loop_timer *t);
static void settle(struct control_queue *q);

const char *control_group_name(enum control_group g)
{
    static const char *const names[CONTROL_GROUPS] = {
        "Administrator", "Operator",     "Viewer", "Event",
        "Guardtour",     "Autotracking", "Onvif",  "Focuswindow",
    };
    return names[g];
}

void controller_of_account(struct controller *ret, const char *user, unsigned groups,
                           const char *from)
{
    *ret = (struct controller){.group = groups & GROUP_ADMIN      ? CONTROL_ADMINISTRATOR
                                        : groups & GROUP_OPERATOR ? CONTROL_OPERATOR
                                                                  : CONTROL_VIEWER};
    text_copy(ret->user, sizeof ret->user, user);
    text_copy(ret->from, sizeof ret->from, from);
}

struct control_queue *control_queue_new(struct loop *loop, struct room *room, struct events *events)
{
    struct control_queue *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->loop = loop;
    q->room = room;
    q->events = events;
    q->timer = (struct loop_timer){.name = "ptz-queue", .fire = on_timer};
    if (events)
        events_declare(events, &owner_topic);
    settle(q);
    return q;
}

struct control_queue *control_queue_free(struct control_queue *q)
{
    if (q)
        loop_timer_cancel(&q->timer);
    free(q);
    return NULL;
}

static int64_t now(struct control_queue *q)
{
    return clock_now(loop_clock(q->loop));
}

static bool same(const struct controller *a, const struct controller *b)
{
    return a->group == b->group && !strcmp(a->user, b->user) && !strcmp(a->from, b->from);
}

static bool is_automatic(enum control_group g)
{
    return g == CONTROL_GUARD_TOUR || g == CONTROL_AUTOTRACKING;
}

static int rank(const struct queue_settings *s, enum control_group g)
{
    if (s->on)
        return s->group[g].priority;
    return is_automatic(g) ? AFTER_PEOPLE + s->group[g].priority : 0;
}

static struct place *find(struct control_queue *q, const struct controller *who)
{
    for (unsigned i = 0; i < q->n; i++)
        if (same(&q->place[i].who, who))
            return &q->place[i];
    return NULL;
}

/* Who was known by its address until now, and was offered this name. */
static void recognise(struct control_queue *q, const struct controller *who)
{
    for (unsigned i = 0; i < q->n && *who->from; i++) {
        struct controller *c = &q->place[i].who;
        if (c->group != who->group || strcmp(c->user, who->user) != 0 ||
            strcmp(c->offered, who->from) != 0)
            continue;
        bool owner = q->has_owner && same(c, &q->owner);
        text_copy(c->from, sizeof c->from, who->from);
        c->offered[0] = '\0';
        if (owner)
            q->owner = *c;
    }
}

static void leave(struct control_queue *q, struct place *p)
{
    size_t i = (size_t)(p - q->place);
    memmove(p, p + 1, (q->n - i - 1) * sizeof *p);
    q->n--;
}

/* When this place ends by itself; INT64_MAX: never. */
static int64_t ends_ns(const struct control_queue *q, const struct queue_settings *s,
                       const struct place *p)
{
    if (p == q->place) {
        switch (s->group[p->who.group].timeout) {
        case CONTROL_TIMESPAN:
            return p->since_ns + p->left_ns;
        case CONTROL_ACTIVITY:
            return p->used_ns + s->group[p->who.group].timeout_s * NSEC_PER_SEC;
        default:
            return INT64_MAX;
        }
    }
    return is_automatic(p->who.group) ? INT64_MAX
                                      : p->heard_ns + (2 * (int64_t)s->poll_s + 1) * NSEC_PER_SEC;
}

static void tell(struct control_queue *q)
{
    for (struct control_listener *l = q->listeners; l; l = q->telling) {
        q->telling = l->next;
        l->changed(l);
    }
}

static void publish(struct control_queue *q, bool on)
{
    const char *owner = "";
    if (on && q->n)
        owner = *q->owner.user ? q->owner.user : control_group_name(q->owner.group);
    if (!q->events || (q->told && !strcmp(owner, q->told_owner)))
        return;
    q->told = true;
    text_copy(q->told_owner, sizeof q->told_owner, owner);
    const struct event_item source = {"PTZConfigurationToken", "1"};
    const struct event_item data = {owner_topic.state_key, owner};
    event_publish(q->events, owner_topic.name, &source, 1, &data, 1);
}

/* The strongest first, among equals who came first. */
static void sort(struct control_queue *q, const struct queue_settings *s)
{
    for (unsigned i = 1; i < q->n; i++) {
        struct place p = q->place[i];
        unsigned k = i;
        int r = rank(s, p.who.group);
        for (; k > 0; k--) {
            int other = rank(s, q->place[k - 1].who.group);
            if (other < r || (other == r && q->place[k - 1].order < p.order))
                break;
            q->place[k] = q->place[k - 1];
        }
        q->place[k] = p;
    }
}

/* Ends what is over, puts the strongest in control, and says so. */
static void settle(struct control_queue *q)
{
    const struct queue_settings *s = room_ref(q->room);
    int64_t t = now(q), next = INT64_MAX;
    bool had = q->has_owner, again = true;
    while (again) {
        struct place *was = q->has_owner ? find(q, &q->owner) : NULL;
        struct controller first = {0};
        sort(q, s);
        if (q->n)
            first = q->place[0].who;
        if (was && !same(&first, &q->owner)) { /* pushed aside: the rest of its time is kept */
            was = find(q, &q->owner);
            was->left_ns -= t - was->since_ns;
            was->heard_ns = t;
        }
        if (q->n && (!was || !same(&first, &q->owner))) {
            q->place[0].since_ns = q->place[0].used_ns = t;
            if (q->place[0].left_ns <= 0)
                q->place[0].left_ns = s->group[first.group].timeout_s * NSEC_PER_SEC;
        }
        bool other = q->has_owner != (q->n > 0) || !same(&first, &q->owner);
        had = had && !other;
        q->owner = first;
        q->has_owner = q->n > 0;
        again = false;
        for (unsigned i = 0; i < q->n && !again; i++) {
            if (ends_ns(q, s, &q->place[i]) > t)
                continue;
            leave(q, &q->place[i]);
            again = true;
        }
    }
    for (unsigned i = 0; i < q->n; i++) {
        int64_t end = ends_ns(q, s, &q->place[i]);
        next = end < next ? end : next;
    }
    publish(q, s->on);
    room_unref(s);
    if (next < INT64_MAX)
        loop_timer_at(q->loop, &q->timer, next);
    else
        loop_timer_cancel(&q->timer);
    tell(q);
}

static void on_timer(struct loop_timer *t)
{
    settle(container_of(t, struct control_queue, timer));
}

void control_queue_settings_changed(struct control_queue *q)
{
    settle(q);
}

static struct place *come(struct control_queue *q, const struct queue_settings *s,
                          const struct controller *who)
{
    int64_t t = now(q);
    struct place *p = find(q, who);
    if (!p) {
        p = &q->place[q->n++];
        *p = (struct place){.who = *who,
                            .order = ++q->orders,
                            .left_ns = s->group[who->group].timeout_s * NSEC_PER_SEC};
    }
    text_copy(p->who.offered, sizeof p->who.offered, who->offered);
    p->heard_ns = p->used_ns = t;
    return p;
}

static bool is_full(const struct control_queue *q, const struct queue_settings *s)
{
    return q->n >= (unsigned)s->most;
}

/* Why `who` may not; 0: it may. */
static int judge(struct control_queue *q, const struct queue_settings *s,
                 const struct controller *who, struct fault *why)
{
    const struct place *first = q->n ? &q->place[0] : NULL;
    if (!s->on || !first || same(&first->who, who) ||
        rank(s, who->group) < rank(s, first->who.group))
        return 0;
    bool namesake = *who->user && !strcmp(first->who.user, who->user);
    return fault_set(why, FAULT_BUSY, NULL,
                     "%s%s%s%s controls the camera; ask for control and wait for your turn",
                     first->who.user, *first->who.user ? ", " : "",
                     control_group_name(first->who.group), namesake ? ", at another place," : "");
}

/* While it is off the last who orders controls. */
static void oust_people(struct control_queue *q, const struct controller *who)
{
    for (unsigned i = 0; i < q->n;) {
        if (is_automatic(q->place[i].who.group) || same(&q->place[i].who, who))
            i++;
        else
            leave(q, &q->place[i]);
    }
}

int control_take(struct control_queue *q, const struct controller *who, struct fault *why)
{
    const struct queue_settings *s = room_ref(q->room);
    recognise(q, who);
    int err = judge(q, s, who, why);
    if (!err && s->on && !find(q, who) && q->n > MOST)
        err = fault_set(why, FAULT_LIMIT, NULL, "the control queue is full");
    if (!err && q->has_owner && same(&q->owner, who)) {
        struct place *p = find(q, who);
        p->used_ns = now(q); /* the timer looks again when it fires */
        if (*who->offered)
            text_copy(p->who.offered, sizeof p->who.offered, who->offered);
        room_unref(s);
        return 0;
    }
    if (!err) {
        if (!s->on)
            oust_people(q, who);
        come(q, s, who);
        settle(q);
    }
    room_unref(s);
    return err;
}

int control_request(struct control_queue *q, const struct controller *who, struct fault *why)
{
    const struct queue_settings *s = room_ref(q->room);
    int err = 0;
    recognise(q, who);
    if (s->on || is_automatic(who->group)) { /* these come back when people are done */
        if (!find(q, who) && (is_full(q, s) || q->n > MOST) && !is_automatic(who->group))
            err = fault_set(why, FAULT_LIMIT, NULL, "the control queue is full; try again later");
        if (!err) {
            come(q, s, who);
            settle(q);
        }
    }
    room_unref(s);
    return err;
}

void control_drop(struct control_queue *q, const struct controller *who)
{
    recognise(q, who);
    struct place *p = find(q, who);
    if (!p)
        return;
    leave(q, p);
    settle(q);
}

void control_place(struct control_queue *q, const struct controller *who, bool asks,
                   struct control_place *ret)
{
    const struct queue_settings *s = room_ref(q->room);
    recognise(q, who);
    struct place *p = find(q, who);
    int64_t t = now(q), ahead_ns = 0;
    *ret = (struct control_place){.seconds = -1, .waiting = (int)q->n};
    if (p) {
        if (asks)
            p->heard_ns = t;
        ret->position = (int)(p - q->place) + 1;
        bool known = true;
        for (const struct place *i = q->place; i <= p && known; i++) {
            if (i == p && i != q->place)
                break;
            int64_t end = i == q->place ? ends_ns(q, s, i) : t + i->left_ns;
            known = end < INT64_MAX;
            ahead_ns += known ? end - t : 0;
        }
        if (known)
            ret->seconds = (int)((ahead_ns + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
    }
    room_unref(s);
}

bool control_is_on(struct control_queue *q)
{
    const struct queue_settings *s = room_ref(q->room);
    bool on = s->on;
    room_unref(s);
    return on;
}

int control_poll_s(struct control_queue *q)
{
    const struct queue_settings *s = room_ref(q->room);
    int poll_s = s->poll_s;
    room_unref(s);
    return poll_s;
}

bool control_owner(struct control_queue *q, struct controller *ret)
{
    if (q->has_owner)
        *ret = q->owner;
    return q->has_owner;
}

bool control_holds(struct control_queue *q, const struct controller *who)
{
    return q->has_owner && same(&q->owner, who);
}

void control_listen(struct control_queue *q, struct control_listener *l)
{
    struct control_listener **at = &q->listeners;
    while (*at)
        at = &(*at)->next;
    l->next = NULL;
    *at = l;
}

void control_unlisten(struct control_queue *q, struct control_listener *l)
{
    if (q->telling == l)
        q->telling = l->next;
    for (struct control_listener **at = &q->listeners; *at; at = &(*at)->next) {
        if (*at == l) {
            *at = l->next;
            break;
        }
    }
}
