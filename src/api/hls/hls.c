#include "api/hls/hls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/hls/playlist.h"
#include "api/hls/segments.h"
#include "api/hls/settings.h"
#include "api/hls/watchers.h"
#include "api/request.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/loop.h"
#include "conf/param.h"
#include "deliver/deliver.h"
#include "deliver/piece.h"
#include "media/pipeline.h"
#include "media/sounds.h"

#define PREFIX "/hls/"
#define ID_BYTES 16
#define ID_LEN (2 * ID_BYTES)
#define LONGEST_GOP_S 2        /* a segment can end at keys only */
#define REST_S 12              /* nobody asks: it ends */
#define PATIENCE_S 6           /* nothing comes: 503 */
#define STORE_BYTES (64 << 20) /* of one stream */
#define PLAYLIST_BYTES (64 << 10)
#define AHEAD_MAX 2 /* segments that may be waited for (RFC 8216bis, 6.2.5.2) */

#define TYPE_PLAYLIST "application/vnd.apple.mpegurl"
#define TYPE_MEDIA "video/mp4"
/* How long answers may be kept. Pieces never change, nor does the playlist that has a certain
 * part at least; a request for the newest one may be answered with what is a second old. Caches
 * that serve others ask for no password: they may keep it only where a setting says so. */
enum keep { KEEP_LONG, KEEP_BLOCKED, KEEP_SHORT };
static const char *const keeps[2][3] = {
    {"private, max-age=60, immutable", "private, max-age=12", "private, max-age=1"},
    {"public, max-age=60, immutable", "public, max-age=12", "public, max-age=1"},
};

struct hls_door {
    struct camera *cam;
    struct list shows;
};

/* One encoding that is being cut, with its sound. */
struct show {
    struct list in_door;
    struct hls_door *door;
    char id[ID_LEN + 1];
    struct encoding encoding;
    bool audio;
    struct sound_encoding sound_encoding; /* with audio */
    struct feed *feed, *sound;            /* sound NULL: none */
    struct cursor *cursor, *ear;
    struct packet *heard; /* the next of the sound, if it is here already */
    struct stream_wake wake;
    struct loop_post woken;
    struct loop_timer rest;
    struct watchers watchers;
    double fps;
    struct segments segments;
    char codecs[2 * MUX_CODEC_NAME];
    struct blob *opening;
    struct blob *playlist[2]; /* whole, delta; NULL: has changed since */
    struct list waiting;
};

enum wanted { WANT_MASTER, WANT_INIT, WANT_PLAYLIST, WANT_SEGMENT, WANT_PART };

struct waiter {
    struct list in_show;
    struct show *show;
    struct watcher *who;
    struct exchange *ex;
    struct loop_timer patience;
    enum wanted wanted;
    struct hls_wish wish;
    uint64_t number;
    int part;
};

/* ---- answers ---- */

static void release(void *blob)
{
    blob_unref(blob);
}

static bool is_shared(struct camera *cam)
{
    if (!cam->hls_room)
        return false;
    const struct hls_settings *s = room_ref(cam->hls_room);
    bool shared = s->shared_cache;
    room_unref(s);
    return shared;
}

static void reply_blob(struct waiter *w, const char *type, enum keep keep, struct blob *take_b)
{
    if (!take_b) {
        exchange_reply(w->ex, 503, NULL, NULL, 0);
        return;
    }
    watcher_got(w->who, take_b->len);
    exchange_set_header(w->ex, "Cache-Control", keeps[is_shared(w->show->door->cam)][keep]);
    exchange_reply_ref(w->ex, 200, type, take_b->bytes, take_b->len, release, take_b);
}

static void reply_status(struct exchange *ex, int status, const char *text)
{
    exchange_set_header(ex, "Cache-Control", "no-store");
    gate_reply_page(ex, status, text);
}

static struct blob *playlist_of(struct show *s, bool skip)
{
    if (!s->playlist[skip]) {
        BUF(text, PLAYLIST_BYTES);
        hls_write_media(&text, &s->segments, skip);
        s->playlist[skip] = text.err ? NULL : blob_new(text.data, text.len);
    }
    return s->playlist[skip] ? blob_ref(s->playlist[skip]) : NULL;
}

