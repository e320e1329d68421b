#include "group.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/param.h"
#include "deliver/deliver.h"
#include "door.h"
#include "media/pipeline.h"
#include "net/conn.h"
#include "net/multicast.h"
#include "net/udp.h"

static bool same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    return !memcmp(a, b, sizeof(*a)); /* both were zero before they were filled in */
}

static void text_of(const struct sockaddr_storage *a, char ret[GROUP_ADDRESS_MAX + 1])
{
    const void *bytes = a->ss_family == AF_INET6
                            ? (const void *)&((const struct sockaddr_in6 *)a)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)a)->sin_addr;
    if (!inet_ntop(a->ss_family, bytes, ret, GROUP_ADDRESS_MAX + 1))
        *ret = '\0';
}

static struct sockaddr_storage with_port(struct sockaddr_storage a, int port)
{
    if (a.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&a)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)&a)->sin_port = htons((uint16_t)port);
    return a;
}

void group_address(const struct rtsp_door *d, char ret[GROUP_ADDRESS_MAX + 1])
{
    *ret = '\0';
    if (!d->cam->rtp_room)
        return;
    const struct rtp_settings *s = room_ref(d->cam->rtp_room);
    text_copy(ret, GROUP_ADDRESS_MAX + 1, s->video_address);
    room_unref(s);
}

/* ---- which group, which port ---- */

/* NULL: none goes to this address; of a stream, or (stream NULL) to a port. */
static struct rtsp_group *find(const struct rtsp_door *d, const struct group_plan *p,
                               const struct stream *stream, int port)
{
    list_for_each(it, &d->groups)
    {
        struct rtsp_group *g = container_of(it, struct rtsp_group, in_door);
        if (same(&g->plan.group, &p->group) && g->plan.interface == p->interface &&
            (stream ? g->stream == stream : g->plan.port == port))
            return g;
    }
    return NULL;
}

static int choose_port(const struct rtsp_door *d, struct group_plan *p, int wanted,
                       const char *name, struct fault *why)
{
    if (wanted && find(d, p, NULL, wanted))
        return fault_set(
            why, FAULT_BUSY, name,
            "another stream goes to %s port %d; ask for that one, or let the port be 0",
            p->group_text, wanted);
    p->port = wanted;
    for (int port = GROUP_PORT_FIRST; !p->port && port <= GROUP_PORT_LAST; port += 2) {
        if (!find(d, p, NULL, port))
            p->port = port;
    }
    return p->port ? 0 : fault_set(why, FAULT_LIMIT, "ports", "all multicast ports are in use");
}

int group_plan(struct rtsp_conn *c, struct stream *s, struct group_plan *ret, struct fault *why)
{
    const struct rtsp_door *d = c->door;
    struct sockaddr_storage local = {0};
    socklen_t len = sizeof(local);
    memset(ret, 0, sizeof(*ret));
    if (!d->cam->rtp_room)
        return fault_set(why, FAULT_UNSUPPORTED, NULL, "there is no multicast");
    const struct rtp_settings *settings = room_ref(d->cam->rtp_room);
    bool sound = codec_is_sound(stream_codec(s));
    int port = sound ? settings->audio_port : settings->video_port;
    ret->hops = settings->hops;
    int err = sound ? multicast_parse(settings->audio_address, RTP_AUDIO_ADDRESS, &ret->group, why)
                    : multicast_parse(settings->video_address, RTP_VIDEO_ADDRESS, &ret->group, why);
    room_unref(settings);
    if (err < 0)
        return err;
    if (getsockname(conn_fd(c->conn), (struct sockaddr *)&local, &len) < 0)
        return fault_set(why, FAULT_IO, NULL, "no local address: %s", strerror(errno));
    err = multicast_interface(&local, ret->group.ss_family, &ret->interface, &ret->source, why);
    if (err < 0)
        return err;
    if (ret->group.ss_family == AF_INET6) /* scopes as ff12:: are the interface's */
        ((struct sockaddr_in6 *)&ret->group)->sin6_scope_id = ret->interface;
    text_of(&ret->group, ret->group_text);
    text_of(&ret->source, ret->source_text);
    const struct rtsp_group *g = find(d, ret, s, 0);
    if (g) {
        *ret = g->plan;
        return 0;
    }
    return choose_port(d, ret, port, sound ? RTP_AUDIO_PORT : RTP_VIDEO_PORT, why);
}

/* ---- members ---- */

static bool is_member(const struct rtsp_session *s, const struct rtsp_group *g)
{
    for (int i = 0; i < RTSP_TRACKS; i++)
        if (s->track[i].group == g)
            return true;
    return false;
}

