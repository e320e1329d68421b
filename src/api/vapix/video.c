/* Pictures without end over HTTP: mjpg/video.cgi as multipart, and what media.cgi sends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/request.h"
#include "api/vapix/door.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/text.h"
#include "deliver/deliver.h"
#include "media/mux.h"
#include "media/pipeline.h"
#include "net/conn.h"
#include "net/limits.h"
#include "trust/accounts.h"

#define FIRST_PICTURE_S 5 /* of a container; before it nothing can be said */

/* Old clients compare the head of a multipart and its boundary byte by byte. */
#define HEAD                                                                                       \
    "HTTP/1.0 200 OK\r\n"                                                                          \
    "Cache-Control: no-cache\r\n"                                                                  \
    "X-Content-Type-Options: nosniff\r\n"                                                          \
    "Connection: close\r\n"                                                                        \
    "Content-Type: "
static const char multipart_head[] = HEAD "multipart/x-mixed-replace; boundary=myboundary\r\n\r\n";

static const struct {
    enum framing framing;
    enum container container;
    const char *type;
} forms[] = {
    [VIDEO_MULTIPART] = {.framing = FRAMING_MULTIPART},
    [VIDEO_MP4] = {FRAMING_MP4, CONTAINER_MP4, "video/mp4"},
    [VIDEO_MATROSKA] = {FRAMING_MATROSKA, CONTAINER_MATROSKA, "video/x-matroska"},
};
static const char refusal[] = "HTTP/1.0 503 Service Unavailable\r\n"
                              "Content-Type: text/plain\r\n"
                              "Connection: close\r\n"
                              "\r\n";

struct video_viewers {
    struct list all;
    struct camera *cam;
    struct account_listener accounts;
};

struct video {
    struct list in_viewers;
    struct viewer *viewer;
    char user[65];
    enum video_form form;
    struct stream *stream, *sound; /* sound NULL: none */
    struct loop_timer patience;    /* a container waits for its first picture */
};

static void video_close(struct video *v)
{
    list_remove(&v->in_viewers);
    loop_timer_cancel(&v->patience);
    viewer_close(v->viewer, false);
    stream_unref(v->stream);
    stream_unref(v->sound);
    free(v);
}

static void on_ended(struct viewer *viewer, int err, void *arg)
{
    video_close(arg);
}

static void on_received(struct viewer *viewer, const uint8_t *bytes, size_t len, void *arg)
{
    if (!bytes)
        video_close(arg);
}

static void refuse(struct video *v, const char *text)
{
    viewer_send(v->viewer, refusal, sizeof refusal - 1);
    viewer_send(v->viewer, text, strlen(text));
    video_close(v);
}

static void on_no_picture(struct loop_timer *t)
{
    refuse(container_of(t, struct video, patience), "no picture came in time\n");
}

/* Pages give the type as it is to Media Source, which wants the codecs (RFC 6381). */
static void add_head(struct buf *b, enum video_form form, const struct stream_format *tracks, int n)
{
    char name[MUX_CODEC_NAME];
    buf_addf(b, HEAD "%s", forms[form].type);
    for (int i = 0; form == VIDEO_MP4 && i < n; i++)
        if (mux_codec_name(&tracks[i], name))
            buf_addf(b, "%s%s", i ? "," : "; codecs=\"", name);
    buf_adds(b, form == VIDEO_MP4 ? "\"\r\n\r\n" : "\r\n\r\n");
}

/* The stream's parameter sets are known with its first picture, and with them what opens the
 * container. */
static void on_ready(struct viewer *viewer, const struct viewer_join *join, void *arg)
{
    struct video *v = arg;
    struct stream_format format[2];
    BUF(bytes, LIMIT_QUEUE_BYTES / 2);
    loop_timer_cancel(&v->patience);
    if (v->form != VIDEO_MULTIPART) {
        int n = v->sound ? 2 : 1;
        stream_get_format(v->stream, &format[0]);
        if (v->sound)
            stream_get_format(v->sound, &format[1]);
        add_head(&bytes, v->form, format, n);
        if (mux_opening(forms[v->form].container, format, n, &bytes) ||
            viewer_send(viewer, bytes.data, bytes.len)) {
            refuse(v, "the video cannot be put into this container\n");
            return;
        }
    }
    if (v->sound && viewer_play(viewer, 1, NULL, NULL)) /* it comes when it comes */
        v->sound = stream_unref(v->sound);
    viewer_go(viewer);
}

