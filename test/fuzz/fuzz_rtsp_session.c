/* The whole RTSP door, its connections and sessions, against hostile bytes. The rooms
 * below it are stand-ins: everybody is a viewer, there is one stream, media never flows.
 * First byte: 1 logins fail, 2 no picture yet, 4 viewers are full, 8 as a WebSocket,
 * 16 the multicast group wants a source, 32 its port is fixed.
 * Byte 0x1e: let the camera answer; the id 0123456789abcdef stands for the newest session. */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/gate.h"
#include "api/request.h"
#include "api/rtsp/door.h"
#include "api/rtsp/group.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "conf/param.h"
#include "deliver/deliver.h"
#include "device/ports.h"
#include "fuzz.h"
#include "media/pipeline.h"
#include "media/sounds.h"
#include "net/conn.h"
#include "net/udp.h"
#include "sound/ear.h"
#include "sound/mouth.h"
#include "sound/settings.h"
#include "system/identity.h"

static uint8_t flags;
static struct clock *clock_;
static struct loop *loop;
static struct stream *stream, *sound;
static int open_feeds, open_viewers;

/* ---- stand-ins ---- */

int gate_admit(struct gate *g, struct exchange *ex)
{
    assert(ex->path && ex->query && ex->method && ex->conn && ex->body);
    if (flags & 1) {
        exchange_set_header(ex, "WWW-Authenticate", "Digest realm=\"x\"");
        return 401;
    }
    memcpy(ex->who.user, "vera", 5);
    return 0;
}
void gate_add(struct gate *g, const struct endpoint *rows, size_t n, void *arg)
{
}
void gate_take_tokens(struct gate *g, const char *path, const char *arg, enum token_purpose purpose)
{
}
void gate_reply_page(struct exchange *ex, int status, const char *text)
{
}
void accounts_listen(struct trust *t, struct account_listener *l)
{
}
void accounts_unlisten(struct trust *t, struct account_listener *l)
{
}

int request_encoding(struct camera *cam, enum codec standard, const struct arg *args, size_t n_args,
                     struct encoding *ret, struct view_args *ret_view, struct fault *why)
{
    for (size_t i = 0; i < n_args; i++)
        if (!strcmp(args[i].name, "bad"))
            return fault_set(why, FAULT_INVALID, args[i].name, "is %s", args[i].value);
    *ret = (struct encoding){.codec = standard, .key = {.width = 640, .height = 360}};
    *ret_view = (struct view_args){.video = true};
    for (size_t i = 0; i < n_args; i++) {
        if (!strcmp(args[i].name, "audio"))
            ret_view->audio = !strcmp(args[i].value, "1");
        if (!strcmp(args[i].name, "video"))
            ret_view->video = strcmp(args[i].value, "0");
    }
    return 0;
}

struct flow {
    struct feed feed;
    struct stream *stream;
};
static int open_feed(struct stream *s, struct feed **ret_feed)
{
    struct flow *f = calloc(1, sizeof(*f));
    if (!f)
        abort();
    f->stream = stream_ref(s);
    open_feeds++;
    *ret_feed = &f->feed;
    return 0;
}
int pipeline_open(struct pipeline *p, const struct encoding *e, struct feed **ret_feed,
                  struct fault *why)
{
    return open_feed(stream, ret_feed);
}
int sounds_open(struct sounds *s, const struct sound_encoding *e, struct feed **ret_feed,
                struct fault *why)
{
    return open_feed(sound, ret_feed);
}
void pipeline_size(const struct pipeline *p, int *ret_width, int *ret_height, double *ret_fps)
{
    *ret_width = 640;
    *ret_height = 360;
    *ret_fps = 30;
}
struct stream *feed_stream(struct feed *f)
{
    return container_of(f, struct flow, feed)->stream;
}
struct feed *feed_close(struct feed *f)
{
    if (!f)
        return NULL;
    struct flow *flow = container_of(f, struct flow, feed);
    stream_unref(flow->stream);
    free(flow);
    open_feeds--;
    return NULL;
}

int udp_pair(const struct sockaddr *local_addr, socklen_t len, int first, int last, int ret_fds[2],
             int *ret_port, struct fault *why)
{
    ret_fds[0] = socket(AF_INET, SOCK_DGRAM, 0);
    ret_fds[1] = socket(AF_INET, SOCK_DGRAM, 0);
    *ret_port = first;
    return 0;
}

int request_source_rotation(struct camera *cam)
{
    return 0;
}

/* The client came in by the loopback interface, which multicast then goes out by. */
int getsockname(int fd, struct sockaddr *ret, socklen_t *len)
{
    const struct sockaddr_in local = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memcpy(ret, &local, sizeof(local));
    *len = sizeof(local);
    return 0;
}
static struct rtp_settings rtp = {.hops = 5};
static struct audio_settings audio = {
    .support = true, .max_transmitters = 1, .buffer_ms = 40, .timeout_ms = 100};
