#include "ptz/follower.h"

void ptz_follow(struct ptz_follower *f)
{
    if (f->head.heard)
        ptz_listen(f->ptz, &f->head);
    if (f->control.changed)
        control_listen(f->queue, &f->control);
    if (f->settings.changed)
        conf_listen(f->conf, &f->settings);
}

void ptz_unfollow(struct ptz_follower *f)
{
    loop_timer_cancel(&f->timer);
    if (f->settings.changed)
        conf_unlisten(f->conf, &f->settings);
    if (f->control.changed)
        control_unlisten(f->queue, &f->control);
    if (f->head.heard)
        ptz_unlisten(f->ptz, &f->head);
}