static struct rtsp_session *member_of(const struct rtsp_group *g)
{
    list_for_each(it, &g->door->sessions)
    {
        struct rtsp_session *s = container_of(it, struct rtsp_session, in_door);
        if (is_member(s, g))
            return s;
    }
    return NULL;
}

static void ended(struct viewer *v, int err, void *arg)
{
    struct rtsp_group *g = arg;
    const char *reason = err == -EPIPE ? "stream ended" : strerror(-err);
    for (unsigned n = g->members; n; n--) { /* the last one takes the group along */
        struct rtsp_session *s = member_of(g);
        struct rtsp_conn *c = s->conn;
        rtsp_session_end(s, reason, err == -EPIPE);
        if (c && err == -EPIPE)
            rtsp_conn_close(c, reason, true); /* so that the client describes again */
    }
}

static int open_sockets(const struct group_plan *p, int ret_fds[2], struct fault *why)
{
    int port, family = p->group.ss_family;
    int err = udp_pair((const struct sockaddr *)&p->source, multicast_len(&p->source),
                       UDP_PORT_FIRST, UDP_PORT_LAST, ret_fds, &port, why);
    for (int i = 0; !err && i < 2; i++) {
        err = multicast_sends(ret_fds[i], family, p->interface, p->hops, why);
        if (err < 0) {
            close(ret_fds[0]);
            close(ret_fds[1]);
        }
    }
    return err;
}

static struct rtsp_group *begin(struct rtsp_door *d, const struct group_plan *p,
                                struct feed *take_feed, const struct viewer_desc *base,
                                struct fault *why)
{
    struct rtsp_group *g = calloc(1, sizeof(*g));
    struct viewer_desc desc = *base;
    int err = g ? open_sockets(p, desc.take_udp, why)
                : fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    if (err < 0) {
        feed_close(take_feed);
        free(g);
        return NULL;
    }
    g->door = d;
    g->plan = *p;
    g->stream = feed_stream(take_feed);
    desc.framing = FRAMING_UDP;
    desc.to_rtp = with_port(p->group, p->port);
    desc.to_rtcp = with_port(p->group, p->port + 1);
    desc.to_len = multicast_len(&p->group);
    desc.ended = ended;
    desc.arg = g;
    if (viewer_new(d->cam->deliver, &desc, &g->viewer, why) < 0) {
        close(desc.take_udp[0]);
        close(desc.take_udp[1]);
        feed_close(take_feed);
        free(g);
        return NULL;
    }
    if (viewer_add_track(g->viewer, 0, take_feed, 0, why) < 0) {
        viewer_close(g->viewer, false);
        free(g);
        return NULL;
    }
    list_append(&d->groups, &g->in_door);
    return g;
}

int group_join(struct rtsp_session *s, struct rtsp_track *t, struct feed *take_feed,
               const struct viewer_desc *desc, struct fault *why)
{
    struct group_plan plan;
    struct stream *stream = feed_stream(take_feed);
    int err = group_plan(s->conn, stream, &plan, why);
    struct rtsp_group *g = err < 0 ? NULL : find(s->door, &plan, stream, 0);
    t->ssrc = stream_ssrc(stream);
    if (err < 0 || g)
        feed_close(take_feed);
    else
        g = begin(s->door, &plan, take_feed, desc, why);
    if (!g)
        return err < 0 ? err : -EIO;
    t->group = g;
    t->viewer = g->viewer;
    g->members++;
    return 0;
}

static bool anybody_plays(const struct rtsp_group *g)
{
    list_for_each(it, &g->door->sessions)
    {
        const struct rtsp_session *s = container_of(it, struct rtsp_session, in_door);
        if (s->playing && is_member(s, g))
            return true;
    }
    return false;
}

int group_play(struct rtsp_group *g)
{
    if (g->sending) {
        viewer_request_key(g->viewer); /* who comes later begins soon */
        return 0;
    }
    int err = viewer_play(g->viewer, 0, NULL, NULL);
    if (err < 0)
        return err;
    viewer_go(g->viewer);
    g->sending = true;
    log_info("rtsp", "multicast to %s port %d begins", g->plan.group_text, g->plan.port);
    return 0;
}

void group_rest(struct rtsp_group *g)
{
    if (!g->sending || anybody_plays(g))
        return;
    viewer_pause(g->viewer);
    g->sending = false;
    log_info("rtsp", "multicast to %s port %d rests", g->plan.group_text, g->plan.port);
}

void group_leave(struct rtsp_track *t, bool bye)
{
    struct rtsp_group *g = t->group;
    t->group = NULL;
    t->viewer = NULL;
    if (--g->members) {
        group_rest(g);
        return;
    }
    if (g->sending)
        log_info("rtsp", "multicast to %s port %d ends", g->plan.group_text, g->plan.port);
    viewer_close(g->viewer, bye);
    list_remove(&g->in_door);
    free(g);
}
