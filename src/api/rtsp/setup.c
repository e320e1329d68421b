/* SETUP and PLAY. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/request.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "deliver/deliver.h"
#include "door.h"
#include "group.h"
#include "media/encode.h"
#include "media/pipeline.h"
#include "net/conn.h"
#include "net/multicast.h"
#include "net/udp.h"

#define TIMEOUT_MAX_S 3600

static const char *last_arg(const struct arg *args, size_t n, const char *name)
{
    while (n--)
        if (!strcmp(args[n].name, name))
            return args[n].value;
    return NULL;
}

/* ---- viewers of sessions over UDP ---- */

static void udp_alive(struct viewer *v, void *arg)
{
    rtsp_session_alive(arg);
}

static void udp_ended(struct viewer *v, int err, void *arg)
{
    struct rtsp_session *s = arg;
    struct rtsp_conn *c = s->conn;
    rtsp_session_end(s, err == -EPIPE ? "stream ended" : strerror(-err), err == -EPIPE);
    if (c && err == -EPIPE)
        rtsp_conn_close(c, "stream ended", true); /* so that the client describes again */
}

static void set_port(struct sockaddr_storage *a, int port)
{
    if (a->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)a)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)a)->sin_port = htons((uint16_t)port);
}

/* Two sessions never send to one port. One whose connection is gone has lost its client
 * if another asks for the port: it ends. False: the other one is alive. */
static bool clear_port(struct rtsp_session *s)
{
    list_for_each_safe(it, &s->door->sessions)
    {
        struct rtsp_session *other = container_of(it, struct rtsp_session, in_door);
        if (other == s || other->transport.tcp || strcmp(other->peer, s->peer) ||
            other->transport.rtp_port != s->transport.rtp_port)
            continue;
        if (other->conn)
            return false;
        rtsp_session_end(other, "its port was asked for anew", false);
    }
    return true;
}

/* Media goes to the address that the request came from, and to no other. */
static int open_udp(struct rtsp_session *s, struct viewer_desc *desc, int *ret_port,
                    struct fault *why)
{
    struct conn *c = s->conn->conn;
    struct sockaddr_storage local = {0};
    socklen_t len = sizeof(local);
    if (getsockname(conn_fd(c), (struct sockaddr *)&local, &len) < 0)
        return fault_set(why, FAULT_IO, NULL, "no local address: %s", strerror(errno));
    desc->framing = FRAMING_UDP;
    desc->to_len = len;
    memcpy(&desc->to_rtp, conn_peer(c), len);
    memcpy(&desc->to_rtcp, conn_peer(c), len);
    set_port(&desc->to_rtp, s->transport.rtp_port);
    set_port(&desc->to_rtcp, s->transport.rtcp_port);
    desc->rtcp = udp_alive;
    desc->ended = udp_ended;
    desc->arg = s;
    int err = udp_pair((struct sockaddr *)&local, len, UDP_PORT_FIRST, UDP_PORT_LAST,
                       desc->take_udp, ret_port, why);
    if (err < 0)
        return err;
    err = viewer_new(s->door->cam->deliver, desc, &s->viewer, why);
    if (err < 0) {
        close(desc->take_udp[0]);
        close(desc->take_udp[1]);
    }
    return err;
}

static int open_tcp(struct rtsp_session *s, const struct viewer_desc *desc, struct fault *why)
{
    struct rtsp_conn *c = s->conn;
    if (!c->viewer) {
        int err =
            rtsp_conn_to_viewer(c, false, &c->out, desc->user, desc->user_agent, desc->path, why);
        if (err < 0)
            return err;
        buf_done(&c->out); /* the viewer sends it */
    }
    s->viewer = c->viewer;
    c->tcp_session = s;
    return 0;
}

/* ---- SETUP ---- */

static bool same_kind(const struct rtsp_session *s, const struct transport *t)
{
    return s->transport.tcp == t->tcp && s->transport.multicast == t->multicast;
}

/* A SETUP inside a session that has its one track: 0 makes it anew. */
static int check_again(struct rtsp_request *r, const struct transport *t)
{
    struct rtsp_session *s = r->session;
    if (s->playing)
        return 455;
    if (strcmp(s->query, r->uri.query) || strcmp(s->base, r->uri.base))
        return 459;
    return same_kind(s, t) ? 0 : 461;
}

static int check_state(struct rtsp_request *r, const struct transport *t)
{
    struct rtsp_conn *c = r->conn;
    if (r->names_session && !r->session)
        return 454;
    if (r->uri.track > 0)
        return 404;
    if (r->session)
        return check_again(r, t);
    if (t->tcp && c->tcp_session)
        return 455; /* one interleaved session a connection */
    return c->sessions < SESSIONS_PER_CONNECTION ? 0 : 453;
}

