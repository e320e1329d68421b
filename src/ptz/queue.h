/* Who controls the head: the control queue. Each order of a door, tour or rule takes control
 * first, for its group (parameters PTZ.UserCtlQueue.U#) and, of a person, the account's name and
 * where the person is: several may use one account.
 *
 * On (PTZ.Various.V1.CtlQueueing): the stronger group (smaller priority) takes over at once,
 * equals wait their turn, and who waits must ask for its place again within twice the poll
 * time. Control ends by timespan (so long, whatever is done), activity (so long after the last
 * order), or never (infinity). Who was pushed aside comes back when the stronger one goes.
 * Off, the standard: the last who orders controls, guard tours and tracking come after people,
 * and an activity's time tells when those may go on. Loop-bound. */
#ifndef PTZ_QUEUE_H
#define PTZ_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct events;
struct fault;
struct loop;
struct room;
struct room_desc;
struct control_queue;

enum control_group {
    CONTROL_ADMINISTRATOR,
    CONTROL_OPERATOR,
    CONTROL_VIEWER,
    CONTROL_EVENT,
    CONTROL_GUARD_TOUR,
    CONTROL_AUTOTRACKING,
    CONTROL_ONVIF,
    CONTROL_FOCUS_WINDOW,
    CONTROL_GROUPS,
};
enum control_timeout { CONTROL_TIMESPAN, CONTROL_ACTIVITY, CONTROL_INFINITY };

struct queue_settings {
    int on;     /* 0, 1 */
    int most;   /* who may wait */
    int poll_s; /* how often who waits asks for its place */
    struct {
        int priority;
        int timeout; /* enum control_timeout */
        int timeout_s;
    } group[CONTROL_GROUPS];
};
extern const struct room_desc control_queue_room_desc;

#define CONTROLLER_FROM 48
struct controller {
    enum control_group group;
    char user[65];                 /* "": not a person */
    char from[CONTROLLER_FROM];    /* of those who use the account, which: never told */
    char offered[CONTROLLER_FROM]; /* what it may name itself from now on, or "" */
};
/* Of an account's groups (base/role.h). */
void controller_of_account(struct controller *ret, const char *user, unsigned groups,
                           const char *from);
const char *control_group_name(enum control_group g); /* "Administrator" … */

struct control_queue *control_queue_new(struct loop *loop, struct room *room,
                                        struct events *events);
struct control_queue *control_queue_free(struct control_queue *q);

/* Before an order. FAULT_BUSY: somebody else controls; why says who. */
int control_take(struct control_queue *q, const struct controller *who, struct fault *why);
/* Into the queue, or again; FAULT_LIMIT: it is full. Without effect while it is off. */
int control_request(struct control_queue *q, const struct controller *who, struct fault *why);
void control_drop(struct control_queue *q, const struct controller *who);

struct control_place {
    int position; /* 0: not in the queue, 1: in control */
    int seconds;  /* left in control, or until it may come; -1: unknown */
    int waiting;  /* how many are in the queue */
};
/* Asking keeps the place of who waits. */
void control_place(struct control_queue *q, const struct controller *who, bool asks,
                   struct control_place *ret);
bool control_is_on(struct control_queue *q);
bool control_owner(struct control_queue *q, struct controller *ret); /* false: nobody */
bool control_holds(struct control_queue *q, const struct controller *who);
int control_poll_s(struct control_queue *q);

/* Told when control goes to another, or the queue is switched. */
struct control_listener {
    void (*changed)(struct control_listener *l);
    struct control_listener *next;
};
void control_listen(struct control_queue *q, struct control_listener *l);
void control_unlisten(struct control_queue *q, struct control_listener *l);
/* Parameters have changed. */
void control_queue_settings_changed(struct control_queue *q);

#endif