static struct blob *master_of(struct show *s)
{
    struct stream_stats stats;
    char uri[ID_LEN + 16];
    BUF(text, PLAYLIST_BYTES);
    stream_stats(feed_stream(s->feed), &stats);
    snprintf(uri, sizeof uri, "%s/media.m3u8", s->id);
    int kbps = s->encoding.rate.max_kbps;
    if (!kbps) /* what it has now and half as much again; before that, an eighth of a bit a pixel */
        kbps = stats.kbps > 0
                   ? (int)(stats.kbps * 1.5)
                   : (int)(s->encoding.key.width * s->encoding.key.height * s->fps / 8000);
    if (s->audio)
        kbps += s->sound_encoding.bitrate / 1000;
    const struct hls_variant v = {
        .uri = uri,
        .codecs = s->codecs,
        .width = s->encoding.key.width,
        .height = s->encoding.key.height,
        .fps = s->fps,
        .kbps = kbps,
    };
    hls_write_master(&text, &v);
    return text.err ? NULL : blob_new(text.data, text.len);
}

static bool answer_playlist(struct waiter *w)
{
    struct show *s = w->show;
    if (!segments_any(&s->segments))
        return false; /* not begun, or begun anew */
    if (w->wish.blocking ? !segments_have(&s->segments, w->wish.number, w->wish.part)
                         : !segments_have(&s->segments, s->segments.first, -1))
        return false;
    reply_blob(w, TYPE_PLAYLIST, w->wish.blocking ? KEEP_BLOCKED : KEEP_SHORT,
               playlist_of(s, w->wish.skip));
    return true;
}

static bool answer_media(struct waiter *w)
{
    struct segment *g = segments_find(&w->show->segments, w->number);
    bool whole = w->wanted == WANT_SEGMENT;
    bool there = g && (whole ? g->complete : w->part < g->n_parts);
    bool never = w->number < w->show->segments.first || (g && g->complete && !there);
    if (there)
        reply_blob(w, TYPE_MEDIA, KEEP_LONG,
                   whole ? segment_whole(g) : blob_ref(g->part[w->part].bytes));
    else if (never)
        reply_status(w->ex, 404, "This part of the video is not here (any more).");
    return there || never;
}

/* True: it has been answered. */
static bool answer(struct waiter *w)
{
    struct show *s = w->show;
    switch (w->wanted) {
    case WANT_MASTER:
        if (s->opening)
            reply_blob(w, TYPE_PLAYLIST, KEEP_SHORT, master_of(s));
        return s->opening;
    case WANT_INIT:
        if (s->opening)
            reply_blob(w, TYPE_MEDIA, KEEP_LONG, blob_ref(s->opening));
        return s->opening;
    case WANT_PLAYLIST:
        return answer_playlist(w);
    case WANT_SEGMENT:
    case WANT_PART:
        return answer_media(w);
    }
    return false;
}

/* ---- waiting ---- */

static void waiter_free(struct waiter *w)
{
    list_remove(&w->in_show);
    loop_timer_cancel(&w->patience);
    free(w);
}

static void on_cancel(struct exchange *ex)
{
    waiter_free(ex->user);
}

static void give_up(struct waiter *w, const char *text)
{
    struct exchange *ex = w->ex;
    waiter_free(w);
    reply_status(ex, 503, text);
}

static void lost_patience(struct loop_timer *t)
{
    give_up(container_of(t, struct waiter, patience), "No picture came in time.");
}

static void answer_all(struct show *s)
{
    list_for_each_safe(it, &s->waiting)
    {
        struct waiter *w = container_of(it, struct waiter, in_show);
        if (answer(w))
            waiter_free(w);
    }
}

/* What players are told has changed. */
static void tell(struct show *s)
{
    for (int i = 0; i < 2; i++)
        s->playlist[i] = blob_unref(s->playlist[i]);
    answer_all(s);
}

static void wait_for(struct show *s, const struct waiter *what)
{
    struct waiter *w = malloc(sizeof *w);
    struct exchange *ex = what->ex;
    if (!w) {
        exchange_reply(ex, 503, NULL, NULL, 0);
        return;
    }
    *w = *what;
    w->show = s;
    list_append(&s->waiting, &w->in_show);
    if (answer(w)) {
        waiter_free(w);
        return;
    }
    ex->user = w;
    ex->cancel = on_cancel;
    w->patience = (struct loop_timer){.name = "hls request", .fire = lost_patience};
    loop_timer_in(s->door->cam->loop, &w->patience, PATIENCE_S * NSEC_PER_SEC);
}

