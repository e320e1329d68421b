#include "api/hls/show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/camera.h"
#include "api/hls/playlist.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "deliver/deliver.h"
#include "deliver/piece.h"
#include "media/pipeline.h"
#include "media/sounds.h"

#define LONGEST_GOP_S 2        /* a segment can end at keys only */
#define REST_S 12              /* nobody asks: it ends */
#define STORE_BYTES (64 << 20) /* of one stream */
#define PLAYLIST_BYTES (64 << 10)

struct blob *show_playlist(struct show *s, bool skip)
{
    if (!s->playlist[skip]) {
        BUF(text, PLAYLIST_BYTES);
        hls_write_media(&text, &s->segments, skip);
        s->playlist[skip] = text.err ? NULL : blob_new(text.data, text.len);
    }
    return s->playlist[skip] ? blob_ref(s->playlist[skip]) : NULL;
}

struct blob *show_master(struct show *s)
{
    struct stream_stats stats;
    char uri[SHOW_ID_LEN + 16];
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

/* What players are told has changed. */
static void tell(struct show *s)
{
    for (int i = 0; i < 2; i++)
        s->playlist[i] = blob_unref(s->playlist[i]);
    s->hooks->changed(s);
}

void show_free(struct show *s)
{
    list_remove(&s->in_door);
    s->hooks->ends(s);
    stream_remove_wake(feed_stream(s->feed), &s->wake);
    loop_post_cancel(s->cam->loop, &s->woken);
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
    watchers_leave(&s->watchers, loop_now(s->cam->loop) - REST_S * NSEC_PER_SEC);
    if (!list_empty(&s->watchers.all) || !list_empty(&s->waiting))
        loop_timer_in(s->cam->loop, t, REST_S * NSEC_PER_SEC / 4);
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
    loop_post(s->cam->loop, &s->woken);
}

static int open_feeds(struct show *s, const struct encoding *e, const struct sound_encoding *sound,
                      struct fault *why)
{
    struct camera *cam = s->cam;
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

double show_tame(struct camera *cam, struct encoding *e)
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

struct show *show_new(struct camera *cam, const struct show_hooks *hooks, const struct encoding *e,
                      const struct sound_encoding *sound, double fps, struct fault *why)
{
    if (deliver_is_full(cam->deliver)) {
        fault_set(why, FAULT_LIMIT, NULL, "there are as many viewers as there may be");
        return NULL;
    }
    struct show *s = calloc(1, sizeof *s);
    if (!s) {
        fault_set(why, FAULT_INTERNAL, NULL, "out of memory");
        return NULL;
    }
    s->cam = cam;
    s->hooks = hooks;
    if (open_feeds(s, e, sound, why)) {
        if (s->cursor)
            s->cursor->ops->close(s->cursor);
        feed_close(s->feed);
        feed_close(s->sound);
        free(s);
        return NULL;
    }
    uint8_t id[SHOW_ID_BYTES];
    struct segment_plan plan;
    random_bytes(id, sizeof id);
    hex_of(id, sizeof id, s->id);
    s->encoding = *e;
    s->audio = sound;
    if (sound)
        s->sound_encoding = *sound;
    watchers_init(&s->watchers, cam->deliver, s->feed, s->sound);
    s->fps = fps;
    segment_plan(&plan, fps, e->gop);
    segments_init(&s->segments, &plan, STORE_BYTES);
    list_init(&s->waiting);
    s->wake.woken = stream_woken;
    s->woken = (struct loop_post){.name = "hls", .run = on_woken};
    s->rest = (struct loop_timer){.name = "hls rest", .fire = on_rest};
    list_init(&s->in_door);
    stream_add_wake(feed_stream(s->feed), &s->wake);
    loop_timer_in(cam->loop, &s->rest, REST_S * NSEC_PER_SEC / 4);
    loop_post(cam->loop, &s->woken); /* what is there already */
    return s;
}

void show_forget(struct show *s)
{
    segments_forget(&s->segments);
    tell(s);
}
