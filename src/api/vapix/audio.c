/* audio/receive.cgi: sound without end; audio/transmit.cgi: the loudspeaker;
 * audio/streamingcapabilities.cgi: how sound can be coded. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/request.h"
#include "api/vapix/json_cgi.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/text.h"
#include "conf/param.h"
#include "deliver/deliver.h"
#include "media/ogg.h"
#include "media/sound_stream.h"
#include "media/sounds.h"
#include "net/conn.h"
#include "sound/mouth.h"
#include "sound/settings.h"
#include "trust/accounts.h"

#define READ_BYTES 4096
#define READS_A_TURN 4
#define REST_NS (100 * NSEC_PER_MSEC) /* who talks faster than it is played waits so long */

struct audio_people {
    struct list listeners, talkers;
    struct camera *cam;
    struct account_listener accounts;
    unsigned n_listeners;
};

/* ---- listening ---- */

struct listener {
    struct list link;
    struct audio_people *people;
    struct viewer *viewer;
    char user[65];
};

static void listener_close(struct listener *l)
{
    l->people->n_listeners--;
    list_remove(&l->link);
    viewer_close(l->viewer, false);
    free(l);
}

static void on_ended(struct viewer *viewer, int err, void *arg)
{
    listener_close(arg);
}

static void on_received(struct viewer *viewer, const uint8_t *bytes, size_t len, void *arg)
{
    if (!bytes)
        listener_close(arg);
}

static void on_ready(struct viewer *viewer, const struct viewer_join *join, void *arg)
{
    viewer_go(viewer);
}

/* All that stands before the sound. */
static void add_head(struct buf *b, struct stream *s, bool parts)
{
    struct stream_format f;
    char name[48];
    stream_get_format(s, &f);
    const struct sound_code code = {
        .codec = f.codec, .rate_hz = f.rate_hz, .channels = 1, .bitrate = f.bitrate};
    buf_addf(b,
             "HTTP/1.0 200 OK\r\nCache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n"
             "Connection: close\r\nContent-Type: %s\r\n\r\n",
             parts ? "multipart/x-mixed-replace; boundary=myboundary"
                   : sound_stream_type(&code, name));
    if (parts) {
        buf_adds(b, "--myboundary\r\n");
    } else if (f.codec == CODEC_OPUS) {
        uint8_t opening[OGG_OPENING];
        buf_add(b, opening, ogg_opus_opening(stream_ssrc(s), f.rate_hz, opening));
    }
}

static void listen_on(struct audio_people *people, struct exchange *ex, struct feed *take_feed,
                      const struct view_args *view, bool parts)
{
    struct listener *l = calloc(1, sizeof *l);
    BUF(head, 2048);
    add_head(&head, feed_stream(take_feed), parts);
    if (!l || head.err) {
        free(l);
        feed_close(take_feed);
        exchange_reply(ex, 500, NULL, NULL, 0);
        return;
    }
    char agent[128] = "", path[256];
    const char *given = exchange_header(ex, "User-Agent");
    text_copy(agent, sizeof agent, given ? given : "");
    text_copy(path, sizeof path, ex->path);
    text_copy(l->user, sizeof l->user, ex->who.user);
    l->people = people;
    const struct viewer_desc desc = {
        .framing = parts ? FRAMING_SOUND_PARTS : FRAMING_SOUND,
        .take_conn = exchange_take_conn(ex),
        .pending = head.data,
        .pending_len = head.len,
        .user = l->user,
        .user_agent = agent,
        .path = path,
        .max_ns = (int64_t)(view->seconds * (double)NSEC_PER_SEC),
        .received = on_received,
        .ended = on_ended,
        .arg = l,
    };
    struct fault why = {0};
    if (!desc.take_conn || viewer_new(people->cam->deliver, &desc, &l->viewer, &why)) {
        conn_free(desc.take_conn);
        feed_close(take_feed);
        free(l);
        return;
    }
    list_append(&people->listeners, &l->link);
    people->n_listeners++;
    if (viewer_add_track(l->viewer, 0, take_feed, 0, &why) ||
        viewer_play(l->viewer, 0, on_ready, l))
        listener_close(l);
}

/* singlepart or multipart, as asked or as set; −1: neither. */
static int wants_parts(struct exchange *ex, const struct audio_settings *s)
{
    const char *asked = exchange_arg(ex, "httptype");
    if (!asked || !*asked)
        return s->message_type;
    return !strcmp(asked, "multipart") ? 1 : !strcmp(asked, "singlepart") ? 0 : -1;
}

