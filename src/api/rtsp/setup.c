/* SETUP and PLAY. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/request.h"
#include "back.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "deliver/deliver.h"
#include "door.h"
#include "group.h"
#include "media/encode.h"
#include "media/pipeline.h"
#include "media/sounds.h"
#include "mikey.h"
#include "net/conn.h"
#include "net/multicast.h"
#include "net/udp.h"
#include "sound/mouth.h"

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

/* Two tracks never send to one port. A session whose connection is gone has lost its client
 * if another asks for the port: it ends. False: the other one is alive. */
static bool clear_port(struct rtsp_session *s, const struct rtsp_track *t)
{
    list_for_each_safe(it, &s->door->sessions)
    {
        struct rtsp_session *other = container_of(it, struct rtsp_session, in_door);
        for (int i = 0; i < RTSP_TRACKS; i++) {
            const struct rtsp_track *o = &other->track[i];
            if (o == t || !o->set || other->tcp || strcmp(other->peer, s->peer) ||
                o->transport.rtp_port != t->transport.rtp_port)
                continue;
            if (other->conn)
                return false;
            rtsp_session_end(other, "its port was asked for anew", false);
            break;
        }
    }
    return true;
}

/* Media goes to the address that the request came from, and to no other. */
static int open_udp(struct rtsp_session *s, struct rtsp_track *t, struct viewer_desc *desc,
                    int *ret_port, struct fault *why)
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
    set_port(&desc->to_rtp, t->transport.rtp_port);
    set_port(&desc->to_rtcp, t->transport.rtcp_port);
    desc->rtcp = udp_alive;
    desc->ended = udp_ended;
    desc->arg = s;
    int err = udp_pair((struct sockaddr *)&local, len, UDP_PORT_FIRST, UDP_PORT_LAST,
                       desc->take_udp, ret_port, why);
    if (err < 0)
        return err;
    err = viewer_new(s->door->cam->deliver, desc, &t->viewer, why);
    if (err < 0) {
        close(desc->take_udp[0]);
        close(desc->take_udp[1]);
    }
    return err;
}

static int open_tcp(struct rtsp_session *s, struct rtsp_track *t, const struct viewer_desc *desc,
                    struct fault *why)
{
    struct rtsp_conn *c = s->conn;
    if (!c->viewer) {
        int err =
            rtsp_conn_to_viewer(c, false, &c->out, desc->user, desc->user_agent, desc->path, why);
        if (err < 0)
            return err;
        buf_done(&c->out); /* the viewer sends it */
    }
    t->viewer = c->viewer;
    c->tcp_session = s;
    return 0;
}

/* ---- SETUP ---- */

static int index_of(const struct rtsp_request *r)
{
    return r->uri.track < 0 ? 0 : r->uri.track;
}

/* A SETUP inside a session: of one more track, or anew of one that it has. */
static int check_again(struct rtsp_request *r, const struct transport *t)
{
    struct rtsp_session *s = r->session;
    if (s->playing)
        return 455;
    if (strcmp(s->query, r->uri.query) || strcmp(s->base, r->uri.base))
        return 459;
    return s->tcp == t->tcp && s->multicast == t->multicast ? 0 : 461;
}

static int check_state(struct rtsp_request *r, const struct transport *t)
{
    struct rtsp_conn *c = r->conn;
    if (r->names_session && !r->session)
        return 454;
    if (index_of(r) >= RTSP_TRACKS)
        return 404;
    if (r->session)
        return check_again(r, t);
    if (t->tcp && c->tcp_session)
        return 455; /* one interleaved session a connection */
    return c->sessions < SESSIONS_PER_CONNECTION ? 0 : 453;
}

static bool channels_free(const struct rtsp_session *s, const struct rtsp_track *t, int channel)
{
    for (int i = 0; i < RTSP_TRACKS; i++) {
        const struct rtsp_track *o = &s->track[i];
        if (o != t && o->set && abs(o->transport.channel - channel) < 2)
            return false;
    }
    return true;
}

/* Interleaved channels of two tracks must differ; who named none, or another's, gets free ones:
 * each track takes from at most two of the pairs, so there are some among the first. */
static void choose_channel(struct rtsp_session *s, struct rtsp_track *t)
{
    for (int next = 0; !channels_free(s, t, t->transport.channel); next += 2)
        t->transport.channel = next;
}