static bool fill_session(struct rtsp_session *s, struct rtsp_request *r)
{
    const char *base = rtsp_base_url(r);
    const char *url = base ? arena_printf(r->ex->arena, "%s/stream=0%s%s", base,
                                          *r->uri.query ? "?" : "", r->uri.query)
                           : NULL;
    free(s->url);
    free(s->base);
    free(s->query);
    s->url = url ? strdup(url) : NULL;
    s->base = strdup(r->uri.base);
    s->query = strdup(r->uri.query);
    return s->url && s->base && s->query;
}

static int open_session(struct rtsp_request *r, struct rtsp_session *s, struct feed *take_feed,
                        int *ret_port, struct fault *why)
{
    const char *agent = message_header(r->ex->msg, "User-Agent");
    struct viewer_desc desc = {
        .cname = s->door->cname,
        .user = s->user,
        .user_agent = agent ? agent : "",
        .path = s->base,
    };
    if (s->transport.multicast)
        return group_join(s, take_feed, &desc, why);
    int err = s->transport.tcp ? open_tcp(s, &desc, why) : open_udp(s, &desc, ret_port, why);
    if (err < 0) {
        feed_close(take_feed);
        return err;
    }
    s->ssrc = stream_ssrc(feed_stream(take_feed));
    return viewer_add_track(s->viewer, 0, take_feed, s->transport.channel, why);
}

static void reply_setup(struct rtsp_request *r, int server_port)
{
    const struct rtsp_session *s = r->session;
    const struct transport *t = &s->transport;
    char text[256];
    if (s->group)
        snprintf(text, sizeof(text),
                 "Transport: RTP/AVP;multicast;destination=%s;source=%s;port=%d-%d;ttl=%d;"
                 "ssrc=%08X;mode=\"PLAY\"\r\n",
                 s->group->plan.group_text, s->group->plan.source_text, s->group->plan.port,
                 s->group->plan.port + 1, s->group->plan.hops, s->ssrc);
    else if (t->tcp)
        snprintf(text, sizeof(text),
                 "Transport: RTP/AVP/TCP;unicast;interleaved=%d-%d;ssrc=%08X;mode=\"PLAY\"\r\n",
                 t->channel, t->channel + 1, s->ssrc);
    else
        snprintf(text, sizeof(text),
                 "Transport: RTP/AVP;unicast;client_port=%d-%d;server_port=%d-%d;ssrc=%08X;"
                 "mode=\"PLAY\"\r\n",
                 t->rtp_port, t->rtcp_port, server_port, server_port + 1, s->ssrc);
    rtsp_reply(r, 200, text, NULL, NULL, 0);
}

/* What this connection and this address can be served with. */
static int pick_transport(struct rtsp_request *r, struct transport *ret)
{
    struct rtsp_conn *c = r->conn;
    char group[GROUP_ADDRESS_MAX + 1];
    struct sockaddr_storage address;
    bool datagrams = !c->websocket && !c->tunnel && !conn_secure(c->conn);
    group_address(c->door, group);
    /* where receivers must name the sender they need the description that does */
    bool any_source =
        !multicast_parse(group, "", &address, NULL) && !multicast_wants_source(&address);
    const struct transport_offer offer = {
        .unicast = !r->uri.source,
        .udp = datagrams && !r->uri.source,
        .peer = c->peer,
        .group = *group && datagrams && (r->uri.source || any_source) ? group : NULL,
    };
    return transport_pick(message_header(r->ex->msg, "Transport"), &offer, ret);
}