static void serve_receive(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    struct audio_people *people = d->audio;
    struct encoding e;
    struct view_args view;
    struct fault why = {0};
    struct feed *feed;
    if (!vapix_args(ex))
        return;
    const struct audio_settings *s = room_ref(d->cam->audio_room);
    int parts = wants_parts(ex, s);
    bool full =
        people->n_listeners >= (unsigned)s->max_listeners || deliver_is_full(d->cam->deliver);
    room_unref(s);
    /* what audio= says, is said by the address */
    struct arg args[LIMIT_ARGS + 1];
    size_t n = ex->n_args < LIMIT_ARGS ? ex->n_args : LIMIT_ARGS;
    if (n)
        memcpy(args, ex->args, n * sizeof *args);
    args[n++] = (struct arg){.name = "audio", .value = "1"};
    if (parts < 0) {
        gate_reply_page(ex, 400, "httptype is singlepart or multipart.");
    } else if (request_encoding(d->cam, CODEC_H264, args, n, &e, &view, &why)) {
        vapix_reply_fault(ex, &why);
    } else if (!view.audio) {
        gate_reply_page(ex, 403,
                        "Sound is not allowed; see AudioSource.A0.AudioSupport and "
                        "Audio.DuplexMode.");
    } else if (full) {
        gate_reply_page(ex, 503, "As many listen as may; see Audio.MaxListeners.");
    } else if (ex->head_only) {
        char name[48];
        const struct sound_code code = {.codec = view.sound.codec,
                                        .rate_hz = view.sound.rate_hz,
                                        .bitrate = view.sound.bitrate};
        exchange_reply(ex, 200, sound_stream_type(&code, name), NULL, 0);
    } else if (sounds_open(d->cam->sounds, &view.sound, &feed, &why)) {
        vapix_reply_fault(ex, &why);
    } else {
        listen_on(people, ex, feed, &view, parts == 1);
    }
}

/* ---- talking ---- */

struct talker {
    struct list link;
    struct camera *cam;
    struct conn *conn;
    struct talk *talk;
    char user[65];
    bool is_chunked;
    struct chunked chunked;
    int64_t left; /* bytes of the body; −1: until the client closes */
    struct loop_timer rest;
    struct sound_stream stream;
};

static void talker_close(struct talker *t)
{
    list_remove(&t->link);
    loop_timer_cancel(&t->rest);
    talk_end(t->talk);
    conn_free(t->conn);
    free(t);
}

static void talker_end(struct talker *t, const char *status, const char *text)
{
    char reply[256];
    int n = snprintf(reply, sizeof reply,
                     "HTTP/1.0 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n%s",
                     status, strlen(text), text);
    conn_write(t->conn, reply, (size_t)n);
    talker_close(t);
}

static void on_lost(struct talk *talk, void *arg)
{
    talker_end(arg, "408 Request Timeout", "Nothing was said for too long.\n");
}

static void say(void *arg, const uint8_t *bytes, size_t len)
{
    talk_say(arg, bytes, len);
}

/* False: the talker is gone. */
static bool take(struct talker *t, const char *bytes, size_t len)
{
    BUF(body, READ_BYTES);
    if (t->is_chunked) {
        int used = chunked_feed(&t->chunked, bytes, len, &body);
        if (used < 0) {
            talker_end(t, "400 Bad Request", "The chunks are not well formed.\n");
            return false;
        }
        bytes = body.data;
        len = body.len;
    } else if (t->left >= 0) {
        len = (int64_t)len < t->left ? len : (size_t)t->left;
        t->left -= (int64_t)len;
    }
    if (len && sound_stream_put(&t->stream, (const uint8_t *)bytes, len, say, t->talk) < 0) {
        talker_end(t, "400 Bad Request", "This is not what its Content-Type says.\n");
        return false;
    }
    if (!t->left || (t->is_chunked && t->chunked.done)) {
        talker_end(t, "200 OK", "");
        return false;
    }
    return true;
}

static void on_talk(void *arg, bool in, bool out)
{
    struct talker *t = arg;
    for (int i = 0; in && i < READS_A_TURN; i++) {
        if (talk_room(t->talk) < 2 * SOUND_DECODED_MOST) {
            conn_want(t->conn, false, false);
            loop_timer_in(t->cam->loop, &t->rest, REST_NS);
            return;
        }
        char bytes[READ_BYTES];
        ssize_t n = conn_read(t->conn, bytes, sizeof bytes);
        if (n == -EAGAIN || n == -EINTR)
            return;
        if (n <= 0) {
            talker_close(t);
            return;
        }
        if (!take(t, bytes, (size_t)n))
            return;
    }
}

static void rested(struct loop_timer *timer)
{
    struct talker *t = container_of(timer, struct talker, rest);
    conn_want(t->conn, true, false);
    on_talk(t, true, false); /* TLS may hold bytes that no poll tells */
}