static bool fill_session(struct rtsp_session *s, struct rtsp_track *t, struct rtsp_request *r)
{
    const char *base = rtsp_base_url(r);
    const char *url = base ? arena_printf(r->ex->arena, "%s/stream=%d%s%s", base, index_of(r),
                                          *r->uri.query ? "?" : "", r->uri.query)
                           : NULL;
    t->url = url ? strdup(url) : NULL;
    if (!s->base)
        s->base = strdup(r->uri.base);
    if (!s->query)
        s->query = strdup(r->uri.query);
    return t->url && s->base && s->query;
}

static int open_track(struct rtsp_request *r, struct rtsp_session *s, struct rtsp_track *t,
                      struct feed *take_feed, int *ret_port, struct fault *why)
{
    const char *agent = message_header(r->ex->msg, "User-Agent");
    struct viewer_desc desc = {
        .cname = s->door->cname,
        .user = s->user,
        .user_agent = agent ? agent : "",
        .path = s->base,
        .secret = t->transport.srtp,
    };
    if (s->multicast)
        return group_join(s, t, take_feed, &desc, why);
    int err = s->tcp ? open_tcp(s, t, &desc, why) : open_udp(s, t, &desc, ret_port, why);
    if (err < 0) {
        feed_close(take_feed);
        return err;
    }
    t->ssrc = stream_ssrc(feed_stream(take_feed));
    int at = s->tcp ? index_of(r) : 0;
    err = viewer_add_track(t->viewer, at, take_feed, t->transport.channel, why);
    if (err < 0 || !t->transport.srtp)
        return err;
    r->conn->srtp_fresh[index_of(r)] = false;
    err = viewer_secure_track(t->viewer, at, &r->conn->srtp_key[index_of(r)], r->theirs);
    if (r->theirs)
        explicit_bzero(r->theirs, sizeof(*r->theirs));
    return err < 0 ? fault_set(why, FAULT_INTERNAL, NULL, "out of memory") : 0;
}

/* The client's voice: over TCP it comes through the connection, else to ports of its own. */
static int open_back(struct rtsp_request *r, struct rtsp_session *s, struct rtsp_track *t,
                     int *ret_port, struct fault *why)
{
    const char *agent = message_header(r->ex->msg, "User-Agent");
    const struct viewer_desc desc = {
        .user = s->user, .user_agent = agent ? agent : "", .path = s->base};
    struct sockaddr_storage local = {0};
    socklen_t len = sizeof(local);
    t->back = rtsp_back_new(s);
    if (!t->back)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    if (s->tcp)
        return open_tcp(s, t, &desc, why);
    if (getsockname(conn_fd(s->conn->conn), (struct sockaddr *)&local, &len) < 0)
        return fault_set(why, FAULT_IO, NULL, "no local address: %s", strerror(errno));
    return rtsp_back_listen(t->back, &local, len, ret_port, why);
}

static void reply_setup(struct rtsp_request *r, const struct rtsp_track *track, int server_port)
{
    const struct rtsp_group *g = track->group;
    const struct transport *t = &track->transport;
    char text[256];
    if (g)
        snprintf(text, sizeof(text),
                 "Transport: RTP/AVP;multicast;destination=%s;source=%s;port=%d-%d;ttl=%d;"
                 "ssrc=%08X;mode=\"PLAY\"\r\n",
                 g->plan.group_text, g->plan.source_text, g->plan.port, g->plan.port + 1,
                 g->plan.hops, track->ssrc);
    else if (t->tcp)
        snprintf(text, sizeof(text),
                 "Transport: RTP/%s/TCP;unicast;interleaved=%d-%d;ssrc=%08X;mode=\"PLAY\"\r\n",
                 t->savp ? "SAVP" : "AVP", t->channel, t->channel + 1, track->ssrc);
    else
        snprintf(text, sizeof(text),
                 "Transport: RTP/%s;unicast;client_port=%d-%d;server_port=%d-%d;ssrc=%08X;"
                 "mode=\"PLAY\"\r\n",
                 t->savp ? "SAVP" : "AVP", t->rtp_port, t->rtcp_port, server_port, server_port + 1,
                 track->ssrc);
    rtsp_reply(r, 200, text, NULL, NULL, 0);
}

