/* The control loop's side: making and ending viewers, giving orders, hearing news. */
#include "deliver/deliver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/fault.h"
#include "base/log.h"
#include "deliver/private.h"
#include "media/pipeline.h"
#include "net/conn.h"
#include "net/limits.h"

#define SEND_BUFFER_BYTES (512 << 10) /* holds a key picture */
#define RECEIVED_BYTES (READ_PAUSE_BYTES + LIMIT_WS_MESSAGE + (64 << 10))
#define TEXT_MAX 255

struct deliver *deliver_new(struct loop *control, unsigned senders)
{
    unsigned n = senders ? senders : cpu_cores();
    if (n > 64)
        n = 64;
    struct deliver *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->control = control;
    d->clock = loop_clock(control);
    d->max_viewers = LIMIT_VIEWERS;
    list_init(&d->live);
    list_init(&d->dying);
    list_init(&d->guests);
    d->senders = calloc(n, sizeof(*d->senders));
    for (unsigned i = 0; d->senders && i < n; i++) {
        if (sender_start(&d->senders[i], d, i) < 0)
            break;
        d->n_senders++;
    }
    if (!d->n_senders)
        return deliver_free(d);
    return d;
}

static void viewer_destroy(struct viewer *v)
{
    loop_post_cancel(v->d->control, &v->to_control);
    list_remove(&v->in_deliver);
    buf_done(&v->orders.out);
    buf_done(&v->news.in);
    pthread_mutex_destroy(&v->lock);
    free((char *)(uintptr_t)v->desc.cname);
    free((char *)(uintptr_t)v->desc.user);
    free((char *)(uintptr_t)v->desc.user_agent);
    free((char *)(uintptr_t)v->desc.path);
    free(v);
}

struct deliver *deliver_free(struct deliver *d)
{
    if (!d)
        return NULL;
    list_for_each_safe(it, &d->live)
        viewer_close(container_of(it, struct viewer, in_deliver), false);
    for (unsigned i = 0; i < d->n_senders; i++) {
        struct sender *s = &d->senders[i];
        loop_post(s->loop, &s->stop); /* behind the orders to close */
        pthread_join(s->thread, NULL);
        loop_free(s->loop);
    }
    list_for_each_safe(it, &d->dying) viewer_destroy(container_of(it, struct viewer, in_deliver));
    free(d->senders);
    free(d);
    return NULL;
}

void deliver_set_limits(struct deliver *d, unsigned viewers)
{
    d->max_viewers = viewers;
}

unsigned deliver_viewers(struct deliver *d)
{
    return d->n_viewers;
}

bool deliver_is_full(const struct deliver *d)
{
    return d->n_viewers >= d->max_viewers;
}

int deliver_add_guest(struct deliver *d, struct guest *g, struct fault *why)
{
    if (deliver_is_full(d))
        return fault_set(why, FAULT_LIMIT, "viewers", "%u viewers is the limit", d->max_viewers);
    g->deliver = d;
    d->n_viewers++;
    list_append(&d->guests, &g->in_deliver);
    return 0;
}

void deliver_remove_guest(struct guest *g)
{
    g->deliver->n_viewers--;
    list_remove(&g->in_deliver);
}

/* ---- orders ---- */

static void orders_given(struct viewer *v)
{
    __atomic_store_n(&v->dirty, true, __ATOMIC_RELEASE);
    loop_post(v->s->loop, &v->to_sender);
}

static void aim_drop(struct aim *a)
{
    if (a->cursor)
        a->cursor->ops->close(a->cursor);
    packet_unref(a->first);
    stream_unref(a->stream);
    srtp_unref(a->srtp);
    *a = (struct aim){.epoch = a->epoch};
}

/* Replaces what the sender should do with a track; aim NULL: nothing. */
static void aim_at(struct viewer *v, int i, const struct aim *take_aim)
{
    pthread_mutex_lock(&v->lock);
    struct aim old = v->orders.aims[i];
    v->orders.aims[i] = take_aim ? *take_aim : (struct aim){0};
    v->orders.aims[i].epoch = old.epoch + 1;
    v->news.ready[i] = false;
    pthread_mutex_unlock(&v->lock);
    aim_drop(&old);
}