static void serve_transmit(struct exchange *ex, void *arg)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct vapix_door *d = arg;
    struct fault why = {0};
    const char *type = exchange_header(ex, "Content-Type");
    struct talker *t = calloc(1, sizeof *t);
    if (!t) {
        exchange_reply(ex, 500, NULL, NULL, 0);
        return;
    }
    if (sound_stream_init(&t->stream, type ? type : "") < 0) {
        free(t);
        gate_reply_page(ex, 415,
                        "Content-Type is audio/basic, audio/axis-mulaw-128, audio/x-alaw-basic, "
                        "audio/G726-16, -24, -32 or -40, audio/L16, audio/aac, "
                        "audio/mpeg4-generic, audio/opus or audio/ogg.");
        return;
    }
    if (mouth_talk(d->cam->mouth, ex->who.user, on_lost, t, &t->talk, &why)) {
        free(t);
        vapix_reply_fault(ex, &why);
        return;
    }
    talk_code(t->talk, &t->stream.code);
    t->cam = d->cam;
    t->is_chunked = ex->msg->chunked;
    t->left = ex->msg->content_length > 0 && !t->is_chunked ? ex->msg->content_length : -1;
    t->rest = (struct loop_timer){.name = "talker rests", .fire = rested};
    text_copy(t->user, sizeof t->user, ex->who.user);
    bool waits = ex->msg->expect_continue;
    t->conn = exchange_take_conn(ex);
    list_append(&d->audio->talkers, &t->link);
    if (!t->conn || (waits && conn_write(t->conn, go_on, sizeof go_on - 1) < 0) ||
        conn_attach(t->conn, d->cam->loop, on_talk, t) < 0) {
        talker_close(t);
        return;
    }
    conn_want(t->conn, true, false);
}

/* ---- what there is ---- */

static json_t *rates(const int *rate, const int *bits)
{
    json_t *list = json_array();
    for (; *rate; rate++) {
        json_t *all = json_array();
        for (const int *b = bits; b && *b; b++)
            if (*b <= *rate * 6)
                json_array_append_new(all, json_integer(*b));
        json_array_append_new(list,
                              json_pack("{s:i, s:o}", "sample_rate", *rate, "bit_rates", all));
    }
    return list;
}

static void list_capabilities(struct json_call *c)
{
    static const int any[] = {8000, 16000, 24000, 32000, 44100, 48000, 0};
    static const int opus[] = {8000, 16000, 24000, 48000, 0};
    static const int aac_bits[] = {8000, 16000, 32000, 64000, 96000, 128000, 0};
    static const int opus_bits[] = {8000, 16000, 32000, 64000, 128000, 0};
    static const int g726_bits[] = {16000, 24000, 32000, 40000, 0}, eight[] = {8000, 0};
    static const int law[] = {8000, 16000, 0};
    json_call_reply(c, json_pack("{s:{s:o, s:o, s:o, s:o, s:o}}", "encoders", "aac",
                                 rates(any, aac_bits), "opus", rates(opus, opus_bits), "g711",
                                 rates(law, NULL), "g726", rates(eight, g726_bits), "lpcm",
                                 rates(any, NULL)));
}

static const struct json_method methods[] = {
    {"list", ROLE_VIEWER, list_capabilities},
    {"getSupportedVersions", ROLE_VIEWER, json_serve_versions},
};
static const struct json_cgi capabilities = {"1.0", &json_family_b, methods,
                                             sizeof methods / sizeof *methods};

static void serve_capabilities(struct exchange *ex, void *arg)
{
    json_cgi_serve(&capabilities, ex, arg);
}

/* ---- life ---- */

/* Rights were taken away: who listens or talks with them does no longer. */
static void on_account(struct account_listener *l, const char *name)
{
    struct audio_people *p = container_of(l, struct audio_people, accounts);
    list_for_each_safe(it, &p->listeners)
    {
        struct listener *one = container_of(it, struct listener, link);
        if (!name || !strcmp(one->user, name))
            listener_close(one);
    }
    list_for_each_safe(it, &p->talkers)
    {
        struct talker *one = container_of(it, struct talker, link);
        if (!name || !strcmp(one->user, name))
            talker_close(one);
    }
}

static int start(struct vapix_door *d)
{
    struct audio_people *p = calloc(1, sizeof *p);
    if (!p)
        return -1;
    list_init(&p->listeners);
    list_init(&p->talkers);
    p->cam = d->cam;
    p->accounts.changed = on_account;
    accounts_listen(d->cam->trust, &p->accounts);
    d->audio = p;
    return 0;
}

static void stop(struct vapix_door *d)
{
    struct audio_people *p = d->audio;
    if (!p)
        return;
    accounts_unlisten(d->cam->trust, &p->accounts);
    on_account(&p->accounts, NULL);
    free(p);
    d->audio = NULL;
}

static const struct endpoint rows[] = {
    {.path = "/axis-cgi/audio/receive.cgi",
     .methods = METHOD_GET,
     .role = ROLE_VIEWER,
     .serve = serve_receive,
     .doc = "sound without end; audiocodec=, audiosamplerate=, audiobitrate=, httptype="},
    {.path = "/axis-cgi/audio/transmit.cgi",
     .methods = METHOD_POST,
     .role = ROLE_VIEWER,
     .takes_body = true,
     .changes_state = true,
     .serve = serve_transmit,
     .doc = "plays what is sent on the loudspeaker, until the client ends"},
    {.path = "/axis-cgi/audio/streamingcapabilities.cgi",
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER,
     .serve = serve_capabilities,
     .doc = "how sound can be coded (JSON)"},
};
const struct cgi cgi_audio = {CGI_ROWS(rows), .start = start, .stop = stop};
