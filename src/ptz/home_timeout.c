#include "ptz/home_timeout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "ptz/follower.h"
#include "ptz/presets.h"

#define FROM_SETTINGS (-2)

struct home_timeout {
    struct ptz_follower f;
    struct presets *presets;
    int once_s; /* −1: stays; FROM_SETTINGS */
};

static void wait_from_now(struct home_timeout *h)
{
    const struct ptz_settings *s = room_ref(h->f.room);
    int seconds = h->once_s == FROM_SETTINGS ? s->return_s : h->once_s;
    room_unref(s);
    if (seconds < 0 || (seconds == 0 && h->once_s == FROM_SETTINGS))
        loop_timer_cancel(&h->f.timer);
    else
        loop_timer_in(h->f.loop, &h->f.timer, seconds * NSEC_PER_SEC);
}

static void on_timer(struct loop_timer *t)
{
    struct home_timeout *h = container_of(t, struct home_timeout, f.timer);
    struct controller owner = {0};
    struct fault why = {0};
    bool owned = control_owner(h->f.queue, &owner);
    if (owned && (owner.group == CONTROL_GUARD_TOUR || owner.group == CONTROL_AUTOTRACKING)) {
        wait_from_now(h); /* until that is over */
        return;
    }
    int home = presets_home(h->presets);
    if (home > 0 && presets_on(h->presets) == home)
        return;
    if (presets_go_home(h->presets, NAN, &why))
        log_warn("ptz", "the camera does not go home: %s", why.text);
    loop_timer_cancel(&h->f.timer); /* it is where it shall be */
}

static void on_head(struct ptz_listener *l, enum ptz_news what)
{
    struct home_timeout *h = container_of(l, struct home_timeout, f.head);
    if (what == PTZ_BEGAN) {
        h->once_s = FROM_SETTINGS;
        loop_timer_cancel(&h->f.timer);
    } else {
        wait_from_now(h);
    }
}

static void on_settings(struct conf_listener *l, const char *const *names, size_t n)
{
    struct home_timeout *h = container_of(l, struct home_timeout, f.settings);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(names[i], "PTZ.Various.V1.ReturnToOverview") && !ptz_moving(h->f.ptz))
            wait_from_now(h);
}

void home_timeout_once(struct home_timeout *h, int seconds)
{
    h->once_s = seconds;
    if (!ptz_moving(h->f.ptz))
        wait_from_now(h);
}

struct home_timeout *home_timeout_new(struct loop *loop, struct conf *conf, struct room *room,
                                      struct ptz *ptz, struct presets *presets,
                                      struct control_queue *queue)
{
    struct home_timeout *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->f = (struct ptz_follower){.loop = loop,
                                 .conf = conf,
                                 .room = room,
                                 .ptz = ptz,
                                 .queue = queue,
                                 .timer = {.name = "home-timeout", .fire = on_timer},
                                 .head = {.heard = on_head},
                                 .settings = {.changed = on_settings}};
    h->presets = presets;
    h->once_s = FROM_SETTINGS;
    ptz_follow(&h->f);
    return h;
}

struct home_timeout *home_timeout_free(struct home_timeout *h)
{
    if (h)
        ptz_unfollow(&h->f);
    free(h);
    return NULL;
}