const void *room_ref(struct room *r)
{
    return r == (struct room *)&audio ? (const void *)&audio : &rtp;
}
static int play(struct speaker *s, const int16_t *sample, size_t n, int64_t time_ns)
{
    return 0;
}
static const struct speaker_ops speaker_ops = {.play = play};
static struct speaker speaker = {&speaker_ops};
void room_unref(const void *snapshot)
{
}

struct viewer {
    struct viewer_desc desc;
    struct feed *feed[RTSP_TRACKS];
    bool closed, playing;
    struct loop_timer grave;
};
static void bury(struct loop_timer *t)
{
    struct viewer *v = container_of(t, struct viewer, grave);
    free(v);
    open_viewers--;
}
static void viewer_ready(void *arg, bool in, bool out)
{
    struct viewer *v = arg;
    uint8_t bytes[1000];
    ssize_t n = conn_read(v->desc.take_conn, bytes, sizeof(bytes));
    if (n > 0)
        v->desc.received(v, bytes, (size_t)n, v->desc.arg);
    else if (n == 0)
        v->desc.received(v, NULL, 0, v->desc.arg);
}
bool deliver_is_full(const struct deliver *d)
{
    return flags & 4;
}
int viewer_new(struct deliver *d, const struct viewer_desc *desc, struct viewer **ret_v,
               struct fault *why)
{
    if (flags & 4)
        return fault_set(why, FAULT_LIMIT, "viewers", "full");
    struct viewer *v = calloc(1, sizeof(*v));
    if (!v)
        abort();
    v->desc = *desc;
    v->grave = (struct loop_timer){.name = "grave", .fire = bury};
    open_viewers++;
    if (desc->framing != FRAMING_UDP) {
        if (conn_attach(desc->take_conn, loop, viewer_ready, v) < 0)
            abort();
        conn_want(desc->take_conn, true, false);
    }
    *ret_v = v;
    return 0;
}
void viewer_drop_track(struct viewer *v, int track, bool bye)
{
    assert(!v->closed && track >= 0 && track < RTSP_TRACKS);
    v->feed[track] = feed_close(v->feed[track]);
}
struct viewer *viewer_close(struct viewer *v, bool bye)
{
    assert(v && !v->closed);
    for (int i = 0; i < RTSP_TRACKS; i++)
        viewer_drop_track(v, i, bye);
    v->closed = true;
    if (v->desc.framing == FRAMING_UDP) {
        close(v->desc.take_udp[0]);
        close(v->desc.take_udp[1]);
    } else {
        conn_free(v->desc.take_conn);
    }
    loop_timer_in(loop, &v->grave, 0);
    return NULL;
}
int viewer_send(struct viewer *v, const void *bytes, size_t len)
{
    assert(!v->closed && v->desc.framing != FRAMING_UDP);
    assert(len > 12 && !memcmp(bytes, "RTSP/1.0 ", 9));
    return 0;
}
bool viewer_rtcp_in(struct viewer *v, int track, const uint8_t *bytes, size_t len)
{
    assert(!v->closed);
    return true;
}
int viewer_add_track(struct viewer *v, int track, struct feed *take_feed, int channel,
                     struct fault *why)
{
    assert(!v->closed && !v->feed[track] && channel >= 0 && channel < 255);
    v->feed[track] = take_feed;
    return 0;
}
int viewer_play(struct viewer *v, int track,
                void (*ready)(struct viewer *v, const struct viewer_join *join, void *arg),
                void *arg)
{
    assert(!v->closed && v->feed[track]);
    const struct viewer_join join = {.seq = 1};
    if (ready && !(flags & 2))
        ready(v, &join, arg);
    return 0;
}
int viewer_secure_track(struct viewer *v, int track, const struct srtp_key *key,
                        const struct srtp_key *theirs)
{
    assert(!v->closed && v->feed[track]);
    return 0;
}
void viewer_go(struct viewer *v)
{
    assert(!v->closed);
    v->playing = true;
}
void viewer_pause(struct viewer *v)
{
    assert(!v->closed);
    v->playing = false;
}
void viewer_request_key(struct viewer *v)
{
    assert(!v->closed);
}

/* ---- one conversation ---- */

static struct rtsp_door *door;
static struct loop_timer poll_timer;
static int turns;
static void poll_fire(struct loop_timer *t)
{
    if ((list_empty(&door->conns) && list_empty(&door->dead)) || ++turns > 40)
        loop_stop(loop);
    else
        loop_timer_in(loop, t, 0);
}

