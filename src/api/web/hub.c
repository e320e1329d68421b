/* The hub of socket.h: what the sockets are told, and when. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/person.h"
#include "api/stage/truth.h"
#include "base/clock.h"
#include "base/text.h"
#include "deliver/deliver.h"
#include "eye.h"
#include "ptz.h"
#include "ptz/ptz.h"
#include "ptz/queue.h"
#include "socket.h"
#include "trust/session.h"

#define STREAMS_NS (2 * NSEC_PER_SEC)

json_t *hub_position(struct hub *h, bool *ret_changed)
{
    struct ptz *ptz = h->cam->ptz;
    if (!ptz || !ptz_exists(ptz))
        return NULL;
    struct pose pose, target;
    ptz_pose(ptz, &pose);
    ptz_target(ptz, &target);
    bool moving = ptz_moving(ptz);
    unsigned limits = ptz_at_limit(ptz);
    if (ret_changed) {
        *ret_changed = moving || h->sent_moving != moving || h->sent_limits != limits ||
                       h->sent.pan_deg != pose.pan_deg || h->sent.tilt_deg != pose.tilt_deg ||
                       h->sent.zoom != pose.zoom || h->sent_target.pan_deg != target.pan_deg ||
                       h->sent_target.tilt_deg != target.tilt_deg ||
                       h->sent_target.zoom != target.zoom;
        if (!*ret_changed)
            return NULL;
        h->sent = pose;
        h->sent_target = target;
        h->sent_moving = moving;
        h->sent_limits = limits;
    }
    static const char *const names[] = {"panMin",  "panMax",  "tiltMin",
                                        "tiltMax", "zoomMin", "zoomMax"};
    json_t *at = json_array();
    for (unsigned i = 0; i < 6; i++)
        if (limits & (1u << i))
            json_array_append_new(at, json_string(names[i]));
    char utc[32];
    text_utc(clock_utc(h->cam->clock), utc, sizeof(utc));
    return json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:b, s:o, s:{s:f, s:f, s:f}}", "type",
                     "position", "utc", utc, "pan", pose.pan_deg, "tilt", pose.tilt_deg, "zoom",
                     pose.zoom, "hfov", pose.hfov_deg, "moving", (int)moving, "limits", at,
                     "target", "pan", target.pan_deg, "tilt", target.tilt_deg, "zoom", target.zoom);
}

struct streams_of {
    const struct web_socket *s;
    json_t *list;
};

static void each_viewer(const struct viewer_stats *v, void *arg)
{
    struct streams_of *of = arg;
    if (!v->user || strcmp(v->user, of->s->who.user) || strcmp(v->peer, of->s->peer) ||
        json_array_size(of->list) >= 32)
        return;
    json_array_append_new(
        of->list, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:f}", "path", v->path ? v->path : "",
                            "transport", v->transport ? v->transport : "", "pictures",
                            (json_int_t)v->pictures, "packets", (json_int_t)v->packets, "bytes",
                            (json_int_t)v->bytes, "lostPictures", (json_int_t)v->lost_pictures,
                            "lossFraction", v->loss_fraction));
}

static void send_streams(struct web_socket *s)
{
    struct streams_of of = {s, json_array()};
    deliver_each_viewer(s->hub->cam->deliver, each_viewer, &of);
    socket_send(s, json_pack("{s:s, s:o}", "type", "streams", "streams", of.list));
}

/* The same message for all who watch; who is slow gets a later one. */
static void on_truth(json_t *truth, void *arg)
{
    struct hub *h = arg;
    h->truth_asked = false;
    if (!truth)
        return;
    json_object_set_new(truth, "type", json_string("truth"));
    list_for_each_safe(it, &h->sockets)
    {
        struct web_socket *s = container_of(it, struct web_socket, in_hub);
        if (!s->closing && s->watches_truth && s->out.len < WS_COALESCE_BYTES)
            socket_send(s, json_incref(truth));
    }
}

/* The truth of each new picture, or of ten a second. */
static void ask_truth(struct hub *h)
{
    bool wanted = false;
    list_for_each(it, &h->sockets)
    {
        const struct web_socket *s = container_of(it, struct web_socket, in_hub);
        wanted |= !s->closing && s->watches_truth && s->out.len < WS_COALESCE_BYTES;
    }
    if (!wanted || h->truth_asked)
        return;
    uint64_t serial = truth_newest_serial(h->cam->truth);
    if (serial == h->truth_serial)
        return;
    h->truth_serial = serial;
    h->truth_asked = true;
    if (truth_ask_newest(h->cam->truth, on_truth, h))
        h->truth_asked = false;
}