void rtsp_setup(struct rtsp_request *r)
{
    struct rtsp_conn *c = r->conn;
    struct camera *cam = c->door->cam;
    struct fault why = {0};
    struct transport t;
    struct arg *args;
    size_t n_args;
    struct encoding encoding;
    struct view_args view = {0};

    int status = pick_transport(r, &t);
    if (!status)
        status = check_state(r, &t);
    if (!status && rtsp_uri_args(r, &args, &n_args) < 0)
        status = 400;
    if (status) {
        rtsp_reply(r, status, "", NULL, NULL, 0);
        return;
    }
    if (request_encoding(cam, CODEC_H264, args, n_args, &encoding, &view, &why) < 0) {
        rtsp_reply_fault(r, &why);
        return;
    }
    int64_t timeout_s = SESSION_TIMEOUT_S;
    const char *asked = last_arg(args, n_args, "sessiontimeout");
    if (asked && text_int(asked, 0, TIMEOUT_MAX_S, &timeout_s) < 0) {
        fault_set(&why, FAULT_INVALID, "sessiontimeout", "must be 0 to %d", TIMEOUT_MAX_S);
        rtsp_reply_fault(r, &why);
        return;
    }
    struct feed *feed = NULL;
    if (pipeline_open(cam->pipeline, &encoding, &feed, &why) < 0) {
        rtsp_reply_fault(r, &why);
        return;
    }
    if (r->session) {
        rtsp_session_end(r->session, "set up again", false);
        r->session = NULL;
    }
    struct rtsp_session *s = rtsp_session_new(c, c->who.user, (int)timeout_s);
    if (s && !t.tcp && !t.multicast && (s->transport = t, !clear_port(s))) {
        feed_close(feed);
        rtsp_session_end(s, "port in use", false);
        rtsp_reply(r, 461, "", NULL, NULL, 0);
        return;
    }
    if (!s || (s->transport = t, !fill_session(s, r))) {
        feed_close(feed);
        if (s)
            rtsp_session_end(s, "out of memory", false);
        rtsp_reply(r, 503, "", NULL, NULL, 0);
        return;
    }
    int port = 0;
    if (open_session(r, s, feed, &port, &why) < 0) {
        rtsp_session_end(s, why.text, false);
        rtsp_reply_fault(r, &why);
        return;
    }
    r->session = s;
    reply_setup(r, port);
}

/* ---- PLAY ---- */

static bool range_is_bad(const char *range)
{
    static const char *const units[] = {"npt=", "clock=", "smpte="};
    if (!range)
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        size_t n = strlen(units[i]);
        if (!strncasecmp(range, units[i], n))
            return !range[n] ||
                   strspn(range + n, "0123456789:.-+TZnow ;=time") != strlen(range + n);
    }
    return true;
}

static void joined(struct viewer *v, const struct viewer_join *join, void *arg)
{
    struct rtsp_request *r = arg;
    struct rtsp_session *s = r->session;
    s->playing = true;
    log_info("rtsp", "%s of %s plays %s%s%s over %s; the first picture is %d ms old",
             *s->user ? s->user : "a viewer", s->peer, s->base, *s->query ? "?" : "", s->query,
             r->conn->websocket ? "WebSocket"
             : r->conn->tunnel  ? "HTTP"
             : s->transport.tcp ? "TCP"
                                : "UDP",
             (int)(join->picture_age_ns / NSEC_PER_MSEC));
    const char *headers =
        arena_printf(r->ex->arena, "RTP-Info: url=%s;seq=%u;rtptime=%u\r\nRange: npt=now-\r\n",
                     s->url, join->seq, join->rtp_time);
    /* The reply, then the first packet, then whatever else the client has sent. */
    struct rtsp_conn *c = r->conn;
    bool outer = c->in_process, tcp = s->transport.tcp;
    c->in_process = true;
    rtsp_reply(r, headers ? 200 : 500, headers ? headers : "", NULL, NULL, 0);
    if (!c->dead || !tcp)
        viewer_go(v);
    c->in_process = outer;
    rtsp_conn_process(c);
}

static void lost_patience(struct loop_timer *t)
{
    struct rtsp_request *r = container_of(t, struct rtsp_request, patience);
    struct fault why = {0};
    viewer_pause(r->session->viewer);
    fault_set(&why, FAULT_BUSY, NULL, "no picture came in time");
    rtsp_reply_fault(r, &why);
}

void rtsp_play(struct rtsp_request *r)
{
    struct rtsp_session *s = r->session;
    if (range_is_bad(message_header(r->ex->msg, "Range"))) {
        rtsp_reply(r, 457, "", NULL, NULL, 0);
        return;
    }
    if (s->playing) { /* live goes on */
        rtsp_reply(r, 200, "Range: npt=now-\r\n", NULL, NULL, 0);
        return;
    }
    if (s->group) { /* it waits for nobody's picture: others may see some already */
        s->playing = !group_play(s->group);
        rtsp_reply(r, s->playing ? 200 : 503, s->playing ? "Range: npt=now-\r\n" : "", NULL, NULL,
                   0);
        return;
    }
    r->conn->busy = r;
    r->patience = (struct loop_timer){.name = "rtsp play", .fire = lost_patience};
    loop_timer_in(s->door->cam->loop, &r->patience, FIRST_PICTURE_S * NSEC_PER_SEC);
    int err = viewer_play(s->viewer, 0, joined, r);
    if (err < 0)
        rtsp_reply(r, 503, "", NULL, NULL, 0);
}