static void run(void)
{
    turns = 0;
    poll_timer = (struct loop_timer){.name = "poll", .fire = poll_fire};
    loop_timer_in(loop, &poll_timer, 0);
    loop_run(loop);
}

static void say(int fd, const uint8_t *bytes, size_t len)
{
    static const char stand_in[] = "0123456789abcdef";
    char *copy = malloc(len + 1), *at = copy;
    if (!copy)
        abort();
    memcpy(copy, bytes, len);
    while (!list_empty(&door->sessions) &&
           (at = memmem(at, len - (size_t)(at - copy), stand_in, SESSION_ID))) {
        const struct rtsp_session *s =
            container_of(door->sessions.prev, struct rtsp_session, in_door);
        memcpy(at, s->id, SESSION_ID);
        at += SESSION_ID;
    }
    if (send(fd, copy, len, MSG_NOSIGNAL) < 0 && len) /* it has been closed on us */
        assert(list_empty(&door->conns));
    free(copy);
    run();
}

static void stop_fire(struct loop_timer *t)
{
    loop_stop(loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct identity_info identity = {.serial = "0123456789AB"};
    if (!size || size > 60000)
        return 0;
    log_init(NULL, LOG_ERROR_LEVEL);
    flags = data[0];
    clock_ = clock_new_real();
    loop = loop_new(clock_, "fuzz");
    const struct stream_format format = {
        .codec = CODEC_H264, .sps = {0x67, 1, 2, 3}, .sps_len = 4, .pps = {0x68}, .pps_len = 1};
    const struct stream_window window = {1 << 20, NSEC_PER_SEC};
    const struct stream_format sound_format = {
        .codec = CODEC_AAC, .rate_hz = 16000, .channels = 1, .sps = {0x14, 0x08}, .sps_len = 2};
    stream = stream_new(clock_, &format, &window);
    sound = stream_new(clock_, &sound_format, &window);
    struct camera cam = {
        .loop = loop, .clock = clock_, .identity = &identity, .rtp_room = (struct room *)&rtp};
    cam.ear = ear_new(NULL, (struct room *)&audio);
    cam.mouth = mouth_new(loop, &speaker, cam.ear, (struct room *)&audio);
    if (!cam.ear || !cam.mouth)
        abort();
    strcpy(rtp.audio_address, "239.192.1.3");
    strcpy(rtp.video_address, flags & 16 ? "232.1.2.3" : "239.192.1.2");
    rtp.video_port = flags & 32 ? 5600 : 0;
    door = rtsp_door_new(&cam, NULL);
    int fds[2];
    if (!door || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds))
        abort();
    int room = 1 << 20;
    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    struct sockaddr_storage peer = {.ss_family = AF_INET};
    struct conn *c = conn_new(fds[0], NULL, (struct sockaddr *)&peer, 16);
    if (flags & 8 && !(flags & 4)) {
        struct rtsp_conn *rc = rtsp_conn_new(door, c);
        BUF(pending, 16);
        rc->websocket = true;
        rtsp_conn_to_viewer(rc, true, &pending, "vera", "", "/", NULL);
    } else {
        rtsp_door_accept(c, door);
    }
    for (size_t at = 1; at < size;) {
        const uint8_t *end = memchr(data + at, 0x1e, size - at);
        size_t len = end ? (size_t)(end - data) - at : size - at;
        say(fds[1], data + at, len);
        at += len + 1;
    }
    shutdown(fds[1], SHUT_WR);
    run();
    list_for_each(it, &door->sessions)
    {
        const struct rtsp_session *s = container_of(it, struct rtsp_session, in_door);
        assert(s->conn || !s->tcp);
    }
    list_for_each(it, &door->groups)
    {
        const struct rtsp_group *g = container_of(it, struct rtsp_group, in_door);
        unsigned members = 0, playing = 0;
        list_for_each(at, &door->sessions)
        {
            const struct rtsp_session *s = container_of(at, struct rtsp_session, in_door);
            for (int i = 0; i < RTSP_TRACKS; i++) {
                members += s->track[i].group == g;
                playing += s->track[i].group == g && s->playing;
            }
        }
        assert(members && members == g->members && g->sending == (playing > 0));
        assert(g->viewer->playing == g->sending);
    }
    rtsp_door_free(door);
    mouth_free(cam.mouth);
    ear_free(cam.ear);
    poll_timer.fire = stop_fire;
    for (int i = 0; open_viewers && i < 3; i++) {
        loop_timer_in(loop, &poll_timer, 0);
        loop_run(loop);
    }
    loop_timer_cancel(&poll_timer);
    assert(!open_viewers);
    assert(!open_feeds);
    close(fds[1]);
    stream_unref(stream);
    stream_unref(sound);
    loop_free(loop);
    clock_free(clock_);
    return 0;
}