/* What the eye does, five times a second where it changes, to those who watch it. */
static void tell_eye(struct hub *h)
{
    bool wanted = false, fresh = false;
    list_for_each(it, &h->sockets)
    {
        const struct web_socket *s = container_of(it, struct web_socket, in_hub);
        wanted |= !s->closing && s->watches_eye;
        fresh |= !s->closing && s->watches_eye && s->eye_due;
    }
    JSON_AUTO *eye = wanted ? eye_json(h->cam) : NULL;
    if (!eye)
        return;
    json_object_set_new(eye, "type", json_string("eye"));
    char *text = json_dumps(eye, JSON_COMPACT | JSON_SORT_KEYS);
    bool changed = !text || !h->eye_sent || strcmp(text, h->eye_sent);
    free(h->eye_sent);
    h->eye_sent = text;
    if (!changed && !fresh)
        return;
    list_for_each_safe(it, &h->sockets)
    {
        struct web_socket *s = container_of(it, struct web_socket, in_hub);
        if (s->closing || !s->watches_eye)
            continue;
        s->eye_due |= changed;
        if (!s->eye_due || s->out.len >= WS_COALESCE_BYTES)
            continue;
        s->eye_due = false;
        socket_send(s, json_incref(eye));
    }
}

/* Presets, tours and control, to each who watches them as it is for that user, where it changes. */
static void tell_ptz(struct hub *h)
{
    list_for_each_safe(it, &h->sockets)
    {
        struct web_socket *s = container_of(it, struct web_socket, in_hub);
        if (s->closing || !s->watches_ptz || s->out.len >= WS_COALESCE_BYTES)
            continue;
        struct controller me;
        socket_person(s, &me);
        json_t *now = ptz_json(h->cam, &me);
        char *text = now ? json_dumps(now, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        bool changed = text && (!s->ptz_sent || strcmp(text, s->ptz_sent) != 0);
        if (now && text && (changed || s->ptz_due)) {
            s->ptz_due = false;
            free(s->ptz_sent);
            s->ptz_sent = text;
            json_object_set_new(now, "type", json_string("ptz"));
            socket_send(s, now);
        } else {
            free(text);
            json_decref(now);
        }
    }
}

static void tick(struct loop_timer *t)
{
    struct hub *h = container_of(t, struct hub, tick);
    int64_t now = loop_now(h->cam->loop);
    bool changed = false;
    JSON_AUTO *position = hub_position(h, &changed);
    JSON_AUTO *head =
        h->head_due ? json_pack("{s:s, s:o}", "type", "head", "head", command_head(h->cam)) : NULL;
    h->head_due = false;
    bool streams = now - h->streams_ns >= STREAMS_NS;
    if (streams)
        h->streams_ns = now;
    list_for_each_safe(it, &h->sockets)
    {
        struct web_socket *s = container_of(it, struct web_socket, in_hub);
        if (s->closing)
            continue;
        if (now - s->heard_ns > WS_SILENCE_NS) {
            socket_close(s, 1001);
            continue;
        }
        if (head)
            socket_send(s, json_incref(head));
        if (changed && s->out.len >= WS_COALESCE_BYTES)
            s->position_due = true;
        else if (changed)
            socket_send(s, json_incref(position));
        if (streams && s->watches_streams && s->out.len < WS_COALESCE_BYTES && h->cam->deliver)
            send_streams(s);
    }
    if (h->cam->truth)
        ask_truth(h);
    h->eye_tick = !h->eye_tick;
    if (h->eye_tick)
        tell_eye(h);
    else
        tell_ptz(h);
    if (h->n_sockets)
        loop_timer_in(h->cam->loop, &h->tick, HUB_TICK_NS);
}

static void head_ordered(struct ptz_listener *l, enum ptz_news what)
{
    struct hub *h = container_of(l, struct hub, head);
    if (what == PTZ_BEGAN)
        h->holder = NULL;
}

static void params_changed(struct conf_listener *l, const char *const *names, size_t n)
{
    struct hub *h = container_of(l, struct hub, conf);
    for (size_t i = 0; i < n; i++)
        h->head_due |= text_glob("PTZ.Limit.L1.*", names[i]);
    list_for_each_safe(it, &h->sockets)
    {
        struct web_socket *s = container_of(it, struct web_socket, in_hub);
        if (s->closing)
            continue;
        JSON_AUTO *values = json_object();
        for (size_t i = 0; i < n; i++) {
            BUF(value, 4096);
            if (!conf_may_read(h->cam->conf, names[i], s->who.groups))
                continue;
            bool there = !conf_get(h->cam->conf, names[i], s->who.groups, &value, NULL);
            json_object_set_new(values, names[i],
                                there ? json_string(buf_str(&value)) : json_null());
        }
        if (json_object_size(values))
            socket_send(s, json_pack("{s:s, s:O}", "type", "params", "values", values));
    }
}

static void account_changed(struct account_listener *l, const char *name)
{
    struct hub *h = container_of(l, struct hub, accounts);
    list_for_each_safe(it, &h->sockets)
    {
        struct web_socket *s = container_of(it, struct web_socket, in_hub);
        if (!name || !strcmp(name, s->who.user))
            socket_close(s, 4001);
    }
}

static void reap(struct loop_post *p)
{
    struct hub *h = container_of(p, struct hub, reap);
    list_for_each_safe(it, &h->sockets)
    {
        struct web_socket *s = container_of(it, struct web_socket, in_hub);
        if (s->closing)
            socket_drop(s);
    }
}

struct hub *hub_new(struct camera *cam)
{
    struct hub *h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    h->cam = cam;
    list_init(&h->sockets);
    h->tick.name = "web position";
    h->tick.fire = tick;
    h->reap.name = "web sockets";
    h->reap.run = reap;
    h->conf.changed = params_changed;
    conf_listen(cam->conf, &h->conf);
    h->head.heard = head_ordered;
    if (cam->ptz)
        ptz_listen(cam->ptz, &h->head);
    h->accounts.changed = account_changed;
    if (cam->trust)
        accounts_listen(cam->trust, &h->accounts);
    return h;
}

struct hub *hub_free(struct hub *h)
{
    if (!h)
        return NULL;
    list_for_each_safe(it, &h->sockets)
    {
        struct web_socket *s = container_of(it, struct web_socket, in_hub);
        socket_close(s, 1001);
        socket_drop(s);
    }
    loop_timer_cancel(&h->tick);
    loop_post_cancel(h->cam->loop, &h->reap);
    conf_unlisten(h->cam->conf, &h->conf);
    if (h->cam->ptz)
        ptz_unlisten(h->cam->ptz, &h->head);
    if (h->cam->trust)
        accounts_unlisten(h->cam->trust, &h->accounts);
    free(h->eye_sent);
    free(h);
    return NULL;
}

/* One account never has all the places. */
static bool is_full(struct hub *h, const char *user)
{
    unsigned mine = 0;
    list_for_each(it, &h->sockets)
    {
        const struct web_socket *s = container_of(it, struct web_socket, in_hub);
        mine += !strcmp(s->who.user, user);
    }
    return h->n_sockets >= WS_SOCKETS_MAX || mine >= WS_SOCKETS_PER_USER;
}

void hub_serve(struct hub *h, struct exchange *ex)
{
    if (is_full(h, ex->who.user)) {
        exchange_set_header(ex, "Retry-After", "5");
        exchange_replyf(ex, 503, "text/plain", "Too many web pages are open.\n");
        return;
    }
    struct identity who = ex->who;
    char session[TOKEN_TEXT] = "";
    if (who.by == BY_COOKIE)
        cookie_value(exchange_header(ex, "Cookie"), SESSION_COOKIE, session, sizeof(session));
    BUF(pending, 4096);
    struct conn *conn = ws_accept(ex, NULL, &pending);
    if (!conn)
        return; /* ws_accept has replied */
    hub_adopt(h, conn, &who, session, &pending);
}

void hub_end_session(struct hub *h, const char *cookie)
{
    char session[TOKEN_TEXT];
    cookie_value(cookie, SESSION_COOKIE, session, sizeof(session));
    if (!session[0])
        return;
    list_for_each_safe(it, &h->sockets)
    {
        struct web_socket *s = container_of(it, struct web_socket, in_hub);
        if (!strcmp(s->session, session))
            socket_close(s, 4001);
    }
}