/* ---- shows ---- */

static void show_free(struct show *s)
{
    list_remove(&s->in_door);
    list_for_each_safe(it, &s->waiting)
        give_up(container_of(it, struct waiter, in_show), "The video has ended.");
    stream_remove_wake(feed_stream(s->feed), &s->wake);
    loop_post_cancel(s->door->cam->loop, &s->woken);
    loop_timer_cancel(&s->rest);
    watchers_done(&s->watchers);
    packet_unref(s->heard);
    s->cursor->ops->close(s->cursor);
    if (s->ear)
        s->ear->ops->close(s->ear);
    feed_close(s->feed);
    feed_close(s->sound);
    segments_done(&s->segments);
    blob_unref(s->opening);
    for (int i = 0; i < 2; i++)
        blob_unref(s->playlist[i]);
    free(s);
}

static void on_rest(struct loop_timer *t)
{
    struct show *s = container_of(t, struct show, rest);
    watchers_leave(&s->watchers, loop_now(s->door->cam->loop) - REST_S * NSEC_PER_SEC);
    if (!list_empty(&s->watchers.all) || !list_empty(&s->waiting))
        loop_timer_in(s->door->cam->loop, t, REST_S * NSEC_PER_SEC / 4);
    else
        show_free(s);
}

/* With the first picture its parameter sets are known, and with them what opens the media. */
static bool open_media(struct show *s)
{
    struct stream_format format[2];
    char video[MUX_CODEC_NAME], sound[MUX_CODEC_NAME] = "";
    BUF(bytes, PLAYLIST_BYTES);
    if (s->sound && (!stream_get_format(feed_stream(s->sound), &format[1]) ||
                     !mux_codec_name(&format[1], sound)))
        return false;
    if (!stream_get_format(feed_stream(s->feed), &format[0]) ||
        !mux_codec_name(&format[0], video) ||
        mux_opening(CONTAINER_MP4, format, s->sound ? 2 : 1, &bytes) < 0)
        return false;
    snprintf(s->codecs, sizeof s->codecs, "%s%s%s", video, *sound ? "," : "", sound);
    s->opening = blob_new(bytes.data, bytes.len);
    return s->opening;
}

/* True: something is there that was not before. */
static bool take_picture(struct show *s, struct packet *p)
{
    bool told = false;
    if (!s->opening)
        told = open_media(s);
    const struct piece_form *piece =
        s->opening ? piece_form_of(feed_stream(s->feed), p, CONTAINER_MP4) : NULL;
    return (piece && segments_add(&s->segments, piece->bytes, piece->len, p->time_ns, p->utc_ns,
                                  p->flags & PACKET_KEY) > 0) ||
           told;
}

/* What was heard before a picture stands in front of it: what has not been coded yet comes with a
 * later one: two units of its codec behind at most. 0, or -EPIPE: the sound has ended. */
static int take_sound(struct show *s, int64_t until_ns)
{
    uint64_t lost;
    int err = 0;
    while (s->ear) {
        if (!s->heard && (err = cursor_next(s->ear, &s->heard, &lost)))
            break;
        if (s->heard->time_ns >= until_ns)
            break;
        const struct piece_form *piece =
            piece_form_of(feed_stream(s->sound), s->heard, CONTAINER_MP4);
        if (piece)
            segments_add_sound(&s->segments, piece->bytes, piece->len);
        s->heard = packet_unref(s->heard);
    }
    return err == -EPIPE ? err : 0;
}

static void on_woken(struct loop_post *post)
{
    struct show *s = container_of(post, struct show, woken);
    struct packet *p;
    uint64_t lost;
    bool told = false;
    int err;
    while (!(err = cursor_next(s->cursor, &p, &lost))) {
        err = take_sound(s, p->time_ns);
        told = take_picture(s, p) || told;
        packet_unref(p);
        if (err)
            break;
    }
    if (told)
        tell(s);
    if (segments_want_key(&s->segments))
        feed_request_key(s->feed);
    if (err == -EPIPE)
        show_free(s);
}