static void let_go_track(struct viewer *v, int i, bool bye)
{
    struct track *t = &v->tracks[i];
    if (!t->feed)
        return;
    uint8_t rtcp[RTCP_MAX];
    const struct rtcp_source src = {stream_ssrc(feed_stream(t->feed)), v->desc.cname};
    /* encrypted reports are numbered by the sender loop alone */
    size_t len = bye && t->played && !t->srtp ? rtcp_bye(rtcp, &src) : 0;
    t->played = false;
    aim_at(v, i, NULL);
    if (len && v->desc.framing == FRAMING_UDP) {
        (void)!sendto(v->desc.take_udp[1], rtcp, len, MSG_DONTWAIT | MSG_NOSIGNAL,
                      (const struct sockaddr *)&v->desc.to_rtcp, v->desc.to_len);
    } else if (len && framing_is_rtp(v->desc.framing)) {
        pthread_mutex_lock(&v->lock);
        frame_rtcp(&v->orders.out, v->desc.framing, t->channel, rtcp, len);
        pthread_mutex_unlock(&v->lock);
    }
    t->feed = feed_close(t->feed);
    t->srtp = srtp_unref(t->srtp);
}

static void let_go(struct viewer *v, bool bye)
{
    for (int i = 0; i < MAX_TRACKS; i++)
        let_go_track(v, i, bye);
}

struct viewer *viewer_close(struct viewer *v, bool bye)
{
    if (!v || v->closed)
        return NULL;
    v->closed = true;
    v->d->n_viewers--;
    v->s->viewers--;
    list_remove(&v->in_deliver);
    list_append(&v->d->dying, &v->in_deliver);
    let_go(v, bye);
    pthread_mutex_lock(&v->lock);
    v->orders.going = false;
    v->orders.close = true;
    pthread_mutex_unlock(&v->lock);
    orders_given(v);
    return NULL;
}

void viewer_drop_track(struct viewer *v, int track, bool bye)
{
    bool others = false;
    for (int i = 0; i < MAX_TRACKS; i++)
        others = others || (i != track && v->tracks[i].feed);
    pthread_mutex_lock(&v->lock);
    v->orders.going = v->orders.going && others;
    pthread_mutex_unlock(&v->lock);
    let_go_track(v, track, bye);
    orders_given(v);
}

void viewer_pause(struct viewer *v)
{
    pthread_mutex_lock(&v->lock);
    v->orders.going = false;
    pthread_mutex_unlock(&v->lock);
    for (int i = 0; i < MAX_TRACKS; i++)
        aim_at(v, i, NULL);
    orders_given(v);
}

void viewer_go(struct viewer *v)
{
    pthread_mutex_lock(&v->lock);
    v->orders.going = true;
    pthread_mutex_unlock(&v->lock);
    orders_given(v);
}

void viewer_request_key(struct viewer *v)
{
    for (int i = 0; i < MAX_TRACKS; i++)
        if (v->tracks[i].feed)
            feed_request_key(v->tracks[i].feed);
}

int viewer_send(struct viewer *v, const void *bytes, size_t len)
{
    if (v->desc.framing == FRAMING_UDP)
        return -ENOTSUP;
    pthread_mutex_lock(&v->lock);
    bool fits = v->orders.out.len + len <= LIMIT_QUEUE_BYTES;
    if (fits)
        frame_control(&v->orders.out, v->desc.framing, bytes, len);
    int err = fits ? v->orders.out.err : -EMSGSIZE;
    pthread_mutex_unlock(&v->lock);
    if (!err)
        orders_given(v);
    return err;
}

int viewer_add_track(struct viewer *v, int track, struct feed *take_feed, int channel,
                     struct fault *why)
{
    if (track < 0 || track >= MAX_TRACKS || v->tracks[track].feed || channel < 0 || channel > 254) {
        feed_close(take_feed);
        return fault_set(why, FAULT_INVALID, "track", "no such track or channel");
    }
    v->tracks[track].feed = take_feed;
    v->tracks[track].channel = channel;
    return 0;
}