void video_start(struct vapix_door *d, struct exchange *ex, struct feed *take_feed,
                 struct feed *take_sound, const struct view_args *view, enum video_form form)
{
    /* The exchange is over once its connection is taken: what it holds is copied before. */
    struct video *v = calloc(1, sizeof *v);
    if (!v) {
        feed_close(take_feed);
        feed_close(take_sound);
        exchange_reply(ex, 500, NULL, NULL, 0);
        return;
    }
    char agent[128] = "", path[256];
    const char *given = exchange_header(ex, "User-Agent");
    if (given)
        text_copy(agent, sizeof agent, given);
    text_copy(path, sizeof path, ex->path);
    text_copy(v->user, sizeof v->user, ex->who.user);
    struct conn *conn = exchange_take_conn(ex);
    struct viewer_desc desc = {
        .framing = forms[form].framing,
        .take_conn = conn,
        .pending = form == VIDEO_MULTIPART ? multipart_head : NULL,
        .pending_len = form == VIDEO_MULTIPART ? sizeof multipart_head - 1 : 0,
        .user = v->user,
        .user_agent = agent,
        .path = path,
        .max_pictures = view->pictures,
        .max_ns = (int64_t)(view->seconds * (double)NSEC_PER_SEC),
        .received = on_received,
        .ended = on_ended,
        .arg = v,
    };
    struct fault why = {0};
    if (!conn || viewer_new(d->cam->deliver, &desc, &v->viewer, &why)) {
        if (conn) {
            conn_write(conn, refusal, sizeof refusal - 1);
            conn_write(conn, why.text, strlen(why.text));
            conn_free(conn);
        }
        feed_close(take_feed);
        feed_close(take_sound);
        free(v);
        return;
    }
    list_append(&d->video->all, &v->in_viewers);
    v->form = form;
    v->stream = stream_ref(feed_stream(take_feed));
    v->patience = (struct loop_timer){.name = "video's first picture", .fire = on_no_picture};
    if (form != VIDEO_MULTIPART)
        loop_timer_in(d->cam->loop, &v->patience, FIRST_PICTURE_S * NSEC_PER_SEC);
    if (take_sound) {
        v->sound = stream_ref(feed_stream(take_sound));
        viewer_add_track(v->viewer, 1, take_sound, 0, &why);
    }
    if (viewer_add_track(v->viewer, 0, take_feed, 0, &why) ||
        viewer_play(v->viewer, 0, on_ready, v))
        video_close(v);
}

static void serve(struct exchange *ex, void *arg)
{
    struct vapix_door *d = arg;
    struct encoding e;
    struct view_args view;
    struct fault why = {0};
    struct feed *feed;
    if (!vapix_jpeg_args(d, ex, &e, &view))
        return;
    if (ex->head_only) {
        exchange_reply(ex, 200, "multipart/x-mixed-replace; boundary=myboundary", NULL, 0);
        return;
    }
    if (pipeline_open(d->cam->pipeline, &e, &feed, &why)) {
        vapix_reply_fault(ex, &why);
        return;
    }
    video_start(d, ex, feed, NULL, &view, VIDEO_MULTIPART);
}

unsigned video_strangers(struct vapix_door *d)
{
    unsigned n = 0;
    list_for_each(it, &d->video->all) n += !*container_of(it, struct video, in_viewers)->user;
    return n;
}

/* Rights were taken away: who watches with them does no longer. */
static void on_account(struct account_listener *l, const char *name)
{
    struct video_viewers *vs = container_of(l, struct video_viewers, accounts);
    list_for_each_safe(it, &vs->all)
    {
        struct video *v = container_of(it, struct video, in_viewers);
        if (!name || !strcmp(v->user, name))
            video_close(v);
    }
}

static int start(struct vapix_door *d)
{
    d->video = calloc(1, sizeof *d->video);
    if (!d->video)
        return -1;
    list_init(&d->video->all);
    d->video->cam = d->cam;
    d->video->accounts.changed = on_account;
    accounts_listen(d->cam->trust, &d->video->accounts);
    return 0;
}

static void stop(struct vapix_door *d)
{
    if (!d->video)
        return;
    accounts_unlisten(d->cam->trust, &d->video->accounts);
    list_for_each_safe(it, &d->video->all) video_close(container_of(it, struct video, in_viewers));
    free(d->video);
    d->video = NULL;
}

#define PATH "/axis-cgi/mjpg/video.cgi"
static const struct endpoint rows[] = {
    {.path = PATH,
     .methods = GET_OR_POST,
     .role = ROLE_VIEWER,
     .serve = serve,
     .doc = "pictures without end (multipart JPEG)"},
};
static const char *const aliases[][2] = {
    {"/mjpg/video.mjpg", PATH},
    {"/mjpg/1/video.mjpg", PATH},
    {NULL, NULL},
};
const struct cgi cgi_video = {CGI_ROWS(rows), .aliases = aliases, .start = start, .stop = stop};
