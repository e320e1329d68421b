#include <stdlib.h>
#include <string.h>

#include "back.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/text.h"
#include "deliver/deliver.h"
#include "door.h"
#include "group.h"

static int64_t wait_ns(const struct rtsp_session *s)
{
    int seconds = s->timeout_s ? s->timeout_s : SESSION_TIMEOUT_S;
    return (seconds + SESSION_GRACE_S) * NSEC_PER_SEC;
}

/* Over TCP the connection is the sign of life once media flows. */
static bool can_expire(const struct rtsp_session *s)
{
    return !s->playing || (!s->tcp && s->timeout_s);
}

static void timer_fired(struct loop_timer *t)
{
    struct rtsp_session *s = container_of(t, struct rtsp_session, timer);
    int64_t now_ns = loop_now(s->door->cam->loop);
    if (can_expire(s) && now_ns - s->last_ns >= wait_ns(s)) {
        rtsp_session_end(s, "timeout", true);
        return;
    }
    int64_t at_ns = s->last_ns + wait_ns(s);
    if (at_ns <= now_ns)
        at_ns = now_ns + wait_ns(s);
    loop_timer_at(s->door->cam->loop, t, at_ns);
}

struct rtsp_session *rtsp_session_new(struct rtsp_conn *c, const char *user, int timeout_s)
{
    struct rtsp_session *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    uint8_t id[SESSION_ID / 2];
    random_bytes(id, sizeof(id));
    hex_of(id, sizeof(id), s->id);
    s->door = c->door;
    s->conn = c;
    s->timeout_s = timeout_s;
    text_copy(s->user, sizeof(s->user), user);
    text_copy(s->peer, sizeof(s->peer), c->peer);
    s->timer = (struct loop_timer){.name = "rtsp session", .fire = timer_fired};
    list_append(&c->door->sessions, &s->in_door);
    c->sessions++;
    c->had_session = true;
    rtsp_session_alive(s);
    loop_timer_at(c->door->cam->loop, &s->timer, s->last_ns + wait_ns(s));
    return s;
}

void rtsp_session_lose_conn(struct rtsp_session *s)
{
    if (!s->conn)
        return;
    s->conn->sessions--;
    if (s->conn->tcp_session == s)
        s->conn->tcp_session = NULL;
    s->conn = NULL;
}

struct rtsp_track *rtsp_session_first(struct rtsp_session *s)
{
    for (int i = 0; i < RTSP_TRACKS; i++)
        if (s->track[i].set)
            return &s->track[i];
    return &s->track[0];
}

void rtsp_track_clear(struct rtsp_session *s, struct rtsp_track *t, bool bye)
{
    if (t->group)
        group_leave(t, bye);
    else if (t->viewer && s->tcp)
        viewer_drop_track(t->viewer, (int)(t - s->track), bye);
    else if (t->viewer)
        viewer_close(t->viewer, bye);
    rtsp_back_free(t->back);
    free(t->url);
    *t = (struct rtsp_track){0};
}

void rtsp_session_pause(struct rtsp_session *s)
{
    for (int i = 0; i < RTSP_TRACKS; i++) {
        struct rtsp_track *t = &s->track[i];
        if (t->group)
            group_rest(t->group);
        else if (t->viewer)
            viewer_pause(t->viewer);
    }
}

void rtsp_session_end(struct rtsp_session *s, const char *reason, bool bye)
{
    bool played = s->playing;
    s->playing = false;
    if (played)
        log_info("rtsp", "%s of %s ends %s: %s", *s->user ? s->user : "a viewer", s->peer, s->base,
                 reason);
    if (s->conn && s->conn->busy && s->conn->busy->session == s)
        rtsp_request_cancel(s->conn->busy);
    for (int i = 0; i < RTSP_TRACKS; i++)
        rtsp_track_clear(s, &s->track[i], bye);
    if (s->conn)
        s->conn->active_ns = loop_now(s->door->cam->loop);
    rtsp_session_lose_conn(s);
    loop_timer_cancel(&s->timer);
    list_remove(&s->in_door);
    free(s->base);
    free(s->query);
    free(s);
}

struct rtsp_session *rtsp_session_find(struct rtsp_door *d, const char *header)
{
    size_t len = strcspn(header, "; \t");
    /* the newest first: who has just been set up asks next, of hundreds who only watch */
    for (struct list *it = d->sessions.prev; it != &d->sessions; it = it->prev) {
        struct rtsp_session *s = container_of(it, struct rtsp_session, in_door);
        if (len == SESSION_ID && !memcmp(s->id, header, len))
            return s;
    }
    return NULL;
}

bool rtsp_session_admits(struct rtsp_session *s, struct rtsp_conn *c, const char *user)
{
    if (s->conn == c)
        return true;
    if (s->conn || strcmp(s->user, user) || strcmp(s->peer, c->peer) ||
        c->sessions >= SESSIONS_PER_CONNECTION)
        return false;
    s->conn = c;
    c->sessions++;
    c->had_session = true;
    return true;
}

void rtsp_session_alive(struct rtsp_session *s)
{
    s->last_ns = loop_now(s->door->cam->loop);
}