/* What this connection and this address can be served with. */
static int pick_transport(struct rtsp_request *r, bool srtp, struct transport *ret)
{
    struct rtsp_conn *c = r->conn;
    char group[GROUP_ADDRESS_MAX + 1];
    struct sockaddr_storage address;
    bool datagrams = !c->websocket && !c->tunnel && (!conn_secure(c->conn) || srtp);
    group_address(c->door, group);
    /* where receivers must name the sender they need the description that does */
    bool any_source =
        !multicast_parse(group, "", &address, NULL) && !multicast_wants_source(&address);
    const struct transport_offer offer = {
        .unicast = !r->uri.source,
        .udp = datagrams && !r->uri.source,
        .srtp = srtp,
        .peer = c->peer,
        .group = *group && datagrams && !srtp && (r->uri.source || any_source) ? group : NULL,
    };
    return transport_pick(message_header(r->ex->msg, "Transport"), &offer, ret);
}

/* The session is made, or gets one more track: of a feed, or (NULL) the back channel. A failure
 * leaves no session behind that has none. */
static void setup_track(struct rtsp_request *r, const struct transport *transport,
                        struct feed *take_feed, int timeout_s)
{
    struct fault why = {0};
    struct rtsp_session *s = r->session;
    bool fresh = !s;
    if (fresh && (s = rtsp_session_new(r->conn, r->conn->who.user, timeout_s))) {
        s->tcp = transport->tcp;
        s->multicast = transport->multicast;
    }
    if (!s) {
        feed_close(take_feed);
        rtsp_reply(r, 503, "", NULL, NULL, 0);
        return;
    }
    struct rtsp_track *t = &s->track[index_of(r)];
    rtsp_track_clear(s, t, false);
    t->transport = *transport;
    if (s->tcp)
        choose_channel(s, t);
    int status = 0, port = 0;
    if (!s->tcp && !s->multicast && !clear_port(s, t))
        status = 461;
    else if (!fill_session(s, t, r))
        status = 503;
    if (status)
        feed_close(take_feed);
    else if ((take_feed ? open_track(r, s, t, take_feed, &port, &why)
                        : open_back(r, s, t, &port, &why)) < 0)
        status = -1;
    if (!status) {
        t->set = true;
        r->session = s;
        reply_setup(r, t, port);
        return;
    }
    if (fresh)
        rtsp_session_end(s, status < 0 ? why.text : "not set up", false);
    else
        rtsp_track_clear(s, t, false);
    if (status < 0)
        rtsp_reply_fault(r, &why);
    else
        rtsp_reply(r, status, "", NULL, NULL, 0);
}

static void setup_back(struct rtsp_request *r, const struct transport *t, int timeout_s)
{
    struct mouth_state mouth;
    mouth_state(r->conn->door->cam->mouth, &mouth);
    if (t->multicast || t->srtp) /* one alone talks to us; keys for the way back there are none */
        rtsp_reply(r, 461, "", NULL, NULL, 0);
    else if (mouth.talking)
        rtsp_reply(r, 453, "", NULL, NULL, 0);
    else
        setup_track(r, t, NULL, timeout_s);
}