static void stream_woken(struct stream_wake *w)
{
    struct show *s = container_of(w, struct show, wake);
    loop_post(s->door->cam->loop, &s->woken);
}

/* Keys are to come where segments may end, pictures when playlists said that they would. */
static double tame(struct camera *cam, struct encoding *e)
{
    int width, height;
    double fps;
    pipeline_size(cam->pipeline, &width, &height, &fps);
    if (e->fps > 0 && e->fps < fps)
        fps = e->fps;
    e->smart.dynamic_gop = e->smart.dynamic_fps = e->smart.storage = false;
    smart_plan_normalise(&e->smart);
    int longest = (int)(LONGEST_GOP_S * fps);
    if (e->gop > longest)
        e->gop = longest > 1 ? longest : 1;
    return fps;
}

static int open_feeds(struct show *s, const struct encoding *e, const struct sound_encoding *sound,
                      struct fault *why)
{
    struct camera *cam = s->door->cam;
    int err = sound ? sounds_open(cam->sounds, sound, &s->sound, why) : 0;
    if (!err)
        err = pipeline_open(cam->pipeline, e, &s->feed, why);
    if (err)
        return err;
    s->cursor = stream_cursor(feed_stream(s->feed));
    s->ear = s->sound ? stream_cursor(feed_stream(s->sound)) : NULL;
    return s->cursor && (s->ear || !s->sound)
               ? 0
               : fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
}

/* sound: NULL: none. */
static struct show *show_new(struct hls_door *d, const struct encoding *e,
                             const struct sound_encoding *sound, double fps, struct fault *why)
{
    if (deliver_is_full(d->cam->deliver)) {
        fault_set(why, FAULT_LIMIT, NULL, "there are as many viewers as there may be");
        return NULL;
    }
    struct show *s = calloc(1, sizeof *s);
    if (!s) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    s->door = d;
    if (open_feeds(s, e, sound, why)) {
        if (s->cursor)
            s->cursor->ops->close(s->cursor);
        feed_close(s->feed);
        feed_close(s->sound);
        free(s);
        return NULL;
    }
    uint8_t id[ID_BYTES];
    struct segment_plan plan;
    random_bytes(id, sizeof id);
    hex_of(id, sizeof id, s->id);
    s->encoding = *e;
    s->audio = sound;
    if (sound)
        s->sound_encoding = *sound;
    watchers_init(&s->watchers, d->cam->deliver, s->feed, s->sound);
    s->fps = fps;
    segment_plan(&plan, fps, e->gop);
    segments_init(&s->segments, &plan, STORE_BYTES);
    list_init(&s->waiting);
    s->wake.woken = stream_woken;
    s->woken = (struct loop_post){.name = "hls", .run = on_woken};
    s->rest = (struct loop_timer){.name = "hls rest", .fire = on_rest};
    list_append(&d->shows, &s->in_door);
    stream_add_wake(feed_stream(s->feed), &s->wake);
    loop_timer_in(d->cam->loop, &s->rest, REST_S * NSEC_PER_SEC / 4);
    loop_post(d->cam->loop, &s->woken); /* what is there already */
    return s;
}

/* ---- requests ---- */

static struct show *find(struct hls_door *d, const char *id, size_t len)
{
    list_for_each(it, &d->shows)
    {
        struct show *s = container_of(it, struct show, in_door);
        if (len == ID_LEN && !memcmp(s->id, id, len))
            return s;
    }
    return NULL;
}

static struct show *find_like(struct hls_door *d, const struct encoding *e,
                              const struct sound_encoding *sound)
{
    list_for_each(it, &d->shows)
    {
        struct show *s = container_of(it, struct show, in_door);
        if (encoding_equal(&s->encoding, e) && s->audio == (sound != NULL) &&
            (!sound || sound_encoding_equal(&s->sound_encoding, sound)))
            return s;
    }
    return NULL;
}

/* Whoever asks watches. */
static void serve_of(struct show *s, struct waiter *w)
{
    struct fault why = {0};
    w->show = s;
    w->who = watchers_meet(&s->watchers, w->ex, loop_now(s->door->cam->loop), &why);
    if (w->who)
        wait_for(s, w);
    else
        reply_status(w->ex, 503, why.text);
}