int viewer_secure_track(struct viewer *v, int track, const struct srtp_key *key,
                        const struct srtp_key *theirs)
{
    struct track *t = &v->tracks[track];
    srtp_unref(t->srtp);
    t->srtp = srtp_new(key);
    return !t->srtp ? -ENOMEM : theirs ? srtp_hear_with(t->srtp, theirs) : 0;
}

static int64_t frame_time(struct stream *s)
{
    struct stream_format f;
    stream_get_format(s, &f);
    return (int64_t)((double)NSEC_PER_SEC / (f.fps >= 1 && f.fps <= 240 ? f.fps : 30));
}

int viewer_play(struct viewer *v, int track,
                void (*ready)(struct viewer *v, const struct viewer_join *join, void *arg),
                void *arg)
{
    struct track *t = &v->tracks[track];
    if (!t->feed)
        return -EINVAL;
    struct stream *s = feed_stream(t->feed);
    struct cursor *c = stream_cursor(s);
    if (!c)
        return -ENOMEM;
    struct packet *p = NULL;
    uint64_t lost;
    int err = cursor_next(c, &p, &lost);
    if (err < 0 && err != -EAGAIN) {
        c->ops->close(c);
        return err;
    }
    int64_t age_ns = p ? clock_now(v->d->clock) - p->time_ns : 0;
    if (p && (!(p->flags & PACKET_KEY) || age_ns > BEHIND_NS))
        p = packet_unref(p);
    struct viewer_join join = {.ssrc = stream_ssrc(s), .picture_age_ns = age_ns};
    if (p) {
        join.seq = p->rtp_seq;
        join.rtp_time = stream_rtp_time(s, p->time_ns, stream_clock_hz(s));
    } else {
        feed_request_key(t->feed);
    }
    t->played = true;
    t->ready = p ? NULL : ready;
    t->ready_arg = arg;
    const struct aim aim = {
        .cursor = c,
        .first = p,
        .stream = stream_ref(s),
        .srtp = t->srtp ? srtp_ref(t->srtp) : NULL,
        .channel = t->channel,
        .frame_ns = frame_time(s),
    };
    bool at_once = p != NULL;
    if (at_once && track == 0)
        v->first_age_ns = age_ns;
    aim_at(v, track, &aim);
    orders_given(v);
    if (at_once && ready)
        ready(v, &join, arg);
    return 0;
}

/* ---- news ---- */

static void hear_report(struct viewer *v, const struct rtcp_news *news)
{
    if (!news->report)
        return;
    v->loss_fraction = news->loss_fraction;
    v->reports++;
}

bool viewer_rtcp_in(struct viewer *v, int track, const uint8_t *bytes, size_t len)
{
    struct track *t = &v->tracks[track];
    struct rtcp_news news;
    uint8_t clear[LIMIT_INTERLEAVED_BYTES];
    if (t->srtp) {
        if (len > sizeof(clear))
            return false;
        memcpy(clear, bytes, len);
        len = srtp_hear_report(t->srtp, clear, len);
        bytes = clear;
    }
    if (!t->feed || !rtcp_read(bytes, len, stream_ssrc(feed_stream(t->feed)), &news))
        return false;
    hear_report(v, &news);
    if (news.key_wanted)
        feed_request_key(t->feed);
    return true;
}

static void hear_ready(struct viewer *v, int i, unsigned epoch, const struct viewer_join *join)
{
    struct track *t = &v->tracks[i];
    pthread_mutex_lock(&v->lock);
    bool current = epoch == v->orders.aims[i].epoch;
    pthread_mutex_unlock(&v->lock);
    if (current && i == 0)
        v->first_age_ns = join->picture_age_ns;
    if (!current || !t->ready)
        return;
    void (*ready)(struct viewer * v, const struct viewer_join *join, void *arg) = t->ready;
    t->ready = NULL;
    ready(v, join, t->ready_arg);
}

static void hear_end(struct viewer *v, bool eof, int err)
{
    if (eof && v->desc.received)
        v->desc.received(v, NULL, 0, v->desc.arg);
    else if (v->desc.ended)
        v->desc.ended(v, err, v->desc.arg);
    else
        viewer_close(v, true);
}

