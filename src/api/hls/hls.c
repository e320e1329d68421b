#include "api/hls/hls.h"

#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/gate.h"
#include "api/hls/playlist.h"
#include "api/hls/segments.h"
#include "api/hls/settings.h"
#include "api/hls/show.h"
#include "api/hls/watchers.h"
#include "api/request.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/loop.h"
#include "conf/param.h"
#include "media/mux.h"
#include "media/sound_encode.h"

#define PREFIX "/hls/"
#define PATIENCE_S 6 /* nothing comes: 503 */
#define AHEAD_MAX 2  /* segments that may be waited for (RFC 8216bis, 6.2.5.2) */

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
    exchange_set_header(w->ex, "Cache-Control", keeps[is_shared(w->show->cam)][keep]);
    exchange_reply_ref(w->ex, 200, type, take_b->bytes, take_b->len, release, take_b);
}

static void reply_status(struct exchange *ex, int status, const char *text)
{
    exchange_set_header(ex, "Cache-Control", "no-store");
    gate_reply_page(ex, status, text);
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
               show_playlist(s, w->wish.skip));
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
            reply_blob(w, TYPE_PLAYLIST, KEEP_SHORT, show_master(s));
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

static void give_all_up(struct show *s)
{
    list_for_each_safe(it, &s->waiting)
        give_up(container_of(it, struct waiter, in_show), "The video has ended.");
}

static const struct show_hooks show_hooks = {.changed = answer_all, .ends = give_all_up};

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
    loop_timer_in(s->cam->loop, &w->patience, PATIENCE_S * NSEC_PER_SEC);
}

/* ---- requests ---- */

static struct show *find(struct hls_door *d, const char *id, size_t len)
{
    list_for_each(it, &d->shows)
    {
        struct show *s = container_of(it, struct show, in_door);
        if (len == SHOW_ID_LEN && !memcmp(s->id, id, len))
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
    w->who = watchers_meet(&s->watchers, w->ex, loop_now(s->cam->loop), &why);
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
        double fps = show_tame(d->cam, &e);
        if (view.audio && !mux_holds(CONTAINER_MP4, view.sound.codec)) /* as near as can be */
            view.sound = sound_for_containers;
        const struct sound_encoding *sound = view.audio ? &view.sound : NULL;
        s = find_like(d, &e, sound);
        if (!s && (s = show_new(d->cam, &show_hooks, &e, sound, fps, &why)))
            list_append(&d->shows, &s->in_door);
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
    list_for_each(it, &d->shows) show_forget(container_of(it, struct show, in_door));
}
