/* What goes on by itself at the head (tours, the way home) hears of it, of who controls, and of
 * settings, and has a timer: this part of it is the same for all. Loop-bound. */
#ifndef PTZ_FOLLOWER_H
#define PTZ_FOLLOWER_H

#include "base/loop.h"
#include "conf/param.h"
#include "ptz/ptz.h"
#include "ptz/queue.h"

struct ptz_follower {
    struct loop *loop;
    struct conf *conf;
    struct room *room; /* whose settings it goes by */
    struct ptz *ptz;
    struct control_queue *queue;
    struct loop_timer timer;
    struct ptz_listener head;        /* heard NULL: it need not hear of that */
    struct control_listener control; /* changed NULL: the same */
    struct conf_listener settings;
};

/* Hears from now on; all fields are set. */
void ptz_follow(struct ptz_follower *f);
/* Hears nothing more, and the timer is off. */
void ptz_unfollow(struct ptz_follower *f);

#endif