static void serve_master(struct exchange *ex, void *arg)
{
    struct hls_door *d = arg;
    struct encoding e;
    struct view_args view;
    struct fault why = {0};
    if (request_encoding(d->cam, CODEC_H264, ex->args, ex->n_args, &e, &view, &why) == 0 &&
        (!view.video || !mux_holds(CONTAINER_MP4, e.codec)))
        fault_set(&why, FAULT_INVALID, view.video ? "videocodec" : "video",
                  view.video ? "HLS takes h264, h265 and av1"
                             : "there is no other medium than video");
    struct show *s = NULL;
    if (!why.kind) {
        double fps = tame(d->cam, &e);
        if (view.audio && !mux_holds(CONTAINER_MP4, view.sound.codec)) /* as near as can be */
            view.sound = sound_for_containers;
        const struct sound_encoding *sound = view.audio ? &view.sound : NULL;
        s = find_like(d, &e, sound);
        if (!s)
            s = show_new(d, &e, sound, fps, &why);
    }
    if (!s) {
        reply_status(ex,
                     why.kind == FAULT_INVALID   ? 400
                     : why.kind == FAULT_UNKNOWN ? 404
                                                 : 503,
                     why.text);
        return;
    }
    struct waiter w = {.ex = ex, .wanted = WANT_MASTER};
    serve_of(s, &w);
}

/* Too far ahead: 400, for then a client has lost its way. */
static bool too_far(const struct show *s, uint64_t number)
{
    return number > s->segments.next + AHEAD_MAX;
}

static void serve_file(struct exchange *ex, void *arg)
{
    static const enum wanted wanted[] = {[HLS_PLAYLIST] = WANT_PLAYLIST,
                                         [HLS_INIT] = WANT_INIT,
                                         [HLS_SEGMENT] = WANT_SEGMENT,
                                         [HLS_PART] = WANT_PART};
    struct hls_door *d = arg;
    const char *id = ex->path + sizeof PREFIX - 1, *slash = strchr(id, '/');
    struct waiter w = {.ex = ex};
    enum hls_file file = slash ? hls_file_parse(slash + 1, &w.number, &w.part) : HLS_NOTHING;
    struct show *s = file ? find(d, id, (size_t)(slash - id)) : NULL;
    if (!s) {
        reply_status(ex, 404, "There is no such video (any more); ask for /hls/live.m3u8 again.");
        return;
    }
    w.wanted = wanted[file];
    if (file == HLS_PLAYLIST && hls_wish_parse(&w.wish, ex->args, ex->n_args)) {
        reply_status(ex, 400,
                     "_HLS_msn and _HLS_part must be numbers, the second only with the "
                     "first.");
        return;
    }
    if (too_far(s, w.wish.number) || too_far(s, w.number)) {
        reply_status(ex, 400, "This is too far ahead.");
        return;
    }
    serve_of(s, &w);
}

static const struct endpoint rows[] = {
    {.path = PREFIX "live.m3u8",
     .methods = METHOD_GET,
     .role = ROLE_VIEWER,
     .serve = serve_master,
     .doc = "HTTP Live Streaming, low latency too: H.264, H.265, AV1, AAC; arguments of pictures "
            "and of sound"},
    {.path = PREFIX "*",
     .methods = METHOD_GET,
     .role = ROLE_VIEWER,
     .serve = serve_file,
     .doc = "playlists and pieces that live.m3u8 names"},
};

struct hls_door *hls_door_new(struct camera *cam, struct gate *g)
{
    struct hls_door *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->cam = cam;
    list_init(&d->shows);
    gate_add(g, rows, sizeof rows / sizeof *rows, d);
    return d;
}

struct hls_door *hls_door_free(struct hls_door *d)
{
    if (!d)
        return NULL;
    list_for_each_safe(it, &d->shows) show_free(container_of(it, struct show, in_door));
    free(d);
    return NULL;
}

void hls_door_forget(struct hls_door *d)
{
    list_for_each(it, &d->shows)
    {
        struct show *s = container_of(it, struct show, in_door);
        segments_forget(&s->segments);
        tell(s);
    }
}
