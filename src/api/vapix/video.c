/* mjpg/video.cgi: pictures without end, as multipart over HTTP. Old clients compare the
 * head and the boundary byte by byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/camera.h"
#include "api/request.h"
#include "api/vapix/door.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/text.h"
#include "deliver/deliver.h"
#include "media/pipeline.h"
#include "net/conn.h"
#include "trust/accounts.h"

static const char head[] = "HTTP/1.0 200 OK\r\n"
                           "Cache-Control: no-cache\r\n"
                           "X-Content-Type-Options: nosniff\r\n"
                           "Connection: close\r\n"
                           "Content-Type: multipart/x-mixed-replace; boundary=myboundary\r\n"
                           "\r\n";
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
};

static void video_close(struct video *v)
{
    list_remove(&v->in_viewers);
    viewer_close(v->viewer, false);
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

static void on_ready(struct viewer *viewer, const struct viewer_join *join, void *arg)
{
    viewer_go(viewer);
}

void video_start(struct vapix_door *d, struct exchange *ex, struct feed *take_feed,
                 const struct view_args *view)
{
    /* The exchange is over once its connection is taken: what it holds is copied before. */
    struct video *v = calloc(1, sizeof *v);
    if (!v) {
        feed_close(take_feed);
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
        .framing = FRAMING_MULTIPART,
        .take_conn = conn,
        .pending = head,
        .pending_len = sizeof head - 1,
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
        free(v);
        return;
    }
    list_append(&d->video->all, &v->in_viewers);
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
    video_start(d, ex, feed, &view);
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