static void told(struct loop_post *p)
{
    struct viewer *v = container_of(p, struct viewer, to_control);
    __typeof__(v->news) n;
    pthread_mutex_lock(&v->lock);
    n = v->news;
    memset(&v->news, 0, sizeof(v->news));
    buf_init(&v->news.in, RECEIVED_BYTES);
    v->news.gone = n.gone;
    if (n.paused)
        v->orders.resume = true;
    pthread_mutex_unlock(&v->lock);
    if (n.gone) {
        buf_done(&n.in);
        viewer_destroy(v);
        return;
    }
    if (n.rtcp && !v->closed) {
        v->loss_fraction = n.reports ? n.loss_fraction : v->loss_fraction;
        v->reports += n.reports;
        if (v->desc.rtcp)
            v->desc.rtcp(v, v->desc.arg);
    }
    for (int i = 0; i < MAX_TRACKS; i++) {
        if (n.key_wanted && !v->closed && v->tracks[i].feed)
            feed_request_key(v->tracks[i].feed);
        if (n.ready[i] && !v->closed)
            hear_ready(v, i, n.ready_epoch[i], &n.join[i]);
    }
    if (n.in.len && !v->closed)
        v->desc.received(v, (const uint8_t *)n.in.data, n.in.len, v->desc.arg);
    if (n.ended && !v->closed)
        hear_end(v, n.eof, n.err);
    buf_done(&n.in);
    if (n.paused && !v->closed)
        orders_given(v);
}

/* ---- viewers ---- */

static char *keep_text(const char *s)
{
    return strndup(s ? s : "", TEXT_MAX);
}

static void address_of(const struct sockaddr *a, char *ret, size_t size, int *ret_port)
{
    if (a->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)a;
        inet_ntop(AF_INET, &in->sin_addr, ret, (socklen_t)size);
        *ret_port = ntohs(in->sin_port);
    } else if (a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)a;
        inet_ntop(AF_INET6, &in->sin6_addr, ret, (socklen_t)size);
        *ret_port = ntohs(in->sin6_port);
    }
}