/* The key of the client's reports, if it tells one (RFC 4567). 0, or the status. */
static int read_their_key(struct rtsp_request *r)
{
    const char *header = message_header(r->ex->msg, "KeyMgmt");
    if (!header)
        return 0;
    r->theirs = arena_alloc(r->ex->arena, sizeof(*r->theirs));
    return !r->theirs ? 503 : mikey_read_header(header, r->theirs) < 0 ? 463 : 0;
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

    int status = rtsp_uri_args(r, &args, &n_args) < 0 ? 400 : 0;
    enum srtp_wish srtp = SRTP_NO;
    if (!status && rtsp_srtp_wish(c, args, n_args, &srtp, &why) < 0) {
        rtsp_reply_fault(r, &why);
        return;
    }
    if (!status)
        status = pick_transport(r, srtp, &t);
    if (!status)
        status = check_state(r, &t);
    if (!status && srtp && !c->srtp_fresh[index_of(r)])
        status = 455; /* each description has keys of its own, for one set-up */
    if (!status && srtp)
        status = read_their_key(r);
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
    enum rtsp_medium medium = rtsp_medium_of(c->door, &view, index_of(r));
    if (medium == MEDIUM_NONE) {
        rtsp_reply(r, 404, "", NULL, NULL, 0);
        return;
    }
    struct feed *feed = NULL;
    if (medium == MEDIUM_BACK) {
        setup_back(r, &t, (int)timeout_s);
        return;
    }
    if ((medium == MEDIUM_SOUND ? sounds_open(cam->sounds, &view.sound, &feed, &why)
                                : pipeline_open(cam->pipeline, &encoding, &feed, &why)) < 0) {
        rtsp_reply_fault(r, &why);
        return;
    }
    t.srtp = srtp;
    setup_track(r, &t, feed, (int)timeout_s);
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

static void reply_play(struct rtsp_request *r)
{
    struct rtsp_session *s = r->session;
    s->playing = true;
    log_info("rtsp", "%s of %s plays %s%s%s over %s; the first picture is %d ms old",
             *s->user ? s->user : "a viewer", s->peer, s->base, *s->query ? "?" : "", s->query,
             r->conn->websocket ? "WebSocket"
             : r->conn->tunnel  ? "HTTP"
             : s->tcp           ? "TCP"
                                : "UDP",
             (int)(r->join[rtsp_session_first(s) - s->track].picture_age_ns / NSEC_PER_MSEC));
    BUF(headers, 8192);
    struct viewer *go[RTSP_TRACKS];
    int n = 0, n_go = 0;
    for (int i = 0; i < RTSP_TRACKS; i++) {
        if (!s->track[i].set || !s->track[i].viewer)
            continue;
        if (s->track[i].back) {
            go[n_go++] = s->track[i].viewer;
            continue;
        }
        buf_addf(&headers, "%surl=%s;seq=%u;rtptime=%u", n ? "," : "RTP-Info: ", s->track[i].url,
                 r->join[i].seq, r->join[i].rtp_time);
        go[n_go++] = s->track[i].viewer;
        n++;
    }
    buf_adds(&headers, n ? "\r\nRange: npt=now-\r\n" : "Range: npt=now-\r\n");
    /* The reply, then the first packet, then whatever else the client has sent. */
    struct rtsp_conn *c = r->conn;
    bool outer = c->in_process, tcp = s->tcp;
    c->in_process = true;
    rtsp_reply(r, headers.err ? 500 : 200, headers.err ? "" : buf_str(&headers), NULL, NULL, 0);
    for (int i = 0; i < n_go && (!c->dead || !tcp); i++)
        viewer_go(go[i]);
    c->in_process = outer;
    rtsp_conn_process(c);
}

static void lost_patience(struct loop_timer *t)
{
    struct rtsp_request *r = container_of(t, struct rtsp_request, patience);
    struct fault why = {0};
    rtsp_session_pause(r->session);
    fault_set(&why, FAULT_BUSY, NULL, "no picture came in time");
    rtsp_reply_fault(r, &why);
}

static void play_next(struct rtsp_request *r);

static void joined(struct viewer *v, const struct viewer_join *join, void *arg)
{
    struct rtsp_request *r = arg;
    r->join[r->playing++] = *join;
    play_next(r);
}

/* Pictures first: they may keep one waiting. */
static void play_next(struct rtsp_request *r)
{
    struct rtsp_session *s = r->session;
    while (r->playing < RTSP_TRACKS && (!s->track[r->playing].set || s->track[r->playing].back))
        r->playing++;
    if (r->playing == RTSP_TRACKS) {
        reply_play(r);
        return;
    }
    if (viewer_play(s->track[r->playing].viewer, s->tcp ? r->playing : 0, joined, r) < 0) {
        rtsp_session_pause(s);
        rtsp_reply(r, 503, "", NULL, NULL, 0);
    }
}

/* It waits for nobody's picture: others may see some already. */
static void play_groups(struct rtsp_request *r)
{
    struct rtsp_session *s = r->session;
    s->playing = true;
    for (int i = 0; i < RTSP_TRACKS && s->playing; i++)
        if (s->track[i].group)
            s->playing = !group_play(s->track[i].group);
    if (!s->playing)
        rtsp_session_pause(s);
    rtsp_reply(r, s->playing ? 200 : 503, s->playing ? "Range: npt=now-\r\n" : "", NULL, NULL, 0);
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
    if (s->multicast) {
        play_groups(r);
        return;
    }
    r->conn->busy = r;
    r->patience = (struct loop_timer){.name = "rtsp play", .fire = lost_patience};
    loop_timer_in(s->door->cam->loop, &r->patience, FIRST_PICTURE_S * NSEC_PER_SEC);
    play_next(r);
}