static void prepare_tcp(struct conn *c)
{
    int on = 1, ms = LIMIT_WRITE_STALL_MS;
    setsockopt(conn_fd(c), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(conn_fd(c), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
    conn_set_send_buffer(c, SEND_BUFFER_BYTES);
    fcntl(conn_fd(c), F_SETFL, fcntl(conn_fd(c), F_GETFL) | O_NONBLOCK); /* pages.h */
}

static int prepare_udp(struct viewer *v, struct fault *why)
{
    int bytes = SEND_BUFFER_BYTES, few = 16 << 10;
    setsockopt(v->desc.take_udp[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    setsockopt(v->desc.take_udp[0], SOL_SOCKET, SO_RCVBUF, &few, sizeof(few));
    setsockopt(v->desc.take_udp[1], SOL_SOCKET, SO_RCVBUF, &few, sizeof(few));
    /* connected: the route is looked up once, and nobody else's packets come in */
    if (connect(v->desc.take_udp[0], (const struct sockaddr *)&v->desc.to_rtp, v->desc.to_len) < 0)
        return fault_set(why, FAULT_IO, NULL, "no way to the client: %s", strerror(errno));
    v->rtcp_fd = (struct loop_fd){
        .fd = v->desc.take_udp[1], .events = EPOLLIN, .name = "rtcp", .ready = receive_rtcp};
    return 0;
}

int viewer_new(struct deliver *d, const struct viewer_desc *desc, struct viewer **ret_v,
               struct fault *why)
{
    if (deliver_is_full(d))
        return fault_set(why, FAULT_LIMIT, "viewers", "%u viewers is the limit", d->max_viewers);
    struct viewer *v = calloc(1, sizeof(*v));
    if (!v)
        return fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    v->d = d;
    v->first_age_ns = -1;
    v->zero_ns = -1;
    pthread_mutex_init(&v->lock, NULL);
    v->desc = *desc;
    v->desc.cname = keep_text(desc->cname);
    v->desc.user = keep_text(desc->user);
    v->desc.user_agent = keep_text(desc->user_agent);
    v->desc.path = keep_text(desc->path);
    buf_init(&v->orders.out, LIMIT_QUEUE_BYTES + 1024);
    buf_init(&v->ctl, LIMIT_QUEUE_BYTES + 2048);
    buf_init(&v->news.in, RECEIVED_BYTES);
    v->to_sender = (struct loop_post){.name = "viewer's orders", .run = sender_obey};
    v->to_control = (struct loop_post){.name = "viewer's news", .run = told};
    v->pace = (struct loop_timer){.name = "paced picture", .fire = pump_paced};
    for (int i = 0; i < MAX_TRACKS; i++) {
        v->tracks[i].v = v;
        v->tracks[i].index = i;
    }
    int err = 0;
    if (!v->desc.cname || !v->desc.user || !v->desc.user_agent || !v->desc.path)
        err = fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    else if (desc->framing == FRAMING_UDP)
        err = prepare_udp(v, why);
    if (!err && desc->pending_len && buf_add(&v->orders.out, desc->pending, desc->pending_len) < 0)
        err = fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
    if (!err && desc->framing == FRAMING_MULTIPART)
        buf_adds(&v->orders.out, "--myboundary\r\n");
    if (err < 0) {
        viewer_destroy(v);
        return err;
    }
    if (desc->framing == FRAMING_UDP) {
        address_of((const struct sockaddr *)&desc->to_rtp, v->peer, sizeof(v->peer), &v->peer_port);
    } else {
        v->conn = desc->take_conn;
        address_of(conn_peer(v->conn), v->peer, sizeof(v->peer), &v->peer_port);
        prepare_tcp(v->conn);
    }
    v->s = &d->senders[0];
    for (unsigned i = 1; i < d->n_senders; i++)
        if (d->senders[i].viewers < v->s->viewers)
            v->s = &d->senders[i];
    v->s->viewers++;
    d->n_viewers++;
    list_append(&d->live, &v->in_deliver);
    *ret_v = v;
    orders_given(v);
    return 0;
}

struct conn *viewer_conn(const struct viewer *v)
{
    return v->desc.framing == FRAMING_UDP ? NULL : v->desc.take_conn;
}

static bool is_multicast(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET6
               ? IN6_IS_ADDR_MULTICAST(&((const struct sockaddr_in6 *)a)->sin6_addr)
               : IN_MULTICAST(ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr));
}

void deliver_each_viewer(struct deliver *d, void (*each)(const struct viewer_stats *s, void *arg),
                         void *arg)
{
    static const char *const transports[] = {
        [FRAMING_INTERLEAVED] = "TCP",  [FRAMING_WEBSOCKET] = "WebSocket",
        [FRAMING_MULTIPART] = "HTTP",   [FRAMING_MP4] = "HTTP",
        [FRAMING_MATROSKA] = "HTTP",    [FRAMING_SOUND] = "HTTP",
        [FRAMING_SOUND_PARTS] = "HTTP", [FRAMING_UDP] = "UDP",
    };
    list_for_each(it, &d->live)
    {
        const struct viewer *v = container_of(it, struct viewer, in_deliver);
        struct viewer_stats s = {
            .user = v->desc.user,
            .user_agent = v->desc.user_agent,
            .path = v->desc.path,
            .transport = transports[v->desc.framing],
            .peer_port = v->peer_port,
            .pictures = __atomic_load_n(&v->pictures, __ATOMIC_RELAXED),
            .packets = __atomic_load_n(&v->rtp_packets, __ATOMIC_RELAXED),
            .bytes = __atomic_load_n(&v->bytes, __ATOMIC_RELAXED),
            .lost_pictures = __atomic_load_n(&v->lost, __ATOMIC_RELAXED),
            .loss_fraction = v->loss_fraction,
            .first_age_ns = v->first_age_ns,
            .reports = v->reports,
            .encrypted = v->tracks[0].srtp ||
                         (v->desc.framing != FRAMING_UDP && conn_secure(v->desc.take_conn)),
            .multicast = v->desc.framing == FRAMING_UDP && is_multicast(&v->desc.to_rtp),
        };
        for (int i = 0; i < MAX_TRACKS; i++)
            s.feeds[i] = v->tracks[i].feed;
        memcpy(s.peer, v->peer, sizeof(s.peer));
        each(&s, arg);
    }
    list_for_each(it, &d->guests) each(&container_of(it, struct guest, in_deliver)->stats, arg);
}
